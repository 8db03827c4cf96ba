"""Functions that take URLs wherever they take datasets, roots and outputs."""

import logging
from collections.abc import Callable
from functools import cache, wraps
from inspect import signature
from typing import Any

from chaosprep.urls.location import is_url

_log = logging.getLogger(__name__)
_OUTPUT = "output"
PLACES = frozenset(
    {
        *("source", "root", "directory", "shards", "checkpoint", "dicom"),
        *("a", "b", "ref", "pred", "reference", "readers", _OUTPUT),
    }
)
"""Parameters of the public functions that are folders or files to work on, or several of them."""


@cache
def anywhere(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The function, for URLs too: it works on their working copies, and its output is sent.

    ``name`` is what `chaosprep` has it under, by which it pickles.

    Raises, besides, what `Session` raises.
    """
    parameters = [*signature(function).parameters]

    @wraps(function)
    def verb(*values: Any, **named: Any) -> Any:  # noqa: ANN401 - what the function gives
        pairs = [*zip(parameters, values, strict=False), *named.items()]
        if not any(name in PLACES and _has_url(value) for name, value in pairs):
            return function(*values, **named)
        from chaosprep.remote.session import Session

        session = Session(_log.info)

        def local(name: str, value: Any) -> Any:  # noqa: ANN401 - what was given
            if name not in PLACES or not _has_url(value):
                return value
            if isinstance(value, list | tuple):
                return [local(name, one) for one in value]
            return (session.output if name == _OUTPUT else session.source)(value)

        try:
            more = values[len(parameters) :]
            here = [local(*pair) for pair in zip(parameters, values, strict=False)]
            made = function(*here, *more, **{name: local(name, one) for name, one in named.items()})
            session.send()
        except Exception as error:
            session.named(error)
            raise
        finally:
            session.close()
        return made

    verb.__module__, verb.__qualname__ = "chaosprep", name
    return verb


def _has_url(value: object) -> bool:
    return any(map(is_url, value)) if isinstance(value, list | tuple) else is_url(value)
