"""Remove what crashes left and nobody needs: files of a moment, and papers of nothing.

A file of a moment lives for less than a second; one that is an hour old, by the share's
clock, has no owner that would miss it. A history is of no use once its item is gone. A
paper about a container is, unless its container is still to come: so none is touched
before it is an hour old, nor while any intent stands. What is noted of a batch goes
once none of its runs can add to it; the last one to leave would have removed it.
"""

from __future__ import annotations

import contextlib
import errno
import math
from collections.abc import Iterator, Sequence

from paxect_batch.model.places import Place, Root
from paxect_batch.model.transfer import Attempts, Meta
from paxect_batch.relay import batches, state
from paxect_batch.relay.set_aside import sidecar_left_behind, sources_set_aside
from paxect_batch.rules.naming import is_momentary
from paxect_batch.seams import Share

AGE_SECONDS_MIN = 3600.0
_LEFT_SECONDS = 7 * 86400.0
"""A source that is not there may be on a file system that is not mounted just now."""
_FLAT = ("attempts", "claims", "left", "meta", "nodes", "over", "runs", "settings")
_DEEP_BESIDE_WORK = ("nodes", "intents", "stage", "batches")
_DEEP = (*_DEEP_BESIDE_WORK, "quarantine")
"""Folders of folders. Those of runs and settings have a paper for each run that ever
was, and none of a moment: see `state.file_paper`."""
_OUT_OF_REACH = (errno.ELOOP, errno.EACCES, errno.EPERM)
"""Somebody put a link in a folder's place, or keeps it to himself."""


class Sweeper:
    """Sweeps a share; what it removes is in `swept`."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self.swept: list[Place] = []

    def sweep(self, *, beside_work: bool = False) -> None:
        """Sweep the relay's own folders; inbox and wire are for whoever scans them.

        Beside work, which waits meanwhile, none of which there may be very many.
        """
        deep = _DEEP_BESIDE_WORK if beside_work else _DEEP
        for folder in self._folders(deep):
            for place in self._files(folder):
                self.momentary(place)
        self._attempts()
        if not (beside_work or self._is_intended()):
            with _as_far_as_one_may():
                self._meta()
            self._sidecars()
        self._batches()

    def momentary(self, place: Place) -> None:
        """Remove a file of a moment that a crash left behind."""
        if not is_momentary(place.name):
            return
        try:
            if self._is_old(place):
                self._remove(place)
        except OSError as error:
            # It is nobody's data, and in nobody's way.
            if error.errno not in (*_OUT_OF_REACH, errno.EROFS):
                raise

    def _folders(self, deep: Sequence[str]) -> Iterator[Place]:
        for root in Root:
            yield Place(root, "" if root is Root.STATE else ".paxect")
        for name in _FLAT:
            yield state.state(name)
        for name in deep:
            yield from state.folders_in(self._share, state.state(name))

    def _attempts(self) -> None:
        for name, seconds in (("attempts", -math.inf), ("left", _LEFT_SECONDS)):
            for place in self._files(state.state(name)):
                with _as_far_as_one_may():
                    attempts = state.load_paper(self._share, place, Attempts)
                    if (
                        attempts is not None
                        and self._is_gone(attempts.source, surely=name == "left")
                        and self._is_old(place, seconds)
                    ):
                        self._remove(place)

    def _meta(self) -> None:
        left: list[tuple[Place, Place]] = []
        for place in self._files(state.state("meta")):
            if not self._is_old(place):
                continue
            meta = state.load_paper(self._share, place, Meta)
            container = None if meta is None else meta.container
            if container is not None and self._is_gone(container):
                left.append((place, container))
        # What comes back from quarantine needs its name.
        aside = sources_set_aside(self._share) if left else set()
        for place, container in left:
            # Another of that name may have been made meanwhile.
            if container not in aside and self._is_old(place):
                self._remove(place)

    def _sidecars(self) -> None:
        """Bring those after their containers that a crash left on the wire."""
        for folder in state.folders_in(self._share, state.state("quarantine")):
            with _as_far_as_one_may():
                sidecar = sidecar_left_behind(self._share, folder)
                if sidecar is not None and self._is_old(sidecar):
                    with contextlib.suppress(FileExistsError, FileNotFoundError):
                        self._share.rename_new(sidecar, folder.child(sidecar.name))

    def _batches(self) -> None:
        for folder in list(batches.folders(self._share)):
            papers = self._files(folder)
            with _as_far_as_one_may():
                if (
                    papers
                    and all(self._is_old(place) for place in papers)
                    and batches.is_abandoned(self._share, folder)
                ):
                    for place in papers:
                        self._remove(place)
                    self._share.remove_folder(folder)

    def _files(self, folder: Place) -> list[Place]:
        """Return what lies in a folder; nothing where that is not for this user."""
        with _as_far_as_one_may():
            return list(state.files_in(self._share, folder))
        return []

    def _is_intended(self) -> bool:
        try:
            return any(
                any(True for _ in state.intents_of(self._share, node.name))
                for node in state.folders_in(self._share, state.state("intents"))
            )
        except PermissionError:
            return True  # as far as one may know

    def _is_old(self, place: Place, seconds: float = AGE_SECONDS_MIN) -> bool:
        facts = self._share.look(place)
        if facts is None:
            return False
        age_seconds = self._share.now() - facts.identity.mtime_ns / 1e9
        return age_seconds > seconds

    def _is_gone(self, place: Place, *, surely: bool = False) -> bool:
        """Tell whether nothing is there; surely, if the folder is."""
        try:
            if self._share.look(place) is not None:
                return False
            return not surely or self._share.look(place.folder) is not None
        except OSError as error:
            if error.errno not in _OUT_OF_REACH:
                raise
            return False

    def _remove(self, place: Place) -> None:
        if self._share.remove(place):
            self.swept.append(place)


@contextlib.contextmanager
def _as_far_as_one_may() -> Iterator[None]:
    """Pass over what somebody keeps to himself, or put a link in the place of."""
    try:
        yield
    except OSError as error:
        if error.errno not in _OUT_OF_REACH:
            raise
