"""The listener answers whoever asks, and nobody can keep it from others."""

import errno
import os
import socket
import threading
from collections.abc import Iterator

import pytest
from serve_samples import a_full_board, ask, exchange, head_of, listener_of, reply_of

from paxect_batch.serve import listener as module
from paxect_batch.serve.listener import CONNECTIONS_MAX, Listener
from paxect_batch.serve.request import HEAD_BYTES_MAX

Address = tuple[str, int]


@pytest.fixture
def address() -> Iterator[Address]:
    with listener_of(a_full_board()) as found:
        yield found


def test_each_connection_gets_one_answer_and_is_closed(address: Address) -> None:
    data = exchange(address, head_of("/ping") + head_of("/last"))
    assert data.count(b"HTTP/1.1 200") == 1
    assert data.endswith(b"\r\n\r\npong\n")


def test_request_that_comes_in_pieces_is_answered(address: Address) -> None:
    with socket.create_connection(address, timeout=120) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in head_of("/ping"):
            client.sendall(bytes([byte]))
        received = b""
        while part := client.recv(100):
            received += part
    assert reply_of(received).status == 200


def test_head_that_is_too_long_is_refused(address: Address) -> None:
    head = b"GET /ping HTTP/1.1\r\nA: " + b"a" * 4 * HEAD_BYTES_MAX + b"\r\n\r\n"
    assert reply_of(exchange(address, head)).status == 431


def test_idle_connections_keep_nobody_out(address: Address) -> None:
    idle = [
        socket.create_connection(address, timeout=120)
        for _ in range(2 * CONNECTIONS_MAX)
    ]
    try:
        assert ask(address, "/ping").status == 200
        # The eldest had to go for those who came later.
        assert idle[0].recv(1) == b""
    finally:
        for each in idle:
            each.close()


def test_connection_that_says_nothing_is_dropped_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "HEAD_SECONDS_MAX", 0.05)
    with (
        listener_of(a_full_board()) as address,
        socket.create_connection(address, timeout=120) as client,
    ):
        client.sendall(b"GET /ping")
        assert client.recv(1) == b""


def test_client_that_does_not_read_is_dropped_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ANSWER_SECONDS_MAX", 0.05)
    big = b"x" * (64 << 20)
    listener = Listener("127.0.0.1", 0, lambda _: big, lambda *_: b"")
    listener.start()
    try:
        with socket.create_connection(listener.address, timeout=120) as client:
            client.sendall(head_of("/"))
            deaf = socket.create_connection(listener.address, timeout=120)
            deaf.sendall(head_of("/"))
            # Others are answered meanwhile, as far as they read.
            assert client.recv(10) == big[:10]
            received = 0
            try:
                while part := deaf.recv(1 << 20):
                    received += len(part)
            except ConnectionResetError:
                pass
            assert received <= len(big)
            deaf.close()
    finally:
        listener.stop()


def test_too_many_requests_are_told_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REQUESTS_AT_ONCE_MAX", 3)
    monkeypatch.setattr(module, "REQUESTS_PER_SECOND_MAX", 0.0001)
    with listener_of(a_full_board()) as address:
        replies = [ask(address, "/ping") for _ in range(5)]
    assert [reply.status for reply in replies] == [200, 200, 200, 429, 429]
    assert replies[-1].headers["retry-after"] == "1"


def test_noise_from_several_at_once_leaves_it_answering(address: Address) -> None:
    def make_noise() -> None:
        for _ in range(10):
            exchange(address, os.urandom(3000) + b"\r\n\r\n")

    threads = [threading.Thread(target=make_noise) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ask(address, "/view").status == 200


def test_address_that_is_taken_cannot_be_had(address: Address) -> None:
    with pytest.raises(OSError) as caught:  # noqa: PT011  the number is looked at
        Listener(*address, lambda _: b"", lambda *_: b"")
    assert caught.value.errno == errno.EADDRINUSE


def test_address_is_free_again_when_it_stopped() -> None:
    with listener_of(a_full_board()) as address:
        assert ask(address, "/ping").status == 200
    with pytest.raises(ConnectionRefusedError):
        ask(address, "/ping")
    Listener(*address, lambda _: b"", lambda *_: b"").stop()


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")
def test_listener_takes_an_address_of_version_6() -> None:
    listener = Listener("::1", 0, lambda _: b"HTTP/1.1 200 OK\r\n\r\n", lambda *_: b"")
    listener.start()
    try:
        assert ask(listener.address, "/").status == 200
    finally:
        listener.stop()
