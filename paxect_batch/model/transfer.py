"""A transfer's papers: the task for a worker, its outcome, the intent to publish."""

from __future__ import annotations

import enum
import math

import msgspec

from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.numbers import Count, ModeBits
from paxect_batch.model.places import Place
from paxect_batch.model.policy import OnDone


class Result(enum.StrEnum):
    """How a worker fared with one item."""

    STAGED = "staged"
    CHANGED = "changed"
    """The source changed since it was admitted; it waits."""
    GONE = "gone"
    """The source is not there any more."""
    REFUSED = "refused"
    """The source cannot be taken as it is; `code` says why."""
    FAILED = "failed"
    """The share or the disk failed; the item is as it was."""


class Task(msgspec.Struct, frozen=True):
    """What a worker is to do with one item: read `source`, write `stage`.

    For encoding, `sidecar` is staged as well; for decoding it is where the sidecar of
    the source may lie.
    """

    direction: Direction
    source: Place
    identity: Identity
    stage: Place
    sidecar: Place
    level: int
    channels: int
    frame_bytes: int
    threads: int
    read_back: bool
    twice: bool
    """Whether to do it a second time and compare: a determinism self-check."""
    mtime_ns: int | None = None
    """The modification time to give what is staged, if any."""
    mode: ModeBits | None = None
    """The permission bits to give what is staged, if any."""
    dressed_as: str = ""
    """The SHA-256 of the container that the two are of; empty if they are of any."""
    raw_bytes_max: int = 0
    """More than so many raw bytes are not taken out of a container; 0: any number."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of one task."""

    result: Result
    code: str = ""
    """A stable word for the reason, such as `crc-mismatch` or `checksum_mismatch`."""
    detail: str = ""
    errno: int = 0
    exit_code: int = 0
    raw_bytes: Count = 0
    raw_sha256: str = ""
    container_bytes: Count = 0
    container_sha256: str = ""
    frames: Count = 0
    biased: bool = False
    """Whether doing it twice gave different bytes."""
    seconds: float = 0.0


class Lot(msgspec.Struct, frozen=True):
    """Items that share one trip through a worker and one commit."""

    number: int
    tasks: tuple[Task, ...]
    trial: Task | None = None
    """A task in place of which noise is packed, to see whether a worker lives."""

    @property
    def size(self) -> int:
        """Bytes of all sources."""
        return sum(task.identity.size for task in self.tasks)


class Meta(msgspec.Struct, frozen=True):
    """What a container cannot hold of its file, for the node that delivers it."""

    container_sha256: str
    mtime_ns: int | None = None
    mode: ModeBits | None = None
    raw_name: str = ""
    """The file's name, where the container has an alias of it."""
    container: Place | None = None
    """Where the container lies; without it the paper is of no use."""


class Pledge(msgspec.Struct, frozen=True):
    """One item of an intent: what is staged, and what it shall become."""

    direction: Direction
    source: Place
    identity: Identity
    stage: Place
    target: Place
    sidecar_stage: Place | None
    sidecar: Place | None
    raw_bytes: Count
    raw_sha256: str
    container_bytes: Count
    container_sha256: str
    meta: Meta | None = None

    @property
    def target_sha256(self) -> str:
        """The SHA-256 of what is staged, and will lie at the target."""
        if self.direction is Direction.ENCODE:
            return self.container_sha256
        return self.raw_sha256

    @property
    def target_bytes(self) -> int:
        """The size of what is staged."""
        if self.direction is Direction.ENCODE:
            return self.container_bytes
        return self.raw_bytes


class Intent(msgspec.Struct, frozen=True):
    """What is about to be published, written down durably before it happens."""

    node: str
    run: str
    number: int
    on_done: OnDone
    ledger_offset: Count
    """Where the node's ledger of this run ended: records of these items come later."""
    pledges: tuple[Pledge, ...]
    ready_marker: str = ""
    """The suffix of markers that go with their sources; see `Policy.ready_marker`."""


class Attempts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was tried with one item, kept on the share between runs."""

    direction: Direction
    source: Place
    identity: Identity
    failures: tuple[Failure, ...]
    next_at: float = math.inf
    """When to try again, by the share's clock; infinite, and not written, for never."""

    def __post_init__(self) -> None:
        # JSON has no infinity, and defaults are told by identity: only this very
        # object is left out when it is written.
        if self.next_at == math.inf:
            msgspec.structs.force_setattr(self, "next_at", math.inf)


class Failure(msgspec.Struct, frozen=True):
    """One try that failed."""

    at: float
    """When, by the share's clock, in seconds since 1970."""
    node: str
    code: str
    detail: str
    exit_code: int


class Reason(msgspec.Struct, frozen=True):
    """Why an item was set aside, and what to do about it: `reason.json`."""

    id: str
    """The name of its folder in quarantine."""
    direction: Direction
    source: Place
    """Where it lay."""
    size: Count
    mtime_ns: int
    code: str
    """The last failure's."""
    detail: str
    history: tuple[Failure, ...]
    node: str
    run: str
    at: float
    """When it was set aside, by the share's clock."""
    retry: str
    """The command that has it tried again, with the share's path for `SHARE`."""
    """The command that has it tried again."""
    marker: str = ""
    """The suffix of the marker that called it ready; it comes back with the file."""
