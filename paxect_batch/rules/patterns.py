"""Patterns of a policy, matched against paths below the inbox.

`*`, `?` and `[…]` match within one part of a path; `**` alone between slashes matches
any number of parts. A pattern without a slash is one for names, in any folder. Upper
and lower case differ, Unicode forms do not. A path matches by its names, and also as it
is printed, with escapes for what cannot be.
"""

from __future__ import annotations

import fnmatch
import re
import unicodedata

from paxect_batch.model.places import to_bytes

PATTERN_CHARACTERS_MAX = 1024


def matches(path: str, pattern: str) -> bool:
    """Tell whether a path matches a pattern that has no fault."""
    names = to_bytes(path).decode("utf-8", "surrogateescape")
    return _matches(path, pattern) or (names != path and _matches(names, pattern))


def _matches(path: str, pattern: str) -> bool:
    wanted = unicodedata.normalize("NFC", pattern).split("/")
    parts = unicodedata.normalize("NFC", path).split("/")
    if len(wanted) == 1:
        parts = parts[-1:]
    return _parts_match(parts, wanted)


def _parts_match(parts: list[str], wanted: list[str]) -> bool:
    """Match part by part, going back to the last `**` alone, so in bounded time.

    One at the end matches one part or more: what is below a folder, not a file of the
    folder's name.
    """
    at = step = 0
    retry_at = retry_step = -1
    while at < len(parts):
        if step < len(wanted) and wanted[step] == "**":
            retry_at, retry_step = at, step
            step += 1
        elif step < len(wanted) and fnmatch.fnmatchcase(parts[at], wanted[step]):
            at += 1
            step += 1
        elif retry_step >= 0:
            retry_at += 1
            at, step = retry_at, retry_step + 1
        else:
            return False
    return step == len(wanted)


def fault(pattern: str) -> str:
    """Return what is wrong with a pattern, or nothing."""
    if not pattern or len(pattern) > PATTERN_CHARACTERS_MAX:
        return f"a pattern has 1 to {PATTERN_CHARACTERS_MAX} characters"
    if pattern.startswith("/"):
        return "patterns begin below the inbox, without a slash"
    if pattern.endswith("/"):
        return f'what is below a folder is "{pattern}**"'
    return next(filter(None, map(_part_fault, pattern.split("/"))), "")


def _part_fault(part: str) -> str:
    if part in {"", ".", ".."}:
        return "the parts of a pattern are names, not empty, . or .."
    if "**" in part and part != "**":
        return '"**" stands alone between slashes, as in "a/**/b"'
    literal = re.sub(r"\[!?+\]?+[^\]]*\]", "", part)
    if "[" in literal:
        return 'a "[" needs its "]" before the next slash; "[[]" means the character'
    if any(low > high for low, high in _ranges(part)):
        return "a range runs from the lower character to the higher, as in [a-z]"
    return ""


def _ranges(part: str) -> list[tuple[str, str]]:
    """Return the ranges of all bracket expressions, as `fnmatch` would read them."""
    bodies = re.findall(r"\[!?+(\]?+[^\]]*)\]", part)
    return [pair for body in bodies for pair in re.findall(r"(.)-(.)", body, re.DOTALL)]
