"""Print the batch digest, and write checksums of what was delivered.

The digest is over all nodes: each of them, and anybody else, gets the same. Checksums
are of the files in the outbox, or of the containers where nothing was decoded.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import msgspec

from paxect_batch.cli import console
from paxect_batch.cli.arguments import Arguments
from paxect_batch.cli.opened import Opened, open_share
from paxect_batch.cli.runs_of import audit_of, ids_of
from paxect_batch.cli.shell_words import shell_word
from paxect_batch.model.errors import ConfigError, Exit
from paxect_batch.model.items import Kind
from paxect_batch.model.places import Place, Root
from paxect_batch.model.records import Fate, Record
from paxect_batch.model.status import Deliveries, NodePart
from paxect_batch.report.amounts import clip, count_text, size_text
from paxect_batch.report.batch import Delivered
from paxect_batch.report.checksums import record_line
from paxect_batch.seams import Share
from paxect_batch.world.ledger_files import FOLDER

_COLUMNS = 80
_NODE_COLUMNS = 24


class _Run:
    """The run that is asked for, by any of its ids."""

    def __init__(self, opened: Opened, word: str) -> None:
        audit = audit_of(opened.share, word)
        self.word = word
        self.ids = (word,) if audit is None else ids_of(audit)
        self.ended = audit is not None


def command(arguments: Arguments) -> int:
    """Print the digest of a share's deliveries, of all runs or of one."""
    opened = open_share(arguments)
    word = arguments.values.get("run")
    run = None if word is None else _Run(opened, word)
    is_fresh = freshen_ledgers(opened.share)
    torn: set[tuple[Place, int]] = set()
    deliveries = _deliveries(opened, run, is_fresh=is_fresh, torn=torn)
    code = _told_torn(torn, opened)
    path = arguments.values.get("checksums")
    if path == "-":
        for line in _lines(opened, deliveries, run):
            console.say_bytes(line)
        return code
    if path is not None:
        console.write_whole(path, _lines(opened, deliveries, run))
    _show(deliveries, opened, checksums=path)
    return code


def _told_torn(torn: set[tuple[Place, int]], opened: Opened) -> Exit:
    """Warn of what could not be read, and return what that means for the command."""
    if not torn:
        return Exit.OK
    ledger, offset = min(torn)
    console.complain(
        f"warning: {count_text(len(torn), 'line')} of ledgers cannot be read, the "
        f"first of {ledger} at byte {offset}; what they told of is missing here; "
        "unless a run is writing it now, see: paxect-batch verify "
        f"{opened.layout.words}"
    )
    return Exit.UNFINISHED


def freshen_ledgers(share: Share) -> bool:
    """See to it that the ledgers of all nodes are listed as they are now.

    False where this share cannot be written, so that what others did in the last
    minute may be missing.
    """
    is_fresh = _freshen(share, FOLDER)
    for node in list(share.entries(FOLDER)):
        if node.kind is Kind.FOLDER:
            # A node of another user may be read and not written; the rest may be.
            is_fresh = _freshen(share, node.place) and is_fresh
    return is_fresh


def _freshen(share: Share, folder: Place) -> bool:
    try:
        share.freshen(folder)
    except OSError:
        # Whatever else is wrong with the share shows when it is read.
        return False
    return True


def _deliveries(
    opened: Opened, run: _Run | None, *, is_fresh: bool, torn: set[tuple[Place, int]]
) -> Deliveries:
    """Add up what was delivered, each delivery once, whoever recorded it."""
    delivered = Delivered()
    parts: dict[str, Delivered] = {}
    runs: dict[str, set[str]] = {}
    known = run is None or run.ended
    for record in opened.records(lambda ledger, offset: torn.add((ledger, offset))):
        known = known or (run is not None and record.run in run.ids)
        if _counts(record, run):
            delivered.add(record)
            parts.setdefault(record.node, Delivered()).add(record)
            runs.setdefault(record.node, set()).add(record.run)
    if run is not None and not known:
        raise ConfigError(
            f"no run {run.word!r} is recorded here; nothing was written; the audit "
            "line of a run has its id, as have the names below .paxect/ledger"
        )
    root = delivered.root
    tally = delivered.tally(root)
    return Deliveries(
        batch_digest=delivered.digest.hexdigest(),
        raw_digest=delivered.raw_digest.hexdigest(),
        root=root.value,
        files=tally.files,
        bytes=tally.bytes,
        fresh=is_fresh,
        nodes=tuple(
            NodePart(node, len(runs[node]), part.tally(root), part.digest.hexdigest())
            for node, part in sorted(parts.items())
        ),
        torn=len(torn),
    )


def _show(deliveries: Deliveries, opened: Opened, *, checksums: str | None) -> None:
    if opened.settings.json:
        console.say(json.dumps(msgspec.to_builtins(deliveries), sort_keys=True))
        return
    folder = opened.layout.roots[Root(deliveries.root)]
    console.say(f"batch digest {deliveries.batch_digest}")
    amount = f"{count_text(deliveries.files, 'file')}, {size_text(deliveries.bytes)}"
    console.say(f"{amount}, to {folder}")
    if len(deliveries.nodes) > 1:
        for part in deliveries.nodes:
            console.say(_part_line(part))
    if not deliveries.fresh:
        console.say(
            "this share cannot be written here; what other machines delivered in the "
            "last\nminute may be missing"
        )
    if checksums is not None:
        words = shell_word(folder), shell_word(os.path.abspath(checksums))
        console.say("check them with: cd {} && sha256sum -c {}".format(*words))


def _part_line(part: NodePart) -> str:
    tally = part.delivered
    amount = f"{tally.files:>12,} {'file ' if tally.files == 1 else 'files'}"
    name = clip(part.node, _NODE_COLUMNS)
    runs = count_text(part.runs, "run")
    text = f"  {name:<{_NODE_COLUMNS}}{amount}{size_text(tally.bytes):>12}   {runs}"
    return clip(text, _COLUMNS)


def _lines(opened: Opened, deliveries: Deliveries, run: _Run | None) -> Iterator[bytes]:
    """Give a line for each delivered file, for a name that came twice the newest."""
    root = Root(deliveries.root)
    newest: dict[str, tuple[str, bytes]] = {}
    for record in opened.records():
        if _counts(record, run) and record.target and record.target.root is root:
            path = record.target.path
            if path not in newest or newest[path][0] <= record.at:
                newest[path] = (record.at, record_line(record))
    for path in sorted(newest):
        yield newest[path][1]


def _counts(record: Record, run: _Run | None) -> bool:
    return record.fate is Fate.DELIVERED and (run is None or record.run in run.ids)
