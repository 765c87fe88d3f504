"""What mends a share, by the error that it gave."""

import errno

_ROOM = "make room on the share (never below .paxect)"
_RIGHTS = "let this user write there (chown what another user's run left there)"
_SERVER = "see to the file server and the network"
_FILES = "raise the limit of open files (ulimit -n)"

_BY_ERRNO = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: "mount it writable",
    errno.EIO: _SERVER,
    errno.ESTALE: _SERVER,
    errno.EHOSTDOWN: _SERVER,
    errno.ETIMEDOUT: _SERVER,
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
}


def remedy(number: int | None) -> str:
    """Return what to do before a run can go on, as a clause that another follows."""
    return _BY_ERRNO.get(number or 0, "mend the share")
