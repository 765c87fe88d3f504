"""What the numbers of the audit line and the verdicts of doctor mean."""

from __future__ import annotations

from paxect_batch.model.explanations import Explanation, Said
from paxect_batch.model.fitness import Level, Verdict


def _count(word: str, *, means: str, cause: str, data: str, todo: str) -> Explanation:
    return Explanation(
        word=word, said=(Said.COUNT,), means=means, cause=cause, data=data, todo=todo
    )


def _verdict(word: str, *, means: str, todo: str) -> Explanation:
    return Explanation(
        word=word,
        said=(Said.VERDICT,),
        means=means,
        cause="the worst of what `doctor` found on this share and this machine",
        data="nothing was changed but files of `doctor` itself, which are gone",
        todo=todo,
    )


COUNTS = (
    _count(
        "seen",
        means="what the run met: the sum of delivered, set aside, blocked and waiting",
        cause="it lay in the inbox or on the wire, and no other node held it",
        data="each file counts once, in the state that it reached last",
        todo="nothing",
    ),
    _count(
        "delivered",
        means="files that arrived",
        cause="they were published and recorded; on the wire, if that is the way",
        data="byte for byte where they belong; their sources went as `on_done` says",
        todo="nothing; `paxect-batch verify` proves it",
    ),
    _count(
        "set_aside",
        means="files that were given up",
        cause="they failed as often as the policy lets them, or their name is taken",
        data="each lies whole in quarantine, or where it was if it could not be moved",
        todo="`paxect-batch quarantine list`, and explain the reason that it tells",
    ),
    _count(
        "blocked",
        means="files that the policy does not let travel",
        cause="their suffix, size, name or origin",
        data="they stay where they are",
        todo="`paxect-batch drain --dry-run` tells of each why",
    ),
    _count(
        "waiting",
        means="files that stay for now",
        cause="they had not settled, back off after a failure, or the run was stopped",
        data="they stay where they are, and a later run takes them",
        todo="run again later; `paxect-batch drain --dry-run` tells of each why",
    ),
    _count(
        "elsewhere",
        means="files that other nodes held when this run saw them last",
        cause="several nodes share the work",
        data="those nodes account for them",
        todo="nothing; `paxect-batch status` tells who has them",
    ),
    _count(
        "recovered",
        means="files that an earlier run left half done, and this one finished",
        cause="that run, of this node or of another, was killed or lost its share",
        data="each was finished or taken back, and none arrived twice",
        todo="nothing",
    ),
    _count(
        "bias_flags",
        means="files that were encoded twice and gave different bytes",
        cause="memory, processor or disk of this machine",
        data="what was delivered was read back and is right",
        todo="stop this node and test its hardware; `paxect-batch explain bias`",
    ),
)

VERDICTS = (
    _verdict(Verdict.FIT, means="the relay may work here", todo="nothing"),
    _verdict(
        Verdict.CARE,
        means="the relay may work here, and something is worth mending",
        todo="see the lines that are marked `care`",
    ),
    _verdict(
        Verdict.UNFIT,
        means="the relay must not work here",
        todo="mend what the lines say that are marked `UNFIT`",
    ),
    _verdict(
        Level.CARE,
        means="it works, and something of it may go wrong or be slow",
        todo="see what its line says",
    ),
    _verdict(
        Level.UNFIT,
        means="what the relay rests on does not hold",
        todo="see what its line says; until then run no node on this share",
    ),
)
