"""What exit codes, ends of runs, causes of a pace and states of nodes mean."""

from __future__ import annotations

from paxect_batch.model.errors import Exit
from paxect_batch.model.explanations import Explanation, Said
from paxect_batch.model.pace import Cause
from paxect_batch.model.status import Life


def _exit(code: Exit, *, means: str, cause: str, data: str, todo: str) -> Explanation:
    return Explanation(
        word=str(code.value),
        said=(Said.EXIT,),
        means=means,
        cause=cause,
        data=data,
        todo=todo,
    )


def _ended(word: str, *, means: str, cause: str, data: str, todo: str) -> Explanation:
    return Explanation(
        word=word, said=(Said.ENDED,), means=means, cause=cause, data=data, todo=todo
    )


_NO_BYTE = "no byte is changed by it; files that are not claimed wait"


def _pace(cause: Cause, *, means: str, why: str, todo: str) -> Explanation:
    return Explanation(
        word=cause,
        said=(Said.PACE,),
        means=means,
        cause=why,
        data=_NO_BYTE,
        todo=todo,
    )


def _life(life: Life, *, means: str, cause: str, data: str, todo: str) -> Explanation:
    return Explanation(
        word=life, said=(Said.LIFE,), means=means, cause=cause, data=data, todo=todo
    )


EXITS = (
    _exit(
        Exit.OK,
        means="all was delivered, or there was nothing to do",
        cause="nothing went wrong, and nothing is left",
        data="what was seen arrived",
        todo="nothing",
    ),
    _exit(
        Exit.UNFINISHED,
        means="the command finished, and something asks for a look",
        cause="files were blocked, set aside or are still waiting, as after a "
        "deadline; of `doctor`: the "
        "share is fit with care; of `verify`: a finding that harms nothing; of "
        "`quarantine`: a name that is taken; of `manifest`: a line of a ledger that "
        "cannot be read",
        data="what arrived is recorded; the audit line counts the rest, and says of a "
        "drain that a deadline or a limit cut off that more may travel",
        todo="`paxect-batch status`, `quarantine list`, `drain --dry-run`",
    ),
    _exit(
        Exit.INTEGRITY,
        means="bytes are not what they should be",
        cause="a container differs from its sidecar, its CRC32 or its SHA-256; or one "
        "file encoded twice gave different bytes; of `pace replay`: a decision that "
        "comes out otherwise",
        data="nothing that failed a check was delivered",
        todo="`quarantine list`, and have the container sent again; with `bias_flags` "
        "above 0 in the audit line see `explain bias`",
    ),
    _exit(
        Exit.SHARE,
        means="the share, a disk or a file failed",
        cause="the message says: a full disk, a file server that is away, permissions; "
        "of `doctor`: the share is not fit",
        data="files are as they were; what was half done is finished by the next run",
        todo="mend what the message names, and run again",
    ),
    _exit(
        Exit.STRUCTURE,
        means="a container's parts do not fit together, or it is none",
        cause="it was cut off, damaged, or is another kind of file",
        data="nothing of it was delivered; it is set aside, or tried again",
        todo="`quarantine list`, and have it sent again",
    ),
    _exit(
        Exit.USAGE,
        means="wrong usage, settings or policy",
        cause="the message names the place, and what would be right",
        data="nothing was touched",
        todo="correct that place, and run again; trying again alone does not help",
    ),
    _exit(
        Exit.FAULT,
        means="a fault in the program",
        cause="a mistake of ours; the message names it",
        data="files on the share are safe; the next run goes on with them",
        todo="run again, and report the line",
    ),
    _exit(
        Exit.NOT_READY,
        means="another instance runs here, or the share is not ready",
        cause="another run holds the node's name, the share is not mounted, no worker "
        "process comes up, or the port to listen at is taken; the message says which",
        data="nothing was touched",
        todo="see to the mount, or wait; a scheduler may simply try again",
    ),
    _exit(
        Exit.INTERRUPTED,
        means="stopped by Ctrl-C",
        cause="SIGINT",
        data="what was being published was finished, what was staged dropped; a second "
        "signal leaves that to the next run",
        todo="run again when it suits",
    ),
    _exit(
        Exit.TERMINATED,
        means="stopped by SIGTERM",
        cause="`systemctl stop`, `kill`, or the machine going down",
        data="what was being published was finished, what was staged dropped; a second "
        "signal leaves that to the next run",
        todo="run again when it suits",
    ),
)

_WHERE_IT_WAS = "what was not begun is where it was, and counts as `waiting`,"

ENDED = (
    _ended(
        "signal",
        means="the run was told to stop",
        cause="SIGTERM or Ctrl-C",
        data=f"{_WHERE_IT_WAS} as far as a second suffices to look at it",
        todo="run again when it suits",
    ),
    _ended(
        "deadline",
        means="the run had no more time",
        cause="`deadline`",
        data=f"{_WHERE_IT_WAS} as far as ten seconds suffice to look at it",
        todo="nothing; the next run goes on. If it recurs: more time, or more nodes",
    ),
    _ended(
        "max-files",
        means="the run took as many files as it was to take",
        cause="`max_files`",
        data="what was not begun is where it was, and counts as `waiting`",
        todo="nothing; the next run goes on",
    ),
    _ended(
        "pace",
        means="a drain could claim nothing for ten minutes; the cause is after the "
        "colon",
        cause="something that it shares with others stayed short",
        data=f"{_WHERE_IT_WAS} as far as ten seconds suffice to look at it",
        todo="`paxect-batch explain CAUSE`",
    ),
)

PACES = (
    _pace(
        Cause.MEMORY,
        means="memory is short",
        why="the machine, or the control group of the run, has less than the workers "
        "may take",
        todo="fewer `--workers`, or more memory",
    ),
    _pace(
        Cause.DISK,
        means="a disk is nearly full",
        why="what may be in flight does not fit on a file system of the share",
        todo="free that disk; a `watch` goes on by itself",
    ),
    _pace(
        Cause.INODES,
        means="a file system is nearly out of names",
        why="what may be in flight needs more files than it can still hold",
        todo="remove small files there; a `watch` goes on by itself",
    ),
    _pace(
        Cause.DESCRIPTORS,
        means="the process is nearly out of descriptors",
        why="its limit is low (`ulimit -n`), or very much is open",
        todo="raise the limit, as by `LimitNOFILE=` of systemd",
    ),
    _pace(
        Cause.LOAD,
        means="others on this machine want its cores",
        why="they use more than a fifth of all cores",
        todo="nothing, or run when they do not; `--no-pace` takes the cores anyway",
    ),
    _pace(
        Cause.BATTERY,
        means="the machine lives from its battery",
        why="it is not plugged in",
        todo="plug it in",
    ),
    _pace(
        Cause.OVERHEAD,
        means="most of the time goes into coordination",
        why="the share is slow for many small files, or nodes are in each other's way",
        todo="fewer nodes or workers on this share; `doctor` tells how quick it is",
    ),
    _pace(
        Cause.SHARE,
        means="the share answers more slowly than it did",
        why="the file server or the network has much to do",
        todo="see to the file server; the run adapts within some minutes",
    ),
    _pace(
        Cause.BACKPRESSURE,
        means="no more is in flight than the slowest stage takes",
        why="reading, packing or writing is slower than claiming; this is usual",
        todo="nothing",
    ),
    _pace(
        Cause.QUIET_HOURS,
        means="an operator wants these hours quiet",
        why="`quiet_hours`",
        todo="nothing; the run goes on after them",
    ),
    _pace(
        Cause.MAX_RATE,
        means="an operator's limit of bytes a second is reached",
        why="`max_rate`",
        todo="nothing, or a higher limit",
    ),
    _pace(
        Cause.MAX_FILES,
        means="an operator's limit of files a minute is reached",
        why="`max_files_per_minute`",
        todo="nothing, or a higher limit",
    ),
)

LIVES = (
    _life(
        Life.ALIVE,
        means="the node is at work",
        cause="it beat while it was watched, or its process runs on this machine",
        data="it goes on with what it holds",
        todo="nothing",
    ),
    _life(
        Life.SILENT,
        means="the node shows no life",
        cause="its machine is off, frozen, cut off, or very busy",
        data="what it holds is taken over once its lease time is over",
        todo="nothing, unless it recurs; then see to that machine",
    ),
    _life(
        Life.NOT_RUNNING,
        means="the node's process ended without leaving",
        cause="it was killed, or crashed",
        data="the next node to look finishes what it began",
        todo="start it again, or run a `drain`",
    ),
    _life(
        Life.UNREADABLE,
        means="the node's lease has no content",
        cause="it makes it right now, or died while it made it; or it is damaged",
        data="what it holds is taken over once its lease time is over",
        todo="nothing; look again after the lease time",
    ),
    _life(
        Life.OVER,
        means="the run was taken for dead, and is not yet finished by another",
        cause="it showed no life for its lease time",
        data="the node that is named finishes what it began, or the next one to come",
        todo="if no node runs: run a `drain`",
    ),
    _life(
        Life.GONE,
        means="of the run nothing is left but what it held",
        cause="it was killed, and its lease is gone",
        data="its node's next run finishes that",
        todo="run a `drain` on that node",
    ),
)
