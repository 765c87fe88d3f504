"""Boot a system that has the units of `deploy/`, and let them work for real.

    debootstrap --variant=minbase \\
        --include=systemd,systemd-sysv,dbus,python3,python3-venv bookworm ROOT
    python tests/deploy/boot_units.py ROOT

The program is built into ROOT by the steps of the Dockerfile, unless it is there; then
systemd-nspawn boots it. There a watch delivers a file, is reloaded and stopped, a drain
delivers another, and the timer is started: all with the hardening of the units. Then
what `docs/how-to/nightly-etl.md` shows is done. Needs root, systemd-nspawn, bwrap and a
package index; takes a minute or two.
Exits 0 if all of that went well, and prints what was done.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from deploy_files import DEPLOY, INSTANCE, PROGRAM, SHARE
from docker_steps import Image

sys.path.insert(0, str(DEPLOY.parent / "tests" / "docs"))

from page_blocks import ROOT, blocks, commands, run_by

PAGE = "docs/how-to/nightly-etl.md"
NIGHTLY = (ROOT / PAGE).read_text(encoding="utf-8")
UNITS_SHOWN = re.compile(
    r"^`(/etc/systemd/\S+)`:\n\n```ini\n(.*?)^```", re.MULTILINE | re.DOTALL
)
SECONDS_MAX = 600
WATCH, DRAIN = (f"paxect-batch-{name}@{INSTANCE}" for name in ("watch", "drain"))


def _nightly() -> str:
    """Return the steps that the page shows, and what must have come of them."""
    script, *_ = (block for block in blocks(NIGHTLY) if "cat >nightly" in block.text)
    (shown,) = run_by("tests/deploy/boot_units.py", PAGE)
    lines = [text.replace("\n> ", "\n") for _, text in commands(script.text)]
    return "\n".join(
        [
            f"ln -sf {PROGRAM} /usr/local/bin/",
            "cd /usr/local/bin",
            *lines,
            "useradd --system etl || true",
            f"systemctl stop {DRAIN}.timer",
            f"rm -rf {SHARE}",
            "mkdir /mnt/exchange",
            "paxect-batch init -q /mnt/exchange",
            "echo data >/mnt/exchange/inbox/orders.csv",
            "chown -R etl /mnt/exchange",
            "systemctl start nightly.service",
            "[ -e /mnt/exchange/outbox/orders.csv ]",
            shown,
            "systemctl list-timers nightly.timer | grep -q nightly.service",
            "journalctl -u nightly.service | grep -q 'load everything below /mnt'",
        ]
    )


STEPS = f"""#!/bin/sh
exec >/root/steps.log 2>&1
set -ex
trap 'journalctl --no-pager -u "paxect-batch-*"; systemctl poweroff' EXIT
drop() {{ echo "$1" >{SHARE}/inbox/$1; chown paxect {SHARE}/inbox/$1; }}
systemd-sysusers
{PROGRAM} init -q {SHARE}
chown -R paxect:paxect {SHARE}
systemctl start {WATCH}
drop a.txt
until [ -e {SHARE}/outbox/a.txt ]; do sleep 1; done
systemctl reload {WATCH}
systemctl stop {WATCH}
[ "$(systemctl show -P Result {WATCH})" = success ]
drop b.txt
systemctl start {DRAIN}
[ "$(cat {SHARE}/outbox/b.txt)" = b.txt ]
systemctl start {DRAIN}.timer
{_nightly()}
: all is well
"""
UNIT = f"""[Service]
Type=oneshot
ExecStart=/root/steps.sh
TimeoutStartSec={SECONDS_MAX}
[Install]
WantedBy=multi-user.target
"""


def main(words: list[str]) -> int:
    if len(words) != 1 or not Path(words[0], "usr", "lib", "systemd").exists():
        print(__doc__)
        return 64
    root = Path(words[0]).resolve()
    if not (root / PROGRAM.lstrip("/")).exists():
        Image(root, root.parent).make()
        shutil.rmtree(root / "source")
    _lay_out(root)
    subprocess.run(
        [
            "systemd-nspawn",
            "--quiet",
            "--register=no",
            "--keep-unit",
            "--boot",
            "--private-network",
            "--console=pipe",
            "--directory",
            str(root),
        ],
        timeout=SECONDS_MAX,
        capture_output=True,
        check=False,
    )
    log = (root / "root" / "steps.log").read_text(encoding="utf-8")
    print(log, end="")
    return int(": all is well" not in log)


def _lay_out(root: Path) -> None:
    """Put the units into the root, and the steps; take away what was there before."""
    shutil.rmtree(root / SHARE.lstrip("/"), ignore_errors=True)
    (root / SHARE.lstrip("/")).mkdir(parents=True)
    (root / "root" / "steps.log").unlink(missing_ok=True)
    steps = root / "root" / "steps.sh"
    steps.write_text(STEPS, encoding="utf-8")
    steps.chmod(0o755)
    system = root / "etc" / "systemd" / "system"
    for unit in (*DEPLOY.rglob("*.service"), *DEPLOY.rglob("*.timer")):
        shutil.copy(unit, system)
    users = root / "usr" / "lib" / "sysusers.d"
    users.mkdir(exist_ok=True)
    shutil.copy(
        DEPLOY / "systemd" / "paxect-batch.sysusers.conf", users / "paxect-batch.conf"
    )
    for place, text in UNITS_SHOWN.findall(NIGHTLY):
        (root / place.lstrip("/")).write_text(text, encoding="utf-8")
    (system / "steps.service").write_text(UNIT, encoding="utf-8")
    wanted = system / "multi-user.target.wants" / "steps.service"
    wanted.parent.mkdir(exist_ok=True)
    wanted.unlink(missing_ok=True)
    wanted.symlink_to("../steps.service")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
