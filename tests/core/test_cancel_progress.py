"""Progress is told, and a cancel signal or a failing callback leaves nothing behind."""

import io
import os
import threading
from pathlib import Path

import pytest
from samples import noise

import paxect_core
from paxect_core.wire import Settings

RAW = noise(1000)
SETTINGS = Settings(frame_bytes=100)
CONTAINER = paxect_core.encode_bytes(RAW, SETTINGS)


class CancelAfter:
    def __init__(self, calls: int) -> None:
        self.left = calls

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_progress_counts_up_to_all_raw_bytes(threads: int) -> None:
    for call in (
        lambda progress: paxect_core.encode(
            io.BytesIO(RAW), io.BytesIO(), SETTINGS, threads=threads, progress=progress
        ),
        lambda progress: paxect_core.verify(
            io.BytesIO(CONTAINER), threads=threads, progress=progress
        ),
    ):
        seen: list[tuple[int, int]] = []
        call(lambda raw, container, seen=seen: seen.append((raw, container)))
        assert [raw for raw, _ in seen] == list(range(100, 1001, 100))
        assert seen == sorted(seen)
        assert seen[-1][1] <= len(CONTAINER)


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("calls", [0, 1, 9])
def test_cancel_while_encoding_or_decoding_raises_cancelled(
    threads: int, calls: int
) -> None:
    before = threading.active_count()
    with pytest.raises(paxect_core.Cancelled) as caught:
        paxect_core.encode(
            io.BytesIO(RAW),
            io.BytesIO(),
            SETTINGS,
            threads=threads,
            cancel=CancelAfter(calls),
        )
    assert caught.value.exit_code == 130
    with pytest.raises(paxect_core.Cancelled):
        paxect_core.verify(
            io.BytesIO(CONTAINER), threads=threads, cancel=CancelAfter(calls)
        )
    assert threading.active_count() <= before


@pytest.mark.parametrize("threads", [1, 4])
def test_cancel_between_files_leaves_no_destination(
    tmp_path: Path, threads: int
) -> None:
    (tmp_path / "raw").write_bytes(RAW)
    (tmp_path / "raw.freq").write_bytes(CONTAINER)
    event = threading.Event()
    event.set()
    with pytest.raises(paxect_core.Cancelled):
        paxect_core.encode_file(
            tmp_path / "raw", tmp_path / "new", threads=threads, cancel=event
        )
    with pytest.raises(paxect_core.Cancelled):
        paxect_core.decode_file(
            tmp_path / "raw.freq",
            tmp_path / "new",
            threads=threads,
            cancel=CancelAfter(5),
        )
    assert sorted(os.listdir(tmp_path)) == ["raw", "raw.freq"]


def test_cancel_signal_not_set_changes_nothing() -> None:
    sink = io.BytesIO()
    paxect_core.encode(io.BytesIO(RAW), sink, SETTINGS, cancel=threading.Event())
    assert sink.getvalue() == CONTAINER


class Trouble(Exception):
    pass


def in_trouble(_raw: int, _container: int) -> None:
    raise Trouble


@pytest.mark.parametrize("threads", [1, 4])
def test_progress_that_raises_ends_the_work_and_leaves_no_destination(
    tmp_path: Path, threads: int
) -> None:
    (tmp_path / "raw").write_bytes(RAW)
    (tmp_path / "raw.freq").write_bytes(CONTAINER)
    before = threading.active_count()
    with pytest.raises(Trouble):
        paxect_core.encode_file(
            tmp_path / "raw",
            tmp_path / "new",
            SETTINGS,
            threads=threads,
            progress=in_trouble,
        )
    with pytest.raises(Trouble):
        paxect_core.decode_file(
            tmp_path / "raw.freq",
            tmp_path / "new",
            threads=threads,
            progress=in_trouble,
        )
    assert sorted(os.listdir(tmp_path)) == ["raw", "raw.freq"]
    assert threading.active_count() <= before
