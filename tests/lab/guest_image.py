"""What a guest boots from: a Debian kernel and a first root with a few modules.

Nothing of it is kept in the repository; `install` fetches packages with apt, as root,
once. The guests have no disk of their own: their root is this machine's file system,
read-only, below a writable layer in their memory.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from guest_scripts import FIRST_ROOT

PACKAGES = (
    "qemu-system-x86",
    "busybox-static",
    "kmod",
    "cpio",
    "e2fsprogs",
    "samba",
    "nfs-kernel-server",
    "nfs-common",
    "rpcbind",
    "cifs-utils",
    "iproute2",
    "python3-venv",
)
COMMANDS = ("qemu-system-x86_64", "busybox", "modprobe", "cpio", "mkfs.ext4")
SERVICES = (
    "smbd",
    "rpc.nfsd",
    "rpc.mountd",
    "rpcbind",
    "mount.nfs",
    "mount.cifs",
    "ip",
)

# Loaded before the real root is there; all others are loaded from this machine's copy.
EARLY_MODULES = (
    "virtio_pci",
    "virtio_net",
    "virtio_console",
    "9pnet_virtio",
    "9p",
    "overlay",
)
_SYSTEM_FOLDERS = ("/usr/sbin", "/sbin", "/usr/bin", "/bin")


class Image:
    """Kernel and first root, below the lab's folder."""

    def __init__(self, folder: Path) -> None:
        self.modules = folder / "kernel"
        self.first_root = folder / "first-root.gz"
        self._folder = folder

    @property
    def version(self) -> str:
        """The kernel's version; `FileNotFoundError` if none was installed."""
        return next((self.modules / "lib/modules").iterdir()).name

    @property
    def kernel(self) -> Path:
        """The file that boots."""
        return self.modules / f"boot/vmlinuz-{self.version}"

    def missing(self) -> list[str]:
        """Tell in words what keeps the lab from running here."""
        told = []
        if os.geteuid() != 0:
            told.append("it needs root, to show guests the files of this machine")
        told += [
            f"the command {command} is not there"
            for command in COMMANDS + SERVICES
            if found(command) is None
        ]
        if not self.first_root.exists():
            told.append(f"there is no guest kernel in {self._folder}")
        return told

    def install(self) -> None:
        """Fetch packages and a kernel, and pack the first root."""
        self._folder.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _run("apt-get", "update", "-qq")
        words = ("apt-get", "install", "-y", "-qq", "--no-install-recommends")
        _run(*words, *PACKAGES, env=environment)
        if not self.modules.exists():
            self._fetch_kernel()
        self._pack_first_root()

    def _fetch_kernel(self) -> None:
        depends = subprocess.run(
            ["apt-cache", "depends", "linux-image-amd64"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        package = next(
            line.split()[1]
            for line in depends.splitlines()
            if "Depends: linux-" in line
        )
        downloads = self._folder / "downloads"
        downloads.mkdir(exist_ok=True)
        # apt fetches as a user of its own, who may not write here.
        _run(
            "apt-get",
            "-o",
            "APT::Sandbox::User=root",
            "download",
            package,
            cwd=downloads,
        )
        unpacked = self._folder / "kernel.part"
        shutil.rmtree(unpacked, ignore_errors=True)
        _run("dpkg", "-x", str(next(downloads.glob("*.deb"))), str(unpacked))
        version = next((unpacked / "lib/modules").iterdir()).name
        _run(_path("depmod"), "-b", str(unpacked), version)
        unpacked.rename(self.modules)

    def _pack_first_root(self) -> None:
        root = self._folder / "first-root"
        shutil.rmtree(root, ignore_errors=True)
        for name in ("bin", "proc", "sys", "dev", "ro", "rw", "new"):
            (root / name).mkdir(parents=True)
        shutil.copy(_path("busybox"), root / "bin/busybox")
        (root / "bin/sh").symlink_to("busybox")
        for source in self._module_files():
            target = root / source.relative_to(self.modules)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
        _run(_path("depmod"), "-b", str(root), self.version, stderr=subprocess.DEVNULL)
        script = root / "init"
        script.write_text(FIRST_ROOT.substitute(modules=" ".join(EARLY_MODULES)))
        script.chmod(0o755)
        part = self.first_root.with_suffix(".part")
        packing = f"find . | cpio -o -H newc --quiet | gzip -1 > '{part}'"
        _run("sh", "-c", packing, cwd=root)
        part.rename(self.first_root)

    def _module_files(self) -> list[Path]:
        files: dict[Path, None] = {}
        for module in EARLY_MODULES:
            words = (
                "-d",
                str(self.modules),
                "-S",
                self.version,
                "--show-depends",
                module,
            )
            told = subprocess.run(
                [_path("modprobe"), *words], check=True, capture_output=True, text=True
            ).stdout
            for line in told.splitlines():
                if line.startswith("insmod"):
                    files[Path(line.split()[1])] = None
        return list(files)


def found(command: str) -> str | None:
    """Return where a command lies; also where only root looks for it."""
    path = os.pathsep.join((os.environ.get("PATH", ""), *_SYSTEM_FOLDERS))
    return shutil.which(command, path=path)


def _path(command: str) -> str:
    path = found(command)
    assert path is not None, f"{command} was installed and is not there"
    return path


def _run(*words: str, **options: object) -> None:
    quiet = {"stdout": subprocess.DEVNULL, **options}
    subprocess.run(words, check=True, **quiet)  # type: ignore[call-overload]
