"""What real commands write and print holds for its schema."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_samples import Command, make_share
from jsonschema import Draft202012Validator

from paxect_batch.cli.main import main
from paxect_batch.report.schemas import SUBJECTS
from paxect_core.cli import main as core

SCHEMAS = Path(__file__).parents[2] / "schemas"
POLICY = 'exclude = ["*.exe"]\nbackoff_seconds = 100\nattempts = {}\n'
PRINTED = {
    "config": ("config", "show", "SHARE"),
    "doctor": ("doctor", "SHARE"),
    "manifest": ("manifest", "SHARE"),
    "status": ("status", "SHARE"),
    "verify": ("verify", "SHARE"),
    "view": ("top", "SHARE"),
}
LISTED = {
    "explanation": ("explain",),
    "reason": ("quarantine", "list", "SHARE"),
}
LINES = {
    "pace-replay": ("pace", "replay", "SHARE/.paxect/log/n1.jsonl"),
    "plan": ("drain", "--dry-run", "SHARE"),
    "quarantine": ("quarantine", "retry", "SHARE", "--all"),
}
WRITTEN = {
    "attempts": "attempts/*.json",
    "audit": "runs/*/*.json",
    "event": "log/*.jsonl",
    "reason": "quarantine/*/reason.json",
    "record": "ledger/*/*.jsonl",
    "run-settings": "settings/*/*.json",
    "share-marker": "share.json",
    "signed-manifest": "nodes/*/manifest.json",
}
OTHERWISE = {"core", "intent", "link-policy", "node-manifest", "policy", "run"}


def hold(name: str, document: object) -> None:
    text = (SCHEMAS / f"{name}.json").read_text(encoding="utf-8")
    Draft202012Validator(json.loads(text)).validate(document)


def documents(text: str) -> Iterator[object]:
    """Give one JSON document after the other."""
    decoder, at = json.JSONDecoder(parse_constant=pytest.fail), 0
    while at < len(text.rstrip()):
        document, end = decoder.raw_decode(text, at)
        yield document
        at = end + 1


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A share on which files arrived, failed once, were set aside, and were blocked."""
    share = make_share(tmp_path_factory.mktemp("template"))
    policy = share / ".paxect" / "policy.toml"
    plain = policy.read_text(encoding="utf-8")
    for attempts, bad in ((1, "aside.freq"), (3, "again.freq")):
        policy.write_text(plain + POLICY.format(attempts), encoding="utf-8")
        (share / "wire" / bad).write_bytes(b"not a container")
        for name in ("a.txt", "b.exe"):
            (share / "inbox" / name).write_bytes(b"abc")
        words = ["--node", "n1", "--max-rate", "1GB/s", str(share)]
        assert main(["drain", "-q", *words]) == 4
        (share / "outbox" / "a.txt").unlink()
    (share / "inbox" / "c.txt").write_bytes(b"waits")
    return share


def test_every_schema_is_held_against_something_real() -> None:
    assert {*PRINTED, *LISTED, *LINES, *WRITTEN, *OTHERWISE} | {"event"} >= set(
        SUBJECTS
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", PRINTED)
def test_what_is_printed_holds(name: str, share: Path, command: Command) -> None:
    words = [word.replace("SHARE", str(share)) for word in PRINTED[name]]
    (document,) = documents(command(*words, "--json").out)
    hold(name, document)


@pytest.mark.slow
@pytest.mark.parametrize("name", LISTED)
def test_what_is_listed_holds(name: str, share: Path, command: Command) -> None:
    words = [word.replace("SHARE", str(share)) for word in LISTED[name]]
    (listed,) = documents(command(*words, "--json").out)
    assert listed
    for document in listed:  # type: ignore[attr-defined]
        hold(name, document)


@pytest.mark.slow
@pytest.mark.parametrize("name", LINES)
def test_what_is_printed_line_by_line_holds(
    name: str, share: Path, command: Command
) -> None:
    words = [word.replace("SHARE", str(share)) for word in LINES[name]]
    for line in command(*words, "--json").out.splitlines():
        (document,) = documents(line)
        hold(name, document)


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_holds(name: str, template: Path) -> None:
    files = sorted((template / ".paxect").glob(WRITTEN[name]))
    found = [each for path in files for each in documents(path.read_text("utf-8"))]
    assert found
    for document in found:
        hold(name, document)
        if name == "signed-manifest":
            hold("node-manifest", document["payload"])  # type: ignore[index]


@pytest.mark.slow
def test_policy_that_is_laid_out_holds(template: Path) -> None:
    text = (template / ".paxect" / "policy.toml").read_text(encoding="utf-8")
    hold("policy", tomllib.loads(text))


@pytest.mark.slow
def test_run_when_asked_for_json_prints_its_end_and_the_audit_line(
    share: Path, command: Command
) -> None:
    end, audit = command("drain", "--json", share).out.splitlines()
    hold("run", json.loads(end))
    hold("audit", json.loads(audit.partition("=")[2]))


def test_dry_run_of_what_waits_for_ever_is_json(
    tmp_path: Path, command: Command
) -> None:
    share = make_share(tmp_path, 'ready_marker = ".ready"\n')
    (share / "inbox" / "a.txt").write_bytes(b"abc")
    (line,) = command("drain", "--dry-run", "--json", share).out.splitlines()
    ((document),) = documents(line)
    hold("plan", document)
    assert document["decision"]["wait_seconds"] is None  # type: ignore[index]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["encode", "-i", "a", "-o", "a.freq", "--force"], 0),
        (["decode", "-i", "good.freq", "-o", "b"], 0),
        (["verify", "good.freq"], 0),
        (["verify", "a"], 4),
        (["verify", "none"], 3),
        (["inspect", "--frames", "--digest", "good.freq"], 0),
    ],
)
def test_line_of_the_engine_holds(
    words: list[str],
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a").write_bytes(b"some bytes")
    assert core(["encode", "-i", "a", "-o", "good.freq"]) == 0
    assert core([*words, "--json"]) == code
    (document,) = documents(capfd.readouterr().out)
    hold("core", document)
