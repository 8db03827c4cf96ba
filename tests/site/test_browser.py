"""The site in a real browser, opened as files: the search works, and nothing is asked elsewhere."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest.importorskip("zensical")
sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PAGES = ("index", "tutorial", "commands", "have/pacs", "errors")


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    if CHROMIUM is None:
        pytest.skip("no chromium")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


def test_the_search_finds_a_code_and_asks_nothing_of_the_network(
    browser: "Browser", site: Path
) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((site / "have/pacs.html").as_uri())
    page.locator(".md-search__button").click()
    page.get_by_role("combobox").fill("grey-rim")
    page.get_by_role("dialog").get_by_text("Any other folder").click()
    page.wait_for_url("**/quality.html*")
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_is_wider_than_the_window(browser: "Browser", site: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 844})
    for name in PAGES:
        page.goto((site / f"{name}.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    page.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_calls_nothing_serious(
    browser: "Browser", site: Path, scheme: Literal["light", "dark"], width: int
) -> None:
    axe = os.environ.get("AXE_CORE")  # the axe.min.js of the npm package axe-core
    if not axe:
        pytest.skip("no AXE_CORE")
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    for name in PAGES:
        page.goto((site / f"{name}.html").as_uri())
        page.evaluate(Path(axe).read_text())
        found = page.evaluate("axe.run().then(r => r.violations)")
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        assert [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in serious] == []
    page.close()
