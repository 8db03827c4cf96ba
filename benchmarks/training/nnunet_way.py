"""nnU-Net's 2-D network on `export nnunet`, in a virtual environment of its own."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from math import ceil
from pathlib import Path

import numpy as np

import chaosprep
from benchmarks.training.arms import Arm
from benchmarks.training.budget import Budget
from benchmarks.training.folds import Fold
from benchmarks.training.ours import assembled
from chaosprep.errors import ChaosprepError
from chaosprep.torch.networks import choose_device

HOME = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("nnunet_short.py")
ID, FOLDERS = 101, ("raw", "preprocessed", "results")


def python() -> Path:
    """The Python that has nnunetv2: of `make .venv-nnunet/ready`, or as $NNUNET_PYTHON says."""
    return Path(os.environ.get("NNUNET_PYTHON", HOME / ".venv-nnunet/bin/python"))


def missing() -> str | None:
    """What keeps it from running; None where nothing does."""
    return None if python().exists() else "nnU-Net is not installed (make .venv-nnunet/ready)"


def version() -> str:
    """Which nnU-Net it is, as the page says it."""
    code = "from importlib.metadata import version; print(version('nnunetv2'))"
    done = subprocess.run([str(python()), "-c", code], capture_output=True, text=True, check=False)
    return f"nnunetv2 {done.stdout.strip() or 'of an unknown version'}"


def predicted(arm: Arm, fold: Fold, seed: int, budget: Budget, place: Path) -> Path:
    """Masks of the fold's patients by nnU-Net's own validation, on the pixels of the scanner.

    It sees the slices as our own networks do, in as many epochs, and as many in each.

    Raises:
        ChaosprepError: `nnunet`, it failed; the last line that it said.
    """
    shutil.rmtree(place, ignore_errors=True)
    places = {name: place / name for name in FOLDERS}
    for folder in places.values():
        folder.mkdir(parents=True)
    source = fold.images(arm.input, arm.organs)
    chaosprep.export("nnunet", source, places["raw"], id=ID)
    shown = sum(row.split == "train" for row in chaosprep.open(source).slices)
    asked = (ID, budget.epochs, ceil(shown / budget.batch), budget.batch, seed)
    device = choose_device(budget.device).type
    command = [str(python()), "-P", str(SCRIPT), *map(str, asked), device]
    environment = {f"nnUNet_{name}": str(folder) for name, folder in places.items()}
    environment |= {"nnUNet_n_proc_DA": "1", "nnUNet_def_n_proc": "1", "nnUNet_compile": "f"}
    log = place / "log.txt"
    with log.open("wb") as said:
        done = subprocess.run(
            command,
            cwd=place,
            env={**os.environ, **environment},
            stdout=said,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        last = log.read_text(errors="replace").split("\n")[-2:][0]
        raise ChaosprepError(f"nnU-Net failed: {last}", f"See {log}.", "nnunet")
    return gathered(places["results"], chaosprep.open(source), place)


def gathered(results: Path, source: chaosprep.Dataset, place: Path) -> Path:
    """The masks of nnU-Net's validation on the pixels of the scanner: volumes, in a folder."""
    (validation,) = results.glob("*/*/fold_0/validation")
    said = json.loads((validation.parents[1] / "dataset.json").read_text(encoding="utf-8"))
    slices = place / "slices"
    slices.mkdir()
    for case in source.cases:
        if (path := validation / f"{case.id}.nii.gz").exists():
            save_slices(path, case, said["labels"], slices)
    return assembled(slices, place, reference=source)


def save_slices(path: Path, case: chaosprep.Case, labels: Mapping[str, int], folder: Path) -> None:
    """A volume of nnU-Net's as `assemble` takes predictions: slices, with the case's own values."""
    import SimpleITK

    volume = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(path))
    for row, found in zip(case.slices, volume, strict=True):
        values = np.zeros(256, np.uint8)
        for value, name in row.labels.items():
            values[labels[name]] = value
        np.save(folder / f"{row.id}.npy", values[found])
