"""Claims as files: markers of nodes that die or stall, and a share that keeps them."""

from __future__ import annotations

import errno
import math
import os
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import pytest
from lease_samples import SHORT_SECONDS, lease_of, wait_until

from paxect_batch.model.leases import Over
from paxect_batch.world import claim_owners
from paxect_batch.world import claims as claims_module
from paxect_batch.world.claim_owners import read_owner
from paxect_batch.world.claims import ClaimFiles, marker_name
from paxect_batch.world.leases import LeaseFiles
from paxect_batch.world.locks import FileLocks


def test_empty_marker_is_swept_at_once_by_who_is_alone(
    tmp_path: Path, joined: Callable[..., FileLocks]
) -> None:
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / marker_name("item")).touch()
    assert joined("node1").claim("item") is not None


def test_empty_marker_may_be_another_nodes_until_it_is_old(
    tmp_path: Path, joined: Callable[..., FileLocks]
) -> None:
    joined("node1")
    (tmp_path / "claims").mkdir(exist_ok=True)
    path = tmp_path / "claims" / marker_name("item")
    path.touch()
    assert joined("node2").claim("item") is None
    os.utime(path, (1, 1))
    assert joined("node3").claim("item") is not None


def test_empty_marker_of_a_node_that_lost_power_goes_when_it_is_buried(
    tmp_path: Path, joined: Callable[..., FileLocks]
) -> None:
    other = joined("node2")
    assert LeaseFiles(str(tmp_path)).create(lease_of("node1", seconds=SHORT_SECONDS))
    (tmp_path / "claims").mkdir(exist_ok=True)
    path = tmp_path / "claims" / marker_name("item")
    path.touch()
    os.utime(path, (1, 1))
    found: list[tuple[FileLocks, object]] = []
    wait_until(lambda: found.extend((other, o) for o in other.over()) or found)
    found[0][0].bury(found[0][1])  # type: ignore[arg-type]
    assert other.claim("item") is not None


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGKILL")
def test_empty_marker_of_a_node_that_was_killed_goes_when_it_is_buried(
    tmp_path: Path, joined: Callable[..., FileLocks], holder: subprocess.Popen[str]
) -> None:
    """It may be killed between making a marker and writing who made it."""
    other = joined("node2")
    (tmp_path / "claims" / marker_name("another")).touch()
    holder.kill()
    holder.wait()
    found: list[Over] = []
    wait_until(lambda: found.extend(other.over()) or found)
    other.bury(found[0])
    assert other.claim("another") is not None


@pytest.mark.parametrize("owner", [b"", b"gone dead\n"], ids=["nobody", "a dead run"])
def test_marker_of_nobody_who_lives_goes_while_others_wait_for_its_item(
    tmp_path: Path, joined: Callable[..., FileLocks], owner: bytes
) -> None:
    """A node may be killed as it makes one, or wake and make one when it is buried."""
    waits, lives = joined("node1", seconds=SHORT_SECONDS), joined("node2")
    (tmp_path / "claims" / marker_name("item")).write_bytes(owner)
    held = lives.claim("another")
    assert held is not None
    wait_until(lambda: waits.seems_taken("item"))
    wait_until(lambda: not waits.seems_taken("item"))
    assert waits.claim("another") is None


def test_claims_of_a_dead_run_go_however_many_and_those_of_others_stay(
    tmp_path: Path, joined: Callable[..., FileLocks]
) -> None:
    other = joined("node2")
    own = [other.claim(f"own {number}") for number in range(20)]
    assert None not in own
    claims = ClaimFiles(str(tmp_path))
    assert all(claims.take(f"{n}", node="dead", run="gone") for n in range(300))
    other.bury(Over("dead", "gone"))
    assert len(list((tmp_path / "claims").glob("*.lock"))) == 20
    assert not list((tmp_path / "claims").glob("gone.*"))


def test_claim_that_comes_as_one_of_its_name_goes_is_not_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who finds none of that name is told the age of the one before by its client."""
    claims = ClaimFiles(str(tmp_path), now=lambda: time.time() + 60)
    assert claims.take("item", node="n", run="r")

    def gone(path: str, **_named: object) -> None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    with monkeypatch.context() as patched:
        patched.setattr(claim_owners, "open_plain", gone)
        claims.sweep(lambda: ["r", "other"], 1.0)
    assert claims.owner("item") == ("n", "r")


def test_node_that_slept_as_it_swept_takes_no_claim_of_one_that_joined_since(
    tmp_path: Path,
) -> None:
    dead, later = ClaimFiles(str(tmp_path)), ClaimFiles(str(tmp_path))
    assert dead.take("item", node="n", run="dead")

    def asleep() -> list[str]:
        dead.give_back("item", run="dead")
        assert later.take("item", node="n", run="later")
        return ["of those who lived before"]

    ClaimFiles(str(tmp_path)).sweep(asleep, 0.0)
    assert later.owner("item") == ("n", "later")


def test_claim_that_was_swept_before_its_owner_was_written_is_nobodys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that stalls in between must not believe that it has the item."""
    monkeypatch.setattr(os, "link", Refuses(errno.EPERM))
    claims = ClaimFiles(str(tmp_path))
    write, seconds = os.write, [0.0]

    def stalled(fd: int, data: bytes) -> int:
        seconds[0] += 5.0
        (tmp_path / "claims" / marker_name("item")).unlink(missing_ok=True)
        return write(fd, data)

    monkeypatch.setattr(time, "monotonic", lambda: seconds[0])
    monkeypatch.setattr(os, "write", stalled)
    assert not claims.take("item", node="node1", run="run")


def test_markers_on_an_smb_share_are_files_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client there opens a file by one of its names at a time."""
    monkeypatch.setattr(claims_module, "is_on_smb", lambda path: path == str(tmp_path))
    claims = ClaimFiles(str(tmp_path))
    assert claims.take("one", node="node1", run="run")
    assert claims.take("two", node="node1", run="run")
    markers = [tmp_path / "claims" / marker_name(key) for key in ("one", "two")]
    assert sorted((tmp_path / "claims").iterdir()) == sorted(markers)
    assert [each.stat().st_nlink for each in markers] == [1, 1]


def test_share_that_fails_to_say_what_it_is_gives_no_claim_and_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = ClaimFiles(str(tmp_path / "state"))
    with pytest.raises(FileNotFoundError):
        claims.take("item", node="node1", run="run")
    (tmp_path / "state").mkdir()
    monkeypatch.setattr(claims_module, "is_on_smb", lambda _path: True)
    assert claims.take("item", node="node1", run="run")
    assert (tmp_path / "state/claims" / marker_name("item")).stat().st_nlink == 1


def test_marker_that_a_client_has_open_by_another_name_is_read_when_that_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = ClaimFiles(str(tmp_path))
    assert claims.take("item", node="node1", run="run")
    seconds = [0.0]
    open_plain = claim_owners.open_plain

    def opened(path: str) -> IO[bytes]:
        if seconds[0] < 1.2:
            raise OSError(errno.EINVAL, "Invalid argument", path)
        return open_plain(path)

    def sleep(pause: float) -> None:
        seconds[0] += pause

    monkeypatch.setattr(claim_owners, "open_plain", opened)
    monkeypatch.setattr(time, "sleep", sleep)
    assert claims.owner("item") == ("node1", "run")
    seconds[0] = -9.0
    with pytest.raises(OSError, match="Invalid argument"):
        claims.owner("item")


def test_claim_that_was_taken_away_is_released_in_peace(
    tmp_path: Path, joined: Callable[..., FileLocks]
) -> None:
    held = joined("node1").claim("item")
    assert held is not None
    (tmp_path / "claims" / marker_name("item")).unlink()
    held.release()


def test_any_text_can_be_a_key(joined: Callable[..., FileLocks]) -> None:
    locks = joined("node1")
    held = [locks.claim(key) for key in ("", "../x", "n" * 5000, "\udcff", "\0")]
    assert None not in held


class Refuses:
    """A link that the share refuses so many times; it may make it all the same."""

    def __init__(self, number: int, times: float = math.inf, *, makes: bool = False):
        self._number = number
        self._times = times
        self._makes = makes
        self._link = os.link

    def __call__(self, source: str, target: str) -> None:
        self._times -= 1
        if self._times < 0 or self._makes:
            self._link(source, target)
        if self._times >= 0:
            raise OSError(self._number, os.strerror(self._number), target)


def markers(folder: Path) -> list[Path]:
    return list((folder / "claims").glob("*.lock"))


def test_marker_says_from_its_first_instant_whose_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = ClaimFiles(str(tmp_path))
    assert claims.take("first", node="n", run="r")
    monkeypatch.setattr(os, "write", None)
    assert claims.take("item", node="n", run="r")
    assert ClaimFiles(str(tmp_path)).owner("item") == ("n", "r")


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.EMLINK])
def test_item_is_one_nodes_also_where_a_file_cannot_have_more_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(os, "link", Refuses(number))
    claims, others = ClaimFiles(str(tmp_path)), ClaimFiles(str(tmp_path))
    assert claims.take("item", node="n", run="r")
    assert not others.take("item", node="m", run="q")
    assert others.owner("item") == ("n", "r")
    claims.give_back("item", run="r")
    assert others.take("item", node="m", run="q")


def test_claim_that_the_share_failed_and_made_is_had_at_the_next_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else can have it: its marker names a run that lives."""
    claims = ClaimFiles(str(tmp_path))
    assert claims.take("first", node="n", run="r")
    monkeypatch.setattr(os, "link", Refuses(errno.EIO, 1, makes=True))
    with pytest.raises(OSError, match="Input/output"):
        claims.take("item", node="n", run="r")
    assert not ClaimFiles(str(tmp_path)).take("item", node="m", run="q")
    assert claims.take("item", node="n", run="r")
    assert not claims.take("item", node="n", run="r")


def test_key_is_one_threads_of_all_that_take_it_at_once(tmp_path: Path) -> None:
    """Two items of one run may have one target; the marker names the run of both."""
    claims, count = ClaimFiles(str(tmp_path)), 8
    assert claims.take("first", node="n", run="r")
    barrier = threading.Barrier(count)

    def take(key: str) -> bool:
        barrier.wait(30)
        return claims.take(key, node="n", run="r")

    with ThreadPoolExecutor(count) as threads:
        for number in range(100):
            taken = list(threads.map(take, [f"{number}"] * count))
            assert taken.count(True) == 1, number


def test_claims_can_be_taken_after_the_runs_own_file_was_swept(tmp_path: Path) -> None:
    claims = ClaimFiles(str(tmp_path))
    assert claims.take("first", node="n", run="r")
    (tmp_path / "claims" / "r.1.run").unlink()
    assert claims.take("item", node="n", run="r")
    assert {read_owner(str(path)) for path in markers(tmp_path)} == {("n", "r")}


def test_marker_tells_when_it_was_made_to_the_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of a run that takes claims for hours would look hours old."""
    seconds = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: seconds[0])
    claims = ClaimFiles(str(tmp_path))
    for _ in range(3):
        assert claims.take(f"{seconds[0]}", node="n", run="r")
        (own,) = (tmp_path / "claims").glob("*.run")
        os.utime(own, (seconds[0], seconds[0]))
        seconds[0] += 1.0
    assert sorted(path.stat().st_mtime for path in markers(tmp_path)) == [0, 1, 2]


def test_own_file_of_a_run_that_is_over_is_swept_and_those_of_others_stay(
    tmp_path: Path,
) -> None:
    gone, claims = ClaimFiles(str(tmp_path)), ClaimFiles(str(tmp_path))
    assert gone.take("first", node="n", run="gone")
    assert claims.take("item", node="m", run="lives")
    assert (tmp_path / "claims" / "gone.1.run").exists()
    claims.sweep(lambda: {"lives"}, 1.0)
    left = sorted(path.name for path in (tmp_path / "claims").iterdir())
    assert left == sorted([marker_name("item"), "lives.1.run"])
