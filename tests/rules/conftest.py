"""Let the tests of the rules import the model of the share that lies beside them."""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
