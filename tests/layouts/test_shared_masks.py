"""Masks without {sequence} serve every series of a patient: these need one grid, or say places."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

import chaosprep
from chaosprep.errors import ProblemsError
from chaosprep.layouts.layout import Where
from chaosprep.layouts.root import Root
from chaosprep.layouts.table import find_series
from chaosprep.phantom import Patient, write_chaos
from chaosprep.series.reading import read_series
from tests.formats.samples import dicom
from tests.formats.test_labels import npy
from tests.layouts.trees import STEP, labels_at, nifti, png_of, slice_at, write

IMAGES = "{patient}/{sequence}/{slice}.dcm"
PNG, NPY, NIFTI = "{patient}/gt/{slice}.png", "{patient}/gt.npy", "{patient}/gt.nii"
SLICES = 4


def tree(**others: list[bytes]) -> dict[str, bytes]:
    """A patient's series t1, others beside it, and masks of every kind that fit t1."""
    series = {"t1": [slice_at(n) for n in range(SLICES)], **others}
    files = {
        f"a/{name}/{n:02d}.dcm": data
        for name, slices in series.items()
        for n, data in enumerate(slices)
    }
    labels = np.stack([labels_at(n) for n in range(SLICES)])
    files |= {f"a/gt/{n:02d}.png": png_of(plane) for n, plane in enumerate(labels)}
    affine = np.diag([-1.5, -1.25, STEP, 1])
    affine[:2, 3] = 10, 20
    return files | {"a/gt.npy": npy(labels), "a/gt.nii": nifti(labels.T, affine)}


def moved(**changes: Any) -> list[bytes]:
    return [slice_at(n, **changes) for n in range(SLICES)]


def shifted(mm: tuple[float, float, float]) -> list[bytes]:
    positions = ([-10 + mm[0], -20 + mm[1], STEP * n + mm[2]] for n in range(SLICES))
    return [slice_at(n, ImagePositionPatient=place) for n, place in enumerate(positions)]


def find(root: Path, masks: str = PNG) -> Root:
    return find_series(root, "folder", Where(IMAGES, masks))


def ids(root: Root) -> list[str]:
    return [case.id for case in root.cases]


def larger(**changes: object) -> list[bytes]:
    places = ({"ImagePositionPatient": [-10, -20, STEP * n], **changes} for n in range(SLICES))
    return [
        dicom(np.full((5, 6), 7, np.uint16), InstanceNumber=n, **p) for n, p in enumerate(places)
    ]


BARE: dict[str, Any] = {"ImagePositionPatient": None}
OTHER_GRIDS = {
    "PixelSpacing": moved(PixelSpacing=[1.25, 1.6]),
    "ImageOrientationPatient": moved(ImageOrientationPatient=[0.8, 0.6, 0, -0.6, 0.8, 0]),
    "Rows and Columns": larger(),
    "ImagePositionPatient": shifted((0, 0, STEP)),
}


@pytest.mark.parametrize("masks", [PNG, NPY])
@pytest.mark.parametrize("keywords", OTHER_GRIDS)
def test_series_on_two_grids_cannot_share_masks_without_places(
    tmp_path: Path, masks: str, keywords: str
) -> None:
    root = find(write(tmp_path, tree(t2=OTHER_GRIDS[keywords])), masks)
    assert ids(root) == []
    (problem,) = root.problems
    assert (problem.code, problem.id) == ("masks-shared", "a_t1+t2")
    assert "t1 and t2 share their masks" in problem.reason
    assert f"4 of 4 slices differ in {keywords}" in problem.reason


def test_a_series_turned_round_pairs_other_slices_by_name(tmp_path: Path) -> None:
    """The same places, but the first file of the one is the last of the other."""
    (problem,) = find(write(tmp_path, tree(t2=moved()[::-1]))).problems
    assert "4 of 4 slices differ in ImagePositionPatient, up to 16.5 mm" in problem.reason


def test_an_array_goes_by_place_and_does_not_mind(tmp_path: Path) -> None:
    root = find(write(tmp_path, tree(t2=moved()[::-1])), NPY)
    assert (ids(root), root.problems) == (["a_t1", "a_t2"], ())


def test_of_three_series_one_on_another_grid_leaves_none(tmp_path: Path) -> None:
    """Whose the masks are cannot be told."""
    root = find(write(tmp_path, tree(t2=moved(), t3=shifted((3, 0, 0)))))
    assert ids(root) == []
    assert "t1 and t3 share their masks" in root.problems[0].reason


@pytest.mark.parametrize("masks", [PNG, NPY])
def test_series_on_one_grid_share_their_masks(tmp_path: Path, masks: str) -> None:
    root = find(write(tmp_path, tree(t2=moved(EchoTime="2.3"))), masks)
    assert (ids(root), root.problems) == (["a_t1", "a_t2"], ())
    assert [case.notes for case in root.cases] == [(), ()]


def test_the_rounding_of_headers_is_no_other_grid(tmp_path: Path) -> None:
    assert find(write(tmp_path, tree(t2=shifted((0.01, -0.01, 0.005))))).problems == ()


def test_a_nifti_says_where_it_lies_and_each_series_is_asked_for_itself(tmp_path: Path) -> None:
    root = find(write(tmp_path, tree(t2=shifted((0, 0, STEP)))), NIFTI)
    assert (ids(root), root.problems) == (["a_t1", "a_t2"], ())
    one, other = (read_series(case) for case in root.cases)
    assert one.problems == ()
    assert {problem.code for problem in other.problems} == {"mask-missing", "mask-surplus"}


def test_masks_of_each_series_its_own_may_lie_on_two_grids(tmp_path: Path) -> None:
    files = tree(t2=shifted((0, 0, STEP)))
    for n in range(SLICES):
        files |= {f"a/gt/{name}/{n:02d}.png": files[f"a/gt/{n:02d}.png"] for name in ("t1", "t2")}
    root = find(write(tmp_path, files), "{patient}/gt/{sequence}/{slice}.png")
    assert (ids(root), root.problems) == (["a_t1", "a_t2"], ())


def test_without_positions_the_sizes_are_compared_and_each_row_says_so(tmp_path: Path) -> None:
    source = write(tmp_path / "root", tree(t2=moved(**BARE)))
    made = chaosprep.split(source, tmp_path / "out", images=IMAGES, masks=PNG, val=0)
    assert len(made.slices) == 2 * SLICES
    for row in made.slices:
        assert any("only their sizes were compared" in text for text in row.warnings)


def test_without_positions_another_size_is_still_another_grid(tmp_path: Path) -> None:
    (problem,) = find(write(tmp_path, tree(t2=larger(**BARE)))).problems
    assert "Rows and Columns" in problem.reason


def test_split_inspect_and_a_choice_of_one_series_meet_it(tmp_path: Path) -> None:
    source = write(tmp_path / "root", tree(t2=shifted((0, 0, STEP))))
    (problem,) = chaosprep.inspect(source, images=IMAGES, masks=PNG).problems
    assert problem.code == "masks-shared"
    for chosen in ((), ("t1",)):
        with pytest.raises(ProblemsError) as caught:
            chaosprep.split(
                source, tmp_path / "out", images=IMAGES, masks=PNG, sequence=chosen, val=0
            )
        assert [problem.code for problem in caught.value.problems] == ["masks-shared"]


def test_naming_the_series_in_images_settles_it(tmp_path: Path) -> None:
    source = write(tmp_path / "root", tree(t2=shifted((0, 0, STEP))))
    images = "{patient}/t1/{slice}.dcm"
    made = chaosprep.split(source, tmp_path / "out", images=images, masks=PNG, val=0)
    assert len(made.slices) == SLICES


def test_the_phases_of_chaos_share_masks_and_grid() -> None:
    root = find_series(Path(__file__).parents[2] / "sample_data", "chaos", Where())
    assert root.problems == ()
    assert {case.sequence for case in root.cases} >= {"t1-in", "t1-out"}
    assert not any(case.notes for case in root.cases)


def test_phases_of_chaos_on_two_grids_are_refused_alike(tmp_path: Path) -> None:
    write_chaos(tmp_path, [Patient(id=n, slices=3, matrix=16) for n in (1, 2)])
    for file in tmp_path.glob("**/MR/1/T1DUAL/DICOM_anon/OutPhase/*"):
        made = dcmread(file)
        made.ImagePositionPatient[0] = float(made.ImagePositionPatient[0]) + 5
        made.save_as(file)
    root = find_series(tmp_path, "chaos", Where())
    assert [(problem.code, problem.id) for problem in root.problems] == [
        ("masks-shared", "MR001_t1-in+t1-out")
    ]
    assert ids(root) == ["MR001_t2-spir", "MR002_t1-in", "MR002_t1-out", "MR002_t2-spir"]
    assert root.only(("t2-spir",)).problems == ()
    assert len(root.only(("t1-in",)).problems) == 1
