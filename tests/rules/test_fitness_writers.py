"""How a share is judged that tells of no writers."""

from __future__ import annotations

import pytest

from paxect_batch.model.fitness import Level, Writers
from paxect_batch.rules.fitness_measures import writers_finding


@pytest.mark.parametrize(
    ("writers", "level", "advised"),
    [
        (Writers.ALL, Level.OK, ""),
        (Writers.OWN, Level.NOTE, "CAP_LEASE"),
        (Writers.NONE, Level.NOTE, "ready_marker"),
    ],
)
def test_files_that_are_written_while_nothing_tells_are_worth_a_note(
    writers: Writers, level: Level, advised: str
) -> None:
    told = writers_finding(writers)
    assert told.level is level
    assert advised in told.advice
