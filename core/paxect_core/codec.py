"""One zstd frame from raw bytes and back, with the parameters that fix its bytes.

The only user of `zstandard`. A compressor is a level and nothing else: content size
written, no checksum, no dictionary, no threads; reusing its context changes no byte.
"""

from __future__ import annotations

import sys

from paxect_core import errors, limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    import zstandard


def _load() -> ModuleType:
    """Return zstandard's C module, without its package when that can be had.

    The package imports `platform` and `typing`, 12 ms where a whole `paxect-core`
    should take 25. Loading its extension module by its own name is equivalent, and a
    later `import zstandard` finds it.
    """
    name = "zstandard.backend_c"
    if "zstandard" not in sys.modules and sys.implementation.name == "cpython":
        from importlib.machinery import PathFinder

        package = PathFinder.find_spec("zstandard")
        if package is not None and package.submodule_search_locations:
            spec = PathFinder.find_spec(
                "backend_c", list(package.submodule_search_locations)
            )
            if spec is not None and spec.loader is not None:
                spec.name = spec.loader.name = name  # type: ignore[attr-defined]
                module = spec.loader.create_module(spec)
                if module is not None:
                    spec.loader.exec_module(module)
                    sys.modules[name] = module
                    return module
    import zstandard

    return zstandard


_zstd = _load()
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_SINGLE_SEGMENT = 0b00100000
_STATES_CONTENT_SIZE = 0b11000000 | _SINGLE_SEGMENT
"""Bits of a zstd frame's descriptor, its fifth byte."""

LIBZSTD_VERSION: str = ".".join(map(str, _zstd.ZSTD_VERSION))
CODEC_VERSION: str = f"zstandard {_zstd.__version__}, libzstd {LIBZSTD_VERSION}"
"""Containers are equal bytes only when made by equal codec versions."""


class Compressor:
    """Frame bodies for one level; safe to share between threads."""

    __slots__ = ("_idle", "level")

    def __init__(self, level: int) -> None:
        self.level = level
        self._idle: list[zstandard.ZstdCompressor] = []

    def compress(self, raw: bytes | memoryview) -> bytes:
        """Return one complete zstd frame of the raw bytes."""
        # Taking from and giving back to a list is atomic; a context is never shared.
        try:
            context = self._idle.pop()
        except IndexError:
            context = _zstd.ZstdCompressor(level=self.level)
        try:
            body: bytes = context.compress(raw)
        except _zstd.ZstdError as error:
            # Compressing any bytes at any level works, unless memory is short.
            raise MemoryError(str(error)) from error
        self._idle.append(context)
        return body


class _Bounded(Compressor):
    """A compressor that so many threads use at a time."""

    __slots__ = ("_turns",)

    def __init__(self, level: int, threads: int) -> None:
        # Imported here because a small file alone needs no threads.
        from queue import SimpleQueue

        super().__init__(level)
        self._turns: SimpleQueue[None] = SimpleQueue()
        for _ in range(threads):
            self._turns.put(None)

    def compress(self, raw: bytes | memoryview) -> bytes:
        self._turns.get()
        try:
            return super().compress(raw)
        finally:
            self._turns.put(None)


_contexts_max = 0
_kept = Compressor(0)


def kept_compressor(level: int) -> Compressor:
    """Return one whose context is kept for the next small input of that level.

    To make one and touch its memory takes as long as to compress a few kilobytes.
    """
    global _kept
    if _kept.level != level:
        _kept = _Bounded(level, _contexts_max) if _contexts_max else Compressor(level)
    return _kept


def bound_kept_contexts(count: int) -> None:
    """Have no more of them at a time in this process: each takes up to 18 MiB."""
    global _kept, _contexts_max
    _kept, _contexts_max = Compressor(0), count


_idle_decompressors: list[zstandard.ZstdDecompressor] = []
"""Contexts that are kept, a small one for each thread that ever had one."""


class Decompressor:
    """Raw bytes of frame bodies; safe to share between threads."""

    __slots__ = ("_window_bytes_max",)

    def __init__(self, frame_bytes: int) -> None:
        self._window_bytes_max = min(
            max(frame_bytes, limits.ZSTD_WINDOW_BYTES_MIN),
            limits.ZSTD_WINDOW_BYTES_MAX,
        )

    def decompress(
        self, body: bytes | memoryview, raw_bytes: int, *, offset: int, frame: int
    ) -> bytes:
        """Return exactly that many raw bytes, or raise with the frame's place."""
        stated = self._check_frame_header(body, raw_bytes, offset=offset, frame=frame)
        try:
            context = _idle_decompressors.pop()
        except IndexError:
            context = _zstd.ZstdDecompressor()
        try:
            raw: bytes = context.decompress(
                body, max_output_size=raw_bytes, allow_extra_data=False
            )
        except _zstd.ZstdError as error:
            if not stated and _exceeds(body, raw_bytes):
                raise errors.BodyLengthMismatch(
                    f"decompresses to more than {raw_bytes} bytes",
                    offset=offset,
                    frame=frame,
                ) from error
            raise self._explain(error, offset=offset, frame=frame) from error
        _idle_decompressors.append(context)
        if len(raw) != raw_bytes:
            raise errors.BodyLengthMismatch(
                f"decompresses to {len(raw)} bytes instead of {raw_bytes}",
                offset=offset,
                frame=frame,
            )
        return raw

    def _check_frame_header(
        self, body: bytes | memoryview, raw_bytes: int, *, offset: int, frame: int
    ) -> bool:
        """Tell whether the zstd frame states its content size, which then is right."""
        if body[:4] != _ZSTD_MAGIC:
            raise errors.BadBody(
                "the body is not a zstd frame", offset=offset, frame=frame
            )
        try:
            parameters = _zstd.get_frame_parameters(body)
        except _zstd.ZstdError as error:
            raise self._explain(error, offset=offset, frame=frame) from error
        # The window of a single segment is its content, whose size is checked below.
        segments = not body[4] & _SINGLE_SEGMENT
        if segments and parameters.window_size > self._window_bytes_max:
            raise errors.WindowTooLarge(
                f"the zstd frame asks for a window of {parameters.window_size} bytes, "
                f"{self._window_bytes_max} are allowed",
                offset=offset,
                frame=frame,
            )
        if parameters.dict_id:
            raise errors.BadBody(
                "the zstd frame wants a dictionary", offset=offset, frame=frame
            )
        # libzstd takes a stated size of 2**64 - 1 for one that is not stated.
        stated = bool(body[4] & _STATES_CONTENT_SIZE)
        if stated and parameters.content_size != raw_bytes:
            raise errors.BodyLengthMismatch(
                f"the zstd frame holds {parameters.content_size} bytes "
                f"instead of {raw_bytes}",
                offset=offset,
                frame=frame,
            )
        return stated

    def _explain(
        self, error: Exception, *, offset: int, frame: int
    ) -> errors.StructureError:
        # zstandard tells these cases apart by its words only.
        if "not enough memory" in str(error):
            raise MemoryError(str(error)) from error
        if "too much memory" in str(error):
            return errors.WindowTooLarge(
                "the zstd frame asks for a window of 4 GiB or more",
                offset=offset,
                frame=frame,
            )
        if "unused data" in str(error):
            return errors.BodyTrailingData(
                "something follows the zstd frame in its body",
                offset=offset,
                frame=frame,
            )
        # Not in libzstd's words: a fresh context chooses others than a used one, and
        # which it is depends on the threads. Whoever wants them finds them as cause.
        return errors.BadBody(
            "the body is not one whole zstd frame", offset=offset, frame=frame
        )


def _exceeds(body: bytes | memoryview, raw_bytes: int) -> bool:
    # zstandard's one-shot call does not tell too much data from a frame cut short.
    try:
        with _zstd.ZstdDecompressor().stream_reader(body) as stream:
            return len(stream.read(raw_bytes + 1)) > raw_bytes
    except _zstd.ZstdError:
        return False
