"""Any two trees become cases: pairs by names alone, patients that stay one, problems by name."""

import json
import random
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from chaosprep.dataset.descriptor import UNKNOWN_LICENSES, UNKNOWN_SOURCES
from chaosprep.errors import NothingFoundError, UsageError
from chaosprep.layouts import folder
from chaosprep.layouts.layout import Where
from chaosprep.layouts.root import Root
from chaosprep.series.reading import Series, read_series
from tests.formats.test_labels import npy
from tests.layouts.trees import labels_at, nifti, png_of, slice_at, two_trees, write

IMAGES, MASKS = "scans/{patient}/{slice}.dcm", "labels/{patient}/{slice}.png"


def find(root: str | Path, images: str, masks: str | None = None, **more: Any) -> Root:
    return folder.find(Path(root), Where(images, masks, **more))


def series(root: Root) -> dict[str, Series]:
    return {case.id: read_series(case) for case in root.cases}


def pairs(root: Root) -> dict[str, str | None]:
    """Image -> mask of everything; nothing may be wrong."""
    read = series(root)
    assert root.problems == ()
    assert [found.problems for found in read.values()] == [()] * len(read)
    return {found.image: found.mask for made in read.values() for found in made.slices}


def codes(root: Root) -> set[tuple[str, str, str | None]]:
    """Every problem, of the root and of its cases."""
    more = [problem for made in series(root).values() for problem in made.problems]
    return {(problem.code, problem.id, problem.file) for problem in (*root.problems, *more)}


def test_images_and_masks_in_two_trees_are_paired_by_patient_and_slice(tmp_path: Path) -> None:
    root = find(write(tmp_path, two_trees()), IMAGES, MASKS)
    assert [case.id for case in root.cases] == ["P007_series", "P012_series"]
    assert pairs(root) == {
        f"scans/{patient}/{n:02d}.dcm": f"labels/{patient}/{n:02d}.png"
        for patient in (7, 12)
        for n in (1, 2, 3)
    }


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        (IMAGES, MASKS),
        ("scans/{patient}", "labels/{patient}"),
        ("scans/{patient}/{slice}", "labels/{patient}"),
        ("scans", "labels"),
        ("scans", "labels/{patient}/{slice}.png"),
        ("scans/{patient}", "labels"),
    ],
)
def test_the_same_trees_in_other_words_give_the_same_pairs(
    tmp_path: Path, images: str, masks: str
) -> None:
    write(tmp_path, two_trees())
    assert pairs(find(tmp_path, images, masks)) == pairs(find(tmp_path, IMAGES, MASKS))


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        ("{patient}/{slice}.dcm", "{patient}/{slice}_mask.png"),
        ("all/p{patient}-s{slice}.dcm", "all/p{patient}-s{slice}.png"),
        ("{patient}/img/{patient}_{slice}.dcm", "gt/{patient}.{slice}.png"),
        ("d/{patient}/{slice}/image.dcm", "d/{patient}/{slice}/mask.png"),
    ],
)
def test_trees_of_any_shape(tmp_path: Path, images: str, masks: str) -> None:
    root = find(write(tmp_path, two_trees(images, masks)), images, masks)
    assert [case.id for case in root.cases] == ["P007_series", "P012_series"]
    assert all(mask for mask in pairs(root).values())
    assert len(pairs(root)) == 6


def test_numbers_pair_whatever_their_padding(tmp_path: Path) -> None:
    files = {"i/7/1.dcm": slice_at(0), "i/7/10.dcm": slice_at(1)}
    masks = {"m/7/0001.png": png_of(labels_at(0)), "m/7/0010.png": png_of(labels_at(1))}
    assert pairs(find(write(tmp_path, files | masks), "i", "m")) == {
        "i/7/1.dcm": "m/7/0001.png",
        "i/7/10.dcm": "m/7/0010.png",
    }


def test_names_that_do_not_match_are_never_paired_by_their_order(tmp_path: Path) -> None:
    files = {"i/7/a.dcm": slice_at(0), "m/7/b.png": png_of(labels_at(0))}
    assert codes(find(write(tmp_path, files), "i", "m")) == {
        ("mask-missing", "P007_series", "i/7/a.dcm"),
        ("mask-surplus", "P007_series", "m/7/b.png"),
    }


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(1, 6)), st.integers(0, 99), st.randoms(use_true_random=False))
def test_renaming_and_shuffling_files_never_changes_the_pairs(
    names: list[int], start: int, chance: random.Random
) -> None:
    """Each slice takes a new name, the same for its mask; the files are made in any order."""
    files = {f"i/7/x{start + name}.dcm": slice_at(place) for place, name in enumerate(names)}
    files |= {
        f"m/7/x{start + name}.png": png_of(labels_at(place)) for place, name in enumerate(names)
    }
    paths = list(files)
    chance.shuffle(paths)
    with TemporaryDirectory() as folder:
        write(Path(folder), {path: files[path] for path in paths})
        (made,) = series(find(folder, "i", "m")).values()
    assert made.problems == ()
    assert [(found.image_data, found.mask_data) for found in made.slices] == [
        (slice_at(place), png_of(labels_at(place))) for place in range(5)
    ]


def test_a_missing_and_a_surplus_mask_are_named(tmp_path: Path) -> None:
    files = two_trees()
    del files["labels/7/02.png"]
    files["labels/12/09.png"] = png_of(labels_at(0))
    assert codes(find(write(tmp_path, files), IMAGES, MASKS)) == {
        ("mask-missing", "P007_series", "scans/7/02.dcm"),
        ("mask-surplus", "P012_series", "labels/12/09.png"),
    }


def test_two_masks_for_a_slice_are_both_set_aside(tmp_path: Path) -> None:
    files = two_trees() | {"labels/7/2.npy": npy(labels_at(1))}
    assert codes(find(write(tmp_path, files), "scans", "labels")) == {
        ("name-twice", "P007_series", "labels/7/02.png"),
        ("name-twice", "P007_series", "labels/7/2.npy"),
        ("mask-missing", "P007_series", "scans/7/02.dcm"),
    }


def test_a_patient_without_masks_is_one_problem_and_so_are_masks_without_a_patient(
    tmp_path: Path,
) -> None:
    files = two_trees()
    for n in (1, 2, 3):
        files[f"labels/99/0{n}.png"] = files.pop(f"labels/7/0{n}.png")
    root = find(write(tmp_path, files), IMAGES, MASKS)
    assert codes(root) == {
        ("ground-missing", "P007_series", "scans/7"),
        *(("mask-surplus", "folder", f"labels/99/0{n}.png") for n in (1, 2, 3)),
    }
    assert root.patients == ("P012",)


def test_without_a_pattern_of_masks_there_are_none(tmp_path: Path) -> None:
    root = find(write(tmp_path, two_trees()), IMAGES)
    assert set(pairs(root).values()) == {None}
    assert {(case.masks, case.pool) for case in root.cases} == {(None, "train")}


def test_sequences_are_cases_of_their_own_and_may_share_masks(tmp_path: Path) -> None:
    files = {}
    for place in range(2):
        for sequence in ("T1_in", "T1 out"):
            files[f"{sequence}/7/{place}.dcm"] = slice_at(place)
        files[f"gt/7/{place}.png"] = png_of(labels_at(place))
    root = find(
        write(tmp_path, files), "{sequence}/{patient}/{slice}.dcm", "gt/{patient}/{slice}.png"
    )
    assert [case.id for case in root.cases] == ["P007_T1-in", "P007_T1-out"]
    assert len(pairs(root)) == 4
    assert set(pairs(root).values()) == {"gt/7/0.png", "gt/7/1.png"}
    assert [case.id for case in root.only(("T1-in",)).cases] == ["P007_T1-in"]
    assert root.only(()) == root


def test_a_sequence_that_is_a_number_begins_with_a_letter(tmp_path: Path) -> None:
    files = {"7/2/1.dcm": slice_at(0), "7/10/1.dcm": slice_at(1)}
    root = find(write(tmp_path, files), "{patient}/{sequence}/{slice}.dcm")
    assert [case.id for case in root.cases] == ["P007_s10", "P007_s2"]


def test_one_mask_volume_for_a_patient(tmp_path: Path) -> None:
    for pattern in ("labels/{patient}.npy", "labels/{patient}", "vol/{patient}/all.npy", "vol"):
        files = two_trees(masks=None)
        for patient, number in (("7", 1), ("12", 2)):
            stack = npy(np.stack([labels_at(place, number) for place in range(3)]))
            files |= {f"labels/{patient}.npy": stack, f"vol/{patient}/all.npy": stack}
        home = tmp_path / str(abs(hash(pattern)))
        root = find(write(home, files), IMAGES, pattern)
        for number, made in enumerate(series(root).values(), 1):
            assert made.problems == ()
            for found in made.slices:
                assert found.mask_array is not None
                assert np.array_equal(found.mask_array, labels_at(found.index, number))


def test_a_volume_for_both_sequences(tmp_path: Path) -> None:
    affine = np.diag([-1.5, -1.25, 5.5, 1])
    affine[:3, 3] = 10, 20, 0
    voxels = np.stack([labels_at(place) for place in range(2)]).transpose(2, 1, 0)
    files = {f"7/{s}/{n}.dcm": slice_at(n) for s in ("a", "b") for n in range(2)}
    write(tmp_path, files | {"gt/7.nii": nifti(voxels, affine)})
    made = series(find(tmp_path, "{patient}/{sequence}/{slice}.dcm", "gt/{patient}.nii"))
    assert list(made) == ["P007_a", "P007_b"]
    for found in (slice_ for one in made.values() for slice_ in one.slices):
        assert found.mask_array is not None
        assert np.array_equal(found.mask_array, labels_at(found.index))


def test_several_volumes_for_a_series_are_a_problem(tmp_path: Path) -> None:
    files = two_trees(masks=None, patients={"7": 1})
    files |= {"labels/7/liver.nii.gz": b"", "labels/7/spleen.nii.gz": b""}
    root = find(write(tmp_path, files), IMAGES, "labels/{patient}")
    assert codes(root) == {("mask-several", "P007_series", "labels/7/liver.nii.gz")}


@pytest.mark.parametrize(
    ("paths", "masks"),
    [
        (("m/7/liver.nii.gz", "m/7/kidney_left.nii.gz"), "m/{patient}/{organ}.nii.gz"),
        (("7/seg/liver.nii.gz", "7/seg/kidney_left.nii.gz"), "{patient}/seg/{organ}.nii.gz"),
        (("liver/7.nii.gz", "kidney_left/7.nii.gz"), "{organ}/{patient}.nii.gz"),
        (("m/liver/7.nii", "m/kidney_left/7.npy"), "m/{organ}/{patient}"),
        (("m/7/liver/a.nii", "m/7/kidney_left/b.nii"), "m/{patient}/{organ}"),
        (("m/7/mask_liver.npy", "m/7/mask_kidney_left.npy"), "m/{patient}/mask_{organ}.npy"),
    ],
)
def test_a_file_for_each_structure_is_called_what_the_pattern_finds(
    tmp_path: Path, paths: tuple[str, str], masks: str
) -> None:
    files = two_trees(masks=None, patients={"7": 1}) | dict.fromkeys(paths, b"")
    (case,) = find(write(tmp_path, files), IMAGES, masks).cases
    assert case.organs == {paths[0]: "liver", paths[1]: "kidney_left"}
    assert case.rule == "volume"


@pytest.mark.parametrize("masks", ["m/{patient}/{organ}/{slice}.png", "m/{patient}/{organ}"])
def test_slices_may_have_a_file_for_each_structure(tmp_path: Path, masks: str) -> None:
    paths = {f"m/7/{organ}/{n:02d}.png": organ for organ in ("liver", "aorta") for n in (1, 2)}
    files = two_trees(masks=None, patients={"7": 1}, slices=2) | dict.fromkeys(paths, b"")
    (case,) = find(write(tmp_path, files), IMAGES, masks).cases
    assert case.organs == paths
    assert case.rule == "key"


def test_an_image_shows_every_structure(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a placeholder of"):
        find(tmp_path, "scans/{patient}/{organ}/{slice}.dcm", "m/{patient}/{organ}.nii")


def test_two_files_for_one_structure_are_a_problem(tmp_path: Path) -> None:
    files = two_trees(masks=None, patients={"7": 1})
    files |= dict.fromkeys(("m/7/aorta.nii", "m/7/left kidney.nii", "m/7/Left_Kidney.nii"), b"")
    root = find(write(tmp_path, files), IMAGES, "m/{patient}/{organ}.nii")
    assert codes(root) == {("mask-several", "P007_series", "m/7/Left_Kidney.nii")}


def test_structures_come_as_one_file_each_or_as_slices(tmp_path: Path) -> None:
    files = two_trees(masks=None, patients={"7": 1})
    files |= dict.fromkeys(("m/7/a/01.png", "m/7/a/02.png", "m/7/b/b.nii"), b"")
    root = find(write(tmp_path, files), IMAGES, "m/{patient}/{organ}")
    assert [problem.code for problem in root.problems] == ["mask-several"]


def test_a_name_that_has_two_readings_is_no_structure(tmp_path: Path) -> None:
    files = two_trees(masks=None, patients={"7": 1}) | {"m/7_kidney_left.nii": b""}
    root = find(write(tmp_path, files), IMAGES, "m/{patient}_{organ}.nii")
    assert ("name-ambiguous", "folder", "m/7_kidney_left.nii") in codes(root)


@pytest.mark.parametrize(("name", "data"), [("01.nii", b""), ("01.dcm", slice_at(0))])
def test_a_volume_is_not_the_mask_of_a_slice(tmp_path: Path, name: str, data: bytes) -> None:
    files = {"i/7/01.dcm": slice_at(0), f"m/7/{name}": data}
    ending = name[2:]
    root = find(
        write(tmp_path, files), "i/{patient}/{slice}.dcm", f"m/{{patient}}/{{slice}}{ending}"
    )
    assert codes(root) == {("mask-kind", "P007_series", f"m/7/{name}")}


@pytest.mark.parametrize("name", ["RS", "RS.1.2.3", "RS.dcm", "RS.IMA"])
def test_the_only_mask_in_a_folder_is_that_of_the_series_whatever_dicom_calls_it(
    tmp_path: Path, name: str
) -> None:
    files = two_trees(masks=None, patients={"7": 1}) | {f"m/7/{name}": b""}
    (case,) = find(write(tmp_path, files), IMAGES, "m/{patient}").cases
    assert case.rule == "volume"


def test_an_npy_is_the_mask_of_a_slice(tmp_path: Path) -> None:
    files = {"i/7/1.dcm": slice_at(0), "m/7/1.npy": npy(labels_at(0).astype(np.int64))}
    ((made,),) = (one.slices for one in series(find(write(tmp_path, files), "i", "m")).values())
    assert made.mask_data is None
    assert made.mask_array is not None
    assert np.array_equal(made.mask_array, labels_at(0))


@pytest.mark.parametrize(
    ("array", "code"),
    [
        (np.zeros((4, 3), np.uint8), "size-mismatch"),
        (np.full((3, 4), np.nan), "mask-values"),
        (np.full((3, 4), 0.5), "mask-values"),
        (np.zeros((1, 3, 4), np.uint8), "mask-kind"),
    ],
)
def test_an_npy_that_will_not_do_is_named(tmp_path: Path, array: NDArray[Any], code: str) -> None:
    files = {"i/7/1.dcm": slice_at(0), "m/7/1.npy": npy(array)}
    assert codes(find(write(tmp_path, files), "i", "m")) == {(code, "P007_series", "m/7/1.npy")}


def test_a_patient_of_one_image_and_one_mask_needs_no_slice(tmp_path: Path) -> None:
    files = {"i/7.dcm": slice_at(0), "m/7.png": png_of(labels_at(0))}
    root = find(write(tmp_path, files), "i/{patient}.dcm", "m/{patient}.png")
    assert pairs(root) == {"i/7.dcm": "m/7.png"}


def test_names_of_two_patients_that_become_one_id_are_problems(tmp_path: Path) -> None:
    root = find(write(tmp_path, two_trees(patients={"7": 1, "007": 2, "8": 3})), IMAGES, MASKS)
    assert codes(root) == {
        ("patient-twice", "P007", "scans/007"),
        ("patient-twice", "P007", "scans/7"),
    }
    assert root.patients == ("P008",)


def test_a_folder_without_a_name_for_an_id_is_a_problem(tmp_path: Path) -> None:
    root = find(write(tmp_path, two_trees(patients={"张三": 1, "8": 2})), IMAGES, MASKS)
    assert codes(root) == {("patient-name", "folder", "scans/张三")}
    assert root.patients == ("P008",)


def test_a_plain_folder_of_several_series_of_a_patient_is_a_problem_not_a_mixture(
    tmp_path: Path,
) -> None:
    files = {f"i/7/{s}/{n}.dcm": slice_at(n) for s in ("t1", "t2") for n in range(2)}
    root = find(write(tmp_path, files), "i")
    assert codes(root) == {("series-mixed", "P007_series", "i/7/t1")}
    assert "{sequence}" in root.problems[0].remedy


def test_two_folders_of_one_sequence_are_a_problem(tmp_path: Path) -> None:
    files = {"7/T1/1.dcm": slice_at(0), "7/t1/1.dcm": slice_at(1)}
    if (write(tmp_path, files) / "7/T1").samefile(tmp_path / "7/t1"):
        pytest.skip("the file system takes them for one")
    ((code, id, _),) = codes(find(tmp_path, "{patient}/{sequence}/{slice}.dcm"))
    assert (code, id.casefold()) == ("series-mixed", "p007_t1")


def test_files_that_are_not_dicom_are_problems(tmp_path: Path) -> None:
    files = two_trees(patients={"7": 1}) | {"scans/7/notes.txt": b"hello"}
    assert codes(find(write(tmp_path, files), "scans/{patient}", "labels/{patient}")) == {
        ("not-dicom", "P007_series", "scans/7/notes.txt")
    }


def test_files_that_no_pattern_fits_are_not_looked_at(tmp_path: Path) -> None:
    files = two_trees(patients={"7": 1}) | {"scans/7/notes.txt": b"hello"}
    assert len(pairs(find(write(tmp_path, files), IMAGES, MASKS))) == 3


def test_the_licence_is_the_one_of_the_datapackage_or_said_to_be_unknown(tmp_path: Path) -> None:
    write(tmp_path, two_trees())
    root = find(tmp_path, IMAGES)
    assert (root.licenses, root.sources) == (UNKNOWN_LICENSES, UNKNOWN_SOURCES)
    package = {"licenses": [{"name": "CC0-1.0"}], "name": "mine"}
    (tmp_path / "datapackage.json").write_text(json.dumps(package))
    root = find(tmp_path, IMAGES)
    assert [license.name for license in root.licenses] == ["CC0-1.0"]
    assert root.sources == UNKNOWN_SOURCES


@pytest.mark.parametrize("text", ["{}", "[", "{'licenses': 3}", "\xff"])
def test_a_datapackage_that_tells_nothing_changes_nothing(tmp_path: Path, text: str) -> None:
    write(tmp_path, two_trees() | {"datapackage.json": text.encode("latin-1")})
    assert find(tmp_path, IMAGES).licenses == UNKNOWN_LICENSES


@pytest.mark.parametrize(
    ("images", "masks", "says"),
    [
        ("scans/{slice}.dcm", None, "which part of a path is the patient"),
        (IMAGES, "labels/{slice}.png", "needs {patient}"),
        (IMAGES, "labels/{patient}/{sequence}/{slice}.png", "has {sequence} but not"),
        ("scans", "labels/{patient}/{sequence}.png", "has {sequence} but not"),
    ],
)
def test_patterns_that_do_not_fit_each_other_are_usage_errors(
    tmp_path: Path, images: str, masks: str | None, says: str
) -> None:
    with pytest.raises(UsageError) as caught:
        find(tmp_path, images, masks)
    assert says in str(caught.value)


def test_a_pattern_that_fits_no_file_finds_nothing(tmp_path: Path) -> None:
    write(tmp_path, two_trees())
    with pytest.raises(NothingFoundError, match=r"no file fits images='scan/\{patient\}'"):
        find(tmp_path, "scan/{patient}")
    with pytest.raises(NothingFoundError, match="no file fits masks="):
        find(tmp_path, IMAGES, "label")
    with pytest.raises(NothingFoundError, match="stand for themselves"):
        find(tmp_path, "scans/{patient}/*.dcm")


def test_a_root_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        find(tmp_path / "nowhere", IMAGES)


def test_an_image_behind_a_link_out_of_the_root_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "root", two_trees(patients={"7": 1}))
    shutil.move(tmp_path / "root/scans/7/02.dcm", tmp_path / "02.dcm")
    (tmp_path / "root/scans/7/02.dcm").symlink_to(tmp_path / "02.dcm")
    root = find(tmp_path / "root", IMAGES, MASKS)
    assert codes(root) == {("file-link", "P007_series", "scans/7/02.dcm")}


@pytest.mark.parametrize(
    ("files", "images"),
    [
        ({"DOE_JANE/1.dcm": {}}, "{patient}/{slice}.dcm"),
        ({"A0017/1.dcm": {"PatientID": "A0017"}}, "{patient}/{slice}.dcm"),
        ({"7/20190203/1.dcm": {"StudyDate": "20190203"}}, "{patient}/{sequence}/{slice}.dcm"),
        ({"7/1.2.840.10008.5.1.dcm": {}}, "{patient}/{slice}.dcm"),
        ({"7/jane.dcm": {}}, "{patient}/{slice}.dcm"),
    ],
)
def test_a_name_that_stands_in_the_headers_is_refused_without_saying_it(
    tmp_path: Path, files: Mapping[str, Mapping[str, Any]], images: str
) -> None:
    """The sample's patient is Doe^Jane. Ids, paths and messages would carry the name."""
    write(tmp_path, {path: slice_at(0, **changes) for path, changes in files.items()})
    with pytest.raises(UsageError, match="pseudonymize=KEYFILE") as caught:
        find(tmp_path, images)
    said = str(caught.value).casefold()
    assert not any(part in said for path in files for part in path.casefold().split("/"))
    (problem,) = find(tmp_path, images, strict=False).problems
    assert (problem.code, problem.id, problem.file) == ("name-identifies", "folder", None)


def test_a_single_file_with_such_a_name_is_left_out_without_saying_it(tmp_path: Path) -> None:
    files = {"7/1.dcm": slice_at(0), "7/Jane.dcm": slice_at(1)}
    (made,) = series(find(write(tmp_path, files), "{patient}/{slice}.dcm")).values()
    assert [found.image for found in made.slices] == ["7/1.dcm"]
    assert [(problem.code, problem.file) for problem in made.problems] == [
        ("name-identifies", None)
    ]
