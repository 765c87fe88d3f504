"""Putting items aside, with a producer and other nodes at work."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import msgspec
import pytest
from relay_bench import Bench, Crash, WatchedShare, files_below

from paxect_batch.model.errors import RunOver
from paxect_batch.model.items import Direction, Identity, Mode
from paxect_batch.model.places import Place, Root
from paxect_batch.model.policy import OnDone, Policy
from paxect_batch.model.transfer import Attempts, Failure, Reason
from paxect_batch.relay.set_aside import set_aside, unread
from paxect_batch.relay.state import attempts_place, key_of, paper_bytes
from paxect_batch.relay.sweep import Sweeper

ONCE = Policy(version="2", settle_seconds=0.0, backoff_seconds=0.0, attempts=1)
BAD = Place(Root.WIRE, "bad.freq")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def _bad(bench: Bench) -> Attempts:
    path = bench.wire / "bad.freq"
    path.write_bytes(b"no container")
    found = path.stat()
    identity = Identity(found.st_size, found.st_mtime_ns, found.st_ino)
    failure = Failure(1.0, "node", "bad-magic", "", 4)
    return Attempts(Direction.DECODE, BAD, identity, (failure,))


def _always() -> bool:
    return True


def _quarantined(bench: Bench) -> list[str]:
    return [path.name for path in files_below(bench.state / "quarantine")]


def test_item_that_comes_again_with_the_same_time_is_set_aside_again(
    bench: Bench,
) -> None:
    """As a mirror does that keeps times: one bad file must not end the run."""
    for _ in range(3):
        path = bench.wire / "bad.freq"
        path.write_bytes(b"no container")
        os.utime(path, ns=(10**18, 10**18))
        bench.drop("good", b"good")
        standing = bench.drain(policy=ONCE)
        assert (standing.set_aside_files, standing.delivered_files) == (1, 1)
        bench.take_all()
    assert _quarantined(bench) == ["bad.freq", "reason.json"] * 3


def test_item_that_was_replaced_meanwhile_is_put_back(bench: Bench) -> None:
    attempts = _bad(bench)

    done: list[str] = []

    def replace(number: int, name: str) -> None:
        if name == "rename_new" and not done:
            done.append(name)
            (bench.wire / "bad.freq").write_bytes(b"another content by now")

    share = WatchedShare(bench.share(), before=replace)
    assert set_aside(share, attempts, node="node", run="r", stands=_always) is None
    assert (bench.wire / "bad.freq").read_bytes() == b"another content by now"
    assert _quarantined(bench) == []


def test_run_that_was_taken_for_dead_sets_nothing_aside(bench: Bench) -> None:
    attempts = _bad(bench)
    with pytest.raises(RunOver):
        set_aside(
            bench.share(), attempts, node="node", run="r", stands=lambda: not _always()
        )
    assert (bench.wire / "bad.freq").exists()
    assert not list(bench.state.glob("quarantine/*"))


def test_container_of_a_long_name_keeps_it_while_it_is_in_quarantine(
    bench: Bench,
) -> None:
    name = "n" * 255
    bench.drop(name, b"data")
    (bench.outbox / name).write_bytes(b"somebody else's")
    assert bench.drain(policy=ONCE).set_aside_files == 1
    (meta,) = (bench.state / "meta").iterdir()
    os.utime(meta, (1_000_000_000, 1_000_000_000))
    bench.drain()
    (bench.outbox / name).unlink()
    (kept,) = bench.state.glob("quarantine/*/*.freq")
    kept.rename(bench.wire / kept.name)
    bench.drain()
    assert (bench.outbox / name).read_bytes() == b"data"


def test_item_that_vanished_leaves_no_reason_and_no_history(bench: Bench) -> None:
    (bench.wire / "bad.freq").write_bytes(b"no container")

    def take(number: int, name: str) -> None:
        if files_below(bench.state / "quarantine"):
            (bench.wire / "bad.freq").unlink(missing_ok=True)

    standing = bench.drain(
        WatchedShare(bench.share(), after=take), policy=ONCE, mode=Mode.DECODE
    )
    assert (standing.seen_files, standing.set_aside_files) == (0, 0)
    assert _quarantined(bench) == []
    assert files_below(bench.state / "attempts") == []
    assert files_below(bench.state / "ledger") == []


def test_marker_goes_with_a_file_that_is_set_aside_and_comes_back_with_it(
    bench: Bench,
) -> None:
    """Left behind, it would call the next file of that name whole."""
    policy = msgspec.structs.replace(ONCE, ready_marker=".ready")
    bench.drop("a", b"data")
    (bench.inbox / "a.ready").touch()
    os.mkdir(bench.wire / "a.freq")
    (bench.wire / "a.freq" / "in the way").touch()
    standing = bench.drain(policy=policy, mode=Mode.ENCODE)
    assert standing.set_aside_files == 1
    assert files_below(bench.inbox) == []
    (paper,) = (bench.state / "quarantine").glob("*/reason.json")
    assert msgspec.json.decode(paper.read_bytes(), type=Reason).marker == ".ready"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EXDEV])
def test_marker_stays_with_a_file_that_may_not_be_moved(
    bench: Bench, number: int
) -> None:
    policy = msgspec.structs.replace(ONCE, ready_marker=".ready")
    bench.drop("a", b"data")
    (bench.inbox / "a.ready").touch()
    (bench.wire / "a.freq").mkdir()

    class Refusing(WatchedShare):
        def rename_new(self, source: Place, target: Place) -> None:
            if source.root is Root.INBOX:
                raise OSError(number, os.strerror(number), str(source))
            self._share.rename_new(source, target)

    share = Refusing(bench.share())
    standing = bench.drain(share, policy=policy, mode=Mode.ENCODE)
    assert standing.set_aside_files == 1
    assert [path.name for path in files_below(bench.inbox)] == ["a", "a.ready"]


def test_folder_named_like_a_marker_calls_nothing_whole_and_stops_nothing(
    bench: Bench,
) -> None:
    policy = msgspec.structs.replace(ONCE, ready_marker=".ready")
    for name in ("a", "b"):
        bench.drop(name, b"data")
    (bench.inbox / "a.ready").mkdir()
    (bench.inbox / "b.ready").touch()
    bench.drain(policy=policy)
    bench.take_all()
    assert [name for name, _ in bench.taken] == ["b"]
    assert sorted(path.name for path in bench.inbox.iterdir()) == ["a", "a.ready"]


def test_file_named_like_a_sidecar_stays_when_its_neighbour_is_set_aside(
    bench: Bench,
) -> None:
    """In the inbox it is an item of its own."""
    for name in ("a.txt", "a.txt.sha256"):
        bench.drop(name, name.encode())
    (bench.wire / "a.txt.freq").mkdir()
    standing = bench.drain(policy=ONCE)
    bench.take_all()
    assert standing.set_aside_files == 1
    assert bench.taken == [("a.txt.sha256", b"a.txt.sha256")]
    assert _quarantined(bench) == ["a.txt", "reason.json"]


def test_item_that_another_node_set_aside_stays_there_with_its_reason(
    bench: Bench,
) -> None:
    attempts = _bad(bench)
    share = bench.share()
    first = set_aside(share, attempts, node="one", run="r", stands=_always)
    assert first
    assert set_aside(share, attempts, node="two", run="r", stands=_always) is None
    assert _quarantined(bench) == ["bad.freq", "reason.json"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EXDEV])
def test_item_that_may_not_be_moved_stays_and_leaves_no_reason(
    bench: Bench, number: int
) -> None:
    attempts = _bad(bench)

    class Refusing(WatchedShare):
        def rename_new(self, source: Place, target: Place) -> None:
            raise OSError(number, os.strerror(number), str(source))

    share = Refusing(bench.share())
    assert set_aside(share, attempts, node="node", run="r", stands=_always) == ""
    assert (bench.wire / "bad.freq").exists()
    assert list((bench.state / "quarantine").iterdir()) == []


def test_share_that_fails_while_an_item_is_moved_fails_the_run(bench: Bench) -> None:
    attempts = _bad(bench)

    def fail(number: int, name: str) -> None:
        if name == "rename_new":
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    share = WatchedShare(bench.share(), before=fail)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        set_aside(share, attempts, node="node", run="r", stands=_always)
    assert (bench.wire / "bad.freq").exists()
    # Told with its reason, and moved once the share is well again.
    identifier = set_aside(
        bench.share(), attempts, node="node", run="r", stands=_always
    )
    assert _quarantined(bench) == ["bad.freq", "reason.json"]
    assert [p.name for p in (bench.state / "quarantine").iterdir()] == [identifier]


@pytest.mark.parametrize(
    "number", [errno.EIO, errno.ENOENT, errno.ESTALE, errno.EACCES]
)
def test_item_that_was_moved_though_the_answer_was_lost_is_set_aside(
    bench: Bench, number: int
) -> None:
    attempts = _bad(bench)

    def lose(_: int, name: str) -> None:
        if name == "rename_new":
            raise OSError(number, os.strerror(number))

    share = WatchedShare(bench.share(), after=lose)
    identifier = set_aside(share, attempts, node="node", run="r", stands=_always)
    assert [p.name for p in (bench.state / "quarantine").iterdir()] == [identifier]
    assert _quarantined(bench) == ["bad.freq", "reason.json"]


def test_item_goes_elsewhere_if_another_takes_its_folder_in_that_instant(
    bench: Bench,
) -> None:
    attempts = _bad(bench)
    put: list[Path] = []

    def put_there(number: int, name: str) -> None:
        if name == "rename_new" and not put:
            (folder,) = (bench.state / "quarantine").iterdir()
            put.append(folder)
            (folder / "bad.freq").write_bytes(b"of another node")

    share = WatchedShare(bench.share(), before=put_there)
    identifier = set_aside(share, attempts, node="node", run="r", stands=_always)
    assert identifier == f"{put[0].name}-1"
    assert (put[0] / "bad.freq").read_bytes() == b"of another node"
    kept = bench.state / "quarantine" / identifier / "bad.freq"
    assert kept.read_bytes() == b"no container"


def test_item_named_like_a_reason_keeps_its_own_reason(bench: Bench) -> None:
    path = bench.inbox / "reason.json"
    path.write_bytes(b"an item")
    found = path.stat()
    identity = Identity(found.st_size, found.st_mtime_ns, found.st_ino)
    failure = Failure(1.0, "node", "unreadable", "", 3)
    source = Place(Root.INBOX, "reason.json")
    attempts = Attempts(Direction.ENCODE, source, identity, (failure,))
    identifier = set_aside(
        bench.share(), attempts, node="node", run="r", stands=_always
    )
    folder = bench.state / "quarantine" / str(identifier)
    assert (folder / "reason.json.item").read_bytes() == b"an item"
    reason = msgspec.json.decode((folder / "reason.json").read_bytes(), type=Reason)
    assert reason.source == source


def test_reason_that_a_late_node_took_away_is_written_again(bench: Bench) -> None:
    attempts = _bad(bench)

    def clean_up(number: int, name: str) -> None:
        if name == "rename_new":
            for paper in (bench.state / "quarantine").glob("*/reason.json"):
                paper.unlink()

    share = WatchedShare(bench.share(), after=clean_up)
    assert set_aside(share, attempts, node="node", run="r", stands=_always)
    assert _quarantined(bench) == ["bad.freq", "reason.json"]


@pytest.mark.parametrize("state_of_it", ["old", "young", "of the next"])
def test_sidecar_that_a_crash_left_comes_after_its_container_in_an_hour(
    bench: Bench, state_of_it: str
) -> None:
    attempts, sidecar = _bad(bench), bench.wire / "bad.freq.sha256"
    sidecar.write_text("of bad.freq\n")

    def die(number: int, name: str) -> None:
        if name == "rename_new" and not (bench.wire / "bad.freq").exists():
            raise Crash

    share = WatchedShare(bench.share(), before=die)
    with pytest.raises(Crash):
        set_aside(share, attempts, node="node", run="run", stands=_always)
    if state_of_it != "young":
        os.utime(sidecar, (1.0, 1.0))
    if state_of_it == "of the next":
        (bench.wire / "bad.freq").write_bytes(b"the next")
    Sweeper(bench.share()).sweep()
    came = "bad.freq.sha256" in _quarantined(bench)
    assert came == (state_of_it == "old")
    assert sidecar.exists() != came


def test_unreadable_file_that_another_node_set_aside_leaves_no_second_reason(
    bench: Bench,
) -> None:
    """A thousand reasons were written and removed, and it was said to stay there."""
    failure = Failure(1.0, "node", "unreadable", "", 1)
    gone = Place(Root.INBOX, "gone")
    attempts = Attempts(Direction.ENCODE, gone, unread(7), (failure,))
    share = WatchedShare(bench.share())
    assert set_aside(share, attempts, node="node", run="r", stands=_always) is None
    assert share.count < 10
    assert _quarantined(bench) == []


def test_history_in_which_nothing_failed_is_none(bench: Bench) -> None:
    """As nobody wrote it, it ends no run."""
    attempts = msgspec.structs.replace(_bad(bench), failures=())
    path = bench.state / attempts_place(key_of(Direction.DECODE, BAD)).path
    path.parent.mkdir()
    path.write_bytes(paper_bytes(attempts))
    bench.drop("good", b"good")
    standing = bench.drain(policy=ONCE)
    assert (standing.set_aside_files, standing.delivered_files) == (1, 1)


def test_source_that_was_given_up_and_stays_did_not_arrive(bench: Bench) -> None:
    """Where sources stay, a record tells which of them arrived, and of which not."""
    policy = msgspec.structs.replace(ONCE, on_done=OnDone.KEEP, quarantine=False)
    bench.drop("a.txt", b"data")
    (bench.wire / "a.txt.freq").write_bytes(b"somebody else's")
    for _ in range(2):
        standing = bench.drain(policy=policy, mode=Mode.ENCODE)
        assert (standing.set_aside_files, standing.seen_files) == (1, 1)


def test_marker_of_an_item_that_was_put_back_elsewhere_is_not_put_back(
    bench: Bench,
) -> None:
    """It would call whole what came to the name meanwhile."""
    path = bench.inbox / "a.txt"
    path.write_bytes(b"data")
    (bench.inbox / "a.txt.ready").touch()
    found = path.stat()
    attempts = msgspec.structs.replace(
        _bad(bench),
        direction=Direction.ENCODE,
        source=Place(Root.INBOX, "a.txt"),
        identity=Identity(found.st_size, found.st_mtime_ns, found.st_ino),
    )

    def replace(number: int, name: str) -> None:
        if name == "rename_new":
            path.write_bytes(b"another")
        elif name == "move_new" and not path.exists():
            path.write_bytes(b"half")

    share = WatchedShare(bench.share(), before=replace)
    assert (
        set_aside(
            share, attempts, node="node", run="r", stands=_always, marker=".ready"
        )
        is None
    )
    found_in_inbox = {each.name: each.read_bytes() for each in bench.inbox.iterdir()}
    assert found_in_inbox == {"a.txt": b"half", "a.txt.1": b"another"}
