"""Run a plan: real nodes on a simulated share, producers, consumers, and faults."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future

from disk import Disk, File, Folder
from oracle import Oracle, Violation, container_of
from plan import NEVER, Fault, Plan
from sim_share import Calls, Mount, SimShare
from system import FOLDER, Host, SimClock, SimLocks, World, installed
from turns import Crash, Process, TooLong, Turns

import paxect_core
from paxect_batch.cli.anew import serve
from paxect_batch.model.audit import Batch
from paxect_batch.model.errors import BatchError
from paxect_batch.model.events import Event
from paxect_batch.model.policy import OnDone, Policy
from paxect_batch.model.records import Record
from paxect_batch.model.run import RunOptions, Standing
from paxect_batch.model.transfer import Lot, Outcome
from paxect_batch.relay.account import Account
from paxect_batch.relay.node import Node
from paxect_batch.rules.naming import is_temporary
from paxect_batch.seams import WorkerDied
from paxect_batch.work.lots import do_lot
from paxect_batch.world.ledger import FileLedger, all_records

STEPS_MAX = 150_000
LAST_DRAINS_MAX = 5
HOURS = 3600.0
FRAME_BYTES = 4096

Tell = Callable[[str], None]


class Ended(Exception):
    """How a seed failed, and when."""

    def __init__(self, problem: str, steps: int, fired: int) -> None:
        super().__init__(problem)
        self.steps = steps
        self.fired = fired


class _Stop:
    """`seams.StopSignal`: stops who watches once all was dropped."""

    now = False

    def __init__(self, simulation: Simulation, *, watches: bool) -> None:
        self._simulation = simulation
        self._watches = watches

    @property
    def requested(self) -> bool:
        return self._watches and self._simulation.is_closing


class _InLine:
    """`seams.Executor`: does a lot at once; a worker may die of it."""

    def __init__(self, share: SimShare, process: Process) -> None:
        self._share = share
        self._process = process
        self.deaths = 0

    def submit(self, lot: Lot) -> Future[tuple[Outcome, ...]]:
        future: Future[tuple[Outcome, ...]] = Future()
        outcomes = do_lot(self._share, lot)
        if self.deaths:
            self.deaths -= 1
            future.set_exception(WorkerDied())
        else:
            future.set_result(outcomes)
        return future

    def stop(self) -> None:
        pass


class _Cores:
    def cores(self) -> int:
        return 1


class _Events:
    """`seams.EventLog`: tells the history of a failing seed."""

    def __init__(self, name: str, tell: Tell | None) -> None:
        self._name = name
        self._tell = tell

    def write(
        self,
        event: Event,
        *,
        src: str = "",
        dst: str = "",
        status: str = "ok",
        message: str = "",
    ) -> None:
        if self._tell is not None:
            self._tell(f"{self._name} says {event} {src} {dst} {status}: {message}")


class Slot:
    """One machine that runs a node again and again."""

    def __init__(self, number: int, *, watches: bool) -> None:
        self.number = number
        self.name = f"n{number}"
        self.host = Host(self.name)
        self.watches = watches
        self.process: Process | None = None
        self.executor: _InLine | None = None
        self.comes_back = True


class Simulation:
    """One seed, once."""

    def __init__(self, plan: Plan, *, tell: Tell | None = None) -> None:
        self.plan = plan
        self._tell = tell
        self._dice = random.Random(f"turns {plan.seed}")
        self._fate = random.Random(f"faults {plan.seed}")
        self.disk = Disk()
        self.turns = Turns(self._dice, steps_max=STEPS_MAX)
        self.disk.clock = lambda: self.turns.time
        self.turns.step_seconds = plan.step_seconds
        self.turns.turn_steps_max = plan.turn_steps_max
        self.world = World(self.turns)
        self.oracle = Oracle(self.disk, self.turns)
        self.disk.on_named = self._named
        self.mount = Mount(
            listing_seconds=plan.listing_seconds,
            refuses_to_replace=plan.refuses_to_replace,
        )
        self.policy = Policy(
            version="2",
            settle_seconds=plan.settle_seconds,
            backoff_seconds=1.0,
            frame_bytes=FRAME_BYTES,
            on_done=OnDone(plan.on_done),
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
            with installed(self.world):
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
        if any(
            slot.process is not None and not slot.process.is_dead for slot in self.slots
        ):
            return False
        return True

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
            self.world.calls[process] = Calls(self.disk, self.turns, process, Mount())
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
        share = SimShare(self.world.calls[process])
        stop = _Stop(self, watches=watches)
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
            executor = slot.executor = _InLine(share, process)
            locks = SimLocks(
                FOLDER, now=share.now, lease_seconds=self.plan.lease_seconds
            )
            return Node(
                share=share,
                locks=locks,
                clock=SimClock(self.turns, process),
                executor=executor,
                ledger=ledgers[0],
                events=_Events(f"{slot.name}/{current}", self._tell),
                load=_Cores(),
                options=RunOptions(
                    node=slot.name,
                    run=current,
                    watch=watches,
                    poll_seconds=1.0,
                    workers=1,
                    wait=self.plan.waits or last,
                ),
                policy=lambda: self.policy,
                key=None,
                stop=stop,
                account=account,
            )

        while True:
            begin_anew()
            # A process of its own, as with cron.
            slot.host.running.clear()
            self.world.machines[process] = slot.host.start(process)
            process.listings.clear()
            node, problem = serve(make, begin_anew, self._say, stop=stop, watch=watches)
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
            self.turns.sleep(self._dice.choice((0.1, 1.0, 5.0)))
        for ledger in ledgers:
            ledger.close()

    # -- producers and consumers

    def _produce(self) -> None:
        for drop in self.plan.drops:
            self.turns.sleep(drop.after_seconds)
            self._drop(drop.name, drop.how)
        # Until the faults had their time, more or less.
        self.turns.sleep(self.plan.lease_seconds * 4)
        self._produced = True

    def _drop(self, name: str, how: str) -> None:
        path = f"inbox/{name}"
        folder = path.rpartition("/")[0]
        if self.disk.find(folder) is None:
            self.disk.make(folder)
            self.disk.sync_folder(self.disk.folder("inbox"))
        self._contents += 1
        content = f"{name} {self._contents} ".encode() * self._dice.choice((1, 1, 30))
        settings = paxect_core.Settings(
            level=self.policy.level, frame_bytes=FRAME_BYTES
        )
        container = container_of(content, settings)
        self.turns.step("drop", path)
        if how == "slowly" and isinstance(self.disk.find(path), File):
            how = "unlink"
        if how == "slowly":
            self._write_slowly(path, name, content, container)
        else:
            if how == "unlink" and self._overwrites(path):
                self.disk.remove(path)
            part = f"{folder}/.{self._contents}.part"
            file = self.disk.create(part)
            self.oracle.dropped(name, content, container)
            self.disk.write(file, content)
            self.disk.sync(file)
            if how == "unlink":
                self.turns.step("drop", path)
            self._overwrites(path)
            self.disk.rename(part, path, replaces=True)
        self.disk.sync_folder(self.disk.folder(folder))
        self._say(f"producer lays {path} ({how}): {content[:20]!r}")

    def _overwrites(self, path: str) -> bool:
        there = self.disk.find(path)
        version = (
            self.oracle.by_bytes.get(there.content) if isinstance(there, File) else None
        )
        if version is not None:
            version.is_overwritten = True
        return isinstance(there, File)

    def _write_slowly(
        self, path: str, name: str, content: bytes, container: bytes
    ) -> None:
        file = self.disk.create(path)
        file.writers += 1
        middle = len(content) // 2
        self.disk.write(file, content[:middle])
        self._slow = path, file
        self.turns.sleep(self.policy.settle_seconds / 2)
        if self.disk.find(path) is not file:
            return  # replaced meanwhile, or lost with the power
        self.oracle.dropped(name, content, container)
        self.disk.write(file, content)
        self.disk.sync(file)
        file.writers -= 1

    def _consume(self) -> None:
        while True:
            self.turns.sleep(self._dice.choice((0.05, 1.0)))
            for path, file in list(self.disk.files("outbox")):
                self._take(path, file)

    def _take(self, path: str, file: File) -> None:
        if is_temporary(path.rpartition("/")[2]):
            return
        self._say(f"consumer takes {path}")
        self.oracle.took(path, file)
        self.disk.remove(path)
        self.disk.sync_folder(self.disk.folder(path.rpartition("/")[0]))

    def _named(self, path: str, file: File) -> None:
        if path.startswith("outbox/") and self._fate.random() < self.plan.eager:
            self._take(path, file)

    # -- faults

    def _stepped(self, process: Process, name: str, path: str) -> None:
        counts = self._counts
        counts[name] += 1
        if self._tell is not None:
            self._tell(
                f"{self.turns.steps} {self.turns.time:.3f} {process.name} {name} {path}"
            )
        for fault in self._faults:
            seen = counts[fault.on] if fault.on else self.turns.steps
            if seen >= fault.count:
                if fault.node < 0 and process not in self.world.hosts:
                    continue
                self._faults.remove(fault)
                self._happen(fault, process)
                return

    def _happen(self, fault: Fault, process: Process) -> None:
        self.fired += 1
        self._say(f"FAULT {fault} ({process.name})")
        slot = self._slot_of(fault, process)
        victim = slot.process
        assert victim is not None
        now = self.turns.time
        match fault.kind:
            case "kill":
                self._kill(slot, fault.seconds)
            case "freeze":
                victim.frozen_until = now + fault.seconds
            case "cut" | "hang":
                victim.cut_until = now + fault.seconds
                victim.hangs = fault.kind == "hang"
            case "error":
                number, happens = divmod(fault.number, 2)
                victim.errors = [(number, bool(happens))] * int(fault.seconds)
            case "clock":
                victim.wall_offset += fault.seconds
            case "power":
                self._cut_power(fault)
            case "replace":
                self._replace()
            case "lose-claim":
                self._lose_claim()
            case "damage":
                self._damage()
            case "worker":
                if slot.executor is not None:
                    slot.executor.deaths = 1

    def _slot_of(self, fault: Fault, process: Process) -> Slot:
        if fault.node < 0:
            return next(slot for slot in self.slots if slot.process is process)
        return self.slots[fault.node]

    def _kill(self, slot: Slot, seconds: float) -> None:
        if slot.process is not None and not slot.process.is_dead:
            slot.process.is_dead = True
            if seconds != NEVER:
                self._start(slot, after_seconds=seconds)

    def _cut_power(self, fault: Fault) -> None:
        for slot in self.slots:
            seconds = fault.seconds + slot.number * 0.1
            slot.host.boot += "+"
            slot.host.running.clear()
            self._kill(slot, 1.0 if seconds == NEVER else seconds)
        lost = self.disk.lose_power(self._fate)
        if self._slow is not None and self.disk.find(self._slow[0]) is self._slow[1]:
            if self._slow[1].content not in self.oracle.by_bytes:
                # Its producer begins anew; to call it whole is not for the relay.
                self.disk.remove(self._slow[0])
                self.disk.sync_folder(self.disk.root)
        self._say(f"the share lost {lost} change(s)")
        self.oracle.check_whole()

    def _replace(self) -> None:
        paths = sorted(path for path, _ in self.disk.files("inbox"))
        paths = [path for path in paths if not is_temporary(path.rpartition("/")[2])]
        if paths:
            name = self._fate.choice(paths).partition("/")[2]
            act = self._fate.choice(("rename", "rename", "unlink"))
            self.turns.spawn(self._process("producer"), lambda: self._drop(name, act))

    def _lose_claim(self) -> None:
        folder = self.disk.find(f"{FOLDER}/claims")
        names = sorted(folder.names) if isinstance(folder, Folder) else []
        if names:
            self.disk.remove(f"{FOLDER}/claims/{self._fate.choice(names)}")
            self.oracle.locks_are_broken = True

    def _damage(self) -> None:
        containers = [
            (path, file)
            for path, file in sorted(self.disk.files("wire"))
            if path.endswith(".freq") and file.content in self.oracle.by_bytes
        ]
        if not containers:
            return
        path, file = self._fate.choice(containers)
        self.oracle.by_bytes[file.content].is_damaged = True
        place = self._fate.randrange(len(file.content))
        changed = bytearray(file.content)
        changed[place] ^= 0x55
        file.content = file.synced = bytes(changed)
        file.mtime_ns = file.ctime_ns = int(self.turns.time * 1e9)

    def _say(self, text: str) -> None:
        if self._tell is not None:
            self._tell(f"{self.turns.steps} {self.turns.time:.3f} {text}")


__all__ = ["Crash", "Ended", "Simulation"]
