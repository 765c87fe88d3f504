"""Let the corpus test import the fuzz target's modules by the names the target uses."""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
