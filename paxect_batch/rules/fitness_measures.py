"""Fitness of names, times, writers, room, speed; pure. Limits stand here by name."""

from __future__ import annotations

from collections.abc import Iterator

from paxect_batch.model.fitness import (
    Finding,
    Level,
    Names,
    Space,
    Speed,
    Times,
    Writers,
)

NAME_BYTES_LEAST = 64
"""What the relay's own names need."""
NAME_BYTES_USUAL = 255
CLOCK_NOTE_SECONDS = 2.0
CLOCK_CARE_SECONDS = 300.0
"""Where Kerberos refuses to mount, and people are led astray by logs."""
STEP_NS_USUAL = 1_000_000_000
FREE_BYTES_LEAST = 64 << 20
FREE_BYTES_CARE = 1 << 30
FREE_INODES_LEAST = 1_000
FREE_INODES_CARE = 20_000
FILE_SECONDS_NOTE = 0.1
FILE_SECONDS_CARE = 1.0


def name_findings(names: Names) -> Iterator[Finding]:
    """Judge names."""
    yield _case_finding(names)
    if not names.keeps_unicode:
        yield Finding(
            "unicode_changed",
            Level.CARE,
            "a listing gives accented names in another Unicode form",
            "a file may be delivered under a name that looks the same and is not",
            "keep names in ASCII",
        )
    if names.takes_bytes is False:
        yield Finding(
            "names_are_text",
            Level.NOTE,
            "names must be UTF-8",
            "a file from elsewhere whose name is not is set aside",
        )
    if names.refused:
        shown = " ".join(repr(name) for name in names.refused)
        yield Finding(
            "names_refused",
            Level.NOTE,
            f"some names cannot be had, or come out as others: {shown}",
            "a file with such a name in a container is set aside on its way out",
        )
    yield _length_finding(names.bytes_max)


def _case_finding(names: Names) -> Finding:
    same = [
        word
        for word, folds in (
            ("case", names.folds_case),
            ("Unicode form", names.folds_unicode),
        )
        if folds
    ]
    if not same:
        return Finding(
            "names_differ",
            Level.OK,
            "names that differ in case or Unicode form are two names",
            "each file keeps its own",
        )
    return Finding(
        "names_fold",
        Level.NOTE,
        f"names that differ only in {' or '.join(same)} are one name",
        "two files that meet in one name are both set aside",
        "see that producers do not rely on upper and lower case",
    )


def _length_finding(bytes_max: int) -> Finding:
    level, advice = Level.OK, ""
    if bytes_max < NAME_BYTES_LEAST:
        level, advice = Level.UNFIT, "use another share"
    elif bytes_max < NAME_BYTES_USUAL:
        level, advice = Level.CARE, "keep names shorter than that"
    return Finding(
        "name_length",
        level,
        f"the longest name has {bytes_max} bytes",
        "a file with a longer name cannot come out here, and is set aside",
        advice,
    )


def time_findings(times: Times) -> Iterator[Finding]:
    """Judge the share's clock, and how finely it keeps times."""
    yield clock_finding(
        "share_clock", "the share's clock", times.ahead_seconds, give_or_take=0.0
    )
    step = times.step_ns / 1e9
    coarse = times.step_ns > STEP_NS_USUAL
    yield Finding(
        "time_step",
        Level.CARE if coarse else Level.OK,
        f"modification times are kept in steps of {step:g} s",
        "a file that changes within a step, and keeps its size, looks unchanged",
        "let producers write elsewhere and rename files in" if coarse else "",
    )


def clock_finding(
    code: str, subject: str, ahead_seconds: float, *, give_or_take: float
) -> Finding:
    """Judge the difference of a clock from this machine's."""
    off = max(abs(ahead_seconds) - give_or_take, 0.0)
    level = Level.OK
    if off > CLOCK_CARE_SECONDS:
        level = Level.CARE
    elif off > CLOCK_NOTE_SECONDS:
        level = Level.NOTE
    way = "ahead of" if ahead_seconds > 0 else "behind"
    found = f"{subject} is {abs(ahead_seconds):.1f} s {way} this machine's"
    if level is Level.OK:
        found = f"{subject} agrees with this machine's, to {max(off, 0.1):.1f} s"
    return Finding(
        code,
        level,
        found,
        "the relay compares no clocks of two machines; people who read logs do",
        "" if level is Level.OK else "let all machines keep time by NTP",
    )


def writers_finding(writers: Writers) -> Finding:
    """Judge how a file that is still being written is told from a whole one."""
    if writers is Writers.ALL:
        return Finding(
            "writers",
            Level.OK,
            "the system tells whether somebody still writes a file",
            "a file that its producer has open waits, however long that pauses",
        )
    found, which = "nothing tells whether somebody still writes a file", "a file"
    also = ""
    if writers is Writers.OWN:
        which = "another user's file"
        found = "the system tells only of this user's own files who still writes them"
        also = ", or give the relay the capability CAP_LEASE, as the systemd units do"
    return Finding(
        "writers",
        Level.NOTE,
        found,
        f"{which} is taken once it has not changed for `settle_seconds`, half written "
        "if its producer pauses for longer",
        f"let producers rename files in, or make a marker (`ready_marker`){also}",
    )


def space_findings(space: Space) -> Iterator[Finding]:
    """Judge what room there is."""
    yield Finding(
        "space",
        _scarcity(space.free_bytes, FREE_BYTES_LEAST, FREE_BYTES_CARE),
        f"{_gib(space.free_bytes)} of {_gib(space.total_bytes)} GiB are free",
        "while a file travels it lies on the share twice, as itself and as container",
        "make room for twice the largest batch"
        if space.free_bytes < FREE_BYTES_CARE
        else "",
    )
    free = space.free_inodes
    if free is not None:
        yield Finding(
            "inodes",
            _scarcity(free, FREE_INODES_LEAST, FREE_INODES_CARE),
            f"{free:,} more files can be made",
            "a file that travels needs about six, which are given back",
            "let the server's file system have more inodes"
            if free < FREE_INODES_CARE
            else "",
        )


def _scarcity(amount: int, least: int, care: int) -> Level:
    if amount < least:
        return Level.UNFIT
    return Level.CARE if amount < care else Level.OK


def _gib(count: int) -> str:
    return f"{count / (1 << 30):,.1f}"


def speed_findings(speed: Speed) -> Iterator[Finding]:
    """Judge how long the steps of one small file take, one after another."""
    # Stage, sidecar and intent; three looks; two published names; source, intent and
    # claim removed; two folders.
    seconds = (
        3 * speed.create
        + 3 * speed.look
        + 2 * speed.rename
        + 3 * speed.remove
        + 2 * speed.sync_folder
    )
    level = Level.OK
    if seconds > FILE_SECONDS_CARE:
        level = Level.CARE
    elif seconds > FILE_SECONDS_NOTE:
        level = Level.NOTE
    shown = ", ".join(
        f"{name} {1000 * taken:.2f}"
        for name, taken in (
            ("create and sync", speed.create),
            ("look", speed.look),
            ("rename", speed.rename),
            ("remove", speed.remove),
            ("sync a folder", speed.sync_folder),
        )
    )
    yield Finding(
        "speed",
        level,
        f"milliseconds that small operations take: {shown}",
        f"about {1000 * seconds:.1f} ms for a small file by itself; small files that "
        "travel together share most of these steps",
        ""
        if level is Level.OK
        else "see what the way to the server costs; for many "
        "small files, start several nodes or pack them before they are dropped",
    )
