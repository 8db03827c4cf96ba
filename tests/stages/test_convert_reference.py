"""convert --reference: a patient's other sequences on the pixels and slices of one of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread

import chaosprep
from chaosprep import Case, Dataset
from chaosprep.errors import FileError, ProblemsError, UsageError
from chaosprep.exports.channels import choose, read_study
from chaosprep.phantom import Patient, write_chaos
from chaosprep.running.fitting import fits
from chaosprep.stages.convert import CONVERT
from chaosprep.stages.converting.reference import plan
from tests.exports.volumes import assert_same_place, dice, read_volume, turn

SEQUENCES = ("t1-in", "t2-spir")
T1, T2 = "MR001_t1-in", "MR001_t2-spir"


def make_root(place: Path) -> Path:
    """T1 with 5.5 mm between slices, T2 with 7.7 mm and another field of view."""
    return write_chaos(place, [Patient(id=id, slices=10, matrix=64) for id in (1, 2)])


def organs_of(root: Path, place: Path) -> Dataset:
    pairs = chaosprep.split(root, place / "pairs", val=0.5, sequence=SEQUENCES)
    return chaosprep.extract_liver(pairs, place / "organs", all_organs=True)


@pytest.fixture(scope="module")
def organs(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    root = make_root(tmp_path_factory.mktemp("root"))
    return organs_of(root, tmp_path_factory.mktemp("organs"))


def where(row: chaosprep.Slice) -> tuple[Any, ...]:
    return row.slice, row.rows, row.cols, row.spacing, row.position, row.orientation


def assert_paired(made: Dataset) -> None:
    """Slices of both sequences lie at the same place and are called the same."""
    for patient in made.patients:
        one, other = (made.case(f"{patient}_{sequence}").slices for sequence in SEQUENCES)
        assert [where(row) for row in one] == [where(row) for row in other]
        ends = [[row.id.partition("_s")[2] for row in rows] for rows in (one, other)]
        assert ends[0] == ends[1]


HOWS: list[dict[str, Any]] = [
    {},
    {"spacing": 5.0},
    {"spacing": 5.0, "size": "90x70"},
    {"spacing": (4.0, 5.0, 6.0)},
    {"spacing": (4.0, 5.0, 6.0), "size": "48", "keep_16bit": True},
    {"spacing": (5.5, 5.0, 5.0), "format": "npy", "through_plane": "cubic"},
]


@pytest.mark.parametrize("how", HOWS, ids=map(str, HOWS))
@pytest.mark.parametrize("reference", SEQUENCES)
def test_all_sequences_lie_on_the_pixels_of_the_reference(
    organs: Dataset, tmp_path: Path, reference: str, how: dict[str, Any]
) -> None:
    made = chaosprep.convert(organs, tmp_path / "out", reference=reference, **how)
    assert_paired(made)
    assert not chaosprep.verify(made.directory).faults
    alone = chaosprep.convert(organs, tmp_path / "alone", **how)
    for patient in made.patients:
        own = f"{patient}_{reference}"
        assert made.case(own).slices == alone.case(own).slices


def read(dataset: Dataset, case: Case) -> SimpleITK.Image:
    """The voxels of a case with its geometry, as float."""
    voxels = np.stack([dataset.image(row).astype(float) for row in case.slices])
    return placed(voxels, case)


def placed(voxels: NDArray[Any], case: Case) -> SimpleITK.Image:
    image, row = SimpleITK.GetImageFromArray(voxels), case.slices[0]
    assert row.spacing
    assert row.position
    assert row.orientation
    along, down = np.array(row.orientation[:3]), np.array(row.orientation[3:])
    image.SetOrigin(row.position)
    image.SetSpacing(row.spacing[::-1])
    image.SetDirection(np.column_stack([along, down, np.cross(along, down)]).ravel().tolist())
    return image


def masks(dataset: Dataset, case: Case) -> NDArray[Any]:
    return np.array([dataset.mask(row) for row in case.slices])


def on(image: SimpleITK.Image, grid: SimpleITK.Image) -> NDArray[np.float64]:
    linear, still = SimpleITK.sitkLinear, SimpleITK.Transform()
    made = SimpleITK.Resample(image, grid, still, linear, float("nan"))
    found: NDArray[np.float64] = SimpleITK.GetArrayFromImage(made)
    return found


def tilted(place: Path) -> Path:
    """The same, but T2 was scanned askew."""
    root = make_root(place)
    for folder in root.rglob("T2SPIR"):
        turn(folder, (12, 9))
    return root


@pytest.mark.parametrize("askew", [False, True])
def test_masks_have_the_largest_share_at_their_place_by_simpleitk(
    tmp_path: Path, askew: bool
) -> None:
    organs = organs_of((tilted if askew else make_root)(tmp_path / "root"), tmp_path)
    made = chaosprep.convert(organs, tmp_path / "out", reference="t1-in")
    assert_paired(made)
    old, new = organs.case(T2), made.case(T2)
    planes, found = masks(organs, old), masks(made, new)
    grid = placed(np.zeros(found.shape), new)
    labels = np.unique(planes)
    shares = np.stack([on(placed((planes == one).astype(float), old), grid) for one in labels])
    own = np.take_along_axis(shares, np.searchsorted(labels, found)[None], axis=0)[0]
    within = ~np.isnan(own)
    assert within.mean() > 0.5
    assert (own >= shares.max(axis=0) - 1e-3)[within].all()


@pytest.mark.parametrize("askew", [False, True])
def test_images_lie_where_simpleitk_has_them(tmp_path: Path, askew: bool) -> None:
    """In-plane it is cubic here and linear there, so that only a smooth image is the same."""
    root = (tilted if askew else make_root)(tmp_path / "root")
    for path in sorted(root.rglob("T2SPIR/**/*.dcm")):
        header = dcmread(path)
        rows, cols = np.mgrid[:64, :64]
        wave = 1000 + 300 * np.sin(rows / 9) + 200 * np.cos(cols / 7) + 20 * header.InstanceNumber
        header.PixelData = np.rint(wave).astype("<u2").tobytes()
        header.save_as(path)
    organs = organs_of(root, tmp_path)
    kept = chaosprep.convert(organs, tmp_path / "kept", keep_16bit=True)
    made = chaosprep.convert(organs, tmp_path / "out", keep_16bit=True, reference="t1-in")
    new = made.case(T2)
    found = np.stack([made.image(row).astype(float) for row in new.slices])
    expected = on(read(kept, kept.case(T2)), placed(np.zeros(found.shape), new))
    within = ~np.isnan(expected)
    assert np.abs(found - expected)[within].max() < 4  # of 600; a pixel off is some 40


def test_beyond_the_field_of_view_it_is_dark_and_without_a_mask(tmp_path: Path) -> None:
    root = make_root(tmp_path / "root")
    for path in root.rglob("T2SPIR/Ground/*.png"):
        Image.new("L", (64, 64), 63).save(path)  # liver from edge to edge
    organs = organs_of(root, tmp_path)
    made = chaosprep.convert(organs, tmp_path / "out", reference="t1-in", keep_16bit=True)
    shown = chaosprep.convert(organs, tmp_path / "shown", reference="t1-in", window="minmax")
    darkest = min(organs.image(row).min() for row in organs.case(T2).slices)
    # T1 is 400 mm wide, T2 360 mm: 64 pixels of 6.25 mm reach 20 mm beyond on each side
    for row, eight in zip(made.case(T2).slices, shown.case(T2).slices, strict=True):
        image, mask = made.image(row), made.mask(row)
        assert mask is not None
        for edge in (np.s_[:3], np.s_[-3:], np.s_[:, :3], np.s_[:, -3:]):
            assert (image[edge] == darkest).all()
            assert not shown.image(eight)[edge].any()
            assert not mask[edge].any()
        assert image[4:-4, 4:-4].std() > 10
        assert mask[4:-4, 4:-4].all()


def test_a_window_of_each_slice_counts_nothing_beyond_the_case(tmp_path: Path) -> None:
    """There the outermost pixels go on, which nobody measured."""
    root = make_root(tmp_path / "root")
    for path in root.rglob("T2SPIR/**/*.dcm"):
        header = dcmread(path)
        pixels = header.pixel_array.copy()
        pixels[20:30, -1] = 4000  # 10 of 4096, less than the 0.5 % that the window leaves out
        header.PixelData = pixels.astype("<u2").tobytes()
        header.save_as(path)
    pairs = chaosprep.split(root, tmp_path / "pairs", val=0.5, sequence=SEQUENCES)
    made = chaosprep.convert(pairs, tmp_path / "out", reference="t1-in", window_scope="slice")
    assert all(row.window is not None and row.window[1] < 2000 for row in made.case(T2).slices)


def test_a_sequence_on_the_same_pixels_is_left_as_it_is(tmp_path: Path) -> None:
    root = make_root(tmp_path / "root")
    phases = ("t1-in", "t1-out")
    pairs = chaosprep.split(root, tmp_path / "pairs", val=0.5, sequence=phases)
    made = chaosprep.convert(pairs, tmp_path / "a", reference="t1-in")
    assert made.slices == chaosprep.convert(pairs, tmp_path / "b").slices


def test_a_patient_without_the_reference_is_named(tmp_path: Path) -> None:
    patients = [Patient(id=1, slices=6, matrix=32), Patient(id=2, slices=6, matrix=32)]
    root = write_chaos(tmp_path / "root", patients)
    for path in root.rglob("MR/2/T1DUAL/**/*.dcm"):
        path.unlink()
    pairs = chaosprep.split(root, tmp_path / "pairs", val=0.5, sequence=SEQUENCES, on_error="skip")
    with pytest.raises(ProblemsError) as caught:
        chaosprep.convert(pairs, tmp_path / "out", reference="t1-in")
    found = [(problem.code, problem.id) for problem in caught.value.problems]
    assert found == [("reference-missing", "MR002_t2-spir")]
    left = chaosprep.convert(pairs, tmp_path / "left", reference="t1-in", on_error="skip")
    assert left.patients == ("MR001",)


def test_a_sequence_that_nobody_has_is_refused(organs: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no t1-out") as caught:
        chaosprep.convert(organs, tmp_path / "out", reference="t1-out")
    assert caught.value.code == "reference-unknown"
    assert "t1-in, t2-spir" in caught.value.remedy


def edited(place: Path, patient: int, **elements: object) -> Path:
    """The T2 files of a patient with other elements."""
    root = make_root(place)
    for path in root.rglob(f"MR/{patient}/T2SPIR/**/*.dcm"):
        header = dcmread(path)
        for name, value in elements.items():
            if name == "moved":
                header.ImagePositionPatient[2] += value
            else:
                setattr(header, name, value)
        header.save_as(path)
    return root


@pytest.mark.parametrize(
    ("elements", "code"),
    [
        ({"FrameOfReferenceUID": "1.2.3"}, "reference-frame"),
        ({"moved": 500}, "reference-elsewhere"),
    ],
)
def test_a_case_whose_place_does_not_compare_is_named(
    tmp_path: Path, elements: dict[str, object], code: str
) -> None:
    organs = organs_of(edited(tmp_path / "root", 2, **elements), tmp_path)
    with pytest.raises(ProblemsError) as caught:
        chaosprep.convert(organs, tmp_path / "out", reference="t1-in")
    found = [(problem.code, problem.id) for problem in caught.value.problems]
    assert found == [(code, "MR002_t2-spir")]
    assert "1.2.3" not in str(caught.value)


def test_a_reference_that_is_no_volume_is_named(organs: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        chaosprep.convert(
            organs,
            tmp_path / "out",
            reference="t1-in",
            where="not (case == 'MR001_t1-in' and slice == 4)",
        )
    found = [(problem.code, problem.id) for problem in caught.value.problems]
    assert found == [("reference-broken", T2)]


def test_the_rows_are_known_before_and_depend_on_the_reference(
    organs: Dataset, tmp_path: Path
) -> None:
    made = chaosprep.convert(organs, tmp_path / "out", reference="t1-in")
    params = CONVERT.params(reference="t1-in")
    complete = plan(organs, organs.cases, params).complete
    for case in map(complete, organs.cases):
        assert fits(made.case(case.id).slices, CONVERT.rows(case, params))
    alone = organs.case(T2)
    assert complete(alone).content() != alone.content()
    own = organs.case(T1)
    assert complete(own).content() == own.content()


def test_shards_workers_and_single_patients_make_the_same(organs: Dataset, tmp_path: Path) -> None:
    one = chaosprep.convert(organs, tmp_path / "one", reference="t1-in")
    two = chaosprep.convert(organs, tmp_path / "two", reference="t1-in", jobs=2)
    for n in (1, 2, 3):
        chaosprep.convert(organs, tmp_path / f"s{n}", reference="t1-in", shard=f"{n}/3")
    merged = chaosprep.merge([tmp_path / f"s{n}" for n in (1, 2, 3)], tmp_path / "merged")
    assert one.descriptor_sha256 == two.descriptor_sha256 == merged.descriptor_sha256
    some = chaosprep.convert(organs, tmp_path / "some", reference="t1-in", patient=["MR002"])
    assert some.slices == tuple(row for row in one.slices if row.patient == "MR002")


@pytest.mark.parametrize("askew", [False, True])
def test_assemble_brings_them_back_to_their_own_pixels(tmp_path: Path, askew: bool) -> None:
    """Of organs that lie in both fields of view."""
    organs = organs_of((tilted if askew else make_root)(tmp_path / "root"), tmp_path)
    finer = (2.75, 4.0, 4.0)
    made = chaosprep.convert(organs, tmp_path / "out", reference="t2-spir", spacing=finer)
    back, before = (
        chaosprep.assemble(one, tmp_path / f"v{n}").path for n, one in enumerate((made, organs))
    )
    for case in organs.case_ids:
        found, expected = (read_volume(one / "masks" / f"{case}.nii.gz") for one in (back, before))
        assert_same_place(found, expected)
        assert dice(found.voxels > 0, expected.voxels > 0) >= 0.95


def test_the_sequences_are_channels_on_one_grid(tmp_path: Path) -> None:
    root = write_chaos(tmp_path / "root", [Patient(id=1, slices=8, matrix=32)], sets="Test_Sets")
    pairs = chaosprep.split(root, tmp_path / "pairs", val=0.0, sequence=SEQUENCES)
    made = chaosprep.convert(pairs, tmp_path / "out", reference="t1-in", keep_16bit=True)
    (study,) = choose(made, SEQUENCES).studies
    images, labels = read_study(study, {})
    assert len(images) == 2
    assert labels is None
    assert images[0].lattice.differs_by(images[1].lattice) < 1e-6
    own = chaosprep.convert(pairs, tmp_path / "own", keep_16bit=True)
    with pytest.raises(FileError) as caught:
        read_study(choose(own, SEQUENCES).studies[0], {})
    assert caught.value.code == "channel-grid"
