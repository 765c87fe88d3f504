"""What goes wrong in a simulation, when its time has come."""

from __future__ import annotations

from collections import Counter

from actors import Actors
from disk import Folder
from machine_parts import Slot, Tell
from plan import NEVER, Fault
from system import FOLDER, World
from turns import Process

from paxect_batch.rules.naming import is_temporary

_INTERRUPTING = ("power", "kill", "freeze", "cut", "hang", "error")
"""What may keep a node from the second of two steps."""


class Faults(Actors):
    """What they do; the simulation has the rest."""

    world: World
    slots: list[Slot]
    fired: int
    _tell: Tell | None
    _counts: Counter[str]
    _faults: list[Fault]

    def _start(
        self,
        slot: Slot,
        *,
        after_seconds: float,
        last: bool = False,
        watches: bool = False,
    ) -> None:
        raise AssertionError("what kind it is says how")

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
        if fault.kind in _INTERRUPTING:
            self.oracle.was_interrupted = True
        match fault.kind:
            case "power":
                self._cut_power(fault)
            case "replace":
                self._replace()
            case "lose-claim":
                self._lose_claim()
            case "damage":
                self._damage()
            case _:
                self._befall(fault, self._slot_of(fault, process))

    def _befall(self, fault: Fault, slot: Slot) -> None:
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
        path, file = self._slow or ("", None)
        is_there = file is not None and self.disk.find(path) is file
        if is_there and file.content not in self.oracle.by_bytes:
            # Its producer begins anew; to call it whole is not for the relay.
            self.disk.remove(path)
            self.disk.sync_folder(self.disk.folder(path.rpartition("/")[0]))
        self._say(f"the share lost {lost} change(s)")
        self.oracle.check_whole()

    def _replace(self) -> None:
        paths = sorted(
            path
            for path, _ in self.disk.files("inbox")
            if not path.startswith("inbox/.paxect/")
        )
        paths = [path for path in paths if not is_temporary(path.rpartition("/")[2])]
        if self.plan.marker:
            paths = [path for path in paths if not path.endswith(self.plan.marker)]
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
        _, file = self._fate.choice(containers)
        self.oracle.by_bytes[file.content].is_damaged = True
        place = self._fate.randrange(len(file.content))
        changed = bytearray(file.content)
        changed[place] ^= 0x55
        file.content = file.synced = bytes(changed)
        file.mtime_ns = file.ctime_ns = int(self.turns.time * 1e9)
