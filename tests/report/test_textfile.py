"""The textfile is what Prometheus takes: help and type once, then samples."""

import re

from report_samples import an_audit

from paxect_batch.model.audit import Tally
from paxect_batch.report.textfile import textfile

SAMPLE = re.compile(
    r'paxect_batch_last_run_[a-z_]+\{[a-z_0-9]+="(?:[^"\\\n]|\\["\\n])*"'
    r'(?:,[a-z_0-9]+="(?:[^"\\\n]|\\["\\n])*")*\} -?[0-9.e+]+'
)


def test_textfile_has_help_and_type_once_for_each_metric() -> None:
    lines = textfile(an_audit(), completed_seconds=5.5).splitlines()
    names = [line.split()[2] for line in lines if line.startswith("# HELP")]
    types = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert names == types
    assert len(names) == len(set(names))
    assert all(SAMPLE.fullmatch(line) for line in lines if line[0] != "#")


def test_textfile_outcomes_add_up_to_what_was_seen() -> None:
    text = textfile(
        an_audit(
            delivered=Tally(1, 10),
            set_aside=Tally(2, 20),
            blocked=Tally(3, 30),
            waiting=Tally(4, 40),
        ),
        completed_seconds=5.5,
    )
    counts = re.findall(r'_files\{node="n1",outcome="[a-z_]+"\} (\d+)', text)
    assert sum(map(int, counts)) == 10
    assert 'completion_timestamp_seconds{node="n1"} 5.5' in text


def test_textfile_escapes_label_values() -> None:
    text = textfile(an_audit(node='a"\\\nb'), completed_seconds=0)
    assert 'node="a\\"\\\\\\nb"' in text
    assert all(
        SAMPLE.fullmatch(line) for line in text.splitlines() if not line.startswith("#")
    )
