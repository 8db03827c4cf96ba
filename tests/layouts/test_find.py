"""Which layout, patients from headers, and pseudonyms of either layout."""

import re
from pathlib import Path
from typing import Any

import pytest

from chaosprep.errors import ChaosprepError, NothingFoundError, UsageError
from chaosprep.layouts.find import LayoutParams, find
from chaosprep.layouts.root import Root
from chaosprep.params import make_params
from chaosprep.privacy.pseudonyms import Key
from chaosprep.series.reading import read_series
from tests.layouts.trees import labels_at, nifti, png_of, slice_at, two_trees, write

IMAGES, MASKS = "scans/{patient}/{slice}.dcm", "labels/{patient}/{slice}.png"
SECRET = b"0123456789abcdef"
KEY = Key(SECRET)


@pytest.fixture
def key(tmp_path: Path) -> str:
    file = tmp_path / "key"
    file.write_bytes(SECRET)
    file.chmod(0o600)
    return str(file)


def look(root: Path, **fields: Any) -> Root:
    return find(root, make_params(LayoutParams, fields))


# Which layout


@pytest.mark.parametrize("layout", ["auto", "chaos"])
def test_chaos_is_found_without_being_asked_for(phantom: Path, layout: str) -> None:
    root = look(phantom, layout=layout)
    assert root.patients == ("CT001", "MR001", "MR002", "MR003", "MR005")
    assert {case.sequence for case in root.only().cases} == {"t1-in"}


@pytest.mark.parametrize("layout", ["auto", "folder"])
def test_a_folder_is_found_by_its_patterns(tmp_path: Path, layout: str) -> None:
    write(tmp_path, two_trees())
    root = look(tmp_path, layout=layout, images=IMAGES, masks=MASKS)
    assert root.patients == ("P007", "P012")
    assert root.only() == root


def test_what_is_asked_for_goes_before_what_is_there(phantom: Path) -> None:
    inside = "Train_Sets/MR/{patient}/T1DUAL/DICOM_anon/InPhase"
    assert look(phantom, images=inside).patients == ("P001", "P002", "P003", "P005")


@pytest.mark.parametrize(("layout", "first"), [("auto", "DICOM files"), ("chaos", "Train_Sets")])
def test_where_nothing_is_found_both_ways_are_said(tmp_path: Path, layout: str, first: str) -> None:
    with pytest.raises(NothingFoundError, match=rf"{first}.*images='scans/\{{patient\}}"):
        look(tmp_path, layout=layout)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"layout": "folder"}, "images must say"),
        ({"layout": "chaos", "images": "a"}, 'for layout="folder"'),
        ({"layout": "chaos", "masks": "a"}, "masks needs images"),
        ({"layout": "chaos", "patient_from": "PatientID"}, "patient_from"),
        ({"patient_from": "PatientID", "images": "a"}, "needs pseudonymize"),
        ({"patient_from": "StudyID", "images": "a", "pseudonymize": "k"}, "patient_from"),
        ({"layout": "nifti"}, "layout"),
    ],
)
def test_parameters_that_make_no_sense_are_usage_errors(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        make_params(LayoutParams, fields)


def test_masks_are_refused_where_the_layout_knows_them(phantom: Path) -> None:
    """As `auto` finds CHAOS: another folder of masks would be passed over in silence."""
    with pytest.raises(UsageError, match=r"^masks: .*chaos.* knows where the masks are"):
        look(phantom, masks="elsewhere")


# Patients from headers


def scattered(keyword: str = "PatientID") -> dict[str, bytes]:
    """Two patients' files in one folder, as they come out of an archive."""
    files = {}
    for place in range(3):
        for number, name in ((1, "A^Ann"), (2, "B^Bob")):
            stem = f"IM{10 * place + number}"
            files[f"i/{stem}.dcm"] = slice_at(place, number, **{keyword: name})
            files[f"m/{stem}.png"] = png_of(labels_at(place, number))
    return files


@pytest.mark.parametrize("keyword", ["PatientID", "PatientName"])
@pytest.mark.parametrize(("images", "masks"), [("i/{slice}.dcm", "m/{slice}.png"), ("i", "m")])
def test_headers_tell_patients_apart(
    tmp_path: Path, key: str, keyword: str, images: str, masks: str
) -> None:
    write(tmp_path, scattered(keyword))
    root = look(tmp_path, images=images, masks=masks, patient_from=keyword, pseudonymize=key)
    names = ("a^ann", "b^bob")
    assert root.patients == tuple(sorted(map(KEY.patient, names)))
    assert root.problems == ()
    for number, name in enumerate(names, 1):
        (case,) = (case for case in root.cases if case.patient == KEY.patient(name))
        series = read_series(case)
        assert series.problems == ()
        assert [found.mask_data for found in series.slices] == [
            png_of(labels_at(place, number)) for place in range(3)
        ]


def test_a_file_that_tells_no_patient_is_a_problem(tmp_path: Path, key: str) -> None:
    """As in CHAOS itself, where PatientID is empty: nobody may end up in one big patient."""
    files = scattered() | {"i/X.dcm": slice_at(7, PatientID=""), "i/Y.dcm": b"hello"}
    root = look(write(tmp_path, files), images="i", patient_from="PatientID", pseudonymize=key)
    assert {(p.code, p.id, p.file) for p in root.problems} == {
        ("patient-missing", "folder", KEY.path("i/X.dcm")),
        ("patient-missing", "folder", KEY.path("i/Y.dcm")),
    }


def test_a_mask_without_its_image_is_a_problem_of_no_patient(tmp_path: Path, key: str) -> None:
    files = scattered()
    del files["i/IM1.dcm"]
    root = look(
        write(tmp_path, files), images="i", masks="m", patient_from="PatientID", pseudonymize=key
    )
    assert [(p.code, p.file) for p in root.problems] == [("mask-surplus", KEY.path("m/IM1.png"))]


def test_one_patient_in_two_folders_is_one_patient(tmp_path: Path, key: str) -> None:
    files = {
        "i/before/1.dcm": slice_at(0, PatientID="A^Ann"),
        "i/after/1.dcm": slice_at(1, PatientID="A^Ann"),
    }
    write(tmp_path, files)
    settings = {"patient_from": "PatientID", "pseudonymize": key}
    root = look(tmp_path, images="i/{sequence}/{slice}.dcm", **settings)
    assert [case.sequence for case in root.cases] == ["after", "before"]
    assert root.patients == (KEY.patient("a^ann"),)
    mixed = look(tmp_path, images="i/{patient}/{slice}.dcm", **settings)
    assert [problem.code for problem in mixed.problems] == ["series-mixed"]


def test_a_sequence_that_stands_in_the_headers_is_refused_even_with_a_key(
    tmp_path: Path, key: str
) -> None:
    write(tmp_path, {"7/20190203/1.dcm": slice_at(0, StudyDate="20190203")})
    with pytest.raises(UsageError, match="can only be renamed"):
        look(tmp_path, images="{patient}/{sequence}/{slice}.dcm", pseudonymize=key)


# Pseudonyms


def everything(root: Root) -> str:
    """All that may be written: ids, what stands for paths, problems."""
    texts = [str(problem) for problem in root.problems]
    for case in root.cases:
        series = read_series(case)
        texts += [case.id, case.patient, *map(str, series.problems)]
        texts += [str(case.shown(found.image)) for found in series.slices]
    return "\n".join(texts)


def test_names_of_a_folder_become_hashes_everywhere(tmp_path: Path, key: str) -> None:
    files = two_trees(patients={"Doe_Jane": 1, "Roe_Rick": 2, "Poe_Paul": 3})
    del files["labels/Doe_Jane/02.png"]
    files["labels/Doe_Jane/09.png"] = b"?"
    files["scans/Doe_Jane/04.dcm"] = b"?"
    for n in (1, 2, 3):
        files[f"labels/Zoe/{n}.png"] = files.pop(f"labels/Poe_Paul/0{n}.png")
    root = look(write(tmp_path, files), images=IMAGES, masks=MASKS, pseudonymize=key)
    said = everything(root)
    assert not re.search("(?i)doe|roe|poe|zoe|scans|labels|0[1-9][.]", said)
    for code in ("mask-missing", "mask-surplus", "not-dicom", "ground-missing"):
        problems = [p for case in root.cases for p in read_series(case).problems]
        assert code in {problem.code for problem in (*problems, *root.problems)}
    assert root.patients == tuple(sorted(map(KEY.patient, ("Doe_Jane", "Roe_Rick"))))


def test_a_volume_and_a_series_without_order_have_no_path_either(tmp_path: Path, key: str) -> None:
    files = {
        "i/Doe/1.dcm": slice_at(0),
        "i/Doe/2.dcm": slice_at(1, ImageOrientationPatient=[0, 1, 0, 0, 0, 1]),
        "m/Doe.nii": b"?",
    }
    root = look(
        write(tmp_path, files), images="i/{patient}", masks="m/{patient}.nii", pseudonymize=key
    )
    said = everything(root)
    assert "orientation" in said
    assert not re.search("(?i)doe|i/|m/", said)


def test_chaos_can_have_pseudonyms_too(phantom: Path, tmp_path: Path, key: str) -> None:
    root = look(phantom, pseudonymize=key)
    assert root.patients == tuple(
        sorted(map(KEY.patient, ("CT001", "MR001", "MR002", "MR003", "MR005")))
    )
    assert not re.search("MR0|CT0|Train|IMG|InPhase", everything(root))


def test_problems_of_chaos_have_pseudonyms_too(tmp_path: Path, key: str) -> None:
    from chaosprep.phantom import Patient, write_chaos

    write_chaos(tmp_path / "root", [Patient(id=7, slices=1, matrix=16, sequences=("t1-in",))])
    (tmp_path / "root/Train_Sets/MR/7/T1DUAL/Ground").rename(tmp_path / "away")
    (problem,) = look(tmp_path / "root", pseudonymize=key).problems
    assert problem.id == f"{KEY.patient('MR007')}_t1-in"
    assert problem.file == KEY.path("Train_Sets/MR/7/T1DUAL/Ground")


def test_two_patients_with_one_pseudonym_are_an_error(
    tmp_path: Path, phantom: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Key, "patient", lambda self, text: "P0000000000")
    write(tmp_path, two_trees())
    for root, images in ((tmp_path, IMAGES), (phantom, None)):
        with pytest.raises(ChaosprepError) as caught:
            look(root, images=images, pseudonymize=key)
        assert caught.value.code == "pseudonym-twice"


def test_the_parameters_are_recorded_with_the_keys_fingerprint(key: str) -> None:
    params = make_params(LayoutParams, {"pseudonymize": key})
    assert params.recorded().pseudonymize == f"key {KEY.fingerprint()}"
    assert make_params(LayoutParams, {}).recorded() == LayoutParams()


def test_a_nifti_mask_is_known_by_its_name_alone(tmp_path: Path) -> None:
    import numpy as np

    write(
        tmp_path, {"i/7/1.dcm": slice_at(0), "m/7.nii": nifti(np.zeros((4, 3, 1), np.uint8), None)}
    )
    (case,) = look(tmp_path, images="i", masks="m/{patient}.nii").cases
    assert case.rule == "volume"
