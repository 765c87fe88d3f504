"""The listener: one thread that answers HTTP requests, and waits for nobody.

It reads the board and touches no file, so it answers while a mount hangs. Everything is
bounded: connections at a time, bytes and seconds for each, requests a second. Whoever
is slow or idle is dropped for the sake of who comes next.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable

from paxect_batch.serve.request import HEAD_BYTES_MAX, Refused, head_length

CONNECTIONS_MAX = 64
HEAD_SECONDS_MAX = 5.0
"""For so long a request may be on its way."""
ANSWER_SECONDS_MAX = 15.0
"""For so long an answer may be on its way."""
LINGER_SECONDS_MAX = 1.0
"""For so long one waits that the other side closes, lest it lose the answer."""
REQUESTS_PER_SECOND_MAX = 50.0
REQUESTS_AT_ONCE_MAX = 100
_ACCEPTED_AT_ONCE_MAX = 16
_READ_BYTES = 4096
_SEND_BYTES = 65536
_TURN_SECONDS = 0.5

To = Callable[[bytes], bytes]
Refuse = Callable[[bytes, int, str], bytes]


class Listener:
    """Listens from its making on; answers from `start` to `stop`."""

    def __init__(self, host: str, port: int, to: To, refuse: Refuse) -> None:
        """Raises `OSError` if the address cannot be had."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=64)
        self._socket.settimeout(0)
        self.address: tuple[str, int] = self._socket.getsockname()[:2]
        self._to = to
        self._refuse = refuse
        self._allowance = _Allowance()
        self._selector = selectors.DefaultSelector()
        self._waker, self._wakened = socket.socketpair()
        self._connections: dict[int, _Connection] = {}
        self._is_stopping = False
        self._thread = threading.Thread(
            target=self._serve, name="paxect-listener", daemon=True
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more; give the address back."""
        self._is_stopping = True
        with contextlib.suppress(OSError):
            self._waker.send(b".")
        if self._thread.ident is not None:
            self._thread.join(2 * _TURN_SECONDS)
        for each in (self._socket, self._waker, self._wakened):
            each.close()

    def _serve(self) -> None:
        with self._selector as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(self._wakened, selectors.EVENT_READ)
            while not self._is_stopping:
                for key, _ in selector.select(_TURN_SECONDS):
                    if key.fileobj is self._socket:
                        self._accept()
                    elif key.fileobj is not self._wakened:
                        # One that was dropped to make room is told of all the same.
                        connection = self._connections.get(key.fd)
                        if connection is not None:
                            self._advance(connection)
                self._drop_late(time.monotonic())
            for connection in list(self._connections.values()):
                self._drop(connection)

    def _accept(self) -> None:
        for _ in range(_ACCEPTED_AT_ONCE_MAX):
            try:
                accepted, _ = self._socket.accept()
            except BlockingIOError:
                return
            except OSError:
                # No descriptor is left, most likely; it is not for us to insist.
                time.sleep(_TURN_SECONDS / 5)
                return
            if len(self._connections) >= CONNECTIONS_MAX:
                self._drop(min(self._connections.values(), key=lambda each: each.until))
            accepted.settimeout(0)
            connection = _Connection(accepted, time.monotonic() + HEAD_SECONDS_MAX)
            self._connections[accepted.fileno()] = connection
            self._selector.register(accepted, selectors.EVENT_READ)

    def _advance(self, connection: _Connection) -> None:
        try:
            if connection.answer:
                self._send(connection)
            elif connection.is_answered:
                if not connection.socket.recv(_READ_BYTES):
                    self._drop(connection)
            else:
                self._receive(connection)
        except BlockingIOError:
            return
        except OSError:
            self._drop(connection)

    def _receive(self, connection: _Connection) -> None:
        data = connection.socket.recv(_READ_BYTES)
        if not data:
            self._drop(connection)
            return
        connection.head += data[: HEAD_BYTES_MAX - len(connection.head)]
        answer = self._answer(connection.head)
        if answer is not None:
            connection.answer = memoryview(answer)
            connection.is_answered = True
            connection.until = time.monotonic() + ANSWER_SECONDS_MAX
            self._selector.modify(connection.socket, selectors.EVENT_WRITE)

    def _answer(self, head: bytearray) -> bytes | None:
        try:
            length = head_length(head)
        except Refused as refusal:
            return self._refuse(bytes(head), refusal.status, refusal.why)
        if not length:
            return None
        if not self._allowance.takes(time.monotonic()):
            return self._refuse(
                bytes(head), 429, "that was too much at once; try again soon"
            )
        return self._to(bytes(head[:length]))

    def _send(self, connection: _Connection) -> None:
        assert connection.answer is not None
        sent = connection.socket.send(connection.answer[:_SEND_BYTES])
        connection.answer = connection.answer[sent:]
        if not connection.answer:
            connection.socket.shutdown(socket.SHUT_WR)
            connection.until = time.monotonic() + LINGER_SECONDS_MAX
            self._selector.modify(connection.socket, selectors.EVENT_READ)

    def _drop_late(self, now: float) -> None:
        for connection in list(self._connections.values()):
            if now >= connection.until:
                self._drop(connection)

    def _drop(self, connection: _Connection) -> None:
        del self._connections[connection.socket.fileno()]
        self._selector.unregister(connection.socket)
        connection.socket.close()


class _Connection:
    """One connection: a head that comes in, an answer that goes out."""

    def __init__(self, accepted: socket.socket, until: float) -> None:
        self.socket = accepted
        self.until = until
        """When it is dropped, if it does not get on."""
        self.head = bytearray()
        self.answer: memoryview | None = None
        """What is still to be sent."""
        self.is_answered = False


class _Allowance:
    """So many requests a second, and some more at once."""

    def __init__(self) -> None:
        self._left = float(REQUESTS_AT_ONCE_MAX)
        self._at = time.monotonic()

    def takes(self, now: float) -> bool:
        """Tell whether one more may be answered."""
        gained = (now - self._at) * REQUESTS_PER_SECOND_MAX
        self._left = min(self._left + gained, float(REQUESTS_AT_ONCE_MAX))
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
