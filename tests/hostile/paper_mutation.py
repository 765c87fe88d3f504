"""Change what lies at a path: its bytes, the values in it, or what kind of thing it is.

A function of the path's content and the seed alone.
"""

from __future__ import annotations

import enum
import json
import os
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

SPARSE_BYTES = 1 << 30
DEEP = 200_000
"""Brackets within brackets: more than any parser's stack holds."""


class Change(enum.StrEnum):
    """What is done to a paper."""

    FLIP = "bits flipped"
    TRUNCATE = "truncated"
    DUPLICATE = "duplicated"
    SPLICE = "spliced with another"
    VALUE = "another value"
    FIELD = "fields added, dropped or exchanged"
    NUMBER = "huge number"
    NEST = "deeply nested"
    UTF8 = "invalid UTF-8"
    EMPTY = "empty"
    SPARSE = "a GiB of nothing"
    FOLDER = "a folder instead"
    LINK = "a link instead"
    LOOP = "a link to itself instead"
    FIFO = "a fifo instead"
    GONE = "gone"
    NAME = "under a hostile name besides"


_OF_BYTES = (
    *(Change.FLIP,) * 4,
    *(Change.TRUNCATE, Change.DUPLICATE, Change.SPLICE, Change.NEST),
    *(Change.UTF8, Change.EMPTY, Change.NUMBER, Change.NUMBER),
    *(Change.VALUE,) * 6,
    *(Change.FIELD,) * 2,
)
_OF_KIND = (
    *(Change.FOLDER, Change.LINK, Change.LOOP, Change.FIFO, Change.GONE),
    *(Change.NAME, Change.NAME, Change.SPARSE),
)

_NUMBERS = (
    *("0", "-1", "1", "255", "4294967296", "9223372036854775807"),
    *("9223372036854775808", "18446744073709551616", "-9223372036854775809"),
    *("1e308", "1e400", "-1e400", "1e-400", "NaN", "Infinity", "-0.0", "0x10"),
    *("9" * 400, "9" * 5000, "1." + "0" * 5000 + "1", "1" + "0" * 5000 + "e-5000"),
)
_VALUES: tuple[object, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53, 2**63, 2**64, -(2**63), 10**30),
    *(1e300, -1e300, 1e-300, 0.5, [], {}, [[]], {"": {}}, [None] * 3),
    *("", ".", "..", "/", "a/b", "../../../../tmp/out", "/etc/passwd", "a\0b"),
    *("a\nb", "\x1b[2J", "\\xff", "\\", "\u202e", "\ue000", "é" * 127, "n" * 255),
    *(
        "n" * 256,
        "n" * 5000,
        "a/" * 300 + "a",
        "-" * 64,
        "0" * 64,
        "f" * 63,
        "~",
        "a~b",
    ),
    *("inbox", "wire", "outbox", "state", "encode", "decode", ".paxect", "lease"),
)
_NAMES = (
    *(b"\xff\xfe", b"a\nb", b"\x1b[31m", b"~", b"~~~", b"a~b", b".lock", b".json"),
    *(b"n" * 255, b"\xc3" * 255, b"reason.json", b"manifest.json", b"lease", b"-rf"),
    *(b".paxect-0123456789abcdef.tmp", b"00000000.json", b"closed", b" ", b"a b"),
    *(
        "\u202egnp".encode(),
        b"con",
        b"\\x0a",
        b"retired-",
        b"retired-delete",
        b"a.jsonl",
    ),
)


def change(path: Path, seed: int, *, partner: bytes = b"") -> Change:
    """Change what lies at the path; return what was done. `partner` is spliced in."""
    chance = random.Random(seed)
    if chance.random() < 0.25:
        what = chance.choice(_OF_KIND)
        _change_kind(path, what, chance)
        return what
    what = chance.choice(_OF_BYTES)
    path.write_bytes(changed(path.read_bytes(), what, chance, partner=partner))
    return what


def changed(
    data: bytes, what: Change, chance: random.Random, *, partner: bytes = b""
) -> bytes:
    """Return other bytes."""
    return _BYTES[what](data, chance, partner)


def _flip(data: bytes, chance: random.Random, _: bytes) -> bytes:
    other = bytearray(data)
    for _time in range(chance.choice((1, 1, 1, 2, 8))):
        if other:
            other[chance.randrange(len(other))] ^= 1 << chance.randrange(8)
    return bytes(other)


def _truncate(data: bytes, chance: random.Random, _: bytes) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _duplicate(data: bytes, chance: random.Random, _: bytes) -> bytes:
    start = chance.choice((0, chance.randrange(len(data) + 1)))
    return data[:start] + data[start:] * chance.choice((2, 3, 50))


def _splice(data: bytes, chance: random.Random, partner: bytes) -> bytes:
    cut, other = chance.randrange(len(data) + 1), chance.randrange(len(partner) + 1)
    return data[:cut] + partner[other:]


def _number(data: bytes, chance: random.Random, _: bytes) -> bytes:
    found = list(re.finditer(rb"-?\d+(?:\.\d+)?", data))
    if not found:
        return data + chance.choice(_NUMBERS).encode()
    match = chance.choice(found)
    return (
        data[: match.start()] + chance.choice(_NUMBERS).encode() + data[match.end() :]
    )


def _nest(data: bytes, chance: random.Random, _: bytes) -> bytes:
    begin, end = chance.choice(((b"[", b"]"), (b'{"a":', b"}"), (b"[{}, [", b"]]")))
    depth = chance.choice((100, 1500, DEEP))
    nested = begin * depth + b"0" + end * depth
    where = chance.randrange(3)
    if where == 0:
        return nested
    if where == 1 and data.lstrip().startswith(b"{"):
        return b'{"deep":' + nested + b"," + data.lstrip()[1:]
    return data + b"\ndeep = " + nested


def _utf8(data: bytes, chance: random.Random, _: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    bad = chance.choice((b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xfe\xff", b"\x80"))
    quoted = [m.end() for m in re.finditer(rb'"\w', data)]
    if quoted and chance.random() < 0.7:
        at = chance.choice(quoted)
    return data[:at] + bad + data[at:]


def _empty(_: bytes, chance: random.Random, _partner: bytes) -> bytes:
    return chance.choice((b"", b"\n", b"\0" * 4096, b"null\n", b"{}\n", b"[]\n", b" "))


def _value(data: bytes, chance: random.Random, partner: bytes) -> bytes:
    """Give one of the values in the paper another one."""
    line = chance.choice(data.splitlines() or [b""])
    try:
        document = json.loads(line)
    except (ValueError, UnicodeDecodeError):
        return _value_in_text(data, chance, partner)
    leaves: list[Callable[[object], None]] = []
    _collect(document, leaves)
    if not leaves:
        return _number(data, chance, partner)
    for _time in range(chance.choice((1, 1, 1, 2))):
        chance.choice(leaves)(chance.choice(_VALUES))
    return data.replace(line, _dumped(document), 1)


def _collect(node: object, leaves: list[Callable[[object], None]]) -> None:
    if isinstance(node, dict | list):
        keys = list(node) if isinstance(node, dict) else range(len(node))
        for key in keys:
            leaves.append(lambda value, key=key: node.__setitem__(key, value))
            _collect(node[key], leaves)


def _dumped(document: object) -> bytes:
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def _value_in_text(data: bytes, chance: random.Random, partner: bytes) -> bytes:
    found = list(re.finditer(rb"(?m)(?<=[=:] )\S.*$", data)) or list(
        re.finditer(rb"\S+", data)
    )
    if not found:
        return _number(data, chance, partner)
    match = chance.choice(found)
    value = _dumped(chance.choice(_VALUES))
    return data[: match.start()] + value + data[match.end() :]


def _field(data: bytes, chance: random.Random, partner: bytes) -> bytes:
    """Drop a field, add one, write one twice, or give one the value of another."""
    line = chance.choice(data.splitlines() or [b""])
    try:
        document = json.loads(line)
    except (ValueError, UnicodeDecodeError):
        return _duplicate(data, chance, partner)
    if not isinstance(document, dict) or not document:
        return _flip(data, chance, partner)
    key = chance.choice(list(document))
    what = chance.randrange(4)
    if what == 0:
        del document[key]
    elif what == 1:
        document[key] = document[chance.choice(list(document))]
    elif what == 2:
        document[f"{key}s"] = document[key]
    else:
        twice = b'{"%s":%s,' % (key.encode(), _dumped(chance.choice(_VALUES)))
        return data.replace(line, twice + line.lstrip()[1:], 1)
    return data.replace(line, _dumped(document), 1)


_BYTES: dict[Change, Callable[[bytes, random.Random, bytes], bytes]] = {
    Change.FLIP: _flip,
    Change.TRUNCATE: _truncate,
    Change.DUPLICATE: _duplicate,
    Change.SPLICE: _splice,
    Change.VALUE: _value,
    Change.FIELD: _field,
    Change.NUMBER: _number,
    Change.NEST: _nest,
    Change.UTF8: _utf8,
    Change.EMPTY: _empty,
}


def _change_kind(path: Path, what: Change, chance: random.Random) -> None:
    """Replace the file, or lay another one beside it."""
    if what is Change.NAME:
        other = os.path.join(os.fsencode(path.parent), chance.choice(_NAMES))
        if not os.path.lexists(other):
            shutil.copyfile(path, other)
        return
    if what is Change.SPARSE:
        with path.open("r+b") as stream:
            stream.truncate(SPARSE_BYTES)
        return
    kept = path.with_name(path.name + ".kept")
    path.rename(kept)
    if what is Change.FOLDER:
        path.mkdir()
        if chance.random() < 0.5:
            shutil.move(kept, path / "within")
    elif what is Change.LINK:
        path.symlink_to(kept.name)
    elif what is Change.LOOP:
        path.symlink_to(path.name)
    elif what is Change.FIFO:
        os.mkfifo(path)
    if what is not Change.LINK:
        kept.unlink(missing_ok=True)
