"""One request, from the bytes of its head; strict, and bounded in everything."""

from __future__ import annotations

import re

import msgspec

HEAD_BYTES_MAX = 8192
HEADERS_MAX = 64
_LINE = re.compile(rb"([A-Z]{1,16}) (/[\x21-\x7e]{0,1023}) HTTP/1\.[01]")
_HEADER = re.compile(rb"([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([\x20-\x7e\x80-\xff\t]*)")


class Request(msgspec.Struct, frozen=True):
    """What is asked for; of the target only its path, names in lower case."""

    method: str
    path: str
    headers: dict[str, str]


class Refused(Exception):
    """The request is not taken; `status` says how to answer."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


def head_length(data: bytes | bytearray) -> int:
    """Return how long the head is, its empty line included; 0 if that is to come."""
    end = data.find(b"\r\n\r\n", 0, HEAD_BYTES_MAX)
    if end >= 0:
        return end + 4
    if len(data) >= HEAD_BYTES_MAX:
        raise Refused(431, f"the head of a request has {HEAD_BYTES_MAX} bytes at most")
    return 0


def is_bare(head: bytes) -> bool:
    """Tell whether the answer to this head has no body, be it a refusal."""
    return head.startswith(b"HEAD ")


def parse(head: bytes) -> Request:
    """Return the request of a head, or raise `Refused`."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    asked = _LINE.fullmatch(first)
    if asked is None:
        raise Refused(400, "that is no request line")
    if len(lines) > HEADERS_MAX:
        raise Refused(431, f"a request has {HEADERS_MAX} headers at most")
    headers: dict[str, str] = {}
    for line in lines:
        found = _HEADER.fullmatch(line)
        if found is None:
            raise Refused(400, "that is no header")
        name = found[1].decode("ascii").lower()
        if name in headers and name in ("host", "authorization", "content-length"):
            raise Refused(400, f"there are two headers {name}")
        headers[name] = found[2].decode("latin-1").strip()
    if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        raise Refused(413, "no request has a body here")
    method, target = asked[1].decode("ascii"), asked[2].decode("ascii")
    if method not in ("GET", "HEAD"):
        raise Refused(405, "only GET and HEAD are answered; nothing can be changed")
    return Request(method, re.split(r"[?#]", target, maxsplit=1)[0], headers)
