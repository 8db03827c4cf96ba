"""One order and one colour of each organ, whatever shows it and whichever cases are shown."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import chaosprep
from chaosprep import Dataset
from chaosprep.dataset.outlines import PALETTE
from chaosprep.facts import Label
from chaosprep.quality.montage import preview
from chaosprep.quality.report import report
from chaosprep.stages.augment import AugmentParams
from chaosprep.stages.augment_preview import preview as augment_preview
from tests.labelled import Row, labelled

ORDER = ["liver", "right-kidney", "left-kidney", "spleen", "spine"]
SPLEEN = PALETTE[3]


@pytest.fixture(scope="module")
def dataset(folds: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Four organs, of which the first case names the last alone; no mask shows the fifth."""
    told = {value: Label(name) for value, name in enumerate(ORDER, 1)}

    def edit(row: Row) -> None:
        if row["patient"] == "MR001":
            row["labels"] = {"4": "spleen"}
            row["pixels"] = {"spleen": row["pixels"]["spleen"]}
        else:
            row["pixels"] = dict(reversed(row["pixels"].items()))

    return labelled(folds, tmp_path_factory.mktemp("order") / "d", told, edit)


def near(picture: NDArray[Any], colour: tuple[int, int, int]) -> int:
    return int((np.abs(picture.astype(int) - colour).max(axis=2) < 12).sum())


def test_a_sheet_of_one_case_has_the_colours_of_the_dataset(
    dataset: Dataset, tmp_path: Path
) -> None:
    preview(dataset.directory, tmp_path / "a.png", cases=["MR001_t1-in"], per_case=0, tile=256)
    drawn = cv2.imread(str(tmp_path / "a.png"))
    assert drawn is not None
    assert near(drawn[:, :, ::-1], SPLEEN) > 20
    assert near(drawn[:, :, ::-1], PALETTE[0]) == 0


def test_a_preview_of_copies_has_the_colours_of_the_dataset(dataset: Dataset) -> None:
    params = AugmentParams(patient=("MR001",))
    drawn = np.asarray(Image.open(BytesIO(augment_preview(dataset, params))).convert("RGB"))
    assert near(drawn, SPLEEN) > 20
    assert near(drawn, PALETTE[0]) == 0


def test_a_notebook_lists_organs_in_their_order(dataset: Dataset) -> None:
    named = re.findall(r"rgb\(([^)]*)\)\">&#9632;</span> ([\w-]+)", dataset._repr_html_())
    assert [name for _, name in named] == ORDER[:4]
    assert [colour for colour, _ in named] == [f"{r}, {g}, {b}" for r, g, b in PALETTE[:4]]


def test_a_report_has_one_order_everywhere(dataset: Dataset, tmp_path: Path) -> None:
    html = report(dataset.directory, tmp_path / "page.html").path.read_text()
    shown = ORDER[:4]
    legend = html[html.index('<p class="legend">') :].partition("</p>")[0]
    volumes = re.findall(r"([a-z-]+) \d+ ml", html[html.index('id="case-MR002') :])
    table = html[html.index('aria-label="What the values') :].partition("</table>")[0]
    assert re.findall(r"</i>([\w-]+)</span>", legend) == shown
    assert re.findall(r">([\w-]+) ml</button>", html) == shown
    assert re.findall(r"<figcaption>([\w-]+) volume", html) == shown
    assert volumes[:4] == shown
    assert re.findall(r'<th scope="row">([\w-]+)', table) == ORDER
    assert re.findall(r"\.o\d \{ --organ: #(\w+) \}", html) == [
        bytes(colour).hex() for colour in PALETTE[:4]
    ]


def test_scores_come_in_the_same_order(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    for row in dataset.slices:
        mask = next(case for case in dataset.cases if case.id == row.case).mask(row)
        assert mask is not None
        cv2.imwrite(str(tmp_path / "masks" / f"{row.id}.png"), mask)
    found = chaosprep.report(
        tmp_path / "masks", tmp_path / "page.html", reference=dataset.directory
    )
    html = found.path.read_text()
    section = html[html.index('id="predictions"') :].partition("</section>")[0]
    assert re.findall(r"<figcaption>([\w-]+)", section) == ORDER[:4]
