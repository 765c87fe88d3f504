"""Tell what lies where a pledge shall be published.

A target that cannot be reached, because a link or a file is where a folder should be,
is taken by something else, and that stays. So is one in a folder that lets nothing be
published, or whose name its file system cannot have; if the root lets nothing be, that
is the share's trouble.
"""

from __future__ import annotations

import errno
import hashlib

from paxect_batch.model.items import Kind
from paxect_batch.model.places import Place
from paxect_batch.model.transfer import Pledge
from paxect_batch.report.checksums import digest_in
from paxect_batch.rules.steps import TargetState
from paxect_batch.seams import Share

BARRED = (errno.ELOOP, errno.ENOTDIR)
"""A link, or a file, is where a folder should be."""
FORBIDDEN = (errno.EXDEV, errno.EACCES, errno.EPERM, errno.EROFS)
"""A folder of the root is somebody else's, or something else is mounted there."""
UNNAMEABLE = (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL)
"""What file systems say of names that they cannot have."""

_CHUNK_BYTES = 1 << 20
_SIDECAR_BYTES_MAX = 4096
_UNREADABLE = (errno.EACCES, errno.EPERM)
_GONE = (errno.ENOENT, errno.ESTALE)


def look_at_target(share: Share, pledge: Pledge) -> TargetState:
    """Tell whether the target's name is free, or taken by equal bytes, or by others."""
    try:
        facts = share.look(pledge.target)
    except OSError as error:
        if error.errno not in UNNAMEABLE:
            require_barred(share, pledge, error)
            return TargetState.DIFFERENT
        facts = None  # whoever publishes there hears whether it is for the name
    if facts is None:
        return TargetState.ABSENT
    if facts.kind is not Kind.FILE or facts.identity.size != pledge.target_bytes:
        return TargetState.DIFFERENT
    digest = hashlib.sha256()
    try:
        with share.open_source(pledge.target) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        if error.errno in _GONE:
            return TargetState.ABSENT
        if error.errno not in _UNREADABLE:
            raise
        # Nobody here can tell that it is the same.
        return TargetState.DIFFERENT
    equal = digest.hexdigest() == pledge.target_sha256
    return TargetState.EQUAL if equal else TargetState.DIFFERENT


def require_barred(share: Share, pledge: Pledge, error: OSError) -> None:
    """Raise the error, unless the target cannot be reached for what is in its way."""
    if error.errno in BARRED:
        return
    if error.errno == errno.EXDEV:
        # Something is mounted there, maybe on the root and since it was staged.
        return
    is_below = bool(pledge.target.folder.path)
    if error.errno not in UNNAMEABLE and not (is_below and error.errno in FORBIDDEN):
        raise error
    # Raises, if that may not be written to either.
    share.freshen(Place(pledge.target.root, ""))


def look_at_sidecar(share: Share, pledge: Pledge) -> TargetState:
    """Tell the same of the sidecar."""
    assert pledge.sidecar is not None
    try:
        data = share.read(pledge.sidecar, _SIDECAR_BYTES_MAX)
    except OSError as error:
        return _obstacle(share, pledge.sidecar, error)
    if data is None:
        return TargetState.ABSENT
    equal = digest_in(data) == pledge.container_sha256
    return TargetState.EQUAL if equal else TargetState.DIFFERENT


def _obstacle(share: Share, sidecar: Place, error: OSError) -> TargetState:
    """Tell what a sidecar that cannot be read leaves of its name.

    A folder of that name, a link or what may not be read is in the way of one item, and
    no trouble of the share's.
    """
    if error.errno in _GONE:
        return TargetState.ABSENT
    try:
        facts = share.look(sidecar)
    except OSError:
        # Its folder is barred; who publishes there finds out by what.
        return TargetState.ABSENT
    if facts is None:
        return TargetState.ABSENT
    if facts.kind is Kind.FILE and error.errno not in (*_UNREADABLE, errno.EFBIG):
        raise error
    return TargetState.DIFFERENT
