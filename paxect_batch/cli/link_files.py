"""The files of a Link beside its folders: its policy, its manifest, its peers' ones."""

from __future__ import annotations

import glob
import json
import os
import platform
from collections.abc import Iterator
from datetime import datetime

import msgspec

from paxect_batch.cli import console
from paxect_batch.cli.link_settings import LinkSettings
from paxect_batch.model.errors import ConfigError, NotReady, ShareError
from paxect_batch.model.nodes import NodeManifest
from paxect_batch.model.policy import LinkPolicy, Policy
from paxect_batch.relay.handshake import signed
from paxect_batch.relay.trust import Peer
from paxect_batch.rules.policy import POLICY_BYTES_MAX, read_policy

LINK_VERSION = "1.2.0"
_MANIFESTS = "link_manifest*.json"
_MANIFEST_BYTES_MAX = 1 << 20


class LinkPolicyFile:
    """Reads Link's policy file whenever it is called; writes it if it is missing."""

    def __init__(self, settings: LinkSettings, node: str) -> None:
        self._settings = settings
        self.in_force: Policy
        """What was read last."""
        if not os.path.lexists(settings.policy):
            self._write_default(node)
        self.in_force = self()

    def __call__(self) -> Policy:
        """Return the policy as it stands now, or raise `ConfigError`."""
        path = self._settings.policy
        try:
            with open(path, "rb") as stream:
                data = stream.read(POLICY_BYTES_MAX + 1)
        except OSError as error:
            raise ConfigError(
                f"reading the policy {path!r} gave {error.strerror or error}; no file "
                "was taken by it; see that it is there and can be read"
            ) from error
        policy = read_policy(data, name=path)
        self.in_force = msgspec.structs.replace(
            policy, backoff_seconds=self._settings.backoff_sec
        )
        return self.in_force

    def _write_default(self, node: str) -> None:
        policy = LinkPolicy(trusted_nodes=tuple(dict.fromkeys((node, "localhost"))))
        text = json.dumps(msgspec.to_builtins(policy), indent=2)
        try:
            console.write_whole(self._settings.policy, [f"{text}\n".encode()])
        except ShareError as error:
            raise ConfigError(
                f"no policy is there, and {error.message}; no file was taken; or name "
                "another path with PAXECT_LINK_POLICY"
            ) from error


def write_manifest(
    settings: LinkSettings, node: str, moment: datetime, key: bytes | None
) -> None:
    """Say who this node is, in Link's words, signed if there is a key."""
    manifest = NodeManifest(
        datetime_utc=stamp(moment),
        node=node,
        platform=platform.platform(),
        policy=settings.policy,
        inbox=settings.inbox,
        outbox=settings.outbox,
        version=LINK_VERSION,
    )
    data = json.dumps(msgspec.to_builtins(signed(manifest, key)), indent=2)
    try:
        console.write_whole(settings.manifest, [f"{data}\n".encode()])
    except OSError as error:
        raise NotReady(
            f"writing the manifest {settings.manifest!r} gave "
            f"{error.strerror or error}; nothing was relayed; name another path with "
            "PAXECT_LINK_MANIFEST"
        ) from error


def peers(own: str) -> Iterator[Peer]:
    """Give the manifests in the working folder but the own one, by their names."""
    for path in sorted(glob.glob(_MANIFESTS)):
        if os.path.abspath(path) == os.path.abspath(own):
            continue
        try:
            with open(path, "rb") as stream:
                yield Peer(path, "", stream.read(_MANIFEST_BYTES_MAX))
        except OSError:
            yield Peer(path, "", b"")


def stamp(moment: datetime) -> str:
    """Return a time as Link writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
