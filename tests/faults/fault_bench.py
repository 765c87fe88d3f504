"""Runs in which something fails, what comes after, and an oracle.

A run fails in some call. Then nothing fails any more; another node works until all is
done, whatever the first one left, and the first one comes back once more.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

from faulty_system import (
    CHANGES,
    ERRORS,
    GROWS,
    MACHINE,
    E,
    Fault,
    FaultySystem,
    VirtualTime,
    installed,
)
from relay_bench import Bench, Crash, NeverStop, WatchedShare, files_below
from relayed_share import memory_folder

import paxect_core
from paxect_batch.cli.anew import serve
from paxect_batch.model.errors import NotReady, ShareError
from paxect_batch.model.items import Mode
from paxect_batch.model.leases import Machine
from paxect_batch.model.run import Standing
from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.relay.account import Account
from paxect_batch.relay.node import Node
from paxect_batch.seams import Applicant, WorkerDied
from paxect_batch.work.lots import do_lot
from paxect_batch.world import locks as world_locks
from paxect_batch.world.locks import FileLocks

SMALL = {"a.txt": b"alpha" * 100}
SEVERAL = {
    "a.txt": b"alpha" * 100,
    "sub/b.bin": bytes(range(256)) * 9,
    "sub/empty": b"",
}
SCENARIOS = ("encode", "decode", "lots", "recovery")
_ANEW_MAX = 6
_LEASE_SECONDS = 10.0


class _Locks(FileLocks):
    """The real ones; what their thread would do is done when time goes by."""

    def __init__(self, bench: FaultBench, name: str, run_lock: str) -> None:
        super().__init__(
            str(bench.state), lease_seconds=_LEASE_SECONDS, run_lock=run_lock
        )
        self._bench = bench

    def join(self, applicant: Applicant) -> str:
        batch = super().join(applicant)
        self._bench.joined = self
        return batch

    def beat(self) -> None:
        keeper = self._keeper
        if keeper is not None and not keeper.lost:
            with contextlib.suppress(OSError):
                keeper._beat()
            with contextlib.suppress(OSError):
                keeper.look_around()


class _Workers:
    """An executor that does a lot at once, in this thread, as a worker would."""

    def __init__(self, bench: FaultBench) -> None:
        self._bench = bench
        self._share = bench.share()

    def submit(self, lot: Lot) -> Future[tuple[Outcome, ...]]:
        future: Future[tuple[Outcome, ...]] = Future()
        self._bench.system.role = "worker"
        try:
            future.set_result(do_lot(self._share, lot))
        except Exception as error:  # noqa: BLE001  ends the worker
            self._bench.died.append(error)
            future.set_exception(WorkerDied())
        finally:
            self._bench.system.role = "coordinator"
        return future

    def stop(self) -> None:
        pass


class FaultBench(Bench):
    """A bench whose nodes have real locks on a system that fails."""

    def __init__(self, folder: Path, system: FaultySystem) -> None:
        super().__init__(folder)
        self.system = system
        self.clock = VirtualTime()
        self.clock.pump = self._pump
        self.joined: _Locks | None = None
        self.died: list[Exception] = []
        self.standings: list[Standing] = []
        self.recovers = False
        self._run_locks = folder / "run-locks"
        self._run_locks.mkdir()

    def serve(self, name: str, mode: Mode, **options: object) -> Exception | None:
        """Let a node drain the share, beginning anew as the command does."""
        begun = itertools.count()
        ledgers = []

        def make(account: Account | None) -> Node:
            assert next(begun) < _ANEW_MAX, "it begins anew for ever"
            share = self.share()
            node = self.node(
                share,
                name=name,
                mode=mode,
                locks=_Locks(self, name, str(self._run_locks / name)),
                clock=self.clock,
                executor=_Workers(self),
                account=account,
                **options,
            )
            ledgers.append(self.ledger)
            return node

        node, error = serve(
            make, lambda: None, lambda text: None, stop=NeverStop(), watch=False
        )
        with contextlib.suppress(OSError):
            node.close_batch()
        for ledger in ledgers:
            with contextlib.suppress(OSError):
                ledger.close()
        self.joined = None
        self.standings.append(node.standing)
        return error

    def _pump(self) -> None:
        if self.joined is not None:
            self.joined.beat()


def machine() -> Machine:
    """Return another machine each time: who is gone is told by its silence only."""
    number = next(_NUMBERS)
    return Machine(
        host=f"host{number}", machine=str(number), boot="b", pid=1, started="1"
    )


_NUMBERS = itertools.count()


@contextlib.contextmanager
def bench(scenario: str, system: FaultySystem, folder: Path) -> Iterator[FaultBench]:
    """Make a bench on which everything is ready for the run that is to fail."""
    made = FaultBench(folder, system)
    before = world_locks.this_machine
    world_locks.this_machine = machine
    try:
        with installed(system, made.clock):
            fault, system.fault = system.fault, None
            piece, system.piece = system.piece, 0
            _prepare(made, scenario)
            system.fault, system.piece = fault, piece
            system.counts.clear()
            yield made
    finally:
        world_locks.this_machine = before


def _prepare(made: FaultBench, scenario: str) -> None:
    files = SEVERAL if scenario in ("lots", "recovery") else SMALL
    for name, data in files.items():
        made.drop(name, data)
    if scenario == "decode":
        assert made.serve("before", Mode.ENCODE) is None
    if scenario == "recovery":
        made.recovers = True
        _die_half_way(made)


def _die_half_way(made: FaultBench) -> None:
    """Let a node of the same name die between publishing and retiring."""

    def die(number: int, name: str) -> None:
        # The third rename publishes the first container; see `rules.steps`.
        if name == "rename_new":
            renames.append(number)
            if len(renames) > 5:
                raise Crash

    renames: list[int] = []
    share = WatchedShare(made.share(), before=die)
    with contextlib.suppress(Crash):
        made.drain(share, name="node")
    made.events.lines.clear()


def mode_of(scenario: str) -> Mode:
    """Return in which direction the run goes that is to fail."""
    return {"encode": Mode.ENCODE, "decode": Mode.DECODE}.get(scenario, Mode.RELAY)


def counts_of(scenario: str) -> dict[tuple[str, str], int]:
    """Return how many calls of each kind the run makes if nothing fails."""
    system = FaultySystem()
    with (
        tempfile.TemporaryDirectory(dir=memory_folder()) as name,
        bench(scenario, system, Path(name)) as made,
    ):
        assert made.serve("node", mode_of(scenario)) is None
        return dict(system.counts)


def faults_of(scenario: str) -> Iterator[Fault]:
    """Give every fault that the run can meet."""
    for (role, kind), count in sorted(counts_of(scenario).items()):
        for number in range(count):
            for error in ERRORS[kind]:
                for forever in (False, True):
                    yield Fault(role, kind, number, error, forever=forever)
            if kind in CHANGES:
                yield Fault(role, kind, number, E.EIO, happens=True)
            if kind in GROWS:
                yield Fault(role, kind, number, E.ENOSPC, fills=True)


def problems_after(scenario: str, fault: Fault, folder: Path) -> list[str]:
    """Let a run meet the fault, and others follow; tell what was wrong."""
    system = FaultySystem(fault)
    with bench(scenario, system, folder) as made:
        error = made.serve("node", mode_of(scenario))
        found = _problems_of_run(made, fault, error)
        system.mend()
        lost = made.whole_somewhere()
        if lost:
            return [*found, f"lost: {lost}"]
        made.take_all()
        for name in ("other", "node"):
            error = made.serve(name, Mode.RELAY, wait=True)
            if error is not None:
                found.append(f"afterwards, {name} ended with {error!r}")
            made.take_all()
        found += problems_left(made)
    return found


def _problems_of_run(
    made: FaultBench, fault: Fault, error: Exception | None
) -> list[str]:
    found = []
    if isinstance(error, ShareError):
        if "items are as they were" not in error.message:
            found.append(f"it does not say what became of items: {error.message}")
    elif error is not None and not isinstance(error, NotReady):
        found.append(f"it ended with {error!r}")
    found += [f"a worker died of {each!r}" for each in made.died]
    # Only what goes on failing in a worker, and nowhere else, can be an item's fault.
    may_set_aside = (
        fault.role == "worker" and fault.forever and fault.error not in MACHINE
    )
    if made.standings[-1].set_aside_files and not may_set_aside:
        found.append(f"set aside: {made.events.lines}")
    return found


def problems_left(made: FaultBench) -> list[str]:
    """Tell what is missing, left, or counted wrongly once all is done."""
    aside, containers = _set_aside(made)
    taken = [(name, data) for name, data in made.taken if not _is_momentary(name)]
    found = []
    if sorted(data for _, data in taken) != sorted(
        data for name, data in made.dropped.items() if data not in aside
    ):
        found.append(f"taken: {sorted(name for name, _ in taken)}, aside: {aside}")
    if any(made.dropped.get(name) != data for name, data in taken):
        found.append(f"under another name: {sorted(name for name, _ in taken)}")
    places = ["stage", "intents", "attempts", "meta", "claims", "over"]
    left = [
        *files_below(made.inbox),
        *files_below(made.wire),
        *(path for place in places for path in files_below(made.state / place)),
        *made.state.glob("nodes/*/lease"),
    ]
    found += [
        f"left: {path.relative_to(made.folder)}"
        for path in left
        if not _is_momentary(path.name)
    ]
    return found + _problems_counted(made, len(aside), containers)


def _problems_counted(made: FaultBench, aside: int, containers: int) -> list[str]:
    """Hold what was recorded, and what the runs counted, against what was dropped.

    So many were set aside, of which so many had been encoded before.
    """
    found = []
    encoded = sum(standing.encoded_files for standing in made.standings)
    decoded = sum(standing.decoded_files for standing in made.standings)
    counted = sum(standing.set_aside_files for standing in made.standings)
    whole = len(made.dropped)
    # Who recovers may fail after it recorded; the next one records and counts again.
    surplus = encoded - decoded - containers
    if decoded + aside != whole or surplus < 0 or (surplus and not made.recovers):
        found.append(
            f"{encoded} encoded, {decoded} decoded, {aside} aside, {containers} of "
            "them as containers"
        )
    if counted != aside:
        found.append(f"{counted} counted as set aside, {aside} are")
    recorded = {
        (record["direction"], record["source"][1], record["raw_sha256"])
        for path in files_below(made.state / "ledger")
        for record in map(json.loads, path.read_text().splitlines())
        if record["fate"] == "delivered"
    }
    if len(recorded) != 2 * (whole - aside) + containers:
        found.append(f"recorded: {sorted(recorded)}")
    return found


def _set_aside(made: FaultBench) -> tuple[list[bytes], int]:
    """Return the bytes of dropped files in quarantine, and how many are containers."""
    found, containers = [], 0
    for path in files_below(made.state / "quarantine"):
        if path.name == "reason.json" or path.name.endswith(".sha256"):
            continue
        data = path.read_bytes()
        if path.name.endswith(".freq"):
            data = paxect_core.decode_bytes(data)
            containers += 1
        found.append(data)
    return found, containers


def _is_momentary(name: str) -> bool:
    """Tell whether a file is one that is swept once it is an hour old."""
    last = name.rpartition("/")[2]
    return last.startswith(".paxect-") and last.endswith(".tmp")
