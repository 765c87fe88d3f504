"""Run the relay on real machines and a real network share.

    python tests/lab/run.py install
    python tests/lab/run.py nfs|nfs3|smb [SCENARIO ...] [--results FILE]

Boots a file server and nodes as emulated machines, each with a kernel of its own, and
prints a table of what came of each scenario. Exit status: 0 if no fault was found, 1 if
one was, 2 if the lab cannot run here, which it says.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import hung
import lab_report
import lock_probes
import look_probes
import name_probes
import option_probes
import producers
import readers
import scenarios
import tutorial
from guest_image import Image
from lab import Lab, Scale, Setting
from scenarios import Scenario, Verdict

PROTOCOLS = ("nfs", "nfs3", "smb")
PROBES = {
    "locks": lock_probes.probes,
    "names": name_probes.probes,
    "options": option_probes.probes,
}
SCENARIOS: dict[str, tuple[int, Scenario]] = {
    "two": (2, scenarios.sharing),
    "three": (3, scenarios.sharing),
    "consumer": (3, scenarios.consumer),
    "keep": (3, scenarios.keep),
    "hung": (2, hung.hung),
    "looks": (2, look_probes.looks),
    "readers": (2, readers.readers),
    "producer": (2, producers.slow),
    "full": (2, scenarios.full),
    "service": (2, scenarios.service),
    "cut": (2, scenarios.cut),
    "freeze": (2, scenarios.freeze),
    "power": (2, scenarios.power),
    "server": (2, scenarios.server),
    "tutorial": (2, tutorial.tutorial),
}
"""How many nodes each needs, and what it does."""
OF_NFS = {"readers", "tutorial"}
"""Those that are about what only such a server does, or mount a share of their own."""


def main() -> int:
    """Install, or run scenarios; SIGTERM ends the guests as well."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    words = _arguments()
    image = Image(words.folder)
    if words.what == "install":
        image.install()
        print(f"installed in {words.folder}, kernel {image.version}")
        return 0
    missing = image.missing()
    if missing:
        print("the lab cannot run here:", *missing, sep="\n  ", file=sys.stderr)
        print("try: python tests/lab/run.py install", file=sys.stderr)
        return 2
    known = [name for name in SCENARIOS if words.what == "nfs" or name not in OF_NFS]
    unknown = sorted({*words.scenarios} - {*known, *PROBES})
    if unknown:
        print(f"no such scenario: {', '.join(unknown)}", file=sys.stderr)
        return 2
    names = words.scenarios or known
    rows = []
    for row in _run_all(words, names):
        print(lab_report.line(row), flush=True)
        rows.append(row)
        if words.results is not None:
            text = words.results.read_text() if words.results.exists() else ""
            words.results.write_text(lab_report.merged(text, [row]))
    return 1 if any(row.faults for row in rows) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0],
        epilog=f"scenarios: {', '.join(SCENARIOS)}; measurements: {', '.join(PROBES)}",
    )
    parser.add_argument("what", choices=("install", *PROTOCOLS))
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(tempfile.gettempdir()) / "paxect-lab",
        help="where kernel and guests are kept",
    )
    parser.add_argument("--options", default="", help="more mount options")
    for name, text in (
        ("files", "how many files nodes share undisturbed"),
        ("files-of-a-moment", "how many files are dropped for each harm"),
        ("moments", "at how many moments a node loses power"),
        ("outages", "how often a node is cut off, or frozen"),
    ):
        default = getattr(Scale(), name.replace("-", "_"))
        more = f"{text} (default {default})"
        parser.add_argument(f"--{name}", type=int, default=default, help=more)
    parser.add_argument("--results", type=Path, help="write the table into this file")
    return parser.parse_args()


def _scale(words: argparse.Namespace) -> Scale:
    return Scale(words.files, words.files_of_a_moment, words.moments, words.outages)


def _run_all(words: argparse.Namespace, names: list[str]) -> Iterator[lab_report.Row]:
    """Run scenarios; those that need equally many nodes share their machines."""
    alike: dict[Setting, list[str]] = {}
    for name in names:
        setting = Setting(
            words.what,
            SCENARIOS.get(name, (2, None))[0],
            words.options,
            # What is measured is a server as it comes.
            spared=name not in PROBES,
            scale=_scale(words),
        )
        alike.setdefault(setting, []).append(name)
    for setting, group in alike.items():
        with Lab(words.folder, setting) as lab:
            for name in group:
                yield _run_one(lab, name)


def _run_one(lab: Lab, name: str) -> lab_report.Row:
    began = time.monotonic()
    try:
        verdict = _measured(lab, name) if name in PROBES else SCENARIOS[name][1](lab)
    except Exception as error:  # noqa: BLE001  one scenario's trouble is its result
        traceback.print_exc()
        verdict = Verdict(faults=[f"it could not go on: {error!r}"])
    return lab_report.Row(
        protocol=lab.setting.protocol,
        scenario=name,
        seconds=time.monotonic() - began,
        figures=verdict.figures,
        faults=verdict.faults,
    )


def _measured(lab: Lab, name: str) -> Verdict:
    verdict = Verdict()
    count = 0
    for question, answer in PROBES[name](lab):
        print(f"{lab.setting.protocol} | {question} | {answer}", flush=True)
        count += 1
    verdict.figures.append(f"{count} answers")
    return verdict


if __name__ == "__main__":
    sys.exit(main())
