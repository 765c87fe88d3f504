"""Locks, real and fake: `seams.Locks`; and what only real ones can be put to."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.locks import FakeLocks
from stages import refused

from paxect_batch.seams import Locks
from paxect_batch.world import locks as locks_module
from paxect_batch.world.locks import TORN_MARKER_SECONDS, FileLocks


@pytest.fixture(params=["fake", "files"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Locks]:
    """Make the locks of one more run on the same share."""
    if request.param == "files":
        return lambda: FileLocks(str(tmp_path))
    register: dict[str, FakeLocks] = {}
    return lambda: FakeLocks(register)


def test_node_is_held_by_one_run_until_released(make: Callable[[], Locks]) -> None:
    one, other = make(), make()
    held = one.hold_node("node1")
    assert held is not None
    assert other.hold_node("node1") is None
    assert one.hold_node("node1") is None
    second = other.hold_node("node2")
    assert second is not None
    held.release()
    again = other.hold_node("node1")
    assert again is not None
    again.release()
    second.release()


def test_item_is_claimed_by_one_run_until_released(make: Callable[[], Locks]) -> None:
    one, other = make(), make()
    held = one.claim("item")
    assert held is not None
    assert other.claim("item") is None
    assert one.claim("item") is None
    second = other.claim("another item")
    assert second is not None
    held.release()
    again = other.claim("item")
    assert again is not None
    again.release()
    second.release()


def test_release_twice_takes_nothing_from_the_next(make: Callable[[], Locks]) -> None:
    one, other = make(), make()
    held = one.claim("item")
    assert held is not None
    held.release()
    again = other.claim("item")
    assert again is not None
    held.release()
    assert one.claim("item") is None
    again.release()


def test_release_by_another_thread_counts(make: Callable[[], Locks]) -> None:
    one, other = make(), make()
    held = one.claim("item")
    node = one.hold_node("node1")
    assert held is not None
    assert node is not None
    thread = threading.Thread(target=lambda: (held.release(), node.release()))
    thread.start()
    thread.join()
    again, node_again = other.claim("item"), other.hold_node("node1")
    assert again is not None
    assert node_again is not None
    again.release()
    node_again.release()


def test_lost_fake_claim_is_the_next_ones() -> None:
    register: dict[str, FakeLocks] = {}
    one, other = FakeLocks(register), FakeLocks(register)
    held = one.claim("item")
    assert held is not None
    one.lose("item")
    assert other.claim("item") is not None
    held.release()
    assert other.held == {"item"}
    other.die()
    assert register == {}


# -- files

HOLDER = """
import sys
from paxect_batch.world.locks import FileLocks
locks = FileLocks(sys.argv[1])
held = locks.hold_node("node1"), locks.claim("item")
print("held" if all(held) else "not held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds a node and an item."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_killed_process_holds_nothing(
    tmp_path: Path, holder: subprocess.Popen[bytes]
) -> None:
    locks = FileLocks(str(tmp_path))
    assert locks.hold_node("node1") is None
    assert locks.claim("item") is None
    holder.kill()
    holder.wait()
    node, item = locks.hold_node("node1"), locks.claim("item")
    assert node is not None
    assert item is not None
    node.release()
    item.release()
    assert os.listdir(tmp_path / "claims") == []


def marker(folder: Path) -> Path:
    (path,) = (folder / "claims").iterdir()
    return path


def test_claim_of_a_dead_process_whose_pid_lives_again_is_taken(
    tmp_path: Path, holder: subprocess.Popen[bytes]
) -> None:
    if sys.platform != "linux":
        pytest.skip("a process's start is looked up on Linux only")
    lines = marker(tmp_path).read_text().splitlines()
    holder.kill()
    holder.wait()
    # The dead process had, of all pids, the one of this process.
    lines[0] = str(os.getpid())
    marker(tmp_path).write_text("\n".join(lines) + "\n")
    taken = FileLocks(str(tmp_path)).claim("item")
    assert taken is not None
    taken.release()


def test_claim_of_another_host_stays(
    tmp_path: Path, holder: subprocess.Popen[bytes]
) -> None:
    lines = marker(tmp_path).read_text().splitlines()
    holder.kill()
    holder.wait()
    lines[1] = "another-host"
    marker(tmp_path).write_text("\n".join(lines) + "\n")
    assert FileLocks(str(tmp_path)).claim("item") is None


@pytest.mark.parametrize("torn", [b"", b"123", b"123\nho", bytes(30)])
def test_marker_torn_by_a_crash_is_nobodys_after_a_while(
    tmp_path: Path, torn: bytes
) -> None:
    seconds = [time.time()]
    locks = FileLocks(str(tmp_path), now=lambda: seconds[0])
    held = locks.claim("item")
    assert held is not None
    path = marker(tmp_path)
    held.release()
    path.write_bytes(torn)
    assert locks.claim("item") is None
    seconds[0] += TORN_MARKER_SECONDS + 1
    taken = locks.claim("item")
    assert taken is not None
    assert locks.claim("item") is None
    taken.release()
    assert os.listdir(tmp_path / "claims") == []


def test_torn_marker_that_another_run_replaced_meanwhile_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks = FileLocks(str(tmp_path), now=lambda: time.time() + 60)
    held = locks.claim("item")
    assert held is not None
    path = marker(tmp_path)
    held.release()
    path.write_bytes(b"")
    is_torn = locks_module._is_torn
    theirs: list[object] = []

    def raced(judged: str) -> bool:
        answer = is_torn(judged)
        monkeypatch.setattr(locks_module, "_is_torn", is_torn)
        theirs.append(
            FileLocks(str(tmp_path), now=lambda: time.time() + 60).claim("item")
        )
        return answer

    monkeypatch.setattr(locks_module, "_is_torn", raced)
    assert locks.claim("item") is None
    assert theirs != [None]
    assert path.read_bytes().startswith(b"%d\n" % os.getpid())
    assert list((tmp_path / "claims").iterdir()) == [path]


def test_torn_marker_that_went_meanwhile_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks = FileLocks(str(tmp_path), now=lambda: time.time() + 60)
    held = locks.claim("item")
    assert held is not None
    path = marker(tmp_path)
    held.release()
    path.write_bytes(b"")

    def gone(judged: str) -> bool:
        os.unlink(judged)
        return True

    monkeypatch.setattr(locks_module, "_is_torn", gone)
    taken = locks.claim("item")
    assert taken is not None
    taken.release()


def test_claim_that_was_taken_away_is_released_in_peace(tmp_path: Path) -> None:
    locks = FileLocks(os.fsencode(tmp_path))
    held = locks.claim("item")
    assert held is not None
    marker(tmp_path).unlink()
    again = locks.claim("item")
    assert again is not None
    held.release()
    assert locks.claim("item") is None
    again.release()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "nul\0"])
def test_node_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with refused(errno.EINVAL):
        FileLocks(str(tmp_path)).hold_node(name)


def test_any_text_can_be_a_key(tmp_path: Path) -> None:
    locks = FileLocks(str(tmp_path))
    held = [locks.claim(key) for key in ("", "../x", "n" * 5000, "\udcff", "\0")]
    assert None not in held
    for claim in held:
        assert claim is not None
        claim.release()
    assert [path.name for path in tmp_path.iterdir()] == ["claims"]


def test_node_lock_may_lie_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "link.lock"
    (tmp_path / "state").mkdir()
    locks = FileLocks(str(tmp_path / "state"), node_lock=str(path))
    held = locks.hold_node("node1")
    assert held is not None
    assert path.exists()
    assert FileLocks(str(tmp_path), node_lock=str(path)).hold_node("node2") is None
    held.release()


def test_share_that_is_not_there_is_not_made_by_locking(tmp_path: Path) -> None:
    locks = FileLocks(str(tmp_path / "absent"))
    with pytest.raises(FileNotFoundError):
        locks.claim("item")
    with pytest.raises(FileNotFoundError):
        locks.hold_node("node1")
    assert list(tmp_path.iterdir()) == []


def left_by_a_crash(folder: Path, *others: str) -> FileLocks:
    """Leave an empty marker of "item"; return locks that hold node1."""
    locks = FileLocks(str(folder))
    held = locks.claim("item")
    assert held is not None
    path = marker(folder)
    held.release()
    path.write_bytes(b"")
    for other in others:
        (folder / "nodes" / other).mkdir(parents=True)
    node = locks.hold_node("node1")
    assert node is not None
    return locks


def test_torn_marker_on_a_share_of_one_node_is_its_own_and_taken_at_once(
    tmp_path: Path,
) -> None:
    taken = left_by_a_crash(tmp_path).claim("item")
    assert taken is not None
    taken.release()
    assert os.listdir(tmp_path / "claims") == []


def test_torn_marker_on_a_share_of_two_nodes_may_be_the_other_ones(
    tmp_path: Path,
) -> None:
    assert left_by_a_crash(tmp_path, "node2").claim("item") is None


@pytest.mark.parametrize("others", [[], ["node2"]])
def test_claims_of_a_killed_process_are_swept_when_a_node_is_let_go(
    tmp_path: Path, holder: subprocess.Popen[bytes], others: list[str]
) -> None:
    holder.kill()
    holder.wait()
    for other in others:
        (tmp_path / "nodes" / other).mkdir(parents=True)
    node = FileLocks(str(tmp_path)).hold_node("node1")
    assert node is not None
    node.release()
    assert os.listdir(tmp_path / "claims") == []


def test_claims_of_another_node_stay_when_a_node_is_let_go(
    tmp_path: Path, holder: subprocess.Popen[bytes]
) -> None:
    node = FileLocks(str(tmp_path)).hold_node("node2")
    assert node is not None
    node.release()
    assert len(os.listdir(tmp_path / "claims")) == 1
