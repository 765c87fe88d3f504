"""Run the engine through the golden vectors; needs nothing but the engine.

    python tests/core/vectors_run.py [--quick] [--without-encoding]

Prints one line of counts, or each difference and exits 1. Tests use the same functions;
other machines (scripts/vectors-foreign) and other settings of the interpreter run this
file. `--quick` leaves out inputs over 100 KB.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2] / "core"))

import paxect_core
from paxect_core import ContainerError, Settings

FOLDER = Path(__file__).parents[2] / "core" / "vectors"
QUICK_BYTES_MAX = 100_000


class Trickle(io.RawIOBase):
    """A stream that gives a few bytes at a time, whatever is asked for."""

    def __init__(self, data: bytes, size: int) -> None:
        self._rest = memoryview(data)
        self._size = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        taken = self._size if size < 0 else min(size, self._size)
        data, self._rest = bytes(self._rest[:taken]), self._rest[taken:]
        return data


def load() -> dict:
    return json.loads((FOLDER / "vectors.json").read_text("ascii"))


def expand(recipe: dict) -> bytes:
    """Return the input that a recipe of README.md describes."""
    if "concat" in recipe:
        return b"".join(map(expand, recipe["concat"]))
    if "hex" in recipe:
        return bytes.fromhex(recipe["hex"])
    size = recipe["bytes"]
    if "repeat" in recipe:
        unit = bytes.fromhex(recipe["repeat"])
        return (unit * (size // len(unit) + 1))[:size]
    out, i = bytearray(), 0
    seed = recipe.get("random", recipe.get("rows")).encode()
    while len(out) < size:
        block = hashlib.sha256(seed + struct.pack("<Q", i)).digest()
        if "rows" in recipe:
            block = b"%d,customer-%d,%s,shipped\n" % (
                i,
                i % 97,
                block.hex()[:6].encode(),
            )
        out += block
        i += 1
    return bytes(out[:size])


def container_of(vector: dict) -> bytes | None:
    """Return the container that a vector comes with, if it does."""
    container = vector["container"]
    if "hex" in container:
        data = bytes.fromhex(container["hex"])
    elif "file" in container:
        data = (FOLDER / container["file"]).read_bytes()
    else:
        return None
    assert digest(data) == (container["bytes"], container["sha256"])
    return data


def digest(data: bytes) -> tuple[int, str]:
    return len(data), hashlib.sha256(data).hexdigest()


def encoded(vector: dict, raw: bytes, *, threads: int = 1, trickle: int = 0) -> bytes:
    """Encode an input, and check that the result says of itself what is so."""
    source = Trickle(raw, trickle) if trickle else io.BytesIO(raw)
    sink = io.BytesIO()
    settings = Settings(**vector["settings"])
    result = paxect_core.encode(source, sink, settings, threads=threads)
    data = sink.getvalue()
    assert (result.raw_bytes, result.raw_sha256) == digest(raw)
    assert (result.container_bytes, result.container_sha256) == digest(data)
    assert result.frames == vector["frames"]
    assert result.settings == settings
    return data


def decoded(
    data: bytes, *, threads: int = 1, trickle: int = 0, lenient: bool = False
) -> bytes:
    """Decode a container, and check that the result says of itself what is so."""
    source = Trickle(data, trickle) if trickle else io.BytesIO(data)
    sink = io.BytesIO()
    result = paxect_core.decode(source, sink, threads=threads, lenient=lenient)
    raw = sink.getvalue()
    assert (result.raw_bytes, result.raw_sha256) == digest(raw)
    assert (result.container_bytes, result.container_sha256) == digest(data)
    return raw


def refusal(
    data: bytes, *, threads: int = 1, trickle: int = 0, lenient: bool = False
) -> tuple[dict, bytes]:
    """Return what a decode names as the failure, and the raw bytes it passed on."""
    source = Trickle(data, trickle) if trickle else io.BytesIO(data)
    sink = io.BytesIO()
    error = None
    try:
        paxect_core.decode(source, sink, threads=threads, lenient=lenient)
    except ContainerError as found:
        error = found
    assert error is not None, "the container was accepted"
    assert error.raw_bytes_passed == len(sink.getvalue())
    return failure(error), sink.getvalue()


def refusal_by_frame(data: bytes, *, lenient: bool = False) -> tuple[dict, bytes]:
    """Do the same by iterating over frames."""
    passed = bytearray()
    try:
        for frame in paxect_core.iterate_frames(io.BytesIO(data), lenient=lenient):
            passed += frame.raw
    except ContainerError as error:
        return failure(error), bytes(passed)
    raise AssertionError("the container was accepted")


def refusal_by_header(data: bytes, *, lenient: bool = False) -> dict | None:
    """Return what hopping over the bodies finds, if anything."""
    try:
        for _ in paxect_core.Container(io.BytesIO(data), lenient=lenient).frames():
            pass
    except ContainerError as error:
        return failure(error)
    return None


def failure(error: ContainerError) -> dict:
    return {
        "code": error.code,
        "exit_code": error.exit_code,
        "offset": error.offset,
        "frame": error.frame,
    }


def check_valid(vector: dict, *, encoding: bool, threads: int, trickle: int) -> None:
    raw = expand(vector["input"])
    assert digest(raw) == (vector["raw"]["bytes"], vector["raw"]["sha256"])
    data = container_of(vector)
    if encoding or data is None:
        made = encoded(vector, raw, threads=threads, trickle=trickle)
        if encoding:
            container = vector["container"]
            assert digest(made) == (container["bytes"], container["sha256"])
        data = data or made
    assert decoded(data, threads=threads, trickle=trickle) == raw


def check_decode_only(vector: dict, *, threads: int, trickle: int) -> None:
    data = container_of(vector)
    assert data is not None
    raw = bytes.fromhex(vector["raw"]["hex"])
    for lenient in (False, True):
        assert decoded(data, threads=threads, trickle=trickle, lenient=lenient) == raw


def check_invalid(vector: dict, *, threads: int, trickle: int) -> None:
    data = container_of(vector)
    assert data is not None
    found, passed = refusal(data, threads=threads, trickle=trickle)
    assert found == vector["refused"], found
    assert len(passed) == vector["raw_bytes_passed"], passed
    assert refusal_by_frame(data) == (found, passed)
    assert refusal_by_header(data) == vector["inspect"]
    check_invalid_leniently(vector, data, threads=threads, trickle=trickle)


def check_invalid_leniently(
    vector: dict, data: bytes, *, threads: int, trickle: int
) -> None:
    expected = vector.get("lenient", vector)
    if "raw" in expected:
        raw = decoded(data, threads=threads, trickle=trickle, lenient=True)
        assert digest(raw) == (expected["raw"]["bytes"], expected["raw"]["sha256"])
        assert refusal_by_header(data, lenient=True) is None
        return
    found, _ = refusal(data, threads=threads, trickle=trickle, lenient=True)
    assert found == expected["refused"], found
    assert refusal_by_frame(data, lenient=True)[0] == found
    assert refusal_by_header(data, lenient=True) == expected["inspect"]


def main(words: list[str]) -> int:
    vectors = load()
    same_codec = vectors["codec"]["libzstd"] == paxect_core.LIBZSTD_VERSION
    encoding = same_codec and "--without-encoding" not in words
    counts, wrong = {"valid": 0, "decode_only": 0, "invalid": 0}, 0
    checks = {
        "valid": lambda v: check_valid(v, encoding=encoding, threads=2, trickle=0),
        "decode_only": lambda v: check_decode_only(v, threads=1, trickle=0),
        "invalid": lambda v: check_invalid(v, threads=2, trickle=0),
    }
    for section, check in checks.items():
        for vector in vectors[section]:
            raw_bytes = vector.get("raw", {}).get("bytes", 0)
            if "--quick" in words and raw_bytes > QUICK_BYTES_MAX:
                continue
            try:
                check(vector)
            except (AssertionError, paxect_core.PaxectError) as error:
                print(f"{section} {vector['name']}: {type(error).__name__}: {error}")
                wrong += 1
            else:
                counts[section] += 1
    print(
        f"{sys.byteorder}-endian, {paxect_core.CODEC_VERSION}, "
        f"encoding {'compared' if encoding else 'not compared'}: "
        f"{counts['valid']} valid, {counts['decode_only']} decode only, "
        f"{counts['invalid']} invalid right, {wrong} wrong"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
