"""Errors of the relay, by how far their consequence reaches; and the exit codes.

BatchError
├── ItemError      ends one item; the run goes on
├── ShareError     the share is gone, full or read-only: pause, or end with 3
├── NotReady       the share or the node's place on it is not to be had: 75
│   └── RunOver    another run took this one for dead, and finished what it began
└── ConfigError    settings or policy that cannot be meant: 64
"""

from __future__ import annotations

import enum


class Exit(enum.IntEnum):
    """Exit codes, worst first where several apply."""

    INTERRUPTED = 130
    TERMINATED = 143
    USAGE = 64
    NOT_READY = 75
    FAULT = 70
    """Of the program itself."""
    SHARE = 3
    INTEGRITY = 2
    STRUCTURE = 4
    UNFINISHED = 1
    OK = 0


WORST_FIRST = tuple(Exit)


def worst(codes: set[int]) -> Exit:
    """Return the code that stands for all of them."""
    return next((code for code in WORST_FIRST if code in codes), Exit.OK)


class BatchError(Exception):
    """Any failure that the relay reports on purpose."""

    exit_code = Exit.SHARE

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ShareError(BatchError):
    """The share as a whole failed; items are as they were."""

    exit_code = Exit.SHARE

    def __init__(self, message: str, *, errno: int = 0) -> None:
        super().__init__(message)
        self.errno = errno


class NotReady(BatchError):
    """Another instance holds the node, or the share is not there."""

    exit_code = Exit.NOT_READY


class NoWorkers(NotReady):
    """The machine has no process or thread left, or no worker comes up."""


class RunOver(NotReady):
    """Another run took this one for dead; all that it had staged is gone."""


class ConfigError(BatchError):
    """A setting or a policy is wrong; nothing was touched."""

    exit_code = Exit.USAGE
