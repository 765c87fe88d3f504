"""Files whose times do not tell are waited for, however many there are."""

from __future__ import annotations

import pytest

from paxect_batch.model.items import Direction, Facts, Identity, Item, Kind
from paxect_batch.model.places import Place, Root
from paxect_batch.relay import sightings as sightings_module
from paxect_batch.relay.sightings import GONE_SECONDS, Sightings

ROOM = 4


@pytest.fixture
def sightings(monkeypatch: pytest.MonkeyPatch) -> Sightings:
    monkeypatch.setattr(sightings_module, "SEEN_MAX", ROOM)
    return Sightings()


def item(name: str) -> Item:
    facts = Facts(Kind.FILE, Identity(5, 1, 2), 0o644, None)
    return Item(Direction.ENCODE, Place(Root.INBOX, name), facts)


def since(sightings: Sightings, name: str, now: float) -> float | None:
    return sightings.since(item(name), lambda _: name.encode(), now)


def test_more_files_than_there_is_room_for_all_settle_in_their_turn(
    sightings: Sightings,
) -> None:
    """Each pass goes through all of them in the same order."""
    waiting, now, settle = [str(number) for number in range(5 * ROOM)], 0.0, 2.0
    for _ in range(5):
        now += settle
        for name in list(waiting):
            first = since(sightings, name, now)
            assert first is not None
            if first + settle <= now:
                sightings.forget(item(name), lambda item: item.source.name.encode())
                waiting.remove(name)
        now += settle
        for name in waiting:
            since(sightings, name, now)
    assert len(waiting) < 3 * ROOM


def test_files_that_went_away_make_room_for_others(sightings: Sightings) -> None:
    for name in "abcd":
        since(sightings, name, 0.0)
    assert since(sightings, "new", 1.0) == 1.0
    assert since(sightings, "new", 2.0) == 2.0, "there was no room to remember it"
    later = GONE_SECONDS + 1
    assert since(sightings, "new", later) == later
    assert since(sightings, "new", later + 3) == later


def test_file_that_is_looked_at_again_and_again_keeps_its_place(
    sightings: Sightings,
) -> None:
    for now in range(0, int(GONE_SECONDS) * 2, 100):
        assert since(sightings, "a", float(now)) == 0.0
        for name in "bcd":
            since(sightings, f"{name}{now}", float(now))


def test_clock_that_is_set_back_makes_nobody_wait_until_it_has_caught_up(
    sightings: Sightings,
) -> None:
    noon = 43_200.0
    assert since(sightings, "a", noon) == noon
    assert since(sightings, "a", noon - 3600) == noon - 3600
    assert since(sightings, "a", noon - 3590) == noon - 3600
