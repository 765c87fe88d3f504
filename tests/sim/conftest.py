"""Make the modules beside the tests importable by their own name."""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
