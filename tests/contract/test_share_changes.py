"""Every share makes, moves and removes files and folders as `seams.Share` says."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from stages import EVERY, Stage, facts, inbox, make_stage, outbox, refused, state

from paxect_batch.model.items import Kind


@pytest.fixture(params=EVERY)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    return make_stage(request.param, tmp_path)


def test_create_makes_the_folders_and_writes_through(stage: Stage) -> None:
    with stage.share.create(state("a/b/file")) as stream:
        assert stream.write(b"one") == 3
        assert stage.get(state("a/b/file")) == b"one"
        stage.share.sync(stream)
        stream.write(b"two")
        assert stage.share.facts_of(stream).identity.size == 6
    assert stage.get(state("a/b/file")) == b"onetwo"


def test_several_files_are_made_durable_at_once(stage: Stage) -> None:
    files = [stage.share.create(inbox(f"folder/{number}")) for number in range(5)]
    for stream in files:
        stream.write(b"data")
    assert stage.share.sync_all(files) == (None,) * 5
    assert stage.share.sync_all([]) == ()
    for stream in files:
        stream.close()


def test_created_file_can_be_cut_and_written_on(stage: Stage) -> None:
    with stage.share.create(state("file")) as stream:
        stream.write(b"onetwo")
        stream.truncate(3)
        stream.seek(3)
        stream.write(b"3")
    assert stage.get(state("file")) == b"one3"


def test_create_of_what_is_there_is_refused(stage: Stage) -> None:
    stage.put(inbox("file"), b"old")
    stage.put_link(inbox("link"))
    stage.share.make_folder(inbox("folder"))
    for path in ("file", "link", "folder", ""):
        with pytest.raises(FileExistsError):
            stage.share.create(inbox(path))
    assert stage.get(inbox("file")) == b"old"


def test_create_below_a_file_or_a_link_is_refused(stage: Stage) -> None:
    stage.put(inbox("file"), b"old")
    stage.put_link(inbox("link"))
    with pytest.raises(NotADirectoryError):
        stage.share.create(inbox("file/new"))
    for act in (stage.share.create, stage.share.make_folder, stage.share.look):
        with refused(errno.ELOOP):
            act(inbox("link/new"))


def test_sync_folder_of_none_is_the_systems_error(stage: Stage) -> None:
    stage.share.make_folder(state("folder"))
    stage.share.sync_folder(state("folder"))
    stage.share.sync_folder(state(""))
    with pytest.raises(FileNotFoundError):
        stage.share.sync_folder(state("absent"))


def test_write_replaces_whole_and_leaves_nothing_else(stage: Stage) -> None:
    stage.share.write(state("a/b/file"), b"long content")
    stage.share.write(state("a/b/file"), b"short")
    assert stage.share.read(state("a/b/file"), 100) == b"short"
    assert [entry.place for entry in stage.share.entries(state("a/b"))] == [
        state("a/b/file")
    ]


def test_write_onto_a_folder_is_refused_and_leaves_nothing(stage: Stage) -> None:
    stage.share.make_folder(state("f/folder"))
    with pytest.raises(IsADirectoryError):
        stage.share.write(state("f/folder"), b"data")
    assert [entry.place for entry in stage.share.entries(state("f"))] == [
        state("f/folder")
    ]


def test_rename_new_moves_between_roots(stage: Stage) -> None:
    stage.put(state("stage/one"), b"data")
    stage.share.make_folder(outbox("sub"))
    identity = facts(stage, state("stage/one")).identity
    stage.share.rename_new(state("stage/one"), outbox("sub/two"))
    assert stage.share.look(state("stage/one")) is None
    assert facts(stage, outbox("sub/two")).identity == identity


def test_rename_new_never_replaces(stage: Stage) -> None:
    stage.put(state("one"), b"new")
    stage.put(outbox("file"), b"old")
    stage.put_link(outbox("link"))
    stage.share.make_folder(outbox("folder"))
    for path in ("file", "link", "folder"):
        with pytest.raises(FileExistsError):
            stage.share.rename_new(state("one"), outbox(path))
    assert stage.get(outbox("file")) == b"old"
    assert stage.get(state("one")) == b"new"


def test_move_new_never_replaces(stage: Stage) -> None:
    stage.put(state("one"), b"new")
    stage.put(outbox("file"), b"old")
    with pytest.raises(FileExistsError):
        stage.share.move_new(state("one"), outbox("file"))
    identity = facts(stage, state("one")).identity
    stage.share.move_new(state("one"), outbox("free"))
    assert facts(stage, outbox("free")).identity == identity
    assert stage.share.look(state("one")) is None
    assert stage.get(outbox("file")) == b"old"
    with pytest.raises(FileNotFoundError):
        stage.share.move_new(state("absent"), outbox("other"))
    stage.put(state("two"), b"")
    with pytest.raises(FileNotFoundError):
        stage.share.move_new(state("two"), outbox("absent/file"))


def test_rename_new_without_source_or_folder_is_enoent(stage: Stage) -> None:
    stage.put(state("one"), b"")
    with pytest.raises(FileNotFoundError):
        stage.share.rename_new(state("absent"), outbox("file"))
    with pytest.raises(FileNotFoundError):
        stage.share.rename_new(state("one"), outbox("absent/file"))


def test_remove_tells_whether_there_was_a_file(stage: Stage) -> None:
    stage.put(inbox("file"), b"")
    assert stage.share.remove(inbox("file"))
    assert not stage.share.remove(inbox("file"))
    assert not stage.share.remove(inbox("absent/file"))


def test_remove_takes_a_link_and_not_what_it_leads_to(stage: Stage) -> None:
    stage.put_link(inbox("link"))
    assert stage.share.remove(inbox("link"))
    assert stage.share.look(inbox("link")) is None


def test_remove_of_a_folder_is_refused(stage: Stage) -> None:
    stage.share.make_folder(inbox("folder"))
    # macOS says EPERM.
    with pytest.raises((IsADirectoryError, PermissionError)):
        stage.share.remove(inbox("folder"))


def test_remove_folder_takes_an_empty_one_only(stage: Stage) -> None:
    stage.put(inbox("full/file"), b"")
    stage.share.make_folder(inbox("empty"))
    assert stage.share.remove_folder(inbox("empty"))
    assert not stage.share.remove_folder(inbox("empty"))
    assert not stage.share.remove_folder(inbox("full"))
    assert not stage.share.remove_folder(inbox("full/file"))


def test_make_folder_makes_those_above_and_is_fine_twice(stage: Stage) -> None:
    stage.share.make_folder(outbox("a/b/c"))
    stage.share.make_folder(outbox("a/b/c"))
    stage.share.make_folder(outbox(""))
    assert facts(stage, outbox("a/b/c")).kind is Kind.FOLDER


def test_make_folder_where_a_file_is_is_refused(stage: Stage) -> None:
    stage.put(outbox("file"), b"")
    with pytest.raises(FileExistsError):
        stage.share.make_folder(outbox("file"))
    with pytest.raises(NotADirectoryError):
        stage.share.make_folder(outbox("file/below"))


def test_dress_gives_time_and_permission_bits_only(stage: Stage) -> None:
    with stage.share.create(outbox("file")) as stream:
        stream.write(b"data")
        stage.share.dress(stream, mtime_ns=1_234_567_890_123_456_789, mode=0o4751)
    found = facts(stage, outbox("file"))
    assert found.identity.mtime_ns == 1_234_567_890_123_456_789
    assert found.mode == 0o751
    with stage.share.create(outbox("plain")) as stream:
        stage.share.dress(stream, mtime_ns=None, mode=None)
    assert facts(stage, outbox("plain")).mode & 0o700 == 0o600
