"""Masks without {sequence} serve every series of a patient: these need one grid, or say places."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import RLELossless

import chaosprep
from chaosprep.division.params import SplitParams
from chaosprep.errors import ProblemsError
from chaosprep.layouts.layout import Where
from chaosprep.layouts.table import find_series
from chaosprep.phantom import Patient, write_chaos
from chaosprep.running.first_release import key_of_0_1_0
from chaosprep.series.reading import Series, read_series
from chaosprep.stages.split import SPLIT
from tests.formats.samples import dataset, dicom, encoded
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


Cases = dict[str, Series]


def read(root: Path, masks: str = PNG) -> Cases:
    """The cases of a root, as they are read."""
    found = find_series(root, "folder", Where(IMAGES, masks))
    assert found.problems == ()
    return {case.id: read_series(case) for case in found.cases}


def kept(cases: Cases) -> list[str]:
    """The ids of the cases of which slices are left."""
    return [id for id, series in cases.items() if series.slices]


def refusals(cases: Cases) -> dict[str, str]:
    """Case -> why it is refused for its masks; no case has another problem, or slices then."""
    found = {id: problem for id, series in cases.items() for problem in series.problems}
    assert {problem.code for problem in found.values()} <= {"masks-shared"}
    assert found.keys() == cases.keys() - {*kept(cases)}
    return {id: problem.reason for id, problem in found.items()}


def larger(**changes: object) -> list[bytes]:
    places = ({"ImagePositionPatient": [-10, -20, STEP * n], **changes} for n in range(SLICES))
    return [
        dicom(np.full((5, 6), 7, np.uint16), InstanceNumber=n, **p) for n, p in enumerate(places)
    ]


LONG = {"TextValue": "x" * 2**15}
BARE: dict[str, Any] = {"ImagePositionPatient": None}
OTHER_GRIDS = {
    "PixelSpacing": moved(PixelSpacing=[1.25, 1.6]),
    "ImageOrientationPatient": moved(ImageOrientationPatient=[0.8, 0.6, 0, -0.6, 0.8, 0]),
    "ImagePositionPatient": shifted((0, 0, STEP)),
}


@pytest.mark.parametrize("masks", [PNG, NPY])
@pytest.mark.parametrize("keyword", OTHER_GRIDS)
def test_series_on_two_grids_cannot_share_masks_without_places(
    tmp_path: Path, masks: str, keyword: str
) -> None:
    found = refusals(read(write(tmp_path, tree(t2=OTHER_GRIDS[keyword])), masks))
    assert list(found) == ["a_t1", "a_t2"]
    assert len({*found.values()}) == 1
    assert "t1 and t2 share their masks" in found["a_t1"]
    assert f"{keyword} differs in 4 of 4 slices" in found["a_t1"]


def test_masks_of_one_structure_each_need_one_grid_too(tmp_path: Path) -> None:
    masks = {
        f"a/gt/{organ}/{n:02d}.png": png_of((labels_at(n) > 0).astype(np.uint8))
        for organ in ("liver", "spleen")
        for n in range(SLICES)
    }
    pattern = "{patient}/gt/{organ}/{slice}.png"
    same, other = (tree(t2=shifted((mm, 0, 0))) | masks for mm in (0, 3))
    assert refusals(read(write(tmp_path / "same", same), pattern)) == {}
    assert list(refusals(read(write(tmp_path / "other", other), pattern))) == ["a_t1", "a_t2"]


def test_a_series_turned_round_pairs_other_slices_by_name(tmp_path: Path) -> None:
    """The same places, but the first file of the one is the last of the other."""
    found = refusals(read(write(tmp_path, tree(t2=moved()[::-1]))))
    assert "ImagePositionPatient differs in 4 of 4 slices, by up to 16.5 mm" in found["a_t1"]


def test_an_array_goes_by_place_and_does_not_mind(tmp_path: Path) -> None:
    assert refusals(read(write(tmp_path, tree(t2=moved()[::-1])), NPY)) == {}


def test_of_three_series_one_on_another_grid_leaves_none(tmp_path: Path) -> None:
    """Whose the masks are cannot be told."""
    found = refusals(read(write(tmp_path, tree(t2=moved(), t3=shifted((3, 0, 0))))))
    assert list(found) == ["a_t1", "a_t2", "a_t3"]
    assert "t1 and t3 share their masks" in found["a_t1"]
    assert "t2 and t3 share their masks" in found["a_t2"]


@pytest.mark.parametrize("masks", [PNG, NPY])
def test_series_on_one_grid_share_their_masks(tmp_path: Path, masks: str) -> None:
    found = read(write(tmp_path, tree(t2=moved(EchoTime="2.3"))), masks)
    assert refusals(found) == {}
    said = {text for series in found.values() for one in series.slices for text in one.warnings}
    assert not any("share their masks" in text for text in said)


def test_the_rounding_of_headers_is_no_other_grid(tmp_path: Path) -> None:
    assert refusals(read(write(tmp_path, tree(t2=shifted((0.01, -0.01, 0.005)))))) == {}


def test_a_nifti_says_where_it_lies_and_each_series_is_asked_for_itself(tmp_path: Path) -> None:
    one, other = read(write(tmp_path, tree(t2=shifted((0, 0, STEP)))), NIFTI).values()
    assert one.problems == ()
    assert {problem.code for problem in other.problems} == {"mask-missing", "mask-surplus"}


def test_masks_of_each_series_its_own_may_lie_on_two_grids(tmp_path: Path) -> None:
    files = tree(t2=shifted((0, 0, STEP)))
    for n in range(SLICES):
        files |= {f"a/gt/{name}/{n:02d}.png": files[f"a/gt/{n:02d}.png"] for name in ("t1", "t2")}
    found = read(write(tmp_path, files), "{patient}/gt/{sequence}/{slice}.png")
    assert refusals(found) == {}


def test_without_positions_the_sizes_are_compared_and_each_row_says_so(tmp_path: Path) -> None:
    source = write(tmp_path / "root", tree(t2=moved(**BARE)))
    made = chaosprep.split(source, tmp_path / "out", images=IMAGES, masks=PNG, val=0)
    assert len(made.slices) == 2 * SLICES
    for row in made.slices:
        assert any("only their sizes were compared" in text for text in row.warnings)


@pytest.mark.parametrize("masks", [PNG, NPY])
@pytest.mark.parametrize("place", [{}, BARE])
def test_another_size_is_another_grid_with_positions_or_without(
    tmp_path: Path, masks: str, place: dict[str, Any]
) -> None:
    """The larger series has the problem that masks of another size are."""
    found = read(write(tmp_path, tree(t2=larger(**place))), masks)
    assert kept(found) == []
    (problem,) = found["a_t1"].problems
    assert problem.code == "masks-shared"
    assert "Rows and Columns differ in 4 of 4 slices" in problem.reason
    assert {problem.code for problem in found["a_t2"].problems} == {"size-mismatch"}


@pytest.mark.parametrize(("chosen", "count"), [((), 2), (("t1",), 1)])
def test_split_inspect_and_a_choice_of_one_series_meet_it(
    tmp_path: Path, chosen: tuple[str, ...], count: int
) -> None:
    source = write(tmp_path / "root", tree(t2=shifted((0, 0, STEP))))
    problems = chaosprep.inspect(source, images=IMAGES, masks=PNG).problems
    assert [(problem.code, problem.id) for problem in problems] == [
        ("masks-shared", "a_t1"),
        ("masks-shared", "a_t2"),
    ]
    where: dict[str, Any] = {"images": IMAGES, "masks": PNG, "sequence": chosen, "val": 0}
    with pytest.raises(ProblemsError) as caught:
        chaosprep.split(source, tmp_path / "out", **where)
    assert caught.value.problems == problems[:count]


def test_naming_the_series_in_images_settles_it(tmp_path: Path) -> None:
    source = write(tmp_path / "root", tree(t2=shifted((0, 0, STEP))))
    images = "{patient}/t1/{slice}.dcm"
    made = chaosprep.split(source, tmp_path / "out", images=images, masks=PNG, val=0)
    assert len(made.slices) == SLICES


def test_the_phases_of_chaos_share_masks_and_grid() -> None:
    root = find_series(Path(__file__).parents[2] / "sample_data", "chaos", Where())
    assert {case.sequence for case in root.cases if case.beside} == {"t1-in", "t1-out"}
    assert all(read_series(case).problems == () for case in root.cases)


def test_phases_of_chaos_on_two_grids_are_refused_alike(tmp_path: Path) -> None:
    write_chaos(tmp_path, [Patient(id=n, slices=3, matrix=16) for n in (1, 2)])
    for file in tmp_path.glob("**/MR/1/T1DUAL/DICOM_anon/OutPhase/*"):
        made = dcmread(file)
        made.ImagePositionPatient[0] = float(made.ImagePositionPatient[0]) + 5
        made.save_as(file)
    root = find_series(tmp_path, "chaos", Where())
    found = {case.id: read_series(case) for case in root.cases}
    assert list(refusals(found)) == ["MR001_t1-in", "MR001_t1-out"]
    assert kept(found) == ["MR001_t2-spir", "MR002_t1-in", "MR002_t1-out", "MR002_t2-spir"]


def test_little_that_adds_up_over_the_picture_has_a_name(tmp_path: Path) -> None:
    """0.0009 mm a pixel, which alone is rounding, are 0.23 mm over 256 pixels of 0.7 mm."""
    pixels = np.zeros((256, 256), np.uint16)
    files = {}
    for name, spacing in (("t1", 0.7), ("t2", 0.7009)):
        place: dict[str, Any] = {"PixelSpacing": [spacing, 0.7]}
        files[f"a/{name}/00.dcm"] = dicom(pixels, ImagePositionPatient=[0, 0, 0], **place)
    files["a/gt/00.png"] = png_of(np.zeros((256, 256), np.uint8))
    found = refusals(read(write(tmp_path, files)))
    assert "PixelSpacing differs in 1 of 1 slice, by up to 0.23 mm" in found["a_t1"]


@pytest.mark.parametrize("step", [0.0, STEP])
def test_compressed_files_and_long_headers_are_compared_too(tmp_path: Path, step: float) -> None:
    """Their headers are not read from the first bytes alone."""
    pixels = np.zeros((256, 256), np.uint16)
    place = {"ImagePositionPatient": [-10, -20, step]}
    compressed = dataset(pixels, **place)
    compressed.compress(RLELossless)
    others = {"t2": encoded(compressed, RLELossless), "t3": dicom(pixels, **place, **LONG)}
    one = dicom(pixels, ImagePositionPatient=[-10, -20, 0])
    files = {f"a/{name}/00.dcm": data for name, data in {"t1": one, **others}.items()}
    files["a/gt/00.png"] = png_of(np.zeros((256, 256), np.uint8))
    found = refusals(read(write(tmp_path, files)))
    assert list(found) == (["a_t1", "a_t2", "a_t3"] if step else [])


def test_a_case_is_the_same_whatever_is_beside_it(tmp_path: Path) -> None:
    """What an interrupted run finished stays finished where another series comes in."""
    root = write(tmp_path, tree(t2=moved()))
    one, other = find_series(root, "folder", Where(IMAGES, PNG)).cases
    assert [case.sequence for case in (*one.beside, *other.beside)] == ["t2", "t1"]
    assert one.content() == one.alone().content()
    key = key_of_0_1_0(SPLIT, SplitParams())
    assert key(one) == key(one.alone()) is not None
