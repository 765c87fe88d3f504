"""In which order a pass takes what lies below a root.

First the big files that fall to this node, so that none is begun last; then the rest
of its own; then, to help, those that fall to others, in an order that no other node
has. Each entry comes once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from paxect_batch.model.items import Entry, Kind
from paxect_batch.model.places import Place, Root
from paxect_batch.relay.scan import scan
from paxect_batch.rules.plan import BIG_BYTES_MIN
from paxect_batch.rules.share_out import is_own, order
from paxect_batch.seams import Share

HELP_WINDOW = 4096
"""So many entries of others are put in order at a time."""


class Rounds:
    """The rounds of one pass of a node, beside others that live."""

    def __init__(
        self,
        share: Share,
        node: str,
        others: Collection[str],
        momentary: Callable[[Place], None] | None = None,
    ) -> None:
        """`momentary` is told of files that `scan` passes over."""
        self._momentary = momentary
        self._share = share
        self._node = node
        self._others = others

    def entries(self, root: Root) -> Iterator[Entry]:
        """Give files and links below the root, each once, in the order to take them."""
        begun: set[Place] = set()
        for entry in self._own(root):
            if entry.kind is Kind.FILE and self._is_big(entry):
                begun.add(entry.place)
                yield entry
        for entry in self._own(root, self._momentary):
            if entry.place not in begun:
                yield entry
        if self._others:
            yield from self._of_others(root)

    def _own(
        self, root: Root, momentary: Callable[[Place], None] | None = None
    ) -> Iterator[Entry]:
        for entry in scan(self._share, root, momentary):
            if self._falls_here(entry):
                yield entry

    def _of_others(self, root: Root) -> Iterator[Entry]:
        window: list[Entry] = []
        for entry in scan(self._share, root):
            if self._falls_here(entry):
                continue
            window.append(entry)
            if len(window) >= HELP_WINDOW:
                yield from self._in_order(window)
                window.clear()
        yield from self._in_order(window)

    def _in_order(self, entries: list[Entry]) -> list[Entry]:
        return sorted(entries, key=lambda entry: order(self._node, str(entry.place)))

    def _falls_here(self, entry: Entry) -> bool:
        return is_own(self._node, self._others, str(entry.place))

    def _is_big(self, entry: Entry) -> bool:
        return self._share.size_of(entry.place) >= BIG_BYTES_MIN
