"""In which order a pass takes what lies below a root.

First the big files that fall to this node, so that none is begun last; then the rest
of its own; then, to help, those that fall to others. Where there are very many, that
holds for some thousands at a time: the first is not to wait for the last to be listed.
Each entry comes once, as the others do not change meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice

from paxect_batch.model.items import Entry, Kind
from paxect_batch.model.places import Place, Root
from paxect_batch.relay.scan import scan, scan_to_serve
from paxect_batch.rules.naming import CONTAINER_SUFFIX
from paxect_batch.rules.plan import BIG_BYTES_MIN
from paxect_batch.rules.share_out import ShareOut
from paxect_batch.seams import Share

OWN_WINDOW = 16_384
"""Among so many entries the big ones come first."""
HELP_WINDOW = 4096
"""So many entries of others are put in order at a time."""


def chunks(entries: Iterable[Entry], count: Callable[[], int]) -> Iterator[list[Entry]]:
    """Give so many entries at a time as are asked for by then."""
    entries = iter(entries)
    while chunk := list(islice(entries, count())):
        yield chunk


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
        self._others = others
        self._share_out = ShareOut(node, others)

    def own(self, root: Root) -> Iterator[Entry]:
        """Give what falls to this node below the root: files and links."""
        for window in chunks(self._own(root), lambda: OWN_WINDOW):
            big = self._big_among(window)
            yield from big
            begun = {entry.place for entry in big}
            for entry in window:
                if not begun or entry.place not in begun:
                    yield entry

    def _big_among(self, entries: list[Entry]) -> list[Entry]:
        found: list[Entry] = []

        def look(entry: Entry) -> None:
            if (
                entry.kind is Kind.FILE
                and self._share.size_of(entry.place) >= BIG_BYTES_MIN
            ):
                found.append(entry)

        self._share.each(look, entries)
        return found

    def of_others(self, root: Root) -> Iterator[list[Entry]]:
        """Give what falls to other nodes, some at a time, in the order to help.

        First what would be this node's if the one that it falls to were gone, so that
        helpers do not meet. From the far end, as owners come from the near one.
        """
        if not self._others:
            return
        window: list[Entry] = []
        for entry in scan(self._share, root):
            if not self._falls_here(entry):
                window.append(entry)
            if len(window) >= HELP_WINDOW:
                yield self._in_order(window)
                window = []
        yield self._in_order(window)

    def _own(self, root: Root) -> Iterator[Entry]:
        for entry in scan_to_serve(self._share, root, self._momentary):
            if self._falls_here(entry):
                yield entry

    def _in_order(self, entries: list[Entry]) -> list[Entry]:
        entries.reverse()
        return sorted(entries, key=lambda entry: self._share_out.rank(_drawn(entry)))

    def _falls_here(self, entry: Entry) -> bool:
        return self._share_out.is_own(_drawn(entry))


def _drawn(entry: Entry) -> str:
    """Return what is drawn for: a container falls to the node that its file fell to."""
    return entry.place.path.removesuffix(CONTAINER_SUFFIX)
