"""All containers that every reader refuses, in the order of vectors.json."""

from __future__ import annotations

from cases import Invalid
from invalid_bodies import bad_bodies, bad_data, bad_windows
from invalid_ends import bad_footers, trailing, truncated
from invalid_frames import bad_channels, bad_lengths
from invalid_header import bad_headers
from invalid_lenient import lenient
from invalid_order import order_of_frames, order_of_header


def all_invalid() -> list[Invalid]:
    """Return every scenario."""
    return [
        *bad_headers(),
        *bad_channels(),
        *bad_lengths(),
        *bad_bodies(),
        *bad_windows(),
        *bad_data(),
        *truncated(),
        *trailing(),
        *bad_footers(),
        *order_of_header(),
        *order_of_frames(),
        *lenient(),
    ]
