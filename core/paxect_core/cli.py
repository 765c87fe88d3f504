"""The command `paxect-core`: options in, files and an exit code out."""

from __future__ import annotations

import os
import sys

from paxect_core import cap, errors, options, process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import FileIO

    from paxect_core.layout import Container
    from paxect_core.options import Arguments
    from paxect_core.progress import ProgressBar
    from paxect_core.results import DecodeResult, EncodeResult, FrameEntry
    from paxect_core.streams import Writable

_WORST_FIRST = (
    errors.EXIT_VERIFICATION,
    errors.EXIT_STRUCTURE,
    errors.EXIT_FILE,
    errors.EXIT_OK,
)
_AGAIN = "ask for it to be sent again"


def main(words: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        process.occupy_standard_descriptors()
        process.catch_signals()
        code = _run(sys.argv[1:] if words is None else words)
        process.leave_signals()
    except process.Stopped as stop:
        process.drop_unfinished()
        process.leave_signals()
        _complain("stopped by a signal; a file named with -o is whole or absent")
        return stop.exit_code
    return code


def _run(words: list[str]) -> int:
    try:
        arguments = options.parse(words)
        if hasattr(sys.stdout, "reconfigure"):  # a name may be of any characters
            sys.stdout.reconfigure(errors="backslashreplace")
        code = _COMMANDS[arguments.command](arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
    except errors.PaxectError as error:
        _complain(error.message)
        return error.exit_code
    except MemoryError:
        _complain("out of memory; use fewer --threads, or a smaller --frame to encode")
        return errors.EXIT_FILE
    except OSError as error:
        # Printing failed; keep Python from trying again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        _complain(f"writing standard output gave {error.strerror or error}")
        return errors.EXIT_FILE
    return code


def _complain(text: str) -> None:
    if sys.stderr is not None:
        try:
            print(f"paxect-core: {text}", file=sys.stderr)
        except OSError:
            # Nobody is left to complain to. The exit code stays, unless Python tries
            # again at exit, as some versions do.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _help(arguments: Arguments) -> int:
    print(options.help_text(*arguments.operands))
    return errors.EXIT_OK


def _version(_arguments: Arguments) -> int:
    from paxect_core import __version__
    from paxect_core.codec import CODEC_VERSION

    print(f"paxect-core {__version__} ({CODEC_VERSION})")
    return errors.EXIT_OK


def _encode(arguments: Arguments) -> int:
    from paxect_core import writer

    settings = arguments.settings()
    threads = arguments.threads(_cores())
    limit = arguments.input_bytes_max(cap.stream_bytes_max(os.environ))
    with _Transfer(arguments, reads_container=False) as transfer:
        result = writer.encode(
            transfer.source,
            transfer.sink,
            settings,
            threads=threads,
            input_bytes_max=limit,
            progress=transfer.progress,
        )
        transfer.publish()
    transfer.report(result)
    return errors.EXIT_OK


def _decode(arguments: Arguments) -> int:
    from paxect_core import reader

    threads = arguments.threads(_cores())
    limit = arguments.input_bytes_max(cap.stream_bytes_max(os.environ))
    with _Transfer(arguments, reads_container=True) as transfer:
        result = reader.decode(
            transfer.source,
            transfer.sink,
            threads=threads,
            lenient=arguments.has("lenient"),
            container_digest=arguments.has("json"),
            input_bytes_max=limit,
            progress=transfer.progress,
        )
        transfer.publish()
    transfer.report(result)
    return errors.EXIT_OK


class _Transfer:
    """Input, output and progress bar of one encode or decode command.

    Leaving it with an error adds what became of the output to the message.
    """

    def __init__(self, arguments: Arguments, *, reads_container: bool) -> None:
        from paxect_core.destination import Destination

        self._arguments = arguments
        self._reads_container = reads_container
        self._input = arguments.values.get("input", "-")
        self._output = arguments.values.get("output", "-")
        if self._output == "-" and not reads_container and os.isatty(1):
            raise errors.UsageError(
                "a container is no text for a terminal; "
                "name a file with -o or pipe the output on"
            )
        self.source = _open(self._input)
        self._destination: Destination | None = None
        if self._output == "-":
            self.sink: Writable = open(1, "wb", buffering=0, closefd=False)
        else:
            try:
                self._destination = Destination(
                    self._output, replace=arguments.has("force")
                )
            except errors.OutputError:
                self.source.close()
                raise
            self.sink = self._destination.sink
        self.progress = _progress_bar(
            arguments, self.source, counts_raw=not reads_container
        )

    def __enter__(self) -> _Transfer:
        return self

    def __exit__(self, _type: object, error: BaseException | None, _tb: object) -> None:
        if self.progress is not None:
            self.progress.clear()
        try:
            self.source.close()
        finally:
            if self._destination is not None:
                self._destination.__exit__()
        if isinstance(error, errors.PaxectError):
            error.message = self._explain(error)

    def publish(self) -> None:
        """Let the output file appear."""
        if self._destination is not None:
            self._destination.publish()

    def report(self, result: EncodeResult | DecodeResult) -> None:
        """Describe the result, as JSON or to a person at a terminal."""
        arguments = self._arguments
        if arguments.has("json"):
            _print_json(
                _describe(result, command=arguments.command, input=self._input)
                | {"output": self._output},
                to_stderr=self._output == "-",
            )
        elif not arguments.has("quiet") and os.isatty(2):
            print(
                f"{self._input} -> {self._output}: {result.raw_bytes:,} raw bytes, "
                f"{result.container_bytes:,} in the container, "
                f"raw SHA-256 {result.raw_sha256}",
                file=sys.stderr,
            )

    def _explain(self, error: errors.PaxectError) -> str:
        if self._destination is not None and not self._destination.direct:
            outcome = f"nothing was written to {self._output!r}"
        elif isinstance(error, errors.ContainerError):
            outcome = f"{error.raw_bytes_passed} verified bytes were passed on before"
        else:
            outcome = "what was passed on is incomplete"
        if isinstance(error, errors.ContainerError):
            return f"{self._input!r}: {error}; {outcome}; {_AGAIN}"
        return f"{_told(error, self._input)}; {outcome}"


def _verify(arguments: Arguments) -> int:
    from paxect_core import reader

    threads = arguments.threads(_cores())
    limit = arguments.input_bytes_max(cap.stream_bytes_max(os.environ))

    def check(name: str) -> None:
        with _open(name) as stream:
            bar = _progress_bar(arguments, stream, counts_raw=False)
            try:
                result = reader.verify(
                    stream,
                    threads=threads,
                    lenient=arguments.has("lenient"),
                    container_digest=arguments.has("json"),
                    input_bytes_max=limit,
                    progress=bar,
                )
            finally:
                if bar is not None:
                    bar.clear()
        if arguments.has("json"):
            _print_json(_describe(result, command="verify", input=name))
        elif not arguments.has("quiet"):
            print(
                f"{_shown(name)}: OK, {result.raw_bytes} bytes, "
                f"SHA-256 {result.raw_sha256}"
            )

    return _each_input(arguments, check)


def _inspect(arguments: Arguments) -> int:
    from paxect_core.layout import Container

    def show(name: str) -> None:
        with _open(name) as stream:
            container = Container(stream, lenient=arguments.has("lenient"))
            facts = _container_facts(container, digest=arguments.has("digest"))
            entries = container.frames()
            if arguments.has("json"):
                facts |= {"command": "inspect", "input": name, "ok": True}
                if arguments.has("frames"):
                    facts["frame_list"] = [_asdict(entry) for entry in entries]
                for _ in entries:  # without --frames, for the checks alone
                    pass
                _print_json(facts)
            else:
                _print_facts(name, facts, entries, frames=arguments.has("frames"))

    return _each_input(arguments, show)


def _each_input(arguments: Arguments, act: Callable[[str], None]) -> int:
    codes = {errors.EXIT_OK}
    for name in arguments.inputs():
        try:
            act(name)
        except (errors.ContainerError, errors.FileError) as error:
            codes.add(error.exit_code)
            if arguments.has("json"):
                _print_json(
                    {"command": arguments.command, "input": name}
                    | _describe_error(error)
                )
            if isinstance(error, errors.ContainerError):
                _complain(f"{name!r}: {error}; {_AGAIN}")
            else:
                _complain(_told(error, name))
    return next(code for code in _WORST_FIRST if code in codes)


def _told(error: errors.PaxectError, name: str) -> str:
    if isinstance(error, errors.InputTooLarge):
        return f"{name!r}: {error.message}; raise {cap.VARIABLE} if that is meant"
    return error.message


def _container_facts(container: Container, *, digest: bool) -> dict[str, object]:
    settings, footer, container_bytes = container.inspection
    facts: dict[str, object] = {
        "version": 42,
        "settings": _asdict(settings),
        "frames": footer.frames,
        "raw_bytes": footer.raw_bytes,
        "raw_sha256": footer.raw_sha256.hex(),
        "container_bytes": container_bytes,
    }
    if digest:
        facts["container_sha256"] = container.sha256()
    return facts


def _print_facts(
    name: str, facts: dict[str, object], entries: Iterator[FrameEntry], *, frames: bool
) -> None:
    print(_shown(name))
    for key, value in facts.items():
        shown = value
        if isinstance(value, dict):
            shown = ", ".join(f"{k} {v}" for k, v in value.items())
        print(f"  {key.replace('_', ' '):<18}{shown}")
    if frames:
        print("   frame  channel        offset    compressed           raw     crc32")
    for row in entries:  # without --frames, for the checks alone
        if frames:
            print(
                f"{row.number:8}{row.channel:9}{row.offset:14}{row.compressed_bytes:14}"
                f"{row.raw_bytes:14}  {row.crc32:08x}"
            )


def _open(name: str) -> FileIO:
    if name == "-":
        return process.standard_input()
    from paxect_core.files import open_input

    return open_input(name)


def _shown(name: str) -> str:
    # A line break in a name must not look like another line of ours.
    return name if name.isprintable() else repr(name)


def _progress_bar(
    arguments: Arguments, source: FileIO, *, counts_raw: bool
) -> ProgressBar | None:
    if not os.isatty(2) or arguments.has("quiet") or arguments.has("no-progress"):
        return None
    from stat import S_ISREG

    from paxect_core.progress import ProgressBar

    status = os.fstat(source.fileno())
    return ProgressBar(
        input_bytes=status.st_size if S_ISREG(status.st_mode) else None,
        counts_raw=counts_raw,
    )


def _cores() -> int:
    # Speed only: the number of threads changes no byte.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _asdict(struct: object) -> dict[str, object]:
    fields: dict[str, object] = struct._asdict()  # type: ignore[attr-defined]
    return fields


def _describe(result: EncodeResult | DecodeResult, **names: str) -> dict[str, object]:
    facts = _asdict(result)
    facts["settings"] = _asdict(result.settings)
    return facts | names | {"ok": True}


def _describe_error(error: errors.PaxectError) -> dict[str, object]:
    facts: dict[str, object] = {
        "ok": False,
        "error": error.code,
        "message": error.message,
        "exit_code": error.exit_code,
    }
    if isinstance(error, errors.ContainerError):
        facts |= {"offset": error.offset, "frame": error.frame}
    return facts


def _print_json(facts: dict[str, object], *, to_stderr: bool = False) -> None:
    import json

    line = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    stream = sys.stderr if to_stderr else sys.stdout
    if stream is not None:
        print(line, file=stream)


_COMMANDS: dict[str, Callable[[Arguments], int]] = {
    "encode": _encode,
    "decode": _decode,
    "verify": _verify,
    "inspect": _inspect,
    "help": _help,
    "version": _version,
}
