"""A container that two nodes meet at: one made it, or takes it away, as another comes."""

from __future__ import annotations

import errno
import os
import random
from pathlib import Path

import pytest
from fakes.locks import FakeClaim, FakeLocks, Register
from nodes_bench import NodeRun, Turns, bench_with, crumbs
from relay_bench import Bench, SteppedClock, StopAfter, files_below

from paxect_batch.model.places import Place, Root
from paxect_batch.rules.naming import claim_key

LONG = {"n" * 255: b"a name that travels by an alias"}


def half_way(folder: Path, files: dict[str, bytes]) -> tuple[Bench, Register]:
    """Return a share on whose wire all files are, as a node died that made them."""
    bench, register = bench_with(folder, files), Register()

    def die(number: int, name: str) -> None:
        if not files_below(bench.inbox):
            first.die()

    first = NodeRun(bench, register, "first", before=die)
    first()
    assert [path for path in files_below(bench.wire) if path.suffix == ".freq"]
    return bench, register


@pytest.mark.slow
def test_container_that_lost_its_long_name_to_a_node_that_died_is_nobody_elses(
    tmp_path: Path,
) -> None:
    alone = NodeRun(*half_way(tmp_path / "count", LONG), "south")
    alone()
    points = range(alone.share.count)
    deaths = [loses_its_name(tmp_path / str(point), at=point) for point in points]
    assert sum(deaths) > 10


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.txt", *LONG])
def test_equal_file_that_comes_while_the_first_one_is_decoded_arrives_by_its_name(
    tmp_path: Path, name: str
) -> None:
    for seed in range(40):
        bench, register = bench_with(tmp_path / f"{seed}", {name: b"equal"}), Register()
        turns, steps = Turns(seed), iter(range(1_000_000))
        comes_at = random.Random(seed).randrange(60, 160)

        def go_on(number: int, operation: str) -> None:
            comes_again(next(steps))  # noqa: B023  used before the loop goes on
            turns.step()  # noqa: B023  likewise

        def comes_again(step: int) -> None:
            bench.take_all()  # noqa: B023  likewise
            if step == comes_at and not (bench.inbox / name).exists():  # noqa: B023
                bench.drop(name, b"equal")  # noqa: B023  likewise

        turns.run(
            [
                NodeRun(bench, register, node, before=go_on, wait=True)
                for node in ("north", "south")
            ]
        )
        NodeRun(bench, register, "west")()
        bench.take_all()
        assert {arrived for arrived, _ in bench.taken} == {name}
        assert crumbs(bench) == []
        assert files_below(bench.wire) == []


def loses_its_name(folder: Path, *, at: int) -> bool:
    """Let another node take a container's name away, and die, while one drains.

    Tell if it did; else the container was gone by then.
    """
    bench, register = half_way(folder, LONG)

    def die(number: int, name: str) -> None:
        if files_below(bench.wire) and not files_below(bench.state / "meta"):
            north.die()

    def let_north_die(number: int, name: str) -> None:
        bench.take_all()
        if number == at:
            north()

    north = NodeRun(bench, register, "north", before=die)
    NodeRun(bench, register, "south", before=let_north_die)()
    bench.check_delivered_once()
    assert register.claims == {}
    return north.is_dead


def test_name_that_is_too_long_for_a_container_is_claimed_besides(
    tmp_path: Path,
) -> None:
    """The alias on the wire does not tell whether two of them are one in the outbox."""
    bench, register = bench_with(tmp_path, LONG), Register()
    seen: set[str] = set()

    def note(number: int, operation: str) -> None:
        seen.update(register.claims)

    NodeRun(bench, register, "north", before=note)()
    bench.check_delivered_once()
    (name,) = LONG
    assert claim_key(Place(Root.OUTBOX, name)) in seen


def test_second_claim_of_an_item_that_fails_gives_the_first_one_back(
    tmp_path: Path,
) -> None:
    """Kept, it would keep the item from everybody for as long as the watch lasts."""
    bench, register = half_way(tmp_path, LONG)
    (name,) = LONG

    class FailsOnce(FakeLocks):
        has_failed = False

        def claim(self, key: str) -> FakeClaim | None:
            if key == claim_key(Place(Root.OUTBOX, name)) and not self.has_failed:
                self.has_failed = True
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return super().claim(key)

    locks = FailsOnce(register)
    standing = bench.drain(
        locks=locks,
        watch=True,
        stop=StopAfter(600),
        clock=SteppedClock(),
        poll_seconds=1.0,
    )
    assert locks.has_failed
    assert standing.delivered_files == 1
    bench.check_delivered_once()
