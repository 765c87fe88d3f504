"""All that can be explained: one table, and how a word is found in it.

`explain` prints from it and `docs/errors.md` is made of it. Tests hold it complete:
each event, reason, finding, exit code, cause and state has its entry, and no entry
tells of one that there is not.
"""

from __future__ import annotations

from difflib import get_close_matches

from paxect_batch.model.explanations import Explanation
from paxect_batch.report.explained_containers import CONTAINERS, ENGINE
from paxect_batch.report.explained_counts import COUNTS, VERDICTS
from paxect_batch.report.explained_doctor import DOCTOR
from paxect_batch.report.explained_events import EVENTS
from paxect_batch.report.explained_reasons import FAILED, FINDINGS, LEFT
from paxect_batch.report.explained_runs import ENDED, EXITS, LIVES, PACES
from paxect_batch.report.glossary import GLOSSARY

EXPLANATIONS: tuple[Explanation, ...] = (
    *EVENTS,
    *LEFT,
    *FAILED,
    *CONTAINERS,
    *FINDINGS,
    *DOCTOR,
    *EXITS,
    *COUNTS,
    *VERDICTS,
    *ENDED,
    *PACES,
    *LIVES,
    *ENGINE,
    *GLOSSARY,
)


def explained(text: str) -> tuple[Explanation, ...]:
    """Return what explains a word as the program says it; nothing if it is unknown.

    Of `backing_off:io-error` both parts are explained.
    """
    found: list[Explanation] = []
    for part in text.split(":"):
        found += (each for each in EXPLANATIONS if _key(each.word) == _key(part))
    return tuple(found)


def nearest(text: str) -> str:
    """Return the known word that is most like a text, or nothing."""
    words = {_key(each.word): each.word for each in EXPLANATIONS}
    close = get_close_matches(_key(text.partition(":")[0]), list(words), 1)
    return words[close[0]] if close else ""


def _key(word: str) -> str:
    """Return what a person may write differently and mean the same."""
    return word.strip().casefold().replace("-", "_").replace(" ", "_")
