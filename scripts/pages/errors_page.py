"""`docs/errors.md`, from the table that `explain` prints from."""

from collections.abc import Iterator

from page_parts import anchor, code, joined, page, sentence, wrapped

from paxect_batch.cli.commands import WORST_FIRST
from paxect_batch.model.events import LEVELS, Event
from paxect_batch.model.explanations import Explanation, Said
from paxect_batch.model.policy import LogLevel
from paxect_batch.report.explanations import EXPLANATIONS

_HEADS = {
    Said.EVENT: "Events",
    Said.LEFT: "Reasons why a file is left",
    Said.FAILED: "Reasons why a file failed",
    Said.FINDING: "Findings of verify",
    Said.DOCTOR: "Findings of doctor",
    Said.EXIT: "Exit codes",
    Said.COUNT: "Numbers of the audit line",
    Said.VERDICT: "Verdicts of doctor",
    Said.ENDED: "Why a run ended early",
    Said.PACE: "What bounds the pace",
    Said.LIFE: "How a node stands",
    Said.ENGINE: "Errors of paxect-core",
}
_INTRODUCTIONS = {
    Said.EVENT: "One line each in the event log; see [events](reference/events.md).",
    Said.LEFT: "In `policy_block` events, and in what `drain --dry-run` prints. What "
    "follows a colon, as in `disallowed_suffix:.exe`, is the case at hand.",
    Said.FAILED: "In `quarantine list` and `show`, in `reason.json`, in records, and "
    "after `backing_off:`. A file that fails is tried again after `backoff_seconds`, "
    "and set aside after the policy's `attempts`; it stays in place where the policy "
    "says `quarantine = false`.",
    Said.FINDING: "In what `verify` prints; it changes nothing. It also finds what is "
    "said of containers above.",
    Said.DOCTOR: "In what `doctor` prints, which also says what it met, how bad that "
    "is, and what rests on it; see [doctor](doctor.md).",
    Said.EXIT: f"If several apply, the first of {WORST_FIRST} counts.",
    Said.COUNT: "In the audit line and the summary; see [the audit]"
    "(relay.md#the-audit-line).",
    Said.VERDICT: "The last line of `doctor`, and the mark of each finding.",
    Said.ENDED: "In the summary, in `--json`, and in the event `shutdown`.",
    Said.PACE: "In `pace` events, in metrics, and in `top`; see [pace](pace.md).",
    Said.LIFE: "In what `status` prints; see [locks](locks.md).",
    Said.ENGINE: "As `error` in what `paxect-core --json` prints, and as `code` of the "
    "exception in Python. Those of containers are above.",
}
_TOP = """
Every event, reason, finding and exit code, with its cause, what became of the data, and
what to do. The same in a terminal:

    paxect-batch explain checksum_mismatch

[how-to/recover.md](how-to/recover.md) goes from what you see at night to what to type.
"""


def errors_page() -> str:
    """Return the page."""
    sections = [_section(said) for said in _HEADS]
    contents = "\n".join(f"- [{head}](#{anchor(head)})" for head in _HEADS.values())
    return page("Errors and events", _TOP, contents, *sections)


def _section(said: Said) -> str:
    entries = [each for each in EXPLANATIONS if each.said[0] is said]
    head = f"## {_HEADS[said]}"
    return joined((head, wrapped(_INTRODUCTIONS[said]), *map(_entry, entries)))


def _entry(each: Explanation) -> str:
    return joined((f"### {code(each.word)}", "\n".join(_lines(each))))


def _lines(each: Explanation) -> Iterator[str]:
    also = [_HEADS[said].casefold() for said in each.said[1:]]
    also_text = f" Also among: {', '.join(also)}." if also else ""
    level = ""
    if each.said[0] is Said.EVENT:
        level = f" Level {code(LEVELS.get(Event(each.word), LogLevel.INFO))}."
    yield wrapped(sentence(each.means) + level + also_text)
    yield ""
    for title, text in (
        ("Cause", each.cause),
        ("Data", each.data),
        ("Do", each.todo),
    ):
        yield wrapped(f"- **{title}**: {text}.", "  ")
