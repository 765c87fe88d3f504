"""What relay and work see of the world: one Protocol for each thing that tests break.

Each has a real implementation in `world` and a fake in `tests/fakes`; both pass the
suite in `tests/contract`. File operations raise `OSError` as the system does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from typing import IO, Any, Protocol, TypeVar

import msgspec

from paxect_batch.model.events import Event
from paxect_batch.model.items import Entry, Facts, Removal
from paxect_batch.model.leases import Lease, Over, Word
from paxect_batch.model.pace import PaceStep, Surroundings
from paxect_batch.model.places import Place, Root
from paxect_batch.model.records import Record
from paxect_batch.model.transfer import Lot, Outcome

T = TypeVar("T")


class Share(Protocol):
    """File operations on the roots of a share; never outside, never through a link."""

    def entries(self, folder: Place) -> Iterator[Entry]:
        """Stream the entries of a folder; none if it is not there."""

    def freshen(self, folder: Place) -> None:
        """Make the next listing of the folder show what other clients did."""

    def size_of(self, place: Place) -> int:
        """The size that a listing goes by, maybe old.

        0 if the file is not there, or may not be looked at.
        """

    def look(self, place: Place, *, closely: bool = False) -> Facts | None:
        """Fresh facts of a file, or None if it is not there.

        Closely: of a name that was just listed, so that whether it is there is not
        asked for again; a file is opened, and what tells whether it is still being
        written is found out. Folders, links and other things are never opened.
        """

    def open_source(self, place: Place) -> IO[bytes]:
        """Open a regular file to read, unbuffered."""

    def facts_of(self, stream: IO[bytes]) -> Facts:
        """Facts of an open file."""

    def create(self, place: Place) -> IO[bytes]:
        """Create a file to write, unbuffered; its folder is made; it must be new."""

    def sync(self, stream: IO[bytes]) -> None:
        """Make an open file's content durable."""

    def sync_all(self, streams: Sequence[IO[bytes]]) -> tuple[OSError | None, ...]:
        """Make the content of open files durable; tell of each what it met."""

    def sync_folder(self, folder: Place) -> None:
        """Make a folder's entries durable."""

    def sync_folders(self, folders: Sequence[Place]) -> tuple[OSError | None, ...]:
        """Make several folders' entries durable; tell of each what it met."""

    def prepare_folders(self, folders: Sequence[Place]) -> None:
        """Make those that are not known to be there, durably, with few waits.

        One that cannot be made is left out; whoever needs it will be told why.
        """

    def read(self, place: Place, bytes_max: int) -> bytes | None:
        """Read a small file whole, up to a limit; None if it is not there."""

    def write(self, place: Place, data: bytes) -> None:
        """Write a small file durably and whole, in place of what is there."""

    def rename_new(self, source: Place, target: Place) -> None:
        """Rename without replacing; `FileExistsError` if the name is taken."""

    def move_new(self, source: Place, target: Place) -> None:
        """Move a file to a free name; `FileExistsError` if it is taken.

        That holds also where `rename_new` may replace what came in that instant; there
        the file has both names for a moment.
        """

    def remove(self, place: Place) -> bool:
        """Remove a file; False if it was gone."""

    def removal(self, folder: Place) -> Removal:
        """Which files may be taken out of a folder; `PermissionError` if it is a root.

        `ANY` where that cannot be told, or the folder is gone.
        """

    def remove_folder(self, folder: Place) -> bool:
        """Remove an empty folder; False if it is gone or not empty."""

    def make_folder(self, folder: Place) -> None:
        """Make a folder and those above it, durably; fine if it is there."""

    def dress(
        self, stream: IO[bytes], *, mtime_ns: int | None, mode: int | None
    ) -> None:
        """Give an open file a modification time and permission bits."""

    @property
    def ahead(self) -> int:
        """How many items it is good to look at and to claim at once."""

    @property
    def lists_late(self) -> bool:
        """Whether a listing may not show yet what others did, but for `freshen`."""

    def each(
        self, act: Callable[[T], object], items: Sequence[T], *, removing: bool = False
    ) -> None:
        """Act on each of them: on several at once where a server is waited for.

        Then all are acted on, whatever one meets; what the first met is raised. To
        remove files may be waited for on a disk of this machine as well.
        """

    def now(self) -> float:
        """The share's own time: what a file changed just now would bear."""

    def free_bytes(self, root: Root) -> int:
        """How much can still be written there."""

    def together(self, one: Root, other: Root) -> bool:
        """Whether a file can be renamed from one root into the other."""

    def folds_names(self, root: Root) -> bool:
        """Whether names that differ in case or Unicode form are one name there."""


class Claim(Protocol):
    """An item that is this node's alone, until it is released."""

    def release(self) -> None:
        """Let other nodes have it; fine if it was lost meanwhile."""

    def stands(self) -> bool:
        """Ask whether it is this node's still; once it is not, it is not released."""


class Applicant(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks to join the nodes of a share."""

    node: str
    run: str
    since: str = ""
    codec: str = ""
    policy_sha256: str = ""
    allow_mixed: bool = False
    is_stopping: Callable[[], bool] = lambda: False
    """Asked while it waits for an earlier run to be over."""


class Locks(Protocol):
    """Leases of nodes and claims on items, between nodes and runs."""

    def join(self, applicant: Applicant) -> str:
        """Become the one run of the node on the share; return the batch it joins.

        Raises `NotReady` if another run is the node or may not be met, `ConfigError`
        if the batch would be mixed.
        """

    def leave(self, *, unfinished: bool = False) -> bool:
        """Give the lease and all claims back; tell whether the batch has no other run.

        Unfinished: only show no more life, so that others take the run over.
        """

    def claim(self, key: str) -> Claim | None:
        """Take the item of that key; None if another run has it."""

    def seems_taken(self, key: str) -> bool:
        """Tell whether a run had the item a moment ago, which costs next to nothing."""

    def stands(self) -> bool:
        """Ask the share whether the lease is still this run's."""

    @property
    def is_lost(self) -> bool:
        """Whether the lease was found lost, without asking the share."""

    def others(self) -> tuple[Lease, ...]:
        """Leases of the other nodes that live, as they were seen last."""

    def has_unheard(self) -> bool:
        """Tell whether a node has a lease of which no beat came while this run looked.

        That passes with a beat, or when the lease is over.
        """

    def over(self) -> list[Over]:
        """Runs that ended without leaving, and are this one's to recover; each once."""

    def bury(self, over: Over) -> None:
        """Give back the claims of a run that was recovered, and forget it."""

    def tell(self, word: Word, policy_sha256: str) -> None:
        """Say this of the run, and by which policy it works now."""


class StopSignal(Protocol):
    """Whether to stop: `requested` in an orderly way, `now` at once."""

    @property
    def requested(self) -> bool:
        """Claim nothing more, finish what is being published."""

    @property
    def now(self) -> bool:
        """Leave everything as it is; any node can finish it."""


class Clock(Protocol):
    """The node's own time."""

    def now(self) -> float:
        """Seconds since 1970, for people."""

    def monotonic(self) -> float:
        """Seconds that only ever grow, for measuring."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Bell(Protocol):
    """Rings when something comes into a folder that was listed before."""

    def wait(self, seconds: float) -> bool:
        """Wait until it rings, or the time is over; tell whether it rang.

        What came while nobody waited rings at once.
        """

    @property
    def hears_all(self) -> bool:
        """Whether it rings for all that can come, as far as it can tell."""


class Beside(Protocol):
    """Makes calls that wait for a disk beside the caller's thread."""

    def submit(self, call: Callable[[], object]) -> Future[object]:
        """Have the call made after all that were submitted before."""

    def wait(self, futures: Collection[Future[Any]], seconds: float | None) -> None:
        """Wait until one of them is done, or the time is over."""

    def stop(self) -> None:
        """Let what serves the calls end once all were made."""


class Executor(Protocol):
    """Worker processes; the death of one fails the lot that it had, and no other."""

    def submit(self, lot: Lot) -> Future[tuple[Outcome, ...]]:
        """Have a worker do the lot; `WorkerDied` as the exception if it dies."""

    def stop(self) -> None:
        """End all workers at once; what they staged stays for the sweeper.

        Their lots end with `WorkerDied`. A later `submit` starts workers anew.
        """


class WorkerDied(Exception):
    """A worker process ended while it had a lot."""


class Ledger(Protocol):
    """This run's ledger file, which nobody else writes."""

    def append(self, records: list[Record]) -> None:
        """Add records durably."""

    def offset(self) -> int:
        """How long the file is."""

    def all(self) -> Iterator[Record]:
        """Records of all nodes and runs, this one's included."""

    def since(self, node: str, run: str, offset: int) -> Iterator[Record]:
        """Records of a node's run from that offset; a torn last line is left out."""

    def news(
        self, living: Collection[str], *, looks_only: bool = False
    ) -> Iterator[Record]:
        """Records of all other runs that this did not give before.

        `living` are the runs that may add some, as far as that is known. Who
        `looks_only` writes nothing, and may miss the newest.
        """

    def follow(self) -> News:
        """Give the same, and this run's own, to another reader from the beginning."""


class News(Protocol):
    """What all runs record."""

    def read(
        self, living: Collection[str], *, looks_only: bool = False
    ) -> Iterator[Record]:
        """Records that were not given before; see `Ledger.news`."""


class EventLog(Protocol):
    """Where events go."""

    def write(
        self,
        event: Event,
        *,
        src: str = "",
        dst: str = "",
        status: str = "ok",
        message: str = "",
        pace: PaceStep | None = None,
    ) -> None:
        """Add an event; what the policy's level leaves out is dropped."""


class Keys(Protocol):
    """The secret for signing manifests."""

    def hmac_key(self) -> bytes | None:
        """The key, if one is configured."""


class Load(Protocol):
    """What this machine has."""

    def cores(self) -> int:
        """Cores that this process may use."""


class Gauges(Protocol):
    """How it stands with what this run shares with others."""

    def read(self) -> Surroundings:
        """Look; what cannot be told is None."""
