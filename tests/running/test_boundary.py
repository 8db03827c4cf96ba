"""What the work of a case raises: a problem of the case, or the end of the run."""

import errno
import os

import pytest

from chaosprep.errors import ChaosprepError, FileError, OutputError
from chaosprep.running.boundary import tried
from chaosprep.running.claim import SupersededError


def fail(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FileError("it is three", code="three"), "three"),
        (MemoryError(), "worker-died"),
        (KeyError("John Smith"), "internal"),
        (OSError("a decoder's own"), "internal"),
    ],
)
def test_what_is_wrong_with_a_case_is_given_back(error: Exception, code: str) -> None:
    given = tried(fail, error)
    assert isinstance(given, ChaosprepError)
    assert given.code == code


@pytest.mark.parametrize(
    "error",
    [
        OutputError("out: cannot be written", code="output"),
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        SupersededError("run has ended"),
    ],
)
def test_what_ends_the_run_is_raised(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        tried(fail, error)
    assert caught.value is error
