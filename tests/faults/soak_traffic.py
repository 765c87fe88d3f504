"""Producers and a consumer of a soak, and the account of each byte between them."""

from __future__ import annotations

import hashlib
import os
import random
import threading
from pathlib import Path

from relayed_share import RelayedShare, files_below, lay

OUTSTANDING_MAX = 200
"""Producers wait while so many files are on their way."""
FOLDERS = ("", "orders", "orders/2026", "a b", "\N{LATIN SMALL LETTER E WITH ACUTE}")
_SIZES = ((60, 0, 4 << 10), (35, 4 << 10, 256 << 10), (5, 1 << 20, 4 << 20))
"""Weight, and the sizes between which one is drawn."""
_GARBAGE_ONE_IN = 150
_REUSE_ONE_IN = 10
_LOOK_SECONDS = 0.05


class Account:
    """What was dropped and what arrived; told by the bytes, under their names."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._owed: dict[tuple[bytes, str], int] = {}
        self._paid: set[tuple[bytes, str]] = set()
        self.free_names: list[bytes] = []
        """Names whose file arrived, and which may be given to another one."""
        self.aside: set[tuple[bytes, str]] = set()
        """Files whose workers were killed under them, so that they were set aside."""
        self.garbage = 0
        """Files laid on the wire that are no containers."""
        self.dropped_bytes = self.taken_bytes = 0
        self.wrong: list[str] = []

    @property
    def dropped(self) -> int:
        with self._guard:
            return len(self._owed) + len(self._paid) + len(self.aside)

    @property
    def taken(self) -> int:
        with self._guard:
            return len(self._paid)

    @property
    def outstanding(self) -> int:
        with self._guard:
            return len(self._owed)

    def owed(self) -> list[str]:
        """Return the names of files that did not arrive yet."""
        with self._guard:
            return sorted(os.fsdecode(name) for name, _ in self._owed)

    def deliveries(self) -> set[tuple[bytes, str]]:
        """Return name and digest of each file that arrived."""
        with self._guard:
            return set(self._paid)

    def drop(self, name: bytes, digest: str, size: int) -> None:
        """Note a file that is about to be dropped."""
        with self._guard:
            self._owed[name, digest] = size
            self.dropped_bytes += size

    def take(self, name: bytes, digest: str, size: int) -> None:
        """Note a file that arrived."""
        with self._guard:
            self.taken_bytes += size
            if self._owed.pop((name, digest), None) is not None:
                self._paid.add((name, digest))
                self.free_names.append(name)
            elif (name, digest) in self._paid:
                self.wrong.append(f"arrived twice: {name!r} {digest[:12]}")
            else:
                self.wrong.append(f"nobody dropped: {name!r} {digest[:12]}")

    def set_aside(self, digests: set[str]) -> None:
        """Note what lies in quarantine."""
        with self._guard:
            for name, digest in [each for each in self._owed if each[1] in digests]:
                del self._owed[name, digest]
                self.aside.add((name, digest))

    def reuse(self, dice: random.Random) -> bytes | None:
        """Give a name out once more, if there is one."""
        with self._guard:
            if not self.free_names:
                return None
            index = dice.randrange(len(self.free_names))
            return self.free_names.pop(index)


class Producers:
    """A thread that drops files, unless it is told to pause or too many are owed."""

    def __init__(
        self, share: RelayedShare, account: Account, *, seed: int, rate: float
    ) -> None:
        self._share = share
        self._account = account
        self._dice = random.Random(seed)
        self._rate = rate
        self._number = 0
        self._over = threading.Event()
        self._goes = threading.Event()
        self._rests = threading.Event()
        self._thread = threading.Thread(target=self._produce, name="producers")

    def start(self) -> None:
        self._goes.set()
        self._thread.start()

    def pause(self) -> None:
        """Drop nothing more; return once nothing is being dropped."""
        self._rests.clear()
        self._goes.clear()
        self._rests.wait()

    def go_on(self) -> None:
        self._goes.set()

    def stop(self) -> None:
        self._over.set()
        self._goes.set()
        self._thread.join()

    def _produce(self) -> None:
        while not self._over.wait(self._dice.expovariate(self._rate)):
            if not self._goes.is_set():
                self._rests.set()
                self._goes.wait()
            elif self._account.outstanding < OUTSTANDING_MAX:
                self._drop()

    def _drop(self) -> None:
        dice = self._dice
        if dice.randrange(_GARBAGE_ONE_IN) == 0:
            self._lay_garbage()
            return
        weights = [weight for weight, _, _ in _SIZES]
        (_, least, most) = dice.choices(_SIZES, weights)[0]
        size = dice.randrange(least, most)
        # Half of it compresses; no two are equal but empty ones, which get a number.
        data = dice.randbytes(size // 2) + bytes(size - size // 2)
        data += b"%d" % self._number
        name = self._account.reuse(dice) if dice.randrange(_REUSE_ONE_IN) == 0 else None
        if name is None:
            self._number += 1
            folder = os.fsencode(dice.choice(FOLDERS))
            name = os.path.join(folder, b"%07d.bin" % self._number)
        digest = hashlib.sha256(data).hexdigest()
        self._account.drop(name, digest, len(data))
        lay(self._share.inbox, name, data)

    def _lay_garbage(self) -> None:
        self._account.garbage += 1
        name = b"garbage-%d.freq" % self._account.garbage
        lay(self._share.wire, name, b"PXC1" + self._dice.randbytes(200))


class TakingConsumer:
    """A thread that takes what arrives, and has the account note it."""

    def __init__(self, share: RelayedShare, account: Account, taken: Path) -> None:
        self._outbox = os.fsencode(share.outbox)
        self._taken = os.fsencode(taken)
        os.makedirs(self._taken)
        self._account = account
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="consumer")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            last = self._over.is_set()
            for path in files_below(self._outbox):
                if not os.path.basename(path).startswith(b"."):
                    self._take(path)
            if last:
                return
            self._over.wait(_LOOK_SECONDS)

    def _take(self, path: bytes) -> None:
        mine = os.path.join(self._taken, b"taken")
        os.rename(path, mine)
        with open(mine, "rb") as stream:
            data = stream.read()
        os.unlink(mine)
        name = os.path.relpath(path, self._outbox)
        self._account.take(name, hashlib.sha256(data).hexdigest(), len(data))
