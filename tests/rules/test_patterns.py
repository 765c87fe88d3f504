"""Patterns of include and exclude."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paxect_batch.model.places import to_text
from paxect_batch.rules import patterns


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.csv", "a.csv"),
        ("*.csv", "deep/in/here/a.csv"),
        ("a?c", "abc"),
        ("[a-c].txt", "b.txt"),
        ("[!a-c].txt", "d.txt"),
        ("[a-a].txt", "a.txt"),
        ("[]].txt", "].txt"),
        ("[[].txt", "[.txt"),
        ("daily/*.csv", "daily/a.csv"),
        ("daily/**", "daily/a.csv"),
        ("daily/**", "daily/x/y/a.csv"),
        ("**/daily/*", "daily/a"),
        ("**/daily/*", "x/y/daily/a"),
        ("a/**/z", "a/z"),
        ("a/**/z", "a/b/c/z"),
        ("**", "a"),
        ("**", "a/b"),
        ("**/b/**", "a/b/c"),
        ("a/**/b/**/c", "a/x/b/y/b/c"),
        ("\u00e9*", "e\u0301t\u00e9"),
        ("a b", "a b"),
        ("*", "x/a\\x0ab"),
    ],
)
def test_matches(pattern: str, path: str) -> None:
    assert not patterns.fault(pattern)
    assert patterns.matches(path, pattern)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.csv", "a.CSV"),
        ("*.csv", "a.csv.bak"),
        ("daily/*.csv", "daily/x/a.csv"),
        ("daily/*.csv", "x/daily/a.csv"),
        ("daily/**", "daily"),
        ("a/**/b/**", "a/x/b"),
        ("**/x", "a"),
        ("daily/**", "x/daily/a"),
        ("a/**/z", "a/b"),
        ("a/b", "a/b/c"),
        ("a/b/c", "a/b"),
        ("a*/b", "a/x/b"),
        ("a[a-c]", "a/"),
    ],
)
def test_matches_not(pattern: str, path: str) -> None:
    assert not patterns.fault(pattern)
    assert not patterns.matches(path, pattern)


def test_matches_in_bounded_time_whatever_the_pattern() -> None:
    path = "/".join(["a" * 40] * 100)
    assert not patterns.matches(path, "/".join(["**", "a*"] * 40) + "/b")
    assert not patterns.matches("a" * 255, "*a" * 100 + "b")


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "x" * 1025,
        "/a",
        "a/",
        "a//b",
        "../a",
        "a/./b",
        "a**",
        "**b/c",
        "[a",
        "[!",
        "[]",
        "[!]",
        "x[a/b]",
        "[z-a]",
        "a[0-9][9-0]",
    ],
)
def test_fault_of_patterns_that_cannot_be_meant(pattern: str) -> None:
    assert patterns.fault(pattern)


def test_fault_of_a_pattern_from_the_top_says_where_patterns_begin() -> None:
    assert patterns.fault("/a") == "patterns begin below the inbox, without a slash"


@given(st.text("ab*?[]!-/.", min_size=1, max_size=20), st.text("ab/.", max_size=20))
def test_matches_of_any_pattern_without_fault_answers(pattern: str, path: str) -> None:
    if not patterns.fault(pattern):
        patterns.matches(path, pattern)


@given(st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=5))
def test_matches_of_a_path_as_its_own_pattern(parts: list[str]) -> None:
    path = "/".join(parts)
    assert patterns.matches(path, path)
    assert patterns.matches(path, "**")
    assert patterns.matches(path, "**/" + parts[-1])


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        (rb"c\d", r"c\d"),
        (rb"a\b", "a?b"),
        (b"a\nb", "a?b"),
        (b"z.b\xffk", "*.b?k"),
        (b"a\nb", r"a\x0ab"),
    ],
)
def test_names_are_matched_as_they_are_and_as_they_are_printed(
    name: bytes, pattern: str
) -> None:
    assert patterns.matches(to_text(name), pattern)
    assert patterns.matches(f"folder/{to_text(name)}", pattern)
    assert not patterns.matches(to_text(name + b"!"), pattern)
