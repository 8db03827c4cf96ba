"""A page of many cases in a real browser: sections load as they come near, and jumps end there."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import chaosprep
from chaosprep.phantom import Patient, write_chaos
from chaosprep.quality.report import report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CASES = 30  # more than are loaded at once


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("many")
    # So few slices make a section lower than the browser expects of one that it has not drawn.
    patients = [
        Patient(id=id, slices=2, matrix=16, sequences=("t1-in",)) for id in range(1, CASES + 1)
    ]
    root = write_chaos(place / "root", patients)
    made = chaosprep.extract_liver(chaosprep.split(root, place / "pairs"), place / "livers")
    return report(made.directory, place / "page.html").path


@pytest.fixture
def opened(browser: "Browser", many: Path) -> Iterator["Page"]:
    """The page anew, with its sections far below still waiting."""
    page = browser.new_page(viewport={"width": 1280, "height": 700})
    page.goto(many.as_uri())
    yield page
    page.close()


def top(page: "Page", case: str) -> float:
    """Where a case begins on the screen, once it has stood still."""
    at = "id => document.getElementById(id).getBoundingClientRect().top"
    seen = [0.0, 1.0, 2.0]
    while len({round(one) for one in seen[-3:]}) > 1:
        page.wait_for_timeout(80)
        seen.append(page.evaluate(at, f"case-{case}_t1-in"))
    return seen[-1]


def test_sections_far_below_wait_until_somebody_goes_there(opened: "Page") -> None:
    far = opened.locator("#case-MR030_t1-in")
    assert far.locator(".tile").count() == 0
    opened.evaluate("location.hash = '#case-MR030_t1-in'")
    opened.wait_for_selector("#case-MR030_t1-in .tile")


@pytest.mark.parametrize("case", ["MR014", "MR025"])
def test_enter_in_the_index_ends_at_the_case(opened: "Page", case: str) -> None:
    opened.locator(f"#glance tr[data-case={case}_t1-in] a").focus()
    opened.keyboard.press("Enter")
    assert top(opened, case) == pytest.approx(60, abs=2)
    assert opened.evaluate("document.activeElement.dataset.case") == f"{case}_t1-in"


def test_j_and_k_end_at_the_case_that_they_go_to(opened: "Page") -> None:
    opened.evaluate("location.hash = '#case-MR018_t1-in'")
    opened.locator("#case-MR018_t1-in").focus()
    for key, case in (("j", "MR019"), ("j", "MR020"), ("k", "MR019")):
        opened.keyboard.press(key)
        assert top(opened, case) == pytest.approx(60, abs=2)


@pytest.mark.parametrize("key", ["Enter", "Escape"])
def test_a_key_leaves_a_note_for_its_case(opened: "Page", key: str) -> None:
    opened.locator("#case-MR002_t1-in").focus()
    opened.keyboard.press("n")
    opened.keyboard.type("rim")
    opened.keyboard.press(key)
    opened.keyboard.press("f")
    case = opened.locator("#case-MR002_t1-in")
    assert case.locator(".fail").get_attribute("aria-pressed") == "true"
    assert case.locator(".note").input_value() == "rim"
