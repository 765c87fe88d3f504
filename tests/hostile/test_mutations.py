"""A few hundred changes in each check; `hostile_run.py` makes ten thousand."""

from __future__ import annotations

from pathlib import Path

import pytest
from honest_share import KINDS, HonestShare
from paper_mutation import change
from paper_trials import try_change
from running_relay import drop_of, run_campaign

PAPERS = 8
"""So many changes of each kind of paper."""
CONTAINERS = 200


def content_of(path: Path) -> tuple[int, bytes]:
    """Return the size and what it begins with, of a file at least."""
    if not path.is_file():
        return 0, b""
    with path.open("rb") as stream:
        return path.stat().st_size, stream.read(1 << 20)


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_changed_paper_costs_no_more_than_itself(
    honest: HonestShare, ground: Path, kind: str
) -> None:
    trials = [
        try_change(honest, 100_000 + seed, ground, kind=kind) for seed in range(PAPERS)
    ]
    assert [str(trial) for trial in trials if trial.faults] == []


@pytest.mark.slow
def test_changed_containers_are_delivered_as_they_say_or_refused(ground: Path) -> None:
    campaign = run_campaign(ground, first=100_000, count=CONTAINERS)
    assert campaign.faults == []
    assert sum(campaign.ends.values()) == CONTAINERS
    assert 0 < campaign.peak_bytes < 250 << 20


def test_changes_are_functions_of_seed_and_content(ground: Path) -> None:
    for seed in range(60):
        results = []
        for name in ("one", "other"):
            path = ground / name / "paper.json"
            path.parent.mkdir()
            path.write_bytes(b'{"a":1,"b":["c",2],"d":null}\n')
            what = change(path, seed, partner=b"[3]")
            results.append((what, content_of(path)))
        assert results[0] == results[1]
        for name in ("one", "other"):
            for path in (ground / name).iterdir():
                path.rename(ground / f"{name}-{seed}-{path.name}"[:99])
            (ground / name).rmdir()
    assert drop_of(5) == drop_of(5)
