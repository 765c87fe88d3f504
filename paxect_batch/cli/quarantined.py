"""One item in quarantine: put it back where it lay, or hand it out.

Nothing is replaced. What leaves is removed from here only when it lies durably where it
goes to. Where a file is moved by a link, a command that is killed leaves it under both
names, and a run may deliver the one before the other is looked at again: what lies
there already, and what a record tells of, is not put back a second time.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence

from paxect_batch.model.errors import ShareError
from paxect_batch.model.items import Direction, Facts, Identity, Kind
from paxect_batch.model.moments import utc
from paxect_batch.model.places import Place, quarantine_folder
from paxect_batch.model.records import Fate, Record
from paxect_batch.model.transfer import Reason
from paxect_batch.relay import state
from paxect_batch.rules.naming import is_momentary, sidecar_name
from paxect_batch.seams import Share
from paxect_batch.work.sources import look_at_source

REASON_NAME = "reason.json"
_COPY_BYTES = 1 << 20
_SET_ASIDE_SECONDS = 60.0
"""More than it takes to move an item there."""


class Taken(Exception):
    """Another file has the name that one was to get back."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.place = place


class Gone(Exception):
    """The file is not in quarantine any more."""


class Quarantined:
    """What lies in one folder of quarantine."""

    def __init__(self, share: Share, reason: Reason) -> None:
        self.reason = reason
        self._share = share
        self._folder = quarantine_folder(reason.id)

    @property
    def kept(self) -> Place:
        """Return where the file is, or would be."""
        papers = (REASON_NAME, sidecar_name(self.reason.source.name))
        for place in state.files_in(self._share, self._folder):
            if place.name not in papers and not is_momentary(place.name):
                return place
        return self._folder.child(self.reason.source.name)

    @property
    def sidecar(self) -> Place | None:
        """Return where its sidecar is, if there is one."""
        facts = self._share.look(self._beside)
        return self._beside if facts is not None and self._is_sidecar(facts) else None

    @property
    def _beside(self) -> Place:
        return self._folder.child(sidecar_name(self.reason.source.name))

    def _is_sidecar(self, facts: Facts) -> bool:
        """Tell a container's sidecar from an item of its own that has such a name."""
        return self.reason.direction is Direction.DECODE and facts.kind is Kind.FILE

    def identity(self) -> Identity | None:
        """Return what the file is known by; None if it is gone."""
        facts = self._share.look(self.kept)
        return None if facts is None else facts.identity

    def is_half_back(self) -> bool:
        """Tell whether a command that was killed had given it its name back."""
        return self._is_same(self.kept, self.reason.source)

    def put_back(self) -> None:
        """Move it to where it lay; `Taken` if it cannot be, `Gone` if it is gone."""
        share, source = self._share, self.reason.source
        # What was tried before counts no more, or it would be set aside at once.
        share.remove(state.attempts_place(state.key_of(self.reason.direction, source)))
        kept = self.kept
        if share.look(kept) is not None:
            if look_at_source(share, source) is not None and not self.is_half_back():
                raise Taken(source)
            share.make_folder(source.folder)
            # The sidecar first, since a container without one is not checked by it.
            sidecar = self.sidecar
            if sidecar is not None:
                self._move(sidecar, source.beside(sidecar.name))
            self._move(kept, source)
        elif not self._is_back():
            raise Gone
        if self.reason.marker:
            share.write(source.beside(source.name + self.reason.marker), b"")
        share.sync_folder(source.folder)
        self.forget()

    def _is_back(self) -> bool:
        """Tell whether a command moved it back that did not come to its end.

        Not of one that is just being set aside: its reason is there before it moves.
        """
        found, reason = look_at_source(self._share, self.reason.source), self.reason
        is_old = self._share.now() - reason.at > _SET_ASIDE_SECONDS
        return (
            is_old
            and found is not None
            and (
                (found.identity.size, found.identity.mtime_ns)
                == (reason.size, reason.mtime_ns)
            )
        )

    def put_back_stray(self) -> Place | None:
        """Move what was taken along by its name alone to where it lay, and return that.

        Earlier versions took `a.txt.sha256` for a sidecar of `a.txt`, even a folder.
        """
        facts = self._share.look(self._beside)
        if facts is None or self._is_sidecar(facts):
            return None
        target = self.reason.source.beside(self._beside.name)
        self._share.make_folder(target.folder)
        self._move(self._beside, target, is_file=facts.kind is Kind.FILE)
        self._share.sync_folder(target.folder)
        return target

    def _move(self, place: Place, target: Place, *, is_file: bool = True) -> None:
        # No link leads to a folder.
        move = self._share.move_new if is_file else self._share.rename_new
        try:
            move(place, target)
        except FileExistsError:
            if not self._is_same(place, target):
                raise Taken(target) from None
            # Whoever moved it before was killed in between; that name may not be
            # durable yet.
            self._share.sync_folder(target.folder)
            self._share.remove(place)

    def _is_same(self, one: Place, other: Place) -> bool:
        here, there = self._share.look(one), look_at_source(self._share, other)
        if here is None or there is None:
            return False
        return (here.kind, here.identity) == (there.kind, there.identity)

    def drop(self) -> None:
        """Remove it; it was delivered under the name that it had got back."""
        if self.sidecar is not None:
            self._share.remove(self.sidecar)
        self._share.remove(self.kept)
        self.forget()

    def hand_out(self, copies: dict[Place, str]) -> None:
        """Copy each place to its path, and take it out of quarantine.

        `ShareError` if somebody else takes it out meanwhile; no copy is left then.
        """
        made: list[str] = []
        try:
            for place, path in copies.items():
                self._copy_out(place, path)
                made.append(path)
            # Asked before anything is removed: on NFS a removal that had its way may
            # say that nothing was there, and the copy would be all that is left.
            if any(self._share.look(place) is None for place in copies):
                raise FileNotFoundError
        except FileNotFoundError as error:
            for path in made:
                os.remove(path)
            raise ShareError(
                f"{self.reason.id} was taken out of quarantine by somebody else "
                "meanwhile; no copy of it was left; see whether it is back at "
                f"{self.reason.source}"
            ) from error
        for place in reversed(copies):
            self._share.remove(place)
        self.forget()

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
            raise ShareError(
                f"{error.message}; {self.reason.id} is still in quarantine"
            ) from error

    def forget(self) -> None:
        """Remove its papers."""
        self._share.remove(self._folder.child(REASON_NAME))
        self._share.remove_folder(self._folder)


def delivered_since(
    records: Iterable[Record], items: Sequence[Quarantined]
) -> dict[str, Record]:
    """Return, by id, the delivery of each item's very file after it was set aside."""
    sought = {_key(item): item.reason.id for item in items}
    aside = {item.reason.id: "" for item in items}
    found: dict[str, Record] = {}
    for record in records if items else ():
        if record.quarantine in aside:
            aside[record.quarantine] = max(aside[record.quarantine], record.at)
        elif record.fate is Fate.DELIVERED:
            key = record.direction, record.source, record.identity
            identifier = sought.get(key)
            if identifier is not None:
                known = found.get(identifier, record)
                found[identifier] = max(known, record, key=lambda each: each.at)
    for item in items:
        # Of one that died before it had recorded this, there is the reason alone.
        since = aside[item.reason.id] or utc(item.reason.at)
        if item.reason.id in found and found[item.reason.id].at < since:
            del found[item.reason.id]
    return found


def _key(item: Quarantined) -> tuple[str, Place, Identity | None]:
    identity = None
    # Whoever tries to put it back meets this again, and tells of it.
    with contextlib.suppress(OSError):
        identity = item.identity()
    return item.reason.direction, item.reason.source, identity
