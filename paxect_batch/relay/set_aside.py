"""Put an item aside, with its reason and the way back.

The reason is written before the file moves, so that nothing lies in quarantine
unexplained; a reason without a file is a move that did not happen.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable

from paxect_batch.model.items import Direction, Identity, Kind
from paxect_batch.model.places import Place, quarantine_folder
from paxect_batch.model.transfer import Attempts, Reason
from paxect_batch.relay import state
from paxect_batch.relay.free_names import move_to_free_name
from paxect_batch.relay.markers import drop_marker, put_marker_back
from paxect_batch.relay.settle import run_over
from paxect_batch.rules.naming import is_container, is_temporary, sidecar_name
from paxect_batch.seams import Share
from paxect_batch.work.sources import look_at_source

_REASON = "reason.json"
_NUMBERS_MAX = 1000
_MISSING_MAX = 8


def set_aside(
    share: Share,
    attempts: Attempts,
    *,
    node: str,
    run: str,
    stands: Callable[[], bool],
    marker: str = "",
) -> str | None:
    """Move the item into quarantine; return the id of its folder there.

    `RunOver` if the run does not stand any more: others may be at the item then.

    `marker` is the suffix of the file that calls it ready, which goes as well: left
    behind, it would call the next file of that name ready before it is whole.

    An empty id means that it could not be moved and stays where it is; None, that it
    is gone, or was replaced by another content, which stays.
    """
    missing = 0
    for number in range(_NUMBERS_MAX):
        # What is there, and never found when it is to be moved, stays.
        is_lost = missing >= _MISSING_MAX
        if is_lost or _is_other(share, attempts.source, attempts.identity):
            return "" if is_lost else None
        identifier = _identifier(attempts, number)
        folder = quarantine_folder(identifier)
        if _holds_item(share, folder):
            continue  # the same came before, with its times kept
        reason = _reason(attempts, identifier, node=node, run=run, marker=marker)
        share.make_folder(folder)
        state.save_paper(share, folder.child(_REASON), reason)
        try:
            if not stands():
                _drop_reason(share, folder)
                raise run_over(state.Owner(node, run))
            return _move(share, attempts, reason)
        except FileNotFoundError:
            missing += 1
            _drop_reason(share, folder)
        except FileExistsError:
            continue
        except OSError as error:
            if error.errno == errno.ELOOP:
                _drop_reason(share, folder)
                return None
            if error.errno not in (errno.EXDEV, errno.EACCES, errno.EPERM):
                raise
            _drop_reason(share, folder)
            return ""
    return ""


def _reason(
    attempts: Attempts, identifier: str, *, node: str, run: str, marker: str
) -> Reason:
    last = attempts.failures[-1]
    return Reason(
        id=identifier,
        direction=attempts.direction,
        source=attempts.source,
        size=attempts.identity.size,
        mtime_ns=attempts.identity.mtime_ns,
        code=last.code,
        detail=last.detail,
        history=attempts.failures,
        node=node,
        run=run,
        at=last.at,
        retry=f"paxect-batch quarantine retry SHARE {identifier}",
        marker=marker,
    )


def _move(share: Share, attempts: Attempts, reason: Reason) -> str | None:
    source, folder = attempts.source, quarantine_folder(reason.id)
    kept = folder.child(_kept_name(source.name))
    was_marked = bool(reason.marker) and drop_marker(share, source, reason.marker)
    try:
        share.rename_new(source, kept)
    except FileExistsError:
        _mark_again(share, source, reason, was_marked=was_marked)
        raise
    except OSError:
        # A server may have done it, and its answer was lost.
        if not _is_moved(share, source, kept, attempts.identity):
            _mark_again(share, source, reason, was_marked=was_marked)
            raise
    try:
        is_other = _is_other(share, kept, attempts.identity)
    except OSError:
        is_other = False
    if is_other:
        # It was replaced between the look and the rename.
        back = move_to_free_name(share, kept, source)
        if was_marked and back == source:
            put_marker_back(share, source, reason.marker)
        _drop_reason(share, folder)
        return None
    if reason.direction is Direction.DECODE:
        _move_sidecar(share, source, folder)
    # It was moved, whatever fails now: after a power loss it is here or there.
    with contextlib.suppress(OSError):
        if share.look(folder.child(_REASON)) is None:
            # Another node, that came too late for the item, cleaned up behind us.
            state.save_paper(share, folder.child(_REASON), reason)
    for each in (folder, source.folder):
        with contextlib.suppress(OSError):
            share.sync_folder(each)
    return reason.id


def _mark_again(
    share: Share, source: Place, reason: Reason, *, was_marked: bool
) -> None:
    if was_marked and look_at_source(share, source) is not None:
        put_marker_back(share, source, reason.marker)


def _is_moved(share: Share, source: Place, kept: Place, identity: Identity) -> bool:
    try:
        return not _is_other(share, kept, identity) and share.look(source) is None
    except OSError:
        return False


def _move_sidecar(share: Share, container: Place, folder: Place) -> None:
    sidecar = container.beside(sidecar_name(container.name))
    # There may be none, or it tells nothing that the reason does not.
    with contextlib.suppress(OSError):
        facts = look_at_source(share, sidecar)
        if facts is not None and facts.kind is Kind.FILE:
            share.rename_new(sidecar, folder.child(sidecar.name))


def unread(size: int) -> Identity:
    """Return the identity of an item that may not even be looked at."""
    return Identity(size, 0, 0)


def is_unread(identity: Identity) -> bool:
    """Tell whether it is such a one."""
    return identity == unread(identity.size)


def sidecar_left_behind(share: Share, folder: Place) -> Place | None:
    """Return the sidecar of what is in a folder of quarantine, if it is not there too.

    Whoever moved the container died before it came to the sidecar; or a container
    that is still to come has that name.
    """
    names = {place.name for place in state.files_in(share, folder)}
    if not any(
        is_container(name) and sidecar_name(name) not in names for name in names
    ):
        return None
    reason = state.load_paper(share, folder.child(_REASON), Reason)
    if reason is None or reason.direction is not Direction.DECODE:
        return None
    sidecar = reason.source.beside(sidecar_name(reason.source.name))
    try:
        facts = look_at_source(share, sidecar)
        if facts is None or facts.kind is not Kind.FILE:
            return None
        return None if look_at_source(share, reason.source) else sidecar
    except PermissionError:
        return None


def sources_set_aside(share: Share) -> set[Place]:
    """Return where all that is in quarantine lay, and may lie again."""
    folders = state.folders_in(share, state.state("quarantine"))
    reasons = [
        state.load_paper(share, folder.child(_REASON), Reason) for folder in folders
    ]
    return {reason.source for reason in reasons if reason is not None}


def _drop_reason(share: Share, folder: Place) -> None:
    if not _holds_item(share, folder):
        share.remove(folder.child(_REASON))
        share.remove_folder(folder)


def _holds_item(share: Share, folder: Place) -> bool:
    return any(
        place.name != _REASON and not is_temporary(place.name)
        for place in state.files_in(share, folder)
    )


def _is_other(share: Share, place: Place, identity: Identity) -> bool:
    """Tell whether something else lies there by now, or nothing."""
    try:
        facts = look_at_source(share, place)
    except PermissionError:
        return False
    if facts is None:
        return True
    return not is_unread(identity) and facts.identity != identity


def _kept_name(name: str) -> str:
    return f"{name}.item" if name == _REASON else name


def _identifier(attempts: Attempts, number: int) -> str:
    key = state.key_of(attempts.direction, attempts.source)
    identifier = f"{key[:12]}-{attempts.identity.mtime_ns & 0xFFFFFFFFFF:x}"
    return f"{identifier}-{number}" if number else identifier
