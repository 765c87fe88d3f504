"""Lets the tests of this folder use each other's parts."""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
