"""What was set aside: list it, show why, have it tried again, or take it out.

Nothing is replaced: a file whose name is taken by now stays in quarantine. A file
leaves only after the place that it goes to is durable, and its papers go after it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import msgspec

from paxect_batch.cli import console
from paxect_batch.cli.arguments import Arguments, suggestion
from paxect_batch.cli.opened import Opened
from paxect_batch.model.errors import ConfigError, Exit, ShareError
from paxect_batch.model.items import Kind
from paxect_batch.model.places import Place, Root, to_bytes
from paxect_batch.model.transfer import Failure, Reason
from paxect_batch.relay import state
from paxect_batch.relay.stamps import utc
from paxect_batch.report.amounts import clip, count_text, size_text
from paxect_batch.rules.naming import sidecar_name
from paxect_batch.seams import Share

REASON_NAME = "reason.json"
_COPY_BYTES = 1 << 20


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
            yield entry.place, state.load_paper(share, place, Reason)


class _Taken(Exception):
    """Another file has the name that one was to get back."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.place = place


class Quarantine:
    """The quarantine of one share."""

    def __init__(self, opened: Opened) -> None:
        self._share = opened.share
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
            console.say(
                f"{reason.id:<24}{reason.code:<20}{size_text(reason.size):>9}  "
                f"{reason.source}"
            )
        console.say(f"{count_text(len(found), 'file')} in quarantine")
        return Exit.OK

    def show(self, identifier: str) -> int:
        """Print all that is known of an item."""
        reason = self._reason(identifier)
        if self._as_json:
            console.say(json.dumps(msgspec.to_builtins(reason), sort_keys=True))
            return Exit.OK
        words = f"{self._layout.words} {identifier}"
        kept = self._kept(reason)
        lines = {
            "id": reason.id,
            "source": str(reason.source),
            "size": f"{reason.size:,} bytes",
            "reason": reason.code,
            "detail": reason.detail,
            "set aside": f"{utc(reason.at)} by {reason.node}, run {reason.run}",
            "file": os.path.join(self._layout.roots[Root.STATE], kept.path),
        }
        for name, text in lines.items():
            console.say(f"{name:<11}{text}")
        for failure in reason.history:
            console.say(f"attempt    {clip(_attempt_text(failure), 200)}")
        console.say(f"try again  paxect-batch quarantine retry {words}")
        console.say(f"take out   paxect-batch quarantine release {words} --to PATH")
        return Exit.OK

    def retry(self, identifiers: list[str]) -> int:
        """Put items back to where they came from; 1 if one could not be."""
        code = Exit.OK
        for identifier in identifiers:
            reason = self._reason(identifier)
            try:
                self._put_back(reason)
            except _Taken as taken:
                console.complain(
                    f"{taken.place} is taken by another file; {identifier} stays in "
                    "quarantine; move that file away, or release this one --to a path"
                )
                code = Exit.UNFINISHED
            except FileNotFoundError:
                self._forget(reason)
                console.say(f"{identifier}: the file was gone; its papers are too now")
            else:
                console.say(f"{identifier}: back at {reason.source}")
        return code

    def _put_back(self, reason: Reason) -> None:
        share, source = self._share, reason.source
        # What was tried before counts no more, or it would be set aside at once.
        share.remove(state.attempts_place(state.key_of(reason.direction, source)))
        if share.look(self._kept(reason)) is None:
            raise FileNotFoundError
        if share.look(source) is not None:
            raise _Taken(source)
        share.make_folder(source.folder)
        # The sidecar first, since a container without one is not checked by it.
        sidecar = source.beside(sidecar_name(source.name))
        kept_sidecar = self._folder(reason).child(sidecar.name)
        if share.look(kept_sidecar) is not None:
            self._move(kept_sidecar, sidecar)
        self._move(self._kept(reason), source)
        if reason.marker:
            share.write(source.beside(source.name + reason.marker), b"")
        share.sync_folder(source.folder)
        self._forget(reason)

    def _move(self, place: Place, target: Place) -> None:
        try:
            self._share.move_new(place, target)
        except FileExistsError:
            raise _Taken(target) from None

    def release(self, identifier: str, path: str) -> int:
        """Hand an item out to a path of its own."""
        reason = self._reason(identifier)
        target = path
        if os.path.isdir(path):
            name = os.fsdecode(to_bytes(reason.source.name))
            target = os.path.join(path, name)
        kept_sidecar = self._folder(reason).child(sidecar_name(reason.source.name))
        copies = {self._kept(reason): target}
        if self._share.look(kept_sidecar) is not None:
            copies[kept_sidecar] = f"{target}.sha256"
        for copy in copies.values():
            if os.path.lexists(copy):
                raise ConfigError(
                    f"{copy!r} is there already; nothing was copied and {identifier} "
                    "stays in quarantine; name another path"
                )
        for place, copy in copies.items():
            self._copy_out(place, copy)
        self._share.remove(kept_sidecar)
        self._share.remove(self._kept(reason))
        self._forget(reason)
        console.say(f"{identifier}: now at {target}")
        return Exit.OK

    def _copy_out(self, place: Place, target: str) -> None:
        from paxect_core.destination import Destination
        from paxect_core.errors import OutputError
        from paxect_core.streams import write_all

        try:
            with (
                self._share.open_source(place) as stream,
                Destination(target, replace=False) as output,
            ):
                while chunk := stream.read(_COPY_BYTES):
                    write_all(output.stream, chunk)
                output.publish()
        except OutputError as error:
            raise ShareError(f"{error.message}; {place} is still there") from error

    def _forget(self, reason: Reason) -> None:
        folder = self._folder(reason)
        self._share.remove(folder.child(REASON_NAME))
        self._share.remove_folder(folder)

    def _reason(self, identifier: str) -> Reason:
        place = state.quarantine_folder(identifier).child(REASON_NAME)
        reason = state.load_paper(self._share, place, Reason)
        if reason is None:
            raise ShareError(
                f"{place} cannot be read any more; nothing was changed; "
                "somebody else may have taken it out"
            )
        return reason

    def _folder(self, reason: Reason) -> Place:
        return state.quarantine_folder(reason.id)

    def _kept(self, reason: Reason) -> Place:
        """Return where the file is, or would be."""
        folder = self._folder(reason)
        papers = (REASON_NAME, sidecar_name(reason.source.name))
        for place in state.files_in(self._share, folder):
            if place.name not in papers:
                return place
        return folder.child(reason.source.name)


def _attempt_text(failure: Failure) -> str:
    return f"{utc(failure.at)} {failure.node}: {failure.code}: {failure.detail}"
