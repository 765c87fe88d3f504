"""The audit of a run: every file that was seen, in one sum that closes.

`seen = delivered + set_aside + blocked + waiting`, in files and in bytes. The line goes
out last, so that whoever reads a log finds the truth about a run in one place.
"""

from __future__ import annotations

import json

import msgspec

from paxect_batch.model.audit import Audit, Batch, Claims, Tally
from paxect_batch.model.run import RunOptions, Standing

AUDIT_PREFIX = "AUDIT_SUMMARY_JSON="


def audit(
    standing: Standing,
    options: RunOptions,
    *,
    batch_digest: str,
    policy_sha256: str,
    codec: str,
    version: str,
    started: str,
    duration_seconds: float,
    exit_code: int,
    earlier_runs: tuple[str, ...] = (),
    batch: Batch | None = None,
) -> Audit:
    """Return the audit of a run that stands like this at its end."""
    return Audit(
        bias_flags=standing.bias_flags,
        deterministic=standing.bias_flags == 0,
        seen=Tally(standing.seen_files, standing.seen_bytes),
        delivered=Tally(standing.delivered_files, standing.delivered_bytes),
        set_aside=Tally(standing.set_aside_files, standing.set_aside_bytes),
        blocked=Tally(standing.blocked_files, standing.blocked_bytes),
        waiting=waiting(standing),
        elsewhere=Tally(standing.elsewhere_files, standing.elsewhere_bytes),
        claims=Claims(tried=standing.claims_tried, lost=standing.claims_lost),
        encoded=Tally(standing.encoded_files, standing.encoded_bytes),
        decoded=Tally(standing.decoded_files, standing.decoded_bytes),
        recovered=standing.recovered,
        batch_digest=batch_digest,
        policy_sha256=policy_sha256,
        codec=codec,
        node=options.node,
        run=options.run,
        mode=options.mode.value,
        started=started,
        duration_seconds=round(duration_seconds, 3),
        exit_code=exit_code,
        version=version,
        mixed=standing.mixed,
        earlier_runs=earlier_runs,
        batch=batch,
    )


def waiting(standing: Standing) -> Tally:
    """Return what was seen and has come to no end yet."""
    return Tally(
        standing.seen_files
        - standing.delivered_files
        - standing.set_aside_files
        - standing.blocked_files,
        standing.seen_bytes
        - standing.delivered_bytes
        - standing.set_aside_bytes
        - standing.blocked_bytes,
    )


def audit_json(audit: Audit) -> str:
    """Return the audit as one compact line of JSON with sorted keys."""
    return json.dumps(msgspec.to_builtins(audit), sort_keys=True, separators=(",", ":"))


def audit_line(audit: Audit) -> str:
    """Return the last line of a run, without its line break."""
    return AUDIT_PREFIX + audit_json(audit)
