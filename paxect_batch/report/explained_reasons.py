"""What each reason means why a file is left or failed; see `explanations`."""

from __future__ import annotations

from paxect_batch.model.explanations import Explanation, Said

_STAYS = "the file is where it was; it counts as `blocked`"
_WAITS = "the file is where it was; it counts as `waiting`"
_ON_WIRE = "containers stay on the wire; they count as `blocked`"


def _left(
    word: str, *also: Said, means: str, cause: str, data: str, todo: str
) -> Explanation:
    return Explanation(
        word=word,
        said=(Said.LEFT, *also),
        means=means,
        cause=cause,
        data=data,
        todo=todo,
    )


def _failed(
    word: str, *also: Said, means: str, cause: str, data: str, todo: str
) -> Explanation:
    return Explanation(
        word=word,
        said=(Said.FAILED, *also),
        means=means,
        cause=cause,
        data=data,
        todo=todo,
    )


LEFT = (
    _left(
        "not_settled",
        means="the file may still be written",
        cause="it changed less than `settle_seconds` ago, or some process has it open "
        "for writing",
        data=_WAITS,
        todo="nothing; it is taken when it rests",
    ),
    _left(
        "no_marker",
        means="the file's ready marker is not there",
        cause="`ready_marker` asks for a file of its name and that suffix beside it",
        data=_WAITS,
        todo="have the producer make the marker last, and names so short that theirs "
        "and the suffix are one; or empty `ready_marker`",
    ),
    _left(
        "backing_off",
        means="the file failed with the code after the colon, and is tried again later",
        cause="the policy's `backoff_seconds`, doubled after each failure",
        data=_WAITS,
        todo="`paxect-batch explain CODE`; mend the cause meanwhile",
    ),
    _left(
        "disallowed_suffix",
        means="files of that suffix do not travel",
        cause="`allowed_suffixes` does not have it",
        data=_STAYS,
        todo="add the suffix to the policy, or take the file away",
    ),
    _left(
        "file_too_large",
        Said.FAILED,
        means="the file, or what its container holds, is larger than the policy allows",
        cause="`max_file_mb` is smaller",
        data="a file that is left is where it was and counts as `blocked`; a container "
        "that holds too much is tried again, then set aside",
        todo="raise `max_file_mb`, or take the file away; then `quarantine retry` if "
        "it was set aside",
    ),
    _left(
        "excluded",
        means="the file's path matches a pattern of `exclude`",
        cause="the pattern after the colon",
        data=_STAYS,
        todo="change the policy, or take the file away",
    ),
    _left(
        "not_included",
        means="the file's path matches no pattern of `include`",
        cause="`include` is not empty, and has none for it",
        data=_STAYS,
        todo="add a pattern to the policy, or take the file away",
    ),
    _left(
        "name_too_long",
        means="the file's container could not be named",
        cause="with `.freq` the name would be longer than 255 bytes, and this run "
        "cannot keep the long name beside the container",
        data=_STAYS,
        todo="give the file a shorter name",
    ),
    _left(
        "untrusted_node",
        means="the node after the colon is not in `trusted_nodes`",
        cause="if it is this node: it may take nothing here. If it is another: its "
        "manifest lies here, and a container may stem from it",
        data="files and containers stay where they are; they count as `blocked`",
        todo="add the node to `trusted_nodes`; or remove "
        "`.paxect/nodes/NODE/manifest.json` of one that has no business here",
    ),
    _left(
        "unsigned",
        means="the manifest of the node after the colon has no signature",
        cause="`require_sig` asks for one, and that node has no key",
        data=_ON_WIRE,
        todo="give that node the key: `--hmac-key-file`",
    ),
    _left(
        "bad_signature",
        means="the manifest of the node after the colon is signed with another key",
        cause="the keys of the nodes differ, or the manifest was changed",
        data="with `require_sig` containers stay on the wire and count as `blocked`; "
        "without, it is only told, as `handshake_reject`",
        todo="give all nodes the same key, and have that node begin a run",
    ),
    _left(
        "no_key",
        means="this node has no key to check signatures with",
        cause="`require_sig` asks for signatures",
        data=_ON_WIRE,
        todo="give this node the key: `--hmac-key-file` or `PAXECT_BATCH_HMAC_KEY`",
    ),
    _left(
        "malformed",
        means="a manifest does not name the node whose place it lies in",
        cause="it was changed, copied there, or written by another program",
        data="with `require_sig` containers stay on the wire and count as `blocked`; "
        "without, it is only told, as `handshake_reject`",
        todo="remove the manifest that `handshake_reject` names",
    ),
    _left(
        "no_manifest",
        means="the node after the colon made the container, and has no manifest here",
        cause="`require_sig` asks that makers of containers sign; its manifest was "
        "removed, or never written",
        data=_ON_WIRE,
        todo="have that node begin a run here with the key",
    ),
    _left(
        "no_peer_manifest",
        means="no other node has left a manifest, so none can be trusted",
        cause="`require_sig` asks that those who make containers sign",
        data=_ON_WIRE,
        todo="have the node that makes the containers begin a run here with the key",
    ),
    _left(
        "unreadable_manifest",
        means="the manifest after the colon cannot be read",
        cause="it is damaged, and `require_sig` asks for signatures",
        data=_ON_WIRE,
        todo="remove it; its node writes it anew when it begins",
    ),
)

FAILED = (
    _failed(
        "unreadable",
        Said.FINDING,
        means="the file cannot be opened or read",
        cause="its permissions or those of its sidecar; what has its name is no file "
        "that can be read, or one that its file system lists and does not find; for "
        "`verify` also an error of the disk",
        data="it is where it was, or set aside unread",
        todo="give the relay's user the right to read it; then `quarantine retry` if "
        "it was set aside",
    ),
    _failed(
        "unremovable",
        means="the file cannot be taken away when it arrived",
        cause="its folder may not be written to, or is everybody's, with the sticky "
        "bit, and the file somebody else's",
        data="it was not sent, since it would arrive again and again; it stays there",
        todo="let the relay's user write to the folder (a producer's `umask 002` and a "
        'common group), or set `on_done = "keep"`',
    ),
    _failed(
        "left-behind",
        means="the file arrived, and could not be taken away afterwards",
        cause="its folder was closed to the relay's user meanwhile, or the file itself "
        "lets nobody move it (`chattr +i`, something mounted on it, a program that has "
        "it open on Windows)",
        data="it arrived once and is not sent again; it stays there, and counts as set "
        "aside in later runs",
        todo="remove it, or let the relay's user do so: each run tries it again",
    ),
    _failed(
        "unreachable",
        means="the folder where the file would arrive lets nothing be published in it",
        cause="it is somebody else's, or another file system is mounted there or "
        "below the root",
        data="nothing of it was published; it is tried again, then set aside",
        todo="let the relay's user write to the folder, or mount at the root and "
        "nowhere below; then `quarantine retry` if it was set aside",
    ),
    _failed(
        "unnameable",
        means="the file cannot have its name where it would arrive",
        cause="the file system there refuses the name, or that of a folder of its "
        "path: for a letter such as `:`, for its length, or since it is no text",
        data="nothing of it was published; it is tried again, then set aside",
        todo="rename the file; if it was set aside, take it out with `quarantine "
        "release` and drop it under another name; see `doctor`",
    ),
    _failed(
        "io-error",
        means="reading or staging the file failed, while the share itself works",
        cause="a bad place on a disk, or a failure that came and went",
        data="nothing of it was published; it is tried again, then set aside",
        todo="see the detail; see to the disk; `quarantine retry`",
    ),
    _failed(
        "no-room",
        means="the file takes more than is free on the disk where it is to be written",
        cause="it is large, or its container holds more than the disk does, and leaves "
        "the last 64 MiB to others; or the file system has no file so large, or this "
        "user may have none (`ulimit -f`)",
        data="nothing of it was published; it stays where it is and counts as "
        "`waiting`, and is tried again after a minute, later after up to an hour",
        todo="make room for it, or raise the limit that the detail names; or limit "
        "what travels by `max_file_mb`",
    ),
    _failed(
        "read-back",
        means="what was staged did not read back as it was written",
        cause="the disk, the file server or the memory of this machine",
        data="it was thrown away; the source is where it was and is tried again",
        todo="if it recurs, stop, and test disk, server and memory",
    ),
    _failed(
        "name-collision",
        means="two files would arrive under one name",
        cause="the names differ only in what the share does not tell apart, such as "
        "case",
        data="each of them is set aside at once; nothing was replaced",
        todo="rename one of them, then `quarantine retry`",
    ),
    _failed(
        "worker-killed",
        means="the file's worker died twice",
        cause="mostly the system, for want of memory",
        data="the file is set aside, unchanged",
        todo="fewer `--workers`, or more memory; then `quarantine retry`",
    ),
)

FINDINGS = (
    Explanation(
        word="ledger_contradiction",
        said=(Said.FINDING,),
        means="records contradict each other, or one holds no SHA-256",
        cause="a ledger was changed or damaged, or a machine computed wrongly",
        data="it is not touched; which record is wrong cannot be told from here",
        todo="compare the ledgers that are named with a copy, and with what arrived",
    ),
    Explanation(
        word="orphaned_sidecar",
        said=(Said.FINDING,),
        means="a sidecar lies on the wire without its container",
        cause="a crash, or a sender that has not sent the container yet",
        data="no container is concerned; no run removes it, and a file whose container "
        "would have its name is set aside as `collision`",
        todo="nothing if the container is still to come; else remove it",
    ),
    Explanation(
        word="differs_from_record",
        said=(Said.FINDING,),
        means="what lies there is not what was recorded",
        cause="somebody changed or replaced it after it was published",
        data="what was published had been verified; what lies there now was not made "
        "by the relay",
        todo="see who changed it, and have it sent again",
    ),
)
