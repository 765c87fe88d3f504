"""Show every setting in force, and where its value came from."""

from __future__ import annotations

import json
import os

import msgspec

from paxect_batch.cli import console
from paxect_batch.cli.arguments import Arguments
from paxect_batch.cli.kinds import Value
from paxect_batch.cli.layout import find_layout
from paxect_batch.cli.policy_file import BUILT_IN
from paxect_batch.cli.settings import SETTINGS, Settings, load
from paxect_batch.model.errors import Exit
from paxect_batch.model.printed import ConfigShown
from paxect_batch.model.run_settings import SettingInForce
from paxect_batch.report.amounts import clip

_AUTO = {"workers": "auto", "progress": "auto", "summary": "auto"}


def command(arguments: Arguments) -> int:
    """Print the settings, and the folders that they lead to."""
    share = arguments.operands[1] if len(arguments.operands) > 1 else None
    settings = load(arguments, share=share)
    folders, files = _folders(settings), _files(settings)
    if settings.json:
        shown = ConfigShown(
            {
                name: SettingInForce(value, str(settings.origins[name]))
                for name, value in _values(settings).items()
            },
            folders,
            files,
        )
        facts = msgspec.to_builtins(shown)
        console.say(json.dumps(facts, sort_keys=True, indent=1))
        return Exit.OK
    width = max(map(len, SETTINGS)) + 1
    for name, value in _values(settings).items():
        text = clip(_shown(name, value), 200)
        console.say(f"{name:<{width}}{text:<30}  {settings.origins[name]}")
    for root, path in folders.items():
        console.say(f"folder {root:<8}{path}")
    for name, path in files.items():
        console.say(f"file   {name:<8}{path}")
    return Exit.OK


def _values(settings: Settings) -> dict[str, Value]:
    facts: dict[str, Value] = msgspec.to_builtins(settings)
    return {name: facts[name] for name in SETTINGS}


def _folders(settings: Settings) -> dict[str, str]:
    if settings.share is None and settings.inbox is None:
        return {}
    return {root.value: path for root, path in find_layout(settings).roots.items()}


def _files(settings: Settings) -> dict[str, str]:
    """Return the files that a run of this node would read or write."""
    files = {"settings": settings.file} if settings.file is not None else {}
    if settings.share is not None or settings.inbox is not None:
        layout = find_layout(settings)
        files["policy"] = settings.policy or layout.policy
        if (
            not settings.policy
            and not layout.share
            and not os.path.exists(layout.policy)
        ):
            files["policy"] = BUILT_IN
        files["log"] = settings.log or layout.log(settings.node)
    return files


def _shown(name: str, value: object) -> str:
    if name in _AUTO and not value and value is not False:
        return _AUTO[name]
    if value is None:
        return "-"
    return str(value).lower() if isinstance(value, bool) else str(value)
