"""predict on raw data: the run's own preparation, its network, and masks on the original grid."""

import uuid
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from chaosprep.assembly.assemble import LABELS, put_together
from chaosprep.dataset.manifest import Dataset
from chaosprep.errors import ChaosprepError
from chaosprep.files import check_apart, write_json
from chaosprep.formats.masks import volume_endings
from chaosprep.layouts.volumes import SOURCES
from chaosprep.params import make_params
from chaosprep.running.folder import Exported, describe_folder, whole_folder
from chaosprep.running.mapping import on_workers
from chaosprep.running.options import DEFAULTS, Event, RunOptions
from chaosprep.running.runner import run
from chaosprep.stages.convert import CONVERT
from chaosprep.stages.split import SPLIT
from chaosprep.systems.replacing import rename
from chaosprep.torch.checkpoint import Card, load, note_unhashed
from chaosprep.torch.parameters import PredictParams
from chaosprep.torch.predict import learned_mirrors
from chaosprep.torch.preparation import strangeness
from chaosprep.torch.raw_params import RawParams
from chaosprep.torch.raw_source import ONE_SIDE, find_raw, split_params
from chaosprep.torch.showing import is_shown
from chaosprep.torch.stage import PREDICT
from chaosprep.workbench import Workbench


def predict_raw(
    params: PredictParams,
    raw: RawParams,
    source: Path,
    output: Path,
    options: RunOptions = DEFAULTS,
) -> Exported:
    """Predict on data as they were downloaded: `masks/<case>.nii.gz` or `.dcm`, `labels.json`.

    The run's card says how its data were converted; the same is done here, and undone on the
    masks, which lie on the pixels of the series. What is made on the way goes away at the end.

    Raises:
        UsageError: the output is the input, several kinds of series fit, or `mirror` is asked for
            and the network was not trained on mirror images.
        ProblemsError: series that cannot be read, and are not to be skipped.
        ChaosprepError: `checkpoint`; the output cannot be made.
    """
    checkpoint = load(Path(params.checkpoint))
    note_unhashed(checkpoint)
    card = checkpoint.card
    if params.mirror:
        learned_mirrors(card)
    check_apart(Path(params.checkpoint), output)
    root = source.parent if source.is_file() else source
    fields = {
        name: value for name, value in msgspec.structs.asdict(raw).items() if name != "mask_format"
    }
    fields["patient"] = params.patient
    asked = split_params(fields)
    inner = _on_the_way(options)
    with whole_folder(root, output, options.overwrite) as folder:
        bench = Workbench.beside(output, options.processes, on_workers)
        bench = msgspec.structs.replace(bench, passes=True)
        found, notes = find_raw(source, asked, card, bench)
        work = folder.with_name(uuid.uuid4().hex)
        work.mkdir()
        settled = SPLIT.settle(asked, found)
        pairs = run(ONE_SIDE, settled, found, work / "split", inner)
        prepared = _prepared(card)
        images = run(CONVERT, prepared, pairs, work / "images", inner)
        alone = msgspec.structs.replace(inner, jobs=1)  # the network is loaded once
        masks = run(PREDICT, _of_all(params), images, work / "masks", alone)
        dicom = pairs.directory if raw.mask_format == "seg" else None
        made = put_together(
            masks,
            work / "volumes",
            reference=None,
            keep_grid=False,
            mask_sampling="label",
            format=raw.mask_format,
            dicom=dicom,
            options=inner,
            with_images=False,
        )
        for name in ("masks", LABELS):
            rename(work / "volumes" / name, folder / name)
        if sources := _sources(pairs, masks.case_ids):
            write_json(folder / SOURCES, sources)
        describe_folder(folder, masks, "predict", {"format": raw.mask_format})
        skipped = (*pairs.skipped, *images.skipped, *masks.skipped, *made.skipped)
        rows = [row for case in images.cases if is_shown(case, card.seen) for row in case.slices]
        strange = strangeness(rows, card.sequences, card.spacing)
        told = (*notes, *strange, *made.notes)
    unique = tuple({(one.code, one.id): one for one in skipped}.values())
    return replace(made, format="predict", path=output, skipped=unique, notes=told)


def _sources(pairs: Dataset, shown: Collection[str]) -> dict[str, str]:
    """Case -> the volume that it is, below the root; nothing of cases of other files.

    `shown` are the cases that have masks now: other sequences were seen beside them.
    """
    files = {
        case.id: {row.source for row in case.slices} for case in pairs.cases if case.id in shown
    }
    found = {id: next(iter(some)) for id, some in files.items() if len(some) == 1}
    return {id: path for id, path in found.items() if path.casefold().endswith(volume_endings())}


def _on_the_way(options: RunOptions) -> RunOptions:
    """The options of the stages on the way, which tell of cases alone."""

    def tell(event: Event) -> None:
        if event.kind in ("done", "failed"):
            options.tell(event)

    return RunOptions(jobs=options.jobs, on_error=options.on_error, on_event=tell)


def _of_all(params: PredictParams) -> PredictParams:
    """Those of predict, for a directory of the wanted patients alone."""
    return msgspec.structs.replace(params, patient=(), split=None)


def _prepared(card: Card) -> Any:  # noqa: ANN401 - ConvertParams
    """How the training data were converted.

    Raises:
        ChaosprepError: `checkpoint`, the card does not tell.
    """
    if "convert" not in card.prepared:
        raise ChaosprepError(
            "the checkpoint does not say how its data were converted",
            "Prepare the data by hand, and give the stage directory.",
            code="checkpoint",
        )
    known = {k: v for k, v in card.prepared["convert"].items() if v is not None}
    return make_params(CONVERT.params, known)
