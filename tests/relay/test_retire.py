"""Taking sources away: exactly the file that was read, whatever happens meanwhile."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import IO

import msgspec
import pytest
from relay_bench import Bench, WatchedShare, files_below, left

from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.places import Place, Root
from paxect_batch.model.policy import OnDone
from paxect_batch.model.records import Fate, Record
from paxect_batch.model.transfer import Meta, Pledge
from paxect_batch.relay.commits import at_once
from paxect_batch.relay.markers import put_marker_back
from paxect_batch.relay.retire import Retirer, settle_asides
from paxect_batch.relay.state import (
    RETIRED_PREFIX,
    Owner,
    key_of,
    meta_place,
    save_paper,
    stage_folder,
)

SOURCE = Place(Root.INBOX, "sub/a.txt")
TARGET = Place(Root.WIRE, "sub/a.txt.freq")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.drop(SOURCE.path, b"data")
    return bench


def pledge_of(path: Path) -> Pledge:
    found = path.stat()
    return Pledge(
        direction=Direction.ENCODE,
        source=SOURCE,
        identity=Identity(found.st_size, found.st_mtime_ns, found.st_ino),
        stage=Place(Root.STATE, "stage/node/run/0-0.part"),
        target=TARGET,
        sidecar_stage=None,
        sidecar=None,
        raw_bytes=4,
        raw_sha256="",
        container_bytes=4,
        container_sha256="",
    )


def retirer(
    share: object, on_done: OnDone = OnDone.DELETE, *, marker: str = ""
) -> Retirer:
    return Retirer(share, Owner("node", "run"), on_done, ready_marker=marker)


def retire(by: Retirer, pledge: Pledge) -> bool:
    (gone,) = at_once(by.retire([pledge]))
    return gone is True


def test_source_that_was_read_is_gone(bench: Bench) -> None:
    assert retire(retirer(bench.share()), pledge_of(bench.inbox / SOURCE.path))
    assert left(bench) == {}


def test_source_that_is_gone_already_is_retired(bench: Bench) -> None:
    path = bench.inbox / SOURCE.path
    pledge = pledge_of(path)
    path.unlink()
    assert retire(retirer(bench.share()), pledge)


def test_source_that_was_replaced_is_left_alone(bench: Bench) -> None:
    path = bench.inbox / SOURCE.path
    pledge = pledge_of(path)
    bench.drop("sub/new", b"newer")
    (bench.inbox / "sub/new").rename(path)
    assert not retire(retirer(bench.share()), pledge)
    assert left(bench) == {"inbox/sub/a.txt": b"newer"}


def test_source_that_is_replaced_in_the_last_instant_is_put_back(bench: Bench) -> None:
    path = bench.inbox / SOURCE.path
    pledge = pledge_of(path)

    def replace(number: int, name: str) -> None:
        if name == "rename_new" and path.exists():
            path.unlink()
            path.write_bytes(b"newer")

    share = WatchedShare(bench.share(), before=replace)
    assert not retire(retirer(share), pledge)
    assert left(bench) == {"inbox/sub/a.txt": b"newer"}


def test_file_put_back_gives_way_to_one_that_came_meanwhile(bench: Bench) -> None:
    path = bench.inbox / SOURCE.path
    pledge = pledge_of(path)
    drops = [b"second drop", b"third drop"]

    def drop(number: int, name: str) -> None:
        # One as the first is moved aside, and one as the second is put back.
        if name == "rename_new" and len(drops) == 2:
            path.unlink()
        if name in ("rename_new", "move_new") and not path.exists() and drops:
            path.write_bytes(drops.pop(0))

    share = WatchedShare(bench.share(), before=drop)
    assert not retire(retirer(share), pledge)
    assert left(bench) == {
        "inbox/sub/a.txt": b"third drop",
        "inbox/sub/a.txt.1": b"second drop",
    }


def test_source_whose_folder_vanishes_as_it_is_moved_is_retired(bench: Bench) -> None:
    path = bench.inbox / SOURCE.path
    pledge = pledge_of(path)
    vanished: list[str] = []

    def sweep(number: int, name: str) -> None:
        stage = bench.state / "stage/node/run"
        if name == "rename_new" and stage.exists() and not vanished:
            vanished.append(name)
            stage.rmdir()

    share = WatchedShare(bench.share(), before=sweep)
    assert retire(retirer(share), pledge)
    assert vanished
    assert left(bench) == {}


def test_folder_that_vanishes_again_and_again_is_an_error_and_loses_nothing(
    bench: Bench,
) -> None:
    path = bench.inbox / SOURCE.path
    pledge = pledge_of(path)

    class Hopeless(WatchedShare):
        def rename_new(self, source: Place, target: Place) -> None:
            raise FileNotFoundError(errno.ENOENT, "gone", str(target))

    with pytest.raises(FileNotFoundError, match="again and again"):
        retire(retirer(Hopeless(bench.share())), pledge)
    assert left(bench) == {"inbox/sub/a.txt": b"data"}


def test_what_this_run_left_aside_before_is_settled_first(bench: Bench) -> None:
    """As when the share failed between moving it aside and removing it."""
    path = bench.inbox / SOURCE.path
    pledge = pledge_of(path)

    def fail(number: int, name: str) -> None:
        if name == "remove":
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        retire(retirer(WatchedShare(bench.share(), before=fail)), pledge)
    (aside,) = files_below(bench.state / "stage")
    os.link(aside, path)  # and a producer, or a power cut, brought it back
    assert retire(retirer(bench.share()), pledge)
    assert left(bench) == {}


def test_source_on_another_file_system_is_removed_where_it_is(bench: Bench) -> None:
    path = bench.inbox / SOURCE.path
    pledge = pledge_of(path)

    class Apart(WatchedShare):
        def rename_new(self, source: Place, target: Place) -> None:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    assert retire(retirer(Apart(bench.share())), pledge)
    assert left(bench) == {}


def test_share_that_fails_as_a_source_is_moved_keeps_it(bench: Bench) -> None:
    path = bench.inbox / SOURCE.path
    pledge = pledge_of(path)

    def fail(number: int, name: str) -> None:
        if name == "rename_new":
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    with pytest.raises(OSError, match=os.strerror(errno.ESTALE)):
        retire(retirer(WatchedShare(bench.share(), before=fail)), pledge)
    assert left(bench) == {"inbox/sub/a.txt": b"data"}


def test_what_was_moved_aside_goes_though_another_source_failed(bench: Bench) -> None:
    bench.drop("sub/b.txt", b"other")
    pledges = []
    for number, name in enumerate(("a.txt", "b.txt")):
        source = SOURCE.beside(name)
        pledge = pledge_of(bench.inbox / source.path)
        stage = pledge.stage.beside(f"0-{number}.part")
        pledges.append(msgspec.structs.replace(pledge, source=source, stage=stage))
    (bench.state / "stage/node/run").mkdir(parents=True)
    moves = 0

    def fail(number: int, name: str) -> None:
        nonlocal moves
        moves += name == "rename_new"
        if moves == 2 and name == "rename_new":
            raise OSError(errno.EIO, "refused")

    by = retirer(WatchedShare(bench.share(), before=fail))
    with pytest.raises(OSError, match="refused"):
        at_once(by.retire(pledges))
    assert left(bench) == {"inbox/sub/b.txt": b"other"}


def test_marker_goes_before_its_source(bench: Bench) -> None:
    (bench.inbox / "sub/a.txt.ready").touch()
    pledge = pledge_of(bench.inbox / SOURCE.path)
    order: list[str] = []

    def note(number: int, name: str) -> None:
        order.extend(path.name for path in files_below(bench.inbox))

    share = WatchedShare(bench.share(), after=note)
    assert retire(retirer(share, marker=".ready"), pledge)
    assert order
    assert order[-1] == "a.txt"
    assert left(bench) == {}


@pytest.mark.parametrize("came_meanwhile", [True, False])
def test_marker_of_a_file_that_came_in_the_last_instant_stays_with_it(
    bench: Bench, came_meanwhile: bool
) -> None:
    path = bench.inbox / SOURCE.path
    marker = path.with_name("a.txt.ready")
    marker.touch()
    pledge = pledge_of(path)

    def replace(number: int, name: str) -> None:
        if name == "rename_new" and path.exists():
            path.unlink()
            path.write_bytes(b"newer")
        if name == "move_new" and came_meanwhile:
            # Its producer is at it still: no marker may call it whole.
            path.write_bytes(b"half")

    share = WatchedShare(bench.share(), before=replace)
    assert not retire(retirer(share, marker=".ready"), pledge)
    assert marker.exists() is not came_meanwhile
    assert b"newer" in left(bench).values()


@pytest.mark.parametrize("is_quarantined", [True, False])
def test_file_left_aside_goes_back_unless_its_other_name_is_in_quarantine(
    bench: Bench, is_quarantined: bool
) -> None:
    # As a power cut leaves it that falls between the two halves of putting it back.
    share, path = bench.share(), bench.inbox / SOURCE.path
    pledge = pledge_of(path)
    aside = stage_folder(share, Owner("node", "run"), Root.INBOX).child(
        f"{RETIRED_PREFIX}delete-{key_of(Direction.ENCODE, SOURCE)}-0-0.part"
    )
    kept = bench.state / "quarantine/id/a.txt"
    for other in (kept, bench.state / aside.path):
        other.parent.mkdir(parents=True)
        os.link(path, other)
    path.unlink()
    if not is_quarantined:
        kept.unlink()
    delivered = Record(
        fate=Fate.DELIVERED,
        direction=Direction.ENCODE,
        source=SOURCE,
        identity=msgspec.structs.replace(pledge.identity, size=3),
    )
    set_aside = msgspec.structs.replace(
        delivered, fate=Fate.SET_ASIDE, identity=pledge.identity, quarantine="id"
    )
    assert settle_asides(share, [aside], [delivered, set_aside]) == []
    where = ".paxect/quarantine/id/a.txt" if is_quarantined else "inbox/sub/a.txt"
    assert left(bench) == {where: b"data"}


def test_source_whose_marker_cannot_be_removed_stays_with_it(bench: Bench) -> None:
    """Left alone, the marker would call the next file of that name whole."""
    path = bench.inbox / SOURCE.path
    marker = path.with_name("a.txt.ready")
    marker.touch()

    class Denying(WatchedShare):
        def remove(self, place: Place) -> bool:
            if place.name == marker.name:
                raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
            return bool(self._share.remove(place))

    by = retirer(Denying(bench.share()), marker=".ready")
    (outcome,) = at_once(by.retire([pledge_of(path)]))
    assert isinstance(outcome, PermissionError)
    assert path.read_bytes() == b"data"
    assert marker.exists()


def test_marker_that_cannot_be_put_back_is_an_error(bench: Bench) -> None:
    """Its file would wait for it for ever, and nobody hear of that."""

    class Broken(WatchedShare):
        def create(self, place: Place) -> IO[bytes]:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        put_marker_back(Broken(bench.share()), SOURCE, ".ready")


def test_file_left_aside_that_only_a_reason_tells_of_in_quarantine_goes_back(
    bench: Bench,
) -> None:
    """Whoever set it aside died before it moved: this is the only copy."""
    share, path = bench.share(), bench.inbox / SOURCE.path
    pledge = pledge_of(path)
    aside = stage_folder(share, Owner("node", "run"), Root.INBOX).child(
        f"{RETIRED_PREFIX}delete-{key_of(Direction.ENCODE, SOURCE)}-0-0.part"
    )
    reason = bench.state / "quarantine/id/reason.json"
    for folder in (reason.parent, (bench.state / aside.path).parent):
        folder.mkdir(parents=True)
    reason.write_bytes(b"{}")
    path.rename(bench.state / aside.path)
    delivered = Record(
        fate=Fate.DELIVERED,
        direction=Direction.ENCODE,
        source=SOURCE,
        identity=msgspec.structs.replace(pledge.identity, size=3),
    )
    set_aside = msgspec.structs.replace(
        delivered, fate=Fate.SET_ASIDE, identity=pledge.identity, quarantine="id"
    )
    assert settle_asides(share, [aside], [delivered, set_aside]) == []
    assert path.read_bytes() == b"data"


def test_source_whose_folder_is_swapped_for_a_link_as_it_is_moved_counts_as_gone(
    bench: Bench,
) -> None:
    class Swapped(WatchedShare):
        def rename_new(self, source: Place, target: Place) -> None:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(source))

    pledge = pledge_of(bench.inbox / SOURCE.path)
    assert retire(retirer(Swapped(bench.share())), pledge)
    assert (bench.inbox / SOURCE.path).read_bytes() == b"data"


def test_marker_stays_with_a_source_that_the_share_fails_to_move(bench: Bench) -> None:
    """Without it the source would wait for ever."""
    path = bench.inbox / SOURCE.path
    path.with_name("a.txt.ready").touch()

    def fail(number: int, name: str) -> None:
        if name == "rename_new":
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    share = WatchedShare(bench.share(), before=fail)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        retire(retirer(share, marker=".ready"), pledge_of(path))
    assert sorted(left(bench)) == ["inbox/sub/a.txt", "inbox/sub/a.txt.ready"]


@pytest.mark.parametrize("tells_of", ["this", "another"])
def test_paper_goes_with_its_own_container_only(bench: Bench, tells_of: str) -> None:
    """Another of that name, still to be decoded, has its times and its name there."""
    share, container = bench.share(), bench.wire / TARGET.path
    container.parent.mkdir()
    (bench.inbox / SOURCE.path).rename(container)
    paper = meta_place(TARGET)
    save_paper(share, paper, Meta(container_sha256=tells_of, raw_name="a.txt"))
    pledge = msgspec.structs.replace(
        pledge_of(container),
        direction=Direction.DECODE,
        source=TARGET,
        container_sha256="this",
    )
    assert retire(retirer(share), pledge)
    assert (bench.state / paper.path).exists() == (tells_of == "another")
