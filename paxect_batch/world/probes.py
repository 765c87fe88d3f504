"""What calls on a share come to, as the relay makes them, tried by this machine alone.

Each probe works below its ground and tells what happened. An `OSError` is what it met,
no failure of the probe. `probes_between` tries what two machines are needed for.
"""

from __future__ import annotations

import contextlib
import errno
import os
import statistics
import threading
from collections.abc import Callable
from functools import partial

from paxect_batch.model.errors import NoWorkers
from paxect_batch.model.fitness import Calls, Speed, Times, Trial
from paxect_batch.model.places import Place, Root
from paxect_batch.seams import Claim
from paxect_batch.world import renames
from paxect_batch.world.locks import try_lock
from paxect_batch.world.probes_ground import Ground
from paxect_batch.world.share import LocalShare
from paxect_batch.world.threads import start_thread

SPEED_ROUNDS_MAX = 20
SPEED_SECONDS_MAX = 5.0
SPEED_BYTES = 4096
RACERS = 4
RACES = 8

HELD = Trial(held=True)

_ODD_NS = 1_700_000_001_123_456_789
"""A time that no file system keeps unchanged but those that keep nanoseconds."""
_STEPS_NS = (1, 100, 1_000, 1_000_000, 10_000_000, 1_000_000_000, 2_000_000_000)


def error_name(error: OSError) -> str:
    """Return the name of a system's error, such as `EINVAL`."""
    if error.errno is None:
        return type(error).__name__
    return errno.errorcode.get(error.errno, f"error {error.errno}")


def attempt(act: Callable[[], str | None]) -> Trial:
    """Return what an act came to: it returns what it met, or None if all held."""
    try:
        met = act()
    except OSError as error:
        return Trial(held=False, met=error_name(error))
    return HELD if met is None else Trial(held=False, met=met)


def try_calls(ground: Ground) -> Calls:
    """Try every call that the relay makes, and some that it could make."""
    found = {}
    for name, act in _PROBES.items():
        ground.look_up()
        folder = ground.place.child(name)

        def run(act: _Probe = act, folder: Place = folder) -> str | None:
            ground.share.make_folder(folder)
            return act(ground, folder)

        found[name] = attempt(run)
    return Calls(**found)


def make(ground: Ground, place: Place, data: bytes = b"") -> None:
    """Make a new file durably."""
    with ground.share.create(place) as stream:
        stream.write(data)
        ground.share.sync(stream)


def path_of(ground: Ground, place: Place) -> str:
    """Return the path of a place on the ground; its name must be plain."""
    return os.path.join(ground.folder, *place.path.split("/"))


def rewrite(ground: Ground, place: Place, data: bytes) -> None:
    """Change the first bytes of a file durably, in place."""
    with open(path_of(ground, place), "r+b", buffering=0) as stream:
        stream.write(data)
        ground.share.sync(stream)


def _read_back(ground: Ground, folder: Place) -> str | None:
    place = folder.child("file")
    make(ground, place, b"0123456789" * 100)
    data = ground.share.read(place, 1 << 16)
    facts = ground.share.look(place)
    if data != b"0123456789" * 100:
        return "other bytes"
    return None if facts and facts.identity.size == 1000 else "another size"


def _rewritten(ground: Ground, folder: Place) -> str | None:
    place = folder.child("file")
    make(ground, place, b"old!")
    if ground.share.read(place, 16) != b"old!":
        return "other bytes"
    rewrite(ground, place, b"new!")
    return None if ground.share.read(place, 16) == b"new!" else "the old bytes"


def _listed(ground: Ground, folder: Place) -> str | None:
    names = set()
    for number in range(3):
        name = f"file{number}"
        make(ground, folder.child(name))
        names.add(name)
        if _names(ground, folder) != names:
            return "a listing without it"
    ground.share.remove(folder.child("file0"))
    return None if "file0" not in _names(ground, folder) else "a name that is gone"


def _names(ground: Ground, folder: Place) -> set[str]:
    return {entry.place.name for entry in ground.share.entries(folder)}


def _sync_folder(ground: Ground, folder: Place) -> str | None:
    make(ground, folder.child("file"))
    if os.name == "nt":
        return None  # it has no such call, and journals its renames
    # Not as the relay does it, which takes no offence where there is no such call.
    fd = os.open(path_of(ground, folder), os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    return None


def _exclusive(ground: Ground, folder: Place) -> str | None:
    place = folder.child("file")
    make(ground, place)
    try:
        make(ground, place)
    except FileExistsError:
        return None
    return "two makers"


def _exclusive_race(ground: Ground, folder: Place) -> str | None:
    wins: list[int] = []
    met: list[OSError] = []
    barrier = threading.Barrier(RACERS)

    def race() -> None:
        for number in range(RACES):
            barrier.wait()
            try:
                make(ground, folder.child(f"race{number}"))
            except FileExistsError:
                continue
            except OSError as error:
                met.append(error)
                barrier.abort()
                return
            wins.append(number)

    def racer() -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            race()

    # Daemons, and none left waiting: the process would not end before they do.
    threads = [threading.Thread(target=racer, daemon=True) for _ in range(RACERS)]
    try:
        for thread in threads:
            start_thread(thread.start, "for calls at once")
    except NoWorkers:
        barrier.abort()
        raise
    for thread in threads:
        thread.join()
    if met:
        raise met[0]
    return None if sorted(wins) == list(range(RACES)) else "several makers, or none"


def _replaced(ground: Ground, folder: Place) -> str | None:
    place = folder.child("file")
    ground.share.write(place, b"old")
    ground.share.write(place, b"new")
    return None if ground.share.read(place, 16) == b"new" else "the old bytes"


def _replaced_open(ground: Ground, folder: Place) -> str | None:
    old, new = folder.child("old"), folder.child("new")
    make(ground, old, b"old")
    make(ground, new, b"new")
    with ground.share.open_source(old) as stream:
        os.replace(path_of(ground, new), path_of(ground, old))
        read = stream.read(16)
    return None if read == b"old" else "other bytes for the reader"


def _kept(ground: Ground, folder: Place) -> str | None:
    old, new = folder.child("old"), folder.child("new")
    make(ground, old, b"old")
    make(ground, new, b"new")
    try:
        ground.share.rename_new(new, old)
    except FileExistsError:
        kept = ground.share.read(old, 16) == b"old"
        return None if kept and ground.share.read(new, 16) == b"new" else "other bytes"
    return "the file was replaced"


def _moved(ground: Ground, folder: Place) -> str | None:
    old, new = folder.child("old"), folder.child("new")
    make(ground, old, b"old")
    ground.share.rename_new(old, new)
    if ground.share.read(new, 16) != b"old":
        return "other bytes"
    return None if ground.share.look(old) is None else "two names"


def _in_one_call(ground: Ground, folder: Place) -> str | None:
    make(ground, folder.child("old"), b"old")
    path = path_of(ground, folder)
    if os.name == "nt":
        # Its rename never replaces.
        os.rename(os.path.join(path, "old"), os.path.join(path, "new"))
        return None
    number = renames.ask_system(path, "old", "new")
    if number is None:
        return "no such call"
    if number:
        raise OSError(number, os.strerror(number))
    return None


def _removed_open(ground: Ground, folder: Place) -> str | None:
    place = folder.child("file")
    make(ground, place, b"old")
    with ground.share.open_source(place):
        ground.share.remove(place)
        left = os.listdir(path_of(ground, folder))
    return f"the name {left[0]}" if left else None


def _taken_over(ground: Ground, folder: Place) -> str | None:
    marker, aside = folder.child("marker"), folder.child("aside")
    make(ground, marker, b"one")
    if ground.share.read(marker, 16) != b"one":
        return "other bytes"
    ground.share.rename_new(marker, aside)
    make(ground, marker, b"two")
    if ground.share.read(marker, 16) != b"two":
        return "other bytes"
    return None if ground.share.read(aside, 16) == b"one" else "other bytes"


def _flock(ground: Ground, folder: Place) -> str | None:
    return _locked(path_of(ground, folder.child("lock")), soft=False)


def _soft_lock(ground: Ground, folder: Place) -> str | None:
    return _locked(path_of(ground, folder.child("lock")), soft=True)


def _locked(path: str, *, soft: bool) -> str | None:
    first = try_lock(path, soft=soft)
    if first is None:
        return "nobody got it"
    second = contend(path, soft=soft)
    if second is not None:
        second.release()
    first.release()
    if second is not None:
        return "two owners"
    again = contend(path, soft=soft)
    if again is None:
        return "it stayed locked"
    again.release()
    return None


def contend(path: str, *, soft: bool) -> Claim | None:
    """Try a lock that someone may hold; None if it is held."""
    try:
        return try_lock(path, soft=soft)
    except PermissionError:
        return None  # what SMB says of a lock that is held


def _link(ground: Ground, folder: Place) -> str | None:
    make(ground, folder.child("old"), b"old")
    path = path_of(ground, folder)
    os.link(os.path.join(path, "old"), os.path.join(path, "new"))
    found = os.stat(os.path.join(path, "new")).st_nlink
    return None if found == 2 else f"{found} links"


_Probe = Callable[[Ground, Place], str | None]
_PROBES: dict[str, _Probe] = {
    "read_back": _read_back,
    "rewritten": _rewritten,
    "listed": _listed,
    "sync_folder": _sync_folder,
    "exclusive": _exclusive,
    "exclusive_race": _exclusive_race,
    "replaced": _replaced,
    "replaced_open": _replaced_open,
    "kept": _kept,
    "moved": _moved,
    "in_one_call": _in_one_call,
    "removed_open": _removed_open,
    "taken_over": _taken_over,
    "flock": _flock,
    "soft_lock": _soft_lock,
    "link": _link,
}


def measure_times(ground: Ground) -> Times:
    """Compare clocks, and see how finely a modification time is kept."""
    place = ground.place.child("time")
    with ground.share.create(place) as stream:
        ground.share.dress(stream, mtime_ns=_ODD_NS, mode=None)
    facts = ground.share.look(place)
    kept = _ODD_NS if facts is None else facts.identity.mtime_ns
    fits = [step for step in _STEPS_NS if kept % step == 0]
    return Times(
        ahead_seconds=ground.share.now() - ground.clock.now(),
        step_ns=max(fits) if kept != _ODD_NS else 1,
    )


def measure_speed(ground: Ground) -> Speed:
    """Take the median of some rounds of small operations, a few seconds at most."""
    folder = ground.place.child("speed")
    ground.share.make_folder(folder)
    spans: dict[str, list[float]] = {}
    clock = ground.clock.monotonic
    until = clock() + SPEED_SECONDS_MAX
    rounds = 0
    while rounds < SPEED_ROUNDS_MAX and (not rounds or clock() < until):
        ground.look_up()
        one, two = folder.child(f"one{rounds}"), folder.child(f"two{rounds}")
        acts: dict[str, Callable[[], object]] = {
            "create": partial(make, ground, one, b"\0" * SPEED_BYTES),
            "look": partial(ground.share.look, one),
            "rename": partial(ground.share.rename_new, one, two),
            "remove": partial(ground.share.remove, two),
            "sync_folder": partial(ground.share.sync_folder, folder),
        }
        for name, act in acts.items():
            start = clock()
            act()
            spans.setdefault(name, []).append(clock() - start)
        rounds += 1
    return Speed(
        rounds=rounds,
        **{name: statistics.median(taken) for name, taken in spans.items()},
    )


def find_apart(roots: dict[Root, str]) -> tuple[str, ...]:
    """Return the roots into which no file can be renamed from the state folder."""
    share = LocalShare(roots)
    return tuple(
        str(root)
        for root in roots
        if root is not Root.STATE and not share.together(Root.STATE, root)
    )
