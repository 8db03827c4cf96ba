"""report --ratings: what readers saved stands on the page from the start, or is refused by name."""

import csv
import html as markup
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from chaosprep.errors import UsageError
from chaosprep.quality.report import report

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CASES = [f"MR00{n}_t1-in" for n in range(1, 5)]
ANN = {1: ("pass", ""), 2: ("pass", "rim"), 3: ("fail", "=1+1"), 4: ("fail", "")}
BOB = {1: ("pass", ""), 2: ("fail", ""), 3: ("fail", ""), 4: ("", "unsure")}
Ratings = dict[int, tuple[str, str]]


def saved(file: Path, ratings: Ratings, key: str = "") -> Path:
    """A file as the page saves it."""
    file.parent.mkdir(exist_ok=True)
    with file.open("w", newline="") as stream:
        table = csv.writer(stream, quoting=csv.QUOTE_ALL)
        table.writerow(["case", "patient", "sequence", "split", "verdict", "note", "report"])
        for n, (verdict, note) in ratings.items():
            guarded = f"'{note}" if note.startswith("=") else note
            table.writerow([f"MR00{n}_t1-in", f"MR00{n}", "t1-in", "", verdict, guarded, key])
    return file


def key_of(html: str) -> str:
    return str(re.findall(r'data-report="([^"]+)"', html)[0])


def read_by(html: str) -> dict[str, dict[str, list[str]]]:
    (told,) = re.findall(r'data-readers="([^"]*)"', html)
    return dict(json.loads(markup.unescape(told)))


def test_what_two_readers_saved_is_on_the_page(pristine: Path, tmp_path: Path) -> None:
    key = key_of(report(pristine, tmp_path / "page.html").path.read_text())
    files = [saved(tmp_path / "ann.csv", ANN, key), saved(tmp_path / "bob.csv", BOB, key)]
    found = read_by(report(pristine, tmp_path / "page.html", ratings=files).path.read_text())
    assert list(found) == ["ann", "bob"]
    for name, ratings in (("ann", ANN), ("bob", BOB)):
        assert found[name] == {f"MR00{n}_t1-in": [*one] for n, one in ratings.items()}


def test_files_of_one_name_are_numbered(pristine: Path, tmp_path: Path) -> None:
    files = [saved(tmp_path / name / "ratings.csv", ANN) for name in ("a", "b")]
    page = report(pristine, tmp_path / "page.html", ratings=files).path.read_text()
    assert list(read_by(page)) == ["ratings 1", "ratings 2"]


def test_a_table_that_a_spreadsheet_saved_again_is_read(pristine: Path, tmp_path: Path) -> None:
    (tmp_path / "ann.csv").write_text("\ufeffCase;Verdict;Note\r\nMR001_t1-in;PASS;a, b\r\n")
    page = report(pristine, tmp_path / "page.html", ratings=[tmp_path / "ann.csv"])
    assert read_by(page.path.read_text()) == {"ann": {"MR001_t1-in": ["pass", "a, b"]}}


def test_markup_in_a_name_or_note_is_text(pristine: Path, tmp_path: Path) -> None:
    bad = "\"><img src=x onerror='alert(1)'>"
    file = saved(tmp_path / "<b>.csv", {1: ("pass", bad)})
    html = report(pristine, tmp_path / "page.html", ratings=[file]).path.read_text()
    assert "<img src=x" not in html
    assert read_by(html) == {"<b>": {"MR001_t1-in": ["pass", bad]}}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"MR001_t1-in": "pass"}', "no columns called case and verdict"),
        ("", "no columns called case and verdict"),
        ("case,verdict\nMR001_t1-in,maybe\n", "line 2 has no case, or a verdict that is not"),
        (
            "case,verdict\nMR001_t1-in,pass\nMR001_t1-in,fail\n",
            "line 3 has a case that an earlier line has",
        ),
        ("case,verdict\nMR001_t1-in,\n", "nothing is rated in it"),
        ("case,verdict\nMR001_t1-in,pass\nX9_ct,fail\n", "1 case in it is not on this page"),
        ("case,verdict,report\nMR001_t1-in,pass,abc\n", "of another dataset or prediction"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_by_name(
    pristine: Path, tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "ann.csv").write_text(text)
    with pytest.raises(UsageError, match=f"ann.csv: .*{reason}"):
        report(pristine, tmp_path / "page.html", ratings=[tmp_path / "ann.csv"])
    assert not (tmp_path / "page.html").exists()


def test_what_is_no_text_or_not_there_is_refused_by_name(pristine: Path, tmp_path: Path) -> None:
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    for name in ("bytes.csv", "none.csv"):
        with pytest.raises(UsageError, match=name):
            report(pristine, tmp_path / "page.html", ratings=[tmp_path / name])


def test_there_is_room_for_two(pristine: Path, tmp_path: Path) -> None:
    files = [saved(tmp_path / f"{name}.csv", ANN) for name in "abc"]
    with pytest.raises(UsageError, match="3 files, more than 2"):
        report(pristine, tmp_path / "page.html", ratings=files)


def test_both_stand_side_by_side_when_the_page_opens(
    pristine: Path, tmp_path: Path, browser: "Browser"
) -> None:
    files = [saved(tmp_path / "ann.csv", ANN), saved(tmp_path / "bob.csv", BOB)]
    page = browser.new_page()
    page.goto(report(pristine, tmp_path / "page.html", ratings=files).path.as_uri())
    # Of three that both rated two are the same; by chance 2/3 x 1/3 + 1/3 x 2/3 = 4/9.
    told = page.locator("#agreement").inner_text()
    assert told == "ann and bob agree on 2 of 3 cases, Cohen's kappa 0.40."
    row = page.locator("#glance tr[data-case=MR002_t1-in]")
    assert row.locator(".rated").inner_text() == "ann pass, bob fail"
    others = page.locator("#case-MR002_t1-in .others")
    assert others.text_content() == "ann: pass, rim · bob: fail"
    assert page.locator("#case-MR004_t1-in .others").text_content() == "ann: fail · bob: unsure"
    page.locator("#only").select_option("differ")
    assert page.locator("#matched").inner_text() == "1 of 4 cases"


def test_what_a_page_saves_fits_it_and_no_other(
    pristine: Path, tmp_path: Path, browser: "Browser"
) -> None:
    from playwright.sync_api import expect

    made = report(pristine, tmp_path / "page.html")
    page = browser.new_page()
    page.goto(made.path.as_uri())
    page.locator("#case-MR001_t1-in [data-verdict=pass]").click()
    with page.expect_download() as download:
        page.locator("#export").click()
    download.value.save_as(tmp_path / "mine.csv")
    again = report(pristine, tmp_path / "page.html", ratings=[tmp_path / "mine.csv"])
    assert read_by(again.path.read_text())["mine"]["MR001_t1-in"] == ["pass", ""]
    other = (tmp_path / "mine.csv").read_text().replace(key_of(again.path.read_text()), "0" * 16)
    (tmp_path / "mine.csv").write_text(other)
    with pytest.raises(UsageError, match="of another dataset"):
        report(pristine, tmp_path / "page.html", ratings=[tmp_path / "mine.csv"])
    page.locator("#readers").set_input_files(tmp_path / "mine.csv")
    expect(page.locator("#agreement")).not_to_be_empty()
    assert page.locator("#agreement").inner_text().startswith("mine.csv: not a table of ratings")
