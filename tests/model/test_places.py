"""Names as text, and places."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paxect_batch.model.places import Place, Root, printable, to_bytes, to_text

tricky = st.lists(
    st.sampled_from(
        [b"\\", b"x", b"\\x", b"0a", b"\n", b"\xff", b"\xc3", b"\xa9", b"/"]
    )
).map(b"".join)


@given(st.binary() | tricky)
def test_to_bytes_of_to_text_is_the_path(path: bytes) -> None:
    text = to_text(path)
    assert to_bytes(text) == path
    text.encode()
    assert not any(letter < " " or letter == "\x7f" for letter in text)


@given(st.binary() | tricky, st.binary() | tricky)
def test_to_text_of_different_paths_differs(one: bytes, other: bytes) -> None:
    assert (to_text(one) == to_text(other)) is (one == other)


@given(st.lists(st.binary() | tricky))
def test_to_text_keeps_the_parts_of_a_path(parts: list[bytes]) -> None:
    path = b"/".join(parts)
    assert to_text(path).split("/") == [to_text(part) for part in path.split(b"/")]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (b"a b.txt", "a b.txt"),
        ("grün 🙂".encode(), "grün 🙂"),
        (b"a\nb\x7f\x00", "a\\x0ab\\x7f\\x00"),
        (b"a\\x0a", "a\\\\x0a"),
        (b"\xff\xfe\xc3", "\\xff\\xfe\\xc3"),
        (b"\xed\xb2\x80", "\\xed\\xb2\\x80"),
        (b"", ""),
    ],
)
def test_to_text_escapes_what_text_cannot_hold(path: bytes, text: str) -> None:
    assert to_text(path) == text
    assert to_bytes(text) == path


def test_place_is_a_root_and_a_path() -> None:
    top = Place(Root.INBOX, "")
    place = top.child("sub").child("a.txt")
    assert str(top) == "inbox"
    assert str(place) == "inbox/sub/a.txt"
    assert place.name == "a.txt"
    assert place.folder == Place(Root.INBOX, "sub")
    assert place.folder.folder == top
    assert place.beside("b") == Place(Root.INBOX, "sub/b")
    assert top.child("a").beside("b") == top.child("b")


def test_printable_text_stays_and_what_would_command_a_terminal_is_escaped() -> None:
    assert printable("né \N{GRINNING FACE}") == "né \N{GRINNING FACE}"
    assert printable("a\nb\N{RIGHT-TO-LEFT OVERRIDE}\udc80") == r"a\x0ab\u202e\udc80"
