"""Leases as files on the share: write, beat, read, end and bury them.

A lease is made with O_EXCL, made durable and closed; a beat changes its bytes in place,
which is what clients of one share see of each other soonest. Taking over is a rename:
of several who judge a lease dead one gets it, and looks whether it is the one judged.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Collection, Iterator
from typing import TypeGuard

import msgspec

from paxect_batch.model.about import About
from paxect_batch.model.leases import RUN_BYTES_MAX, Lease, Machine, Over, is_name
from paxect_batch.world.delegations import open_file
from paxect_batch.world.fresh import asked_anew, freshen
from paxect_batch.world.lease_judge import LEASE_SECONDS_MAX
from paxect_batch.world.plain_files import FOLDER, WRITE, NotPlain, open_plain
from paxect_batch.world.tree import TEMP_PREFIX
from paxect_batch.world.wholes import read_part

LEASE_BYTES = 4096
"""A lease's length; beats are written over each other."""

_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_NO_PAPER = b""
"""What a lease says that is no file."""
_BEATS_MAX = 1 << 62
"""Every beat is one more, and must be written down."""
_NAME = "lease"
_BETWEEN = "~"
"""Between a dead run and its rescuer, in the name of the paper of the first."""

# Nobody else writes, whoever may read.
_MODE = 0o644


class LeaseGone(Exception):
    """A lease is not what its holder left: somebody ended it, or has it now."""


class LeaseFiles:
    """The leases on one share. `folder` is the share's state folder."""

    def __init__(self, folder: str) -> None:
        self._nodes = os.path.join(folder, "nodes")
        self._over = os.path.join(folder, "over")
        self._promises = os.path.join(folder, "intents")

    def nodes(self, *, fresh: bool = False) -> list[str]:
        """Return the nodes that ever were here.

        A listing opens the folder, upon which an NFS client asks what is in it. Fresh:
        also where that does not suffice, and one may have come a moment ago.
        """
        if fresh:
            freshen(self._nodes)
        # Beside them others make files of a moment, for the same reason.
        names = _listed(self._nodes)
        return [n for n in names if is_name(n) and not n.startswith(TEMP_PREFIX)]

    def papers(
        self, *, fresh: bool = False, named: Collection[str] = ()
    ) -> Iterator[tuple[str, bytes | None]]:
        """Give each node that has a lease, and what it says at this moment.

        None if that may not be read: what another user keeps to himself is his, and
        nobody here can tell whether he lives. Those `named` are asked for as well.
        """
        for node in sorted({*self.nodes(fresh=fresh), *named}):
            try:
                paper = self.read(node)
            except PermissionError:
                yield node, None
            else:
                if paper is not None:
                    yield node, paper

    def read(self, node: str) -> bytes | None:
        """Return what a node's lease says at this moment; None if it has none."""
        _see(os.path.dirname(self._path(node)))
        try:
            return self._read(node)
        except OSError as error:
            # What an SMB client says once after it was cut off from the server.
            if error.errno != errno.EINVAL:
                raise
        return self._read(node)

    def _read(self, node: str) -> bytes | None:
        path = self._path(node)

        def read() -> bytes:
            with open_plain(path) as stream:
                return read_part(stream, LEASE_BYTES)

        try:
            return asked_anew(read)
        except NotPlain:
            # A link in place of the folder leads nowhere.
            return _NO_PAPER if os.path.isdir(os.path.dirname(path)) else None
        except OSError as error:
            if error.errno in _GONE:
                return None
            raise

    def create(self, lease: Lease) -> bool:
        """Take the lease, durably; False if there is one."""
        path = self._path(lease.node)
        folder = os.path.dirname(path)
        os.makedirs(folder, exist_ok=True)
        try:
            fd = open_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        except FileExistsError:
            return False
        _write_over(fd, lease, path)
        # Lost with a power cut of the server, it would leave intents that nobody is
        # known to have made.
        for each in (folder, self._nodes, os.path.dirname(self._nodes)):
            _sync_folder(each)
        return True

    def beat(self, now: Lease, *, beats: Collection[int]) -> None:
        """Write the next beat; `LeaseGone` if another one than those is there."""
        self.look(now, beats=beats)
        path = self._path(now.node)
        try:
            fd = open_file(path, WRITE)
        except FileNotFoundError:
            raise LeaseGone from None
        _write_over(fd, now, path)

    def look(self, own: Lease, *, beats: Collection[int] = ()) -> None:
        """Raise `LeaseGone` if the lease on the share is not this run's.

        With beats: not even that of a process that believes to be this one, as in a
        copy of a virtual machine, which would have another one. `FileNotFoundError` if
        the share is not there.
        """
        paper = self.read(own.node)
        if paper is None:
            # Where no share is any more, nobody ended anything.
            os.stat(os.path.dirname(self._nodes))
            raise LeaseGone
        found = parse(paper)
        if found is None or found.run != own.run or found.machine != own.machine:
            raise LeaseGone
        if beats and found.beat not in beats:
            raise LeaseGone

    def end(self, node: str, judged: bytes, rescuer: str) -> Over | None:
        """End a lease that was judged dead; None if it is another one by now.

        From then on its run publishes nothing, and its business is the rescuer's.
        """
        lease = parse(judged)
        run = lease.run if lease else f"torn-{secrets.token_hex(8)}"
        aside = self._over_path(run, rescuer)
        os.makedirs(self._over, exist_ok=True)
        try:
            os.rename(self._path(node), aside)
        except FileNotFoundError:
            return None
        self._make_durable(node)
        if _read(aside) != judged:
            # It beat, or is a new one: whoever had it finds it as it was, or gone.
            with contextlib.suppress(OSError):
                os.link(aside, self._path(node))
            os.unlink(aside)
            return None
        if lease is None:
            # A folder stays where it is now, and is nobody's.
            with contextlib.suppress(OSError):
                os.unlink(aside)
            return None
        return Over(node, run)

    def leave(self, own: Lease) -> None:
        """Give the lease back, unless it was lost."""
        with contextlib.suppress(LeaseGone, FileNotFoundError):
            self.look(own)
            os.unlink(self._path(own.node))

    def over_runs(self) -> set[str]:
        """Return the runs that are over and not buried, by the names of their papers.

        A paper that is read may have its next rescuer's name by then.
        """
        freshen(self._over)
        names = _listed(self._over)
        return {run for run, between, _ in map(_parted, names) if between}

    def over(self) -> Iterator[tuple[Over, str]]:
        """Give the runs that are over and not buried, each with its rescuer.

        Not those that have their lease: it was put back, and the paper could not go.
        """
        for run, rescuer, paper in self._papers_over():
            lease = None if paper is None else parse(paper)
            if not _is_of(lease, run):
                continue
            with contextlib.suppress(PermissionError):
                standing = self.read(lease.node)
                if standing is None or not _is_of(parse(standing), run):
                    yield Over(lease.node, run), rescuer

    def _papers_over(self) -> Iterator[tuple[str, str, bytes | None]]:
        """Give what is below `over`: run, rescuer, paper; None if it is not ours."""
        for name in _listed(self._over):
            run, between, rescuer = _parted(name)
            if not between:
                continue
            try:
                paper = _read(os.path.join(self._over, name))
            except PermissionError:
                yield run, rescuer, None
            else:
                if paper is not None:
                    yield run, rescuer, paper

    def adopt(self, over: Over, before: str, rescuer: str) -> bool:
        """Take over a rescue whose rescuer died; False if somebody else did."""
        try:
            os.rename(
                self._over_path(over.run, before), self._over_path(over.run, rescuer)
            )
        except FileNotFoundError:
            return False
        return True

    def make_durable(self, over: Over) -> None:
        """Make durable that a run is over, which may not be, since a call failed."""
        self._make_durable(over.node)

    def _make_durable(self, node: str) -> None:
        # First where the lease went, so that it is known in one of the two.
        _sync_folder(self._over)
        _sync_folder(os.path.dirname(self._path(node)))

    def orphans(self, node: str, own: Lease) -> Iterator[Over]:
        """End the runs of a node without a lease that promised, and are not known over.

        A run has a lease before it promises, and until it has kept all; so its lease,
        or the paper of its end, was damaged or taken away.
        """
        try:
            names = _listed(self._promises, node)
            # Beside the folders of runs may lie a file of a moment, or what was none.
            promised = [
                run
                for run in names
                if is_name(run, bytes_max=RUN_BYTES_MAX)
                and os.path.isdir(os.path.join(self._promises, node, run))
            ]
            if not promised or self.read(node) is not None:
                return
        except PermissionError:
            return  # another user's, who settles it
        known = {over.run for over, _ in self.over()}
        known |= {run for run, _, paper in self._papers_over() if paper is None}
        for run in promised:
            if run not in known and self._note_over(node, run, own):
                yield Over(node, run)

    def promisers(self) -> list[str]:
        """Return the nodes that may have promised something."""
        return [node for node in _listed(self._promises) if is_name(node)]

    def forget_nameless(self) -> None:
        """Remove papers that do not name their run, as a power cut leaves them.

        They are torn, or another run's, which was ended by mistake and has its lease
        back. Whose run promised something stays, until that is kept.
        """
        for run, rescuer, paper in self._papers_over():
            if paper is None or _is_of(parse(paper), run):
                continue
            with contextlib.suppress(PermissionError):
                if not any(run in _listed(self._promises, n) for n in self.promisers()):
                    # A folder stays where it is, and is nobody's.
                    with contextlib.suppress(OSError):
                        os.unlink(self._over_path(run, rescuer))

    def _note_over(self, node: str, run: str, own: Lease) -> bool:
        nowhere = Machine(host="", machine="", boot="", pid=0, started="")
        paper = Lease(
            node, run, batch="", machine=nowhere, seconds=own.seconds, since=""
        )
        os.makedirs(self._over, exist_ok=True)
        try:
            path = self._over_path(run, own.run)
            fd = open_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        except FileExistsError:
            return False
        try:
            _write_over(fd, paper, path)
        except OSError:
            # Half a paper says nothing, and would be in the way of a whole one.
            with contextlib.suppress(OSError):
                os.unlink(path)
            raise
        return True

    def bury(self, over: Over, rescuer: str) -> None:
        """Forget a run whose business is finished."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._over_path(over.run, rescuer))

    def _path(self, node: str) -> str:
        return os.path.join(self._nodes, node, _NAME)

    def _over_path(self, run: str, rescuer: str) -> str:
        return os.path.join(self._over, f"{run}{_BETWEEN}{rescuer}")


def _listed(*parts: str) -> list[str]:
    try:
        return sorted(asked_anew(lambda: os.listdir(os.path.join(*parts))))
    except OSError as error:
        if error.errno not in _GONE:
            raise
        return []


def _parted(name: str) -> tuple[str, str, str]:
    return name.partition(_BETWEEN)


def parse(paper: bytes) -> Lease | None:
    """Return the lease that a file holds; None if it is not whole, or cannot be one."""
    try:
        lease = msgspec.json.decode(paper, type=Lease)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return lease if _can_be(lease) else None


def _is_of(lease: Lease | None, run: str) -> TypeGuard[Lease]:
    return lease is not None and lease.run == run


def _can_be(lease: Lease) -> bool:
    """Tell whether a relay could have written it: paths are made of its names."""
    return (
        is_name(lease.node)
        and is_name(lease.run, bytes_max=RUN_BYTES_MAX)
        and is_name(lease.batch or lease.run)
        and 0 < lease.seconds <= LEASE_SECONDS_MAX
        and 0 <= lease.beat < _BEATS_MAX
    )


def _write_over(fd: int, lease: Lease, path: str) -> None:
    paper = msgspec.json.encode(lease)
    if len(paper) >= LEASE_BYTES:
        word = msgspec.structs.replace(lease.word, last="", waits_for="")
        paper = msgspec.json.encode(msgspec.structs.replace(lease, word=word))
    rest = paper.ljust(LEASE_BYTES - 1) + b"\n"
    with About(path):
        try:
            while rest:
                rest = rest[os.write(fd, rest) :]
            os.fsync(fd)
        finally:
            os.close(fd)


def _read(path: str) -> bytes | None:
    try:
        with open_plain(path) as stream:
            return read_part(stream, LEASE_BYTES)
    except NotPlain:
        return _NO_PAPER
    except FileNotFoundError:
        return None


def _see(folder: str) -> None:
    """Have an NFS client ask the server which names are there, as opening does."""
    if os.name != "nt":
        with contextlib.suppress(OSError):
            os.close(os.open(folder, FOLDER))


def _sync_folder(folder: str) -> None:
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
