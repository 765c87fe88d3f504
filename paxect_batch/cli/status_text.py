"""How a share stands, as text that one reads at a glance: 80 columns, no more."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sized

from paxect_batch.model.audit import Audit, Tally
from paxect_batch.model.leases import Word
from paxect_batch.model.moments import utc
from paxect_batch.model.status import (
    Hold,
    InFlight,
    Life,
    NodeStatus,
    Rescue,
    ShareStatus,
)
from paxect_batch.model.transfer import Attempts, Reason
from paxect_batch.report.amounts import clip, clip_end, count_text, size_text, time_text

COLUMNS = 80
SHOWN_MAX = 5
_NAME_COLUMNS = 20
_NO_FILE_COLUMNS = 10

_LIFE_WORDS = {
    Life.ALIVE: "alive",
    Life.SILENT: "silent",
    Life.NOT_RUNNING: "not running",
    Life.UNREADABLE: "without a lease that can be read",
}


def lines(status: ShareStatus, *, now: float) -> Iterator[str]:
    """Give the lines for a person; `now` is this machine's."""
    yield clip(f"share       {status.share}", COLUMNS)
    yield f"inbox       {_tally_text(status.waiting)}"
    yield f"wire        {_tally_text(status.wire)}"
    yield from _node_lines(status, now=now)
    yield f"in flight   {_in_flight_text(status.in_flight)}"
    for each in status.in_flight[:SHOWN_MAX]:
        yield _flight_line(each, now=now)
    yield from _more(status.in_flight)
    yield f"backing off {count_text(len(status.backing_off), 'file')}"
    for attempts in status.backing_off[:SHOWN_MAX]:
        yield _attempts_line(attempts, now=now)
    yield from _more(status.backing_off)
    aside = len(status.set_aside) + len(status.given_up)
    yield f"set aside   {count_text(aside, 'file')}"
    for reason in status.set_aside[-SHOWN_MAX:]:
        yield clip_end(f"  {reason.id}: {_why(reason)}", COLUMNS)
    yield from _more(status.set_aside)
    for attempts in status.given_up[:SHOWN_MAX]:
        yield _attempts_line(attempts, now=now)
    yield from _more(status.given_up)
    if status.policy_problem:
        yield f"policy      no run can begin: {_plain(status.policy_problem)}"
    yield f"last run    {_run_text(status.last_run)}"


# -- nodes


def _node_lines(status: ShareStatus, *, now: float) -> Iterator[str]:
    lives = Counter(node.life for node in status.nodes)
    told = [
        f"{lives[life]} {words}" for life, words in _LIFE_WORDS.items() if lives[life]
    ]
    yield clip_end(f"nodes       {', '.join(told) or 'none is running'}", COLUMNS)
    for node in status.nodes:
        yield from _one_node(node, now=now)
    for rescue in status.over:
        yield clip_end(_rescue_line(rescue), COLUMNS)
    if status.mixed:
        yield f"mixed       {len(status.mixed)} codecs or policies work on one batch"
        for pair in status.mixed:
            yield clip_end(f"  {_plain(pair)}", COLUMNS)


def _one_node(node: NodeStatus, *, now: float) -> Iterator[str]:
    name = clip(_plain(node.node), _NAME_COLUMNS)
    yield clip_end(f"  {name}: {_life_text(node, now=now)}", COLUMNS)
    if node.lease is not None:
        yield clip_end(f"    {_work_text(node, node.lease.word)}", COLUMNS)
        if node.lease.word.last:
            yield clip(f"    last: {_plain(node.lease.word.last)}", COLUMNS)


def _life_text(node: NodeStatus, *, now: float) -> str:
    lease = node.lease
    last = f"last beat {_moment(node.last_beat_at, now=now)}"
    if lease is None:
        return f"its lease cannot be read, {last}"
    if node.life is Life.ALIVE:
        since = _moment(_plain(lease.since), now=now)
        return f"alive since {since}, {_doing(node, lease.word)}"
    if node.life is Life.NOT_RUNNING:
        return f"not running, {last}; its process {lease.machine.pid} ended"
    silent = f"silent for {time_text(node.silent_seconds)} or longer"
    return f"{silent}, {last}, over after {lease.seconds:g} s"


def _doing(node: NodeStatus, word: Word) -> str:
    if node.claims:
        # What it said is a beat old; who holds claims waits for nothing.
        return "relaying"
    return _plain(f"waits for {word.waits_for}" if word.waits_for else word.doing)


def _work_text(node: NodeStatus, word: Word) -> str:
    held = f"holds {count_text(node.claims, 'claim')}"
    if word.in_flight_bytes:
        held += f", {size_text(word.in_flight_bytes)}"
    files = count_text(word.delivered_files, "file")
    rate = f"{word.files_per_second:,.1f} files/s"
    return f"{held}; delivered {files}, {size_text(word.delivered_bytes)}; {rate}"


def _rescue_line(rescue: Rescue) -> str:
    by = rescue.rescuer_node
    told = (
        f"node {_plain(by)} recovers it" if by else "it waits for a node to recover it"
    )
    return (
        f"  {clip(_plain(rescue.node), _NAME_COLUMNS)}: over; {told}; run {rescue.run}"
    )


# -- what is in flight


def _in_flight_text(in_flight: tuple[InFlight, ...]) -> str:
    if not in_flight:
        return "nothing"
    whats = Counter(each.what for each in in_flight)
    told = [count_text(whats[what], what) for what in Hold if whats[what]]
    oldest = max(each.age_seconds for each in in_flight)
    return f"{' and '.join(told)}, the oldest for {time_text(oldest)}"


def _flight_line(each: InFlight, *, now: float) -> str:
    what = (
        str(each.source)
        if each.source
        else f"{'an' if each.what is Hold.INTENT else 'a'} {each.what}"
    )
    if each.files > 1:
        what += f" and {each.files - 1:,} more"
    since = _moment(each.since, now=now)
    text = f"{_holder(each)}, since {since}, for {time_text(each.age_seconds)}"
    return f"  {clip(what, max(COLUMNS - len(text) - 4, _NO_FILE_COLUMNS))}: {text}"


def _holder(each: InFlight) -> str:
    if not each.node:
        return "nobody yet"
    node = clip(_plain(each.node), _NAME_COLUMNS)
    if each.life is Life.ALIVE:
        return node
    return f"{node} ({each.life.replace('_', ' ')})"


def _attempts_line(attempts: Attempts, *, now: float) -> str:
    last = attempts.failures[-1].code if attempts.failures else "?"
    times = count_text(len(attempts.failures), "attempt")
    text = f"{last}, {times}, {_due_text(attempts.next_at, now=now)}"
    return f"  {clip(str(attempts.source), COLUMNS - len(text) - 4)}: {text}"


# -- the rest


def _tally_text(tally: Tally) -> str:
    return f"{count_text(tally.files, 'file')}, {size_text(tally.bytes)}"


def _more(all_of_them: Sized) -> Iterator[str]:
    if len(all_of_them) > SHOWN_MAX:
        yield f"  and {len(all_of_them) - SHOWN_MAX:,} more; --json shows all"


def _due_text(next_at: float, *, now: float) -> str:
    if next_at == math.inf:
        return "given up"
    if next_at <= now:
        return "due now"
    return f"due in {time_text(next_at - now)}"


def _why(reason: Reason) -> str:
    return _plain(f"{reason.source}: {reason.detail or reason.code}")


def _run_text(audit: Audit | None) -> str:
    if audit is None:
        return "none yet"
    mixed = ", mixed" if audit.mixed else ""
    return (
        f"{audit.started} by {_plain(audit.node)}, exit {audit.exit_code}: "
        f"{audit.delivered.files:,} of {count_text(audit.seen.files, 'file')} delivered"
        f"{mixed}"
    )


def _moment(text: str, *, now: float) -> str:
    """Return the time of a moment, or its date if that is another than today's."""
    return f"{text[11:19]}Z" if text[:10] == utc(now)[:10] else text[:10]


def _plain(text: str) -> str:
    """Return what others wrote as something that cannot upset a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
