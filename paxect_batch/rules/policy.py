"""Read a policy file: strictly, or not at all.

Version "1.2.0" is Link's and is translated; version "2" is ours. Whatever cannot be
meant raises `ConfigError`, which names the file, the key, its value, and what would be
right; there is no default for what is wrong.
"""

from __future__ import annotations

import hashlib
import json

import msgspec

from paxect_batch.model.errors import ConfigError
from paxect_batch.model.policy import LinkPolicy, Naming, OnDone, Policy
from paxect_batch.rules import policy_values, trust
from paxect_batch.rules.toml import parse_toml

POLICY_BYTES_MAX = 1 << 20
"""The largest policy file that is read."""

LINK_LEVEL = 5
"""The level at which Link 1.2.0 has containers made."""

LINK_BACKOFF_SECONDS = 2.0
"""How long Link 1.2.0 waits after a failure."""

_SHOWN_CHARACTERS_MAX = 80
_KINDS: dict[object, type[LinkPolicy | Policy]] = {"1.2.0": LinkPolicy, "2": Policy}


def read_policy(data: bytes, *, name: str) -> Policy:
    """Return the policy that a file holds: TOML by its name, else JSON.

    `name` is what messages call the file.
    """
    document = _parse(data, name)
    kind = _kind(document, name)
    _refuse_unknown(document, kind, name)
    for field in msgspec.structs.fields(kind):
        if field.name in document:
            _check(field, document[field.name], name)
    policy = msgspec.convert(document, kind)
    for key, right in policy_values.faults(policy):
        raise _wrong(name, key, document.get(key), right)
    return from_link(policy) if isinstance(policy, LinkPolicy) else policy


def from_link(policy: LinkPolicy) -> Policy:
    """Return a policy of version 2 that does what a Link policy asks for.

    As in Link: naming by stem, level 5, and what cannot be relayed stays in place. Not
    as in Link: files settle before they are taken, and attempts end.
    """
    dotted = (
        suffix if suffix.startswith(".") else f".{suffix}"
        for suffix in policy.allowed_suffixes
    )
    return Policy(
        version="2",
        trusted_nodes=policy.trusted_nodes,
        allowed_suffixes=tuple(dict.fromkeys(suffix.casefold() for suffix in dotted)),
        max_file_mb=policy.max_file_mb,
        require_sig=policy.require_sig,
        log_level=policy.log_level,
        naming=Naming.STEM,
        level=LINK_LEVEL,
        on_done=OnDone.DELETE if policy.auto_delete else OnDone.KEEP,
        backoff_seconds=LINK_BACKOFF_SECONDS,
        quarantine=False,
    )


def policy_sha256(policy: Policy) -> str:
    """Return the digest of a policy: the same for equal ones, however written."""
    return hashlib.sha256(trust.canonical(msgspec.to_builtins(policy))).hexdigest()


def _parse(data: bytes, name: str) -> dict[str, object]:
    if len(data) > POLICY_BYTES_MAX:
        raise _refused(
            name,
            f"the policy is larger than {POLICY_BYTES_MAX} bytes",
            "see that this is the right file",
        )
    is_toml = name.casefold().endswith(".toml")
    try:
        document: object = parse_toml(data) if is_toml else _parse_json(data)
    except ValueError as error:
        language = "TOML" if is_toml else "JSON"
        what = f"the policy is not {language} in UTF-8: {_line(str(error))}"
        raise _refused(name, what, "correct it there") from error
    if not isinstance(document, dict):
        what = f"the policy is {_shown(document)}"
        raise _refused(name, what, "it must be one JSON object")
    return document


def _parse_json(data: bytes) -> object:
    # The same mark as before TOML.
    text = data.decode("utf-8-sig")
    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse_constant
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"key {_shown(key)} stands there twice")
        found[key] = value
    return found


def _refuse_constant(constant: str) -> object:
    raise ValueError(f"{constant} is not a number of JSON")


def _kind(document: dict[str, object], name: str) -> type[LinkPolicy | Policy]:
    if "version" not in document:
        advice = 'it is "2", or "1.2.0" for a policy of PAXECT Link'
        raise _refused(name, 'key "version" is missing', advice)
    version = document["version"]
    if not isinstance(version, str) or version not in _KINDS:
        raise _wrong(name, "version", version, '"2", or "1.2.0" for a Link policy')
    return _KINDS[version]


def _refuse_unknown(
    document: dict[str, object], kind: type[LinkPolicy | Policy], name: str
) -> None:
    known = kind.__struct_fields__
    for key, value in document.items():
        if key in known:
            continue
        from difflib import get_close_matches

        near = get_close_matches(key, known, n=1)
        if near:
            advice = f'did you mean "{near[0]}"?'
        elif key in Policy.__struct_fields__:
            advice = 'it needs version "2"'
        else:
            advice = f"known are {', '.join(known)}"
        what = f"unknown key {_shown(key)} (value {_shown(value)})"
        raise _refused(name, what, advice)


def _check(field: msgspec.structs.FieldInfo, value: object, name: str) -> None:
    try:
        msgspec.convert(value, field.type)
    except msgspec.ValidationError as error:
        right = policy_values.RIGHT[field.name]
        raise _wrong(name, field.name, value, right) from error


def _wrong(name: str, key: str, value: object, right: str) -> ConfigError:
    return _refused(name, f"{key} is {_shown(value)}", f"right is {right}")


def _refused(name: str, what: str, advice: str) -> ConfigError:
    return ConfigError(f"{name}: {what}; no file was taken by it; {advice}")


def _shown(value: object) -> str:
    """Return a value as a short text without line ends or control characters."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    if not text.isprintable():
        text = json.dumps(value, default=str)
    if len(text) > _SHOWN_CHARACTERS_MAX:
        return text[:_SHOWN_CHARACTERS_MAX] + "…"
    return text


def _line(text: str) -> str:
    return text if text.isprintable() else _shown(text)
