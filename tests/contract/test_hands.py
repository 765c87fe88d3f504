"""Several calls at once: all are made, errors come out, and none waits for another."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest
from stages import LocalStage

from paxect_batch.model.places import Place, Root
from paxect_batch.world.hands import HANDS, HANDS_MAX, Hands, hands_beside
from paxect_batch.world.share import LocalShare
from paxect_batch.world.syncing import one_by_one
from paxect_batch.world.tree_paths import PathTree

T = TypeVar("T")
WAIT_SECONDS = 30.0


class AllAtOnce:
    """Acts on items, each of which waits until all were begun."""

    def __init__(self, count: int) -> None:
        self._barrier = threading.Barrier(count)
        self.done: list[int] = []

    def __call__(self, item: int) -> None:
        self._barrier.wait(WAIT_SECONDS)
        self.done.append(item)


def test_as_many_are_acted_on_at_once_as_there_are_hands() -> None:
    hands = Hands()
    for count in (HANDS, HANDS_MAX, HANDS):
        act = AllAtOnce(count)
        hands.each(act, range(count), at_once=count)
        assert sorted(act.done) == list(range(count))


def test_no_more_are_acted_on_at_once_than_there_are_hands() -> None:
    at_once: list[int] = []
    most: list[int] = []
    lock = threading.Lock()

    def act(item: int) -> None:
        with lock:
            at_once.append(item)
            most.append(len(at_once))
        with lock:
            at_once.remove(item)

    hands = Hands()
    hands.each(lambda _: None, range(10), at_once=10)
    hands.each(act, range(500), at_once=3)
    assert len(most) == 500
    assert max(most) <= 3


def test_node_alone_makes_most_calls_at_once_and_others_are_left_room() -> None:
    assert [hands_beside(others) for others in (0, 1, 63)] == [HANDS_MAX, HANDS, HANDS]


EACH: list[Callable[..., None]] = [
    functools.partial(Hands().each, at_once=4),
    one_by_one,
]


@pytest.mark.parametrize("each", EACH, ids=["at once", "one by one"])
def test_what_the_first_met_comes_out(each: Callable[..., None]) -> None:
    def act(item: int) -> None:
        if item >= 3:
            raise OSError(item, "broken")

    with pytest.raises(OSError, match="broken") as caught:
        each(act, range(10))
    assert caught.value.errno == 3


def test_all_are_acted_on_whatever_one_meets() -> None:
    acted: list[int] = []

    def act(item: int) -> None:
        acted.append(item)
        raise OSError(item, "broken")

    with pytest.raises(OSError, match="broken"):
        Hands().each(act, range(100), at_once=4)
    assert sorted(acted) == list(range(100))


def test_nothing_is_nothing_to_wait_for() -> None:
    Hands().each(AllAtOnce(2), (), at_once=2)


@pytest.mark.parametrize("far", [False, True], ids=["local", "server"])
def test_share_waits_for_several_at_once_only_where_there_is_a_server(
    tmp_path: Path, *, far: bool
) -> None:
    stage = LocalStage(tmp_path, PathTree)
    share = LocalShare(stage.roots)
    share._is_far = far
    threads: set[int] = set()
    barrier = threading.Barrier(2 if far else 1)

    def act(_: int) -> None:
        barrier.wait(WAIT_SECONDS)
        threads.add(threading.get_ident())

    share.each(act, range(2))
    assert threads == {threading.get_ident()} or (far and len(threads) == 2)
    assert (threading.get_ident() in threads) is not far


def test_what_several_hands_make_durable_is_told_of_each(tmp_path: Path) -> None:
    stage = LocalStage(tmp_path, PathTree)
    share = LocalShare(stage.roots)
    share._is_far = True
    there = [Place(Root.OUTBOX, f"{number}") for number in range(20)]
    share.prepare_folders(there)
    folders: Sequence[Place] = [*there, Place(Root.OUTBOX, "absent")]
    met = share.sync_folders(folders)
    assert met[:-1] == (None,) * len(there)
    assert isinstance(met[-1], FileNotFoundError)
