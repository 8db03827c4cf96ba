"""docs/data-card.md, on the directory that the README's quick start makes."""

import re
from pathlib import Path

import chaosprep
from tests.documents import HOME, place_with_samples, replayed

PAGE = (HOME / "docs/data-card.md").read_text(encoding="utf-8")


def test_the_session_writes_the_card_with_the_sections_of_the_table(tmp_path: Path) -> None:
    place = place_with_samples(tmp_path)
    chaosprep.prepare(place / "sample_data", place / "out", copies=1)
    ((expected, printed),) = replayed(PAGE, place)
    assert printed == expected
    text = (place / "card.md").read_text()
    assert text == chaosprep.card(place / "out/augmented")
    told = re.findall(r"^\| ([A-Z][a-z ]+) \|", PAGE, re.MULTILINE)
    assert re.findall(r"^## (.*)", text, re.MULTILINE) == told
