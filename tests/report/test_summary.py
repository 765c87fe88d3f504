"""The summary and its amounts are read at a glance, in 80 columns."""

import msgspec
import pytest
from report_samples import an_audit

from paxect_batch.model.audit import Batch, Claims, Part, Tally
from paxect_batch.report.amounts import clip, count_text, size_text, time_text
from paxect_batch.report.summary import Whereabouts, summary


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_960, "1.0 MB"),
        (6 << 30, "6.4 GB"),
        (10**21, "1000.0 EB"),
    ],
)
def test_size_text_keeps_to_few_digits(count: int, text: str) -> None:
    assert size_text(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (90061, "1 d 01 h"),
    ],
)
def test_time_text_gives_two_units(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


def test_count_text_knows_one() -> None:
    assert (count_text(1, "file"), count_text(2000, "file")) == (
        "1 file",
        "2,000 files",
    )


def test_clip_leaves_out_the_middle() -> None:
    assert clip("a" * 10, 10) == "a" * 10
    assert clip("abcdefghijklm", 9) == "abc...klm"


def test_summary_of_an_idle_run_says_nothing_to_do() -> None:
    assert summary(an_audit(), []).startswith("nothing to do; 1.5 s")


def test_summary_of_a_good_run_shows_no_row_for_what_did_not_happen() -> None:
    text = summary(
        an_audit(seen=Tally(3, 3000), delivered=Tally(3, 3000), recovered=2), []
    )
    assert text.startswith("all delivered; 1.5 s, 2 files/s, 2.0 kB/s\n")
    assert "blocked" not in text
    assert "recovered: 2 unfinished files" in text


def test_summary_tells_of_lost_claims_only_where_there_were_any() -> None:
    assert "claims" not in summary(an_audit(claims=Claims(tried=9)), [])
    text = summary(an_audit(claims=Claims(tried=1500, lost=2)), [])
    assert "claims: 1,500 tried, 2 lost to other nodes" in text


def test_summary_of_a_bad_run_shows_everything_within_80_columns() -> None:
    many = Tally(12_345_678_901, 10**18)
    text = summary(
        an_audit(
            seen=many,
            delivered=many,
            set_aside=many,
            blocked=many,
            waiting=many,
            bias_flags=1,
            node="n" * 100,
            exit_code=2,
        ),
        [f"problem {number} " + "x" * 100 for number in range(9)],
        stopped="s" * 100,
    )
    assert text.startswith("an integrity failure was seen")
    assert "NOT DETERMINISTIC: 1 self-check" in text
    assert "problem 8" in text
    assert "problem 3" not in text
    assert "ended early" in text
    assert max(map(len, text.splitlines())) <= 80


def test_summary_with_a_code_of_no_run_still_reads() -> None:
    assert summary(an_audit(exit_code=75), []).startswith("ended;")


NORTH = Part("north", "r1", Tally(400, 3_000_000), "d")
SOUTH = Part("south", "r2", Tally(1, 5), "d")


def batch_of(*parts: Part) -> Batch:
    return Batch("b", "1" * 64, "2" * 64, Tally(401, 3_000_005), False, parts)


def test_summary_of_several_nodes_has_a_row_for_each_in_one_column() -> None:
    lines = summary(an_audit(batch=batch_of(NORTH, SOUTH)), []).splitlines()
    begin = lines.index(next(line for line in lines if "all nodes" in line))
    assert lines[begin : begin + 3] == [
        "  all nodes                                  401 files        3.0 MB",
        "    north                                    400 files        3.0 MB",
        "    south                                      1 file            5 B",
    ]
    assert f"batch {'1' * 64}" in "\n".join(lines)


def test_summary_tells_the_runs_of_one_node_apart_and_shows_not_too_many() -> None:
    again = msgspec.structs.replace(SOUTH, node="north")
    text = summary(an_audit(batch=batch_of(NORTH, again)), [])
    assert "    north r1 " in text
    assert "    north r2 " in text
    many = [msgspec.structs.replace(SOUTH, node="n" * 90)] * 40
    text = summary(an_audit(batch=batch_of(*many)), [])
    assert "    and 24 more" in text
    assert max(map(len, text.splitlines())) <= 80


def test_summary_ends_with_what_to_type_for_each_kind_of_trouble() -> None:
    place = Whereabouts("'my share'", "--node n1 'my share'")
    some = Tally(1, 5)
    listed = "    paxect-batch quarantine list 'my share'"
    planned = "    paxect-batch drain --dry-run --node n1 'my share'"
    shown = "    paxect-batch status 'my share'"
    steps = {"set_aside": [listed, shown], "blocked": [planned], "waiting": [shown]}
    for outcome, told in steps.items():
        audit = an_audit(seen=some, exit_code=1, **{outcome: some})
        lines = summary(audit, [], place=place).splitlines()
        assert lines[-len(told) - 1 :] == ["  see why, and what to do:", *told]
        assert "paxect-batch" not in summary(audit, [])
    everything = an_audit(seen=some, **dict.fromkeys(steps, some))
    text = summary(everything, [], place=place)
    assert text.splitlines()[-3:] == [listed, planned, shown]


def test_summary_of_a_good_run_asks_for_nothing() -> None:
    good = an_audit(seen=Tally(1, 5), delivered=Tally(1, 5))
    assert "see why" not in summary(good, [], place=Whereabouts("share"))


def test_what_others_wrote_cannot_upset_a_terminal() -> None:
    text = summary(an_audit(), ["it says \x1b[31mred"], stopped="\x1b[2J")
    assert "\x1b" not in text
    assert "\\x1b[31mred" in text
