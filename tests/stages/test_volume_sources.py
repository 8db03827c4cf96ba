"""Sets of NIfTI, NRRD or MetaImage through every verb: the same voxels at the same places."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import SimpleITK
from numpy.typing import NDArray

import chaosprep
from chaosprep.errors import ChaosprepError, ProblemsError
from tests.formats.itk_volumes import itk
from tests.formats.volume_files import AFFINE, loaded, nibabel, nifti, noise
from tests.imaging.turning import rotation
from tests.layouts.trees import write

PATTERNS: dict[str, Any] = {
    "images": "imagesTr/{patient}.nii.gz",
    "masks": "labelsTr/{patient}.nii.gz",
    "labels": "1=liver,2=spleen",
}
SHAPE = (24, 20, 7)
SCALE = (0.5, -20.0)


def affine_of(patient: int) -> NDArray[np.float64]:
    """Oblique; of odd patients the third axis runs against the normal."""
    affine = np.eye(4)
    steps = np.diag([1.5, 1.25, 5.5 if patient % 2 == 0 else -5.5])
    affine[:3, :3] = rotation(10 * patient, 5, -9) @ steps
    affine[:3, 3] = (10 * patient, -30, 55.5)
    return affine


def labels_of(patient: int) -> NDArray[np.uint8]:
    labels = np.zeros(SHAPE, np.uint8)
    labels[4:16, 5:15, 1 : 4 + patient % 2] = 1
    labels[17:22, 3:9, 2:6] = 2
    return labels


def image_of(patient: int) -> NDArray[np.int16]:
    values = np.random.default_rng(patient).integers(0, 400, SHAPE)
    return np.asarray(values + 400 * labels_of(patient).astype(int), np.int16)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four patients as nnU-Net has them; the last one's values are rescaled."""
    files = {}
    for patient in range(4):
        told: dict[str, Any] = {}
        if patient == 3:
            told = {"scl_slope": SCALE[0], "scl_inter": SCALE[1]}
        where = affine_of(patient)
        files[f"imagesTr/case{patient}.nii.gz"] = nifti(image_of(patient), where, **told)
        files[f"labelsTr/case{patient}.nii.gz"] = nifti(labels_of(patient), where)
    return write(tmp_path_factory.mktemp("root"), files)


@pytest.fixture(scope="module")
def made(root: Path, tmp_path_factory: pytest.TempPathFactory) -> chaosprep.Dataset:
    out = tmp_path_factory.mktemp("made") / "split"
    return chaosprep.split(root, out, val=0.25, **PATTERNS)


def source(root: Path, patient: int, folder: str = "imagesTr") -> Any:  # noqa: ANN401
    return nibabel.load(root / folder / f"case{patient}.nii.gz")


def on_grid_of(found: Any, wanted: Any) -> NDArray[Any]:  # noqa: ANN401
    """The voxels of an image in the order of another's axes, which lies on the same grid."""
    turn = np.linalg.inv(wanted.affine) @ found.affine
    axes = np.rint(turn).astype(int)
    assert np.allclose(turn, axes, atol=1e-3)
    ends = (turn @ [*(np.array(found.shape) - 1), 1])[:3]
    start = np.minimum(turn[:3, 3], ends)
    assert np.allclose(start, 0, atol=1e-3)
    assert found.shape == wanted.shape
    voxels: NDArray[Any] = np.asanyarray(found.dataobj)
    for axis in range(3):
        if axes[axis, axis] < 0:
            voxels = np.flip(voxels, axis)
    return voxels


def test_a_case_is_its_file_once_and_rows_are_its_frames(
    root: Path, made: chaosprep.Dataset
) -> None:
    assert len(made.cases) == 4
    for case in made.cases:
        (image,) = {row.image for row in case.slices}
        stored = (made.directory / image).read_bytes()
        assert stored == (root / case.slices[0].source).read_bytes()
        assert sorted(row.frame or 0 for row in case.slices) == list(range(7))


def test_rows_say_where_the_voxels_lie(root: Path, made: chaosprep.Dataset) -> None:
    for patient, case in enumerate(made.cases):
        affine = source(root, patient).affine
        for row in case.slices:
            there = (affine @ [0, 0, row.frame, 1])[:3] * [-1, -1, 1]
            assert np.allclose(row.position or (), there, atol=1e-4)
            assert row.spacing == pytest.approx((5.5, 1.25, 1.5), abs=1e-5)
            assert row.dtype == "int16"
            assert (row.slope, row.intercept) == (SCALE if patient == 3 else (1.0, 0.0))


def test_masks_lie_on_their_slices(made: chaosprep.Dataset) -> None:
    for patient, case in enumerate(made.cases):
        for row in case.slices:
            expected = labels_of(patient)[:, :, row.frame or 0].T
            mask = case.mask(row)
            assert mask is not None
            assert np.array_equal(mask, expected)


def test_it_is_verified_without_a_word(made: chaosprep.Dataset) -> None:
    verdict = chaosprep.verify(made.directory)
    assert verdict.faults == ()
    assert verdict.warnings == ()


@pytest.mark.parametrize(
    ("format", "image", "label"),
    [
        ("nnunet", "case{}_series_0000.nii.gz", "case{}_series.nii.gz"),
        ("monai", "case{}_series_0000.nii.gz", "case{}_series.nii.gz"),
        ("nifti", "sub-case{}_acq-series_image.nii.gz", "sub-case{}_acq-series_dseg.nii.gz"),
    ],
)
def test_an_export_has_the_voxels_of_its_source_where_they_lay(
    root: Path, made: chaosprep.Dataset, tmp_path: Path, format: str, image: str, label: str
) -> None:
    chaosprep.export(format, made, tmp_path / "out")
    for patient in range(4):
        wanted = source(root, patient)
        (file,) = (tmp_path / "out").rglob(image.format(patient))
        assert np.allclose(on_grid_of(nibabel.load(file), wanted), wanted.get_fdata(), atol=1e-3)
        (file,) = (tmp_path / "out").rglob(label.format(patient))
        assert np.array_equal(on_grid_of(nibabel.load(file), wanted), labels_of(patient))


@pytest.mark.parametrize("patient", range(4))
def test_exported_and_assembled_volumes_are_the_arrays_of_their_source(
    root: Path, made: chaosprep.Dataset, tmp_path: Path, patient: int
) -> None:
    wanted = source(root, patient)
    chaosprep.export("nnunet", made, tmp_path / "out")
    chaosprep.assemble(made, tmp_path / "volumes")
    files = {
        "out/**/case{}_series_0000.nii.gz": wanted.get_fdata(),
        "out/**/case{}_series.nii.gz": labels_of(patient),
        "volumes/images/case{}_series.nii.gz": wanted.get_fdata(),
        "volumes/masks/case{}_series.nii.gz": labels_of(patient),
    }
    for name, voxels in files.items():
        (file,) = tmp_path.glob(name.format(patient))
        found = nibabel.load(file)
        assert np.allclose(found.affine, wanted.affine, atol=1e-4)
        assert np.allclose(found.get_fdata(), voxels, atol=1e-3)


def test_assemble_brings_a_volume_back_to_its_source(
    root: Path, made: chaosprep.Dataset, tmp_path: Path
) -> None:
    small = chaosprep.convert(made, tmp_path / "small", format="npy", size="16x16")
    for given, cropped in ((made, False), (small, True)):
        out = tmp_path / ("back-small" if cropped else "back")
        chaosprep.assemble(given, out)
        for patient in range(4):
            wanted = source(root, patient)
            found = on_grid_of(nibabel.load(out / f"images/case{patient}_series.nii.gz"), wanted)
            values = wanted.get_fdata()
            inside = (slice(4, 20), slice(2, 18)) if cropped else ()
            assert np.allclose(found[inside], values[inside], atol=1e-3)


def test_convert_shows_modality_units_and_keeps_stored_values(
    made: chaosprep.Dataset, tmp_path: Path
) -> None:
    shown = chaosprep.convert(made, tmp_path / "shown", window="0,200")
    kept = chaosprep.convert(made, tmp_path / "kept", keep_16bit=True)
    case, windowed = made.cases[3], shown.cases[3]
    for row, after, sixteen in zip(case.slices, windowed.slices, kept.cases[3].slices, strict=True):
        stored = image_of(3)[:, :, row.frame or 0].T
        units = stored * SCALE[0] + SCALE[1]
        expected = np.clip(units / 200 * 255, 0, 255)
        assert np.abs(windowed.image(after).astype(float) - expected).max() <= 1
        values = kept.cases[3].image(sixteen) * sixteen.slope + sixteen.intercept
        assert np.allclose(values, units)


def test_floats_are_windowed_kept_as_npy_and_too_wide_for_16_bits(tmp_path: Path) -> None:
    voxels = noise("f4", SHAPE)
    root = write(tmp_path / "root", {"scans/a.nii.gz": nifti(voxels)})
    made = chaosprep.split(root, tmp_path / "out", images="scans/{patient}.nii.gz", val=0.0)
    assert chaosprep.convert(made, tmp_path / "png").slices[0].dtype == "uint8"
    kept = chaosprep.convert(made, tmp_path / "npy", format="npy")
    for row, after in zip(made.slices, kept.slices, strict=True):
        assert np.array_equal(kept.image(after), voxels[:, :, row.frame or 0].T)
    with pytest.raises(ProblemsError) as caught:
        chaosprep.convert(made, tmp_path / "16", keep_16bit=True)
    assert {problem.code for problem in caught.value.problems} == {"too-wide"}


def test_labels_are_extracted_and_images_augmented(made: chaosprep.Dataset, tmp_path: Path) -> None:
    some = chaosprep.extract_labels(made, tmp_path / "some", organ=("spleen",))
    assert not chaosprep.verify(some.directory).faults
    images = chaosprep.convert(some, tmp_path / "images")
    more = chaosprep.augment(images, tmp_path / "more", copies=1)
    assert len(more.slices) > len(images.slices)
    assert not chaosprep.verify(more.directory).faults


def test_it_is_reported_and_drawn(made: chaosprep.Dataset, tmp_path: Path) -> None:
    chaosprep.report(made.directory, tmp_path / "report.html")
    chaosprep.preview(made.directory, tmp_path / "look.png")
    page = (tmp_path / "report.html").read_text()
    assert all(f"case{patient}" in page for patient in range(4))
    assert SimpleITK.ReadImage(str(tmp_path / "look.png")).GetSize() > (100, 100)


def test_its_labels_are_those_of_the_source_to_evaluate(
    root: Path, made: chaosprep.Dataset, tmp_path: Path
) -> None:
    chaosprep.assemble(made, tmp_path / "back")
    back = tmp_path / "back/masks"
    for patient in range(4):
        (back / f"case{patient}_series.nii.gz").rename(back / f"case{patient}.nii.gz")
    write(root, {"labelsTr/labels.json": b'{"liver": 1, "spleen": 2}'})
    found = chaosprep.evaluate(back, root / "labelsTr")
    assert {(one.organ, one.dice) for one in found.results} == {("liver", 1.0), ("spleen", 1.0)}


def test_pictures_of_it_go_to_hugging_face_and_parquet(
    made: chaosprep.Dataset, tmp_path: Path
) -> None:
    with pytest.raises(ProblemsError):
        chaosprep.export("huggingface", made, tmp_path / "no")
    images = chaosprep.convert(made, tmp_path / "images")
    assert chaosprep.export("huggingface", images, tmp_path / "hf").slices == 28
    assert chaosprep.export("parquet", made, tmp_path / "table").slices == 28


def test_a_network_trains_on_it(made: chaosprep.Dataset, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from chaosprep.torch.slices import SliceDataset

    data = SliceDataset(made.directory)
    assert len(data) == 21  # of the three patients to train with


def test_inspect_tells_what_is_there(root: Path) -> None:
    found = chaosprep.inspect(root, images=PATTERNS["images"], masks=PATTERNS["masks"])
    assert [view.slices for view in found.cases] == [7] * 4
    assert {view.transfer_syntaxes for view in found.cases} == {("NIfTI",)}
    assert {view.modality for view in found.cases} == {""}
    for patient, view in enumerate(found.cases):
        assert view.values == (image_of(patient).min(), image_of(patient).max())
        assert view.problems == ()


def test_a_second_run_finds_all_done(root: Path, tmp_path: Path) -> None:
    first = chaosprep.split(root, tmp_path / "out", **PATTERNS)
    before = (tmp_path / "out/slices.jsonl").read_bytes()
    assert chaosprep.split(root, tmp_path / "out", **PATTERNS).slices == first.slices
    assert (tmp_path / "out/slices.jsonl").read_bytes() == before


@pytest.mark.parametrize("link", ["hard", "sym"])
def test_files_may_be_links(root: Path, tmp_path: Path, link: Literal["hard", "sym"]) -> None:
    made = chaosprep.split(root, tmp_path / "out", link=link, **PATTERNS)
    assert not chaosprep.verify(made.directory).faults


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
def test_nrrd_and_metaimage_come_back_as_nifti(tmp_path: Path, ending: str) -> None:
    (tmp_path / "root/scans").mkdir(parents=True)
    (tmp_path / "root/labels").mkdir()
    for patient in range(2):
        where = affine_of(patient)
        itk(tmp_path / "root/scans", f"c{patient}{ending}", image_of(patient), where)
        itk(tmp_path / "root/labels", f"c{patient}{ending}", labels_of(patient), where)
    made = chaosprep.split(
        tmp_path / "root",
        tmp_path / "out",
        images=f"scans/{{patient}}{ending}",
        masks=f"labels/{{patient}}{ending}",
        val=0.0,
    )
    assert all(row.image.endswith(ending) for row in made.slices)
    chaosprep.assemble(made, tmp_path / "back")
    for patient in range(2):
        found = nibabel.load(tmp_path / f"back/images/c{patient}_series.nii.gz")
        wanted = loaded(nifti(image_of(patient), affine_of(patient)))
        assert np.array_equal(on_grid_of(found, wanted), image_of(patient))
        found = nibabel.load(tmp_path / f"back/masks/c{patient}_series.nii.gz")
        assert np.array_equal(on_grid_of(found, wanted), labels_of(patient))


def test_a_folder_of_images_for_each_patient_needs_a_sequence(tmp_path: Path) -> None:
    files = {}
    for patient in range(2):
        for sequence in ("t1", "t2"):
            name = f"scans/p{patient}/{sequence}.nii.gz"
            files[name] = nifti(image_of(patient), affine_of(patient))
    root = write(tmp_path / "root", files)
    made = chaosprep.split(
        root, tmp_path / "out", images="scans/{patient}/{sequence}.nii.gz", val=0.0
    )
    assert [case.id for case in made.cases] == ["p0_t1", "p0_t2", "p1_t1", "p1_t2"]


def test_files_of_one_slice_each_make_a_case(tmp_path: Path) -> None:
    files = {}
    for k in range(7):
        affine = affine_of(0).copy()
        affine[:3, 3] = (affine_of(0) @ [0, 0, k, 1])[:3]
        files[f"scans/a/{k}.nii.gz"] = nifti(image_of(0)[:, :, k], affine)
    root = write(tmp_path / "root", files)
    made = chaosprep.split(root, tmp_path / "out", images="scans/{patient}/{slice}.nii.gz", val=0.0)
    assert [row.source for row in made.slices] == [f"scans/a/{k}.nii.gz" for k in range(7)]
    assert {round((row.spacing or (0.0,))[0] or 0, 4) for row in made.slices} == {5.5}


def test_text_that_may_name_somebody_is_said_of_its_slices(tmp_path: Path) -> None:
    root = write(tmp_path / "root", {"a.nii.gz": nifti(image_of(0), descrip=b"Muller, Anna")})
    made = chaosprep.split(root, tmp_path / "out", images="{patient}.nii.gz", val=0.0)
    assert all("free text (descrip)" in row.warnings[0] for row in made.slices)
    assert "Muller" not in (tmp_path / "out/slices.jsonl").read_text()


def test_a_name_that_is_a_uid_is_not_written(tmp_path: Path) -> None:
    uid = "1.2.840.113619.2.55.3.604688119.971"
    root = write(tmp_path / "root", {f"{uid}.nii.gz": nifti(image_of(0))})
    with pytest.raises(ChaosprepError) as caught:
        chaosprep.split(root, tmp_path / "out", images="{patient}.nii.gz", val=0.0)
    assert caught.value.code == "name-identifies"
    assert uid not in str(caught.value)


def test_what_cannot_be_used_is_one_problem_of_its_file(tmp_path: Path) -> None:
    sheared = AFFINE.copy()
    sheared[0, 2] = 3
    voxels = noise("f4")
    voxels[0, 0, 0] = np.nan
    files = {
        "a.nii.gz": nifti(noise(), sheared, forms=(0, 1)),
        "b.nii.gz": nifti(voxels),
        "c.nii.gz": nifti(noise())[:-30],
    }
    root = write(tmp_path / "root", files)
    with pytest.raises(ProblemsError) as caught:
        chaosprep.split(root, tmp_path / "out", images="{patient}.nii.gz", val=0.0)
    found = [(problem.file, problem.code) for problem in caught.value.problems]
    codes = ("sheared", "not-finite", "image-unreadable")
    assert found == list(zip(files, codes, strict=True))


def test_volumes_of_one_file_are_cases_with_a_file_each(tmp_path: Path) -> None:
    voxels = np.stack([image_of(number) for number in range(3)], axis=3)
    affine = affine_of(2)
    files = {"scans/a.nii.gz": nifti(voxels, affine), "scans/b.nii.gz": nifti(image_of(1), affine)}
    files |= {f"labels/{name}.nii.gz": nifti(labels_of(2), affine) for name in "ab"}
    root = write(tmp_path / "root", files)
    made = chaosprep.split(
        root,
        tmp_path / "out",
        images="scans/{patient}.nii.gz",
        masks="labels/{patient}.nii.gz",
        link="sym",
        val=0.0,
    )
    ids = ["a_series-1", "a_series-2", "a_series-3", "b_series"]
    assert [case.id for case in made.cases] == ids
    for number, case in enumerate(made.cases[:3]):
        (image,) = {row.image for row in case.slices}
        stored = nibabel.load(made.directory / image)
        assert np.array_equal(np.asanyarray(stored.dataobj), voxels[..., number])
        assert np.allclose(stored.affine, affine, atol=1e-4)
        for row in case.slices:
            assert row.source == "scans/a.nii.gz"
            assert np.array_equal(case.image(row), voxels[:, :, row.frame or 0, number].T)
            mask = case.mask(row)
            assert mask is not None
            assert np.array_equal(mask, labels_of(2)[:, :, row.frame or 0].T)
    assert not chaosprep.verify(made.directory).faults


def test_a_volume_does_not_take_the_id_of_another_series(tmp_path: Path) -> None:
    voxels = np.stack([image_of(0), image_of(1)], axis=3)
    files = {"s/a/t1.nii.gz": nifti(voxels), "s/a/t1-1.nii.gz": nifti(image_of(2))}
    root = write(tmp_path / "root", files)
    with pytest.raises(ProblemsError) as caught:
        chaosprep.split(root, tmp_path / "out", images="s/{patient}/{sequence}.nii.gz", val=0.0)
    assert [problem.code for problem in caught.value.problems] == ["series-twice"]


def test_a_segmentation_needs_dicom_and_says_so(made: chaosprep.Dataset, tmp_path: Path) -> None:
    pytest.importorskip("highdicom")
    with pytest.raises(ProblemsError) as caught:
        chaosprep.assemble(made, tmp_path / "seg", format="seg", dicom=made.directory)
    assert {problem.code for problem in caught.value.problems} == {"dicom-missing"}
    assert "came from a volume" in caught.value.problems[0].reason


@pytest.mark.parametrize("shape", [(24, 20), (24, 20, 1)])
def test_pictures_and_their_masks_may_have_two_dimensions(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    image, labels = noise("i2", shape), np.zeros(shape, np.uint8)
    labels[3:9, 5:12] = 1
    root = write(tmp_path / "root", {"i/a.nii.gz": nifti(image), "l/a.nii.gz": nifti(labels)})
    where = {"images": "i/{patient}.nii.gz", "masks": "l/{patient}.nii.gz"}
    made = chaosprep.split(root, tmp_path / "out", val=0.0, **where)  # type: ignore[arg-type]
    ((case,), (row,)) = made.cases, made.slices
    mask = case.mask(row)
    assert mask is not None
    assert row.frame is None
    assert np.array_equal(case.image(row), image.reshape(24, 20).T)
    assert np.array_equal(mask, labels.reshape(24, 20).T)
