#!/usr/bin/env python3
"""Coverage-guided fuzzing of the readers, with atheris.

    python tests/fuzz/fuzz_reader.py -max_total_time=1200 build/fuzz tests/fuzz/corpus

Arguments are libFuzzer's: the first folder receives new inputs, further ones are read.
An input that breaks an invariant is written to the folder that `-artifact_prefix`
names; give that file as the only argument to replay it.
"""

from __future__ import annotations

import os
import resource
import sys
from collections import Counter

import atheris

with atheris.instrument_imports(include=["paxect_core"]):
    import paxect_core.layout
    import paxect_core.reader  # noqa: F401

import container_mutation
import reader_invariants

DEFAULTS = {"-rss_limit_mb": "512", "-max_len": "8192", "-timeout": "20"}
ADDRESS_SPACE_BYTES = 2 << 30

outcomes: Counter[str] = Counter()


def one_input(data: bytes) -> None:
    outcomes[reader_invariants.check(data)] += 1
    total = outcomes.total()
    if total & (total - 1) == 0 or total % 50_000 == 0:
        print(f"outcomes after {total}: {dict(outcomes.most_common())}", flush=True)


def mutate(data: bytes, size_max: int, seed: int) -> bytes:
    return container_mutation.mutate(bytes(data), size_max, seed, atheris.Mutate)


def main() -> None:
    # A lying length that got as far as an allocation ends in MemoryError.
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    words = sys.argv[1:]
    given = {word.split("=", 1)[0] for word in words}
    options = [
        f"{name}={value}" for name, value in DEFAULTS.items() if name not in given
    ]
    for folder in words:
        if not folder.startswith("-") and not os.path.exists(folder):
            os.makedirs(folder)
    atheris.Setup([sys.argv[0], *options, *words], one_input, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
