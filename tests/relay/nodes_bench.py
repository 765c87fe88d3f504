"""Several nodes on one bench, in threads of which one goes on at a time, by a seed."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from fakes.locks import FakeLocks, Register
from relay_bench import Bench, Crash, WatchedShare, files_below

from paxect_batch.model.audit import Batch
from paxect_batch.model.places import Place, Root
from paxect_batch.model.run import Standing
from paxect_batch.relay.node import Node
from paxect_batch.seams import Share
from paxect_batch.world.ledger import FileLedger
from paxect_batch.world.syncing import one_by_one

FEW = {"a.txt": b"alpha" * 100, "sub/b.bin": bytes(range(256)) * 9}
MANY = {f"f{number}/{number}": b"%d" % number * number for number in range(9)} | FEW
NAMES = ("north", "south", "west")


def crumbs(bench: Bench) -> list[Path]:
    """Return what no node should leave when nothing is left to do."""
    folders = ("stage", "intents", "attempts", "meta", "quarantine", "batches")
    return [path for name in folders for path in files_below(bench.state / name)]


class Turns:
    """Lets one of several threads go on at a time; which one, the seed decides."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._living: list[_Turn] = []
        self._current: _Turn | None = None
        self._over = threading.Event()

    def run(self, acts: list[Callable[[], None]]) -> None:
        """Do all acts, each in a thread; raise what any of them raised."""
        self._living = [_Turn(self, act) for act in acts]
        turns = list(self._living)
        for turn in turns:
            turn.thread.start()
        self._pass_on()
        for turn in turns:
            turn.thread.join()
        for turn in turns:
            if turn.error is not None:
                raise turn.error

    def step(self) -> None:
        """Let another one go on, or go on."""
        me = self._current
        if me is not None and self._pass_on() is not me:
            me.go.acquire()

    def end(self, turn: _Turn) -> None:
        """Let the others go on without this one."""
        self._living.remove(turn)
        if self._living:
            self._pass_on()

    def _pass_on(self) -> _Turn:
        before, chosen = self._current, self._dice.choice(self._living)
        self._current = chosen
        if chosen is not before:
            chosen.go.release()
        return chosen


class _Turn:
    def __init__(self, turns: Turns, act: Callable[[], None]) -> None:
        self.go = threading.Semaphore(0)
        self.error: BaseException | None = None
        self._turns = turns
        self._act = act
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        self.go.acquire()
        try:
            self._act()
        except BaseException as error:  # noqa: BLE001  raised where all have ended
            self.error = error
        self._turns.end(self)


class NodeRun:
    """One run of a node on a bench, with fake locks, and what became of it."""

    def __init__(
        self,
        bench: Bench,
        register: Register,
        name: str,
        *,
        before: Callable[[int, str], None] = lambda number, name: None,
        locks: FakeLocks | None = None,
        **options: object,
    ) -> None:
        self._before = before
        self.locks = locks or FakeLocks(register)
        self.share = WatchedShare(MovesShare(bench.share(), self), before=self._watch)
        self.node: Node = bench.node(self.share, name=name, locks=self.locks, **options)
        self._ledger: FileLedger = bench.ledger
        self.is_dead = False
        self.moves: list[str] = []
        """What was published and retired, in order: `sidecar`, `file`, `source`."""
        self.moves_when_lost: int | None = None
        self.batch: Batch | None = None

    @property
    def standing(self) -> Standing:
        return self.node.standing

    def __call__(self) -> None:
        """Run to the end; who died is no error."""
        try:
            self.node.run()
            self.batch = self.node.close_batch()
        except Crash:
            if not self.is_dead:
                raise
        finally:
            self._ledger.close()

    def die(self) -> None:
        """Do nothing more from now on, and be known to be dead."""
        self.is_dead = True
        self.locks.die()
        raise Crash

    def lose(self) -> None:
        """Be taken for dead, and go on."""
        self.moves_when_lost = len(self.moves)
        self.locks.die()

    def _watch(self, number: int, name: str) -> None:
        if self.is_dead:
            raise Crash
        self._before(number, name)


class MovesShare:
    """A share that notes which renames publish, and which take a source away."""

    def __init__(self, share: Share, run: NodeRun) -> None:
        self._share = share
        self._run = run

    def __getattr__(self, name: str) -> object:
        return getattr(self._share, name)

    def each(
        self,
        act: Callable[[object], object],
        items: Sequence[object],
        *,
        removing: bool = False,
    ) -> None:
        """One by one: on a disk that is slow just now others than it would take turns."""
        del removing
        one_by_one(act, items)

    def rename_new(self, source: Place, target: Place) -> None:
        self._share.rename_new(source, target)
        if target.root is not Root.STATE:
            is_sidecar = target.name.endswith(".sha256")
            self._run.moves.append("sidecar" if is_sidecar else "file")
        elif source.root is not Root.STATE:
            self._run.moves.append("source")


def sum_closes(standing: Standing) -> bool:
    """Tell whether what was seen is what became of it, none being left waiting."""
    return standing.seen_files == (
        standing.delivered_files + standing.set_aside_files + standing.blocked_files
    )


def bench_with(folder: Path, files: dict[str, bytes]) -> Bench:
    folder.mkdir(exist_ok=True)
    bench = Bench(folder)
    for name, data in files.items():
        bench.drop(name, data)
    return bench
