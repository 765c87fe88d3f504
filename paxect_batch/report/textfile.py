"""The last run as a Prometheus textfile, for node_exporter's textfile collector."""

from __future__ import annotations

from collections.abc import Iterator

from paxect_batch.model.audit import Audit, Tally

_PREFIX = "paxect_batch_last_run_"


def textfile(audit: Audit, *, completed_seconds: float) -> str:
    """Return all metrics of a run in the text exposition format."""
    return "".join(
        line + "\n" for line in _lines(audit, completed_seconds=completed_seconds)
    )


def _lines(audit: Audit, *, completed_seconds: float) -> Iterator[str]:
    node = {"node": audit.node}
    outcomes = _outcomes(audit)
    yield from _metric(
        "files",
        "Files by what had become of them when the run ended.",
        [(node | {"outcome": name}, tally.files) for name, tally in outcomes],
    )
    yield from _metric(
        "bytes",
        "Bytes of these files.",
        [(node | {"outcome": name}, tally.bytes) for name, tally in outcomes],
    )
    yield from _metric(
        "elsewhere_files",
        "Files that other nodes held when the run saw them last.",
        [(node, audit.elsewhere.files)],
    )
    steps = (("encode", audit.encoded), ("decode", audit.decoded))
    yield from _metric(
        "step_files",
        "Files that were encoded or decoded.",
        [(node | {"direction": name}, tally.files) for name, tally in steps],
    )
    yield from _metric(
        "step_bytes",
        "Raw bytes that were encoded or decoded.",
        [(node | {"direction": name}, tally.bytes) for name, tally in steps],
    )
    claims = (("tried", audit.claims.tried), ("lost", audit.claims.lost))
    yield from _metric(
        "claims",
        "Claims that were tried, and those of them that other nodes had.",
        [(node | {"outcome": name}, count) for name, count in claims],
    )
    singles: tuple[tuple[str, str, float], ...] = (
        ("recovered_files", "Files left half done, and finished.", audit.recovered),
        ("bias_flags", "Determinism self-checks that differed.", audit.bias_flags),
        ("duration_seconds", "How long the run took.", audit.duration_seconds),
        ("exit_code", "Exit code of the run.", audit.exit_code),
        ("completion_timestamp_seconds", "When the run ended.", completed_seconds),
    )
    for name, text, value in singles:
        yield from _metric(name, text, [(node, value)])
    labels = node | {
        "run": audit.run,
        "mode": audit.mode,
        "version": audit.version,
        "codec": audit.codec,
        "policy_sha256": audit.policy_sha256,
        "batch_digest": audit.batch_digest,
    }
    yield from _metric("info", "What the run was; always 1.", [(labels, 1)])


def _outcomes(audit: Audit) -> tuple[tuple[str, Tally], ...]:
    # Without `seen`, so that a sum over the outcomes is what was seen.
    return (
        ("delivered", audit.delivered),
        ("set_aside", audit.set_aside),
        ("blocked", audit.blocked),
        ("waiting", audit.waiting),
    )


def _metric(
    name: str, text: str, samples: list[tuple[dict[str, str], float]]
) -> Iterator[str]:
    yield f"# HELP {_PREFIX}{name} {text}"
    yield f"# TYPE {_PREFIX}{name} gauge"
    for labels, value in samples:
        inner = ",".join(f'{key}="{_escape(text)}"' for key, text in labels.items())
        yield f"{_PREFIX}{name}{{{inner}}} {value!r}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
