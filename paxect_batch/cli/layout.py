"""Which folders a command works on: those of a share, or some of one's own.

A share is known by its marker, so that a mount point without its mount is never taken
for an empty share. Nothing is made here but, for folders of one's own, the relay's own
folder inside the inbox, and only by `make_ready`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from paxect_batch.cli.apart import WIRE_NAME, require_apart, require_two
from paxect_batch.cli.shell_words import shell_word
from paxect_batch.model.errors import ConfigError, NotReady
from paxect_batch.model.items import Mode
from paxect_batch.model.nodes import ShareMarker
from paxect_batch.model.places import STATE_NAME, Root
from paxect_batch.world.lease_judge import (
    LEASE_SECONDS,
    LEASE_SECONDS_MAX,
    LEASE_SECONDS_MIN,
)
from paxect_batch.world.plain_files import open_plain

if TYPE_CHECKING:
    from paxect_batch.cli.settings import Settings

MARKER_NAME = "share.json"
POLICY_NAME = "policy.toml"
SHARE_FORMAT = 1
_MARKER_BYTES_MAX = 1 << 16


class _Format(msgspec.Struct):
    """What a marker of any format has."""

    format: int


class Layout(msgspec.Struct, frozen=True):
    """The folder of each root; `share` is empty for folders of one's own."""

    share: str
    roots: dict[Root, str]
    lease_seconds: float = LEASE_SECONDS

    @property
    def in_place(self) -> bool:
        """Whether containers lie in the inbox itself."""
        return self.roots[Root.WIRE] == self.roots[Root.INBOX]

    @property
    def policy(self) -> str:
        """Where the policy is, unless another one was named."""
        return os.path.join(self.roots[Root.STATE], POLICY_NAME)

    def log(self, node: str) -> str:
        """Return where a node logs its events, unless another file was named."""
        return os.path.join(self.roots[Root.STATE], "log", f"{node}.jsonl")

    @property
    def words(self) -> str:
        """How this place is named on a command line."""
        if self.share:
            return shell_word(self.share)
        inbox, outbox = self.roots[Root.INBOX], self.roots[Root.OUTBOX]
        words = f"--inbox {shell_word(inbox)} --outbox {shell_word(outbox)}"
        wire = self.roots[Root.WIRE]
        is_usual = wire == usual_wire(inbox, outbox, Mode.RELAY)
        return words if is_usual else f"{words} --wire {shell_word(wire)}"

    def make_ready(self) -> None:
        """Make the relay's own folders where no `init` made them."""
        if not self.share:
            os.makedirs(self.roots[Root.STATE], exist_ok=True)
            if self.roots[Root.WIRE].startswith(self.roots[Root.STATE]):
                os.makedirs(self.roots[Root.WIRE], exist_ok=True)


def find_layout(settings: Settings) -> Layout:
    """Return the folders that the settings name, or raise `NotReady`."""
    layout = _named_layout(settings)
    require_two(layout.roots)
    return layout


def find_run_layout(settings: Settings) -> Layout:
    """Return the folders of a run; `ConfigError` if it would take what it made."""
    layout = find_layout(settings)
    require_apart(layout.roots, way_of_all(settings, layout))
    return layout


def way_of_all(settings: Settings, layout: Layout) -> Mode:
    """Return which way files go: others of a share may go another than this node."""
    return Mode.RELAY if layout.share else settings.direction


def _named_layout(settings: Settings) -> Layout:
    if settings.share is not None:
        return _share_layout(os.path.abspath(settings.share))
    if settings.inbox is None:
        raise ConfigError(
            "no folder was named; nothing was touched; name a SHARE, or an --inbox "
            "and an --outbox"
        )
    if settings.outbox is None:
        raise ConfigError(
            f"{settings.origins['inbox']} is set and no outbox is; nothing was "
            "touched; add --outbox"
        )
    return _own_layout(
        os.path.abspath(settings.inbox),
        os.path.abspath(settings.outbox),
        None if settings.wire is None else os.path.abspath(settings.wire),
        settings.direction,
    )


def _share_layout(share: str) -> Layout:
    marker = read_marker(share)
    _check_locks(share, marker)
    roots = roots_of(share, marker)
    require_folders(roots)
    return Layout(share, roots, _lease_seconds(share, marker))


def roots_of(share: str, marker: ShareMarker) -> dict[Root, str]:
    """Return the folders of a share, which need not be there."""
    return {
        Root.INBOX: _inside(share, "inbox", marker.inbox),
        Root.OUTBOX: _inside(share, "outbox", marker.outbox),
        Root.WIRE: _inside(share, "wire", marker.wire),
        Root.STATE: os.path.join(share, STATE_NAME),
    }


def require_folders(roots: dict[Root, str]) -> None:
    """Raise `NotReady` unless all folders of a share are there."""
    for path in roots.values():
        _require_folder(path, "make it again, or correct .paxect/share.json")


def _lease_seconds(share: str, marker: ShareMarker) -> float:
    if marker.lease_seconds is msgspec.UNSET:
        return LEASE_SECONDS
    if not LEASE_SECONDS_MIN <= marker.lease_seconds <= LEASE_SECONDS_MAX:
        raise ConfigError(
            f"{os.path.join(share, STATE_NAME, MARKER_NAME)}: lease_seconds is "
            f"{marker.lease_seconds:g}; nothing was touched; use {LEASE_SECONDS_MIN:g} "
            f"to {LEASE_SECONDS_MAX:g}, the same for all nodes"
        )
    return marker.lease_seconds


def read_marker(share: str) -> ShareMarker:
    """Return the marker of a share, or raise `NotReady` if there is none."""
    path = os.path.join(share, STATE_NAME, MARKER_NAME)
    try:
        with open_plain(path, follows=True) as stream:
            data = stream.read(_MARKER_BYTES_MAX)
        # First, since others may have other fields.
        _check_format(path, msgspec.json.decode(data, type=_Format).format)
        return msgspec.json.decode(data, type=ShareMarker)
    except PermissionError as error:
        raise NotReady(
            f"{path!r} may not be read by this user; nothing was touched; run as the "
            "user who made the share, or let this one read and write it"
        ) from error
    except OSError as error:
        raise NotReady(
            f"{path!r} cannot be read: {error.strerror or error}; nothing was touched; "
            f"see that the share is mounted, or run: "
            f"paxect-batch init {shell_word(share)}"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(
            f"{path!r} is no share marker: {error}; nothing was touched; correct it, "
            "or remove it and run init again"
        ) from error


def _check_format(path: str, found: int) -> None:
    if found != SHARE_FORMAT:
        raise ConfigError(
            f"{path!r} is of format {found} and this program knows format "
            f"{SHARE_FORMAT}; nothing was touched; use the version that made it"
        )


def _check_locks(share: str, marker: ShareMarker) -> None:
    if isinstance(marker.locks, msgspec.UnsetType):
        return
    from paxect_batch.rules.fitness import is_known

    if not is_known(marker.locks):
        raise ConfigError(
            f"{os.path.join(share, STATE_NAME, MARKER_NAME)!r} says that locks rest on "
            f"{marker.locks!r}, which this version does not know; nothing was touched; "
            "use the version that pinned them, or see paxect-batch doctor"
        )


def _inside(share: str, key: str, name: str) -> str:
    path = os.path.normpath(os.path.join(share, name))
    parts = name.replace(os.sep, "/").split("/")
    if not name or os.path.isabs(name) or ".." in parts or path == share:
        raise ConfigError(
            f"{os.path.join(share, STATE_NAME, MARKER_NAME)}: {key} is {name!r}; "
            "nothing was touched; use the name of a folder inside the share"
        )
    return path


def _own_layout(inbox: str, outbox: str, wire: str | None, mode: Mode) -> Layout:
    state = os.path.join(inbox, STATE_NAME)
    made = wire is None and mode is Mode.RELAY
    wire = wire or usual_wire(inbox, outbox, mode)
    for path in (inbox, outbox) if made else (inbox, outbox, wire):
        _require_folder(path, "see that it is mounted, or make it")
    roots = {
        Root.INBOX: inbox,
        Root.OUTBOX: outbox,
        Root.WIRE: wire,
        Root.STATE: state,
    }
    return Layout("", roots)


def usual_wire(inbox: str, outbox: str, mode: Mode) -> str:
    """Return the wire of folders of one's own where none is named."""
    return {
        Mode.ENCODE: outbox,
        Mode.DECODE: inbox,
        Mode.RELAY: os.path.join(inbox, STATE_NAME, WIRE_NAME),
    }[mode]


def _require_folder(path: str, advice: str) -> None:
    if not os.path.isdir(path):
        raise NotReady(f"folder {path!r} is not there; nothing was touched; {advice}")
