"""Which states a crash may leave, by what POSIX promises and no more.

A recorded run is played up to each of its changes. What was synced by then stays;
of the rest any part may be there:

- of a file's bytes that were not synced: none, all, half of the last write, zeros in
  their place, or a later write without the earlier ones;
- of changes of names in folders that were not synced: any subset, in any order. Only
  what builds on a change that is lost is lost as well: a rename of a file that was
  never made, a folder's removal before that of what was in it. A rename happens whole
  or not at all, and is durable once one of its two folders is synced.

Where there are few states, all of them are given; where there are many, the ends, all
that differ from an end in one thing, and a seeded choice of the rest.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import os
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crash_changes import Call

SECTOR_BYTES = 512
"""A disk writes so much at once or not at all."""

_SETS_MAX = 2048

_MOMENTARY = re.compile(rb"\.paxect-([0-9a-f]{16}|\d{8}T\d{9}Z-[0-9a-f]{6})(-.*)?\.tmp")


@dataclass
class Content:
    """A file's bytes, and what was written since they were durable."""

    synced: bytes = b""
    pending: list[Call] = field(default_factory=list)
    mtime_ns: int = 0

    def sync(self) -> None:
        """Make what was written durable."""
        self.synced = _played(self.synced, self.pending)
        self.pending = []

    def ways(self) -> list[bytes]:
        """Return what a crash may leave: first nothing new, then all of it."""
        if not self.pending:
            return [self.synced]
        now = _played(self.synced, self.pending)
        ways = [self.synced, now]
        if all(call.kind == "write" for call in self.pending):
            last = self.pending[-1]
            half = len(last.data) // 2
            if last.offset + half < len(self.synced):
                half -= half % SECTOR_BYTES
            torn = _written(
                _played(self.synced, self.pending[:-1]), last.offset, last.data[:half]
            )
            zeros = self.synced + bytes(max(len(now) - len(self.synced), 0))
            late = _played(self.synced, self.pending[-1:])
            ways += [torn, zeros, late]
        return list(dict.fromkeys(ways))


@dataclass(frozen=True)
class State:
    """What lies in the folder after the crash."""

    folders: dict[int, dict[bytes, int]]
    contents: dict[int, bytes]
    mtimes_ns: dict[int, int]
    root: int

    def paths(self) -> Iterator[tuple[bytes, int]]:
        """Give each path below the root, folders before what is in them."""
        waiting = [(b"", self.root)]
        while waiting:
            above, inode = waiting.pop()
            for name, each in sorted(self.folders[inode].items()):
                path = os.path.join(above, name)
                yield path, each
                if each in self.folders:
                    waiting.append((path, each))

    @property
    def signature(self) -> bytes:
        """Tell states apart."""
        digest = hashlib.sha256()
        for path, inode in sorted(self.paths()):
            data = b"/" if inode in self.folders else self.contents[inode]
            digest.update(b"%d %s %d " % (len(path), path, len(data)) + data)
        return digest.digest()

    def lay_down(self, folder: Path) -> dict[int, int]:
        """Make the folder so; tell of each file's inode which one it stands for."""
        folder.mkdir()
        inodes = {}
        for path, inode in self.paths():
            place = os.path.join(os.fsencode(folder), path)
            if inode in self.folders:
                os.mkdir(place)
                continue
            fd = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            with os.fdopen(fd, "wb", buffering=0) as stream:
                stream.write(self.contents[inode])
            mtime_ns = self.mtimes_ns[inode]
            os.utime(place, ns=(mtime_ns, mtime_ns))
            inodes[os.stat(place).st_ino] = inode
        return inodes


class History:
    """A recorded run over the folder as it was, which was durable."""

    def __init__(self, folder: Path) -> None:
        self._folders: dict[int, dict[bytes, int]] = {}
        self._contents: dict[int, Content] = {}
        self._pending: list[Call] = []
        self._root = os.stat(folder).st_ino
        self._read(os.fsencode(folder))

    def _read(self, path: bytes) -> int:
        found = os.lstat(path)
        if os.path.isdir(path):
            names = os.listdir(path)
            self._folders[found.st_ino] = {
                name: self._read(os.path.join(path, name)) for name in names
            }
        else:
            data = Path(os.fsdecode(path)).read_bytes()
            self._contents[found.st_ino] = Content(data, mtime_ns=found.st_mtime_ns)
        return found.st_ino

    def play(self, call: Call) -> None:
        """Go on by one change."""
        if call.kind in ("write", "truncate"):
            content = self._contents[call.inode]
            content.pending.append(call)
            content.mtime_ns = call.mtime_ns
        elif call.kind == "dress":
            self._contents[call.inode].mtime_ns = call.mtime_ns
        elif call.kind == "sync":
            self._contents[call.inode].sync()
        elif call.kind == "sync all":
            # Names count as durable only once somebody asks for that.
            for content in self._contents.values():
                content.sync()
        elif call.kind == "sync folder":
            self._sync_folder(call.inode)
        else:
            if call.kind == "mkdir":
                self._folders[call.inode] = {}
            elif call.kind == "create":
                self._contents[call.inode] = Content(mtime_ns=call.mtime_ns)
            self._pending.append(call)

    def _sync_folder(self, folder: int) -> None:
        needs = _needs(self._pending)
        durable: set[int] = set()
        for number, call in enumerate(self._pending):
            if any(slot.folder == folder for slot in call.slots):
                durable |= needs[number]
        for number in sorted(durable):
            _apply(self._folders, self._pending[number])
        self._pending = [
            call for n, call in enumerate(self._pending) if n not in durable
        ]

    def choices(self) -> Choices:
        """Return what may be left if the crash comes now."""
        dirty = {i: c.ways() for i, c in self._contents.items() if c.pending}
        return Choices(
            root=self._root,
            folders={inode: dict(names) for inode, names in self._folders.items()},
            contents={
                inode: Content(content.synced, mtime_ns=content.mtime_ns)
                for inode, content in self._contents.items()
            },
            pending=list(self._pending),
            dirty=dirty,
        )


class Choices:
    """All states that a crash at one moment may leave."""

    def __init__(
        self,
        *,
        root: int,
        folders: dict[int, dict[bytes, int]],
        contents: dict[int, Content],
        pending: list[Call],
        dirty: dict[int, list[bytes]],
    ) -> None:
        self._root = root
        self._folders = folders
        self._contents = contents
        self._pending = pending
        self._dirty = list(dirty.items())
        self._parts = [_closed_sets(part) for part in _parts(pending)]
        sizes = [len(part) for part in self._parts]
        self._sizes = sizes + [len(ways) for _, ways in self._dirty]

    @property
    def count(self) -> int:
        """How many there are, some of them equal."""
        return math.prod(self._sizes)

    def states(self, dice: random.Random, *, all_up_to: int, some: int) -> list[State]:
        """Return all states if there are few, or so many of them."""
        if self.count <= all_up_to:
            return [self._state(c) for c in itertools.product(*map(range, self._sizes))]
        nothing = [0] * len(self._sizes)
        # All of a part is its last choice, all of a file the one after nothing.
        names = len(self._parts)
        everything = [
            size - 1 if n < names else min(1, size - 1)
            for n, size in enumerate(self._sizes)
        ]
        picked = {tuple(nothing): None, tuple(everything): None}
        near = [
            (*end[:n], way, *end[n + 1 :])
            for end in (nothing, everything)
            for n, size in enumerate(self._sizes)
            for way in range(size)
        ]
        dice.shuffle(near)
        for choice in near[: some * 2 // 3]:
            picked[choice] = None
        for _ in range(some * 4):
            if len(picked) >= some:
                break
            bias = dice.choice((0.2, 0.5, 0.8))
            picked[
                tuple(
                    dice.randrange(size)
                    if dice.random() < 0.3
                    else (everything[n] if dice.random() < bias else 0)
                    for n, size in enumerate(self._sizes)
                )
            ] = None
        return [self._state(choice) for choice in list(picked)[:some]]

    def _state(self, choice: Sequence[int]) -> State:
        kept: set[int] = set()
        for part, way in zip(self._parts, choice, strict=False):
            kept |= part[way]
        folders = {inode: dict(names) for inode, names in self._folders.items()}
        for number in sorted(kept):
            _apply(folders, self._pending[number])
        contents = {inode: content.synced for inode, content in self._contents.items()}
        for (inode, ways), way in zip(
            self._dirty, choice[len(self._parts) :], strict=True
        ):
            contents[inode] = ways[way]
        mtimes = {inode: content.mtime_ns for inode, content in self._contents.items()}
        return State(folders, contents, mtimes, self._root)


def _written(data: bytes, offset: int, piece: bytes) -> bytes:
    data = data.ljust(offset, b"\0")
    return data[:offset] + piece + data[offset + len(piece) :]


def _played(data: bytes, calls: Sequence[Call]) -> bytes:
    for call in calls:
        if call.kind == "truncate":
            data = data[: call.size].ljust(call.size, b"\0")
        else:
            data = _written(data, call.offset, call.data)
    return data


def _apply(folders: dict[int, dict[bytes, int]], call: Call) -> None:
    for slot in call.slots:
        names = folders[slot.folder]
        if slot.inode is None:
            names.pop(slot.name, None)
        else:
            names[slot.name] = slot.inode


def _needs(pending: Sequence[Call]) -> list[set[int]]:
    """Return for each change all that it builds on, itself included."""
    last: dict[tuple[int, bytes], int] = {}
    within: dict[int, list[int]] = {}
    needs: list[set[int]] = []
    for number, call in enumerate(pending):
        mine = {number}
        for slot in call.slots:
            before = last.get((slot.folder, slot.name))
            if before is not None:
                mine |= needs[before]
        if call.kind == "rmdir":
            for before in within.get(call.inode, []):
                mine |= needs[before]
        for slot in call.slots:
            last[slot.folder, slot.name] = number
            within.setdefault(slot.folder, []).append(number)
        needs.append(mine)
    return needs


def _parts(pending: Sequence[Call]) -> list[dict[int, set[int]]]:
    """Return groups of changes of which none builds on another's.

    Files of a moment that nothing else builds on are one group, of all or nothing.
    """
    needs = _needs(pending)
    group = list(range(len(pending)))

    def top(number: int) -> int:
        while group[number] != number:
            number = group[number]
        return number

    for number, mine in enumerate(needs):
        for other in mine:
            group[top(other)] = top(number)
    found: dict[int, dict[int, set[int]]] = {}
    for number in range(len(pending)):
        found.setdefault(top(number), {})[number] = needs[number]
    parts, momentary = [], set()
    for part in found.values():
        slots = [slot for number in part for slot in pending[number].slots]
        if all(_MOMENTARY.fullmatch(slot.name) for slot in slots):
            momentary |= set(part)
        else:
            parts.append(part)
    if momentary:
        parts.append(dict.fromkeys(momentary, momentary))
    return parts


def _closed_sets(part: dict[int, set[int]]) -> list[set[int]]:
    """Return the subsets of a group that hold all that they build on, the whole last.

    Not all of them where there are very many.
    """
    whole = set(part)
    if all(needed == whole for needed in part.values()):
        return [set(), whole]
    sets: list[set[int]] = [set()]
    for number, needed in sorted(part.items()):
        room = max(_SETS_MAX - len(sets), 1)
        more = [kept | {number} for kept in reversed(sets) if needed - {number} <= kept]
        sets += more[:room]
    sets.sort(key=len)
    return sets if sets[-1] == whole else [*sets, whole]
