"""The last run as a Prometheus textfile, for node_exporter's textfile collector."""

from __future__ import annotations

from collections.abc import Iterator

from paxect_batch.model.audit import Audit
from paxect_batch.report.families import Family, last_run_families


def textfile(audit: Audit, *, completed_seconds: float) -> str:
    """Return all metrics of a run in the text exposition format."""
    families = last_run_families(audit, completed_seconds=completed_seconds)
    return "".join(line + "\n" for each in families for line in _lines(each))


def _lines(family: Family) -> Iterator[str]:
    yield f"# HELP {family.name} {family.text}"
    yield f"# TYPE {family.name} {family.kind}"
    for sample in family.samples:
        labels = sample.labels.items()
        inner = ",".join(f'{key}="{_escape(text)}"' for key, text in labels)
        yield f"{family.name}{{{inner}}} {sample.value!r}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
