"""Killed at seeded moments, the relay loses nothing and delivers nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from kill_sweep import sweep
from relayed_share import LONG

pytestmark = pytest.mark.slow

MOMENTS = 300 if LONG else 20


@pytest.mark.parametrize("seed", [1, 2])
def test_kills_at_seeded_moments_then_drain_delivers_all_once(
    ground: Path, seed: int
) -> None:
    done = sweep(ground, moments=MOMENTS // 2, seed=seed)
    assert done.findings == [], done.text()
    assert done.moments >= MOMENTS // 2
