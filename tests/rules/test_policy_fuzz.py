"""Policies from anywhere: whatever comes, a policy or a ConfigError."""

from __future__ import annotations

import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st
from policy_samples import FULL, LINK, as_json, as_toml

from paxect_batch.model.errors import ConfigError
from paxect_batch.model.policy import Naming, Policy
from paxect_batch.rules import policy_values
from paxect_batch.rules.policy import policy_sha256, read_policy

NAMES = st.sampled_from(["p.json", "p.toml", "policy"])


def outcome(data: bytes, name: str) -> Policy | None:
    refusal = None
    try:
        law = read_policy(data, name=name)
    except ConfigError as error:
        refusal = error.message
    if refusal is not None:
        assert refusal.startswith(f"{name}: ")
        assert refusal.isprintable()
        refusal.encode()
        return None
    assert isinstance(law, Policy)
    assert not list(policy_values.faults(law)) or law.naming is Naming.STEM
    policy_sha256(law)
    return law


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(["2", "1.2.0", ".txt", "stem", "warn", "delete", ".part", "[a"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
    ),
    max_leaves=8,
)
keys = st.sampled_from([*FULL, *LINK]) | st.text()
versions = st.sampled_from([{"version": "2"}, {"version": "1.2.0"}, {}])


@settings(max_examples=300, deadline=None)
@given(st.binary(), NAMES)
def test_read_policy_of_any_bytes(data: bytes, name: str) -> None:
    assert outcome(data, name) is None


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(keys, values, max_size=4), versions)
def test_read_policy_of_any_json(
    document: dict[str, object], version: dict[str, object]
) -> None:
    outcome(as_json({**document, **version}), "p.json")


@settings(max_examples=200, deadline=None)
@given(values)
def test_read_policy_of_any_json_value(document: object) -> None:
    outcome(as_json(document), "p.json")


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*FULL, *LINK]),
        st.sampled_from(
            [
                "inf",
                "-nan",
                "0x10",
                "1_000",
                "'x'",
                "[]",
                "{a=1}",
                "12:30:00",
                '"2"',
                "[1,'a']",
                "true",
                "1e400",
                "+5",
                "['.x']",
                "0o7",
                "'.a'",
                "''",
                "['']",
                "1979-05-27",
                "3.5",
            ]
        ),
        max_size=5,
    ),
    versions,
)
def test_read_policy_of_any_toml(
    document: dict[str, str], version: dict[str, object]
) -> None:
    lines = {**document, **{key: f'"{value}"' for key, value in version.items()}}
    text = "".join(f"{key} = {value}\n" for key, value in lines.items())
    tomllib.loads(text)
    outcome(text.encode(), "p.toml")


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_read_policy_of_mutated_policies(data: st.DataObject) -> None:
    document = data.draw(st.sampled_from([FULL, LINK]))
    toml = data.draw(st.booleans())
    text = bytearray(as_toml(document) if toml else as_json(document))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        width = data.draw(st.integers(0, 3))
        text[at : at + width] = data.draw(st.binary(max_size=3))
    outcome(bytes(text), "p.toml" if toml else "p.json")
