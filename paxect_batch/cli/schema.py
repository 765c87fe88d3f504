"""List the JSON Schemas of all that is written down, or print one."""

from __future__ import annotations

import json

from paxect_batch.cli import console
from paxect_batch.cli.arguments import Arguments, suggestion
from paxect_batch.model.errors import ConfigError, Exit
from paxect_batch.report.schemas import SUBJECTS, schemas


def command(arguments: Arguments) -> int:
    """Print one schema, or the names of all."""
    if not arguments.operands:
        for name, (_, subject) in SUBJECTS.items():
            console.say(f"{name:<17}{subject}")
        return Exit.OK
    name = arguments.operands[0]
    if name not in SUBJECTS:
        raise ConfigError(
            f"{name!r} is no schema{suggestion(name, SUBJECTS)}; nothing was touched; "
            "paxect-batch schema lists them"
        )
    console.say(json.dumps(schemas()[name], indent=2))
    return Exit.OK
