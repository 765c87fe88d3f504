"""Write the golden vectors, or with `--check` tell whether they are current.

    python core/vectors/make.py [--check]

Needs `zstandard` in the version that pyproject.toml pins, and nothing of
`paxect_core`: encoder and invalid containers here are a second witness. Running it
twice gives the same files.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zlib
from pathlib import Path

import zstandard
from cases import BODY_CODES, OK, SAME, Failure, Invalid
from invalid import all_invalid
from parts import expand
from unusual import Unusual, all_unusual
from valid import Valid, all_valid, encode

FOLDER = Path(__file__).parent
INLINE_BYTES_MAX = 700
FILE_BYTES_MAX = 8 << 10
FRAMES_LISTED_MAX = 10
EXIT_CODES = {"crc-mismatch": 2, "digest-mismatch": 2}
EXIT_STRUCTURE = 4


def main(words: list[str]) -> int:
    """Write or compare all files; return 1 if a comparison failed."""
    if words not in ([], ["--check"]):
        print("usage: make.py [--check]", file=sys.stderr)
        return 64
    files = build()
    stale = [path for path, data in files.items() if _read(path) != data]
    known = {FOLDER / "vectors.json", *FOLDER.glob("containers/*")}
    left_over = sorted(known - set(files))
    if words == ["--check"]:
        for path in [*stale, *left_over]:
            print(f"not current: {path.relative_to(FOLDER)}")
        return 1 if stale or left_over else 0
    for path in left_over:
        path.unlink()
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(files[path])
    print(f"{len(files)} files, {len(stale)} written, {len(left_over)} removed")
    return 0


def build() -> dict[Path, bytes]:
    """Return what each file of the vectors must hold."""
    files: dict[Path, bytes] = {}
    document = {
        "about": "golden vectors of the .freq container, version 42; see README.md",
        "codec": {
            "zstandard": zstandard.__version__,
            "libzstd": ".".join(map(str, zstandard.ZSTD_VERSION)),
        },
        "valid": [_valid(case, files) for case in all_valid()],
        "decode_only": [_unusual(case) for case in all_unusual()],
        "invalid": [_invalid(case) for case in all_invalid()],
    }
    for section in ("valid", "decode_only", "invalid"):
        names = [case["name"] for case in document[section]]  # type: ignore[index]
        assert len(names) == len(set(names)), f"a name is used twice in {section}"
    text = json.dumps(document, indent=1, ensure_ascii=True)
    files[FOLDER / "vectors.json"] = text.encode() + b"\n"
    return files


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _valid(case: Valid, files: dict[Path, bytes]) -> dict[str, object]:
    raw = expand(case.recipe)
    data = encode(raw, case.settings)
    where: dict[str, object] = {}
    if len(data) <= INLINE_BYTES_MAX:
        where = {"hex": data.hex()}
    elif len(data) <= FILE_BYTES_MAX:
        where = {"file": f"containers/{case.name}.freq"}
        files[FOLDER / str(where["file"])] = data
    described = {
        "name": case.name,
        "about": case.about,
        "input": case.recipe,
        "settings": case.settings,
        "raw": _digest(raw),
        "container": _digest(data) | where,
    } | _frames(data, raw, int(str(case.settings["frame_bytes"])))
    if case.channels_option:
        described["channels_option"] = case.channels_option
    return described


def _frames(data: bytes, raw: bytes, frame_bytes: int) -> dict[str, object]:
    count = -(-len(raw) // frame_bytes)
    listed: dict[str, object] = {"frames": count}
    if count > FRAMES_LISTED_MAX:
        return listed
    entries, offset = [], 24
    for i in range(count):
        piece = raw[i * frame_bytes : (i + 1) * frame_bytes]
        compressed_bytes = int.from_bytes(data[offset + 2 : offset + 6], "little")
        entries.append(
            {
                "offset": offset,
                "channel": int.from_bytes(data[offset : offset + 2], "little"),
                "compressed_bytes": compressed_bytes,
                "raw_bytes": len(piece),
                "crc32": f"{zlib.crc32(piece):08x}",
            }
        )
        offset += 14 + compressed_bytes
    return listed | {"frame_list": entries}


def _unusual(case: Unusual) -> dict[str, object]:
    return {
        "name": case.name,
        "about": case.about,
        "raw": _digest(case.raw) | {"hex": case.raw.hex()},
        "container": _digest(case.data) | {"hex": case.data.hex()},
    }


def _invalid(case: Invalid) -> dict[str, object]:
    described = {
        "name": case.name,
        "about": case.about,
        "container": _digest(case.data) | {"hex": case.data.hex()},
        "refused": _failure(case.failure),
        "raw_bytes_passed": case.passed,
        "inspect": _by_header(
            case.inspect if isinstance(case.inspect, Failure) else case.failure
        ),
    }
    if case.lenient == OK:
        described["lenient"] = {"raw": _digest(case.raw)}
    elif case.lenient != SAME:
        assert isinstance(case.lenient, Failure)
        described["lenient"] = {
            "refused": _failure(case.lenient),
            "inspect": _by_header(case.lenient),
        }
    return described


def _by_header(failure: Failure) -> dict[str, object] | None:
    return None if failure.code in BODY_CODES else _failure(failure)


def _failure(failure: Failure) -> dict[str, object]:
    return {
        "code": failure.code,
        "exit_code": EXIT_CODES.get(failure.code, EXIT_STRUCTURE),
        "offset": failure.offset,
        "frame": failure.frame,
    }


def _digest(data: bytes) -> dict[str, object]:
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
