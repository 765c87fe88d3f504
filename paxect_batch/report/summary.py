"""The summary of a run for a person: what happened, at a glance, in 80 columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from paxect_batch.model.audit import Audit, Batch, Tally
from paxect_batch.model.errors import Exit
from paxect_batch.model.places import printable
from paxect_batch.report.amounts import clip, clip_end, count_text, size_text, time_text

COLUMNS = 80
_PROBLEMS_SHOWN = 5
_PARTS_SHOWN = 16
_NAME_COLUMNS = 36

_VERDICTS = {
    Exit.OK: "all delivered",
    Exit.UNFINISHED: "finished, and some files need a look",
    Exit.INTEGRITY: "an integrity failure was seen",
    Exit.SHARE: "the share failed and ended the run",
    Exit.STRUCTURE: "a container is broken",
    Exit.INTERRUPTED: "stopped by Ctrl-C",
    Exit.TERMINATED: "stopped by a signal",
}


class Whereabouts(msgspec.Struct, frozen=True):
    """How the place of a run is named on a command line."""

    words: str = ""
    run_words: str = ""
    """The same with what else a `drain` has to be told to decide alike."""


def summary(
    audit: Audit,
    problems: list[str],
    *,
    stopped: str = "",
    place: Whereabouts | None = None,
) -> str:
    """Return the summary, several lines without a last line break.

    With a place it ends with what to type next, if files need a look.
    """
    verdict = _VERDICTS.get(Exit(audit.exit_code), "ended")
    if audit.exit_code == Exit.OK and audit.seen.files == 0:
        verdict = "nothing to do"
    lines = [
        f"{verdict}; {time_text(audit.duration_seconds)}, {_rate(audit)}",
        "",
        *(_row(name, tally) for name, tally in _tallies(audit)),
        "",
        clip(f"  node {audit.node}, run {audit.run}, {audit.codec}", COLUMNS),
        f"  batch {audit.batch.digest if audit.batch else audit.batch_digest}",
    ]
    if audit.batch is not None and len(audit.batch.parts) > 1:
        lines += _parts(audit.batch)
    if audit.mixed:
        lines.append("  MIXED: nodes with another codec or policy took part")
    if audit.claims.lost:
        lines.append(
            f"  claims: {audit.claims.tried:,} tried, "
            f"{audit.claims.lost:,} lost to other nodes"
        )
    if audit.recovered:
        lines.append(f"  recovered: {count_text(audit.recovered, 'unfinished file')}")
    if audit.bias_flags:
        lines.append(
            f"  NOT DETERMINISTIC: {count_text(audit.bias_flags, 'self-check')} "
            "gave different bytes"
        )
    if stopped:
        lines.append(clip(f"  ended early: {printable(stopped)}", COLUMNS))
    if problems:
        lines += ["", "  latest problems:"]
        latest = list(dict.fromkeys(problems))[-_PROBLEMS_SHOWN:]
        lines += [clip_end(f"  - {printable(text)}", COLUMNS) for text in latest]
    steps = list(_next_steps(audit, place)) if place else []
    if steps:
        # Never clipped: they are to be copied.
        lines += ["", "  see why, and what to do:", *(f"    {step}" for step in steps)]
    return "\n".join(lines)


def _next_steps(audit: Audit, place: Whereabouts) -> Iterator[str]:
    if audit.set_aside.files:
        yield f"paxect-batch quarantine list {place.words}"
    if audit.blocked.files:
        yield f"paxect-batch drain --dry-run {place.run_words or place.words}"
    # What has no way into quarantine is listed by `status` alone.
    if audit.set_aside.files or audit.waiting.files or audit.elsewhere.files:
        yield f"paxect-batch status {place.words}"


def _parts(batch: Batch) -> list[str]:
    seen = Counter(part.node for part in batch.parts)
    lines = [_part_row("  all nodes", batch.delivered)]
    for part in batch.parts[:_PARTS_SHOWN]:
        # A node that began anew, or drained twice, has a part for each run.
        name = part.node if seen[part.node] == 1 else f"{part.node} {part.run}"
        lines.append(_part_row(f"    {name}", part.delivered))
    if len(batch.parts) > _PARTS_SHOWN:
        lines.append(f"    and {len(batch.parts) - _PARTS_SHOWN:,} more")
    return lines


def _part_row(name: str, tally: Tally) -> str:
    noun = "file " if tally.files == 1 else "files"
    name = clip(name, _NAME_COLUMNS)
    return (
        f"{name:<{_NAME_COLUMNS}}{tally.files:>12,} {noun}{size_text(tally.bytes):>14}"
    )


def _tallies(audit: Audit) -> list[tuple[str, Tally]]:
    rows = [
        ("seen", audit.seen),
        ("delivered", audit.delivered),
        ("set aside", audit.set_aside),
        ("blocked", audit.blocked),
        ("waiting", audit.waiting),
        ("elsewhere", audit.elsewhere),
    ]
    # An outcome that did not happen is no news, but the sum must be seen to close.
    return [(name, tally) for name, tally in rows if tally.files or name in _ALWAYS]


_ALWAYS = ("seen", "delivered")


def _row(name: str, tally: Tally) -> str:
    noun = "file " if tally.files == 1 else "files"
    return f"  {name:<12}{tally.files:>12,} {noun}{size_text(tally.bytes):>14}"


def _rate(audit: Audit) -> str:
    seconds = max(audit.duration_seconds, 0.001)
    rate = size_text(audit.delivered.bytes / seconds)
    return f"{audit.delivered.files / seconds:,.0f} files/s, {rate}/s"
