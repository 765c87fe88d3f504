"""A session at a terminal, really held, with the same outcome each time.

The files are fixed, the node has a name, and what the clock decides (how long it took,
the id of the run) is left out, so that a session differs only if the program does.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from terminal_svg import Shown, svg

ROOT = Path(__file__).resolve().parents[2]
IMAGE = ROOT / "docs" / "images" / "session.svg"
COLUMNS = 88
SAMPLES = {"customers.csv": 20_000, "orders.csv": 50_000, "stock.csv": 8_000}
COMMANDS = (
    "paxect-batch init --quiet exchange && cp *.csv exchange/inbox",
    "paxect-batch drain exchange",
    "ls exchange/inbox exchange/outbox",
    "paxect-batch manifest exchange --checksums SHA256SUMS | head -n 1",
    "cd exchange/outbox && sha256sum -c ../../SHA256SUMS && cd ../..",
    "printf 'not a container' >exchange/wire/odd.freq",
    'paxect-batch drain --no-summary exchange >audit.txt; echo "exit code $?"',
    "paxect-batch explain bad-magic",
)
_MASKS = (
    (re.compile(r"; [0-9.,]+ s, [0-9.,]+ files/s, [0-9.,]+ [kMG]?B/s"), ""),
    (re.compile(r", run [0-9TZ]+-[0-9a-f]+"), ""),
)
"""What the clock decides."""


def hold(folder: Path) -> list[Shown]:
    """Hold the session in an empty folder; return what the terminal showed."""
    shown: list[Shown] = []
    programs = folder / "programs"
    programs.mkdir()
    program = programs / "paxect-batch"
    python = shlex.quote(sys.executable)
    program.write_text(f'#!/bin/sh\nexec {python} -m paxect_batch "$@"\n')
    program.chmod(0o755)
    work = folder / "work"
    work.mkdir()
    for name, lines in SAMPLES.items():
        rows = "".join(f"{number},{number * 7}\n" for number in range(lines))
        (work / name).write_text(rows)
    variables = {
        "PATH": f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "PYTHONPATH": f"{ROOT / 'core'}{os.pathsep}{ROOT}",
        "LC_ALL": "C",
        "TERM": "dumb",
        "HOME": str(folder),
        "PAXECT_BATCH_NODE": "etl-1",
        "PAXECT_BATCH_PROGRESS": "false",
        "PAXECT_BATCH_WORKERS": "2",
    }
    for command in COMMANDS:
        shown.append(Shown("command", command))
        for line in _at_a_terminal(command, work, variables).splitlines():
            kind = "warning" if line.startswith("paxect-batch: ") else "output"
            shown.append(Shown(kind, _masked(line)))
    return shown


def _masked(line: str) -> str:
    for pattern, instead in _MASKS:
        line = pattern.sub(instead, line)
    return line


def _at_a_terminal(command: str, folder: Path, variables: dict[str, str]) -> str:
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    process = subprocess.Popen(
        ["sh", "-c", command],
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = bytearray()
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # Linux says so when the other side has gone
            break
        if not piece:
            break
        said += piece
    os.close(ours)
    process.wait()
    return said.decode().replace("\r\n", "\n")


def recorded() -> str:
    """Return the session as an image."""
    with tempfile.TemporaryDirectory() as folder:
        return svg(hold(Path(folder)), columns=COLUMNS, title="paxect-batch")


def main(words: list[str]) -> int:
    """Write the image, or tell whether it differs."""
    image = recorded()
    before = IMAGE.read_text(encoding="utf-8") if IMAGE.exists() else ""
    if image == before:
        return 0
    print(IMAGE.relative_to(ROOT))
    if "--check" not in words:
        IMAGE.parent.mkdir(exist_ok=True)
        IMAGE.write_text(image, encoding="utf-8", newline="\n")
    return int("--check" in words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
