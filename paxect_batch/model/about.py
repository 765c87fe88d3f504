"""Let an error tell which file it is about.

Of a call that takes an open file's number the system says what went wrong, and no name.
"""

from __future__ import annotations


class About:
    """While it lasts, an `OSError` that names no file gets this one's name."""

    __slots__ = ("_path",)

    def __init__(self, path: object) -> None:
        self._path = path

    def __enter__(self) -> None:
        return

    def __exit__(
        self, _kind: object, error: BaseException | None, _trace: object
    ) -> None:
        if isinstance(error, OSError) and error.errno and error.filename is None:
            error.filename = str(self._path)
