"""An error that nobody foresaw becomes one to report."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from chaosprep.dataset.manifest import OnDemand
from chaosprep.errors import OutputError, Problem, internal
from chaosprep.words import shortened


def fail(*given: object) -> None:
    raise ValueError("John Smith, born 1970")


def raised(function: Callable[..., Any], *given: object) -> Exception:
    with pytest.raises((TypeError, ValueError)) as caught:
        function(*given)
    return caught.value


def test_an_unforeseen_error_is_told_with_its_type_and_place() -> None:
    told = internal(raised(shortened, 5, 3))
    assert (told.code, told.exit_code) == ("internal", 1)
    assert re.fullmatch(r"an unforeseen TypeError at chaosprep/words\.py:\d+", told.reason)
    assert told.remedy.startswith("Report it ")


def test_what_code_outside_the_package_raises_is_told_with_both_places() -> None:
    reason = internal(raised(OnDemand([1], fail).__getitem__, 0)).reason
    line = fail.__code__.co_firstlineno + 1
    place = rf"chaosprep/dataset/manifest\.py:\d+ by test_errors\.py:{line}"
    assert re.fullmatch(f"an unforeseen ValueError at {place}", reason)


def test_its_own_text_is_not_told() -> None:
    assert "Smith" not in internal(raised(fail)).text


def test_what_the_system_refuses_to_write_is_no_problem_of_a_slice() -> None:
    with pytest.raises(OutputError, match="No space"):
        Problem.of(OutputError("out: No space left on device", code="output"), "MR001_t1-in_s000")
