"""The series of raw data that a network is to predict on: images alone, all on one side."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from chaosprep.division.params import SplitParams
from chaosprep.errors import ChaosprepError, NothingFoundError, UsageError
from chaosprep.formats.masks import volume_endings
from chaosprep.layouts.find import find
from chaosprep.layouts.root import Root
from chaosprep.running.stage import Planned
from chaosprep.series.source import SourceCase, is_litter
from chaosprep.stages.split import SPLIT
from chaosprep.torch.checkpoint import Card
from chaosprep.workbench import Workbench

_OF_MASKS = {"mask", "masks", "label", "labels", "structures"}
"""The first words of the codes of problems that are about masks alone."""


def to_one_side(
    source: Root, cases: Sequence[SourceCase], params: SplitParams
) -> Planned[SourceCase]:
    """Nobody is divided: all are to be predicted on."""
    return Planned(lambda case: msgspec.structs.replace(case, split="test", fold=None, folds=()))


ONE_SIDE = msgspec.structs.replace(SPLIT, plan=to_one_side)
"""split without dividing anybody."""


def find_raw(
    source: Path, asked: SplitParams, card: Card, bench: Workbench
) -> tuple[Root, tuple[str, ...]]:
    """The series to predict on, without masks, and what is to be said of them.

    Raises:
        UsageError: `series-several`, several kinds are there and nothing says which.
        ChaosprepError: what `find` raises.
    """
    root = _found(source, asked, bench)
    if source.is_file():
        cases = tuple(case for case in root.cases if case.images == (source.name,))
        ids = {case.id for case in cases}
        own = tuple(one for one in root.problems if one.id in ids or one.file == source.name)
        root = replace(root, cases=cases, problems=own)
        if not cases:
            raise NothingFoundError(
                f"{source}: it is not a series on its own", "Give the folder it is in.", "nothing"
            )
    root, notes = _chosen(root, asked, card)
    return _without_masks(root), notes


def _found(source: Path, asked: SplitParams, bench: Workbench) -> Root:
    root = source.parent if source.is_file() else source
    sequences = asked.sequence or None
    pattern = _pattern(source)
    if source.is_file() and pattern and asked.images is None:
        asked = msgspec.structs.replace(asked, images=pattern, layout="folder")
    try:
        return find(root, asked, sequences=sequences, exclude=asked.exclude, bench=bench)
    except NothingFoundError as error:
        if error.code != "volumes-only" or pattern is None:
            raise NothingFoundError(
                error.reason, _of_images_alone(error.remedy), error.code
            ) from error
    asked = msgspec.structs.replace(asked, images=pattern, layout="folder")
    return find(root, asked, sequences=sequences, bench=bench)


def _of_images_alone(remedy: str) -> str:
    """A remedy without what it says of masks, which nobody is asked for here."""
    return re.sub(r" --masks '[^']*'", "", remedy).replace("images and masks are", "the images are")


def _pattern(source: Path) -> str | None:
    """Where the volumes are, in a file's folder or right in a folder, of one ending."""
    files = [source] if source.is_file() else [one for one in source.iterdir() if one.is_file()]
    names = [one.name for one in files if not is_litter(one.name)]
    ends = [max((e for e in volume_endings() if n.endswith(e)), key=len, default="") for n in names]
    found = {*ends} - {""}
    return "{patient}" + found.pop() if len(found) == 1 else None


def _chosen(root: Root, asked: SplitParams, card: Card) -> tuple[Root, tuple[str, ...]]:
    """The series that were asked for; else those of the training data, or the only kind.

    That onto whose pixels the others were brought belongs to them.
    """
    kinds = sorted({case.sequence for case in root.cases})
    reference = card.prepared.get("convert", {}).get("reference")
    learned = [kind for kind in kinds if kind in {*card.sequences, reference}]
    if reference is not None and reference not in kinds:
        raise UsageError(
            f"{root.directory}: what the run learned on was brought onto the pixels of "
            f"{reference}, but there is none: {', '.join(kinds)}",
            f"Give that series too, and name it with --sequence {reference} where you choose.",
            code="reference-unknown",
        )
    wanted = kinds
    if len(kinds) > 1 and not (asked.sequence or asked.select or asked.series):
        if not learned:
            of = f"learned on {', '.join(card.sequences)}" if card.sequences else "does not tell"
            raise UsageError(
                f"{root.directory}: several series fit, and the run {of}: {', '.join(kinds)}",
                "Choose with --sequence or --select.",
                code="series-several",
            )
        wanted = learned
    notes = [f"left out: {kind}" for kind in kinds if kind not in wanted]
    return (root.only(tuple(wanted)) if wanted else root), tuple(notes)


def _without_masks(root: Root) -> Root:
    """The same without masks, what they mean, and what is wrong with them alone."""
    bare: dict[str, Any] = {
        "masks": None,
        "rule": "key",  # else a slice without its part of the volume would be left out
        "organs": {},
        "levels": None,
        "legend": {},
        "is_legend_lost": False,
        "labels": {},
        "shows": (),
        "table": None,
        "roi": (),
        "threshold": None,
        "beside": (),
    }
    refused = {case.id for case in root.cases if case.refused}
    problems = tuple(
        one for one in root.problems if one.id in refused or one.code.split("-")[0] not in _OF_MASKS
    )
    cases = tuple(msgspec.structs.replace(case, **bare) for case in root.cases)
    return replace(root, cases=cases, problems=problems, label_map={})


def split_params(fields: dict[str, Any]) -> SplitParams:
    """The parameters of split for what was asked of raw data."""
    try:
        return msgspec.convert({**fields, "val": 0.0}, SplitParams)
    except msgspec.ValidationError as error:
        raise ChaosprepError(str(error), "Check the options.", "parameter") from error
