"""report --reference: predictions beside the masks that they should be."""

import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import NothingFoundError, UsageError
from chaosprep.imaging.space.facing import facing
from chaosprep.quality.report import report
from chaosprep.quality.report.predictions import overlay

ORGANS = ("liver", "spleen")


@pytest.fixture(scope="module")
def predicted(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of masks, those of each next patient farther from the truth."""
    place = tmp_path_factory.mktemp("predicted")
    for shift, case in enumerate(chaosprep.open(pristine).cases):
        for row in case.slices:
            if not row.copy:
                mask = case.mask(row)
                assert mask is not None
                cv2.imwrite(str(place / f"{row.id}.png"), np.roll(mask, 2 * shift, axis=1))
    return place


@pytest.fixture(scope="module")
def html(pristine: Path, predicted: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    page = tmp_path_factory.mktemp("page") / "page.html"
    return report(predicted, page, reference=pristine).path.read_text("utf-8")


def test_an_error_is_too_much_or_too_little_and_a_wrong_organ_is_both() -> None:
    ref = np.array([[1, 1, 0, 0, 0, 1]], np.uint8)
    pred = np.array([[1, 0, 0, 1, 0, 2]], np.uint8)
    found = overlay(pred, ref, ORGANS, facing(None))
    assert [organ for organ, _ in found.outlines] == ["liver", "spleen"]
    assert found.surplus.count("M") == 2  # columns 3 and 5
    assert found.lacking.count("M") == 2  # columns 1 and 5
    assert found.box == "0 0 24 4"


def test_equal_masks_have_no_error() -> None:
    mask = np.array([[1, 2]], np.uint8)
    found = overlay(mask, mask, ORGANS, facing(None))
    assert (found.surplus, found.lacking) == ("", "")


def test_the_worst_case_comes_first(html: str) -> None:
    order = re.findall(r'<article [^>]*id="case-(\w+?)_', html)
    assert order == ["MR004", "MR003", "MR002", "MR001"]


def test_the_metrics_of_a_case_are_those_of_evaluate(
    html: str, pristine: Path, predicted: Path
) -> None:
    article = html[html.index('<article class="card case" id="case-MR003') :]
    table = article[article.index('class="scores"') : article.index("</table>")]
    row = next(
        one for one in chaosprep.evaluate(predicted, pristine).results if one.patient == "MR003"
    )
    shown = re.findall(r'<td class="n">([\d.]+)</td>', table)
    assert {f"{row.dice:.3f}", f"{row.hd95:.1f}", f"{row.assd:.2f}"} <= set(shown)


def test_the_page_of_equal_jobs_is_the_same(
    html: str, pristine: Path, predicted: Path, tmp_path: Path
) -> None:
    again = report(predicted, tmp_path / "page.html", reference=pristine, jobs=2)
    assert again.path.read_text("utf-8") == html


def test_augmented_copies_are_not_judged(html: str) -> None:
    assert 'class="copies"' not in html


def test_a_folder_without_predictions_is_refused(pristine: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingFoundError):
        report(tmp_path / "empty", tmp_path / "page.html", reference=pristine)


@pytest.fixture(scope="module")
def four_organs(folds: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Masks of four organs: those of the first patient without spleen, the others' moved."""
    place = tmp_path_factory.mktemp("four")
    for shift, case in enumerate(folds.cases):
        for row in case.slices:
            mask = case.mask(row)
            assert mask is not None
            made = np.roll(mask, shift, axis=1) if shift else np.where(mask == 4, 0, mask)
            cv2.imwrite(str(place / f"{row.id}.png"), made.astype(np.uint8))
    return place


def index_of(html: str) -> list[dict[str, str]]:
    """The index as the page has it: the rows, by heading."""
    table = html[html.index('id="glance"') :].partition("</table>")[0]
    names = re.findall(r"<button[^>]*>([^<]*)</button>", table)
    rows = re.findall(r"<tr data-case.*?</tr>", table, re.S)
    cells = [re.findall(r"<t[hd][^>]*>(?:<a[^>]*>)?([^<]*)<", row) for row in rows]
    return [dict(zip(names, row, strict=True)) for row in cells]


def test_the_index_has_the_worst_organ_of_each_metric(
    folds: Dataset, four_organs: Path, tmp_path: Path
) -> None:
    """One without any prediction has no distance, which is worse than the farthest."""
    made = report(four_organs, tmp_path / "page.html", reference=folds.directory)
    results = chaosprep.evaluate(four_organs, folds.directory).results
    index = index_of(made.path.read_text())
    for row in index:
        worst = min((r for r in results if r.case == row["Case"]), key=lambda r: r.dice)
        assert row["Dice"] == f"{worst.organ} {worst.dice:.3f}"
    dice = [float(row["Dice"].split()[1]) for row in index]
    assert dice == sorted(dice)
    first = next(row for row in index if row["Case"].startswith("MR001"))
    assert (first["HD95"], first["ASSD"]) == ("spleen –", "spleen –")  # noqa: RUF001
    moved = next(row for row in index if row["Case"].startswith("MR002"))
    far = max(r.hd95 for r in results if r.patient == "MR002" and r.hd95 is not None)
    assert moved["HD95"].split()[-1] == f"{far:.1f}"


def test_nsd_and_lesions_are_columns_where_they_are_asked_for(
    html: str, pristine: Path, predicted: Path, tmp_path: Path
) -> None:
    plain = index_of(html)[0]
    assert {"Dice", "HD95", "ASSD"} <= plain.keys()
    assert not {"NSD", "LesF1", "PQ"} & plain.keys()
    made = report(
        predicted, tmp_path / "page.html", reference=pristine, tolerance=2.0, lesions=True
    )
    index = index_of(made.path.read_text())
    results = chaosprep.evaluate(predicted, pristine, tolerance=2.0, lesions=True).results
    for row in index:
        (one,) = [r for r in results if r.case == row["Case"]]
        assert (row["NSD"], row["LesF1"]) == (f"{one.nsd:.3f}", f"{one.lesion_f1:.3f}")


@pytest.mark.parametrize("more", [{"tolerance": 2.0}, {"lesions": True}])
def test_what_is_of_predictions_needs_a_reference(
    pristine: Path, tmp_path: Path, more: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match="is for predictions compared with a reference"):
        report(pristine, tmp_path / "page.html", **more)
