#!/usr/bin/env python3
"""Run all demos, one after the other, and say which of them showed what they are to.

    python demos/run_all.py [--junit FILE]

What a demo prints is shown if it failed. Exits 0 only if none did.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from junit import Case, write_junit
from stage import SECONDS_MAX

HERE = Path(__file__).resolve().parent
PATTERNS = ("demo_*.py", "complete_demo_*.py")
DEMO_SECONDS_MAX = 2 * SECONDS_MAX


def main() -> int:
    """Run them; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--junit", metavar="FILE", help="write JUnit XML to FILE")
    words = parser.parse_args()
    try:
        cases = [run_demo(path) for path in demos()]
        if words.junit is not None:
            write_junit(Path(words.junit), "paxect-demos", cases)
            print(f"JUnit report written to: {words.junit}")
    except OSError as error:
        print(f"run_all: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("run_all: stopped by Ctrl-C", file=sys.stderr)
        return 130
    failed = sum(bool(case.fault) for case in cases)
    seconds = sum(case.seconds for case in cases)
    print(f"{len(cases)} demos, {failed} failed, {seconds:.1f} s")
    return 1 if failed or not cases else 0


def demos() -> list[Path]:
    """Return the demos in the order of their names."""
    return [path for pattern in PATTERNS for path in sorted(HERE.glob(pattern))]


def run_demo(path: Path) -> Case:
    """Run one demo, and tell at once what came of it."""
    began = time.monotonic()
    fault = ""
    print(f"{path.stem:<36}", end="", flush=True)
    # A demo cleans up when it is interrupted, so it is never killed here: Ctrl-C
    # reaches it as well.
    process = subprocess.Popen(
        [sys.executable, str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    try:
        said, _ = process.communicate(timeout=DEMO_SECONDS_MAX)
        code = process.returncode
    except subprocess.TimeoutExpired:
        process.terminate()
        said, _ = process.communicate()
        code = None
    except KeyboardInterrupt:
        process.wait()
        print("stopped")
        raise
    if code is None:
        fault = f"{said}did not end within {DEMO_SECONDS_MAX:g} s"
    elif code:
        fault = f"{said}exit code {code}"
    seconds = time.monotonic() - began
    print(f"{'FAILED' if fault else 'passed'}{seconds:>8.1f} s", flush=True)
    for line in fault.splitlines():
        print(f"    {line}")
    return Case(path.stem, seconds, fault)


if __name__ == "__main__":
    sys.exit(main())
