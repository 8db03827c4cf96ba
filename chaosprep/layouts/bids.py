"""BIDS: `sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz`, with masks in derivatives.

Source: the Brain Imaging Data Structure 1.10, https://bids-specification.readthedocs.io (common
principles; magnetic resonance imaging; imaging derivatives, segmentations). A subject is a person
there, so it is a patient here.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from chaosprep.errors import FileError, NothingFoundError, UsageError, plural
from chaosprep.layouts.bids_masks import Drawn, legend_for, masks_of
from chaosprep.layouts.bids_names import Named, file_at, images_in
from chaosprep.layouts.dataset_json import origin_of, read_json
from chaosprep.layouts.downloads import read_rows
from chaosprep.layouts.layout import Layout, Where
from chaosprep.layouts.named_cases import Channel, Faults, Frames, NamedCase, make_root
from chaosprep.layouts.root import Root
from chaosprep.layouts.volumes_of import frames_of_volumes

_WHAT = "BIDS"
_DESCRIPTION, _PEOPLE = "dataset_description.json", "participants.tsv"


def find(root: Path, where: Where) -> Root:
    """Find the images of anat, each with the masks that derivatives have for it.

    A sequence is called by the suffix, and by every entity but the subject that its name has:
    `ses-01-T1w`, `acq-fast-run-2-T2w`. Where some have masks, these are taken.

    Raises:
        UsageError: the root, or the masks that were asked for, will not do.
        NothingFoundError: no image is there.
        ChaosprepError: a folder cannot be listed, or two patients have one pseudonym.
    """
    if not root.is_dir():
        raise UsageError(f"{root}: there is no such folder", "Check the path.", code="root")
    faults = Faults(root, where)
    images, masks = images_in(faults)
    if not images:
        raise NothingFoundError(
            f"{root}: no NIfTI is in sub-*/anat or sub-*/ses-*/anat",
            "Give the folder that holds sub-01 and so on.",
            code="nothing",
        )
    drawn, notes = masks_of(images, masks, faults)
    masked = {_sequence(image) for image in images if drawn.get(image.path)}
    bare = [i.path for i in images if i.path not in drawn and _sequence(i) in masked]
    says = f"without a mask, where others of the sequence have one: {plural(len(bare), 'image')}"
    faults.tell_files("mask-missing", bare, says, "Bring it back, or leave the image out.")
    cases = [
        _case(root, image, drawn.get(image.path) or Drawn())
        for image in images
        if image.path not in bare and drawn.get(image.path, Drawn()) is not None
    ]
    table = _description(root)
    said = {"name": "Name", "license": "License", "reference": "DatasetDOI"}
    origin = origin_of(root, {name: table.get(field) for name, field in said.items()})
    notes = (*notes, *_absent(root, images))
    made = make_root(cases, faults, legend={}, origin=origin, notes=notes)
    return _usual(made)


def _case(root: Path, image: Named, drawn: Drawn) -> NamedCase:
    name = _sequence(image)
    volumes = _volumes(root, image)
    channels: tuple[Channel, ...] = (Channel(name, image.path),)
    if len(volumes) > 1:
        several = enumerate(volumes, 1)
        channels = tuple(Channel(f"{name}-{at}", image.path, own) for at, own in several)
    legend = {} if drawn.mask is None else legend_for(root, drawn.mask)
    return NamedCase(
        image.name,
        channels,
        drawn.mask,
        patient=image.entities["sub"],
        organs=drawn.organs,
        legend=legend or {},
        is_legend_lost=legend is None,
    )


def _volumes(root: Path, image: Named) -> tuple[Frames, ...]:
    try:
        return frames_of_volumes(file_at(root, image.path))
    except FileError:
        return ()  # whoever reads it says why


def _sequence(image: Named) -> str:
    pairs = [f"{key}-{value}" for key, value in image.entities.items() if key != "sub"]
    return "_".join((*pairs, *image.between, image.suffix))


def _usual(root: Root) -> Root:
    """The same root, of which the sequences with masks are taken, where there are any."""
    masked = {case.sequence for case in root.cases if case.masks}
    others = sorted({case.sequence for case in root.cases} - masked)
    if not masked or not others:
        return root
    said = f"without masks, and not taken without --sequence: {', '.join(others)}"
    return replace(root, usual=tuple(sorted(masked)), notes=(*root.notes, said))


def _absent(root: Path, images: Sequence[Named]) -> tuple[str, ...]:
    """What is to be said of the table of participants."""
    try:
        rows = read_rows(root / _PEOPLE, "\t", ("participant_id",)) or []
    except UsageError as error:
        return (f"{error.reason}",)
    there = {f"sub-{image.entities['sub']}" for image in images}
    count = len({name for (name,) in rows} - there)
    return (f"{_PEOPLE} lists {plural(count, 'subject')} without an image",) if count else ()


def _description(root: Path) -> dict[str, Any]:
    try:
        found = read_json(root / _DESCRIPTION)
    except FileError:
        return {}
    return found if isinstance(found, dict) else {}


def takes(root: Path, where: Where) -> bool:
    """Whether a root says that it is BIDS, and has a subject."""
    if where.images is not None or not root.is_dir() or "BIDSVersion" not in _description(root):
        return False
    return any(one.is_dir() for one in root.glob("sub-*"))


LAYOUT = Layout("bids", _WHAT, find=find, takes=takes, asks=("masks",), is_published=True)
