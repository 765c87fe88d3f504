"""A view as lines for a terminal of any size: what matters most first."""

from __future__ import annotations

from collections.abc import Iterator

from paxect_batch.model.pace import Cause, PaceNow
from paxect_batch.model.status import NodeStatus
from paxect_batch.model.view import MINUTES_KEPT, Minute, Seen, View, Wellness
from paxect_batch.report.amounts import clip, clip_end, count_text, size_text, time_text

WORDS = {
    Wellness.WELL: "all is well",
    Wellness.CARE: "something asks for a look",
    Wellness.TROUBLE: "in trouble",
    Wellness.UNKNOWN: "not known yet",
}
_MARKS = {
    Wellness.WELL: "+",
    Wellness.CARE: "!",
    Wellness.TROUBLE: "x",
    Wellness.UNKNOWN: ".",
}
BARS = " ▁▂▃▄▅▆▇█"
PLAIN_BARS = " .:-=+*#%"
_REASONS_MAX = 4
_WIDE_COLUMNS = 60
COLUMNS_MIN = 20


def screen(view: View, *, columns: int, rows: int, bars: str = BARS) -> list[str]:
    """Return no more than so many lines, each of no more than so many columns."""
    columns = max(columns, COLUMNS_MIN)
    lines = [clip_end(plain(line), columns) for line in _lines(view, columns, bars)]
    if len(lines) > rows:
        return lines[: max(rows - 1, 1)] + ["..."] * (rows > 1)
    return lines


def plain(text: str) -> str:
    """Return what others wrote as something that cannot upset a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _lines(view: View, columns: int, bars: str) -> Iterator[str]:
    who, health = view.identity, view.health
    yield clip(plain(who.share) or "paxect-batch", columns)
    yield f"{_MARKS[health.wellness]} {WORDS[health.wellness]}"
    for reason in health.reasons[:_REASONS_MAX]:
        yield f"  - {reason}"
    if len(health.reasons) > _REASONS_MAX:
        yield f"  - and {len(health.reasons) - _REASONS_MAX} more"
    yield ""
    rate = view.rate
    speed = (
        f"{rate.files_per_second:,.1f} files/s, {size_text(rate.bytes_per_second)}/s"
    )
    yield _fact("now", speed, columns)
    wide = min(columns - 11, MINUTES_KEPT)
    yield _fact("hour", trend(view.minutes, view.at, wide, bars), columns)
    if view.doings is not None and view.doings.pace is not None:
        yield _fact("pace", pace_text(view.doings.pace), columns)
    if view.seen is not None:
        yield from _seen_lines(view.seen, columns)
    if view.newest:
        yield ""
        yield "newest events"
        for line in view.newest:
            way = " -> ".join(part for part in (line.src, line.dst) if part)
            words = (line.datetime_utc[11:19], line.event, line.node, way, line.message)
            yield "  " + " ".join(filter(None, words))


def pace_text(now: PaceNow) -> str:
    """Return how much of full pace there is, and what bounds it."""
    cause = "" if now.pace.cause is Cause.NONE else f", for {now.pace.cause}"
    return f"{now.pace.pace:.0%} of full pace{cause}"


def trend(minutes: tuple[Minute, ...], now: float, cells: int, bars: str) -> str:
    """Return the files of the last hour, one letter for each span, the newest last."""
    found = {minute.at // 60: minute.files for minute in minutes}
    last = int(now) // 60
    sums = [0] * cells
    for back in range(MINUTES_KEPT):
        cell = cells - 1 - back * cells // MINUTES_KEPT
        sums[cell] += found.get(last - back, 0)
    most = max(sums, default=0)
    steps = len(bars) - 1
    return "".join(bars[-(-each * steps // most) if most else 0] for each in sums)


def _fact(name: str, text: str, columns: int) -> str:
    return f"{name:<10} {text}" if columns >= _WIDE_COLUMNS else f"{name:<6} {text}"


def _seen_lines(seen: Seen, columns: int) -> Iterator[str]:
    heaps = (
        ("inbox", seen.waiting, seen.waiting_seconds),
        ("wire", seen.wire, seen.wire_seconds),
    )
    for name, tally, seconds in heaps:
        text = f"{count_text(tally.files, 'file')}, {size_text(tally.bytes)}"
        age = f", oldest {time_text(seconds)}" if tally.files else ""
        yield _fact(name, text + age, columns)
    held = max((each.age_seconds for each in seen.in_flight), default=0.0)
    age = f", oldest {time_text(held)}" if seen.in_flight_count else ""
    yield _fact("held", f"{seen.in_flight_count:,}{age}", columns)
    yield _fact(
        "aside",
        f"{count_text(seen.set_aside_count + seen.given_up_count, 'file')}, "
        f"{seen.backing_off_count:,} to be tried again",
        columns,
    )
    yield ""
    yield "nodes" if seen.nodes or seen.over else "nodes      none is at work"
    for node in seen.nodes:
        yield from _node_lines(node, columns)
    for over in seen.over:
        by = over.rescuer_node
        yield f"  {over.node}: over, " + (f"{by} recovers it" if by else "waits")
    if seen.set_aside or seen.given_up:
        yield ""
        yield "set aside"
        for reason in seen.set_aside[:5]:
            yield f"  {reason.id} {reason.source}: {reason.detail or reason.code}"
        for tried in seen.given_up[:5]:
            why = tried.failures[-1].detail or tried.failures[-1].code
            yield f"  where it was, {tried.source}: {why}"


def _node_lines(node: NodeStatus, columns: int) -> Iterator[str]:
    word = node.lease.word if node.lease is not None else None
    life = node.life.replace("_", " ")
    held = count_text(node.claims, "claim")
    if word is None:
        yield f"  {node.node}: {life}"
        return
    done = f"{count_text(word.delivered_files, 'file')}, "
    done += size_text(word.delivered_bytes)
    if columns >= _WIDE_COLUMNS:
        yield f"  {clip(node.node, 20):<20} {life:<12} {held:<12} {done}"
        if word.last:
            yield f"    {word.last}"
    else:
        yield f"  {node.node}: {life}, {held}"
        yield f"    {done}"
