"""What examples of records are made of: one small story.

`a.txt` is relayed on node `n1`; another item is damaged.
"""

from __future__ import annotations

from paxect_batch.model.audit import Audit, Tally
from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.leases import Lease, Machine
from paxect_batch.model.places import Place, Root
from paxect_batch.model.transfer import (
    Attempts,
    Failure,
    Pledge,
)

RUN = "20261121T021500000Z-5bbfeb"
WHEN = "2026-11-21T02:15:00.000Z"
AT = 1_795_227_300.5
RAW, CONTAINER, OTHER = "ab" * 32, "cd" * 32, "ef" * 32
CODEC = "zstandard 0.25.0, libzstd 1.5.7"
SOURCE = Place(Root.INBOX, "daily/a.txt")
DAMAGED = Place(Root.WIRE, "daily/b\\xff.freq")
LEASE = Lease(
    node="n1",
    run=RUN,
    batch=RUN,
    machine=Machine(
        host="etl-1", machine="8a4f0c11", boot="c0ffee", pid=4711, started="88231"
    ),
    seconds=10.0,
    since=WHEN,
    codec=CODEC,
)
IDENTITY = Identity(size=3, mtime_ns=1_795_227_000_123_456_789, inode=42)
PLEDGE = Pledge(
    direction=Direction.ENCODE,
    source=SOURCE,
    identity=IDENTITY,
    stage=Place(Root.STATE, f"stage/n1/{RUN}/0/1.part"),
    target=Place(Root.WIRE, "daily/a.txt.freq"),
    sidecar_stage=None,
    sidecar=None,
    raw_bytes=3,
    raw_sha256=RAW,
    container_bytes=94,
    container_sha256=CONTAINER,
)
FAILURE = Failure(
    at=AT,
    node="n1",
    code="crc-mismatch",
    detail="CRC32 is ca44948b, the frame header says ca449421 (frame 0, byte 34)",
    exit_code=2,
)


def attempts(next_at: float) -> Attempts:
    """Return what was tried with the damaged item."""
    return Attempts(
        direction=Direction.DECODE,
        source=DAMAGED,
        identity=IDENTITY,
        failures=(FAILURE,),
        next_at=next_at,
    )


AUDIT = Audit(
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
    batch_digest=RAW,
    policy_sha256=OTHER,
    codec=CODEC,
    node="n1",
    run=RUN,
    mode="relay",
    started=WHEN,
    duration_seconds=1.25,
    exit_code=1,
    version="0.1.0",
)
