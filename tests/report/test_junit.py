"""The JUnit document is XML whatever the names hold, and its counts are right."""

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from report_samples import a_record, an_audit

from paxect_batch.model.audit import Audit, Tally
from paxect_batch.model.places import Place, Root
from paxect_batch.model.records import Fate, Record
from paxect_batch.report.junit import junit


def parsed(audit: Audit, records: Iterable[Record] = ()) -> ET.Element:
    kept = list(records)
    return ET.fromstring("".join(junit(audit, lambda: kept)))


def test_junit_shows_a_case_for_each_file() -> None:
    suite = parsed(
        an_audit(seen=Tally(2, 24), delivered=Tally(1, 12), set_aside=Tally(1, 12)),
        [
            a_record(),
            a_record(
                "b.txt",
                fate=Fate.SET_ASIDE,
                code="checksum_mismatch",
                detail="bytes differ",
                quarantine="q1",
            ),
            a_record("c.txt", fate=Fate.SET_ASIDE, code="crc", detail="d"),
        ],
    ).find("testsuite")
    assert suite is not None
    cases = suite.findall("testcase")
    assert suite.get("tests") == str(len(cases)) == "8"
    assert suite.get("failures") == "2"
    assert suite.get("skipped") == "0"
    failure = cases[-2].find("failure")
    assert failure is not None
    assert failure.get("type") == "checksum_mismatch"
    assert "quarantine/q1" in str(failure.get("message"))
    assert cases[-2].get("classname") == "paxect-batch.decode"
    assert cases[-3].get("name") == "wire/a.txt.freq"


def test_junit_skips_for_blocked_and_waiting() -> None:
    suite = parsed(
        an_audit(seen=Tally(3, 3), blocked=Tally(2, 2), waiting=Tally(1, 1))
    ).find("testsuite")
    assert suite is not None
    messages = [skipped.get("message") for skipped in suite.iter("skipped")]
    assert messages == ["2 files blocked", "1 file waiting"]


def test_junit_fails_for_a_sum_that_is_open_bias_and_a_bad_end() -> None:
    suite = parsed(
        an_audit(seen=Tally(1, 1), bias_flags=1, deterministic=False, exit_code=3)
    ).find("testsuite")
    assert suite is not None
    kinds = [failure.get("type") for failure in suite.iter("failure")]
    assert kinds == ["accounting", "bias", "exit-3"]


def test_junit_with_names_that_are_no_xml_is_xml() -> None:
    record = a_record(
        fate=Fate.SET_ASIDE,
        source=Place(Root.WIRE, "<\"'&>\u2028\U0001f600"),
        detail="\x00\x1b\ufffe & <",
    )
    suite = parsed(an_audit(), [record])
    assert list(suite.iter("testcase"))[-1].get("name") == (
        "wire/<\"'&>\u2028\U0001f600"
    )
