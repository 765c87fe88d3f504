#!/usr/bin/env python3
"""A smoke test for CI: containers by hand, then the relay, told as JUnit XML.

    python demos/demo_5_ci_cd_pipeline.py [--junit FILE]

Without --junit the report goes the way of all that the demo makes.
"""

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from xml.etree import ElementTree as ET

from junit import Case, write_junit
from stage import Link, Stage, Untrue, drop, expect, perform

CONTENT = b"".join(
    b"%d,%d\n" % (number, number * 7919 % 99991) for number in range(9999)
)


def demo(stage: Stage, report: Path | None) -> None:
    """Make both checks and write the report."""
    report = report or stage.folder / "junit_smoke.xml"
    checks = {
        "core_encode_decode": core_encode_decode,
        "link_relay_decoded": link_relay_decoded,
    }
    cases = [run_check(name, partial(check, stage)) for name, check in checks.items()]
    write_junit(report, "paxect-smoke", cases)
    told = ET.parse(report).getroot().findall("testsuite/testcase")
    expect(len(told) == len(checks), "the report does not tell of each check")
    print(f"JUnit report written to: {report}")
    faults = [case.name for case in cases if case.fault]
    expect(not faults, f"failed: {', '.join(faults)}")
    print("Demo 5 complete")


def run_check(name: str, check: Callable[[], None]) -> Case:
    """Make one check, and say what came of it."""
    began = time.monotonic()
    fault = ""
    try:
        check()
    except Untrue as error:
        fault = str(error)
    print(f"{'FAIL' if fault else 'PASS'} - {name}")
    if fault:
        print(f"{name}: {fault}", file=sys.stderr)
    return Case(name, time.monotonic() - began, fault)


def core_encode_decode(stage: Stage) -> None:
    """Make a container twice, and a file of it again."""
    (stage.folder / "raw.csv").write_bytes(CONTENT)
    for name, threads in (("one.freq", 1), ("two.freq", 2)):
        words = ("encode", "-i", "raw.csv", "-o", name, "--threads", threads)
        stage.run("paxect-core", *words)
    one, two = ((stage.folder / f"{n}.freq").read_bytes() for n in ("one", "two"))
    expect(one == two, "two threads made other bytes than one")
    stage.run("paxect-core", "verify", "one.freq")
    stage.run("paxect-core", "decode", "-i", "one.freq", "-o", "back.csv")
    back = (stage.folder / "back.csv").read_bytes()
    expect(back == CONTENT, "what was decoded is not what was encoded")


def link_relay_decoded(stage: Stage) -> None:
    """Relay one file."""
    drop(stage.folder / "inbox", smoke_csv=CONTENT)
    link = Link(stage, stage.folder)
    link.until("[LINK] decode")
    link.end()
    expect(link.outbox_names() == ["smoke"], "the outbox does not hold smoke alone")
    arrived = (link.outbox / "smoke").read_bytes()
    expect(arrived == CONTENT, "what was delivered is not what was dropped")


def main() -> int:
    """Read the words, and run the demo."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--junit", metavar="FILE", help="keep the report in FILE")
    words = parser.parse_args()
    report = None if words.junit is None else Path(words.junit).absolute()
    return perform(partial(demo, report=report))


if __name__ == "__main__":
    sys.exit(main())
