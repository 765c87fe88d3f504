"""Which request gets which answer; all from the board, and nothing is changed."""

from __future__ import annotations

import hmac
import ipaddress
import json
from collections import Counter
from collections.abc import Callable

import msgspec

from paxect_batch.report.families import Family, MetricKind, family
from paxect_batch.report.metrics import view_families
from paxect_batch.serve.board import Board
from paxect_batch.serve.exposition import NoMetrics, exposition
from paxect_batch.serve.page import Page
from paxect_batch.serve.request import Refused, Request, is_bare, parse

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
HTML = "text/html; charset=utf-8"
OPEN_PATHS = frozenset({"/", "/ping"})
"""What is answered without a token: it tells nothing of the share."""

_TITLES = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Content Too Large",
    421: "Misdirected Request",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}


class Answer(msgspec.Struct, frozen=True):
    """What is sent back."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()

    def wire(self, *, with_body: bool = True) -> bytes:
        """Return the answer as it is sent."""
        headers = (
            ("Content-Type", self.content_type),
            ("Content-Length", str(len(self.body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Connection", "close"),
            *self.headers,
        )
        lines = [f"HTTP/1.1 {self.status} {_TITLES[self.status]}"]
        lines += [f"{name}: {value}" for name, value in headers]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        return head + self.body if with_body else head


class Answers:
    """Answers requests. With a token, only who has it learns of the share."""

    def __init__(
        self, board: Board, *, token: bytes | None = None, page: Page | None = None
    ) -> None:
        self._board = board
        self._token = token
        self._page = page or Page()
        self._counts: Counter[tuple[str, int]] = Counter()
        self._routes: dict[str, Callable[[Request], Answer]] = {
            "/": self._show_page,
            "/ping": lambda _: Answer(200, TEXT, b"pong\n"),
            "/ready": self._ready,
            "/metrics": self._metrics,
            "/last": self._last,
            "/events": lambda _: _json(self._board.newest()),
            "/view": lambda _: _json(self._board.view()),
        }

    def to(self, head: bytes) -> bytes:
        """Return what to send to whoever sent this head of a request."""
        path = ""
        try:
            request = parse(head)
            path = request.path
            answer = self._answer(request)
        except Refused as refusal:
            answer = _refusal(refusal)
        except Exception as error:  # noqa: BLE001  one answer fails, and no other
            answer = Answer(
                500, TEXT, f"that failed: {type(error).__name__}\n".encode()
            )
        return self._counted(path, answer).wire(with_body=not is_bare(head))

    def refuse(self, head: bytes, status: int, why: str) -> bytes:
        """Return what to send to someone whose request is not even looked at."""
        refusal = _refusal(Refused(status, why))
        return self._counted("", refusal).wire(with_body=not is_bare(head))

    def _counted(self, path: str, answer: Answer) -> Answer:
        shown = path if path in self._routes else "other"
        self._counts[shown, answer.status] += 1
        return answer

    def _answer(self, request: Request) -> Answer:
        route = self._routes.get(request.path)
        if self._token is None:
            _check_host(request.headers.get("host", ""))
        elif request.path not in OPEN_PATHS:
            self._check_token(request.headers.get("authorization", ""))
        if route is None:
            known = " ".join(self._routes)
            raise Refused(404, f"that is not here; try one of: {known}")
        return route(request)

    def _check_token(self, words: str) -> None:
        assert self._token is not None
        kind, _, given = words.partition(" ")
        data = given.strip().encode("latin-1")
        if kind.lower() != "bearer" or not hmac.compare_digest(data, self._token):
            raise Refused(401, "send the header: Authorization: Bearer TOKEN")

    def _show_page(self, _request: Request) -> Answer:
        return Answer(200, HTML, self._page.data, self._page.headers)

    def _ready(self, _request: Request) -> Answer:
        problems = self._board.view().not_ready
        answer = _json({"ready": not problems, "problems": problems})
        return msgspec.structs.replace(answer, status=503 if problems else 200)

    def _last(self, _request: Request) -> Answer:
        seen = self._board.view().seen
        audit = None if seen is None else seen.last_run
        # As the audit line has it, whose keys are sorted.
        facts = msgspec.to_builtins(audit)
        text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
        return Answer(200, JSON, text.encode() + b"\n")

    def _metrics(self, request: Request) -> Answer:
        families = (*view_families(self._board.view()), self._requests())
        try:
            body, kind = exposition(families, request.headers.get("accept", ""))
        except NoMetrics as error:
            return Answer(501, TEXT, f"{error}\n".encode())
        return Answer(200, kind, body)

    def _requests(self) -> Family:
        return family(
            "http_requests_total",
            "Requests that were answered, by path and status.",
            [
                ({"path": path, "code": str(status)}, count)
                for (path, status), count in sorted(self._counts.items())
            ],
            MetricKind.COUNTER,
        )


def _json(value: object) -> Answer:
    return Answer(200, JSON, msgspec.json.encode(value) + b"\n")


def _refusal(refusal: Refused) -> Answer:
    headers: dict[int, tuple[tuple[str, str], ...]] = {
        401: (("WWW-Authenticate", 'Bearer realm="paxect-batch"'),),
        405: (("Allow", "GET, HEAD"),),
        429: (("Retry-After", "1"),),
    }
    body = f"{refusal.why}\n".encode()
    return Answer(refusal.status, TEXT, body, headers.get(refusal.status, ()))


def _check_host(host: str) -> None:
    """Refuse a name that some page may have had pointed at this address.

    A browser that was led here by such a name would hand the answer to that page.
    """
    name = host.rpartition(":")[0] if _has_port(host) else host
    name = name.removeprefix("[").removesuffix("]").lower()
    if name in ("", "localhost") or name.endswith(".localhost"):
        return
    try:
        ipaddress.ip_address(name)
    except ValueError:
        raise Refused(
            421, "without a token only localhost or an address is answered as a host"
        ) from None


def _has_port(host: str) -> bool:
    return ":" in host and not host.endswith("]")
