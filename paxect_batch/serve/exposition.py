"""Metrics as text, by prometheus-client: the only user of it.

It is an extra, `paxect-batch[metrics]`; without it all other answers are as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from paxect_batch.report.families import Family, MetricKind

if TYPE_CHECKING:
    from prometheus_client import Metric

MISSING = (
    "prometheus-client is not installed, so there are no metrics; "
    "run: pip install 'paxect-batch[metrics]'"
)


class NoMetrics(Exception):
    """The library for metrics is not installed."""


def is_available() -> bool:
    """Tell whether metrics can be given."""
    try:
        import prometheus_client  # noqa: F401
    except ImportError:
        return False
    return True


def exposition(families: Iterable[Family], accept: str) -> tuple[bytes, str]:
    """Return the metrics in the format that is accepted, and its content type."""
    try:
        from prometheus_client.exposition import choose_encoder
    except ImportError as error:
        raise NoMetrics(MISSING) from error
    encode, content_type = choose_encoder(accept)
    return encode(_Families(families)), content_type


class _Families:
    """What the library takes for a registry."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """Give each family as the library's own."""
        return map(_metric, self._families)


def _metric(family: Family) -> Metric:
    from prometheus_client import Metric

    # The library adds the suffix of counters itself.
    counted = family.kind is MetricKind.COUNTER
    name = family.name.removesuffix("_total") if counted else family.name
    metric = Metric(name, family.text, str(family.kind))
    for sample in family.samples:
        metric.add_sample(family.name, sample.labels, float(sample.value))
    for each in family.distributions:
        bounds = [(f"{bound}", count) for bound, count in each.up_to]
        for bound, count in (*bounds, ("+Inf", each.count)):
            labels = each.labels | {"le": bound}
            metric.add_sample(f"{family.name}_bucket", labels, float(count))
        metric.add_sample(f"{family.name}_count", each.labels, float(each.count))
        metric.add_sample(f"{family.name}_sum", each.labels, each.sum)
    return metric
