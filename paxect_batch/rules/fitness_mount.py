"""Fitness of a mount, by its kind and its options; pure.

What is listed here is known of these file systems; what probes find out counts more.
"""

from __future__ import annotations

from collections.abc import Iterator

from paxect_batch.model.fitness import Finding, Level, Mount

NFS = frozenset({"nfs", "nfs4"})
SMB = frozenset({"cifs", "smb3", "smbfs"})
OTHER_NETWORKS = frozenset(
    {
        *(
            "9p",
            "afpfs",
            "afs",
            "beegfs",
            "ceph",
            "fuse.ceph",
            "fuse.glusterfs",
            "gfs2",
        ),
        *("gpfs", "lustre", "nfsd", "ocfs2", "virtiofs", "vboxsf", "webdav"),
    }
)
OBJECT_STORES = frozenset(
    {
        *("fuse.blobfuse", "fuse.blobfuse2", "fuse.gcsfuse", "fuse.goofys"),
        *("fuse.rclone", "fuse.s3fs", "fuse.mountpoint-s3", "fuse.geesefs", "davfs"),
        *("fuse.davfs2",),
    }
)
"""They copy where a rename is asked for, and let the last writer win."""
FORGETFUL = frozenset({"tmpfs", "ramfs", "overlay", "squashfs"})
FAT = frozenset({"vfat", "msdos", "exfat", "fat32", "FAT", "FAT32", "exFAT"})
NAMES_SECONDS_USUAL = 60
"""NFS believes a name for so long at most, unless `acdirmax` says otherwise."""


def is_network(mount: Mount | None) -> bool:
    """Tell whether other machines may see the same files."""
    if mount is None:
        return True  # nothing speaks against it
    kind = mount.kind.lower()
    known = NFS | SMB | OTHER_NETWORKS | OBJECT_STORES
    # On Windows the kind is that of the server's disk; its name begins with two.
    elsewhere = mount.source.startswith(("\\\\", "//"))
    return (
        kind in known or kind == "fuse.sshfs" or elsewhere or "remote" in mount.options
    )


def mount_findings(mount: Mount | None) -> Iterator[Finding]:
    """Judge a mount."""
    if mount is None:
        yield Finding(
            "mount",
            Level.NOTE,
            "this system does not tell what the share is mounted by",
            "the trials below say what holds; what options would tell is not known",
        )
        return
    yield _kind_finding(mount)
    if "ro" in mount.options:
        yield Finding(
            "read_only",
            Level.UNFIT,
            "it is mounted read-only",
            "every step of the relay writes to the share",
            "mount it read-write",
        )
    if mount.kind in NFS:
        yield from _nfs_findings(mount)
    elif mount.kind in SMB:
        yield from _smb_findings(mount)
    elif "nobarrier" in mount.options or "barrier=0" in mount.options:
        yield Finding(
            "no_barrier",
            Level.CARE,
            "it is mounted without write barriers",
            "what was synced may be gone after a power failure, its source with it",
            "mount it without `nobarrier` and `barrier=0`",
        )


def _kind_finding(mount: Mount) -> Finding:
    shown = f"{mount.source} on {mount.point}, type {mount.kind}"
    if mount.kind in OBJECT_STORES:
        return Finding(
            "mount",
            Level.UNFIT,
            shown,
            "an object store behind a folder: it has no rename that happens at once, "
            "and no create that one maker alone can win",
            "use NFS, SMB, or a local disk",
        )
    if mount.kind in FORGETFUL:
        return Finding(
            "mount",
            Level.CARE,
            shown,
            "what lies there is gone when this machine or container ends",
            "use it for trials only; if a share should be there, mount it",
        )
    if mount.kind in FAT:
        return Finding(
            "mount",
            Level.CARE,
            shown,
            "no journal, no file above 4 GiB on FAT32, times in steps of 2 s",
            "use a file system with a journal",
        )
    if is_network(mount):
        known = mount.kind in NFS | SMB
        means = "NFS and SMB are what the relay is tried on with several machines"
        if not known:
            means = "the relay was not tried on this kind of network file system"
        return Finding(
            "mount",
            Level.OK if known else Level.CARE,
            shown,
            means,
            "" if known else "run doctor --peer on two machines, and believe that",
        )
    return Finding(
        "mount",
        Level.OK,
        shown,
        "a file system of this machine; other machines see it only through a server",
        "nodes on other machines must use the same folder through NFS or SMB, and so "
        "should this one if they do",
    )


def _nfs_findings(mount: Mount) -> Iterator[Finding]:
    options = _options(mount)
    version = options.get("vers", options.get("nfsvers", ""))
    if version.startswith(("2", "3")):
        yield Finding(
            "nfs_version",
            Level.CARE,
            f"NFS version {version}",
            "its creates and locks survive a server's restart less well",
            "mount with vers=4.2 if the server has it",
        )
    elif version == "4.0":
        yield Finding(
            "nfs_version",
            Level.CARE,
            "NFS version 4.0",
            "where a machine loses power, others wait for files that it had read until "
            "the server gives it up: 90 s and more, by default",
            "mount with vers=4.2, or 4.1, with which files can be opened otherwise",
        )
    elif version:
        yield Finding(
            "nfs_version",
            Level.OK,
            f"NFS version {version}",
            "creates and locks are part of the protocol",
        )
    if "soft" in options or "softerr" in options:
        yield Finding(
            "nfs_soft",
            Level.CARE,
            "it is mounted soft: calls fail when the server is silent for a while",
            "a restart of the server ends runs with code 3 instead of a pause",
            "mount with `hard`, which waits",
        )
    if "nocto" in options:
        yield Finding(
            "nfs_nocto",
            Level.UNFIT,
            "it is mounted with nocto",
            "listings and names stay out of date for a minute, whatever is opened",
            "mount with `cto`, the default",
        )
    if "nolock" in options or options.get("local_lock", "none") != "none":
        yield Finding(
            "nfs_local_locks",
            Level.NOTE,
            "locks of the system count on this machine only",
            "claims rest on markers and are not touched by that",
        )
    seconds = int(options["acdirmax"]) if options.get("acdirmax", "").isdigit() else 60
    if "noac" in options or options.get("actimeo") == "0":
        seconds = 0
    yield Finding(
        "nfs_names",
        Level.OK if seconds <= NAMES_SECONDS_USUAL else Level.NOTE,
        f"what is known of a name may be {seconds} s old until its folder is opened",
        "the relay opens it before it believes what is there; other programs of this "
        "machine may see that much later what arrived",
        ""
        if seconds <= NAMES_SECONDS_USUAL
        else "mount with a smaller acdirmax, such as 10",
    )


def _smb_findings(mount: Mount) -> Iterator[Finding]:
    options = _options(mount)
    version = options.get("vers", "")
    if version.startswith(("1", "2.0")):
        yield Finding(
            "smb_version",
            Level.CARE,
            f"SMB version {version}",
            "its creates and caches keep machines apart less well",
            "mount with vers=3.1.1",
        )
    elif version:
        yield Finding(
            "smb_version", Level.OK, f"SMB version {version}", "a version that fits"
        )
    if options.get("cache") == "loose":
        yield Finding(
            "smb_cache",
            Level.UNFIT,
            "it is mounted with cache=loose",
            "a machine keeps reading old bytes while another one has changed them",
            "mount with cache=strict, the default",
        )
    if options.get("closetimeo") == "0":
        yield Finding(
            "smb_close",
            Level.OK,
            "files are closed at once (closetimeo=0)",
            "what a machine that loses power had claimed is taken over in time",
        )
    else:
        yield Finding(
            "smb_close",
            Level.CARE,
            "files stay open for a second after they are closed",
            "the server waits, up to a minute and more, for a machine that lost power "
            "at each file that it had open; its work is taken over as late as that",
            "mount with closetimeo=0",
        )
    if "nostrictsync" in options:
        yield Finding(
            "smb_sync",
            Level.UNFIT,
            "it is mounted with nostrictsync",
            "a sync does not reach the server's disk, and sources are removed after it",
            "mount without `nostrictsync`",
        )
    if "noserverino" in options:
        yield Finding(
            "smb_inodes",
            Level.CARE,
            "it is mounted with noserverino",
            "inode numbers are made up here, so an unchanged file may look changed",
            "mount with `serverino`, the default",
        )
    if "nobrl" in options:
        yield Finding(
            "smb_local_locks",
            Level.NOTE,
            "locks of the system count on this machine only",
            "claims rest on markers and are not touched by that",
        )


def _options(mount: Mount) -> dict[str, str]:
    found = {}
    for option in mount.options:
        name, _, value = option.partition("=")
        found[name] = value
    return found
