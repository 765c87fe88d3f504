"""Each path gets its answer, from the board alone; nothing else is to be had."""

import json

import pytest
from jsonschema import Draft202012Validator
from serve_samples import (
    NOW,
    Now,
    Reply,
    a_board,
    a_full_board,
    a_line,
    head_of,
    reply_of,
)

from paxect_batch.model.events import Event
from paxect_batch.model.view import Ground
from paxect_batch.report.schemas import schemas
from paxect_batch.serve import exposition
from paxect_batch.serve.answers import Answers
from paxect_batch.serve.board import Board

TOKEN = b"0123456789abcdef0123"


def got(answers: Answers, path: str, *headers: str, method: str = "GET") -> Reply:
    return reply_of(answers.to(head_of(path, *headers, method=method)))


def test_ping_is_answered_whatever_is_known() -> None:
    assert got(Answers(a_board()), "/ping").body == b"pong\n"


def test_ready_tells_every_reason_why_not() -> None:
    now = Now()
    board = a_board(now)
    answers = Answers(board)
    reply = got(answers, "/ready")
    assert reply.status == 503
    assert reply.json == {
        "ready": False,
        "problems": ["the share was not looked at yet"],
    }
    board.note_ground(Ground(at=NOW, problems=("no marker",)))
    assert got(answers, "/ready").json["problems"] == ["no marker"]
    board.note_ground(Ground(at=NOW))
    assert got(answers, "/ready").status == 200
    now.at += 61
    assert "has not answered for" in got(answers, "/ready").json["problems"][0]


def test_ready_of_a_run_follows_its_lease_and_the_share() -> None:
    board = a_board()
    board.note_ground(Ground(at=NOW))
    board.begin_run(node="n", run="r", mode="relay", watch=True)
    answers = Answers(board)
    assert "no lease" in got(answers, "/ready").json["problems"][0]
    board.note_event(a_line(Event.STARTUP))
    assert got(answers, "/ready").status == 200
    board.note_event(a_line(Event.SHARE_TROUBLE, "stale handle"))
    assert "stale handle" in got(answers, "/ready").json["problems"][0]
    board.note_event(a_line(Event.SHARE_BACK))
    assert got(answers, "/ready").status == 200
    board.note_event(a_line(Event.LEASE_LOST))
    assert got(answers, "/ready").status == 503


def test_last_is_the_audit_of_the_last_run_as_its_line_has_it() -> None:
    audit = got(Answers(a_full_board()), "/last")
    keys = list(audit.json)
    assert keys == sorted(keys)
    Draft202012Validator(schemas()["audit"]).validate(audit.json)
    assert got(Answers(a_board()), "/last").body == b"null\n"


def test_events_are_the_newest_first() -> None:
    board = a_board()
    for number in range(300):
        board.note_event(a_line(message=str(number)))
    board.note_event(a_line(Event.PACE_SEEN, "hidden"), is_shown=False)
    events = got(Answers(board), "/events").json
    assert [each["message"] for each in events] == [str(n) for n in range(299, 99, -1)]
    validator = Draft202012Validator(schemas()["event"])
    assert all(validator.is_valid(each) for each in events)


@pytest.mark.parametrize("sad", [False, True])
def test_view_is_what_its_schema_says(sad: bool) -> None:
    reply = got(Answers(a_full_board(sad=sad)), "/view")
    Draft202012Validator(schemas()["view"]).validate(json.loads(reply.body))
    assert reply.headers["content-type"] == "application/json"


def test_head_has_the_headers_of_get_and_no_body() -> None:
    answers = Answers(a_full_board())
    whole, head = got(answers, "/last"), got(answers, "/last", method="HEAD")
    assert head.headers == whole.headers
    assert head.body == b""


def test_answer_to_head_has_no_body_though_it_is_a_refusal() -> None:
    answers = Answers(a_board())
    lines = b" / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
    for answer in (answers.to, lambda head: answers.refuse(head, 429, "too much")):
        whole, head = answer(b"GET" + lines), answer(b"HEAD" + lines)
        assert whole.startswith(head)
        assert head.endswith(b"\r\n\r\n")
        assert len(whole) > len(head)


@pytest.mark.parametrize(
    "path",
    ["/nope", "/ping/", "//ping", "/../etc/passwd", "/%2e%2e/etc/passwd", "/page.css"],
)
def test_path_that_is_not_here_reads_nothing(path: str) -> None:
    reply = got(Answers(a_board()), path)
    assert reply.status == 404
    assert b"/ping" in reply.body


def test_token_is_asked_for_all_that_tells_of_the_share() -> None:
    answers = Answers(a_full_board(), token=TOKEN)
    for path in ("/ready", "/metrics", "/last", "/events", "/view", "/nope"):
        assert got(answers, path).status == 401
        for wrong in ("Bearer", "Bearer x", f"Basic {TOKEN.decode()}", "Bearer \xff"):
            assert got(answers, path, f"Authorization: {wrong}").status == 401
    right = f"Authorization: bearer {TOKEN.decode()}"
    assert got(answers, "/last", right).status == 200
    assert got(answers, "/nope", right).status == 404
    assert got(answers, "/ping").status == got(answers, "/").status == 200
    assert "www-authenticate" in got(answers, "/last").headers


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8081", 200),
        ("127.0.0.1:8081", 200),
        ("[::1]:8081", 200),
        ("[::1]", 200),
        ("192.0.2.7", 200),
        ("evil.example", 421),
        ("evil.example:8081", 421),
        ("localhost.evil.example", 421),
    ],
)
def test_host_that_a_stranger_may_have_pointed_here_is_refused(
    host: str, status: int
) -> None:
    head = f"GET /last HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    assert reply_of(Answers(a_board()).to(head)).status == status
    # Who has the token is no page that was led here.
    with_token = head[:-2] + b"Authorization: Bearer " + TOKEN + b"\r\n\r\n"
    assert reply_of(Answers(a_board(), token=TOKEN).to(with_token)).status == 200


def test_answer_that_fails_is_500_and_the_next_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = Answers(a_board())

    def fail(_: Board) -> None:
        raise ValueError("no")

    with monkeypatch.context() as patch:
        patch.setattr(Board, "view", fail)
        assert got(answers, "/view").status == 500
    assert got(answers, "/view").status == 200


def test_metrics_without_their_library_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "prometheus_client.exposition", None)
    reply = got(Answers(a_board()), "/metrics")
    assert reply.status == 501
    assert b"pip install 'paxect-batch[metrics]'" in reply.body
    monkeypatch.setitem(__import__("sys").modules, "prometheus_client", None)
    assert not exposition.is_available()


def test_requests_are_counted_by_known_paths_only() -> None:
    answers = Answers(a_board())
    for path in ("/ping", "/ping", "/one", "/two"):
        got(answers, path)
    answers.refuse(b"GET / HTTP/1.1\r\n\r\n", 429, "too much")
    text = got(answers, "/metrics").body.decode()
    lines = [line for line in text.splitlines() if line.startswith("paxect_batch_http")]
    assert lines == [
        'paxect_batch_http_requests_total{code="200",path="/ping"} 2.0',
        'paxect_batch_http_requests_total{code="404",path="other"} 2.0',
        'paxect_batch_http_requests_total{code="429",path="other"} 1.0',
    ]
