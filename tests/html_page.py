"""A piece of HTML as a browser takes it."""

import base64
from dataclasses import dataclass, field
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_EMPTY = {"img", "br"}


@dataclass
class Page(HTMLParser):
    """A page as a browser takes it: its text, its cells and its pictures; tags must match."""

    html: str
    text: str = ""
    cells: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    pictures: dict[str, NDArray[np.uint8]] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        assert "src" not in values or str(values["src"]).startswith("data:image/png;base64,")
        if tag == "tr":
            self.rows.append([])
        if tag == "a":
            self.links.append(str(values["href"]))
        if tag == "img":
            data = base64.b64decode(str(values["src"]).partition(",")[2], validate=True)
            self.pictures[str(values["alt"])] = np.asarray(Image.open(BytesIO(data)))
        if tag not in _EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += f"{data}\n"
        if self.open[-1] in ("td", "th"):
            self.cells.append(data)
            self.rows[-1].append(data)
