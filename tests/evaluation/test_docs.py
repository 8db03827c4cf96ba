"""docs/evaluation.md names what there is: every metric, and codes of the code alone."""

import re

from chaosprep.known import SCORING
from tests.documents import HOME

PAGE = (HOME / "docs/evaluation.md").read_text(encoding="utf-8")


def test_every_code_that_the_page_names_is_one_that_there_is() -> None:
    code = "".join(path.read_text() for path in (HOME / "chaosprep").rglob("*.py"))
    table = PAGE[PAGE.index("## Problems") :]
    named = re.findall(r"`([a-z]+-[a-z]+|gap|sheared|labels|hash)`", table)
    assert len(named) > 10
    for name in named:
        assert f'"{name}"' in code


def test_every_metric_is_defined() -> None:
    for name in ("Dice", "F1", "Jaccard", "precision", "recall", "RAVD", "ASSD", "MSSD", "HD95"):
        assert f"| {name} |" in PAGE


def test_the_thresholds_are_those_of_the_code() -> None:
    for worst in (
        f"below {SCORING.dice:g}",
        f"above {SCORING.ravd:g} %",
        f"above {SCORING.assd:g} mm",
        f"above {SCORING.mssd:g} mm",
    ):
        assert worst in PAGE
