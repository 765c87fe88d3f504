"""Make a worker's task of an admitted item."""

from __future__ import annotations

from paxect_batch.model.items import Direction, Item
from paxect_batch.model.places import Root
from paxect_batch.model.policy import Policy, Verify
from paxect_batch.model.transfer import Meta, Task
from paxect_batch.relay import state
from paxect_batch.rules.naming import sidecar_name
from paxect_batch.rules.plan import threads_for
from paxect_batch.rules.sample import encode_twice
from paxect_batch.seams import Share


class TaskMaker:
    """Makes tasks under names that no other task has."""

    def __init__(
        self, share: Share, *, owner: state.Owner, cores: int, workers: int
    ) -> None:
        self._share = share
        self._owner = owner
        self._cores = cores
        self._workers = workers
        self._number = 0

    def make(self, item: Item, policy: Policy) -> Task:
        """Return what a worker is to do with the item."""
        encodes = item.direction is Direction.ENCODE
        root = Root.WIRE if encodes else Root.OUTBOX
        folder = state.stage_part(self._share, self._owner, root, self._number)
        # Short, and below the run's own folder: nothing is ever written over.
        stage = folder.child(
            f"{state.key_of(item.direction, item.source)[:16]}-{self._number:x}.part"
        )
        self._number += 1
        if encodes:
            sidecar, meta = stage.beside(f"{stage.name}.sha256"), None
        else:
            sidecar = item.source.beside(sidecar_name(item.source.name))
            meta = self._meta(item, policy)
        return Task(
            direction=item.direction,
            source=item.source,
            identity=item.identity,
            stage=stage,
            sidecar=sidecar,
            level=policy.level,
            channels=policy.channels,
            frame_bytes=policy.frame_bytes,
            threads=threads_for(item.size, cores=self._cores, workers=self._workers),
            read_back=policy.verify is Verify.READBACK,
            twice=encodes
            and encode_twice(
                item.source.path, size=item.size, number_in_run=self._number - 1
            ),
            mtime_ns=meta.mtime_ns if meta else None,
            mode=meta.mode if meta else (item.facts.mode if encodes else None),
            dressed_as=meta.container_sha256 if meta else "",
            raw_bytes_max=0 if encodes else policy.max_file_mb << 20,
        )

    def _meta(self, item: Item, policy: Policy) -> Meta | None:
        if not (policy.carry_times or policy.carry_mode):
            return None
        place = state.meta_place(item.source)
        return state.load_paper(self._share, place, Meta)
