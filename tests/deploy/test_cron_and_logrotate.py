"""The line for cron drains and keeps what it is to keep; logrotate takes its file."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from deploy_files import DEPLOY, PROGRAM, SHARE, Place, unit

from paxect_batch.cli.arguments import parse

CRON = (DEPLOY / "cron" / "paxect-batch").read_text(encoding="utf-8")
ROTATE = (DEPLOY / "logrotate" / "paxect-batch").read_text(encoding="utf-8")


def job() -> tuple[list[str], str, str]:
    """Return when, who and what of the one job."""
    (line,) = [line for line in CRON.splitlines() if re.match(r"[0-9*]", line)]
    *when, who, what = line.split(maxsplit=6)
    return when, who, what


def test_cron_runs_what_parses_at_a_time_that_is_one() -> None:
    when, who, what = job()
    assert len(when) == 5
    assert who == unit(DEPLOY / "systemd" / "paxect-batch-drain@.service")["User"][0]
    program, *words = shlex.split(what.partition(" >>")[0])
    assert program == PROGRAM
    arguments = parse(words)
    assert (arguments.command, arguments.operands) == ("drain", (SHARE,))
    assert "%" not in what  # which ends a command of cron
    assert CRON.endswith("\n")  # without which cron leaves the line out


def test_cron_and_the_timer_drain_alike() -> None:
    (start,) = unit(DEPLOY / "systemd" / "paxect-batch-drain@.service")["ExecStart"]
    assert job()[2].partition(" >>")[0] == start.replace("%f", SHARE)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("sh") is None, reason="no POSIX shell here")
def test_line_of_cron_delivers_and_keeps_the_audit_line(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.drop("a.txt", b"some bytes")
    done = place.run(["sh", "-c", place.here(job()[2])])
    assert (done.stdout, done.stderr) == ("", "")
    assert (place.share / "outbox" / "a.txt").read_bytes() == b"some bytes"
    (line,) = (place.log / "drain.log").read_text().splitlines()
    assert line.startswith("AUDIT_SUMMARY_JSON=")


@pytest.mark.skipif(shutil.which("logrotate") is None, reason="no logrotate here")
def test_logrotate_takes_its_file_and_rotates(tmp_path: Path) -> None:
    place = Place(tmp_path)
    config = tmp_path / "paxect-batch.conf"
    text = place.here(ROTATE).replace("    su paxect paxect\n", "")
    config.write_text(text, encoding="utf-8")
    config.chmod(0o644)
    place.log.chmod(0o755)
    for name in ("drain.log", "node.jsonl"):
        (place.log / name).write_text("line\n")
    rotate = ["logrotate", "--state", str(tmp_path / "state")]
    tried = subprocess.run(
        [*rotate, "--debug", str(config)], capture_output=True, text=True, check=True
    )
    assert "error" not in tried.stderr
    subprocess.run([*rotate, "--force", str(config)], check=True, capture_output=True)
    rotated = {"drain.log.1", "node.jsonl.1"}
    assert {path.name for path in place.log.iterdir()} == rotated


def test_logrotate_rotates_where_cron_and_the_units_write() -> None:
    folder = "/var/log/paxect-batch"
    assert f"{folder}/*.log" in ROTATE
    assert f">>{folder}/drain.log" in job()[2]
    service = unit(DEPLOY / "systemd" / "paxect-batch-watch@.service")
    assert service["LogsDirectory"] == [Path(folder).name]
    assert f"su {service['User'][0]} {service['Group'][0]}" in ROTATE
    assert "paxect-batch-watch@*.service" in ROTATE
    assert "HUP" in service["ExecReload"][0]
