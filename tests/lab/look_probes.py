"""Whether the relay's look shows what another node did to a name a moment ago.

Each change is made again and again, to names that the looking node knows otherwise.
"""

from __future__ import annotations

from collections.abc import Callable

from lab import Lab
from name_probes import folder_of
from scenarios import Verdict

_TIMES = 20
_WAYS = ("look", "stat", "open")


def looks(lab: Lab) -> Verdict:
    """Judge the relay's look, and tell how a plain stat and open fare beside it."""
    verdict = Verdict()
    wrong = dict.fromkeys(_WAYS, 0)
    for change, (before, after) in _CHANGES.items():
        folder = folder_of(lab)
        for number in range(_TIMES):
            for way in _WAYS:
                path = f"{folder}/{way}-{number}"
                _put(lab, path, before)
                for _ in range(2):
                    for how in _WAYS:
                        _size(lab, path, how)
                _make(lab, path, change)
                if (seen := _size(lab, path, way)) != after:
                    wrong[way] += 1
                    if way == _WAYS[0]:
                        verdict.faults.append(f"a file {change}: its size is {seen}")
    count = _TIMES * len(_CHANGES)
    verdict.figures.append(
        f"of {count} changes not seen: "
        + ", ".join(f"{number} by {way}" for way, number in wrong.items())
    )
    return verdict


def _size(lab: Lab, path: str, way: str) -> int | None:
    node = lab["node2"]
    if way == "look":
        return node.do("relay_looks", relay=str(lab.relay), path=path)  # type: ignore[no-any-return]
    return node.do("size", path=path, how=way)  # type: ignore[no-any-return]


def _put(lab: Lab, path: str, size: int | None) -> None:
    node = lab["node1"]
    if size is not None:
        node.do("create", path=path, text="x" * size, sync=True)
    node.do("create", path=f"{path}.other", text="xyz", sync=True)


def _make(lab: Lab, path: str, change: str) -> None:
    node = lab["node1"]

    def create(size: int) -> None:
        node.do("create", path=path, text="x" * size, sync=True)

    acts: dict[str, Callable[[], object]] = {
        "created": lambda: create(3),
        "removed": lambda: node.do("remove", path=path),
        "renamed away": lambda: node.do("rename", source=path, target=f"{path}.away"),
        "renamed here": lambda: node.do("rename", source=f"{path}.other", target=path),
        "replaced": lambda: node.do("rename", source=f"{path}.other", target=path),
        "removed and created anew": lambda: (node.do("remove", path=path), create(3)),
        "appended to": lambda: node.do("append", path=path, text="yz"),
    }
    acts[change]()


_CHANGES: dict[str, tuple[int | None, int | None]] = {
    "created": (None, 3),
    "removed": (1, None),
    "renamed away": (1, None),
    "renamed here": (None, 3),
    "replaced": (1, 3),
    "removed and created anew": (1, 3),
    "appended to": (1, 3),
}
"""Its size before and after, None if it is not there."""
