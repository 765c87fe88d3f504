"""Lay out a share: folders, a commented policy, and last of all the marker.

What is there already is kept as it is. The marker comes last, so that a share which
bears one is complete, and an `init` that was cut short can be run again.
"""

from __future__ import annotations

import os
import uuid

import msgspec

from paxect_batch.cli import console
from paxect_batch.cli.arguments import Arguments
from paxect_batch.cli.layout import MARKER_NAME, POLICY_NAME, SHARE_FORMAT
from paxect_batch.cli.shell_words import shell_word
from paxect_batch.model.errors import ConfigError, Exit, ShareError
from paxect_batch.model.nodes import ShareMarker
from paxect_batch.model.places import STATE_NAME

_FOLDERS = ("inbox", "outbox", "wire", STATE_NAME)

POLICY_TEXT = """\
# The policy of this share: which files travel, and what becomes of them.
# What begins with a # is a default; take the # away to change it. A change takes
# effect at the next scan; one that cannot be meant is refused and changes nothing.
version = "2"

# Which files travel. Empty lists mean: any.
#trusted_nodes = []            # nodes that may run here and whose containers count
#allowed_suffixes = []         # such as [".csv", ".json"]
#include = []                  # patterns for paths below the inbox: ["daily/*.csv"]
#exclude = []                  # patterns for paths that stay where they are
#max_file_mb = 0               # largest file in MiB; 0: any size
#require_sig = false           # whether other nodes must sign their manifests

# When a file is complete.
#settle_seconds = 2.0          # how long it must not have changed
#ready_marker = ""             # or: only when NAME and this suffix lies beside it

# How it is packed. These decide the bytes of containers.
#naming = "full"               # a.txt -> a.txt.freq; stem: a.txt -> a.freq -> a
#level = 3                     # zstd level, -128 to 22
#channels = 1                  # 1 to 8
#frame_bytes = 1048576         # raw bytes in a frame
#verify = "readback"           # read back what was written before a source may go; off
#carry_times = false           # whether modification times travel
#carry_mode = false            # whether permission bits travel

# What becomes of it afterwards.
#on_done = "delete"            # what becomes of a source: delete, archive or keep
#on_collision = "quarantine"   # if other bytes have the name: quarantine or wait
#attempts = 3                  # tries before a file is set aside
#backoff_seconds = 30.0        # wait after the first failure; doubled after each
#quarantine = true             # move what is set aside; otherwise it stays in place

#log_level = "info"            # debug, info, warn or error
"""


def command(arguments: Arguments) -> int:
    """Lay out the share that the operand names."""
    share = arguments.operands[0]
    lay_out(share)
    if not arguments.has("quiet"):
        console.say(_what_next(share))
    return Exit.OK


def lay_out(share: str) -> None:
    """Make a share of a folder, which is made too if its parent is there."""
    marker = os.path.join(share, STATE_NAME, MARKER_NAME)
    if os.path.lexists(marker):
        raise ConfigError(
            f"{share!r} is a share already; nothing was changed; "
            f"see how it stands with: paxect-batch status {shell_word(share)}"
        )
    try:
        os.makedirs(share, exist_ok=True)
        for name in _FOLDERS:
            os.makedirs(os.path.join(share, name), exist_ok=True)
        policy = os.path.join(share, STATE_NAME, POLICY_NAME)
        if not os.path.lexists(policy):
            console.write_whole(policy, [POLICY_TEXT.encode()])
        facts = ShareMarker(format=SHARE_FORMAT, share_id=uuid.uuid4().hex)
        text = msgspec.json.format(msgspec.json.encode(facts), indent=1)
        console.write_whole(marker, [text + b"\n"])
    except OSError as error:
        raise ShareError(
            f"laying out {share!r} gave: {console.os_error_text(error)}; it is no "
            "share yet and nothing that was there was changed; mend that and run "
            "init again"
        ) from error


def _what_next(share: str) -> str:
    words = shell_word(share)
    inbox = os.path.join(share, "inbox")
    outbox = os.path.join(share, "outbox")
    policy = os.path.join(share, STATE_NAME, POLICY_NAME)
    return (
        f"{share} is a share now.\n"
        "\n"
        f"  1. read the policy, and change it if need be:  {policy}\n"
        f"  2. drop files into                             {inbox}\n"
        f"  3. see what would be done:   paxect-batch drain --dry-run {words}\n"
        f"  4. relay them:               paxect-batch drain {words}\n"
        f"  5. take what arrived from                      {outbox}"
    )
