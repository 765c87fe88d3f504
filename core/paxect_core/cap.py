"""The cap on how much one operation takes in, as `PAXECT_MAX_INPUT_MB` sets it."""

from __future__ import annotations

from paxect_core import errors, limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "PAXECT_MAX_INPUT_MB"


def bytes_from_mib(text: str, *, name: str) -> int:
    """Return the bytes that a number of MiB means, or raise `UsageError`."""
    try:
        mib = int(text)
    except ValueError:
        mib = 0
    if mib < 1:
        raise errors.UsageError(
            f"{name} is {text!r}; use a whole number of MiB, such as 8192 for 8 GiB"
        )
    return mib << 20


def stream_bytes_max(environ: Mapping[str, str]) -> int | None:
    """Return the cap for streams: none, unless the environment sets one."""
    text = environ.get(VARIABLE)
    return None if text is None else bytes_from_mib(text, name=VARIABLE)


def memory_bytes_max(environ: Mapping[str, str]) -> int:
    """Return the cap for one-shot calls in memory: 512 MiB, unless set."""
    return stream_bytes_max(environ) or limits.INPUT_MIB_DEFAULT << 20
