"""Two probes on two machines: how they find each other, and how they talk.

Each keeps one file on the share that only it writes, by adding lines, each durable
before the next step. The other opens it anew for each look, which shows what is new on
NFS and on SMB; a listing may be half a minute old, so who looks for a peer changes the
folder first. A peer counts only once its file grows: what a dead one left is no peer.
"""

from __future__ import annotations

import os
import platform
import socket
import uuid

import msgspec

from paxect_batch.model.places import Place
from paxect_batch.world.probes_ground import PEER_SUFFIX, Ground

TALK_BYTES_MAX = 1 << 20
STEP_SECONDS_MAX = 30.0
"""How long the other may take for a step before it counts as lost."""
MEET_PAUSE_SECONDS = 0.25
STEP_PAUSE_SECONDS = 0.01
STEP_PAUSE_SECONDS_MAX = 0.1
_BOOT_ID = "/proc/sys/kernel/random/boot_id"

Body = dict[str, str | float | bool | None]


class PeerLost(Exception):
    """The peer has gone, or has not answered for too long."""


class Hello(msgspec.Struct, frozen=True):
    """What a probe says of itself first of all."""

    id: str
    host: str
    machine: str


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a talk; each says one thing."""

    hello: Hello | None = None
    partner: str | None = None
    """Whom the writer wants to work with; empty: anyone."""
    beat: int | None = None
    step: Body | None = None


class Heard(msgspec.Struct):
    """What a probe's file said so far."""

    hello: Hello | None = None
    partner: str = ""
    steps: list[Body] = msgspec.field(default_factory=list)
    lines: int = 0

    def add(self, line: Line) -> None:
        """Take in one more line."""
        self.lines += 1
        self.hello = line.hello or self.hello
        if line.partner is not None:
            self.partner = line.partner
        if line.step is not None:
            self.steps.append(line.step)


def this_machine() -> str:
    """Return what tells this running system from any other, clones of it included."""
    try:
        with open(_BOOT_ID, encoding="ascii") as stream:
            return stream.read(64).strip()
    except OSError:
        return f"{platform.node()}-{uuid.getnode():x}"


class Talk:
    """What this probe says, and what it hears of the one it met."""

    def __init__(
        self, ground: Ground, *, host: str = "", machine: str = "", step_max: float = 0
    ) -> None:
        self._ground = ground
        self._place = Place(ground.place.root, ground.id + PEER_SUFFIX)
        self._step_max = step_max or STEP_SECONDS_MAX
        self._said = 0
        self._peer: Place | None = None
        self.hello = Hello(
            ground.id, host or socket.gethostname(), machine or this_machine()
        )
        self.peer: Hello | None = None

    @property
    def is_first(self) -> bool:
        """Whether this one, of the two, is the one to begin."""
        return self.peer is not None and self.hello.id < self.peer.id

    def meet(self, wait_seconds: float) -> bool:
        """Find a peer; False if none came in time."""
        ground = self._ground
        ground.share.create(self._place).close()
        self._say(Line(hello=self.hello))
        known: dict[str, int] = {}
        wanted, beat = "", 0
        until = ground.clock.monotonic() + wait_seconds
        while True:
            others = self._others(known)
            choice = _choose(self.hello.id, others)
            if choice != wanted:
                wanted = choice
                self._say(Line(partner=wanted))
            if wanted and others[wanted].partner == self.hello.id:
                self.peer = others[wanted].hello
                self._peer = Place(self._place.root, wanted + PEER_SUFFIX)
                return True
            if ground.clock.monotonic() >= until:
                return False
            beat += 1
            self._say(Line(beat=beat))
            ground.pause(MEET_PAUSE_SECONDS)

    def exchange(self, body: Body | None = None) -> Body:
        """Tell the other that this step is reached, and wait until it has said so.

        Returns what the other said at that step. Raises `PeerLost`.
        """
        self.tell(body)
        return self.hear(self._said - 1)

    def tell(self, body: Body | None = None) -> None:
        """Say something, without waiting."""
        self._said += 1
        self._say(Line(step=body or {}))

    def hear(self, number: int | None = None) -> Body:
        """Wait for the other's word of that number, or for its next. Or `PeerLost`."""
        wanted = self._said if number is None else number
        clock = self._ground.clock.monotonic
        until = clock() + self._step_max
        pause = STEP_PAUSE_SECONDS
        while True:
            assert self._peer is not None
            heard = self._read(self._peer)
            if heard is None:
                raise PeerLost
            if len(heard.steps) > wanted:
                return heard.steps[wanted]
            if clock() >= until:
                raise PeerLost
            self._ground.pause(pause)
            pause = min(pause * 1.5, STEP_PAUSE_SECONDS_MAX)

    def _others(self, known: dict[str, int]) -> dict[str, Heard]:
        """Return the living: those whose file has grown since it was first seen."""
        share = self._ground.share
        folder = self._place.folder
        share.freshen(folder)
        found = {}
        for entry in share.entries(folder):
            name = entry.place.name
            other = name.removesuffix(PEER_SUFFIX)
            if other in (name, self.hello.id):
                continue
            heard = self._read(entry.place)
            if heard is None or heard.hello is None or heard.hello.id != other:
                continue
            if heard.lines > known.setdefault(other, heard.lines):
                found[other] = heard
        return found

    def _say(self, line: Line) -> None:
        path = os.path.join(self._ground.folder, self._place.name)
        flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags), "ab", buffering=0) as stream:
            stream.write(msgspec.json.encode(line) + b"\n")
            self._ground.share.sync(stream)

    def _read(self, place: Place) -> Heard | None:
        """Return what a probe said so far; None if its file is gone."""
        heard = Heard()
        try:
            data = self._ground.share.read(place, TALK_BYTES_MAX)
        except OSError:
            # ESTALE of NFS, EACCES of SMB: it is just being removed, or written.
            return heard
        if data is None:
            return None
        whole, _, _ = data.rpartition(b"\n")
        for text in whole.split(b"\n"):
            try:
                heard.add(msgspec.json.decode(text, type=Line))
            except msgspec.DecodeError:
                continue
        return heard


def _choose(own: str, others: dict[str, Heard]) -> str:
    """Return whom to work with: who wants to, or else the first who is free."""
    wanting = [other for other, heard in others.items() if heard.partner == own]
    free = [other for other, heard in others.items() if not heard.partner]
    return min(wanting or free, default="")
