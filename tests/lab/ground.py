"""One relayed share in a lab: drop files, run nodes on it, and look what came of it."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field

import drops
import oracle
from guest import Guest
from lab import SERVER, SHARE, SHARE_ON_SERVER, Lab
from oracle import Run

DRAIN_SECONDS_MAX = 1500.0
"""When a drain is said to hang."""

POLICY = 'version = "2"\nbackoff_seconds = 1.0\n'


@dataclass
class Job:
    """A drain that runs on a node."""

    lab: Lab
    node: str
    name: str
    guest: Guest
    ended: Future[int]

    def result(self) -> Run:
        """Wait for its end; `GuestLost` if its machine went first."""
        code = self.ended.result(DRAIN_SECONDS_MAX)
        folder = self.lab.folder / self.node
        texts = (folder / f"{self.name}.{end}" for end in ("out", "err"))
        out, err = (path.read_text(errors="replace") for path in texts)
        return Run(self.node, code, out, err)

    def runs(self) -> bool:
        """Tell whether it still does."""
        return not self.ended.done()

    def stop(self) -> None:
        """Tell it to stop, as a service manager would."""
        self.guest.do("signal", job=self.name, number=int(signal.SIGTERM))


@dataclass
class Ground:
    """A share of its own below the mount, seen by all nodes."""

    lab: Lab
    name: str
    policy: str = POLICY
    dropped: dict[str, str] = field(default_factory=dict)
    """The SHA-256 of each dropped file, by its path."""
    runs: list[Run] = field(default_factory=list)
    _jobs: int = 0
    _consumer: str = ""

    @property
    def folder(self) -> str:
        """Where nodes see it."""
        return f"{SHARE}/{self.name}"

    @property
    def on_server(self) -> str:
        """Where the file server has it."""
        return f"{SHARE_ON_SERVER}/{self.name}"

    def seen_by(self, guest: str) -> str:
        """Return where that guest sees it."""
        return self.on_server if guest == SERVER else self.folder

    def lay_out(self) -> None:
        """Make a share of it, from the first node."""
        node = self.lab[self.lab.nodes[0]]
        node.run(self.command("init", "--quiet"))
        path = f"{self.on_server}/.paxect/policy.toml"
        self.lab.server.do("write_text", path=path, text=self.policy)

    def drop(self, seed: int, count: int) -> None:
        """Have the file server put files into the inbox."""
        self.lab.server.do(
            "drop", inbox=f"{self.on_server}/inbox", seed=seed, count=count
        )
        self.dropped.update(drops.digests(seed, count))

    def command(self, verb: str, *words: str) -> str:
        """Return a shell command that runs the relay on this share."""
        relay = f"PYTHONPATH={self.lab.relay} {sys.executable} -m paxect_batch"
        return " ".join((relay, verb, self.folder, *words))

    def drain(self, node: str, *words: str) -> Job:
        """Start a drain on a node."""
        self._jobs += 1
        name = f"{self.name}-{self._jobs}"
        relay = (sys.executable, "-m", "paxect_batch", "drain", self.folder)
        options = ("--node", node, "--quiet", "--workers", "1", *words)
        guest = self.lab[node]
        guest.do(
            "start",
            job=name,
            words=[*relay, *options],
            environment={"PYTHONPATH": str(self.lab.relay)},
        )
        return Job(self.lab, node, name, guest, guest.ask("ended", job=name, wait=True))

    def finished(self, *jobs: Job) -> list[Run]:
        """Wait for drains to end, and keep what they told."""
        ended = [job.result() for job in jobs]
        self.runs += ended
        return ended

    def consume(self, guest: str = SERVER) -> None:
        """Begin to take whatever arrives, the moment it does."""
        self._consumer = guest
        place = self.seen_by(guest)
        self.lab[guest].do("consume", outbox=f"{place}/outbox", taken=f"{place}-taken")

    def arrived(self) -> list[tuple[str, str]]:
        """Return path and digest of all that was taken, or else lies in the outbox."""
        guest = self.lab[self._consumer or SERVER]
        act = "consumed" if self._consumer else "arrived"
        place = self.seen_by(self._consumer or SERVER)
        found = guest.do(act, outbox=f"{place}/outbox")
        self._consumer = ""
        return [(path, digest) for path, digest in found]

    def await_files(self, below: str, count: int, within: float = 300.0) -> bool:
        """Wait until that many files were seen in a folder of the share."""
        folder = f"{self.on_server}/{below}"
        seen = self.lab.server.do(
            "await_files", folder=folder, count=count, seconds=within
        )
        return bool(seen)

    def digests(self, *nodes: str) -> dict[str, str]:
        """Return the batch digest that each node gives."""
        return {
            node: json.loads(self.lab[node].run(self.command("manifest", "--json")))[
                "batch_digest"
            ]
            for node in nodes
        }

    def lose(self, node: str, within: float) -> Future[list[tuple[str, float]]]:
        """Take a node's power away, and begin to watch who takes what it had.

        Asked of the server, which sees its own disk as it is.
        """
        self.lab.kill(node)
        return self.watch_held(node, within)

    def watch_held(self, node: str, within: float) -> Future[list[tuple[str, float]]]:
        """Begin to watch who takes what a node has now."""
        return self.lab.server.ask(
            "await_gone", share=self.on_server, node=node, seconds=within
        )

    def faults(
        self, expected_digest: str, *nodes: str, stays: tuple[str, ...] = ()
    ) -> Iterator[str]:
        """Tell of all that is not as it must be, once a last drain is over.

        What `stays` begin the paths of is left there on purpose.
        """
        yield from oracle.arrivals(self.dropped, self.arrived())
        yield from oracle.sums(self.runs)
        yield from oracle.same_digest(expected_digest, self.digests(*nodes))
        crumbs = self.lab.server.do("crumbs", share=self.on_server)
        yield from oracle.left(path for path in crumbs if not path.startswith(stays))
