"""The folder of a consensus: volumes with their legend, or pictures called as a reader's."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chaosprep.dataset.opening import is_stage_directory, open_dataset
from chaosprep.errors import FileError, not_as_written
from chaosprep.evaluation.readers.consensus import Method
from chaosprep.files import check_apart, read_regular, write_json, write_new, writing
from chaosprep.formats.nifti import ENDING, write_checked
from chaosprep.formats.png import decode_png, encode_png
from chaosprep.imaging.space.lattice import Volume
from chaosprep.layouts.mask_set import CaseMasks, MaskCase, MaskSet, Organs
from chaosprep.layouts.pictures import SLICE_ID
from chaosprep.running.folder import LICENSE, license_text, whole_folder, write_record

LABELS = "labels.json"
"""Organ -> value, as `assemble` writes it."""


@dataclass(frozen=True)
class Place:
    """Where the masks of a consensus are written, and their values; pickles.

    ``own`` is the case whose pictures lie in the reader's folder itself. Without ``is_volumes`` the
    masks are pictures.
    """

    folder: Path
    values: Mapping[str, int]
    is_volumes: bool
    own: str

    def write(self, case: MaskCase, masks: CaseMasks) -> None:
        """Write a case, whose voxels are 0 or the place of an organ in `values` + 1.

        Raises:
            FileError: `geometry-unknown`, `sheared` or `not-as-written`.
        """
        values = np.array([0, *self.values.values()])
        kind = np.uint8 if values.max() < 256 else np.uint16
        voxels = values.astype(kind)[masks.voxels]
        if self.is_volumes:
            if masks.lattice is None:
                raise FileError(
                    "a volume needs the positions of its voxels, which its slices do not give",
                    "Leave the case out with --on-error skip.",
                    code="geometry-unknown",
                )
            file = self.folder / "masks" / f"{case.id}{ENDING}"
            write_checked(file, Volume(voxels, masks.lattice))
            return
        for name, plane in zip(masks.names, voxels, strict=True):
            _write_picture(self._picture(case.id, masks.names, name), plane)

    def _picture(self, id: str, names: Sequence[str], name: str) -> Path:
        """The file of a slice, where `evaluate` finds it to be of its case."""
        if all(SLICE_ID.fullmatch(one) for one in names):
            return self.folder / "masks" / f"{name}.png"
        return self.folder / ("" if id == self.own else id) / f"{name}.png"


def _write_picture(file: Path, plane: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    with writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
    write_new(file, encode_png(plane))
    if not np.array_equal(decode_png(read_regular(file)), plane):
        raise not_as_written(file.name)


@contextmanager
def consensus_folder(
    paths: Sequence[Path],
    sides: Sequence[MaskSet],
    base: int,
    organs: Organs,
    output: Path,
    method: Method,
    overwrite: bool,
) -> Iterator[Place]:
    """A new folder for the consensus of the readers at some paths, whole or not there at all.

    It gets `labels.json`, the licences of the stage directories among them, and a record.

    Raises what `whole_folder` raises.
    """
    for path in paths:
        check_apart(path, output)
    licenses = [license_text(open_dataset(side.path)) for side in sides if _is_stage(side)]
    side = sides[base]
    values = _values(side.labels if side.in_mm else side.values, organs)
    with whole_folder(paths[base], output, overwrite) as folder:
        yield Place(folder, values, side.in_mm, _own_case(side, sides))
        write_json(folder / LABELS, values)
        if licenses:
            write_new(folder / LICENSE, "\n".join(dict.fromkeys(licenses)).encode())
        parameters = {"method": method, "organs": organs}
        write_record(folder, "agree", parameters, {"readers": [one.kind for one in sides]})


def _own_case(side: MaskSet, sides: Sequence[MaskSet]) -> str:
    """The case that is called as a reader's folder, because its pictures lie in that itself."""
    named = {one.path.resolve().name for one in sides} & side.members.keys()
    return named.pop() if len(named) == 1 else ""


def _is_stage(side: MaskSet) -> bool:
    return side.path.is_dir() and is_stage_directory(side.path)


def _values(known: Mapping[int, str], organs: Organs) -> dict[str, int]:
    """Organ -> its value, the lowest of several; of one without any, the next that is free."""
    found = {organ: value for value, organ in sorted(known.items(), reverse=True)}
    free = max((*known, 0))
    return {organ: found.get(organ) or (free := free + 1) for organ in organs}
