"""Text of others in a line of Markdown (CommonMark and GitHub's tables): shown as it is written."""

import re

from chaosprep.printable import printable

_MARKS = re.compile(r"[\\`*_\[\]<>&|~$!]|:(?=//)|(?<=www)\.|@(?=\w)", re.IGNORECASE)
_AT_START = re.compile(r"^(\s*)([#+=-]|\d+(?=[.)]))")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(/[A-Za-z0-9./?=%#+,;-]*)?")


def inline(text: str) -> str:
    """A text that makes no link, markup, HTML, table cell or list: these signs are escaped."""
    escaped = _MARKS.sub(lambda found: "\\" + found[0], printable(text))
    return _AT_START.sub(lambda found: f"{found[1]}{_first(found[2])}", escaped).strip()


def address(text: str) -> str:
    """A plain address of the web, which readers make a link; any other text as `inline` has it."""
    return text if is_address(text) else inline(text)


def is_address(text: str) -> bool:
    """Whether a text is an address of the web, of letters, digits and the usual signs."""
    return _ADDRESS.fullmatch(text) is not None


def _first(sign: str) -> str:
    return f"&#{ord(sign[0])};{sign[1:]}" if sign[0].isdigit() else f"\\{sign}"
