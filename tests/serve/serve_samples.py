"""Boards with something of everything on them, and a client that says what it likes."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec
from report_samples import an_audit

from paxect_batch.model.audit import Tally
from paxect_batch.model.events import Event, EventLine
from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.leases import Lease, Machine, Word
from paxect_batch.model.pace import Cause, Limits, Pace, PaceNow
from paxect_batch.model.places import Place, Root
from paxect_batch.model.policy import LogLevel
from paxect_batch.model.run import Standing
from paxect_batch.model.status import (
    Hold,
    InFlight,
    Life,
    NodeStatus,
    Rescue,
    ShareStatus,
)
from paxect_batch.model.transfer import (
    Attempts,
    Failure,
    Lot,
    Outcome,
    Reason,
    Result,
    Task,
)
from paxect_batch.model.view import Ground, Viewer
from paxect_batch.serve.answers import Answers
from paxect_batch.serve.board import Board
from paxect_batch.serve.listener import Listener

NOW = 1_800_000_000.0
NASTY = '<img src=x onerror="alert(1)">&amp;\\x0a'


class Now:
    """A clock that is set by hand."""

    def __init__(self, at: float = NOW) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def a_board(now: Now | None = None, monotonic: Now | None = None) -> Board:
    """Return a board on which nothing is yet."""
    who = Viewer(version="1.0", codec="zstd", python="3.11.0", share="/mnt/exchange")
    now = now or Now()
    return Board(who, now=now, monotonic=monotonic or now)


def a_node(name: str = "north", life: Life = Life.ALIVE, files: int = 5) -> NodeStatus:
    lease = Lease(
        node=name,
        run=f"run-{name}",
        batch="b",
        machine=Machine(host="h", machine="m", boot="b", pid=7, started="s"),
        seconds=10.0,
        since="2027-01-15T07:00:00.000Z",
        word=Word(
            doing="relaying",
            claims=2,
            delivered_files=files,
            delivered_bytes=files * 100,
            last=f"delivered outbox/{NASTY}",
        ),
    )
    return NodeStatus(
        node=name,
        life=life,
        silent_seconds=0.0 if life is Life.ALIVE else 4.0,
        last_beat_at="2027-01-15T08:00:00.000Z",
        claims=2,
        lease=lease,
    )


def a_reason(number: int = 1, detail: str = "crc of frame 3 differs") -> Reason:
    return Reason(
        id=f"q{number}",
        direction=Direction.DECODE,
        source=Place(Root.WIRE, f"bad-{number}.freq"),
        size=80,
        mtime_ns=1,
        code="crc-mismatch",
        detail=detail,
        history=(Failure(NOW, "north", "crc-mismatch", detail, 2),),
        node="north",
        run="r1",
        at=NOW - 1000 + number,
        retry="paxect-batch quarantine retry /mnt/exchange q1",
    )


def a_status(**changes: Any) -> ShareStatus:
    facts: dict[str, Any] = {
        "share": "/mnt/exchange",
        "waiting": Tally(3, 300),
        "wire": Tally(1, 80),
        "waiting_seconds": 12.0,
        "wire_seconds": 3.0,
        "nodes": (a_node(), a_node("south")),
        "over": (),
        "mixed": (),
        "in_flight": (),
        "backing_off": (),
        "set_aside": (),
        "last_run": an_audit(delivered=Tally(7, 700), seen=Tally(7, 700)),
        "policy_problem": "",
    }
    return ShareStatus(**(facts | changes))


def a_sad_status() -> ShareStatus:
    """Return a share on which everything asks for a look, names included."""
    attempts = Attempts(
        Direction.ENCODE,
        Place(Root.INBOX, NASTY),
        Identity(1, 2, 3),
        (Failure(NOW, "north", "EIO", NASTY, 3),),
    )
    flight = InFlight(
        what=Hold.CLAIM,
        since="2027-01-15T08:00:00.000Z",
        age_seconds=7.5,
        files=1,
        bytes=10,
        node="south",
        run="run-south",
        life=Life.SILENT,
        source=Place(Root.INBOX, NASTY),
    )
    return a_status(
        waiting_seconds=7200.0,
        nodes=(a_node(), a_node("south", Life.SILENT)),
        over=(Rescue(node="west", run="r9", rescuer_run="r1", rescuer_node="north"),),
        mixed=("zstd 1, policy aaa", "zstd 2, policy aaa"),
        in_flight=(flight,),
        backing_off=(attempts,),
        set_aside=tuple(a_reason(number, NASTY) for number in range(3)),
        last_run=an_audit(exit_code=3, node="south"),
    )


def a_line(event: Event = Event.ENCODE, message: str = "") -> EventLine:
    return EventLine(
        datetime_utc="2027-01-15T08:00:00.000Z",
        level=LogLevel.INFO,
        event=event,
        src="inbox/a.txt",
        dst="",
        status="ok",
        message=message,
        version="1.0",
        node="north",
        run="run-north",
    )


def a_lot(*outcomes: Outcome) -> tuple[Lot, tuple[Outcome, ...]]:
    task = Task(
        direction=Direction.ENCODE,
        source=Place(Root.INBOX, "a.txt"),
        identity=Identity(100, 2, 3),
        stage=Place(Root.STATE, "stage/a"),
        sidecar=Place(Root.STATE, "stage/b"),
        level=3,
        channels=1,
        frame_bytes=1 << 20,
        threads=1,
        read_back=True,
        twice=False,
    )
    return Lot(1, (task,) * len(outcomes)), outcomes


def a_full_board(now: Now | None = None, *, sad: bool = False) -> Board:
    """Return a board on which there is something of everything."""
    board = a_board(now)
    board.begin_run(node="north", run="run-north", mode="relay", watch=True)
    board.note_event(a_line(Event.STARTUP))
    board.note_event(a_line())
    board.note_lot(*a_lot(Outcome(Result.STAGED, seconds=0.2), Outcome(Result.FAILED)))
    board.note_standing(
        Standing(
            seen_files=9,
            seen_bytes=900,
            delivered_files=5,
            delivered_bytes=500,
            encoded_files=6,
            encoded_bytes=600,
            claims_tried=10,
            claims_lost=1,
            pace=PaceNow(
                limits=Limits(workers=2, lots=4, files=100, bytes=1 << 20),
                pace=Pace(
                    pace=0.5,
                    cause=Cause.MEMORY,
                    lots=2,
                    files=50,
                    bytes=1 << 19,
                    lot_files=10,
                ),
                since_seconds=3.0,
                overhead=0.1,
            ),
        )
    )
    board.note_ground(
        Ground(at=NOW, free_bytes={"inbox": 1 << 40}, clock_skew_seconds=0.25)
    )
    status = a_sad_status() if sad else a_status()
    board.note_status(status, took_seconds=0.5)
    return board


class Reply(NamedTuple):
    """What came back: status, headers in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


def reply_of(data: bytes) -> Reply:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    headers = {name.lower(): value for name, value in pairs}
    return Reply(int(first.split()[1]), headers, body)


def head_of(path: str, *headers: str, method: str = "GET") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1:8081", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def exchange(address: tuple[str, int], data: bytes) -> bytes:
    """Send bytes and return all that comes back until the other side closes."""
    with socket.create_connection(address, timeout=120) as client:
        client.sendall(data)
        received = b""
        try:
            while part := client.recv(65536):
                received += part
        except ConnectionResetError:
            pass
        return received


def ask(address: tuple[str, int], path: str, *headers: str) -> Reply:
    return reply_of(exchange(address, head_of(path, *headers)))


@contextmanager
def listener_of(
    board: Board, *, token: bytes | None = None
) -> Iterator[tuple[str, int]]:
    """Listen, and give the address."""
    answers = Answers(board, token=token)
    listener = Listener("127.0.0.1", 0, answers.to, answers.refuse)
    listener.start()
    try:
        yield listener.address
    finally:
        listener.stop()
