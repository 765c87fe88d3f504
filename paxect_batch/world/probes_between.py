"""What two machines see of each other on a share: tried by both at once, in step.

Each tries everything on what the other made, so the two may come to different answers,
and both are right. After each step they wait for each other (see `probes_peer`), so
that nothing rests on their clocks. A peer that is lost ends the trials; what was found
out until then counts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from paxect_batch.model.fitness import Peer, Trial
from paxect_batch.model.places import Place
from paxect_batch.seams import Claim
from paxect_batch.world.locks import try_lock
from paxect_batch.world.probes import (
    HELD,
    attempt,
    contend,
    error_name,
    make,
    path_of,
    rewrite,
)
from paxect_batch.world.probes_ground import Ground
from paxect_batch.world.probes_peer import PeerLost, Talk

ECHOES = 5
RACES = 12
WATCH_SECONDS_MAX = 15.0
WATCH_PAUSE_SECONDS = 0.05

_SMALL = 64


def try_between(
    ground: Ground, talk: Talk, *, watch: float = WATCH_SECONDS_MAX
) -> Peer:
    """Go through all steps with the peer that was met."""
    between = _Between(ground, talk, watch)
    lost_at = ""
    for name, step in between.steps():
        try:
            step()
        except PeerLost:
            lost_at = name
            break
    peer = talk.peer
    assert peer is not None
    same_machine = peer.machine == talk.hello.machine
    return Peer(
        host=peer.host,
        same_machine=same_machine,
        same_host_name=peer.host == talk.hello.host and not same_machine,
        watched_seconds=watch,
        lost_at=lost_at,
        round_trip_seconds=between.round_trip_seconds,
        ahead_seconds=between.ahead_seconds,
        seen_after_seconds=between.seen_after_seconds,
        **between.trials,
    )


class _Between:
    """One side of the trials. `mine` is made by this side, `theirs` by the other."""

    def __init__(self, ground: Ground, talk: Talk, watch: float) -> None:
        assert talk.peer is not None
        self._ground = ground
        self._talk = talk
        self._watch = watch
        self._mine = ground.place.child("between")
        self._theirs = Place(ground.place.root, talk.peer.id).child("between")
        first = self._mine if talk.is_first else self._theirs
        self._arena = first.child("arena")
        self.trials: dict[str, Trial] = {}
        self.round_trip_seconds: float | None = None
        self.ahead_seconds: float | None = None
        self.seen_after_seconds: float | None = None

    def steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Give the steps in their order, each with a name for people."""
        yield "getting ready", self._get_ready
        yield "comparing clocks", self._compare_clocks
        yield "growing a file", self._grow
        yield "changing bytes", self._rewrite
        yield "racing for names", self._race
        yield "keeping a name", self._keep
        yield "locking", self._lock_flock
        yield "locking softly", self._lock_soft
        yield "marking", self._mark
        yield "watching a listing", self._watch_listing
        yield "parting", self._part

    def _get_ready(self) -> None:
        share = self._ground.share
        for name in ("seen", "arena"):
            share.make_folder(self._mine.child(name))
        make(self._ground, self._mine.child("grows"), b"0123456789")
        make(self._ground, self._mine.child("changes"), b"old!")
        self._talk.exchange()

    def _part(self) -> None:
        # Only now may either of them remove what the other looks at. Who has gone
        # before its last word was heard had come this far.
        with contextlib.suppress(PeerLost):
            self._talk.exchange()

    def _compare_clocks(self) -> None:
        """Ask for the other's time a few times; the quickest answer is the best."""
        self._talk.exchange()
        for asking in (self._talk.is_first, not self._talk.is_first):
            for _ in range(ECHOES):
                if asking:
                    self._ask_time()
                else:
                    self._talk.hear()
                    self._talk.tell({"now": self._ground.clock.now()})

    def _ask_time(self) -> None:
        clock = self._ground.clock
        start, asked = clock.monotonic(), clock.now()
        answer = self._talk.exchange().get("now")
        trip = clock.monotonic() - start
        if self.round_trip_seconds is not None and trip >= self.round_trip_seconds:
            return
        self.round_trip_seconds = trip
        if isinstance(answer, float | int):
            self.ahead_seconds = answer - (asked + trip / 2)

    def _grow(self) -> None:
        """Look at a file, let it grow over there, look again."""
        mine, theirs = self._mine.child("grows"), self._theirs.child("grows")
        before = attempt(lambda: self._has_size(theirs, 10))
        self._talk.exchange()
        with open(path_of(self._ground, mine), "ab", buffering=0) as stream:
            stream.write(b"0123456")
            self._ground.share.sync(stream)
        self._talk.exchange()
        after = attempt(lambda: self._has_size(theirs, 17))
        self.trials["grown"] = after if before.held else before

    def _has_size(self, place: Place, size: int) -> str | None:
        facts = self._ground.share.look(place)
        if facts is None:
            return "nothing there"
        return None if facts.identity.size == size else "another size"

    def _rewrite(self) -> None:
        """Read bytes, have them changed over there without another size, read again."""
        mine, theirs = self._mine.child("changes"), self._theirs.child("changes")
        before = attempt(lambda: self._has_bytes(theirs, b"old!"))
        self._talk.exchange()
        rewrite(self._ground, mine, b"new!")
        self._talk.exchange()
        after = attempt(lambda: self._has_bytes(theirs, b"new!"))
        self.trials["rewritten"] = after if before.held else before

    def _has_bytes(self, place: Place, data: bytes) -> str | None:
        found = self._ground.share.read(place, _SMALL)
        if found is None:
            return "nothing there"
        return None if found == data else "other bytes"

    def _race(self) -> None:
        """Create the same names at once; each must have one maker."""
        wins: list[bool] = []
        met = ""
        for number in range(RACES):
            self._talk.exchange()
            try:
                make(self._ground, self._arena.child(f"race{number}"))
                wins.append(True)
            except FileExistsError:
                wins.append(False)
            except OSError as error:
                met = error_name(error)
                wins.append(False)
        word = "".join("1" if win else "0" for win in wins)
        answer = self._talk.exchange({"wins": word, "met": met})
        theirs = str(answer.get("wins", ""))
        met = met or str(answer.get("met", ""))
        pairs = list(zip(word, theirs, strict=False))
        if met:
            trial = Trial(held=False, met=met)
        elif ("1", "1") in pairs:
            trial = Trial(held=False, met="both made one name")
        elif len(pairs) != RACES or ("0", "0") in pairs:
            trial = Trial(held=False, met="neither made a name")
        else:
            trial = HELD
        self.trials["exclusive"] = trial

    def _keep(self) -> None:
        """Let the other make a name just after this one saw that it was free."""
        share = self._ground.share
        mine = self._arena.child(f"kept-{self._talk.hello.id}")
        theirs = self._arena.child(f"kept-{self._theirs_id}")
        stage = self._arena.child(f"stage-{self._talk.hello.id}")
        make(self._ground, stage, b"mine")
        attempt(lambda: None if share.look(theirs) is None else "there")
        self._talk.exchange()
        make(self._ground, mine, b"kept")
        self._talk.exchange()

        def publish() -> str | None:
            try:
                share.rename_new(stage, theirs)
            except FileExistsError:
                return None
            return "the peer's file was replaced"

        self.trials["kept"] = attempt(publish)
        self._talk.exchange()

    @property
    def _theirs_id(self) -> str:
        assert self._talk.peer is not None
        return self._talk.peer.id

    def _lock_flock(self) -> None:
        self.trials["flock"] = self._lock(soft=False)

    def _lock_soft(self) -> None:
        self.trials["soft_lock"] = self._lock(soft=True)

    def _lock(self, *, soft: bool) -> Trial:
        """Hold a lock each, try the other's while it is held and after that."""
        kind = "soft" if soft else "flock"
        mine = self._lock_path(f"{kind}-{self._talk.hello.id}")
        theirs = self._lock_path(f"{kind}-{self._theirs_id}")
        held: list[Claim] = []

        def hold() -> str | None:
            claim = try_lock(mine, soft=soft)
            if claim is None:
                return "nobody got it"
            held.append(claim)
            return None

        trials = [attempt(hold)]
        # A lock that its owner could not take says nothing to who contends.
        answer = self._talk.exchange({"held": bool(held)})
        if answer.get("held") is True:
            trials.append(attempt(lambda: self._is_kept_out(theirs, soft=soft)))
        self._talk.exchange()
        for claim in held:
            claim.release()
        self._talk.exchange()
        if answer.get("held") is True:
            trials.append(attempt(lambda: self._can_follow(theirs, soft=soft)))
        self._talk.exchange()
        return _worst(trials)

    def _lock_path(self, name: str) -> str:
        return path_of(self._ground, self._arena.child(name))

    def _is_kept_out(self, path: str, *, soft: bool) -> str | None:
        claim = contend(path, soft=soft)
        if claim is None:
            return None
        claim.release()
        return "two owners"

    def _can_follow(self, path: str, *, soft: bool) -> str | None:
        claim = contend(path, soft=soft)
        if claim is None:
            return "it stayed locked"
        claim.release()
        return None

    def _mark(self) -> None:
        """Make a marker each, run into the other's, take it over, miss one's own."""
        share = self._ground.share
        own, other = self._talk.hello.id, self._theirs_id
        mine = self._arena.child(f"mark-{own}")
        theirs = self._arena.child(f"mark-{other}")

        def set_up() -> str | None:
            make(self._ground, mine, own.encode())
            share.sync_folder(self._arena)
            return None

        def run_into() -> str | None:
            try:
                make(self._ground, theirs, own.encode())
            except FileExistsError:
                return self._has_bytes(theirs, other.encode())
            return "two owners"

        def take_over() -> str | None:
            share.rename_new(theirs, self._arena.child(f"aside-{other}"))
            make(self._ground, theirs, own.encode())
            return None

        trials = [attempt(set_up)]
        self._talk.exchange()
        trials.append(attempt(run_into))
        self.trials["marker"] = _worst(trials)
        self._talk.exchange()
        taken = [attempt(take_over)]
        self._talk.exchange()
        taken.append(attempt(lambda: self._has_bytes(mine, other.encode())))
        self.trials["taken_over"] = _worst(taken)
        self._talk.exchange()

    def _watch_listing(self) -> None:
        """List a folder, have a file made there, list until it is seen."""
        share, clock = self._ground.share, self._ground.clock
        mine, theirs = self._mine.child("seen"), self._theirs.child("seen")
        list(share.entries(theirs))
        self._talk.exchange()
        make(self._ground, mine.child("one"))
        self._talk.exchange()
        start = clock.monotonic()
        while clock.monotonic() - start < self._watch:
            if self._is_listed(theirs, "one"):
                self.seen_after_seconds = clock.monotonic() - start
                break
            self._ground.pause(WATCH_PAUSE_SECONDS)
        self._talk.exchange()
        make(self._ground, mine.child("two"))
        self._talk.exchange()

        def freshen() -> str | None:
            share.freshen(theirs)
            return None if self._is_listed(theirs, "two") else "an old listing"

        self.trials["freshened"] = attempt(freshen)

    def _is_listed(self, folder: Place, name: str) -> bool:
        return any(e.place.name == name for e in self._ground.share.entries(folder))


def _worst(trials: list[Trial]) -> Trial:
    return next((trial for trial in trials if not trial.held), HELD)
