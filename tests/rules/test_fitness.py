"""What probes found out becomes findings, and the worst of them the verdict."""

from __future__ import annotations

import math

import msgspec
import pytest

from paxect_batch.model.errors import Exit
from paxect_batch.model.fitness import (
    Calls,
    Finding,
    Fitness,
    Level,
    Lock,
    Mount,
    Names,
    Peer,
    Probed,
    Space,
    Speed,
    Times,
    Trial,
    Verdict,
)
from paxect_batch.rules import fitness_calls, fitness_peer
from paxect_batch.rules.fitness import diagnose, is_known
from paxect_batch.rules.fitness_mount import is_network, mount_findings

HELD = Trial(held=True)
BROKEN = Trial(held=False, met="EIO")
CALLS = Calls(**dict.fromkeys(Calls.__struct_fields__, HELD))
NAMES = Names(
    folds_case=False,
    folds_unicode=False,
    keeps_unicode=True,
    takes_bytes=True,
    refused=(),
    bytes_max=255,
)
TIMES = Times(ahead_seconds=0.01, step_ns=1)
SPACE = Space(
    free_bytes=1 << 40, total_bytes=1 << 41, free_inodes=10**6, total_inodes=10**7
)
SPEED = Speed(
    rounds=5, create=1e-3, look=1e-4, rename=1e-4, remove=1e-4, sync_folder=1e-4
)
DISK = Mount("/srv", "ext4", "/dev/sda1", ("rw", "relatime"))
NFS = Mount("/mnt", "nfs4", "server:/x", ("rw", "vers=4.2", "hard", "acdirmax=60"))
SMB = Mount(
    "/mnt",
    "cifs",
    "//server/x",
    ("rw", "vers=3.1.1", "cache=strict", "closetimeo=0", "soft"),
)
PEER = Peer(
    host="n2",
    same_machine=False,
    same_host_name=False,
    round_trip_seconds=0.02,
    ahead_seconds=0.1,
    watched_seconds=15.0,
    seen_after_seconds=0.1,
    **dict.fromkeys(fitness_peer.EXPECTATIONS, HELD),
)
GOOD = Probed(
    share="/srv/share",
    platform="linux",
    host="n1",
    marked=True,
    pinned=None,
    mount=DISK,
    writable=HELD,
    calls=CALLS,
    names=NAMES,
    times=TIMES,
    space=SPACE,
    speed=SPEED,
)


def seen(probed: Probed = GOOD, **changes: object) -> Fitness:
    """Diagnose a good share with some facts changed, of whatever part has them."""
    for part in ("calls", "names", "times", "space", "speed"):
        struct = getattr(probed, part)
        own = {k: v for k, v in changes.items() if hasattr(struct, k)}
        for name in own:
            changes.pop(name)
        if own:
            changes[part] = msgspec.structs.replace(struct, **own)
    return diagnose(msgspec.structs.replace(probed, **changes))


def finding(fitness: Fitness, code: str) -> Finding:
    (found,) = [each for each in fitness.findings if each.code == code]
    return found


def level(fitness: Fitness, code: str) -> Level:
    return finding(fitness, code).level


def test_share_on_a_disk_where_all_holds_is_fit_and_rests_on_markers() -> None:
    fitness = seen()
    assert (fitness.verdict, fitness.exit_code) == (Verdict.FIT, Exit.OK)
    assert fitness.locks is Lock.MARKERS
    assert {each.level for each in fitness.findings} == {Level.OK, Level.NOTE}


def test_share_on_a_network_with_a_peer_where_all_holds_is_fit() -> None:
    for mount in (NFS, SMB):
        fitness = seen(mount=mount, peer=PEER)
        assert fitness.verdict is Verdict.FIT, fitness.findings


def test_share_on_a_network_without_a_peer_needs_care() -> None:
    fitness = seen(mount=NFS)
    assert (fitness.verdict, fitness.exit_code) == (Verdict.CARE, Exit.UNFINISHED)
    assert level(fitness, "alone") is Level.CARE
    assert "doctor --peer /srv/share" in finding(fitness, "alone").advice


def test_peer_that_did_not_come_needs_care_and_says_how_long_it_was_waited_for() -> (
    None
):
    fitness = seen(peer_asked=True, waited_seconds=60.0)
    assert fitness.verdict is Verdict.CARE
    assert "60 s" in finding(fitness, "no_peer").found


@pytest.mark.parametrize("name", fitness_calls.EXPECTATIONS)
def test_call_that_fails_is_a_finding_of_its_level_with_what_it_met(name: str) -> None:
    wanted = fitness_calls.EXPECTATIONS[name]
    fitness = seen(**{name: BROKEN})
    found = finding(fitness, name)
    assert found.level is wanted.level
    assert found.found.endswith(": EIO")
    assert found.advice == wanted.advice
    worst = {Level.NOTE: Verdict.FIT, Level.CARE: Verdict.CARE}
    assert fitness.verdict is worst.get(wanted.level, Verdict.UNFIT)


def test_every_call_and_every_trial_of_peers_is_judged() -> None:
    assert set(fitness_calls.EXPECTATIONS) == set(Calls.__struct_fields__)
    trials = {name for name, kind in Peer.__annotations__.items() if "Trial" in kind}
    assert set(fitness_peer.EXPECTATIONS) == trials


@pytest.mark.parametrize("name", fitness_peer.EXPECTATIONS)
def test_trial_between_peers_that_fails_is_a_finding_of_its_level(name: str) -> None:
    peer = msgspec.structs.replace(PEER, **{name: BROKEN})
    fitness = diagnose(msgspec.structs.replace(GOOD, mount=NFS, peer=peer))
    found = finding(fitness, f"peer_{name}")
    assert found.level is fitness_peer.EXPECTATIONS[name].level
    assert found.found.endswith(": EIO")


@pytest.mark.parametrize(
    "name", ["exclusive", "exclusive_race", "rewritten", "taken_over"]
)
def test_markers_that_fail_here_leave_nothing_to_rest_on(name: str) -> None:
    fitness = seen(**{name: BROKEN})
    assert fitness.locks is None
    assert level(fitness, "locks") is Level.UNFIT


@pytest.mark.parametrize("name", ["exclusive", "rewritten", "marker", "taken_over"])
def test_markers_that_fail_between_machines_leave_locks_of_the_server(
    name: str,
) -> None:
    peer = msgspec.structs.replace(PEER, **{name: BROKEN})
    fitness = diagnose(msgspec.structs.replace(GOOD, mount=NFS, peer=peer))
    assert fitness.locks is Lock.FLOCK
    assert fitness.verdict is Verdict.UNFIT
    assert "nothing here uses them" in finding(fitness, "locks").found


def test_locks_between_processes_of_one_machine_are_no_choice() -> None:
    peer = msgspec.structs.replace(PEER, same_machine=True, marker=BROKEN)
    assert diagnose(msgspec.structs.replace(GOOD, peer=peer)).locks is None


def test_peer_on_the_same_machine_proves_little_on_a_network() -> None:
    peer = msgspec.structs.replace(PEER, same_machine=True)
    on_network = diagnose(msgspec.structs.replace(GOOD, mount=SMB, peer=peer))
    assert on_network.verdict is Verdict.CARE
    assert diagnose(msgspec.structs.replace(GOOD, peer=peer)).verdict is Verdict.FIT


def test_machines_of_one_name_are_unfit_on_a_network() -> None:
    peer = msgspec.structs.replace(PEER, same_host_name=True)
    fitness = diagnose(msgspec.structs.replace(GOOD, mount=NFS, peer=peer))
    assert level(fitness, "same_host_name") is Level.UNFIT


def test_peer_that_was_lost_needs_care_and_what_was_not_tried_is_no_finding() -> None:
    peer = Peer(
        host="n2", same_machine=False, same_host_name=False, lost_at="comparing clocks"
    )
    fitness = diagnose(msgspec.structs.replace(GOOD, mount=NFS, peer=peer))
    assert fitness.verdict is Verdict.CARE
    assert "comparing clocks" in finding(fitness, "peer_lost").found
    codes = {each.code for each in fitness.findings}
    assert not codes & {"peer_marker", "round_trip", "peer_clock", "visible"}


@pytest.mark.parametrize(
    ("changes", "wanted", "words"),
    [
        ({"seen_after_seconds": 0.3}, Level.OK, "0.3 s"),
        ({"seen_after_seconds": 9.0}, Level.NOTE, "9.0 s"),
        ({"seen_after_seconds": None}, Level.NOTE, "not listed within 15 s"),
    ],
)
def test_listing_that_is_late_is_a_note(
    changes: dict[str, object], wanted: Level, words: str
) -> None:
    peer = msgspec.structs.replace(PEER, **changes)
    found = finding(diagnose(msgspec.structs.replace(GOOD, peer=peer)), "visible")
    assert found.level is wanted
    assert words in found.found


@pytest.mark.parametrize(
    ("trip", "wanted"), [(0.4, Level.OK), (0.6, Level.NOTE), (2.5, Level.CARE)]
)
def test_round_trip_that_is_long_is_told(trip: float, wanted: Level) -> None:
    peer = msgspec.structs.replace(PEER, round_trip_seconds=trip)
    fitness = diagnose(msgspec.structs.replace(GOOD, peer=peer))
    assert level(fitness, "round_trip") is wanted


@pytest.mark.parametrize(
    ("ahead", "wanted"),
    [
        (1.9, Level.OK),
        (-1.9, Level.OK),
        (2.5, Level.NOTE),
        (-299.0, Level.NOTE),
        (86400.0, Level.CARE),
    ],
)
def test_clock_that_differs_is_told_by_how_much(ahead: float, wanted: Level) -> None:
    found = finding(seen(ahead_seconds=ahead), "share_clock")
    assert found.level is wanted
    peer = msgspec.structs.replace(PEER, ahead_seconds=ahead)
    fitness = diagnose(msgspec.structs.replace(GOOD, peer=peer))
    assert level(fitness, "peer_clock") is wanted


def test_clock_of_a_peer_is_believed_to_half_a_round_trip_only() -> None:
    peer = msgspec.structs.replace(PEER, ahead_seconds=2.4, round_trip_seconds=1.0)
    fitness = diagnose(msgspec.structs.replace(GOOD, peer=peer))
    assert level(fitness, "peer_clock") is Level.OK


@pytest.mark.parametrize(
    ("changes", "code", "wanted"),
    [
        ({"folds_case": True}, "names_fold", Level.NOTE),
        ({"folds_unicode": True}, "names_fold", Level.NOTE),
        ({"keeps_unicode": False}, "unicode_changed", Level.CARE),
        ({"takes_bytes": False}, "names_are_text", Level.NOTE),
        ({"refused": ("a:b",)}, "names_refused", Level.NOTE),
        ({"bytes_max": 143}, "name_length", Level.CARE),
        ({"bytes_max": 63}, "name_length", Level.UNFIT),
        ({"step_ns": 1_000_000_000}, "time_step", Level.OK),
        ({"step_ns": 2_000_000_000}, "time_step", Level.CARE),
        ({"free_bytes": 1 << 29}, "space", Level.CARE),
        ({"free_bytes": 1 << 20}, "space", Level.UNFIT),
        ({"free_inodes": 5_000}, "inodes", Level.CARE),
        ({"free_inodes": 5}, "inodes", Level.UNFIT),
        ({"create": 0.05}, "speed", Level.NOTE),
        ({"create": 0.5}, "speed", Level.CARE),
        ({"apart": ("outbox",)}, "apart", Level.NOTE),
        ({"marked": False}, "not_laid_out", Level.NOTE),
        ({"pinned": "leases"}, "pinned_unknown", Level.UNFIT),
    ],
)
def test_measure_beyond_its_limit_is_told(
    changes: dict[str, object], code: str, wanted: Level
) -> None:
    fitness = seen(**changes)
    assert level(fitness, code) is wanted
    assert finding(fitness, code).means


def test_inodes_that_are_not_limited_are_no_finding() -> None:
    fitness = seen(free_inodes=None)
    assert "inodes" not in {each.code for each in fitness.findings}


def test_share_that_cannot_be_written_to_is_unfit_and_that_is_all_there_is_to_say() -> (
    None
):
    probed = Probed(
        share="/srv/share",
        platform="linux",
        host="n1",
        marked=True,
        pinned=None,
        mount=None,
        writable=Trial(held=False, met="Read-only file system"),
    )
    fitness = diagnose(probed)
    assert (fitness.verdict, fitness.exit_code) == (Verdict.UNFIT, Exit.SHARE)
    assert [each.code for each in fitness.findings] == ["mount", "not_writable"]
    assert fitness.locks is None


MOUNTS = {
    "ro": (DISK, "ro", "read_only", Level.UNFIT),
    "nobarrier": (DISK, "nobarrier", "no_barrier", Level.CARE),
    "nfs3": (NFS, "vers=3", "nfs_version", Level.CARE),
    "nfs4": (NFS, "vers=4.1", "nfs_version", Level.OK),
    "nfs4-0": (NFS, "vers=4.0", "nfs_version", Level.CARE),
    "nfs-soft": (NFS, "soft", "nfs_soft", Level.CARE),
    "nfs-softerr": (NFS, "softerr", "nfs_soft", Level.CARE),
    "nfs-nocto": (NFS, "nocto", "nfs_nocto", Level.UNFIT),
    "nfs-nolock": (NFS, "nolock", "nfs_local_locks", Level.NOTE),
    "nfs-local": (NFS, "local_lock=all", "nfs_local_locks", Level.NOTE),
    "nfs-names": (NFS, "acdirmax=600", "nfs_names", Level.NOTE),
    "nfs-noac": (NFS, "noac", "nfs_names", Level.OK),
    "smb1": (SMB, "vers=1.0", "smb_version", Level.CARE),
    "smb-loose": (SMB, "cache=loose", "smb_cache", Level.UNFIT),
    "smb-close": (SMB, "closetimeo=5", "smb_close", Level.CARE),
    "smb-close-0": (SMB, "closetimeo=0", "smb_close", Level.OK),
    "smb-sync": (SMB, "nostrictsync", "smb_sync", Level.UNFIT),
    "smb-inodes": (SMB, "noserverino", "smb_inodes", Level.CARE),
    "smb-nobrl": (SMB, "nobrl", "smb_local_locks", Level.NOTE),
}


@pytest.mark.parametrize("name", MOUNTS)
def test_mount_option_that_matters_is_told(name: str) -> None:
    mount, option, code, wanted = MOUNTS[name]
    key = option.partition("=")[0]
    kept = tuple(o for o in mount.options if o.partition("=")[0] != key)
    changed = msgspec.structs.replace(mount, options=(*kept, option))
    (found,) = [each for each in mount_findings(changed) if each.code == code]
    assert found.level is wanted


@pytest.mark.parametrize(
    ("kind", "network", "wanted"),
    [
        ("ext4", False, Level.OK),
        ("apfs", False, Level.OK),
        ("nfs4", True, Level.OK),
        ("smb3", True, Level.OK),
        ("fuse.sshfs", True, Level.CARE),
        ("ceph", True, Level.CARE),
        ("fuse.s3fs", True, Level.UNFIT),
        ("overlay", False, Level.CARE),
        ("vfat", False, Level.CARE),
    ],
)
def test_kind_of_mount_is_told(kind: str, network: bool, wanted: Level) -> None:
    mount = Mount("/mnt", kind, "source", ("rw",))
    assert is_network(mount) is network
    found = next(iter(mount_findings(mount)))
    assert (found.code, found.level) == ("mount", wanted)


def test_mount_that_is_not_known_or_a_server_of_windows_may_be_a_network() -> None:
    assert is_network(None)
    assert is_network(Mount("Z:\\", "NTFS", "Z:\\", ("rw", "remote")))
    assert is_network(Mount("Z:\\", "NTFS", "\\\\server\\x", ("rw",)))


def test_only_markers_are_known() -> None:
    assert is_known("markers")
    assert not is_known("flock")
    assert not is_known("")


def test_finding_that_asks_for_care_says_what_to_do() -> None:
    worst = {
        "calls": Calls(**dict.fromkeys(Calls.__struct_fields__, BROKEN)),
        "peer": msgspec.structs.replace(
            PEER,
            same_host_name=True,
            lost_at="locking",
            ahead_seconds=math.inf,
            **dict.fromkeys(fitness_peer.EXPECTATIONS, BROKEN),
        ),
    }
    fitness = diagnose(msgspec.structs.replace(GOOD, mount=NFS, **worst))
    for found in fitness.findings:
        assert found.found
        assert found.means
        assert found.advice or found.level in (Level.OK, Level.NOTE), found.code
