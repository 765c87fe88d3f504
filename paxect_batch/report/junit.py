"""A run as JUnit XML, so that a CI system shows each file as a test case.

A delivered file passed, one that was set aside failed. Files that have no record, since
they were blocked or wait, stand together in one case each; so do the checks of the
run's own: that the sum closes, that bytes are deterministic, and how the run ended.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from xml.sax.saxutils import escape, quoteattr

from paxect_batch.model.audit import Audit, Tally
from paxect_batch.model.errors import Exit
from paxect_batch.model.places import quarantine_folder
from paxect_batch.model.records import Fate, Record
from paxect_batch.report.amounts import count_text

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(audit: Audit, records: Callable[[], Iterable[Record]]) -> Iterator[str]:
    """Give the document piece by piece; the records are gone through twice."""
    cases = list(_run_cases(audit))
    tests = failures = 0
    for record in records():
        tests += 1
        failures += record.fate is not Fate.DELIVERED
    tests += len(cases)
    failures += sum(case.failure for case in cases)
    skipped = sum(case.skipped for case in cases)
    counts = (
        f'tests="{tests}" failures="{failures}" errors="0" skipped="{skipped}" '
        f'time="{audit.duration_seconds:.3f}"'
    )
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f"<testsuites {counts}>\n"
    yield (
        f"<testsuite name={_attribute(f'paxect-batch {audit.run}')} {counts} "
        f"timestamp={_attribute(audit.started)} hostname={_attribute(audit.node)}>\n"
    )
    for case in cases:
        yield case.xml()
    for record in records():
        yield _file_case(record).xml()
    yield "</testsuite>\n</testsuites>\n"


class _Case:
    """One test case: passed, failed or skipped."""

    def __init__(
        self,
        group: str,
        name: str,
        *,
        failure: bool = False,
        skipped: bool = False,
        kind: str = "",
        message: str = "",
    ) -> None:
        self._names = f"classname={_attribute(group)} name={_attribute(name)}"
        self.failure = failure
        self.skipped = skipped
        self._kind = kind
        self._message = message

    def xml(self) -> str:
        """Return the element."""
        message = _attribute(self._message)
        if self.failure:
            inner = (
                f"<failure type={_attribute(self._kind)} message={message}>"
                f"{escape(_legal(self._message))}</failure>"
            )
        elif self.skipped:
            inner = f"<skipped message={message}/>"
        else:
            return f'<testcase {self._names} time="0"/>\n'
        return f'<testcase {self._names} time="0">{inner}</testcase>\n'


def _run_cases(audit: Audit) -> Iterator[_Case]:
    group = "paxect-batch.run"
    yield _Case(
        group,
        "every file is accounted for",
        failure=not _closes(audit) or min(audit.waiting.files, audit.waiting.bytes) < 0,
        kind="accounting",
        message="seen is not the sum of delivered, set aside, blocked and waiting",
    )
    yield _Case(
        group,
        "bytes are deterministic",
        failure=not audit.deterministic,
        kind="bias",
        message=f"{count_text(audit.bias_flags, 'self-check')} gave different bytes",
    )
    yield _Case(
        group,
        "the run ended with exit code 0 or 1",
        failure=audit.exit_code not in (Exit.OK, Exit.UNFINISHED),
        kind=f"exit-{audit.exit_code}",
        message=f"the run ended with exit code {audit.exit_code}",
    )
    for name, tally in (("blocked", audit.blocked), ("waiting", audit.waiting)):
        yield _Case(
            group,
            f"no file is {name}",
            skipped=tally.files > 0,
            message=f"{count_text(tally.files, 'file')} {name}",
        )


def _closes(audit: Audit) -> bool:
    parts: tuple[Tally, ...] = (
        audit.delivered,
        audit.set_aside,
        audit.blocked,
        audit.waiting,
    )
    return audit.seen.files == sum(part.files for part in parts) and (
        audit.seen.bytes == sum(part.bytes for part in parts)
    )


def _file_case(record: Record) -> _Case:
    group = f"paxect-batch.{record.direction}"
    if record.fate is Fate.DELIVERED:
        return _Case(group, str(record.source))
    where = ""
    if record.quarantine:
        where = f"; it is in {quarantine_folder(record.quarantine)}"
    return _Case(
        group,
        str(record.source),
        failure=True,
        kind=record.code,
        message=f"{record.code}: {record.detail}{where}",
    )


def _attribute(text: str) -> str:
    return quoteattr(_legal(text))


def _legal(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
