"""Every share tells what is there as `seams.Share` says, by names of all kinds."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from stages import EVERY, Stage, facts, inbox, make_stage, outbox, refused, state

from paxect_batch.model.items import Entry, Kind
from paxect_batch.model.places import Root, to_text

STRANGE_NAMES = (
    b"with space",
    b"new\nline",
    b"back\\slash",
    b"\\x2f",
    b"bell\x07",
    b"not\xffutf8\xfe",
    "emoji \N{GRINNING FACE}".encode(),
    "e\N{COMBINING ACUTE ACCENT}".encode(),
    b"-rf",
    b"n" * 255,
    b"\xc3\xa9" * 127,
)
"""Names as bytes that a folder can hold."""

IMPOSSIBLE_PATHS = (
    "..",
    "a/../../b",
    "a/..",
    "/etc/passwd",
    "a//b",
    "a/",
    ".",
    "a/./b",
    "\\x2fetc",
    "a\\x2f..\\x2f..\\x2fb",
    "\\x2e\\x2e",
    "nul\\x00",
    "lone\udc80",
)


@pytest.fixture(params=EVERY)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    return make_stage(request.param, tmp_path)


def test_entries_of_a_folder_tell_each_kind_and_links_are_links(stage: Stage) -> None:
    stage.put(inbox("f/file"), b"")
    stage.put(inbox("f/folder/below"), b"")
    stage.put_link(inbox("f/link"))
    stage.put_other(inbox("f/fifo"))
    stage.put(inbox("f/.hidden.tmp"), b"")
    found = {entry.place: entry.kind for entry in stage.share.entries(inbox("f"))}
    assert found == {
        inbox("f/.hidden.tmp"): Kind.FILE,
        inbox("f/fifo"): Kind.OTHER,
        inbox("f/file"): Kind.FILE,
        inbox("f/folder"): Kind.FOLDER,
        inbox("f/link"): Kind.LINK,
    }


def test_entries_of_a_root_are_below_it(stage: Stage) -> None:
    stage.put(inbox("file"), b"")
    assert list(stage.share.entries(inbox(""))) == [Entry(inbox("file"), Kind.FILE)]


def test_entries_where_no_folder_is_are_none(stage: Stage) -> None:
    stage.put(inbox("file"), b"")
    assert list(stage.share.entries(inbox("absent/folder"))) == []
    assert list(stage.share.entries(inbox("file"))) == []
    assert list(stage.share.entries(inbox("file/below"))) == []


def test_entries_left_early_can_be_asked_for_again(stage: Stage) -> None:
    for number in range(20):
        stage.put(inbox(f"f{number}"), b"")
    early = stage.share.entries(inbox(""))
    next(early)
    assert len(list(stage.share.entries(inbox("")))) == 20
    assert len(list(early)) == 19


def test_entries_of_a_link_are_refused(stage: Stage) -> None:
    stage.put_link(inbox("link"))
    for place in (inbox("link"), inbox("link/below")):
        with refused(errno.ELOOP):
            list(stage.share.entries(place))


@pytest.mark.parametrize("name", STRANGE_NAMES, ids=repr)
def test_name_goes_through_every_operation(stage: Stage, name: bytes) -> None:
    share = stage.share
    text = to_text(name)
    with share.create(inbox(text)) as stream:
        stream.write(b"data")
        share.sync(stream)
    assert [entry.place for entry in share.entries(inbox(""))] == [inbox(text)]
    assert facts(stage, inbox(text)).identity.size == 4
    share.make_folder(outbox(text))
    share.rename_new(inbox(text), outbox(text).child(text))
    assert share.read(outbox(text).child(text), 4) == b"data"
    share.write(outbox(text).child(text), b"new")
    assert share.read(outbox(text).child(text), 4) == b"new"
    assert share.remove(outbox(text).child(text))
    assert share.remove_folder(outbox(text))


@pytest.mark.parametrize("path", IMPOSSIBLE_PATHS, ids=repr)
def test_path_that_is_none_is_refused_by_every_operation(
    stage: Stage, path: str
) -> None:
    share = stage.share
    place = inbox(path)
    stage.put(inbox("file"), b"")
    for act in (
        lambda: list(share.entries(place)),
        lambda: share.freshen(place),
        lambda: share.look(place),
        lambda: share.open_source(place),
        lambda: share.create(place),
        lambda: share.sync_folder(place),
        lambda: share.read(place, 10),
        lambda: share.write(place, b""),
        lambda: share.rename_new(place, inbox("other")),
        lambda: share.rename_new(inbox("file"), place),
        lambda: share.remove(place),
        lambda: share.remove_folder(place),
        lambda: share.make_folder(place),
    ):
        with refused(errno.EINVAL):
            act()
    assert [entry.place for entry in share.entries(inbox(""))] == [inbox("file")]


def test_name_that_is_too_long_is_the_systems_error(stage: Stage) -> None:
    with refused(errno.ENAMETOOLONG):
        stage.share.create(inbox("n" * 256))
    with refused(errno.ENAMETOOLONG):
        stage.share.write(state("n" * 256), b"")
    assert list(stage.share.entries(state(""))) == []


def test_file_of_a_name_that_is_too_long_is_not_there(stage: Stage) -> None:
    for place in (inbox("n" * 256), inbox(f"{'n' * 256}/file")):
        assert stage.share.look(place) is None
        assert stage.share.look(place, closely=True) is None
        assert stage.share.read(place, 10) is None
        assert stage.share.size_of(place) == 0
        assert not stage.share.remove(place)
        assert list(stage.share.entries(place)) == []


def test_freshen_leaves_nothing_behind(stage: Stage) -> None:
    stage.put(inbox("f/file"), b"")
    stage.share.freshen(inbox("f"))
    stage.share.freshen(inbox(""))
    stage.share.freshen(inbox("absent/folder"))
    stage.share.freshen(inbox("f/file"))
    assert [str(entry.place) for entry in stage.share.entries(inbox("f"))] == [
        "inbox/f/file"
    ]


def test_look_tells_size_and_kind_of_a_file(stage: Stage) -> None:
    stage.put(inbox("file"), b"12345")
    found = facts(stage, inbox("file"))
    assert found.kind is Kind.FILE
    assert found.identity.size == 5
    assert found.identity.mtime_ns > 0
    assert found.identity.inode > 0
    assert found.ctime_ns is not None
    assert found.mode & 0o600 == 0o600
    assert facts(stage, inbox("file"), closely=True).ctime_ns is not None


def test_look_where_nothing_is_is_none(stage: Stage) -> None:
    stage.put(inbox("file"), b"")
    for path in ("absent", "absent/absent", "file/below"):
        assert stage.share.look(inbox(path)) is None


def test_look_tells_folders_links_and_others_by_their_kind(stage: Stage) -> None:
    stage.put(inbox("folder/file"), b"")
    stage.put_link(inbox("link"))
    stage.put_other(inbox("fifo"))
    assert facts(stage, inbox("")).kind is Kind.FOLDER
    assert facts(stage, inbox("folder")).kind is Kind.FOLDER
    assert facts(stage, inbox("link")).kind is Kind.LINK
    assert facts(stage, inbox("fifo")).kind is Kind.OTHER
    assert facts(stage, inbox("fifo"), closely=True).writer is None


def test_identity_changes_with_content_and_with_the_file(stage: Stage) -> None:
    stage.put(inbox("file"), b"one")
    first = facts(stage, inbox("file")).identity
    with stage.open_to_write(inbox("file")) as stream:
        stream.write(b"more than that")
    second = facts(stage, inbox("file")).identity
    assert second != first
    assert second.inode == first.inode
    stage.share.write(inbox("file"), b"more than that")
    assert facts(stage, inbox("file")).identity.inode != second.inode


def test_writer_is_told_while_there_is_one_where_it_can_be(stage: Stage) -> None:
    stage.put(inbox("file"), b"")
    assert facts(stage, inbox("file"), closely=True).writer in (False, None)
    with stage.open_to_write(inbox("file")) as stream:
        assert facts(stage, inbox("file"), closely=True).writer in (True, None)
        assert facts(stage, inbox("file")).writer is None
        stream.write(b"x")
    assert facts(stage, inbox("file"), closely=True).writer in (False, None)


def test_open_source_reads_and_tells_the_same_facts_as_look(stage: Stage) -> None:
    stage.put(inbox("f/file"), b"0123456789")
    with stage.share.open_source(inbox("f/file")) as stream:
        assert stage.share.facts_of(stream) == facts(stage, inbox("f/file"))
        assert stream.read(4) == b"0123"
        assert stream.seek(8) == 8
        assert stream.read() == b"89"
        assert stream.read(1) == b""


def test_open_source_of_what_is_no_file_is_refused_at_once(stage: Stage) -> None:
    stage.put(inbox("folder/file"), b"")
    stage.put_link(inbox("link"))
    stage.put_other(inbox("fifo"))
    for path, number in (
        ("folder", errno.EISDIR),
        ("link", errno.ELOOP),
        ("fifo", errno.EINVAL),
        ("absent", errno.ENOENT),
        ("link/passwd", errno.ELOOP),
    ):
        for act in (
            stage.share.open_source,
            lambda place: stage.share.read(place, 10) or _raise(errno.ENOENT),
        ):
            with refused(number):
                act(inbox(path))


def _raise(number: int) -> None:
    raise OSError(number, os.strerror(number))


def test_facts_of_an_open_file_follow_the_file_not_the_name(stage: Stage) -> None:
    stage.put(inbox("file"), b"old")
    with stage.share.open_source(inbox("file")) as stream:
        stage.share.remove(inbox("file"))
        stage.put(inbox("file"), b"newer")
        assert stage.share.facts_of(stream).identity.size == 3
        assert facts(stage, inbox("file")).identity.size == 5


def test_read_returns_all_up_to_its_limit(stage: Stage) -> None:
    stage.put(state("file"), b"12345")
    assert stage.share.read(state("file"), 5) == b"12345"
    assert stage.share.read(state("absent"), 5) is None
    assert stage.share.read(state("absent/absent"), 5) is None
    assert stage.share.read(state("file/below"), 5) is None
    with refused(errno.EFBIG):
        stage.share.read(state("file"), 4)


def test_now_is_what_a_file_changed_now_would_bear(stage: Stage) -> None:
    before = stage.share.now()
    stage.share.write(state("file"), b"")
    changed = facts(stage, state("file")).identity.mtime_ns / 1e9
    # A kernel's file times move in ticks, of 10 ms at most.
    assert before - 0.1 <= changed <= stage.share.now() + 0.1
    assert [entry.place.name for entry in stage.share.entries(state(""))] == ["file"]


def test_free_bytes_is_a_number_of_bytes(stage: Stage) -> None:
    assert stage.share.free_bytes(Root.INBOX) > 0


def test_roots_of_one_file_system_are_together(stage: Stage) -> None:
    assert stage.share.together(Root.STATE, Root.OUTBOX)
    assert stage.share.together(Root.INBOX, Root.INBOX)
    assert list(stage.share.entries(state(""))) == []
    assert list(stage.share.entries(outbox(""))) == []


def test_folding_is_told_as_the_folder_does_it(stage: Stage) -> None:
    folds = stage.share.folds_names(Root.OUTBOX)
    assert list(stage.share.entries(outbox(""))) == []
    stage.put(outbox("name"), b"")
    assert (stage.share.look(outbox("NAME")) is not None) == folds
