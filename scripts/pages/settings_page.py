"""`docs/reference/settings.md` and `policy.md`, from the settings and the policy."""

import enum
from typing import Any

import msgspec
from page_parts import code, first_paragraph, page, phrase, table, value, wrapped
from struct_notes import notes_of

from paxect_batch.cli.commands import COMMANDS
from paxect_batch.cli.settings import LINK_PREFIX, PREFIX, SETTINGS, Setting
from paxect_batch.model.policy import LinkPolicy, Policy
from paxect_batch.rules.policy import from_link
from paxect_batch.rules.policy_values import RIGHT

_NO_OPTION = {
    "share": "the share, where a command is given none",
    "log_bytes_max": "the size at which the log is rotated",
}
_DEFAULTS = {
    "node": "the host's name",
    "workers": "`auto`: one for each core",
    "policy": "`.paxect/policy.toml` of the share",
    "log": "`.paxect/log/NODE.jsonl` of the share",
    "progress": "on a terminal",
    "summary": "where a person may be reading",
}
_NOTES = {
    "log_level": "the least level of events that are logged",
    "naming": "how a container is named after its file",
    "level": "the zstd level; decides the bytes of containers",
    "channels": "the channels of a container; decides its bytes",
    "frame_bytes": "raw bytes in a frame; decides the bytes of containers",
    "verify": "whether what was staged is read back before its source may go",
    "on_done": "what becomes of a source that arrived",
    "on_collision": "what becomes of an item whose name is taken by other bytes",
    "version": "which kind of policy this is; must be there",
}
"""Of keys that have no note of their own in the model."""
_WORDS = {
    "debug": "and above: also decisions that changed nothing",
    "info": "and above: each delivery",
    "warn": "and above: what asks for a look",
    "error": "only what failed",
    "readback": "it is read back, and its digests are compared",
    "off": "it is not read back",
    "delete": "it is removed",
    "archive": "it is moved below `.paxect/archive`, with its folder and path",
    "keep": "it stays, as its container does, and is not taken again while its content "
    "is the same; another content of its name collides with that container; when the "
    "word is changed, what was kept is taken and delivered anew",
    "quarantine": "the newer one is set aside at once",
    "wait": "it is tried again, as after any failure",
}
"""Of values that have none."""


def settings_page() -> str:
    """Return the page of the settings."""
    options = {
        option.name.replace("-", "_"): option
        for command in reversed(COMMANDS.values())
        for option in command.options
    }
    rows = []
    for name, setting in SETTINGS.items():
        option = options.get(name)
        text = _NO_OPTION.get(name) or (option.text if option else "")
        assert text, name
        rows.append(
            (
                code(name),
                code(_option_words(name, option)) if option else "none",
                code(PREFIX + name.upper()) + _link_text(setting),
                _default_text(name, setting),
                setting.kind.right,
                text,
            )
        )
    return page(
        "Settings",
        _ORIGINS,
        table(("key", "option", "variable", "default", "may be", "means"), rows),
        _OTHERS,
    )


_ORIGINS = f"""
Where a setting comes from; the first that says anything counts:

1. an option of the command;
2. an environment variable;
3. a key in a file in TOML: the one named by `--config` or `{PREFIX}CONFIG`, else
   `SHARE/.paxect/config.toml`, else `paxect-batch/config.toml` in `$XDG_CONFIG_HOME` or
   `~/.config`; one file only;
4. the default.

`paxect-batch config show` prints each with its value and origin. An unknown key or
variable, or a value that cannot be meant, ends the command with 64; nothing falls back
to a default in silence. Paths in a file are beside that file. A share, and an inbox
with an outbox, cannot be meant together; what stands in a stronger place counts.
"""
_OTHERS = f"""
Two variables are no settings: `{PREFIX}CONFIG` names the file, and
`{PREFIX}HMAC_KEY` holds the key for manifests itself. In the environment, `true`,
`yes`, `on` and `1` mean true, `false`, `no`, `off` and `0` false. An option that may be
true or false takes no value: `--progress` means true, `--no-progress` false.
"""


def _option_words(name: str, option: Any) -> str:
    negatable = "[no-]" if option.negatable else ""
    return f"--{negatable}{name.replace('_', '-')} {option.takes}".rstrip()


def _link_text(setting: Setting) -> str:
    if not setting.link_variable:
        return ""
    return f", else {code(LINK_PREFIX + setting.link_variable)}"


def _default_text(name: str, setting: Setting) -> str:
    if name in _DEFAULTS:
        return _DEFAULTS[name]
    return "none" if setting.default is None else value(setting.default)


def policy_page() -> str:
    """Return the page of the policy."""
    choices = [
        (code(key), value(member.value), _note_of(kind, member))
        for key, kind in _choices().items()
        for member in kind
    ]
    return page(
        "Policy",
        _POLICY,
        table(("key", "default", "may be", "means"), _policy_rows(Policy)),
        "What the words mean:",
        table(("key", "value", "means"), choices),
        "## A policy of Link 1.2.0",
        wrapped(_link_policy()),
        table(("key", "default", "may be"), _link_rows()),
    )


_POLICY = """
`SHARE/.paxect/policy.toml`, or the file that `--policy` names: TOML if its name ends in
`.toml`, else JSON, with the same keys. A change takes effect at the next scan. One that
cannot be meant is refused: a run that lasts keeps the policy before (`policy_refused`),
and none begins (exit code 64). `level`, `channels`, `frame_bytes` and `naming` decide
what lies on the wire; all nodes of a share need the same.
"""


def _choices() -> dict[str, type[enum.StrEnum]]:
    kinds = {field.name: field.type for field in msgspec.structs.fields(Policy)}
    return {
        name: kind
        for name, kind in kinds.items()
        if isinstance(kind, type) and issubclass(kind, enum.StrEnum)
    }


def _note_of(kind: type[enum.StrEnum], member: enum.StrEnum) -> str:
    note = notes_of(kind).get(member.name)
    return note.rstrip(".") if note else _WORDS[member.value]


def _policy_rows(kind: type[msgspec.Struct]) -> list[tuple[str, str, str, str]]:
    notes = notes_of(kind)
    rows = []
    for field in msgspec.structs.fields(kind):
        note = notes.get(field.name) or _NOTES[field.name]
        rows.append(
            (code(field.name), _default(field), RIGHT[field.name], phrase(note))
        )
    return rows


def _link_rows() -> list[tuple[str, str, str]]:
    return [
        (code(field.name), _default(field), RIGHT[field.name])
        for field in msgspec.structs.fields(LinkPolicy)
    ]


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default is msgspec.NODEFAULT:
        return "none"
    return value(msgspec.to_builtins(field.default))


def _link_policy() -> str:
    ours = from_link(LinkPolicy())
    plain = Policy(version="2")
    told = {"allowed_suffixes", "max_file_mb"}
    differing = [
        f"{code(name)} {value(msgspec.to_builtins(getattr(ours, name)))}"
        for name in Policy.__struct_fields__
        if name not in told and getattr(ours, name) != getattr(plain, name)
    ]
    return (
        f"{first_paragraph(LinkPolicy.__doc__)} It is taken for a policy of version 2 "
        f"with {', '.join(differing)}; with `auto_delete` false, `on_done` is "
        '`"keep"`. A suffix may come without its dot.'
    )
