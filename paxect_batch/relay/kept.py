"""Take away what was kept when it arrived, once the policy lets nothing be kept.

It is not delivered again: a record tells of each such file. Should this die half way,
the same record tells what becomes of a file that it left aside.
"""

from __future__ import annotations

from collections.abc import Sequence

from paxect_batch.model.items import Item
from paxect_batch.model.places import Place
from paxect_batch.model.policy import OnDone, Policy
from paxect_batch.model.run import RunOptions
from paxect_batch.model.transfer import Pledge
from paxect_batch.relay import state
from paxect_batch.relay.commits import at_once
from paxect_batch.relay.retire import Retirer
from paxect_batch.relay.settle import run_over
from paxect_batch.relay.taking import Taker
from paxect_batch.seams import Locks, Share

MARKER = state.state("kept")
_TEXT = b"Sources stayed on this share when they arrived: on_done was keep.\n"


def note(share: Share) -> None:
    """Write down that sources stay on this share."""
    if share.look(MARKER) is None:
        share.write(MARKER, _TEXT)


def is_noted(share: Share) -> bool:
    """Tell whether sources stayed on this share at any time."""
    return share.look(MARKER) is not None


class Kept:
    """Takes kept files away, for one pass."""

    def __init__(
        self,
        share: Share,
        locks: Locks,
        options: RunOptions,
        policy: Policy,
        taker: Taker,
    ) -> None:
        self._share = share
        self._locks = locks
        self._by = state.Owner(options.node, options.run)
        self._policy = policy
        self._taker = taker

    def take_away(self, items: Sequence[Item]) -> None:
        """Retire items that arrived, unless they may stay or others are at them."""
        if not items or self._policy.on_done is OnDone.KEEP:
            return
        taken = self._taker.take([self._taker.wanted(item) for item in items])
        try:
            if not self._locks.stands():
                raise run_over(self._by)
            retirer = Retirer(
                self._share,
                self._by,
                self._policy.on_done,
                ready_marker=self._policy.ready_marker,
            )
            pledges = [
                self._pledge(each.item, each.target, number)
                for number, each in enumerate(taken)
            ]
            at_once(retirer.retire(pledges))
        finally:
            for each in taken:
                assert each.claim is not None
                each.claim.release()

    def _pledge(self, item: Item, target: Place, number: int) -> Pledge:
        """Return what of a pledge tells which file is to be retired."""
        folder = state.stage_folder(self._share, self._by, item.source.root)
        return Pledge(
            direction=item.direction,
            source=item.source,
            identity=item.identity,
            stage=folder.child(f"kept-{number}"),
            target=target,
            sidecar_stage=None,
            sidecar=None,
            raw_bytes=0,
            raw_sha256="",
            container_bytes=0,
            container_sha256="",
        )
