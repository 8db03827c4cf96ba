"""nnU-Net v2's raw layout: `DatasetNNN_Name` with volumes, dataset.json and splits_final.json."""

import re
from collections.abc import Collection, Sequence
from math import prod
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.organs import organ_labels
from chaosprep.errors import ChaosprepError, UsageError, not_as_written
from chaosprep.exports.channels import (
    ChannelsField,
    Choice,
    SequencesField,
    check_masks_are_labels,
    choose,
    count_folds,
)
from chaosprep.exports.record import Export
from chaosprep.exports.volumes import (
    NOBODY_VALIDATES,
    Written,
    decathlon_task,
    describe,
    no_training,
    notes,
    titles,
    write_patients,
    write_studies,
)
from chaosprep.files import read_regular
from chaosprep.formats.nifti import ENDING
from chaosprep.params import Fields, plain
from chaosprep.running.folder import Exported, new_folder
from chaosprep.running.options import RunOptions
from chaosprep.version import __version__

SPLITS = "splits_final.json"
DATASET = "dataset.json"


class NnunetParams(Fields, frozen=True, kw_only=True):
    """What the dataset is called, and what its volumes are made of."""

    id: Annotated[
        Annotated[int, Meta(ge=1, le=999)],
        Meta(description="The dataset's number, 1 to 999; nnU-Net's own are 1 to 10."),
    ] = 101
    name: Annotated[str, Meta(description="The dataset's name: letters, digits, _ and -.")] = (
        "Chaosprep"
    )
    sequences: SequencesField = ()
    channels: ChannelsField = "joint"
    channel_names: Annotated[
        tuple[str, ...],
        Meta(
            description="Name of a channel; CT makes nnU-Net normalize HU. Repeatable. [default: "
            "CT for CT, else the sequence]",
            extra={"option": "channel-name"},
        ),
    ] = ()


def _export(dataset: Dataset, output: Path, params: NnunetParams, options: RunOptions) -> Exported:
    """Write a dataset as `output`/DatasetNNN_Name, as nnU-Net v2 has it in $nnUNet_raw.

    Train and val go to imagesTr and labelsTr, test to imagesTs (and labelsTs, which nnU-Net does
    not read). splits_final.json has nnU-Net's folds of our patients, for $nnUNet_preprocessed.

    Raises:
        UsageError: the parameters do not fit the dataset, or the id is taken.
        ProblemsError: cases cannot be exported.
        ChaosprepError: the masks are grey levels, nothing is left to train with, or the output
            cannot be written.
    """
    place = output / _folder_name(params)
    _check_id_free(output, place.name)
    check_masks_are_labels(dataset)
    choice = choose(dataset, params.sequences, params.channels)
    names = _named(choice, params.channel_names)
    organs = organ_labels(dataset)
    _check_none_ignored(dataset, organs)
    parameters = {**plain(params), "channel_names": names}
    with new_folder(dataset, place, "nnunet", parameters, options.overwrite) as folder:
        tasks = [decathlon_task(study, folder, organs) for study in choice.studies]
        written, skipped = write_studies(tasks, options, "nnunet")
        training = [one for one in written if one.study.split != "test"]
        described: dict[str, Any] = {
            DATASET: _dataset_json(dataset, params.name, names, organs, training)
        }
        folds = splits(training, prod(count_folds(choice.studies)))
        if folds:
            described[SPLITS] = folds
        describe(folder, written, described)
        write_patients(folder, written)
        check_training(folder)
        _check_id_free(output, place.name)  # others have had time to take it
    said = (*notes(dataset, organs, choice.studies, written), _about_folds(place.name, folds))
    slices = sum(one.slices for one in written)
    return Exported("nnunet", place, len(written), slices, skipped, said)


export = Export(
    NnunetParams,
    _export,
    "DIR is what any stage made, with labels as masks; -o $nnUNet_raw gets DatasetNNN_Name.",
)


def splits(training: Sequence[Written], folds: int) -> list[dict[str, list[str]]]:
    """nnU-Net's splits_final.json: for each of our folds, or for our split, who trains and who not.

    Empty where nobody validates. `folds` is how many there were before cases were left out; where
    patients were divided several times, all of them follow each other.

    Raises:
        ChaosprepError: `no-training` where nobody trains, `fold-empty` where a fold has lost its
            last case.
    """
    found = []
    for fold in range(folds or 1):
        ids: dict[bool, list[str]] = {True: [], False: []}
        for study in (one.study for one in training):
            ids[fold in study.folds if folds else study.split == "val"].append(study.id)
        val, train = ids[True], ids[False]
        if not train:
            raise no_training()
        if folds and not val:
            raise ChaosprepError(
                f"fold {fold} has no case left to validate with",
                "Resolve the problems of its cases, or split again with fewer folds.",
                code="fold-empty",
            )
        found.append({"train": train, "val": val})
    return found if any(one["val"] for one in found) else []


def _folder_name(params: NnunetParams) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", params.name):
        raise UsageError(
            f"--name: {params.name!r} has characters other than letters, digits, _ and -",
            "Give another.",
            code="name",
        )
    return f"Dataset{params.id:03d}_{params.name}"


def _check_id_free(output: Path, name: str) -> None:
    """nnU-Net stops where two of its datasets have one id."""
    for other in sorted(output.glob(f"{name[:10]}*")):
        if other.name != name:
            raise UsageError(
                f"--id: {name[7:10]} belongs to {other.name} there",
                "Give another id with --id, or that one's name with --name.",
                code="id-taken",
            )


def _check_none_ignored(dataset: Dataset, organs: Collection[str]) -> None:
    """nnU-Net takes a label of this name for voxels that nobody has judged."""
    if "ignore" in organs:
        raise ChaosprepError(
            f"{dataset.directory}: an organ is called ignore, and nnU-Net learns nothing there",
            "Give it another name.",
            code="organ-name",
        )


def _named(choice: Choice, wanted: Sequence[str]) -> tuple[str, ...]:
    if wanted and len(wanted) != len(choice.names):
        raise UsageError(
            f"--channel-name: {len(wanted)} for the channels {', '.join(choice.names)}",
            "Give one for each channel.",
            code="channel-names",
        )
    return tuple(wanted) or choice.names


def _dataset_json(
    dataset: Dataset,
    name: str,
    names: Sequence[str],
    organs: dict[str, int],
    training: Sequence[Written],
) -> dict[str, Any]:
    """The fields of nnU-Net's own `generate_dataset_json`, spelt as there."""
    return {
        "channel_names": {str(channel): name for channel, name in enumerate(names)},
        "labels": {"background": 0, **organs},
        "numTraining": len(training),
        "file_ending": ENDING,
        "licence": "; ".join(titles(dataset.licenses)),
        "converted_by": f"chaosprep {__version__}",
        "name": name,
        "reference": "; ".join(titles(dataset.sources)),
        "description": f"{', '.join(organs)} on {', '.join(names)}",
    }


def check_training(folder: Path) -> None:
    """Count as nnU-Net does: a label map and every channel for each case, and all in each fold.

    Raises:
        FileError: `not-as-written`.
    """
    found = msgspec.json.decode(read_regular(folder / DATASET))
    cases = {path.name.removesuffix(ENDING) for path in (folder / "labelsTr").iterdir()}
    images = {path.name for path in (folder / "imagesTr").iterdir()}
    channels = range(len(found["channel_names"]))
    if len(cases) != found["numTraining"] or images != {
        f"{case}_{channel:04d}{ENDING}" for case in cases for channel in channels
    }:
        raise not_as_written(DATASET)
    if (folder / SPLITS).exists():
        for sides in msgspec.json.decode(read_regular(folder / SPLITS)):
            if sorted(sides["train"] + sides["val"]) != sorted(cases):
                raise not_as_written(SPLITS)


def _about_folds(name: str, folds: list[dict[str, list[str]]]) -> str:
    if not folds:
        return NOBODY_VALIDATES
    which = "fold 0" if len(folds) == 1 else f"folds 0 to {len(folds) - 1}"
    return (
        f"train {which}: nnU-Net takes {SPLITS} over when it plans; versions before 2.3 draw their "
        f"own folds unless that file is copied to $nnUNet_preprocessed/{name} first"
    )
