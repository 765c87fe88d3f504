"""Reading policies: what they mean, and that nothing else is taken for one."""

from __future__ import annotations

import json

import msgspec
import pytest
from build import policy
from policy_samples import FULL, LINK, as_json, as_toml

from paxect_batch.model.errors import ConfigError, Exit
from paxect_batch.model.policy import LinkPolicy, LogLevel, Naming, OnDone, Policy
from paxect_batch.rules import policy_values
from paxect_batch.rules.policy import (
    POLICY_BYTES_MAX,
    from_link,
    policy_sha256,
    read_policy,
)


def refused(data: bytes, name: str = "policy.json") -> str:
    with pytest.raises(ConfigError) as caught:
        read_policy(data, name=name)
    message = caught.value.message
    assert message.startswith(f"{name}: ")
    assert message.isprintable()
    assert caught.value.exit_code is Exit.USAGE
    return message


def test_read_policy_of_version_2_alone_is_the_default() -> None:
    assert read_policy(b'{"version": "2"}', name="p.json") == policy()
    assert read_policy(b'version = "2"  # ours\n', name="p.TOML") == policy()


def test_read_policy_with_every_key() -> None:
    assert set(FULL) == set(Policy.__struct_fields__)
    wanted = msgspec.convert(FULL, Policy)
    assert read_policy(as_json(FULL), name="p") == wanted
    assert read_policy(as_toml(FULL), name="p.toml") == wanted
    assert wanted.backoff_seconds == 60.0
    for key, value in FULL.items():
        assert key == "version" or value != msgspec.to_builtins(policy())[key]


def test_read_policy_of_link_is_translated() -> None:
    law = read_policy(as_json(LINK), name="link_policy.json")
    assert law == policy(
        trusted_nodes=("node2",),
        allowed_suffixes=(".txt", ".freq"),
        max_file_mb=256,
        naming=Naming.STEM,
        level=5,
        quarantine=False,
        backoff_seconds=2.0,
    )
    assert law.settle_seconds == policy().settle_seconds


def test_from_link_of_the_defaults() -> None:
    law = from_link(LinkPolicy())
    assert law.allowed_suffixes == (".bin", ".txt", ".json", ".csv", ".aead", ".freq")
    assert law.on_done is OnDone.DELETE
    assert from_link(LinkPolicy(auto_delete=False)).on_done is OnDone.KEEP
    assert from_link(LinkPolicy(log_level=LogLevel.ERROR)).log_level is LogLevel.ERROR
    assert from_link(LinkPolicy(require_sig=True)).require_sig


def test_read_policy_passes_over_a_byte_order_mark() -> None:
    assert read_policy(b'\xef\xbb\xbf{"version": "2"}', name="p.json") == policy()


@pytest.mark.parametrize(
    ("document", "parts"),
    [
        ({"version": "2", "setle_seconds": 3}, ["setle_seconds", "3", '"settle_sec']),
        ({"version": "2", "auto_delete": True}, ["auto_delete", "known are"]),
        ({"version": "1.2.0", "on_done": "keep"}, ["on_done", 'version "2"']),
        ({"version": "1.2.0", "auto_delte": 1}, ['did you mean "auto_delete"']),
        ({"version": 2}, ["version", "2", '"2", or "1.2.0"']),
        ({"version": ["2"]}, ["version", '["2"]']),
        ({"version": "3"}, ["version", '"3"']),
        ({}, ["version", "is missing"]),
        ({"level": 3}, ["version", "is missing"]),
        ({"version": "2", "a\nb": "\x1b[31m"}, ["a\\nb", "\\u001b"]),
        ({"version": "2", "x": "y" * 500}, ["…"]),
    ],
)
def test_read_policy_with_a_wrong_key_names_it(
    document: dict[str, object], parts: list[str]
) -> None:
    message = refused(as_json(document))
    assert all(part in message for part in parts), message


WRONG: list[tuple[str, object]] = [
    ("trusted_nodes", "node1"),
    ("trusted_nodes", [1]),
    ("trusted_nodes", [""]),
    ("trusted_nodes", ["a/b"]),
    ("trusted_nodes", ["a\\b"]),
    ("trusted_nodes", [".."]),
    ("trusted_nodes", [" a"]),
    ("trusted_nodes", ["a\nb"]),
    ("trusted_nodes", ["\ud800"]),
    ("trusted_nodes", ["x" * 65]),
    ("trusted_nodes", ["n"] * 1025),
    ("allowed_suffixes", ["txt"]),
    ("allowed_suffixes", [""]),
    ("allowed_suffixes", ["."]),
    ("allowed_suffixes", [".a/b"]),
    ("allowed_suffixes", [".a "]),
    ("allowed_suffixes", [".part"]),
    ("allowed_suffixes", [".x~"]),
    ("allowed_suffixes", ["." + "x" * 32]),
    ("include", ["/abs"]),
    ("include", ["[a"]),
    ("include", "*.csv"),
    ("exclude", [""]),
    ("exclude", ["a\0b"]),
    ("max_file_mb", -1),
    ("max_file_mb", 1.5),
    ("max_file_mb", "256"),
    ("max_file_mb", True),
    ("max_file_mb", 10**30),
    ("require_sig", 1),
    ("require_sig", "yes"),
    ("log_level", "loud"),
    ("naming", "Full"),
    ("level", 23),
    ("level", -129),
    ("channels", 0),
    ("channels", 9),
    ("frame_bytes", 0),
    ("frame_bytes", (64 << 20) + 1),
    ("settle_seconds", -0.1),
    ("settle_seconds", 1e9),
    ("settle_seconds", None),
    ("ready_marker", "ready"),
    ("ready_marker", "."),
    ("ready_marker", ".a/b"),
    ("ready_marker", ".part"),
    ("ready_marker", ".TMP"),
    ("ready_marker", ".freq"),
    ("ready_marker", ".sha256"),
    ("verify", "on"),
    ("on_done", "remove"),
    ("on_collision", "replace"),
    ("attempts", 0),
    ("attempts", 101),
    ("backoff_seconds", 3601),
    ("carry_times", 0),
    ("carry_mode", []),
    ("quarantine", {}),
]


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_read_policy_with_a_wrong_value_names_key_value_and_what_is_right(
    key: str, value: object
) -> None:
    message = refused(as_json({"version": "2", key: value}))
    shown = json.dumps(value, ensure_ascii=False)
    if not shown.isprintable():
        shown = json.dumps(value)
    assert f"{key} is {shown}"[:60] in message
    assert "; no file was taken by it; right is " in message


def test_every_key_has_a_wrong_value_that_is_refused_and_words_for_the_right() -> None:
    assert {key for key, _ in WRONG} | {"version"} == set(Policy.__struct_fields__)
    both = {*Policy.__struct_fields__, *LinkPolicy.__struct_fields__}
    assert set(policy_values.RIGHT) == both


@pytest.mark.parametrize(
    ("key", "value", "part"),
    [
        # Both mean "nothing travels" in Link, and "anything does" in version 2.
        ("allowed_suffixes", [], "at least one"),
        ("max_file_mb", 0, "from 1"),
        ("allowed_suffixes", [""], '".txt"'),
        ("allowed_suffixes", ["a/b"], '".txt"'),
        ("trusted_nodes", [""], "names of nodes"),
        ("auto_delete", 1, "true or false"),
        ("max_file_mb", 1 << 60, "up to"),
    ],
)
def test_read_policy_of_link_with_a_wrong_value(
    key: str, value: object, part: str
) -> None:
    message = refused(as_json({**LINK, key: value}))
    assert f"{key} is {json.dumps(value)}" in message
    assert part in message


def test_read_policy_with_a_marker_that_is_a_suffix_as_well() -> None:
    document = {"version": "2", "allowed_suffixes": [".Ok"], "ready_marker": ".ok"}
    assert "it is the ready_marker" in refused(as_json(document))


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON in UTF-8"),
        (b"[]", "must be one JSON object"),
        (b"null", "must be one JSON object"),
        (b'"2"', "must be one JSON object"),
        (b'{"version": "2", "level": 1, "level": 2}', '"level" stands there twice'),
        (b'{"version": "2", "x": {"a": 1, "a": 2}}', '"a" stands there twice'),
        (b'{"version": "2", "settle_seconds": NaN}', "NaN is not a number"),
        (b'{"version": "2", "settle_seconds": Infinity}', "Infinity"),
        (b'{"version": "2", "settle_seconds": 1e999}', "settle_seconds is"),
        (b"[" * 100_000, "nested too deeply"),
        (b" " * (POLICY_BYTES_MAX + 1), "larger than"),
        (b'{"version": "2", "level": ' + b"9" * 5000 + b"}", "not JSON"),
    ],
)
def test_read_policy_of_what_is_no_json(data: bytes, part: str) -> None:
    assert part in refused(data)


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"version = 2", "version is 2"),
        (b'version = "2"\nlevel = 1\nlevel = 2', "not TOML"),
        (b'version = "2"\nsettle_seconds = inf', "settle_seconds is"),
        (b'version = "2"\nsettle_seconds = nan', "settle_seconds is"),
        (b'version = "2"\nlevel = 1979-05-27', 'level is "1979-05-27"'),
        (b'version = "2"\n[level]\na = 1', 'level is {"a": 1}'),
        (b'{"version": "2"}', "not TOML"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"a = [[1, {b = 0x1" + b"0" * 16 + b"}]]", "more than 64 bits"),
        (b"a = 0x" + b"f" * 5000, "more than 64 bits"),
        (b"a = 1" + b"0" * 5000, "more than 64 bits"),
        (b"", "is missing"),
    ],
)
def test_read_policy_of_what_is_no_policy_in_toml(data: bytes, part: str) -> None:
    assert part in refused(data, "policy.toml")


def test_policy_sha256_is_one_for_equal_policies_however_written() -> None:
    short = read_policy(b'{"version": "2", "settle_seconds": 2}', name="p.json")
    long = read_policy(
        as_toml(msgspec.to_builtins(policy(settle_seconds=2.0))), name="p.toml"
    )
    assert policy_sha256(short) == policy_sha256(long) == policy_sha256(policy())
    assert len(policy_sha256(short)) == 64
    for key, value in FULL.items():
        if key != "version":
            changed = read_policy(as_json({"version": "2", key: value}), name="p")
            assert policy_sha256(changed) != policy_sha256(short), key
