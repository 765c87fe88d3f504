"""The policy in force is the one that lies there now."""

from pathlib import Path

import pytest
from cli_samples import make_share

from paxect_batch.cli.arguments import parse
from paxect_batch.cli.layout import find_layout
from paxect_batch.cli.policy_file import BUILT_IN, PolicyFile
from paxect_batch.cli.settings import load
from paxect_batch.model.errors import ConfigError
from paxect_batch.model.policy import Naming


def policy_file(*words: object, share: Path | None = None) -> PolicyFile:
    arguments = parse(["drain", *map(str, words)])
    settings = load(arguments, share=share and str(share), environ={})
    return PolicyFile(settings, find_layout(settings))


def test_policy_that_changes_is_read_anew(tmp_path: Path) -> None:
    share = make_share(tmp_path)
    read = policy_file(share=share)
    path = share / ".paxect" / "policy.toml"
    first = read()
    assert read() is first
    digest = read.sha256
    path.write_text('version = "2"\nlevel = 5\n')
    assert read().level == 5
    assert read.sha256 != digest
    assert read.origin == str(path)


def test_policy_that_breaks_raises_and_comes_back(tmp_path: Path) -> None:
    share = make_share(tmp_path)
    read = policy_file(share=share)
    path = share / ".paxect" / "policy.toml"
    good = path.read_text()
    first = read()
    path.write_text("version = 3")
    with pytest.raises(ConfigError):
        read()
    path.write_text(good)
    assert read() == first


def test_own_folders_without_a_policy_have_the_built_in_one(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    words = ("--inbox", tmp_path / "in", "--outbox", tmp_path / "out")
    read = policy_file(*words)
    assert len(read.sha256) == 64
    assert read.origin == BUILT_IN
    (tmp_path / "in" / ".paxect").mkdir()
    (tmp_path / "in" / ".paxect" / "policy.toml").write_text(
        'version = "2"\nnaming = "stem"\n'
    )
    assert read().naming is Naming.STEM
    with pytest.raises(ConfigError):
        policy_file(*words, "--policy", tmp_path / "none.toml")()
