"""docs/private.md lists the private elements that stay: all of them, and no others."""

import re

from chaosprep.privacy.deidentify import private
from chaosprep.privacy.deidentify.csa import cleaned_csa
from tests.documents import HOME
from tests.formats.mosaics import csa

PAGE = (HOME / "docs" / "private.md").read_text(encoding="utf-8")
ROW = re.compile(r"\| ([^|]+) \| \(([0-9A-F]{4}),xx([0-9A-F]{2})\) \|")


def test_the_page_lists_what_is_safe() -> None:
    listed = {(one, int(group, 16), int(low, 16)) for one, group, low in ROW.findall(PAGE)}
    groups = {group for _, group, _ in listed}
    creators = {creator for creator, _, _ in listed}
    every = ((one, group, low) for one in creators for group in groups for low in range(256))
    assert listed == {place for place in every if private.is_safe(*place)}
    assert len(listed) == len(private._SAFE.strip().splitlines())


def test_the_page_lists_the_tags_of_a_csa_header() -> None:
    (named,) = re.findall(r"known words: ([^.]+)\.", PAGE)
    for name in map(str.strip, named.split(",")):
        value = "NONE" if name == "DiffusionDirectionality" else "1"
        made = cleaned_csa(csa({name: [value]}))
        assert made is not None
        assert name.encode() in made
