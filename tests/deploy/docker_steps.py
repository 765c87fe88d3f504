"""Run the steps of the Dockerfile without an engine, in a root of their own.

    debootstrap --variant=minbase --include=python3,python3-venv bookworm ROOT
    python tests/deploy/docker_steps.py ROOT

ROOT stands in for the base image of both stages. The first stage is run in it by bwrap,
step by step, packages taken from the index that pip is set up for; then the image's
command is run as its user, on a read-only root, with a share of its own, asked for its
health from inside, and stopped. What was built is taken away again. Takes a minute;
exits 0 if a file came through and all was healthy.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deploy_files import DEPLOY, PREFIX, ROOT, Step, dockerfile

SECONDS_MAX = 60
_PIP = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
_HOST_FILES = (
    "/etc/resolv.conf",
    "/etc/pip.conf",
    "/etc/ssl/certs",
    "/usr/local/share/ca-certificates",
    *(value for value in _PIP.values() if value.startswith("/")),
)
"""What pip needs of the machine to find an index: a container has it from its engine."""


class Image:
    """What the Dockerfile says, and a root to try it in."""

    def __init__(self, root: Path, work: Path) -> None:
        self.root, self.work = root, work
        self.build, self.final = dockerfile(DEPLOY / "docker" / "Dockerfile")
        self.folder = "/"

    def make(self) -> None:
        """Run the first stage."""
        # The base image has `python`, where Debian has `python3`.
        python = self.root / "usr" / "local" / "bin" / "python"
        if not python.is_symlink():
            python.symlink_to("/usr/bin/python3")
        for step in self.build[1:]:
            print(f"{step.name} {step.text}", flush=True)
            getattr(self, f"_{step.name.lower()}")(step)

    def _workdir(self, step: Step) -> None:
        self.folder = step.text
        (self.root / step.text.lstrip("/")).mkdir(parents=True, exist_ok=True)

    def _copy(self, step: Step) -> None:
        *sources, target = step.words
        into = self.root / self.folder.lstrip("/") / target
        for source in sources:
            path = ROOT / source
            if path.is_dir():
                hidden = shutil.ignore_patterns("__pycache__")
                shutil.copytree(path, into, ignore=hidden, dirs_exist_ok=True)
            else:
                shutil.copy(path, into / path.name if target == "./" else into)

    def _run(self, step: Step) -> None:
        command = ["bwrap", "--bind", str(self.root), "/", "--dev", "/dev"]
        command += ["--proc", "/proc", "--tmpfs", "/tmp", "--chdir", self.folder]
        for name in _HOST_FILES:
            command += ["--ro-bind-try", name, name]
        index = Path.home() / ".config" / "pip"
        command += ["--ro-bind-try", str(index), "/root/.config/pip"]
        path = "/usr/local/bin:/usr/bin:/bin"
        subprocess.run(
            [*command, "sh", "-c", step.text],
            env=_PIP | {"PATH": path, "HOME": "/root"},
            check=True,
        )

    def said(self, name: str) -> Step:
        """Return the one instruction of that name in the final stage."""
        (step,) = (step for step in self.final if step.name == name)
        return step

    def command(self, words: list[str], share: Path) -> list[str]:
        """Return a command as the image runs it, on its read-only root."""
        user, group = self.said("USER").text.split(":")
        command = ["bwrap", "--ro-bind", str(self.root), "/", "--dev", "/dev"]
        command += ["--proc", "/proc", "--tmpfs", "/tmp", "--cap-drop", "ALL"]
        command += ["--bind", str(share), "/share", "--clearenv", "--die-with-parent"]
        command += ["--unshare-user", "--uid", user, "--gid", group]
        for word in self.said("ENV").words:
            command += ["--setenv", *word.split("=", 1)]
        return [*command, *words]


def main(words: list[str]) -> int:
    if len(words) != 1 or not Path(words[0], "usr", "bin", "python3").exists():
        print(__doc__)
        return 64
    root = Path(words[0]).resolve()
    with tempfile.TemporaryDirectory(dir=root.parent) as work:
        image = Image(root, Path(work))
        try:
            image.make()
            return _try(image)
        finally:
            shutil.rmtree(root / PREFIX.lstrip("/"), ignore_errors=True)
            shutil.rmtree(root / "source", ignore_errors=True)


def _try(image: Image) -> int:
    # The share has to have its place in a root that cannot be written.
    (image.root / "share").mkdir(exist_ok=True)
    share = image.work / "share"
    share.mkdir()
    entry = image.said("ENTRYPOINT").words
    subprocess.run(image.command([*entry, "init", "-q", "/share"], share), check=True)
    dropped = share / "inbox" / "a.txt"
    dropped.write_bytes(b"some bytes")
    os.utime(dropped, (1_700_000_000, 1_700_000_000))
    running = entry + image.said("CMD").words
    print(f"as USER {image.said('USER').text}: {' '.join(running)}", flush=True)
    relay = subprocess.Popen(image.command(running, share), stdout=subprocess.PIPE)
    try:
        arrived = _comes(share / "outbox" / "a.txt")
        check = Step("CMD", image.said("HEALTHCHECK").text.partition("CMD ")[2]).words
        healthy = subprocess.run(image.command(check, share), check=False)
    finally:
        # bwrap passes no signal on; the relay is its one child.
        children = Path(f"/proc/{relay.pid}/task/{relay.pid}/children").read_text()
        os.kill(int(children.split()[0]), 15)
        audit, _ = relay.communicate()
    print(audit.decode(), end="")
    print(
        f"arrived: {arrived}; health: {healthy.returncode}; ended: {relay.returncode}"
    )
    return int(not arrived or healthy.returncode != 0 or relay.returncode != 143)


def _comes(path: Path) -> bool:
    until = time.monotonic() + SECONDS_MAX
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.1)
    return path.exists() and path.read_bytes() == b"some bytes"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
