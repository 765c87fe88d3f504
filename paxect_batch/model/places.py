"""Where things are: roots of a share, places below them, and names as text.

Names are bytes, as the file system has them. In what is written down they are text that
can be turned back: a backslash, a control character, or a byte that is no UTF-8 becomes
`\\\\`, `\\x0a`, `\\xff`.
"""

from __future__ import annotations

import enum
import re

import msgspec


class Root(enum.StrEnum):
    """The folders of a share that have a meaning."""

    INBOX = "inbox"
    OUTBOX = "outbox"
    WIRE = "wire"
    STATE = "state"


STATE_NAME = ".paxect"
"""What the state's folder is called, wherever it lies."""


class Place(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A file or folder: a root, and the path below it as text (see `to_text`)."""

    root: Root
    path: str

    def __str__(self) -> str:
        root = STATE_NAME if self.root is Root.STATE else str(self.root)
        return f"{root}/{self.path}" if self.path else root

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> Place:
        """The folder that holds this."""
        return Place(self.root, self.path.rpartition("/")[0])

    def child(self, name: str) -> Place:
        """Return the place of that name in this folder."""
        return Place(self.root, f"{self.path}/{name}" if self.path else name)

    def beside(self, name: str) -> Place:
        """Return the place of that name in the same folder."""
        folder, slash, _ = self.path.rpartition("/")
        return Place(self.root, f"{folder}{slash}{name}")


def quarantine_folder(identifier: str) -> Place:
    """Where one item that was set aside lies, beside its reason."""
    return Place(Root.STATE, f"quarantine/{identifier}")


_UNSAFE = re.compile(rb"[\x00-\x1f\x7f\\]")
_ESCAPED = re.compile(rb"\\(?:\\|x([0-9a-f]{2}))")


NAME_BYTES_MAX = 255
"""The longest name that the usual file systems hold."""

LINE_BYTES_MAX = 4 << 20
"""A line that is longer was not written here: it may name two of the deepest paths,
and a byte that is no text takes five signs."""


def is_file_path(path: str) -> bool:
    """Tell whether a file below a root may have the path: none leads out of it."""
    parts = path.split("/")
    return "\0" not in path and all(
        part not in ("", ".", "..") and len(to_bytes(part)) <= NAME_BYTES_MAX
        for part in parts
    )


def to_text(path: bytes) -> str:
    """Return the path as text that any log, JSON file or terminal can hold."""
    safe = _UNSAFE.sub(
        lambda match: b"\\\\" if match[0] == b"\\" else b"\\x%02x" % match[0][0], path
    )
    # Bytes that are no UTF-8 come out as lone surrogates U+DC80 to U+DCFF.
    text = safe.decode("utf-8", "surrogateescape")
    if text.isascii() or not any("\udc80" <= letter <= "\udcff" for letter in text):
        return text
    return "".join(
        f"\\x{ord(letter) - 0xDC00:02x}" if "\udc80" <= letter <= "\udcff" else letter
        for letter in text
    )


def to_bytes(text: str) -> bytes:
    """Return the path that `to_text` made the text of."""
    data = text.encode("utf-8")
    if b"\\" not in data:
        return data
    return _ESCAPED.sub(
        lambda match: bytes.fromhex(match[1].decode()) if match[1] else b"\\", data
    )


def printable(text: str) -> str:
    """Return the text so that it neither breaks a line nor commands a terminal."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else _escaped(ord(letter)) for letter in text
    )


def _escaped(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
