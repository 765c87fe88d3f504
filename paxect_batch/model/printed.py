"""What commands print with `--json` that is written down nowhere."""

from __future__ import annotations

import math

import msgspec

from paxect_batch.model.audit import Audit
from paxect_batch.model.items import Direction
from paxect_batch.model.pace import Observation, Pace
from paxect_batch.model.places import Place
from paxect_batch.model.run import Planned
from paxect_batch.model.run_settings import SettingInForce


class RunEnd(msgspec.Struct, frozen=True):
    """How a run ended."""

    audit: Audit
    """The same as in the audit line."""
    problems: tuple[str, ...]
    """The newest of what went wrong, for a person."""
    stopped: str
    """Why it stopped before all was done; empty if it did not."""


class PlanDecision(msgspec.Struct, frozen=True):
    """Whether a file would be taken."""

    verdict: str
    """`admitted`, `blocked`, `waiting`, `done` or `set_aside`."""
    reason: str
    """Why it would not, such as `disallowed_suffix:.exe`; empty if it would."""
    wait_seconds: float | None
    """How long until it is looked at again; null: not before something changes."""


class PlanLine(msgspec.Struct, frozen=True):
    """What a run would do with one file."""

    direction: Direction
    source: Place
    target: Place
    size: int
    decision: PlanDecision
    """Whether it would be taken now."""


def plan_line(planned: Planned) -> PlanLine:
    """Return a plan as JSON can have it, which knows no infinity."""
    wait = planned.decision.wait_seconds
    return PlanLine(
        planned.direction,
        planned.source,
        planned.target,
        planned.size,
        PlanDecision(
            planned.decision.verdict,
            planned.decision.reason,
            None if wait == math.inf else wait,
        ),
    )


class TakenOut(msgspec.Struct, frozen=True):
    """What became of one item in quarantine."""

    id: str
    """The name of its folder in quarantine."""
    became: str
    """`back` where it lay, `released`, `delivered` (it was back already), or `gone`."""
    place: str
    """Where it is now: the root, and the path below it, or a path; empty if gone."""
    stray: str = ""
    """What was taken along by its name alone, and is back where it lay."""


class Flaw(msgspec.Struct, frozen=True):
    """Something on a share that is not as it should be."""

    code: str
    place: str
    """Where it is: the root, and the path below it."""
    detail: str
    advice: str
    """What to do about it."""
    exit_code: int


class Verified(msgspec.Struct, frozen=True):
    """What checking a share came to."""

    ok: bool
    """Whether all is as it should be."""
    exit_code: int
    checked: dict[str, int]
    """How many there were of each kind of thing that was checked."""
    findings: tuple[Flaw, ...]


class ConfigShown(msgspec.Struct, frozen=True):
    """What a run would go by."""

    settings: dict[str, SettingInForce]
    folders: dict[str, str]
    """The path of each root; empty if no share and no folders are named."""
    files: dict[str, str]
    """The files that a run would read or write, by what they are."""


class Replayed(msgspec.Struct, frozen=True):
    """One decision on the pace, decided again from what was logged."""

    datetime_utc: str
    node: str
    run: str
    number: int
    """Which decision of its run it is."""
    same: bool
    """Whether it came out as it did then."""
    pace: Pace
    """How much may be in flight at once, and why not more."""
    seen: Observation
    """What was looked at."""


class EngineSettings(msgspec.Struct, frozen=True):
    """The settings of a container."""

    level: int
    channels: int
    frame_bytes: int
    mapping: str
    verify: bool
    """Whether it is flagged for its SHA-256 to be checked."""


class EngineFrame(msgspec.Struct, frozen=True):
    """One frame of a container."""

    number: int
    """Which frame it is, from 0."""
    channel: int
    offset: int
    compressed_bytes: int
    raw_bytes: int
    """Size of what it holds."""
    crc32: int
    """CRC32 of what it holds."""


class EngineLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `paxect-core` did with one file, or why it did not."""

    command: str
    input: str
    ok: bool
    output: str | msgspec.UnsetType = msgspec.UNSET
    """The file that was written; `-`: standard output."""
    codec_version: str | msgspec.UnsetType = msgspec.UNSET
    settings: EngineSettings | msgspec.UnsetType = msgspec.UNSET
    frames: int | msgspec.UnsetType = msgspec.UNSET
    raw_bytes: int | msgspec.UnsetType = msgspec.UNSET
    raw_sha256: str | msgspec.UnsetType = msgspec.UNSET
    container_bytes: int | msgspec.UnsetType = msgspec.UNSET
    container_sha256: str | msgspec.UnsetType | None = msgspec.UNSET
    version: int | msgspec.UnsetType = msgspec.UNSET
    """Version of the format."""
    frame_list: tuple[EngineFrame, ...] | msgspec.UnsetType = msgspec.UNSET
    """Each frame, where these were asked for."""
    error: str | msgspec.UnsetType = msgspec.UNSET
    """A stable word for what was wrong; `paxect-batch explain` tells of each."""
    message: str | msgspec.UnsetType = msgspec.UNSET
    exit_code: int | msgspec.UnsetType = msgspec.UNSET
    offset: int | msgspec.UnsetType | None = msgspec.UNSET
    frame: int | msgspec.UnsetType | None = msgspec.UNSET
