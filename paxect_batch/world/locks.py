"""Locks between nodes and runs: one run for each node, one node for each item.

What holds between machines are leases and claims, which are marker files. Between runs
of one node on one machine a lock of the operating system does, by filelock: it ends
with its process, so that a node may begin again at once. Nothing rests on these locks
but speed and order.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from paxect_batch.model.errors import ConfigError, NotReady
from paxect_batch.model.leases import Lease, Over, Word
from paxect_batch.seams import Applicant, Claim
from paxect_batch.world.batch_choice import is_last, join_batch
from paxect_batch.world.claims import ClaimFiles
from paxect_batch.world.held_claim import HeldClaim
from paxect_batch.world.keeper import Keeper, is_over
from paxect_batch.world.lease_judge import (
    LEASE_SECONDS,
    Silence,
    beat_seconds,
    is_same_system,
    mixture,
    refusal,
)
from paxect_batch.world.leases import LeaseFiles, parse
from paxect_batch.world.machine import is_running, this_machine, user_id

if TYPE_CHECKING:
    from filelock import BaseFileLock


class FileLocks:
    """See `seams.Locks`. `now` is the share's clock."""

    def __init__(
        self,
        state_folder: str | bytes,
        *,
        now: Callable[[], float] = time.time,
        lease_seconds: float = LEASE_SECONDS,
        run_lock: str | None = None,
    ) -> None:
        """`run_lock` is the file that this machine's runs of the node lock."""
        self._folder = os.fsdecode(state_folder)
        self._claims = ClaimFiles(self._folder, now=now)
        self._leases = LeaseFiles(self._folder)
        self._seconds = lease_seconds
        self._run_lock_path = run_lock
        self._run_lock: BaseFileLock | None = None
        self._keeper: Keeper | None = None
        self._ended: list[Over] = []

    def join(self, applicant: Applicant) -> str:
        """See `seams.Locks`."""
        node = applicant.node
        if node in ("", ".", "..") or any(letter in node for letter in "/\\\0"):
            raise OSError(errno.EINVAL, "not a name of a node", node)
        self._look()
        self._lock_run(node)
        try:
            return self._join(applicant)
        except BaseException:
            self._unlock_run()
            raise

    def leave(self, *, unfinished: bool = False) -> bool:
        """See `seams.Locks`."""
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return False
        try:
            keeper.stop()
            if unfinished:
                return False
            own = keeper.own
            with contextlib.suppress(OSError):
                # Before the lease goes, or these would be taken for somebody else's.
                if not keeper.lost:
                    self._claims.remove_all_of(own.run)
                with contextlib.suppress(OSError):
                    # What this cannot sweep of others the next one does.
                    self._sweep(own, lives=not keeper.lost)
                if not keeper.lost:
                    self._leases.leave(own)
            with contextlib.suppress(OSError):
                return is_last(own, self._leases, wait=self._sleep)
            return False
        finally:
            self._unlock_run()

    def claim(self, key: str) -> HeldClaim | None:
        """See `seams.Locks`."""
        keeper = self._keeper
        assert keeper is not None, "only who joined may claim"
        own = keeper.own
        if keeper.lost:
            return None
        if not self._claims.take(key, node=own.node, run=own.run):
            keeper.look_soon()
            return None
        return HeldClaim(self._claims, key, keeper)

    def seems_taken(self, key: str) -> bool:
        """See `seams.Locks`."""
        is_taken = self._claims.seem_to_have(key)
        keeper = self._keeper
        if is_taken and keeper and self._claims.is_held_long(key, self._seconds):
            # Of a run that was buried, or killed as it made it, it would be for ever.
            try:
                owner = self._claims.owner(key)
            except PermissionError:
                return True  # another user's, who keeps it to himself
            living = {lease.run for lease in (keeper.own, *keeper.others)}
            if owner is None or owner[1] not in living:
                self._sweep(keeper.own)
        return is_taken

    def stands(self) -> bool:
        """See `seams.Locks`."""
        assert self._keeper is not None
        return self._keeper.stands()

    @property
    def is_lost(self) -> bool:
        """See `seams.Locks`."""
        return self._keeper is not None and self._keeper.lost

    def others(self) -> tuple[Lease, ...]:
        """See `seams.Locks`."""
        return self._keeper.others if self._keeper is not None else ()

    def has_unheard(self) -> bool:
        """See `seams.Locks`."""
        return self._keeper is not None and self._keeper.has_unheard

    def over(self) -> list[Over]:
        """See `seams.Locks`."""
        assert self._keeper is not None
        return self._keeper.take_over()

    def bury(self, over: Over) -> None:
        """See `seams.Locks`."""
        assert self._keeper is not None
        self._claims.remove_all_of(over.run)
        self._leases.bury(over, self._keeper.own.run)
        # Of who was killed, or lost power, some may be empty: nobody's, unless others
        # live. As long as the run is not buried it counts as one of them.
        self._sweep(self._keeper.own)

    def tell(self, word: Word, policy_sha256: str) -> None:
        """See `seams.Locks`."""
        if self._keeper is not None:
            self._keeper.tell(word, policy_sha256)

    def _look(self) -> None:
        """Raise `FileNotFoundError` for a share that is not there."""
        # Making folders on the way to a lock would make them on whatever is there.
        os.stat(self._folder)

    # -- one run of the node on this machine

    def _lock_run(self, node: str) -> None:
        # Imported here, for commands that lock nothing.
        from filelock import FileLock, Timeout

        path = self._run_lock_path or _default_run_lock(self._folder, node)
        lock = FileLock(path, thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise self.held_here(node, path) from None
        self._run_lock = lock

    def held_here(self, node: str, path: str) -> NotReady:
        """Return the error for a run of the node on this machine."""
        return self.held(node, f"on this machine (lock {path!r})")

    def held(self, node: str, where: str) -> NotReady:
        """Return the error for a node that another run is."""
        return NotReady(
            f"another run holds node {node!r} {where}; nothing was changed; wait for "
            "it, or give this one another --node"
        )

    def _unlock_run(self) -> None:
        lock, self._run_lock = self._run_lock, None
        if lock is not None:
            with contextlib.suppress(OSError):
                lock.release()

    # -- one machine for the node

    def _join(self, applicant: Applicant) -> str:
        lease = Lease(
            node=applicant.node,
            run=applicant.run,
            batch="",
            machine=this_machine(),
            seconds=self._seconds,
            since=applicant.since,
            codec=applicant.codec,
            policy_sha256=applicant.policy_sha256,
            allow_mixed=applicant.allow_mixed,
        )
        silence = Silence(look_seconds=beat_seconds(self._seconds))
        first: bytes | None = None
        unseen_seconds = 0.0
        while not self._leases.create(lease):
            paper = self._leases.read(lease.node)
            if paper is None:
                # Given back in between; or there and not to be had, as with a handle
                # that stays stale: the share's trouble, which a person must hear of.
                if unseen_seconds > self._seconds:
                    raise _unreadable(lease.node)
                unseen_seconds += self._wait(applicant)
                continue
            silent = silence.look(lease.node, paper, time.monotonic())
            if is_over(parse(paper), silent, own=lease):
                self._end(lease.node, paper, lease)
            elif _is_alive(paper, first, own=lease):
                raise self.held(lease.node, _where(paper))
            else:
                first = first or paper
                self._wait(applicant)
        keeper = Keeper(self._leases, lease)
        try:
            self._meet(lease, silence, applicant)
            ended, self._ended = self._ended, []
            keeper.take(ended)
            keeper.start()
            batch = join_batch(
                keeper,
                self._leases,
                self._claims,
                wait=lambda: self._wait(applicant),
            )
            self._sweep(lease)
        except BaseException:
            keeper.stop()
            self._leases.leave(lease)
            raise
        self._keeper = keeper
        return batch

    def _meet(self, own: Lease, silence: Silence, applicant: Applicant) -> None:
        """Raise if a node that lives does not suit; end those that are over."""
        first: dict[str, bytes] = {}
        while True:
            unsure = False
            for node, paper in self._leases.papers(fresh=True):
                if node == own.node or paper is None:
                    continue
                other = parse(paper)
                silent = silence.look(node, paper, time.monotonic())
                if is_over(other, silent, own=own):
                    # Another user's stays with him, as what he claimed.
                    with contextlib.suppress(PermissionError):
                        self._end(node, paper, own)
                    continue
                if other is None:
                    continue
                refused = refusal(own, [other])
                mixed = "" if own.allow_mixed else mixture(own, [other])
                if not refused and not mixed:
                    continue
                if not _is_alive(paper, first.get(node), own=own):
                    # A lease that does not suit may be that of a machine that is gone.
                    first.setdefault(node, paper)
                    unsure = True
                elif refused:
                    raise NotReady(refused)
                else:
                    raise ConfigError(
                        f"{mixed}; nothing was changed; or mix them on purpose with "
                        "--allow-mixed"
                    )
            if not unsure:
                return
            self._wait(applicant)

    def _end(self, node: str, paper: bytes, own: Lease) -> None:
        over = self._leases.end(node, paper, own.run)
        if over is not None:
            self._ended.append(over)

    def _wait(self, applicant: Applicant) -> float:
        if applicant.is_stopping():
            raise NotReady(
                f"stopped while it was waiting for node {applicant.node!r} of an "
                "earlier run to be over; nothing was changed"
            )
        return self._sleep()

    def _sleep(self) -> float:
        seconds = beat_seconds(self._seconds) / 2
        time.sleep(seconds)
        return seconds

    def _sweep(self, own: Lease, *, lives: bool = True) -> None:
        """Remove claims that nobody has, not even a run that is yet to be buried.

        A run that slept may have made some after it was buried.
        """

        unread: set[str] = set()

        def living() -> set[str]:
            papers = dict(self._leases.papers(fresh=True))
            unread.update(node for node, paper in papers.items() if paper is None)
            found = (paper for paper in papers.values() if paper is not None)
            leases = [parse(paper) for paper in found]
            # After the leases, which move there.
            runs = {own.run} if lives else set()
            runs |= self._leases.over_runs()
            return runs | {lease.run if lease else "" for lease in leases}

        # Who makes a marker writes it at once; who froze in between is over by then.
        self._claims.sweep(living, self._seconds / 2, unread=unread)


def try_lock(path: str, *, soft: bool) -> Claim | None:
    """Take a lock of the operating system, or a soft one, to see what it is worth.

    None if it is held; `OSError` if there is no such lock here.
    """
    from filelock import FileLock, SoftFileLock, Timeout

    kind = SoftFileLock if soft else FileLock
    lock = kind(path, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    return _TriedLock(lock)


class _TriedLock:
    """See `seams.Claim`."""

    def __init__(self, lock: BaseFileLock) -> None:
        self._lock = lock

    def release(self) -> None:
        """See `seams.Claim`."""
        with contextlib.suppress(OSError):
            self._lock.release()

    def stands(self) -> bool:
        """See `seams.Claim`."""
        return self._lock.is_locked


def _is_alive(paper: bytes, first: bytes | None, *, own: Lease) -> bool:
    """Tell whether a lease is known to live: its process runs here, or it beat."""
    lease = parse(paper)
    if lease is None:
        return False
    if is_same_system(lease.machine, own.machine) and is_running(lease.machine):
        return True
    return first is not None and paper != first


def _where(paper: bytes) -> str:
    lease = parse(paper)
    if lease is None:
        return "on this share"
    return f"on machine {lease.machine.host!r}, process {lease.machine.pid}"


def _unreadable(node: str) -> OSError:
    return OSError(errno.ESTALE, os.strerror(errno.ESTALE), f"lease of node {node!r}")


def _default_run_lock(folder: str, node: str) -> str:
    """Return a path on this machine: a lock that a server keeps may outlive us."""
    text = f"{os.path.realpath(folder)}\0{node}"
    name = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:24]
    try:
        folder = tempfile.gettempdir()
    except FileNotFoundError as error:
        raise NotReady(
            "no folder for temporary files can be written to, so runs on this machine "
            "cannot be kept apart; nothing was changed; let TMPDIR name one that can"
        ) from error
    return os.path.join(folder, f"paxect-{user_id()}-{name}.lock")
