"""Containers that come while one who asks whose they are reads the wire."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from relay_bench import Bench, StopAfter, WatchedShare, files_below, policy_with
from relay_samples import manifest_of

import paxect_core
from paxect_batch.model.items import Entry, Mode
from paxect_batch.model.places import Place, Root


def test_container_that_a_trusted_node_made_anew_meanwhile_is_decoded_after_all(
    tmp_path: Path,
) -> None:
    """It was refused as nobody's when it was read, and for the whole run then."""
    bench = Bench(tmp_path)
    trusted = policy_with(trusted_nodes=("b", "c"))

    def encoded(node: str, name: str, data: bytes) -> None:
        bench.drop(name, data)
        manifest = manifest_of(node)
        bench.drain(name=node, mode=Mode.ENCODE, manifest=manifest)

    encoded("stranger", "theirs.txt", b"theirs")
    for path in bench.wire.iterdir():
        path.unlink()
    encoded("c", "a.txt", b"one")

    class Late(WatchedShare):
        is_done = False

        def entries(self, folder: Place) -> Iterator[Entry]:
            if folder == Place(Root.WIRE, "") and not self.is_done:
                self.is_done = True
                bench.drain(name="c", mode=Mode.DECODE, policy=trusted)
                bench.take_all()
                encoded("c", "a.txt", b"two")
            yield from self._share.entries(folder)

    bench.drain(
        Late(bench.share()),
        name="b",
        mode=Mode.DECODE,
        policy=trusted,
        watch=True,
        stop=StopAfter(600),
        poll_seconds=1.0,
    )
    bench.take_all()
    assert bench.taken == [("a.txt", b"one"), ("a.txt", b"two")]


def test_what_was_staged_of_a_container_that_is_nobodys_does_not_stay(
    tmp_path: Path,
) -> None:
    """A watch may last for months, and anybody may put such containers there."""
    bench = Bench(tmp_path)
    for node, name in (("stranger", "theirs.txt"), ("c", "a.txt")):
        bench.drop(name, name.encode())
        bench.drain(name=node, mode=Mode.ENCODE, manifest=manifest_of(node))
    (bench.wire / "a.txt.freq").write_bytes(paxect_core.encode_bytes(b"evil"))
    (bench.wire / "a.txt.freq.sha256").unlink()
    created: list[Place] = []
    staged: list[Path] = []

    class Noted(WatchedShare):
        def create(self, place: Place) -> IO[bytes]:
            created.append(place)
            stream: IO[bytes] = self._share.create(place)
            return stream

    def look(seen: int) -> None:
        if seen > 300:
            staged.extend(files_below(bench.state / "stage"))

    bench.drain(
        Noted(bench.share()),
        name="b",
        mode=Mode.DECODE,
        policy=policy_with(trusted_nodes=("b", "c")),
        watch=True,
        stop=StopAfter(600, look),
        poll_seconds=1.0,
    )
    assert any(place.name.endswith(".part") for place in created)
    assert staged == []
    assert files_below(bench.outbox) == []
