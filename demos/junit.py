"""What came of a list of checks, as JUnit XML."""

from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET


class Case(NamedTuple):
    """One line of a JUnit report; `fault` is empty if all was well."""

    name: str
    seconds: float
    fault: str


def write_junit(path: Path, suite: str, cases: list[Case]) -> None:
    """Write a JUnit report."""
    faults = sum(bool(case.fault) for case in cases)
    root = ET.Element("testsuites")
    held = ET.SubElement(
        root,
        "testsuite",
        name=suite,
        tests=str(len(cases)),
        failures=str(faults),
        errors="0",
        skipped="0",
        time=f"{sum(case.seconds for case in cases):.3f}",
    )
    for case in cases:
        line = ET.SubElement(
            held,
            "testcase",
            classname=suite,
            name=case.name,
            time=f"{case.seconds:.3f}",
        )
        if case.fault:
            # XML can hold no other control characters.
            text = "".join(
                x if x.isprintable() or x == "\n" else "?" for x in case.fault
            )
            message = text.splitlines()[-1] if text else ""
            ET.SubElement(line, "failure", message=message).text = text
    ET.indent(root)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
