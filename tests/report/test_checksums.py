"""Checksum lines are those that `sha256sum` itself writes."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from report_samples import a_record

from paxect_batch.model.items import Direction
from paxect_batch.model.places import Place, Root, to_text
from paxect_batch.model.records import Fate
from paxect_batch.report.checksums import (
    checksum_line,
    delivered_bytes,
    delivered_place,
    delivered_sha256,
    digest_in,
    record_line,
)

NAMES = [b"plain", b"two words", b"new\nline", b"back\\slash", b"carriage\rreturn"]
NAMES += [b"\xff\xfe", "\U0001f600".encode(), b"-dash", b"\\n"]


def test_checksum_line_of_a_plain_name_is_bare() -> None:
    assert checksum_line("ab", b"a b") == b"ab  a b\n"


def test_checksum_line_of_a_breaking_name_is_marked_and_escaped() -> None:
    assert checksum_line("ab", b"a\n\\\r") == b"\\ab  a\\n\\\\\\r\n"


@pytest.mark.parametrize(
    ("sidecar", "digest"),
    [
        (b"", ""),
        (b" \n", ""),
        (b"AB\n", "ab"),
        (b"\n ab\tname\nother  line\n", "ab"),
        (b"ab *name\r\n", "ab"),
        (b"\\ab  new\\nline\n", "ab"),
        (b"SHA256 (name) = AB\n", "ab"),
        (b"SHA256 (one) = 12) = ab\n", "ab"),
        (b"\\SHA256 (new\\nline) = ab\n", "ab"),
        (b"SHA256 (name)\n", "sha256"),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_digest_is_read_in_each_form_that_a_sidecar_has(
    sidecar: bytes, digest: str
) -> None:
    assert digest_in(sidecar) == digest


def test_digest_of_our_own_lines_is_read_for_every_name() -> None:
    for name in NAMES:
        assert digest_in(checksum_line("ab", name)) == "ab"


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum here")
@pytest.mark.parametrize("words", [(), ("--tag",), ("--binary",)])
def test_digest_is_read_as_sha256sum_writes_it_for_every_name(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    for name in NAMES:
        (tmp_path / os.fsdecode(name)).write_bytes(name)
        command = [b"sha256sum", *map(os.fsencode, words), b"--", name]
        written = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
        assert digest_in(written.stdout) == hashlib.sha256(name).hexdigest()


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum here")
def test_sha256sum_accepts_every_name(tmp_path: Path) -> None:
    lines = []
    for name in NAMES:
        (tmp_path / os.fsdecode(name)).write_bytes(name)
        place = Place(Root.OUTBOX, to_text(name))
        record = a_record(target=place, raw_sha256=hashlib.sha256(name).hexdigest())
        lines.append(record_line(record, prefix=b"./"))
    (tmp_path / "SUMS").write_bytes(b"".join(lines))
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", "SUMS"],
        check=False,
        cwd=tmp_path,
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_delivered_side_is_the_container_when_encoding() -> None:
    encoded = a_record(direction=Direction.ENCODE)
    assert (delivered_sha256(encoded), delivered_bytes(encoded)) == ("bb" * 32, 80)
    decoded = a_record()
    assert (delivered_sha256(decoded), delivered_bytes(decoded)) == ("aa" * 32, 12)


def test_delivered_place_of_what_was_set_aside_is_none() -> None:
    assert delivered_place(a_record(fate=Fate.SET_ASIDE)) is None
    assert delivered_place(a_record()) == Place(Root.OUTBOX, "a.txt")
