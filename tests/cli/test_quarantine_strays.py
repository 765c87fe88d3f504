"""What earlier versions took along with a file for its name alone is never lost."""

from pathlib import Path

import pytest
from cli_samples import Command, drop, make_share, names

from paxect_batch.cli.main import main

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A share with a file in quarantine, whose container met another one."""
    share = make_share(tmp_path_factory.mktemp("strays"))
    drop(share, a_txt=b"older")
    assert main(["drain", str(share), "--direction", "encode"]) == 0
    drop(share, a_txt=b"one")
    assert main(["drain", str(share), "--direction", "encode"]) == 1
    return share


def the_folder(share: Path) -> Path:
    return next((share / ".paxect" / "quarantine").iterdir())


def take_along(share: Path, *, folder: bool) -> None:
    """Put beside the file what an earlier version would have."""
    stray = the_folder(share) / "a.txt.sha256"
    if folder:
        stray.mkdir()
        stray = stray / "1.csv"
    stray.write_text("an item of its own")


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize("action", ["retry", "release"])
def test_what_was_taken_along_goes_back_to_where_it_lay(
    share: Path, tmp_path: Path, command: Command, action: str, folder: bool
) -> None:
    take_along(share, folder=folder)
    kept = the_folder(share)
    target = tmp_path / "given"
    more = ("--to", target) if action == "release" else ()
    said = command("quarantine", action, share, kept.name, *more)
    assert (said.code, said.err) == (0, "")
    assert said.out.endswith("; inbox/a.txt.sha256, which was taken along, is back\n")
    stray = "a.txt.sha256/1.csv" if folder else "a.txt.sha256"
    assert (share / "inbox" / stray).read_text() == "an item of its own"
    assert names(share / "inbox") == [*(["a.txt"] if action == "retry" else []), stray]
    assert not (tmp_path / "given.sha256").exists()
    assert not kept.exists()


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize("action", ["retry", "release"])
def test_what_was_taken_along_stays_with_the_file_if_its_name_is_taken(
    share: Path, tmp_path: Path, command: Command, action: str, folder: bool
) -> None:
    take_along(share, folder=folder)
    (share / "inbox" / "a.txt.sha256").write_text("newer")
    kept = the_folder(share)
    before = names(kept)
    more = ("--to", tmp_path / "given") if action == "release" else ()
    said = command("quarantine", action, share, kept.name, *more)
    assert said.code == 1
    assert "inbox/a.txt.sha256 is taken by another file" in said.err
    assert names(kept) == before
    assert not (tmp_path / "given").exists()


def test_what_was_taken_along_with_a_file_that_is_gone_goes_back(
    share: Path, command: Command
) -> None:
    kept = the_folder(share)
    take_along(share, folder=True)
    (kept / "a.txt").unlink()
    said = command("quarantine", "retry", share, "--all")
    assert said.code == 0
    assert "the file was gone" in said.out
    assert names(share / "inbox") == ["a.txt.sha256/1.csv"]
    assert not kept.exists()


@pytest.mark.parametrize("action", ["retry", "release"])
def test_file_of_a_moment_that_a_crash_left_is_never_taken_for_the_item(
    share: Path, tmp_path: Path, command: Command, action: str
) -> None:
    folder = the_folder(share)
    for number in range(20):
        (folder / f".paxect-{number:016x}.tmp").write_text("half a reason")
    target = tmp_path / "given"
    more = ("--to", target) if action == "release" else ()
    assert command("quarantine", action, share, folder.name, *more).code == 0
    found = target if action == "release" else share / "inbox/a.txt"
    assert found.read_bytes() == b"one"
