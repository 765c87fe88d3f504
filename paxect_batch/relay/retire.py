"""Take away the source of a finished transfer, and exactly the file that was read.

A name whose file was replaced meanwhile is left alone. Between looking and removing a
producer might still replace it, so the file is first moved aside, looked at again, and
put back if it is not the one.
"""

from __future__ import annotations

import errno

from paxect_batch.model.items import Direction
from paxect_batch.model.places import Place
from paxect_batch.model.policy import OnDone
from paxect_batch.model.transfer import Pledge
from paxect_batch.relay import state
from paxect_batch.rules.naming import sidecar_name
from paxect_batch.seams import Share

_NAMES_MAX = 1000


class Retirer:
    """Retires sources, by deleting or by archiving them."""

    def __init__(self, share: Share, node: str, on_done: OnDone) -> None:
        self._share = share
        self._node = node
        self._on_done = on_done

    def retire(self, pledge: Pledge) -> bool:
        """Take the source away; False if another file has its name by now."""
        aside = state.aside_place(self._share, self._node, pledge.source, pledge.stage)
        if self._share.look(aside) is not None:
            self._settle_aside(aside, pledge)
        facts = self._share.look(pledge.source)
        if facts is None:
            return True
        if facts.identity != pledge.identity:
            return False
        if pledge.direction is Direction.DECODE:
            self._share.remove(_sidecar_of(pledge.source))
            self._share.remove(state.meta_place(pledge.source))
        try:
            self._share.make_folder(aside.folder)
            self._share.rename_new(pledge.source, aside)
        except FileNotFoundError:
            return True
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            # The folder is on another file system; what is left is a smaller window.
            self._share.remove(pledge.source)
            return True
        return self._settle_aside(aside, pledge)

    def _settle_aside(self, aside: Place, pledge: Pledge) -> bool:
        facts = self._share.look(aside)
        if facts is None or facts.identity == pledge.identity:
            self._dispose(aside, pledge)
            return True
        self._put_back(aside, pledge.source)
        return False

    def _dispose(self, aside: Place, pledge: Pledge) -> None:
        if self._on_done is OnDone.ARCHIVE:
            archive = state.state("archive", str(pledge.source))
            self._share.make_folder(archive.folder)
            self._move_to_free_name(aside, archive)
        else:
            self._share.remove(aside)

    def _put_back(self, aside: Place, source: Place) -> None:
        self._move_to_free_name(aside, source)

    def _move_to_free_name(self, place: Place, target: Place) -> None:
        for number in range(_NAMES_MAX):
            name = f"{target.name}.{number}" if number else target.name
            try:
                self._share.rename_new(place, target.beside(name))
            except FileExistsError:
                continue
            except FileNotFoundError:
                return
            return
        raise FileExistsError(errno.EEXIST, "every name is taken", str(target))


def _sidecar_of(container: Place) -> Place:
    return container.beside(sidecar_name(container.name))
