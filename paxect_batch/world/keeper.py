"""Keep a lease alive, and watch those of others: a thread beside the relay.

What it finds is looked at by the relay in its own time; it changes nothing on the share
but leases.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Iterable

import msgspec

from paxect_batch.model.leases import Lease, Over, Word
from paxect_batch.world.clock import lasting
from paxect_batch.world.lease_judge import Silence, beat_seconds, is_same_system
from paxect_batch.world.leases import LeaseFiles, LeaseGone, parse
from paxect_batch.world.machine import has_ended, is_running
from paxect_batch.world.threads import start_thread

_FIRST_LOOKS = 4
_SOON_BEATS = 0.1
"""How long after a look another one is worth while, when somebody was met."""


class Keeper:
    """Keeps one lease, which was just created."""

    def __init__(self, files: LeaseFiles, lease: Lease) -> None:
        self._files = files
        self._own = lease
        self._beats = [lease.beat]
        """The one that was written last, and those that may have been since."""
        self._word, self._policy_sha256 = lease.word, lease.policy_sha256
        self._step = beat_seconds(lease.seconds)
        self._silence = Silence(look_seconds=self._step)
        self._guard = threading.Lock()
        """Held while the lease is read or written, which would meet torn otherwise."""
        self._stop = False
        self._wake = threading.Event()
        self._looked = -math.inf
        self._stood = -math.inf
        """When the share said last that the lease is this run's."""
        self._over: list[Over] = []
        self._mine: set[str] = set()
        """The runs that were ever this one's business."""
        self._bereft: set[str] = set()
        """The nodes whose lease this run ended, and whose other runs it must find."""
        self._others: tuple[Lease, ...] = ()
        self._unheard = False
        self._failed_since: dict[str, float] = {}
        """Since when each node could not be looked at."""
        self._met: dict[str, OSError] = {}
        """What the last look at each node met, if it failed."""
        self.lost = False
        """Whether somebody else ended the lease, or has it."""
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    @property
    def own(self) -> Lease:
        """The lease as it was written last."""
        return self._own

    @property
    def others(self) -> tuple[Lease, ...]:
        """The leases of the other nodes that live, as they were seen last."""
        return self._others

    @property
    def has_unheard(self) -> bool:
        """Whether a lease may be over, or is, and nothing was made of that yet."""
        return self._unheard or bool(self._over)

    def start(self) -> None:
        """Look at the others once, then go on doing so; `NoWorkers` if it cannot."""
        for _ in range(_FIRST_LOOKS):
            self.look_around()
            if not self._met:
                break
            # An SMB client may not read what is written in that instant.
            time.sleep(self._step / 4)
        for error in self._met.values():
            # Who may live and is not known would pass for gone.
            if not isinstance(error, PermissionError):
                raise error
        self.find_orphans()
        start_thread(self._thread.start, "to keep the lease of this node alive")

    def stop(self) -> None:
        """Beat no more."""
        self._stop = True
        self._wake.set()
        if self._thread.is_alive():
            # Longer only where the mount hangs, which must not keep the run.
            self._thread.join(self._step * 5)

    def tell(self, word: Word, policy_sha256: str) -> None:
        """Say this with the next beat, and by which policy the run works now."""
        self._word, self._policy_sha256 = word, policy_sha256

    def look_soon(self) -> None:
        """Look around before the next beat: somebody was met."""
        if time.monotonic() - self._looked >= self._step * _SOON_BEATS:
            self._wake.set()

    def join_batch(self, batch: str) -> None:
        """Belong to that batch from now on."""
        with self._guard:
            self._write(msgspec.structs.replace(self._own, batch=batch))

    def take(self, runs: Iterable[Over]) -> None:
        """Make these runs this one's business; none of them may be it already."""
        for over in runs:
            self._mine.add(over.run)
            self._over.append(over)

    def take_over(self) -> list[Over]:
        """Return the runs whose business is this one's since the last call."""
        over, self._over = self._over, []
        return over

    def stands(self, *, within_seconds: float = 0.0) -> bool:
        """Ask the share whether the lease is still this run's.

        Unless it said so `within_seconds`.
        """
        if not self.lost:
            with self._guard:
                now = lasting()
                if now - self._stood < within_seconds:
                    return True
                try:
                    self._files.look(self._own)
                except LeaseGone:
                    self.lost = True
                else:
                    self._stood = now
        return not self.lost

    def _keep(self) -> None:
        next_beat = time.monotonic() + self._step
        while not self.lost:
            self._wake.wait(next_beat - time.monotonic())
            self._wake.clear()
            if self._stop:
                return
            # A share in trouble shows in the relay's own steps; without a beat others
            # take over, and then the lease is found lost.
            if time.monotonic() >= next_beat:
                next_beat = time.monotonic() + self._step
                with contextlib.suppress(OSError):
                    self._beat()
            with contextlib.suppress(OSError):
                self.look_around()

    def _beat(self) -> None:
        with self._guard:
            said = msgspec.structs.replace(
                self._own, word=self._word, policy_sha256=self._policy_sha256
            )
            self._write(said)

    def _write(self, lease: Lease) -> None:
        now = msgspec.structs.replace(lease, beat=self._beats[-1] + 1)
        try:
            self._files.beat(now, beats=self._beats)
        except LeaseGone:
            self.lost = True
        except OSError:
            # It may be there all the same, and is this run's then.
            self._beats.append(now.beat)
            raise
        else:
            self._own = now
            self._beats = [now.beat]

    def look_around(self) -> None:
        """See who lives; end the leases of those who do not."""
        self._looked = time.monotonic()
        before = {lease.node: lease for lease in self._others}
        living = []
        has_unheard = False
        for node in self._files.nodes():
            if node == self._own.node:
                continue
            try:
                lease, is_unheard = self._look_at(node)
                self._failed_since.pop(node, None)
                self._met.pop(node, None)
            except OSError as error:
                self._met[node] = error
                # It cannot be judged now, if ever, which must not keep the others.
                lease, is_unheard = before.get(node), self._may_be_judged(node, error)
            has_unheard |= is_unheard
            if lease is not None:
                living.append(lease)
        self._others = tuple(living)
        self._unheard = has_unheard
        self._adopt({lease.run for lease in living})
        for node in sorted(self._bereft):
            # While the lease was there, runs before it were its run's to recover.
            self.take(self._files.orphans(node, self._own))
            self._bereft.discard(node)

    def _may_be_judged(self, node: str, error: OSError) -> bool:
        """Tell whether to wait for a lease that cannot be read, or ended, just now.

        Not for one that another user keeps to himself, nor for ever.
        """
        now = time.monotonic()
        since = self._failed_since.setdefault(node, now)
        return now - since < self._own.seconds and not isinstance(
            error, PermissionError
        )

    def _is_sure(self) -> bool:
        """Tell whether nobody lives who could not be looked at just now."""
        now = time.monotonic()
        return all(
            now - since >= self._own.seconds for since in self._failed_since.values()
        )

    def _look_at(self, node: str) -> tuple[Lease | None, bool]:
        """Return a node's lease, if it lives, and whether it was not heard yet."""
        paper = self._files.read(node)
        if paper is None:
            self._silence.forget(node)
            return None, False
        lease = parse(paper)
        silent = self._silence.look(node, paper, time.monotonic())
        if is_over(lease, silent, own=self._own):
            self._end(node, paper)
            return None, False
        is_heard = self._silence.has_heard(node) or self._runs_here(lease)
        return lease, not is_heard

    def find_orphans(self) -> None:
        """See to runs that promised, and of whose end nothing is known."""
        for node in self._files.promisers():
            if node != self._own.node:
                self.take(self._files.orphans(node, self._own))
        self._files.forget_nameless()

    def _runs_here(self, lease: Lease | None) -> bool:
        return (
            lease is not None
            and is_same_system(lease.machine, self._own.machine)
            and is_running(lease.machine)
        )

    def _end(self, node: str, paper: bytes) -> None:
        over = self._files.end(node, paper, self._own.run)
        self._silence.forget(node)
        if over is not None:
            self.take([over])
        if over is not None or parse(paper) is None:
            self._bereft.add(node)

    def _adopt(self, living: set[str]) -> None:
        """Take over what nobody else sees to."""
        for over, rescuer in list(self._files.over()):
            if rescuer == self._own.run:
                if over.run not in self._mine:
                    # A call that failed had its way all the same.
                    self._files.make_durable(over)
                    self.take([over])
                    self._bereft.add(over.node)
            elif (
                rescuer not in living
                and self._is_sure()
                and self._files.adopt(over, rescuer, self._own.run)
            ):
                self.take([over])


def is_over(lease: Lease | None, silent_seconds: float, *, own: Lease) -> bool:
    """Tell whether a lease is over after that silence; None is one without content."""
    if lease is None:
        return silent_seconds >= own.seconds
    if is_same_system(lease.machine, own.machine) and has_ended(lease.machine):
        return True
    return silent_seconds >= lease.seconds
