"""Which sequences become the channels of a case, and what speaks against it."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.dataset.places import Places
from chaosprep.dataset.records import Slice
from chaosprep.errors import ChaosprepError, FileError, UsageError
from chaosprep.exports.channels import (
    Channels,
    Study,
    check_masks_are_labels,
    choose,
    read_study,
    singles,
)
from chaosprep.layouts.chaos import Modality
from chaosprep.phantom import Patient, write_chaos

Edit = Callable[[Slice], dict[str, Any]]


@pytest.fixture(scope="module")
def unlike(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """MR 1 has both phases and T2, MR 2 lacks the out-phase, and there is a CT."""
    place = tmp_path_factory.mktemp("unlike")
    patients = [
        Patient(id=1, slices=3, matrix=32),
        Patient(id=2, slices=3, matrix=32, sequences=("t1-in",)),
        Patient(id=1, modality="CT", slices=3, matrix=32),
    ]
    every = ("t1-in", "t1-out", "t2-spir", "ct")
    pairs = chaosprep.split(write_chaos(place / "root", patients), place / "s", sequence=every)
    return chaosprep.extract_liver(pairs, place / "l")


def shape(studies: tuple[Study, ...]) -> dict[str, list[str]]:
    return {one.id: [case.id for case in one.channels] for one in studies}


def refused(dataset: Dataset, *sequences: str, channels: Channels = "joint") -> UsageError:
    with pytest.raises(UsageError) as error:
        choose(dataset, sequences, channels)
    return error.value


def edited(study: Study, edit: Edit) -> Study:
    """The study with other rows in its second channel."""
    first, second = study.channels
    rows = tuple(msgspec.structs.replace(row, **edit(row)) for row in second.slices)
    return replace(study, channels=(first, replace(second, slices=rows)))


def code(study: Study) -> str:
    with pytest.raises(FileError) as error:
        read_study(study, {"liver": 1})
    return error.value.code


def test_in_and_out_phase_are_the_channels_of_one_case(phases: Dataset) -> None:
    choice = choose(phases)
    assert choice.names == ("t1-in", "t1-out")
    assert shape(choice.studies) == {
        f"MR00{n}_t1": [f"MR00{n}_t1-in", f"MR00{n}_t1-out"] for n in (1, 2, 3, 4)
    }


def test_the_channels_come_in_the_order_of_the_sequences(phases: Dataset) -> None:
    choice = choose(phases, ["t1-out", "t1-in"])
    assert choice.names == ("t1-out", "t1-in")
    assert shape(choice.studies)["MR001_t1"] == ["MR001_t1-out", "MR001_t1-in"]


def test_one_sequence_alone_keeps_its_case_id(phases: Dataset) -> None:
    choice = choose(phases, ["t1-out"])
    assert choice.names == ("t1-out",)
    assert [study.id for study in choice.studies] == [f"MR00{n}_t1-out" for n in (1, 2, 3, 4)]


def test_single_makes_each_sequence_a_case_of_its_own(unlike: Dataset) -> None:
    choice = choose(unlike, ["t1-in", "t2-spir"], "single")
    assert choice.names == ("MR",)
    assert shape(choice.studies) == {
        "MR001_t1-in": ["MR001_t1-in"],
        "MR001_t2-spir": ["MR001_t2-spir"],
        "MR002_t1-in": ["MR002_t1-in"],
    }


def test_the_channel_of_ct_is_called_as_nnunet_wants_it(unlike: Dataset) -> None:
    assert choose(unlike, ["ct"]).names == ("CT",)
    assert choose(unlike, ["ct"], "single").names == ("CT",)


def test_unrelated_sequences_must_be_chosen_from(unlike: Dataset) -> None:
    error = refused(unlike)
    assert error.code == "sequences-mixed"
    assert "ct, t1-in, t1-out, t2-spir" in error.reason
    assert "--sequence" in error.remedy


def test_ct_and_mr_make_no_dataset_together(unlike: Dataset) -> None:
    assert refused(unlike, channels="single").code == "modalities-mixed"


def test_a_sequence_that_is_not_there_is_named(phases: Dataset) -> None:
    error = refused(phases, "t1-in", "t2-spir")
    assert (error.code, error.remedy) == ("sequence-unknown", "There are: t1-in, t1-out.")


def test_a_patient_who_lacks_a_channel_is_a_problem(unlike: Dataset) -> None:
    whole, lacking = choose(unlike, ["t1-in", "t1-out"]).studies
    assert (whole.lacking, lacking.lacking) == ((), ("t1-out",))
    with pytest.raises(FileError, match="it has no t1-out; every case") as error:
        read_study(lacking, {"liver": 1})
    assert error.value.code == "channel-missing"


def test_sequences_on_two_grids_are_no_channels(unlike: Dataset) -> None:
    study = choose(unlike, ["t1-in", "t2-spir"]).studies[0]
    assert study.id == "MR001_t1-in-t2-spir"
    assert code(study) == "channel-grid"


def test_a_grid_that_is_a_hundredth_of_a_millimetre_off_is_the_same(phases: Dataset) -> None:
    study = choose(phases).studies[0]

    def moved(by: float) -> Edit:
        return lambda row: {"position": (row.position[0] + by, *row.position[1:])}  # type: ignore[index]

    (first, second), label = read_study(edited(study, moved(0.009)), {"liver": 1})
    assert label is not None
    assert first.lattice is second.lattice is label.lattice
    assert code(edited(study, moved(0.011))) == "channel-grid"


def test_channels_with_different_masks_are_a_problem(phases: Dataset) -> None:
    study = choose(phases).studies[0]
    last = study.channels[1].slices[-1]
    assert last.pixels["liver"] != study.channels[1].slices[1].pixels["liver"]
    fields = ("mask", "mask_sha256", "mask_bytes")
    one = {field: getattr(last, field) for field in fields}
    assert code(edited(study, lambda row: one)) == "channel-masks"


def test_a_channel_without_masks_is_covered_by_the_other(phases: Dataset) -> None:
    study = choose(phases).studies[0]
    none = {"mask": None, "mask_sha256": None, "mask_bytes": None}
    _, label = read_study(edited(study, lambda row: none), {"liver": 1})
    assert label is not None
    assert int(label.voxels.sum()) == sum(row.pixels["liver"] for row in study.channels[0].slices)


def test_singles_mixes_what_it_is_given(unlike: Dataset) -> None:
    assert len(singles(unlike)) == 5
    assert [one.id for one in singles(unlike, ["ct"])] == ["CT001_ct"]


def test_grey_levels_are_no_labels(pairs: Dataset, livers: Dataset) -> None:
    with pytest.raises(ChaosprepError, match="extract-liver first") as error:
        check_masks_are_labels(pairs)
    assert error.value.code == "masks-grey"
    check_masks_are_labels(livers)


def test_masks_of_other_layouts_are_labels_already(pairs: Dataset) -> None:
    class Foreign(Dataset):
        slices = tuple(
            msgspec.structs.replace(row, labels={63: "label-63"}, pixels={"label-63": 1})
            for row in pairs.slices
        )

    told = pairs.directory, pairs.descriptor, pairs.descriptor_sha256, pairs.table
    check_masks_are_labels(Foreign(*told, Places()))


@pytest.fixture(scope="module")
def abdomens(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Modality, Modality], Dataset]:
    """Splits of a folder that has one sequence: CT or MR of two patients, without its masks."""
    place = tmp_path_factory.mktemp("abdomens")
    inner: dict[Modality, str] = {"MR": "T1DUAL/DICOM_anon/InPhase", "CT": "DICOM_anon"}
    for modality in inner:
        patients = [Patient(id=n, modality=modality, slices=2, matrix=32) for n in (1, 2)]
        write_chaos(place / modality, patients)

    def split(*modalities: Modality) -> Dataset:
        name = "".join(modalities)
        for number, modality in enumerate(modalities, start=1):
            (origin,) = (place / modality).glob(f"**/{number}/{inner[modality]}")
            shutil.copytree(origin, place / name / str(number))
        return chaosprep.split(
            place / name, place / f"{name}-split", images="{patient}/{slice}.dcm", val=0.5
        )

    return split


def test_the_headers_say_that_a_channel_is_ct(
    abdomens: Callable[[Modality, Modality], Dataset],
) -> None:
    assert choose(abdomens("CT", "CT")).names == ("CT",)
    assert choose(abdomens("MR", "MR")).names == ("series",)


def test_ct_beside_mr_in_one_sequence_is_refused(
    abdomens: Callable[[Modality, Modality], Dataset],
) -> None:
    assert refused(abdomens("CT", "MR")).code == "modalities-mixed"
