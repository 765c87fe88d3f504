"""Examples of all that is written down, as they stand in its schemas.

They are of one small story: `a.txt` is relayed on node `n1`, other items fare worse.
"""

from __future__ import annotations

import math

import msgspec

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
from paxect_batch.model.policy import LinkPolicy, LogLevel, OnDone, Policy
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

_RUN = "20261121T021500000Z-5bbfeb"
_WHEN = "2026-11-21T02:15:00.000Z"
_AT = 1_795_227_300.5
_RAW, _CONTAINER, _OTHER = "ab" * 32, "cd" * 32, "ef" * 32
_CODEC = "zstandard 0.25.0, libzstd 1.5.7"
_SOURCE = Place(Root.INBOX, "daily/a.txt")
_DAMAGED = Place(Root.WIRE, "daily/b\\xff.freq")
_LEASE = Lease(
    node="n1",
    run=_RUN,
    batch=_RUN,
    machine=Machine(
        host="etl-1", machine="8a4f0c11", boot="c0ffee", pid=4711, started="88231"
    ),
    seconds=10.0,
    since=_WHEN,
    codec=_CODEC,
)
_IDENTITY = Identity(size=3, mtime_ns=1_795_227_000_123_456_789, inode=42)
_PLEDGE = Pledge(
    direction=Direction.ENCODE,
    source=_SOURCE,
    identity=_IDENTITY,
    stage=Place(Root.STATE, f"stage/n1/{_RUN}/1.part"),
    target=Place(Root.WIRE, "daily/a.txt.freq"),
    sidecar_stage=None,
    sidecar=None,
    raw_bytes=3,
    raw_sha256=_RAW,
    container_bytes=94,
    container_sha256=_CONTAINER,
)
_FAILURE = Failure(
    at=_AT,
    node="n1",
    code="crc-mismatch",
    detail="CRC32 is ca44948b, the frame header says ca449421 (frame 0, byte 34)",
    exit_code=2,
)


def _attempts(next_at: float) -> Attempts:
    return Attempts(
        direction=Direction.DECODE,
        source=_DAMAGED,
        identity=_IDENTITY,
        failures=(_FAILURE,),
        next_at=next_at,
    )


EXAMPLES: dict[str, list[msgspec.Struct]] = {
    "attempts": [_attempts(_AT + 30), _attempts(math.inf)],
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
            batch_digest=_RAW,
            policy_sha256=_OTHER,
            codec=_CODEC,
            node="n1",
            run=_RUN,
            mode="relay",
            started=_WHEN,
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
            datetime_utc=_WHEN,
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
            run=_RUN,
            number=1,
            on_done=OnDone.DELETE,
            ledger_offset=0,
            pledges=(
                _PLEDGE,
                msgspec.structs.replace(
                    _PLEDGE,
                    sidecar_stage=Place(Root.STATE, f"stage/n1/{_RUN}/2.part"),
                    sidecar=Place(Root.WIRE, "daily/a.txt.freq.sha256"),
                    meta=Meta(_CONTAINER, mtime_ns=5, mode=0o644),
                ),
            ),
        )
    ],
    "link-policy": [LinkPolicy(), LinkPolicy(trusted_nodes=("node1",))],
    "manifest": [
        Deliveries(
            batch_digest=_RAW,
            raw_digest=_OTHER,
            root="outbox",
            files=1,
            bytes=3,
            fresh=True,
            nodes=(NodePart("n1", 1, Tally(1, 3), _CONTAINER),),
        )
    ],
    "node-manifest": [
        NodeManifest(
            datetime_utc=_WHEN,
            node="n1",
            platform="linux",
            policy=".paxect/policy.toml",
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
            id="0a1b2c3d4e5f-2c",
            direction=Direction.DECODE,
            source=_DAMAGED,
            size=_IDENTITY.size,
            mtime_ns=_IDENTITY.mtime_ns,
            code="crc-mismatch",
            detail=_FAILURE.detail,
            history=(_FAILURE,),
            node="n1",
            run=_RUN,
            at=_AT,
            retry="paxect-batch quarantine retry /mnt/exchange 0a1b2c3d4e5f-2c",
        )
    ],
    "record": [
        Record(
            Fate.DELIVERED, Direction.ENCODE, _SOURCE, _IDENTITY, target=_PLEDGE.target
        ),
        Record(Fate.SET_ASIDE, Direction.DECODE, _DAMAGED, _IDENTITY, code="bad-magic"),
    ],
    "run-settings": [
        RunSettings("n1", _RUN, {"workers": SettingInForce(2, "--workers")}),
    ],
    "share-marker": [
        ShareMarker(format=1, share_id="5f0c7a52"),
        ShareMarker(format=1, share_id="5f0c7a52", locks="markers"),
    ],
    "signed-manifest": [
        SignedManifest({"node": "n1", "pid": 7}, _RAW),
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
                    lease=_LEASE,
                ),
            ),
            over=(
                Rescue(
                    node="n2",
                    run="20261121T015900000Z-03a1c2",
                    rescuer_run=_RUN,
                    rescuer_node="n1",
                ),
            ),
            mixed=(),
            in_flight=(
                InFlight(
                    what=Hold.CLAIM,
                    since=_WHEN,
                    age_seconds=1.5,
                    files=1,
                    bytes=3,
                    node="n1",
                    run=_RUN,
                    life=Life.ALIVE,
                    source=_SOURCE,
                ),
            ),
            backing_off=(_attempts(math.inf),),
            set_aside=(),
            last_run=None,
            policy_problem="",
        )
    ],
    "view": [
        View(
            at=_AT,
            uptime_seconds=2.5,
            identity=Viewer(
                version="0.1.0", codec=_CODEC, python="3.11.7", share="/mnt/exchange"
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
