"""`paxect-link`: the relay, configured and behaving as Link 1.2.0.

No arguments: environment variables, a policy file that is written if it is missing, a
lock file, a JSON Lines log, manifests in the working folder. What Link lost or let
through is not imitated: see docs/link.md for what is different, and why.
"""

from __future__ import annotations

import glob
import json
import os
import platform
import secrets
import socket
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from paxect_batch.cli import console
from paxect_batch.cli.link_settings import LinkSettings, link_settings
from paxect_batch.cli.settings import environment
from paxect_batch.cli.stop import StopSignal
from paxect_batch.model.errors import BatchError, ConfigError, Exit, NotReady
from paxect_batch.model.events import Event
from paxect_batch.model.items import Mode
from paxect_batch.model.nodes import NodeManifest
from paxect_batch.model.places import Root
from paxect_batch.model.policy import LinkPolicy, Policy
from paxect_batch.model.run import RunOptions
from paxect_batch.relay.handshake import signed
from paxect_batch.relay.node import Node
from paxect_batch.report.audit import audit, audit_line, waiting
from paxect_batch.rules.exits import run_exit
from paxect_batch.rules.policy import POLICY_BYTES_MAX, policy_sha256, read_policy
from paxect_batch.seams import EventLog
from paxect_batch.world.clock import RealClock
from paxect_batch.world.descriptors import raise_limit
from paxect_batch.world.event_log import JsonlEventLog, level_of, printable
from paxect_batch.world.keys import EnvironmentKeys
from paxect_batch.world.ledger import FileLedger
from paxect_batch.world.load import Load
from paxect_batch.world.locks import FileLocks
from paxect_batch.world.pool import WorkerPool
from paxect_batch.world.share import LocalShare
from paxect_core import CODEC_VERSION

LINK_VERSION = "1.2.0"
_MANIFESTS = "link_manifest*.json"
_MANIFEST_BYTES_MAX = 1 << 20


def main(words: list[str] | None = None) -> int:
    """Run until a signal; return the exit code."""
    console.prepare()
    words = sys.argv[1:] if words is None else words
    if words:
        console.say(_HELP)
        return Exit.OK if words[0] in ("-h", "--help") else Exit.USAGE
    try:
        return _run(link_settings(environment()))
    except BatchError as error:
        console.complain(error.message)
        return error.exit_code


_HELP = """usage: paxect-link

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
  PAXECT_LINK_POLL_SEC=0.5 paxect-link"""


def _run(settings: LinkSettings) -> int:
    inbox, outbox = os.path.abspath(settings.inbox), os.path.abspath(settings.outbox)
    for folder in (inbox, outbox, os.path.join(inbox, ".paxect")):
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise NotReady(
                f"folder {folder!r} cannot be made: {error.strerror or error}; "
                "nothing was touched; make it, or name another"
            ) from error
    raise_limit()
    node_name = socket.gethostname() or "localhost"
    policy = _PolicyFile(settings, node_name)
    policy()
    key = EnvironmentKeys(environment()).hmac_key()
    clock = RealClock()
    started = time.monotonic()
    moment = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    run = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    roots = {
        Root.INBOX: inbox,
        Root.OUTBOX: outbox,
        Root.WIRE: inbox,
        Root.STATE: os.path.join(inbox, ".paxect"),
    }
    share = LocalShare(roots)
    options = RunOptions(
        node=node_name,
        run=run,
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
        run=run,
        clock=clock,
    )
    executor = WorkerPool(roots, options.workers)
    ledger = FileLedger(share, node_name, run)
    with StopSignal() as stop:
        stop.reopen = log.reopen
        node = Node(
            share=share,
            locks=FileLocks(roots[Root.STATE], now=share.now, node_lock=settings.lock),
            clock=clock,
            executor=executor,
            ledger=ledger,
            events=_LinkEvents(log, roots),
            load=Load(),
            options=options,
            policy=policy,
            key=key,
            stop=stop,
            peers=lambda: _peers(settings.manifest),
        )
        _write_manifest(settings, node_name, moment, key)
        _print_banner(settings, node_name)
        try:
            node.run()
        except NotReady as error:
            raise NotReady(
                f"another Link holds the lock {settings.lock!r}; nothing was changed; "
                "stop it, or set PAXECT_LINK_LOCK to another path"
            ) from error
        finally:
            executor.stop()
            ledger.close()
            log.close()
        standing = node.standing
        own = stop.exit_code if stop.requested else None
        code = run_exit(standing, waiting=waiting(standing).files, own=own)
        console.say(
            audit_line(
                audit(
                    standing,
                    options,
                    batch_digest=node.digest,
                    policy_sha256=policy_sha256(policy()),
                    codec=CODEC_VERSION,
                    version=LINK_VERSION,
                    started=moment,
                    duration_seconds=time.monotonic() - started,
                    exit_code=int(code),
                )
            )
        )
        return code


def _print_banner(settings: LinkSettings, node: str) -> None:
    console.say(
        f"[LINK] paxect-batch in the manner of Link {LINK_VERSION}, node {node}"
    )
    for name in ("inbox", "outbox", "policy", "manifest", "log", "lock"):
        console.say(f"[LINK] {name:<9}{os.path.abspath(getattr(settings, name))}")
    console.say(f"[LINK] Watching… every {settings.poll_sec:g} s (Ctrl+C to stop)")


class _PolicyFile:
    """Reads Link's policy file whenever it is called; writes it if it is missing."""

    def __init__(self, settings: LinkSettings, node: str) -> None:
        self._settings = settings
        if not os.path.lexists(settings.policy):
            self._write_default(node)

    def __call__(self) -> Policy:
        path = self._settings.policy
        try:
            with open(path, "rb") as stream:
                data = stream.read(POLICY_BYTES_MAX + 1)
        except OSError as error:
            raise ConfigError(
                f"reading the policy {path!r} gave {error.strerror or error}; no file "
                "was taken by it; see that it is there and can be read"
            ) from error
        policy = read_policy(data, name=path)
        return msgspec.structs.replace(
            policy, backoff_seconds=self._settings.backoff_sec
        )

    def _write_default(self, node: str) -> None:
        policy = LinkPolicy(trusted_nodes=tuple(dict.fromkeys((node, "localhost"))))
        text = json.dumps(msgspec.to_builtins(policy), indent=2)
        try:
            console.write_whole(self._settings.policy, [f"{text}\n".encode()])
        except OSError as error:
            raise ConfigError(
                f"writing a policy to {self._settings.policy!r} gave "
                f"{error.strerror or error}; nothing else was touched; name another "
                "path with PAXECT_LINK_POLICY"
            ) from error


def _write_manifest(
    settings: LinkSettings, node: str, moment: str, key: bytes | None
) -> None:
    manifest = NodeManifest(
        datetime_utc=moment,
        node=node,
        platform=platform.platform(),
        policy=settings.policy,
        inbox=settings.inbox,
        outbox=settings.outbox,
        version=LINK_VERSION,
    )
    data = json.dumps(msgspec.to_builtins(signed(manifest, key)), indent=2)
    try:
        console.write_whole(settings.manifest, [f"{data}\n".encode()])
    except OSError as error:
        raise NotReady(
            f"writing the manifest {settings.manifest!r} gave "
            f"{error.strerror or error}; nothing was relayed; name another path with "
            "PAXECT_LINK_MANIFEST"
        ) from error


def _peers(own: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted(glob.glob(_MANIFESTS)):
        if os.path.abspath(path) == os.path.abspath(own):
            continue
        try:
            with open(path, "rb") as stream:
                yield path, stream.read(_MANIFEST_BYTES_MAX)
        except OSError:
            yield path, b""


class _LinkEvents:
    """Link's log: whole paths in it, and each event as a line on standard output."""

    def __init__(self, log: EventLog, roots: dict[Root, str]) -> None:
        self._log = log
        self._roots = {str(root): path for root, path in roots.items()}

    def write(
        self,
        event: Event,
        *,
        src: str = "",
        dst: str = "",
        status: str = "ok",
        message: str = "",
    ) -> None:
        """See `seams.EventLog`."""
        src, dst = self._path(src), self._path(dst)
        self._log.write(event, src=src, dst=dst, status=status, message=message)
        if level_of(event) != "debug":
            words = (f"[LINK] {event}", src, dst, message)
            console.say(printable(" ".join(word for word in words if word)))

    def _path(self, place: str) -> str:
        root, slash, path = place.partition("/")
        folder = self._roots.get(root) if slash else None
        return place if folder is None else os.path.join(folder, path)
