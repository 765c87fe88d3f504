"""Folders of others below the roots: each costs what lies in it, and nothing else."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec
import pytest
from relay_bench import Bench, Crash, WatchedShare, files_below, policy_with, reasons
from relay_samples import bench_of_three

from paxect_batch.model.errors import Exit, ShareError
from paxect_batch.model.events import Event
from paxect_batch.model.items import Entry, Facts, Mode, Removal
from paxect_batch.model.places import Place, Root
from paxect_batch.model.policy import OnDone
from paxect_batch.world.share import LocalShare

ONCE = policy_with(attempts=1)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bench_of_three(tmp_path)


class Theirs(WatchedShare):
    """Nothing in `inbox/theirs` may be taken away."""

    allowed = Removal.NONE

    def removal(self, folder: Place) -> Removal:
        return self.allowed if folder.path == "theirs" else Removal.ANY

    def rename_new(self, source: Place, target: Place) -> None:
        if str(source) == "inbox/theirs/b.txt":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        self._share.rename_new(source, target)


class Mounted(WatchedShare):
    """A root is on another file system, which shows as soon as something goes there."""

    def __init__(self, share: LocalShare, root: Root) -> None:
        super().__init__(share)
        self._root = root
        self.is_known = False

    def together(self, one: Root, other: Root) -> bool:
        return one is other or not (self.is_known and self._root in (one, other))

    def rename_new(self, source: Place, target: Place) -> None:
        if source.root is not target.root and target.root is self._root:
            self.is_known = True
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        self._share.rename_new(source, target)


class Closed(WatchedShare):
    """Nothing may be published in a folder `theirs` of a root."""

    root = Root.OUTBOX
    number = errno.EACCES
    is_root_closed = False

    def rename_new(self, source: Place, target: Place) -> None:
        if target.root is self.root and (
            self.is_root_closed or target.folder.path == "theirs"
        ):
            raise OSError(self.number, os.strerror(self.number), str(target))
        self._share.rename_new(source, target)

    def freshen(self, folder: Place) -> None:
        if self.is_root_closed and folder.root is self.root:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        self._share.freshen(folder)


def test_file_that_could_not_be_taken_away_is_not_sent(bench: Bench) -> None:
    """It would arrive again and again."""
    for _ in range(2):
        standing = bench.drain(Theirs(bench.share()), policy=ONCE)
        bench.take_all()
    assert [name for name, _ in bench.taken] == ["a.txt", "z.txt"]
    assert standing.set_aside_files == 1
    assert (bench.inbox / "theirs/b.txt").exists()
    assert files_below(bench.wire) == []


def test_file_of_ones_own_is_sent_from_a_folder_with_the_sticky_bit(
    bench: Bench,
) -> None:
    class Sticky(Theirs):
        allowed = Removal.OWN

        def rename_new(self, source: Place, target: Place) -> None:
            self._share.rename_new(source, target)

    bench.drain(Sticky(bench.share()), policy=ONCE)
    bench.check_delivered_once()


def test_file_of_another_is_not_sent_from_a_folder_with_the_sticky_bit(
    bench: Bench,
) -> None:
    class Sticky(Theirs):
        allowed = Removal.OWN

        def look(self, place: Place, *, closely: bool = False) -> Facts | None:
            facts: Facts | None = self._share.look(place, closely=closely)
            if facts is None or place.folder.path != "theirs":
                return facts
            return msgspec.structs.replace(facts, own=False)

    bench.drain(Sticky(bench.share()), policy=ONCE)
    bench.take_all()
    assert [name for name, _ in bench.taken] == ["a.txt", "z.txt"]
    assert (bench.inbox / "theirs/b.txt").exists()


def test_file_that_stays_may_lie_in_anybodys_folder(bench: Bench) -> None:
    policy = policy_with(on_done=OnDone.KEEP)
    for _ in range(2):
        bench.drain(Theirs(bench.share()), policy=policy, mode=Mode.ENCODE)
    assert len(files_below(bench.wire)) == 6


@pytest.mark.parametrize("root", [Root.WIRE, Root.OUTBOX])
@pytest.mark.parametrize(
    "number", [errno.EACCES, errno.EPERM, errno.EXDEV, errno.EROFS]
)
def test_folder_that_lets_nothing_be_published_costs_what_goes_there(
    bench: Bench, root: Root, number: int
) -> None:
    share = Closed(bench.share())
    share.root, share.number = root, number
    for _ in range(2):
        standing = bench.drain(share, policy=ONCE)
        bench.take_all()
        assert standing.exit_codes <= {Exit.UNFINISHED}
    assert [name for name, _ in bench.taken] == ["a.txt", "z.txt"]
    (reason,) = reasons(bench)
    assert reason["code"] == "unreachable"
    assert f"{root}/theirs lets nothing be published" in str(reason["detail"])
    assert files_below(bench.state / "stage") == []
    assert files_below(bench.state / "intents") == []


def test_what_another_run_left_for_such_a_folder_stops_nobody(bench: Bench) -> None:
    """As programs did that took it for the share's trouble."""

    class Dies(Closed):
        def rename_new(self, source: Place, target: Place) -> None:
            if target.root is Root.OUTBOX:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            self._share.rename_new(source, target)

    with pytest.raises(ShareError):
        bench.drain(Dies(bench.share()), policy=ONCE)
    assert files_below(bench.state / "intents") != []
    bench.drain(Closed(bench.share()), policy=ONCE)
    bench.take_all()
    assert [name for name, _ in bench.taken] == ["a.txt", "z.txt"]
    assert files_below(bench.state / "intents") == []


def test_root_that_lets_nothing_be_published_is_the_trouble_of_the_share(
    bench: Bench,
) -> None:
    share = Closed(bench.share())
    share.is_root_closed = True
    with pytest.raises(ShareError):
        bench.drain(share, policy=ONCE)
    assert reasons(bench) == []
    bench.drain(policy=ONCE)
    bench.check_delivered_once()


@pytest.mark.parametrize("root", [Root.WIRE, Root.OUTBOX])
def test_root_on_which_something_was_mounted_meanwhile_stops_nobody(
    bench: Bench, root: Root
) -> None:
    """What was staged elsewhere cannot go there; what is staged anew can."""
    share = Mounted(bench.share(), root)
    retried = policy_with(attempts=3, backoff_seconds=0.0)
    bench.drain(share, policy=retried)
    assert share.is_known
    assert reasons(bench) == []
    bench.check_delivered_once()


@pytest.mark.parametrize("root", [Root.INBOX, Root.WIRE])
def test_root_that_is_gone_is_no_empty_one(tmp_path: Path, root: Root) -> None:
    bench = Bench(tmp_path)
    path = tmp_path / root

    class Unmounted(WatchedShare):
        def freshen(self, folder: Place) -> None:
            if path.exists():
                path.rename(tmp_path / "elsewhere")
            self._share.freshen(folder)

    with pytest.raises(ShareError, match=root):
        bench.drain(Unmounted(bench.share()))


def test_folder_that_may_not_be_listed_is_told_once(bench: Bench) -> None:
    class Unlisted(WatchedShare):
        def entries(self, folder: Place) -> Iterator[Entry]:
            if folder.path == "theirs":
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            yield from self._share.entries(folder)

    share = Unlisted(bench.share())
    standing = bench.drain(share)
    (problem,) = standing.problems
    assert problem.startswith("inbox/theirs: it may not be listed")
    assert standing.exit_codes == {Exit.UNFINISHED}
    planned = list(bench.node(share).plan())
    bench.ledger.close()
    assert [str(each.source) for each in planned] == ["inbox/theirs"]


def test_file_that_may_not_be_read_counts_with_its_size(bench: Bench) -> None:
    class Unread(WatchedShare):
        def look(self, place: Place, *, closely: bool = False) -> Facts | None:
            if closely and place.folder.path == "theirs":
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return self._share.look(place, closely=closely)

    standing = bench.drain(Unread(bench.share()), policy=ONCE)
    size = len("theirs/b.txt")
    assert (standing.set_aside_files, standing.set_aside_bytes) == (1, size)
    (reason,) = reasons(bench)
    assert (reason["code"], reason["size"]) == ("unreadable", size)


def test_preview_tries_nothing(bench: Bench) -> None:
    class ReadOnly(WatchedShare):
        def freshen(self, folder: Place) -> None:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

        def removal(self, folder: Place) -> Removal:
            raise AssertionError("it writes")

    planned = list(bench.node(ReadOnly(bench.share())).plan())
    bench.ledger.close()
    assert len(planned) == 3


@pytest.mark.parametrize("is_link", [False, True])
def test_file_that_cannot_go_back_to_its_folder_stops_nobody(
    bench: Bench, tmp_path: Path, is_link: bool
) -> None:
    """It came in the last instant, and its folder went before the next run."""
    folder = bench.inbox / "theirs"

    dead = False

    def die(number: int, name: str) -> None:
        nonlocal dead
        if dead:
            raise Crash
        if name == "rename_new" and not files_below(folder):
            dead = True

    class Replaced(WatchedShare):
        def look(self, place: Place, *, closely: bool = False) -> Facts | None:
            facts = self._share.look(place, closely=closely)
            # The last look before it is moved aside.
            if str(place) == "inbox/theirs/b.txt" and files_below(bench.wire):
                (folder / "new").write_bytes(b"newer")
                (folder / "new").rename(folder / "b.txt")
            return facts

    with pytest.raises(Crash):
        bench.drain(WatchedShare(Replaced(bench.share()), after=die), policy=ONCE)
    folder.rmdir()
    if is_link:
        folder.symlink_to(tmp_path)
    else:
        os.mkfifo(folder)  # which never travels
    for _ in range(2):
        bench.events.lines.clear()
        bench.drain(policy=ONCE)
        (told,) = bench.events.named(Event.COLLISION)
        assert "it has no way back" in told[3]
    folder.unlink()
    bench.take_all()
    bench.drain(policy=ONCE)
    bench.take_all()
    assert bench.taken.count(("theirs/b.txt", b"theirs/b.txt")) == 1
    assert bench.taken.count(("theirs/b.txt", b"newer")) == 1


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_file_that_may_not_be_read_where_one_is_to_arrive_costs_that_one(
    bench: Bench, number: int
) -> None:
    (bench.outbox / "theirs").mkdir()
    (bench.outbox / "theirs/b.txt").write_bytes(b"X" * len("theirs/b.txt"))

    class Hidden(WatchedShare):
        def open_source(self, place: Place) -> IO[bytes]:
            if str(place) == "outbox/theirs/b.txt":
                raise OSError(number, os.strerror(number), str(place))
            return self._share.open_source(place)

    standing = bench.drain(Hidden(bench.share()), policy=ONCE)
    assert standing.exit_codes <= {Exit.UNFINISHED}
    assert sorted(path.name for path in files_below(bench.outbox)) == [
        "a.txt",
        "b.txt",
        "z.txt",
    ]
    (reason,) = reasons(bench)
    assert reason["code"] == "collision"
    assert files_below(bench.state / "intents") == []


class Kept(WatchedShare):
    """What another user keeps to himself: it may not even be looked at."""

    theirs: tuple[str, ...] = ()

    def _require(self, place: Place) -> None:
        if str(place).startswith(self.theirs):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(place))

    def entries(self, folder: Place) -> Iterator[Entry]:
        self._require(folder)
        yield from self._share.entries(folder)

    def look(self, place: Place, *, closely: bool = False) -> Facts | None:
        self._require(place)
        return self._share.look(place, closely=closely)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "theirs",
    [
        ".paxect/intents/theirs",
        ".paxect/batches/theirs",
        "inbox/.paxect-0123456789abcdef",
    ],
)
def test_what_another_user_keeps_to_himself_stops_no_run(
    bench: Bench, theirs: str
) -> None:
    """Each of them ended every run."""
    (bench.state / "intents/theirs/run").mkdir(parents=True)
    (bench.state / "batches/theirs").mkdir(parents=True)
    (bench.state / "batches/theirs/run").write_bytes(b"{}")
    (bench.inbox / ".paxect-0123456789abcdef.tmp").write_bytes(b"of a moment")
    share = Kept(bench.share())
    share.theirs = (theirs,)
    for _ in range(2):
        assert bench.drain(share, policy=ONCE).exit_codes == set()
    bench.take_all()
    assert sorted(bench.taken) == sorted(bench.dropped.items())


def test_file_that_may_not_be_looked_at_and_stays_is_given_up_not_waited_for(
    bench: Bench,
) -> None:
    class Hidden(Kept):
        theirs = ("inbox/theirs/b.txt",)

        def rename_new(self, source: Place, target: Place) -> None:
            self._require(source)
            self._share.rename_new(source, target)

    for _ in range(2):
        standing = bench.drain(Hidden(bench.share()), policy=ONCE)
        assert standing.set_aside_files == 1
    assert standing.seen_files == 1
