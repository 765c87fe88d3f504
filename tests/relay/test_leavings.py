"""What arrived and cannot be taken away: it costs itself, and is never sent again."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from relay_bench import Bench, Crash, WatchedShare, files_below, policy_with
from relay_samples import bench_of_three

from paxect_batch.model.errors import Exit
from paxect_batch.model.events import Event
from paxect_batch.model.items import Entry, Facts, Mode
from paxect_batch.model.places import Place
from paxect_batch.model.policy import OnDone

STAYS = "inbox/theirs/b.txt"
NUMBERS = (errno.EACCES, errno.EPERM, errno.EBUSY, errno.ETXTBSY, errno.EROFS)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bench_of_three(tmp_path)


class Denying(WatchedShare):
    """One file lets nobody move it; or nobody may look at it once it has arrived."""

    number = errno.EPERM
    stays = STAYS
    is_hidden = False

    def rename_new(self, source: Place, target: Place) -> None:
        if str(source) == self.stays:
            raise OSError(self.number, os.strerror(self.number), str(source))
        self._share.rename_new(source, target)
        if self.is_hidden and target.folder.path == "theirs":
            self.stays = STAYS

    def look(self, place: Place, *, closely: bool = False) -> Facts | None:
        if self.is_hidden and str(place) == self.stays:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(place))
        return self._share.look(place, closely=closely)  # type: ignore[no-any-return]


def arrived(bench: Bench) -> list[str]:
    bench.take_all()
    return sorted(name for name, _ in bench.taken)


@pytest.mark.parametrize("number", NUMBERS)
def test_file_that_cannot_be_taken_away_once_it_arrived_costs_itself(
    bench: Bench, number: int
) -> None:
    share = Denying(bench.share())
    share.number = number
    first = bench.drain(share)
    assert arrived(bench) == sorted(bench.dropped)
    assert first.exit_codes == {Exit.UNFINISHED}
    assert (first.delivered_files, first.seen_files) == (3, 3)
    (told,) = bench.events.named(Event.ENCODE_ERROR)
    assert told[1] == STAYS
    assert "not sent again" in told[3]
    for _ in range(2):
        again = bench.drain(share)
        assert (again.delivered_files, again.set_aside_files) == (0, 1)
        assert (bench.inbox / "theirs/b.txt").exists()
    bench.drop("later.txt", b"later")
    assert bench.drain(share).delivered_files == 1
    mended = bench.drain()
    assert (mended.exit_codes, mended.seen_files) == (set(), 0)
    assert files_below(bench.state / "left") == []
    bench.check_delivered_once()


def test_same_bytes_that_come_again_beside_a_container_that_stays_arrive_again(
    bench: Bench,
) -> None:
    """That container is theirs then, and no leaving any more."""
    share = Denying(bench.share())
    share.stays = "wire/theirs/b.txt.freq"
    bench.drain(share)
    bench.take_all()
    bench.drop("theirs/b.txt", b"theirs/b.txt")
    bench.drain(share)
    bench.drain()
    bench.take_all()
    assert bench.taken.count(("theirs/b.txt", b"theirs/b.txt")) == 2
    assert files_below(bench.wire) == []


def test_node_that_slept_as_it_took_one_away_forgets_no_newer_one(bench: Bench) -> None:
    bench.drain(Denying(bench.share()))
    bench.take_all()

    class Sleepy(WatchedShare):
        has_slept = False

        def remove(self, place: Place) -> bool:
            if place.path.startswith("left/") and not self.has_slept:
                self.has_slept = True
                bench.drop("theirs/b.txt", b"newer")
                bench.drain(Denying(bench.share()), name="other")
                bench.take_all()
            return bool(self._share.remove(place))

    bench.drain(Sleepy(bench.share()), name="late")
    bench.drain()
    bench.take_all()
    assert bench.taken.count(("theirs/b.txt", b"newer")) == 1


def test_file_that_is_to_stay_by_now_is_not_taken_away(bench: Bench) -> None:
    bench.drain(Denying(bench.share()))
    bench.take_all()
    bench.drain(policy=policy_with(on_done=OnDone.KEEP))
    assert (bench.inbox / "theirs/b.txt").exists()
    assert files_below(bench.outbox) == []


def test_file_whose_folder_was_not_mounted_for_a_moment_is_not_sent_again(
    bench: Bench,
) -> None:
    bench.drain(Denying(bench.share()))
    folder, away = bench.inbox / "theirs", bench.folder / "away"
    folder.rename(away)
    folder.mkdir()
    bench.drain()
    folder.rmdir()
    away.rename(folder)
    bench.drain(Denying(bench.share()))
    assert arrived(bench) == sorted(bench.dropped)


def test_folder_for_what_is_left_behind_is_there_before_anybody_asks_for_it(
    bench: Bench,
) -> None:
    """A client that was told it is not there would believe that for a while."""
    asked: list[bool] = []

    class Asked(WatchedShare):
        def entries(self, folder: Place) -> Iterator[Entry]:
            if str(folder) == ".paxect/left":
                asked.append((bench.state / "left").is_dir())
            yield from self._share.entries(folder)

    bench.drain(Asked(bench.share()))
    assert asked
    assert all(asked)


def test_folder_that_goes_with_what_was_taken_away_stops_nobody(bench: Bench) -> None:
    bench.drain(Denying(bench.share()))
    bench.take_all()

    class Gone(WatchedShare):
        def sync_folder(self, folder: Place) -> None:
            if folder.path == "theirs":
                (bench.inbox / "theirs").rmdir()
            self._share.sync_folder(folder)

    bench.drain(Gone(bench.share()))
    bench.check_delivered_once()


def test_archive_has_one_copy_of_what_cannot_be_removed_from_afar(bench: Bench) -> None:
    class Far(Denying):
        number = errno.EXDEV

        def remove(self, place: Place) -> bool:
            if str(place) == STAYS:
                raise OSError(errno.EPERM, os.strerror(errno.EPERM))
            return bool(self._share.remove(place))

    policy = policy_with(on_done=OnDone.ARCHIVE)
    for _ in range(3):
        bench.drain(Far(bench.share()), policy=policy)
    bench.drain(policy=policy)
    folder = bench.state / "archive/inbox/theirs"
    assert [path.name for path in folder.iterdir()] == ["b.txt"]


def test_source_that_was_withdrawn_behind_a_folder_that_was_closed_is_not_published(
    tmp_path: Path,
) -> None:
    """Nobody can tell that it is there still."""
    tried = 0
    for point in range(200):
        folder = tmp_path / str(point)
        folder.mkdir()
        bench = Bench(folder)
        bench.drop("theirs/b.txt", b"data")

        def die(number: int, name: str, at: int = point) -> None:
            if number >= at:
                raise Crash

        with contextlib.suppress(Crash):
            bench.drain(WatchedShare(bench.share(), before=die), mode=Mode.ENCODE)
        if files_below(bench.wire):
            break
        if files_below(bench.state / "intents"):
            tried += 1
            (bench.inbox / "theirs/b.txt").unlink()
            share = Denying(bench.share())
            share.is_hidden = True
            bench.drain(share, mode=Mode.ENCODE)
            assert files_below(bench.wire) == []
    assert tried


def test_container_that_cannot_be_taken_away_once_it_arrived_costs_itself(
    bench: Bench,
) -> None:
    bench.drain(mode=Mode.ENCODE)
    share = Denying(bench.share())
    share.stays = "wire/theirs/b.txt.freq"
    for _ in range(2):
        bench.drain(share, mode=Mode.DECODE)
        assert arrived(bench) == sorted(bench.dropped)
    bench.drain()
    bench.check_delivered_once()


def test_file_that_may_not_even_be_looked_at_once_it_arrived_costs_itself(
    bench: Bench,
) -> None:
    share = Denying(bench.share())
    share.is_hidden, share.stays = True, ""
    bench.drain(share)
    assert arrived(bench) == sorted(bench.dropped)
    bench.drain()
    bench.check_delivered_once()


def test_another_content_of_that_name_is_sent(bench: Bench) -> None:
    bench.drain(Denying(bench.share()))
    bench.take_all()
    path = bench.inbox / "theirs/b.txt"
    path.unlink()
    bench.drop("theirs/b.txt", b"newer")
    bench.drain()
    bench.take_all()
    assert ("theirs/b.txt", b"newer") in bench.taken


def test_archive_gets_it_once_it_can_be_taken_away(bench: Bench) -> None:
    policy = policy_with(on_done=OnDone.ARCHIVE)
    bench.drain(Denying(bench.share()), policy=policy)
    bench.drain(policy=policy)
    archived = bench.state / "archive/inbox/theirs/b.txt"
    assert archived.read_bytes() == b"theirs/b.txt"


def test_marker_stays_with_a_file_that_stays(bench: Bench) -> None:
    policy = policy_with(ready_marker=".ready")
    for name in bench.dropped:
        (bench.inbox / f"{name}.ready").touch()
    share = Denying(bench.share())
    bench.drain(share, policy=policy)
    assert bench.drain(share, policy=policy).set_aside_files == 1
    bench.drain(policy=policy)
    bench.check_delivered_once()


def test_node_that_looked_before_does_not_send_it_again(bench: Bench) -> None:
    """It knew nothing of it when its pass began."""
    share = Denying(bench.share())

    class Late(WatchedShare):
        is_late = True

        def look(self, place: Place, *, closely: bool = False) -> Facts | None:
            if closely and self.is_late:
                self.is_late = False
                bench.drain(share, name="other")
                bench.take_all()
            return self._share.look(place, closely=closely)  # type: ignore[no-any-return]

    bench.drain(Late(share), name="late")
    assert arrived(bench) == sorted(bench.dropped)


def counted(bench: Bench) -> int:
    share = WatchedShare(Denying(bench.share()))
    bench.drain(share)
    return share.count


def test_run_that_dies_at_any_operation_has_it_delivered_once_all_the_same(
    tmp_path: Path,
) -> None:
    def bench_of(name: str) -> Bench:
        folder = tmp_path / name
        folder.mkdir()
        bench = Bench(folder)
        bench.drop("theirs/b.txt", b"data")
        return bench

    def dying(bench: Bench, at: int) -> Callable[[int, str], None]:
        def die(number: int, name: str) -> None:
            bench.take_all()
            if number >= at:
                raise Crash

        return die

    points = counted(bench_of("counted"))
    assert points > 50
    for point in range(points):
        bench = bench_of(str(point))
        share = WatchedShare(Denying(bench.share()), before=dying(bench, point))
        with pytest.raises(Crash):
            bench.drain(share)
        bench.drain(Denying(bench.share()))
        bench.take_all()
        bench.drain(Denying(bench.share()))
        bench.take_all()
        bench.drain()
        bench.check_delivered_once()
        assert files_below(bench.state / "left") == []


def test_file_that_stayed_is_not_sent_again_where_its_folder_was_away_for_a_while(
    bench: Bench, tmp_path: Path
) -> None:
    bench.drain(Denying(bench.share()))
    bench.take_all()
    for paper in files_below(bench.state / "left"):
        os.utime(paper, (1, 1))
    folder, away = bench.inbox / "theirs", tmp_path / "away"
    folder.rename(away)
    bench.drain()
    away.rename(folder)
    bench.drain()
    assert arrived(bench) == sorted(bench.dropped)


def test_file_that_was_seen_to_stay_is_not_sent_again_after_a_run_without_its_inbox(
    bench: Bench, tmp_path: Path
) -> None:
    """The seven days counted from when it stayed first."""
    share = Denying(bench.share())
    share.stays = "inbox/a.txt"
    bench.drain(share)
    for paper in files_below(bench.state / "left"):
        os.utime(paper, (1, 1))
    bench.drain(share)
    bench.take_all()
    away = tmp_path / "away"
    bench.inbox.rename(away)
    bench.inbox.mkdir()
    bench.drain()
    bench.inbox.rmdir()
    away.rename(bench.inbox)
    bench.drain()
    assert arrived(bench) == sorted(bench.dropped)
