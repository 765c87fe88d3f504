"""Make the records of what became of items."""

from __future__ import annotations

from paxect_batch.model.records import Fate, Record
from paxect_batch.model.transfer import Attempts, Pledge


class Recorder:
    """Fills in what all records of a run have in common."""

    def __init__(self, *, node: str, run: str, codec: str) -> None:
        self._node = node
        self._run = run
        self._codec = codec

    def delivered(self, pledge: Pledge, *, adopted: bool, at: str) -> Record:
        """Record an item that was published."""
        return Record(
            fate=Fate.DELIVERED,
            direction=pledge.direction,
            source=pledge.source,
            identity=pledge.identity,
            target=pledge.target,
            raw_bytes=pledge.raw_bytes,
            raw_sha256=pledge.raw_sha256,
            container_bytes=pledge.container_bytes,
            container_sha256=pledge.container_sha256,
            adopted=adopted,
            node=self._node,
            run=self._run,
            codec=self._codec,
            at=at,
        )

    def set_aside(self, attempts: Attempts, *, quarantine: str, at: str) -> Record:
        """Record an item that was given up."""
        last = attempts.failures[-1]
        return Record(
            fate=Fate.SET_ASIDE,
            direction=attempts.direction,
            source=attempts.source,
            identity=attempts.identity,
            code=last.code,
            detail=last.detail,
            exit_code=last.exit_code,
            quarantine=quarantine,
            node=self._node,
            run=self._run,
            codec=self._codec,
            at=at,
        )
