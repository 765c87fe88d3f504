"""What a run counts, what it says once, and what it says of itself to others."""

from __future__ import annotations

import pytest
from fakes.small import ListEventLog

from paxect_batch.model.events import Event
from paxect_batch.model.items import Direction, Facts, Identity, Item, Kind, Mode
from paxect_batch.model.leases import Word
from paxect_batch.model.places import Place, Root
from paxect_batch.model.records import Fate, Record
from paxect_batch.model.run import Decision, Verdict
from paxect_batch.relay import account as account_module
from paxect_batch.relay.account import PROBLEMS_MAX, Account

SIZE = 7


def item(name: str) -> Item:
    facts = Facts(Kind.FILE, Identity(SIZE, 1, 2), 0, None)
    return Item(Direction.ENCODE, Place(Root.INBOX, name), facts)


def delivery(direction: Direction, name: str = "a") -> Record:
    return Record(
        fate=Fate.DELIVERED,
        direction=direction,
        source=Place(Root.WIRE, name),
        identity=Identity(SIZE, 1, 2),
        target=Place(Root.OUTBOX, name),
        raw_bytes=SIZE,
    )


@pytest.fixture
def events() -> ListEventLog:
    return ListEventLog()


@pytest.fixture
def account(events: ListEventLog) -> Account:
    return Account(Mode.RELAY, events, None)


@pytest.mark.parametrize("verdict", [Verdict.BLOCKED, Verdict.WAITING])
def test_item_that_is_left_counts_once_however_often_it_is_seen(
    account: Account, verdict: Verdict
) -> None:
    for _ in range(3):
        account.begin_pass()
        account.decided(item("a"), Decision(verdict, "why"))
        account.decided(item("b"), Decision(verdict, "why"))
        assert account.standing.seen_files == 2
        assert account.standing.seen_bytes == 2 * SIZE
    account.begin_pass()
    assert account.standing.seen_files == 0


def test_item_that_was_given_up_and_stays_counts_once_beside_those_that_moved(
    account: Account,
) -> None:
    account.set_aside(SIZE, moved=True)
    for _ in range(3):
        account.begin_pass()
        account.decided(item("a"), Decision(Verdict.SET_ASIDE))
        assert account.standing.set_aside_files == 2
    assert account.standing.seen_files == 2


def test_relayed_item_is_delivered_when_it_is_decoded(account: Account) -> None:
    account.delivered(delivery(Direction.ENCODE))
    assert (account.standing.encoded_files, account.standing.delivered_files) == (1, 0)
    account.delivered(delivery(Direction.DECODE))
    assert account.standing.delivered_files == account.standing.seen_files == 1


def test_item_that_another_node_holds_is_not_seen(account: Account) -> None:
    account.elsewhere(SIZE)
    assert account.standing.seen_files == 0
    assert account.standing.elsewhere_bytes == SIZE
    account.begin_pass()
    assert account.standing.elsewhere_files == 0


def test_block_is_logged_once_and_again_for_another_reason(
    account: Account, events: ListEventLog
) -> None:
    for reason in ("one", "one", "another", "one"):
        account.begin_pass()
        account.decided(item("a"), Decision(Verdict.BLOCKED, reason))
    assert [line.message for line in events.lines] == ["one", "another"]


def test_what_was_said_is_forgotten_before_it_grows_without_bound(
    account: Account, events: ListEventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_module, "SAID_MAX", 10)
    for name in [*map(str, range(10)), "0", "new", "0"]:
        account.decided(item(name), Decision(Verdict.BLOCKED, "why"))
    assert [line.src for line in events.lines[10:]] == ["inbox/new", "inbox/0"]


def test_newest_problems_stay_in_view(account: Account) -> None:
    for number in range(PROBLEMS_MAX + 3):
        account.problem(f"p{number}")
    assert account.standing.problems[0] == "p3"
    assert account.standing.problems[-1] == f"p{PROBLEMS_MAX + 2}"


def test_word_tells_what_is_done_and_what_is_awaited(account: Account) -> None:
    assert account.word(0.0) == Word(doing="waiting", waits_for="new files")
    account.wait(SIZE)
    assert account.word(0.0).waits_for == "files that are not ready"
    account.elsewhere(SIZE)
    assert account.word(0.0).waits_for == "files that other nodes hold"
    account.standing.in_flight_files = 3
    account.delivered(delivery(Direction.DECODE))
    word = account.word(2.0)
    assert (word.doing, word.waits_for, word.claims) == ("relaying", "", 3)
    assert (word.delivered_files, word.files_per_second) == (1, 0.5)
    assert word.last == "delivered outbox/a"
    account.problem("wire/b.freq: torn")
    assert account.word(2.0).last == "wire/b.freq: torn"


def test_whoever_watches_sees_the_standing(events: ListEventLog) -> None:
    shown: list[int] = []
    account = Account(Mode.ENCODE, events, lambda s: shown.append(s.delivered_files))
    account.delivered(delivery(Direction.ENCODE))
    account.show()
    assert shown == [1]
    assert events.events == [Event.ENCODE]
