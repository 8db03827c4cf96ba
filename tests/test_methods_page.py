"""The session of docs/methods.md, on the directory that the README's quick start makes."""

from pathlib import Path

import chaosprep
from tests.documents import HOME, place_with_samples, replayed

PAGE = (HOME / "docs/methods.md").read_text(encoding="utf-8")


def test_the_session_writes_the_text(tmp_path: Path) -> None:
    place = place_with_samples(tmp_path)
    chaosprep.prepare(place / "sample_data", place / "out", copies=1)
    ((expected, printed),) = replayed(PAGE, place)
    assert printed == expected
    text = (place / "methods.md").read_text()
    assert text == chaosprep.methods(place / "out/augmented")
