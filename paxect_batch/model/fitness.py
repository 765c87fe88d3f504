"""Fitness: what probes found out about a share, and what that means for the relay.

A probe tells what happened and judges nothing. None stands for what was not tried, or
what this platform cannot tell.
"""

from __future__ import annotations

import enum

import msgspec


class Level(enum.StrEnum):
    """What a finding does to the verdict."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; it changes nothing."""
    CARE = "care"
    UNFIT = "unfit"


class Verdict(enum.StrEnum):
    """Whether the relay may work on a share."""

    FIT = "fit"
    CARE = "fit with care"
    UNFIT = "not fit"


class Lock(enum.StrEnum):
    """What claims and leases can rest on."""

    MARKERS = "markers"
    """Files made by one node only, a heartbeat beside them, take-over by rename."""
    FLOCK = "flock"
    """Locks of the operating system, kept by the file server."""


class Writers(enum.StrEnum):
    """Of whose files the system tells whether somebody still writes them."""

    ALL = "all"
    OWN = "own"
    """Those of the user who asks."""
    NONE = "none"


class Trial(msgspec.Struct, frozen=True):
    """Something that was tried: whether it held, and otherwise what happened instead.

    `met` is the name of the system's error, such as `EINVAL`, or a few words.
    """

    held: bool
    met: str = ""


class Mount(msgspec.Struct, frozen=True):
    """The mount that a folder lies on."""

    point: str
    kind: str
    """The file system's type, as the system calls it: `nfs4`, `cifs`, `ext4`."""
    source: str
    options: tuple[str, ...]


class Calls(msgspec.Struct, frozen=True, kw_only=True):
    """What calls of this machine alone came to; all but the last few the relay needs.

    Each is named after what should hold.
    """

    read_back: Trial
    """What was written and synced is read by another open."""
    rewritten: Trial
    """Bytes that changed in place are read by another open."""
    listed: Trial
    """What this machine makes stands in its next listing."""
    sync_folder: Trial
    exclusive: Trial
    """A second exclusive create of a name is refused."""
    exclusive_race: Trial
    """Of several threads that create one name, exactly one succeeds."""
    replaced: Trial
    """A rename takes the place of an existing file."""
    replaced_open: Trial
    """The same while someone reads the old file."""
    kept: Trial
    """A rename that must not replace leaves the existing file alone."""
    moved: Trial
    """A rename that must not replace gives a free name."""
    in_one_call: Trial
    """The system has a call for that, so no other can come between look and rename."""
    removed_open: Trial
    """A file that is removed while it is open leaves no other name behind."""
    taken_over: Trial
    """A marker that lies there closed can be renamed aside, and a new one made."""
    flock: Trial
    soft_lock: Trial
    link: Trial


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """How names behave."""

    folds_case: bool
    folds_unicode: bool
    keeps_unicode: bool
    """Whether a listing gives a name in the form in which it was made."""
    takes_bytes: bool | None
    """Whether names may be no UTF-8."""
    refused: tuple[str, ...]
    """Of some unusual names, those that cannot be had, or come out as others."""
    bytes_max: int
    """The longest name in ASCII."""


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """How the share keeps time."""

    ahead_seconds: float
    """The share's clock, less this machine's."""
    step_ns: int
    """The granularity in which modification times are kept."""


class Space(msgspec.Struct, frozen=True, kw_only=True):
    """What room there is; no numbers of inodes where the file system has no limit."""

    free_bytes: int
    total_bytes: int
    free_inodes: int | None
    total_inodes: int | None


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds that one small operation takes: the median of `rounds`."""

    rounds: int
    create: float
    """Create, write 4 KiB, sync and close."""
    look: float
    """Open and `fstat`."""
    rename: float
    remove: float
    sync_folder: float


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """What two machines found out together, as seen from this one."""

    host: str
    same_machine: bool
    """Whether both are processes of one running system."""
    same_host_name: bool
    round_trip_seconds: float | None = None
    """From writing a few bytes to reading the other's answer to them."""
    ahead_seconds: float | None = None
    """The peer's clock, less this machine's; give or take half a round trip."""
    watched_seconds: float = 0.0
    """How long a listing was watched at most."""
    seen_after_seconds: float | None = None
    """When the peer's new file stood in the listing; None: not while watched."""
    freshened: Trial | None = None
    """A listing shows the peer's new file once this machine changed the folder."""
    grown: Trial | None = None
    """`open` and `fstat` tell the new size of a file that the peer appended to."""
    rewritten: Trial | None = None
    """Bytes that the peer changed in place are read by a new open."""
    exclusive: Trial | None = None
    """Of two machines that create one name at once, exactly one succeeds."""
    kept: Trial | None = None
    """A rename that must not replace leaves alone what the peer made just now."""
    flock: Trial | None = None
    soft_lock: Trial | None = None
    marker: Trial | None = None
    """A marker of the peer keeps this machine out and tells its owner."""
    taken_over: Trial | None = None
    """A marker that the peer took over is seen to be lost."""
    lost_at: str = ""
    """The step at which the peer was heard no more."""


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found out about a share; most is None if it cannot be written to."""

    share: str
    platform: str
    host: str
    marked: bool
    """Whether it is laid out as a share."""
    pinned: str | None
    """What its configuration says that locks rest on."""
    mount: Mount | None
    writable: Trial
    apart: tuple[str, ...] = ()
    """Folders of the share into which no file of `.paxect` can be renamed."""
    calls: Calls | None = None
    names: Names | None = None
    times: Times | None = None
    space: Space | None = None
    speed: Speed | None = None
    writers: Writers | None = None
    """Whose files' writers are told to the user who looked."""
    peer_asked: bool = False
    waited_seconds: float = 0.0
    """How long a peer was waited for."""
    peer: Peer | None = None


class Finding(msgspec.Struct, frozen=True):
    """One thing found: what it is, what it means, and what to do about it."""

    code: str
    level: Level
    found: str
    means: str
    advice: str = ""
    """Empty where nothing needs doing."""


class Fitness(msgspec.Struct, frozen=True, kw_only=True):
    """What `doctor` says of a share."""

    verdict: Verdict
    exit_code: int
    locks: Lock | None
    """What claims can rest on here; None if nothing holds."""
    pinned: str | None
    """What the share's configuration says about that, after this look."""
    findings: tuple[Finding, ...]
    probed: Probed
