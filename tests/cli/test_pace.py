"""What an operator asks of the pace, and decisions made again from an event log."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from paxect_batch.cli import kinds
from paxect_batch.cli.arguments import parse
from paxect_batch.cli.asked_pace import asked_pace
from paxect_batch.cli.main import main
from paxect_batch.cli.settings import load
from paxect_batch.model.events import EventLine
from paxect_batch.model.pace import Asked, PaceStep, Quiet

WORDS = ["drain", "--max-files", "9"]


@pytest.mark.parametrize(
    ("words", "rate"),
    [
        ("50MB/s", 50_000_000),
        ("4MiB/s", 4 << 20),
        ("1.5GB/s", 1_500_000_000),
        ("800kB", 800_000),
        ("9B/s", 9),
        ("50", None),
        ("50 apples", None),
        ("0MB/s", None),
        ("3iB/s", None),
        ("-1MB/s", None),
    ],
)
def test_rate_is_read_as_it_is_written(words: str, rate: int | None) -> None:
    assert kinds.rate_bytes(words) == rate


@pytest.mark.parametrize(
    ("words", "hours"),
    [
        ("08:00-18:00", ((480, 1080, 0.0),)),
        ("22:00-06:00@25%", ((1320, 360, 0.25),)),
        ("8:00-9:30,12:00-24:00@5%", ((480, 570, 0.0), (720, 1440, 0.05))),
        ("08:00-08:00", None),
        ("08:00-24:01", None),
        ("08:00", None),
        ("", None),
    ],
)
def test_quiet_hours_are_read_as_they_are_written(words: str, hours: object) -> None:
    assert kinds.quiet_hours(words) == hours


def test_what_is_asked_comes_from_the_settings_by_all_their_ways(
    tmp_path: Path,
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('quiet_hours = "08:00-18:00@25%"\nmax_files_per_minute = 60\n')
    words = [*WORDS, "--no-pace", "--max-rate", "2MB/s", "--config", str(config)]
    settings = load(parse(words), environ={"PAXECT_BATCH_NICE": "7"})
    assert settings.nice == 7
    assert asked_pace(settings) == Asked(
        guarded=False,
        rate_bytes=2_000_000,
        files_per_minute=60,
        quiet=(Quiet(480, 1080, 0.25),),
    )
    assert asked_pace(load(parse(["drain"]), environ={})) == Asked()


@pytest.fixture
def log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Return the log of a run at half the pace, which logged every decision."""
    share = tmp_path / "share"
    assert main(["init", str(share)]) == 0
    policy = next(share.rglob("policy.*"))
    text = policy.read_text()
    policy.write_text(text.replace('"log_level": "info"', '"log_level": "debug"'))
    (share / "inbox" / "a.txt").write_bytes(b"alpha")
    words = ["drain", str(share), "--workers", "1", "--node", "north"]
    assert main([*words, "--quiet-hours", "00:00-24:00@50%", "--nice", "0"]) in (0, 1)
    capsys.readouterr()
    return share / ".paxect" / "log" / "north.jsonl"


def test_replay_of_a_runs_log_gives_the_same_decisions(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pace", "replay", str(log)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "0.5   quiet-hours" in lines[0]
    assert lines[-1].endswith("decisions, 0 that come out otherwise") or (
        lines[-1] == "1 decision, 0 that come out otherwise"
    )
    assert main(["pace", "replay", str(log), "--json"]) == 0
    first = msgspec.json.decode(capsys.readouterr().out.splitlines()[0])
    assert first["same"] is True
    assert first["pace"]["cause"] == "quiet-hours"


def test_replay_finds_a_decision_that_does_not_follow(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = log.read_bytes().splitlines()
    lines = [msgspec.json.decode(each, type=EventLine) for each in data]
    changed = []
    for line in lines:
        if isinstance(line.pace, PaceStep):
            pace = msgspec.structs.replace(line.pace.pace, lots=1000)
            step = msgspec.structs.replace(line.pace, pace=pace)
            line = msgspec.structs.replace(line, pace=step)  # noqa: PLW2901
        changed.append(msgspec.json.encode(line) + b"\n")
    log.write_bytes(b"no event\n" + b"".join(changed))
    assert main(["pace", "replay", str(log)]) == 2
    assert "comes out otherwise" in capsys.readouterr().out


def test_replay_of_what_cannot_be_read_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pace", "replay", str(tmp_path / "none")]) == 3
    assert main(["pace", "replay"]) == 64
    assert "needs the path of an event log" in capsys.readouterr().err
