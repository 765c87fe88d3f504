"""Every maximum of the container format and of this implementation, by name.

FORMAT.md explains each; a reader in another language needs the same numbers.
"""

HEADER_BYTES = 24
FRAME_HEADER_BYTES = 14
FOOTER_BYTES = 44
CONTAINER_BYTES_MIN = HEADER_BYTES + FOOTER_BYTES

CHANNELS_MAX = 8
CHANNELS_AUTO = 4
"""What `--channels auto` means, on every machine."""

LEVEL_MIN = -128
LEVEL_MAX = 22
LEVEL_DEFAULT = 5

FRAME_BYTES_DEFAULT = 1 << 20
FRAME_BYTES_MAX = 64 << 20
FRAME_BYTES_MAX_LENIENT = (1 << 32) - 1
FRAMES_MAX = (1 << 32) - 1
RAW_BYTES_MAX = (1 << 64) - 1

ZSTD_FRAME_BYTES_MIN = 9
ZSTD_WINDOW_BYTES_MIN = 1024
ZSTD_WINDOW_BYTES_MAX = 128 << 20
"""The largest window of any libzstd level; larger frames than that need no more."""

ZSTD_EXPANSION_MAX = 32768
"""A zstd block holds at most 128 KiB of raw data and takes at least 4 bytes."""

INPUT_MIB_DEFAULT = 512
"""Cap of a one-shot call in memory; streams have none by default."""

THREADS_MAX = 64
WINDOW_BYTES = 16 << 20
"""Raw bytes in flight between the threads, unless a few large frames need more."""

READ_BYTES = 4 << 20


def compressed_bytes_max(raw_bytes: int) -> int:
    """Return libzstd's bound for one frame of that many raw bytes."""
    small = 128 << 10
    margin = (small - raw_bytes) >> 11 if raw_bytes < small else 0
    return raw_bytes + (raw_bytes >> 8) + margin
