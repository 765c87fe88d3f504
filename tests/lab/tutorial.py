"""The tutorial followed to the letter, each command on the machine that it is for.

Packages come from a folder, as guests see no index; all else is as the page has it.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from guest import ANSWER_SECONDS_MAX, Guest
from guest_scripts import SERVER_ADDRESS
from lab import CHECKOUT, SERVER, SHARE, Lab
from scenarios import Verdict

sys.path.insert(0, str(CHECKOUT / "tests" / "docs"))

from page_blocks import NODES, Block, as_shown, blocks, commands

_PAGE = "docs/tutorial.md"
_USER = "relay"
_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
"""Debian's own: what a user of the guest may run is not below root's home."""
_FSTAB = re.compile(r"^ {4}(server:\S+ .*)$", re.MULTILINE)

# NFS leads to an export from the root of who answers for it, and an overlay, as the guest's
# own root is, cannot be exported.
_ANSWER = """
rpc.nfsd 0
while pkill -x rpc.mountd; do sleep 0.2; done
exportfs -ra
{} rpc.mountd
rpc.nfsd -N 3 4
"""
_SERVE_ANEW = """
mkdir -p /answers; mount -t tmpfs tmpfs /answers
for name in /bin /sbin /lib /lib64; do cp -a $name /answers; done
for name in usr etc var proc sys dev run srv; do
  mkdir /answers/$name; mount --rbind /$name /answers/$name
done
mv /etc/exports /etc/exports.lab; : >/etc/exports; exportfs -ua
""" + _ANSWER.format("chroot /answers")
_SERVE_AS_BEFORE = "mv /etc/exports.lab /etc/exports" + _ANSWER.format("")

Machines = dict[str, Guest]
"""The guests, by the names that the page has for them."""


def tutorial(lab: Lab) -> Verdict:
    """Follow the page; what a command prints is what the page shows."""
    page = (CHECKOUT / _PAGE).read_text(encoding="utf-8")
    typed = [block for block in blocks(page) if block.language in ("sh", "console")]
    verdict = Verdict()
    with _named(lab) as machines:
        (line,) = _FSTAB.findall(page)
        for node in NODES:
            machines[node].run(f"echo {shlex.quote(line)} >>/etc/fstab")
        user, export, mount, install, doctor = (
            block.text for block in typed if block.language == "sh"
        )
        _as_root(machines, user, SERVER, *NODES)
        _as_root(machines, export, SERVER)
        _as_root(machines, mount, *NODES)
        _as_root(machines, f"{_packages_at_hand(lab)}\n{install}", *NODES)
        verdict.faults += _unfit(machines, doctor)
        shown = [block for block in typed if block.language == "console"]
        for block in shown:
            verdict.faults += _unlike(machines, block)
    count = sum(len(commands(block.text)) for block in shown)
    verdict.figures.append(f"{count} commands printed what the page shows")
    return verdict


@contextmanager
def _named(lab: Lab) -> Iterator[Machines]:
    """Give the guests the page's names, and a server that exports nothing, for a while."""
    machines = {SERVER: lab.server}
    hosts = f"{SERVER_ADDRESS} {SERVER}\n"
    for node, guest in zip(NODES, lab.nodes, strict=True):
        machines[node] = lab[guest]
        machines[node].run(f"umount {SHARE}; hostname {node}")
        hosts += f"{lab.address(guest)} {node}\n"
    for guest in machines.values():
        guest.run(f"echo {shlex.quote(hosts)} >>/etc/hosts")
    lab.server.run(_SERVE_ANEW)
    try:
        yield machines
    finally:
        for node, guest in zip(NODES, lab.nodes, strict=True):
            machines[node].run("umount /mnt/exchange; true")
            machines[node].run(f"hostname {guest}")
        lab.server.run(_SERVE_AS_BEFORE)
        for guest in lab.nodes:
            lab[guest].run(lab.mount())


def _as_root(machines: Machines, commands: str, *names: str) -> None:
    """Have all of these machines do it, at once."""
    words = f"export PATH={_PATH}\nset -e\n{commands}"
    answers = [machines[name].ask("run", command=words) for name in names]
    for name, answer in zip(names, answers, strict=True):
        code, said = answer.result(ANSWER_SECONDS_MAX)
        assert code == 0, f"{name} ended with {code}:\n{commands}{said}"


def _packages_at_hand(lab: Lab) -> str:
    """Fetch what the project needs; return what lets pip find it, in a copy of it."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = project["project"]["dependencies"] + project["build-system"]["requires"]
    wheels = lab.folder / "wheels"
    python = lab.folder / "fetching" / "bin" / "python"
    for words in (
        ("/usr/bin/python3", "-m", "venv", lab.folder / "fetching"),
        (python, "-m", "pip", "download", "-q", "-d", wheels, *needed),
    ):
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return f"export PIP_NO_INDEX=1 PIP_FIND_LINKS={wheels}\ncd {CHECKOUT}"


def _as_user(machine: Guest, command: str) -> tuple[int, str]:
    words = f"su - {_USER} -c {shlex.quote(command)}"
    code, said = machine.ask("run", command=words).result(ANSWER_SECONDS_MAX)
    return int(code), str(said)


def _unfit(machines: Machines, command: str) -> Iterator[str]:
    """Have both nodes ask for a verdict on the share."""
    with ThreadPoolExecutor() as pool:
        said = pool.map(lambda node: _as_user(machines[node], command), NODES)
        for node, (code, text) in zip(NODES, said, strict=True):
            if not text.splitlines()[-1].startswith("verdict  fit"):
                yield f"doctor on {node} ended with {code}: {text}"


def _unlike(machines: Machines, block: Block) -> Iterator[str]:
    """Type the block's commands; tell if they print anything but what it shows."""
    real = ""
    for prompt, command in commands(block.text):
        node = prompt.rstrip("$ ") or NODES[0]
        _, said = _as_user(machines[node], command.replace("\n> ", "\n"))
        real += f"{prompt}{command}\n{said}"
    if as_shown(block.text, real) != block.text:
        yield f"line {block.line} of {_PAGE}: shown\n{block.text}\nprinted\n{real}"
