"""Deliberate mistakes, made in the processes of the node that is to die."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import IO, Any

from paxect_batch.model.places import Place, Root
from paxect_batch.relay import settle
from paxect_batch.rules.steps import SourceState, Step
from paxect_batch.world.ledger import FileLedger
from paxect_batch.world.share import LocalShare
from paxect_batch.world.syncing import met


def _skip_file_syncs() -> None:
    def sync(self: LocalShare, stream: IO[bytes]) -> None:
        """Leave a file's bytes to chance."""

    def sync_all(
        self: LocalShare, streams: Sequence[IO[bytes]]
    ) -> tuple[OSError | None, ...]:
        """Leave the bytes of several to chance."""
        return (None,) * len(streams)

    LocalShare.sync = sync  # type: ignore[method-assign]
    LocalShare.sync_all = sync_all  # type: ignore[method-assign]


def _skip_folder_syncs() -> None:
    def sync_folder(self: LocalShare, folder: Place) -> None:
        """Leave a folder's names to chance."""

    LocalShare.sync_folder = sync_folder  # type: ignore[method-assign]
    LocalShare.sync_folders = lambda _, folders: (None,) * len(folders)  # type: ignore[method-assign]


def _skip_the_sync_where_it_is_published() -> None:
    synced = LocalShare.sync_folder

    def sync_folder(self: LocalShare, folder: Place) -> None:
        if folder.root not in (Root.WIRE, Root.OUTBOX):
            synced(self, folder)

    def sync_folders(
        self: LocalShare, folders: Sequence[Place]
    ) -> tuple[OSError | None, ...]:
        return tuple(met(self.sync_folder, folder) for folder in folders)

    LocalShare.sync_folder = sync_folder  # type: ignore[method-assign]
    LocalShare.sync_folders = sync_folders  # type: ignore[method-assign]


def _retire_before_recording() -> None:
    right = settle.next_step

    def next_step(scene: Any) -> Step:
        step = right(scene)
        if step is Step.RECORD and scene.source is SourceState.SAME and scene.retire:
            return Step.RETIRE
        return step

    settle.next_step = next_step


def _publish_without_intent() -> None:
    from paxect_batch.relay import commit

    def write_intent(share: Any, intent: Any) -> None:
        """Promise nothing."""

    commit.write_intent = write_intent


def _record_without_sync() -> None:
    append, sync = FileLedger.append, LocalShare.sync

    def no_sync(self: LocalShare, stream: IO[bytes]) -> None:
        """Leave the record to chance."""

    def append_so(self: FileLedger, records: list[Any]) -> None:
        LocalShare.sync = no_sync  # type: ignore[method-assign]
        try:
            append(self, records)
        finally:
            LocalShare.sync = sync  # type: ignore[method-assign]

    FileLedger.append = append_so  # type: ignore[method-assign]


MISTAKES: dict[str, Callable[[], None]] = {
    "skip the sync of files": _skip_file_syncs,
    "skip the sync of folders": _skip_folder_syncs,
    "skip the sync of wire and outbox": _skip_the_sync_where_it_is_published,
    "retire before recording": _retire_before_recording,
    "record without a sync": _record_without_sync,
    "publish without an intent": _publish_without_intent,
}
