"""What arrived, and whose source could not be taken away: it is never sent again.

Its folder is somebody else's by now, or the file itself lets nobody remove it. That is
written down durably before the promise to deliver it is forgotten, and every node reads
it once it has the item's claim. Taking it away is tried again, by each run.
"""

from __future__ import annotations

from paxect_batch.model.errors import Exit
from paxect_batch.model.events import Event
from paxect_batch.model.items import Direction, Item
from paxect_batch.model.places import Place
from paxect_batch.model.policy import Policy
from paxect_batch.model.transfer import Attempts, Failure, Pledge
from paxect_batch.relay import state
from paxect_batch.relay.account import Account
from paxect_batch.relay.commits import at_once
from paxect_batch.relay.retire import Retirer
from paxect_batch.rules.retry import concerns
from paxect_batch.seams import Clock, EventLog, Share

LEFT_BEHIND = "left-behind"

_AGAIN_SECONDS = 60.0
_AGAIN_SECONDS_MAX = 3600.0


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
    key = state.key_of(pledge.direction, pledge.source)
    state.save_paper(share, state.left_place(key), paper)


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
        self._keys: set[str] = set()

    def learn(self) -> None:
        """See what is left behind by now."""
        folder = state.state("left")
        if self._share.lists_late:
            self._share.freshen(folder)
        self._keys = {
            place.name.removesuffix(".json")
            for place in state.files_in(self._share, folder)
        }

    def has(self, item: Item) -> bool:
        """Tell whether this very item arrived, as far as is known here."""
        key = state.key_of(item.direction, item.source)
        if key not in self._keys:
            return False
        paper = state.load_paper(self._share, state.left_place(key), Attempts)
        return paper is not None and concerns(
            paper, item.direction, item.source, item.identity
        )


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
        key = state.key_of(pledge.direction, pledge.source)
        self._own.add(key)
        self._again[key] = self._clock.monotonic() + _AGAIN_SECONDS, _AGAIN_SECONDS
        text = tell_left(self._events, pledge, error)
        self._account.problem(f"{pledge.source}: {text}")
        self._account.standing.exit_codes.add(Exit.UNFINISHED)

    def see_to(self, item: Item, policy: Policy) -> None:
        """Take it away if that can be by now; else count it."""
        key = state.key_of(item.direction, item.source)
        now = self._clock.monotonic()
        again, waited = self._again.get(key, (now, _AGAIN_SECONDS / 2))
        if now >= again:
            if self._is_gone(item, policy):
                self._share.remove(state.left_place(key))
                self._again.pop(key, None)
                return
            waited = min(waited * 2, _AGAIN_SECONDS_MAX)
            self._again[key] = now + waited, waited
        if key not in self._own:
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
            self._share.sync_folder(folder)
        return True


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
