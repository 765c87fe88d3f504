"""Settings: which layer wins, and that nothing wrong passes in silence."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paxect_batch.cli import kinds
from paxect_batch.cli.arguments import parse
from paxect_batch.cli.settings import SETTINGS, Layer, Settings, load
from paxect_batch.model.errors import ConfigError
from paxect_batch.model.items import Mode


def settings(
    *words: str, share: str | None = None, environ: dict[str, str] | None = None
) -> Settings:
    return load(parse(["drain", *words]), share=share, environ=environ or {})


def refusal(*words: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        settings(*words, environ=environ)
    assert "nothing was touched" in caught.value.message
    return caught.value.message


def test_defaults_say_that_they_are() -> None:
    found = settings()
    assert found.direction is Mode.RELAY
    assert found.workers == 0
    assert found.poll_seconds == 2.0
    assert {str(origin) for origin in found.origins.values()} == {"default"}
    assert set(found.origins) == set(SETTINGS)


def test_flag_wins_over_environment_over_file(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('workers = 1\nnode = "file"\nquiet = true\n')
    found = settings(
        "--config",
        str(path),
        "--workers",
        "3",
        environ={"PAXECT_BATCH_WORKERS": "2", "PAXECT_BATCH_NODE": "env"},
    )
    assert (found.workers, found.node, found.quiet) == (3, "env", True)
    assert str(found.origins["workers"]) == "--workers"
    assert str(found.origins["node"]) == "PAXECT_BATCH_NODE"
    assert str(found.origins["quiet"]) == str(path)
    assert found.origins["node"].layer is Layer.ENVIRONMENT


def test_variables_of_link_count_where_ours_are_not_set() -> None:
    environ = {"PAXECT_LINK_POLL_SEC": "7.5", "PAXECT_LINK_POLICY": "/p"}
    assert settings(environ=environ).poll_seconds == 7.5
    both = environ | {"PAXECT_BATCH_POLL_SECONDS": "1"}
    found = settings(environ=both)
    assert found.poll_seconds == 1.0
    assert str(found.origins["policy"]) == "PAXECT_LINK_POLICY"


def test_switches_of_flags() -> None:
    assert settings("--progress").progress is True
    assert settings("--no-progress").progress is False
    assert settings().progress is None


@pytest.mark.parametrize(
    ("words", "environ", "told"),
    [
        (["--workers", "x"], {}, "--workers is 'x'"),
        (["--workers", "0"], {}, "a whole number from 1 to 256, or auto"),
        (["--node", "a/b"], {}, "letters, digits, dots"),
        (["--node", ".."], {}, "beginning with a letter"),
        (["--deadline", "25:00"], {}, "a time such as 05:30"),
        (["--direction", "up"], {}, "encode, decode or relay"),
        (["--max-files", "-1"], {}, "--max-files is '-1'"),
        ([], {"PAXECT_BATCH_JSON": "maybe"}, "use true or false"),
        ([], {"PAXECT_BATCH_POLL_SECONDS": "nan"}, "seconds from 0.05"),
        ([], {"PAXECT_LINK_LOG_MAX": "1"}, "PAXECT_LINK_LOG_MAX is '1'"),
        ([], {"PAXECT_BATCH_WORKER": "1"}, "did you mean PAXECT_BATCH_WORKERS?"),
        ([], {"PAXECT_BATCH_QQQQ": "1"}, "PAXECT_BATCH_QQQQ ('1') is unknown; nothing"),
        (["--inbox", ""], {}, "the path of a file"),
        (["--config", ""], {}, "--config is ''"),
        ([], {"PAXECT_BATCH_CONFIG": ""}, "PAXECT_BATCH_CONFIG is ''"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(
    words: list[str], environ: dict[str, str], told: str
) -> None:
    assert told in refusal(*words, environ=environ)


def test_share_without_a_name_is_not_the_folder_where_the_command_is_given() -> None:
    with pytest.raises(ConfigError, match="SHARE is ''"):
        settings(share="")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("workers = '2'", "workers is '2'"),
        ("workers = true", "workers is True"),
        ("quiet = 1", "use true or false"),
        ("poll_seconds = 'x'", "poll_seconds is 'x'"),
        ("poll_seconds = inf", "poll_seconds is inf"),
        ("node = 5", "node is 5"),
        ("wokers = 2", "did you mean workers?"),
        ("[drain]\nworkers = 2", "'drain' (with {'workers': 2}) is no setting"),
        ("workers = ", "is no TOML"),
        ("workers = 0x" + "f" * 5000, "is no TOML: it has a whole number of more than"),
        ("workers = 1" + "0" * 5000, "is no TOML: it has a whole number of more than"),
        ("workers = " + "[" * 100_000, "is no TOML: it is nested too deeply"),
    ],
)
def test_file_that_cannot_be_meant_is_refused_by_name(
    tmp_path: Path, text: str, told: str
) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text, encoding="utf-8")
    message = refusal("--config", str(path))
    assert told in message
    assert str(path) in message


def test_file_that_is_named_and_not_there_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "none.toml")
    assert path in refusal("--config", path)
    assert path in refusal(environ={"PAXECT_BATCH_CONFIG": path})


def test_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(b"#" * ((1 << 20) + 1))
    assert "larger than" in refusal("--config", str(path))


def test_file_takes_auto_and_whole_seconds(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("workers = 'auto'\npoll_seconds = 3\n")
    found = settings("--config", str(path))
    assert (found.workers, found.poll_seconds) == (0, 3.0)
    assert settings("--workers", "auto").workers == 0


def test_file_may_begin_with_the_mark_of_editors_on_windows(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("workers = 3", encoding="utf-8-sig")
    assert settings("--config", str(path)).workers == 3


def test_file_of_the_share_wins_over_that_of_the_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "paxect-batch").mkdir(parents=True)
    (home / "paxect-batch" / "config.toml").write_text("workers = 1\n")
    environ = {"XDG_CONFIG_HOME": str(home)}
    share = tmp_path / "share"
    assert settings(share=str(share), environ=environ).workers == 1
    (share / ".paxect").mkdir(parents=True)
    (share / ".paxect" / "config.toml").write_text("workers = 2\n")
    assert settings(share=str(share), environ=environ).workers == 2
    by_variable = environ | {"PAXECT_BATCH_SHARE": str(share)}
    assert settings(environ=by_variable).workers == 2


def test_paths_in_a_file_are_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("junit = 'j.xml'\ntextfile = '/abs/t'\nlog = '~/l'\n")
    found = settings("--config", str(path))
    assert found.junit == str(tmp_path / "j.xml")
    assert found.textfile == "/abs/t"
    assert found.log is not None
    assert not found.log.startswith("~")


def test_share_of_a_flag_wins_over_folders_of_the_environment() -> None:
    found = settings(share="S", environ={"PAXECT_LINK_INBOX": "i"})
    assert (found.share, found.inbox) == ("S", None)


def test_inbox_of_a_flag_wins_over_a_share_of_the_environment() -> None:
    found = settings("--inbox", "i", environ={"PAXECT_BATCH_SHARE": "S"})
    assert (found.share, found.inbox) == (None, "i")


def test_share_and_folders_in_one_layer_cannot_be_meant() -> None:
    environ = {"PAXECT_BATCH_SHARE": "S", "PAXECT_BATCH_INBOX": "i"}
    assert "cannot be meant together" in refusal(environ=environ)
    with pytest.raises(ConfigError, match="cannot be meant together"):
        settings("--wire", "w", share="S")


def test_node_is_named_after_the_host_in_letters_that_it_may_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "-büro mac.local")
    assert settings().node == "b-ro-mac.local"
    monkeypatch.setattr("socket.gethostname", lambda: "")
    assert settings().node == "node"


@pytest.mark.parametrize(
    ("deadline", "at", "expected"),
    [
        ("05:30", (5, 0, 0), 1800),
        ("5:30", (5, 30, 0), 0),
        ("05:30", (5, 30, 1), 86399),
        ("2h", (23, 0, 0), 7200),
        ("1h30m", (0, 0, 0), 5400),
        ("90m", (0, 0, 0), 5400),
        ("45s", (0, 0, 0), 45),
    ],
)
def test_deadline_is_seconds_from_now(
    deadline: str, at: tuple[int, int, int], expected: float
) -> None:
    assert kinds.DEADLINE.from_text(deadline) == deadline
    hour, minute, second = at
    found = kinds.deadline_seconds(deadline, hour=hour, minute=minute, second=second)
    assert found == expected


@pytest.mark.parametrize("word", ["", "h", "0h", "0m0s", "2x", "24:00", "1:60", "-1h"])
def test_deadline_that_is_none_is_refused(word: str) -> None:
    assert kinds.DEADLINE.from_text(word) is None


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused_by_every_kind(word: str) -> None:
    for setting in SETTINGS.values():
        value = setting.kind.from_text(word)
        assert value is None or isinstance(value, str | int | float)


@given(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.lists(st.integers(), max_size=2)
)
def test_any_toml_value_is_read_or_refused_by_every_kind(value: object) -> None:
    for setting in SETTINGS.values():
        setting.kind.from_toml(value)
