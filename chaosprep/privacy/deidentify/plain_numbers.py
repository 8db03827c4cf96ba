"""Numbers that may stay: too small for a date, a time, or the number of a person."""

import re

MOST = 1e6
"""What a number may be: dates, times and most numbers of people are above."""
_NUMBER = re.compile(rb"[+-]?(\d{1,7}(\.\d{0,16})?|\.\d{1,16})([eE][+-]?\d{1,2})?")


def is_plain_number(text: bytes) -> bool:
    """Whether a text is such a decimal number; an empty one is."""
    return not text or (_NUMBER.fullmatch(text) is not None and abs(float(text)) <= MOST)
