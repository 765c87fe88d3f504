"""What must hold at every instant, and what must be found at the end."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from disk import Disk, File
from turns import Turns

import paxect_core
from paxect_batch.model.items import Direction
from paxect_batch.model.places import Root
from paxect_batch.model.records import Fate, Record
from paxect_batch.rules.naming import is_temporary

_NUMBERED = re.compile(r"\.\d+$")


class Violation(Exception):
    """Something that must never happen did."""


class Version:
    """One content that a producer laid under a name."""

    def __init__(self, name: str, content: bytes, container: bytes) -> None:
        self.name = name
        self.content = content
        self.container = container
        self.is_overwritten = False
        """Whether its producer replaced it, so that nobody is owed it."""
        self.is_damaged = False
        """Whether its container was damaged on the wire."""
        self.taken = 0

    def __str__(self) -> str:
        return f"{self.name} {self.content!r}"


class Oracle:
    """Watches a disk, and knows what was dropped and taken."""

    def __init__(
        self,
        disk: Disk,
        turns: Turns,
        *,
        keeps: bool = False,
        marker: str = "",
        apart: tuple[str, ...] = (),
    ) -> None:
        """`keeps` says that sources and containers stay where they are.

        `marker` is the suffix of files that call others whole, if there are such. What
        lies `apart` has no way into quarantine.
        """
        self._disk = disk
        self._keeps = keeps
        self._marker = marker
        self._apart = apart
        self.was_interrupted = False
        """Whether a node may have died between a marker and the file that it marks."""
        self.unmarked = 0
        """Files that nobody calls whole any more, for that reason."""
        self._turns = turns
        self.locks_are_broken = False
        """Whether a claim was lost while it was held, so that two may have it."""
        self.versions: list[Version] = []
        self.by_bytes: dict[bytes, Version] = {}
        self._half: tuple[Version, float] | None = None
        """What a slow producer has written so far, and when it passes for whole."""
        self.twice = 0
        """Equal bytes that were delivered twice, after a lock was broken."""
        disk.on_gone = self.gone
        disk.on_replaced = self.replaced

    def dropped(self, name: str, content: bytes, container: bytes) -> Version:
        """Note a content that a producer is about to finish."""
        version = Version(name, content, container)
        self._add(version)
        return version

    def _add(self, version: Version) -> None:
        self.versions.append(version)
        self.by_bytes[version.content] = self.by_bytes[version.container] = version

    def begun(
        self, name: str, half: bytes, container: bytes, settle_seconds: float
    ) -> None:
        """Note that a producer has written a half, and means to go on at once."""
        version = Version(name, half, container)
        # Whether or not it is delivered, nobody is owed it.
        version.is_overwritten = True
        self._half = version, self._turns.time + settle_seconds

    def look_at_half(self) -> None:
        """Take the half for a content of its own if its producer was kept for too long.

        Others may have had all the turns; who then takes it for whole is right.
        """
        if self._half is not None and self._turns.time >= self._half[1]:
            self._add(self._half[0])
            self._half = None

    def went_on(self) -> None:
        """Note that the producer of a half goes on, or has lost it."""
        self.look_at_half()
        self._half = None

    def took(self, path: str, file: File) -> None:
        """Note that a consumer takes a file."""
        self.look_at_half()
        name = path.partition("/")[2]
        version = self.by_bytes.get(file.content)
        if version is None or file.content != version.content:
            raise Violation(
                f"delivered bytes that nobody dropped: {path} {file.content!r}"
            )
        if name != version.name and _NUMBERED.sub("", name) != version.name:
            raise Violation(f"delivered {version} under another name: {path}")
        version.taken += 1
        # Damaged, a container is another file than the one that was delivered.
        if version.taken > 1 and not version.is_damaged:
            if not self.locks_are_broken:
                raise Violation(f"delivered twice: {version}")
            self.twice += 1

    def gone(self, path: str, file: File) -> None:
        """Check that what lost a name is whole somewhere still."""
        version = self.by_bytes.get(file.content)
        if version is not None and not self._is_whole(version):
            raise Violation(f"lost: {version}; its last place was {path}")

    def replaced(self, path: str, old: File, new: File) -> None:
        """Check that only papers, or producers, replace.

        Where a rename cannot refuse to, a broken lock lets equal bytes do so as well.
        """
        root = path.partition("/")[0]
        if root == ".paxect" or self._turns.process.name == "producer":
            return
        if not self.locks_are_broken or new.content != old.content:
            raise Violation(f"replaced: {path} {old.content!r}")

    def check_whole(self) -> None:
        """Check that everything is whole somewhere, as after a power cut."""
        for version in self.versions:
            if not self._is_whole(version):
                raise Violation(f"lost: {version}")

    def _is_whole(self, version: Version) -> bool:
        if version.taken or version.is_overwritten or version.is_damaged:
            return True
        wanted = version.content, version.container
        return any(file.content in wanted for _, file in self._disk.files())

    # -- at the end

    def check_delivered(self) -> None:
        """Check that nobody is owed anything any more."""
        lying = {
            file.content
            for path, file in self._disk.files("outbox")
            if not is_hidden(path)
        }
        for version in self.versions:
            if not version.taken and version.content not in lying:
                self._check_missing(version)

    def _check_missing(self, version: Version) -> None:
        kept = {file.content for _, file in self._disk.files(".paxect/quarantine")}
        left = {
            file.content for path, file in self._disk.files() if self._is_left(path)
        }
        aside = any(
            each in kept or each in left
            for each in (version.content, version.container)
        )
        if any(
            self._is_unmarked(path) and file.content == version.content
            for path, file in self._disk.files("inbox")
        ):
            # It is in sight; a marker that came back might call a half-written one whole.
            self.unmarked += 1
            return
        if not aside and not version.is_overwritten and not version.is_damaged:
            raise Violation(f"not delivered: {version}")

    def check_end(self, records: list[Record]) -> None:
        """Check what lies on the share once nothing moves any more."""
        for path, file in list(self._disk.files("outbox")):
            if not is_hidden(path):
                self.took(path, file)
        kept = {file.content for _, file in self._disk.files(".paxect/quarantine")}
        for version in self.versions:
            if not version.taken:
                self._check_missing(version)
            if version.taken and version.content in kept and not self.locks_are_broken:
                raise Violation(f"delivered and set aside: {version}")
        self._check_records(records)
        crumbs = sorted(self._crumbs())
        if crumbs:
            raise Violation(f"left behind: {', '.join(crumbs)}")

    def _crumbs(self) -> Iterator[str]:
        for path, file in self._disk.files():
            top, _, rest = path.partition("/")
            if self._is_unmarked(path) or self._is_left(path):
                continue
            if rest.startswith((".paxect/archive/", ".paxect/archive-apart/")):
                continue  # of a root that is a file system of its own
            if (top == "outbox" and not is_hidden(path)) or (
                self._keeps and top in ("inbox", "wire")
            ):
                continue
            kind = rest.partition("/")[0]
            if kind == "meta" and self._needs_names():
                continue
            if kind == "attempts" and (self.unmarked or self._is_of_left(file)):
                continue
            if top == ".paxect" and (
                kind in ("ledger", "quarantine", "archive", "left", "share.json")
                or path.endswith("/manifest.json")
            ):
                continue
            yield path

    def _is_unmarked(self, path: str) -> bool:
        return (
            bool(self._marker)
            and self.was_interrupted
            and path.startswith("inbox/")
            and not path.endswith(self._marker)
            and self._disk.find(path + self._marker) is None
        )

    def _is_left(self, path: str) -> bool:
        """Tell whether it stays where it was, given up, since no rename leads away."""
        folders = ["left"]
        # With what lies beside it.
        path = path.removesuffix(".sha256").removesuffix(self._marker)
        if path.partition("/")[0] in self._apart:
            folders.append("attempts")
        return any(
            _gives_up(paper, path)
            for folder in folders
            for _, paper in self._disk.files(f".paxect/{folder}")
        )

    def _is_of_left(self, paper: File) -> bool:
        return any(
            _gives_up(paper, path)
            for top in self._apart
            for path, _ in self._disk.files(top)
        )

    def _needs_names(self) -> bool:
        """Tell whether a container stays, by whose alias its name is found."""
        kept = [path for path, _ in self._disk.files(".paxect/quarantine")]
        kept += [path for path, _ in self._disk.files("wire") if self._is_left(path)]
        return self._keeps or any(path.endswith(".freq") for path in kept)

    def _check_records(self, records: list[Record]) -> None:
        """Check that ledgers tell of what was delivered, and of nothing else."""
        told: dict[Direction, set[bytes]] = {each: set() for each in Direction}
        for record in records:
            if record.fate is not Fate.DELIVERED:
                continue
            version = next(
                (
                    each
                    for each in self.versions
                    if paxect_digest(each.content) == record.raw_sha256
                ),
                None,
            )
            if version is None:
                raise Violation(f"recorded bytes that nobody dropped: {record}")
            is_same = record.container_sha256 == paxect_digest(version.container)
            if not is_same and not version.is_damaged:
                raise Violation(f"recorded another container: {record}")
            wanted = Root.WIRE if record.direction is Direction.ENCODE else Root.OUTBOX
            if record.target is None or record.target.root is not wanted:
                raise Violation(f"recorded another target: {record}")
            told[record.direction].add(version.content)
        for version in self.versions:
            if version.taken and version.content not in told[Direction.DECODE]:
                raise Violation(f"delivered and not recorded: {version}")
            if not version.taken and version.content in told[Direction.DECODE]:
                raise Violation(f"recorded and not delivered: {version}")


def is_hidden(path: str) -> bool:
    """Tell whether consumers pass it over: what is being made, and the relay's own."""
    return any(is_temporary(name) for name in path.split("/")[1:])


def _gives_up(paper: File, path: str) -> bool:
    root, _, rest = path.partition("/")
    source = f'"source":["{root}","{rest}"]'.encode()
    return source in paper.content and b'"next_at"' not in paper.content


def paxect_digest(data: bytes) -> str:
    """Return the SHA-256 of some bytes in hex."""
    import hashlib

    return hashlib.sha256(data).hexdigest()


def container_of(content: bytes, settings: paxect_core.Settings) -> bytes:
    """Return the one container that these bytes have."""
    sink = io.BytesIO()
    paxect_core.encode(io.BytesIO(content), sink, settings)
    return sink.getvalue()
