"""The dashboard: one page that needs nothing but this listener.

Its parts lie beside this module; they are put together once, and the page says by its
content security policy that nothing else may run, load or be asked.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

_FOLDER = "page"


class Page:
    """The page as it is sent, with its headers."""

    def __init__(self) -> None:
        style, script = _part("page.css"), _part("page.js")
        text = _part("page.html")
        text = text.replace("/*style*/", style).replace("/*script*/", script)
        self.data = text.encode()
        policy = (
            "default-src 'none'",
            f"style-src '{_digest(style)}'",
            f"script-src '{_digest(script)}'",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
        self.headers = (("Content-Security-Policy", "; ".join(policy)),)


def _part(name: str) -> str:
    return (resources.files(__package__) / _FOLDER / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
