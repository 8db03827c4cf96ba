"""BIDS as a dataset root: subjects, sessions, runs, and whose a mask of derivatives is."""

import json
from pathlib import Path

import numpy as np
import pytest

from chaosprep.errors import NothingFoundError, UsageError
from tests.layouts.named import AFFINE, labels, nibabel, save, volume
from tests.layouts.published import bids, found, names, told, write_tsv

T1W = "sub-01/anat/sub-01_T1w"
DSEG = "manual/sub-01/anat/sub-01_dseg"


def test_a_subject_is_a_patient_and_a_suffix_a_sequence(tmp_path: Path) -> None:
    (case,) = found(bids(tmp_path, [T1W], [DSEG]), "bids").cases
    assert (case.id, case.images, case.masks) == (
        "P001_T1w",
        (f"{T1W}.nii.gz",),
        (f"derivatives/{DSEG}.nii.gz",),
    )


def test_sessions_and_runs_are_sequences_of_their_own(tmp_path: Path) -> None:
    names_ = ["ses-a_run-1_T1w", "ses-a_run-2_T1w", "ses-b_T1w"]
    images = [f"sub-x/{name[:5]}/anat/sub-x_{name}" for name in names_]
    masks = [f"m/{path.removesuffix('T1w')}dseg" for path in images]
    root = found(bids(tmp_path, images, masks), "bids")
    assert [(case.id, case.masks) for case in root.cases] == [
        (f"x_{name.replace('_', '-')}", (f"derivatives/{mask}.nii.gz",))
        for name, mask in zip(names_, masks, strict=True)
    ]
    assert root.problems == ()


def test_a_mask_that_does_not_say_its_run_is_of_none(tmp_path: Path) -> None:
    images = [f"sub-01/anat/sub-01_run-{n}_T1w" for n in (1, 2)]
    root = found(bids(tmp_path, images, [DSEG]), "bids")
    assert [(code, file) for code, file, _ in told(root)] == [
        ("mask-surplus", f"derivatives/{DSEG}.nii.gz")
    ]
    assert [case.masks for case in root.cases] == [None, None]


def test_of_two_contrasts_the_grid_tells_whose_a_mask_is(tmp_path: Path) -> None:
    folder = bids(tmp_path, [T1W], [DSEG])
    moved = AFFINE.copy()
    moved[2, 3] += 40
    file = folder / "sub-01/anat/sub-01_T2w.nii.gz"
    nibabel.save(nibabel.Nifti1Image(volume(2), moved), file)
    root = found(folder, "bids")
    assert [(case.id, case.masks is None) for case in root.cases] == [
        ("P001_T1w", False),
        ("P001_T2w", True),
    ]
    assert [case.id for case in root.only().cases] == ["P001_T1w"]
    assert root.notes == ("without masks, and not taken without --sequence: T2w",)


def test_a_mask_on_one_grid_with_both_contrasts_is_of_both(tmp_path: Path) -> None:
    folder = bids(tmp_path, [T1W, "sub-01/anat/sub-01_T2w"], [DSEG])
    assert [case.masks for case in found(folder, "bids").cases] == [
        (f"derivatives/{DSEG}.nii.gz",)
    ] * 2


def test_a_mask_on_the_grid_of_neither_contrast_is_a_problem(tmp_path: Path) -> None:
    folder = bids(tmp_path, [T1W, "sub-01/anat/sub-01_T2w"])
    save(folder / f"derivatives/{DSEG}.nii.gz", np.zeros((5, 5, 5), np.uint8))
    assert [code for code, _, _ in told(found(folder, "bids"))] == ["mask-ambiguous"]


def test_a_space_names_the_contrast(tmp_path: Path) -> None:
    folder = bids(
        tmp_path,
        [T1W, "sub-01/anat/sub-01_T2w"],
        ["m/sub-01/anat/sub-01_space-T2w_dseg", "m/sub-01/anat/sub-01_space-T1w_dseg"],
    )
    assert [case.masks for case in found(folder, "bids").cases] == [
        ("derivatives/m/sub-01/anat/sub-01_space-T1w_dseg.nii.gz",),
        ("derivatives/m/sub-01/anat/sub-01_space-T2w_dseg.nii.gz",),
    ]


def test_masks_in_the_space_of_a_template_are_said_and_not_taken(tmp_path: Path) -> None:
    mask = "m/sub-01/anat/sub-01_space-MNI152NLin2009cAsym_dseg"
    root = found(bids(tmp_path, [T1W], [mask, DSEG]), "bids")
    assert [case.masks for case in root.cases] == [(f"derivatives/{DSEG}.nii.gz",)]
    assert root.notes == ("in the space of a template, and not taken: 1 mask",)


def test_masks_of_one_structure_are_called_by_their_labels(tmp_path: Path) -> None:
    masks = [f"m/sub-01/anat/sub-01_label-{name}_mask" for name in ("liver", "spleen")]
    folder = bids(tmp_path, [T1W])
    for number, mask in enumerate(masks, 1):
        save(folder / f"derivatives/{mask}.nii.gz", (labels(0) == number).astype(np.uint8))
    root = found(folder, "bids")
    assert root.cases[0].organs == {
        f"derivatives/{masks[0]}.nii.gz": "liver",
        f"derivatives/{masks[1]}.nii.gz": "spleen",
    }
    assert names(root) == {1: "liver", 2: "spleen"}


def test_two_label_maps_of_one_image_are_a_problem(tmp_path: Path) -> None:
    root = found(bids(tmp_path, [T1W], [DSEG, "auto/sub-01/anat/sub-01_dseg"]), "bids")
    assert root.cases == ()
    assert told(root) == [("mask-several", f"{T1W}.nii.gz", "several masks fit one image: 1 image")]


@pytest.mark.parametrize(
    "chosen", ["derivatives/auto", "derivatives/auto/", "*/auto/*_dseg.nii.gz"]
)
def test_masks_are_chosen_by_a_folder_or_a_pattern(tmp_path: Path, chosen: str) -> None:
    folder = bids(tmp_path, [T1W], [DSEG, "auto/sub-01/anat/sub-01_dseg"])
    (case,) = found(folder, "bids", masks=chosen).cases
    assert case.masks == ("derivatives/auto/sub-01/anat/sub-01_dseg.nii.gz",)


def test_a_choice_that_has_no_mask_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no dseg and no mask is in derivatives/other"):
        found(bids(tmp_path, [T1W], [DSEG]), "bids", masks="derivatives/other")


def test_an_image_without_a_mask_beside_others_is_a_problem(tmp_path: Path) -> None:
    root = found(bids(tmp_path, [T1W, "sub-02/anat/sub-02_T1w"], [DSEG]), "bids")
    assert [case.id for case in root.cases] == ["P001_T1w"]
    assert [(code, file) for code, file, _ in told(root)] == [
        ("mask-missing", "sub-02/anat/sub-02_T1w.nii.gz")
    ]


@pytest.mark.parametrize("place", ["derivatives/dseg.tsv", "dseg.tsv", f"derivatives/{DSEG}.tsv"])
def test_names_of_labels_are_inherited(tmp_path: Path, place: str) -> None:
    folder = bids(tmp_path, [T1W], [DSEG])
    write_tsv(folder / place, ("index", "name"), (1, "liver"), (2, "spleen"))
    assert names(found(folder, "bids")) == {1: "liver", 2: "spleen"}


def test_the_nearest_table_with_the_most_entities_names_labels(tmp_path: Path) -> None:
    mask = "m/sub-01/anat/sub-01_desc-b_dseg"
    folder = bids(tmp_path, [T1W], [mask])
    for place, name in (("dseg", "far"), ("desc-a_dseg", "other"), ("desc-b_dseg", "liver")):
        write_tsv(folder / f"derivatives/m/{place}.tsv", ("index", "name"), (1, name))
    assert names(found(folder, "bids")) == {1: "liver"}


def test_a_table_that_cannot_be_understood_is_said_of_every_slice(tmp_path: Path) -> None:
    folder = bids(tmp_path, [T1W], [DSEG])
    (folder / "dseg.tsv").write_text("a\tb\n1\t2\n", encoding="utf-8")
    assert [case.is_legend_lost for case in found(folder, "bids").cases] == [True]


def test_volumes_of_a_file_are_sequences(tmp_path: Path) -> None:
    folder = bids(tmp_path, [])
    save(folder / "sub-01/anat/sub-01_MESE.nii.gz", volume(0, 2))
    assert [(case.id, len(case.frames)) for case in found(folder, "bids").cases] == [
        ("P001_MESE-1", 1),
        ("P001_MESE-2", 1),
    ]


def test_files_of_another_subject_are_a_problem(tmp_path: Path) -> None:
    folder = bids(tmp_path, [T1W, "sub-01/anat/sub-02_T1w"])
    root = found(folder, "bids")
    assert [case.id for case in root.cases] == ["P001_T1w"]
    assert [(code, file) for code, file, _ in told(root)] == [
        ("file-strange", "sub-01/anat/sub-02_T1w.nii.gz")
    ]


def test_a_link_to_a_folder_is_not_followed(tmp_path: Path) -> None:
    folder = bids(tmp_path / "set", [T1W])
    bids(tmp_path / "else", ["sub-02/anat/sub-02_T1w"])
    (folder / "sub-02").symlink_to(tmp_path / "else/sub-02")
    root = found(folder, "bids")
    assert [case.id for case in root.cases] == ["P001_T1w"]
    assert [(code, file) for code, file, _ in told(root)] == [("folder-link", "sub-02")]


def test_files_may_be_links_inside_as_datalad_has_them(tmp_path: Path) -> None:
    folder = bids(tmp_path, ["sub-01/anat/sub-01_T2w"], [DSEG])
    save(folder / "sub-01/anat/sub-01_MESE.nii.gz", volume(0, 2))
    write_tsv(folder / "dseg.tsv", ("index", "name"), (1, "liver"), (2, "spleen"))
    files = [*folder.rglob("*.nii.gz"), folder / "dseg.tsv"]
    for number, file in enumerate(files):
        kept = folder / f".git/annex/{number}/{file.name}"
        kept.parent.mkdir(parents=True)
        file.rename(kept)
        file.symlink_to(kept)
    root = found(folder, "bids")
    assert [(case.sequence, case.masks is None) for case in root.cases] == [
        ("MESE-1", False),
        ("MESE-2", False),
        ("T2w", False),
    ]
    assert names(root) == {1: "liver", 2: "spleen"}


def test_no_header_is_read_through_a_link_that_leads_out(tmp_path: Path) -> None:
    folder = bids(tmp_path / "set", [T1W])
    save(tmp_path / "sub-01_MESE.nii.gz", volume(0, 2))
    (folder / "sub-01/anat/sub-01_MESE.nii.gz").symlink_to(tmp_path / "sub-01_MESE.nii.gz")
    assert [case.sequence for case in found(folder, "bids").cases] == ["MESE", "T1w"]


def test_subjects_without_an_image_are_said(tmp_path: Path) -> None:
    folder = bids(tmp_path, [T1W])
    write_tsv(folder / "participants.tsv", ("participant_id", "age"), ("sub-01", 5), ("sub-09", 6))
    assert found(folder, "bids").notes == ("participants.tsv lists 1 subject without an image",)


def test_licence_and_source_are_those_of_its_description(tmp_path: Path) -> None:
    folder = bids(tmp_path, [T1W])
    said = {"Name": "Livers", "BIDSVersion": "1.10.0", "License": "CC0", "DatasetDOI": "doi:10/x"}
    (folder / "dataset_description.json").write_text(json.dumps(said), encoding="utf-8")
    root = found(folder, "auto")
    assert [one.title for one in root.licenses] == ["CC0"]
    assert [one.title for one in root.sources] == ["Livers", "doi:10/x"]
    assert root.notes[0] == "read as BIDS: --layout bids"


def test_without_an_image_nothing_is_found(tmp_path: Path) -> None:
    with pytest.raises(NothingFoundError):
        found(bids(tmp_path, []), "bids")
