"""Which masks of a BIDS data set are of which image, and what their values stand for."""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

import numpy as np

from chaosprep.errors import FileError, UsageError, plural
from chaosprep.facts import Legend
from chaosprep.files import read_regular, read_start
from chaosprep.formats.label_table import table_of
from chaosprep.formats.legends.table import MOST, read_entries
from chaosprep.formats.nifti_header import lattice_of, of_one_volume, parse
from chaosprep.imaging.space.lattice import Lattice
from chaosprep.layouts.bids_names import Named, entities_of, file_at
from chaosprep.layouts.named_cases import Faults
from chaosprep.layouts.root import listing
from chaosprep.structures import folded

_OWN = ("orig", "individual", "native", "scanner")  # spaces that are the image's own
_TABLE = "dseg.tsv"
_HEADER = 2**12  # bytes of a file, compressed or not, that have its header
_NEAR = 1e-3  # mm, and of a step: the places of two files are one


@dataclass(frozen=True)
class Drawn:
    """The masks of an image: one label map, or files of one structure each."""

    mask: str | None = None
    organs: dict[str, str] = field(default_factory=dict)


def masks_of(
    images: Sequence[Named], masks: Sequence[Named], faults: Faults
) -> tuple[dict[str, Drawn | None], tuple[str, ...]]:
    """Path of an image -> its masks, and notes; None where several will do, which is a problem.

    A mask has the entities of its image; where images differ in their suffixes alone, it is of
    those on whose grid it lies. ``--masks`` chooses: a folder, or a pattern of paths.

    Raises:
        UsageError: `nothing`, no mask is where ``--masks`` says.
    """
    chosen = _chosen(masks, faults.where.masks)
    suffixes = {image.suffix for image in images}
    own = [mask for mask in chosen if _is_own(mask, suffixes)]
    foreign = len(chosen) - len(own)
    of_image: dict[str, list[Named]] = defaultdict(list)
    unclear, alone = list[str](), list[str]()
    of_subject: dict[tuple[str | None, ...], list[Named]] = defaultdict(list)
    for image in images:
        of_subject[_visit(image)].append(image)
    for mask in own:
        fitting = [one for one in of_subject[_visit(mask)] if _fits(mask, one)]
        there = _on_grid(faults.folder, mask, fitting) if len(fitting) > 1 else fitting
        for image in there:
            of_image[image.path].append(mask)
        if not there:
            (unclear if fitting else alone).append(mask.path)
    says = f"no image has its entities: {plural(len(alone), 'mask')}"
    faults.tell_files("mask-surplus", alone, says, "Bring back the image, or rename the mask.")
    says = f"several images match its entities, but none its grid: {plural(len(unclear), 'mask')}"
    faults.tell_files("mask-ambiguous", unclear, says, "Give it all entities of its image.")
    drawn = {path: _drawn(found) for path, found in of_image.items()}
    torn = sorted(path for path, found in drawn.items() if found is None)
    says = f"several masks fit one image: {plural(len(torn), 'image')}"
    remedy = "Choose by a folder, or a pattern of paths: --masks 'derivatives/*desc-manual_dseg*'."
    faults.tell_files("mask-several", torn, says, remedy)
    other = f"in the space of a template, and not taken: {plural(foreign, 'mask')}"
    return drawn, (other,) if foreign else ()


def _chosen(masks: Sequence[Named], text: str | None) -> list[Named]:
    if text is None:
        return [*masks]
    inside = text.removeprefix("./").rstrip("/") + "/"
    found = [m for m in masks if m.path.startswith(inside) or fnmatchcase(m.path, text)]
    if not found:
        raise UsageError(
            f"--masks: no dseg and no mask is in {text}",
            "Give a folder below ROOT, or a pattern of paths: 'derivatives/*desc-manual_dseg*'.",
            code="nothing",
        )
    return found


def _visit(one: Named) -> tuple[str | None, ...]:
    return one.entities.get("sub"), one.entities.get("ses")


def _is_own(mask: Named, suffixes: Iterable[str]) -> bool:
    space = mask.entities.get("space")
    return space is None or space in _OWN or space in suffixes


def _fits(mask: Named, image: Named) -> bool:
    """Whether a mask has all entities of an image, and no other image's suffix."""
    space = mask.entities.get("space")
    named = {*mask.between, *({space} - {None, *_OWN})}
    return image.entities.items() <= mask.entities.items() and named <= {image.suffix}


def _on_grid(root: Path, mask: Named, images: Sequence[Named]) -> list[Named]:
    place = _place(root, mask)
    there = [(one, _place(root, one)) for one in images] if place else []
    return [one for one, own in there if own and place and _is_same(place, own)]


def _place(root: Path, one: Named) -> Lattice | None:
    """Where the voxels of a NIfTI lie, of all its volumes; None where that cannot be read."""
    try:
        header = parse(read_start(file_at(root, one.path), _HEADER))
        if header.dim[0] > 3:
            columns, rows, slices = header.dim[1:4]
            header = of_one_volume(header, (columns, rows, slices))
        return lattice_of(header)
    except FileError:
        return None


def _is_same(one: Lattice, other: Lattice) -> bool:
    return (
        one.shape == other.shape
        and np.allclose(one.origin, other.origin, atol=_NEAR)
        and np.allclose(one.steps, other.steps, atol=_NEAR)
    )


def _drawn(masks: Sequence[Named]) -> Drawn | None:
    """The label map of an image, or else its structures; None where there is more than one way."""
    maps = [mask.path for mask in masks if mask.suffix == "dseg"]
    if maps:
        return Drawn(maps[0]) if len(maps) == 1 else None
    if len(masks) == 1 and _structure(masks[0]) is None:
        return Drawn(masks[0].path)
    organs = {mask.path: name for mask in masks if (name := _structure(mask))}
    alike = {folded(name) for name in organs.values()}
    return Drawn(organs=organs) if len(alike) == len(masks) else None


def _structure(mask: Named) -> str | None:
    return mask.entities.get("label") or mask.entities.get("desc")


def legend_for(root: Path, mask: str) -> Legend | None:
    """What the `dseg.tsv` that holds for a label map says; None where it cannot be understood.

    That is the one in the nearest folder above it whose entities the mask has, the most of them
    (BIDS's inheritance principle). Empty without one.
    """
    name = PurePosixPath(mask).name.partition(".")[0]
    own = entities_of(name)[0].items()
    for folder in PurePosixPath(mask).parents:
        fitting = [one for one in _tables(root / folder) if entities_of(one)[0].items() <= own]
        if fitting:
            best = max(fitting, key=lambda one: len(entities_of(one)[0]))
            return _read(root, (folder / f"{best}.tsv").as_posix())
    return {}


def _tables(folder: Path) -> list[str]:
    with listing(), os.scandir(folder) as entries:
        names = sorted(one.name for one in entries if not one.name.startswith("."))
    return [n.removesuffix(".tsv") for n in names if n == _TABLE or n.endswith(f"_{_TABLE}")]


def _read(root: Path, path: str) -> Legend | None:
    try:
        data = read_regular(file_at(root, path), most=MOST)
        table = table_of(read_entries(_TABLE, data))
    except FileError:
        return None
    return table.legend if table.is_kept else None
