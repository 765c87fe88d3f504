"""The report of a run says what happened, needs nothing else, and prints."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from cli_samples import Command, drop, make_share
from report_samples import a_record, an_audit
from serve_samples import NASTY, a_line

from paxect_batch.model.audit import Batch, Part, Tally
from paxect_batch.model.events import Event
from paxect_batch.model.items import Direction, Identity
from paxect_batch.model.places import Place, Root
from paxect_batch.model.records import Fate, Record
from paxect_batch.model.run_settings import RunSettings, SettingInForce
from paxect_batch.report.run_fold import SET_ASIDE_MAX, SLOWEST_MAX, SPANS, RunFold
from paxect_batch.report.run_page import RunFacts, run_page
from paxect_batch.report.run_plot import round_up

BEGAN = "2026-01-02T03:00:00.000Z"
BEGAN_SECONDS = 1767322800.0


def at(seconds: float) -> str:
    return f"2026-01-02T03:{int(seconds) // 60:02}:{seconds % 60:06.3f}Z"


def a_step(came: float, ended: float, **changes: object) -> Record:
    mtime = int((BEGAN_SECONDS + came) * 1e9)
    return a_record(identity=Identity(80, mtime, 2), at=at(ended), **changes)


def a_fold(**changes: object) -> RunFold:
    facts: dict[str, object] = {"started": BEGAN, "duration_seconds": 120.0}
    return RunFold(an_audit(**(facts | changes)))


def page(fold: RunFold, settings: RunSettings | None = None) -> str:
    problems = (a_line(Event.ENCODE_ERROR, NASTY),) if fold.set_aside else ()
    facts = RunFacts("/mnt/exchange", BEGAN, problems, settings)
    return "".join(run_page(fold, facts))


class Tags(HTMLParser):
    """Every tag of a page, and whether all were closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "line", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("ahead", [-300, 300])
def test_fold_of_a_node_whose_clock_is_wrong_begins_with_its_first_record(
    ahead: float,
) -> None:
    fold = RunFold(an_audit(started=at(600 + ahead), duration_seconds=120.0))
    for ended in (602, 630.5, 720):
        fold.add(a_step(600, ended))
    assert [at for at, files in enumerate(fold.files) if files] == [0, 28, 118]


def test_fold_counts_deliveries_and_those_who_wait_by_span() -> None:
    fold = a_fold()
    fold.add(a_step(-500, 30.5))
    fold.add(a_step(60.5, 119))
    fold.add(a_step(0, 10.5, direction=Direction.ENCODE))
    assert [at for at, files in enumerate(fold.files) if files] == [30, 119]
    assert sum(fold.bytes) == 24
    waiting = fold.waiting()
    wire = waiting[Direction.DECODE]
    assert (wire[0], wire[30], wire[31], wire[60], wire[119]) == (1, 1, 0, 1, 1)
    assert sum(waiting[Direction.ENCODE]) == 11
    assert [round(each.seconds, 1) for each in fold.slowest()] == [58.5, 30.5, 10.5]


def test_fold_counts_steps_as_deliveries_where_only_they_are_taken() -> None:
    fold = a_fold(mode="encode")
    fold.add(a_step(0, 1, direction=Direction.ENCODE))
    assert sum(fold.files) == 1


def test_fold_keeps_no_more_than_a_few() -> None:
    fold = a_fold()
    for number in range(1000):
        fold.add(a_step(0, number % 120, fate=Fate.SET_ASIDE, code="crc-mismatch"))
        fold.add(a_step(0, number % 120))
    assert len(fold.slowest()) == SLOWEST_MAX
    assert (len(fold.set_aside), fold.set_aside_count) == (SET_ASIDE_MAX, 1000)
    assert len(fold.files) == SPANS


def test_fold_takes_clocks_that_make_no_sense() -> None:
    fold = a_fold(started="no time", duration_seconds=0.0)
    fold.add(a_record(at="never"))
    fold.add(a_step(1e6, 3, direction=Direction.ENCODE))
    assert sum(fold.files) == 1
    assert all(each >= 0 for counts in fold.waiting().values() for each in counts)


def test_page_tells_the_outcome_with_problems_nodes_and_settings() -> None:
    batch = Batch(
        id="b1",
        digest="d" * 64,
        raw_digest="e" * 64,
        delivered=Tally(2, 24),
        mixed=True,
        parts=(Part("n1", "r1", Tally(1, 12), "f" * 64),),
    )
    fold = a_fold(exit_code=4, batch=batch, node="n1")
    fold.add(a_step(0, 5))
    source = Place(Root.WIRE, NASTY)
    fold.add(
        a_step(
            0, 9, fate=Fate.SET_ASIDE, source=source, code="bad-magic", quarantine="q7"
        )
    )
    settings = RunSettings("n1", "r1", {"workers": SettingInForce(None, "default")})
    text = page(fold, settings)
    parsed = Tags(text)
    assert parsed.open == []
    assert "img" not in {tag for tag, _ in parsed.found}
    for words in (
        "✕ exit code 4: a container&#x27;s structure is broken",
        "quarantine/q7",
        "bad-magic 1",
        "d" * 64,
        "f" * 64,
        "Different codecs or policies",
        "<td>workers</td><td>-</td><td>default</td>",
        "encode_error",
    ):
        assert words in text, words


def test_page_of_a_run_without_trouble_says_so() -> None:
    text = page(a_fold())
    assert "✓ exit code 0" in text
    assert "<h2>Problems</h2><p>None.</p>" in text
    assert "did not record its settings" in text


def test_page_of_a_run_that_began_anew_names_what_it_was_before() -> None:
    assert "taken for dead: r1, r2</p>" in page(a_fold(earlier_runs=("r1", "r2")))
    assert "taken for dead" not in page(a_fold())


def test_page_needs_nothing_else_and_prints() -> None:
    fold = a_fold()
    fold.add(a_step(0, 5))
    parsed = Tags(page(fold)).found
    assert {"script", "link", "img", "iframe", "form"} & {tag for tag, _ in parsed} == (
        set()
    )
    assert not any({"src", "href"} & set(about) for _, about in parsed)
    assert not any(name.startswith("on") for _, about in parsed for name in about)
    assert "@media print" in page(fold)
    assert [about["lang"] for tag, about in parsed if tag == "html"] == ["en"]
    labels = [about["aria-label"] for tag, about in parsed if tag == "svg"]
    assert len(labels) == 3


@pytest.mark.parametrize("value", [0, 1, 4, 5, 9, 10, 11, 99, 101, 123_456_789])
def test_scale_ends_with_a_round_number_that_is_no_less(value: int) -> None:
    most = round_up(value)
    assert value <= most <= max(2 * value, 4)


@pytest.mark.slow
def test_report_of_a_run_is_written_where_it_is_asked_for(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    share, command = make_share(tmp_path, "attempts = 1\n"), Command(capfd)
    assert "no run ended here yet" in command("report", share).err
    drop(share, a_txt=b"one")
    first = command("drain", share, "--workers", "1").audit["run"]
    drop(share, b_txt=b"two")
    (share / "wire" / "odd.txt.freq").write_bytes(b"nonsense")
    last = command("drain", share).audit["run"]
    said = command("report", share)
    assert (said.code, said.err) == (0, "")
    assert last in said.out
    assert "wire/odd.txt.freq" in said.out
    assert "not a .freq container" in said.out
    assert Tags(said.out).open == []
    path = tmp_path / "report.html"
    assert command("report", share, "--run", first, "--to", path).code == 0
    text = path.read_text(encoding="utf-8")
    assert first in text
    assert re.search(r"<td>workers</td><td>1</td><td>--workers</td>", text)
    assert "<p>None.</p>" in text
    said = command("report", share, "--run", "nonsense")
    assert said.code == 64
    assert ".paxect/runs" in said.err
