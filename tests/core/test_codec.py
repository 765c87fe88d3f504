"""The codec is zstandard's own, however it is loaded, and short memory is told apart."""

import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import ModuleSpec, PathFinder
from types import SimpleNamespace

import pytest
import samples
import zstandard
from samples import lines, noise, python

from paxect_core import codec, errors

DATA = lines(5000) + noise(500)


@pytest.mark.parametrize("level", [-128, -5, 0, 1, 3, 5, 12, 19, 22])
def test_compressor_gives_the_bytes_of_the_package(level: int) -> None:
    compressor = codec.Compressor(level)
    expected = zstandard.ZstdCompressor(level=level).compress(DATA)
    assert compressor.compress(DATA) == expected
    assert compressor.compress(b"x") != expected
    assert compressor.compress(memoryview(DATA)) == expected


def test_decompressor_gives_the_raw_bytes() -> None:
    decompressor = codec.Decompressor(len(DATA))
    body = zstandard.compress(DATA)
    for view in (body, memoryview(body)):
        raw = decompressor.decompress(view, len(DATA), offset=0, frame=0)
        assert raw == DATA


def test_version_names_the_libzstd_inside() -> None:
    assert ".".join(map(str, zstandard.ZSTD_VERSION)) == codec.LIBZSTD_VERSION
    assert codec.CODEC_VERSION.endswith(f"libzstd {codec.LIBZSTD_VERSION}")


USE = """
import sys
{before}
from paxect_core import codec
{after}
import zstandard
data = sys.stdin.buffer.read()
ours = codec.Compressor(5).compress(data)
theirs = zstandard.ZstdCompressor(level=5).compress(data)
assert ours == theirs
assert codec.Decompressor(1 << 20).decompress(
    theirs, len(data), offset=0, frame=0) == data
assert zstandard.ZstdDecompressor().decompress(ours) == data
try:
    codec.Decompressor(1 << 20).decompress(ours[:-1], len(data), offset=0, frame=0)
except codec.errors.BadBody as error:
    assert isinstance(error.__cause__, zstandard.ZstdError)
else:
    raise AssertionError
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "assert 'zstandard' not in sys.modules"),
        ("import zstandard", "assert codec._zstd is zstandard"),
        ("sys.implementation.name = 'other'", "assert codec._zstd.__file__"),
    ],
    ids=["alone", "package-first", "fallback"],
)
def test_codec_and_package_live_together_in_either_order(
    before: str, after: str
) -> None:
    done = python(USE.format(before=before, after=after), stdin=DATA)
    assert done.returncode == 0, done.stderr.decode()


class NoModule:
    """A loader that, like that of a frozen application, makes no module itself."""

    name = ""

    def create_module(self, _spec: object) -> None:
        return None


@pytest.mark.parametrize(
    "found",
    [
        {"zstandard": None},
        {"zstandard": ModuleSpec("zstandard", None)},
        {"backend_c": None},
        {"backend_c": SimpleNamespace(name="", loader=None)},
        {"backend_c": SimpleNamespace(name="", loader=NoModule())},
    ],
)
def test_codec_when_the_extension_cannot_be_loaded_alone_takes_the_package(
    monkeypatch: pytest.MonkeyPatch, found: dict[str, object]
) -> None:
    real = PathFinder.find_spec

    def find_spec(name: str, path: object = None, *rest: object) -> object:
        return found[name] if name in found else real(name, path, *rest)  # type: ignore[arg-type]

    package = sys.modules["zstandard"]
    monkeypatch.delitem(sys.modules, "zstandard")
    monkeypatch.setattr(PathFinder, "find_spec", find_spec)
    if "zstandard" in found:
        # Then there is no zstandard at all, and importing it says so.
        with pytest.raises(ImportError):
            codec._load()
    else:
        monkeypatch.setitem(sys.modules, "zstandard.backend_c", codec._zstd)
        assert codec._load().__name__ == "zstandard"
    monkeypatch.setitem(sys.modules, "zstandard", package)


def test_codec_loaded_again_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "zstandard")
    monkeypatch.delitem(sys.modules, "zstandard.backend_c", raising=False)
    loaded = codec._load()
    assert loaded.__name__ == "zstandard.backend_c"
    assert loaded.ZSTD_VERSION == zstandard.ZSTD_VERSION


class Starved:
    """A context for which there is no memory."""

    def compress(self, _raw: object) -> bytes:
        raise codec._zstd.ZstdError("cannot compress: not enough memory")

    def decompress(self, *_arguments: object, **_named: object) -> bytes:
        raise codec._zstd.ZstdError("decompression error: not enough memory")


def test_short_memory_is_no_fault_of_the_container(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compressor = codec.Compressor(3)
    compressor._idle.append(Starved())  # type: ignore[arg-type]
    with pytest.raises(MemoryError):
        compressor.compress(DATA)
    decompressor = codec.Decompressor(len(DATA))
    monkeypatch.setattr(codec, "_idle_decompressors", [Starved()])
    with pytest.raises(MemoryError):
        decompressor.decompress(zstandard.compress(DATA), len(DATA), offset=0, frame=0)


def test_kept_contexts_are_bounded_where_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(codec, "_kept", codec.Compressor(0))
    monkeypatch.setattr(codec, "_contexts_max", 0)
    codec.bound_kept_contexts(2)
    compressor = codec.kept_compressor(3)
    raw = [bytes([number]) * 50_000 for number in range(40)]
    with ThreadPoolExecutor(8) as threads:
        bodies = list(threads.map(compressor.compress, raw))
    assert bodies == [codec.Compressor(3).compress(each) for each in raw]
    assert 1 <= len(compressor._idle) <= 2
    assert codec.kept_compressor(3) is compressor
    assert codec.kept_compressor(4) is not compressor


def without_size(raw: bytes) -> bytes:
    compressor = zstandard.ZstdCompressor(write_content_size=False)
    return compressor.compress(raw)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"not a zstd frame", errors.BadBody),
        (b"\x28\xb5\x2f\xfd", errors.BadBody),
        (zstandard.compress(DATA)[:-1], errors.BadBody),
        (zstandard.compress(DATA) + b"\0", errors.BodyTrailingData),
        (zstandard.compress(DATA) * 2, errors.BodyTrailingData),
        (zstandard.compress(DATA[:-1]), errors.BodyLengthMismatch),
        (without_size(DATA[:-1]), errors.BodyLengthMismatch),
        (without_size(DATA + b"x"), errors.BodyLengthMismatch),
    ],
)
def test_body_that_is_not_exactly_the_frame_is_refused(
    body: bytes, error: type[errors.StructureError]
) -> None:
    decompressor = codec.Decompressor(1 << 20)
    with pytest.raises(error) as caught:
        decompressor.decompress(body, len(DATA), offset=38, frame=4)
    assert type(caught.value) is error
    assert (caught.value.offset, caught.value.frame) == (38, 4)


def test_body_with_another_window_or_a_dictionary_is_refused() -> None:
    wide = zstandard.ZstdCompressionParameters.from_level(
        3, window_log=17, write_content_size=False
    )
    body = zstandard.ZstdCompressor(compression_params=wide).compress(DATA)
    with pytest.raises(errors.WindowTooLarge):
        codec.Decompressor(len(DATA)).decompress(body, len(DATA), offset=0, frame=0)
    raw = codec.Decompressor(1 << 17).decompress(body, len(DATA), offset=0, frame=0)
    assert raw == DATA
    words = zstandard.train_dictionary(
        1000, [samples.lines(300 + i) for i in range(200)]
    )
    body = zstandard.ZstdCompressor(dict_data=words).compress(DATA)
    with pytest.raises(errors.BadBody):
        codec.Decompressor(1 << 20).decompress(body, len(DATA), offset=0, frame=0)
