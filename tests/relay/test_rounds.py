"""A pass gives each entry once: big ones first, then its own, then what others have."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.locks import FakeLocks, Register
from relay_bench import Bench

from paxect_batch.model.items import Entry
from paxect_batch.model.places import Root
from paxect_batch.relay import rounds as rounds_module
from paxect_batch.relay.rounds import Rounds
from paxect_batch.seams import Applicant

FILES = 60
NODES = ("a", "b", "c")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def rounds(bench: Bench, node: str = "a") -> Rounds:
    return Rounds(bench.share(), node, set(NODES) - {node})


def paths(entries: list[Entry]) -> list[str]:
    return [entry.place.path for entry in entries]


def helped(bench: Bench, node: str, root: Root) -> list[str]:
    windows = rounds(bench, node).of_others(root)
    return paths([entry for window in windows for entry in window])


def dropped(bench: Bench) -> set[str]:
    for number in range(FILES):
        bench.drop(f"file-{number}", b"data")
    return {f"file-{number}" for number in range(FILES)}


def test_rounds_of_a_node_give_each_entry_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds_module, "HELP_WINDOW", 7)
    names = dropped(bench)
    own = paths(list(rounds(bench).own(Root.INBOX)))
    others = helped(bench, "a", Root.INBOX)
    assert sorted(own + others) == sorted(names)
    assert own
    assert others


def test_own_rounds_of_all_nodes_have_nothing_in_common(bench: Bench) -> None:
    names = dropped(bench)
    own = [paths(list(rounds(bench, node).own(Root.INBOX))) for node in NODES]
    assert sorted(path for each in own for path in each) == sorted(names)


def test_helpers_begin_with_different_items(bench: Bench) -> None:
    dropped(bench)
    # What falls to c, in the order in which a and b would take it.
    own = set(paths(list(rounds(bench, "c").own(Root.INBOX))))
    first, second = (
        [path for path in helped(bench, node, Root.INBOX) if path in own]
        for node in ("a", "b")
    )
    half = len(own) // 4
    assert not set(first[:half]) & set(second[:half])


def test_big_files_come_first(bench: Bench) -> None:
    dropped(bench)
    big = bench.inbox / "zz-big"
    with big.open("wb") as stream:
        stream.truncate(rounds_module.BIG_BYTES_MIN)
    alone = Rounds(bench.share(), "a", ())
    own = paths(list(alone.own(Root.INBOX)))
    assert own[0] == "zz-big"
    assert own.count("zz-big") == 1


def test_container_falls_to_the_node_that_its_file_fell_to(
    bench: Bench,
) -> None:
    names = dropped(bench)
    for name in names:
        (bench.wire / f"{name}.freq").write_bytes(b"")
    for node in NODES:
        files = set(paths(list(rounds(bench, node).own(Root.INBOX))))
        made = set(paths(list(rounds(bench, node).own(Root.WIRE))))
        assert made == {f"{name}.freq" for name in files}


def test_node_that_joins_in_the_middle_of_a_pass_gets_its_part(bench: Bench) -> None:
    dropped(bench)
    at_once = bench.share().ahead
    register = Register()
    newcomer = FakeLocks(register)

    class Locks(FakeLocks):
        claimed = 0

        def claim(self, key: str) -> object:
            self.claimed += 1
            if self.claimed == at_once + 1:
                newcomer.join(Applicant(node="z", run="z", allow_mixed=True))
            return super().claim(key)

        def seems_taken(self, key: str) -> bool:
            # The newcomer has all that it could have by now.
            return newcomer.lease is not None and key not in self.held

    standing = bench.drain(locks=Locks(register))
    assert standing.elsewhere_files + standing.delivered_files == FILES
    assert standing.seen_files == standing.delivered_files == 2 * at_once
    assert standing.claims_lost == 0
