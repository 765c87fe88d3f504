"""Take away the source of a finished transfer, and exactly the file that was read.

A name whose file was replaced meanwhile is left alone. Between looking and removing a
producer might still replace it, so the file is first moved aside, looked at again, and
put back if it is not the one. What a run moves aside lies in its own folder, under a
name that nobody else renames to; so what was looked at is what is removed.

A file that somebody left aside can be told by the ledgers, since a record is written
before its source is retired: the content that was delivered goes, any other goes back,
unless it was put into quarantine under another name that it had.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence

from paxect_batch.model.items import Direction, Kind
from paxect_batch.model.places import Place, quarantine_folder
from paxect_batch.model.policy import OnDone
from paxect_batch.model.records import Fate, Record
from paxect_batch.model.transfer import Meta, Pledge
from paxect_batch.relay import state
from paxect_batch.relay.archive import archive, archive_copy
from paxect_batch.relay.commits import Steps
from paxect_batch.relay.free_names import move_to_free_name
from paxect_batch.relay.markers import drop_marker, put_marker_back
from paxect_batch.relay.targets import BARRED, FORBIDDEN
from paxect_batch.rules.naming import sidecar_name
from paxect_batch.seams import Share
from paxect_batch.work.sources import look_at_source

NOT_TAKEN = (errno.EACCES, errno.EPERM, errno.EBUSY, errno.ETXTBSY, errno.EROFS)
"""What the system says of one file, or of one folder, that nothing is taken from."""
_TRIES_MAX = 8
"""How often a folder may vanish under our hands before that is an error."""

Retired = bool | OSError
"""True if the source is gone, False if another file has its name; or why it stays."""


class Retirer:
    """Retires sources for one run, by deleting or by archiving them."""

    def __init__(
        self, share: Share, by: state.Owner, on_done: OnDone, *, ready_marker: str
    ) -> None:
        self._share = share
        self._by = by
        self._on_done = on_done
        self._ready_marker = ready_marker
        self.changed: set[Place] = set()
        """Folders that must be synced before what was retired is forgotten."""

    def retire(self, pledges: Sequence[Pledge]) -> Steps[list[Retired]]:
        """Take the sources away; tell what became of each.

        Removing waits for a disk that gives up a file's blocks, so it is yielded.
        """
        gone: dict[Place, Retired] = {}
        aside: list[Place] = []

        def take(pledge: Pledge) -> None:
            gone[pledge.stage] = self._take_away(pledge, aside)

        # Without its companions a container would go by another name, so each goes
        # right after its own.
        try:
            yield lambda: self._share.each(take, pledges, removing=True)
        except Exception:
            # Of what the others moved aside nobody would know for long.
            yield from self._removed(aside)
            raise
        yield from self._removed(aside)
        return [gone[pledge.stage] for pledge in pledges]

    def _removed(self, places: Sequence[Place]) -> Steps[None]:
        if places:
            yield lambda: self._share.each(self._share.remove, places, removing=True)

    def _take_away(self, pledge: Pledge, left_aside: list[Place]) -> Retired:
        try:
            facts = look_at_source(self._share, pledge.source)
        except PermissionError as error:
            return error
        if facts is None:
            return True
        if facts.identity != pledge.identity:
            return False
        try:
            was_marked = self._drop_companions(pledge)
            try:
                kept = self._moved_away(pledge, left_aside)
            except OSError:
                # Without its file a marker would call the next one of that name whole.
                if was_marked and self._stays(pledge, if_hidden=False):
                    put_marker_back(self._share, pledge.source, self._ready_marker)
                raise
        except OSError as error:
            if error.errno not in NOT_TAKEN or not self._stays(pledge):
                raise
            return error
        self.changed.add(pledge.source.folder)
        if was_marked and kept == pledge.source:
            put_marker_back(self._share, pledge.source, self._ready_marker)
        return kept is None

    def _stays(self, pledge: Pledge, *, if_hidden: bool = True) -> bool:
        """Tell whether the source stays; `if_hidden` is for one not to be seen."""
        try:
            facts = look_at_source(self._share, pledge.source)
        except PermissionError:
            return if_hidden
        return facts is not None and facts.identity == pledge.identity

    def _moved_away(self, pledge: Pledge, left_aside: list[Place]) -> Place | None:
        """Take the file away; return where it is if it was another one by then."""
        aside = self._aside_of(pledge)
        try:
            if not self._move_aside(pledge, aside):
                return None
        except OSError as error:
            if error.errno == errno.ELOOP:
                return None  # its folder was swapped for a link this moment
            if error.errno != errno.EXDEV:
                raise
            return self._take_from_afar(pledge, aside)
        return self._settle_aside(pledge, aside, left_aside)

    def _take_from_afar(self, pledge: Pledge, aside: Place) -> Place | None:
        """Take away what lies in a folder that is on another file system.

        The source if that is not what was read any more; between the last look and the
        removal there is a small window.
        """
        copy = None
        if self._on_done is OnDone.ARCHIVE:
            try:
                copy = archive_copy(self._share, pledge, aside)
                if copy is None:
                    return pledge.source
            except FileNotFoundError:
                if look_at_source(self._share, pledge.source) is None:
                    return None
                raise
            # It takes long to copy: by now another may have the name.
            facts = look_at_source(self._share, pledge.source)
            if facts is not None and facts.identity != pledge.identity:
                return pledge.source
        try:
            self._share.remove(pledge.source)
        except OSError:
            if copy is not None and self._stays(pledge):
                # Or each further try would leave one more.
                self._share.remove(copy)
            raise
        return None

    def _aside_of(self, pledge: Pledge) -> Place:
        folder = state.stage_folder(self._share, self._by, pledge.source.root)
        key = state.key_of(pledge.direction, pledge.source)
        prefix = state.RETIRED_PREFIX
        return folder.child(f"{prefix}{self._on_done}-{key}-{pledge.stage.name}")

    def _move_aside(self, pledge: Pledge, aside: Place) -> bool:
        """Move the source aside; False if it is gone."""
        for _ in range(_TRIES_MAX):
            try:
                self._share.rename_new(pledge.source, aside)
            except FileExistsError:
                # This run failed half way when it retired this before.
                left: list[Place] = []
                self._settle_aside(pledge, aside, left)
                for place in left:
                    self._share.remove(place)
            except FileNotFoundError:
                if look_at_source(self._share, pledge.source) is None:
                    return False
                self._share.make_folder(aside.folder)
            else:
                return True
        raise FileNotFoundError(errno.ENOENT, "it vanishes again and again", str(aside))

    def _settle_aside(
        self, pledge: Pledge, aside: Place, left: list[Place]
    ) -> Place | None:
        """Archive it, leave it to be removed, or put it back: then tell where."""
        facts = self._share.look(aside)
        if facts is None:
            return None  # whoever took this run for dead settled it
        if facts.identity != pledge.identity:
            return move_to_free_name(self._share, aside, pledge.source)
        if _is_to_be_archived(aside):
            key = _key_in(aside)
            archived = archive(self._share, aside, pledge.source, key=key)
            self.changed.add(archived.folder)
        else:
            left.append(aside)
        return None

    def _drop_companions(self, pledge: Pledge) -> bool:
        """Remove what belongs to the source; tell whether it had a marker."""
        source = pledge.source
        if pledge.direction is Direction.ENCODE:
            marker = self._ready_marker
            return bool(marker) and drop_marker(self._share, source, marker)
        sidecar = source.beside(sidecar_name(source.name))
        try:
            self._share.remove(sidecar)
        except OSError:
            facts = look_at_source(self._share, sidecar)
            if facts is not None and facts.kind is Kind.FILE:
                raise
        place = state.meta_place(source)
        meta = state.load_paper(self._share, place, Meta)
        if meta is not None and meta.container_sha256 == pledge.container_sha256:
            self._share.remove(place)
        return False


def settle_asides(
    share: Share, asides: Iterable[Place], records: Iterable[Record]
) -> list[Place]:
    """Remove, archive or put back what dead runs left aside; give what stays.

    That is what nothing can be put in the place of, and what is of a source that no
    record tells of, which no run leaves.
    """
    left = {place: share.look(place) for place in asides}
    by_key: dict[str, list[Place]] = {}
    for place in left:
        by_key.setdefault(_key_in(place), []).append(place)
    sources: dict[str, Place] = {}
    for record in records if left else ():
        key = state.key_of(record.direction, record.source)
        if record.fate is Fate.DELIVERED and key in by_key:
            sources[key] = record.source
        for place in by_key.get(key, ()):
            facts = left.get(place)
            if (
                facts is not None
                and facts.identity == record.identity
                and _settle_by(share, place, record)
            ):
                del left[place]
    for place, facts in list(left.items()):
        source = sources.get(_key_in(place))
        if facts is None or (source is not None and _goes_back(share, place, source)):
            del left[place]
    return list(left)


def _goes_back(share: Share, aside: Place, source: Place) -> bool:
    """Put a file back; False if there is no way to where it was."""
    try:
        move_to_free_name(share, aside, source)
    except OSError as error:
        if error.errno not in (*BARRED, *FORBIDDEN, errno.EEXIST):
            raise
        return False
    return True


def _settle_by(share: Share, aside: Place, record: Record) -> bool:
    """Settle a file that the record tells of; False if that says nothing of its end."""
    if record.fate is Fate.DELIVERED and _is_to_be_archived(aside):
        archive(share, aside, record.source, key=_key_in(aside))
    elif record.fate is Fate.DELIVERED or _is_quarantined(share, record):
        share.remove(aside)
    else:
        return False
    return True


def _is_quarantined(share: Share, record: Record) -> bool:
    """Tell whether the file is in quarantine; a power cut may leave it two names."""
    folder = quarantine_folder(record.quarantine)
    return bool(record.quarantine) and any(
        (facts := share.look(place)) is not None and facts.identity == record.identity
        for place in state.files_in(share, folder)
    )


def _is_to_be_archived(aside: Place) -> bool:
    return aside.name.startswith(f"{state.RETIRED_PREFIX}{OnDone.ARCHIVE}-")


def _key_in(aside: Place) -> str:
    return aside.name.removeprefix(state.RETIRED_PREFIX).split("-")[1]
