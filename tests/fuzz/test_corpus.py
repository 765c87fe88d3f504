"""Replay the corpus, and seeded mutations of it, without atheris."""

import random
from pathlib import Path

import container_mutation
import pytest
import reader_invariants

from paxect_core import errors

CORPUS = sorted(path for path in (Path(__file__).parent / "corpus").iterdir())
SIZE_MAX = 8192
MUTATIONS = 300


def failure_codes(error_class: type[errors.ContainerError]) -> set[str]:
    below = error_class.__subclasses__()
    return set().union(*map(failure_codes, below)) if below else {error_class.code}


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_corpus_file_when_read_in_every_way_gives_one_outcome(path: Path) -> None:
    reader_invariants.check(path.read_bytes())


def test_corpus_reaches_success_and_every_failure_class() -> None:
    reached = {reader_invariants.check(path.read_bytes()) for path in CORPUS}
    assert reached >= failure_codes(errors.ContainerError) | {"ok"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_mutated_corpus_when_read_in_every_way_gives_one_outcome(seed: int) -> None:
    chance = random.Random(seed)

    def scramble(data: bytes, size_max: int) -> bytes:
        return container_mutation.flip(data, size_max, chance)

    pool = [path.read_bytes() for path in CORPUS]
    for _ in range(MUTATIONS):
        mutation_seed = chance.getrandbits(32)
        data = container_mutation.mutate(
            chance.choice(pool), SIZE_MAX, mutation_seed, scramble
        )
        reader_invariants.check(data)
        if chance.random() < 0.1:
            pool.append(data)


def test_mutation_when_repeated_gives_equal_bytes() -> None:
    data = CORPUS[0].read_bytes()

    def mutated() -> list[bytes]:
        chance = random.Random(7)
        return [
            container_mutation.mutate(
                data, SIZE_MAX, seed, lambda d, n: container_mutation.flip(d, n, chance)
            )
            for seed in range(100)
        ]

    assert mutated() == mutated()
