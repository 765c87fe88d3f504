"""Metrics as plain data: families of samples, by the conventions of Prometheus."""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

from paxect_batch.model.audit import Audit, Tally
from paxect_batch.model.moments import seconds_of

PREFIX = "paxect_batch_"


class MetricKind(enum.StrEnum):
    """How the samples of a family behave over time."""

    GAUGE = "gauge"
    COUNTER = "counter"
    """Only ever grows while the process lasts; its name ends in `_total`."""
    HISTOGRAM = "histogram"


class Sample(msgspec.Struct, frozen=True):
    """One value, with its labels."""

    labels: dict[str, str]
    value: float


class Distribution(msgspec.Struct, frozen=True):
    """One sample of a histogram: counts up to each bound, all of them, their sum."""

    labels: dict[str, str]
    up_to: tuple[tuple[float, int], ...]
    count: int
    sum: float


class Family(msgspec.Struct, frozen=True):
    """All samples of one metric."""

    name: str
    kind: MetricKind
    text: str
    samples: tuple[Sample, ...] = ()
    distributions: tuple[Distribution, ...] = ()


def family(
    name: str,
    text: str,
    samples: Iterable[tuple[dict[str, str], float]],
    kind: MetricKind = MetricKind.GAUGE,
) -> Family:
    """Return a family whose name lacks only the prefix."""
    return Family(PREFIX + name, kind, text, tuple(Sample(*each) for each in samples))


def ended_at(audit: Audit) -> float | None:
    """Return when a run ended, in seconds since 1970, if its beginning can be read."""
    began = seconds_of(audit.started)
    return None if began is None else began + audit.duration_seconds


def last_run_families(
    audit: Audit, *, completed_seconds: float | None
) -> tuple[Family, ...]:
    """Return what is told of the last run; when it ended, if that is known."""
    node = {"node": audit.node}
    outcomes = outcomes_of(audit)
    steps = (("encode", audit.encoded), ("decode", audit.decoded))
    claims = (("tried", audit.claims.tried), ("lost", audit.claims.lost))
    info = node | {
        "run": audit.run,
        "mode": audit.mode,
        "version": audit.version,
        "codec": audit.codec,
        "policy_sha256": audit.policy_sha256,
        "batch_digest": audit.batch_digest,
    }
    singles: list[tuple[str, str, float]] = [
        ("recovered_files", "Files left half done, and finished.", audit.recovered),
        ("bias_flags", "Determinism self-checks that differed.", audit.bias_flags),
        ("duration_seconds", "How long the run took.", audit.duration_seconds),
        ("exit_code", "Exit code of the run.", audit.exit_code),
    ]
    if completed_seconds is not None:
        singles.append(
            ("completion_timestamp_seconds", "When the run ended.", completed_seconds)
        )
    return (
        _last_run(
            "files",
            "Files by what had become of them when the run ended.",
            [(node | {"outcome": name}, tally.files) for name, tally in outcomes],
        ),
        _last_run(
            "bytes",
            "Bytes of these files.",
            [(node | {"outcome": name}, tally.bytes) for name, tally in outcomes],
        ),
        _last_run(
            "elsewhere_files",
            "Files that other nodes held when the run saw them last.",
            [(node, audit.elsewhere.files)],
        ),
        _last_run(
            "step_files",
            "Files that were encoded or decoded.",
            [(node | {"direction": name}, tally.files) for name, tally in steps],
        ),
        _last_run(
            "step_bytes",
            "Raw bytes that were encoded or decoded.",
            [(node | {"direction": name}, tally.bytes) for name, tally in steps],
        ),
        _last_run(
            "claims",
            "Claims that were tried, and those of them that other nodes had.",
            [(node | {"outcome": name}, count) for name, count in claims],
        ),
        *(_last_run(name, text, [(node, value)]) for name, text, value in singles),
        _last_run("info", "What the run was; always 1.", [(info, 1)]),
    )


def outcomes_of(audit: Audit) -> tuple[tuple[str, Tally], ...]:
    """Return the parts that add up to what was seen, which is left out for that."""
    return (
        ("delivered", audit.delivered),
        ("set_aside", audit.set_aside),
        ("blocked", audit.blocked),
        ("waiting", audit.waiting),
    )


def _last_run(
    name: str, text: str, samples: Iterable[tuple[dict[str, str], float]]
) -> Family:
    return family(f"last_run_{name}", text, samples)
