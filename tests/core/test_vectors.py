"""The golden vectors, the examples of FORMAT.md, and the engine: all three agree."""

import io
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import vectors_run as run

import paxect_core
from paxect_core import cli, errors, limits, options
from paxect_core.layout import Container
from paxect_core.wire import Settings

CORE = Path(run.FOLDER).parent
FORMAT = (CORE / "FORMAT.md").read_text("utf-8")
VECTORS = run.load()
TRICKLE_BYTES_MAX = 20_000

SAME_CODEC = VECTORS["codec"]["libzstd"] == paxect_core.LIBZSTD_VERSION


def cases(section: str, *, raw_bytes_max: int | None = None) -> pytest.MarkDecorator:
    chosen = [
        vector
        for vector in VECTORS[section]
        if raw_bytes_max is None or vector["raw"]["bytes"] <= raw_bytes_max
    ]
    return pytest.mark.parametrize("vector", chosen, ids=[v["name"] for v in chosen])


def leaf_codes() -> set[str]:
    found, open_ends = set(), [errors.ContainerError]
    while open_ends:
        kind = open_ends.pop()
        open_ends += kind.__subclasses__()
        if not kind.__subclasses__():
            found.add(kind.code)
    return found


def test_vectors_are_for_the_codec_in_use() -> None:
    assert SAME_CODEC, (
        f"made with libzstd {VECTORS['codec']['libzstd']}, this is "
        f"{paxect_core.LIBZSTD_VERSION}: containers would differ between nodes"
    )


@pytest.mark.slow
def test_vectors_are_current() -> None:
    make = subprocess.run(
        [sys.executable, run.FOLDER / "make.py", "--check"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (make.returncode, make.stdout, make.stderr) == (0, "", "")


def test_vectors_stay_small() -> None:
    files = [run.FOLDER / "vectors.json", *(run.FOLDER / "containers").iterdir()]
    sizes = [file.stat().st_size for file in files]
    assert sum(sizes) < 1_500_000


@cases("valid")
@pytest.mark.parametrize("threads", [1, 3])
def test_valid_vector_encodes_and_decodes_exactly(vector: dict, threads: int) -> None:
    run.check_valid(vector, encoding=True, threads=threads, trickle=0)


@cases("valid", raw_bytes_max=TRICKLE_BYTES_MAX)
def test_valid_vector_byte_by_byte_is_the_same(vector: dict) -> None:
    run.check_valid(vector, encoding=True, threads=1, trickle=1)


@cases("valid", raw_bytes_max=TRICKLE_BYTES_MAX)
def test_valid_vector_is_looked_into_as_described(vector: dict) -> None:
    raw, data = run.expand(vector["input"]), run.container_of(vector)
    assert data is not None
    container = Container(io.BytesIO(data))
    settings, footer, container_bytes = container.inspection
    assert settings == Settings(**vector["settings"])
    assert (footer.raw_bytes, footer.raw_sha256.hex()) == run.digest(raw)
    assert (container_bytes, container.sha256()) == run.digest(data)
    entries = list(container.frames())
    assert footer.frames == len(entries) == vector["frames"]
    middle = len(raw) // 2
    assert container.read_range(middle, 10) == raw[middle : middle + 10]
    if "frame_list" in vector:
        assert vector["frame_list"] == [
            {
                "offset": entry.offset,
                "channel": entry.channel,
                "compressed_bytes": entry.compressed_bytes,
                "raw_bytes": entry.raw_bytes,
                "crc32": f"{entry.crc32:08x}",
            }
            for entry in entries
        ]
    frames = list(paxect_core.iterate_frames(io.BytesIO(data)))
    assert b"".join(frame.raw for frame in frames) == raw
    assert [frame.channel for frame in frames] == [entry.channel for entry in entries]


def test_channels_option_of_vectors_means_their_channels() -> None:
    named = [vector for vector in VECTORS["valid"] if "channels_option" in vector]
    assert named
    for vector in named:
        words = ["encode", "--channels", vector["channels_option"]]
        channels = options.parse(words).settings().channels
        assert channels == vector["settings"]["channels"] == limits.CHANNELS_AUTO


@cases("decode_only")
@pytest.mark.parametrize(("threads", "trickle"), [(1, 0), (1, 1), (3, 0)])
def test_unusual_vector_decodes(vector: dict, threads: int, trickle: int) -> None:
    run.check_decode_only(vector, threads=threads, trickle=trickle)


@cases("invalid")
@pytest.mark.parametrize(("threads", "trickle"), [(1, 0), (1, 1), (3, 0), (3, 7)])
def test_invalid_vector_is_refused_as_described(
    vector: dict, threads: int, trickle: int
) -> None:
    run.check_invalid(vector, threads=threads, trickle=trickle)


@cases("invalid")
def test_invalid_vector_gives_no_file_and_its_exit_code(
    vector: dict, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "it.freq", tmp_path / "out"
    source.write_bytes(run.container_of(vector) or b"")
    code = cli.main(["decode", "-i", str(source), "-o", str(target)])
    assert code == vector["refused"]["exit_code"]
    assert f"byte {vector['refused']['offset']}" in capfd.readouterr().err
    assert sorted(tmp_path.iterdir()) == [source]


def test_each_failure_class_has_a_vector_and_a_place_in_format_md() -> None:
    named = {vector["refused"]["code"] for vector in VECTORS["invalid"]}
    assert named == leaf_codes()
    rows = re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", FORMAT, re.MULTILINE)
    exits = {kind.code: kind.exit_code for kind in vars(errors).values() if _leaf(kind)}
    assert {code: int(exit_code) for code, exit_code in rows} == exits


def _leaf(kind: object) -> bool:
    return (
        isinstance(kind, type)
        and issubclass(kind, errors.ContainerError)
        and not kind.__subclasses__()
    )


def test_each_check_in_format_md_names_a_known_failure() -> None:
    rows = re.findall(r"^\| .+ \| `([a-z-]+)` \| .+ \| .+ \|$", FORMAT, re.MULTILINE)
    assert set(rows) | {"trailing-data"} == leaf_codes()


@pytest.mark.parametrize(
    "number",
    [
        limits.FRAME_BYTES_MAX,
        limits.FRAME_BYTES_DEFAULT,
        limits.FRAMES_MAX,
        limits.ZSTD_EXPANSION_MAX,
        limits.ZSTD_WINDOW_BYTES_MIN,
        limits.INPUT_MIB_DEFAULT,
    ],
)
def test_limit_stands_in_format_md(number: int) -> None:
    assert re.search(rf"\b({number}|{number:,})\b", FORMAT)


EXAMPLES = re.findall(r"```freq (\S+)\n(.*?)```", FORMAT, re.DOTALL)


def test_format_md_has_examples() -> None:
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize(("name", "text"), EXAMPLES, ids=[e[0] for e in EXAMPLES])
def test_example_in_format_md_is_what_the_engine_writes(name: str, text: str) -> None:
    data = b""
    for line in text.splitlines():
        offset, column = line[:4], line[4:27]
        assert int(offset) == len(data), line
        data += bytes.fromhex(column)
    (vector,) = (vector for vector in VECTORS["valid"] if vector["name"] == name)
    assert data == run.encoded(vector, run.expand(vector["input"]))


@pytest.mark.slow
@pytest.mark.parametrize(
    "surroundings",
    [
        {"PYTHONHASHSEED": "0", "LC_ALL": "C", "TZ": "UTC"},
        {"PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8", "TZ": "Asia/Kathmandu"},
        {"PYTHONHASHSEED": "random", "LC_ALL": "tr_TR.UTF-8", "TZ": "XXX-14"},
        {"PYTHONHASHSEED": "4294967295", "LC_ALL": "POSIX", "PYTHONUTF8": "1"},
    ],
    ids=lambda surroundings: surroundings["LC_ALL"],
)
def test_vectors_hold_in_other_surroundings(surroundings: dict[str, str]) -> None:
    kept = {key: os.environ[key] for key in ("PATH", "SYSTEMROOT") if key in os.environ}
    done = subprocess.run(
        [sys.executable, "-W", "error", run.__file__, "--quick"],
        env={"PYTHONDONTWRITEBYTECODE": "1", **kept, **surroundings},
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.endswith(" 0 wrong\n")


def test_runner_tells_a_difference(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {key: value[:1] for key, value in VECTORS.items() if key != "codec"}
    wrong["invalid"] = [{**VECTORS["invalid"][0], "raw_bytes_passed": 1}]
    monkeypatch.setattr(
        run, "load", lambda: {**wrong, "about": "", "codec": VECTORS["codec"]}
    )
    assert run.main([]) == 1
    assert capsys.readouterr().out.endswith(" 1 wrong\n")


def test_make_check_tells_a_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(run.FOLDER))
    make = runpy.run_path(str(run.FOLDER / "make.py"))
    main = make["main"]
    (tmp_path / "containers").mkdir()
    (tmp_path / "containers" / "old.freq").write_bytes(b"")
    (tmp_path / "vectors.json").write_bytes(b"{}")
    changed = {tmp_path / "vectors.json": b"[]"}
    monkeypatch.setitem(main.__globals__, "FOLDER", tmp_path)
    monkeypatch.setitem(main.__globals__, "build", lambda: changed)
    assert main(["--check"]) == 1
    shown = [line.split(": ")[1] for line in capsys.readouterr().out.splitlines()]
    assert sorted(Path(name).as_posix() for name in shown) == [
        "containers/old.freq",
        "vectors.json",
    ]
    assert main([]) == 0
    assert main(["--check"]) == 0
