"""Messages between the coordinator and a worker: length-prefixed msgpack on a pipe."""

from __future__ import annotations

import struct
from typing import IO, TypeVar

import msgspec

from paxect_batch.model.transfer import Lot, Outcome

MESSAGE_BYTES_MAX = 64 * 1024 * 1024

_LENGTH = struct.Struct("<I")


class Greeting(msgspec.Struct, frozen=True, tag=True):
    """The first message to a worker: the roots of the share, and who started it."""

    roots: dict[str, bytes]
    coordinator: int


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The first message of a worker: it has started, and how it makes containers."""

    codec: str


class Done(msgspec.Struct, frozen=True, tag=True):
    """What became of the lot that the worker was given."""

    number: int
    outcomes: tuple[Outcome, ...]


class Working(msgspec.Struct, frozen=True, tag=True):
    """How many raw bytes of its lot the worker has worked on."""

    worked_bytes: int


class Work(msgspec.Struct, frozen=True, tag=True):
    """A lot for a worker that has none."""

    lot: Lot


ToWorker = Greeting | Work
FromWorker = Ready | Working | Done

_encoder = msgspec.msgpack.Encoder()
to_worker: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(Greeting | Work)
from_worker: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(
    Ready | Working | Done
)

_Message = TypeVar("_Message")


def send(stream: IO[bytes], message: ToWorker | FromWorker) -> None:
    """Write a message; `OSError` if nobody reads."""
    data = _encoder.encode(message)
    if len(data) > MESSAGE_BYTES_MAX:
        raise ValueError(
            f"a message of {len(data)} bytes is too large; make lots smaller"
        )
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def receive(
    stream: IO[bytes], decoder: msgspec.msgpack.Decoder[_Message]
) -> _Message | None:
    """Read a message; None when the other side has ended, be it in the middle of one.

    `msgspec.DecodeError` if it is none of ours.
    """
    prefix = stream.read(_LENGTH.size)
    if len(prefix) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(prefix)
    if length > MESSAGE_BYTES_MAX:
        raise msgspec.DecodeError(f"a message of {length} bytes")
    data = stream.read(length)
    return decoder.decode(data) if len(data) == length else None
