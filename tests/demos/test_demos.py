"""Each demo shows what it says, from any folder, and leaves nothing behind."""

from __future__ import annotations

import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from demo_programs import DEMOS, left_behind, show

pytestmark = pytest.mark.slow

END_OF_7 = "Three nodes, one of them killed: nothing is lost, nothing came twice."

PRINTED = {
    "demo_1_local_basic": ("decoded: ['example']", "Demo 1 complete"),
    "demo_2_policy_hmac": (
        "decoded: ['contract']",
        "handshake_reject: bad_signature:evil",
        "handshake: node2",
        "policy_block: bad_signature:evil",
        "Demo 2 complete",
    ),
    "demo_3_multi_node": (
        "[+] nodeA decoded: ['A']",
        "[+] nodeB decoded: ['B']",
        "Demo 3 complete",
    ),
    "demo_4_observability": (
        "Decoded files: 2",
        "Policy blocks: 1",
        "  encode          2",
        "  policy_block    1",
        "Demo 4 complete",
    ),
    "demo_5_ci_cd_pipeline": (
        "PASS - core_encode_decode",
        "PASS - link_relay_decoded",
        "Demo 5 complete",
    ),
    "demo_6_fail_and_recover": (
        "[LINK] checksum_mismatch: sidecar sha256 mismatch",
        "[+] Outbox files: ['ok']",
        "Self-recovery confirmed: the relay went on after a failure",
    ),
    "demo_7_three_nodes_one_killed": (
        "  [yes] nothing is left in the inbox or on the wire",
        "  [yes] the batch digest of all nodes is the one of a node alone",
        END_OF_7,
    ),
    "demo_8_tamper": (
        "altered: a container, by one bit",
        "altered: a ledger line, its SHA-256",
        "  paxect-batch verify: outbox/delivered.csv: it is not the file that was "
        "delivered",
        "altered: a manifest, its platform",
        "  paxect-batch drain: handshake_reject bad_signature:north",
        "Demo 8 complete",
    ),
    "complete_demo_01_quick_start": ("Deterministic pipeline verified [OK]",),
    "complete_demo_02_integration_loop": ("3 cycles, 0 failures",),
    "complete_demo_03_metrics_health": (
        "throttle:   200 delivered, at a quarter at most",
        "fail-safe:  0 taken at pace 0, 200 left where they were",
        "Deterministic under burst [OK]",
    ),
    "complete_demo_04_health_metrics": (
        "/ping     200 OK",
        "/ready    200 OK",
        "/metrics  200 OK",
        "/last     200 OK",
        "uptime    rises from one look to the next",
        "requests  /ping 1, /ready 2, /metrics 1, /last 1",
    ),
    "complete_demo_05_ci_cd_pipeline": (
        "  seen                   3 files         215 B",
    ),
}


def test_there_is_a_list_of_lines_for_each_demo() -> None:
    names = [path.stem for path in DEMOS.glob("*demo_*.py")]
    assert sorted(names) == sorted(PRINTED)


@pytest.mark.parametrize("name", PRINTED)
def test_demo_from_another_folder_prints_its_lines_and_leaves_nothing(
    ground: Path, name: str
) -> None:
    shown = show(ground, f"{name}.py")
    assert (shown.code, shown.err) == (0, ""), shown.out
    lines = shown.out.splitlines()
    assert [line for line in PRINTED[name] if line not in lines] == []
    audit_lines = [x for x in lines if x.startswith("AUDIT_SUMMARY_JSON={")]
    assert len(audit_lines) == (name == "complete_demo_05_ci_cd_pipeline")
    assert audit_lines in ([], lines[-1:])
    assert left_behind(ground) == []


def test_demo_5_when_asked_for_its_report_keeps_it(ground: Path) -> None:
    report = ground / "report.xml"
    shown = show(ground, "demo_5_ci_cd_pipeline.py", "--junit", str(report))
    assert shown.code == 0, shown.err
    assert f"JUnit report written to: {report}" in shown.out.splitlines()
    suite = ET.parse(report).getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("2", "0")
    assert left_behind(ground) == []


@pytest.mark.skipif(not shutil.which("tmux"), reason="no tmux here")
def test_demo_7_in_panes_ends_well(ground: Path) -> None:
    shown = show(ground, "demo_7_three_nodes_one_killed.py", "--tmux")
    assert shown.code == 0, shown.out + shown.err
    assert shown.out.endswith(f"{END_OF_7}\n")
    assert shown.out.count("[yes]") == 5
    assert left_behind(ground) == []
