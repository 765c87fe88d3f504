"""Several commits side by side: each goes on when its call was made, and none is lost."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from concurrent.futures import Future
from typing import Any

import pytest

from paxect_batch.relay.commits import AtOnce, Commits, at_once


class Late:
    """A `Beside` whose calls are made when they are waited for."""

    def __init__(self) -> None:
        self.submitted: list[tuple[Callable[[], object], Future[object]]] = []

    def submit(self, call: Callable[[], object]) -> Future[object]:
        self.submitted.append((call, Future()))
        return self.submitted[-1][1]

    def wait(self, futures: Collection[Future[Any]], seconds: float | None) -> None:
        if any(each.done() for each in futures):
            return
        call, future = self.submitted.pop(0)
        assert future in futures
        try:
            future.set_result(call())
        except OSError as error:
            future.set_exception(error)

    def stop(self) -> None:
        pass


def fail() -> None:
    raise OSError(5, "broken")


def steps(
    name: str, told: list[str], *calls: Callable[[], object]
) -> Generator[Callable[[], object], Any, None]:
    for number, call in enumerate(calls):
        told.append(f"{name}{number}")
        told.append(str((yield call)))
    told.append(f"{name} ended")


def test_steps_are_sent_what_their_calls_return() -> None:
    told: list[str] = []
    at_once(steps("a", told, lambda: "one", lambda: "two"))
    assert told == ["a0", "one", "a1", "two", "a ended"]


def test_steps_may_handle_what_their_calls_meet() -> None:
    def careful() -> Generator[Callable[[], object], Any, str]:
        try:
            yield fail
        except OSError as error:
            yield lambda: None
            return str(error.strerror)
        return "nothing met"

    assert at_once(careful()) == "broken"


def test_one_commit_goes_on_while_another_waits() -> None:
    told: list[str] = []
    late = Late()
    commits = Commits(late)
    commits.begin(steps("a", told, lambda: "", lambda: ""))
    commits.begin(steps("b", told, lambda: ""))
    commits.go_on()
    assert told == ["a0", "b0"]
    late.wait(commits.futures, None)
    commits.go_on()
    assert told == ["a0", "b0", "", "a1"]
    assert len(commits) == 2
    commits.finish()
    assert told[-2:] == ["", "a ended"]
    assert not commits


def test_commit_that_fails_keeps_no_other_from_its_end() -> None:
    """Half done, what it published would not be recorded by this run."""
    told: list[str] = []
    commits = Commits(Late())
    commits.begin(steps("a", told, fail, lambda: ""))
    commits.begin(steps("b", told, lambda: "", lambda: ""))
    with pytest.raises(OSError, match="broken"):
        commits.finish()
    assert told == ["a0", "b0", "", "b1", "", "b ended"]
    assert not commits


def test_failure_comes_out_once_when_it_is_met() -> None:
    told: list[str] = []
    commits = Commits(AtOnce())
    commits.begin(steps("a", told, fail))
    commits.begin(steps("b", told, lambda: ""))
    commits.go_on()
    with pytest.raises(OSError, match="broken"):
        commits.go_on()
    commits.finish()
    assert told == ["a0", "b0", "", "b ended"]


def test_of_several_failures_that_come_first_is_told() -> None:
    def fail_later() -> None:
        raise OSError(28, "full")

    told: list[str] = []
    commits = Commits(Late())
    commits.begin(steps("a", told, fail))
    commits.begin(steps("b", told, fail_later))
    with pytest.raises(OSError, match="broken"):
        commits.finish()
    assert not commits
