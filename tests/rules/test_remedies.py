"""What is said to mend a share."""

import errno
import os

import pytest

from paxect_batch.rules.remedies import remedy


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, "make room"),
        (errno.EDQUOT, "make room"),
        (errno.EACCES, "let this user write there"),
        (errno.EPERM, "let this user write there"),
        (errno.EROFS, "mount it writable"),
        (errno.EIO, "see to the file server"),
        (errno.ESTALE, "see to the file server"),
        (errno.EMFILE, "raise the limit of open files"),
    ],
)
def test_error_of_the_share_is_told_with_what_mends_it(number: int, told: str) -> None:
    assert remedy(number).startswith(told)


def test_errors_without_a_remedy_of_their_own_have_a_general_one() -> None:
    assert remedy(None) == remedy(0) == remedy(errno.EXDEV) == "mend the share"


def test_remedies_are_clauses_that_another_follows() -> None:
    for number in errno.errorcode:
        assert not remedy(number).endswith((".", ";", ",")), os.strerror(number)
