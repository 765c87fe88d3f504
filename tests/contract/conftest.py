"""Lets the tests of this folder import the fakes and what they share."""

import os
import sys

_HERE = os.path.dirname(__file__)
sys.path.insert(0, _HERE)
sys.path.insert(0, os.path.dirname(_HERE))
