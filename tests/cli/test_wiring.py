"""What concerns the whole run is told to a person, and the log keeps to the policy."""

from pathlib import Path

import pytest
from cli_samples import make_share

from paxect_batch.cli.arguments import parse
from paxect_batch.cli.layout import find_layout
from paxect_batch.cli.policy_file import PolicyFile
from paxect_batch.cli.progress import Progress
from paxect_batch.cli.settings import load
from paxect_batch.cli.wiring import World
from paxect_batch.model.events import Event


@pytest.fixture
def share(tmp_path: Path) -> Path:
    return make_share(tmp_path)


def world(share: Path, *words: str, dry: bool = False) -> tuple[World, PolicyFile]:
    arguments = parse(["drain", "--node", "n1", *words])
    settings = load(arguments, share=str(share), environ={})
    layout = find_layout(settings)
    policy = PolicyFile(settings, layout)
    return World(settings, layout, policy, Progress(bar=False), dry=dry), policy


def test_log_level_follows_a_policy_that_changes(share: Path) -> None:
    made, policy = world(share)
    path = share / ".paxect" / "policy.toml"
    with made:
        made.events.write(Event.STARTUP)
        path.write_text('version = "2"\nlog_level = "warn"\n')
        policy()
        made.events.write(Event.POLICY_CHANGED)
        made.events.write(Event.ENCODE)
        made.events.write(Event.COLLISION)
    log = (share / ".paxect" / "log" / "n1.jsonl").read_text()
    assert [line.split('"event":"')[1].split('"')[0] for line in log.splitlines()] == [
        "startup",
        "collision",
    ]


def test_trouble_of_the_share_is_told_and_that_of_an_item_is_not(
    share: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, _ = world(share)
    with made:
        made.events.write(Event.SHARE_TROUBLE, message="stale handle")
        made.events.write(Event.DECODE_ERROR, message="bad")
    err = capsys.readouterr().err
    assert err == "paxect-batch: warning: share trouble: stale handle\n"


def test_policy_that_cannot_be_read_again_as_its_change_is_told_ends_nothing(
    share: Path,
) -> None:
    made, policy = world(share)
    path = share / ".paxect" / "policy.toml"
    with made:
        path.write_text('version = "2"\nlog_level = "debug"\n')
        policy()
        path.unlink()
        made.events.write(Event.POLICY_CHANGED, message="sha256:00")
        made.events.write(Event.PACE_SEEN)
    (log,) = (share / ".paxect" / "log").iterdir()
    assert "policy_changed" in log.read_text(encoding="utf-8")


def test_dry_world_writes_no_log(share: Path) -> None:
    made, _ = world(share, dry=True)
    with made:
        made.reopen_log()
        made.events.write(Event.STARTUP)
    assert made.events.begun
    assert not (share / ".paxect" / "log").exists()


def test_runs_sort_by_when_they_began_and_differ(share: Path) -> None:
    runs = [world(share, dry=True)[0].run for _ in range(5)]
    assert len(set(runs)) == 5
    assert [run[:19] for run in runs] == sorted(run[:19] for run in runs)


def test_workers_of_the_settings_count_over_the_cores(share: Path) -> None:
    assert world(share, "--workers", "7", dry=True)[0].workers == 7
    assert world(share, dry=True)[0].workers >= 1
