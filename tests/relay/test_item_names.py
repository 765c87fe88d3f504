"""Names of items: all kinds travel, the longest ones too, and none stops a run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from relay_bench import Bench, WatchedShare, files_below, policy_with, reasons

from paxect_batch.model.events import Event
from paxect_batch.model.items import Entry, Kind, Mode
from paxect_batch.model.places import Place, Root, to_text
from paxect_batch.model.policy import OnDone, Policy
from paxect_batch.model.transfer import Meta
from paxect_batch.relay import state
from paxect_batch.rules import naming


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_names_of_all_kinds_travel_unchanged(bench: Bench) -> None:
    names = [b"new\nline", b"a b", "é🎉".encode(), b"\xff\xfe", b"back\\slash", b"%s"]
    names.append(b"n" * 243)
    for name in names:
        (bench.inbox / os.fsdecode(name)).write_bytes(name)
    bench.drain()
    arrived = {
        os.fsencode(path.name): path.read_bytes() for path in bench.outbox.iterdir()
    }
    assert arrived == {name: name for name in names}


def test_temporary_names_hidden_files_and_links_are_left_alone(bench: Bench) -> None:
    for name in (".hidden", "a.part", "b.tmp", ".nfs0001", "c~"):
        (bench.inbox / name).write_bytes(b"x")
    secret = bench.folder / "secret"
    secret.write_bytes(b"not yours")
    (bench.inbox / "link").symlink_to(secret)
    (bench.inbox / "folder").symlink_to(bench.folder)
    os.mkfifo(bench.inbox / "fifo")
    standing = bench.drain()
    assert standing.seen_files == 0
    assert files_below(bench.outbox) == []
    assert len(bench.events.named(Event.PATH_OUTSIDE_INBOX)) == 2
    assert secret.read_bytes() == b"not yours"


def test_text_of_names_in_records_can_be_turned_back(bench: Bench) -> None:
    name = b"a\n\xff\\b"
    (bench.inbox / os.fsdecode(name)).write_bytes(b"x")
    bench.drain()
    (ledger,) = files_below(bench.state / "ledger")
    records = [json.loads(line) for line in ledger.read_bytes().splitlines()]
    assert records[0]["source"] == ["inbox", to_text(name)]


@pytest.mark.parametrize("length", [243, 244, 250, 255])
def test_longest_names_travel_by_an_alias(tmp_path: Path, length: int) -> None:
    name = ("é" * 100 + "x" * 100)[: length - 100]
    assert len(name.encode()) == length
    bench = Bench(tmp_path)
    bench.drop(name, b"data")
    bench.drain(policy=policy_with(carry_times=length == 250))
    bench.check_delivered_once()


def test_names_too_long_for_a_container_are_blocked_where_only_encoding(
    bench: Bench,
) -> None:
    bench.drop("x" * 255, b"data")
    standing = bench.drain(mode=Mode.ENCODE)
    assert (standing.blocked_files, standing.delivered_files) == (1, 0)


def test_names_that_fold_alike_on_the_target_are_set_aside_both(bench: Bench) -> None:
    class Folding(WatchedShare):
        def folds_names(self, root: object) -> bool:
            return True

        def entries(self, folder: Place) -> Iterator[Entry]:
            """Give folders between the files, as a listing may."""
            found = sorted(
                self._share.entries(folder), key=lambda each: str(each.place)
            )
            files = [each for each in found if each.kind is Kind.FILE]
            others = [each for each in found if each.kind is not Kind.FILE]
            yield from [*files[:1], *others, *files[1:]]

    for name in ("A.txt", "a.TXT", "b.txt", "sub/é", "sub/e\u0301", "sub/f"):
        bench.drop(name, name.encode())
    standing = bench.drain(Folding(bench.share()))
    assert (standing.delivered_files, standing.set_aside_files) == (2, 4)
    assert {reason["code"] for reason in reasons(bench)} == {"name-collision"}
    assert bench.whole_somewhere() == set()


def test_container_whose_sidecar_could_not_be_named_stops_nobody(bench: Bench) -> None:
    (bench.wire / f"{'c' * 247}.freq").write_bytes(b"no container")
    for name in ("before", "after"):
        bench.drop(name, b"data")
        bench.drain()
    assert len(list(bench.state.glob("quarantine/*/*.freq"))) == 1
    bench.take_all()
    assert sorted(bench.taken) == sorted(bench.dropped.items())


def test_file_whose_marker_could_not_be_named_waits_and_stops_nobody(
    bench: Bench,
) -> None:
    bench.drop("n" * 250, b"data")
    bench.drop("a", b"data")
    (bench.inbox / "a.ready").touch()
    policy = Policy(version="2", settle_seconds=0.0, ready_marker=".ready")
    bench.drain(policy=policy)
    bench.take_all()
    assert bench.taken == [("a", b"data")]
    assert (bench.inbox / ("n" * 250)).exists()


def test_archive_keeps_every_source_of_the_longest_name(bench: Bench) -> None:
    policy = Policy(version="2", settle_seconds=0.0, on_done=OnDone.ARCHIVE)
    for data in (b"one", b"two", b"three"):
        bench.drop("n" * 255, data)
        bench.drain(policy=policy)
        bench.take_all()
    archived = bench.state / "archive/inbox"
    assert {path.read_bytes() for path in archived.iterdir()} == {
        b"one",
        b"two",
        b"three",
    }


def test_long_name_comes_out_beside_a_sidecar_that_was_left_alone(bench: Bench) -> None:
    """It came out under its alias, as for the sidecar nothing of it was kept."""
    name = "n" * 250
    sidecars: dict[str, bytes] = {}

    class Keeps(WatchedShare):
        def rename_new(self, source: Place, target: Place) -> None:
            if target.name.endswith(".sha256"):
                sidecars[target.name] = self._share.read(source, 4096)
            self._share.rename_new(source, target)

    bench.drop(name, b"long")
    bench.drain(Keeps(bench.share()))
    bench.take_all()
    ((sidecar, text),) = sidecars.items()
    (bench.wire / sidecar).write_bytes(text)
    bench.drop(name, b"long")
    bench.drain()
    bench.take_all()
    assert [name for name, _ in bench.taken] == [name, name]


@pytest.mark.parametrize("says", ["other.txt", "sub/other.txt"])
def test_alias_that_a_paper_gives_another_name_arrives_as_the_alias(
    bench: Bench, says: str
) -> None:
    """A name is taken from a paper only where the alias is that name's."""
    alias = naming.alias("n" * 255)
    bench.drop(alias, b"data")
    bench.drain(mode=Mode.ENCODE)
    (container,) = bench.wire.glob("*.freq")
    paper = Meta(container_sha256="", raw_name=says)
    place = state.meta_place(Place(Root.WIRE, container.name))
    path = bench.state / place.path
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(state.paper_bytes(paper))
    bench.drain(mode=Mode.DECODE)
    bench.take_all()
    assert bench.taken == [(alias, b"data")]


def test_paper_about_a_container_goes_an_hour_after_its_container(
    bench: Bench,
) -> None:
    bench.drop("a.txt", b"data")
    bench.drain(mode=Mode.ENCODE, policy=policy_with(carry_times=True))
    (paper,) = files_below(bench.state / "meta")
    os.utime(paper, (1_000_000_000, 1_000_000_000))
    bench.drain(mode=Mode.ENCODE)
    assert paper.exists()
    for path in files_below(bench.wire):
        path.unlink()
    bench.drain(mode=Mode.ENCODE)
    assert not paper.exists()


def test_name_that_another_folds_to_that_is_not_whole_yet_waits_for_it(
    bench: Bench,
) -> None:
    """Set aside alone, it would leave its name to the other one."""

    class Folding(WatchedShare):
        def folds_names(self, root: object) -> bool:
            return True

    policy = policy_with(ready_marker=".ready", settle_seconds=1.0)
    for name in ("A.txt", "a.txt", "A.txt.ready"):
        bench.drop(name, name.encode())
    standing = bench.drain(Folding(bench.share()), policy=policy)
    assert (standing.set_aside_files, standing.seen_files) == (0, 2)
    (bench.inbox / "a.txt.ready").touch()
    standing = bench.drain(Folding(bench.share()), policy=policy)
    assert (standing.set_aside_files, standing.delivered_files) == (2, 0)
