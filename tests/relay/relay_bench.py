"""A share on the disk, nodes that run on it in this thread, and an oracle.

Every operation on the share goes through `WatchedShare`, workers' ones included, so
that a test can end the node, or make the operation fail, at any one of them.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO

import msgspec

import paxect_core
from paxect_batch.model.events import Event
from paxect_batch.model.leases import Lease, Over, Word
from paxect_batch.model.places import Root
from paxect_batch.model.policy import Policy
from paxect_batch.model.run import RunOptions, Standing
from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.relay.node import Node
from paxect_batch.seams import Applicant, Share
from paxect_batch.work.lots import do_lot
from paxect_batch.world.ledger import FileLedger
from paxect_batch.world.share import LocalShare
from paxect_batch.world.syncing import met

FAST = Policy(version="2", settle_seconds=0.0, backoff_seconds=0.0)


def policy_with(**changes: object) -> Policy:
    """Return a policy that waits for nothing, but for these changes."""
    return msgspec.structs.replace(FAST, **changes)


class Crash(BaseException):
    """The node dies here: nothing after this happens, cleaning up neither."""


OPERATIONS = frozenset(
    [
        "entries",
        "freshen",
        "look",
        "open_source",
        "facts_of",
        "create",
        "sync",
        "sync_folder",
        "read",
        "write",
        "rename_new",
        "move_new",
        "remove",
        "remove_folder",
        "make_folder",
        "dress",
        "now",
        "free_bytes",
        "together",
    ]
)
CHANGES = frozenset(
    [
        "create",
        "sync",
        "sync_folder",
        "write",
        "rename_new",
        "move_new",
        "remove",
        "remove_folder",
        "make_folder",
    ]
)


class WatchedShare:
    """A share that tells of each operation before it happens, and after."""

    def __init__(
        self,
        share: Share,
        before: Callable[[int, str], None] = lambda number, name: None,
        after: Callable[[int, str], None] = lambda number, name: None,
    ) -> None:
        self._share = share
        self._before = before
        self._after = after
        self.count = 0

    def sync_all(self, streams: Sequence[IO[bytes]]) -> tuple[OSError | None, ...]:
        return tuple(met(self.sync, stream) for stream in streams)

    def __getattr__(self, name: str) -> object:
        method = getattr(self._share, name)
        if name not in OPERATIONS:
            return method

        def call(*args: object, **named: object) -> object:
            number, self.count = self.count, self.count + 1
            self._before(number, name)
            result = method(*args, **named)
            try:
                self._after(number, name)
            except Crash:
                if hasattr(result, "close"):
                    result.close()
                raise
            return result

        return call


class _Free:
    def release(self) -> None:
        pass

    def stands(self) -> bool:
        return True


class FreeLocks:
    """Locks that nobody else wants; safety does not rest on them."""

    is_lost = False

    def join(self, applicant: Applicant) -> str:
        return applicant.run

    def leave(self, *, unfinished: bool = False) -> bool:
        return True

    def seems_taken(self, key: str) -> bool:
        return False

    def stands(self) -> bool:
        return True

    def others(self) -> tuple[Lease, ...]:
        return ()

    def has_unheard(self) -> bool:
        return False

    def over(self) -> list[Over]:
        return []

    def bury(self, over: Over) -> None:
        raise AssertionError("nobody died")

    def tell(self, word: Word, policy_sha256: str) -> None:
        pass

    def claim(self, key: str) -> _Free:
        return _Free()


class SteppedClock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class InThread:
    """An executor that does a lot at once, in this thread."""

    def __init__(self, share: Share) -> None:
        self._share = share

    def submit(self, lot: Lot) -> Future[tuple[Outcome, ...]]:
        future: Future[tuple[Outcome, ...]] = Future()
        future.set_result(do_lot(self._share, lot))
        return future

    def stop(self) -> None:
        pass


class Events:
    """Events in a list."""

    def __init__(self) -> None:
        self.lines: list[tuple[Event, str, str, str]] = []

    def write(
        self,
        event: Event,
        *,
        src: str = "",
        dst: str = "",
        status: str = "ok",
        message: str = "",
        pace: object = None,
    ) -> None:
        self.lines.append((event, src, status, message))

    def named(self, event: Event) -> list[tuple[Event, str, str, str]]:
        return [line for line in self.lines if line[0] is event]


class TwoCores:
    def cores(self) -> int:
        return 2


class NeverStop:
    requested = False
    now = False


class StopAfter:
    """Asks to stop once it was looked at so many times."""

    now = False

    def __init__(self, looks: int, act: Callable[[int], None] | None = None) -> None:
        self.looks = looks
        self.seen = 0
        self._act = act

    @property
    def requested(self) -> bool:
        self.seen += 1
        if self._act is not None:
            self._act(self.seen)
        return self.seen > self.looks


class Bench:
    """One share below a folder, what was dropped there, and what consumers took."""

    def __init__(self, folder: Path, *, in_place: bool = False) -> None:
        self.folder = folder
        self.in_place = in_place
        self.inbox = folder / "inbox"
        self.outbox = folder / "outbox"
        self.wire = self.inbox if in_place else folder / "wire"
        self.state = folder / ".paxect"
        for path in (self.inbox, self.outbox, self.wire, self.state):
            path.mkdir(exist_ok=True)
        self.dropped: dict[str, bytes] = {}
        self.taken: list[tuple[str, bytes]] = []
        self.events = Events()
        self.runs = 0

    def share(self) -> LocalShare:
        return LocalShare(
            {
                Root.INBOX: str(self.inbox),
                Root.OUTBOX: str(self.outbox),
                Root.WIRE: str(self.wire),
                Root.STATE: str(self.state),
            }
        )

    def drop(self, name: str, data: bytes) -> None:
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.dropped[name] = data

    def take_all(self) -> None:
        """Be the consumer that takes whatever appears, at once."""
        for path in files_below(self.outbox):
            self.taken.append((str(path.relative_to(self.outbox)), path.read_bytes()))
            path.unlink()

    def node(
        self,
        share: object = None,
        policy: Policy | None = None,
        *,
        name: str = "node",
        stop: object = NeverStop(),
        locks: object = FreeLocks(),
        clock: object = None,
        executor: object = None,
        read_policy: Callable[[], Policy] | None = None,
        key: bytes | None = None,
        manifest: object = None,
        account: object = None,
        gauges: object = None,
        codec: str = paxect_core.CODEC_VERSION,
        bell: object = None,
        **options: object,
    ) -> Node:
        self.runs += 1
        run = f"run{self.runs}"
        if share is None:
            share = self.share()
        policy = policy or Policy(version="2", settle_seconds=0.0, backoff_seconds=0.0)
        self.ledger = FileLedger(share, name, run)
        return Node(
            share=share,
            locks=locks,
            clock=clock or SteppedClock(),
            executor=executor or InThread(share),
            ledger=self.ledger,
            events=self.events,
            load=TwoCores(),
            options=RunOptions(node=name, run=run, in_place=self.in_place, **options),
            policy=read_policy or (lambda: policy),
            key=key,
            stop=stop,
            manifest=manifest,
            account=account,
            gauges=gauges,
            codec=codec,
            bell=bell,
        )

    def drain(self, share: object = None, **named: object) -> Standing:
        """Let a node run to its end; others may run meanwhile."""
        node = self.node(share, **named)
        ledger = self.ledger
        try:
            return node.run()
        finally:
            ledger.close()

    def whole_somewhere(self) -> set[str]:
        """Return the names of dropped files whose bytes are nowhere whole."""
        found = {hashlib.sha256(data).digest() for _, data in self.taken}
        for path in files_below(self.folder):
            data = path.read_bytes()
            found.add(hashlib.sha256(data).digest())
            try:
                raw = io.BytesIO()
                paxect_core.decode(io.BytesIO(data), raw)
            except paxect_core.PaxectError:
                continue
            found.add(hashlib.sha256(raw.getvalue()).digest())
        return {
            name
            for name, data in self.dropped.items()
            if hashlib.sha256(data).digest() not in found
        }

    def check_delivered_once(self) -> None:
        """Every dropped file arrived once, whole, and nothing is left behind."""
        self.take_all()
        assert sorted(self.taken) == sorted(self.dropped.items())
        assert [p for p in files_below(self.inbox) if ".paxect" not in p.parts] == []
        assert [p for p in files_below(self.wire) if ".paxect" not in p.parts] == []
        for crumbs in ("stage", "intents", "attempts", "meta", "left", "quarantine"):
            assert files_below(self.state / crumbs) == []


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def left(bench: Bench) -> dict[str, bytes]:
    """Return what lies anywhere by now, papers and stages included."""
    return {
        str(path.relative_to(bench.folder)): path.read_bytes()
        for path in files_below(bench.folder)
    }


def until(run: Callable[[], object], crash_points: Iterator[int]) -> None:
    """Run anew as long as it crashes."""
    while True:
        try:
            run()
        except Crash:
            next(crash_points, None)
            continue
        return


def reasons(bench: Bench) -> list[dict[str, object]]:
    return [
        json.loads(path.read_bytes())
        for path in files_below(bench.state / "quarantine")
        if path.name == "reason.json"
    ]
