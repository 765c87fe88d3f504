"""Write the generated pages of `docs/` anew; with `--check`, only tell what differs."""

import sys
from pathlib import Path

from commands_page import commands_page, exit_codes_page
from errors_page import errors_page
from events_page import events_page, metrics_page
from page_parts import ROOT
from records_page import records_page
from settings_page import policy_page, settings_page

PAGES = {
    "errors.md": errors_page,
    "reference/commands.md": commands_page,
    "reference/events.md": events_page,
    "reference/exit-codes.md": exit_codes_page,
    "reference/metrics.md": metrics_page,
    "reference/policy.md": policy_page,
    "reference/records.md": records_page,
    "reference/settings.md": settings_page,
}
"""By their paths below `docs`."""


def differing(docs: Path) -> dict[str, str]:
    """Return the pages that are not as they should be, as they should be."""
    wanted = {name: make() for name, make in PAGES.items()}
    return {
        name: text
        for name, text in wanted.items()
        if not (docs / name).is_file()
        or (docs / name).read_text(encoding="utf-8") != text
    }


def main(words: list[str]) -> int:
    """Write what differs; with `--check` leave it, and return 1 if anything does."""
    docs = ROOT / "docs"
    found = differing(docs)
    for name, text in found.items():
        print(f"docs/{name}")
        if "--check" not in words:
            (docs / name).parent.mkdir(exist_ok=True)
            (docs / name).write_bytes(text.encode("utf-8"))
    return int(bool(found) and "--check" in words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
