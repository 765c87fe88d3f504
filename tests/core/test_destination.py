"""A destination appears whole or not at all, and what was there stays unless asked."""

import errno
import io
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from samples import noise

import paxect_core
from paxect_core import destination, errors
from paxect_core.destination import Destination
from paxect_core.wire import Settings

RAW = noise(1000)
SETTINGS = Settings(frame_bytes=100)
CONTAINER = paxect_core.encode_bytes(RAW, SETTINGS)
DAMAGED = CONTAINER[:-1] + bytes([CONTAINER[-1] ^ 1])


def make(
    path: Path | str | bytes, data: bytes = b"new", *, replace: bool = False
) -> None:
    with Destination(path, replace=replace) as output:
        output.stream.write(data)
        output.publish()


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in os.listdir(folder)}


@pytest.fixture
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "raw.freq"
    path.write_bytes(CONTAINER)
    return path


@pytest.mark.parametrize("replace", [False, True])
def test_destination_appears_only_when_published(tmp_path: Path, replace: bool) -> None:
    target = tmp_path / "out"
    with Destination(target, replace=replace) as output:
        output.stream.write(b"new")
        assert not target.exists()
        (part,) = os.listdir(tmp_path)
        assert part.startswith(".")
        assert part.endswith(".part")
        output.publish()
        assert contents(tmp_path) == {"out": b"new"}
    assert contents(tmp_path) == {"out": b"new"}


def test_destination_left_without_publishing_leaves_nothing(tmp_path: Path) -> None:
    with Destination(tmp_path / "out", replace=False) as output:
        output.stream.write(b"new")
    assert contents(tmp_path) == {}


def test_destination_when_taken_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"old")
    with pytest.raises(errors.DestinationExists) as caught:
        Destination(tmp_path / "out", replace=False)
    assert caught.value.exit_code == 3
    assert contents(tmp_path) == {"out": b"old"}


def test_destination_taken_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    with Destination(tmp_path / "out", replace=False) as output:
        output.stream.write(b"new")
        (tmp_path / "out").write_bytes(b"old")
        with pytest.raises(errors.DestinationExists):
            output.publish()
    assert contents(tmp_path) == {"out": b"old"}


def test_destination_with_replace_is_old_until_it_is_new(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"old")
    with Destination(target, replace=True) as output:
        output.stream.write(b"new")
        assert target.read_bytes() == b"old"
        output.publish()
    assert contents(tmp_path) == {"out": b"new"}


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("threads", [1, 3])
def test_decode_that_fails_at_the_very_end_leaves_all_as_it_was(
    tmp_path: Path, source: Path, replace: bool, threads: int
) -> None:
    source.write_bytes(DAMAGED)
    target = tmp_path / "out"
    before = {}
    if replace:
        target.write_bytes(b"old")
        before = {"out": b"old"}
    with pytest.raises(errors.DigestMismatch) as caught:
        paxect_core.decode_file(source, target, replace=replace, threads=threads)
    assert caught.value.raw_bytes_passed == 0
    assert contents(tmp_path) == before


def test_files_encoded_and_decoded_come_back(tmp_path: Path, source: Path) -> None:
    encoded = paxect_core.decode_file(source, tmp_path / "raw")
    decoded = paxect_core.encode_file(tmp_path / "raw", tmp_path / "again", SETTINGS)
    assert contents(tmp_path) == {"raw": RAW, "again": CONTAINER}
    assert tuple(encoded) == tuple(decoded)
    assert tuple(paxect_core.verify_file(source)) == tuple(decoded)


def test_input_when_missing_is_an_input_error_and_makes_nothing(tmp_path: Path) -> None:
    for call in (paxect_core.encode_file, paxect_core.decode_file):
        with pytest.raises(errors.InputError) as caught:
            call(tmp_path / "none\n", tmp_path / "out")
        assert r"none\n'" in caught.value.message
    with pytest.raises(errors.InputError):
        paxect_core.verify_file(tmp_path)
    assert contents(tmp_path) == {}


def test_symbolic_link_keeps_pointing_at_what_is_made(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    link = tmp_path / "link"
    link.symlink_to("folder/real")
    make(link, b"one")
    assert contents(tmp_path / "folder") == {"real": b"one"}
    with pytest.raises(errors.DestinationExists):
        make(link, b"two")
    make(link, b"two", replace=True)
    assert link.is_symlink()
    assert contents(tmp_path / "folder") == {"real": b"two"}


def test_symbolic_link_to_itself_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(errors.OutputError, match=r"looking at '.*loop' gave"):
        make(tmp_path / "loop", replace=True)
    assert (tmp_path / "loop").is_symlink()


@pytest.mark.parametrize("name", ["", "new/", "new/."])
def test_output_that_names_no_file_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(errors.OutputError, match="names no file"):
        make(name, replace=True)


@pytest.mark.parametrize("name", [".", "", "new/", "new/."])
def test_folder_as_destination_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(errors.OutputError):
        make(name, replace=True)
    assert contents(tmp_path) == {}


def test_destination_in_a_missing_folder_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(errors.OutputError, match="No such file or directory; nothing"):
        make(tmp_path / "none" / "out")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(errors.OutputError):
        make(tmp_path / "file" / "out")


@pytest.mark.parametrize(
    "name",
    ["x" * 255, "a\nb", os.fsdecode(b"bad\xff\xfe"), "\U0001f600.freq", " ", "-o"],
    ids=["long", "newline", "not-utf8", "emoji", "space", "option"],
)
def test_destination_of_any_legal_name_is_made(tmp_path: Path, name: str) -> None:
    make(tmp_path / name)
    assert os.listdir(tmp_path) == [name]
    make(os.fsencode(tmp_path / name), b"newer", replace=True)
    assert contents(tmp_path) == {name: b"newer"}


def test_destination_name_of_256_bytes_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(errors.OutputError):
        make(tmp_path / ("x" * 256))
    assert contents(tmp_path) == {}


def test_device_is_written_to_directly(source: Path) -> None:
    with Destination("/dev/null", replace=False) as output:
        assert output.direct
    paxect_core.decode_file(source, os.devnull)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def read_fifo(path: Path, received: bytearray) -> threading.Thread:
    thread = threading.Thread(
        target=lambda: received.extend(path.read_bytes()), daemon=True
    )
    thread.start()
    return thread


def test_fifo_is_written_to_directly(tmp_path: Path, source: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    received = bytearray()
    reader = read_fifo(fifo, received)
    paxect_core.decode_file(source, fifo)
    reader.join()
    assert received == RAW
    assert os.listdir(tmp_path) == ["fifo"]


def test_fifo_has_had_what_was_verified_when_decoding_fails(
    tmp_path: Path, source: Path
) -> None:
    source.write_bytes(DAMAGED)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    received = bytearray()
    reader = read_fifo(fifo, received)
    with pytest.raises(errors.DigestMismatch) as caught:
        paxect_core.decode_file(source, fifo)
    reader.join()
    assert caught.value.raw_bytes_passed == len(received) == len(RAW)


def test_descriptor_file_of_a_pipe_is_written_to_directly(source: Path) -> None:
    read_end, write_end = os.pipe()
    with open(read_end, "rb") as reader, open(write_end, "wb") as writer:
        paxect_core.decode_file(source, f"/dev/fd/{write_end}")
        writer.close()
        assert reader.read() == RAW


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_full_device_is_an_output_error(source: Path) -> None:
    with pytest.raises(errors.OutputError) as caught:
        paxect_core.decode_file(source, "/dev/full")
    assert "No space left on device" in caught.value.message


class Recorder:
    """Notes which of the file system's calls were made, in their order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
        self.calls: list[str] = []
        self._target = target
        for name in ("fsync", "link", "replace", "rename", "unlink"):
            monkeypatch.setattr(os, name, self._wrap(name, getattr(os, name)))

    def _wrap(self, name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            shown = name
            if name == "fsync":
                is_folder = stat.S_ISDIR(os.fstat(arguments[0]).st_mode)  # type: ignore[arg-type]
                shown += " folder" if is_folder else " file"
                shown += " after" if self._target.exists() else " before"
            self.calls.append(shown)
            return real(*arguments)

        return call


@pytest.mark.parametrize(
    ("replace", "naming"), [(False, ["link", "unlink"]), (True, ["replace"])]
)
def test_file_is_synced_before_its_name_appears_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: bool, naming: list[str]
) -> None:
    recorder = Recorder(monkeypatch, tmp_path / "out")
    make(tmp_path / "out", replace=replace)
    assert recorder.calls == ["fsync file before", *naming, "fsync folder after"]


def refuse_with(number: int) -> Callable[..., object]:
    def call(*_arguments: object, **_named: object) -> object:
        raise OSError(number, os.strerror(number))

    return call


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.EMLINK])
def test_where_there_are_no_hard_links_a_rename_does_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(os, "link", refuse_with(number))
    make(tmp_path / "out")
    assert contents(tmp_path) == {"out": b"new"}
    with Destination(tmp_path / "late", replace=False) as output:
        (tmp_path / "late").write_bytes(b"old")
        with pytest.raises(errors.DestinationExists):
            output.publish()
    assert contents(tmp_path) == {"out": b"new", "late": b"old"}


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_publishing_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    (tmp_path / "out").write_bytes(b"old")
    monkeypatch.setattr(os, call, refuse_with(errno.ENOSPC))
    with pytest.raises(errors.OutputError) as caught:
        make(tmp_path / "out", replace=True)
    assert "nothing was left" in caught.value.message
    assert contents(tmp_path) == {"out": b"old"}


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EACCES])
def test_folder_that_cannot_be_synced_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    # A drop folder that may be written and not read; a share without the call.
    monkeypatch.setattr(os, "open", refuse_with(number))
    make(tmp_path / "out")
    monkeypatch.undo()
    assert contents(tmp_path) == {"out": b"new"}


def test_folder_whose_sync_fails_is_an_error_that_says_the_file_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def fsync(fd: int) -> None:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            raise OSError(errno.EIO, "Input/output error")
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(errors.OutputError) as caught:
        make(tmp_path / "out")
    assert "is there and whole" in caught.value.message
    assert contents(tmp_path) == {"out": b"new"}


class FailingClose(io.BytesIO):
    def close(self) -> None:
        super().close()
        raise OSError(errno.ENOSPC, "No space left on device")


def test_closing_that_fails_does_not_hide_what_came_first(tmp_path: Path) -> None:
    output = Destination(tmp_path / "out", replace=False)
    output.stream.close()
    output.stream = FailingClose()  # type: ignore[assignment]
    output.__exit__()
    assert contents(tmp_path) == {}


def test_closing_a_device_that_fails_is_an_output_error() -> None:
    output = Destination(os.devnull, replace=False)
    output.stream.close()
    output.stream = FailingClose()  # type: ignore[assignment]
    with pytest.raises(errors.OutputError):
        output.publish()
    output.stream = FailingClose()  # type: ignore[assignment]
    with pytest.raises(OSError, match="No space"):
        output.__exit__()


def test_temporary_file_that_vanished_is_no_second_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), Destination(tmp_path / "out", replace=False):  # noqa: PT012
        os.unlink(tmp_path / os.listdir(tmp_path)[0])
        raise KeyError


def test_temporary_files_that_a_signal_left_are_dropped(tmp_path: Path) -> None:
    output = Destination(tmp_path / "out", replace=False)
    output.stream.close()
    assert len(contents(tmp_path)) == 1
    destination.drop_unfinished()
    assert contents(tmp_path) == {}


def test_fifo_that_may_not_be_opened_is_an_output_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "fifo")
    monkeypatch.setattr(destination, "open", refuse_with(errno.EACCES), raising=False)
    with pytest.raises(errors.OutputError):
        make(tmp_path / "fifo")
