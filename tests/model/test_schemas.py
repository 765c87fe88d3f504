"""The committed schemas are those of the structs, and hold for what is written."""

from __future__ import annotations

import json
import math
from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft202012Validator

from paxect_batch.model.audit import Audit, Tally
from paxect_batch.model.events import Event, EventLine
from paxect_batch.model.fitness import (
    Finding,
    Fitness,
    Level,
    Lock,
    Mount,
    Peer,
    Probed,
    Trial,
    Verdict,
)
from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.leases import Lease, Machine
from paxect_batch.model.nodes import NodeManifest, ShareMarker, SignedManifest
from paxect_batch.model.places import Place, Root
from paxect_batch.model.policy import LinkPolicy, LogLevel, Policy
from paxect_batch.model.records import Fate, Record
from paxect_batch.model.run_settings import RunSettings, SettingInForce
from paxect_batch.model.schemas import SUBJECTS, index, schemas
from paxect_batch.model.status import (
    Deliveries,
    Hold,
    InFlight,
    Life,
    NodePart,
    NodeStatus,
    Rescue,
    ShareStatus,
)
from paxect_batch.model.transfer import (
    Attempts,
    Failure,
    Intent,
    Meta,
    Pledge,
    Reason,
)
from paxect_batch.model.view import (
    Doings,
    Ground,
    Health,
    Minute,
    Rate,
    Steps,
    View,
    Viewer,
    Wellness,
)

FOLDER = Path(__file__).parents[2] / "schemas"
SOURCE = Place(Root.INBOX, "sub/a\\xff.txt")
LEASE = Lease(
    node="n1",
    run="r1",
    batch="r1",
    machine=Machine(host="h", machine="m", boot="b", pid=7, started="s"),
    seconds=10.0,
    since="2026-11-21T00:00:00.000Z",
)
IDENTITY = Identity(size=3, mtime_ns=1_800_000_000_123_456_789, inode=42)


def pledge(**about: object) -> Pledge:
    return Pledge(
        direction=Direction.ENCODE,
        source=SOURCE,
        identity=IDENTITY,
        stage=Place(Root.STATE, "stage/n1/1"),
        target=Place(Root.WIRE, "sub/a.txt.freq"),
        sidecar_stage=about.pop("sidecar_stage", None),
        sidecar=None,
        raw_bytes=3,
        raw_sha256="0" * 64,
        container_bytes=90,
        container_sha256="1" * 64,
        **about,
    )


def attempts(next_at: float) -> Attempts:
    failure = Failure(at=1.5, node="n1", code="crc-mismatch", detail="…", exit_code=2)
    return Attempts(
        direction=Direction.DECODE,
        source=SOURCE,
        identity=IDENTITY,
        failures=(failure,),
        next_at=next_at,
    )


EXAMPLES: dict[str, list[msgspec.Struct]] = {
    "attempts": [attempts(1e9), attempts(math.inf)],
    "audit": [
        Audit(
            bias_flags=0,
            deterministic=True,
            seen=Tally(2, 20),
            delivered=Tally(1, 10),
            set_aside=Tally(),
            blocked=Tally(),
            waiting=Tally(1, 10),
            encoded=Tally(1, 10),
            decoded=Tally(),
            recovered=0,
            batch_digest="0" * 64,
            policy_sha256="1" * 64,
            codec="zstd",
            node="n1",
            run="r1",
            mode="relay",
            started="2026-11-21T00:00:00Z",
            duration_seconds=1.25,
            exit_code=1,
            version="0.1.0",
        )
    ],
    "doctor": [
        Fitness(
            verdict=Verdict.CARE,
            exit_code=1,
            locks=Lock.MARKERS,
            pinned=None,
            findings=(Finding("alone", Level.CARE, "found", "means", "advice"),),
            probed=Probed(
                share="/srv/share",
                platform="linux",
                host="n1",
                marked=True,
                pinned=None,
                mount=Mount("/srv", "nfs4", "server:/x", ("rw", "hard")),
                writable=Trial(held=True),
                peer=Peer(
                    host="n2",
                    same_machine=False,
                    same_host_name=False,
                    kept=Trial(held=False, met="EACCES"),
                ),
            ),
        )
    ],
    "event": [
        EventLine(
            datetime_utc="2026-11-21T00:00:00Z",
            level=LogLevel.WARN,
            event=Event.POLICY_BLOCK,
            src="inbox/a.exe",
            dst="",
            status="blocked",
            message="disallowed_suffix:.exe",
            version="0.1.0",
        )
    ],
    "intent": [
        Intent(
            node="n1",
            run="r1",
            number=1,
            on_done="delete",
            ledger_offset=0,
            pledges=(
                pledge(),
                pledge(
                    sidecar_stage=Place(Root.STATE, "stage/n1/2"),
                    meta=Meta("1" * 64, mtime_ns=5, mode=0o644),
                ),
            ),
        )
    ],
    "link-policy": [LinkPolicy(), LinkPolicy(trusted_nodes=("node1",))],
    "manifest": [
        Deliveries(
            batch_digest="0" * 64,
            raw_digest="1" * 64,
            root="outbox",
            files=1,
            bytes=3,
            fresh=True,
            nodes=(NodePart("n1", 1, Tally(1, 3), "2" * 64),),
        )
    ],
    "node-manifest": [
        NodeManifest(
            datetime_utc="2026-11-21T00:00:00Z",
            node="n1",
            platform="linux",
            policy="policy.toml",
            inbox="inbox",
            outbox="outbox",
            version="0.1.0",
        )
    ],
    "policy": [
        Policy(version="2"),
        Policy(version="2", include=("*.csv",), ready_marker=".ready", level=-3),
    ],
    "reason": [
        Reason(
            id="0a1b-2c",
            direction=Direction.DECODE,
            source=SOURCE,
            size=IDENTITY.size,
            mtime_ns=IDENTITY.mtime_ns,
            code="crc-mismatch",
            detail="…",
            history=attempts(math.inf).failures,
            node="n1",
            run="r1",
            at=1.5,
            retry="paxect-batch quarantine retry SHARE 0a1b-2c",
        )
    ],
    "record": [
        Record(Fate.DELIVERED, Direction.ENCODE, SOURCE, IDENTITY, target=SOURCE),
        Record(Fate.SET_ASIDE, Direction.DECODE, SOURCE, IDENTITY, code="structure"),
    ],
    "run-settings": [
        RunSettings("n1", "r1", {"workers": SettingInForce(2, "--workers")}),
    ],
    "share-marker": [
        ShareMarker(format=1, share_id="abc"),
        ShareMarker(format=1, share_id="abc", locks="markers"),
    ],
    "signed-manifest": [
        SignedManifest({"node": "n1", "pid": 7}, "0" * 64),
        SignedManifest({"node": "n1"}),
    ],
    "status": [
        ShareStatus(
            share="/share",
            waiting=Tally(1, 3),
            wire=Tally(),
            nodes=(
                NodeStatus(
                    node="n1",
                    life=Life.ALIVE,
                    silent_seconds=0.0,
                    last_beat_at="2026-11-21T00:00:01.000Z",
                    claims=1,
                    lease=LEASE,
                ),
            ),
            over=(Rescue(node="n2", run="r2", rescuer_run="r1", rescuer_node="n1"),),
            mixed=(),
            in_flight=(
                InFlight(
                    what=Hold.CLAIM,
                    since="2026-11-21T00:00:00.000Z",
                    age_seconds=1.5,
                    files=1,
                    bytes=3,
                    node="n1",
                    run="r1",
                    life=Life.ALIVE,
                    source=SOURCE,
                ),
            ),
            backing_off=(attempts(math.inf),),
            set_aside=(),
            last_run=None,
            policy_problem="",
        )
    ],
    "view": [
        View(
            at=1.5,
            uptime_seconds=2.5,
            identity=Viewer(version="1", codec="z", python="3", share="/share"),
            health=Health(Wellness.CARE, ("1 file set aside",)),
            not_ready=("the run holds no lease on the share",),
            rate=Rate(1.5, 20.0),
            minutes=(Minute(60, 1, 2),),
            ground=Ground(at=1.0, free_bytes={"inbox": 5}),
            seen=None,
            doings=Doings(
                steps={"encode": Steps(files={"delivered": 1})},
                outcomes={"waiting": Tally(1, 2)},
            ),
            events={"encode": 1},
            newest=(),
        )
    ],
}
CASES = [(name, each) for name, several in EXAMPLES.items() for each in several]
STRICT = ["link-policy", "node-manifest", "policy", "share-marker", "signed-manifest"]


def test_committed_schemas_are_those_of_the_structs() -> None:
    """When this fails, run scripts/schemas, and see that readers can still read."""
    wanted = {f"{name}.json": schema for name, schema in schemas().items()}
    wanted["index.json"] = index()
    assert {path.name for path in FOLDER.iterdir()} == set(wanted)
    for name, document in wanted.items():
        text = (FOLDER / name).read_text(encoding="utf-8")
        assert json.loads(text, parse_constant=pytest.fail) == document, name


@pytest.mark.parametrize("name", SUBJECTS)
def test_schema_is_one_and_says_what_it_is_for(name: str) -> None:
    schema = schemas()[name]
    Draft202012Validator.check_schema(schema)
    assert schema["description"]
    assert SUBJECTS[name][1] in str(schema["title"])
    assert name in EXAMPLES


@pytest.mark.parametrize(("name", "example"), CASES)
def test_schema_holds_for_what_is_written_and_that_can_be_read_again(
    name: str, example: msgspec.Struct
) -> None:
    data = msgspec.json.encode(example)
    Draft202012Validator(schemas()[name]).validate(json.loads(data))
    assert msgspec.json.decode(data, type=SUBJECTS[name][0]) == example


@pytest.mark.parametrize("name", STRICT)
def test_schema_of_what_people_write_refuses_unknown_keys(name: str) -> None:
    document = json.loads(msgspec.json.encode(EXAMPLES[name][0]))
    validator = Draft202012Validator(schemas()[name])
    assert validator.is_valid(document)
    assert not validator.is_valid({**document, "unknown": 1})


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("policy", {"level": 23}),
        ("policy", {"version": "1.2.0"}),
        ("policy", {"naming": "other"}),
        ("record", {"fate": "lost"}),
        ("record", {"source": ["inbox"]}),
        ("event", {"event": "unheard_of"}),
        ("attempts", {"next_at": None}),
    ],
)
def test_schema_refuses_what_is_wrong(name: str, changes: dict[str, object]) -> None:
    document = json.loads(msgspec.json.encode(EXAMPLES[name][0]))
    assert not Draft202012Validator(schemas()[name]).is_valid({**document, **changes})
