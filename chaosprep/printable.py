"""Text of others in a line of plain text: a terminal obeys none of it, and it stays one line."""


def printable(text: str) -> str:
    r"""A text with all that does not print written out, as Python does: `\x1b`, `\u202e`, `\n`.

    That is what Unicode calls other or separator (C0, C1, marks of direction, line separators,
    surrogates), the space aside.
    """
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
