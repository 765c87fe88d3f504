"""The policy in force: read at every scan, from where the settings say.

A share must have one. For folders of one's own without one, the policy is that of
version 2 with nothing changed, and its origin says so.
"""

from __future__ import annotations

import os

from paxect_batch.cli.layout import Layout
from paxect_batch.cli.settings import Settings
from paxect_batch.model.errors import ConfigError
from paxect_batch.model.policy import Policy
from paxect_batch.rules.policy import POLICY_BYTES_MAX, policy_sha256, read_policy
from paxect_batch.world.plain_files import open_plain

BUILT_IN = "built-in policy"


class PolicyFile:
    """Reads the policy whenever it is called."""

    def __init__(self, settings: Settings, layout: Layout) -> None:
        self._path = settings.policy or layout.policy
        self._may_lack = settings.policy is None and not layout.share
        self._last: Policy | None = None
        self._last_data: bytes | None = None
        self.origin = self._path
        """Where the policy in force was read."""

    def __call__(self) -> Policy:
        """Return the policy as it stands now, or raise `ConfigError`."""
        data = self._read()
        if self._last is None or data != self._last_data:
            if data is None:
                self._last, self.origin = Policy(version="2"), BUILT_IN
            else:
                self._last, self.origin = read_policy(data, name=self._path), self._path
            self._last_data = data
        return self._last

    @property
    def in_force(self) -> Policy:
        """The policy as it was read last."""
        return self._last or self()

    @property
    def sha256(self) -> str:
        """The digest of the policy in force."""
        return policy_sha256(self.in_force)

    def _read(self) -> bytes | None:
        try:
            with open_plain(self._path, follows=True) as stream:
                return stream.read(POLICY_BYTES_MAX + 1)
        except FileNotFoundError as error:
            if self._may_lack:
                return None
            raise self._unreadable(error) from error
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> ConfigError:
        return ConfigError(
            f"reading the policy {self._path!r} gave {error.strerror or error}; no "
            f"file was taken by it; see that {os.path.basename(self._path)} is there "
            "and can be read, or name another one with --policy"
        )
