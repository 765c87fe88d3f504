"""What a pass sees of other nodes: items that they hold count once, by the last look."""

from __future__ import annotations

from pathlib import Path

from relay_bench import Bench, Events, FreeLocks

from paxect_batch.model.items import Direction, Entry, Kind, Mode
from paxect_batch.model.places import Place, Root
from paxect_batch.relay.account import Account
from paxect_batch.relay.others import Others

ENTRY = Entry(Place(Root.INBOX, "a.txt"), Kind.FILE)


class Taken(FreeLocks):
    """Another node has everything."""

    def seems_taken(self, key: str) -> bool:
        return True


class Keys:
    """Names each claim by its item."""

    def claim_key(self, direction: Direction, source: Place) -> str:
        return str(source)


def test_what_others_held_when_they_were_met_before_counts_no_more(
    tmp_path: Path,
) -> None:
    """As where a node joins in the middle of a pass, which begins anew then."""
    bench = Bench(tmp_path)
    bench.drop("a.txt", b"data")
    account = Account(Mode.RELAY, Events(), None)
    others = Others(bench.share(), Taken(), Keys(), account)  # type: ignore[arg-type]
    for _ in range(2):
        others.meet()
        account.begin_pass()
        assert others.have(ENTRY, Direction.ENCODE)
    others.add_up()
    assert others.items == 1
    standing = account.standing
    assert (standing.elsewhere_files, standing.elsewhere_bytes) == (1, 4)
