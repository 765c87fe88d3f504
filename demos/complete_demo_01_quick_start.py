#!/usr/bin/env python3
"""One file, six ways to make a container of it, and one and the same container."""

import hashlib
import io
import sys

from stage import Stage, expect, perform

import paxect_core

CONTENT = b"".join(b"%d,%d\n" % (n, n * 7919 % 99991) for n in range(200_000))
SETTINGS = paxect_core.Settings(level=3)


def demo(stage: Stage) -> None:
    """Make containers in every way, compare them, and unpack one."""
    (stage.folder / "raw.csv").write_bytes(CONTENT)
    containers = {
        "in memory": paxect_core.encode_bytes(CONTENT, SETTINGS),
        "as a stream, 1 thread": streamed(threads=1),
        "as a stream, 4 threads": streamed(threads=4),
        "by paxect-core, 2 threads": by_command(stage, "2"),
        "by paxect-core, 7 threads": by_command(stage, "7"),
        "by paxect-batch, on a share": by_relay(stage),
    }
    for way, container in containers.items():
        print(f"{way:<28}{hashlib.sha256(container).hexdigest()}")
    expect(len(set(containers.values())) == 1, "the containers differ")
    for way, container in containers.items():
        back = paxect_core.decode_bytes(container)
        expect(back == CONTENT, f"what was made {way} holds something else")
    print("Deterministic pipeline verified [OK]")


def streamed(threads: int) -> bytes:
    """Make a container from a stream into a stream."""
    container = io.BytesIO()
    paxect_core.encode(io.BytesIO(CONTENT), container, SETTINGS, threads=threads)
    return container.getvalue()


def by_command(stage: Stage, threads: str) -> bytes:
    """Make a container with the command."""
    output = stage.folder / f"{threads}.freq"
    words = ("encode", "-i", "raw.csv", "-o", output, "--level", "3")
    stage.run("paxect-core", *words, "--threads", threads)
    return output.read_bytes()


def by_relay(stage: Stage) -> bytes:
    """Have the relay make a container."""
    share = stage.share()
    (share / "inbox" / "raw.csv").write_bytes(CONTENT)
    stage.drain(share, "--direction", "encode")
    return (share / "wire" / "raw.csv.freq").read_bytes()


if __name__ == "__main__":
    sys.exit(perform(demo))
