"""What the values of a policy must be, beyond their types.

`faults` gives each key that is wrong with what would be right; the struct itself holds
types and ranges, and `RIGHT` puts them in words.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator

from paxect_batch.model.policy import LinkPolicy, Policy
from paxect_batch.rules import naming, patterns, retry
from paxect_core import limits

NODE_BYTES_MAX = 64
SUFFIX_BYTES_MAX = 32
LIST_ITEMS_MAX = 1024
ATTEMPTS_MAX = retry.FAILURES_KEPT_MAX
SETTLE_SECONDS_MAX = 86400.0
FILE_MB_MAX = limits.RAW_BYTES_MAX >> 20

_SWITCH = "true or false"

RIGHT = {
    "version": '"2", or "1.2.0" for a policy of PAXECT Link',
    "trusted_nodes": f"a list of names of nodes, each of 1 to {NODE_BYTES_MAX} bytes "
    "without slashes or a dot in front",
    "allowed_suffixes": 'a list of suffixes such as ".txt"',
    "include": 'a list of patterns such as "*.csv" or "daily/**"',
    "exclude": 'a list of patterns such as "*.bak" or "drafts/**"',
    "max_file_mb": f"a whole number of MiB up to {FILE_MB_MAX}",
    "require_sig": _SWITCH,
    "auto_delete": _SWITCH,
    "log_level": '"debug", "info", "warn" or "error"',
    "naming": '"full" or "stem"',
    "level": f"a whole number from {limits.LEVEL_MIN} to {limits.LEVEL_MAX}",
    "channels": f"a whole number from 1 to {limits.CHANNELS_MAX}",
    "frame_bytes": f"a whole number from 1 to {limits.FRAME_BYTES_MAX}",
    "settle_seconds": f"a number of seconds from 0 to {SETTLE_SECONDS_MAX:.0f}",
    "ready_marker": 'a suffix such as ".ready", or "" for none',
    "verify": '"readback" or "off"',
    "on_done": '"delete", "archive" or "keep"',
    "on_collision": '"quarantine" or "wait"',
    "attempts": f"a whole number from 1 to {ATTEMPTS_MAX}",
    "backoff_seconds": f"a number of seconds from 0 to {retry.BACKOFF_SECONDS_MAX:.0f}",
    "carry_times": _SWITCH,
    "carry_mode": _SWITCH,
    "quarantine": _SWITCH,
}
"""For each key of either version, what is right, in words."""


def faults(policy: LinkPolicy | Policy) -> Iterator[tuple[str, str]]:
    """Give each key whose value is impossible, and what would be right."""
    if not all(map(_is_node, policy.trusted_nodes)):
        yield "trusted_nodes", RIGHT["trusted_nodes"]
    if policy.max_file_mb > FILE_MB_MAX:
        yield "max_file_mb", RIGHT["max_file_mb"]
    for key in ("trusted_nodes", "allowed_suffixes", "include", "exclude"):
        if len(getattr(policy, key, ())) > LIST_ITEMS_MAX:
            yield key, f"a list of at most {LIST_ITEMS_MAX}"
    if isinstance(policy, LinkPolicy):
        yield from _link_faults(policy)
    else:
        yield from _own_faults(policy)


def _link_faults(policy: LinkPolicy) -> Iterator[tuple[str, str]]:
    # In Link these two mean that nothing travels; in version 2, that anything does.
    if not policy.allowed_suffixes:
        yield "allowed_suffixes", 'a list of at least one suffix such as ".txt"'
    if not policy.max_file_mb:
        yield "max_file_mb", f"a whole number of MiB from 1 to {FILE_MB_MAX}"
    for suffix in policy.allowed_suffixes:
        if not _is_suffix(suffix if suffix.startswith(".") else f".{suffix}"):
            yield "allowed_suffixes", RIGHT["allowed_suffixes"]


def _own_faults(policy: Policy) -> Iterator[tuple[str, str]]:
    for suffix in policy.allowed_suffixes:
        if right := _suffix_fault(suffix, policy.ready_marker):
            yield "allowed_suffixes", right
    for key, several in (("include", policy.include), ("exclude", policy.exclude)):
        for pattern in several:
            fault = patterns.fault(pattern)
            if fault or not _is_text(pattern):
                yield key, f"{RIGHT[key]}: {fault or 'without control characters'}"
    if policy.ready_marker and (right := _marker_fault(policy.ready_marker)):
        yield "ready_marker", right
    for key, seconds, seconds_max in (
        ("settle_seconds", policy.settle_seconds, SETTLE_SECONDS_MAX),
        ("backoff_seconds", policy.backoff_seconds, retry.BACKOFF_SECONDS_MAX),
    ):
        if not math.isfinite(seconds) or seconds > seconds_max:
            yield key, RIGHT[key]
    if policy.attempts > ATTEMPTS_MAX:
        yield "attempts", RIGHT["attempts"]


def _suffix_fault(suffix: str, ready_marker: str) -> str:
    if not _is_suffix(suffix):
        return RIGHT["allowed_suffixes"]
    if naming.is_temporary(f"a{suffix}"):
        return f"a list without {suffix}: files of such names are temporary"
    if ready_marker and f"a{suffix}".casefold().endswith(ready_marker.casefold()):
        return f"a list without {suffix}: it is the ready_marker"
    return ""


def _marker_fault(marker: str) -> str:
    name = f"a{marker}"
    if not _is_suffix(marker):
        return RIGHT["ready_marker"]
    if naming.is_temporary(name):
        return "a suffix that is not one of temporary files, such as .ready"
    if naming.is_container(name) or naming.is_sidecar(f"a.freq{marker}"):
        return "a suffix that is not one of containers or sidecars, such as .ready"
    return ""


def _is_suffix(text: str) -> bool:
    return (
        text.startswith(".")
        and not text.endswith((".", " "))
        and "/" not in text
        and len(text.encode("utf-8", "replace")) <= SUFFIX_BYTES_MAX
        and _is_text(text)
    )


def _is_node(name: str) -> bool:
    return (
        0 < len(name.encode("utf-8", "replace")) <= NODE_BYTES_MAX
        and not name.startswith(".")
        and name == name.strip()
        and not {"/", "\\"} & set(name)
        and _is_text(name)
    )


def _is_text(text: str) -> bool:
    """Tell whether a text holds no control characters and can be written as UTF-8."""
    return all(unicodedata.category(letter) not in {"Cc", "Cs"} for letter in text)
