"""Finish what runs of a node began, and sweep what they left.

Intents are settled by the same code as live ones. Then a run that is over loses its
folder for intents, by a removal that the share refuses if an intent lies in it. From
then on it can promise nothing, even if it only slept, and what it had staged is
nobody's data: it is dropped. Files that were moved aside while retiring are told by the
ledgers. What any process had written for a moment only, and died over, goes with age.
"""

from __future__ import annotations

import errno

import msgspec

from paxect_batch.model.events import Event
from paxect_batch.model.items import Direction
from paxect_batch.model.places import Place, Root
from paxect_batch.model.policy import OnDone
from paxect_batch.model.records import Fate, Record
from paxect_batch.model.transfer import Intent, Pledge
from paxect_batch.relay import state
from paxect_batch.relay.commits import at_once
from paxect_batch.relay.markers import drop_marker
from paxect_batch.relay.matters import Delivery, Matter, found_matters
from paxect_batch.relay.retire import settle_asides
from paxect_batch.relay.settle import Recorder, Settler
from paxect_batch.relay.sweep import Sweeper
from paxect_batch.relay.targets import look_at_sidecar
from paxect_batch.rules.naming import sidecar_name
from paxect_batch.rules.steps import Step, TargetState
from paxect_batch.seams import EventLog, Ledger, Share
from paxect_batch.work.sources import look_at_source

_NO_FOLDER = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_NOT_OPENED = (errno.EACCES, errno.EPERM)


class Recovery:
    """Takes over the unfinished business of one node, for the run that it is `by`.

    Either of `only` one of its runs, which is over; or of all, which are over but for
    `by`, and that has nothing in flight meanwhile.
    """

    def __init__(
        self,
        share: Share,
        ledger: Ledger,
        node: str,
        *,
        by: state.Owner,
        only: str | None = None,
    ) -> None:
        self._share = share
        self._ledger = ledger
        self._node = node
        self._by = by
        self._only = only
        self.settled: list[Matter] = []
        """Matters that were carried to their end."""
        self.swept: list[Place] = []
        """Crumbs that were removed."""
        self.unreadable: list[Place] = []
        """Intents that are none; they were put beside and promise nothing."""
        self.aside: list[Place] = []
        """Files that an earlier run moved aside, with no way back."""

    @property
    def is_closed(self) -> bool:
        """Whether the one run can promise nothing any more."""
        assert self._only is not None
        folder = state.intent_folder(state.Owner(self._node, self._only))
        return self._share.look(folder) is None

    def run(self, record: Recorder) -> None:
        """Settle every intent of the node, then sweep what its runs staged."""
        # Who settles must not miss an intent because of an old listing.
        folder = state.intents_folder(self._node)
        for each in [folder, *state.folders_in(self._share, folder)]:
            self._share.freshen(each)
        intents = state.intents_of(self._share, self._node)
        places = sorted(p for p in intents if self._concerns(p.folder.name))
        # Who made the newest may have died before its name was durable.
        self._sync({place.folder for place in places})
        for place in places:
            intent = state.load_intent(self._share, place)
            if intent is not None:
                self._settle(intent, record)
            elif self._share.look(place) is not None:
                state.require_known(self._share, place)
                self._put_beside(place)
        self.sweep()
        if self._only is None:
            self.sweep_crumbs()

    def sweep(self) -> None:
        """Drop what is staged by runs that are over, and by this one."""
        asides: list[Place] = []
        closed = []
        for run in sorted(self._runs()):
            owner = state.Owner(self._node, run)
            if owner == self._by:
                if not any(state.intents_in(self._share, state.intent_folder(owner))):
                    self._sweep_stages(owner, asides)
            elif self._close(owner):
                closed.append(owner)
                self._sweep_stages(owner, asides)
        records = self._ledger.all() if asides else ()
        self.aside = settle_asides(self._share, asides, records)
        # Of no other: while an intent stands, its stages must be known to be gone.
        for owner in closed:
            self._remove_stage_folders(owner)

    def end(self) -> None:
        """Close this run, which stages nothing any more, and leave nothing of it."""
        self.sweep()
        # Before, as the batch of a run that is closed passes for abandoned.
        self.sweep_crumbs()
        if self._close(self._by):
            self._remove_stage_folders(self._by)

    def tell(self, events: EventLog) -> None:
        """Log what was found."""
        for matter in self.settled:
            events.write(
                Event.RECOVERED,
                src=str(matter.pledge.source),
                dst=str(matter.pledge.target),
                status="delivered" if matter.ended is Step.FINISH else "withdrawn",
                message="an earlier run left it unfinished",
            )
        for place in self.unreadable:
            events.write(
                Event.LEDGER_TORN,
                src=str(place),
                status="error",
                message="not an intent; it was put beside and promises nothing",
            )
        for place in self.aside:
            events.write(
                Event.COLLISION,
                src=str(place),
                status="error",
                message="an earlier run moved it aside, and it has no way back: a file "
                "or a link is where its folder was, or that lets nothing in; it stays",
            )
        if self.swept:
            events.write(
                Event.SWEPT,
                message=f"{len(self.swept)} crumb(s) of earlier runs dropped",
            )

    def sweep_crumbs(self, *, beside_work: bool = False) -> None:
        """Remove what processes died over that was for a moment, or is of no use."""
        sweeper = Sweeper(self._share)
        sweeper.sweep(beside_work=beside_work)
        self.swept.extend(sweeper.swept)

    def _settle(self, intent: Intent, record: Recorder) -> None:
        recorded = self._recorded(intent)
        for pledge in intent.pledges:
            self._drop_orphans(pledge, intent)
        matters = found_matters(self._share, intent, recorded)
        # The same goes for sources that are gone; back without the intent, after a
        # power loss, they would be delivered again.
        sources = {matter.pledge.source.folder for matter in matters}
        self._sync(sources, but=(*_NO_FOLDER, *_NOT_OPENED))
        at_once(Settler(self._share, intent, record, by=self._by).settle(matters))
        self.settled.extend(matters)

    def _sync(self, folders: set[Place], *, but: tuple[int, ...] = _NO_FOLDER) -> None:
        for folder in sorted(folders):
            try:
                self._share.sync_folder(folder)
            except OSError as error:
                if error.errno not in but:
                    raise

    def _drop_orphans(self, pledge: Pledge, intent: Intent) -> None:
        """Remove what belonged to a source that was retired, if it came back alone.

        It does after a power cut. By a sidecar the next container of that name would be
        taken for one that collides with it, by a marker the next file for a whole one.
        """
        source = pledge.source
        try:
            if look_at_source(self._share, source) is not None:
                return
        except PermissionError:
            return
        if pledge.direction is Direction.ENCODE:
            if intent.ready_marker and intent.on_done is not OnDone.KEEP:
                drop_marker(self._share, source, intent.ready_marker)
            return
        sidecar = source.beside(sidecar_name(source.name))
        retired = msgspec.structs.replace(pledge, sidecar=sidecar)
        if look_at_sidecar(self._share, retired) is TargetState.EQUAL:
            self._share.remove(sidecar)

    def _recorded(self, intent: Intent) -> set[Delivery]:
        """Return which of the intent's items are recorded, durably from now on."""
        pledged = {
            (each.direction, each.source, each.identity) for each in intent.pledges
        }
        owner = state.Owner(intent.node, intent.run)
        theirs = self._deliveries(owner, intent.ledger_offset, pledged)
        if owner == self._by:
            return set(theirs)
        # This run may have failed when it settled this before.
        own = self._deliveries(self._by, 0, pledged)
        # Who wrote what is read here may have died before it was durable.
        new = [record for key, record in theirs.items() if key not in own]
        self._ledger.append(new)
        return {*theirs, *own}

    def _deliveries(
        self, owner: state.Owner, offset: int, pledged: set[Delivery]
    ) -> dict[Delivery, Record]:
        return {
            _delivery(record): record
            for record in self._ledger.since(owner.node, owner.run, offset)
            if record.fate is Fate.DELIVERED and _delivery(record) in pledged
        }

    def _put_beside(self, place: Place) -> None:
        # Out of the run's folder, which must become empty.
        run = place.folder
        beside = run.beside(f"{run.name}-{place.name}{state.UNREADABLE_SUFFIX}")
        self._share.rename_new(place, beside)
        self.unreadable.append(place)

    def _close(self, owner: state.Owner) -> bool:
        """Take its word from a run; False if it has an intent that stands."""
        folder = state.intent_folder(owner)
        for place in list(state.files_in(self._share, folder)):
            if not state.is_intent(place):
                self._share.remove(place)  # left by who died freshening the folder
        self._share.remove_folder(folder)
        if self._share.look(folder) is not None:
            return False
        # Were the folder back after a power loss, and the stages not, its intents would
        # pass for published; and who removed it before may have died at once.
        self._sync({folder.folder})
        return True

    def _runs(self) -> set[str]:
        if self._only is not None:
            # Whatever a listing says, which may be older than its folders.
            return {self._only}
        folders = {state.intents_folder(self._node), *self._stages_folders()}
        return {
            run.name
            for folder in folders
            for run in state.folders_in(self._share, folder)
        }

    def _concerns(self, run: str) -> bool:
        return self._only is None or run == self._only

    def _stages_folders(self) -> set[Place]:
        return {
            state.stages_folder(self._share, self._node, root)
            for root in (Root.STATE, Root.INBOX, Root.WIRE, Root.OUTBOX)
        }

    def _sweep_stages(self, owner: state.Owner, asides: list[Place]) -> None:
        for folder in self._stage_folders_of(owner):
            for place in list(state.files_in(self._share, folder)):
                if place.name.startswith(state.RETIRED_PREFIX):
                    asides.append(place)
                elif self._share.remove(place):
                    self.swept.append(place)

    def _remove_stage_folders(self, owner: state.Owner) -> None:
        for folder in self._stage_folders_of(owner):
            self._share.remove_folder(folder)

    def _stage_folders_of(self, owner: state.Owner) -> list[Place]:
        """Return where the run staged, each folder after those that are in it."""
        folders: list[Place] = []
        for each in sorted(self._stages_folders()):
            of_run = each.child(owner.run)
            folders += state.folders_in(self._share, of_run)
            folders.append(of_run)
        return folders


def _delivery(record: Record) -> Delivery:
    return record.direction, record.source, record.identity
