"""What all tests share: how hypothesis searches, and where shared modules are found."""

import os
import sys

from hypothesis import HealthCheck, settings

# Modules that several test files of a folder use are imported by their own name.
for folder in ("core", "tidy", ""):
    sys.path.insert(0, os.path.join(os.path.dirname(__file__), folder))

# No deadline: how fast a machine is decides nothing here. No database: a failure that
# is found prints what reproduces it, and becomes a named test.
settings.register_profile(
    "paxect",
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("paxect")
