"""`--listen` and `serve` from words to answers, and on shares that fail."""

import errno
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cli_samples import Command, drop, make_share, start
from serve_samples import Reply, a_board, ask, listener_of

from paxect_batch.cli import lookers as module
from paxect_batch.cli.arguments import parse
from paxect_batch.cli.kinds import address as address_in
from paxect_batch.cli.log_tails import newest_events
from paxect_batch.cli.lookers import Lookers, ground
from paxect_batch.cli.opened import Opened
from paxect_batch.model.errors import NotReady
from paxect_batch.model.places import Root
from paxect_batch.world.share import LocalShare

pytestmark = pytest.mark.slow

TOKEN = "0123456789abcdef0123"
_SECONDS_MAX = 240.0


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    return Command(capfd)


@pytest.fixture
def share(tmp_path: Path) -> Path:
    return make_share(tmp_path)


class Told:
    """A command that listens, and what it said on standard error so far."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.said: list[str] = []
        self.address = self._address()

    def _address(self) -> tuple[str, int]:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line.decode())
            if "listening on" in self.said[-1]:
                host, port = self.said[-1].split("//")[1].strip("/\n").split(":")
                return host, int(port)
        raise AssertionError(self.said)

    def wait_for(self, path: str, is_so: Any, *headers: str) -> Reply:
        """Ask until the answer is as it should be."""
        until = time.monotonic() + _SECONDS_MAX
        while True:
            reply = ask(self.address, path, *headers)
            if is_so(reply) or time.monotonic() > until:
                assert is_so(reply), reply
                return reply
            # Nothing tells when a looker is done; asking often is all there is.
            threading.Event().wait(0.05)


@contextmanager
def told(*words: object, **changes: str) -> Iterator[Told]:
    process = start(*words, **changes)
    try:
        yield Told(process)
    finally:
        process.kill()
        process.communicate()


def test_watch_that_listens_shows_what_it_does(share: Path) -> None:
    with told("watch", share, "--listen", "127.0.0.1:0", "--node", "n1") as watch:
        assert ask(watch.address, "/ping").body == b"pong\n"
        watch.wait_for("/ready", lambda reply: reply.status == 200)
        drop(share, a_txt=b"one", b_txt=b"two")
        view = watch.wait_for(
            "/view",
            lambda reply: reply.json["doings"]["outcomes"]["delivered"]["files"] == 2,
        ).json
        assert view["identity"]["node"] == "n1"
        assert sum(minute[1] for minute in view["minutes"]) == 2
        assert view["doings"]["steps"]["encode"]["seconds_count"] == 2
        events = {each["event"] for each in ask(watch.address, "/events").json}
        assert {"startup", "encode", "decode"} <= events
        text = ask(watch.address, "/metrics").body.decode()
        for sample in (
            'paxect_batch_files_total{direction="decode",outcome="delivered"} 2.0',
            'paxect_batch_events_total{event="decode"} 2.0',
            "paxect_batch_joined 1.0",
        ):
            assert sample in text
        seen = watch.wait_for("/view", lambda reply: reply.json["seen"]["nodes"]).json
        assert seen["seen"]["nodes"][0]["life"] == "alive"
        watch.process.send_signal(signal.SIGTERM)
        assert watch.process.wait() == 143


def test_serve_shows_a_share_and_ends_with_its_signal(
    share: Path, command: Command
) -> None:
    drop(share, a_txt=b"one")
    audit = command("drain", share).audit
    drop(share, b_txt=b"two")
    with told("serve", share, "--listen", "127.0.0.1:0") as serve:
        last = serve.wait_for("/last", lambda reply: reply.body != b"null\n")
        assert last.json == audit
        assert serve.wait_for("/ready", lambda reply: reply.status == 200).json["ready"]
        view = ask(serve.address, "/view").json
        assert view["seen"]["waiting"]["files"] == 1
        assert view["seen"]["waiting_seconds"] < _SECONDS_MAX
        assert view["doings"] is None
        assert {each["event"] for each in view["newest"]} >= {"startup", "shutdown"}
        serve.process.send_signal(signal.SIGTERM)
        assert serve.process.wait() == 143


def test_serve_without_its_share_says_so_and_finds_it_later(tmp_path: Path) -> None:
    with told("serve", tmp_path / "share", "--listen", "127.0.0.1:0") as serve:
        reply = serve.wait_for("/ready", lambda reply: b"cannot be read" in reply.body)
        assert reply.status == 503
        assert ask(serve.address, "/ping").status == 200
        make_share(tmp_path)
        serve.wait_for("/ready", lambda reply: reply.status == 200)


def test_token_is_asked_for_once_others_may_come(share: Path, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    token.chmod(0o600)
    words = ("--listen", "0.0.0.0:0", "--listen-anywhere", token)
    with told("serve", share, *words) as serve:
        here = ("127.0.0.1", serve.address[1])
        assert ask(here, "/last").status == 401
        assert ask(here, "/ping").status == 200
        assert ask(here, "/last", f"Authorization: Bearer {TOKEN}").status == 200
    assert "can be reached from other machines" in "".join(serve.said)


def test_address_of_others_without_a_token_is_refused(
    share: Path, command: Command
) -> None:
    said = command("serve", share, "--listen", "0.0.0.0:0")
    assert said.code == 64
    assert "--listen-anywhere FILE" in said.err


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        ("short", 0o600, "openssl rand -hex 32"),
        ("with spaces in it ....", 0o600, "openssl rand -hex 32"),
        ("", 0o600, "is empty; nothing was touched; put the token into it"),
        ("sixteen_letters_", 0o644, "can be read or changed by others (mode 0644)"),
    ],
)
def test_token_that_is_none_is_refused(
    share: Path, command: Command, tmp_path: Path, content: str, mode: int, told: str
) -> None:
    token = tmp_path / "token"
    token.write_text(content)
    token.chmod(mode)
    said = command("drain", share, "--listen", "[::]:0", "--listen-anywhere", token)
    assert said.code == 64
    assert told in said.err
    assert f"key file {token}" not in said.err


def test_address_that_is_taken_is_refused_before_anything_is_touched(
    share: Path, command: Command
) -> None:
    drop(share, a_txt=b"one")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = command("drain", share, "--listen", f"127.0.0.1:{port}")
    assert said.code == 75
    assert "name another port" in said.err
    assert (share / "inbox" / "a.txt").exists()
    said = command("drain", share, "--listen", "192.0.2.1:80")
    assert said.code == 64


def test_drain_that_listens_ends_when_it_is_done(share: Path, command: Command) -> None:
    drop(share, a_txt=b"one")
    said = command("drain", share, "--listen", "localhost:0")
    assert said.code == 0
    assert said.audit["delivered"]["files"] == 1
    assert said.err.count("listening on http://127.0.0.1:") == 1
    assert command("drain", share, "--listen", "localhost:0", "--quiet").err == ""


def test_serve_needs_a_folder(command: Command) -> None:
    assert "no folder was named" in command("serve").err


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("127.0.0.1:8081", ("127.0.0.1", 8081)),
        ("localhost:0", ("127.0.0.1", 0)),
        ("[::1]:8081", ("::1", 8081)),
        ("8081", None),
        ("127.0.0.1:65536", None),
        ("example.org:80", None),
        ("127.0.0.1:", None),
        ("[::1:8081", None),
    ],
)
def test_address_is_an_address_and_a_port(
    words: str, address: tuple[str, int] | None
) -> None:
    assert address_in(words) == address


def opened(share: Path) -> Opened:
    return Opened(parse(["status", str(share)]), share=str(share))


def test_ground_tells_what_is_wrong_with_a_share(
    share: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = ground(lambda: opened(share), tries=True)
    assert good.problems == ()
    assert set(good.free_bytes) == set(Root)
    assert good.clock_skew_seconds is not None
    assert ground(lambda: opened(share), tries=False).clock_skew_seconds is None
    monkeypatch.setattr(module, "FREE_BYTES_MIN", 1 << 62)
    assert "are free in inbox" in ground(lambda: opened(share), tries=True).problems[0]

    def fail(_: object) -> float:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(LocalShare, "now", fail)
    (problem,) = ground(lambda: opened(share), tries=True).problems
    assert "Read-only file system" in problem
    os.remove(share / ".paxect" / "share.json")
    (problem,) = ground(lambda: opened(share), tries=True).problems
    assert "cannot be read" in problem


def test_share_that_hangs_is_waited_for_by_its_looker_alone(share: Path) -> None:
    hanging, looked = threading.Event(), threading.Event()

    def hang() -> Opened:
        looked.set()
        hanging.wait(_SECONDS_MAX)
        raise NotReady("it hung")

    board = a_board()
    lookers = Lookers(board, hang, tries=True, own_events=True)
    assert looked.wait(_SECONDS_MAX)
    with listener_of(board) as address:
        assert ask(address, "/ping").status == 200
        assert ask(address, "/ready").json["problems"] == [
            "the share was not looked at yet"
        ]
        for path in ("/", "/metrics", "/last", "/events", "/view"):
            assert ask(address, path).status == 200
    hanging.set()
    lookers.stop()


def test_newest_events_are_those_of_all_nodes_in_their_order(
    share: Path, command: Command
) -> None:
    for node in ("n2", "n1"):
        drop(share, **{f"{node}_txt": b"one"})
        assert command("drain", share, "--node", node).code == 0
    log = share / ".paxect" / "log"
    (log / "odd.jsonl").write_bytes(b"no event\n\xff\xfe\n{}\n" * 9000)
    events = newest_events(opened(share).share)
    assert [each.node for each in events if each.event == "startup"] == ["n2", "n1"]
    assert all(json.loads(json.dumps(each.message)) is not None for each in events)


@pytest.mark.parametrize("name", ["ecs", "splunk-hec"])
def test_log_in_the_format_of_others_is_read_as_well(
    share: Path, command: Command, name: str
) -> None:
    drop(share, a_txt=b"one")
    assert command("drain", share, "--log-format", name, "--node", "n1").code == 0
    (log,) = (share / ".paxect" / "log").iterdir()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    mark = "ecs.version" if name == "ecs" else "sourcetype"
    assert all(mark in line for line in lines)
    events = newest_events(opened(share).share)
    assert len(events) == len(lines)
    assert {"startup", "encode", "decode", "shutdown"} <= {e.event for e in events}


def test_ground_that_cannot_be_found_is_a_problem_and_ends_no_looker() -> None:
    def gone() -> Opened:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    assert ground(gone, tries=True).problems == ("No such file or directory",)
