"""The deterministic container `.freq` v42: encode, decode, verify, inspect.

A container's bytes depend on the raw bytes, the `Settings` and `CODEC_VERSION` alone.
core/FORMAT.md is the specification. What is listed here is the public interface;
names are loaded when they are first used, so that a short command starts fast.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from paxect_core.codec import CODEC_VERSION, LIBZSTD_VERSION
    from paxect_core.errors import (
        Cancelled,
        ContainerError,
        FileError,
        PaxectError,
        StructureError,
        UsageError,
        VerificationError,
    )
    from paxect_core.files import decode_file, encode_file, verify_file
    from paxect_core.layout import Container
    from paxect_core.memory import decode_bytes, encode_bytes
    from paxect_core.reader import decode, iterate_frames, verify
    from paxect_core.results import (
        DecodeResult,
        EncodeResult,
        Frame,
        FrameEntry,
        Inspection,
    )
    from paxect_core.wire import Footer, Settings
    from paxect_core.writer import encode

__version__ = "0.1.0"

__all__ = [
    "CODEC_VERSION",
    "LIBZSTD_VERSION",
    "Cancelled",
    "Container",
    "ContainerError",
    "DecodeResult",
    "EncodeResult",
    "FileError",
    "Footer",
    "Frame",
    "FrameEntry",
    "Inspection",
    "PaxectError",
    "Settings",
    "StructureError",
    "UsageError",
    "VerificationError",
    "decode",
    "decode_bytes",
    "decode_file",
    "encode",
    "encode_bytes",
    "encode_file",
    "iterate_frames",
    "verify",
    "verify_file",
]

_HOMES = {
    "codec": "CODEC_VERSION LIBZSTD_VERSION",
    "errors": "Cancelled ContainerError FileError PaxectError StructureError "
    "UsageError VerificationError",
    "files": "decode_file encode_file verify_file",
    "layout": "Container",
    "memory": "decode_bytes encode_bytes",
    "reader": "decode iterate_frames verify",
    "results": "DecodeResult EncodeResult Frame FrameEntry Inspection",
    "wire": "Footer Settings",
    "writer": "encode",
}


def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        if name in names.split():
            from importlib import import_module

            value: object = getattr(import_module(f"paxect_core.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'paxect_core' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
