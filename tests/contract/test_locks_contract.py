"""Locks, real and fake: `seams.Locks`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.locks import FakeLocks, Register

from paxect_batch.model.errors import ConfigError, NotReady
from paxect_batch.seams import Applicant, Locks
from paxect_batch.world.claims import marker_name
from paxect_batch.world.locks import FileLocks


@pytest.fixture(params=["fake", "files"])
def make(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[], Locks]]:
    """Make the locks of one more run on the same share."""
    made: list[Locks] = []
    register = Register()

    def add() -> Locks:
        files = request.param == "files"
        made.append(FileLocks(str(tmp_path)) if files else FakeLocks(register))
        return made[-1]

    yield add
    for locks in made:
        locks.leave()


def applicant(node: str, run: str | None = None) -> Applicant:
    return Applicant(node=node, run=run or f"run-of-{node}")


def test_node_is_one_run_until_it_leaves(make: Callable[[], Locks]) -> None:
    one, other = make(), make()
    one.join(applicant("node1", "a"))
    with pytest.raises(NotReady, match="node1"):
        other.join(applicant("node1", "b"))
    other.join(applicant("node2", "b"))
    other.leave()
    one.leave()
    other.join(applicant("node1", "c"))
    assert other.stands()


def test_last_to_leave_is_told_so(make: Callable[[], Locks]) -> None:
    one, other = make(), make()
    one.join(applicant("node1"))
    other.join(applicant("node2"))
    assert not one.leave()
    assert other.leave()


def test_others_are_the_nodes_that_joined_before(make: Callable[[], Locks]) -> None:
    one, other = make(), make()
    one.join(applicant("node1"))
    assert one.others() == ()
    other.join(applicant("node2"))
    assert [lease.node for lease in other.others()] == ["node1"]


def test_who_joins_belongs_to_the_batch_that_is_there(
    make: Callable[[], Locks],
) -> None:
    one, other, third = make(), make(), make()
    assert one.join(applicant("node1", "run-a")) == "run-a"
    assert other.join(applicant("node2", "run-b")) == "run-a"
    one.leave()
    assert third.join(applicant("node3", "run-c")) == "run-a"
    other.leave()
    third.leave()
    assert one.join(applicant("node1", "run-d")) == "run-d"


def test_who_joins_with_a_clock_that_is_behind_begins_no_batch_of_its_own(
    make: Callable[[], Locks],
) -> None:
    one, other = make(), make()
    assert one.join(applicant("node1", "20261121")) == "20261121"
    assert other.join(applicant("node2", "19700101")) == "20261121"


def test_node_that_would_mix_a_batch_is_refused_unless_that_is_meant(
    make: Callable[[], Locks],
) -> None:
    one, other = make(), make()
    one.join(Applicant(node="node1", run="a", codec="one"))
    with pytest.raises(ConfigError, match="--allow-mixed"):
        other.join(Applicant(node="node2", run="b", codec="two"))
    other.join(Applicant(node="node2", run="b", codec="two", allow_mixed=True))
    assert other.others()[0].codec == "one"


def test_item_that_another_has_seems_taken_soon(make: Callable[[], Locks]) -> None:
    one, other = make(), make()
    one.join(applicant("node1"))
    other.join(applicant("node2"))
    assert not other.seems_taken("k")
    claim = one.claim("k")
    assert claim is not None
    # A listing is believed for a while.
    while not other.seems_taken("k"):
        pass
    assert not other.seems_taken("other")
    claim.release()
    while other.seems_taken("k"):
        pass


def test_item_is_claimed_by_one_run_until_released(make: Callable[[], Locks]) -> None:
    one, other = make(), make()
    one.join(applicant("node1"))
    other.join(applicant("node2"))
    held = one.claim("item")
    assert held is not None
    assert other.claim("item") is None
    assert one.claim("item") is None
    second = other.claim("another item")
    assert second is not None
    held.release()
    again = other.claim("item")
    assert again is not None
    again.release()
    second.release()


def test_release_twice_takes_nothing_from_the_next(make: Callable[[], Locks]) -> None:
    one, other = make(), make()
    one.join(applicant("node1"))
    other.join(applicant("node2"))
    held = one.claim("item")
    assert held is not None
    held.release()
    again = other.claim("item")
    assert again is not None
    held.release()
    assert one.claim("item") is None
    again.release()


def test_claim_that_another_has_by_now_does_not_stand_and_stays_the_others(
    tmp_path: Path,
) -> None:
    one, other = FileLocks(str(tmp_path)), FileLocks(str(tmp_path))
    one.join(applicant("node1"))
    other.join(applicant("node2"))
    claim = one.claim("item")
    assert claim is not None
    assert claim.stands()
    # As who slept in the very call that gives a claim back.
    (tmp_path / "claims" / marker_name("item")).unlink()
    taken = other.claim("item")
    assert taken is not None
    assert taken.stands()
    assert not claim.stands()
    claim.release()
    assert taken.stands()
    taken.release()
    again = one.claim("item")
    assert again is not None
    assert again.stands()
    for locks in (one, other):
        locks.leave()


def test_release_by_another_thread_counts(make: Callable[[], Locks]) -> None:
    one, other = make(), make()
    one.join(applicant("node1"))
    other.join(applicant("node2"))
    held = one.claim("item")
    assert held is not None
    thread = threading.Thread(target=held.release)
    thread.start()
    thread.join()
    again = other.claim("item")
    assert again is not None
    again.release()


def test_who_leaves_gives_all_claims_back(make: Callable[[], Locks]) -> None:
    one, other = make(), make()
    one.join(applicant("node1"))
    other.join(applicant("node2"))
    assert one.claim("item") is not None
    one.leave()
    again = other.claim("item")
    assert again is not None
    again.release()


def test_fake_run_that_died_is_recovered_by_one_and_its_claims_are_given_back() -> None:
    register = Register()
    one, other = FakeLocks(register), FakeLocks(register)
    one.join(applicant("node1", "a"))
    other.join(applicant("node2", "b"))
    assert one.claim("item") is not None
    one.die()
    assert not one.stands()
    assert other.claim("item") is None
    (over,) = other.over()
    assert (over.node, over.run) == ("node1", "a")
    assert other.over() == []
    other.bury(over)
    assert other.claim("item") is not None


def test_lost_fake_claim_is_the_next_ones() -> None:
    register = Register()
    one, other = FakeLocks(register), FakeLocks(register)
    held = one.claim("item")
    assert held is not None
    one.lose("item")
    assert other.claim("item") is not None
    held.release()
    assert other.held == {"item"}
    other.die()
    assert register.claims == {}
