"""Status: every state in which files, claims, runs and nodes can be, truly told."""

import json
import os
import sys
from pathlib import Path

import msgspec
import pytest
from cli_samples import Command, drop, make_share

from paxect_batch.cli.status_nodes import LeaseWatch
from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.leases import Lease, Machine, Word
from paxect_batch.model.places import Place, Root
from paxect_batch.model.status import Hold, Life, ShareStatus
from paxect_batch.model.transfer import Attempts, Failure, Intent, Pledge
from paxect_batch.relay.set_aside import set_aside
from paxect_batch.relay.state import intent_bytes, key_of
from paxect_batch.rules.naming import claim_key
from paxect_batch.seams import Applicant
from paxect_batch.world.claims import ClaimFiles, marker_name
from paxect_batch.world.leases import LeaseFiles
from paxect_batch.world.locks import FileLocks
from paxect_batch.world.share import LocalShare

pytestmark = pytest.mark.slow

ELSEWHERE = Machine(host="far", machine="m", boot="b", pid=1, started="s")


def facts_of(command: Command, share: Path) -> ShareStatus:
    said = command("status", share, "--json")
    assert (said.code, said.err) == (0, "")
    return msgspec.json.decode(said.out, type=ShareStatus, strict=True)


def text_of(command: Command, share: Path) -> str:
    said = command("status", share)
    assert (said.code, said.err) == (0, "")
    assert max(map(len, said.out.splitlines())) <= 80
    return said.out


def a_lease(node: str, **changes: object) -> Lease:
    lease = Lease(
        node=node,
        run=f"run-{node}",
        batch="batch",
        machine=ELSEWHERE,
        seconds=0.5,
        since="2026-01-01T00:00:00.000Z",
        codec="zstd 1",
        policy_sha256="a" * 64,
    )
    return msgspec.structs.replace(lease, **changes)


def claim(share: Path, target: str, *, node: str, root: Root = Root.WIRE) -> Path:
    state = share / ".paxect"
    key = claim_key(Place(root, target))
    assert ClaimFiles(str(state)).take(key, node=node, run=f"run-{node}")
    return state / "claims" / marker_name(key)


@pytest.mark.skipif(sys.platform == "win32", reason="keeps no time of change")
def test_a_file_waits_since_it_came_however_old_its_own_time(
    share: Path, command: Command
) -> None:
    """A producer's `mv`, `cp -p` or `rsync -t` keeps the time of what was copied."""
    drop(share, old_txt=b"x")
    os.utime(share / "inbox" / "old.txt", (1_000_000_000, 1_000_000_000))
    assert facts_of(command, share).waiting_seconds < 600


def test_status_shows_each_state(share: Path, command: Command) -> None:
    drop(share, c_txt=b"three")
    state = share / ".paxect"
    locks = FileLocks(str(state))
    locks.join(Applicant(node="n1", run="r", since="2026-01-01T00:00:00.000Z"))
    assert locks.claim("key") is not None
    local = LocalShare({Root.STATE: str(state), Root.INBOX: str(share / "inbox")})
    identity = Identity(5, 1, 2)
    source = Place(Root.INBOX, "c.txt")
    failure = Failure(1.0, "n1", "unreadable", "no permission", 3)
    attempts = Attempts(Direction.ENCODE, source, identity, (failure,), 5.0)
    folder = state / "attempts"
    folder.mkdir(exist_ok=True)
    name = f"{key_of(Direction.ENCODE, source)}.json"
    (folder / name).write_bytes(msgspec.json.encode(attempts))
    (folder / "torn.json").write_text("{")
    intent = Intent("n1", "r", 1, "delete", 0, ())
    (state / "intents" / "n1" / "r").mkdir(parents=True)
    (state / "intents" / "n1" / "r" / "1.json").write_bytes(intent_bytes(intent))
    drop(share, bad_txt=b"x")
    place = Place(Root.INBOX, "bad.txt")
    looked = local.look(place)
    assert looked is not None
    bad = msgspec.structs.replace(attempts, source=place, identity=looked.identity)
    assert set_aside(local, bad, node="n1", run="r", stands=lambda: True)
    text = text_of(command, share)
    for told in (
        "inbox       1 file, 5 B",
        "wire        1 file",
        "nodes       1 alive",
        "  n1: alive since 2026-01-01, relaying",
        "holds 1 claim; delivered 0 files, 0 B; 0.0 files/s",
        "in flight   1 claim and 1 intent",
        "backing off 1 file",
        "inbox/c.txt: unreadable, 1 attempt",
        "set aside   1 file",
        "by n2, exit 0: 1 of 1 file delivered",
    ):
        assert told in text, told
    facts = facts_of(command, share)
    assert {each.what for each in facts.in_flight} == {Hold.CLAIM, Hold.INTENT}
    assert {each.life for each in facts.in_flight} == {Life.ALIVE}
    assert facts.set_aside[0].source == Place(Root.INBOX, "bad.txt")
    assert facts.last_run is not None
    assert facts.last_run.node == "n2"
    locks.leave()


def test_what_was_set_aside_where_it_was_is_told_as_set_aside(
    tmp_path: Path, command: Command
) -> None:
    """As where the policy has no quarantine."""
    share = make_share(tmp_path, "quarantine = false\nattempts = 1\n")
    (share / "wire/bad.freq").write_bytes(b"no container")
    assert command("drain", share, "--quiet").code == 4
    facts = facts_of(command, share)
    assert [each.source.path for each in facts.given_up] == ["bad.freq"]
    assert (facts.backing_off, facts.set_aside) == ((), ())
    text = text_of(command, share)
    assert "backing off 0 files" in text
    assert "set aside   1 file" in text
    assert "wire/bad.freq" in text


def test_last_run_is_the_one_that_ended_last_however_long_ago_it_began(
    share: Path, command: Command
) -> None:
    assert command("drain", share, "--node", "n1", "--quiet").code == 0
    paper = max((share / ".paxect/runs/n1").iterdir())
    audit = json.loads(paper.read_bytes())
    long = audit | {"node": "n9", "started": "2026-01-01T00:00:00.000Z"}
    for seconds, last in ((1.0, "n1"), (1e9, "n9")):
        folder = share / ".paxect/runs/n9"
        folder.mkdir(exist_ok=True)
        told = json.dumps(long | {"duration_seconds": seconds})
        (folder / "20260101T000000000Z-000000.json").write_text(told)
        found = facts_of(command, share).last_run
        assert found is not None
        assert found.node == last


def test_status_of_a_new_share_says_that_there_is_nothing(
    tmp_path: Path, command: Command
) -> None:
    share = make_share(tmp_path)
    text = text_of(command, share)
    assert "nodes       none is running" in text
    assert "in flight   nothing" in text
    assert "last run    none yet" in text
    assert facts_of(command, share).last_run is None


def test_status_passes_over_an_audit_that_cannot_be_read(
    share: Path, command: Command
) -> None:
    (share / ".paxect" / "runs" / "n1" / "9.json").write_text("{")
    assert "by n2, exit 0" in text_of(command, share)


def test_status_passes_over_links_that_lead_nowhere(
    share: Path, command: Command
) -> None:
    for folder in ("intents", "nodes", "runs", "claims", "quarantine"):
        path = share / ".paxect" / folder
        path.mkdir(exist_ok=True)
        (path / "link").symlink_to("link")
    assert "none is running" in text_of(command, share)


def test_status_tells_what_each_node_does_and_waits_for(
    share: Path, command: Command
) -> None:
    leases = LeaseFiles(str(share / ".paxect"))
    busy = Word(
        doing="relaying",
        claims=2,
        in_flight_bytes=3_000_000,
        delivered_files=1203,
        delivered_bytes=4_000_000_000,
        files_per_second=310.04,
        last="delivered outbox/\x1b[31m" + "x" * 200,
    )
    idle = Word(doing="waiting", waits_for="files that other nodes hold")
    assert leases.create(a_lease("north" * 9, word=busy))
    assert leases.create(a_lease("south", word=idle))
    text = text_of(command, share)
    assert "nodes       2 silent" in text
    assert "holds 0 claims, 3.0 MB; delivered 1,203 files, 4.0 GB; 310.0 file" in text
    assert "last: delivered outbox/?[31m" in text
    assert "over after 0.5 s" in text
    south = facts_of(command, share).nodes[1]
    assert south.lease is not None
    assert south.lease.word.waits_for == "files that other nodes hold"


def test_claim_is_told_with_file_owner_and_age_the_oldest_first(
    share: Path, command: Command
) -> None:
    drop(share, c_txt=b"three")
    leases = LeaseFiles(str(share / ".paxect"))
    assert leases.create(a_lease("north"))
    claim(share, "c.txt.freq", node="north")
    claim(share, "b.txt.freq", node="north")
    facts = facts_of(command, share)
    assert [each.since for each in facts.in_flight] == sorted(
        each.since for each in facts.in_flight
    )
    told = {str(each.source): each for each in facts.in_flight}
    assert set(told) == {"inbox/c.txt", "wire/b.txt.freq"}
    assert told["inbox/c.txt"].bytes == 5
    assert {(each.node, each.life) for each in facts.in_flight} == {
        ("north", Life.SILENT)
    }
    assert facts.nodes[0].claims == 2
    text = text_of(command, share)
    assert "inbox/c.txt: north (silent), since " in text
    assert "in flight   2 claims, the oldest for " in text


def test_status_with_a_policy_that_cannot_be_meant_says_so_and_names_no_file(
    share: Path, command: Command
) -> None:
    drop(share, c_txt=b"three")
    claim(share, "c.txt.freq", node="north")
    (share / ".paxect" / "policy.toml").write_text('version = "2"\nlevel = "x"\n')
    said = command("status", share)
    assert said.code == 0
    assert "policy      no run can begin: " in said.out
    assert "  a claim: north (gone), since " in said.out
    assert "inbox       1 file, 5 B" in said.out


def test_claim_on_one_of_two_files_with_one_target_names_neither(
    tmp_path: Path, command: Command
) -> None:
    share = make_share(tmp_path, 'naming = "stem"\n')
    drop(share, x_txt=b"one", x_csv=b"two")
    claim(share, "x.freq", node="north")
    (told,) = facts_of(command, share).in_flight
    assert (told.source, told.bytes) == (None, 0)
    assert "  a claim: north (gone), since " in text_of(command, share)


def test_claim_without_an_owner_is_nobodys_yet(share: Path, command: Command) -> None:
    claim(share, "c.txt.freq", node="north").write_bytes(b"run-no")
    assert "a claim: nobody yet, since " in text_of(command, share)


def test_claim_of_a_run_that_left_meanwhile_is_not_told(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = claim(share, "c.txt.freq", node="north")
    taken = claim(share, "d.txt.freq", node="north")
    claim(share, "e.txt.freq", node="south")

    finish = LeaseWatch.finish

    def leave(watch: LeaseWatch) -> object:
        released.unlink()
        taken.write_bytes(b"run-south south\n")
        return finish(watch)

    # Leases are judged after the claims were read.
    monkeypatch.setattr(LeaseWatch, "finish", leave)
    (told,) = facts_of(command, share).in_flight
    assert told.node == "south"


def test_claim_that_was_released_meanwhile_is_not_counted(
    share: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LeaseFiles(str(share / ".paxect")).create(a_lease("north"))
    released = claim(share, "c.txt.freq", node="north")
    claim(share, "d.txt.freq", node="north")
    finish = LeaseWatch.finish

    def release(watch: LeaseWatch) -> object:
        released.unlink()
        return finish(watch)

    monkeypatch.setattr(LeaseWatch, "finish", release)
    facts = facts_of(command, share)
    assert len(facts.in_flight) == facts.nodes[0].claims == 1


def test_intent_tells_its_files_and_bytes_and_that_its_run_is_over(
    share: Path, command: Command
) -> None:
    state = share / ".paxect"
    leases = LeaseFiles(str(state))
    lease = a_lease("west")
    assert leases.create(lease)
    paper = leases.read("west")
    assert paper is not None
    assert leases.end("west", paper, "run-north")
    pledge = Pledge(
        direction=Direction.ENCODE,
        source=Place(Root.INBOX, "c.txt"),
        identity=Identity(5, 1, 2),
        stage=Place(Root.STATE, "stage/west/run-west/1"),
        target=Place(Root.WIRE, "c.txt.freq"),
        sidecar_stage=None,
        sidecar=None,
        raw_bytes=5,
        raw_sha256="",
        container_bytes=9,
        container_sha256="",
    )
    intent = Intent("west", "run-west", 1, "delete", 0, (pledge, pledge))
    folder = state / "intents" / "west" / "run-west"
    folder.mkdir(parents=True)
    (folder / "1.json").write_bytes(intent_bytes(intent))
    (told,) = facts_of(command, share).in_flight
    assert (told.files, told.bytes, told.life) == (2, 10, Life.OVER)
    text = text_of(command, share)
    assert "west: over; it waits for a node to recover it; run run-west" in text
    assert "inbox/c.txt and 1 more: west (over), since " in text
    assert leases.create(a_lease("north"))
    assert "west: over; node north recovers it" in text_of(command, share)


@pytest.mark.parametrize("change", [{"codec": "zstd 2"}, {"policy_sha256": "b" * 64}])
def test_batch_of_different_nodes_is_told_as_mixed(
    share: Path, command: Command, change: dict[str, str]
) -> None:
    leases = LeaseFiles(str(share / ".paxect"))
    assert leases.create(a_lease("north"))
    assert leases.create(a_lease("south"))
    assert facts_of(command, share).mixed == ()
    assert "mixed" not in text_of(command, share)
    assert leases.create(a_lease("west", **change))
    assert len(facts_of(command, share).mixed) == 2
    assert "mixed       2 codecs or policies work on one batch" in text_of(
        command, share
    )


def test_batch_stays_mixed_when_the_other_node_has_left(
    share: Path, command: Command
) -> None:
    state = share / ".paxect"
    assert LeaseFiles(str(state)).create(a_lease("north"))
    (run,) = (state / "runs" / "n1").iterdir()
    batch = state / "batches" / "batch"
    batch.mkdir(parents=True, exist_ok=True)
    (batch / "never-audited").write_text("n1\n")
    assert facts_of(command, share).mixed == ()
    (batch / run.stem).write_text("n1\n")
    codec = json.loads(run.read_text())["codec"]
    told = facts_of(command, share).mixed
    assert sorted(each.rpartition(", policy ")[0] for each in told) == [
        codec,
        "zstd 1",
    ]
