"""Locks in memory; several nodes use one register."""

from __future__ import annotations


class FakeLocks:
    """`seams.Locks` of one run. `register` is what all runs on a share have in common."""

    def __init__(self, register: dict[str, FakeLocks] | None = None) -> None:
        self.register = {} if register is None else register

    def hold_node(self, node: str) -> FakeClaim | None:
        return self._take(f"node {node}")

    def claim(self, key: str) -> FakeClaim | None:
        return self._take(f"item {key}")

    def lose(self, key: str) -> None:
        """Have another node believe that it may take the item."""
        del self.register[f"item {key}"]

    def die(self) -> None:
        """Give back all that the run holds, as the system does for a dead process."""
        for name in [name for name, owner in self.register.items() if owner is self]:
            del self.register[name]

    @property
    def held(self) -> set[str]:
        """The keys of the items that this run holds."""
        return {
            name.removeprefix("item ")
            for name, owner in self.register.items()
            if owner is self and name.startswith("item ")
        }

    def _take(self, name: str) -> FakeClaim | None:
        if name in self.register:
            return None
        self.register[name] = self
        return FakeClaim(self, name)


class FakeClaim:
    """`seams.Claim`."""

    def __init__(self, locks: FakeLocks, name: str) -> None:
        self._locks = locks
        self._name = name
        self._released = False

    def release(self) -> None:
        if not self._released and self._locks.register.get(self._name) is self._locks:
            del self._locks.register[self._name]
        self._released = True
