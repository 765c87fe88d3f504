"""Print the batch digest, and write checksums of what was delivered.

The digest is over all nodes: each of them, and anybody else, gets the same. Checksums
are of the files in the outbox, or of the containers where nothing was decoded.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterator

from paxect_batch.cli import console
from paxect_batch.cli.arguments import Arguments
from paxect_batch.cli.opened import Opened, open_share
from paxect_batch.model.errors import ConfigError, Exit
from paxect_batch.model.places import Root
from paxect_batch.model.records import Fate, Record
from paxect_batch.report.amounts import count_text, size_text
from paxect_batch.report.checksums import delivered_bytes, record_line
from paxect_batch.report.digest import BatchDigest


class Batch:
    """What was delivered, added up."""

    def __init__(self) -> None:
        self._digest = BatchDigest()
        self.files = {Root.OUTBOX: 0, Root.WIRE: 0}
        self.bytes = {Root.OUTBOX: 0, Root.WIRE: 0}

    def add(self, record: Record) -> None:
        """Take in the record of a delivery."""
        self._digest.add(record)
        if record.target is not None and record.target.root in self.files:
            self.files[record.target.root] += 1
            self.bytes[record.target.root] += delivered_bytes(record)

    @property
    def root(self) -> Root:
        """Where what was delivered last lies."""
        return Root.OUTBOX if self.files[Root.OUTBOX] else Root.WIRE

    def facts(self) -> dict[str, object]:
        """Return the digest and counts."""
        return {
            "batch_digest": self._digest.hexdigest(),
            "root": self.root.value,
            "files": self.files[self.root],
            "bytes": self.bytes[self.root],
        }


def command(arguments: Arguments) -> int:
    """Print the digest of a share's deliveries, of all runs or of one."""
    opened = open_share(arguments)
    run = arguments.values.get("run")
    batch = Batch()
    known = run is None
    for record in opened.records():
        known = known or record.run == run
        if _counts(record, run):
            batch.add(record)
    if not known and not _has_audit(opened, str(run)):
        raise ConfigError(
            f"no run {run!r} is recorded here; nothing was written; "
            f"see the runs with: paxect-batch status {opened.layout.words}"
        )
    path = arguments.values.get("checksums")
    if path == "-":
        for line in _lines(opened, batch, run):
            _print_bytes(line)
        return Exit.OK
    if path is not None:
        console.write_whole(path, _lines(opened, batch, run))
    _show(batch, opened, checksums=path)
    return Exit.OK


def _show(batch: Batch, opened: Opened, *, checksums: str | None) -> None:
    facts = batch.facts()
    if opened.settings.json:
        console.say(json.dumps(facts, sort_keys=True))
        return
    folder = opened.layout.roots[batch.root]
    files, size = batch.files[batch.root], batch.bytes[batch.root]
    console.say(f"batch digest {facts['batch_digest']}")
    console.say(f"{count_text(files, 'file')}, {size_text(size)}, to {folder}")
    if checksums is not None:
        words = shlex.quote(folder), shlex.quote(os.path.abspath(checksums))
        console.say("check them with: cd {} && sha256sum -c {}".format(*words))


def _lines(opened: Opened, batch: Batch, run: str | None) -> Iterator[bytes]:
    """Give a line for each delivered file, for a name that came twice the newest."""
    root = batch.root
    newest: dict[str, tuple[str, bytes]] = {}
    for record in opened.records():
        if _counts(record, run) and record.target and record.target.root is root:
            path = record.target.path
            if path not in newest or newest[path][0] <= record.at:
                newest[path] = (record.at, record_line(record))
    for path in sorted(newest):
        yield newest[path][1]


def _counts(record: Record, run: str | None) -> bool:
    return record.fate is Fate.DELIVERED and (run is None or record.run == run)


def _has_audit(opened: Opened, run: str) -> bool:
    """Tell whether a run that recorded nothing left its audit."""
    from paxect_batch.relay.state import state

    return any(
        opened.share.look(node.place.child(f"{run}.json")) is not None
        for node in opened.share.entries(state("runs"))
    )


def _print_bytes(line: bytes) -> None:
    if sys.stdout is not None:
        console.flush()
        sys.stdout.buffer.write(line)
