"""Kill `paxect-core` at many moments and tell what each kill left; see test_kill.

    python tests/core/kill_rounds.py encode|decode INPUT WHOLE ROUNDS SEED
    python tests/core/kill_rounds.py encode|decode INPUT WHOLE steps

Each round forks, so that it costs milliseconds: the child runs the command, and the
parent kills it after a random part of the time that it takes when it is let alone; with
`steps` the child kills itself before and after each call to the file system. Prints
one JSON object with what was found, and fails if a destination is there and not whole.
"""

import builtins
import collections
import json
import os
import random
import select
import signal
import sys
import tempfile
import time

from paxect_core import cli, codec, destination, layout, reader, writer  # noqa: F401

STEPS = ("open", "write", "fsync", "close", "link", "unlink", "folder-open")


def start(
    word: str, source: str, target: str, step: tuple[str, str, int] | None
) -> int:
    child = os.fork()
    if child:
        return child
    try:
        os.setpgid(0, 0)
        if step is not None:
            kill_at(*step)
        frame = ["--frame", "64K"] if word == "encode" else []
        os._exit(cli.main([word, "-i", source, "-o", target, "--threads", "2", *frame]))
    finally:
        os._exit(99)


def kill_at(step: str, moment: str, count: int) -> None:
    """Have this process die at the call of that number, before it or after it."""
    left = [count]

    def wrap(real):  # type: ignore[no-untyped-def]
        def call(*arguments, **named):  # type: ignore[no-untyped-def]
            left[0] -= 1
            if left[0] == 0 and moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*arguments, **named)
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    if step == "open":
        destination.open = wrap(builtins.open)
    elif step == "write":
        reader.write_all = wrap(reader.write_all)
        writer.write_all = wrap(writer.write_all)
    else:
        name = {"folder-open": "open"}.get(step, step)
        setattr(os, name, wrap(getattr(os, name)))


def found(folder: str, target: str, whole: bytes) -> str:
    """Tell what a kill left, and remove it."""
    names = os.listdir(folder)
    parts = [name for name in names if name.endswith(".part")]
    if os.path.exists(target):
        with open(target, "rb") as file:
            assert file.read() == whole, "the destination is there and not whole"
        state = "whole, linked" if parts else "whole"
    else:
        state = "started" if parts else "absent"
    assert len(names) == len(parts) + os.path.exists(target)
    for name in names:
        os.unlink(os.path.join(folder, name))
    return state


def wait_or_kill(child: int, seconds: float) -> None:
    # A descriptor of the child tells its end, so nothing is waited for in vain.
    watched = os.pidfd_open(child) if hasattr(os, "pidfd_open") else None
    if watched is None:
        time.sleep(seconds)
    else:
        select.select([watched], [], [], seconds)
        os.close(watched)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def main() -> None:
    word, source, whole_name, *rest = sys.argv[1:]
    with open(whole_name, "rb") as file:
        whole = file.read()
    counts: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory(dir=os.path.dirname(source)) as folder:
        target = os.path.join(folder, "out")
        if rest == ["steps"]:
            for step in STEPS:
                for moment in ("before", "after"):
                    for count in (1, 2, 5) if step == "write" else (1,):
                        child = start(word, source, target, (step, moment, count))
                        os.waitpid(child, 0)
                        counts[found(folder, target, whole)] += 1
        else:
            rounds, seed = map(int, rest)
            chosen = random.Random(seed)
            took = []
            for _ in range(5):
                begin = time.perf_counter()
                child = start(word, source, target, None)
                assert os.waitpid(child, 0)[1] == 0
                took.append(time.perf_counter() - begin)
                assert found(folder, target, whole) == "whole"
            usual = sorted(took)[2]
            for _ in range(rounds):
                child = start(word, source, target, None)
                wait_or_kill(child, chosen.uniform(0, 1.3 * usual))
                counts[found(folder, target, whole)] += 1
    print(json.dumps(counts))


main()
