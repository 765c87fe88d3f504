"""The mount that a folder lies on, as the kernel's table tells of it."""

import sys
from pathlib import Path

import pytest

from paxect_batch.world.probes_mount import find_mount

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="Linux has such a table"
)


def mounted(tmp_path: Path, point: str, field: str) -> str:
    """Return the mount point found for a folder below it, by a table that has it so."""
    table = tmp_path / "mountinfo"
    lines = "1 0 8:1 / / rw - ext4 /dev/root rw\n"
    lines += f"2 1 0:9 / {field} rw,relatime shared:5 - nfs4 server:/x rw,vers=4.2\n"
    table.write_bytes(lines.encode())
    found = find_mount(f"{point}/share", mount_info=str(table))
    assert found is not None
    return found.point


@pytest.mark.parametrize(
    ("point", "field"),
    [
        ("/mnt", "/mnt"),
        ("/a b", r"/a\040b"),
        ("/a\tb", r"/a\011b"),
        ("/a\nb", r"/a\012b"),
        ("/a\\b", r"/a\134b"),
    ],
)
def test_name_that_the_table_writes_in_octal_is_found(
    tmp_path: Path, point: str, field: str
) -> None:
    assert mounted(tmp_path, point, field) == point


@pytest.mark.parametrize("end", ["\r", "\v", "\f", "\x1c", "\x85", "\u2028"])
def test_name_that_has_what_ends_lines_elsewhere_is_found(
    tmp_path: Path, end: str
) -> None:
    assert mounted(tmp_path, f"/a{end}b", f"/a{end}b") == f"/a{end}b"


def test_deepest_mount_is_found_and_nothing_where_there_is_no_table(
    tmp_path: Path,
) -> None:
    assert mounted(tmp_path, "/elsewhere", "/mnt") == "/"
    assert find_mount("/mnt", mount_info=str(tmp_path / "none")) is None
