"""A Link that runs: its files, its log, what it relays and what it leaves alone."""

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from link_samples import (
    FIELDS,
    HOST,
    Link,
    core_container,
    link_environment,
    write_manifest,
    write_policy,
)

pytestmark = pytest.mark.slow

KEY = "secret"


class Life(NamedTuple):
    """What one life of a Link left."""

    folder: Path
    code: int
    err: str
    lines: list[str]
    audit: dict[str, Any]
    events: list[dict[str, Any]]

    def of(self, event: str) -> list[dict[str, Any]]:
        """The events of one kind."""
        return [each for each in self.events if each["event"] == event]


def ended(link: Link, log: str, number: int = signal.SIGTERM) -> Life:
    code, err = link.stop(number)
    rotated = [f"{log}.{n}" for n in (2, 1)]
    paths = [link.folder / name for name in (*rotated, log)]
    texts = [path.read_text() for path in paths if path.exists()]
    events = [json.loads(line) for line in "".join(texts).splitlines()]
    return Life(link.folder, code, err, link.lines, link.audit, events)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """A Link with nothing configured but how often it looks and when its log turns."""
    folder = tmp_path_factory.mktemp("plain")
    (folder / "inbox").mkdir()
    names = [f"file{number}.txt" for number in range(9)]
    for name in names:
        (folder / "inbox" / name).write_text(name)
    link = Link(folder, POLL_SEC="0.05", LOG_MAX="4096")
    link.until(*(f"outbox/{Path(name).stem} " for name in names))
    return ended(link, "paxect_link_log.jsonl", signal.SIGINT)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """A Link with paths of its own, peers, and all that can go wrong in its inbox."""
    folder = tmp_path_factory.mktemp("busy")
    inbox = folder / "in"
    (inbox / "sub").mkdir(parents=True)
    write_policy(folder / "p.json", auto_delete=False, max_file_mb=1)
    write_manifest(folder / "link_manifest_node2.json", "node2", KEY.encode())
    write_manifest(folder / "link_manifest_forged.json", "node2", b"guess")
    (folder / "link_manifest_odd.json").write_text("{")
    (inbox / "hello.txt").write_text("hello\n")
    (inbox / "sub" / "numbers.csv").write_bytes(os.urandom(3 << 18))
    (inbox / "program.exe").write_text("no")
    (inbox / ".hidden.txt").write_text("no")
    (inbox / "half.txt.part").write_text("no")
    (inbox / "half.tmp").write_text("no")
    (inbox / "broken.freq").write_text("no container")
    (inbox / "large.bin").write_bytes(bytes((1 << 20) + 1))
    foreign = core_container(inbox / "hello.txt", folder / "foreign.freq")
    for name, digest in (("bad", "0" * 64), ("good", hashlib.sha256(foreign))):
        hexed = digest if isinstance(digest, str) else digest.hexdigest()
        (inbox / f"{name}.freq").write_bytes(foreign)
        # As `sha256sum` writes it: the first word counts.
        (inbox / f"{name}.freq.sha256").write_text(f"{hexed}  {name}.freq\n")
    (inbox / "loop").symlink_to(folder)
    link = Link(
        folder,
        INBOX="in",
        OUTBOX="out",
        POLICY="p.json",
        MANIFEST="link_manifest_own.json",
        LOG="log/e.jsonl",
        LOCK="the.lock",
        HMAC_KEY=KEY,
        POLL_SEC="0.05",
        BACKOFF_SEC="0.01",
    )
    link.until("out/hello ", "out/sub/numbers ", "out/good ")
    link.until("set_aside " + str(inbox / "bad.freq"))
    link.until("set_aside " + str(inbox / "broken.freq"))
    own = (folder / "link_manifest_own.json").read_bytes()
    second = subprocess.run(
        [sys.executable, "-m", "paxect_batch.cli.link"],
        cwd=folder,
        env=link_environment(LOCK="the.lock", MANIFEST="link_manifest_own.json"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (second.returncode, second.stdout) == (75, "")
    assert "another instance holds the lock 'the.lock'" in second.stderr
    assert (folder / "link_manifest_own.json").read_bytes() == own
    return ended(link, "log/e.jsonl")


def test_policy_that_is_missing_is_written_with_its_defaults(plain: Life) -> None:
    assert json.loads((plain.folder / "link_policy.json").read_text()) == {
        "version": "1.2.0",
        "trusted_nodes": [HOST, "localhost"],
        "allowed_suffixes": [".bin", ".txt", ".json", ".csv", ".aead", ".freq"],
        "max_file_mb": 256,
        "require_sig": False,
        "auto_delete": True,
        "log_level": "info",
    }


def test_banner_names_every_path_and_the_pace(plain: Life) -> None:
    banner = "\n".join(line for line in plain.lines if line.startswith("[LINK]"))
    for name in ("inbox", "outbox", "link_policy.json", "link_manifest.json"):
        assert str(plain.folder / name) in banner
    assert "[LINK] Watching… every 0.05 s (Ctrl+C to stop)" in banner
    assert plain.err == ""


def test_files_arrive_without_their_suffix_and_nothing_stays(plain: Life) -> None:
    arrived = {
        path.name: path.read_text() for path in (plain.folder / "outbox").iterdir()
    }
    assert arrived == {f"file{n}": f"file{n}.txt" for n in range(9)}
    assert [path.name for path in (plain.folder / "inbox").iterdir()] == [".paxect"]
    assert list((plain.folder / "inbox/.paxect/batches").iterdir()) == []


def test_log_has_the_events_of_a_life_with_their_fields(plain: Life) -> None:
    kinds = [each["event"] for each in plain.events]
    assert kinds[:2] == ["startup", "handshake_none"]
    assert kinds[-1] == "shutdown"
    assert sorted(kinds[2:-1]) == ["decode"] * 9 + ["encode"] * 9
    for each in plain.events:
        assert list(each)[: len(FIELDS)] == FIELDS
        assert each["version"] == "1.2.0"
    first = next(each for each in plain.of("encode") if "file0" in each["src"])
    assert first["src"] == str(plain.folder / "inbox" / "file0.txt")
    assert first["dst"] == str(plain.folder / "inbox" / "file0.freq")


def test_log_turns_at_its_limit_and_loses_nothing(plain: Life) -> None:
    log = plain.folder / "paxect_link_log.jsonl"
    assert (plain.folder / "paxect_link_log.jsonl.1").exists()
    assert log.stat().st_size <= 4096


def test_ctrl_c_and_sigterm_end_it_with_the_audit_line(plain: Life, busy: Life) -> None:
    assert (plain.code, plain.audit["exit_code"]) == (130, 130)
    assert (busy.code, busy.audit["exit_code"]) == (143, 143)
    assert plain.audit["seen"] == plain.audit["delivered"] == {"bytes": 81, "files": 9}
    audit = busy.audit
    parts = ("delivered", "set_aside", "blocked", "waiting")
    assert audit["seen"]["files"] == sum(audit[part]["files"] for part in parts)


def test_manifest_is_signed_as_link_signs(plain: Life, busy: Life) -> None:
    unsigned = json.loads((plain.folder / "link_manifest.json").read_text())
    assert unsigned["hmac_sha256"] is None
    path = busy.folder / "link_manifest_own.json"
    manifest = json.loads(path.read_text())
    payload = manifest["payload"]
    assert set(payload) == {
        "datetime_utc", "node", "platform", "policy", "inbox", "outbox", "version"
    }  # fmt: skip
    assert (payload["node"], payload["version"]) == (HOST, "1.2.0")
    data = json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()
    wanted = hmac.new(KEY.encode(), data, hashlib.sha256).hexdigest()
    assert manifest["hmac_sha256"] == wanted
    assert KEY not in path.read_text() + "".join(busy.lines) + busy.err


def test_peers_are_greeted_or_rejected_by_name(busy: Life) -> None:
    assert [each["message"] for each in busy.of("handshake")] == ["node2"]
    rejected = sorted(each["message"] for each in busy.of("handshake_reject"))
    assert rejected == ["bad_signature:node2"]
    odd = busy.of("handshake_parse_error")
    assert [each["src"] for each in odd] == ["link_manifest_odd.json"]


def test_containers_are_what_core_makes_at_level_5(busy: Life, tmp_path: Path) -> None:
    inbox = busy.folder / "in"
    for source, stem in (("hello.txt", "hello"), ("sub/numbers.csv", "sub/numbers")):
        container = (inbox / f"{stem}.freq").read_bytes()
        assert container == core_container(inbox / source, tmp_path / Path(stem).name)
        assert container[11] == 5
        sidecar = (inbox / f"{stem}.freq.sha256").read_text()
        assert sidecar == hashlib.sha256(container).hexdigest() + "\n"
        assert (busy.folder / "out" / stem).read_bytes() == (
            inbox / source
        ).read_bytes()


def test_bad_containers_stay_and_are_told_once_a_try(busy: Life) -> None:
    inbox, out = busy.folder / "in", busy.folder / "out"
    assert (inbox / "bad.freq").exists()
    assert (inbox / "broken.freq").exists()
    assert not (out / "bad").exists()
    assert not (out / "broken").exists()
    mismatches = busy.of("checksum_mismatch")
    assert {each["src"] for each in mismatches} == {str(inbox / "bad.freq")}
    assert len(mismatches) == 3
    assert len(busy.of("decode_error")) == 3
    assert len(busy.of("set_aside")) == 2


def test_foreign_container_is_decoded_by_its_sidecar(busy: Life) -> None:
    assert (busy.folder / "out" / "good").read_text() == "hello\n"


def test_blocks_are_told_once_and_sidecars_are_no_noise(busy: Life) -> None:
    blocks = {
        Path(each["src"]).name: each["message"] for each in busy.of("policy_block")
    }
    size = (1 << 20) + 1
    assert blocks == {
        "program.exe": "disallowed_suffix:.exe",
        "large.bin": f"file_too_large:{size}B",
    }
    assert len(busy.of("policy_block")) == 2
    outside = busy.of("path_outside_inbox")
    assert [Path(each["src"]).name for each in outside] == ["loop"]
    told = "".join(json.dumps(each) for each in busy.events)
    for name in (".sha256", ".hidden", ".part", "half.tmp"):
        assert name not in told


def sent(folder: Path) -> Path:
    """Have a container in the inbox that some other node made."""
    (folder / "inbox").mkdir()
    (folder / "raw").write_text("hello\n")
    core_container(folder / "raw", folder / "inbox" / "sent.freq")
    return folder / "inbox" / "sent.freq"


@pytest.mark.parametrize(
    ("key", "event", "message"),
    [
        (KEY.encode(), "decode", "sha256:"),
        (b"guess", "policy_block", "bad_signature:node2"),
        (None, "policy_block", "unsigned:node2"),
    ],
)
def test_require_sig_stops_what_peers_sent_unless_they_sign(
    tmp_path: Path, key: bytes | None, event: str, message: str
) -> None:
    write_policy(tmp_path / "link_policy.json", require_sig=True)
    write_manifest(tmp_path / "link_manifest_node2.json", "node2", key)
    container = sent(tmp_path)
    link = Link(tmp_path, HMAC_KEY=KEY, POLL_SEC="0.05")
    link.until(f"[LINK] {event} {container}")
    life = ended(link, "paxect_link_log.jsonl")
    assert life.of(event)[0]["message"].startswith(message)
    assert (tmp_path / "outbox" / "sent").exists() is (event == "decode")


def test_peer_that_is_not_trusted_stops_foreign_containers_and_no_own_files(
    tmp_path: Path,
) -> None:
    write_policy(tmp_path / "link_policy.json", auto_delete=False)
    write_manifest(tmp_path / "link_manifest_evil.json", "evil")
    container = sent(tmp_path)
    (tmp_path / "inbox" / "own.txt").write_text("own\n")
    link = Link(tmp_path, POLL_SEC="0.05")
    link.until(f"[LINK] policy_block {container}", "outbox/own ")
    # Seen after the pass that delivered it, as is what it made of it.
    (tmp_path / "inbox" / "late.exe").write_text("no")
    link.until("late.exe")
    life = ended(link, "paxect_link_log.jsonl")
    rejected = [each["message"] for each in life.of("handshake_reject")]
    assert rejected == ["untrusted_node:evil"]
    blocked = {Path(each["src"]).name for each in life.of("policy_block")}
    assert blocked == {"sent.freq", "late.exe"}
    assert not (tmp_path / "outbox" / "sent").exists()


def test_collision_is_logged_with_the_whole_path_of_what_is_in_the_way(
    tmp_path: Path,
) -> None:
    write_policy(tmp_path / "link_policy.json")
    container = sent(tmp_path)
    (tmp_path / "outbox").mkdir()
    taken = tmp_path / "outbox" / "sent"
    taken.write_text("older")
    link = Link(tmp_path, POLL_SEC="0.05")
    link.until("[LINK] collision")
    (event,) = ended(link, "paxect_link_log.jsonl").of("collision")
    assert event["src"] == str(container)
    assert (
        event["message"]
        == f"{taken} is taken by other bytes, or what may not be read, which stay"
    )
    assert taken.read_text() == "older"
