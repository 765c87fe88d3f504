"""Lets the tests of this folder import the fakes and what they share."""

import os
import sys
from pathlib import Path

import pytest

_HERE = os.path.dirname(__file__)
sys.path.insert(0, _HERE)
sys.path.insert(0, os.path.dirname(_HERE))

from stages import LocalStage, make_stage  # noqa: E402

from paxect_batch.world.tree_descriptors import DescriptorTree  # noqa: E402


@pytest.fixture(params=["wary", "paths"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> LocalStage:
    made = make_stage(request.param, tmp_path)
    assert isinstance(made, LocalStage)
    return made


@pytest.fixture
def descriptors(tmp_path: Path) -> LocalStage:
    return LocalStage(tmp_path, DescriptorTree)
