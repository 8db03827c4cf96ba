"""split on any folder: masks of every form become label PNG, and nothing that identifies leaves."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

import chaosprep
from chaosprep import Dataset
from chaosprep.division.params import SplitParams
from chaosprep.errors import ChaosprepError, ProblemsError, UsageError
from tests.formats.test_labels import npy
from tests.layouts.trees import labels_at, nifti, png_of, slice_at, two_trees, write

IMAGES, MASKS = "scans/{patient}/{slice}.dcm", "labels/{patient}/{slice}.png"
SECRET = b"0123456789abcdef"
PATIENTS = {"7": 1, "12": 2}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two patients of three slices, with their masks in every form."""
    files = two_trees()
    for name, number in PATIENTS.items():
        stack = np.stack([labels_at(place, number) for place in range(3)])
        files[f"npy/{name}.npy"] = npy(stack)
        affine = np.diag([-1.5, -1.25, 5.5, 1])  # LPS to RAS of the sample's grid
        affine[:3, 3] = 10, 20, 0
        files[f"nii/{name}.nii"] = nifti(stack.transpose(2, 1, 0), affine)
        for place in range(3):
            files[f"arrays/{name}/{place + 1}.npy"] = npy(labels_at(place, number))
    return write(tmp_path / "root", files)


@pytest.fixture
def key(tmp_path: Path) -> str:
    file = tmp_path / "secret.key"
    file.write_bytes(SECRET)
    file.chmod(0o600)
    return str(file)


def split(root: Path, out: Path, masks: str | None = MASKS, **fields: Any) -> Dataset:
    settings: dict[str, Any] = {"val": 0.5, "images": IMAGES, "masks": masks} | fields
    return chaosprep.split(root, out, **settings)


def expected(patient: str, place: int) -> NDArray[np.uint8]:
    return labels_at(place, {"P007": 1, "P012": 2}[patient])


@pytest.mark.parametrize(
    "masks", [MASKS, "arrays/{patient}/{slice}.npy", "npy/{patient}.npy", "nii/{patient}.nii"]
)
def test_masks_of_every_form_are_label_pngs_of_their_slice(
    root: Path, tmp_path: Path, masks: str
) -> None:
    made = split(root, tmp_path / "out", masks)
    assert len(made.slices) == 6
    for row in made.slices:
        assert row.mask is not None
        labels = cv2.imread(str(made.directory / row.mask), cv2.IMREAD_UNCHANGED)
        assert labels is not None
        assert np.array_equal(labels, expected(row.patient, row.slice))
        assert row.image_sha256  # and the image is the file as it was
        assert (made.directory / row.image).read_bytes() == (root / row.source).read_bytes()
    assert chaosprep.verify(made.directory).faults == ()


def test_png_masks_are_copied_as_they_are(root: Path, tmp_path: Path) -> None:
    for row in split(root, tmp_path / "out").slices:
        name = row.source.replace("scans", "labels").replace(".dcm", ".png")
        assert row.mask is not None
        assert (tmp_path / "out" / row.mask).read_bytes() == (root / name).read_bytes()


def test_values_are_not_taken_for_chaos_organs(root: Path, tmp_path: Path) -> None:
    """255 is the spleen in CHAOS; here nobody said so."""
    labels = np.zeros((3, 4), np.uint8)
    labels[0, :2] = 255
    for name in PATIENTS:
        for place in (1, 2, 3):
            (root / f"labels/{name}/0{place}.png").write_bytes(png_of(labels))
    made = split(root, tmp_path / "out")
    assert {tuple(row.labels.items()) for row in made.slices} == {((255, "label-255"),)}
    assert {tuple(row.pixels.items()) for row in made.slices} == {(("label-255", 2),)}
    for asked in ({}, {"range": (255, 255)}, {"lenient_masks": True}):
        with pytest.raises(
            UsageError, match="it is not known what the values of its masks stand for"
        ):
            chaosprep.extract_liver(made, tmp_path / "liver", **asked)
    told = split(root, tmp_path / "told", labels="255=liver")
    livers = chaosprep.extract_liver(told, tmp_path / "liver", mask_value=1)
    assert {tuple(row.labels.items()) for row in livers.slices} == {((1, "liver"),)}
    assert {row.pixels["liver"] for row in livers.slices} == {2}


@pytest.mark.parametrize("place", ["nii/dataset.json", "dataset.json"])
@pytest.mark.parametrize(
    "legend",
    [
        {"labels": {"background": 0, "liver": 11, "spleen": 12}},  # nnU-Net v2
        {"labels": {"0": "background", "11": "liver", "12": "spleen"}},  # v1 and the Decathlon
    ],
)
def test_a_legend_beside_the_masks_names_their_values(
    root: Path, tmp_path: Path, place: str, legend: dict[str, Any]
) -> None:
    (root / place).write_text(json.dumps(legend))
    made = split(root, tmp_path / "out", "nii/{patient}.nii")
    names = {value: name for row in made.slices for value, name in row.labels.items()}
    assert names == {
        **{10: "label-10", 11: "liver", 12: "spleen"},
        **{20: "label-20", 21: "label-21", 22: "label-22"},
    }
    assert {row.pixels["liver"] for row in made.slices if 11 in row.labels} == {0, 4}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.ctbl", "# Color table file x\n11 liver 1 2 3 255\n12 spleen 4 5 6 255\n"),
        ("labels.txt", '11 1 2 3 1 1 1 "liver"\n12 1 2 3 1 1 1 "spleen"\n'),
        ("dseg.tsv", "index\tname\n11\tliver\n12\tspleen\n"),
    ],
)
def test_a_table_of_colors_beside_the_masks_names_their_values(
    root: Path, tmp_path: Path, name: str, text: str
) -> None:
    (root / "nii" / name).write_text(text)
    made = split(root, tmp_path / "out", "nii/{patient}.nii")
    names = {value: name for row in made.slices for value, name in row.labels.items()}
    assert (names[10], names[11], names[12]) == ("label-10", "liver", "spleen")


@pytest.mark.parametrize("text", ["{", '{"labels": {"whole": [1, 2]}}', '{"name": "x"}'])
def test_what_is_no_legend_names_nothing(root: Path, tmp_path: Path, text: str) -> None:
    (root / "dataset.json").write_text(text)
    made = split(root, tmp_path / "out", "nii/{patient}.nii")
    assert all(name.startswith("label-") for row in made.slices for name in row.labels.values())


def test_a_name_of_a_label_that_identifies_is_not_written(root: Path, tmp_path: Path) -> None:
    for path in (root / "scans").rglob("*.dcm"):
        header = pydicom.dcmread(path)
        header.PatientName = f"Mustermann^Erika{path.parent.name}"
        header.save_as(path)
    legend = {"labels": {"background": 0, "liver": 11, "Lesion Mustermann": 12}}
    (root / "dataset.json").write_text(json.dumps(legend))
    made = split(root, tmp_path / "out", "nii/{patient}.nii")
    names = {value: name for row in made.slices for value, name in row.labels.items()}
    assert (names[11], names[12]) == ("liver", "label-12")


def test_without_masks_the_rows_have_none(root: Path, tmp_path: Path) -> None:
    made = split(root, tmp_path / "out", None)
    assert {(row.mask, row.labels == {}, row.pixels == {}) for row in made.slices} == {
        (None, True, True)
    }


def test_a_picture_of_more_values_than_labels_is_a_problem(root: Path, tmp_path: Path) -> None:
    big = np.arange(12, dtype=np.uint8).reshape(3, 4)
    (root / "labels/7/01.png").write_bytes(png_of(big))
    split(root, tmp_path / "fine")
    wide = cv2.imencode(".png", np.arange(300, dtype=np.uint16).reshape(15, 20))[1].tobytes()
    (root / "labels/7/01.png").write_bytes(wide)
    (root / "scans/7/01.dcm").write_bytes(_wide_slice())
    for other in ("02", "03"):  # they have another size
        (root / f"scans/7/{other}.dcm").unlink()
        (root / f"labels/7/{other}.png").unlink()
    with pytest.raises(ProblemsError) as caught:
        split(root, tmp_path / "out")
    assert {problem.code for problem in caught.value.problems} == {"mask-values"}


def _wide_slice() -> bytes:
    from tests.formats.samples import dicom

    return dicom(np.zeros((15, 20), np.uint16), ImagePositionPatient=[-10, -20, 0])


def test_every_sequence_is_taken_unless_one_is_named(tmp_path: Path) -> None:
    files = {
        f"{patient}/{sequence}/{n}.dcm": slice_at(n, patient)
        for patient in (1, 2)
        for sequence in ("t1", "t2")
        for n in range(2)
    }
    write(tmp_path / "root", files)
    pattern: dict[str, Any] = {"images": "{patient}/{sequence}/{slice}.dcm", "masks": None}
    both = split(tmp_path / "root", tmp_path / "a", **pattern)
    one = split(tmp_path / "root", tmp_path / "b", sequence=["t2"], **pattern)
    assert {row.sequence for row in both.slices} == {"t1", "t2"}
    assert {row.sequence for row in one.slices} == {"t2"}
    assert [case.id for case in one.cases] == ["P001_t2", "P002_t2"]


def test_the_manifest_is_a_data_package_with_a_licence_honestly_unknown(
    root: Path, tmp_path: Path
) -> None:
    import frictionless

    made = split(root, tmp_path / "out")
    assert [license.name for license in made.licenses] == ["notspecified"]
    report = frictionless.validate(str(made.directory / "datapackage.json"))
    assert report.valid, report.flatten(["message"])


# Pseudonyms


def written(directory: Path) -> bytes:
    """Every byte of every name and file but the DICOM files', which keep what they hold."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    names = b"".join(str(path.relative_to(directory)).encode() for path in files)
    return names + b"".join(path.read_bytes() for path in files if path.suffix != ".dcm")


@pytest.fixture
def telling(tmp_path: Path) -> Path:
    """Folders and files that are named after their patients, one of them damaged."""
    files = two_trees(patients={"Doe_Jane": 1, "Roe_Rick": 2})
    files["scans/Doe_Jane/09.dcm"] = slice_at(8)
    return write(tmp_path / "root", files)


def test_with_a_key_no_name_path_or_key_is_written(telling: Path, tmp_path: Path, key: str) -> None:
    made = split(telling, tmp_path / "out", pseudonymize=key, on_error="skip")
    assert [problem.code for problem in made.skipped] == ["mask-missing"]
    text = written(tmp_path / "out").decode("latin-1")
    assert not re.search("(?i)doe.jane|roe.rick|09.dcm|scans/0", text)
    assert SECRET.decode() not in text
    assert SECRET.hex() not in text
    assert key not in text
    assert "secret.key" not in text
    for row in made.slices:
        assert re.fullmatch("P[0-9a-f]{10}", row.patient)
        assert re.fullmatch("[0-9a-f]{20}[.]dcm", row.source)


def test_an_unfinished_run_leaves_no_name_either(telling: Path, tmp_path: Path, key: str) -> None:
    with pytest.raises(ProblemsError):
        split(telling, tmp_path / "out", pseudonymize=key)
    assert not re.search(b"(?i)doe.jane|roe.rick|secret", written(tmp_path / "out"))


def test_the_same_key_gives_the_same_bytes_wherever_it_lies(
    root: Path, tmp_path: Path, key: str
) -> None:
    other = shutil.copy(key, tmp_path / "copy.key")
    split(root, tmp_path / "a", pseudonymize=key)
    split(root, tmp_path / "b", pseudonymize=str(other))
    for name in ("slices.jsonl", "datapackage.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    again = split(root, tmp_path / "a", pseudonymize=str(other))
    assert again.made.parameters["pseudonymize"].startswith("key ")


def test_another_key_is_another_request(root: Path, tmp_path: Path, key: str) -> None:
    split(root, tmp_path / "out", pseudonymize=key)
    Path(key).write_bytes(SECRET[::-1])
    with pytest.raises(ChaosprepError, match="made with other parameters") as caught:
        split(root, tmp_path / "out", pseudonymize=key)
    assert key not in str(caught.value)


def test_a_run_goes_on_with_the_same_key_in_another_place(
    telling: Path, tmp_path: Path, key: str
) -> None:
    with pytest.raises(ProblemsError):
        split(telling, tmp_path / "out", pseudonymize=key)
    (telling / "scans/Doe_Jane/09.dcm").unlink()
    events: list[chaosprep.Event] = []
    other = str(shutil.copy(key, tmp_path / "copy.key"))
    split(telling, tmp_path / "out", pseudonymize=other, on_event=events.append)
    assert (events[0].finished, events[0].total) == (1, 2)


def test_symbolic_links_would_tell_the_paths(root: Path, tmp_path: Path, key: str) -> None:
    with pytest.raises(UsageError, match='link="sym"'):
        split(root, tmp_path / "out", pseudonymize=key, link="sym")


def test_patients_are_named_by_their_pseudonyms(root: Path, tmp_path: Path, key: str) -> None:
    ids = split(root, tmp_path / "a", pseudonymize=key).patients
    made = split(root, tmp_path / "b", pseudonymize=key, val_patient=[ids[1]])
    assert {row.patient for row in made.slices if row.split == "val"} == {ids[1]}


def test_workers_make_the_same_bytes(root: Path, tmp_path: Path, key: str) -> None:
    split(root, tmp_path / "a", "nii/{patient}.nii", pseudonymize=key)
    split(root, tmp_path / "b", "nii/{patient}.nii", pseudonymize=key, jobs=2)
    for name in ("slices.jsonl", "datapackage.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


# The other verbs


def test_inspect_shows_the_same_cases_and_the_levels_of_any_mask(root: Path) -> None:
    for masks in (MASKS, "nii/{patient}.nii"):
        found = chaosprep.inspect(root, images=IMAGES, masks=masks)
        assert [case.id for case in found.cases] == ["P007_series", "P012_series"]
        assert found.problems == ()
        assert found.cases[0].levels == {0: 24, 10: 4, 11: 4, 12: 4}


def test_inspect_tells_of_names_that_identify_and_shows_the_rest(telling: Path) -> None:
    found = chaosprep.inspect(telling, images=IMAGES, masks=MASKS)
    assert "name-identifies" in {problem.code for problem in found.problems}
    assert len(found.cases) == 2


def test_prepare_takes_the_same_choice(root: Path, tmp_path: Path) -> None:
    made = chaosprep.prepare(
        root,
        tmp_path / "out",
        images=IMAGES,
        masks=MASKS,
        val=0.5,
        keep_16bit=True,
        copies=1,
    )
    assert json.loads((tmp_path / "out/split/datapackage.json").read_bytes())
    assert made.patients == ("P007", "P012")


def test_the_defaults_are_chaos() -> None:
    params = SplitParams()
    assert (params.layout, params.images, params.masks) == ("auto", None, None)
    assert (params.patient_from, params.pseudonymize) == ("folder", None)


@pytest.mark.parametrize(("levels", "named"), [((255,), False), ((80, 160, 240), True)])
def test_a_table_of_levels_is_proposed_for_several_of_its_own(
    root: Path, tmp_path: Path, levels: tuple[int, ...], named: bool
) -> None:
    labels = np.zeros((3, 4), np.uint8)
    labels[0, : len(levels)] = levels
    for name in PATIENTS:
        for place in (1, 2, 3):
            (root / f"labels/{name}/0{place}.png").write_bytes(png_of(labels))
    with pytest.raises(UsageError) as caught:
        chaosprep.extract_liver(split(root, tmp_path / "out"), tmp_path / "liver")
    assert ("--labels chaos-2019-02 if they are of CHAOS" in caught.value.remedy) == named
