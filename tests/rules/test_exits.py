"""The exit code of a run."""

from __future__ import annotations

import pytest

from paxect_batch.model.errors import WORST_FIRST, Exit
from paxect_batch.model.run import Standing
from paxect_batch.rules.exits import run_exit


@pytest.mark.parametrize(
    ("fields", "waiting", "own", "code"),
    [
        ({}, 0, None, Exit.OK),
        ({"delivered_files": 3}, 0, None, Exit.OK),
        ({}, 1, None, Exit.UNFINISHED),
        ({"blocked_files": 1}, 0, None, Exit.UNFINISHED),
        ({"set_aside_files": 1}, 0, None, Exit.UNFINISHED),
        ({"set_aside_files": 1, "exit_codes": {4}}, 0, None, Exit.STRUCTURE),
        ({"set_aside_files": 1, "exit_codes": {4, 2}}, 0, None, Exit.INTEGRITY),
        ({"exit_codes": {2}}, 0, Exit.SHARE, Exit.SHARE),
        ({"exit_codes": {3}}, 5, Exit.TERMINATED, Exit.TERMINATED),
        ({"bias_flags": 1}, 0, None, Exit.INTEGRITY),
        ({"exit_codes": {99}}, 0, None, Exit.UNFINISHED),
        ({}, 0, Exit.NOT_READY, Exit.NOT_READY),
        ({}, 0, Exit.OK, Exit.OK),
    ],
)
def test_run_exit(
    fields: dict[str, object], waiting: int, own: Exit | None, code: Exit
) -> None:
    assert run_exit(Standing(**fields), waiting=waiting, own=own) is code


def test_run_exit_of_any_two_is_the_worse_of_the_list() -> None:
    for place, worse in enumerate(WORST_FIRST):
        for other in WORST_FIRST[place:]:
            standing = Standing(exit_codes={int(other)})
            assert run_exit(standing, waiting=0, own=worse) is worse
