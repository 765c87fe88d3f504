"""Paths as words of a command line that can be copied from the screen."""

from __future__ import annotations

import os
import re
import shlex
import sys

_PLAIN = re.compile(r"[\w.:/\\-]+")
"""What no shell of Windows takes apart."""
_ESCAPED = frozenset((0x27, 0x5C))
"""A quote, and what escapes."""


def shell_word(text: str) -> str:
    """Return the word that a shell takes for this text.

    What no terminal shows as it is, such as a newline or a byte that is no text, is
    spelled out, which bash, zsh and ksh understand.
    """
    if sys.platform == "win32":
        return text if _PLAIN.fullmatch(text) else f'"{text}"'
    if text.isprintable():
        return shlex.quote(text)
    spelled = "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte not in _ESCAPED else f"\\x{byte:02x}"
        for byte in os.fsencode(text)
    )
    return f"$'{spelled}'"
