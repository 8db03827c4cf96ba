"""convert --spacing SLICES,ROWS,COLS: new slices of the whole volume, and the old ones back."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import SimpleITK
from click.testing import CliRunner
from numpy.typing import NDArray
from pydicom import dcmread

import chaosprep
from chaosprep import Case, Dataset
from chaosprep.cli.main import main
from chaosprep.errors import ChaosprepError, ProblemsError, UsageError
from chaosprep.phantom import Patient, write_chaos
from chaosprep.running.fitting import fits
from chaosprep.stages.convert import CONVERT
from tests.exports.volumes import assert_same_place, dice, read_volume

THREE = (3.0, 2.5, 4.0)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two patients of enough slices that organs are some slices high."""
    patients = [Patient(id=id, slices=14, matrix=96, sequences=("t1-in",)) for id in (1, 2)]
    return write_chaos(tmp_path_factory.mktemp("root"), patients)


@pytest.fixture(scope="module")
def organs(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    place = tmp_path_factory.mktemp("organs")
    pairs = chaosprep.split(root, place / "pairs", val=0.5)
    return chaosprep.extract_liver(pairs, place / "organs", all_organs=True)


def stack(dataset: Dataset, case: Case) -> NDArray[np.int64]:
    return np.stack([dataset.image(row).astype(np.int64) for row in case.slices])


def by_itk(old: Case, voxels: NDArray[np.int64], new: Case) -> NDArray[np.float64]:
    """The old voxels at the new ones' places, trilinear; nan beyond the outermost middles."""
    image = SimpleITK.GetImageFromArray(voxels.astype(float))
    grid = SimpleITK.Image(
        new.slices[0].cols, new.slices[0].rows, len(new.slices), image.GetPixelID()
    )
    for one, case in ((image, old), (grid, new)):
        row = case.slices[0]
        assert row.spacing
        assert row.spacing[0]
        assert row.position
        one.SetOrigin(row.position)
        one.SetSpacing(row.spacing[::-1])
    linear = SimpleITK.sitkLinear
    made = SimpleITK.Resample(image, grid, SimpleITK.Transform(), linear, float("nan"))
    found: NDArray[np.float64] = SimpleITK.GetArrayFromImage(made)
    return found


def test_new_slices_lie_centred_on_the_old_ones_at_the_wanted_distance(
    organs: Dataset, tmp_path: Path
) -> None:
    made = chaosprep.convert(organs, tmp_path / "out", spacing=THREE)
    old, new = (ds.case("MR001_t1-in").slices for ds in (organs, made))
    # 14 slices of 5.5 mm are 77 mm: 26 of 3 mm; the axial phantom rises along z
    assert [row.id for row in new] == [f"MR001_t1-in_s{k:03d}" for k in range(26)]
    assert [row.slice for row in new] == list(range(26))
    assert {row.spacing for row in new} == {THREE}
    z = [row.position[2] for row in new if row.position]
    assert np.diff(z) == pytest.approx(3.0)
    ends = [row.position[2] for row in (old[0], old[-1]) if row.position]
    assert (z[0] + z[-1]) / 2 == pytest.approx(sum(ends) / 2, abs=1e-5)
    middles = np.array([row.position[2] for row in old if row.position])
    nearest = [old[np.round(abs(middles - at), 6)[::-1].argmin() * -1 - 1] for at in z]
    assert [row.parent for row in new] == [row.id for row in nearest]
    assert [row.source for row in new] == [row.source for row in nearest]
    assert not chaosprep.verify(made.directory).faults


def test_values_between_slices_are_those_of_simpleitk(organs: Dataset, tmp_path: Path) -> None:
    kept = chaosprep.convert(organs, tmp_path / "kept", keep_16bit=True)
    own = organs.case("MR001_t1-in").slices[0].spacing
    assert own is not None
    made = chaosprep.convert(organs, tmp_path / "out", keep_16bit=True, spacing=(3.0, *own[1:]))
    old, new = (ds.case("MR001_t1-in") for ds in (kept, made))
    expected, found = by_itk(old, stack(kept, old), new), stack(made, new)
    within = ~np.isnan(expected)
    assert within.mean() > 0.9
    assert np.abs(found - expected)[within].max() <= 0.5 + 1e-3  # one rounding


@pytest.mark.parametrize("spacing", [list(THREE), "3,2.5,4", "3.0, 2.5, 4"])
def test_a_list_and_text_say_the_same(
    organs: Dataset, tmp_path: Path, spacing: str | list[float]
) -> None:
    first = chaosprep.convert(organs, tmp_path / "a", spacing=THREE)
    again = chaosprep.convert(organs, tmp_path / "b", spacing=spacing)
    assert again.descriptor_sha256 == first.descriptor_sha256
    assert again.made.parameters["spacing"] == [3.0, 2.5, 4.0]


def test_one_number_is_recorded_as_a_number(organs: Dataset, tmp_path: Path) -> None:
    first = chaosprep.convert(organs, tmp_path / "a", spacing=4.5)
    again = chaosprep.convert(organs, tmp_path / "b", spacing="4.5")
    assert again.descriptor_sha256 == first.descriptor_sha256
    assert first.made.parameters["spacing"] == 4.5


@pytest.mark.parametrize("spacing", ["3,2", "0,1,1", "a", "3,x,1", (1.0, 2.0), -1.0, "1,2,3,4"])
def test_a_spacing_is_one_number_or_three(
    organs: Dataset, tmp_path: Path, spacing: str | float
) -> None:
    with pytest.raises(UsageError, match="must be a number of more than 0 or 3 values, each a num"):
        chaosprep.convert(organs, tmp_path / "out", spacing=spacing)


def test_slices_at_their_own_distance_stay_as_they_are(organs: Dataset, tmp_path: Path) -> None:
    flat = chaosprep.convert(organs, tmp_path / "a", spacing=4.5, mask_sampling="label")
    deep = chaosprep.convert(organs, tmp_path / "b", spacing=(5.5, 4.5, 4.5))
    assert deep.slices == flat.slices


def test_masks_have_the_label_with_the_largest_share_in_all_directions(
    organs: Dataset, tmp_path: Path
) -> None:
    made = chaosprep.convert(organs, tmp_path / "out", spacing=THREE)
    old, new = (ds.case("MR001_t1-in") for ds in (organs, made))
    planes = np.array([organs.mask(row) for row in old.slices])
    labels = np.unique(planes)
    shares = np.stack([by_itk(old, planes == label, new) for label in labels])
    found = np.array([made.mask(row) for row in new.slices])
    own = np.take_along_axis(shares, np.searchsorted(labels, found)[None], axis=0)[0]
    within = ~np.isnan(own)
    assert (own >= shares.max(axis=0) - 1e-4)[within].all()
    for row, plane in zip(new.slices, found, strict=True):
        assert row.pixels == {name: int((plane == v).sum()) for v, name in row.labels.items()}


def test_cubic_between_slices_is_sharper_than_linear(organs: Dataset, tmp_path: Path) -> None:
    own = organs.case("MR001_t1-in").slices[0].spacing
    assert own is not None
    sharpness = {}
    for kernel in ("linear", "cubic"):
        made = chaosprep.convert(
            organs, tmp_path / kernel, format="npy", spacing=(2.75, *own[1:]), through_plane=kernel
        )
        steps = np.diff(stack(made, made.case("MR001_t1-in")), axis=0)
        sharpness[kernel] = float((steps.astype(float) ** 2).mean())
    assert sharpness["cubic"] > 1.05 * sharpness["linear"]


def test_a_kernel_between_slices_that_stay_is_refused(organs: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="through_plane needs spacing"):
        chaosprep.convert(organs, tmp_path / "out", spacing=3.0, through_plane="cubic")


def test_a_size_pads_and_crops_the_new_slices(organs: Dataset, tmp_path: Path) -> None:
    plain = chaosprep.convert(organs, tmp_path / "a", spacing=THREE, keep_16bit=True)
    sized = chaosprep.convert(organs, tmp_path / "b", spacing=THREE, keep_16bit=True, size="180x80")
    assert not chaosprep.verify(sized.directory).faults
    darkest = min(stack(organs, case).min() for case in organs.cases[:1])
    for one, other in zip(plain.case("MR001_t1-in").slices, sized.slices, strict=False):
        small, large = plain.image(one), sized.image(other)
        assert small.shape == (160, 100)
        assert np.array_equal(large[10:-10], small[:, 10:-10])
        assert (large[:10] == darkest).all()
        mask = sized.mask(other)
        assert mask is not None
        assert not mask[:10].any()


def test_what_is_padded_around_is_not_counted_for_a_network(
    organs: Dataset, tmp_path: Path
) -> None:
    plain = chaosprep.convert(organs, tmp_path / "a", spacing=THREE, keep_16bit=True)
    wide = chaosprep.convert(organs, tmp_path / "b", spacing=THREE, keep_16bit=True, size="400")
    assert [row.scaling for row in wide.slices] == [row.scaling for row in plain.slices]
    assert all(row.scaling for row in plain.slices)


def padded_root(place: Path) -> Path:
    """Air is declared padding, below what was measured."""
    root = write_chaos(place, [Patient(id=1, slices=6, matrix=32, sequences=("t1-in",))])
    for path in root.rglob("*.dcm"):
        header = dcmread(path)
        pixels = header.pixel_array.copy() + 40
        pixels[:, :6] = 0
        header.PixelData = pixels.astype("<u2").tobytes()
        header.add_new("PixelPaddingValue", "US", 0)
        header.save_as(path)
    return root


def test_padding_is_never_mixed_in(tmp_path: Path) -> None:
    pairs = chaosprep.split(padded_root(tmp_path / "root"), tmp_path / "pairs", val=0.0)
    kept = chaosprep.convert(
        pairs, tmp_path / "kept", keep_16bit=True, spacing=(4.0, 9.0, 9.0), size="64"
    )
    for row in kept.slices:
        image = kept.image(row)
        assert row.padding == (0.0, 0.0)
        assert image[image > 0].min() >= 40
        assert (image == 0).any()
    shown = chaosprep.convert(pairs, tmp_path / "shown", spacing=(4.0, 9.0, 9.0))
    assert all((shown.image(row)[:, :3] == 0).all() for row in shown.slices)


def test_inverted_slices_are_turned_upright(root: Path, tmp_path: Path) -> None:
    """MONOCHROME1 with inverted values looks as MONOCHROME2 does."""
    for path in write_chaos(
        tmp_path / "root", [Patient(id=1, slices=6, matrix=32, sequences=("t1-in",))]
    ).rglob("*.dcm"):
        header = dcmread(path)
        header.PixelData = (4095 - header.pixel_array).astype("<u2").tobytes()
        header.PhotometricInterpretation = "MONOCHROME1"
        header.save_as(path)
    plain = write_chaos(
        tmp_path / "plain", [Patient(id=1, slices=6, matrix=32, sequences=("t1-in",))]
    )
    made = [
        chaosprep.convert(
            chaosprep.split(one, tmp_path / f"{n}s", val=0.0),
            tmp_path / f"{n}c",
            spacing=(3.0, 9.0, 9.0),
            window="minmax",
            size="64",
        )
        for n, one in enumerate((tmp_path / "root", plain))
    ]
    for here, there in zip(*(one.slices for one in made), strict=True):
        difference = made[0].image(here).astype(int) - made[1].image(there)
        assert np.abs(difference).max() <= 1
        assert (made[0].image(here)[:4] == 0).all()


def rescaled(row_of: int, root: Path) -> None:
    path = sorted(root.rglob("*.dcm"))[row_of]
    header = dcmread(path)
    header.RescaleSlope, header.RescaleIntercept = 2, 0
    header.save_as(path)


def test_slices_that_cannot_be_compared_are_refused_by_name(tmp_path: Path) -> None:
    root = write_chaos(
        tmp_path / "root", [Patient(id=1, slices=6, matrix=32, sequences=("t1-in",))]
    )
    rescaled(2, root)
    pairs = chaosprep.split(root, tmp_path / "pairs", val=0.0)
    with pytest.raises(ProblemsError) as caught:
        chaosprep.convert(pairs, tmp_path / "out", spacing=(3, 9, 9))
    assert [problem.code for problem in caught.value.problems] == ["values-mixed"]


def test_a_missing_slice_is_a_gap(root: Path, tmp_path: Path) -> None:
    pairs = chaosprep.split(root, tmp_path / "pairs", patient=["MR001"], val=0.0)
    with pytest.raises(ProblemsError) as caught:
        chaosprep.convert(pairs, tmp_path / "out", spacing=(3, 9, 9), where="slice != 5")

    assert [problem.code for problem in caught.value.problems] == ["gap"]


def test_a_case_with_a_slice_that_cannot_be_read_is_said_to_be_left_out(
    root: Path, tmp_path: Path
) -> None:
    pairs = chaosprep.split(root, tmp_path / "pairs", val=0.5, link="copy")
    image = pairs.directory / pairs.case("MR001_t1-in").slices[3].image
    image.write_bytes(image.read_bytes()[:300])
    made = chaosprep.convert(pairs, tmp_path / "made", spacing=THREE, on_error="skip")
    assert made.case_ids == ("MR002_t1-in",)
    slice_, case = sorted(made.skipped, key=lambda one: len(one.id), reverse=True)
    assert slice_.id == "MR001_t1-in_s003"
    assert (case.id, case.code) == ("MR001_t1-in", "stack-incomplete")
    assert "1 of 14 cannot be read" in case.reason


def test_more_slices_than_can_be_held_are_refused(organs: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        chaosprep.convert(organs, tmp_path / "out", spacing=(1e-4, 4, 4))
    assert {problem.code for problem in caught.value.problems} == {"spacing-unfit"}


@pytest.mark.parametrize("spacing", [THREE, (11.0, 4.0, 4.0), (5.5, 4.0, 4.0)])
def test_the_rows_that_a_case_becomes_are_known_before(
    organs: Dataset, tmp_path: Path, spacing: tuple[float, float, float]
) -> None:
    made = chaosprep.convert(organs, tmp_path / "out", spacing=spacing, keep_16bit=True)
    params = CONVERT.params(spacing=spacing, keep_16bit=True)
    for case in organs.cases:
        assert fits(made.case(case.id).slices, CONVERT.rows(case, params))
    first = organs.cases[0]
    other = msgspec.structs.replace(params, spacing=(4.0, 4.0, 4.0))
    assert not fits(made.case(first.id).slices, CONVERT.rows(first, other))


def test_workers_and_shards_make_the_same_bytes(organs: Dataset, tmp_path: Path) -> None:
    one = chaosprep.convert(organs, tmp_path / "one", spacing=THREE, size="100")
    two = chaosprep.convert(organs, tmp_path / "two", spacing=THREE, size="100", jobs=2)
    for n in (1, 2):
        chaosprep.convert(organs, tmp_path / f"s{n}", spacing=THREE, size="100", shard=f"{n}/2")
    merged = chaosprep.merge([tmp_path / "s1", tmp_path / "s2"], tmp_path / "merged")
    assert one.descriptor_sha256 == two.descriptor_sha256 == merged.descriptor_sha256


@pytest.mark.parametrize(
    "how",
    [
        {"spacing": (3.0, 2.5, 2.5), "size": "200"},
        {"spacing": (3.0, 4.0, 4.0)},
        {"spacing": (4.0, 3.5, 4.2), "size": "96x64", "keep_16bit": True},
    ],
    ids=["padded", "whole", "cropped"],
)
def test_assemble_gives_the_old_slices_again(
    organs: Dataset, tmp_path: Path, how: dict[str, Any]
) -> None:
    """Count, geometry and organs; what is cropped away here shows no organ."""
    made = chaosprep.convert(organs, tmp_path / "out", **how)
    back, before = (
        chaosprep.assemble(one, tmp_path / f"v{n}").path for n, one in enumerate((made, organs))
    )
    for case in organs.case_ids:
        found, expected = (read_volume(one / "masks" / f"{case}.nii.gz") for one in (back, before))
        assert_same_place(found, expected)
        assert_same_place(read_volume(back / "images" / f"{case}.nii.gz"), expected)
        for label in (1, 2, 3, 4):
            assert dice(found.voxels == label, expected.voxels == label) >= 0.96
        assert dice(found.voxels > 0, expected.voxels > 0) >= 0.98


def test_images_come_back_in_their_units(organs: Dataset, tmp_path: Path) -> None:
    own = organs.case("MR001_t1-in").slices[0].spacing
    assert own is not None
    half = (own[0] or 0) / 2  # every second new slice lies beside an old one
    made = chaosprep.convert(organs, tmp_path / "out", spacing=(half, *own[1:]), format="npy")
    back = chaosprep.assemble(made, tmp_path / "v").path
    before = chaosprep.assemble(
        chaosprep.convert(organs, tmp_path / "kept", format="npy"), tmp_path / "w"
    ).path
    found, expected = (
        read_volume(one / "images" / "MR001_t1-in.nii.gz").voxels.astype(float)
        for one in (back, before)
    )
    spread = expected.max() - expected.min()
    assert np.sqrt(((found - expected) ** 2).mean()) < 0.04 * spread


def test_predictions_on_new_slices_become_the_old_ones(organs: Dataset, tmp_path: Path) -> None:
    made = chaosprep.convert(organs, tmp_path / "out", spacing=(3.0, 2.5, 2.5))
    folder = tmp_path / "predicted"
    folder.mkdir()
    for row in made.slices:
        mask = made.mask(row)
        assert mask is not None
        np.save(folder / f"{row.id}.npy", mask)
    back = chaosprep.assemble(folder, tmp_path / "v", reference=made)
    plain = chaosprep.assemble(made, tmp_path / "w")
    assert back.slices == plain.slices == 28
    for case in organs.case_ids:
        here, there = (read_volume(one.path / "masks" / f"{case}.nii.gz") for one in (back, plain))
        assert np.array_equal(here.voxels, there.voxels)


def test_evaluate_compares_new_slices_with_the_old_ones(organs: Dataset, tmp_path: Path) -> None:
    made = chaosprep.convert(organs, tmp_path / "out", spacing=(3.0, 2.5, 2.5))
    found = chaosprep.evaluate(made.directory, organs.directory)
    assert {row.brought for row in found.results} == {"undone"}
    assert min(one.dice for one in found.results) >= 0.98
    same = chaosprep.evaluate(made.directory, made.directory)
    assert {row.brought for row in same.results} == {None}


def test_a_grid_that_is_none_of_ours_is_refused(organs: Dataset, tmp_path: Path) -> None:
    made = chaosprep.convert(organs, tmp_path / "out", spacing=THREE)
    from chaosprep.dataset.resized import way_back
    from chaosprep.errors import FileError

    rows = made.cases[0].slices
    for wrong in ({"slices": 0}, {"first": "x"}, {"position": [0, 0]}, {"spacing": [0, 1, 1]}):
        broken = [msgspec.structs.replace(row, grid={**(row.grid or {}), **wrong}) for row in rows]
        with pytest.raises(FileError) as caught:
            way_back(broken)
        assert caught.value.code == "grid-broken"


def test_a_seg_lies_on_the_old_series(organs: Dataset, tmp_path: Path) -> None:
    pytest.importorskip("highdicom")
    made = chaosprep.convert(organs, tmp_path / "out", spacing=(3.0, 2.5, 2.5))
    pairs = organs.directory.parent / "pairs"
    chaosprep.assemble(made, tmp_path / "seg", format="seg", dicom=pairs)
    again = chaosprep.evaluate(tmp_path / "seg" / "masks", organs.directory)
    assert min(one.dice for one in again.results) >= 0.98


def test_the_command_line_and_a_configuration_take_three_numbers(
    organs: Dataset, root: Path, tmp_path: Path
) -> None:
    first = chaosprep.convert(organs, tmp_path / "a", spacing=THREE, through_plane="cubic")
    words = ["convert", organs.directory, "-o", tmp_path / "b", "--spacing", "3,2.5,4"]
    done = CliRunner().invoke(main, [*map(str, words), "--through-plane", "cubic", "-q"])
    assert done.exit_code == 0, done.stderr
    assert chaosprep.open(tmp_path / "b").descriptor_sha256 == first.descriptor_sha256
    (tmp_path / "prepare.toml").write_text(
        "[split]\nval = 0.5\n[convert]\nspacing = [3, 2.5, 4]\nthrough-plane = 'cubic'\n"
    )
    words = ["prepare", root, "-o", tmp_path / "c", "--config", tmp_path / "prepare.toml", "-q"]
    done = CliRunner().invoke(main, [*map(str, words)])
    assert done.exit_code == 0, done.stderr
    assert chaosprep.open(tmp_path / "c" / "images").made.parameters["spacing"] == [3.0, 2.5, 4.0]
    wrong = CliRunner().invoke(main, [*map(str, words[:4]), "--spacing", "3,2.5"])
    assert wrong.exit_code == 2
    assert "3 values, each a number of more than 0" in wrong.stderr


def test_the_methods_say_all_three_directions(organs: Dataset, tmp_path: Path) -> None:
    made = chaosprep.convert(organs, tmp_path / "out", spacing=THREE)
    assert "resampled to 3 x 2.5 x 4 mm (slices, rows, columns; images linear" in chaosprep.methods(
        made.directory
    )


def test_another_command_finishes_at_once_and_a_changed_one_is_refused(
    organs: Dataset, tmp_path: Path
) -> None:
    first = chaosprep.convert(organs, tmp_path / "out", spacing=THREE)
    again = chaosprep.convert(organs, tmp_path / "out", spacing=list(THREE))
    assert again.descriptor_sha256 == first.descriptor_sha256
    with pytest.raises(ChaosprepError, match="made with other parameters"):
        chaosprep.convert(organs, tmp_path / "out", spacing=3.0)


def test_diff_sees_other_slices(organs: Dataset, tmp_path: Path) -> None:
    made = chaosprep.convert(organs, tmp_path / "a", spacing=THREE)
    same = chaosprep.convert(organs, tmp_path / "b", spacing=THREE, jobs=2)
    assert not chaosprep.diff(made.directory, same.directory).differs
    flat = chaosprep.convert(organs, tmp_path / "c", spacing=2.5)
    assert chaosprep.diff(made.directory, flat.directory).differs


def turned(place: Path, photometric: str, slope: int) -> Path:
    """`padded_root` with other stored values that look the same, and the padding as it was."""
    for path in padded_root(place).rglob("*.dcm"):
        header = dcmread(path)
        pixels = header.pixel_array
        made = np.where(pixels == 0, 0, 4095 - pixels.astype(int))
        header.PixelData = made.astype("<u2").tobytes()
        header.PhotometricInterpretation = photometric
        header.RescaleSlope, header.RescaleIntercept = slope, 0
        header.save_as(path)
    return place


@pytest.mark.parametrize(("photometric", "slope"), [("MONOCHROME1", 1), ("MONOCHROME2", -1)])
@pytest.mark.parametrize("spacing", [9.0, (3.0, 9.0, 9.0)])
def test_what_stands_for_padding_is_dark_where_low_is_bright(
    tmp_path: Path, photometric: str, slope: int, spacing: float | tuple[float, float, float]
) -> None:
    roots = padded_root(tmp_path / "plain"), turned(tmp_path / "turned", photometric, slope)
    plain, other = (
        chaosprep.convert(
            chaosprep.split(root, tmp_path / f"{root.name}-pairs", val=0.0),
            tmp_path / f"{root.name}-made",
            spacing=spacing,
            window="minmax",
        )
        for root in roots
    )
    for here, there in zip(other.slices, plain.slices, strict=True):
        difference = other.image(here).astype(int) - plain.image(there)
        assert np.abs(difference).max() <= 1
