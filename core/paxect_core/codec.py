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

LIBZSTD_VERSION: str = ".".join(map(str, _zstd.ZSTD_VERSION))
CODEC_VERSION: str = f"zstandard {_zstd.__version__}, libzstd {LIBZSTD_VERSION}"
"""Containers are equal bytes only when made by equal codec versions."""


class Compressor:
    """Frame bodies for one level; safe to share between threads."""

    __slots__ = ("_idle", "_level")

    def __init__(self, level: int) -> None:
        self._level = level
        self._idle: list[zstandard.ZstdCompressor] = []

    def compress(self, raw: bytes | memoryview) -> bytes:
        """Return one complete zstd frame of the raw bytes."""
        # Taking from and giving back to a list is atomic; a context is never shared.
        try:
            context = self._idle.pop()
        except IndexError:
            context = _zstd.ZstdCompressor(level=self._level)
        body: bytes = context.compress(raw)
        self._idle.append(context)
        return body


class Decompressor:
    """Raw bytes of frame bodies; safe to share between threads."""

    __slots__ = ("_idle", "_window_bytes_max")

    def __init__(self, frame_bytes: int) -> None:
        self._window_bytes_max = max(frame_bytes, limits.ZSTD_WINDOW_BYTES_MIN)
        self._idle: list[zstandard.ZstdDecompressor] = []

    def decompress(
        self, body: bytes | memoryview, raw_bytes: int, *, offset: int, frame: int
    ) -> bytes:
        """Return exactly that many raw bytes, or raise with the frame's place."""
        self._check_frame_header(body, raw_bytes, offset=offset, frame=frame)
        try:
            context = self._idle.pop()
        except IndexError:
            context = _zstd.ZstdDecompressor()
        try:
            raw: bytes = context.decompress(
                body, max_output_size=raw_bytes, allow_extra_data=False
            )
        except _zstd.ZstdError as error:
            raise self._explain(error, offset=offset, frame=frame) from error
        self._idle.append(context)
        if len(raw) != raw_bytes:
            raise errors.BodyLengthMismatch(
                f"decompresses to {len(raw)} bytes instead of {raw_bytes}",
                offset=offset,
                frame=frame,
            )
        return raw

    def _check_frame_header(
        self, body: bytes | memoryview, raw_bytes: int, *, offset: int, frame: int
    ) -> None:
        if body[:4] != _ZSTD_MAGIC:
            raise errors.BadBody(
                "the body is not a zstd frame", offset=offset, frame=frame
            )
        try:
            parameters = _zstd.get_frame_parameters(body)
        except _zstd.ZstdError as error:
            raise self._explain(error, offset=offset, frame=frame) from error
        if parameters.dict_id:
            raise errors.BadBody(
                "the zstd frame wants a dictionary", offset=offset, frame=frame
            )
        if parameters.content_size not in (raw_bytes, _zstd.CONTENTSIZE_UNKNOWN):
            raise errors.BodyLengthMismatch(
                f"the zstd frame holds {parameters.content_size} bytes "
                f"instead of {raw_bytes}",
                offset=offset,
                frame=frame,
            )
        if parameters.window_size > self._window_bytes_max:
            raise errors.WindowTooLarge(
                f"the zstd frame asks for a window of {parameters.window_size} bytes, "
                f"{self._window_bytes_max} are allowed",
                offset=offset,
                frame=frame,
            )

    def _explain(
        self, error: Exception, *, offset: int, frame: int
    ) -> errors.StructureError:
        # zstandard tells this case apart by its words only.
        if "unused data" in str(error):
            return errors.BodyTrailingData(
                "something follows the zstd frame in its body",
                offset=offset,
                frame=frame,
            )
        return errors.BadBody(
            f"the body is not one whole zstd frame: {error}", offset=offset, frame=frame
        )
