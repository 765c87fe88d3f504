"""What commands that only look need of a share: its folders, its files, its records."""

from __future__ import annotations

from collections.abc import Iterator

from paxect_batch.cli.arguments import Arguments
from paxect_batch.cli.layout import Layout, find_layout
from paxect_batch.cli.settings import Settings, load
from paxect_batch.model.records import Record
from paxect_batch.world.ledger import Torn, all_records, ignore_torn
from paxect_batch.world.share import LocalShare


class Opened:
    """A share, opened by the settings of a command."""

    def __init__(self, arguments: Arguments, *, share: str | None) -> None:
        self.settings: Settings = load(arguments, share=share)
        self.layout: Layout = find_layout(self.settings)
        self.share = LocalShare(self.layout.roots)

    def records(self, on_torn: Torn = ignore_torn) -> Iterator[Record]:
        """Give the records of all nodes and runs."""
        return all_records(self.share, on_torn)


def open_share(arguments: Arguments) -> Opened:
    """Open the share that the only operand names, or the settings."""
    share = arguments.operands[0] if arguments.operands else None
    return Opened(arguments, share=share)
