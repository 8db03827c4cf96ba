"""The links of a page in Markdown, and the places on it that a link can lead to."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

_CODE = re.compile(r"(^( *)```.*?^\2```|(`+)(?!`).+?(?<!`)\3(?!`))", re.M | re.S)
_LINK = re.compile(r"(\]\()([^)\s]+)(?=\)|\s)")


def _prose(text: str) -> Iterator[tuple[str, bool]]:
    """The parts of a page in order, each with whether it is prose, not code."""
    end = 0
    for code in _CODE.finditer(text):
        yield text[end : code.start()], True
        yield code[0], False
        end = code.end()
    yield text[end:], True


def rewritten(text: str, lead: Callable[[str], str]) -> str:
    """The page with other targets in its links and pictures."""
    return "".join(
        _LINK.sub(lambda link: link[1] + lead(link[2]), part) if is_prose else part
        for part, is_prose in _prose(text)
    )


def targets(text: str) -> list[str]:
    """Where the links and pictures of a page lead, as they are written."""
    return [target for part, prose in _prose(text) if prose for _, target in _LINK.findall(part)]


def anchors(text: str) -> set[str]:
    """The places of a page, called as GitHub calls them: one for each heading."""
    outside = re.sub(r"^( *)```.*?^\1```", "", text, flags=re.M | re.S)
    headings = re.findall(r"^#{1,6} +(.+?) *#*$", outside, re.M)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", one) for one in headings)
    return {re.sub(r"[^\w -]", "", one).strip().lower().replace(" ", "-") for one in plain}


def broken(page: Path) -> list[str]:
    """The links of a page that lead to no file, or to no place of a page; not those to the web."""
    found = []
    for target in targets(page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        if urlsplit(target).scheme:
            continue
        file = page.parent / unquote(path) if path else page
        is_there = file.exists() and (
            not anchor or anchor in anchors(file.read_text(encoding="utf-8"))
        )
        found += [] if is_there else [target]
    return found
