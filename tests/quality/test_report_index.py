"""The index of cases and the group page, in a real browser: sorting, filters, keys, readers."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import chaosprep
from chaosprep.phantom import Patient, write_chaos
from chaosprep.quality.report import report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ODD = "MR009_t1-in"


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of nine patients, of whom the last has pixels a tenth as large."""
    import pydicom

    place = tmp_path_factory.mktemp("nine")
    patients = [Patient(id=id, slices=4, matrix=32, sequences=("t1-in",)) for id in range(1, 10)]
    root = write_chaos(place / "root", patients)
    for file in (root / "Train_Sets/MR/9").rglob("*.dcm"):
        read = pydicom.dcmread(file)
        read.PixelSpacing = [float(one) / 10 for one in read.PixelSpacing]
        read.save_as(file)
    pairs = chaosprep.split(root, place / "pairs", val_patient=["MR002"])
    made = chaosprep.convert(chaosprep.extract_liver(pairs, place / "livers"), place / "images")
    return report(made.directory, place / "report.html").path


def test_those_that_stand_out_come_first_with_their_reason(html: Path) -> None:
    text = html.read_text()
    cases = re.findall(r'<tr data-case="(\S+?)"', text)
    assert cases == [ODD, *(f"MR00{n}_t1-in" for n in range(1, 9))]
    assert "Stands out:</b> " in text.partition(f'id="case-{ODD}"')[2]
    assert text.count("Stands out:</b> ") == 1


def test_a_strip_has_a_point_for_each_case_and_marks_those_that_stand_out(html: Path) -> None:
    strips = re.findall(r'<figure class="strip">(.*?)</figure>', html.read_text(), re.S)
    assert strips
    for strip in strips:
        assert len(re.findall(r'<a href="#case-', strip)) == 9
    (rows,) = [strip for strip in strips if "spacing of rows" in strip]
    (far,) = re.findall(r'<a href="#case-(\S+?)"[^>]*><title>[^<]*</title><path', rows)
    assert far == ODD


@pytest.fixture
def page(browser: "Browser", html: Path) -> Iterator["Page"]:
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.goto(html.as_uri())
    yield opened
    opened.close()


def order(page: "Page") -> list[str]:
    return [str(text) for text in page.locator("#glance tbody tr:visible th").all_inner_texts()]


def test_a_heading_sorts_and_sorts_back(page: "Page") -> None:
    volume = page.get_by_role("button", name="liver ml")
    volume.focus()
    page.keyboard.press("Enter")
    rising = order(page)
    assert rising[0] == ODD
    assert page.locator("[aria-sort=ascending]").inner_text().startswith("liver ml")
    page.keyboard.press("Enter")
    assert order(page)[-1] == ODD
    assert sorted(order(page)) == sorted(rising)


def test_filters_leave_what_fits(page: "Page") -> None:
    page.locator("#only").select_option("outlier")
    assert order(page) == [ODD]
    assert page.locator("#matched").inner_text() == "1 of 9 cases"
    page.locator("#only").select_option("")
    page.locator("#side").select_option("val")
    assert order(page) == ["MR002_t1-in"]
    page.locator("#side").select_option("")
    page.locator("#find").fill("mr004")
    assert order(page) == ["MR004_t1-in"]


def test_p_f_and_n_rate_the_case_that_has_the_focus(page: "Page") -> None:
    page.locator("#case-MR003_t1-in").focus()
    page.keyboard.press("p")
    page.keyboard.press("j")
    page.keyboard.press("f")
    rated = {
        row.get_attribute("data-case"): row.locator(".rated").inner_text()
        for row in page.locator("#glance tbody tr").all()
    }
    assert rated["MR003_t1-in"] == "you pass"
    assert rated["MR004_t1-in"] == "you fail"
    page.keyboard.press("n")
    page.keyboard.type("p")
    assert page.locator("#case-MR004_t1-in .note").input_value() == "p"
    assert page.locator("#case-MR004_t1-in [data-verdict=fail]").get_attribute("aria-pressed")


def test_two_readers_stand_side_by_side_with_their_agreement(page: "Page", tmp_path: Path) -> None:
    from playwright.sync_api import expect

    first = {1: "pass", 2: "pass", 3: "fail", 4: "fail"}
    second = {1: "pass", 2: "fail", 3: "fail", 4: "fail"}
    for name, found in (("ann", first), ("bob", second)):
        lines = [f'"MR00{n}_t1-in","{verdict}"' for n, verdict in found.items()]
        (tmp_path / f"{name}.csv").write_text("\r\n".join(["case,verdict", *lines, ""]))
    page.locator("#readers").set_input_files([tmp_path / "ann.csv", tmp_path / "bob.csv"])
    expect(page.locator("#agreement")).not_to_be_empty()
    # Observed 3/4; by chance 2/4 x 1/4 + 2/4 x 3/4 = 1/2: kappa (3/4 - 1/2) / (1 - 1/2).
    told = page.locator("#agreement").inner_text()
    assert told == "ann and bob agree on 3 of 4 cases, Cohen's kappa 0.50."
    page.locator("#only").select_option("differ")
    assert order(page) == ["MR002_t1-in"]
    assert page.locator("#glance tr:visible .rated").inner_text() == "ann pass, bob fail"


def test_a_file_that_is_no_table_of_ratings_is_named(page: "Page", tmp_path: Path) -> None:
    from playwright.sync_api import expect

    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    page.locator("#readers").set_input_files(tmp_path / "other.csv")
    expect(page.locator("#agreement")).not_to_be_empty()
    assert page.locator("#agreement").inner_text().startswith("other.csv: not a table of ratings")


def test_arrow_keys_go_along_a_strip_and_enter_goes_to_the_case(page: "Page") -> None:
    from playwright.sync_api import expect

    page.locator(".strip svg").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"#case-{re.escape(ODD)}$"))
