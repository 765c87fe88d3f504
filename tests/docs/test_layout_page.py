"""The page on the layout of a share has every place that runs make."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_blocks import ROOT

from paxect_batch.cli.main import main

PAGE = (ROOT / "docs" / "reference" / "layout.md").read_text(encoding="utf-8")
NAMES = {
    "NODE": r"[\w-]+",
    "RUN": r"\d{8}T\d{9}Z-[0-9a-f]+",
    "RESCUERRUN": r"\d{8}T\d{9}Z-[0-9a-f]+",
    "BATCH": r"[\w-]+",
    "HASH": r"[0-9a-f]+",
    "KEY": r"[0-9a-f]+",
    "ID": r"[0-9a-f-]+",
}


def part(text: str) -> str:
    """Return the pattern of a part of a path, such as `RUN.jsonl`."""
    words = re.split(r"([A-Z]+)", text)
    return "".join(NAMES.get(word, re.escape(word)) for word in words)


def places() -> list[tuple[list[str], bool]]:
    """Return the parts of each path in the table, and whether it is a folder."""
    rows = re.findall(r"^\| `[^|]+\|", PAGE, re.MULTILINE)
    paths = re.findall(r"`([^`]+)`", "\n".join(rows))
    return [
        ([part(text) for text in path.rstrip("/").split("/")], path.endswith("/"))
        for path in paths
    ]


def is_told(path: str, *, is_folder: bool = False) -> bool:
    """Tell whether the page has the path, what holds it, or what it leads to."""
    parts = path.split("/")
    for place, holds in places():
        alike = all(map(re.fullmatch, place, parts))
        if alike and (
            len(parts) == len(place)
            or (holds and len(parts) > len(place))
            or (is_folder and len(parts) < len(place))
        ):
            return True
    return False


def entries(share: Path) -> Iterator[tuple[str, bool]]:
    state = share / ".paxect"
    for path in sorted(state.rglob("*")):
        yield path.relative_to(state).as_posix(), path.is_dir()


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A share on which much has happened: files of all fates, archived, with times."""
    share = tmp_path_factory.mktemp("layout") / "share"
    assert main(["init", "-q", str(share)]) == 0
    (share / ".paxect" / "policy.toml").write_text(
        'version = "2"\nsettle_seconds = 0\non_done = "archive"\ncarry_times = true\n'
        "backoff_seconds = 3600\n"
    )
    (share / "inbox" / "a.txt").write_bytes(b"a")
    (share / "inbox" / "taken.txt").write_bytes(b"newer")
    (share / "outbox" / "taken.txt").write_bytes(b"older")
    (share / "wire" / "odd.txt.freq").write_bytes(b"odd")
    assert main(["drain", "-q", "--node", "north", str(share)]) == 4
    return share


@pytest.mark.slow
def test_every_place_that_runs_make_is_on_the_page(used: Path) -> None:
    found = dict(entries(used))
    untold = [
        path
        for path, is_folder in found.items()
        if not is_told(path, is_folder=is_folder)
    ]
    assert untold == []
    for made in ("archive", "attempts", "ledger", "quarantine", "runs", "settings"):
        assert any(path.startswith(f"{made}/") for path in found), made


def test_every_place_that_the_code_names_is_on_the_page() -> None:
    named = set()
    for folder in ("relay", "world", "cli"):
        for path in (ROOT / "paxect_batch" / folder).glob("*.py"):
            text = path.read_text(encoding="utf-8")
            named |= set(re.findall(r'\bstate(?:\.state)?\("([a-z]+)"', text))
            named |= set(
                re.findall(r'path\.join\((?:self\._)?folder, "([a-z]+)"\)', text)
            )
    assert {"attempts", "intents", "over"} <= named
    told = set(re.findall(r"^\| `([a-z]+)/", PAGE, re.MULTILINE))
    assert named - told == set()


def test_place_that_is_not_on_the_page_is_told() -> None:
    assert not is_told("strange/a.json")
    assert is_told("nodes/north/lease")
    assert is_told("over/20261121T154717680Z-b5801a~20261121T154717680Z-b5801b")
    assert not is_told("nodes/north/other")
    assert is_told("nodes/north", is_folder=True)
    assert not is_told("nodes/north")
