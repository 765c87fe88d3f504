"""Make the modules beside the tests, and the fakes, importable by their own name."""

import os
import sys

_HERE = os.path.dirname(__file__)
sys.path[:0] = [_HERE, os.path.dirname(_HERE)]
