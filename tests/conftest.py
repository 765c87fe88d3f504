"""What all tests share: how hypothesis searches, and where shared modules are found."""

import os
import sys
import threading
from collections.abc import Iterator

import pytest
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

UNMEASURED = frozenset({"crash", "demos", "faults", "fuzz", "hostile", "sim", "system"})
"""Folders whose tests go over lines that others measure, thousands of times.

Measured, they would take twice as long and tell no more.
"""


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Play a test of such a folder, and the processes that it starts, unmeasured."""
    parts = item.path.relative_to(item.config.rootpath).parts
    if parts[1:2] and parts[1] in UNMEASURED:
        in_thread, in_threads = sys.gettrace(), threading.gettrace()
        handed_down = {n: v for n, v in os.environ.items() if n.startswith("COVERAGE_")}
        for name in handed_down:
            del os.environ[name]
        sys.settrace(None)
        threading.settrace(None)
        yield
        threading.settrace(in_threads)
        sys.settrace(in_thread)
        os.environ.update(handed_down)
    else:
        yield


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Have a worker of pytest-xdist save what it measured before it is told to end.

    From then on it has ten seconds, which a busy machine may need for something else;
    killed as it writes, it would take the figures of half the tests with it.
    """
    coverage = sys.modules.get("coverage")
    if coverage is None or not hasattr(session.config, "workerinput"):
        return
    measuring = coverage.Coverage.current()
    if measuring is not None:
        measuring.stop()
        measuring.save()
