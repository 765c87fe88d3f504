"""Policies with every key, in JSON and TOML, for the tests that read them."""

from __future__ import annotations

import json

FULL: dict[str, object] = {
    "version": "2",
    "trusted_nodes": ["node-1", "nœud 2"],
    "allowed_suffixes": [".txt", ".tar.gz"],
    "include": ["*.txt", "daily/**"],
    "exclude": ["drafts/**"],
    "max_file_mb": 1024,
    "require_sig": True,
    "log_level": "warn",
    "naming": "stem",
    "level": -5,
    "channels": 4,
    "frame_bytes": 65536,
    "settle_seconds": 0.5,
    "ready_marker": ".ready",
    "verify": "off",
    "on_done": "archive",
    "on_collision": "wait",
    "attempts": 7,
    "backoff_seconds": 60,
    "carry_times": True,
    "carry_mode": True,
    "quarantine": False,
}
LINK: dict[str, object] = {
    "version": "1.2.0",
    "trusted_nodes": ["node2"],
    "allowed_suffixes": ["txt", ".FREQ", ".txt"],
    "max_file_mb": 256,
    "require_sig": False,
    "auto_delete": True,
    "log_level": "info",
}


def as_json(document: object) -> bytes:
    return json.dumps(document).encode()


def as_toml(document: dict[str, object]) -> bytes:
    return "".join(f"{key} = {json.dumps(v)}\n" for key, v in document.items()).encode()
