"""Where a demo takes place: a folder of its own, and the commands that it runs there.

The folder and all that was started are gone afterwards, however the demo ends. What
a user has configured stays out of it, and it tells of the first thing that is not so.
"""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, NoReturn

SECONDS_MAX = 300.0
"""When something is said to hang; never how fast it has to be."""
REMOVALS_MAX = 50
AUDIT = "AUDIT_SUMMARY_JSON="
EAGER_POLICY = 'version = "2"\nsettle_seconds = 0.0\n'
"""The files of a demo are whole when they are dropped, so none has to settle."""
MODULES = {
    "paxect-core": "paxect_core",
    "paxect-batch": "paxect_batch",
    "paxect-link": "paxect_batch.cli.link",
}

if importlib.util.find_spec("paxect_core") is None:
    sys.exit(
        f"paxect-batch is not installed for {sys.executable}; `python3 scripts/try` "
        "installs it in .venv, and .venv/bin/python runs the demos then"
    )


class Untrue(Exception):
    """What the demo is to show is not so."""


def expect(holds: object, otherwise: str) -> None:
    """Go on if something holds."""
    if not holds:
        raise Untrue(otherwise)


def perform(demo: Callable[["Stage"], None]) -> int:
    """Run a demo on a stage of its own; return the exit code."""
    name = Path(sys.argv[0]).stem
    for number in _ending_signals():
        signal.signal(number, _stop)
    try:
        with Stage() as stage:
            demo(stage)
            sys.stdout.flush()
    except KeyboardInterrupt:
        print(f"{name}: stopped by Ctrl-C; nothing is left of it", file=sys.stderr)
        return 130
    except (Untrue, OSError, subprocess.SubprocessError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    except (LookupError, TypeError, ValueError) as error:
        # Whatever a command answered, it is not what it answers when all is well.
        text = f"an answer cannot be read: {type(error).__name__}: {error}"
        print(f"{name}: {text}", file=sys.stderr)
        return 1
    return 0


def _ending_signals() -> list[int]:
    names = ("SIGTERM", "SIGHUP", "SIGBREAK")
    known = (getattr(signal, name, None) for name in names)
    return [
        number
        for number in known
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN
    ]


def _stop(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)


class Ran(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def audit(self) -> dict[str, Any]:
        """What the audit line says, which has to be the last line, and the only one."""
        return audit_in(self.out.splitlines())


def audit_in(lines: list[str]) -> dict[str, Any]:
    """Return what the audit line says, which has to be the last, and the only one."""
    found = [line for line in lines if line.startswith(AUDIT)]
    is_last = found and found == lines[-1:]
    expect(
        is_last, f"the last line is no audit line, or not the only one: {lines[-3:]}"
    )
    audit: dict[str, Any] = json.loads(lines[-1].removeprefix(AUDIT))
    return audit


class Stage:
    """A folder that is gone afterwards, and what runs in it."""

    def __init__(self) -> None:
        # With no links in it: commands tell of themselves by whole paths.
        self.folder = Path(tempfile.mkdtemp(prefix="paxect-demo-")).resolve()
        self._processes: list[subprocess.Popen[str]] = []
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("PAXECT_")}
        places = ("TMPDIR", "TEMP", "TMP", "XDG_CONFIG_HOME")
        (self.folder / "tmp").mkdir()
        own = dict.fromkeys(places, str(self.folder / "tmp"))
        self.variables = {**inherited, **own, "PYTHONUTF8": "1"}
        """The environment of all that runs here."""

    def __enter__(self) -> "Stage":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # From here on nothing may stop it: what is left would be left for good.
        for number in (signal.SIGINT, *_ending_signals()):
            signal.signal(number, signal.SIG_IGN)
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in filter(None, (process.stdout, process.stderr)):
                stream.close()
        self._remove()

    def _remove(self) -> None:
        for _ in range(REMOVALS_MAX):
            try:
                shutil.rmtree(self.folder)
            except FileNotFoundError:
                if not self.folder.exists():
                    return
            except OSError:
                # A worker whose coordinator was killed notices within a moment.
                time.sleep(0.1)
            else:
                return
        shutil.rmtree(self.folder)

    def run(
        self,
        *words: object,
        exit_code: int = 0,
        variables: Mapping[str, str] | None = None,
    ) -> Ran:
        """Run a command to its end, in the folder; its exit code has to be that."""
        process = self.start(*words, merged=False, variables=variables)
        out, err = process.communicate(timeout=SECONDS_MAX)
        expect(
            process.returncode == exit_code,
            f"{_shown(words)} ended with {process.returncode}, not with {exit_code}; "
            f"it said: {(err or out).strip() or 'nothing'}",
        )
        return Ran(process.returncode, out, err)

    def start(
        self,
        *words: object,
        cwd: Path | None = None,
        merged: bool = True,
        variables: Mapping[str, str] | None = None,
    ) -> "subprocess.Popen[str]":
        """Start a command; what is still there of it at the end is ended then."""
        program, *rest = map(str, words)
        process = subprocess.Popen(
            [*command(program), *rest],
            cwd=cwd or self.folder,
            env={**self.variables, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            # Windows can ask a process to stop only if it leads a group.
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self._processes.append(process)
        return process

    def share(self, name: str = "share", policy: str = EAGER_POLICY) -> Path:
        """Lay out a share with a policy; return its folder."""
        share = self.folder / name
        self.run("paxect-batch", "init", "--quiet", share)
        (share / ".paxect" / "policy.toml").write_text(policy, encoding="utf-8")
        return share

    def drain(self, share: Path, *words: object, exit_code: int = 0) -> Ran:
        """Drain a share with one worker, as a node of a name that tells nothing."""
        options = ("--workers", "1", "--quiet", *words)
        node = () if "--node" in words else ("--node", "demo")
        return self.run(
            "paxect-batch", "drain", *options, *node, share, exit_code=exit_code
        )


def command(program: str) -> list[str]:
    """Return what runs a command: the one beside this Python, or its module."""
    installed = shutil.which(program, path=os.path.dirname(sys.executable))
    return [installed] if installed else [sys.executable, "-m", MODULES[program]]


def _shown(words: Iterable[object]) -> str:
    return " ".join(str(word) for word in words)


class Watched:
    """A command that goes on until it is stopped, and what it has said so far."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.lines: list[str] = []
        # Nobody can wait for a line and for a clock at once on every platform.
        self._watchdog = threading.Timer(SECONDS_MAX, process.kill)
        self._watchdog.daemon = True
        self._watchdog.start()

    def until(self, *wanted: str) -> None:
        """Wait until it said each of these, in whatever lines."""
        missing = [word for word in wanted if not any(word in x for x in self.lines)]
        assert self._process.stdout is not None
        while missing:
            line = self._process.stdout.readline()
            if not line:
                said = "\n  ".join(self.lines[-5:])
                raise Untrue(
                    f"{missing[0]!r} was waited for in vain; it said:\n  {said}"
                )
            self.lines.append(line.rstrip("\n"))
            missing = [word for word in missing if word not in line]

    def stop(self) -> int:
        """Ask it to stop; return its exit code."""
        # SIGTERM, and on Windows what comes closest to it.
        number = getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM)
        self._process.send_signal(number)
        out, _ = self._process.communicate(timeout=SECONDS_MAX)
        self._watchdog.cancel()
        self.lines += out.splitlines()
        return self._process.returncode


class Link(Watched):
    """`paxect-link` at work between `inbox` and `outbox` of a folder."""

    def __init__(self, stage: Stage, folder: Path, **variables: str) -> None:
        """`variables`: those of Link, without `PAXECT_LINK_`."""
        self.folder = folder
        self.outbox = folder / variables.get("OUTBOX", "outbox")
        self._log = folder / variables.get("LOG", "paxect_link_log.jsonl")
        given = {"POLL_SEC": "0.1", "BACKOFF_SEC": "0.1", **variables}
        named = {f"PAXECT_LINK_{name}": value for name, value in given.items()}
        super().__init__(stage.start("paxect-link", cwd=folder, variables=named))

    def end(self) -> dict[str, Any]:
        """Stop it; return its audit."""
        code = self.stop()
        expect(code == 143, f"paxect-link ended with {code}, not with 143")
        return audit_in(self.lines)

    def outbox_names(self) -> list[str]:
        """Return the names of what was delivered."""
        return sorted(path.name for path in self.outbox.iterdir())

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """Return what it logged of these kinds, or all."""
        lines = self._log.read_text(encoding="utf-8").splitlines()
        return [
            event
            for event in map(json.loads, lines)
            if event["event"] in kinds or not kinds
        ]


def drop(folder: Path, **files: bytes) -> None:
    """Drop files into a folder, `a_txt` as `a.txt`, as a careful producer does."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        part = folder / f"{name}.part"
        part.write_bytes(data)
        part.rename(folder / name.replace("_", "."))
