"""NIfTI volumes with a Decathlon datalist, as MONAI's readers and Auto3DSeg take it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.organs import organ_labels
from chaosprep.exports.channels import (
    ChannelsField,
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
from chaosprep.params import Fields, plain
from chaosprep.running.folder import Exported, new_folder
from chaosprep.running.options import RunOptions

DATALIST = "dataset.json"


class MonaiParams(Fields, frozen=True, kw_only=True):
    """What the volumes are made of."""

    sequences: SequencesField = ()
    channels: ChannelsField = "joint"


def _export(dataset: Dataset, output: Path, params: MonaiParams, options: RunOptions) -> Exported:
    """Write a dataset as volumes in imagesTr, labelsTr, imagesTs and labelsTs, and `dataset.json`.

    Raises:
        UsageError: the parameters do not fit the dataset.
        ProblemsError: cases cannot be exported.
        ChaosprepError: the masks are grey levels, nothing is left to train with, or the output
            cannot be written.
    """
    check_masks_are_labels(dataset)
    choice = choose(dataset, params.sequences, params.channels)
    organs = organ_labels(dataset)
    with new_folder(dataset, output, "monai", plain(params), options.overwrite) as folder:
        tasks = [decathlon_task(study, folder, organs) for study in choice.studies]
        written, skipped = write_studies(tasks, options, "monai")
        found = {
            "name": "Image and label volumes, made by chaosprep",
            "description": f"{', '.join(organs)} on {', '.join(choice.names)}",
            "reference": "; ".join(titles(dataset.sources)),
            "licence": "; ".join(titles(dataset.licenses)),
            "tensorImageSize": "3D",
            "modality": {str(channel): name for channel, name in enumerate(choice.names)},
            "labels": {"0": "background", **{str(at): organ for organ, at in organs.items()}},
            **datalist(written),
        }
        describe(folder, written, {DATALIST: found})
        write_patients(folder, written)
    said = notes(dataset, organs, choice.studies, written)
    if not any(one.study.fold is not None or one.study.split == "val" for one in written):
        said += (NOBODY_VALIDATES,)
    slices = sum(one.slices for one in written)
    return Exported("monai", output, len(written), slices, skipped, said)


export = Export(
    MonaiParams,
    _export,
    "DIR is what any stage made, with labels as masks. `dataset.json` is the datalist.",
)


def datalist(written: Sequence[Written]) -> dict[str, Any]:
    """The lists of a datalist, each only where it has an item.

    With folds, `training` holds them all with their `fold`, as Auto3DSeg reads it: of folds that
    were made several times, those of the time that was chosen, numbered from 0. Then there is no
    `validation`: whoever read both would train with what validates. Without, `training` and
    `validation` are our split. `test` names the images alone, as the Decathlon has it, `testing`
    the labels too, as Auto3DSeg looks for it.

    Raises:
        NothingFoundError: `no-training`.
    """
    learning = [one for one in written if one.study.split != "test"]
    each, _ = count_folds([one.study for one in learning])
    if any(one.study.fold is not None for one in learning):
        training = [{**_item(one), "fold": _within(one.study.fold, each)} for one in learning]
        validation = []
    else:
        training = [_item(one) for one in learning if one.study.split == "train"]
        validation = [_item(one) for one in learning if one.study.split == "val"]
    if not training:
        raise no_training()
    testing = [_item(one) for one in written if one.study.split == "test"]
    test = [item["image"] for item in testing]
    lists = {"training": training, "validation": validation, "test": test, "testing": testing}
    return {
        "numTraining": len(training),
        "numTest": len(testing),
        **{name: items for name, items in lists.items() if items},
    }


def _within(fold: int | None, each: int) -> int | None:
    """The number of a fold among those of its own time."""
    return None if fold is None else fold % each


def _item(one: Written) -> dict[str, Any]:
    image = one.images[0] if len(one.images) == 1 else list(one.images)
    return {"image": image, "label": one.label} if one.label else {"image": image}
