"""What tests of the command have in common: files, and ways to run it."""

import subprocess
import sys

import pytest
from samples import lines, noise, reference_container

from paxect_core import cli
from paxect_core.wire import Settings

RAW = noise(1000) + lines(1000)
SETTINGS = Settings(frame_bytes=512)
CONTAINER = reference_container(RAW, SETTINGS)
DAMAGED = bytearray(CONTAINER)
DAMAGED[24 + 10] ^= 1  # the first frame's CRC32
DAMAGED = bytes(DAMAGED)


def run(
    capsys: pytest.CaptureFixture[str], *words: str, code: int = 0
) -> tuple[str, str]:
    assert cli.main(list(words)) == code
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    assert all(line.startswith("paxect-core: ") for line in err.splitlines())
    return out, err


def shell(script: str) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        ["sh", "-c", script.replace("CORE", f"{sys.executable} -m paxect_core")],
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in done.stderr
    return done
