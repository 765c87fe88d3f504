"""Print what monitoring systems take: a Grafana dashboard, or alert rules."""

from __future__ import annotations

from importlib import resources

from paxect_batch.cli import console
from paxect_batch.cli.arguments import Arguments
from paxect_batch.model.errors import Exit

FILES = {"grafana": "grafana.json", "alerts": "alerts.yml"}


def command(arguments: Arguments) -> int:
    """Print the one that is named."""
    found = resources.files("paxect_batch.serve") / FILES[arguments.operands[0]]
    console.say(found.read_text(encoding="utf-8").rstrip("\n"))
    return Exit.OK
