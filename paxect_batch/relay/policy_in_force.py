"""The policy that a run goes by: read anew for each pass, and kept if it cannot be."""

from __future__ import annotations

from collections.abc import Callable

from paxect_batch.model.errors import ConfigError
from paxect_batch.model.events import Event
from paxect_batch.model.policy import Policy
from paxect_batch.rules.policy import policy_sha256
from paxect_batch.seams import EventLog


class PolicyInForce:
    """Reads the policy, and tells of changes and of what was refused."""

    def __init__(self, read: Callable[[], Policy], events: EventLog) -> None:
        self._read = read
        self._events = events
        self._policy: Policy | None = None
        self._refused = ""
        """Why the policy was refused when it was read last, if it was."""

    @property
    def sha256(self) -> str:
        """The digest of the policy in force; empty if none could be read."""
        return "" if self._policy is None else policy_sha256(self._policy)

    @property
    def last(self) -> Policy:
        """The policy as it was read last."""
        assert self._policy is not None
        return self._policy

    def read(self) -> Policy:
        """Return the policy as it is now; `ConfigError` if none could be read ever."""
        try:
            policy = self._read()
            if self._policy is not None and policy.naming is not self._policy.naming:
                # By its other name, what one node is at would be free for another.
                raise ConfigError("naming cannot change while a run is on")
        except ConfigError as error:
            if self._policy is None:
                raise
            if error.message != self._refused:
                self._refused = error.message
                self._events.write(
                    Event.POLICY_REFUSED,
                    src="policy",
                    status="error",
                    message=f"{error.message}; the policy read before stays in force",
                )
            return self._policy
        self._refused = ""
        if self._policy is not None and policy != self._policy:
            self._events.write(
                Event.POLICY_CHANGED, message=f"sha256:{policy_sha256(policy)}"
            )
        self._policy = policy
        return policy
