"""What arrived, and whose source could not be taken away: it is never sent again.

Its folder is somebody else's by now, or the file itself lets nobody remove it. That is
written down durably before the promise to deliver it is forgotten, for this very
content of the source, and every node reads it once it has the item's claim. Taking it
away is tried again, by each run, under that claim.
"""

from __future__ import annotations

import contextlib
import hashlib

from paxect_batch.model.errors import Exit
from paxect_batch.model.events import Event
from paxect_batch.model.items import Direction, Identity, Item
from paxect_batch.model.places import Place
from paxect_batch.model.policy import Policy
from paxect_batch.model.transfer import Attempts, Failure, Pledge
from paxect_batch.relay import state
from paxect_batch.relay.account import Account
from paxect_batch.relay.commits import at_once
from paxect_batch.relay.retire import Retirer
from paxect_batch.seams import Clock, EventLog, Share

LEFT_BEHIND = "left-behind"
FOLDER = state.state("left")

_AGAIN_SECONDS = 60.0
_AGAIN_SECONDS_MAX = 3600.0
_KEPT_SECONDS = 86400.0
"""After so long a paper is written anew: a sweep removes those of a week."""


def note_left(share: Share, pledge: Pledge, error: OSError, *, by: state.Owner) -> None:
    """Write down durably that this content of the source arrived, and stays."""
    failure = Failure(
        share.now(), by.node, LEFT_BEHIND, error.strerror or "", Exit.UNFINISHED
    )
    paper = Attempts(
        direction=pledge.direction,
        source=pledge.source,
        identity=pledge.identity,
        failures=(failure,),
    )
    place = _place_of(pledge.direction, pledge.source, pledge.identity)
    state.save_paper(share, place, paper)


def forget_left(share: Share, direction: Direction, source: Place) -> None:
    """Let what is left behind there be sent once more: the same came again."""
    facts = share.look(source)
    if facts is not None and share.remove(_place_of(direction, source, facts.identity)):
        # Were it back after a power loss, what came again would pass for that.
        share.sync_folder(FOLDER)


def tell_left(events: EventLog, pledge: Pledge, error: OSError) -> str:
    """Log it; return what was said."""
    encodes = pledge.direction is Direction.ENCODE
    text = (
        f"it arrived, and could not be taken away afterwards ({error.strerror}); it is "
        "not sent again; let the relay's user remove it, or remove it"
    )
    events.write(
        Event.ENCODE_ERROR if encodes else Event.DECODE_ERROR,
        src=str(pledge.source),
        status="error",
        message=text,
    )
    return text


class LeftBehind:
    """Knows what is left behind, by whoever it was."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self._names: set[str] = set()
        self._own: set[str] = set()
        """What is known here, whatever a listing says."""

    def learn(self, *, looks_only: bool = False) -> None:
        """See what is left behind by now; who `looks_only` may miss the newest."""
        if self._share.lists_late and not looks_only:
            self._share.freshen(FOLDER)
        listed = {place.name for place in state.files_in(self._share, FOLDER)}
        self._names = listed | self._own

    def has(self, item: Item) -> bool:
        """Tell whether this very item arrived, as far as is known here."""
        if not self._names:
            return False
        name = _name_of(item)
        # Somebody may have seen to it since it was learned.
        return name in self._names and self._share.look(FOLDER.child(name)) is not None

    def add(self, direction: Direction, source: Place, identity: Identity) -> None:
        """Note one that is left behind."""
        name = _place_of(direction, source, identity).name
        self._own.add(name)
        self._names.add(name)

    def keep(self, item: Item) -> None:
        """Have what is known of one outlive a time in which its folder is away."""
        place = FOLDER.child(_name_of(item))
        facts = self._share.look(place)
        if facts is None:
            return
        age_seconds = self._share.now() - facts.identity.mtime_ns / 1e9
        if age_seconds < _KEPT_SECONDS:
            return
        paper = state.load_paper(self._share, place, Attempts)
        if paper is not None:
            state.save_paper(self._share, place, paper)

    def drop(self, item: Item) -> None:
        """Forget one that is gone, here and on the share."""
        name = _name_of(item)
        self._share.remove(FOLDER.child(name))
        self._own.discard(name)
        self._names.discard(name)


class Leavings:
    """Sees to what is left behind, for one run."""

    def __init__(
        self,
        share: Share,
        account: Account,
        events: EventLog,
        *,
        by: state.Owner,
        clock: Clock,
    ) -> None:
        self._share = share
        self._account = account
        self._events = events
        self._by = by
        self._clock = clock
        self.left = LeftBehind(share)
        self._again: dict[str, tuple[float, float]] = {}
        """When to try again, and how long that was waited for."""
        self._own: set[str] = set()
        """What this run delivered itself, and counts as that."""

    def delivered(self, pledge: Pledge, error: OSError) -> None:
        """Note what this run delivered and could not take away."""
        name = _place_of(pledge.direction, pledge.source, pledge.identity).name
        self.left.add(pledge.direction, pledge.source, pledge.identity)
        self._own.add(name)
        self._again[name] = self._clock.monotonic() + _AGAIN_SECONDS, _AGAIN_SECONDS
        text = tell_left(self._events, pledge, error)
        self._account.problem(f"{pledge.source}: {text}")
        self._account.standing.exit_codes.add(Exit.UNFINISHED)

    def is_due(self, item: Item) -> bool:
        """Tell whether to try to take it away."""
        again, _ = self._again.get(_name_of(item), (0.0, 0.0))
        return self._clock.monotonic() >= again

    def take_away(self, item: Item, policy: Policy) -> None:
        """Take it away, if that can be by now; else count it. Under its claim."""
        name = _name_of(item)
        if self._is_gone(item, policy):
            self.left.drop(item)
            self._again.pop(name, None)
            self._own.discard(name)
            return
        _, waited = self._again.get(name, (0.0, _AGAIN_SECONDS / 2))
        waited = min(waited * 2, _AGAIN_SECONDS_MAX)
        self._again[name] = self._clock.monotonic() + waited, waited
        # Nothing rests on it at this moment, and the paper may be another user's.
        with contextlib.suppress(OSError):
            self.left.keep(item)
        self.count(item)

    def count(self, item: Item) -> None:
        """Count one that stays, unless this run counts it as delivered."""
        if _name_of(item) not in self._own:
            self._account.set_aside(item.size, moved=False)

    def _is_gone(self, item: Item, policy: Policy) -> bool:
        retirer = Retirer(
            self._share, self._by, policy.on_done, ready_marker=policy.ready_marker
        )
        (outcome,) = at_once(retirer.retire([_pledge_of(self._share, item, self._by)]))
        if outcome is not True:
            return False
        # If it came back after a power loss, nothing else would tell that it arrived.
        for folder in sorted(retirer.changed):
            with contextlib.suppress(FileNotFoundError):
                self._share.sync_folder(folder)
        return True


def _name_of(item: Item) -> str:
    return _place_of(item.direction, item.source, item.identity).name


def _place_of(direction: Direction, source: Place, identity: Identity) -> Place:
    """Return where it is written that this content of a source is left behind."""
    content = hashlib.sha256(str(identity).encode()).hexdigest()[:16]
    return FOLDER.child(f"{state.key_of(direction, source)}-{content}.json")


def _pledge_of(share: Share, item: Item, by: state.Owner) -> Pledge:
    """Return what is needed of a pledge to take its source away."""
    key = state.key_of(item.direction, item.source)
    place: Place = state.stage_folder(share, by, item.source.root)
    return Pledge(
        direction=item.direction,
        source=item.source,
        identity=item.identity,
        stage=place.child(f"{key[:16]}-left.part"),
        target=item.source,
        sidecar_stage=None,
        sidecar=None,
        raw_bytes=0,
        raw_sha256="",
        container_bytes=0,
        container_sha256="",
    )
