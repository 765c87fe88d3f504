"""The report of one run: a page that needs nothing else, and prints well on paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

import msgspec

from paxect_batch.model.audit import Audit, Tally
from paxect_batch.model.events import EventLine
from paxect_batch.model.items import Direction
from paxect_batch.model.places import quarantine_folder
from paxect_batch.model.run_settings import RunSettings
from paxect_batch.report.amounts import count_text, size_text, time_text
from paxect_batch.report.families import outcomes_of
from paxect_batch.report.run_fold import SPANS, RunFold
from paxect_batch.report.run_plot import bars, lines

CODE_WORDS = {
    0: "all delivered, or nothing to do",
    1: "finished, but something is left",
    2: "an integrity failure was seen",
    3: "the share, a disk or a file failed",
    4: "a container's structure is broken",
    130: "stopped by Ctrl-C",
    143: "stopped by a signal",
}
"""What an exit code says of a run; the handbook says what to do."""

_STYLE = """
:root{color-scheme:light dark;--text:#16202b;--muted:#4f5d6b;--ground:#fff;
--line:#d5dbe2;--accent:#1c5fb8;--other:#845000;--well:#0b6b3a;--bad:#b3261e}
@media screen and (prefers-color-scheme:dark){:root{--text:#e6ebf0;--muted:#a3b3c2;
--ground:#11171d;--line:#33404d;--accent:#6cb0ff;--other:#f0b35a;--well:#5bd099;
--bad:#ff9c93}}
body{font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
color:var(--text);background:var(--ground);max-width:60rem;margin:0 auto;padding:1.5rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:1.6rem 0 .4rem}
.outcome{font-size:1.2rem;font-weight:600}.well{color:var(--well)}.bad{color:var(--bad)}
.muted{color:var(--muted)}table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.25rem .8rem .25rem 0;
border-bottom:1px solid var(--line);overflow-wrap:anywhere;min-width:3.5rem}
th{color:var(--muted);font-weight:600}td.number,th.number{text-align:right;
font-variant-numeric:tabular-nums;white-space:nowrap}
code{font:.88em ui-monospace,Menlo,monospace;overflow-wrap:anywhere}
svg{width:100%;height:auto;display:block}svg text{font-size:12px;fill:var(--muted)}
svg line{stroke:var(--line)}.bar{fill:var(--accent)}polyline{fill:none;stroke-width:2}
.line0{stroke:var(--accent)}.line1{stroke:var(--other);stroke-dasharray:6 3}
.end{text-anchor:end}.middle{text-anchor:middle}
.key0{color:var(--accent)}.key1{color:var(--other)}
@media print{@page{margin:15mm}body{max-width:none;padding:0;font-size:10pt}
section,tr,svg{break-inside:avoid}h2{break-after:avoid}thead{display:table-header-group}
.bar{print-color-adjust:exact}}
"""

_STEP_WORDS = {
    Direction.ENCODE: "to be encoded (inbox)",
    Direction.DECODE: "to be decoded (wire)",
}


class RunFacts(msgspec.Struct, frozen=True):
    """All that a report tells, besides the fold over the records."""

    share: str
    made_at: str
    problems: tuple[EventLine, ...]
    """Warnings and errors of the run, as the log still has them, oldest first."""
    settings: RunSettings | None


def run_page(fold: RunFold, facts: RunFacts) -> Iterator[str]:
    """Give the page in parts."""
    audit = fold.audit
    title = f"Run {audit.run} of {audit.node}"
    yield "<!doctype html>\n"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta http-equiv="Content-Security-Policy" content="'
    yield "default-src 'none'; style-src 'unsafe-inline'\">"
    yield f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n"
    yield from _head(audit, facts)
    yield from _section("What became of the files", _outcomes(audit))
    yield from _section("Delivered over time", _throughput(fold))
    yield from _section("Waiting over time", _waiting(fold))
    yield from _section("Longest on their way", _slowest(fold))
    yield from _section("Problems", _problems(fold, facts))
    yield from _section("Nodes", _nodes(audit))
    yield from _section("Proof", _proof(audit))
    yield from _section("Settings", _settings(facts.settings))
    yield "</body></html>\n"


def _head(audit: Audit, facts: RunFacts) -> Iterator[str]:
    good = audit.exit_code == 0 and audit.deterministic
    words = CODE_WORDS.get(audit.exit_code, "it did not end well")
    yield f"<h1>{escape(facts.share)}</h1>"
    yield f'<p class="muted">run {escape(audit.run)} of node {escape(audit.node)}, '
    yield f"{escape(audit.mode)}, began {escape(audit.started)}, took "
    yield time_text(audit.duration_seconds)
    if audit.earlier_runs:
        yield f"; before it was taken for dead: {escape(', '.join(audit.earlier_runs))}"
    yield "</p>"
    yield f'<p class="outcome {"well" if good else "bad"}">'
    yield f"{'✓' if good else '✕'} exit code {audit.exit_code}: {escape(words)}</p>"
    yield f"<p>{count_text(audit.delivered.files, 'file')} of "
    yield f"{audit.seen.files:,} delivered, {size_text(audit.delivered.bytes)}"
    rate = audit.delivered.bytes / max(audit.duration_seconds, 0.001)
    yield f", {size_text(rate)}/s.</p>"
    yield f'<p class="muted">Report made {escape(facts.made_at)}.</p>\n'


def _section(title: str, inner: Iterable[str]) -> Iterator[str]:
    yield f"<section><h2>{escape(title)}</h2>"
    yield from inner
    yield "</section>\n"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Give a table; a head that begins with `#` is of a column of numbers."""
    kinds = [' class="number"' if head.startswith("#") else "" for head in heads]
    yield "<table><thead><tr>"
    for head, kind in zip(heads, kinds, strict=True):
        yield f'<th scope="col"{kind}>{escape(head.lstrip("#"))}</th>'
    yield "</tr></thead><tbody>"
    for row in rows:
        yield "<tr>"
        for cell, kind in zip(row, kinds, strict=True):
            yield f"<td{kind}>{escape(cell)}</td>"
        yield "</tr>"
    yield "</tbody></table>"


def _tally(name: str, tally: Tally) -> tuple[str, str, str]:
    return name, f"{tally.files:,}", size_text(tally.bytes)


def _outcomes(audit: Audit) -> Iterator[str]:
    rows = [_tally(name.replace("_", " "), tally) for name, tally in outcomes_of(audit)]
    rows.append(_tally("seen: the sum of these", audit.seen))
    rows.append(_tally("encoded", audit.encoded))
    rows.append(_tally("decoded", audit.decoded))
    rows.append(_tally("held by other nodes", audit.elsewhere))
    yield from _table(("", "#files", "#size"), rows)


def _throughput(fold: RunFold) -> Iterator[str]:
    span = time_text(fold.seconds / SPANS)
    for name, values, words in (
        ("Files", fold.files, lambda count: f"{count:,.0f}"),
        ("Bytes", fold.bytes, size_text),
    ):
        yield f"<p>{name} delivered in each {span}</p>"
        label = f"{name} delivered over {time_text(fold.seconds)}"
        yield bars(values, seconds=fold.seconds, words=words, label=label)


def _waiting(fold: RunFold) -> Iterator[str]:
    series = {_STEP_WORDS[way]: counts for way, counts in fold.waiting().items()}
    names = [
        f'<span class="key{number}">{"━" if number == 0 else "╍"}</span> {escape(name)}'
        for number, name in enumerate(series)
    ]
    yield f"<p>Files of this run that lay there: {', '.join(names)}. "
    yield '<span class="muted">From its last change, as its time tells, to its end; '
    yield "files that the run did not come to are not in it.</span></p>"
    yield lines(
        series,
        seconds=fold.seconds,
        words=lambda count: f"{count:,.0f}",
        label="Files that waited",
    )


def _slowest(fold: RunFold) -> Iterator[str]:
    rows = [
        (
            time_text(each.seconds),
            each.source,
            str(each.direction),
            size_text(each.bytes),
        )
        for each in fold.slowest()
    ]
    yield '<p class="muted">From the last change of a file, or the begin of the run, '
    yield "to its delivery.</p>"
    yield from _table(("#time", "file", "step", "#size"), rows)


def _problems(fold: RunFold, facts: RunFacts) -> Iterator[str]:
    if not fold.set_aside and not facts.problems:
        yield "<p>None.</p>"
        return
    if fold.set_aside:
        told = ", ".join(
            f"{escape(code or '?')} {count:,}"
            for code, count in fold.reasons.most_common(20)
        )
        yield f"<p>{count_text(fold.set_aside_count, 'file')} set aside: {told}.</p>"
        yield from _table(
            ("file", "reason", "where it is"),
            (
                (
                    str(record.source),
                    record.detail or record.code,
                    record.quarantine and str(quarantine_folder(record.quarantine)),
                )
                for record in fold.set_aside
            ),
        )
        left = fold.set_aside_count - len(fold.set_aside)
        if left:
            yield f"<p>And {left:,} more.</p>"
    if facts.problems:
        yield "<p>Warnings and errors, as far as the log still has them:</p>"
        yield from _table(
            ("when", "event", "file", "what"),
            (
                (each.datetime_utc, str(each.event), each.src, each.message)
                for each in facts.problems
            ),
        )


def _nodes(audit: Audit) -> Iterator[str]:
    if audit.batch is None:
        yield "<p>This run's own part; the audit of the last of several nodes to "
        yield "finish has all of them.</p>"
        yield from _table(
            ("node", "run", "#files", "#size"),
            [(audit.node, audit.run, *_tally("", audit.delivered)[1:])],
        )
        return
    yield from _table(
        ("node", "run", "#files", "#size", "digest"),
        (
            (part.node, part.run, *_tally("", part.delivered)[1:], part.digest)
            for part in audit.batch.parts
        ),
    )
    if audit.mixed or audit.batch.mixed:
        yield "<p>Different codecs or policies worked on this batch.</p>"


def _proof(audit: Audit) -> Iterator[str]:
    facts = [
        ("batch digest of this run", audit.batch_digest),
        ("policy", f"sha256:{audit.policy_sha256}"),
        ("codec", audit.codec),
        ("self-checks that differed", str(audit.bias_flags)),
        ("claims tried, lost", f"{audit.claims.tried:,}, {audit.claims.lost:,}"),
        ("recovered", f"{audit.recovered:,}"),
        ("version", audit.version),
    ]
    if audit.batch is not None:
        facts += [
            ("batch", audit.batch.id),
            ("digest of the batch, all nodes", audit.batch.digest),
            ("the same without containers", audit.batch.raw_digest),
        ]
    yield from _table(("", ""), facts)


def _settings(settings: RunSettings | None) -> Iterator[str]:
    if settings is None:
        yield "<p>This run did not record its settings.</p>"
        return
    yield from _table(
        ("setting", "value", "from"),
        (
            (name, "-" if each.value is None else str(each.value), each.origin)
            for name, each in settings.settings.items()
        ),
    )
