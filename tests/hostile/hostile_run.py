"""Drop what was changed on relays, and write down what became of it.

    python tests/hostile/hostile_run.py --mutations 10000 \\
        --results tests/hostile/RESULTS.md

Nine in ten are containers and sidecars, dropped on a `watch` that runs; the others are
the relay's own papers, each changed before a drain or under its hands. Exits 1 if
anything was not as it should be; each such seed is told, and `--first SEED --mutations
1 --only papers` repeats it.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

_HERE = Path(__file__).resolve().parent
for _folder in (_HERE, _HERE.parent / "fuzz", _HERE.parent / "system"):
    sys.path.insert(0, str(_folder))
for _folder in (_HERE.parents[1], _HERE.parents[1] / "core"):
    sys.path.insert(0, str(_folder))

from honest_share import HonestShare  # noqa: E402
from paper_trials import Trial, try_change  # noqa: E402
from running_relay import Campaign, run_campaign  # noqa: E402

MEMORY_BYTES_MAX = 250 << 20
HANG_SECONDS = 300
_CAMPAIGN = 3000
"""So many are dropped on one relay before the next one begins."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutations", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--only", choices=("papers", "containers"))
    parser.add_argument("--results", type=Path)
    options = parser.parse_args()
    papers = {"papers": 1.0, "containers": 0.0, None: 0.1}[options.only]
    count = round(options.mutations * papers)
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None
    ground = Path(tempfile.mkdtemp(prefix="paxect-hostile-", dir=memory))
    began = time.monotonic()
    try:
        campaigns = _containers(ground, options.first, options.mutations - count)
        trials = _papers(ground, options.first, count)
    finally:
        shutil.rmtree(ground)
    seconds = time.monotonic() - began
    text = _report(campaigns, trials, options, seconds)
    print(text)
    if options.results:
        options.results.write_text(text, encoding="utf-8")
    faults = [*(f for each in campaigns for f in each.faults)]
    faults += [str(trial) for trial in trials if trial.faults]
    print(*faults, sep="\n", file=sys.stderr)
    return 1 if faults else 0


def _containers(ground: Path, first: int, count: int) -> list[Campaign]:
    campaigns = []
    for start in range(first, first + count, _CAMPAIGN):
        part = min(_CAMPAIGN, first + count - start)
        folder = ground / f"from-{start}"
        folder.mkdir()
        campaigns.append(run_campaign(folder, first=start, count=part))
        shutil.rmtree(folder)
        print(f"{start + part - first} containers and sidecars", file=sys.stderr)
    return campaigns


def _papers(ground: Path, first: int, count: int) -> list[Trial]:
    trials: list[Trial] = []
    if count:
        honest = HonestShare(ground / "honest")
    for seed in range(first, first + count):
        # Whatever hangs, as on a fifo, says where.
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        trials.append(try_change(honest, seed, ground))
        if trials[-1].faults:
            print(trials[-1], file=sys.stderr)
        if len(trials) % 500 == 0:
            print(f"{len(trials)} papers", file=sys.stderr)
    faulthandler.cancel_dump_traceback_later()
    return trials


def _report(
    campaigns: list[Campaign],
    trials: list[Trial],
    options: argparse.Namespace,
    seconds: float,
) -> str:
    wrong = sum(len(each.faults) for each in campaigns)
    wrong += sum(bool(trial.faults) for trial in trials)
    words = f"--mutations {options.mutations}"
    words += f" --first {options.first}" if options.first else ""
    words += f" --only {options.only}" if options.only else ""
    lines = [
        "# Changed papers and containers, dropped on relays",
        "",
        f"Made by `python tests/hostile/hostile_run.py {words} --results",
        f"tests/hostile/RESULTS.md`, in {seconds / 60:.0f} minutes on a machine that did",
        "other things besides.",
        "",
        f"- {options.mutations:,} changes; {wrong} of them ended as they should not.",
    ]
    if campaigns:
        peak = max(each.peak_bytes for each in campaigns)
        honest = sum(each.honest_files for each in campaigns)
        lines.append(
            f"- Memory of a relay and its two workers: {peak >> 20} MiB at most."
        )
        lines.append(f"- {honest:,} honest files among the containers: all arrived.")
    if trials:
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        lines.append(
            f"- Memory of the process that ran all {len(trials):,} trials of papers, "
            f"relays and this program in one: {held} MiB at most."
        )
    return "\n".join([*lines, "", *_ends(campaigns), "", *_codes(trials), ""])


def _ends(campaigns: list[Campaign]) -> list[str]:
    ends: Counter[tuple[str, str]] = Counter()
    for each in campaigns:
        ends.update(each.ends)
    kinds = sorted({kind for kind, _ in ends})
    lines = [
        "## Containers and sidecars, dropped on a relay that runs",
        "",
        "How each ended. What was delivered is what container and sidecar vouch for:",
        "changed into another good container, or not in what counts.",
        "",
        f"| end | {' | '.join(kinds)} |",
        f"| --- |{' ---: |' * len(kinds)}",
    ]
    for end in sorted({end for _, end in ends}, key=lambda e: (e != "delivered", e)):
        numbers = " | ".join(str(ends[kind, end]) for kind in kinds)
        lines.append(f"| `{end}` | {numbers} |")
    return lines if ends else []


def _codes(trials: list[Trial]) -> list[str]:
    by_kind: dict[str, Counter[int]] = {}
    for trial in trials:
        by_kind.setdefault(trial.kind, Counter())[trial.codes[0]] += 1
    codes = sorted({code for each in by_kind.values() for code in each})
    lines = [
        "## Papers of the relay, changed before a drain or under its hands",
        "",
        "With which code the drain ended that met the change. It is 1 without any, since",
        "one container waits for its next try; 4 if its history was lost, and it was",
        "tried at once. Every other file arrived, after 64 and 75 once the paper was put",
        "right.",
        "",
        f"| paper | changes | {' | '.join(map(str, codes))} |",
        f"| --- | ---: |{' ---: |' * len(codes)}",
    ]
    for kind, found in sorted(by_kind.items()):
        numbers = " | ".join(str(found[code]) for code in codes)
        lines.append(f"| {kind} | {found.total()} | {numbers} |")
    changes = Counter(str(trial.change) for trial in trials)
    told = ", ".join(f"{what} {number}" for what, number in changes.most_common())
    return [*lines, "", f"By change: {told}."] if trials else []


if __name__ == "__main__":
    raise SystemExit(main())
