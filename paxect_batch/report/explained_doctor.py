"""What each finding of `doctor` is about; see `explanations`.

The report itself says what was met and how bad that is; here stands what a finding is
about, and what to do if it is no good news.
"""

from __future__ import annotations

from collections.abc import Iterator

from paxect_batch.model.explanations import Explanation, Said

_OTHER_SHARE = "use another share; see docs/doctor.md for what is known to hold"
_DEFAULTS = "mount with the server's defaults; if that is so already, use another share"
_NOTHING = "nothing: nothing rests on it"

_MOUNT = {
    "mount": (
        "what the share is mounted by",
        "NFS, SMB or a local disk will do; for others run `doctor --peer` on two "
        "machines, and believe that",
    ),
    "read_only": ("it is mounted read-only", "mount it read-write"),
    "no_barrier": (
        "what was synced may be gone after a power failure",
        "mount it without `nobarrier` and `barrier=0`",
    ),
    "nfs_version": ("the version of NFS", "mount with `vers=4.2`"),
    "nfs_soft": (
        "calls fail when the server is silent for a while",
        "mount with `hard`, which waits",
    ),
    "nfs_nocto": (
        "listings and names stay out of date for a minute",
        "mount with `cto`, the default",
    ),
    "nfs_local_locks": ("locks of the system count on this machine only", _NOTHING),
    "nfs_names": (
        "how old what is known of a name may be",
        "for quicker consumers, a smaller `acdirmin` and `acdirmax`",
    ),
    "smb_version": ("the version of SMB", "mount with `vers=3.1.1`"),
    "smb_cache": (
        "other machines' bytes are seen late or never",
        "mount with `cache=strict`, the default",
    ),
    "smb_close": (
        "whether files are closed when they are closed",
        "mount with `closetimeo=0`",
    ),
    "smb_sync": (
        "a sync does not reach the server's disk",
        "mount without `nostrictsync`",
    ),
    "smb_inodes": (
        "an unchanged file may look changed",
        "mount with `serverino`, the default",
    ),
    "smb_local_locks": ("locks of the system count on this machine only", _NOTHING),
}
_SHARE = {
    "not_writable": (
        "nothing can be written to the share",
        "mount it read-write, and let the relay's user write to it and to `.paxect`",
    ),
    "not_laid_out": (
        "the folder is no share yet",
        "see that the right thing is mounted, then `paxect-batch init`",
    ),
    "apart": ("some folders are mounts of their own", "nothing"),
    "locks": (
        "whether claims can rest on markers",
        "if not: run one node only, or use another share",
    ),
    "pinned_unknown": (
        "the share is pinned to locks that this version does not know",
        "use the version that pinned them, or take `locks` out of `share.json` while "
        "no node runs",
    ),
    "share_clock": ("how far its clock is off", "let all machines keep time by NTP"),
    "time_step": (
        "how finely it keeps times",
        "let producers write elsewhere and rename files in",
    ),
    "writers": (
        "whether it is told who still writes a file, and of whose files",
        "let producers rename files in, or make a marker; or give the relay the "
        "capability `CAP_LEASE`",
    ),
    "space": ("how much space is free", "make room for twice the largest batch"),
    "inodes": (
        "how many files can still be made",
        "let the server's file system have more inodes",
    ),
    "speed": ("how long small operations take", "see why the share is slow"),
    "names_fold": (
        "names that differ in case or Unicode form are one name",
        "see that producers do not rely on upper and lower case",
    ),
    "names_differ": ("names that differ in case are two names", "nothing"),
    "names_are_text": ("names must be UTF-8", "have producers use such names"),
    "names_refused": (
        "some names cannot be had",
        "have producers use none of those that are listed",
    ),
    "unicode_changed": (
        "accented names come back in another form",
        "see that consumers take either form",
    ),
    "name_length": ("how long a name may be", "keep names shorter than that"),
}
_CALLS = {
    "read_back": ("whether what was synced reads back", _OTHER_SHARE),
    "rewritten": ("whether bytes that change in place are read", _DEFAULTS),
    "listed": ("whether own changes are in the next listing", _DEFAULTS),
    "sync_folder": (
        "whether folders can be synced",
        "see that the server writes renames at once (NFS: `sync` in its exports)",
    ),
    "exclusive": ("whether a name has one maker only", _OTHER_SHARE),
    "exclusive_race": ("the same, of several threads at once", _OTHER_SHARE),
    "replaced": ("whether a rename can replace a file", _OTHER_SHARE),
    "replaced_open": ("the same, while somebody reads the old file", "nothing"),
    "kept": ("whether a rename can leave an existing file alone", _OTHER_SHARE),
    "moved": ("whether a rename to a free name moves the file", _OTHER_SHARE),
    "in_one_call": ("whether to look and to rename is one call", "nothing"),
    "removed_open": ("whether a file that is removed while open is gone", "nothing"),
    "taken_over": ("whether a marker can be renamed aside", _OTHER_SHARE),
    "flock": ("whether locks of the system hold", _NOTHING),
    "soft_lock": ("whether filelock's soft locks hold", _NOTHING),
    "link": ("whether hard links can be made", "nothing"),
}
_PEERS = {
    "peer": ("that a peer took part", "run it on another machine, if it was this one"),
    "alone": ("only this machine looked", "run `doctor --peer` on two machines"),
    "no_peer": (
        "no peer came",
        "start both within a minute, or give more time with `--peer-seconds`; see "
        "that both name the same folder",
    ),
    "peer_lost": ("the peer was heard no more", "see what it said, and run both again"),
    "same_host_name": (
        "both machines have one host name",
        "give each machine its own host name",
    ),
    "peer_exclusive": ("whether a name has one maker on two machines", _OTHER_SHARE),
    "peer_marker": ("whether the peer's marker keeps this one out", _OTHER_SHARE),
    "peer_taken_over": ("whether a marker taken over looks lost", _OTHER_SHARE),
    "peer_rewritten": ("whether bytes that the peer changes are read", _DEFAULTS),
    "peer_grown": ("whether a file that the peer appends to grows here", _DEFAULTS),
    "peer_freshened": (
        "whether a listing is fresh after a change of one's own",
        _DEFAULTS,
    ),
    "peer_kept": (
        "whether a rename leaves alone what the peer just made",
        "let nobody but the relay make files in the outbox",
    ),
    "peer_flock": ("whether locks of the system hold between both", _NOTHING),
    "peer_soft_lock": ("whether filelock's soft locks hold between both", _NOTHING),
    "peer_clock": (
        "how far the clocks of both are apart",
        "let all machines keep time by NTP",
    ),
    "round_trip": ("how long a few bytes take there and back", "see why it is slow"),
    "visible": (
        "how soon a new file of the peer is listed",
        "for a quicker `watch`, a smaller `acdirmin` and `acdirmax`",
    ),
}


def _findings() -> Iterator[Explanation]:
    for cause, entries in (
        ("the options of the mount, as the system tells them", _MOUNT),
        ("the share itself, as it was found", _SHARE),
        ("a call that the relay makes was tried", _CALLS),
        ("two machines tried it at the same time", _PEERS),
    ):
        for word, (means, todo) in entries.items():
            yield Explanation(
                word=word,
                said=(Said.DOCTOR,),
                means=means,
                cause=f"{cause}; the report says what was met",
                data="nothing was changed by looking; what was made for it is gone",
                todo=todo,
            )


DOCTOR = tuple(_findings())
