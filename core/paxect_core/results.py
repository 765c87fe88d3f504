"""What encoding, decoding and looking at a container return."""

from __future__ import annotations

from paxect_core.structs import Struct
from paxect_core.wire import Footer, Settings


class EncodeResult(Struct):
    """A container that was written whole."""

    raw_bytes: int
    frames: int
    raw_sha256: str
    container_bytes: int
    container_sha256: str
    settings: Settings
    codec_version: str


class DecodeResult(Struct):
    """A container that was read whole and found right in every respect.

    `container_sha256` is None where the caller asked to do without it.
    """

    raw_bytes: int
    frames: int
    raw_sha256: str
    container_bytes: int
    container_sha256: str | None
    settings: Settings
    codec_version: str


class Frame(Struct):
    """One verified frame: its place and its raw bytes."""

    number: int
    channel: int
    raw_offset: int
    raw: bytes


class FrameEntry(Struct):
    """One frame as its header describes it; its body was not looked at."""

    number: int
    channel: int
    offset: int
    raw_offset: int
    compressed_bytes: int
    raw_bytes: int
    crc32: int


class Inspection(Struct):
    """What a container says of itself, checked as far as the frame headers go."""

    settings: Settings
    footer: Footer
    container_bytes: int
