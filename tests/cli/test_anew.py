"""Which ends of a run make a watch begin anew, and wait."""

from __future__ import annotations

import pytest

from paxect_batch.cli import anew
from paxect_batch.model.errors import ConfigError, NotReady, RunOver, ShareError


class NeverStop:
    requested = False
    now = False


class Ending:
    """A node whose run ends like this."""

    account = object()

    def __init__(self, end: Exception | None) -> None:
        self._end = end

    def run(self) -> None:
        if self._end is not None:
            raise self._end


def served(
    monkeypatch: pytest.MonkeyPatch, *ends: Exception | None, watch: bool
) -> tuple[Exception | None, list[str], int]:
    """Return what ended it, what was noticed, and how many ends were left."""
    left, noticed = list(ends), []
    monkeypatch.setattr(anew, "_PAUSE_SECONDS", 0.0)
    _, error = anew.serve(
        lambda _: Ending(left.pop(0)),
        lambda: None,
        noticed.append,
        stop=NeverStop(),
        watch=watch,
    )
    return error, noticed, len(left)


@pytest.mark.parametrize("kind", [ConfigError, NotReady, ShareError])
def test_watch_that_was_cut_off_waits_until_it_may_be_the_node_again(
    monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    ends = RunOver("taken for dead"), kind("not yet"), kind("not yet"), None
    error, noticed, left = served(monkeypatch, *ends, watch=True)
    assert (error, left) == (None, 0)
    assert noticed == ["taken for dead", "not yet", "not yet"]


@pytest.mark.parametrize("kind", [ConfigError, NotReady, ShareError])
def test_run_that_never_began_ends_with_its_error(
    monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    error, noticed, left = served(monkeypatch, kind("no"), None, watch=True)
    assert isinstance(error, kind)
    assert (noticed, left) == ([], 1)


def test_watch_that_is_let_on_and_not_ready_then_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It began anew for ever, where its program had been replaced."""
    monkeypatch.setattr(anew, "_PAUSE_SECONDS", 0.0)
    ends = [RunOver("taken for dead"), NotReady("replaced"), None]
    begun = 0

    def make(_: object) -> Ending:
        nonlocal begun
        begun += 1
        return Ending(ends.pop(0))

    _, error = anew.serve(
        make,
        lambda: None,
        lambda _: None,
        stop=NeverStop(),
        watch=True,
        begun=lambda: begun,
    )
    assert isinstance(error, NotReady)
    assert len(ends) == 1


def test_watch_that_may_not_be_its_node_again_ends_when_it_is_due(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(anew, "_PAUSE_SECONDS", 0.0)
    ends = [RunOver("taken for dead"), *[NotReady("held")] * 5]
    _, error = anew.serve(
        lambda _: Ending(ends.pop(0)),
        lambda: None,
        lambda _: None,
        stop=NeverStop(),
        watch=True,
        is_due=lambda: len(ends) == 2,
    )
    assert isinstance(error, NotReady)
    assert len(ends) == 2
