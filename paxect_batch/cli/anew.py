"""Run a node, and begin anew whenever others took it for dead meanwhile.

Whoever comes back from the dead is a new run of its node: with a ledger and stages of
its own, and the account of the run before.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from paxect_batch.model.errors import ConfigError, NotReady, RunOver, ShareError
from paxect_batch.relay.account import Account
from paxect_batch.relay.node import Node
from paxect_batch.seams import StopSignal

_PAUSE_SECONDS = 2.0
_SLICE_SECONDS = 0.2


def serve(
    make: Callable[[Account | None], Node],
    begin_anew: Callable[[], None],
    notice: Callable[[str], None],
    *,
    stop: StopSignal,
    watch: bool,
    begun: Callable[[], int] = lambda: 0,
    is_due: Callable[[], bool] = lambda: False,
) -> tuple[Node, Exception | None]:
    """Run nodes one after the other; return the last, and what ended it if anything.

    A watch that was cut off waits until it may be the node again, or until it `is_due`
    to end. `begun` is how many were let onto the share.
    """
    account: Account | None = None
    while True:
        before = begun()
        node = make(account)
        try:
            node.run()
        except RunOver as error:
            notice(error.message)
            if stop.requested:
                return node, None
        except (ShareError, NotReady, ConfigError) as error:
            # Who was let on and is not ready has another reason than the other run.
            is_unfit = isinstance(error, NotReady) and begun() > before
            if not watch or account is None or is_unfit or stop.requested or is_due():
                return node, error
            notice(error.message)
            _pause(stop)
        except Exception as error:  # noqa: BLE001  the caller says what becomes of it
            return node, error
        else:
            return node, None
        account = node.account
        begin_anew()


def _pause(stop: StopSignal) -> None:
    until = time.monotonic() + _PAUSE_SECONDS
    while time.monotonic() < until and not stop.requested:
        time.sleep(_SLICE_SECONDS)
