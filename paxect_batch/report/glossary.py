"""The words that messages use, as an operator needs them; see `explanations`.

A test holds them to those of ARCHITECTURE.md, which has some more for who reads code.
"""

from __future__ import annotations

from paxect_batch.model.explanations import Explanation, Said

_WORDS = {
    "share": "the folder tree that nodes have in common; marked by .paxect/share.json",
    "inbox": "the folder in which producers drop; its subfolders are kept",
    "outbox": "the folder from which consumers take; it has the inbox's subfolders",
    "wire": "the folder in which containers lie between encode and decode",
    "container": "the .freq file that a file travels in: header, frames, footer",
    "frame": "a run of a file's bytes, compressed by itself, with its own CRC32",
    "raw": "of the bytes of a file, as they were before it was packed",
    "sidecar": "the .sha256 file beside a container, with the container's SHA-256",
    "codec version": "the versions of zstandard and of the libzstd inside it",
    "node": "one machine's relay on a share, with a name, a lease and a manifest",
    "run": "one drain, or one life of a watch; its id stands in all that it writes",
    "item": "one file that was seen, known again by its path, size, time and inode",
    "direction": "encode, which ends at containers on the wire; decode, which begins "
    "there; or relay, which is both",
    "admit": "to decide by the policy whether an item is taken, left, or not ready yet",
    "lease": "the file by whose changing bytes a node shows that it lives; over when "
    "nobody saw it change for its time",
    "claim": "the marker by which a run takes an item, so that no other node does",
    "lot": "several small items that share a trip through a worker",
    "trial": "a lot of noise in place of items, to see whether a worker can live",
    "transfer": "the journey of an item from claim to retire",
    "stage": "to write under a temporary name",
    "publish": "to give what was staged its real name, replacing nothing",
    "retire": "to take the source away, once what was made of it is recorded",
    "withdrawn": "staged, and renamed so that nobody will ever publish it",
    "intent": "what is about to be published, written down before, so that any node "
    "can finish it",
    "record": "a line that tells what became of an item",
    "ledger": "the file of a run's records, to which lines are only added",
    "take-over": "to end the lease of a node that shows no life, and finish what its "
    "run began",
    "batch": "all runs from the first that joins an idle share to the last that leaves",
    "batch digest": "one SHA-256 over all that a batch delivered, the same on every "
    "node",
    "quarantine": "where items are put that were given up, each with its reason",
    "event": "something that an operator may want to know; a line in the event log",
    "audit line": "the last line of a run, which accounts for every file",
    "pace": "how much is in flight at once",
    "listener": "what answers over HTTP, where that was asked for",
}

GLOSSARY = tuple(
    Explanation(word=word, said=(Said.WORD,), means=means, cause="", data="", todo="")
    for word, means in _WORDS.items()
)
