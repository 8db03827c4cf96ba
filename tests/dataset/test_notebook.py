"""What a dataset and a case say of themselves, as a line and in a notebook."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import chaosprep
from chaosprep import Case, Dataset
from chaosprep.dataset.notebook import PICTURES, shown
from chaosprep.dataset.outlines import PALETTE
from chaosprep.dataset.records import Slice
from chaosprep.dataset.store import Store
from tests.hostile.canaries import find, mark
from tests.html_page import Page


@pytest.fixture
def damaged(images: Dataset, tmp_path: Path) -> Path:
    """A copy of the images to damage."""
    return Path(shutil.copytree(images.directory, tmp_path / "copy"))


def fullest(case: Case) -> Slice:
    return max(case.slices, key=lambda row: sum(row.pixels.values()))


def test_a_dataset_says_what_it_holds_in_a_line(images: Dataset) -> None:
    slices = len(images.slices)
    assert repr(images) == (
        f"<Dataset convert: 4 cases, {slices} slices, train 3 val 1 patients in {images.directory}>"
    )


def test_a_case_says_what_it_holds_in_a_line(images: Dataset) -> None:
    case = images.case("MR001_t1-in")
    assert repr(case) == f"<Case MR001_t1-in: 4 slices, {case.split} in {images.directory}>"


def test_a_line_reads_no_file(damaged: Path) -> None:
    dataset = chaosprep.open(damaged)
    shutil.rmtree(damaged)
    assert "4 cases" in repr(dataset)


def test_the_table_counts_each_side(images: Dataset) -> None:
    rows = images.slices
    train, val = (sum(row.split == side for row in rows) for side in ("train", "val"))
    cells = Page(images._repr_html_()).cells
    assert cells[:4] == ["patients", "cases", "slices", "train"]
    assert cells[4:] == ["3", "3", str(train), "val", "1", "1", str(val)]


def test_the_fullest_slice_of_each_case_is_pictured(images: Dataset) -> None:
    page = Page(images._repr_html_())
    assert list(page.pictures) == [fullest(case).id for case in images.cases]
    assert all(picture.shape == (144, 144, 3) for picture in page.pictures.values())


def test_no_more_pictures_than_six_of_no_more_cases_read(images: Dataset) -> None:
    class Many(list[Case]):
        read = 0

        def __len__(self) -> int:
            return 10_000

        def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 - a sequence's
            self.read += 1
            return images.cases[index % 4]

    cases = Many()
    html = shown("Many", Path("many"), cases)
    assert html.count("<img ") == cases.read == PICTURES


def test_a_case_shows_its_fullest_slices_in_their_order(images: Dataset, tmp_path: Path) -> None:
    case = chaosprep.augment(images, tmp_path / "copies").cases[0]
    originals = [row.id for row in case.slices if not row.copy]
    assert len(case.slices) > len(originals)
    assert list(Page(case._repr_html_()).pictures) == originals


def test_an_outline_has_the_colour_that_stands_beside_its_organ(folds: Dataset) -> None:
    page = Page(folds._repr_html_())
    organs = list(dict.fromkeys(o for row in folds.slices for _, o in sorted(row.labels.items())))
    for organ, colour in zip(organs, PALETTE, strict=False):
        assert f'rgb{colour}">&#9632;</span> {organ}' in folds._repr_html_()
    near = [np.abs(p.astype(int) - PALETTE[0]).max(axis=2) < 30 for p in page.pictures.values()]
    assert sum(int(found.sum()) for found in near) > 50


def test_16_bits_are_shown_from_black_to_white(livers: Dataset) -> None:
    for picture in Page(livers._repr_html_()).pictures.values():
        assert picture.min() == 0
        assert picture.max() == 255


@pytest.mark.parametrize("kind", ["image", "mask"])
def test_a_damaged_file_is_a_line(damaged: Path, kind: str) -> None:
    dataset = chaosprep.open(damaged)
    row = fullest(dataset.cases[1])
    path = damaged / getattr(row, kind)
    path.unlink()
    path.write_bytes(b"not a picture")
    page = Page(dataset._repr_html_())
    assert f"{row.id}: the file is not the one that the manifest records" in page.text
    assert len(page.pictures) == 3


def test_a_directory_that_is_gone_is_a_line(damaged: Path) -> None:
    dataset = chaosprep.open(damaged)
    shutil.rmtree(damaged)
    page = Page(dataset._repr_html_())
    assert "slices.jsonl: the file is missing" in page.text
    assert page.cells[3] == "train"


def test_without_masks_the_middle_is_shown(images: Dataset) -> None:
    rows = tuple(
        msgspec.structs.replace(row, mask=None, mask_sha256=None, mask_bytes=None, pixels={})
        for row in images.cases[0].slices
    )
    case = Case(Store(images.directory), "MR001_t1-in", "MR001", rows)
    assert list(Page(shown("Case", Path("d"), [case, case])).pictures) == [
        row.id for row in rows[:3]
    ]


def test_names_are_escaped(images: Dataset) -> None:
    rows = tuple(
        msgspec.structs.replace(row, labels={255: "<script>"}, pixels={"<script>": 1})
        for row in images.cases[0].slices
    )
    case = Case(Store(images.directory), "MR001_t1-in", "MR001", rows)
    html = shown("<b>", Path("<i>"), [case])
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert Page(html).text.startswith("<b>\n<i>\n")


def test_no_value_of_a_header_is_told(phantom: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(phantom, tmp_path / "root"))
    for path in root.rglob("*.dcm"):
        path.write_bytes(mark(path.read_bytes()))
    pairs = chaosprep.split(root, tmp_path / "pairs", val=0.25)
    assert any(find(path.read_bytes()) for path in pairs.directory.rglob("*.dcm"))
    case = pairs.cases[0]
    told = [repr(pairs), pairs._repr_html_(), repr(case), case._repr_html_()]
    assert not find("".join(told).encode())


def test_opening_a_dataset_imports_nothing_that_draws(images: Dataset) -> None:
    program = (
        "import sys, chaosprep\n"
        f"repr(chaosprep.open({str(images.directory)!r}))\n"
        "print([name for name in ('cv2', 'PIL', 'html') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
