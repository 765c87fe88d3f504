"""An error that is met in the middle of a file tells which file that is."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from file_sizes import file_size_limit
from lease_samples import lease_of
from stages import LocalStage, inbox, state

from paxect_batch.model.about import About
from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.places import Place, Root
from paxect_batch.model.policy import OnDone
from paxect_batch.model.records import Fate, Record
from paxect_batch.model.transfer import Intent, Pledge
from paxect_batch.relay.archive import archive_copy
from paxect_batch.relay.settle import write_intent
from paxect_batch.relay.state import file_paper
from paxect_batch.world.claims import ClaimFiles, marker_name
from paxect_batch.world.leases import LeaseFiles
from paxect_batch.world.ledger import FileLedger, ledger_place

pytestmark = pytest.mark.skipif(
    os.name != "posix", reason="Windows has no limit on the size of files"
)

RECORD = Record(
    fate=Fate.DELIVERED,
    direction=Direction.ENCODE,
    source=inbox("a"),
    identity=Identity(1, 2, 3),
    target=Place(Root.WIRE, "a.freq"),
    node="n",
    run="r",
)


def told_of(act: Callable[[], object]) -> str:
    """Return the file that an error tells of where no file can hold a byte."""
    with file_size_limit(0), pytest.raises(OSError) as caught:  # noqa: PT011
        act()
    assert caught.value.errno == errno.EFBIG
    return str(caught.value.filename)


def test_paper_that_cannot_be_written_is_told_of(stage: LocalStage) -> None:
    told = told_of(lambda: stage.share.write(state("papers/one"), b"x"))
    assert told == ".paxect/papers/one"


def test_paper_of_a_run_that_cannot_be_written_is_told_of(stage: LocalStage) -> None:
    told = told_of(lambda: file_paper(stage.share, "runs", "n", "r", b"{}"))
    assert told == ".paxect/runs/.paxect-r.tmp"


def test_intent_that_cannot_be_written_is_told_of(stage: LocalStage) -> None:
    intent = Intent("n", "r", 7, OnDone.DELETE, 0, ())
    stage.share.make_folder(state("intents/n/r"))
    told = told_of(lambda: write_intent(stage.share, intent))
    assert told == ".paxect/stage/n/r/intent-00000007.part"


def test_ledger_that_cannot_be_written_is_told_of(stage: LocalStage) -> None:
    ledger = FileLedger(stage.share, "n", "r")
    assert told_of(lambda: ledger.append([RECORD])) == str(ledger_place("n", "r"))
    ledger.append([RECORD])
    assert list(ledger.since("n", "r", 0)) == [RECORD]
    ledger.close()


def test_archived_copy_that_cannot_be_written_is_told_of(stage: LocalStage) -> None:
    stage.put(inbox("a"), b"content")
    facts = stage.share.look(inbox("a"))
    assert facts is not None
    pledge = Pledge(
        direction=Direction.ENCODE,
        source=inbox("a"),
        identity=facts.identity,
        stage=state("stage/n/r/0/a.part"),
        target=RECORD.target,
        sidecar_stage=None,
        sidecar=None,
        raw_bytes=7,
        raw_sha256="0" * 64,
        container_bytes=0,
        container_sha256="0" * 64,
    )
    stage.share.make_folder(state("aside"))
    told = told_of(lambda: archive_copy(stage.share, pledge, state("aside/a")))
    assert told == ".paxect/aside/copy-a.part"
    assert stage.get(inbox("a")) == b"content"


def test_lease_that_cannot_be_written_is_told_of(tmp_path: Path) -> None:
    leases = LeaseFiles(str(tmp_path))
    told = told_of(lambda: leases.create(lease_of("n")))
    assert told == str(tmp_path / "nodes" / "n" / "lease")


def test_claim_that_cannot_be_written_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "claims").mkdir()
    claims = ClaimFiles(str(tmp_path))
    monkeypatch.setattr(claims, "_links", False)
    told = told_of(lambda: claims.take("item", node="n", run="r"))
    assert told == str(tmp_path / "claims" / marker_name("item"))


def test_file_that_an_error_names_itself_stays_in_it() -> None:
    with pytest.raises(FileNotFoundError) as caught, About("another"):
        open("/not/there")
    assert caught.value.filename == "/not/there"
