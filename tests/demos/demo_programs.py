"""Demos as processes of their own, and commands for them that do one thing wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DEMOS = ROOT / "demos"
SECONDS_MAX = 300.0
"""When a demo is said to hang."""

MODULES = {
    "paxect-core": "paxect_core.cli",
    "paxect-batch": "paxect_batch.cli.main",
    "paxect-link": "paxect_batch.cli.link",
}

SHIM = """\
#!{python}
import sys
from pathlib import Path

def tell(line):
    return line

def end(code):
    return code

{lie}

class Told:
    def __init__(self, stream):
        self._stream = stream
        self._begun = ""

    def write(self, text):
        *lines, self._begun = (self._begun + text).split("\\n")
        for line in lines:
            self._stream.write(tell(line) + "\\n")

    def __getattr__(self, name):
        return getattr(self._stream, name)

sys.stdout = Told(sys.stdout)
from {module} import main
code = main()
sys.stdout.flush()
sys.exit(end(code))
"""
"""A command as it is, but for the lie: another word on a line, or a deed at the end."""


def environment(ground: Path, *more: str) -> dict[str, str]:
    """Return an environment in which a demo finds this project, and this folder."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PAXECT_")}
    search = os.pathsep.join((str(ROOT / "core"), str(ROOT), *more))
    places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(ground / "t"))
    return {**kept, **places, "PYTHONPATH": search}


def start(
    demo: Path, *words: str, python: str, variables: Mapping[str, str], cwd: Path
) -> subprocess.Popen[str]:
    """Start a demo."""
    return subprocess.Popen(
        [python, str(demo), *words],
        env=dict(variables),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Shown(NamedTuple):
    """What became of a demo."""

    code: int
    out: str
    err: str


def show(ground: Path, demo: str | Path, *words: str) -> Shown:
    """Run a demo from a folder that has nothing to do with it."""
    return _shown(ground, demo, words, sys.executable, environment(ground))


def show_with_lie(ground: Path, demo: str, program: str, lie: str) -> Shown:
    """Run a demo beside whose Python lies a command that does one thing wrong."""
    python = _python_of_its_own(ground / "v")
    shim = ground / "v" / "bin" / program
    shim.write_text(SHIM.format(python=python, module=MODULES[program], lie=lie))
    shim.chmod(0o755)
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    return _shown(ground, demo, (), str(python), environment(ground, *libraries))


def _shown(
    ground: Path,
    demo: str | Path,
    words: tuple[str, ...],
    python: str,
    variables: Mapping[str, str],
) -> Shown:
    for name in ("t", "elsewhere"):
        (ground / name).mkdir(exist_ok=True)
    process = start(
        DEMOS / demo,
        *words,
        python=python,
        variables=variables,
        cwd=ground / "elsewhere",
    )
    out, err = process.communicate(timeout=SECONDS_MAX)
    return Shown(process.returncode, out, err)


def _python_of_its_own(folder: Path) -> Path:
    """Make a virtual environment with nothing in it; return its Python."""
    real = os.path.realpath(sys.executable)
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(real)
    (folder / "pyvenv.cfg").write_text(f"home = {os.path.dirname(real)}\n")
    return python


def left_behind(ground: Path) -> list[str]:
    """Return what lies in the folders that a demo could have written to."""
    folders = (ground / "t", ground / "elsewhere")
    return [str(path) for folder in folders for path in folder.iterdir()]
