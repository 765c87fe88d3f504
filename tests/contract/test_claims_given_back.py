"""Claims that are given back: by nodes that slept, and to shares that refuse."""

from __future__ import annotations

import errno
import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from paxect_batch.world import claims as claims_module
from paxect_batch.world.claims import ClaimFiles, marker_name
from paxect_batch.world.leases import LeaseFiles
from paxect_batch.world.locks import FileLocks


class Refusing:
    """`os` of a share that refuses some removals, which may have happened all the same."""

    def __init__(self, *, happens: bool, times: int = 1) -> None:
        self.times = times
        self._happens = happens

    def __getattr__(self, name: str) -> object:
        return getattr(os, name)

    def unlink(self, path: str) -> None:
        if not path.endswith(".lock"):
            os.unlink(path)
            return
        if not self.times or self._happens:
            os.unlink(path)
        if self.times:
            self.times -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)


def others_see(folder: Path, key: str) -> bool:
    return ClaimFiles(str(folder)).seem_to_have(key)


def refuse(monkeypatch: pytest.MonkeyPatch, *, happens: bool) -> None:
    monkeypatch.setattr(claims_module, "os", Refusing(happens=happens))
    monkeypatch.setattr(claims_module, "_LISTING_SECONDS_MIN", 0.0)
    monkeypatch.setattr(claims_module, "_LISTING_SECONDS_MAX", 0.0)


def test_claim_that_the_share_refused_to_take_back_is_given_back_at_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else may: its run lives. All would wait for it."""
    refuse(monkeypatch, happens=False)
    claims = ClaimFiles(str(tmp_path))
    assert claims.take("item", node="n", run="r")
    claims.give_back("item", run="r")
    assert others_see(tmp_path, "item")
    claims.seem_to_have("another")
    assert not others_see(tmp_path, "item")


def test_claim_that_the_share_refused_to_take_back_can_be_had_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, happens=False)
    claims = ClaimFiles(str(tmp_path))
    assert claims.take("item", node="n", run="r")
    claims.give_back("item", run="r")
    assert claims.take("item", node="n", run="r")
    assert not claims.take("item", node="n", run="r")


def test_claim_that_was_given_back_against_the_shares_word_is_the_next_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, happens=True)
    claims, others = ClaimFiles(str(tmp_path)), ClaimFiles(str(tmp_path))
    assert claims.take("item", node="n", run="r")
    claims.give_back("item", run="r")
    assert others.take("item", node="m", run="q")
    claims.seem_to_have("another")
    assert others_see(tmp_path, "item")
    assert not claims.take("item", node="n", run="r")


def test_node_that_slept_gives_back_no_claim_of_another_by_that_name(
    tmp_path: Path, joined: Callable[..., FileLocks]
) -> None:
    """It woke after it was buried, and before it looked at its lease again."""
    sleeper = joined("node1")
    held = sleeper.claim("item")
    assert held is not None
    (tmp_path / "nodes/node1/lease").unlink()
    (tmp_path / "claims" / marker_name("item")).unlink()
    other = ClaimFiles(str(tmp_path))
    assert other.take("item", node="node2", run="other")
    held.release()
    assert other.owner("item") == ("node2", "other")


def test_claim_is_given_back_once_the_share_says_whose_the_lease_is(
    tmp_path: Path, joined: Callable[..., FileLocks], monkeypatch: pytest.MonkeyPatch
) -> None:
    locks = joined("node1")
    held = locks.claim("item")
    assert held is not None

    def refuses(*_args: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(LeaseFiles, "look", refuses)
        held.release()
    assert (tmp_path / "claims" / marker_name("item")).exists()
    assert locks.claim("item") is not None


def test_claim_that_is_taken_again_is_not_removed_by_who_removes_it_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread took it, and a third one removed the marker that it had."""
    claims = ClaimFiles(str(tmp_path))
    keys = [f"key{number}" for number in range(16)]
    for key in keys:
        assert claims.take(key, node="n", run="r")
    with monkeypatch.context() as patch:
        patch.setattr(claims_module, "os", Refusing(happens=False, times=len(keys)))
        for key in keys:
            claims.give_back(key, run="r")
    read = claims_module.read_owner
    dice = random.Random(1)

    def slowly(path: str) -> object:
        time.sleep(dice.random() * 0.004)
        return read(path)

    monkeypatch.setattr(claims_module, "read_owner", slowly)
    took: list[str] = []

    def take(key: str) -> None:
        if claims.take(key, node="n", run="r"):
            took.append(key)

    with ThreadPoolExecutor(len(keys)) as hands:
        list(hands.map(take, keys))
    assert all(claims.owner(key) == ("n", "r") for key in took)
    assert [key for key in keys if claims.take(key, node="n", run="r")] == [
        key for key in keys if key not in took
    ]


def test_claim_that_the_share_refuses_to_take_away_is_told_of_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, happens=False)
    claims = ClaimFiles(str(tmp_path))
    assert claims.take("item", node="n", run="r")
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        claims.take_away("item")
    assert others_see(tmp_path, "item")
    claims.take_away("item")
    assert not others_see(tmp_path, "item")
