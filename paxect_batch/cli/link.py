"""`paxect-link`: the relay, configured and behaving as Link 1.2.0.

No arguments: environment variables, a policy file that is written if it is missing, a
lock file, a JSON Lines log, manifests in the working folder. What Link lost or let
through is not imitated: see docs/link.md for what is different, and why.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from paxect_batch.cli import console
from paxect_batch.cli.anew import serve
from paxect_batch.cli.apart import require_apart
from paxect_batch.cli.guard import explain, guarded
from paxect_batch.cli.link_files import (
    LINK_VERSION,
    LinkPolicyFile,
    peers,
    stamp,
    write_manifest,
)
from paxect_batch.cli.link_settings import LinkSettings, link_settings
from paxect_batch.cli.settings import environment
from paxect_batch.cli.stop import StopSignal
from paxect_batch.cli.wiring import new_run
from paxect_batch.model.errors import ConfigError, Exit, NotReady
from paxect_batch.model.events import Event
from paxect_batch.model.items import Mode
from paxect_batch.model.pace import PaceStep
from paxect_batch.model.places import Root, printable
from paxect_batch.model.run import RunOptions
from paxect_batch.relay.account import Account
from paxect_batch.relay.node import Node
from paxect_batch.report.audit import audit, audit_line, waiting
from paxect_batch.rules.exits import run_exit
from paxect_batch.rules.policy import policy_sha256
from paxect_batch.seams import Applicant
from paxect_batch.world.clock import RealClock
from paxect_batch.world.descriptors import raise_limit
from paxect_batch.world.event_log import JsonlEventLog, level_of
from paxect_batch.world.keys import EnvironmentKeys
from paxect_batch.world.ledger import FileLedger
from paxect_batch.world.load import Load
from paxect_batch.world.locks import FileLocks
from paxect_batch.world.pool import WorkerPool
from paxect_batch.world.share import LocalShare
from paxect_core import CODEC_VERSION, __version__


def main(words: list[str] | None = None) -> int:
    """Run until a signal; return the exit code."""
    console.prepare("paxect-link")
    console.ends_with_the_run = words is None
    words = sys.argv[1:] if words is None else words
    if not words:
        return guarded(lambda: _run(link_settings(environment())))
    return guarded(lambda: _answer(words))


def _answer(words: list[str]) -> int:
    if words[0] in ("-h", "--help"):
        console.say(HELP)
        return Exit.OK
    if words[0] == "--version":
        console.say(f"paxect-link {__version__}, as Link {LINK_VERSION}")
        return Exit.OK
    raise ConfigError(
        f"{words[0]!r} was given, and paxect-link takes no arguments; nothing was "
        "touched; set its environment variables, see paxect-link --help"
    )


HELP = """usage: paxect-link

Relays inbox and outbox as Link 1.2.0 does, until a signal stops it. It takes no
arguments; these environment variables configure it (defaults in brackets):

  PAXECT_LINK_INBOX [inbox]        PAXECT_LINK_POLICY [link_policy.json]
  PAXECT_LINK_OUTBOX [outbox]      PAXECT_LINK_MANIFEST [link_manifest.json]
  PAXECT_LINK_LOG [paxect_link_log.jsonl]
  PAXECT_LINK_LOCK [.paxect_link.lock]
  PAXECT_LINK_HMAC_KEY             the key that signs and checks manifests
  PAXECT_LINK_POLL_SEC [2.0]       PAXECT_LINK_BACKOFF_SEC [2.0]
  PAXECT_LINK_LOG_MAX [5242880]

examples:
  PAXECT_LINK_INBOX=/srv/in PAXECT_LINK_OUTBOX=/srv/out paxect-link
  PAXECT_LINK_POLL_SEC=0.5 paxect-link

exit codes:
  64   a variable or the policy cannot be meant; nothing was touched
  75   another instance holds the lock, or a folder cannot be made
  130, 143   stopped by Ctrl-C, by SIGTERM"""


def _run(settings: LinkSettings) -> int:
    node_name = socket.gethostname() or "localhost"
    if os.path.lexists(settings.policy):
        # One that cannot be meant is refused before anything is made.
        LinkPolicyFile(settings, node_name)
    roots = _make_folders(settings)
    raise_limit()
    policy = LinkPolicyFile(settings, node_name)
    key = EnvironmentKeys(environment()).hmac_key()
    clock = RealClock()
    started = time.monotonic()
    moment = datetime.now(UTC)
    share = LocalShare(roots)
    options = RunOptions(
        node=node_name,
        run=new_run(),
        mode=Mode.RELAY,
        watch=True,
        poll_seconds=settings.poll_sec,
        workers=Load().cores(),
        in_place=True,
    )
    log = JsonlEventLog(
        settings.log,
        level=policy().log_level,
        rotate_bytes=settings.log_max,
        version=LINK_VERSION,
        node=node_name,
        run=options.run,
        clock=clock,
        complain=console.complain,
    )
    events = _LinkEvents(log, roots, policy)
    executor = WorkerPool(roots, options.workers)
    ledger = FileLedger(share, node_name, options.run)
    earlier_runs: list[str] = []

    def let_in() -> None:
        write_manifest(settings, node_name, moment, key)
        _print_banner(settings, node_name)

    def begin_anew() -> None:
        nonlocal options, ledger
        ledger.close()
        if ledger.offset():
            earlier_runs.append(options.run)
        options = msgspec.structs.replace(options, run=new_run())
        ledger = FileLedger(share, node_name, options.run)
        log.run = options.run

    def make(account: Account | None) -> Node:
        return Node(
            share=share,
            locks=_LinkLocks(
                roots[Root.STATE], now=share.now, lock=settings.lock, let_in=let_in
            ),
            clock=clock,
            executor=executor,
            ledger=ledger,
            events=events,
            load=Load(),
            options=options,
            policy=policy,
            key=key,
            stop=stop,
            peers=lambda _fresh: peers(settings.manifest),
            account=account,
        )

    with StopSignal() as stop:
        stop.reopen = log.reopen
        try:
            node, error = serve(
                make, begin_anew, console.complain, stop=stop, watch=True
            )
            with contextlib.suppress(OSError):
                # It has one run, so there is nothing to add up; only notes to remove.
                node.close_batch()
        finally:
            executor.stop()
            ledger.close()
            log.close()
        own: Exit | None = None
        if error is not None:
            if not events.began:
                raise error
            own = explain(error)
        if stop.requested:
            own = stop.exit_code
        standing = node.standing
        code = run_exit(standing, waiting=waiting(standing).files, own=own)
        console.say(
            audit_line(
                audit(
                    standing,
                    options,
                    batch_digest=node.digest,
                    policy_sha256=policy_sha256(policy.in_force),
                    codec=CODEC_VERSION,
                    version=LINK_VERSION,
                    started=stamp(moment),
                    duration_seconds=time.monotonic() - started,
                    exit_code=int(code),
                    earlier_runs=tuple(earlier_runs),
                )
            )
        )
        return code


def _make_folders(settings: LinkSettings) -> dict[Root, str]:
    inbox, outbox = os.path.abspath(settings.inbox), os.path.abspath(settings.outbox)
    roots = {
        Root.INBOX: inbox,
        Root.OUTBOX: outbox,
        Root.WIRE: inbox,
        Root.STATE: os.path.join(inbox, ".paxect"),
    }
    require_apart(roots, Mode.RELAY)
    for folder in roots.values():
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise NotReady(
                f"folder {folder!r} cannot be made: {error.strerror or error}; "
                "no file was touched; make it, or name another"
            ) from error
    return roots


class _LinkLocks(FileLocks):
    """See `seams.Locks`. The lock's owner alone writes the manifest and speaks."""

    def __init__(
        self,
        state_folder: str,
        *,
        now: Callable[[], float],
        lock: str,
        let_in: Callable[[], None],
    ) -> None:
        super().__init__(state_folder, now=now, run_lock=lock)
        self._lock = lock
        self._let_in = let_in

    def join(self, applicant: Applicant) -> str:
        """See `seams.Locks`. `NotReady` if another instance has the lock."""
        batch = super().join(applicant)
        try:
            self._let_in()
        except BaseException:
            self.leave()
            raise
        return batch

    def held_here(self, node: str, path: str) -> NotReady:
        """Return the error for a lock that is held."""
        del node, path
        return NotReady(
            f"another instance holds the lock {self._lock!r}; nothing was "
            "changed; stop it, or set PAXECT_LINK_LOCK to another path"
        )

    def held(self, node: str, where: str) -> NotReady:
        """Return the error for an inbox from which another run of the node takes."""
        return NotReady(
            f"another instance, node {node!r} {where}, takes from this inbox under "
            f"another lock than {self._lock!r}; no file was taken; stop it, or set "
            "PAXECT_LINK_INBOX to another folder"
        )


def _print_banner(settings: LinkSettings, node: str) -> None:
    _say(f"[LINK] paxect-batch in the manner of Link {LINK_VERSION}, node {node}")
    for name in ("inbox", "outbox", "policy", "manifest", "log", "lock"):
        _say(f"[LINK] {name:<9}{os.path.abspath(getattr(settings, name))}")
    _say(f"[LINK] Watching… every {settings.poll_sec:g} s (Ctrl+C to stop)")


def _say(text: str) -> None:
    """Print a line at once; that nobody takes it is no reason to stop relaying."""
    with contextlib.suppress(OSError):
        console.say(text)
        console.flush()


class _LinkEvents:
    """Link's log: whole paths in it, and each event as a line on standard output."""

    def __init__(
        self, log: JsonlEventLog, roots: dict[Root, str], policy: LinkPolicyFile
    ) -> None:
        self._log = log
        self._policy = policy
        self.began = False
        """Whether the run was let onto the share."""
        self._roots = {str(root): path for root, path in roots.items()}

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
        """See `seams.EventLog`."""
        if event is Event.PATH_OUTSIDE_INBOX and src.startswith(f"{Root.WIRE}/"):
            return  # the wire is the inbox, where it was told
        self.began = self.began or event is Event.STARTUP
        if event is Event.POLICY_CHANGED:
            self._log.level = self._policy.in_force.log_level
        # A message may begin with the place that it is about.
        src, dst, message = map(self._path, (src, dst, message))
        self._log.write(
            event, src=src, dst=dst, status=status, message=message, pace=pace
        )
        if level_of(event) != "debug":
            words = (f"[LINK] {event}", src, dst, message)
            _say(printable(" ".join(word for word in words if word)))

    def _path(self, place: str) -> str:
        root, slash, path = place.partition("/")
        folder = self._roots.get(root) if slash else None
        return place if folder is None else os.path.join(folder, path)


if __name__ == "__main__":
    sys.exit(main())
