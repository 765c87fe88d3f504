"""What the lab's oracle finds, and what it lets pass."""

import json

import drops
import oracle
import pytest
from oracle import AUDIT, Run

DROPPED = {"a.txt": "1", "b.txt": "2", "c.txt": "3"}
ARRIVED = list(DROPPED.items())


def run(*, code: int = 0, told: int = 0, waiting: int = 0) -> Run:
    tallies = {part: {"files": 0, "bytes": 0} for part in oracle.PARTS}
    tallies["delivered"] = {"files": 3, "bytes": 30}
    tallies["waiting"] = {"files": waiting, "bytes": 0}
    audit = {
        **tallies,
        "seen": {"files": 3, "bytes": 30},
        "exit_code": told,
        "bias_flags": 0,
    }
    return Run("node1", code, f"summary\n{AUDIT}{json.dumps(audit)}\n", "")


def test_arrivals_when_each_came_once_and_whole_tells_nothing() -> None:
    assert list(oracle.arrivals(DROPPED, ARRIVED)) == []


def test_arrivals_when_one_is_missing_calls_it_lost() -> None:
    assert list(oracle.arrivals(DROPPED, ARRIVED[1:])) == ["lost: a.txt"]


def test_arrivals_when_one_came_again_tells_even_if_its_bytes_are_equal() -> None:
    told = list(oracle.arrivals(DROPPED, [*ARRIVED, ("b.txt", "2")]))
    assert told == ["arrived twice: b.txt"]


def test_arrivals_when_bytes_differ_tells_which() -> None:
    told = list(oracle.arrivals(DROPPED, [*ARRIVED[:2], ("c.txt", "4")]))
    assert told == ["arrived with other bytes: c.txt"]


def test_arrivals_when_a_name_was_never_dropped_tells_it() -> None:
    told = list(oracle.arrivals(DROPPED, [*ARRIVED, ("d.txt", "4")]))
    assert told == ["never dropped: d.txt"]


def test_arrivals_when_many_are_lost_names_a_few_and_counts_the_rest() -> None:
    dropped = {f"{number}": "" for number in range(9)}
    assert list(oracle.arrivals(dropped, [])) == ["lost: 0, 1, 2, 3, 4 and 4 more"]


def test_sums_when_they_close_tells_nothing() -> None:
    assert list(oracle.sums([run()])) == []


def test_sums_when_a_file_is_not_accounted_for_tells_both_counts() -> None:
    assert list(oracle.sums([run(waiting=1)])) == ["node1: saw 3 files, tells of 4"]


def test_sums_when_exit_and_audit_differ_tells_both() -> None:
    assert list(oracle.sums([run(code=3)])) == ["node1: exit 3, its audit says 0"]


def test_sums_when_the_last_line_is_no_audit_tells_what_was_said() -> None:
    (told,) = oracle.sums([Run("node2", 70, "half a line", "a fault in the program")])
    assert told.startswith("no audit line from node2, exit 70")
    assert "a fault in the program" in told


def test_same_digest_when_one_node_differs_names_it() -> None:
    (told,) = oracle.same_digest("aa", {"node1": "aa", "node2": "bb"})
    assert told.startswith("node2 ")


def test_takeover_when_the_lease_went_in_time_lets_its_things_take_longer() -> None:
    gone = [("nodes/node1/lease", 11.9), ("claims/1", 30.0)]
    assert list(oracle.takeover(gone, lease_seconds=10, slack_seconds=2)) == []


def test_takeover_when_the_lease_went_late_tells_when() -> None:
    gone = [("nodes/node1/lease", 12.1)]
    (told,) = oracle.takeover(gone, lease_seconds=10, slack_seconds=2)
    assert "12.1" in told


def test_takeover_when_something_was_never_taken_names_it() -> None:
    gone = [("nodes/node1/lease", 9.0), ("claims/2", -1.0)]
    (told,) = oracle.takeover(gone, lease_seconds=10, slack_seconds=2)
    assert told == "never taken from the dead node: claims/2"


def test_takeover_when_the_survivor_was_done_first_misses_no_lease() -> None:
    gone = [(".paxect/nodes/node1/lease", -1.0), (".paxect/claims/r.1.run", -1.0)]
    told = oracle.takeover(
        gone, lease_seconds=10, slack_seconds=2, survivor_seconds=3.0
    )
    assert list(told) == []
    late = [(".paxect/nodes/node1/lease", 14.0)]
    told = oracle.takeover(
        late, lease_seconds=10, slack_seconds=2, survivor_seconds=3.0
    )
    assert list(told) == []


@pytest.mark.parametrize(
    ("path", "survivor_seconds"),
    [(".paxect/nodes/node1/lease", 12.1), (".paxect/claims/ab.lock", 3.0)],
)
def test_takeover_when_the_survivor_knew_or_an_item_is_held_names_what_stayed(
    path: str, survivor_seconds: float
) -> None:
    told = oracle.takeover(
        [(path, -1.0)],
        lease_seconds=10,
        slack_seconds=2,
        survivor_seconds=survivor_seconds,
    )
    assert list(told) == [f"never taken from the dead node: {path}"]


def test_takeover_lets_files_of_a_moment_be() -> None:
    gone = [(".paxect/intents/node1/.paxect-a471.tmp", -1.0)]
    assert list(oracle.takeover(gone, lease_seconds=10, slack_seconds=2)) == []


def test_left_when_a_file_of_a_moment_is_among_the_relays_own_lets_it_be() -> None:
    crumbs = [
        ".paxect/nodes/.paxect-0a1b.tmp",
        ".paxect/.paxect-0a1b.tmp",
        "inbox/.paxect-0a1b.tmp",
        "wire/sub/.paxect-0a1b.tmp",
        "wire/.paxect/.paxect-0a1b-\N{LATIN SMALL LETTER E WITH ACUTE}.tmp",
    ]
    assert list(oracle.left(crumbs)) == []


def test_left_when_it_is_among_the_users_files_or_is_another_tells() -> None:
    crumbs = ["outbox/.paxect-0a1b.tmp", ".paxect/stage/n/a.part", "inbox/.nfs01"]
    (told,) = oracle.left(crumbs)
    assert all(crumb in told for crumb in crumbs)


def test_drops_of_one_seed_are_the_same_each_time_and_of_another_differ() -> None:
    assert drops.digests(7, 150) == drops.digests(7, 150)
    assert drops.digests(7, 150) != drops.digests(8, 150)


def test_drops_hold_no_two_names_that_differ_in_case_alone() -> None:
    names = list(drops.digests(1, 400))
    assert len({name.casefold() for name in names}) == len(names) == 400
