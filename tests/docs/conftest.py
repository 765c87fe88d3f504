"""Lets the tests of this folder use each other's parts."""

import os
import sys

_HERE = os.path.dirname(__file__)
for _folder in ("", "../serve", "../report", "../../scripts/pages"):
    sys.path.insert(0, os.path.normpath(os.path.join(_HERE, _folder)))
