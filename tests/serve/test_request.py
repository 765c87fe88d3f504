"""A request is taken only if it is one, whatever bytes come."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serve_samples import a_full_board, head_of, reply_of

from paxect_batch.serve.answers import Answers
from paxect_batch.serve.request import HEAD_BYTES_MAX, Refused, head_length, parse


def refused(head: bytes) -> int:
    with pytest.raises(Refused) as caught:
        parse(head)
    return caught.value.status


def test_request_has_its_path_without_query_and_its_headers_in_lower_case() -> None:
    request = parse(head_of("/ready?verbose=1", "X-One: a  ", method="HEAD"))
    assert (request.method, request.path) == ("HEAD", "/ready")
    assert request.headers == {"host": "127.0.0.1:8081", "x-one": "a"}


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\n\r\n", 400),
        (b"GET /\x00 HTTP/1.1\r\n\r\n", 400),
        (b"GET http://elsewhere/ HTTP/1.1\r\n\r\n", 400),
        (b"GET /" + b"a" * 2000 + b" HTTP/1.1\r\n\r\n", 400),
        (b"get / HTTP/1.1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\n\r\n", 405),
        (b"DELETE /view HTTP/1.1\r\n\r\n", 405),
        (b"GET / HTTP/1.1\r\nno header\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: 1\nB: 2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\n" + b"A: 1\r\n" * 65 + b"\r\n", 431),
    ],
)
def test_request_that_is_none_is_refused(head: bytes, status: int) -> None:
    assert refused(head) == status


def test_head_ends_with_its_empty_line_and_at_its_limit() -> None:
    assert head_length(b"GET / HTTP/1.1\r\nA: 1\r\n") == 0
    assert head_length(b"GET / HTTP/1.1\r\n\r\nrest") == 18
    with pytest.raises(Refused):
        head_length(b"a" * HEAD_BYTES_MAX)


@settings(max_examples=50, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.builds(
            lambda path, header: b"GET /" + path + b" HTTP/1.1\r\n" + header,
            st.binary(max_size=60),
            st.binary(max_size=60),
        ),
    )
)
def test_any_bytes_get_an_answer(noise: bytes) -> None:
    reply = reply_of(ANSWERS.to(noise + b"\r\n\r\n"))
    assert reply.status in (200, 400, 404, 405, 413, 421, 431)


ANSWERS = Answers(a_full_board())
