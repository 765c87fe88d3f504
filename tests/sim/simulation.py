"""Run a plan: real nodes on a simulated share, producers, consumers, and faults."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Callable, Iterator
from unittest import mock

from actors import FRAME_BYTES
from calls import Calls, Mount
from disk import Disk, File
from faults import Faults
from machine_parts import (
    GIANT_BYTES_MIN,
    IN_FLIGHT_BYTES_MAX,
    WORKERS,
    Beside,
    Cores,
    Events,
    InLine,
    Slot,
    Stop,
    Tell,
)
from plan import Plan
from sim_oracle import Oracle, Violation
from sim_share import SimShare
from system import FOLDER, SimClock, SimLocks, World, installed
from turns import Process, TooLong, Turns

from paxect_batch.cli.anew import serve
from paxect_batch.model.audit import Batch
from paxect_batch.model.errors import BatchError
from paxect_batch.model.policy import OnDone, Policy
from paxect_batch.model.records import Record
from paxect_batch.model.run import RunOptions, Standing
from paxect_batch.relay import gather, rounds
from paxect_batch.relay.account import Account
from paxect_batch.relay.node import Node
from paxect_batch.rules import plan as rules_plan
from paxect_batch.world.ledger import FileLedger, all_records

STEPS_MAX = 400_000
"""Eight nodes beside producers that take their time have come to 170,000."""
_SIZES = (
    (rules_plan, "IN_FLIGHT_BYTES_MAX", IN_FLIGHT_BYTES_MAX),
    (rules_plan, "LOT_BYTES_MAX", IN_FLIGHT_BYTES_MAX),
    (gather, "LOT_BYTES_MAX", IN_FLIGHT_BYTES_MAX),
    (rounds, "BIG_BYTES_MIN", GIANT_BYTES_MIN),
)
LAST_DRAINS_MAX = 5
HOURS = 3600.0


class Ended(Exception):
    """How a seed failed, and when."""

    def __init__(self, problem: str, steps: int, fired: int) -> None:
        super().__init__(problem)
        self.steps = steps
        self.fired = fired


class Simulation(Faults):
    """One seed, once."""

    def __init__(
        self, plan: Plan, *, tell: Tell | None = None, turns: Turns | None = None
    ) -> None:
        self.plan = plan
        self._tell = tell
        self._dice = random.Random(f"turns {plan.seed}")
        self._fate = random.Random(f"faults {plan.seed}")
        self.disk = Disk()
        self.turns = turns or Turns(self._dice, steps_max=STEPS_MAX)
        self.disk.clock = lambda: self.turns.time
        self.turns.step_seconds = plan.step_seconds
        self.turns.turn_steps_max = plan.turn_steps_max
        self.world = World(self.turns, is_smb=plan.is_smb)
        self.oracle = Oracle(
            self.disk,
            self.turns,
            keeps=plan.on_done == "keep",
            marker=plan.marker,
            apart=plan.apart,
        )
        self.disk.on_named = self._named
        self.mount = Mount(
            listing_seconds=plan.listing_seconds,
            refuses_to_replace=plan.refuses_to_replace,
            stays=f"inbox/{plan.stays}" if plan.stays else "",
            apart=plan.apart,
        )
        self.policy = Policy(
            version="2",
            settle_seconds=plan.settle_seconds,
            backoff_seconds=1.0,
            frame_bytes=FRAME_BYTES,
            on_done=OnDone(plan.on_done),
            ready_marker=plan.marker,
        )
        self.is_closing = False
        self.fired = 0
        self._produced = False
        self._slow: tuple[str, File] | None = None
        self._runs = 0
        self._contents = 0
        self._counts: Counter[str] = Counter()
        self._faults = sorted(plan.faults, key=lambda fault: fault.count)
        self.slots = [
            Slot(number, watches=plan.watches[number]) for number in range(plan.nodes)
        ]
        self.standings: list[Standing] = []
        self.batches: list[Batch] = []

    def run(self) -> None:
        """Play it to its end; raise `Ended` if something happened that never may."""
        try:
            with installed(self.world), self._sizes():
                try:
                    self._play()
                finally:
                    self.turns.end_all()
        except TooLong:
            raise Ended("it does not end", self.turns.steps, self.fired) from None
        except Violation as problem:
            raise Ended(str(problem), self.turns.steps, self.fired) from problem
        except Exception as problem:
            text = f"unhandled {type(problem).__name__}: {problem}"
            raise Ended(text, self.turns.steps, self.fired) from problem

    @contextlib.contextmanager
    def _sizes(self) -> Iterator[None]:
        """Let what is larger than most be a giant, if there are to be any."""
        with contextlib.ExitStack() as stack:
            for module, name, size in _SIZES if self.plan.giant_seconds else ():
                stack.enter_context(mock.patch.object(module, name, size))
            yield

    def _play(self) -> None:
        for folder in ("inbox", "outbox", "wire", FOLDER):
            self.disk.make(folder)
        self.disk.sync_folder(self.disk.root)
        self.turns.on_step = self._stepped
        producer = self._process("producer")
        self.turns.spawn(producer, self._produce)
        self.turns.spawn(self._process("consumer"), self._consume)
        for slot in self.slots:
            self._start(slot, after_seconds=0.0)
        self.turns.run(until=lambda: self._produced)
        self.is_closing = True
        self.turns.run(until=self._is_quiet)
        self._settle_down()
        # Long enough to see that a lease is over; then for what is old by then.
        self._say("a last watch begins")
        self._start(self.slots[0], after_seconds=0.0, last=True, watches=True)
        self.is_closing = False
        until = self.turns.time + self.plan.lease_seconds * 3
        self.turns.run(until=lambda: self.turns.time >= until)
        self.is_closing = True
        self.turns.run(until=self._is_quiet)
        for _ in range(LAST_DRAINS_MAX):
            self._drain_last(self.slots[0])
            if self._is_empty():
                break
        self.oracle.check_delivered()
        # What a node left that never promised anything, it sweeps when it comes back.
        for slot in self.slots:
            self._drain_last(slot)
        self._drain_last(self.slots[0])
        self.disk.on_gone = self.disk.on_named = lambda path, file: None
        self.oracle.check_end(self._records())

    def _drain_last(self, slot: Slot) -> None:
        self.turns.time += 2 * HOURS
        self._say("a last drain begins")
        self._start(slot, after_seconds=0.0, last=True)
        self.turns.run(until=self._is_quiet)

    def _settle_down(self) -> None:
        """Let nothing go wrong any more."""
        self._faults = []
        for slot in self.slots:
            if slot.process is not None:
                slot.process.is_dead = True

    def _is_quiet(self) -> bool:
        return all(slot.process is None or slot.process.is_dead for slot in self.slots)

    def _is_empty(self) -> bool:
        return not any(
            True for root in ("inbox", "wire") for _ in self.disk.files(root)
        )

    def _records(self) -> list[Record]:
        records: list[Record] = []
        process = self._process("reader")
        share = SimShare(self.world.calls[process])
        act = self.turns.spawn(process, lambda: records.extend(all_records(share)))
        self.turns.run(until=lambda: act.is_over)
        return records

    # -- nodes

    def _process(self, name: str, number: int = 0) -> Process:
        process = Process(name)
        process.monotonic_offset = 1000.0 * number
        self.world.calls[process] = Calls(self.disk, self.turns, process, self.mount)
        return process

    def _start(
        self,
        slot: Slot,
        *,
        after_seconds: float,
        last: bool = False,
        watches: bool = False,
    ) -> None:
        process = self._process(slot.name, slot.number)
        process.wall_offset = self.plan.clock_offsets[slot.number]
        if last:
            mount = Mount(apart=self.plan.apart)
            self.world.calls[process] = Calls(self.disk, self.turns, process, mount)
        slot.process = process
        self.world.hosts[process] = slot.host

        def begin() -> None:
            if after_seconds:
                self.turns.sleep(after_seconds)
            self._say(f"{slot.name} starts")
            self._live(
                slot, process, last=last, watches=watches or (slot.watches and not last)
            )
            process.is_dead = True

        self.turns.spawn(process, begin)

    def _live(self, slot: Slot, process: Process, *, last: bool, watches: bool) -> None:
        plan = self.plan
        share = SimShare(self.world.calls[process], hands=plan.hands, ahead=plan.ahead)
        stop = Stop(lambda: self.is_closing, watches=watches)
        ledgers: list[FileLedger] = []
        current = ""

        def begin_anew() -> None:
            nonlocal current
            self._runs += 1
            current = f"r{self._runs:04d}"
            for ledger in ledgers:
                ledger.close()
            ledgers[:] = [FileLedger(share, slot.name, current)]

        def make(account: Account | None) -> Node:
            executor = slot.executor = InLine(
                share, process, self.turns, giant_seconds=self.plan.giant_seconds
            )
            locks = SimLocks(
                FOLDER, now=share.now, lease_seconds=self.plan.lease_seconds
            )
            return Node(
                share=share,
                locks=locks,
                clock=SimClock(self.turns, process),
                executor=executor,
                beside=Beside(self.turns, process),
                ledger=ledgers[0],
                events=Events(f"{slot.name}/{current}", self._tell),
                load=Cores(),
                options=RunOptions(
                    node=slot.name,
                    run=current,
                    watch=watches,
                    poll_seconds=1.0,
                    workers=WORKERS if self.plan.giant_seconds else 1,
                    wait=self.plan.waits or last,
                ),
                policy=lambda: self.policy,
                key=None,
                stop=stop,
                account=account,
            )

        self._go_on(
            slot,
            process,
            begin_anew,
            lambda: serve(make, begin_anew, self._say, stop=stop, watch=watches),
            last=last,
        )
        for ledger in ledgers:
            ledger.close()

    def _go_on(
        self,
        slot: Slot,
        process: Process,
        begin_anew: Callable[[], None],
        run: Callable[[], tuple[Node, Exception | None]],
        *,
        last: bool,
    ) -> None:
        """Run the node again and again, as cron does, until all was dropped."""
        while True:
            begin_anew()
            # A process of its own, as with cron.
            slot.host.running.clear()
            self.world.machines[process] = slot.host.start(process)
            process.listings.clear()
            node, problem = run()
            if problem is not None:
                self._say(f"{slot.name} ends with {problem!r}")
                if not isinstance(problem, BatchError | OSError):
                    raise problem
            self.standings.append(node.standing)
            try:
                batch = node.close_batch()
            except OSError:
                batch = None
            if batch is not None:
                self.batches.append(batch)
            if last or self.is_closing:
                break
            pauses = 1.0, 5.0, self.plan.lease_seconds
            self.turns.sleep(self._dice.choice(pauses))

    def _say(self, text: str) -> None:
        if self._tell is not None:
            self._tell(f"{self.turns.steps} {self.turns.time:.3f} {text}")
