"""Check what lies on a share, each thing by another, and change nothing.

Containers are read whole and compared with their sidecars and records; files that were
delivered and are still there with theirs; records with each other. A file that its
consumer has taken is no finding, nor is what nodes at work do meanwhile.
"""

from __future__ import annotations

import json
from collections import Counter

import msgspec

from paxect_batch.cli import console
from paxect_batch.cli.arguments import Arguments
from paxect_batch.cli.colours import painted, tone_of
from paxect_batch.cli.opened import Opened, open_share
from paxect_batch.cli.verification import Verification
from paxect_batch.model.errors import worst
from paxect_batch.model.printed import Flaw, Verified
from paxect_batch.report.amounts import count_text


def command(arguments: Arguments) -> int:
    """Check a share and print what was found."""
    opened = open_share(arguments)
    verification = check(opened)
    code = worst({finding.exit_code for finding in verification.findings})
    if opened.settings.json:
        verified = Verified(
            ok=not verification.findings,
            exit_code=int(code),
            checked=dict(verification.checked),
            findings=tuple(verification.findings),
        )
        facts = msgspec.to_builtins(verified)
        console.say(json.dumps(facts, sort_keys=True, indent=1))
        return code
    for finding in verification.findings:
        console.complain(_text(finding))
    if not opened.settings.quiet:
        if verification.checked:
            console.say(_checked_text(verification.checked))
        findings = count_text(len(verification.findings), "finding")
        verdict = findings if verification.findings else "all well"
        console.say(painted(verdict, tone_of(code), 1))
    return code


def check(opened: Opened) -> Verification:
    """Check a share."""
    from paxect_batch.world.load import Load

    verification = Verification(opened.share, threads=min(Load().cores(), 8))
    verification.read_records(opened.records(verification.note_torn))
    verification.check_wire()
    verification.check_delivered()
    verification.confirm(lambda: opened.records(verification.note_torn))
    return verification


def _text(finding: Flaw) -> str:
    return f"{finding.place}: {finding.detail}; it was left as it is; {finding.advice}"


def _checked_text(checked: Counter[str]) -> str:
    return "\n".join(
        f"{name.replace('_', ' '):<30}{count:>12,}"
        for name, count in sorted(checked.items())
    )
