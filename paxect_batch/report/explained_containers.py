"""What each error of the container engine means; see `explanations`.

The relay gives those of containers as the reason why a file failed, `verify` as its
findings, `paxect-core --json` as `error`.
"""

from __future__ import annotations

from collections.abc import Iterator

from paxect_batch.model.explanations import Explanation, Said

_NO_CONTAINER = (
    "another kind of file has the suffix `.freq`, or its first bytes changed"
)
_DAMAGED = "bytes were changed on the way, or a writer that is not ours made a mistake"
_CUT = "it was cut off, or is still on its way"
_CHANGED = "bytes were changed on a disk, in memory or on the way"

_STRUCTURE = {
    "bad-magic": ("it is not a .freq container: it does not begin so", _NO_CONTAINER),
    "bad-version": (
        "it has a version that is not 42",
        "a container of another version, or a changed byte",
    ),
    "bad-flags": ("its header sets flags that do not fit", _DAMAGED),
    "bad-mapping": ("its header names a mapping that does not exist", _DAMAGED),
    "bad-level": ("its header names a level that no libzstd has", _DAMAGED),
    "bad-frame-size": (
        "its header's frame size is zero, or above 64 MiB",
        "changed bytes; or the original wrote it with larger frames, which "
        "`paxect-core decode --lenient` takes",
    ),
    "bad-channels": ("its header's channels are not 1 to 8", _DAMAGED),
    "bad-reserved": ("a reserved byte of its header is not zero", _DAMAGED),
    "channel-out-of-range": ("a frame names a channel that there is not", _DAMAGED),
    "channel-out-of-turn": ("a frame names another channel than its turn", _DAMAGED),
    "empty-frame": ("a frame holds no bytes", _DAMAGED),
    "frame-too-long": ("a frame is longer than the header's frame size", _DAMAGED),
    "short-frame": (
        "a frame that is not the last is shorter than the frame size",
        "changed bytes; or a writer that fills frames unevenly, which "
        "`paxect-core decode --lenient` takes",
    ),
    "impossible-length": ("a frame has a length that no zstd frame has", _DAMAGED),
    "bad-body": ("a frame's body is not one whole zstd frame", _DAMAGED),
    "window-too-large": ("a frame asks for more memory than a frame may", _DAMAGED),
    "body-length-mismatch": (
        "a frame holds another number of bytes than it says",
        _DAMAGED,
    ),
    "body-trailing-data": ("something follows the zstd frame in its body", _DAMAGED),
    "truncated": ("the container ends too early", _CUT),
    "trailing-data": (
        "something follows the container's end",
        "something was appended, or two containers were joined",
    ),
    "frame-count-mismatch": ("its footer counts other frames than it has", _DAMAGED),
    "raw-total-mismatch": ("its footer's sum is not that of its frames", _DAMAGED),
}
_VERIFICATION = {
    "crc-mismatch": ("a frame's bytes do not have the CRC32 that it says", _CHANGED),
    "digest-mismatch": ("its bytes do not have the SHA-256 that it says", _CHANGED),
}


def _containers() -> Iterator[Explanation]:
    for code, words in ((4, _STRUCTURE), (2, _VERIFICATION)):
        for word, (means, cause) in words.items():
            yield Explanation(
                word=word,
                said=(Said.FAILED, Said.FINDING, Said.ENGINE),
                means=means,
                cause=f"{cause}; the message names frame and byte",
                data="nothing of it was delivered; the relay tries it again, then sets "
                "it aside",
                todo=f"have it sent again (exit code {code})",
            )


CONTAINERS = tuple(_containers())

ENGINE = (
    Explanation(
        word="usage",
        said=(Said.ENGINE,),
        means="an option or argument that cannot be meant",
        cause="the message says which, and what would be right",
        data="nothing was touched",
        todo="correct it (exit code 64)",
    ),
    Explanation(
        word="input",
        said=(Said.ENGINE,),
        means="the input cannot be opened or read",
        cause="it is not there, its permissions, or an error of the disk",
        data="the input was not changed, and no file made; a pipe may have got a part",
        todo="mend what the message names (exit code 3)",
    ),
    Explanation(
        word="input-too-large",
        said=(Said.ENGINE,),
        means="the input is larger than the cap in force",
        cause="`--max-input-mb` or `PAXECT_MAX_INPUT_MB`; for calls in memory 512 MiB",
        data="the input was not changed, and no file made; a pipe may have got a part",
        todo="raise the cap, or use files or streams (exit code 3)",
    ),
    Explanation(
        word="output",
        said=(Said.ENGINE,),
        means="the output cannot be written",
        cause="a full disk, permissions, or a folder that is not there",
        data="no output was made; what had its name is as it was",
        todo="mend what the message names (exit code 3)",
    ),
    Explanation(
        word="destination-exists",
        said=(Said.ENGINE,),
        means="the output exists",
        cause="a file of that name is there, and `--force` was not given",
        data="it was left as it is",
        todo="name another output, or give `--force` (exit code 3)",
    ),
    Explanation(
        word="cancelled",
        said=(Said.ENGINE,),
        means="the caller asked to stop",
        cause="a `cancel` signal given from Python",
        data="no output was made",
        todo="nothing",
    ),
)
