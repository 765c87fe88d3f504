"""A node among others: whether they work alike, also while the policy is changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.locks import FakeLocks, Register
from relay_bench import Bench, SteppedClock

from paxect_batch.model.leases import Word
from paxect_batch.model.policy import Policy
from paxect_batch.rules.policy import policy_sha256
from paxect_batch.seams import Applicant
from paxect_core import CODEC_VERSION

BEFORE = Policy(version="2", settle_seconds=0.0)
AFTER = Policy(version="2", settle_seconds=0.0, level=9)
OTHER = Policy(version="2", settle_seconds=0.0, level=7)


class Times:
    """Asks to stop when it is time, and acts before."""

    now = False

    def __init__(self, clock: SteppedClock, act: Callable[[float], None]) -> None:
        self._clock = clock
        self._act = act

    @property
    def requested(self) -> bool:
        self._act(self._clock.seconds)
        return self._clock.seconds > 600.0


def joined(register: Register, name: str, policy: Policy) -> FakeLocks:
    locks = FakeLocks(register)
    sha256 = policy_sha256(policy)
    locks.join(
        Applicant(node=name, run=name, codec=CODEC_VERSION, policy_sha256=sha256)
    )
    return locks


def is_mixed(folder: Path, hears_at: float, becomes: Policy) -> bool:
    """Change the policy after 100 s; another node works by a new one `hears_at`."""
    register, clock = Register(), SteppedClock()
    other = joined(register, "other", BEFORE)

    def act(seconds: float) -> None:
        if seconds >= hears_at:
            other.tell(Word(), policy_sha256(becomes))
        if seconds >= 500.0 and becomes is AFTER and hears_at < 500.0:
            joined(register, "newcomer", AFTER).leave()

    standing = Bench(folder).drain(
        clock=clock,
        locks=FakeLocks(register),
        stop=Times(clock, act),
        watch=True,
        read_policy=lambda: BEFORE if clock.seconds < 100.0 else AFTER,
    )
    return standing.mixed


@pytest.mark.parametrize("hears_at", [50.0, 100.0, 250.0])
def test_nodes_that_hear_of_a_policy_at_different_times_do_not_mix_and_let_others_in(
    tmp_path: Path, hears_at: float
) -> None:
    assert not is_mixed(tmp_path, hears_at, AFTER)


@pytest.mark.parametrize(("hears_at", "becomes"), [(700.0, AFTER), (120.0, OTHER)])
def test_nodes_that_go_on_working_by_different_policies_mix(
    tmp_path: Path, hears_at: float, becomes: Policy
) -> None:
    assert is_mixed(tmp_path, hears_at, becomes)
