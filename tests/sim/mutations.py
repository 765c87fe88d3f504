"""Deliberate mistakes, to see that the simulator finds such."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import Any
from unittest import mock

import sim_share

from paxect_batch.model.places import Place, Root
from paxect_batch.relay import commit, matters, retire, settle
from paxect_batch.relay.recover import Recovery
from paxect_batch.rules.steps import SourceState, Step
from paxect_batch.world.ledger import FileLedger

Patch = tuple[object, str, Any]


def _no_sync(self: sim_share.SimShare, stream: object) -> None:
    """Leave a file's bytes to chance."""


def _no_folder_sync(self: sim_share.SimShare, folder: Place) -> None:
    """Leave a folder's entries to chance."""


def _no_outbox_sync(self: sim_share.SimShare, folder: Place) -> None:
    if folder.root is Root.STATE:
        self._calls.sync_folder(sim_share.path_of(folder))


def _replacing(self: sim_share.SimShare, source: Place, target: Place) -> None:
    old, new = sim_share.path_of(source), sim_share.path_of(target)
    self._calls.rename(old, new, replaces=True)


_next_step = settle.next_step


def _retire_first(scene: Any) -> Step:
    step = _next_step(scene)
    if step is Step.RECORD and scene.source is SourceState.SAME and scene.retire:
        return Step.RETIRE
    return step


def _ignore_withdrawn(scene: Any) -> Step:
    if scene.withdrawn and not scene.recorded:
        return Step.RECORD
    return _next_step(scene)


def _ignore_changed(scene: Any) -> Step:
    step = _next_step(scene)
    return Step.PUBLISH if step is Step.DROP else step


def _publish_over_different(scene: Any) -> Step:
    step = _next_step(scene)
    return Step.ADOPT if step is Step.COLLIDE else step


def _any_identity(self: retire.Retirer, pledges: Any) -> Any:
    for pledge in pledges:
        if self._share.look(pledge.source) is not None:
            self.changed.add(pledge.source.folder)
            yield partial(self._share.remove, pledge.source)
    return [True] * len(pledges)


def _settle_nothing(self: Recovery, intent: Any, record: Any) -> None:
    """Forget what was promised."""
    self._share.remove(matters.place_of(intent))


def _close_nothing(self: Recovery, owner: Any) -> bool:
    """Sweep although the run might still promise."""
    return True


def _sweep_first(self: Recovery, record: Any) -> None:
    for run in sorted(self._runs()):
        owner = settle.state.Owner(self._node, run)
        if owner != self._by:
            self._sweep_stages(owner, [])
    _recover(self, record)


_recover = Recovery.run


def _no_intent(share: Any, intent: Any) -> None:
    """Promise nothing."""


def _forget_records(self: FileLedger, records: list[Any]) -> None:
    """Keep no ledger."""


def _claim_all(self: Any, key: str, *, node: str, run: str) -> bool:
    return True


def _silent_at_once(*args: Any, **named: Any) -> bool:
    return True


class _Unsynced:
    """A share of which files are not made durable."""

    def __init__(self, share: Any) -> None:
        self._share = share

    def __getattr__(self, name: str) -> Any:
        return getattr(self._share, name)

    def sync(self, stream: object) -> None:
        """Leave a file's bytes to chance."""


def _unsynced_record(self: FileLedger, records: list[Any]) -> None:
    share, self._share = self._share, _Unsynced(self._share)
    try:
        _append(self, records)
    finally:
        self._share = share


_append = FileLedger.append


def _unsettled_released(self: Any) -> bool:
    while self._committer.unsettled:
        self._committer.unsettled.pop().release()
    return True


def _partial_reads(self: sim_share.SimShare, facts: Any) -> Any:
    """See nobody write, and no change."""


def _unchecked(share: Any, task: Any, source: Any) -> None:
    """Believe that the source is what was admitted."""


from paxect_batch.relay.rescue import Rescuer  # noqa: E402
from paxect_batch.work import decode, encode  # noqa: E402
from paxect_batch.world import claims, keeper  # noqa: E402

MUTATIONS: dict[str, tuple[Patch, ...]] = {
    "skip the sync of files": ((sim_share.SimShare, "sync", _no_sync),),
    "skip the sync of folders": ((sim_share.SimShare, "sync_folder", _no_folder_sync),),
    "skip the sync of inbox, wire and outbox": (
        (sim_share.SimShare, "sync_folder", _no_outbox_sync),
    ),
    "append records without a sync": ((FileLedger, "append", _unsynced_record),),
    "retire before recording": ((settle, "next_step", _retire_first),),
    "record nothing": ((FileLedger, "append", _forget_records),),
    "publish with replacing": ((sim_share.SimShare, "rename_new", _replacing),),
    "drop the identity check when retiring": (
        (retire.Retirer, "retire", _any_identity),
    ),
    "drop the identity check after reading": (
        (encode, "check_unchanged", _unchecked),
        (decode, "check_unchanged", _unchecked),
    ),
    "take a withdrawn stage for published": ((settle, "next_step", _ignore_withdrawn),),
    "publish for a source that changed": ((settle, "next_step", _ignore_changed),),
    "adopt different bytes": ((settle, "next_step", _publish_over_different),),
    "write no intent": ((commit, "write_intent", _no_intent),),
    "forget intents when recovering": ((Recovery, "_settle", _settle_nothing),),
    "sweep stages before settling": ((Recovery, "run", _sweep_first),),
    "sweep without taking a run's word": ((Recovery, "_close", _close_nothing),),
    "take every lease for over": ((keeper, "is_over", _silent_at_once),),
    "claim what others have": ((claims.ClaimFiles, "take", _claim_all),),
    "give back what is not settled": ((Rescuer, "is_finished", _unsettled_released),),
}


@contextlib.contextmanager
def mutated(name: str) -> Iterator[None]:
    """Make the mistake of that name for a while."""
    with contextlib.ExitStack() as stack:
        for target, attribute, value in MUTATIONS[name]:
            stack.enter_context(mock.patch.object(target, attribute, value))
        yield
