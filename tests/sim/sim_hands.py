"""Acting on several items at once, as threads of one process; see `world.hands`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from turns import Process, Turns

T = TypeVar("T")

_LOOK_SECONDS = 0.0005


def act_on_each(
    turns: Turns,
    process: Process,
    act: Callable[[T], object],
    items: Sequence[T],
    *,
    hands: int,
) -> None:
    """Act on all of them, whatever one meets; raise what the first met."""
    left = iter(enumerate(items))
    failed: dict[int, Exception] = {}

    def do() -> None:
        for number, item in left:
            try:
                act(item)
            except Exception as problem:  # noqa: BLE001  raised below
                failed[number] = problem

    at_it = [turns.spawn(process, do) for _ in range(min(hands, len(items)))]
    while not all(each.is_over for each in at_it):
        turns.sleep(_LOOK_SECONDS)
    if failed:
        raise failed[min(failed)]
