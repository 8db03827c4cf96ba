"""The boundary of a case: what its work raises is a problem of this case, and ends no run."""

from collections.abc import Callable
from typing import TypeVar

from chaosprep.errors import ChaosprepError, RefusedError, internal
from chaosprep.running.claim import SupersededError

T = TypeVar("T")
R = TypeVar("R")


def tried(function: Callable[[T], R], task: T) -> R | ChaosprepError:
    """What a function makes of a case, or what it raised, to be told with the case.

    Raises:
        RefusedError, OSError: what the system refuses (a full disk, say) is no fault of the case.
        SupersededError: nor is that the run has ended.
    """
    try:
        return function(task)
    except RefusedError:
        raise
    except ChaosprepError as error:
        return error
    except MemoryError:
        return too_large("its worker ran out of memory")
    except SupersededError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        return internal(error)


def too_large(reason: str = "its worker process died, twice") -> ChaosprepError:
    """What is told of a case whose worker did not survive it."""
    return ChaosprepError(reason, "Try --jobs 1, or more memory.", code="worker-died")
