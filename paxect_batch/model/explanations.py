"""Explanations: what a word that the program says means, and what to do about it."""

from __future__ import annotations

import enum

import msgspec


class Said(enum.StrEnum):
    """Where a word is said."""

    EVENT = "event"
    LEFT = "reason why a file is left"
    """In `policy_block`, and in what `drain --dry-run` prints."""
    FAILED = "reason why a file failed"
    """In `quarantine`, in `reason.json`, in records, after `backing_off:`."""
    FINDING = "finding of verify"
    DOCTOR = "finding of doctor"
    EXIT = "exit code"
    COUNT = "number of the audit line"
    VERDICT = "verdict of doctor"
    ENDED = "why a run ended early"
    PACE = "what bounds the pace"
    LIFE = "how a node stands"
    ENGINE = "error of paxect-core"
    WORD = "word of the glossary"
    """It has a meaning and nothing else."""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """One word; what may follow it after a colon is no part of it."""

    word: str
    said: tuple[Said, ...]
    means: str
    cause: str
    data: str
    """What became of the data."""
    todo: str
    """What to do next."""
