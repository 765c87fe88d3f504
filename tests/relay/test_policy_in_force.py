"""The policy that a run goes by, and what is said of those that it refused."""

from __future__ import annotations

from collections.abc import Callable

from relay_bench import Events, policy_with

from paxect_batch.model.errors import ConfigError
from paxect_batch.model.events import Event
from paxect_batch.model.policy import Naming, Policy
from paxect_batch.relay.policy_in_force import PolicyInForce
from paxect_batch.rules.policy import policy_sha256


def reading(*found: Policy | ConfigError) -> Callable[[], Policy]:
    left = list(found)

    def read() -> Policy:
        each = left.pop(0)
        if isinstance(each, ConfigError):
            raise each
        return each

    return read


def test_policy_that_is_refused_again_after_it_was_mended_is_told_again() -> None:
    events, bad = Events(), ConfigError("bad")
    read = reading(policy_with(), bad, bad, policy_with(attempts=2), bad)
    policy = PolicyInForce(read, events)
    for _ in range(5):
        policy.read()
    assert [line[0] for line in events.lines] == [
        Event.POLICY_REFUSED,
        Event.POLICY_CHANGED,
        Event.POLICY_REFUSED,
    ]


def test_digest_is_that_of_the_policy_in_force_and_not_of_one_that_was_refused() -> (
    None
):
    good = policy_with()
    other = policy_with(naming=Naming.STEM, attempts=7)
    policy = PolicyInForce(reading(good, other), Events())
    assert policy.sha256 == ""
    policy.read()
    policy.read()
    assert policy.sha256 == policy_sha256(good)
