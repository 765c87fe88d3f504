"""What the page on checking says suffices to check what the relay says."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from page_blocks import ROOT, blocks, commands, run_by

from paxect_batch.model.records import Record
from paxect_batch.report.digest import BatchDigest, canonical_line, raw_line

PAGE = "docs/checking.md"
KEY = "a key"
MARK = "AUDIT_SUMMARY_JSON="


def paxect(*words: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "paxect_batch", *map(str, words)],
        env={**os.environ, "PAXECT_BATCH_HMAC_KEY": KEY},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def drained(share: Path, node: str) -> dict[str, str]:
    *_, line = paxect("drain", share, "--node", node).splitlines()
    audit: dict[str, str] = json.loads(line.removeprefix(MARK))
    return audit


@pytest.fixture(scope="module")
def share(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a share on which two nodes delivered odd files, one of them twice."""
    share = tmp_path_factory.mktemp("checked") / "share"
    paxect("init", share)
    policy = share / ".paxect/policy.toml"
    settled = policy.read_text().replace(
        "#settle_seconds = 2.0", "settle_seconds = 0.0"
    )
    policy.write_text(settled)
    inbox = os.fsencode(share / "inbox")
    for round_ in (1, 2):
        for name in (b"empty", b"a\nb", b"no-utf8-\xff", f"\u00e4{round_}".encode()):
            Path(os.fsdecode(os.path.join(inbox, name))).write_bytes(name[:round_])
        drained(share, f"n{round_}")
        for path in (share / "outbox").iterdir():
            path.unlink()
    return share


def digests(share: Path, *runs: str) -> dict[str, str]:
    (program,) = run_by("tests/docs/test_checking.py", PAGE)
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(share), *runs],
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split(" ") for line in done.stdout.splitlines())


@pytest.mark.slow
def test_program_on_the_page_computes_the_digests_of_manifest(share: Path) -> None:
    told = json.loads(paxect("manifest", share, "--json"))
    found = digests(share)
    assert found == {name: told[name] for name in ("batch_digest", "raw_digest")}
    assert len(set(found.values())) == 2


@pytest.mark.slow
def test_program_on_the_page_computes_the_digest_of_an_audit(share: Path) -> None:
    audits = [json.loads(p.read_bytes()) for p in share.glob(".paxect/runs/*/*.json")]
    assert len(audits) == 2
    for audit in audits:
        assert digests(share, audit["run"])["batch_digest"] == audit["batch_digest"]


@pytest.mark.slow
def test_signature_is_over_what_the_page_says(share: Path) -> None:
    (form,) = [
        line.strip()
        for line in (ROOT / PAGE).read_text(encoding="utf-8").splitlines()
        if line.startswith("    json.dumps(payload")
    ]
    for path in share.glob(".paxect/nodes/*/manifest.json"):
        manifest = json.loads(path.read_bytes())
        signed = eval(form, {"json": json, "payload": manifest["payload"]}).encode()
        told = hmac.new(KEY.encode(), signed, hashlib.sha256).hexdigest()
        assert told == manifest["hmac_sha256"]


def test_example_on_the_page_has_the_line_and_the_digests_that_the_relay_makes() -> (
    None
):
    page = blocks((ROOT / PAGE).read_text(encoding="utf-8"))
    (text,) = [block.text for block in page if block.language == "json"]
    (shown,) = [block.text for block in page if block.language == "console"]
    record = msgspec.json.decode(text, type=Record)
    digests = BatchDigest(), BatchDigest(raw_line)
    for each in digests:
        each.add(record)
    assert re.findall(r"^([0-9a-f]{64})  -$", shown, re.MULTILINE) == [
        hashlib.sha256(canonical_line(record)).hexdigest(),
        *(each.hexdigest() for each in digests),
    ]
    _, made = commands(shown)[0]
    for word in (record.direction, str(record.target), record.raw_sha256):
        assert str(word) in made
