"""The README's commands: what they set up, what they show, what they count."""

import ast
import importlib.util
import json
import os
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import paxect_batch
import paxect_core

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"


def load(name: str) -> ModuleType:
    path = str(SCRIPTS / name)
    module_name = f"script_{name.removesuffix('.py')}"
    loader = SourceFileLoader(module_name, path)
    spec = importlib.util.spec_from_loader(module_name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        patch.setattr(sys, "dont_write_bytecode", True)
        patch.setitem(sys.modules, module_name, module)
        loader.exec_module(module)
    return module


environment = load("environment.py")
check = load("check")
try_ = load("try")
environment_variables = environment.clean_variables
PROGRAMS = ("paxect-batch", "paxect-core")


class Machine:
    """Stands for `subprocess.run`: notes commands, makes what they would make."""

    def __init__(self, *, failing: str = "") -> None:
        self.commands: list[list[str]] = []
        self.failing = failing

    def __call__(self, command: list[str], **_options: object) -> SimpleNamespace:
        self.commands.append(command)
        if "venv" in command:
            Path(command[-1]).mkdir(exist_ok=True)
        return SimpleNamespace(returncode=int(bool(self.failing in command)))

    def installs(self) -> list[list[str]]:
        return [c[c.index("install") + 2 :] for c in self.commands if "install" in c]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "a check out"
    root.mkdir()
    (root / "pyproject.toml").write_text("[project]\n")
    (root / "requirements-dev.txt").write_text("pytest==1\n")
    return root


def made(root: Path, *, development: bool) -> Machine:
    machine = Machine()
    environment.Environment(root, run=machine).make_ready(development=development)
    return machine


def test_environment_for_running_when_new_installs_the_project(checkout: Path) -> None:
    machine = made(checkout, development=False)
    assert machine.commands[0][-2:] == ["--clear", str(checkout / ".venv")]
    assert machine.installs() == [["-e", f"{checkout}[metrics]"]]


def test_environment_for_development_when_new_takes_hashed_packages_only(
    checkout: Path,
) -> None:
    locked, project = made(checkout, development=True).installs()
    assert locked == ["--require-hashes", "-r", str(checkout / "requirements-dev.txt")]
    assert project == ["--no-deps", "--no-build-isolation", "-e", str(checkout)]


@pytest.mark.parametrize("development", [False, True])
def test_environment_when_complete_is_left_alone(
    checkout: Path, development: bool
) -> None:
    made(checkout, development=development)
    second = made(checkout, development=development)
    assert [command[-1] for command in second.commands] == ["--version"]


def test_environment_for_development_serves_to_run(checkout: Path) -> None:
    made(checkout, development=True)
    assert not made(checkout, development=False).installs()
    assert not made(checkout, development=True).installs()


def test_environment_for_running_does_not_serve_development(checkout: Path) -> None:
    made(checkout, development=False)
    assert made(checkout, development=True).installs()


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements-dev.txt"])
def test_environment_when_its_inputs_changed_is_made_anew(
    checkout: Path, name: str
) -> None:
    made(checkout, development=True)
    (checkout / name).write_text("changed")
    assert made(checkout, development=True).installs()


def test_environment_when_made_by_another_python_is_made_anew(checkout: Path) -> None:
    made(checkout, development=False)
    stamp = checkout / ".venv" / "paxect-batch.json"
    facts = json.loads(stamp.read_text())
    stamp.write_text(json.dumps(facts | {"python": "3.11.0 elsewhere"}))
    assert made(checkout, development=False).installs()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00"])
def test_environment_when_its_stamp_is_damaged_is_made_anew(
    checkout: Path, text: str
) -> None:
    made(checkout, development=False)
    (checkout / ".venv" / "paxect-batch.json").write_text(text)
    assert made(checkout, development=False).installs()


def test_environment_when_the_checkout_moved_is_made_anew(checkout: Path) -> None:
    made(checkout, development=False)
    moved = checkout.rename(checkout.with_name("moved"))
    assert made(moved, development=False).installs()


def test_environment_when_its_programs_are_gone_is_made_anew(checkout: Path) -> None:
    made(checkout, development=False)

    def run(command: list[str], **options: object) -> SimpleNamespace:
        if command[-1] == "--version":
            raise FileNotFoundError(command[0])
        return later(command, **options)

    later = Machine()
    environment.Environment(checkout, run=run).make_ready(development=False)
    assert later.installs()


@pytest.mark.parametrize("failing", ["venv", "pip"])
def test_environment_when_a_step_fails_says_so_and_is_not_complete(
    checkout: Path, failing: str
) -> None:
    broken = environment.Environment(checkout, run=Machine(failing=failing))
    with pytest.raises(environment.SetupError, match=f"{failing} ended with code 1"):
        broken.make_ready(development=False)
    assert made(checkout, development=False).installs()


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_environment_when_python_lacks_venv_names_the_package(
    checkout: Path, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "find_spec", lambda name: name != missing or None)
    machine = Machine()
    bare = environment.Environment(checkout, run=machine)
    with pytest.raises(environment.SetupError, match=r"apt install python3\.\d+-venv"):
        bare.make_ready(development=False)
    assert not machine.commands


def test_variables_that_change_what_python_runs_are_kept_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("PYTHONPATH", "PYTEST_ADDOPTS", "PAXECT_MAX_INPUT_MB"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("PIP_CERT", "kept")
    variables = environment.clean_variables()
    assert variables["PIP_CERT"] == "kept"
    assert not variables.keys() & {
        "PYTHONPATH",
        "PYTEST_ADDOPTS",
        "PAXECT_MAX_INPUT_MB",
    }


@pytest.mark.parametrize("name", ["try", "check", "lock", "environment.py"])
def test_script_can_be_read_by_an_old_python(name: str) -> None:
    ast.parse((SCRIPTS / name).read_text(encoding="utf-8"), feature_version=(3, 6))


@pytest.mark.parametrize("name", ["try", "check", "lock"])
def test_script_when_python_is_too_old_says_which_is_needed(name: str) -> None:
    program = (
        "import runpy, sys; sys.version_info = (3, 10, 13, 'final', 0); "
        "sys.argv[1:] = []; sys.argv[0] = sys.orig_argv[-1]; "
        "sys.path.insert(0, sys.orig_argv[-2]); "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    outcome = subprocess.run(
        [sys.executable, "-B", "-c", program, str(SCRIPTS), str(SCRIPTS / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 1
    assert "needs Python 3.11 or newer, and this is 3.10" in outcome.stderr
    assert f"python3.12 {SCRIPTS / name}" in outcome.stderr


@pytest.mark.slow
def test_tour_on_sample_files_goes_to_its_end(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(try_.environment, "clean_variables", _with_packages)
    python = [sys.executable, "-m"]
    programs = {name: [*python, name.replace("-", "_")] for name in PROGRAMS}
    try_.Tour(tmp_path, programs).go()
    shown = capsys.readouterr().out
    assert shown.count("are equal, byte for byte") == 7
    assert '"delivered":{"bytes":4194319,"files":3}' in shown
    assert "exit code 2" in shown
    assert shown.endswith("all as it should be\n")


def _with_packages() -> dict[str, str]:
    homes = {
        str(Path(module.__file__).parents[1]) for module in (paxect_core, paxect_batch)
    }
    return environment_variables() | {"PYTHONPATH": os.pathsep.join(homes)}


def test_tour_when_a_command_fails_stops(tmp_path: Path) -> None:
    failing = [sys.executable, "-c", "raise SystemExit(3)"]
    tour = try_.Tour(tmp_path, dict.fromkeys(PROGRAMS, failing))
    with pytest.raises(try_.Surprise, match="exit code 3, not 0"):
        tour.go()


def test_tour_when_files_differ_stops(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    with pytest.raises(try_.Surprise, match="a and b differ"):
        try_.Tour(tmp_path, {})._compare("a", "b")


SUITE = """
import pytest
@pytest.mark.parametrize("n", range(3))
def test_passes(n): pass
@pytest.mark.skipif(True, reason="no such thing here")
def test_is_skipped(): pass
"""


@pytest.mark.slow
def test_counts_of_a_real_suite_agree(tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_some.py").write_text(SUITE)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    pytest_command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]

    def output(*words: str) -> str:
        return subprocess.run(
            [*pytest_command, *words],
            cwd=tmp_path,
            env=environment.clean_variables(),
            capture_output=True,
            text=True,
            check=False,
        ).stdout

    held = check.tests_held(output("--collect-only", "-qq"))
    output("--junit-xml=results.xml")
    outcome = check.read_results(tmp_path / "results.xml")
    assert held == {"tests/test_some.py": 4}
    assert outcome == check.TestOutcome(passed=3, skipped=1)
    assert not check.shortfalls(
        held=held, files=["tests/test_some.py"], outcome=outcome
    )


def test_count_when_fewer_tests_ran_than_are_held_complains() -> None:
    complaints = check.shortfalls(
        held={"tests/test_a.py": 3},
        files=["tests/test_a.py"],
        outcome=check.TestOutcome(passed=1, skipped=1),
    )
    assert complaints == ["the suite holds 3 tests, 2 of them ran to an end"]


def test_count_when_a_file_holds_no_test_complains() -> None:
    complaints = check.shortfalls(
        held={"tests/test_a.py": 3},
        files=["tests/test_a.py", "tests/test_b.py"],
        outcome=check.TestOutcome(passed=3, skipped=0),
    )
    assert complaints == ["tests/test_b.py holds no test that pytest finds"]


def test_count_when_nothing_is_held_complains() -> None:
    nothing = check.TestOutcome(passed=0, skipped=0)
    assert check.shortfalls(held={}, files=[], outcome=nothing)


def test_results_of_failed_tests_do_not_count_as_run_to_an_end(tmp_path: Path) -> None:
    path = tmp_path / "results.xml"
    path.write_text(
        "<testsuites><testsuite><testcase><failure/></testcase>"
        "<testcase><error/></testcase><testcase/></testsuite></testsuites>"
    )
    assert check.read_results(path) == check.TestOutcome(passed=1, skipped=0)


def test_measurements_torn_by_a_kill_are_dropped_and_the_others_combined(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "part.py").write_text("one = 1\nif one:\n    two = 2\n")
    variables = environment.clean_variables()
    variables["COVERAGE_FILE"] = str(tmp_path / "coverage")

    def coverage(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "coverage", *words],
            cwd=tmp_path,
            env=variables,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    for _ in range(3):
        coverage("run", "--parallel-mode", "part.py")
    empty, torn, _whole = sorted(tmp_path.glob("coverage.*"))
    empty.write_bytes(b"")
    torn.write_bytes(torn.read_bytes()[: torn.stat().st_size // 2])
    check.drop_torn_measurements(tmp_path)
    assert capsys.readouterr().out.splitlines() == [
        f"{path.name}: left torn by a process that was killed; not counted"
        for path in (empty, torn)
    ]
    coverage("combine", "--quiet")
    assert coverage("report").endswith("TOTAL         3      0   100%\n")
