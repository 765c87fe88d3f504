"""The lab's pure parts are imported by their own names."""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
