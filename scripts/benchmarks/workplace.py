"""Where a benchmark works, which tools it has, and how it times them."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path


class Unavailable(Exception):
    """Something that the benchmark needs is not there; says how to get it."""


PACKAGES = {
    "zstd": "Debian, Ubuntu and Fedora: package zstd; Homebrew: zstd",
    "openssl": "Debian, Ubuntu and Fedora: package openssl; Homebrew: openssl",
    "rsync": "Debian, Ubuntu and Fedora: package rsync; Homebrew: rsync",
}


def need_tools(*names: str) -> dict[str, str]:
    """Return the version of each tool, or raise `Unavailable`."""
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        raise Unavailable(
            "; ".join(f"{name} is not installed ({PACKAGES[name]})" for name in missing)
        )
    version = {"zstd": "--version", "openssl": "version", "rsync": "--version"}
    return {
        name: subprocess.run(
            [name, version[name]], capture_output=True, text=True, check=True
        )
        .stdout.strip()
        .partition("\n")[0]
        for name in names
    }


def memory_folder(
    chosen: str | None, *, bytes_needed: int
) -> AbstractContextManager[Path]:
    """Give a fresh folder, in memory unless another was chosen; remove it then."""
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    return _folder(chosen or memory, bytes_needed)


def disk_folder(
    chosen: str | None, *, bytes_needed: int
) -> AbstractContextManager[Path]:
    """Give a fresh folder, at home unless another was chosen; remove it then.

    A folder in memory has nothing to sync.
    """
    return _folder(chosen or os.path.expanduser("~"), bytes_needed)


@contextmanager
def _folder(base: str | None, bytes_needed: int) -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="paxect-bench.", dir=base))
    try:
        free = shutil.disk_usage(place).free
        if free < bytes_needed:
            raise Unavailable(
                f"{place.parent} has {free >> 20} MiB free, {bytes_needed >> 20} are "
                "needed; choose a smaller --size or another --dir"
            )
        yield place
    finally:
        shutil.rmtree(place)


def environment(core: Path | None) -> dict[str, str]:
    """Return the environment for children: compiled modules are kept, as installed."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PAXECT_MAX_INPUT_MB"}
    }
    return kept if core is None else kept | {"PYTHONPATH": str(core)}


def seconds_of(action: Callable[[], object]) -> float:
    """Return the wall-clock seconds that a call takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def run(*words: str | Path, env: dict[str, str] | None = None) -> None:
    """Run a command to its end; raise if it fails."""
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env=env)


def run_beside(first: tuple[str | Path, ...], second: tuple[str | Path, ...]) -> None:
    """Run two commands at the same time; raise if one fails."""
    with subprocess.Popen(first, stdout=subprocess.DEVNULL) as beside:
        run(*second)
    if beside.returncode:
        raise subprocess.CalledProcessError(beside.returncode, first)


def machine() -> dict[str, object]:
    """Describe the machine as far as its speed depends on it."""
    found: dict[str, object] = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }
    return found


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in text.splitlines())
    models = (line.startswith("model name") for line in text.splitlines())
    return next((n for n, m in zip(names, models, strict=True) if m), "unknown")


class Neighbours:
    """What other processes take of the processor while a benchmark runs."""

    def __init__(self) -> None:
        self._start = self._foreign(), time.perf_counter()

    def share(self) -> str:
        """Return it as text, since the beginning, over all cores."""
        before, since = self._start
        now = self._foreign()
        if before is None or now is None:
            return "unknown"
        cores = (time.perf_counter() - since) * (os.cpu_count() or 1)
        return f"{max(now - before, 0) / cores:.0%} of the processor"

    def _foreign(self) -> float | None:
        try:
            first = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
        except OSError:
            return None
        user, nice, system, _idle, _wait, *interrupts = map(int, first.split()[1:9])
        busy = user + nice + system + sum(interrupts)
        return busy / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])


def note(text: str) -> None:
    """Tell the person waiting what goes on."""
    print(text, file=sys.stderr, flush=True)
