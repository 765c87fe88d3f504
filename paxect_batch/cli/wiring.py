"""The world of one run: share, locks, clock, pool, ledger, log, key, made to fit."""

from __future__ import annotations

import os
import secrets
import socket
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from paxect_batch.cli.kinds import rate_bytes
from paxect_batch.cli.layout import Layout
from paxect_batch.cli.policy_file import PolicyFile
from paxect_batch.cli.progress import Progress
from paxect_batch.cli.settings import Settings, environment
from paxect_batch.model.events import Event, EventLine
from paxect_batch.model.moments import utc
from paxect_batch.model.nodes import NodeManifest
from paxect_batch.model.pace import PaceStep
from paxect_batch.model.places import Place, Root, printable
from paxect_batch.relay.scan import root_of
from paxect_batch.report.log_formats import encoder_of
from paxect_batch.seams import Beside, Executor
from paxect_batch.world.beside import OneBeside
from paxect_batch.world.clock import RealClock
from paxect_batch.world.descriptors import raise_limit
from paxect_batch.world.event_log import JsonlEventLog
from paxect_batch.world.gauges import SystemGauges
from paxect_batch.world.hands import hands_beside
from paxect_batch.world.keys import EnvironmentKeys
from paxect_batch.world.ledger import FileLedger
from paxect_batch.world.load import Load, be_nice
from paxect_batch.world.locks import FileLocks
from paxect_batch.world.pool import WORKER_COMMAND, WorkerPool
from paxect_batch.world.share import LocalShare
from paxect_core import CODEC_VERSION, __version__

if TYPE_CHECKING:
    from paxect_batch.world.bell import FolderBell

TOLD = frozenset(
    {
        Event.SHARE_TROUBLE,
        Event.TAKE_OVER,
        Event.MIXED,
        Event.SHARE_BACK,
        Event.POLICY_REFUSED,
        Event.POLICY_CHANGED,
        Event.LEDGER_TORN,
        Event.WORKER_DIED,
        Event.BIAS,
        Event.HANDSHAKE_REJECT,
        Event.HANDSHAKE_PARSE_ERROR,
        Event.PATH_OUTSIDE_INBOX,
    }
)
"""Events that are said on standard error too; items' troubles come as problems."""


class World:
    """All that a run needs but the relay itself; leaving it ends what it started."""

    def __init__(
        self,
        settings: Settings,
        layout: Layout,
        policy: PolicyFile,
        progress: Progress,
        *,
        watch: bool = False,
        dry: bool = False,
    ) -> None:
        raise_limit()
        be_nice(settings.nice)
        self._settings = settings
        self._layout = layout
        self._start = time.monotonic()
        self.started = utc(time.time())
        self.run = new_run()
        self.earlier_runs: list[str] = []
        """Ids under which it recorded before it began anew."""
        self.key = EnvironmentKeys(environment(), settings.hmac_key_file).hmac_key()
        self.clock = RealClock()
        self.load = Load()
        self.workers = settings.workers or self.load.cores()
        self.bell = _bell(settings, layout) if watch else None
        self.share = LocalShare(
            layout.roots,
            heed=None if self.bell is None else self.bell.heed,
            hands=lambda: hands_beside(len(self.locks.others())),
        )
        self.locks = FileLocks(
            layout.roots[Root.STATE],
            now=self.share.now,
            lease_seconds=layout.lease_seconds,
        )
        rate = rate_bytes(settings.max_rate or "")
        pool = WorkerPool(
            layout.roots,
            self.workers,
            command=WORKER_COMMAND if rate is None else (*WORKER_COMMAND, str(rate)),
        )
        self.executor: Executor = pool
        progress.worked_bytes = pool.worked_bytes
        self.beside: Beside = OneBeside()
        self.gauges = SystemGauges(layout.roots, workers=pool.pids)
        self._log: JsonlEventLog | None = None
        if not dry:
            self._log = self._open_log(policy, progress)
        self.events = Told(self._log, progress, policy)
        self.ledger = self._new_ledger()

    def __enter__(self) -> World:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.executor.stop()
        self.beside.stop()
        self.ledger.close()
        if self.bell is not None:
            self.bell.close()
        if self._log is not None:
            self._log.close()

    def begin_anew(self) -> None:
        """Let what comes be another run, with a ledger of its own."""
        self.ledger.close()
        if self.ledger.offset():
            self.earlier_runs.append(self.run)
        self.run = new_run()
        self.ledger = self._new_ledger()
        if self._log is not None:
            self._log.run = self.run

    def tell_events(self, observer: Callable[[EventLine, bool], None]) -> None:
        """Tell of each event as it comes, and whether the log takes it."""
        if self._log is not None:
            self._log.observer = observer

    def reopen_log(self) -> None:
        """Let the next event go to a new file, as after a rotation by others."""
        if self._log is not None:
            self._log.reopen()

    def duration_seconds(self) -> float:
        """Return how long the run has lasted."""
        return time.monotonic() - self._start

    def manifest(self, policy: PolicyFile) -> NodeManifest:
        """Return what this node says of itself."""
        roots = self._layout.roots
        return NodeManifest(
            datetime_utc=self.started,
            node=self._settings.node,
            platform=sys.platform,
            policy=printable(policy.origin),
            inbox=printable(roots[Root.INBOX]),
            outbox=printable(roots[Root.OUTBOX]),
            version=__version__,
            codec=CODEC_VERSION,
            policy_sha256=policy.sha256,
            host=socket.gethostname(),
            pid=os.getpid(),
        )

    def _open_log(self, policy: PolicyFile, progress: Progress) -> JsonlEventLog:
        node = self._settings.node
        return JsonlEventLog(
            self._settings.log or self._layout.log(node),
            level=policy().log_level,
            rotate_bytes=self._settings.log_bytes_max,
            version=__version__,
            node=node,
            run=self.run,
            clock=self.clock,
            complain=progress.notice,
            encode=encoder_of(self._settings.log_format),
        )

    def _new_ledger(self) -> FileLedger:
        return FileLedger(
            self.share, self._settings.node, self.run, on_torn=self._note_torn
        )

    def _note_torn(self, ledger: Place, offset: int) -> None:
        self.events.write(
            Event.LEDGER_TORN,
            src=str(ledger),
            status="warning",
            message=f"the line at byte {offset} is no record and was left out",
        )


def _bell(settings: Settings, layout: Layout) -> FolderBell | None:
    from paxect_batch.world.bell import hang_bell

    roots = {root: os.fsencode(path) for root, path in layout.roots.items()}
    return hang_bell(roots, {root_of(each) for each in settings.direction.directions})


def new_run() -> str:
    """Return an id for a run that begins now."""
    moment = datetime.now(UTC)
    # Sorted by name, runs are in the order in which they began.
    milliseconds = moment.microsecond // 1000
    return f"{moment:%Y%m%dT%H%M%S}{milliseconds:03}Z-{secrets.token_hex(3)}"


class Told:
    """An event log that tells a person of what concerns the whole run."""

    def __init__(
        self, log: JsonlEventLog | None, progress: Progress, policy: PolicyFile
    ) -> None:
        self._log = log
        self._policy = policy
        self._progress = progress
        self.begun = 0
        """How often a run was let onto the share."""

    def write(
        self,
        event: Event,
        *,
        src: str = "",
        dst: str = "",
        status: str = "ok",
        message: str = "",
        pace: PaceStep | None = None,
    ) -> None:
        """See `seams.EventLog`. Without a log, as in a dry run, nothing is written."""
        if self._log is not None:
            if event is Event.POLICY_CHANGED:
                self._log.level = self._policy.in_force.log_level
            self._log.write(
                event, src=src, dst=dst, status=status, message=message, pace=pace
            )
        self.begun += event is Event.STARTUP
        if event in TOLD or (event is Event.PACE and status != "ok"):
            words = (event.replace("_", " "), src, message)
            self._progress.notice(": ".join(word for word in words if word))
