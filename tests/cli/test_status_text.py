"""The text of `status` is true of its facts, plain, and never wider than 80 columns."""

import math
from typing import Any

import pytest

from paxect_batch.cli.status_text import SHOWN_MAX, lines
from paxect_batch.model.audit import Tally
from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.leases import Lease, Machine, Word
from paxect_batch.model.places import Place, Root
from paxect_batch.model.status import (
    Hold,
    InFlight,
    Life,
    NodeStatus,
    Rescue,
    ShareStatus,
)
from paxect_batch.model.transfer import Attempts, Failure, Reason

NOON = 1_800_000_000.0
"""2027-01-15 08:00:00 UTC."""
TODAY = "2027-01-15T07:59:58.000Z"
SOURCE = Place(Root.INBOX, "a.txt")


def a_node(life: Life, **changes: Any) -> NodeStatus:
    lease = Lease(
        node="north",
        run="r1",
        batch="r1",
        machine=Machine(host="h", machine="m", boot="b", pid=77, started="s"),
        seconds=10.0,
        since=TODAY,
        word=changes.pop("word", Word(doing="relaying", in_flight_bytes=2_000)),
    )
    fields: dict[str, Any] = {
        "node": "north",
        "life": life,
        "silent_seconds": 0.0,
        "last_beat_at": TODAY,
        "claims": 2,
        "lease": lease,
    }
    return NodeStatus(**(fields | changes))


def a_flight(**changes: Any) -> InFlight:
    fields: dict[str, Any] = {
        "what": Hold.CLAIM,
        "since": TODAY,
        "age_seconds": 2.0,
        "files": 1,
        "bytes": 3,
        "node": "north",
        "run": "r1",
        "life": Life.ALIVE,
        "source": SOURCE,
    }
    return InFlight(**(fields | changes))


def text_of(**changes: Any) -> list[str]:
    fields: dict[str, Any] = {
        "share": "/share",
        "waiting": Tally(),
        "wire": Tally(),
        "nodes": (),
        "over": (),
        "mixed": (),
        "in_flight": (),
        "backing_off": (),
        "set_aside": (),
        "last_run": None,
        "policy_problem": "",
    }
    told = list(lines(ShareStatus(**(fields | changes)), now=NOON))
    assert max(map(len, told)) <= 80
    assert all(line.isprintable() for line in told)
    return told


@pytest.mark.parametrize(
    ("node", "told"),
    [
        (a_node(Life.ALIVE), "  north: alive since 07:59:58Z, relaying"),
        (
            a_node(Life.ALIVE, claims=0, word=Word(waits_for="new files")),
            "  north: alive since 07:59:58Z, waits for new files",
        ),
        (
            a_node(Life.ALIVE, claims=1, word=Word(waits_for="new files")),
            "  north: alive since 07:59:58Z, relaying",
        ),
        (
            a_node(Life.SILENT, silent_seconds=3.0),
            "  north: silent for 3.0 s or longer, last beat 07:59:58Z, over after 10 s",
        ),
        (
            a_node(Life.SILENT, last_beat_at="2026-12-31T23:00:00.000Z"),
            "  north: silent for 0.0 s or longer, last beat 2026-12-31, over after 10 s",
        ),
        (
            a_node(Life.NOT_RUNNING),
            "  north: not running, last beat 07:59:58Z; its process 77 ended",
        ),
        (
            a_node(Life.UNREADABLE, lease=None),
            "  north: its lease cannot be read, last beat 07:59:58Z",
        ),
    ],
)
def test_node_is_told_as_it_is(node: NodeStatus, told: str) -> None:
    assert told in text_of(nodes=(node,))


def test_nodes_are_counted_by_how_they_are() -> None:
    lives = (Life.ALIVE, Life.SILENT, Life.ALIVE, Life.UNREADABLE, Life.NOT_RUNNING)
    told = text_of(nodes=tuple(map(a_node, lives)))
    assert told[3] == (
        "nodes       2 alive, 1 silent, 1 not running, "
        "1 without a lease that can be read"
    )


def test_what_others_wrote_cannot_widen_or_upset_the_screen() -> None:
    wide = "\x1b[2J\n" + "w" * 300
    word = Word(doing=wide, waits_for=wide, last=wide, delivered_files=10**12)
    reason = Reason(
        *("id", Direction.DECODE, SOURCE, 1, 1, "code", wide),
        *((), "north", "r1", 1.0, "retry"),
    )
    told = text_of(
        share="/" + "s" * 200,
        nodes=(a_node(Life.ALIVE, node=wide, word=word),),
        over=(Rescue(node=wide, run=wide, rescuer_run=wide, rescuer_node=wide),),
        mixed=(wide, wide),
        in_flight=(a_flight(node=wide, life=Life.NOT_RUNNING),),
        set_aside=(reason,),
    )
    assert "    last: ?[2J?www" in "\n".join(told)


@pytest.mark.parametrize(
    ("flight", "told"),
    [
        (a_flight(), "  inbox/a.txt: north, since 07:59:58Z, for 2.0 s"),
        (a_flight(source=None), "  a claim: north, since 07:59:58Z, for 2.0 s"),
        (
            a_flight(what=Hold.INTENT, source=None, files=0, life=Life.OVER),
            "  an intent: north (over), since 07:59:58Z, for 2.0 s",
        ),
        (
            a_flight(what=Hold.INTENT, files=1001, life=Life.GONE),
            "  inbox/a.txt and 1,000 more: north (gone), since 07:59:58Z, for 2.0 s",
        ),
        (
            a_flight(node="", source=None, life=Life.GONE),
            "  a claim: nobody yet, since 07:59:58Z, for 2.0 s",
        ),
    ],
)
def test_what_is_in_flight_is_told_with_its_owner(flight: InFlight, told: str) -> None:
    assert told in text_of(in_flight=(flight,))


def test_long_lists_are_cut_and_their_rest_is_counted() -> None:
    told = text_of(in_flight=(a_flight(),) * (SHOWN_MAX + 1200))
    assert "in flight   1,205 claims, the oldest for 2.0 s" in told
    assert "  and 1,200 more; --json shows all" in told


@pytest.mark.parametrize(
    ("next_at", "due"),
    [(math.inf, "given up"), (NOON - 1, "due now"), (NOON + 90, "due in 1 min 30 s")],
)
def test_what_backs_off_is_told_with_when_it_is_due(next_at: float, due: str) -> None:
    failures = (Failure(1.0, "north", "unreadable", "", 3),) * 2
    tried = Attempts(Direction.ENCODE, SOURCE, Identity(1, 1, 1), failures, next_at)
    told = text_of(backing_off=(tried,))
    assert f"  inbox/a.txt: unreadable, 2 attempts, {due}" in told


def test_policy_by_which_no_run_begins_is_told() -> None:
    assert "policy      no run can begin: why" in text_of(policy_problem="why")
