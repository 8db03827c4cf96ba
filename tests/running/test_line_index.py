"""Where the lines of a journal are."""

from chaosprep.running.line_index import Line, LineIndex

HASH = "0f" * 32


def test_the_latest_line_of_a_case_is_found() -> None:
    index = LineIndex()
    index.put("a", 0, 10)
    index.put("b", 10, 5, HASH)
    index.put("a", 15, 2**40, HASH[::-1])
    assert index.find("a") == Line(15, 2**40, HASH[::-1])
    assert index.find("b") == Line(10, 5, HASH)
    assert (index.find("c"), "a" in index, "c" in index) == (None, True, False)


def test_a_line_that_takes_the_place_of_another_has_not_its_hash() -> None:
    index = LineIndex()
    index.put("a", 0, 10, HASH)
    index.put("a", 10, 10)
    assert index.find("a") == Line(10, 10, None)
