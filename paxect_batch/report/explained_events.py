"""What each event means; `explanations` has all that can be explained."""

from __future__ import annotations

from paxect_batch.model.events import Event
from paxect_batch.model.explanations import Explanation, Said


def _event(
    event: Event, *also: Said, means: str, cause: str, data: str, todo: str
) -> Explanation:
    return Explanation(
        word=event,
        said=(Said.EVENT, *also),
        means=means,
        cause=cause,
        data=data,
        todo=todo,
    )


EVENTS = (
    _event(
        Event.STARTUP,
        means="a run began",
        cause="`drain` or `watch` was started, or a run began anew after its lease "
        "was lost",
        data="nothing happened to it yet",
        todo="nothing",
    ),
    _event(
        Event.SHUTDOWN,
        means="a run ended; the message says why, if it ended early",
        cause="nothing that may travel was left, or a signal, a deadline or a limit "
        "ended it",
        data="the audit line accounts for every file; what was staged and not "
        "published was dropped, and its source is where it was",
        todo="look at the exit code in the audit line",
    ),
    _event(
        Event.ENCODE,
        means="a file was encoded: its container lies on the wire",
        cause="the file was admitted, and its container was read back",
        data="the container and its sidecar are durable and recorded; the source goes, "
        "or stays, as `on_done` says",
        todo="nothing",
    ),
    _event(
        Event.DECODE,
        means="a file was delivered: it lies in the outbox",
        cause="its container was verified to the last byte",
        data="the file is whole, durable and recorded; the container goes, or "
        "stays, as `on_done` says",
        todo="nothing",
    ),
    _event(
        Event.ENCODE_ERROR,
        means="a file could not be encoded, or a folder could not be listed",
        cause="the message says: no permission, an error of the disk, or what was "
        "staged did not read back; of a folder: no permission, or it lies too deep",
        data="the file is where it was; nothing was published",
        todo="mend what the message names; the file is tried again, and set aside "
        "after the policy's `attempts`",
    ),
    _event(
        Event.DECODE_ERROR,
        means="a container could not be decoded",
        cause="it is damaged or no container, cannot be read, or holds more than "
        "`max_file_mb`; the message says which, and of damage the frame and byte",
        data="nothing of it was delivered; it is tried again, then set aside",
        todo="have its sender send container and sidecar again; `quarantine show` has "
        "the reason in a word",
    ),
    _event(
        Event.CHECKSUM_MISMATCH,
        Said.FAILED,
        Said.FINDING,
        means="a container is not the one that its sidecar tells of",
        cause="one of the two was damaged or replaced on its way, or the container "
        "came before its sidecar was complete; or what has the sidecar's name is "
        "no file",
        data="nothing of it was delivered; it is tried again, then set aside with its "
        "sidecar; `verify` leaves both where they are",
        todo="have its sender send both again",
    ),
    _event(
        Event.POLICY_BLOCK,
        means="the policy leaves a file alone; the message is the reason",
        cause="the policy's suffixes, patterns, size or trusted nodes; see the reason",
        data="the file is where it was; it counts as `blocked`",
        todo="change the policy, or take the file away; `paxect-batch explain REASON` "
        "tells of each reason",
    ),
    _event(
        Event.HANDSHAKE,
        means="the manifest of another node was read and accepted",
        cause="that node runs on this share, or did",
        data="nothing happened to it",
        todo="nothing",
    ),
    _event(
        Event.HANDSHAKE_REJECT,
        means="the manifest of another node was not accepted; the message says why",
        cause="its signature is wrong or missing, or it is not in `trusted_nodes`",
        data="with `require_sig`, or if the node is not in `trusted_nodes`, containers "
        "that may stem from it are left on the wire; else nothing changes",
        todo="compare the keys of both nodes, and `trusted_nodes`; remove "
        "`.paxect/nodes/NODE/manifest.json` of a node that is no more",
    ),
    _event(
        Event.HANDSHAKE_NONE,
        means="no other node is known on this share",
        cause="none left a manifest here that could be read",
        data="nothing happened to it",
        todo="nothing; with `require_sig`, containers made elsewhere wait until their "
        "node has signed a manifest",
    ),
    _event(
        Event.HANDSHAKE_PARSE_ERROR,
        means="what lies in the place of a node's manifest is none",
        cause="it was damaged, or written by another program",
        data="with `require_sig`, containers of that node and those of unknown origin "
        "are left on the wire; else nothing changes",
        todo="remove the file that is named; its node writes it anew when it begins",
    ),
    _event(
        Event.PATH_OUTSIDE_INBOX,
        means="a link lies where files are expected; links are not followed",
        cause="somebody made it, or dropped a tree that has links",
        data="the link, and what it leads to, are left alone",
        todo="put the file itself there",
    ),
    _event(
        Event.COLLISION,
        Said.FAILED,
        means="other bytes have the name under which a file was to arrive",
        cause="a file of that name was delivered before and not taken away, or "
        "somebody else put one there; a sidecar lies there without its container; or a "
        "file that was moved aside cannot go back to its folder",
        data='nothing was replaced; with `on_collision = "quarantine"` the newer one '
        "is set aside at once, with `wait` it is tried again as after any failure",
        todo="take away the older file, or the sidecar that the message names, then "
        "`paxect-batch quarantine retry`",
    ),
    _event(
        Event.SET_ASIDE,
        means="a file was given up; the message has the reason and the place",
        cause="it failed as often as the policy's `attempts` allow, or in a way that "
        "no second try mends",
        data="it lies unchanged in `.paxect/quarantine/ID/`, or where it was if the "
        "policy says so, or it could not be moved and is tried again in an hour; it "
        "counts as `set_aside`",
        todo="`paxect-batch quarantine show SHARE ID`, mend the cause, then "
        "`quarantine retry` or `release`",
    ),
    _event(
        Event.CHANGED,
        means="a file changed after it was admitted, or while it was read",
        cause="its producer still writes it",
        data="what was staged of it was dropped; the file waits until it rests",
        todo="nothing; if it recurs, have the producer write as `NAME.part` and "
        "rename, or set `ready_marker`",
    ),
    _event(
        Event.RECOVERED,
        means="what an earlier run left half done was finished",
        cause="that run was killed, or its machine lost power or the share",
        data="status `delivered`: the file arrived, once; `withdrawn`: it was not "
        "published, and its source is taken anew",
        todo="nothing",
    ),
    _event(
        Event.SWEPT,
        means="crumbs of earlier runs were dropped",
        cause="a run ended before it could clean up",
        data="none of them was anybody's data",
        todo="nothing",
    ),
    _event(
        Event.TAKE_OVER,
        means="another node's run was taken for dead, and is finished here",
        cause="it showed no life for the lease time: killed, frozen, or cut off",
        data="what it had promised is finished, what it had staged is dropped; its "
        "files are anybody's now",
        todo="see what became of that machine",
    ),
    _event(
        Event.LEASE_LOST,
        means="other nodes took this run for dead; it begins anew",
        cause="the machine was frozen, or cut off from the share, for longer than the "
        "lease time",
        data="this run published nothing after that; the others finish what it began",
        todo="nothing; if it recurs, see to the machine or the network, or give a "
        "longer `lease_seconds`",
    ),
    _event(
        Event.MIXED,
        means="a node of another codec or policy works on the same batch",
        cause="versions or policies differ, and `--allow-mixed` was given",
        data="what arrives is the same bytes; containers may differ by who made them",
        todo="give all nodes the same version and policy",
    ),
    _event(
        Event.WORKER_DIED,
        means="a worker process died with its items",
        cause="it was killed, mostly by the system for want of memory",
        data="what it had staged was dropped; each of its items is tried again alone, "
        "and set aside as `worker-killed` when its worker dies a second time. With "
        "each death a trial is made, which packs noise. If 16 die one after the "
        "other, a trial among them, no item is at fault: the run ends with 75 (`watch` "
        "waits)",
        todo="if it recurs: fewer `--workers`, or more memory",
    ),
    _event(
        Event.SHARE_TROUBLE,
        means="the share failed; `watch` waits for it",
        cause="the message says: the file server, the network, or a full disk",
        data="files are as they were; nothing is given up for it",
        todo="mend the share; the run goes on by itself. A `drain` ends with exit "
        "code 3 instead",
    ),
    _event(
        Event.SHARE_BACK,
        means="the share answers again",
        cause="what `share_trouble` told of is over",
        data="what was left half done was finished",
        todo="nothing",
    ),
    _event(
        Event.POLICY_CHANGED,
        means="a changed policy was read, and is in force",
        cause="somebody edited the policy while a run lasted",
        data="files are judged by the new one from the next scan on",
        todo="nothing, if the change was meant",
    ),
    _event(
        Event.POLICY_REFUSED,
        means="a changed policy cannot be meant; the message says which key",
        cause="somebody edited the policy while a run lasted, and made a mistake",
        data="files are judged by the policy that was read before",
        todo="correct it; no new run begins until then (exit code 64)",
    ),
    _event(
        Event.LEDGER_TORN,
        Said.FINDING,
        means="a line of a ledger is no record, or an intent is none",
        cause="a crash or a power cut while it was written, or damage",
        data="the line was left out, and an intent put beside as `NAME.unreadable`; "
        "the file that it spoke of is safe",
        todo="nothing, if it is one line and the last; else `paxect-batch verify`",
    ),
    _event(
        Event.BIAS,
        means="one file, encoded twice, gave different bytes",
        cause="the machine computes wrongly: memory or processor",
        data="what was published had been read back and verified; files of this "
        "machine are not to be trusted until it was tested",
        todo="stop this node; test its memory and processor; then `verify`",
    ),
    _event(
        Event.LOG_TROUBLE,
        means="events could not be logged; the message has their number",
        cause="the disk under the log is full, or the log cannot be written",
        data="files are not concerned: records and audits are kept elsewhere",
        todo="free the disk under the log",
    ),
    _event(
        Event.PACE,
        means="how much is in flight at once has changed; the message says why",
        cause="something that the run shares with others is short, or is not any more; "
        "or an operator's limit",
        data="no byte is changed by it; at pace 0 files wait",
        todo="mostly nothing; `paxect-batch explain CAUSE` tells of each cause",
    ),
    _event(
        Event.PACE_SEEN,
        means="a decision on the pace that changed nothing",
        cause="once a second the pace is decided; logged at level `debug` only",
        data="nothing happened to it",
        todo="nothing",
    ),
)
