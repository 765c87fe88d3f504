"""The environment `.venv` of this checkout, made with nothing but `python3`.

It is complete, as its stamp says, or it is made anew: nothing in it is ever mended.
The project is installed editable, so what runs is what stands in the checkout.
"""

import sys

# Kept readable for the oldest python3 still about, so that it can say what is wrong.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "paxect-batch needs Python 3.11 or newer, and this is "
        f"{sys.version_info[0]}.{sys.version_info[1]}; nothing was changed; "
        f"run it with a newer one, such as: python3.12 {sys.argv[0]}"
    )

import hashlib
import json
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK_NAME = "requirements-dev.txt"

_STAMP_NAME = "paxect-batch.json"
_STRAY_VARIABLES = ("PYTHONHOME", "PYTHONPATH", "PYTEST_ADDOPTS", "PYTEST_PLUGINS")


class SetupError(Exception):
    """The environment could not be made; the message says what to do."""


class Environment:
    """A virtual environment that holds the project, to run it or to develop it.

    One for development holds all that the lock file names, and serves to run as well.
    """

    def __init__(self, root: Path = ROOT, run=subprocess.run) -> None:
        self.root = root
        self.folder = root / ".venv"
        self._run = run
        self._programs = self.folder / ("Scripts" if os.name == "nt" else "bin")

    def program(self, name: str) -> str:
        """Return the path of a program in the environment, such as `python`."""
        return str(self._programs / (name + (".exe" if os.name == "nt" else "")))

    def make_ready(self, *, development: bool) -> None:
        """Make the environment unless it is complete, or raise `SetupError`."""
        if self._is_complete(development=development):
            return
        _require_venv()
        purpose = "development" if development else "running"
        print(
            f"making {self.folder} for {purpose}, once; packages are installed by pip",
            flush=True,
        )
        self._attempt(
            [sys.executable, "-I", "-m", "venv", "--clear", str(self.folder)],
            "remove it",
        )
        pip = [self.program("python"), "-I", "-m", "pip"]
        pip += ["--disable-pip-version-check", "--no-input", "install", "--quiet"]
        if development:
            # The build backend is in the lock file too: nothing is taken unhashed.
            lock = ["--require-hashes", "-r", str(self.root / LOCK_NAME)]
            unbuilt = ["--no-deps", "--no-build-isolation"]
            steps = [lock, [*unbuilt, "-e", str(self.root)]]
        else:
            # With metrics, which a demo shows.
            steps = [["-e", f"{self.root}[metrics]"]]
        for step in steps:
            self._attempt(pip + step, "see that the package index is in reach")
        stamp = json.dumps(self._stamp(development=development), indent=1)
        (self.folder / _STAMP_NAME).write_text(stamp + "\n", encoding="utf-8")

    def _is_complete(self, *, development: bool) -> bool:
        try:
            text = (self.folder / _STAMP_NAME).read_text(encoding="utf-8")
            found = json.loads(text)
        except (OSError, ValueError):
            return False
        wanted = self._stamp(development=development)
        if not isinstance(found, dict) or found != {**found, **wanted}:
            return False
        # Its Python may have been removed since; the program shows that all of it runs.
        command = [self.program("paxect-core"), "--version"]
        try:
            outcome = self._run(command, env=clean_variables(), capture_output=True)
        except OSError:
            return False
        return outcome.returncode == 0

    def _stamp(self, *, development: bool) -> "dict[str, str]":
        facts = {
            "python": f"{sys.version} in {sys.base_prefix}",
            "checkout": str(self.root),  # programs and the editable install name it
            "project": _digest(self.root / "pyproject.toml"),
        }
        if development:
            facts["lock"] = _digest(self.root / LOCK_NAME)
        return facts

    def _attempt(self, command: "list[str]", advice: str) -> None:
        outcome = self._run(command, env=clean_variables())
        if outcome.returncode:
            raise SetupError(
                f"{command[3]} ended with code {outcome.returncode}, for the reason "
                f"above; {self.folder} is incomplete, all else is as it was; "
                f"{advice} and run this again"
            )


def clean_variables() -> "dict[str, str]":
    """Return the environment variables without those that change what Python runs."""
    strays = _STRAY_VARIABLES
    return {
        name: value
        for name, value in os.environ.items()
        if name not in strays and not name.startswith(("PAXECT_", "COVERAGE_"))
    }


def _require_venv() -> None:
    for module in ("venv", "ensurepip"):
        if find_spec(module) is None:
            version = f"{sys.version_info[0]}.{sys.version_info[1]}"
            raise SetupError(
                f"this Python comes without its module {module}, which makes virtual "
                "environments; nothing was changed; on Debian and Ubuntu install it "
                f"with: apt install python{version}-venv"
            )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
