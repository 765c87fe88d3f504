"""The secret for signing manifests: from the environment, or from a file."""

from __future__ import annotations

import os
import shlex
import stat
import sys
from collections.abc import Mapping

from paxect_batch.model.errors import ConfigError
from paxect_batch.model.places import printable

VARIABLES = ("PAXECT_BATCH_HMAC_KEY", "PAXECT_LINK_HMAC_KEY")
"""Where the key may stand; the first that is set and not empty counts."""
KEY_BYTES_MAX = 64 * 1024


class EnvironmentKeys:
    """See `seams.Keys`. The environment has precedence over the file."""

    def __init__(
        self, environ: Mapping[str, str], key_file: str | bytes | None = None
    ) -> None:
        self._environ = environ
        self._key_file = key_file

    def hmac_key(self) -> bytes | None:
        """See `seams.Keys`. `ConfigError` if the file is not what it should be."""
        for name in VARIABLES:
            if self._environ.get(name):
                return os.fsencode(self._environ[name])
        return secret_in(self._key_file) if self._key_file else None


def secret_in(path: str | bytes, what: str = "key") -> bytes:
    """Return the secret in a file that nobody else may read, or raise `ConfigError`."""
    shown = f"{what} file {printable(os.fsdecode(path))}"
    try:
        # Not to wait for a fifo's writer.
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise ConfigError(
            f"{shown} cannot be opened ({error.strerror}); nothing was "
            "touched; mend the file or its name"
        ) from error
    try:
        _check_mode(os.fstat(fd).st_mode, path, shown)
        key = os.read(fd, KEY_BYTES_MAX + 1)
    finally:
        os.close(fd)
    if len(key) > KEY_BYTES_MAX:
        raise ConfigError(
            f"{shown} is larger than {KEY_BYTES_MAX} bytes; nothing was touched; "
            "name the right file"
        )
    # An editor's end of line is not part of the key.
    key = key.removesuffix(b"\n").removesuffix(b"\r")
    if not key:
        raise ConfigError(
            f"{shown} is empty; nothing was touched; put the {what} into it"
        )
    return key


def _check_mode(mode: int, path: str | bytes, shown: str) -> None:
    if not stat.S_ISREG(mode):
        raise ConfigError(
            f"{shown} is no regular file; nothing was touched; name another"
        )
    if sys.platform != "win32" and mode & 0o077:
        name = shlex.quote(printable(os.fsdecode(path)))
        raise ConfigError(
            f"{shown} can be read or changed by others (mode "
            f"{stat.S_IMODE(mode):04o}); nothing was touched; run: chmod 600 {name}"
        )
