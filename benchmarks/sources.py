"""The phantom, and what each command reads of it: made once, before anything is measured."""

from collections.abc import Sequence
from pathlib import Path

import chaosprep
from chaosprep.formats.png import decode_png
from chaosprep.phantom import Patient, write_chaos

SLICES_OF_A_PATIENT = 32


def patients(slices: int, matrix: int = 256) -> list[Patient]:
    """MR patients with one in-phase series of 256 x 256, `slices` slices in all; at least two."""
    each = min(SLICES_OF_A_PATIENT, slices // 2)
    sizes = [each] * (slices // each)
    if slices % each:
        sizes.append(slices % each)
    return [
        Patient(id=number, sequences=("t1-in",), slices=size, matrix=matrix)
        for number, size in enumerate(sizes, 1)
    ]


def make_sources(folder: Path, people: Sequence[Patient]) -> dict[str, Path]:
    """Write the phantom and take it through the stages once: what each stage reads, by name.

    `8-bit pixels` and `16-bit pixels` are files with the pixels of all slices, one behind the
    other, as the two kinds of PNG hold them.
    """
    made = {name: folder / name for name in ("chaos", "split", "liver", "8-bit", "16-bit")}
    write_chaos(made["chaos"], people)
    chaosprep.split(made["chaos"], made["split"], val_patient=("MR001",))
    chaosprep.extract_liver(made["split"], made["liver"])
    chaosprep.convert(made["liver"], made["8-bit"])
    chaosprep.convert(made["liver"], made["16-bit"], keep_16bit=True)
    for name in ("8-bit", "16-bit"):
        made[f"{name} pixels"] = folder / f"{name}.raw"
        write_pixels(made[name], made[f"{name} pixels"])
    return made


def write_pixels(stage: Path, output: Path) -> None:
    """Write the bare pixels of a stage directory's images to one file."""
    with output.open("wb") as file:
        for path in sorted(stage.glob("*/images/*")):
            file.write(decode_png(path.read_bytes()).tobytes())
