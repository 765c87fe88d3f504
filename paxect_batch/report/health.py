"""Whether all is well, from what is known: one word, and the reasons in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from paxect_batch.model.audit import Audit
from paxect_batch.model.status import Life
from paxect_batch.model.view import Doings, Ground, Health, Seen, Wellness
from paxect_batch.report.amounts import count_text, time_text

LOOK_SECONDS_MAX = 60.0
"""A share that was not seen for so long does not answer."""
WAITING_SECONDS_MAX = 3600.0
"""A file that waits longer asks for a look."""
SKEW_SECONDS_MAX = 5.0
FREE_BYTES_MIN = 64 << 20
"""With less free space a share is not ready."""
_NAMED_MAX = 3


def ready_problems(
    ground: Ground | None, doings: Doings | None, *, ground_seconds: float
) -> tuple[str, ...]:
    """Return why nothing can be relayed at this moment; none if something can.

    `ground_seconds` is how long ago the ground was looked at: it says when itself, by
    a clock that may have been set since.
    """
    return tuple(_ready_problems(ground, doings, ground_seconds))


def _ready_problems(
    ground: Ground | None, doings: Doings | None, ground_seconds: float
) -> Iterator[str]:
    if ground is None:
        yield "the share was not looked at yet"
    else:
        yield from ground.problems
        if ground_seconds > LOOK_SECONDS_MAX:
            yield f"the share has not answered for {time_text(ground_seconds)}"
    if doings is not None:
        if doings.trouble:
            yield f"the run waits for the share: {doings.trouble}"
        elif not doings.joined:
            yield "the run holds no lease on the share"


def health(
    seen: Seen | None,
    ground: Ground | None,
    not_ready: tuple[str, ...],
    *,
    seen_seconds: float,
    bias_flags: int = 0,
) -> Health:
    """Return how a share does, which was seen so long ago."""
    skew = None if ground is None else ground.clock_skew_seconds
    trouble = [*not_ready, *_troubles(seen, bias_flags)]
    care = list(_cares(seen, seen_seconds=seen_seconds, skew_seconds=skew))
    if seen is None and ground is None:
        return Health(Wellness.UNKNOWN, tuple(trouble))
    if trouble:
        return Health(Wellness.TROUBLE, (*trouble, *care))
    return Health(Wellness.CARE if care else Wellness.WELL, tuple(care))


def _troubles(seen: Seen | None, bias_flags: int) -> Iterator[str]:
    last = None if seen is None else seen.last_run
    if bias_flags or (last is not None and last.bias_flags):
        yield "one file gave different bytes when it was encoded twice"
    if seen is None:
        return
    if seen.policy_problem:
        yield f"no run can begin: {seen.policy_problem}"
    alive = sum(node.life is Life.ALIVE for node in seen.nodes)
    if not alive and seen.waiting_seconds > WAITING_SECONDS_MAX:
        files = count_text(seen.waiting.files, "file")
        yield (
            f"no node is at work, and {files} wait, the oldest for "
            f"{time_text(seen.waiting_seconds)}"
        )


def _cares(
    seen: Seen | None, *, seen_seconds: float, skew_seconds: float | None
) -> Iterator[str]:
    if seen is None:
        return
    yield from _node_cares(seen)
    aside = seen.set_aside_count + seen.given_up_count
    if aside:
        yield f"{count_text(aside, 'file')} set aside"
    if seen.backing_off_count:
        yield f"{count_text(seen.backing_off_count, 'file')} failed and will be tried"
    if seen.last_run is not None and _went_badly(seen.last_run):
        yield f"the last run ended with exit code {seen.last_run.exit_code}"
    if skew_seconds is not None and abs(skew_seconds) > SKEW_SECONDS_MAX:
        yield f"this clock and the share's differ by {time_text(abs(skew_seconds))}"
    if seen_seconds > LOOK_SECONDS_MAX + 20 * seen.took_seconds:
        yield f"what is shown is {time_text(seen_seconds)} old"


def _node_cares(seen: Seen) -> Iterator[str]:
    quiet = [node for node in seen.nodes if node.life is not Life.ALIVE]
    for node in quiet[:_NAMED_MAX]:
        yield f"node {node.node} is {node.life.replace('_', ' ')}"
    if len(quiet) > _NAMED_MAX:
        yield f"{len(quiet) - _NAMED_MAX} more nodes show no life"
    if seen.over:
        yield f"{count_text(len(seen.over), 'run')} over and not recovered yet"
    if len(quiet) < len(seen.nodes) and seen.waiting_seconds > WAITING_SECONDS_MAX:
        yield f"a file waits for {time_text(seen.waiting_seconds)}"
    if seen.mixed:
        yield "different codecs or policies work on one batch"


def _went_badly(audit: Audit) -> bool:
    # 1 says that something is left, which shows above; signals are people's wish.
    return audit.exit_code not in (0, 1, 130, 143)
