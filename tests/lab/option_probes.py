"""What mount options change: the same questions with each, on the node that looks.

Each probe gives a question and the answer that this share gave, in words.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from guest import Guest, RefusedByGuest
from guest_scripts import MOUNTS
from lab import SHARE, Lab
from name_probes import Finding, folder_of, stale

OPTIONS = {
    "nfs": (
        "",
        "actimeo=1",
        "acdirmin=1,acdirmax=5",
        "lookupcache=positive",
        "lookupcache=none",
        "noac",
        "nocto",
        "nconnect=4",
    ),
    "nfs3": ("", "actimeo=1", "lookupcache=none", "nocto"),
    "smb": (
        "",
        "actimeo=0",
        "closetimeo=0",
        "actimeo=0,closetimeo=0",
        "cache=none",
        "cache=loose",
        "nobrl",
        "nostrictsync",
    ),
}
SYNCS = 40


def probes(lab: Lab) -> Iterator[Finding]:
    """Mount the share anew on node2 with each set of options, and ask."""
    second = lab["node2"]
    for options in OPTIONS[lab.setting.protocol]:
        said = options or "the defaults"
        _mount_anew(second, lab.setting.protocol, options)
        try:
            known = _known_options(second)
            yield f"{said}: as mounted", known
            folder = folder_of(lab)
            yield f"{said}: out of date at once", stale(lab, folder, "nothing")
            yield (
                f"{said}: out of date after the folder was opened",
                stale(lab, folder, "open and fstat of the folder"),
            )
            yield (
                f"{said}: {SYNCS} small files written and synced",
                _speed(second, folder),
            )
        except RefusedByGuest as error:
            yield f"{said}: it could not go on", str(error)


def _mount_anew(guest: Guest, protocol: str, options: str) -> None:
    guest.do("forget")
    more = f",{options}" if options else ""
    guest.run(f"umount {SHARE}\n{MOUNTS[protocol].substitute(options=more)}")


def _known_options(guest: Guest) -> str:
    line = guest.run(f"findmnt -n -o OPTIONS {SHARE}").strip()
    skipped = ("addr", "clientaddr", "mount", "rsize", "wsize", "bsize", "uid", "gid")
    return ",".join(each for each in line.split(",") if not each.startswith(skipped))


def _speed(guest: Guest, folder: str) -> str:
    began = time.monotonic()
    guest.do("write_many", folder=folder, count=SYNCS)
    return f"{(time.monotonic() - began) / SYNCS * 1000:.0f} ms each"
