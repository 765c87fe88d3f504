"""Lets the tests of this folder use the parts of `scripts/record`."""

import os
import sys

_HERE = os.path.dirname(__file__)
sys.path.insert(0, os.path.normpath(os.path.join(_HERE, "../../scripts/recording")))
