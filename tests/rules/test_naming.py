"""Names of containers and sidecars, and what is no item."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paxect_batch.model.places import Place, Root, to_bytes, to_text
from paxect_batch.model.policy import Naming
from paxect_batch.rules import naming

names = (
    st.binary(min_size=1, max_size=80)
    .map(lambda data: data.replace(b"/", b"_").replace(b"\0", b"_"))
    .map(to_text)
)


@pytest.mark.parametrize(
    "name",
    [
        ".hidden",
        ".nfs0000000000a1b2c300000001",
        "a.part",
        "a.PART",
        "a.txt.tmp",
        "a.temp",
        "a.txt~",
        "movie.crdownload",
        "a.filepart",
        "a.partial",
        "a.swp",
        "~$report.docx",
        ".~lock.report.odt#",
        "..freq",
        "...freq",
    ],
)
def test_is_temporary_of_unfinished_and_private_files(name: str) -> None:
    assert naming.is_temporary(name)


@pytest.mark.parametrize(
    "name", ["a", "a.txt", "part", "tmp", "a.part.txt", "a~b", "$~a", "apart", "a.tmpl"]
)
def test_is_temporary_spares_others(name: str) -> None:
    assert not naming.is_temporary(name)


@pytest.mark.parametrize(
    ("name", "full", "stem", "raw_stem"),
    [
        ("a.txt", "a.txt.freq", "a.freq", "a"),
        ("a", "a.freq", "a.freq", "a"),
        ("a.tar.gz", "a.tar.gz.freq", "a.tar.freq", "a.tar"),
        ("a.", "a..freq", "a..freq", "a."),
        ("Ä b.csv", "Ä b.csv.freq", "Ä b.freq", "Ä b"),
        ("a\\x0a.txt", "a\\x0a.txt.freq", "a\\x0a.freq", "a\\x0a"),
    ],
)
def test_container_name_by_naming(
    name: str, full: str, stem: str, raw_stem: str
) -> None:
    assert naming.container_name(name, Naming.FULL) == full
    assert naming.raw_name(full, Naming.FULL) == name
    assert naming.container_name(name, Naming.STEM) == stem
    assert naming.raw_name(stem, Naming.STEM) == raw_stem


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("a.txt", ".txt"),
        ("a", ""),
        ("a.", ""),
        (".a", ""),
        ("..a", ""),
        ("a.b.c", ".c"),
    ],
)
def test_suffix_is_the_last_one(name: str, suffix: str) -> None:
    assert naming.suffix(name) == suffix


def test_is_container_and_is_sidecar_whatever_the_case() -> None:
    assert naming.is_container("a.freq")
    assert naming.is_container("A.FREQ")
    assert not naming.is_container("a.freq.sha256")
    assert not naming.is_container("freq")
    assert naming.is_sidecar("a.FREQ.SHA256")
    assert not naming.is_sidecar("a.sha256")
    assert naming.sidecar_name("a.freq") == "a.freq.sha256"


@given(names)
def test_raw_name_of_a_full_container_name_is_the_name(name: str) -> None:
    container = naming.container_name(name, Naming.FULL)
    assert naming.is_container(container)
    assert naming.is_sidecar(naming.sidecar_name(container))
    assert naming.raw_name(container, Naming.FULL) == name


@given(names)
def test_container_name_by_stem_begins_as_the_name_does(name: str) -> None:
    stem = naming.raw_name(naming.container_name(name, Naming.STEM), Naming.STEM)
    assert stem
    assert name.startswith(stem)


@pytest.mark.parametrize(
    ("length", "too_long"), [(1, False), (243, False), (244, True), (255, True)]
)
def test_too_long_counts_the_sidecar_in_bytes(length: int, too_long: bool) -> None:
    assert naming.too_long("x" * length) is too_long
    assert naming.too_long("\\xff" * length) is too_long
    if length % 2 == 0:
        assert naming.too_long("ä" * (length // 2)) is too_long


def test_too_long_by_stem_leaves_the_suffix_out() -> None:
    name = "x" * 243 + ".txt"
    assert naming.too_long(name)
    assert not naming.too_long(name, Naming.STEM)


@given(names)
def test_too_long_is_what_the_file_system_says(name: str) -> None:
    sidecar = naming.sidecar_name(naming.container_name(name, Naming.FULL))
    assert naming.too_long(name) is (len(to_bytes(sidecar)) > 255)


@given(
    st.binary(min_size=240, max_size=255)
    .map(lambda data: data.replace(b"/", b"_").replace(b"\0", b"_"))
    .map(to_text)
)
def test_alias_is_short_enough_and_a_name_of_its_own(name: str) -> None:
    alias = naming.alias(name)
    assert not naming.too_long(alias)
    assert to_text(to_bytes(alias)) == alias
    assert alias.endswith(naming.ALIAS_END)
    assert not naming.is_container(alias)
    assert naming.is_temporary(alias) is (name.startswith((".", "~$")))
    assert naming.alias(name + "x") != alias
    assert naming.fold(naming.alias(name)) == naming.fold(alias)


@pytest.mark.parametrize("length", range(155, 165))
def test_alias_cuts_no_escape_and_no_letter_in_two(length: int) -> None:
    for filler in ("\\xff", "\\\\", "ä", "🙂"):
        alias = naming.alias("x" * length + filler * 30)
        assert to_text(to_bytes(alias)) == alias


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A.TXT", "a.txt"),
        ("Straße", "STRASSE"),
        ("\u00e9", "e\u0301"),
        ("\u212b", "\u00e5"),
        ("ﬁle", "FILE"),
    ],
)
def test_fold_of_names_that_some_file_system_takes_for_one(
    one: str, other: str
) -> None:
    assert naming.fold(one) == naming.fold(other)


@given(st.text())
def test_fold_of_a_folded_name_is_the_same(name: str) -> None:
    folded = naming.fold(name)
    assert naming.fold(folded) == folded
    for form in ("NFC", "NFD"):
        assert naming.fold(unicodedata.normalize(form, name)) == folded


@given(st.text(st.characters(max_codepoint=0x24F)))
def test_fold_does_not_tell_upper_from_lower(name: str) -> None:
    assert naming.fold(name.lower()) == naming.fold(name) or "\u0130" in name


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_fold_of_ascii_is_what_folding_beside_other_letters_gives(name: str) -> None:
    assert naming.fold(name) + "\u4e00" == naming.fold(name + "\u4e00")


@given(st.text(st.sampled_from("a\\\U0001f600."), min_size=45, max_size=70))
def test_too_long_about_the_length_that_may_be_is_what_the_bytes_say(name: str) -> None:
    name = to_text(to_bytes(name))
    sidecar = f"{name}.freq.sha256"
    assert naming.too_long(name) == (len(to_bytes(sidecar)) > 255)


def test_claim_key_is_one_for_targets_that_fold_alike() -> None:
    key = naming.claim_key(Place(Root.WIRE, "Sub/A.freq"))
    assert key == naming.claim_key(Place(Root.WIRE, "sub/a.freq"))
    assert key != naming.claim_key(Place(Root.OUTBOX, "sub/a.freq"))
    assert key != naming.claim_key(Place(Root.WIRE, "sub/b.freq"))
    assert len(key) == 64


def test_momentary_are_the_relays_own_names_alone() -> None:
    """What passes for one is removed when it is an hour old."""
    assert naming.is_momentary(".paxect-0123.tmp")
    for theirs in (".paxect-notes", "report.tmp", "paxect-0123.tmp", ".paxect.tmp"):
        assert not naming.is_momentary(theirs)
