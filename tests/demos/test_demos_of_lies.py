"""A demo whose command does the very thing wrong that it shows says so, and fails.

The command lies beside a Python of its own, is the real one, and does one thing amiss.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from demo_programs import left_behind, show_with_lie

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="scripts are no programs here"),
]

ON_LINE = """
def tell(line):
    if {word!r} in line:
        {deed}
    return line
"""

AT_END = """
def end(code):
    if {word!r} in sys.argv:
        {deed}
    return code
"""


def on_line(word: str, deed: str) -> str:
    return ON_LINE.format(word=word, deed=deed)


def at_end(word: str, deed: str) -> str:
    return AT_END.format(word=word, deed=deed)


LOSES_A_LINE_OF_ITS_LOG = """
def end(code):
    log = Path("paxect_link_log.jsonl")
    kept = [x for x in log.read_text().splitlines(True) if '"event":"decode"' not in x]
    log.write_text("".join(kept))
    return code
"""

LOSES_A_FILE = at_end(
    "drain", "min((Path(sys.argv[-1]) / 'outbox').rglob('*.*')).unlink()"
)

FORGETS_A_RUN = """
def end(code):
    for audit in Path(sys.argv[-1]).glob(".paxect/runs/*/*.json"):
        text = audit.read_text()
        audit.write_text(text.replace('"encoded":{"bytes":5', '"encoded":{"bytes":6'))
    return code
"""

COUNTS_ONE_TOO_MANY = """
def tell(line):
    return line.replace('"seen":{"bytes":215,"files":3}', '"seen":{"bytes":215,"files":4}')
"""

LIES = [
    pytest.param(
        "demo_1_local_basic",
        "paxect-link",
        on_line("[LINK] decode", "Path('outbox/example').write_bytes(b'other')"),
        "other bytes arrived: b'other'",
        id="1-other-bytes",
    ),
    pytest.param(
        "demo_2_policy_hmac",
        "paxect-link",
        on_line("[LINK] policy_block", "Path('outbox/offer').write_bytes(b'cheap')"),
        "the outbox does not hold contract alone",
        id="2-forger-is-believed",
    ),
    pytest.param(
        "demo_3_multi_node",
        "paxect-link",
        "def end(code):\n    return 0 if code == 75 else code\n",
        "paxect-link ended with 0, not with 75",
        id="3-lock-is-ignored",
    ),
    pytest.param(
        "demo_3_multi_node",
        "paxect-link",
        on_line("[LINK] decode", "Path('outboxA/B').write_bytes(b'')"),
        "nodeA did not deliver A alone",
        id="3-nodes-mix",
    ),
    pytest.param(
        "demo_4_observability",
        "paxect-link",
        LOSES_A_LINE_OF_ITS_LOG,
        "these events were logged",
        id="4-log-is-short",
    ),
    pytest.param(
        "demo_5_ci_cd_pipeline",
        "paxect-core",
        at_end("two.freq", "Path('two.freq').write_bytes(b'')"),
        "failed: core_encode_decode",
        id="5-threads-count",
    ),
    pytest.param(
        "demo_6_fail_and_recover",
        "paxect-link",
        "def end(code):\n    Path('inbox/bad.freq').write_bytes(b'')\n    return code\n",
        "bad.freq did not stay as it was",
        id="6-evidence-is-lost",
    ),
    pytest.param(
        "demo_7_three_nodes_one_killed",
        "paxect-batch",
        LOSES_A_FILE,
        "this is not as it should be",
        id="7-file-is-lost",
    ),
    pytest.param(
        "demo_8_tamper",
        "paxect-core",
        "def end(code):\n    return 0\n",
        "ended with 0, not with 2",
        id="8-container-passes",
    ),
    pytest.param(
        "demo_8_tamper",
        "paxect-batch",
        at_end("verify", "return 0"),
        "ended with 0, not with 2",
        id="8-all-passes",
    ),
    pytest.param(
        "demo_8_tamper",
        "paxect-batch",
        at_end("south", "return 0"),
        "ended with 0, not with 1",
        id="8-manifest-passes",
    ),
    pytest.param(
        "complete_demo_01_quick_start",
        "paxect-core",
        "sys.argv = [{'7': '7', '3': '4'}.get(x, x) for x in sys.argv]\n",
        "the containers differ",
        id="01-another-level",
    ),
    pytest.param(
        "complete_demo_02_integration_loop",
        "paxect-batch",
        LOSES_A_FILE,
        "not every cycle delivered all",
        id="02-file-is-lost",
    ),
    pytest.param(
        "complete_demo_03_metrics_health",
        "paxect-batch",
        at_end(
            "00:00-24:00@25%",
            "min((Path(sys.argv[-1]) / 'wire').iterdir()).write_bytes(b'')",
        ),
        "the containers differ",
        id="03-pace-changes-bytes",
    ),
    pytest.param(
        "complete_demo_04_health_metrics",
        "paxect-batch",
        FORGETS_A_RUN,
        "/last is not the audit of the run",
        id="04-last-run-differs",
    ),
    pytest.param(
        "complete_demo_05_ci_cd_pipeline",
        "paxect-batch",
        COUNTS_ONE_TOO_MANY,
        "the sum of files does not close",
        id="05-sum-stays-open",
    ),
]


def test_each_demo_is_lied_to() -> None:
    from test_demos import PRINTED

    assert {lie.values[0] for lie in LIES} == set(PRINTED)


@pytest.mark.parametrize(("demo", "program", "lie", "complaint"), LIES)
def test_demo_with_a_command_that_lies_says_so_and_fails(
    ground: Path, demo: str, program: str, lie: str, complaint: str
) -> None:
    shown = show_with_lie(ground, f"{demo}.py", program, lie)
    assert shown.code == 1, shown
    assert complaint in shown.err
    assert f"{demo}: " in shown.err
    assert "Traceback" not in shown.err
    assert left_behind(ground) == []


def test_demo_with_a_command_that_only_passes_on_shows_what_it_is_to(
    ground: Path,
) -> None:
    shown = show_with_lie(ground, "demo_1_local_basic.py", "paxect-link", "")
    assert (shown.code, shown.err) == (0, "")
