"""The soak finds what it looks for, and a short one finds nothing."""

from __future__ import annotations

import json
import signal
import sys

import pytest
from soak_measure import MIB, Rest, growth
from soak_traffic import Account

NAME, DIGEST = b"a.bin", "0" * 64


def rest(taken: int = 0, **grown: int) -> Rest:
    facts = {"memory_bytes": 40 * MIB, "descriptors": 60, "threads": 5, "processes": 6}
    facts |= {name: facts[name] + more for name, more in grown.items() if name in facts}
    state = {"claims": grown.get("claims", 0), "ledger": grown.get("ledger", 0)}
    return Rest(
        minutes=1.0, dropped=taken, taken=taken, taken_bytes=0, state=state, **facts
    )


def account() -> Account:
    made = Account()
    made.drop(NAME, DIGEST, 7)
    return made


@pytest.mark.parametrize(
    "grown",
    [
        {"memory_bytes": 30 * MIB},
        {"descriptors": 40},
        {"threads": 20},
        {"processes": 20},
        {"claims": 20},
    ],
    ids=str,
)
def test_growth_of_what_must_stay_flat_is_told(grown: dict[str, int]) -> None:
    assert len(growth([rest(), rest(**grown)])) == 1


def test_growth_of_ledgers_and_with_files_is_none() -> None:
    assert growth([rest(), rest(taken=100_000, ledger=99, memory_bytes=40 * MIB)]) == []
    assert growth([rest()]) == []


def test_account_of_a_file_that_arrives_closes() -> None:
    once = account()
    assert once.owed() == ["a.bin"]
    once.take(NAME, DIGEST, 7)
    assert (once.wrong, once.owed(), once.taken) == ([], [], 1)
    assert once.dropped_bytes == once.taken_bytes == 7


@pytest.mark.parametrize(
    ("name", "digest"), [(NAME, "1" * 64), (b"b.bin", DIGEST)], ids=["bytes", "name"]
)
def test_account_of_what_nobody_dropped_is_wrong(name: bytes, digest: str) -> None:
    once = account()
    once.take(name, digest, 7)
    assert "nobody dropped" in once.wrong[0]


def test_account_of_what_arrives_twice_is_wrong() -> None:
    twice = account()
    twice.take(NAME, DIGEST, 7)
    twice.take(NAME, DIGEST, 7)
    assert "arrived twice" in twice.wrong[0]


@pytest.mark.slow
@pytest.mark.skipif(
    sys.platform == "win32" or not hasattr(signal, "SIGSTOP"),
    reason="no process can be frozen on this platform",
)
def test_short_soak_finds_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    import soak_run

    code = soak_run.main(["0.05", "--seed", "1", "--nodes", "2", "--harm", "0.3"])
    outcome = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert outcome["wrong"] == []
    assert code == 0
    assert outcome["taken"] == outcome["dropped"] > 0
    assert sum(n for what, n in outcome["done"].items() if what != "started") > 0
