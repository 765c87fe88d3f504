"""The audit's sum closes, whatever a run did, and its line is one line."""

import json

from hypothesis import given
from hypothesis import strategies as st

from paxect_batch.model.audit import Audit
from paxect_batch.model.items import Mode
from paxect_batch.model.run import RunOptions, Standing
from paxect_batch.report.audit import AUDIT_PREFIX, audit, audit_line, waiting


def audited(standing: Standing) -> Audit:
    return audit(
        standing,
        RunOptions(node="n\n1", run="r1", mode=Mode.ENCODE),
        batch_digest="d",
        policy_sha256="p",
        codec="c",
        version="1",
        started="2026-01-02T03:04:05Z",
        duration_seconds=1.23456,
        exit_code=1,
    )


@given(st.lists(st.integers(0, 1000), min_size=8, max_size=8))
def test_audit_of_any_standing_closes_the_sum(counts: list[int]) -> None:
    standing = Standing(
        seen_files=sum(counts[:4]),
        seen_bytes=sum(counts[4:]),
        delivered_files=counts[0],
        set_aside_files=counts[1],
        blocked_files=counts[2],
        delivered_bytes=counts[4],
        set_aside_bytes=counts[5],
        blocked_bytes=counts[6],
    )
    report = audited(standing)
    parts = (report.delivered, report.set_aside, report.blocked, report.waiting)
    assert report.seen.files == sum(part.files for part in parts)
    assert report.seen.bytes == sum(part.bytes for part in parts)
    assert (waiting(standing).files, waiting(standing).bytes) == (counts[3], counts[7])


def test_audit_line_is_one_line_of_sorted_compact_json() -> None:
    line = audit_line(audited(Standing(bias_flags=1)))
    assert "\n" not in line
    assert line.startswith("AUDIT_SUMMARY_JSON={")
    text = line.removeprefix(AUDIT_PREFIX)
    facts = json.loads(text)
    assert text == json.dumps(facts, sort_keys=True, separators=(",", ":"))
    assert facts["bias_flags"] == 1
    assert facts["deterministic"] is False
    assert facts["duration_seconds"] == 1.235
    assert facts["mode"] == "encode"


def test_audit_without_bias_says_deterministic() -> None:
    assert audited(Standing()).deterministic is True
