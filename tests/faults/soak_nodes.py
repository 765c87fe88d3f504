"""The nodes of a soak, one process each at a time, and what is done to them.

Every life's end is looked at: its exit code, its audit line, and that it said nothing
that a program says when it breaks.
"""

from __future__ import annotations

import contextlib
import json
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import psutil
from relayed_share import AUDIT, RelayedShare, workers_of

STEADY = "node0"
"""The node that is never killed nor stopped, so that what leaks in it adds up."""
_END_SECONDS_MAX = 300.0
_DRAIN_ONE_IN = 4
_ENDED_ORDERLY = (0, 1, 4, 130, 143)
"""4 where it met a file on the wire that is no container."""
_WAITED = "stopped while it was waiting"
_MISHAPS = ("Traceback", "Exception ignored", "Fatal Python error")


class Life:
    """One process of a node."""

    def __init__(self, share: RelayedShare, node: str, words: list[str], out: Path):
        self.node = node
        self.frozen_until = 0.0
        self.was_killed = False
        self._out, self._err = out.with_suffix(".out"), out.with_suffix(".err")
        with open(self._out, "wb") as stdout, open(self._err, "wb") as stderr:
            self.process = subprocess.Popen(
                share.command(words[0], "--node", node, *words[1:]),
                env=share.environment(),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )

    @property
    def is_frozen(self) -> bool:
        return self.frozen_until > 0

    def kill(self) -> None:
        self.was_killed = True
        self.process.kill()

    def freeze(self, seconds: float, *, workers: bool) -> None:
        """Stop it for that long, with its workers or without."""
        self.frozen_until = time.monotonic() + seconds
        self._signal(signal.SIGSTOP, workers=workers)

    def thaw(self) -> None:
        self.frozen_until = 0.0
        self._signal(signal.SIGCONT, workers=True)

    def _signal(self, number: int, *, workers: bool) -> None:
        for each in workers_of(self.process) if workers else ():
            with contextlib.suppress(psutil.Error):
                each.send_signal(number)
        self.process.send_signal(number)

    def said(self) -> str:
        """Return what it said on standard error so far."""
        return self._err.read_text(errors="surrogateescape")

    def problems(self) -> list[str]:
        """Tell what was wrong with a process that ended."""
        said, code = self.said(), self.process.returncode
        found = [f"said {word!r}" for word in _MISHAPS if word in said]
        if self.was_killed:
            if code not in (-signal.SIGKILL, *_ENDED_ORDERLY):
                found.append(f"killed, it ended with {code}")
        elif code in _ENDED_ORDERLY:
            found += self._audit_problems(code)
        elif code == -signal.SIGTERM and not said and not self._out.stat().st_size:
            pass  # it was stopped before it had begun
        elif not (code == 75 and _WAITED in said):
            found.append(f"exit code {code}")
        return [f"{self.node}: {text}; it said: {said[-2000:]}" for text in found]

    def _audit_problems(self, code: int) -> list[str]:
        lines = self._out.read_text(errors="surrogateescape").splitlines()
        if not lines or not lines[-1].startswith(AUDIT):
            return [f"no audit line, exit code {code}"]
        audit = json.loads(lines[-1].removeprefix(AUDIT))
        parts = ("delivered", "set_aside", "blocked", "waiting")
        found = [
            f"the sum of {unit} does not close: {lines[-1]}"
            for unit in ("files", "bytes")
            if audit["seen"][unit] != sum(audit[part][unit] for part in parts)
        ]
        if audit["exit_code"] != code:
            found.append(f"exit code {code}, the audit says {audit['exit_code']}")
        if audit["bias_flags"]:
            found.append(f"containers differ: {lines[-1]}")
        return found

    def forget(self) -> None:
        """Remove what it said."""
        self._out.unlink()
        self._err.unlink()


class Nodes:
    """All nodes of a soak."""

    def __init__(
        self, share: RelayedShare, ground: Path, *, names: list[str], seed: int
    ) -> None:
        self._share = share
        self._ground = ground
        self._dice = random.Random(seed)
        self._names = names
        self._returns: dict[str, float] = dict.fromkeys(names, 0.0)
        """When a node that is down comes back."""
        self._numbers = 0
        self.lives: dict[str, Life] = {}
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []

    def turn(self) -> None:
        """Thaw and start who is due, and look at who ended."""
        now = time.monotonic()
        for node, life in list(self.lives.items()):
            if life.is_frozen and now >= life.frozen_until:
                life.thaw()
            if life.process.poll() is not None:
                self._look_at(life)
                del self.lives[node]
        for node in self._names:
            if node not in self.lives and now >= self._returns[node]:
                self._start(node)

    def harm(self, lease_seconds: float) -> None:
        """Do something to one of them."""
        dice = self._dice
        awake = [each for each in self.lives.values() if not each.is_frozen]
        if not awake:
            return
        life = dice.choice(awake)
        acts = ["worker killed", "frozen", "frozen long", "frozen long"]
        if life.node != STEADY:
            acts += ["killed", "killed", "killed frozen", "stopped"]
        act = dice.choice(acts)
        self.counts[act] += 1
        workers = dice.random() < 0.5
        if act == "worker killed":
            for each in workers_of(life.process)[:1]:
                with contextlib.suppress(psutil.Error):
                    each.kill()
        elif act == "frozen":
            life.freeze(lease_seconds * dice.uniform(0.1, 0.9), workers=workers)
        elif act == "frozen long":
            life.freeze(lease_seconds * dice.uniform(1.1, 3.0), workers=workers)
        else:
            if act == "killed frozen":
                life.freeze(0.0, workers=workers)
            if act == "stopped":
                life.process.send_signal(signal.SIGTERM)
            else:
                life.kill()
            self._returns[life.node] = time.monotonic() + dice.uniform(
                0.0, 3 * lease_seconds
            )

    def recall(self) -> None:
        """Thaw everybody; have everybody come back at once."""
        for life in self.lives.values():
            if life.is_frozen:
                life.thaw()
        self._returns = dict.fromkeys(self._names, 0.0)

    def stop(self) -> None:
        """End all in an orderly way."""
        for life in self.lives.values():
            life.process.send_signal(signal.SIGTERM)
        for life in self.lives.values():
            try:
                life.process.wait(_END_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.wrong.append(f"{life.node} does not end; it said: {life.said()}")
                life.kill()
                life.process.wait()
            self._look_at(life)
        self.lives.clear()

    def drain(self, node: str) -> None:
        """Have a node drain the share to its end, alone."""
        self.lives[node] = life = self._begin(node, ["drain", "--wait"])
        try:
            life.process.wait(_END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.wrong.append(f"{node} drains for ever; it said: {life.said()}")
            life.kill()
            life.process.wait()
        self._look_at(life)
        del self.lives[node]

    def _start(self, node: str) -> None:
        drains = node != STEADY and self._dice.randrange(_DRAIN_ONE_IN) == 0
        words = ["drain"] if drains else ["watch", "--poll-seconds", "0.5"]
        if drains and self._dice.random() < 0.5:
            words.append("--wait")
        self.lives[node] = self._begin(node, words)

    def _begin(self, node: str, words: list[str]) -> Life:
        self._numbers += 1
        self.counts["started"] += 1
        out = self._ground / f"{node}-{self._numbers}"
        return Life(self._share, node, [*words, "--workers", "1"], out)

    def _look_at(self, life: Life) -> None:
        said = life.said()
        self.counts["begun anew"] += said.count("the node begins anew")
        self.counts["taken over"] += said.count("shows no life")
        problems = life.problems()
        self.wrong += problems
        if not problems:
            life.forget()
        if life.node not in (STEADY, "") and not life.was_killed:
            pause = self._dice.uniform(0.0, 2.0)
            self._returns[life.node] = max(
                self._returns[life.node], time.monotonic() + pause
            )
