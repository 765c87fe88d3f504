"""Examples of all that is written down, as they stand in its schemas.

They are of the small story in `example_parts`.
"""

from __future__ import annotations

import math

import msgspec

from paxect_batch.model.audit import Tally
from paxect_batch.model.events import Event, EventLine
from paxect_batch.model.example_parts import (
    AT,
    AUDIT,
    CODEC,
    CONTAINER,
    DAMAGED,
    FAILURE,
    IDENTITY,
    LEASE,
    OTHER,
    PLEDGE,
    RAW,
    RUN,
    SOURCE,
    WHEN,
    attempts,
)
from paxect_batch.model.explanations import Explanation, Said
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
from paxect_batch.model.items import Direction
from paxect_batch.model.nodes import NodeManifest, ShareMarker, SignedManifest
from paxect_batch.model.pace import Cause, Observation, Pace, Surroundings
from paxect_batch.model.places import Place, Root
from paxect_batch.model.policy import LinkPolicy, LogLevel, OnDone, Policy
from paxect_batch.model.printed import (
    ConfigShown,
    EngineFrame,
    EngineLine,
    EngineSettings,
    Flaw,
    PlanDecision,
    PlanLine,
    Replayed,
    RunEnd,
    TakenOut,
    Verified,
)
from paxect_batch.model.records import Fate, Record
from paxect_batch.model.run_settings import RunSettings, SettingInForce
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
    Intent,
    Meta,
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

EXAMPLES: dict[str, list[msgspec.Struct]] = {
    "attempts": [attempts(AT + 30), attempts(math.inf)],
    "audit": [AUDIT],
    "config": [
        ConfigShown(
            {"workers": SettingInForce(4, "--workers")},
            {"inbox": "/mnt/exchange/inbox"},
            {"policy": "/mnt/exchange/.paxect/policy.toml"},
        )
    ],
    "core": [
        EngineLine(
            "encode",
            "a.txt",
            ok=True,
            output="a.txt.freq",
            codec_version=CODEC,
            settings=EngineSettings(5, 1, 1 << 20, "virtual", verify=False),
            frames=1,
            raw_bytes=3,
            raw_sha256=RAW,
            container_bytes=94,
            container_sha256=CONTAINER,
        ),
        EngineLine(
            "inspect",
            "a.txt.freq",
            ok=True,
            version=42,
            frame_list=(EngineFrame(0, 0, 24, 12, 3, 1_304_234_792),),
        ),
        EngineLine(
            "verify",
            "b.freq",
            ok=False,
            error="crc-mismatch",
            message=FAILURE.detail,
            exit_code=2,
            offset=34,
            frame=0,
        ),
    ],
    "doctor": [
        Fitness(
            verdict=Verdict.CARE,
            exit_code=1,
            locks=Lock.MARKERS,
            pinned=None,
            findings=(
                Finding(
                    "alone",
                    Level.CARE,
                    "no second machine took part",
                    "what two machines see of each other is not known",
                    "run doctor --peer on both at the same time",
                ),
            ),
            probed=Probed(
                share="/mnt/exchange",
                platform="linux",
                host="etl-1",
                marked=True,
                pinned=None,
                mount=Mount("/mnt/exchange", "nfs4", "files:/exchange", ("rw", "hard")),
                writable=Trial(held=True),
                peer=Peer(
                    host="etl-2",
                    same_machine=False,
                    same_host_name=False,
                    kept=Trial(held=False, met="EACCES"),
                ),
            ),
        )
    ],
    "event": [
        EventLine(
            datetime_utc=WHEN,
            level=LogLevel.WARN,
            event=Event.POLICY_BLOCK,
            src="inbox/a.exe",
            dst="",
            status="blocked",
            message="disallowed_suffix:.exe",
            version="0.1.0",
        )
    ],
    "explanation": [
        Explanation(
            word="75",
            said=(Said.EXIT,),
            means="another instance runs here, or the share is not ready",
            cause="a run of this node has not ended, or the share is not mounted",
            data="nothing was touched",
            todo="wait for the other run, or mount the share",
        )
    ],
    "intent": [
        Intent(
            node="n1",
            run=RUN,
            number=1,
            on_done=OnDone.DELETE,
            ledger_offset=0,
            pledges=(
                PLEDGE,
                msgspec.structs.replace(
                    PLEDGE,
                    sidecar_stage=Place(Root.STATE, f"stage/n1/{RUN}/2.part"),
                    sidecar=Place(Root.WIRE, "daily/a.txt.freq.sha256"),
                    meta=Meta(CONTAINER, mtime_ns=5, mode=0o644),
                ),
            ),
        )
    ],
    "link-policy": [LinkPolicy(), LinkPolicy(trusted_nodes=("node1",))],
    "manifest": [
        Deliveries(
            batch_digest=RAW,
            raw_digest=OTHER,
            root="outbox",
            files=1,
            bytes=3,
            fresh=True,
            nodes=(NodePart("n1", 1, Tally(1, 3), CONTAINER),),
        )
    ],
    "node-manifest": [
        NodeManifest(
            datetime_utc=WHEN,
            node="n1",
            platform="linux",
            policy=".paxect/policy.toml",
            inbox="inbox",
            outbox="outbox",
            version="0.1.0",
        )
    ],
    "pace-replay": [
        Replayed(
            datetime_utc=WHEN,
            node="n1",
            run=RUN,
            number=7,
            same=True,
            pace=Pace(
                pace=0.5,
                cause=Cause.MEMORY,
                lots=2,
                files=512,
                bytes=1 << 28,
                lot_files=128,
            ),
            seen=Observation(
                at_seconds=6.0,
                around=Surroundings(memory_free_bytes=1 << 28),
                taken_files=900,
            ),
        )
    ],
    "plan": [
        PlanLine(
            Direction.ENCODE,
            SOURCE,
            PLEDGE.target,
            3,
            PlanDecision("admitted", "", 0.0),
        ),
        PlanLine(
            Direction.ENCODE,
            Place(Root.INBOX, "a.exe"),
            Place(Root.WIRE, "a.exe.freq"),
            3,
            PlanDecision("blocked", "disallowed_suffix:.exe", 0.0),
        ),
    ],
    "policy": [
        Policy(version="2"),
        Policy(version="2", include=("*.csv",), ready_marker=".ready", level=-3),
    ],
    "quarantine": [
        TakenOut("0a1b2c3d4e5f-2c", "back", str(DAMAGED)),
        TakenOut("0a1b2c3d4e5f-2c", "released", "/tmp/b.freq"),  # noqa: S108
    ],
    "reason": [
        Reason(
            id="0a1b2c3d4e5f-2c",
            direction=Direction.DECODE,
            source=DAMAGED,
            size=IDENTITY.size,
            mtime_ns=IDENTITY.mtime_ns,
            code="crc-mismatch",
            detail=FAILURE.detail,
            history=(FAILURE,),
            node="n1",
            run=RUN,
            at=AT,
            retry="paxect-batch quarantine retry SHARE 0a1b2c3d4e5f-2c",
        )
    ],
    "record": [
        Record(
            Fate.DELIVERED, Direction.ENCODE, SOURCE, IDENTITY, target=PLEDGE.target
        ),
        Record(Fate.SET_ASIDE, Direction.DECODE, DAMAGED, IDENTITY, code="bad-magic"),
    ],
    "run": [RunEnd(AUDIT, problems=("wire/b.freq: …",), stopped="")],
    "run-settings": [
        RunSettings("n1", RUN, {"workers": SettingInForce(2, "--workers")}),
    ],
    "share-marker": [
        ShareMarker(format=1, share_id="5f0c7a52"),
        ShareMarker(format=1, share_id="5f0c7a52", locks="markers"),
    ],
    "signed-manifest": [
        SignedManifest({"node": "n1", "pid": 7}, RAW),
        SignedManifest({"node": "n1"}),
    ],
    "status": [
        ShareStatus(
            share="/mnt/exchange",
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
            over=(
                Rescue(
                    node="n2",
                    run="20261121T015900000Z-03a1c2",
                    rescuer_run=RUN,
                    rescuer_node="n1",
                ),
            ),
            mixed=(),
            in_flight=(
                InFlight(
                    what=Hold.CLAIM,
                    since=WHEN,
                    age_seconds=1.5,
                    files=1,
                    bytes=3,
                    node="n1",
                    run=RUN,
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
    "verify": [
        Verified(
            ok=False,
            exit_code=2,
            checked={"delivered_files": 2, "records": 5},
            findings=(
                Flaw(
                    "checksum_mismatch",
                    "outbox/daily/a.txt",
                    "its SHA-256 is not the one that was recorded",
                    "ask its sender to send it again",
                    2,
                ),
            ),
        )
    ],
    "view": [
        View(
            at=AT,
            uptime_seconds=2.5,
            identity=Viewer(
                version="0.1.0", codec=CODEC, python="3.11.7", share="/mnt/exchange"
            ),
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
