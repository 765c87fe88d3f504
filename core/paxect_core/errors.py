"""One class per way in which work on a container can fail, each with its exit code.

    PaxectError
    ├── UsageError (64)             a setting or argument that cannot be meant
    ├── FileError (3)               the outside world: files, pipes, disks
    │   ├── InputError                  the input cannot be opened or read
    │   │   └── InputTooLarge           the input exceeds the cap that was set
    │   └── OutputError                 the output cannot be written
    │       └── DestinationExists       the destination is taken and stays as it is
    ├── Cancelled (130)             the caller asked to stop
    └── ContainerError              the container is not what FORMAT.md allows
        ├── StructureError (4)          its parts do not fit together
        └── VerificationError (2)       its parts fit, its data is not the data

`code` names the failure class as FORMAT.md and the vectors do; it never changes.
"""

EXIT_OK = 0
EXIT_VERIFICATION = 2
EXIT_FILE = 3
EXIT_STRUCTURE = 4
EXIT_USAGE = 64
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143


class PaxectError(Exception):
    """Any failure that this package reports on purpose."""

    exit_code = 70
    code = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[object, ...]:
        # By default a copy is made by calling the class with `args`, which lack what
        # subclasses take by keyword; errors travel between worker processes.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(
    kind: type[PaxectError], args: tuple[object, ...], fields: dict[str, object]
) -> PaxectError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(fields)
    return error


class UsageError(PaxectError):
    """A setting or an argument is impossible; nothing was touched."""

    exit_code = EXIT_USAGE
    code = "usage"


class Cancelled(PaxectError):
    """The caller's cancel signal was seen; a file destination was not created."""

    exit_code = EXIT_INTERRUPTED
    code = "cancelled"


class FileError(PaxectError):
    """A file, pipe or disk refused."""

    exit_code = EXIT_FILE
    code = "file"


class InputError(FileError):
    """The input cannot be opened or read."""

    code = "input"


class InputTooLarge(InputError):
    """The input exceeds the cap in force."""

    code = "input-too-large"


class OutputError(FileError):
    """The output cannot be written."""

    code = "output"


class DestinationExists(OutputError):
    """The destination exists and was left as it is."""

    code = "destination-exists"


class ContainerError(PaxectError):
    """The container breaks a rule of FORMAT.md.

    `offset` is the byte of the container where the broken rule applies, `frame`
    the index of the frame concerned, if any. `raw_bytes_passed` says how many
    verified raw bytes a streaming decode had handed on before it failed.
    """

    def __init__(self, message: str, *, offset: int, frame: int | None = None) -> None:
        super().__init__(message)
        self.offset = offset
        self.frame = frame
        self.raw_bytes_passed = 0

    def __str__(self) -> str:
        place = f"byte {self.offset}"
        if self.frame is not None:
            place = f"frame {self.frame}, {place}"
        return f"{self.message} ({place})"


class StructureError(ContainerError):
    """The parts of the container do not fit together."""

    exit_code = EXIT_STRUCTURE
    code = "structure"


class VerificationError(ContainerError):
    """The container is well formed, but its data is not what it claims."""

    exit_code = EXIT_VERIFICATION
    code = "verification"


class BadMagic(StructureError):
    """The input does not begin with `PXC1`."""

    code = "bad-magic"


class BadVersion(StructureError):
    """The version is not 42."""

    code = "bad-version"


class BadFlags(StructureError):
    """An unknown flag is set, or the multi-channel flag contradicts the channels."""

    code = "bad-flags"


class BadMapping(StructureError):
    """The mapping is neither 0 nor 1."""

    code = "bad-mapping"


class BadLevel(StructureError):
    """The level is one that no libzstd has."""

    code = "bad-level"


class BadFrameSize(StructureError):
    """The frame size is zero or above the limit."""

    code = "bad-frame-size"


class BadChannels(StructureError):
    """The number of channels is not within 1 to 8."""

    code = "bad-channels"


class BadReserved(StructureError):
    """A reserved byte of the header is not zero."""

    code = "bad-reserved"


class ChannelOutOfRange(StructureError):
    """A frame names a channel that the header does not have."""

    code = "channel-out-of-range"


class ChannelOutOfTurn(StructureError):
    """A frame names another channel than its turn."""

    code = "channel-out-of-turn"


class EmptyFrame(StructureError):
    """A frame holds no raw bytes."""

    code = "empty-frame"


class FrameTooLong(StructureError):
    """A frame holds more raw bytes than the header's frame size."""

    code = "frame-too-long"


class ShortFrame(StructureError):
    """A frame that is not the last holds fewer raw bytes than the frame size."""

    code = "short-frame"


class ImpossibleLength(StructureError):
    """A compressed length that no zstd frame of the raw length can have."""

    code = "impossible-length"


class BadBody(StructureError):
    """A frame body is not one whole zstd frame without a dictionary."""

    code = "bad-body"


class WindowTooLarge(StructureError):
    """A zstd frame asks for a larger window than the frame size."""

    code = "window-too-large"


class BodyLengthMismatch(StructureError):
    """A zstd frame holds another number of raw bytes than its frame header says."""

    code = "body-length-mismatch"


class BodyTrailingData(StructureError):
    """Something follows the zstd frame inside its body."""

    code = "body-trailing-data"


class Truncated(StructureError):
    """The container ends too early."""

    code = "truncated"


class TrailingData(StructureError):
    """Something follows the footer."""

    code = "trailing-data"


class FrameCountMismatch(StructureError):
    """The footer counts another number of frames."""

    code = "frame-count-mismatch"


class RawTotalMismatch(StructureError):
    """The footer's raw total is not the sum of the frames."""

    code = "raw-total-mismatch"


class CrcMismatch(VerificationError):
    """A frame's raw bytes do not have the CRC32 of its header."""

    code = "crc-mismatch"


class DigestMismatch(VerificationError):
    """The raw bytes do not have the SHA-256 of the footer."""

    code = "digest-mismatch"
