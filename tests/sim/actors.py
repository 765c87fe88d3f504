"""Producers and consumers of a simulated share."""

from __future__ import annotations

import math
import random

from disk import Disk, File
from plan import Plan
from sim_oracle import Oracle, container_of, is_hidden
from turns import Process, Turns

import paxect_core
from paxect_batch.model.policy import Policy

FRAME_BYTES = 4096


class Actors:
    """What they do; the simulation has the rest."""

    plan: Plan
    disk: Disk
    turns: Turns
    oracle: Oracle
    policy: Policy
    _dice: random.Random
    _fate: random.Random
    _contents: int
    _produced: bool
    _slow: tuple[str, File] | None

    def _process(self, name: str, number: int = 0) -> Process:
        raise AssertionError("what kind it is says how")

    def _say(self, text: str) -> None:
        raise AssertionError("what kind it is says how")

    def _produce(self) -> None:
        for drop in self.plan.drops:
            self.turns.sleep(drop.after_seconds)
            self._drop(drop.name, drop.how)
        # Until the faults had their time, more or less.
        self.turns.sleep(self.plan.lease_seconds * 2.5)
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
        if how == "slowly" and (self._is_file(path) or self._is_marked(path)):
            how = "unlink"
        if how == "slowly":
            if not self._write_slowly(path, name, content, settings):
                return  # whoever replaced it marks what is there
        else:
            if how == "unlink" and self._overwrites(path):
                self.disk.remove(path)
            self.disk.tokens += 1
            part = f"{folder}/.{self._contents}-{self.disk.tokens}.part"
            file = self.disk.create(part)
            self.disk.write(file, content)
            self.disk.sync(file)
            if how == "unlink":
                self.turns.step("drop", path)
            if self.disk.find(part) is not file:
                # Lost with the power, before anybody was to have it.
                if self._is_marked(path) and not self._is_file(path):
                    # What the marker called whole it had removed itself.
                    self.disk.remove(path + self.plan.marker)
                return
            self.oracle.dropped(name, content, container)
            self._overwrites(path)
            self.disk.rename(part, path, replaces=True)
        if self._is_file(path):
            # Durable before it is called whole.
            self.disk.sync_folder(self.disk.folder(folder))
            self._mark(path)
        self.disk.sync_folder(self.disk.folder(folder))
        self._say(f"producer lays {path} ({how}): {content[:20]!r}")

    def _is_file(self, path: str) -> bool:
        return isinstance(self.disk.find(path), File)

    def _is_marked(self, path: str) -> bool:
        return bool(self.plan.marker) and self._is_file(path + self.plan.marker)

    def _mark(self, path: str) -> None:
        """Call a file whole, as producers do who write it slowly."""
        if not self.plan.marker:
            return
        self.turns.step("drop", path + self.plan.marker)
        if not self._is_marked(path):
            self.disk.sync(self.disk.create(path + self.plan.marker))

    def _overwrites(self, path: str) -> bool:
        there = self.disk.find(path)
        version = (
            self.oracle.by_bytes.get(there.content) if isinstance(there, File) else None
        )
        if version is not None:
            version.is_overwritten = True
        return isinstance(there, File)

    def _write_slowly(
        self, path: str, name: str, content: bytes, settings: paxect_core.Settings
    ) -> bool:
        """Tell whether it is still there once it is whole."""
        file = self.disk.create(path)
        file.writers += 1
        half = content[: len(content) // 2]
        self.disk.write(file, half)
        self._slow = path, file
        settle_seconds = self.policy.settle_seconds
        # Of one that is not marked nobody may ever say that it is whole.
        whole_seconds = math.inf if self.plan.marker else settle_seconds
        self.oracle.begun(name, half, container_of(half, settings), whole_seconds)
        pause_seconds = self.plan.pause_seconds
        self.turns.sleep(settle_seconds / 2 if pause_seconds is None else pause_seconds)
        self.oracle.went_on()
        if self.disk.find(path) is not file:
            return False  # replaced meanwhile, or lost with the power
        self.oracle.dropped(name, content, container_of(content, settings))
        self.disk.write(file, content)
        self.disk.sync(file)
        file.writers -= 1
        return True

    def _consume(self) -> None:
        while True:
            self.turns.sleep(self._dice.choice((0.05, 1.0)))
            for path, file in list(self.disk.files("outbox")):
                self._take(path, file)

    def _take(self, path: str, file: File) -> None:
        if is_hidden(path):
            return
        self._say(f"consumer takes {path}")
        self.oracle.took(path, file)
        self.disk.remove(path)
        self.disk.sync_folder(self.disk.folder(path.rpartition("/")[0]))

    def _named(self, path: str, file: File) -> None:
        if path.startswith("outbox/") and self._fate.random() < self.plan.eager:
            self._take(path, file)
