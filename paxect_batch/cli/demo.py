"""Show the relay on sample files: a share, a drain, the proof, and where things went.

Each step is a command as a user would type it, run as a process of its own, free of
what is configured for the user. The folder is temporary, and gone at the end however
that comes, unless it is to be kept or is named; one that holds anything is never used.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from paxect_batch.cli import console
from paxect_batch.cli.arguments import Arguments
from paxect_batch.cli.commands import PROGRAM
from paxect_batch.cli.settings import environment
from paxect_batch.cli.shell_words import shell_word
from paxect_batch.cli.stop import StopSignal
from paxect_batch.model.errors import BatchError, ConfigError, Exit, ShareError
from paxect_batch.report.amounts import count_text, size_text

NODE = "demo"
_SLICE_SECONDS = 0.1
_NAME_COLUMNS = 38
_OURS = "PAXECT_"
"""What the names of variables begin with that would configure what is shown here."""

WHERE_THINGS_WENT = f"""
where things went:

  share/outbox                    what arrived
  share/.paxect/ledger/{NODE}       a record of each step
  share/.paxect/log/{NODE}.jsonl    what happened, line by line
  share/.paxect/runs/{NODE}         the audit of each run
  share/.paxect/policy.toml       what may travel, and how

"""
LOOK_FURTHER = f"""\
look further, in {{folder}}:

  {PROGRAM} status share                  how it stands
  {PROGRAM} report share > report.html    a page about the run
  {PROGRAM} quarantine list share         what could not travel, and why

or drop a file into share/inbox, and drain it again"""
WITHOUT_IT = f"""\
look further:

  {PROGRAM} demo --keep          leaves the folder, to look around in
  {PROGRAM} init /mnt/exchange   makes a share of your own"""


class NotAsShown(BatchError):
    """What arrived is not what was dropped."""

    exit_code = Exit.INTEGRITY


def command(arguments: Arguments) -> int:
    """Show it all in a folder of its own."""
    with StopSignal() as stop, _folder(arguments) as (folder, is_kept):
        return _Demo(folder, stop, is_kept=is_kept).show()


@contextmanager
def _folder(arguments: Arguments) -> Iterator[tuple[Path, bool]]:
    """Give the folder to show it in, and whether it stays."""
    named = arguments.values.get("folder")
    if named is not None:
        yield _new_folder(named), True
    elif arguments.has("keep"):
        yield Path(tempfile.mkdtemp(prefix="paxect-demo-")), True
    else:
        with tempfile.TemporaryDirectory(prefix="paxect-demo-") as folder:
            yield Path(folder), False


def _new_folder(named: str) -> Path:
    folder = Path(named)
    try:
        folder.mkdir(exist_ok=True)
        is_empty = next(folder.iterdir(), None) is None
    except OSError as error:
        raise ShareError(
            f"making folder {named!r} gave: {console.os_error_text(error)}; nothing "
            "was touched; name one that can be made"
        ) from error
    if not is_empty:
        raise ConfigError(
            f"folder {named!r} is not empty; nothing was touched; name a new one"
        )
    return folder.absolute()


class _Demo:
    """One telling of the story."""

    def __init__(self, folder: Path, stop: StopSignal, *, is_kept: bool) -> None:
        self._folder = folder
        self._stop = stop
        self._is_kept = is_kept
        self._share = folder / "share"

    def show(self) -> int:
        """Tell it; return the exit code."""
        console.say("A share is a folder that machines have in common. This is one:\n")
        console.say(f"$ cd {shell_word(str(self._folder))}")
        for step in (self._lay_out, self._drain, self._prove):
            code = step()
            if self._stop.requested:
                console.complain(f"stopped; {self._left()}")
                return self._stop.exit_code
            if code != Exit.OK:
                console.complain(f"that ended with {code}; {self._left()}")
                return code
        console.say(self._whereabouts())
        return Exit.OK

    def _left(self) -> str:
        if self._is_kept:
            return f"all is still in {str(self._folder)!r}"
        return "the folder is gone again"

    def _lay_out(self) -> int:
        code = self._run("init", "--quiet", "share")
        if code == Exit.OK:
            self._dropped = _drop_samples(self._share / "inbox")
            console.say("\nProducers drop files into its inbox:\n")
            _list_files(self._share, "inbox")
        return code

    def _drain(self) -> int:
        console.say(
            "\nDrain it: each file becomes a container, which is read back; it\n"
            "appears whole in the outbox and is recorded; only then its source goes.\n"
            "First no file may have changed for two seconds.\n"
        )
        return self._run("drain", "--node", NODE, "--summary", "share")

    def _prove(self) -> int:
        console.say(
            "\nThe last line is the audit line, for programs: it accounts for each\n"
            "file. The inbox is empty now, and consumers take from the outbox:\n"
        )
        _list_files(self._share, "outbox")
        self._compare()
        console.say("\nAll that lies there can be held against what was recorded:\n")
        code = self._run("verify", "share")
        if code == Exit.OK:
            console.say("\nAnd both sides can see that they have the same files:\n")
            code = self._run("manifest", "share")
        return code

    def _compare(self) -> None:
        arrived = _digests(self._share / "outbox")
        if arrived != self._dropped or _digests(self._share / "inbox"):
            raise NotAsShown(
                f"what arrived is not what was dropped; {self._left()}; run the demo "
                "with --keep and look at the log in share/.paxect/log"
            )
        count = count_text(len(arrived), "file")
        console.say(f"\n  {count}, each equal to what was dropped, byte for byte")

    def _whereabouts(self) -> str:
        further = LOOK_FURTHER if self._is_kept else WITHOUT_IT
        return WHERE_THINGS_WENT + further.format(folder=self._folder)

    def _run(self, *words: str) -> int:
        """Run a command as it is typed; return its exit code."""
        line = " ".join(map(shell_word, (PROGRAM, *words)))
        console.say(f"$ {line}")
        console.flush()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "paxect_batch", *words],
            cwd=self._folder,
            env=self._variables(),
            stdin=subprocess.DEVNULL,
        )
        is_told = False
        while True:
            try:
                return process.wait(_SLICE_SECONDS)
            except subprocess.TimeoutExpired:
                if self._stop.requested and not is_told:
                    # Ctrl-C reaches it by itself, other signals do not.
                    process.terminate()
                    is_told = True

    def _variables(self) -> dict[str, str]:
        """Return an environment in which nothing but the defaults counts."""
        inherited = environment().items()
        kept = {name: text for name, text in inherited if not name.startswith(_OURS)}
        own = {
            "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
            "XDG_CONFIG_HOME": str(self._folder / "config"),
        }
        if not self._is_kept:
            # A node's lock on this machine stays there, to be used again.
            own |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self._folder))
        return kept | own


def _drop_samples(inbox: Path) -> dict[str, str]:
    """Drop the sample files; return their digests by path."""
    for name, data in _samples():
        path = inbox / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return _digests(inbox)


def _samples() -> Iterator[tuple[str, bytes]]:
    for day in (20, 21):
        rows = (f"{day}{row:05},{row * 7919 % 99991 / 100}\n" for row in range(40_000))
        yield f"orders/2026-11-{day}.csv", ("id,amount\n" + "".join(rows)).encode()
    noise = (sha256(number.to_bytes(4, "big")).digest() for number in range(1 << 15))
    yield "photos/pier at noon.raw", b"".join(noise)
    yield "photos/empty.raw", b""
    yield "note.txt", b"What is dropped here arrives over there.\n"


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _list_files(share: Path, root: str) -> None:
    for path in sorted((share / root).rglob("*")):
        if path.is_file():
            name = path.relative_to(share.parent).as_posix()
            console.say(
                f"  {name:<{_NAME_COLUMNS}}{size_text(path.stat().st_size):>12}"
            )
