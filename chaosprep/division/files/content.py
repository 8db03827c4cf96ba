"""The content of a file that tells a split: read once, its JSON parsed where it is any."""

from functools import cached_property
from pathlib import Path
from typing import Any

from chaosprep.files import read_regular
from chaosprep.layouts.dataset_json import json_of

_MOST = 2**23  # bytes: a line for each of 100,000 patients has less


class Content:
    """A file that may tell a split, or the folder that may."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def data(self) -> bytes:
        """Its bytes. Raises FileError: it cannot be read, or is too large."""
        return read_regular(self.path, follow=True, most=_MOST)

    @cached_property
    def json(self) -> Any:  # noqa: ANN401 - whatever it holds
        """What it says as JSON; None where it is none by its first sign.

        Raises:
            FileError: `json-broken`, and as for `data`.
        """
        text = self.data.removeprefix(b"\xef\xbb\xbf").lstrip()
        return json_of(text) if text[:1] in (b"{", b"[") else None
