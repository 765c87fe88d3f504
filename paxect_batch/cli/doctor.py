"""Tell whether a share is fit for the relay: look, try, and say what it means.

Alone, or with a peer that does the same on a second machine at the same time. Works on
a folder that is not yet laid out as a share, too. All that it makes lies below
`.paxect/doctor` and is gone at the end, also when it is told to stop.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys

import msgspec

from paxect_batch.cli import console, kinds
from paxect_batch.cli.apart import require_apart
from paxect_batch.cli.arguments import Arguments
from paxect_batch.cli.colours import painted, tone_of
from paxect_batch.cli.doctor_text import report
from paxect_batch.cli.layout import MARKER_NAME, read_marker, require_folders, roots_of
from paxect_batch.cli.settings import load
from paxect_batch.cli.shell_words import shell_word
from paxect_batch.cli.stop import StopSignal
from paxect_batch.model.errors import BatchError, ConfigError, NotReady
from paxect_batch.model.fitness import Fitness, Probed, Trial, Verdict
from paxect_batch.model.items import Mode
from paxect_batch.model.nodes import ShareMarker
from paxect_batch.model.places import STATE_NAME, Root
from paxect_batch.rules.fitness import diagnose
from paxect_batch.world.clock import RealClock
from paxect_batch.world.probes import (
    find_apart,
    measure_speed,
    measure_times,
    try_calls,
)
from paxect_batch.world.probes_between import try_between
from paxect_batch.world.probes_ground import Ground
from paxect_batch.world.probes_mount import find_mount, find_space
from paxect_batch.world.probes_names import try_names
from paxect_batch.world.probes_peer import Talk
from paxect_batch.world.probes_writers import try_writers

WAIT_SECONDS = 60.0
WAIT = kinds.seconds(0, 86400)


class Stopped(BatchError):
    """A signal ended the probes."""


def command(arguments: Arguments) -> int:
    """Look at the share that the operand names and print what it is worth."""
    share = os.path.abspath(arguments.operands[0])
    settings = load(arguments, share=share)
    wait_seconds = _wait_seconds(arguments)
    if not os.path.isdir(share):
        raise NotReady(
            f"{share!r} is no folder; nothing was touched; name a share"
            if os.path.lexists(share)
            else f"folder {share!r} is not there; nothing was touched; see that the "
            "share is mounted"
        )
    marker = _marker_of(share)
    if arguments.has("pin") and marker is None:
        raise ConfigError(
            f"{share!r} is not laid out as a share, so nothing can be pinned there; "
            f"nothing was touched; run: paxect-batch init {shell_word(share)}"
        )
    if marker is not None:
        roots = roots_of(share, marker)
        require_apart(roots, Mode.RELAY)
        require_folders(roots)
    with StopSignal() as stop:
        doctor = Doctor(share, marker, stop, wait_seconds)
        try:
            fitness = diagnose(doctor.examine())
        except Stopped as stopped:
            console.complain(stopped.message)
            return stop.exit_code
    if arguments.has("pin") and marker is not None:
        fitness = _pin(share, marker, fitness)
    if settings.json:
        facts = msgspec.to_builtins(fitness)
        console.say(json.dumps(facts, sort_keys=True, indent=1))
    else:
        *lines, verdict = report(fitness)
        console.say("\n".join(lines))
        console.say(painted(verdict, tone_of(fitness.exit_code), 1))
    return fitness.exit_code


class Doctor:
    """One look at one share; `wait_seconds` is None if no peer is wanted."""

    def __init__(
        self,
        share: str,
        marker: ShareMarker | None,
        stop: StopSignal,
        wait_seconds: float | None,
    ) -> None:
        self._share = share
        self._marker = marker
        self._stop = stop
        self._wait_seconds = wait_seconds

    def examine(self) -> Probed:
        """Find out all that can be found out; `Stopped` if a signal came."""
        probed = Probed(
            share=self._share,
            platform=sys.platform,
            host=socket.gethostname(),
            marked=self._marker is not None,
            pinned=_pinned(self._marker),
            mount=find_mount(self._share),
            writable=Trial(held=True),
            peer_asked=self._wait_seconds is not None,
        )
        ground = Ground(self._share, RealClock(), look_up=self._look_up)
        try:
            with contextlib.ExitStack() as stack:
                try:
                    stack.enter_context(ground)
                    apart = find_apart(self._roots(ground))
                except OSError as error:
                    met = Trial(held=False, met=console.os_error_text(error))
                    return msgspec.structs.replace(probed, writable=met)
                probed = msgspec.structs.replace(probed, apart=apart)
                return self._probe(ground, probed)
        finally:
            for path in ground.left:
                console.complain(
                    f"{path!r} could not be removed; it is nobody's data; remove it, "
                    "or leave it to the next doctor in an hour"
                )

    def _probe(self, ground: Ground, probed: Probed) -> Probed:
        probed = msgspec.structs.replace(
            probed,
            calls=try_calls(ground),
            names=try_names(ground),
            times=measure_times(ground),
            space=find_space(ground.path),
            speed=measure_speed(ground),
            writers=try_writers(ground),
        )
        if self._wait_seconds is None:
            return probed
        console.complain(
            f"waiting up to {self._wait_seconds:g} s for a peer; run on another "
            f"machine: paxect-batch doctor --peer {shell_word(self._share)}"
        )
        talk = Talk(ground)
        if not talk.meet(self._wait_seconds):
            return msgspec.structs.replace(probed, waited_seconds=self._wait_seconds)
        return msgspec.structs.replace(probed, peer=try_between(ground, talk))

    def _roots(self, ground: Ground) -> dict[Root, str]:
        """Return the folders of a share that are there, and the probe's own."""
        roots = {} if self._marker is None else roots_of(self._share, self._marker)
        there = {root: path for root, path in roots.items() if os.path.isdir(path)}
        return {**there, Root.STATE: ground.path}

    def _look_up(self) -> None:
        if self._stop.requested:
            raise Stopped(
                "stopped before all was tried; what was made for that is removed "
                "from the share; run it again for a verdict"
            )


def _wait_seconds(arguments: Arguments) -> float | None:
    """Return how long to wait for a peer; None if there is to be none."""
    text = arguments.values.get("peer-seconds")
    if text is None:
        return WAIT_SECONDS if arguments.has("peer") else None
    if not arguments.has("peer"):
        raise ConfigError(
            "--peer-seconds says how long to wait for a peer, and --peer is not given; "
            "nothing was touched; add --peer"
        )
    seconds = WAIT.from_text(text)
    if not isinstance(seconds, float):
        raise ConfigError(
            f"--peer-seconds is {text!r}; nothing was touched; use {WAIT.right}"
        )
    return seconds


def _marker_of(share: str) -> ShareMarker | None:
    path = os.path.join(share, STATE_NAME, MARKER_NAME)
    return read_marker(share) if os.path.lexists(path) else None


def _pinned(marker: ShareMarker | None) -> str | None:
    if marker is None or isinstance(marker.locks, msgspec.UnsetType):
        return None
    return marker.locks


def _pin(share: str, marker: ShareMarker, fitness: Fitness) -> Fitness:
    """Write into the share's configuration what locks rest on, if it is fit."""
    if fitness.verdict is Verdict.UNFIT or fitness.locks is None:
        console.complain(
            "nothing was pinned, since the share is not fit; .paxect/share.json is as "
            "it was; mend what is said above and run it again"
        )
        return fitness
    if fitness.pinned != fitness.locks:
        changed = msgspec.structs.replace(marker, locks=str(fitness.locks))
        text = msgspec.json.format(msgspec.json.encode(changed), indent=1)
        path = os.path.join(share, STATE_NAME, MARKER_NAME)
        console.write_whole(path, [text + b"\n"])
    return msgspec.structs.replace(fitness, pinned=str(fitness.locks))
