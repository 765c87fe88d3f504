"""What was set aside: list it, show why, have it tried again, or take it out.

A file whose name is taken by now stays in quarantine; see `quarantined` for the rest.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from paxect_batch.cli import console
from paxect_batch.cli.arguments import Arguments, suggestion
from paxect_batch.cli.opened import Opened
from paxect_batch.cli.quarantined import (
    REASON_NAME,
    Gone,
    Quarantined,
    Taken,
    delivered_since,
)
from paxect_batch.cli.shell_words import shell_word
from paxect_batch.cli.wire_of_run import other_wire
from paxect_batch.model.errors import ConfigError, Exit, ShareError, worst
from paxect_batch.model.items import Kind
from paxect_batch.model.moments import utc
from paxect_batch.model.places import (
    Place,
    Root,
    printable,
    quarantine_folder,
    to_bytes,
)
from paxect_batch.model.printed import TakenOut
from paxect_batch.model.records import Record
from paxect_batch.model.transfer import Failure, Reason
from paxect_batch.relay import state
from paxect_batch.report.amounts import clip, count_text, size_text
from paxect_batch.seams import Share


def command(arguments: Arguments) -> int:
    """Do what the first operand says."""
    action = arguments.operands[0]
    share, identifier = _named(arguments)
    quarantine = Quarantine(Opened(arguments, share=share))
    if action == "list":
        return quarantine.show_all()
    if action == "retry" and arguments.has("all"):
        return quarantine.retry(list(quarantine.identifiers()))
    quarantine.require(identifier)
    if action == "show":
        return quarantine.show(identifier)
    if action == "retry":
        return quarantine.retry([identifier])
    if not arguments.has("to"):
        raise ConfigError(
            "release needs to be told where to put the file; nothing was touched; "
            "add --to PATH"
        )
    return quarantine.release(identifier, arguments.values["to"])


def _named(arguments: Arguments) -> tuple[str | None, str]:
    """Return the share, if it is named, and the id, if one is needed."""
    action, *rest = arguments.operands
    takes_id = action != "list" and not (action == "retry" and arguments.has("all"))
    if not takes_id:
        if len(rest) > 1:
            raise ConfigError(
                f"{rest[1]!r} is one word too many; nothing was touched; "
                f"{action} takes a SHARE"
            )
        return (rest[0] if rest else None), ""
    if not rest or (len(rest) == 1 and os.path.isdir(rest[0])):
        more = " or --all" if action == "retry" else ""
        raise ConfigError(
            f"{action} needs an ID{more}; nothing was touched; "
            "paxect-batch quarantine list shows them"
        )
    return (rest[0] if len(rest) > 1 else None), rest[-1]


def reasons(share: Share) -> Iterator[Reason]:
    """Give the reason of each item that was set aside."""
    for _, reason in _folders(share):
        if reason is not None:
            yield reason


def _folders(share: Share) -> Iterator[tuple[Place, Reason | None]]:
    """Give each folder in quarantine, with its reason if that can be read."""
    for entry in share.entries(state.state("quarantine")):
        if entry.kind is Kind.FOLDER:
            place = entry.place.child(REASON_NAME)
            try:
                reason = state.load_paper(share, place, Reason)
            except PermissionError:
                reason = None  # another user's, who keeps it to himself
            yield entry.place, reason


class Quarantine:
    """The quarantine of one share."""

    def __init__(self, opened: Opened) -> None:
        self._share = opened.share
        self._records = opened.records
        self._layout = opened.layout
        self._as_json = opened.settings.json

    def identifiers(self) -> Iterator[str]:
        """Give the id of each item."""
        for reason in reasons(self._share):
            yield reason.id

    def require(self, identifier: str) -> None:
        """Raise `ConfigError` if there is no such item."""
        known = list(self.identifiers())
        if identifier not in known:
            raise ConfigError(
                f"{identifier!r} is not in quarantine{suggestion(identifier, known)}; "
                f"nothing was touched; "
                f"paxect-batch quarantine list {self._layout.words} shows what is"
            )

    def show_all(self) -> int:
        """Print a line for each item."""
        found = []
        for folder, reason in _folders(self._share):
            if reason is None:
                console.complain(
                    f"{folder} has no {REASON_NAME} that can be read; what lies in "
                    "it was left alone; look there, and move it by hand"
                )
            else:
                found.append(reason)
        found.sort(key=lambda reason: reason.at)
        if self._as_json:
            facts = [msgspec.to_builtins(reason) for reason in found]
            console.say(json.dumps(facts, sort_keys=True))
            return Exit.OK
        for reason in found:
            line = f"{reason.id:<24}{reason.code:<20}{size_text(reason.size):>9}  "
            console.say(printable(f"{line}{reason.source}"))
        console.say(f"{count_text(len(found), 'file')} in quarantine")
        return Exit.OK

    def show(self, identifier: str) -> int:
        """Print all that is known of an item."""
        item = self._item(identifier)
        reason = item.reason
        if self._as_json:
            console.say(json.dumps(msgspec.to_builtins(reason), sort_keys=True))
            return Exit.OK
        words = f"{self._layout.words} {identifier}"
        lines = {
            "id": reason.id,
            "source": str(reason.source),
            "size": f"{reason.size:,} bytes",
            "reason": reason.code,
            "detail": reason.detail,
            "set aside": f"{utc(reason.at)} by {reason.node}, run {reason.run}",
            "file": os.path.join(self._layout.roots[Root.STATE], item.kept.path),
        }
        for name, text in lines.items():
            console.say(printable(f"{name:<11}{text}"))
        for failure in reason.history:
            text = clip(_attempt_text(failure), 200)
            console.say(printable(f"attempt    {text}"))
        console.say(f"try again  paxect-batch quarantine retry {words}")
        console.say(f"take out   paxect-batch quarantine release {words} --to PATH")
        return Exit.OK

    def retry(self, identifiers: list[str]) -> int:
        """Put items back to where they came from; tell of each that could not be."""
        codes = {int(Exit.OK)}
        half_back: list[Quarantined] = []
        away: list[Quarantined] = []
        for identifier in identifiers:
            with _telling(identifier, codes):
                item = self._item(identifier)
                self._require_wire(item.reason)
                (half_back if item.is_half_back() else away).append(item)
        self._retry_all(half_back, {}, codes)
        # The rest is not where a run could take it, so what became of it is recorded.
        self._retry_all(away, delivered_since(self._records(), away), codes)
        return worst(codes)

    def _require_wire(self, reason: Reason) -> None:
        """Raise `ConfigError` if it would be put back where no run takes it."""
        if reason.source.root is not Root.WIRE:
            return
        wire = other_wire(self._share, self._layout, reason)
        if wire is not None:
            raise ConfigError(
                f"{reason.id} lay on the wire {wire!r}, and this command has another; "
                "it stays in quarantine; name that one as well: "
                f"--wire {shell_word(wire)}"
            )

    def _retry_all(
        self,
        items: Sequence[Quarantined],
        delivered: Mapping[str, Record],
        codes: set[int],
    ) -> None:
        for item in items:
            identifier = item.reason.id
            taken_out: TakenOut | None = None
            with _telling(identifier, codes):
                taken_out = _retry(item, delivered.get(identifier))
            if taken_out is not None:
                self._say(taken_out)

    def release(self, identifier: str, path: str) -> int:
        """Hand an item out to a path of its own."""
        item = self._item(identifier)
        target = path
        if os.path.isdir(path):
            name = os.fsdecode(to_bytes(item.reason.source.name))
            target = os.path.join(path, name)
        copies = {item.kept: target}
        if item.sidecar is not None:
            copies[item.sidecar] = f"{target}.sha256"
        for copy in copies.values():
            if os.path.lexists(copy):
                raise ConfigError(
                    f"{copy!r} is there already; nothing was copied and {identifier} "
                    "stays in quarantine; name another path"
                )
        try:
            stray = item.put_back_stray()
        except Taken as taken:
            console.complain(
                f"{taken.place} is taken by another file; nothing was copied and "
                f"{identifier} stays in quarantine; move that file away first"
            )
            return Exit.UNFINISHED
        item.hand_out(copies)
        self._say(_with_stray(TakenOut(identifier, "released", target), stray))
        return Exit.OK

    def _say(self, taken_out: TakenOut) -> None:
        if self._as_json:
            facts = msgspec.to_builtins(taken_out)
            console.say(json.dumps(facts, sort_keys=True))
        else:
            console.say(printable(_taken_out_text(taken_out)))

    def _item(self, identifier: str) -> Quarantined:
        place = quarantine_folder(identifier).child(REASON_NAME)
        reason = state.load_paper(self._share, place, Reason)
        if reason is None:
            raise ShareError(
                f"{place} cannot be read any more; nothing was changed; "
                "somebody else may have taken it out"
            )
        return Quarantined(self._share, reason)


def _retry(item: Quarantined, delivered: Record | None) -> TakenOut:
    """Put an item back, unless there is no need; return what became of it."""
    stray = item.put_back_stray()
    return _with_stray(_put_back(item, delivered), stray)


def _with_stray(taken_out: TakenOut, stray: Place | None) -> TakenOut:
    return msgspec.structs.replace(taken_out, stray=str(stray or ""))


def _put_back(item: Quarantined, delivered: Record | None) -> TakenOut:
    identifier = item.reason.id
    if delivered is not None:
        item.drop()
        return TakenOut(identifier, "delivered", str(delivered.target))
    try:
        item.put_back()
    except Gone:
        item.forget()
        return TakenOut(identifier, "gone", "")
    return TakenOut(identifier, "back", str(item.reason.source))


def _taken_out_text(taken_out: TakenOut) -> str:
    text = {
        "back": f"back at {taken_out.place}",
        "released": f"now at {taken_out.place}",
        "delivered": f"it was back already and arrived as {taken_out.place}; it was "
        "removed from quarantine",
        "gone": "the file was gone; its papers are too now",
    }[taken_out.became]
    if taken_out.stray:
        text += f"; {taken_out.stray}, which was taken along, is back"
    return f"{taken_out.id}: {text}"


@contextlib.contextmanager
def _telling(identifier: str, codes: set[int]) -> Iterator[None]:
    """Tell of an item that cannot be put back, and let the others have their turn."""
    try:
        yield
    except Taken as taken:
        console.complain(
            f"{taken.place} is taken by another file; {identifier} stays in "
            "quarantine; move that file away, or release this one --to a path"
        )
        codes.add(Exit.UNFINISHED)
    except (ConfigError, ShareError) as error:
        console.complain(error.message)
        codes.add(error.exit_code)
    except OSError as error:
        console.complain(
            f"{identifier} could not be put back: {console.os_error_text(error)}; "
            "what of it is not back stays in quarantine; mend that and retry it, or "
            "release it --to a path"
        )
        codes.add(Exit.SHARE)


def _attempt_text(failure: Failure) -> str:
    return f"{utc(failure.at)} {failure.node}: {failure.code}: {failure.detail}"
