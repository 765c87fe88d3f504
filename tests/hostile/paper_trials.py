"""One changed paper, a relay that runs into it, and what must hold afterwards.

Papers are changed before a run, or under its hands. Whatever was changed:

- each command ends with a code of its own, without a traceback, and not with 70;
- a run that cannot go on says which file it stumbled over, and goes on once that is
  put right; any other run delivers all other files, in three attempts at most;
- every honest file is whole in one place at least, at the end of each run;
- the outbox holds honest bytes only.
"""

from __future__ import annotations

import hashlib
import io
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import paper_mutation
from honest_share import KINDS, NODE, HonestShare, copy
from paper_mutation import Change
from relay_in_thread import Ended, run

import paxect_core
from paxect_batch.model.errors import ConfigError
from paxect_batch.rules.policy import read_policy

RUNS_MAX = 3
_STEPS_MAX = 250
_CODES = frozenset((0, 1, 2, 3, 4, 64, 75))
_STOPPED = frozenset((3, 64, 75))
_MAY_STOP = frozenset(("share marker", "policy"))
"""What no run can do without. Any other paper costs no more than itself."""

_LOOKING = (
    ("status",),
    ("status", "--json"),
    ("verify",),
    ("quarantine", "list"),
    ("manifest",),
    ("drain", "--dry-run"),
)


@dataclass
class Trial:
    """What became of one change."""

    seed: int
    kind: str
    change: Change
    paper: str
    codes: list[int] = field(default_factory=list)
    """Exit codes of the runs, one after the other."""
    faults: list[str] = field(default_factory=list)
    """What should not have been."""

    def __str__(self) -> str:
        told = f"seed {self.seed}: {self.kind} {self.paper!r} {self.change}"
        return "\n".join([f"{told}, exit codes {self.codes}", *self.faults])


def try_change(
    honest: HonestShare, seed: int, ground: Path, *, kind: str = ""
) -> Trial:
    """Change one paper of a copy of the share, as the seed says, and relay."""
    chance = random.Random(seed)
    share = ground / "share"
    copy(honest.folder, share)
    try:
        papers = {kind: found for kind, found in honest.papers(share).items() if found}
        kind = kind or chance.choice(sorted(papers))
        path = chance.choice(papers[kind])
        partner = chance.choice(papers[chance.choice(sorted(papers))]).read_bytes()
        return _Trying(honest, share, seed, kind, path, partner).result(chance)
    finally:
        shutil.rmtree(share)


class _Trying:
    def __init__(
        self,
        honest: HonestShare,
        share: Path,
        seed: int,
        kind: str,
        path: Path,
        partner: bytes,
    ) -> None:
        self._honest = honest
        self._share = share
        self._path = path
        self._before = path.read_bytes()
        self._partner = partner
        name = str(path.relative_to(share))
        self._trial = Trial(seed, kind, Change.EMPTY, name)

    def result(self, chance: random.Random) -> Trial:
        if chance.random() < 0.6:
            self._change()
            if chance.random() < 0.5:
                self._look(chance.choice(_LOOKING))
            first = self._run()
        else:
            first = self._run(after=chance.randrange(_STEPS_MAX))
        runs = [first]
        while len(runs) < RUNS_MAX and self._is_unfinished():
            if runs[-1].code in _STOPPED:
                self._stopped(runs[-1])
            if self._trial.kind == "policy":
                self._mend()  # it may mean something, and not that all files travel
            runs.append(self._run())
        if self._is_unfinished():
            self._fault(f"not delivered: {self._undelivered()}", runs[-1])
        return self._trial

    def _change(self) -> None:
        if not self._path.exists():
            # It came to its end meanwhile, and comes again.
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_bytes(self._before)
        self._trial.change = paper_mutation.change(
            self._path, self._trial.seed, partner=self._partner
        )
        if self._trial.kind == "policy" and _makes_wait(self._path):
            self._mend()

    def _run(self, *, after: int | None = None) -> Ended:
        words = ("drain", "--quiet", "--node", NODE, str(self._share))
        if after is None:
            ended = run(*words)
        else:
            ended = run(*words, disturb=self._change, after=after)
        self._trial.codes.append(ended.code)
        self._check(ended, "drain")
        lost = self._honest.honest.keys() - self._whole()
        if lost:
            self._fault(f"lost: {sorted(lost)}", ended)
        for name, digest in _digests(self._share / "outbox"):
            if digest not in self._known():
                self._fault(f"delivered other bytes: {name}", ended)
        return ended

    def _look(self, words: tuple[str, ...]) -> None:
        self._check(run(*words, str(self._share)), " ".join(words))

    def _check(self, ended: Ended, what: str) -> None:
        if ended.code not in _CODES:
            self._fault(f"{what} ended with {ended.code}", ended)
        if ended.escapes or "Traceback" in ended.err:
            self._fault(f"{what}: unhandled: {''.join(ended.escapes)}", ended)
        if ended.code in _STOPPED and not ended.err.strip():
            self._fault(f"{what} ended with {ended.code} and no reason", ended)

    def _stopped(self, ended: Ended) -> None:
        """A run could not go on: right for two kinds, that say so and are mended."""
        if self._trial.kind not in _MAY_STOP:
            self._fault("one paper stopped the run", ended)
        if self._path.name not in ended.err and "inbox" not in ended.err:
            self._fault("it does not say what stopped it", ended)
        self._mend()

    def _mend(self) -> None:
        if self._path.is_dir() and not self._path.is_symlink():
            shutil.rmtree(self._path)
        self._path.unlink(missing_ok=True)
        self._path.write_bytes(self._before)

    def _fault(self, text: str, ended: Ended) -> None:
        self._trial.faults.append(f"{text}\n  it said: {ended.err.strip()[-1500:]}")

    def _is_unfinished(self) -> bool:
        return bool(self._undelivered())

    def _undelivered(self) -> list[str]:
        there = {digest for _, digest in _digests(self._share / "outbox")}
        return sorted(
            name
            for name, data in self._honest.honest.items()
            if _sha256(data) not in there
        )

    def _known(self) -> set[str]:
        return {_sha256(data) for data in self._honest.honest.values()}

    def _whole(self) -> set[str]:
        """Return the honest files that are somewhere, in a container or as they were."""
        found = set()
        for path in self._share.rglob("*"):
            if (
                path.is_file()
                and not path.is_symlink()
                and path.stat().st_size < 1 << 20
            ):
                found |= set(_digests_in(path.read_bytes()))
        honest = self._honest.honest.items()
        return {name for name, data in honest if _sha256(data) in found}


def _makes_wait(policy: Path) -> bool:
    """Tell whether a policy has files wait for as long as nobody can wait here."""
    if not policy.is_file():
        return False
    try:
        found = read_policy(policy.read_bytes(), name=policy.name)
    except (ConfigError, OSError):
        return False
    return found.settle_seconds > 0


def _digests(folder: Path) -> Iterator[tuple[str, str]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(folder)), _sha256(path.read_bytes())


def _digests_in(data: bytes) -> Iterator[str]:
    yield _sha256(data)
    if data.startswith(b"PXC1"):
        raw = io.BytesIO()
        try:
            paxect_core.decode(io.BytesIO(data), raw)
        except paxect_core.PaxectError:
            return
        yield _sha256(raw.getvalue())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


assert set(KINDS) >= _MAY_STOP
