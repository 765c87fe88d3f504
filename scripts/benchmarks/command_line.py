"""Options and subcommands of `scripts/bench`: benchmarks, and a plot of them.

A benchmark is a module with `SUMMARY`, `add_options(parser)` and
`measure(arguments) -> Report`; the options that all have in common stand here.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks import (
    core,
    large,
    network,
    nightly,
    plot,
    relay,
    report,
    scale,
    workplace,
)

BENCHMARKS = {
    "core": core,
    "relay": relay,
    "large": large,
    "nightly": nightly,
    "network": network,
    "scale": scale,
}


def main() -> int:
    arguments = _parser().parse_args()
    if arguments.benchmark == "plot":
        return _plot(arguments)
    neighbours = workplace.Neighbours()
    try:
        found = BENCHMARKS[arguments.benchmark].measure(arguments)
    except workplace.Unavailable as reason:
        print(f"bench: {reason}", file=sys.stderr)
        return 69
    found.machine["other processes"] = neighbours.share()
    print(report.table(found))
    if arguments.json:
        text = json.dumps(report.as_json(found), indent=2)
        Path(arguments.json).write_text(text + "\n", encoding="utf-8")
    return 1 if arguments.check and not report.all_met(found) else 0


def _plot(arguments: argparse.Namespace) -> int:
    cases = [
        case
        for path in arguments.files
        for case in report.cases_of(json.loads(Path(path).read_text(encoding="utf-8")))
    ]
    image = plot.svg(cases)
    Path(arguments.svg).write_text(image, encoding="utf-8", newline="\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    commands = parser.add_subparsers(dest="benchmark", required=True)
    for name, module in BENCHMARKS.items():
        command = commands.add_parser(
            name, help=module.SUMMARY, description=module.SUMMARY
        )
        command.add_argument(
            "--rounds", type=int, default=5, help="rounds of each case (default 5)"
        )
        command.add_argument(
            "--dir",
            help="folder for inputs and outputs (default for core: /dev/shm where "
            "there is one, so that no disk takes part; for others: your home folder)",
        )
        command.add_argument("--json", metavar="FILE", help="write all figures there")
        command.add_argument(
            "--check", action="store_true", help="exit 1 if a target is missed"
        )
        module.add_options(command)
    words = "draw what benchmarks wrote with --json"
    command = commands.add_parser("plot", help=words, description=words)
    command.add_argument("files", nargs="+", metavar="JSON")
    command.add_argument("--svg", required=True, metavar="FILE", help="the image")
    return parser
