"""What a run promised is its own until it is recovered, whatever became of claims."""

from __future__ import annotations

from pathlib import Path

import pytest
from relay_bench import Bench, Crash, WatchedShare, files_below

from paxect_batch.model.items import Direction
from paxect_batch.model.places import Place, Root
from paxect_batch.relay.promised import Promised
from paxect_batch.relay.state import key_of

SOURCE = Place(Root.INBOX, "a.txt")
KEY = key_of(Direction.ENCODE, SOURCE)


class Had:
    """A claim that was had."""

    is_released = False

    def release(self) -> None:
        self.is_released = True

    def stands(self) -> bool:
        return not self.is_released


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Return one on which a node died that had promised the file."""

    class Dies(WatchedShare):
        def rename_new(self, source: Place, target: Place) -> None:
            if target.root is Root.WIRE:
                raise Crash
            self._share.rename_new(source, target)

    bench = Bench(tmp_path)
    bench.drop(SOURCE.path, b"data")
    with pytest.raises(Crash):
        bench.drain(Dies(bench.share()))
    return bench


def test_claim_on_what_another_run_promised_is_given_back(bench: Bench) -> None:
    """Kept, it would keep the item from all others for as long as this run lasts."""
    promised, claim = Promised(bench.share()), Had()
    promised.read()
    assert promised.has(KEY, claim)
    assert claim.is_released


def test_item_is_nobodys_once_what_was_promised_of_it_is_settled(bench: Bench) -> None:
    promised, claim = Promised(bench.share()), Had()
    promised.read()
    for path in files_below(bench.state / "intents"):
        path.unlink()
    assert not promised.has(KEY, claim)
    assert not claim.is_released
