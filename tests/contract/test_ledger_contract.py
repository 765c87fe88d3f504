"""Ledgers, real (on both shares) and fake: `seams.Ledger`; and torn ones."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import msgspec
import pytest
from fakes.ledger import Ledgers, MemoryLedger
from fakes.share import MemoryShare
from file_sizes import file_size_limit
from stages import LocalStage, refused, state

from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.places import (
    LINE_BYTES_MAX,
    NAME_BYTES_MAX,
    Place,
    Root,
    to_text,
)
from paxect_batch.model.records import Fate, Record
from paxect_batch.relay.scan import DEPTH_MAX
from paxect_batch.seams import Ledger, Share
from paxect_batch.world.ledger import FileLedger, all_records
from paxect_batch.world.ledger_files import ledger_place
from paxect_batch.world.ledger_news import QUIET_SECONDS
from paxect_batch.world.tree_descriptors import DescriptorTree

OWN = ledger_place("node1", "run1")


def record(number: int) -> Record:
    return Record(
        fate=Fate.DELIVERED,
        direction=Direction.ENCODE,
        source=Place(Root.INBOX, f"a\\x0a/{number}"),
        identity=Identity(number, 1_700_000_000_123_456_789, 2**63),
        target=Place(Root.WIRE, f"{number}.freq"),
        node="node1",
        run="run1",
    )


@pytest.fixture(params=["fake", "memory share", "folders"])
def make(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[str, str], Ledger]]:
    """Make the ledger of one more run on the same share."""
    if request.param == "fake":
        ledgers: Ledgers = {}
        yield lambda node, run: MemoryLedger(node, run, ledgers)
        return
    share: Share = MemoryShare()
    if request.param == "folders":
        share = LocalStage(tmp_path, DescriptorTree).share
    made: list[FileLedger] = []

    def make(node: str, run: str) -> Ledger:
        made.append(FileLedger(share, node, run))
        return made[-1]

    yield make
    for ledger in made:
        ledger.close()


def test_records_come_back_as_they_were_added(
    make: Callable[[str, str], Ledger],
) -> None:
    ledger = make("node1", "run1")
    assert ledger.offset() == 0
    ledger.append([record(1), record(2)])
    between = ledger.offset()
    ledger.append([])
    assert ledger.offset() == between
    ledger.append([record(3)])
    assert ledger.offset() > between
    for reader in (ledger, make("node2", "run9")):
        assert list(reader.since("node1", "run1", 0)) == [record(n) for n in (1, 2, 3)]
        assert list(reader.since("node1", "run1", between)) == [record(3)]
        assert list(reader.since("node1", "run1", ledger.offset())) == []


def test_ledger_that_is_not_there_has_no_records(
    make: Callable[[str, str], Ledger],
) -> None:
    ledger = make("node1", "run1")
    assert list(ledger.since("node1", "run1", 0)) == []
    assert list(ledger.since("nobody", "never", 5)) == []
    assert list(ledger.all()) == []


def test_all_records_are_those_of_all_nodes_and_runs(
    make: Callable[[str, str], Ledger],
) -> None:
    runs = [("node1", "run1"), ("node1", "run2"), ("node2", "run1")]
    for number, (node, run) in enumerate(runs):
        make(node, run).append([record(number)])
    found = make("node3", "run1").all()
    assert sorted(each.identity.size for each in found) == [0, 1, 2]


# -- files


@pytest.fixture
def stage(tmp_path: Path) -> LocalStage:
    return LocalStage(tmp_path, DescriptorTree)


def torn_into(notes: list[tuple[Place, int]]) -> Callable[[Place, int], None]:
    return lambda place, offset: notes.append((place, offset))


@pytest.mark.parametrize(
    "tail",
    [b'{"fate":"deliv', b"garbage\n", bytes(100), b"\xff\xfe\n", b"{}\n", b"[1]"],
    ids=repr,
)
def test_torn_end_is_left_out_and_told(stage: LocalStage, tail: bytes) -> None:
    ledger = FileLedger(stage.share, "node1", "run1")
    ledger.append([record(1)])
    ledger.close()
    with open(stage.path(OWN), "ab") as stream:
        stream.write(tail)
    notes: list[tuple[Place, int]] = []
    later = FileLedger(stage.share, "node1", "run2", on_torn=torn_into(notes))
    assert list(later.since("node1", "run1", 0)) == [record(1)]
    assert notes == [(OWN, ledger.offset())]
    assert list(later.all()) == [record(1)]


def test_line_that_is_torn_in_the_middle_costs_itself_only(stage: LocalStage) -> None:
    ledger = FileLedger(stage.share, "node1", "run1")
    ledger.append([record(1)])
    ledger.close()
    whole = stage.get(OWN) or b""
    stage.put(OWN, whole + b"x" * (LINE_BYTES_MAX + 5) + b"\n" + whole)
    notes: list[tuple[Place, int]] = []
    found = all_records(stage.share, torn_into(notes))
    assert list(found) == [record(1), record(1)]
    assert notes[0] == (OWN, len(whole))


def test_record_of_the_deepest_path_of_bytes_that_are_no_text_is_read(
    stage: LocalStage,
) -> None:
    deepest = to_text(b"/".join([b"\xff" * NAME_BYTES_MAX] * (DEPTH_MAX + 1)))
    long = msgspec.structs.replace(
        record(1), source=Place(Root.INBOX, deepest), target=Place(Root.WIRE, deepest)
    )
    ledger = FileLedger(stage.share, "node1", "run1")
    ledger.append([long])
    ledger.close()
    assert list(ledger.all()) == list(ledger.follow().read([])) == [long]


def test_run_never_appends_to_a_file_that_is_there(stage: LocalStage) -> None:
    stage.put(OWN, b"torn")
    ledger = FileLedger(stage.share, "node1", "run1")
    with pytest.raises(FileExistsError):
        ledger.append([record(1)])
    assert stage.get(OWN) == b"torn"


def test_other_things_beside_the_ledgers_are_no_ledgers(stage: LocalStage) -> None:
    stage.put(state("ledger/stray"), b"{}\n")
    stage.put(state("ledger/node1/notes.txt"), b"{}\n")
    stage.share.make_folder(state("ledger/node1/folder.jsonl"))
    told: list[Place] = []
    records = all_records(stage.share, lambda place, offset: told.append(place))
    assert list(records) == []
    assert told == [state("ledger/node1/folder.jsonl")]
    assert list(FileLedger(stage.share, "node2", "run2").news(())) == []


def test_append_on_a_full_disk_adds_nothing_and_works_later(stage: LocalStage) -> None:
    ledger = FileLedger(stage.share, "node1", "run1")
    ledger.append([record(1)])
    before = ledger.offset()
    with file_size_limit(before + 100), refused(errno.EFBIG):
        ledger.append([record(2), record(3)])
    assert ledger.offset() == before
    assert len(stage.get(OWN) or b"") == before
    ledger.append([record(4)])
    ledger.close()
    assert list(ledger.since("node1", "run1", 0)) == [record(1), record(4)]


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    "operation", ["create", "stream.write", "sync", "sync_folder", "stream.truncate"]
)
def test_append_that_fails_anywhere_adds_nothing_and_can_be_repeated(
    operation: str, *, first: bool
) -> None:
    share = MemoryShare()
    ledger = FileLedger(share, "node1", "run1")
    expected = [record(2)]
    if not first:
        ledger.append([record(1)])
        expected.insert(0, record(1))
    failed = []

    def fail(called: str, _place: Place) -> None:
        # A write that fails, and then the cut that would mend it.
        broken = {operation, "sync"} if operation == "stream.truncate" else {operation}
        if called in broken:
            failed.append(called)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    share.before = fail
    if operation in ("create", "sync_folder") and not first:
        ledger.append([record(2)])
    else:
        for _ in range(2):
            with refused(errno.ENOSPC):
                ledger.append([record(2)])
        assert failed
        share.before = None
        ledger.append([record(2)])
    share.before = None
    assert list(ledger.since("node1", "run1", 0)) == expected
    assert share.get(OWN) is not None
    assert len(share.get(OWN) or b"") == ledger.offset()
    ledger.close()


def test_record_of_an_append_that_failed_is_never_read_back() -> None:
    """Who took it for recorded would lose it with the cut that comes later."""
    share = MemoryShare()
    ledger = FileLedger(share, "node1", "run1")
    ledger.append([record(1)])
    broken = {"sync", "stream.truncate"}

    def fail(called: str, _place: Place) -> None:
        if called in broken:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    share.before = fail
    with refused(errno.EIO):
        ledger.append([record(2)])
    # As long as it may be there, nothing is told.
    with refused(errno.EIO):
        list(ledger.since("node1", "run1", 0))
    broken.clear()
    assert list(ledger.since("node1", "run1", 0)) == [record(1)]
    ledger.append([record(3)])
    assert list(ledger.since("node1", "run1", 0)) == [record(1), record(3)]
    ledger.close()


def test_name_of_a_ledger_is_made_durable_even_if_it_failed_at_first() -> None:
    share = MemoryShare()
    ledger = FileLedger(share, "node1", "run1")

    def fail(called: str, _place: Place) -> None:
        if called == "sync_folder":
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    share.before = fail
    with refused(errno.EIO):
        ledger.append([record(1)])
    share.before = None
    synced = share.calls["sync_folder"]
    ledger.append([record(1)])
    ledger.append([record(2)])
    assert share.calls["sync_folder"] == synced + 1
    ledger.close()


def test_ledger_without_records_leaves_no_file(stage: LocalStage) -> None:
    ledger = FileLedger(stage.share, "node1", "run1")
    ledger.append([])
    ledger.close()
    assert stage.get(OWN) is None


def test_news_are_what_other_runs_added_since(
    make: Callable[[str, str], Ledger],
) -> None:
    asks, first, later = make("node1", "run1"), make("node2", "run2"), make("n3", "r3")
    asks.append([record(0)])
    first.append([record(1), record(2)])
    assert list(asks.news({"run2"})) == [record(1), record(2)]
    assert list(asks.news({"run2"})) == []
    first.append([record(3)])
    later.append([record(4)])
    assert sorted(each.identity.size for each in asks.news({"run2"})) == [3, 4]
    assert list(asks.news(set())) == []


def test_line_that_is_being_written_is_news_once_it_is_whole(tmp_path: Path) -> None:
    stage = LocalStage(tmp_path, DescriptorTree)
    other = FileLedger(stage.share, "node2", "run2")
    other.append([record(1)])
    path = Path(os.fsdecode(stage.path(ledger_place("node2", "run2"))))
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    asks = FileLedger(stage.share, "node1", "run1")
    assert list(asks.news(set())) == []
    path.write_bytes(b"not a record\n" + whole)
    other.close()
    asks = FileLedger(stage.share, "node1", "run1")
    assert list(asks.news(set())) == [record(1)]


def test_ledger_of_who_does_not_live_is_followed_until_it_is_quiet(
    tmp_path: Path,
) -> None:
    stage = LocalStage(tmp_path, DescriptorTree)
    other = FileLedger(stage.share, "node2", "run2")
    other.append([record(1)])
    path = os.fsdecode(stage.path(ledger_place("node2", "run2")))
    asks = FileLedger(stage.share, "node1", "run1")
    assert list(asks.news(set())) == [record(1)]
    for number, living, news in ((2, {"run2"}, 1), (3, set(), 1), (4, {"run2"}, 0)):
        other.append([record(number)])
        long_ago = stage.share.now() - 2 * QUIET_SECONDS
        os.utime(path, (long_ago, long_ago))
        assert len(list(asks.news(living))) == news
    other.close()


def test_ledger_that_was_made_by_a_call_that_failed_is_written(
    stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = type(stage.share)
    create = kind.create

    def fail(share: object, place: Place) -> IO[bytes]:
        create(share, place).close()  # type: ignore[arg-type]
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    ledger = FileLedger(stage.share, "node1", "run1")
    with monkeypatch.context() as patch:
        patch.setattr(kind, "create", fail)
        with pytest.raises(OSError, match="Input/output"):
            ledger.append([record(1)])
    ledger.append([record(1)])
    assert list(ledger.all()) == [record(1)]
    ledger.close()


def test_ledger_whose_close_fails_is_closed_and_has_all(stage: LocalStage) -> None:
    ledger = FileLedger(stage.share, "node1", "run1")
    ledger.append([record(1)])
    assert ledger._stream is not None
    os.close(ledger._stream.fileno())
    ledger.close()
    assert list(ledger.all()) == [record(1)]
