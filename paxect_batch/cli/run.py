"""One run from settings to exit code: wire the relay to the world, let it go, report.

The audit line is the last line of standard output of every run that began, however it
ended; of one that could not begin there is only an error.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from paxect_batch.cli import console
from paxect_batch.cli.anew import serve
from paxect_batch.cli.apart import require_no_item
from paxect_batch.cli.arguments import Arguments
from paxect_batch.cli.asked_pace import asked_pace
from paxect_batch.cli.colours import is_drawable
from paxect_batch.cli.forecast import Forecast
from paxect_batch.cli.guard import explain
from paxect_batch.cli.kinds import deadline_seconds as seconds_until
from paxect_batch.cli.layout import Layout, find_run_layout, way_of_all
from paxect_batch.cli.policy_file import PolicyFile
from paxect_batch.cli.progress import Progress
from paxect_batch.cli.results import Ending, report
from paxect_batch.cli.settings import Settings, load
from paxect_batch.cli.stop import StopSignal
from paxect_batch.cli.wiring import World
from paxect_batch.model.audit import Batch
from paxect_batch.model.errors import ConfigError, Exit
from paxect_batch.model.printed import plan_line
from paxect_batch.model.run import Planned, RunOptions, Standing, Verdict
from paxect_batch.relay.account import Account
from paxect_batch.relay.node import Node
from paxect_batch.relay.scan import root_of
from paxect_batch.report.amounts import count_text, time_text
from paxect_batch.world.share import LocalShare

if TYPE_CHECKING:
    from paxect_batch.serve.board import Board

STOPPED_TEXT = {
    Exit.INTERRUPTED: "stopped by Ctrl-C",
    Exit.TERMINATED: "stopped by a signal",
}


def run(arguments: Arguments, *, watch: bool) -> int:
    """Run the relay as the arguments and settings ask for; return the exit code."""
    share = arguments.operands[0] if arguments.operands else None
    settings = load(arguments, share=share)
    with StopSignal() as stop, _shown(settings, arguments) as board:
        layout = find_run_layout(settings)
        policy = PolicyFile(settings, layout)
        policy()
        _require_places(settings, layout)
        if arguments.has("dry-run"):
            return _show_plan(settings, layout, policy, stop)
        layout.make_ready()
        return _run(settings, layout, policy, stop, board, watch=watch)


def _require_places(settings: Settings, layout: Layout) -> None:
    """Raise `ConfigError` if what is written beside the work cannot lie where it is to.

    The log makes its own folder, the reports do not.
    """
    mode = way_of_all(settings, layout)
    for option in ("log", "junit", "textfile"):
        path: str | None = getattr(settings, option)
        if path is None:
            continue
        said = f"{settings.origins[option]}: {path!r}"
        require_no_item(said, path, layout.roots, mode)
        folder = os.path.dirname(os.path.abspath(path))
        if option != "log" and not os.path.isdir(folder):
            raise ConfigError(
                f"{said}: folder {folder!r} is not there; nothing was touched; make "
                "it, or name another file"
            )


def _shown(
    settings: Settings, arguments: Arguments
) -> AbstractContextManager[Board | None]:
    """Listen if that is asked for; what it takes is loaded then only."""
    if settings.listen is None:
        return nullcontext()
    from paxect_batch.cli.listening import listening

    return listening(settings, arguments)


def _run(
    settings: Settings,
    layout: Layout,
    policy: PolicyFile,
    stop: StopSignal,
    board: Board | None,
    *,
    watch: bool,
) -> int:
    forecast = _forecast(settings, layout)
    passes = len(settings.direction.directions)
    progress = Progress(bar=forecast is not None, forecast=forecast, passes=passes)
    with World(settings, layout, policy, progress, watch=watch) as world:
        stop.reopen = world.reopen_log

        # Once: a run that begins anew has no more time than before.
        deadline = _deadline(settings)

        def make(account: Account | None) -> Node:
            show: Callable[[Standing], None] = progress
            if board is not None:
                from paxect_batch.cli.listening import attach, showing

                attach(board, world, settings, watch=watch)
                show = showing(progress, board)
            left = None if deadline is None else deadline - world.duration_seconds()
            options = run_options(
                settings, world, layout, watch=watch, deadline_seconds=left
            )
            return make_node(world, options, policy, stop, show, account=account)

        def is_due() -> bool:
            return deadline is not None and world.duration_seconds() >= deadline

        node, error = serve(
            make,
            world.begin_anew,
            progress.notice,
            stop=stop,
            watch=watch,
            begun=lambda: world.events.begun,
            is_due=is_due,
        )
        if forecast is not None:
            forecast.stop()
        progress.clear()
        own: Exit | None = None
        if error is not None:
            if not world.events.begun:
                if stop.requested:
                    explain(error)
                    return stop.exit_code
                raise error
            # Whatever it was: a run that began owes its audit line.
            own = explain(error)
        if stop.requested:
            own = stop.exit_code
            console.complain(
                f"{STOPPED_TEXT[own]}; what was not published was dropped and is still "
                "in its place; the next run goes on with it"
            )
        ending = Ending(
            standing=node.standing,
            options=node.options,
            batch_digest=node.digest,
            own=own,
            started=world.started,
            duration_seconds=world.duration_seconds(),
            earlier_runs=tuple(world.earlier_runs),
            batch=_batch(node, layout.words),
            policy_sha256=node.policy.sha256 or policy.sha256,
        )
        return report(ending, settings, world)


def _batch(node: Node, words: str) -> Batch | None:
    """Return what all nodes delivered, if this was the last of them to finish."""
    try:
        return node.close_batch()
    except OSError as error:
        console.complain(
            f"adding up the batch gave: {console.os_error_text(error)}; what was "
            f"delivered stays delivered; see it with: paxect-batch manifest {words}"
        )
        return None


def run_options(
    settings: Settings,
    world: World,
    layout: Layout,
    *,
    watch: bool,
    deadline_seconds: float | None,
) -> RunOptions:
    """Return what the settings ask of a run."""
    return RunOptions(
        node=settings.node,
        run=world.run,
        mode=settings.direction,
        watch=watch,
        poll_seconds=settings.poll_seconds,
        workers=world.workers,
        deadline_seconds=deadline_seconds,
        in_place=layout.in_place,
        wait=settings.wait and not watch,
        allow_mixed=settings.allow_mixed,
        files_max=settings.max_files,
        pace=asked_pace(settings),
    )


def make_node(
    world: World,
    options: RunOptions,
    policy: PolicyFile,
    stop: StopSignal,
    progress: Callable[[Standing], None],
    *,
    account: Account | None = None,
) -> Node:
    """Return the relay, wired to the world."""
    return Node(
        share=world.share,
        locks=world.locks,
        clock=world.clock,
        executor=world.executor,
        beside=world.beside,
        bell=world.bell,
        ledger=world.ledger,
        events=world.events,
        load=world.load,
        options=options,
        policy=policy,
        key=world.key,
        stop=stop,
        progress=progress,
        manifest=world.manifest(policy),
        account=account,
        gauges=world.gauges,
    )


def _show_plan(
    settings: Settings, layout: Layout, policy: PolicyFile, stop: StopSignal
) -> int:
    """Print what a run would do with each file, and touch nothing."""
    progress = Progress(bar=False)
    with World(settings, layout, policy, progress, dry=True) as world:
        options = run_options(
            settings, world, layout, watch=False, deadline_seconds=None
        )
        node = make_node(world, options, policy, stop, progress)
        taken = left = 0
        for planned in node.plan():
            if stop.requested:
                return stop.exit_code
            admitted = planned.decision.verdict is Verdict.ADMITTED
            taken, left = taken + admitted, left + (not admitted)
            console.say(_planned_text(planned, as_json=settings.json))
        if not settings.quiet and not settings.json:
            console.say(
                f"{count_text(taken, 'file')} would be taken now, {left:,} left; "
                "nothing was changed"
            )
        return Exit.OK


def _planned_text(planned: Planned, *, as_json: bool) -> str:
    if as_json:
        facts = msgspec.to_builtins(plan_line(planned))
        return json.dumps(facts, sort_keys=True, separators=(",", ":"))
    if planned.decision.verdict is Verdict.ADMITTED:
        act = f"{planned.direction}  {planned.source} -> {planned.target}"
        return f"{act}  ({planned.size:,} bytes)"
    verdict = planned.decision.verdict.replace("_", " ")
    why = f"{verdict}: {planned.decision.reason}".removesuffix(": ")
    wait = planned.decision.wait_seconds
    if planned.decision.verdict is Verdict.WAITING and 0 < wait < math.inf:
        why += f", {time_text(wait)} more"
    return f"leave   {planned.source}  ({why})"


def _deadline(settings: Settings) -> float | None:
    if settings.deadline is None:
        return None
    now = datetime.now().astimezone()
    return seconds_until(
        settings.deadline, hour=now.hour, minute=now.minute, second=now.second
    )


def _forecast(settings: Settings, layout: Layout) -> Forecast | None:
    """Return the count of what there is to do, begun; None if no bar is to be shown."""
    is_shown = settings.progress
    if is_shown is None:
        is_shown = not settings.quiet and is_drawable(2)
    if not is_shown:
        return None
    roots = [root_of(direction) for direction in settings.direction.directions]
    forecast = Forecast(
        LocalShare(layout.roots), roots[:1] if layout.in_place else roots
    )
    forecast.start()
    return forecast
