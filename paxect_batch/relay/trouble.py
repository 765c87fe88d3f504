"""Remember what failed with an item, and set it aside when it failed too often."""

from __future__ import annotations

import contextlib
import errno
import math
from collections.abc import Callable

import msgspec

from paxect_batch.model.errors import BatchError, ShareError
from paxect_batch.model.events import Event
from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.places import Place, Root, printable, quarantine_folder
from paxect_batch.model.policy import OnCollision, Policy
from paxect_batch.model.records import Record
from paxect_batch.model.transfer import Attempts, Failure, Outcome, Task
from paxect_batch.relay import state
from paxect_batch.relay.account import Account
from paxect_batch.relay.admit import Admitter
from paxect_batch.relay.record import Recorder
from paxect_batch.relay.set_aside import set_aside
from paxect_batch.relay.settle import run_over
from paxect_batch.rules.remedies import remedy
from paxect_batch.rules.retry import NO_ROOM, after_failure, is_exhausted, until_room
from paxect_batch.seams import EventLog, Ledger, Share
from paxect_batch.work.outcomes import is_full, lacks_room
from paxect_batch.work.sources import look_at_source

_RUN_AGAIN = " and run again"
COLLISION = "collision"
_ROOM_BYTES_MIN = 16 << 20
"""A disk with less than that is full, for whatever comes."""
_OF_THE_MACHINE = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""What a worker ran out of says nothing of its item."""


class Trouble:
    """Deals with the failures of items in one run."""

    def __init__(
        self,
        share: Share,
        ledger: Ledger,
        events: EventLog,
        recorder: Recorder,
        account: Account,
        *,
        node: str,
        run: str,
        stamp: Callable[[], str],
        stands: Callable[[], bool],
    ) -> None:
        self._stands = stands
        self._share = share
        self._ledger = ledger
        self._events = events
        self._recorder = recorder
        self._account = account
        self._node = node
        self._run = run
        self._stamp = stamp
        self._owed: list[Record] = []
        """Of what was set aside, as long as the share refuses to record it."""

    def no_room(self, task: Task, outcome: Outcome) -> str:
        """Return why there was no room for this item alone; empty if it is not so."""
        if not lacks_room(outcome):
            return ""
        encodes = task.direction is Direction.ENCODE
        needed = task.identity.size if encodes else outcome.raw_bytes
        takes = f"it takes {'up to' if encodes else 'more than'} {needed:,} bytes"
        if outcome.errno == errno.EFBIG:
            return (
                f"{takes}, which is more than a file of {_root_to(task)} may have, by "
                "its file system or by a limit of this user (ulimit -f)"
            )
        free = self._share.free_bytes(task.stage.root)
        if free < _ROOM_BYTES_MIN or (outcome.code != NO_ROOM and needed <= free):
            return ""
        return (
            f"{takes}, and the disk of {_root_to(task)} has room for {free:,}, the "
            "last of which is left to others"
        )

    def check_share(self, task: Task, outcome: Outcome) -> None:
        """Raise `ShareError` if it is the share that failed, not this item alone.

        `RunOver` if it failed because others took this run for dead, and swept it.
        """
        if not self._stands():
            raise run_over(state.Owner(self._node, self._run))
        problem, number = outcome.detail, outcome.errno
        if not is_full(outcome) and outcome.errno not in _OF_THE_MACHINE:
            # Where it was read, and staged: both may be on file systems of their own.
            probe = task.stage.beside(".paxect-probe.tmp")
            try:
                look_at_source(self._share, task.source)
                self._share.write(probe, b"probe\n")
                self._share.remove(probe)
            except OSError as error:
                problem = error.strerror or str(error)
                number = error.errno or number
            else:
                return
        raise ShareError(
            f"{problem} ({task.source}, to {_root_to(task)}); items are as they were; "
            f"{remedy(number)}{_RUN_AGAIN}",
            errno=outcome.errno,
        )

    def failed(
        self,
        admitter: Admitter,
        policy: Policy,
        *,
        direction: Direction,
        source: Place,
        identity: Identity,
        code: str,
        detail: str,
        exit_code: int,
        final: bool = False,
    ) -> None:
        """Note a failure; wait, or set the item aside, as the policy says."""
        key = state.key_of(direction, source)
        failure = Failure(self._share.now(), self._node, code, detail, exit_code)
        previous = None
        if admitter.has_trouble(key):
            previous = state.load_attempts(self._share, key)
        attempts = after_failure(
            previous,
            direction=direction,
            source=source,
            identity=identity,
            failure=failure,
            policy=policy,
        )
        if code == NO_ROOM:
            attempts = until_room(attempts)
        if final or (code == COLLISION and _sets_collisions_aside(policy)):
            attempts = msgspec.structs.replace(attempts, next_at=math.inf)
        self._account.standing.exit_codes.add(exit_code)
        self._log(direction, source, failure)
        if not is_exhausted(attempts):
            state.save_paper(self._share, state.attempts_place(key), attempts)
            admitter.troubled(key)
            self._account.wait(identity.size)
            return
        self._give_up(admitter, policy, attempts)

    def record(self) -> None:
        """Write down what was set aside and is not recorded yet."""
        if self._owed:
            self._ledger.append(self._owed)
            self._owed.clear()

    def _give_up(self, admitter: Admitter, policy: Policy, attempts: Attempts) -> None:
        key = state.key_of(attempts.direction, attempts.source)
        at = self._stamp()
        identifier: str | None = ""
        if policy.quarantine:
            encodes = attempts.direction is Direction.ENCODE
            identifier = set_aside(
                self._share,
                attempts,
                node=self._node,
                run=self._run,
                stands=self._stands,
                marker=policy.ready_marker if encodes else "",
            )
        if identifier is None:
            # What failed is gone; what lies there now, if anything, begins anew.
            self._share.remove(state.attempts_place(key))
            if look_at_source(self._share, attempts.source) is not None:
                self._account.wait(attempts.identity.size)
            return
        if identifier:
            # Of what is not there any more it is swept.
            with contextlib.suppress(OSError):
                self._share.remove(state.attempts_place(key))
        else:
            state.save_paper(self._share, state.attempts_place(key), attempts)
            admitter.troubled(key)
        # From here on it counts as that, whatever fails.
        self._owed.append(
            self._recorder.set_aside(attempts, quarantine=identifier, at=at)
        )
        with contextlib.suppress(OSError):
            self.record()
        last = attempts.failures[-1]
        aside = str(quarantine_folder(identifier)) if identifier else ""
        self._account.set_aside(attempts.identity.size, moved=bool(identifier))
        self._events.write(
            Event.SET_ASIDE,
            src=str(attempts.source),
            dst=aside,
            status="set_aside",
            message=f"{last.code} after {len(attempts.failures)} attempt(s); "
            + (f"it is in {aside}" if aside else "it stays there"),
        )

    def _log(self, direction: Direction, source: Place, failure: Failure) -> None:
        if failure.code == "checksum_mismatch":
            event = Event.CHECKSUM_MISMATCH
        elif failure.code == COLLISION:
            event = Event.COLLISION
        elif direction is Direction.ENCODE:
            event = Event.ENCODE_ERROR
        else:
            event = Event.DECODE_ERROR
        text = failure.detail or failure.code
        self._account.problem(f"{source}: {text}")
        self._events.write(event, src=str(source), status="error", message=text)


def _sets_collisions_aside(policy: Policy) -> bool:
    return policy.on_collision is OnCollision.QUARANTINE


def told_by_watch(error: ShareError) -> str:
    """Return what to say of it where the run goes on by itself."""
    mended = error.message.removesuffix(_RUN_AGAIN)
    if mended == error.message:
        return mended
    return mended.rstrip(",") + ", and the run goes on"


def share_error(error: OSError | BatchError) -> ShareError:
    """Return the error that ends or pauses a run, whatever was raised."""
    if isinstance(error, ShareError):
        return error
    if isinstance(error, BatchError):
        return ShareError(error.message)
    names = [str(name) for name in (error.filename, error.filename2) if name]
    where = f" ({printable(' -> '.join(names))})" if names else ""
    return ShareError(
        f"the share gave {error.strerror or error}{where}; items are as they were; "
        f"{remedy(error.errno)}{_RUN_AGAIN}",
        errno=error.errno or 0,
    )


def _root_to(task: Task) -> Root:
    return Root.WIRE if task.direction is Direction.ENCODE else Root.OUTBOX
