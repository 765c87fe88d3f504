"""Put an item aside, with its reason and the way back.

The reason is written before the file moves, so that nothing lies in quarantine
unexplained; a reason without a file is a move that did not happen.
"""

from __future__ import annotations

import errno

from paxect_batch.model.places import Place
from paxect_batch.model.transfer import Attempts, Reason
from paxect_batch.relay import state
from paxect_batch.rules.naming import sidecar_name
from paxect_batch.seams import Share


def set_aside(share: Share, attempts: Attempts, *, node: str, run: str) -> str:
    """Move the item into quarantine; return the id of its folder there.

    An empty id means that it could not be moved and stays where it is.
    """
    last = attempts.failures[-1]
    source, identity = attempts.source, attempts.identity
    identifier = _identifier(attempts)
    folder = state.quarantine_folder(identifier)
    reason = Reason(
        id=identifier,
        direction=attempts.direction,
        source=source,
        size=identity.size,
        mtime_ns=identity.mtime_ns,
        code=last.code,
        detail=last.detail,
        history=attempts.failures,
        node=node,
        run=run,
        at=last.at,
        retry=f"paxect-batch quarantine retry SHARE {identifier}",
    )
    share.make_folder(folder)
    state.save_paper(share, folder.child("reason.json"), reason)
    try:
        _move(share, source, folder)
    except FileNotFoundError:
        return ""
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EACCES, errno.EPERM):
            raise
        share.remove(folder.child("reason.json"))
        share.remove_folder(folder)
        return ""
    share.sync_folder(folder)
    share.sync_folder(source.folder)
    return identifier


def _move(share: Share, source: Place, folder: Place) -> None:
    share.rename_new(source, folder.child(_kept_name(source.name)))
    sidecar = source.beside(sidecar_name(source.name))
    try:
        share.rename_new(sidecar, folder.child(sidecar.name))
    except OSError:
        return  # there is none, or it tells nothing that the reason does not


def _kept_name(name: str) -> str:
    return f"{name}.item" if name == "reason.json" else name


def _identifier(attempts: Attempts) -> str:
    key = state.key_of(attempts.direction, attempts.source)
    return f"{key[:12]}-{attempts.identity.mtime_ns & 0xFFFFFFFFFF:x}"
