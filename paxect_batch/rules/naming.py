"""Names: which are not items, and how containers and sidecars are named.

All names are single parts of a path, as the text of `model.places`. Its escapes hold
no dot and no tilde, so suffixes can be told from the text.
"""

from __future__ import annotations

import functools
import hashlib
import unicodedata

from paxect_batch.model.places import NAME_BYTES_MAX, Place, to_bytes, to_text
from paxect_batch.model.policy import Naming

CONTAINER_SUFFIX = ".freq"
SIDECAR_SUFFIX = ".sha256"

ALIAS_END = "!"
"""Ends each alias; other names may end so too."""

# A letter takes four bytes at most.
_SHORT = NAME_BYTES_MAX // 4 - len(CONTAINER_SUFFIX + SIDECAR_SUFFIX)
_KEYS_KEPT = 4096
"""Each is asked for several times while its item is on its way."""
_ALIAS_BYTES_KEPT = 160
_ALIAS_DIGITS = 32

_TEMPORARY_PREFIXES = (".", "~$")
_TEMPORARY_SUFFIXES = (
    ".part",
    ".partial",
    ".tmp",
    ".temp",
    ".crdownload",
    ".filepart",
    ".swp",
    "~",
)


def is_temporary(name: str) -> bool:
    """Tell whether a name marks what is not finished or not a file of its own.

    Dot-files (`.nfs…` and LibreOffice's `.~lock.…#` among them), `~$…` of other office
    programs, and the suffixes under which programs write before they rename.
    """
    folded = name.casefold()
    return folded.startswith(_TEMPORARY_PREFIXES) or folded.endswith(
        _TEMPORARY_SUFFIXES
    )


def is_momentary(name: str) -> bool:
    """Tell whether a name is one that the relay itself gives to files of a moment."""
    return name.startswith(".paxect-") and name.endswith(".tmp")


def is_container(name: str) -> bool:
    """Tell whether a name is a container's."""
    return name.casefold().endswith(CONTAINER_SUFFIX)


def is_sidecar(name: str) -> bool:
    """Tell whether a name is that of a container's sidecar."""
    return name.casefold().endswith(CONTAINER_SUFFIX + SIDECAR_SUFFIX)


def suffix(name: str) -> str:
    """Return the last dot and what follows it, or nothing if only a dot-file has one.

    A dot at the very end begins no suffix.
    """
    stem, dot, rest = name.rpartition(".")
    return dot + rest if stem.strip(".") and rest else ""


def container_name(name: str, naming: Naming) -> str:
    """Return the name of the container of a file."""
    if naming is Naming.STEM:
        name = name.removesuffix(suffix(name))
    return name + CONTAINER_SUFFIX


def raw_name(container_name: str, naming: Naming) -> str:
    """Return the name under which a container's content is delivered.

    With either naming that is the container's name without `.freq`. Names that are
    temporary give nothing that may be delivered (`...freq` would give `..`), so the
    caller leaves them out before.
    """
    assert is_container(container_name), container_name
    assert naming in Naming, naming
    return container_name[: -len(CONTAINER_SUFFIX)]


def sidecar_name(container: str) -> str:
    """Return the name of a container's sidecar."""
    return container + SIDECAR_SUFFIX


def too_long(name: str, naming: Naming = Naming.FULL) -> bool:
    """Tell whether a file's container, or its sidecar, could not be named.

    The sidecar has the longest of the names that come of a file.
    """
    if len(name) <= _SHORT:
        return False
    longest = sidecar_name(container_name(name, naming))
    return len(to_bytes(longest)) > NAME_BYTES_MAX


def alias(name: str) -> str:
    """Return a shorter name to stand in for one that is too long, and for no other.

    What it stands for must be kept elsewhere: the name does not tell.
    """
    digest = hashlib.sha256(to_bytes(name)).hexdigest()[:_ALIAS_DIGITS]
    return f"{_shortened(name, _ALIAS_BYTES_KEPT)}~{digest}{ALIAS_END}"


def numbered(name: str, number: int) -> str:
    """Return one of the names like it that a second file of that name may get."""
    end = f".{number}"
    return _shortened(name, NAME_BYTES_MAX - len(end)) + end


def _shortened(name: str, bytes_max: int) -> str:
    while len(to_bytes(name)) > bytes_max or _is_cut(name):
        name = name[:-1]
    return name


def _is_cut(text: str) -> bool:
    """Tell whether an escape at the end of the text lost its end."""
    return to_text(to_bytes(text)) != text


def fold(name: str) -> str:
    """Return what is the same for names that some file systems take for one.

    That is for names that differ in case or in Unicode form alone. Paths fold as well.
    """
    if name.isascii():
        return name.lower()
    # Case folding may undo a normal form, and NFD must come first because folding
    # moves a few combining letters (Unicode standard, section 3.13, D145).
    folded = unicodedata.normalize("NFD", name).casefold()
    folded = unicodedata.normalize("NFD", folded).casefold()
    return unicodedata.normalize("NFC", folded)


@functools.lru_cache(maxsize=_KEYS_KEPT)
def claim_key(place: Place) -> str:
    """Return the key of a claim, by the place of a container.

    By what an item becomes, not by the source: two sources may have one container
    (`a.txt` and `a.csv` with stem naming, or names that fold alike), and where renaming
    cannot refuse to replace, only one claim for both keeps the second from overwriting
    the first.
    """
    return hashlib.sha256(fold(f"{place.root}/{place.path}").encode()).hexdigest()
