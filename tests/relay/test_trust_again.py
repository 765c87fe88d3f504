"""Containers that come while one who asks whose they are reads the wire."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from relay_bench import Bench, StopAfter, WatchedShare, policy_with
from relay_samples import manifest_of

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
