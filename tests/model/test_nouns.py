"""What the nouns work out by themselves."""

from __future__ import annotations

import pytest

from paxect_batch.model.errors import (
    WORST_FIRST,
    BatchError,
    ConfigError,
    Exit,
    NotReady,
    ShareError,
    worst,
)
from paxect_batch.model.events import LEVELS, Event
from paxect_batch.model.items import Direction, Facts, Identity, Item, Kind, Mode
from paxect_batch.model.places import Place, Root
from paxect_batch.model.transfer import Lot, Pledge, Task

PLACE = Place(Root.INBOX, "a")


def test_worst_is_the_first_of_the_list() -> None:
    assert worst(set()) is Exit.OK
    assert worst({0, 1, 4}) is Exit.STRUCTURE
    assert worst({4, 2}) is Exit.INTEGRITY
    assert worst({2, 3}) is Exit.SHARE
    assert worst({99}) is Exit.OK
    assert len(set(WORST_FIRST)) == len(Exit.__members__)


@pytest.mark.parametrize("kind", BatchError.__subclasses__())
def test_errors_have_an_exit_code_and_a_message(kind: type[BatchError]) -> None:
    error = kind("what happened")
    assert error.message == str(error) == "what happened"
    assert error.exit_code in Exit


def test_errors_by_their_consequence() -> None:
    assert ShareError("full", errno=28).errno == 28
    assert ShareError("gone").exit_code is Exit.SHARE
    assert NotReady("held").exit_code is Exit.NOT_READY
    assert ConfigError("wrong").exit_code is Exit.USAGE


def test_mode_directions_are_those_it_serves() -> None:
    assert Mode.ENCODE.directions == (Direction.ENCODE,)
    assert Mode.DECODE.directions == (Direction.DECODE,)
    assert Mode.RELAY.directions == (Direction.ENCODE, Direction.DECODE)


def test_levels_are_of_events_that_exist() -> None:
    assert set(LEVELS) <= set(Event)


def test_item_tells_what_its_facts_do() -> None:
    identity = Identity(5, 6, 7)
    facts = Facts(kind=Kind.FILE, identity=identity, mode=0, ctime_ns=None)
    item = Item(Direction.ENCODE, PLACE, facts)
    assert item.identity is identity
    assert item.size == 5


def test_lot_size_is_that_of_its_sources() -> None:
    def task(size: int) -> Task:
        return Task(
            direction=Direction.ENCODE,
            source=PLACE,
            identity=Identity(size, 0, 0),
            stage=PLACE,
            sidecar=PLACE,
            level=3,
            channels=1,
            frame_bytes=1,
            threads=1,
            read_back=True,
            twice=False,
        )

    assert Lot(1, (task(2), task(3))).size == 5


@pytest.mark.parametrize(
    ("direction", "digest", "size"),
    [(Direction.ENCODE, "container", 2), (Direction.DECODE, "raw", 1)],
)
def test_pledge_target_is_what_the_direction_makes(
    direction: Direction, digest: str, size: int
) -> None:
    pledge = Pledge(
        direction=direction,
        source=PLACE,
        identity=Identity(1, 0, 0),
        stage=PLACE,
        target=PLACE,
        sidecar_stage=None,
        sidecar=None,
        raw_bytes=1,
        raw_sha256="raw",
        container_bytes=2,
        container_sha256="container",
    )
    assert pledge.target_sha256 == digest
    assert pledge.target_bytes == size
