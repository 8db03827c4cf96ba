"""report --reference: predictions beside the masks that they should be."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

import chaosprep
from chaosprep.errors import NothingFoundError
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
