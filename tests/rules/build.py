"""Items, policies and tasks for the tests of the rules, with what they need not say."""

from __future__ import annotations

from paxect_batch.model.items import Direction, Facts, Identity, Item, Kind
from paxect_batch.model.places import Place, Root
from paxect_batch.model.policy import Policy
from paxect_batch.model.transfer import Attempts, Failure, Task

NOW = 1_800_000_000.0
ENCODE, DECODE = Direction.ENCODE, Direction.DECODE


def policy(**fields: object) -> Policy:
    return Policy(**{"version": "2", **fields})


def facts(
    *,
    size: int = 10,
    age: float = 60.0,
    mtime_age: float = 60.0,
    ctime: bool = True,
    writer: bool | None = None,
) -> Facts:
    return Facts(
        kind=Kind.FILE,
        identity=Identity(size, int((NOW - mtime_age) * 1e9), 7),
        mode=0o644,
        ctime_ns=int((NOW - age) * 1e9) if ctime else None,
        writer=writer,
    )


def item(path: str = "a.txt", direction: Direction = ENCODE, **about: object) -> Item:
    root = Root.INBOX if direction is ENCODE else Root.WIRE
    return Item(direction, Place(root, path), facts(**about))


def failure(at: float = NOW, code: str = "crc-mismatch") -> Failure:
    return Failure(at=at, node="n1", code=code, detail="", exit_code=2)


def attempts(
    of: Item, *, failures: tuple[Failure, ...] | None = None, next_at: float
) -> Attempts:
    return Attempts(
        direction=of.direction,
        source=of.source,
        identity=of.identity,
        failures=(failure(),) if failures is None else failures,
        next_at=next_at,
    )


def task(size: int, direction: Direction = ENCODE, name: str = "a") -> Task:
    return Task(
        direction=direction,
        source=Place(Root.INBOX, name),
        identity=Identity(size, 0, 0),
        stage=Place(Root.STATE, f"stage/n/{name}"),
        sidecar=Place(Root.STATE, f"stage/n/{name}.sha256"),
        level=3,
        channels=1,
        frame_bytes=1 << 20,
        threads=1,
        read_back=True,
        twice=False,
    )
