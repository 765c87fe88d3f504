"""Status and manifest beside real nodes: three at work, two killed, one that is left."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from cli_samples import Command, make_share, start

from paxect_batch.cli.main import main
from paxect_batch.model.status import Deliveries, Life, ShareStatus

pytestmark = pytest.mark.slow

NODES = ("north", "south", "west")
HANGS_SECONDS = 120.0
"""When a process is said to hang; never how fast one has to be."""


@pytest.fixture
def running() -> Iterator[dict[str, "subprocess.Popen[bytes]"]]:
    processes: dict[str, subprocess.Popen[bytes]] = {}
    yield processes
    for process in processes.values():
        if process.poll() is None:
            process.kill()
        process.communicate()


def status_of(command: Command, share: Path) -> ShareStatus:
    said = command("status", share, "--json")
    assert (said.code, said.err) == (0, "")
    return msgspec.json.decode(said.out, type=ShareStatus)


def status_when(
    command: Command, share: Path, wanted: Callable[[ShareStatus], bool]
) -> ShareStatus:
    """Look at the share until it is as it should become."""
    until = time.monotonic() + HANGS_SECONDS
    while time.monotonic() < until:
        status = status_of(command, share)
        if wanted(status):
            return status
    pytest.fail(f"never came about; at last: {status}")


def manifest_of(command: Command, share: Path, *words: str) -> Deliveries:
    said = command("manifest", share, "--json", *words)
    assert said.code == 0
    return msgspec.json.decode(said.out, type=Deliveries)


def drop_many(share: Path, name: str, files: int) -> None:
    for number in range(files):
        data = f"{name} {number}\n".encode() * (number + 1)
        (share / "inbox" / f"{name}{number}.txt").write_bytes(data)


def test_status_follows_three_nodes_of_which_two_are_killed(
    tmp_path: Path,
    command: Command,
    running: dict[str, "subprocess.Popen[bytes]"],
) -> None:
    share = make_share(tmp_path)
    for node in NODES:
        words = ("watch", share, "--node", node, "--workers", "1", "--poll-seconds")
        running[node] = start(*words, "0.1")
    status = status_when(command, share, lambda status: len(status.nodes) == 3)
    assert {each.node: each.life for each in status.nodes} == dict.fromkeys(
        NODES, Life.ALIVE
    )
    assert {each.lease.machine.pid for each in status.nodes if each.lease} == {
        process.pid for process in running.values()
    }
    drop_many(share, "one", 40)
    status_when(command, share, is_drained)
    for node in ("north", "south"):
        running[node].kill()
        running[node].wait()
    drop_many(share, "two", 40)
    status = status_when(command, share, lambda status: is_alone(status, "west"))
    assert (status.nodes[0].life, status.over) == (Life.ALIVE, ())
    text = command("status", share).out
    assert "nodes       1 alive\n" in text
    assert max(map(len, text.splitlines())) <= 80
    running["west"].send_signal(signal.SIGTERM)
    assert running["west"].wait() == 143
    assert status_of(command, share).nodes == ()
    manifest = manifest_of(command, share)
    assert (manifest.files, manifest.root) == (80, "outbox")
    assert sum(part.delivered.files for part in manifest.nodes) >= 80


def test_manifest_of_several_nodes_is_that_of_one_node(
    tmp_path: Path,
    command: Command,
    running: dict[str, "subprocess.Popen[bytes]"],
) -> None:
    alone = make_share(tmp_path / "alone")
    share = make_share(tmp_path / "several")
    for folder in (alone, share):
        drop_many(folder, "file", 60)
    for node in NODES[:2]:
        words = ("drain", share, "--wait", "--node", node, "--workers", "1")
        running[node] = start(*words)
    assert main(["drain", str(alone), "--node", "only", "--workers", "1"]) == 0
    said = [process.communicate()[0] for process in running.values()]
    assert [process.returncode for process in running.values()] == [0, 0]
    batches = [
        audit["batch"]
        for audit in (json.loads(each.split(b"_JSON=")[1]) for each in said)
    ]
    manifest = manifest_of(command, share)
    one = manifest_of(command, alone)
    assert manifest.batch_digest == one.batch_digest
    assert manifest.raw_digest == one.raw_digest
    assert (manifest.files, manifest.bytes) == (one.files, one.bytes)
    for batch in filter(None, batches):
        assert batch["digest"] == manifest.batch_digest
        assert batch["delivered"] == {"files": 60, "bytes": manifest.bytes}


def test_status_names_the_files_of_a_killed_node_as_not_running(
    tmp_path: Path,
    command: Command,
    running: dict[str, "subprocess.Popen[bytes]"],
) -> None:
    share = make_share(tmp_path)
    # So large that it is killed long before it can be done with one of them.
    for number in range(2):
        with (share / "inbox" / f"large{number}.bin").open("wb") as stream:
            stream.truncate(1 << 30)
    running["north"] = start("drain", share, "--node", "north", "--workers", "2")
    stage = share / ".paxect" / "stage"
    until = time.monotonic() + HANGS_SECONDS
    # A claim alone may be that by which a batch is begun.
    while not list(stage.rglob("*.part")):
        assert time.monotonic() < until
    running["north"].kill()
    running["north"].wait()
    status = status_of(command, share)
    (node,) = status.nodes
    assert (node.node, node.life) == ("north", Life.NOT_RUNNING)
    assert node.claims == len(status.in_flight) > 0
    assert {each.life for each in status.in_flight} == {Life.NOT_RUNNING}
    told = {str(each.source) for each in status.in_flight}
    assert told <= {"inbox/large0.bin", "inbox/large1.bin"}
    text = command("status", share).out
    assert "  north: not running, last beat " in text
    assert ": north (not running), since " in text


def is_drained(status: ShareStatus) -> bool:
    return not (status.waiting.files or status.wire.files or status.in_flight)


def is_alone(status: ShareStatus, node: str) -> bool:
    left = [each.node for each in status.nodes]
    return is_drained(status) and left == [node] and not status.over
