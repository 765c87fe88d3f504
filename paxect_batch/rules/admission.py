"""Admission: what the policy says of an item at this moment.

The checks in their order; the first that applies decides:

1. done: delivered before, and kept;
2. blocked by the policy: a container from untrusted peers, a suffix that does not
   travel, a size, a pattern of `exclude`, no pattern of `include`;
3. blocked because its container could not be named;
4. given up, or backing off, after failures with this same content;
5. waiting until its producer is done with it.

What lies on the wire is judged as what lay in the inbox: by the name of the file in the
container, and by the size that a container of the largest file may have. With stem
naming a container does not tell its file's suffix: there it is judged by its own, and
`include` was applied where it was encoded.
"""

from __future__ import annotations

import math

from paxect_batch.model.items import Direction, Item
from paxect_batch.model.policy import Naming, Policy
from paxect_batch.model.run import Decision, Verdict
from paxect_batch.model.transfer import Attempts
from paxect_batch.rules import naming, patterns, readiness, retry
from paxect_core import limits

_MIB = 1 << 20


def admit(
    item: Item,
    policy: Policy,
    *,
    share_now: float,
    marked_ready: bool,
    attempts: Attempts | None,
    done: bool,
    peer_ok: str = "",
    aliases: bool = False,
    unchanged_since: float | None = None,
) -> Decision:
    """Return the verdict on an item, with its reason unless it is admitted.

    `peer_ok` is why containers that peers made are not trusted, empty if they are; it
    is for the caller to leave it empty for containers of its own. `marked_ready` tells
    that the item is known to be whole: by its marker, or, for a container, by anything
    else that the caller knows; markers are not asked of containers.
    `unchanged_since`: see `readiness`. `aliases` tells that a container may have a
    shorter name than its file's, which is kept beside it.
    """
    if done:
        return Decision(Verdict.DONE)
    unnameable = "" if aliases else _unnameable(item, policy)
    if reason := _blocked(item, policy, peer_ok) or unnameable:
        return Decision(Verdict.BLOCKED, reason)
    if attempts is not None and retry.concerns(
        attempts, item.direction, item.source, item.identity
    ):
        decision = _after_attempts(attempts, policy, share_now)
        if decision is not None:
            return decision
    return _once_ready(
        item,
        policy,
        share_now=share_now,
        marked_ready=marked_ready,
        unchanged_since=unchanged_since,
    )


def _blocked(item: Item, policy: Policy, peer_ok: str) -> str:
    untrusted = peer_ok if item.direction is Direction.DECODE else ""
    return (
        untrusted
        or _suffix_block(item, policy)
        or _size_block(item, policy)
        or _pattern_block(item, policy)
    )


def _suffix_block(item: Item, policy: Policy) -> str:
    allowed = tuple(suffix.casefold() for suffix in policy.allowed_suffixes)
    name = _judged(item.source.name, item, policy)
    if not naming.suffix(name):
        name = item.source.name
    if not allowed or name.casefold().endswith(allowed):
        return ""
    return f"disallowed_suffix:{naming.suffix(name)}"


def _size_block(item: Item, policy: Policy) -> str:
    if not policy.max_file_mb:
        return ""
    bytes_max = policy.max_file_mb * _MIB
    if item.direction is Direction.DECODE:
        bytes_max = container_bytes_max(bytes_max, policy.frame_bytes)
    return f"file_too_large:{item.size}B" if item.size > bytes_max else ""


def _pattern_block(item: Item, policy: Policy) -> str:
    if not (policy.exclude or policy.include):
        return ""
    path = _judged(item.source.path, item, policy)
    for pattern in policy.exclude:
        if patterns.matches(path, pattern):
            return f"excluded:{pattern}"
    told = item.direction is Direction.ENCODE or policy.naming is Naming.FULL
    if policy.include and told:
        included = any(patterns.matches(path, pattern) for pattern in policy.include)
        return "" if included else "not_included"
    return ""


def _judged(path: str, item: Item, policy: Policy) -> str:
    """Return the path, or name, by which an item is judged."""
    hides_suffix = policy.naming is Naming.STEM
    if item.direction is Direction.ENCODE or hides_suffix:
        return path
    folder, slash, name = path.rpartition("/")
    if naming.is_container(name):
        name = naming.raw_name(name, policy.naming)
    return folder + slash + name


def _unnameable(item: Item, policy: Policy) -> str:
    if item.direction is Direction.ENCODE and naming.too_long(
        item.source.name, policy.naming
    ):
        return "name_too_long"
    return ""


def _after_attempts(
    attempts: Attempts, policy: Policy, share_now: float
) -> Decision | None:
    code = attempts.failures[-1].code
    wait = retry.wait_seconds(attempts, policy, share_now=share_now)
    if wait == math.inf:
        return Decision(Verdict.SET_ASIDE, code)
    return Decision(Verdict.WAITING, f"backing_off:{code}", wait) if wait else None


def _once_ready(
    item: Item,
    policy: Policy,
    *,
    share_now: float,
    marked_ready: bool,
    unchanged_since: float | None,
) -> Decision:
    if item.direction is Direction.ENCODE:
        wait = readiness.wait_seconds(
            item.facts,
            policy,
            share_now=share_now,
            marked_ready=marked_ready,
            unchanged_since=unchanged_since,
        )
    elif marked_ready:
        wait = 0.0
    else:
        wait = readiness.settle_wait_seconds(
            item.facts,
            policy.settle_seconds,
            share_now=share_now,
            unchanged_since=unchanged_since,
        )
    if not wait:
        return Decision(Verdict.ADMITTED)
    marker = policy.ready_marker if item.direction is Direction.ENCODE else ""
    reason = f"no_marker:{marker}" if marker else "not_settled"
    return Decision(Verdict.WAITING, reason, wait)


def container_bytes_max(raw_bytes: int, frame_bytes: int) -> int:
    """Return the size of the largest container of that many raw bytes."""
    full, rest = divmod(raw_bytes, frame_bytes)
    sizes = [(full, frame_bytes), (1, rest)] if rest else [(full, frame_bytes)]
    frames = sum(
        count * (limits.FRAME_HEADER_BYTES + limits.compressed_bytes_max(size))
        for count, size in sizes
    )
    return limits.CONTAINER_BYTES_MIN + frames
