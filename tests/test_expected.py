"""Wrong values in plain words: no word of the library that finds them."""

from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from chaosprep.errors import UsageError
from chaosprep.expected import explain
from chaosprep.params import Fields, make_params

DIGIT = "a whole number from 0 to 9"


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    low: float
    high: float = 1.0


class Outer(Fields, frozen=True, kw_only=True):
    part: Annotated[float, Meta(ge=0, lt=1)] = 0.2
    size: Annotated[float, Meta(gt=0)] | None = None
    rate: Annotated[float, Meta(gt=0, le=1)] = 1
    count: Annotated[int, Meta(ge=1, le=2**30)] = 1
    copies: Annotated[int, Meta(ge=0)] = 1
    flag: bool = False
    name: str = ""
    path: Annotated[str, Meta(min_length=1)] | None = None
    kind: Literal["a", "b"] = "a"
    names: tuple[str, ...] = ()
    pair: tuple[Annotated[int, Meta(ge=0, le=9)], Annotated[int, Meta(ge=0, le=9)]] | None = None
    table: dict[str, Any] | None = None
    inner: Inner | None = None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("part", 4, "--part: must be a number of at least 0 and less than 1 (given: 4)"),
        ("part", -0.5, "--part: must be a number of at least 0 and less than 1 (given: -0.5)"),
        ("part", "x", "--part: must be a number of at least 0 and less than 1 (given: 'x')"),
        ("size", 0.0, "--size: must be a number of more than 0 (given: 0)"),
        ("rate", 2.5, "--rate: must be a number of more than 0 and at most 1 (given: 2.5)"),
        ("count", 0, "--count: must be a whole number from 1 to 1073741824 (given: 0)"),
        ("copies", -1, "--copies: must be a whole number of at least 0 (given: -1)"),
        ("copies", 1.5, "--copies: must be a whole number of at least 0 (given: 1.5)"),
        ("copies", 1.0, "--copies: must be a whole number of at least 0 (given: 1.0)"),
        ("flag", "yes", "--flag: must be true or false (given: 'yes')"),
        ("name", 3, "--name: must be a text (given: 3)"),
        ("path", "", "--path: must be a text that is not empty (given: '')"),
        ("kind", "c", "--kind: must be one of a, b (given: 'c')"),
        ("names", [1], "--names: must be a list, each a text (given: [1])"),
        ("pair", [1], "--pair: must be 2 values, each a whole number from 0 to 9 (given: [1])"),
        (
            "pair",
            [1, 10],
            f"--pair: must be 2 values, each {DIGIT} (given: [1, 10])",
        ),
        ("table", 3, "--table: must be a table (given: 3)"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(name: str, value: object, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        make_params(Outer, {name: value})
    assert caught.value.reason == words


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"inner": {"low": "x"}}, "inner.low must be a number (given: 'x')"),
        ({"inner": {}}, "inner lacks low"),
        ({"inner": {"low": 1, "hgh": 2}}, "inner has no hgh (did you mean high?), only low, high"),
        ({"pair": [1, "x"]}, "pair[1] must be a whole number from 0 to 9 (given: 'x')"),
    ],
)
def test_a_place_in_a_table_is_told(table: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(table, Outer)
    assert explain(caught.value, Outer, table) == words


def test_values_at_the_borders_are_taken() -> None:
    made = make_params(Outer, {"part": 0, "rate": 1, "count": 2**30, "pair": [0, 9], "size": 1e-9})
    assert (made.part, made.rate, made.pair) == (0, 1, (0, 9))
