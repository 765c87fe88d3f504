"""Explain a word that the program says: what it means, and what to do about it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator

import msgspec

from paxect_batch.cli import console
from paxect_batch.cli.arguments import Arguments
from paxect_batch.model.errors import ConfigError, Exit
from paxect_batch.model.explanations import Explanation
from paxect_batch.report.explanations import EXPLANATIONS, explained, nearest

_COLUMNS = 80
_WORD_COLUMNS = 24


def command(arguments: Arguments) -> int:
    """Print what explains a word, or all that can be explained."""
    found = EXPLANATIONS
    if arguments.operands:
        found = _found(" ".join(arguments.operands))
    if arguments.has("json"):
        facts = [msgspec.to_builtins(each) for each in found]
        console.say(json.dumps(facts, sort_keys=True))
    elif arguments.operands:
        console.say("\n\n".join("\n".join(_lines(each)) for each in found))
    else:
        console.say("\n".join(_listing(found)))
    return Exit.OK


def _found(word: str) -> tuple[Explanation, ...]:
    found = explained(word)
    if not found:
        near = nearest(word)
        question = f"; did you mean {near}?" if near else ""
        raise ConfigError(
            f"{word!r} is nothing that this program says{question}; nothing was "
            "touched; paxect-batch explain lists all that it says"
        )
    return found


def _lines(explanation: Explanation) -> Iterator[str]:
    yield f"{explanation.word}  ({', '.join(explanation.said)})"
    yield from _wrapped("  ", explanation.means)
    for title, text in (
        ("cause", explanation.cause),
        ("data", explanation.data),
        ("do", explanation.todo),
    ):
        if text:
            yield from _wrapped(f"  {title:<7}", text)


def _listing(explanations: Iterable[Explanation]) -> Iterator[str]:
    said = None
    for each in explanations:
        if each.said[0] is not said:
            if said is not None:
                yield ""
            said = each.said[0]
            yield f"{said}:"
        yield from _wrapped(f"  {each.word:<{_WORD_COLUMNS - 2}}", each.means)


def _wrapped(head: str, text: str) -> list[str]:
    # Marks of code are for the page that is made of the same table.
    return textwrap.wrap(
        text.replace("`", ""),
        _COLUMNS,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_on_hyphens=False,
    )
