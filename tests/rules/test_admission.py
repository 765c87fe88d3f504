"""What the policy says of an item, and which check comes first."""

from __future__ import annotations

import io
import math
import random

import pytest
from build import DECODE, ENCODE, NOW, attempts, failure, item, policy

from paxect_batch.model.items import Direction, Item
from paxect_batch.model.policy import Naming, Policy
from paxect_batch.model.run import Decision, Verdict
from paxect_batch.model.transfer import Attempts
from paxect_batch.rules.admission import admit, container_bytes_max
from paxect_core import Settings, encode, limits

STEM = Naming.STEM


def decide(
    what: Item,
    law: Policy,
    *,
    marked: bool = False,
    known: Attempts | None = None,
    done: bool = False,
    peer_ok: str = "",
) -> Decision:
    return admit(
        what,
        law,
        share_now=NOW,
        marked_ready=marked,
        attempts=known,
        done=done,
        peer_ok=peer_ok,
    )


def test_admit_of_a_settled_file() -> None:
    assert decide(item(), policy()) == Decision(Verdict.ADMITTED)
    assert decide(item("a.freq", DECODE), policy()) == Decision(Verdict.ADMITTED)


@pytest.mark.parametrize(
    ("path", "direction", "fields", "reason"),
    [
        ("a.EXE", ENCODE, {"allowed_suffixes": (".txt",)}, "disallowed_suffix:.EXE"),
        ("a", ENCODE, {"allowed_suffixes": (".txt",)}, "disallowed_suffix:"),
        ("s/a.txt", ENCODE, {"allowed_suffixes": (".TXT",)}, ""),
        ("a.TXT", ENCODE, {"allowed_suffixes": (".txt",)}, ""),
        ("a.tar.gz", ENCODE, {"allowed_suffixes": (".tar.gz",)}, ""),
        ("a.txt.freq", DECODE, {"allowed_suffixes": (".txt",)}, ""),
        (
            "a.txt.freq",
            ENCODE,
            {"allowed_suffixes": (".txt",)},
            "disallowed_suffix:.freq",
        ),
        (
            "a.exe.freq",
            DECODE,
            {"allowed_suffixes": (".txt", ".freq")},
            "disallowed_suffix:.exe",
        ),
        ("a.freq", DECODE, {"allowed_suffixes": (".freq",)}, ""),
        ("a.freq", DECODE, {"allowed_suffixes": (".txt",)}, "disallowed_suffix:.freq"),
        ("v1.2.freq", DECODE, {"allowed_suffixes": (".freq",), "naming": STEM}, ""),
        (
            "a.txt.freq",
            DECODE,
            {"allowed_suffixes": (".txt",), "naming": STEM},
            "disallowed_suffix:.freq",
        ),
        ("x/a.bak", ENCODE, {"exclude": ("*.tmp", "x/*")}, "excluded:x/*"),
        ("x/a.bak.freq", DECODE, {"exclude": ("*.bak",)}, "excluded:*.bak"),
        ("x/a.bak", ENCODE, {"include": ("*.txt", "*.csv")}, "not_included"),
        ("x/a.csv", ENCODE, {"include": ("*.txt", "*.csv")}, ""),
        ("x/a.csv.freq", DECODE, {"include": ("*.txt", "*.csv")}, ""),
        ("x/a.bak.freq", DECODE, {"include": ("*.txt",)}, "not_included"),
        ("x/a.freq", DECODE, {"include": ("*.txt",), "naming": STEM}, ""),
        (
            "x/a.csv",
            ENCODE,
            {"include": ("*.csv",), "exclude": ("x/**",)},
            "excluded:x/**",
        ),
        ("odd", DECODE, {"include": ("odd",)}, ""),
        ("x" * 244, ENCODE, {}, "name_too_long"),
        ("x" * 240 + ".freq", DECODE, {}, ""),
    ],
)
def test_admit_by_name(
    path: str, direction: Direction, fields: dict[str, object], reason: str
) -> None:
    decision = decide(item(path, direction), policy(**fields))
    verdict = Verdict.BLOCKED if reason else Verdict.ADMITTED
    assert decision == Decision(verdict, reason)


def test_admit_of_a_name_that_is_too_long_where_containers_may_have_aliases() -> None:
    decision = admit(
        item("x" * 255),
        policy(),
        share_now=NOW,
        marked_ready=False,
        attempts=None,
        done=False,
        aliases=True,
    )
    assert decision.verdict is Verdict.ADMITTED


def test_admit_by_size() -> None:
    law = policy(max_file_mb=1)
    assert decide(item(size=1 << 20), law).verdict is Verdict.ADMITTED
    too_large = decide(item(size=(1 << 20) + 1), law)
    assert too_large == Decision(Verdict.BLOCKED, "file_too_large:1048577B")
    assert decide(item(size=1 << 40), policy()).verdict is Verdict.ADMITTED


def test_admit_of_the_container_of_the_largest_file() -> None:
    law = policy(max_file_mb=1)
    largest = container_bytes_max(1 << 20, law.frame_bytes)
    assert decide(item("a.freq", DECODE, size=largest), law).verdict is Verdict.ADMITTED
    decision = decide(item("a.freq", DECODE, size=largest + 1), law)
    assert decision.reason == f"file_too_large:{largest + 1}B"


@pytest.mark.parametrize("raw_bytes", [0, 1, 999, 1000, 1001, 30_500])
def test_container_bytes_max_is_not_exceeded_by_noise(raw_bytes: int) -> None:
    raw = random.Random(raw_bytes).randbytes(raw_bytes)
    sink = io.BytesIO()
    encode(io.BytesIO(raw), sink, Settings(frame_bytes=1000, level=1))
    assert len(sink.getvalue()) <= container_bytes_max(raw_bytes, 1000)
    assert container_bytes_max(0, 1000) == limits.CONTAINER_BYTES_MIN


def test_admit_of_containers_of_untrusted_peers() -> None:
    reason = "untrusted_node:evil"
    container = item("a.freq", DECODE)
    assert decide(container, policy(), peer_ok=reason) == Decision(
        Verdict.BLOCKED, reason
    )
    assert decide(item(), policy(), peer_ok=reason).verdict is Verdict.ADMITTED


def test_admit_of_what_was_delivered_and_kept() -> None:
    assert decide(item(age=0), policy(), done=True) == Decision(Verdict.DONE)


def test_admit_while_backing_off_waits() -> None:
    known = attempts(item(), next_at=NOW + 5)
    decision = decide(item(), policy(), known=known)
    assert decision == Decision(Verdict.WAITING, "backing_off:crc-mismatch", 5)


def test_admit_after_backing_off_needs_readiness_too() -> None:
    known = attempts(item(age=0), next_at=NOW)
    assert decide(item(), policy(), known=known).verdict is Verdict.ADMITTED
    assert decide(item(age=0), policy(), known=known).verdict is Verdict.WAITING


def test_admit_of_what_was_given_up() -> None:
    failures = (failure(code="first"), failure(code="last"))
    known = attempts(item(), failures=failures, next_at=math.inf)
    decision = decide(item(), policy(), known=known)
    assert decision == Decision(Verdict.SET_ASIDE, "last")


@pytest.mark.parametrize("other", [item(size=11), item("b.txt"), item("a.txt", DECODE)])
def test_admit_ignores_attempts_with_another_item(other: Item) -> None:
    known = attempts(other, next_at=math.inf)
    assert decide(item(), policy(), known=known).verdict is Verdict.ADMITTED


def test_admit_of_a_fresh_file_waits_until_it_settles() -> None:
    decision = decide(item(age=0.5), policy(settle_seconds=2))
    assert (decision.verdict, decision.reason) == (Verdict.WAITING, "not_settled")
    assert decision.wait_seconds == pytest.approx(1.5, abs=1e-5)
    assert decide(item("a.freq", DECODE, age=0), policy()).reason == "not_settled"


def test_admit_with_a_marker_waits_for_it_but_not_for_containers() -> None:
    law = policy(ready_marker=".ready")
    decision = decide(item(), law)
    assert decision == Decision(Verdict.WAITING, "no_marker:.ready", math.inf)
    fresh = decide(item("a.freq", DECODE, age=0), policy(ready_marker=".ready"))
    assert fresh.reason == "not_settled"
    assert decide(item(age=0), law, marked=True).verdict is Verdict.ADMITTED
    assert decide(item("a.freq", DECODE), law).verdict is Verdict.ADMITTED


def test_admit_of_a_container_that_is_known_to_be_whole_does_not_wait() -> None:
    fresh = item("a.freq", DECODE, age=0)
    assert decide(fresh, policy(), marked=True).verdict is Verdict.ADMITTED


def test_admit_checks_in_the_documented_order() -> None:
    name = "x" * 250
    law = policy(allowed_suffixes=(".txt",), max_file_mb=1, exclude=("*",))
    what = item(f"{name}.exe", size=2 << 20, age=0)
    known = attempts(what, next_at=math.inf)
    assert decide(what, law, known=known, done=True).verdict is Verdict.DONE
    assert decide(what, law, known=known).reason == "disallowed_suffix:.exe"
    law = policy(max_file_mb=1, exclude=("*",), include=("y",))
    assert decide(what, law, known=known).reason == "file_too_large:2097152B"
    law = policy(exclude=("*",), include=("y",))
    assert decide(what, law, known=known).reason == "excluded:*"
    assert decide(what, policy(include=("y",))).reason == "not_included"
    assert decide(what, policy(), known=known).reason == "name_too_long"
    what = item(age=0)
    known = attempts(what, next_at=math.inf)
    assert decide(what, policy(), known=known).verdict is Verdict.SET_ASIDE
