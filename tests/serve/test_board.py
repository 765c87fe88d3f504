"""The board and what is made of it: throughput, health, counts of what workers did."""

from concurrent.futures import Future

from serve_samples import (
    NOW,
    Now,
    a_board,
    a_full_board,
    a_line,
    a_lot,
    a_node,
    a_reason,
    a_sad_status,
    a_status,
)

from paxect_batch.model.events import Event
from paxect_batch.model.leases import Lease, Machine, Word
from paxect_batch.model.run import Standing
from paxect_batch.model.status import Life
from paxect_batch.model.transfer import Lot, Outcome, Result
from paxect_batch.model.view import LISTED_MAX, Ground, Minute, Wellness
from paxect_batch.report.metrics import view_families
from paxect_batch.report.screen import screen
from paxect_batch.serve.counted import CountedExecutor
from paxect_batch.serve.throughput import Throughput


def a_lease(node: str, files: int, *, run: str = "first", pid: int = 7) -> Lease:
    return Lease(
        node=node,
        run=run,
        batch="b",
        machine=Machine(host="h", machine="m", boot="b", pid=pid, started=f"{pid}"),
        seconds=10.0,
        since="2027-01-15T07:00:00.000Z",
        word=Word(delivered_files=files, delivered_bytes=files),
    )


def test_throughput_counts_the_own_run_as_it_goes() -> None:
    throughput = Throughput()
    throughput.of_own_run(10, 1000, at=NOW)
    throughput.of_own_run(15, 1500, at=NOW + 0.1)
    throughput.of_own_run(30, 3000, at=NOW + 60)
    assert throughput.minutes(NOW + 61) == (
        Minute(int(NOW), 15, 1500),
        Minute(int(NOW) + 60, 15, 1500),
    )
    assert throughput.rate(NOW + 61).files_per_second == 1.0
    assert throughput.rate(NOW + 80).files_per_second == 0.0


def test_throughput_of_others_begins_with_the_second_look() -> None:
    throughput = Throughput()
    throughput.of_others([a_lease("n1", 100)], at=NOW)
    throughput.of_others([a_lease("n1", 110), a_lease("n2", 5)], at=NOW + 1)
    throughput.of_others([a_lease("n2", 5)], at=NOW + 2)
    assert [minute.files for minute in throughput.minutes(NOW + 2)] == [15]


def test_throughput_of_others_counts_nothing_twice() -> None:
    throughput = Throughput()
    throughput.of_others([], at=NOW)
    throughput.of_others([a_lease("n1", 100)], at=NOW + 1)
    throughput.of_others([], at=NOW + 2)  # a listing that came late
    throughput.of_others([a_lease("n1", 110)], at=NOW + 3)
    throughput.of_others([a_lease("n1", 111, run="anew")], at=NOW + 4)
    assert [minute.files for minute in throughput.minutes(NOW + 4)] == [111]
    throughput.of_others([a_lease("n1", 7, run="third", pid=8)], at=NOW + 5)
    assert [minute.files for minute in throughput.minutes(NOW + 5)] == [118]


def test_own_node_is_no_other_one_after_its_run_began_anew() -> None:
    board = a_board()
    board.begin_run(node="north", run="first", mode="relay", watch=True)
    board.note_status(a_status(nodes=()), took_seconds=0.1)
    board.note_status(a_status(nodes=(a_node("north"),)), took_seconds=0.1)
    assert board.view().minutes == ()


def test_throughput_forgets_what_is_older_than_an_hour() -> None:
    throughput = Throughput()
    for minute in range(200):
        throughput.of_own_run(minute + 1, minute + 1, at=NOW + 60 * minute)
    minutes = throughput.minutes(NOW + 60 * 199)
    assert len(minutes) == 60
    assert minutes[-1].at == NOW + 60 * 199


def test_health_is_well_only_when_nothing_asks_for_a_look() -> None:
    board = a_full_board()
    assert board.view().health.wellness is Wellness.WELL
    assert board.view().health.reasons == ()
    board.note_status(a_status(set_aside=(a_reason(),)), took_seconds=0.1)
    health = board.view().health
    assert (health.wellness, health.reasons) == (Wellness.CARE, ("1 file set aside",))
    board.note_ground(Ground(at=NOW, problems=("full",)))
    assert board.view().health.wellness is Wellness.TROUBLE
    assert board.view().health.reasons[0] == "full"


def test_what_was_set_aside_where_it_was_asks_for_a_look_as_well() -> None:
    (given_up,) = a_sad_status().backing_off
    board = a_full_board()
    board.note_status(a_status(given_up=(given_up,)), took_seconds=0.1)
    view = board.view()
    assert view.health.reasons == ("1 file set aside",)
    (counted,) = [
        family
        for family in view_families(view)
        if family.name == "paxect_batch_given_up_files"
    ]
    assert [sample.value for sample in counted.samples] == [1]
    told = screen(view, columns=100, rows=60)
    assert any("1 file, 0 to be tried again" in line for line in told)
    assert any("where it was, " in line for line in told)


def test_share_that_hangs_is_not_ready_though_the_clock_was_set_back() -> None:
    clock, monotonic = Now(), Now()
    board = a_board(clock, monotonic)
    board.note_ground(Ground(at=NOW))
    board.note_status(a_status(), took_seconds=0.1)
    clock.at -= 3600
    assert board.view().not_ready == ()
    monotonic.at += 61
    assert board.view().not_ready == ("the share has not answered for 1 min 01 s",)
    monotonic.at += 10
    assert "what is shown is 1 min 11 s old" in board.view().health.reasons


def test_health_names_a_few_silent_nodes_and_counts_the_rest() -> None:
    board = a_full_board()
    nodes = tuple(a_node(f"n{number}", Life.SILENT) for number in range(5))
    board.note_status(a_status(nodes=nodes, waiting_seconds=4000.0), took_seconds=0.1)
    health = board.view().health
    assert health.wellness is Wellness.TROUBLE
    assert "no node is at work" in health.reasons[0]
    assert "2 more nodes show no life" in health.reasons


def test_health_says_when_what_is_shown_is_old() -> None:
    now = Now()
    board = a_full_board(now)
    now.at += 75
    board.note_ground(Ground(at=now.at))
    (reason,) = board.view().health.reasons
    assert "1 min 15 s old" in reason


def test_lists_of_a_view_are_bounded_and_counts_are_not() -> None:
    board = a_board()
    many = tuple(a_reason(number) for number in range(500))
    board.note_status(a_status(set_aside=many), took_seconds=0.1)
    seen = board.view().seen
    assert seen is not None
    assert (len(seen.set_aside), seen.set_aside_count) == (LISTED_MAX, 500)
    assert seen.set_aside[0].id == "q499"


def test_standing_is_copied_since_the_run_goes_on_changing_it() -> None:
    board = a_board()
    standing = Standing(delivered_files=1)
    board.note_standing(standing)
    standing.delivered_files = 2
    doings = board.view().doings
    assert doings is not None
    assert doings.outcomes["delivered"].files == 1


def test_events_of_other_processes_replace_those_shown_before() -> None:
    board = a_board()
    board.note_status(a_status(), took_seconds=0.1, events=(a_line(message="x"),))
    board.note_status(a_status(), took_seconds=0.1, events=(a_line(message="y"),))
    assert [line.message for line in board.newest()] == ["y"]


def test_run_that_begins_anew_goes_on_with_its_counts() -> None:
    board = a_full_board()
    board.note_event(a_line(Event.LEASE_LOST))
    board.begin_run(node="north", run="second", mode="relay", watch=True)
    view = board.view()
    assert view.identity.run == "second"
    assert view.doings is not None
    assert view.doings.outcomes["delivered"].files == 5


class Workers:
    """An executor whose lots are done by the test."""

    def __init__(self) -> None:
        self.futures: list[Future[tuple[Outcome, ...]]] = []
        self.is_stopped = False

    def submit(self, lot: Lot) -> Future[tuple[Outcome, ...]]:
        self.futures.append(Future())
        return self.futures[-1]

    def stop(self) -> None:
        self.is_stopped = True


def test_counted_executor_tells_of_lots_that_were_done_and_of_no_other() -> None:
    workers, told = Workers(), []
    executor = CountedExecutor(workers, lambda lot, outcomes: told.append(outcomes))
    lot, outcomes = a_lot(Outcome(Result.STAGED))
    futures = [executor.submit(lot) for _ in range(3)]
    workers.futures[0].set_result(outcomes)
    workers.futures[1].set_exception(OSError())
    workers.futures[2].cancel()
    executor.stop()
    assert told == [outcomes]
    assert futures == workers.futures
    assert workers.is_stopped
