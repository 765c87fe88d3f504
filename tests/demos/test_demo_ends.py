"""Demos that are stopped, and all of them in turn with a report."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import psutil
import pytest
from demo_programs import DEMOS, SECONDS_MAX, environment, left_behind, show, start

pytestmark = pytest.mark.slow

ENDLESS = """\
import sys
from stage import Link, perform

def demo(stage):
    link = Link(stage, stage.folder)
    link.until("Watching")
    print("begun", flush=True)
    link.until("what never comes")

sys.exit(perform(demo))
"""
PASSING = 'print("well")\n'
FAILING = 'import sys\nprint("so far")\nsys.exit("demo_2_fails: not\\x07 so")\n'


@pytest.fixture
def demos(ground: Path) -> Path:
    """A folder with what runs demos, and two to run."""
    folder = ground / "demos"
    folder.mkdir()
    for name in ("run_all.py", "junit.py", "stage.py"):
        shutil.copy(DEMOS / name, folder)
    (folder / "demo_1_passes.py").write_text(PASSING)
    (folder / "complete_demo_01_passes.py").write_text(PASSING)
    return folder


@pytest.mark.skipif(os.name == "nt", reason="signals cannot be sent here")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_demo_that_is_stopped_leaves_neither_files_nor_processes(
    ground: Path, demos: Path, number: int, code: int
) -> None:
    (demos / "demo_3_endless.py").write_text(ENDLESS)
    for name in ("t", "elsewhere"):
        (ground / name).mkdir()
    demo = start(
        demos / "demo_3_endless.py",
        python=sys.executable,
        variables=environment(ground),
        cwd=ground / "elsewhere",
    )
    assert demo.stdout is not None
    assert demo.stdout.readline() == "begun\n", demo.communicate()
    begun = psutil.Process(demo.pid).children(recursive=True)
    assert begun
    demo.send_signal(number)
    _, err = demo.communicate(timeout=SECONDS_MAX)
    assert demo.returncode == code, err
    assert "Traceback" not in err
    assert left_behind(ground) == []
    _, alive = psutil.wait_procs(begun, timeout=SECONDS_MAX)
    assert alive == []


def test_run_all_tells_of_each_demo_in_turn(ground: Path, demos: Path) -> None:
    shown = show(ground, demos / "run_all.py")
    assert (shown.code, shown.err) == (0, "")
    lines = shown.out.splitlines()
    assert [line.split()[:2] for line in lines[:-1]] == [
        ["demo_1_passes", "passed"],
        ["complete_demo_01_passes", "passed"],
    ]
    assert lines[-1].startswith("2 demos, 0 failed, ")


def test_run_all_when_one_fails_shows_what_it_said_and_reports_it(
    ground: Path, demos: Path
) -> None:
    (demos / "demo_2_fails.py").write_text(FAILING)
    report = ground / "report.xml"
    shown = show(ground, demos / "run_all.py", "--junit", str(report))
    assert shown.code == 1
    assert "    demo_2_fails: not\x07 so\n    exit code 1\n" in shown.out
    assert "3 demos, 1 failed, " in shown.out
    suite = ET.parse(report).getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    names = [case.get("name") for case in suite]
    assert names == ["demo_1_passes", "demo_2_fails", "complete_demo_01_passes"]
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.text == "so far\ndemo_2_fails: not? so\nexit code 1"


def test_run_all_where_its_report_cannot_be_written_says_so(
    ground: Path, demos: Path
) -> None:
    report = ground / "no folder" / "report.xml"
    shown = show(ground, demos / "run_all.py", "--junit", str(report))
    assert shown.code == 1
    assert shown.err.startswith("run_all: ")
