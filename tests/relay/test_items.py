"""What becomes of items: good ones, bad ones, and those that change or collide."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from relay_bench import Bench, WatchedShare, files_below, left, policy_with, reasons

import paxect_core
from paxect_batch.model.errors import Exit, NotReady
from paxect_batch.model.events import Event
from paxect_batch.model.items import Direction, Identity, Mode
from paxect_batch.model.places import Place, Root
from paxect_batch.model.policy import OnCollision, OnDone, Verify
from paxect_batch.model.run import Verdict
from paxect_batch.model.transfer import Attempts, Failure
from paxect_batch.relay import state


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def _container(data: bytes) -> bytes:
    return paxect_core.encode_bytes(data)


def test_empty_and_large_frames_travel_with_metadata_when_asked(bench: Bench) -> None:
    bench.drop("empty", b"")
    bench.drop("big", bytes(3 << 20))
    os.utime(bench.inbox / "big", ns=(10**18, 10**18 + 7))
    (bench.inbox / "big").chmod(0o640)
    bench.drain(policy=policy_with(carry_times=True, carry_mode=True))
    status = (bench.outbox / "big").stat()
    assert (status.st_mtime_ns, status.st_mode & 0o777) == (10**18 + 7, 0o640)
    bench.check_delivered_once()


def test_collision_keeps_what_is_there_and_sets_the_item_aside(bench: Bench) -> None:
    (bench.outbox / "a").write_bytes(b"older")
    bench.drop("a", b"newer")
    standing = bench.drain()
    assert (bench.outbox / "a").read_bytes() == b"older"
    assert (standing.set_aside_files, standing.exit_codes) == (1, {Exit.UNFINISHED})
    (reason,) = reasons(bench)
    assert reason["code"] == "collision"
    (kept,) = [
        p for p in files_below(bench.state / "quarantine") if p.suffix == ".freq"
    ]
    assert paxect_core.decode_bytes(kept.read_bytes()) == b"newer"


def test_collision_on_the_wire_sets_the_source_aside(bench: Bench) -> None:
    (bench.wire / "a.freq").write_bytes(b"not a container")
    (bench.wire / "a.freq").touch()
    bench.drop("a", b"data")
    standing = bench.drain(mode=Mode.ENCODE)
    assert (bench.wire / "a.freq").read_bytes() == b"not a container"
    assert not (bench.wire / "a.freq.sha256").exists()
    assert standing.set_aside_files == 1
    assert bench.whole_somewhere() == set()


def test_collision_when_policy_waits_leaves_everything_in_place(bench: Bench) -> None:
    (bench.outbox / "a").write_bytes(b"older")
    bench.drop("a", b"newer")
    policy = policy_with(
        on_collision=OnCollision.WAIT, attempts=2, backoff_seconds=60.0
    )
    standing = bench.drain(policy=policy)
    assert standing.set_aside_files == 0
    assert (bench.wire / "a.freq").exists()
    (bench.outbox / "a").unlink()
    files_below(bench.state / "attempts")[0].unlink()
    bench.drain(policy=policy)
    bench.check_delivered_once()


def test_equal_bytes_at_the_target_are_adopted(bench: Bench) -> None:
    bench.drop("a", b"same")
    (bench.outbox / "a").write_bytes(b"same")
    standing = bench.drain()
    assert standing.delivered_files == 1
    bench.check_delivered_once()


@pytest.mark.parametrize(
    ("damage", "code", "exit_code"),
    [
        (lambda data: data[:-1], "truncated", Exit.STRUCTURE),
        (lambda data: b"junk" + data, "bad-magic", Exit.STRUCTURE),
        (lambda data: data[:-1] + b"\0", "digest-mismatch", Exit.INTEGRITY),
        (lambda data: data + b"tail", "trailing-data", Exit.STRUCTURE),
    ],
    ids=["truncated", "magic", "digest", "trailing"],
)
def test_bad_container_is_tried_then_set_aside_with_reason(
    bench: Bench, damage: object, code: str, exit_code: int
) -> None:
    (bench.wire / "bad.freq").write_bytes(damage(_container(b"payload")))
    bench.drop("good", b"fine")
    standing = bench.drain(policy=policy_with(attempts=3))
    assert standing.delivered_files == 1
    assert standing.set_aside_files == 1
    assert exit_code in standing.exit_codes
    (reason,) = reasons(bench)
    assert len(reason["history"]) == 3
    assert reason["code"] in (code, "bad-body", "frame-count-mismatch", "truncated")
    assert not (bench.wire / "bad.freq").exists()
    assert len(bench.events.named(Event.SET_ASIDE)) == 1


def test_wrong_sidecar_is_a_checksum_mismatch_and_right_one_in_any_form_passes(
    bench: Bench,
) -> None:
    data = _container(b"payload")
    digest = hashlib.sha256(data).hexdigest()
    for name, sidecar in (
        ("bare", f"{digest}\n"),
        ("line", f"{digest}  line.freq\n"),
        ("upper", digest.upper()),
        ("marked", f"\\{digest}  new\\nline.freq\n"),
        ("tagged", f"SHA256 (tagged.freq) = {digest}\n"),
        ("wrong", "0" * 64),
        ("empty", ""),
    ):
        (bench.wire / f"{name}.freq").write_bytes(data)
        (bench.wire / f"{name}.freq.sha256").write_text(sidecar)
    standing = bench.drain(policy=policy_with(attempts=1))
    assert sorted(p.name for p in files_below(bench.outbox)) == [
        "bare",
        "line",
        "marked",
        "tagged",
        "upper",
    ]
    assert standing.set_aside_files == 2
    assert Exit.INTEGRITY in standing.exit_codes
    assert {reason["code"] for reason in reasons(bench)} == {"checksum_mismatch"}
    assert files_below(bench.wire) == []


@pytest.mark.parametrize("line", ["\\{}  we\\\\ird.freq\n", "SHA256 (a) = {}\n"])
def test_sidecar_that_lies_there_in_another_form_is_no_collision(
    bench: Bench, line: str
) -> None:
    bench.drop("a.txt", b"payload")
    bench.drain(mode=Mode.ENCODE)
    digest = hashlib.sha256((bench.wire / "a.txt.freq").read_bytes()).hexdigest()
    (bench.wire / "a.txt.freq").unlink()
    (bench.wire / "a.txt.freq.sha256").write_text(line.format(digest))
    bench.drop("a.txt", b"payload")
    assert bench.drain().set_aside_files == 0
    bench.check_delivered_once()


def test_sidecar_without_its_container_is_named_where_it_is_in_the_way(
    bench: Bench,
) -> None:
    (bench.wire / "a.txt.freq.sha256").write_text("0" * 64)
    (bench.wire / "b.txt.freq").write_bytes(b"other")
    for name in ("a.txt", "b.txt"):
        bench.drop(name, b"payload")
    bench.drain(mode=Mode.ENCODE, policy=policy_with(attempts=1))
    details = sorted(str(reason["detail"]) for reason in reasons(bench))
    assert details[0].startswith("wire/a.txt.freq.sha256 tells of a container that")
    assert (
        details[1]
        == "wire/b.txt.freq is taken by other bytes, or what may not be read, which stay"
    )
    assert (bench.wire / "a.txt.freq.sha256").read_text() == "0" * 64


def test_backing_off_item_is_not_tried_again_until_it_changes(bench: Bench) -> None:
    (bench.wire / "a.freq").write_bytes(b"junk")
    policy = policy_with(backoff_seconds=3600.0)
    assert bench.drain(policy=policy).exit_codes == {Exit.STRUCTURE}
    again = bench.drain(policy=policy)
    assert (again.exit_codes, again.seen_files, again.delivered_files) == (set(), 1, 0)
    (bench.wire / "a.freq").write_bytes(_container(b"mended"))
    assert bench.drain(policy=policy).delivered_files == 1
    assert files_below(bench.state / "attempts") == []


def test_source_replaced_while_it_is_read_waits_and_arrives_later(bench: Bench) -> None:
    bench.drop("a", b"first")
    swapped = []

    def swap(number: int, name: str) -> None:
        if name == "create" and not swapped:
            swapped.append(number)
            (bench.inbox / "new").write_bytes(b"second!")
            os.replace(bench.inbox / "new", bench.inbox / "a")

    bench.drain(WatchedShare(bench.share(), after=swap))
    bench.dropped = {"a": b"second!"}
    bench.check_delivered_once()
    assert bench.events.named(Event.CHANGED)


@pytest.mark.slow
def test_source_replaced_at_any_operation_is_never_lost(tmp_path: Path) -> None:
    first = Bench(tmp_path)
    first.drop("a", b"first")
    counter = WatchedShare(first.share())
    first.drain(counter)
    for point in range(counter.count):
        folder = tmp_path / str(point)
        folder.mkdir()
        bench = Bench(folder)
        bench.drop("a", b"first")

        def swap(number: int, name: str, at: int = point, bench: Bench = bench) -> None:
            if number == at:
                (bench.folder / "new").write_bytes(b"second!")
                os.replace(bench.folder / "new", bench.inbox / "a")

        bench.drain(WatchedShare(bench.share(), after=swap))
        bench.drain()
        found = {path.read_bytes() for path in files_below(bench.outbox)}
        aside = bench.state / "quarantine"
        found |= {
            paxect_core.decode_bytes(path.read_bytes())
            for path in files_below(aside)
            if path.suffix == ".freq"
        }
        found |= {path.read_bytes() for path in files_below(aside)}
        assert b"second!" in found


def test_vanished_source_is_nobodys_failure(bench: Bench) -> None:
    bench.drop("a", b"data")

    def vanish(number: int, name: str) -> None:
        (bench.inbox / "a").unlink(missing_ok=True)

    standing = bench.drain(WatchedShare(bench.share(), after=vanish))
    assert (standing.exit_codes, standing.seen_files) == (set(), 0)


def test_kept_sources_are_delivered_once_over_many_runs(bench: Bench) -> None:
    policy = policy_with(on_done=OnDone.KEEP)
    bench.drop("a", b"data")
    assert bench.drain(policy=policy).delivered_files == 1
    bench.take_all()
    assert bench.drain(policy=policy).delivered_files == 0
    (bench.inbox / "a").write_bytes(b"other data")
    bench.drain(policy=policy)
    bench.take_all()
    assert [data for _, data in bench.taken] == [b"data"]


def test_file_gets_its_own_time_though_another_of_its_name_came_before_it_arrived(
    bench: Bench,
) -> None:
    policy = policy_with(carry_times=True, backoff_seconds=0.0)
    for seconds, data in ((1000, b"first"), (2000, b"second")):
        bench.drop("a", data)
        os.utime(bench.inbox / "a", (seconds, seconds))
        bench.drain(policy=policy, mode=Mode.ENCODE)
    bench.drain(policy=policy, mode=Mode.DECODE)
    arrived = bench.outbox / "a"
    assert (arrived.read_bytes(), arrived.stat().st_mtime) == (b"first", 1000)


def test_ready_marker_is_awaited_and_goes_with_its_file(bench: Bench) -> None:
    policy = policy_with(ready_marker=".ready", settle_seconds=3600.0)
    bench.drop("a", b"data")
    assert bench.drain(policy=policy, mode=Mode.ENCODE).delivered_files == 0
    (bench.inbox / "a.ready").touch()
    assert bench.drain(policy=policy, mode=Mode.ENCODE).delivered_files == 1
    assert files_below(bench.inbox) == []


def test_blocked_items_are_logged_once_in_many_passes_and_stay(bench: Bench) -> None:
    policy = policy_with(allowed_suffixes=(".txt",), max_file_mb=1)
    bench.drop("a.exe", b"x")
    bench.drop("b.txt", bytes(2 << 20))
    bench.drop("c.txt", b"fine")
    standing = bench.drain(policy=policy)
    assert (standing.blocked_files, standing.delivered_files) == (2, 1)
    lines = bench.events.named(Event.POLICY_BLOCK)
    assert sorted(message for *_, message in lines) == [
        "disallowed_suffix:.exe",
        f"file_too_large:{2 << 20}B",
    ]


def test_max_files_takes_that_many_and_finishes_them(bench: Bench) -> None:
    for number in range(9):
        bench.drop(f"f{number}", b"x")
    standing = bench.drain(files_max=4)
    assert (standing.delivered_files, standing.stopped) == (4, "max-files")
    assert len(files_below(bench.inbox)) == 5


def test_plan_tells_each_item_and_changes_nothing(bench: Bench) -> None:
    bench.drop("a.txt", b"x")
    bench.drop("b.exe", b"y")
    before = [(p, p.stat().st_mtime_ns) for p in sorted(bench.folder.rglob("*"))]
    planned = list(bench.node(policy=policy_with(allowed_suffixes=(".txt",))).plan())
    bench.ledger.close()
    assert sorted(
        (p.source.path, p.target.path, p.decision.verdict) for p in planned
    ) == [
        ("a.txt", "a.txt.freq", Verdict.ADMITTED),
        ("b.exe", "b.exe.freq", Verdict.BLOCKED),
    ]
    after = [(p, p.stat().st_mtime_ns) for p in sorted(bench.folder.rglob("*"))]
    assert after == before


def test_digest_is_the_same_for_one_run_and_for_many(tmp_path: Path) -> None:
    digests = set()
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        bench = Bench(folder)
        for number in range(6):
            bench.drop(f"sub/{number}", bytes([number]) * 50)
        node = bench.node(policy=policy_with(verify=Verify.OFF))
        node.run()
        bench.ledger.close()
        digests.add(node.digest)
    assert len(digests) == 1


def test_unreadable_intent_is_put_beside_and_promises_nothing(bench: Bench) -> None:
    folder = bench.state / "intents" / "node"
    (folder / "r").mkdir(parents=True)
    (folder / "r" / "00000001.json").write_bytes(b'{"torn')
    bench.drop("a", b"data")
    assert bench.drain().delivered_files == 1
    assert [p.name for p in files_below(folder)] == ["r-00000001.json.unreadable"]


def test_whole_intent_of_another_version_stops_the_run_and_stays(bench: Bench) -> None:
    """What it promised may be published, and its consumer may have taken it since."""
    paper = b'{"node":"node","run":"r","number":1,"on_done":"a way to come"}\n'
    folder = bench.state / "intents" / "node" / "r"
    folder.mkdir(parents=True)
    intent = folder / "00000001.json"
    intent.write_bytes(paper + hashlib.sha256(paper).hexdigest().encode() + b"\n")
    bench.drop("a", b"data")
    before = left(bench)
    with pytest.raises(NotReady, match=r"intents/node/r/00000001.*another version"):
        bench.drain()
    assert left(bench).items() >= before.items()
    assert files_below(bench.outbox) == []
    intent.unlink()
    assert bench.drain().delivered_files == 1


def test_what_failed_with_an_item_is_forgotten_once_it_arrived_and_stays(
    bench: Bench,
) -> None:
    """Where sources stay, nothing else tells that it is over."""
    policy = policy_with(on_done=OnDone.KEEP)
    bench.drop("a.txt", b"data")
    bench.drain(policy=policy)
    bench.take_all()
    source = Place(Root.INBOX, "a.txt")
    left = state.attempts_place(state.key_of(Direction.ENCODE, source))
    attempts = Attempts(
        direction=Direction.ENCODE,
        source=source,
        identity=Identity(1, 2, 3),
        failures=(Failure(0.0, "node", "io", "", 3),),
        next_at=0.0,
    )
    state.save_paper(bench.share(), left, attempts)
    bench.drain(policy=policy)
    assert files_below(bench.state / "attempts") == []
    assert files_below(bench.outbox) == []
