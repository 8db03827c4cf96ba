"""The report in a real browser, from disk; skips where Playwright or Chromium is missing."""

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest

import chaosprep
from chaosprep.formats.png import encode_png
from chaosprep.quality.report import report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def page_file(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report(pristine, tmp_path_factory.mktemp("page") / "report.html").path


@pytest.fixture
def page(browser: "Browser", page_file: Path) -> Iterator["Page"]:
    """The opened page; any word on its console, or request but for itself, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: complaints.append(request.url.partition(",")[0]))
    opened.goto(page_file.as_uri())
    yield opened
    context.close()
    allowed = ("data:", "blob:", page_file.as_uri())
    assert [text for text in complaints if not text.startswith(allowed)] == []


def _shown(page: "Page") -> str:
    return str(page.locator("#viewer-title").text_content())


def test_c_and_the_button_toggle_the_contours(page: "Page") -> None:
    line = page.locator(".montage .lines:has(path)").first
    assert line.is_visible()
    page.keyboard.press("c")
    assert not line.is_visible()
    assert page.locator("#contours").get_attribute("aria-pressed") == "false"
    page.locator("#contours").click()
    assert line.is_visible()


def test_every_picture_can_be_decoded(page: "Page") -> None:
    broken = page.evaluate(
        "Promise.all([...document.images].map(i => { i.loading = 'eager'; return i.decode() }))"
        ".then(() => 0, () => 1)"
    )
    assert broken == 0


def test_the_keyboard_alone_opens_the_viewer_and_moves_through_the_slices(page: "Page") -> None:
    from playwright.sync_api import expect

    page.locator(".montage .tile").nth(1).focus()
    page.keyboard.press("Enter")
    seen = [_shown(page)]
    for key in ("ArrowDown", "ArrowRight", "ArrowUp", "End", "ArrowDown", "Home"):
        page.keyboard.press(key)
        seen.append(_shown(page))
    assert [int(id[-1]) for id in seen] == [1, 2, 3, 2, 4, 4, 0]
    page.keyboard.press("Escape")
    assert not page.locator("#viewer").is_visible()
    # The browser gives the focus back to the first tile before the page moves it on.
    expect(page.locator(f'.montage [data-id="{seen[-1]}"]')).to_be_focused()


def test_the_wheel_and_a_finger_move_through_the_slices(page: "Page") -> None:
    from playwright.sync_api import expect

    page.locator(".montage .tile").nth(1).click()
    page.mouse.move(640, 400)
    page.mouse.wheel(0, 100)
    expect(page.locator("#slice")).to_have_value("2")
    page.mouse.down()
    page.mouse.move(640, 440, steps=8)
    page.mouse.up()
    assert int(_shown(page)[-1]) == 4


def test_a_shows_the_augmented_copy_beside_its_original(page: "Page") -> None:
    page.locator(".case[data-split=train] .montage .tile").first.click()
    assert page.locator("#stage .film").count() == 1
    page.keyboard.press("a")
    assert page.locator("#stage .film").count() == 2
    assert "copy 1 of 1" in (page.locator("#viewer-info").text_content() or "")


def test_level_and_width_map_grey_values_as_a_window_does(page: "Page") -> None:
    page.locator(".montage .tile").first.click()
    page.locator("#width").fill("100")
    page.locator("#level").fill("60")
    slope, intercept = (
        float(page.locator("feFuncR").get_attribute(name) or "nan")
        for name in ("slope", "intercept")
    )
    assert slope * 10 / 255 + intercept == pytest.approx(0)  # level - width / 2 is black
    assert slope * 110 / 255 + intercept == pytest.approx(1)  # level + width / 2 is white


def test_the_fill_slider_fills_the_outlines(page: "Page") -> None:
    page.locator(".montage .tile:has(path)").first.click()
    path = page.locator("#stage .lines path").first
    opacity = "e => getComputedStyle(e).fillOpacity"
    assert path.evaluate(opacity) == "0"
    page.locator("#fill").fill("40")
    assert path.evaluate(opacity) == "0.4"


def test_the_viewer_fits_the_screen(page: "Page") -> None:
    for width, height in ((1280, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.locator(".montage .tile").first.click()
        box = page.locator("#reset").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= height
        page.keyboard.press("Escape")


def test_originals_stand_beside_their_copies(page: "Page") -> None:
    copies = page.locator(".copies").first
    copies.locator("summary").click()
    page.wait_for_selector(".copies[open] .original img")
    assert copies.locator(".original img").count() == copies.locator(".tile img").count()


def test_ratings_are_kept_and_exported(page: "Page", tmp_path: Path) -> None:
    first, second = (page.locator(".case").nth(n) for n in (0, 1))
    first.locator("[data-verdict=pass]").click()
    second.locator("[data-verdict=fail]").click()
    second.locator(".note").fill('=1+1, "rim"')
    page.reload()
    assert first.locator("[data-verdict=pass]").get_attribute("aria-pressed") == "true"
    assert page.locator("#rated").text_content() == "2/4"
    with page.expect_download() as download:
        page.locator("#export").click()
    download.value.save_as(tmp_path / "ratings.csv")
    with (tmp_path / "ratings.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["case"] for row in rows] == [f"MR00{n}_t1-in" for n in range(1, 5)]
    assert [row["verdict"] for row in rows] == ["pass", "fail", "", ""]
    assert rows[1]["note"] == '\'=1+1, "rim"'  # a spreadsheet must not run it
    assert rows[0]["patient"] == "MR001"


def test_a_second_press_takes_a_rating_back(page: "Page") -> None:
    button = page.locator("[data-verdict=pass]").first
    button.click()
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    assert page.locator("#rated").text_content() == "0/4"


def test_j_and_k_go_from_case_to_case(page: "Page") -> None:
    visited = []
    for key in ("j", "j", "k"):
        page.keyboard.press(key)
        visited.append(page.evaluate("document.activeElement.dataset.case"))
    assert visited == ["MR001_t1-in", "MR002_t1-in", "MR001_t1-in"]


def test_typing_a_note_is_no_command(page: "Page") -> None:
    page.locator(".note").first.focus()
    page.keyboard.type("cjk")
    assert page.locator(".note").first.input_value() == "cjk"
    assert page.locator("#contours").get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewing", [False, True])
def test_axe_calls_nothing_serious(
    page: "Page", scheme: Literal["light", "dark"], viewing: bool
) -> None:
    axe = os.environ.get("AXE_CORE")  # the axe.min.js of the npm package axe-core
    if not axe:
        pytest.skip("no AXE_CORE")
    page.emulate_media(color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    if viewing:
        page.locator(".montage .tile").first.click()
    page.evaluate(Path(axe).read_text())
    found = page.evaluate("axe.run().then(r => r.violations)")
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    assert [(v["id"], [n["target"] for n in v["nodes"]][:3]) for v in serious] == []


@pytest.fixture(scope="module")
def judged(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page on predictions: the reference's own masks, each moved by four columns."""
    place = tmp_path_factory.mktemp("judged")
    (place / "masks").mkdir()
    for case in chaosprep.open(pristine).cases:
        for row in case.slices:
            mask = case.mask(row)
            if mask is not None and not row.copy:
                data = encode_png(np.roll(mask, 4, axis=1))
                (place / "masks" / f"{row.id}.png").write_bytes(data)
    return report(place / "masks", place / "page.html", reference=pristine).path


def test_keys_toggle_reference_prediction_and_errors(browser: "Browser", judged: Path) -> None:
    opened = browser.new_page()
    opened.goto(judged.as_uri())
    opened.locator(".montage .tile:has(.surplus)").first.focus()
    opened.keyboard.press("Enter")
    layers = {"1": ".lines:not(.predicted)", "2": ".predicted", "3": ".errors"}
    for key, css in layers.items():
        layer = opened.locator(f"#stage {css}")
        assert layer.is_visible()
        opened.keyboard.press(key)
        assert not layer.is_visible()
        opened.keyboard.press(key)
        assert layer.is_visible()
    opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_calls_nothing_serious_on_predictions(
    browser: "Browser", judged: Path, scheme: Literal["light", "dark"]
) -> None:
    axe = os.environ.get("AXE_CORE")
    if not axe:
        pytest.skip("no AXE_CORE")
    opened = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    opened.goto(judged.as_uri())
    opened.evaluate(Path(axe).read_text())
    found = opened.evaluate("axe.run().then(r => r.violations)")
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
    opened.close()


def test_the_index_of_predictions_sorts_by_a_metric_with_the_keyboard(
    browser: "Browser", judged: Path
) -> None:
    opened = browser.new_page()
    opened.goto(judged.as_uri())
    rows = opened.locator("#glance tbody tr")
    first = [one.text_content() for one in rows.locator("th").all()]
    assert opened.locator("#glance [aria-sort=ascending]").text_content() == "Dice"
    opened.get_by_role("button", name="HD95").focus()
    opened.keyboard.press("Enter")
    far = [float(c.get_attribute("data-v") or "") for c in rows.locator("td:nth-child(4)").all()]
    assert far == sorted(far)
    opened.get_by_role("button", name="Dice").focus()
    opened.keyboard.press("Enter")
    assert [one.text_content() for one in rows.locator("th").all()] == first
    opened.close()


def test_a_page_on_predictions_fits_a_phone(browser: "Browser", judged: Path) -> None:
    opened = browser.new_page(viewport={"width": 390, "height": 844})
    opened.goto(judged.as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    opened.close()
