"""`verify` on volumes: each planted fault is found, named exactly, and nothing else is."""

import gzip
import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import chaosprep
from chaosprep.errors import UsageError
from chaosprep.phantom import Patient, write_chaos
from chaosprep.quality.verify import Verdict

nibabel = pytest.importorskip("nibabel")

SHAPE = (12, 10, 6)
AFFINE = np.diag([-1.5, -1.25, 4.0, 1.0])
AFFINE[:3, 3] = [31.5, 20.25, -112.75]
TO_LPS = np.diag([-1, -1, 1, 1])
LABELS = {"background": 0, "liver": 1, "tumour": 2}
Paths = Callable[[Path, str], tuple[Path, Path]]
Plant = Callable[[Path, Path], object]
RANDOM = int(os.environ.get("CHAOSPREP_RANDOM_SETS", "3"))


def image_of(random: np.random.Generator) -> NDArray[Any]:
    return random.integers(0, 900, SHAPE).astype(np.int16)


def labels_of(random: np.random.Generator) -> NDArray[Any]:
    found = np.zeros(SHAPE, np.uint8)
    found[2:8, 2:7, 1:5] = 1
    found[4 : 5 + random.integers(0, 2), 3:5, 2:4] = 2
    return found


def save(
    path: Path, voxels: NDArray[Any], affine: NDArray[Any] | None = AFFINE, **more: object
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".nrrd":
        path.write_bytes(as_nrrd(voxels, affine))
        return
    nibabel.save(nibabel.Nifti1Image(voxels, affine, **more), path)


def as_nrrd(voxels: NDArray[Any], affine: NDArray[Any] | None) -> bytes:
    """A NRRD (teem.sourceforge.net/nrrd/format.html); without an affine only spacings are told."""
    sizes = " ".join(map(str, voxels.shape))
    kind = {"f": "float", "i": "int", "u": "uint"}[voxels.dtype.kind]
    told = ["spacings: 1.5 1.25 4"]
    if affine is not None:
        steps, at = (" ".join(map(_vector, columns)) for columns in (affine.T[:3], affine.T[3:]))
        told = [f"space directions: {steps}", f"space origin: {at}"]
    name = kind if kind == "float" else f"{kind}{8 * voxels.dtype.itemsize}"
    lines = ["NRRD0004", f"type: {name}", "dimension: 3", f"sizes: {sizes}"]
    lines += ["space: right-anterior-superior"] if affine is not None else []
    lines += [*told, "endian: little", "encoding: gzip", "", ""]
    return "\n".join(lines).encode() + gzip.compress(voxels.tobytes("F"))


def _vector(numbers: NDArray[Any]) -> str:
    return f"({','.join(map(repr, numbers[:3].tolist()))})"


def voxels(path: Path) -> NDArray[Any]:
    if path.suffix == ".nrrd":
        itk = pytest.importorskip("SimpleITK")
        return np.asarray(itk.GetArrayFromImage(itk.ReadImage(str(path)))).T
    return np.asarray(nibabel.load(path).dataobj)


def nnunet(root: Path, seed: int = 0) -> Path:
    random, folder = np.random.default_rng(seed), root / "Dataset007_Liver"
    for case in ("a_1", "b_1", "c_1"):
        save(folder / f"imagesTr/{case}_0000.nii.gz", image_of(random))
        save(folder / f"imagesTr/{case}_0001.nii.gz", image_of(random))
        save(folder / f"labelsTr/{case}.nii.gz", labels_of(random))
    table = {"channel_names": {"0": "T1", "1": "T2"}, "labels": LABELS, "numTraining": 3}
    (folder / "dataset.json").write_text(json.dumps({**table, "file_ending": ".nii.gz"}))
    return folder


def decathlon(root: Path, seed: int = 0) -> Path:
    random, folder = np.random.default_rng(seed), root / "Task07_Liver"
    listed = []
    for case in ("a_1", "b_1", "c_1"):
        save(folder / f"imagesTr/{case}.nii.gz", image_of(random))
        save(folder / f"labelsTr/{case}.nii.gz", labels_of(random))
        listed.append({"image": f"./imagesTr/{case}.nii.gz", "label": f"./labelsTr/{case}.nii.gz"})
    named = {str(value): name for name, value in LABELS.items()}
    table = {"modality": {"0": "MRI"}, "labels": named, "training": listed, "test": []}
    (folder / "dataset.json").write_text(json.dumps({**table, "numTraining": 3, "numTest": 0}))
    return folder


def plain(root: Path, seed: int = 0, end: str = ".nii.gz") -> Path:
    random, folder = np.random.default_rng(seed), root / "plain"
    for side, case in (("train", "a_1"), ("train", "b_1"), ("val", "c_1")):
        save(folder / f"{side}/images/{case}{end}", image_of(random))
        save(folder / f"{side}/labels/{case}{end}", labels_of(random))
    (folder / "labels.json").write_text(json.dumps({"1": "liver", "2": "tumour"}))
    return folder


SETS: dict[str, Callable[..., Path]] = {
    "nnunet": nnunet,
    "decathlon": decathlon,
    "volumes": plain,
    "volumes nrrd": partial(plain, end=".nrrd"),
}
FILES = {
    "nnunet": ("imagesTr/a_1_0000.nii.gz", "labelsTr/a_1.nii.gz"),
    "decathlon": ("imagesTr/a_1.nii.gz", "labelsTr/a_1.nii.gz"),
    "volumes": ("train/images/a_1.nii.gz", "train/labels/a_1.nii.gz"),
    "volumes nrrd": ("train/images/a_1.nrrd", "train/labels/a_1.nrrd"),
}
ONLY_NIFTI = ("mask scaled", "image forms")  # no other header has a slope or two places


def found(verdict: Verdict) -> set[tuple[str, str | None]]:
    return {(one.code, one.file) for one in (*verdict.faults, *verdict.warnings)}


def moved(at: int, mm: float) -> NDArray[Any]:
    affine = AFFINE.copy()
    affine[at, 3] += mm
    return affine


def mirrored(axis: int) -> NDArray[Any]:
    """The affine of the same lattice, with one axis counted from the other end."""
    turn = np.eye(4)
    turn[axis, axis], turn[axis, 3] = -1, SHAPE[axis] - 1
    return AFFINE @ turn


def turned() -> NDArray[Any]:
    angle = np.radians(10)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return turn @ AFFINE


def coarser() -> NDArray[Any]:
    return AFFINE @ np.diag([1, 1, 1.25, 1])


def forms_apart(image: Path, mask: Path) -> None:
    one = nibabel.load(image)
    data = np.asarray(one.dataobj)
    again = nibabel.Nifti1Image(data, AFFINE)
    again.set_qform(moved(2, 8.0), 1)
    again.set_sform(AFFINE, 1)
    nibabel.save(again, image)


def unplaced(path: Path) -> None:
    if path.suffix == ".nrrd":
        save(path, voxels(path), None)
        return
    one = nibabel.Nifti1Image(voxels(path), None)
    one.header.set_zooms((1.5, 1.25, 4.0))
    one.set_qform(None, 0)
    one.set_sform(None, 0)
    nibabel.save(one, path)


def with_value(path: Path, value: float, kind: type = np.int16) -> None:
    data: NDArray[Any] = voxels(path).astype(kind)
    data[0, 0, 0] = value
    save(path, data)


def scaled(path: Path) -> None:
    one = nibabel.Nifti1Image(voxels(path), AFFINE)
    one.header.set_slope_inter(1.00000012, 0)
    nibabel.save(one, path)
    raw = bytearray(gzip.decompress(path.read_bytes()))
    raw[112:116] = np.float32(1.0000001).tobytes()
    path.write_bytes(gzip.compress(bytes(raw)))


MASK = {
    "shape": ("size", lambda i, m: save(m, voxels(m)[:-1])),
    "spacing": ("grid-spacing", lambda i, m: save(m, voxels(m), coarser())),
    "half a voxel": ("grid-origin", lambda i, m: save(m, voxels(m), moved(0, 0.75))),
    "elsewhere": ("grid-origin", lambda i, m: save(m, voxels(m), moved(2, 40))),
    "other end of x": ("grid-order", lambda i, m: save(m, voxels(m), mirrored(0))),
    "other end of y": ("grid-order", lambda i, m: save(m, voxels(m), mirrored(1))),
    "other end of z": ("grid-order", lambda i, m: save(m, voxels(m), mirrored(2))),
    "axes exchanged": (
        "grid-order",
        lambda i, m: save(m, voxels(m).transpose(2, 0, 1), AFFINE[:, [2, 0, 1, 3]]),
    ),
    "sign of x": ("grid-flipped", lambda i, m: save(m, voxels(m), AFFINE @ np.diag([-1, 1, 1, 1]))),
    "signs of x, y": ("grid-flipped", lambda i, m: save(m, voxels(m), TO_LPS @ AFFINE)),
    "identity": ("affine-identity", lambda i, m: save(m, voxels(m), np.eye(4))),
    "turned": ("grid-directions", lambda i, m: save(m, voxels(m), turned())),
    "float": ("mask-float", lambda i, m: save(m, voxels(m).astype(np.float32))),
    "fractions": ("mask-fractions", lambda i, m: save(m, voxels(m) * np.float32(0.37))),
    "nan": ("not-finite", lambda i, m: with_value(m, np.nan, np.float32)),
    "negative": ("mask-values", lambda i, m: with_value(m, -1)),
    "unknown value": ("labels", lambda i, m: with_value(m, 7)),
    "full": ("mask-full", lambda i, m: save(m, np.maximum(voxels(m), 1))),
    "empty": ("mask-empty", lambda i, m: save(m, voxels(m) * 0)),
    "scaled": ("mask-scaled", lambda i, m: scaled(m)),
    "truncated": ("image-unreadable", lambda i, m: m.write_bytes(m.read_bytes()[:-30])),
}
IMAGE = {
    "constant": ("image-constant", lambda i, m: save(i, voxels(i) * 0 + 5)),
    "nan": ("not-finite", lambda i, m: with_value(i, np.nan, np.float32)),
    "infinite": ("not-finite", lambda i, m: with_value(i, np.inf, np.float32)),
    "truncated": ("image-unreadable", lambda i, m: i.write_bytes(i.read_bytes()[:-30])),
    "no volume": ("image-unreadable", lambda i, m: i.write_bytes(b"nothing of the kind")),
    "forms": ("nifti-forms", forms_apart),
    "unplaced": ("affine-missing", lambda i, m: unplaced(i)),
    "identity": ("affine-identity", lambda i, m: save(i, voxels(i), np.eye(4))),
}
PLANTED = [(f"mask {name}", 1, *what) for name, what in MASK.items()]
PLANTED += [(f"image {name}", 0, *what) for name, what in IMAGE.items()]


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("what", PLANTED, ids=lambda what: what[0])
def test_a_planted_fault_is_named_exactly_and_nothing_else(
    tmp_path: Path, kind: str, what: tuple[str, int, str, Plant]
) -> None:
    name, which, code, plant = what
    if name in ONLY_NIFTI and "nrrd" in kind:
        pytest.skip("only NIfTI says it")
    folder = SETS[kind](tmp_path)
    plant(folder / FILES[kind][0], folder / FILES[kind][1])
    verdict = chaosprep.verify(folder)
    assert found(verdict) == {(code, FILES[kind][which])}
    assert verdict.stage == kind.partition(" ")[0]


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("seed", range(RANDOM))
def test_a_clean_set_gives_neither_faults_nor_warnings(
    tmp_path: Path, kind: str, seed: int
) -> None:
    verdict = chaosprep.verify(SETS[kind](tmp_path, seed))
    assert (verdict.faults, verdict.warnings, verdict.cases) == ((), (), 3)


def test_an_image_in_the_place_of_its_mask_is_named(tmp_path: Path) -> None:
    folder = decathlon(tmp_path)
    shutil.copy(folder / FILES["decathlon"][0], folder / FILES["decathlon"][1])
    verdict = chaosprep.verify(folder)
    assert ("mask-image", FILES["decathlon"][1]) in found(verdict)


def test_a_channel_on_another_grid_is_named(tmp_path: Path) -> None:
    folder = nnunet(tmp_path)
    second = "imagesTr/b_1_0001.nii.gz"
    save(folder / second, voxels(folder / second), moved(1, 3.0))
    assert found(chaosprep.verify(folder)) == {
        ("grid-origin", second),
        ("grid-origin", "labelsTr/b_1.nii.gz"),
    }


def test_every_fault_of_a_case_is_told(tmp_path: Path) -> None:
    folder = decathlon(tmp_path)
    image, mask = (folder / name for name in FILES["decathlon"])
    with_value(image, np.nan, np.float32)
    save(mask, voxels(mask).astype(np.float32) * 4, moved(0, 0.75))
    codes = {code for code, _ in found(chaosprep.verify(folder))}
    assert codes == {"not-finite", "mask-float", "grid-origin", "labels"}


def test_a_name_that_no_mask_shows_is_a_warning(tmp_path: Path) -> None:
    folder = decathlon(tmp_path)
    for mask in (folder / "labelsTr").iterdir():
        save(mask, np.minimum(voxels(mask), 1))
    [warning] = chaosprep.verify(folder).warnings
    assert (warning.code, warning.reason) == ("label-unseen", "no mask shows tumour (2)")


def test_a_set_without_any_place_has_a_note_and_no_warning(tmp_path: Path) -> None:
    folder = decathlon(tmp_path)
    for file in folder.glob("*Tr/*.nii.gz"):
        unplaced(file)
    verdict = chaosprep.verify(folder)
    assert (verdict.faults, verdict.warnings) == ((), ())
    assert any("does not say where" in note for note in verdict.notes)


def test_a_patient_on_two_folds_is_leakage(tmp_path: Path) -> None:
    folder = nnunet(tmp_path)
    for file in [*folder.glob("*Tr/b_1*")]:
        file.rename(file.with_name(file.name.replace("b_1", "a_2")))
    folds = [{"train": ["a_2", "c_1"], "val": ["a_1"]}, {"train": ["a_1", "c_1"], "val": ["a_2"]}]
    folds.append({"train": ["a_1", "a_2"], "val": ["c_1"]})
    (folder / "splits_final.json").write_text(json.dumps(folds))
    assert not chaosprep.verify(folder).faults
    [fault] = chaosprep.verify(folder, patient_from_name="{patient}_{}").faults
    assert (fault.code, fault.id) == ("leakage", "a")


@pytest.mark.parametrize(
    ("folds", "says"),
    [
        ([(["b_1", "c_1"], ["a_1"]), (["a_1"], ["b_1", "c_1"])], None),
        ([(["b_1"], ["a_1", "c_1"]), (["a_1"], ["b_1", "c_1"])], "for validation in several"),
        (
            [(["a_1", "b_1", "c_1"], ["a_1"]), (["a_1"], ["b_1", "c_1"])],
            "occurs twice in one split",
        ),
        ([(["b_1"], ["a_1"]), (["a_1"], ["b_1"])], "in no split"),
        ([(["b_1", "c_1"], ["a_1"]), (["a_1"], ["b_1"])], "not in every split"),
        ([(["b_1", "c_1", "x"], ["a_1"]), (["a_1", "x"], ["b_1", "c_1"])], "without an image"),
    ],
)
def test_a_broken_list_of_folds_says_how(
    tmp_path: Path, folds: list[tuple[list[str], list[str]]], says: str | None
) -> None:
    folder = nnunet(tmp_path)
    said = [{"train": train, "val": val} for train, val in folds]
    (folder / "splits_final.json").write_text(json.dumps(said))
    verdict = chaosprep.verify(folder)
    assert [one.code for one in verdict.faults] == (["splits-broken"] if says else [])
    assert all(says and says in one.reason for one in verdict.faults)
    assert verdict.cases == 3


def test_a_case_without_its_labels_is_a_fault(tmp_path: Path) -> None:
    folder = nnunet(tmp_path)
    (folder / FILES["nnunet"][1]).unlink()
    assert {code for code, _ in found(chaosprep.verify(folder))} == {"mask-missing"}


def test_a_test_case_without_its_mask_beside_others_is_a_warning(tmp_path: Path) -> None:
    root, random = nnunet(tmp_path / "set"), np.random.default_rng(9)
    for name in ("x", "y"):
        for channel in range(2):
            save(root / f"imagesTs/{name}_{channel:04d}.nii.gz", image_of(random))
    assert chaosprep.verify(root).warnings == ()
    save(root / "labelsTs/x.nii.gz", labels_of(random))
    (warning,) = chaosprep.verify(root).warnings
    assert (warning.code, warning.id) == ("mask-missing", "test")
    assert warning.reason.startswith("1 of its 2 cases has no mask: y")


def test_patients_can_be_chosen_and_told_by_a_table(tmp_path: Path) -> None:
    folder, table = nnunet(tmp_path), tmp_path / "patients.csv"
    table.write_text("case,patient\na_1,A\nb_1,A\nc_1,C\n")
    assert chaosprep.verify(folder, patients=table, patient=["C"]).cases == 1
    assert chaosprep.verify(folder, patients=str(table), patient=["A"]).cases == 2


def test_workers_find_the_same(tmp_path: Path) -> None:
    folder = decathlon(tmp_path)
    save(folder / FILES["decathlon"][1], labels_of(np.random.default_rng(0)), moved(0, 0.75))
    assert chaosprep.verify(folder, jobs=2) == chaosprep.verify(folder)


def test_volumes_of_other_formats_are_clean_and_checked(tmp_path: Path) -> None:
    itk = pytest.importorskip("SimpleITK")
    random = np.random.default_rng(1)
    for number, end in enumerate(("nrrd", "mha")):
        folder = tmp_path / end
        for kind, data in (("images", image_of(random)), ("labels", labels_of(random))):
            (folder / kind).mkdir(parents=True)
            one = itk.GetImageFromArray(data.T.copy())
            one.SetSpacing((1.5, 1.25, 4))
            one.SetOrigin((3, 4, 5 + number))
            itk.WriteImage(one, str(folder / kind / f"a.{end}"))
        assert not found(chaosprep.verify(folder))
        one.SetOrigin((3, 4.6, 5 + number))
        itk.WriteImage(one, str(folder / f"labels/a.{end}"))
        assert found(chaosprep.verify(folder)) == {("grid-origin", f"labels/a.{end}")}


@pytest.mark.parametrize("kind", ["nnunet", "nifti", "monai"])
def test_our_own_exports_are_clean(tmp_path: Path, kind: str) -> None:
    write_chaos(tmp_path / "raw", [Patient(id=1, slices=4), Patient(id=2, slices=4)])
    chaosprep.split(tmp_path / "raw", tmp_path / "split", val=0.5)
    chaosprep.extract_liver(tmp_path / "split", tmp_path / "liver")
    chaosprep.export(kind, tmp_path / "liver", tmp_path / "out")
    verdict = chaosprep.verify(tmp_path / "out")
    assert (verdict.faults, verdict.warnings) == ((), ())
    assert verdict.cases > 1


def test_a_replay_is_refused_of_volumes(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="manifest"):
        chaosprep.verify(nnunet(tmp_path), replay=1)


@pytest.mark.parametrize("axis", range(3))
def test_a_mask_that_was_reoriented_with_its_header_is_right_and_a_warning(
    tmp_path: Path, axis: int
) -> None:
    """`split` goes by the header, so what it makes of both is the same."""
    straight, turned_set = decathlon(tmp_path / "one"), decathlon(tmp_path / "other")
    for mask in (turned_set / "labelsTr").iterdir():
        save(mask, np.flip(voxels(mask), axis), mirrored(axis))
    verdict = chaosprep.verify(turned_set)
    assert (verdict.faults, {one.code for one in verdict.warnings}) == ((), {"grid-order"})
    made = [
        chaosprep.split(
            root, tmp_path / root.parent.name / "out", patient_from_name="{patient}", jobs=1
        )
        for root in (straight, turned_set)
    ]
    one, other = (
        {row.id: np.array(case.mask(row)) for case in found.cases for row in case.slices}
        for found in made
    )
    assert len(one) == 18
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[id], other[id]) for id in one)
    assert sum(int(np.count_nonzero(mask)) for mask in one.values()) > 100


def test_axes_that_lie_elsewhere_are_a_fault(tmp_path: Path) -> None:
    folder = decathlon(tmp_path)
    mask = folder / FILES["decathlon"][1]
    save(mask, voxels(mask), AFFINE @ np.diag([1, -1, 1, 1]))
    assert [fault.code for fault in chaosprep.verify(folder).faults] == ["grid-flipped"]


@pytest.mark.parametrize("which", [0, 1], ids=["image", "mask"])
def test_an_identity_beside_a_place_in_one_case_is_a_fault(tmp_path: Path, which: int) -> None:
    folder = decathlon(tmp_path)
    file = FILES["decathlon"][which]
    save(folder / file, voxels(folder / file), np.eye(4))
    verdict = chaosprep.verify(folder)
    assert [(one.code, one.file) for one in verdict.faults] == [("affine-identity", file)]
    assert verdict.warnings == ()


def test_a_case_that_knows_no_place_among_others_is_a_warning(tmp_path: Path) -> None:
    folder = decathlon(tmp_path)
    for file in FILES["decathlon"]:
        save(folder / file, voxels(folder / file), np.eye(4))
    verdict = chaosprep.verify(folder)
    assert verdict.faults == ()
    assert {(one.code, one.file) for one in verdict.warnings} == {
        ("affine-identity", file) for file in FILES["decathlon"]
    }
