"""Every verb that writes, with what it makes: a new result, and an older and other one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import chaosprep
from chaosprep.phantom import Patient, write_chaos

Kind = Literal["stage", "chain", "export", "page", "files", "run"]


@dataclass(frozen=True)
class World:
    """The inputs of all verbs, in one folder that no verb may change."""

    path: Path

    def __getattr__(self, name: str) -> str:
        return str(self.path / name.replace("_", "-"))


def make_world(path: Path) -> World:
    """Three patients of three slices, and what the stages make of them, each in two ways."""
    people = [Patient(id=id, slices=3, matrix=32, sequences=("t1-in",)) for id in (1, 2, 3)]
    root = write_chaos(path / "root", people)
    (path / "key").write_bytes(bytes(range(32)))
    (path / "key").chmod(0o600)
    (path / "exclude.csv").write_text("id,reason\nP48c486da2d_t1-in_s001,moved\n")
    pairs = chaosprep.split(root, path / "pairs", val_patient=["MR002"])
    livers = chaosprep.extract_liver(pairs, path / "livers")
    chaosprep.extract_liver(pairs, path / "organs", all_organs=True)
    chaosprep.convert(livers, path / "images")
    chaosprep.convert(livers, path / "small", size="24")
    packed = chaosprep.extract_liver(pairs, path / "packed-livers", store="tar")
    chaosprep.convert(packed, path / "packed-images", store="tar")
    for name, organs in (("shard", False), ("other", True)):
        for index in (1, 2):
            place = path / f"{name}-{index}"
            chaosprep.extract_liver(pairs, place, all_organs=organs, shard=f"{index}/2")
    return World(path)


@dataclass(frozen=True)
class Verb:
    """A command but for its output, and the words of an older one to the same place.

    `outputs` are the options that name what is made, with the names.
    """

    name: str
    kind: Kind
    new: Callable[[World], list[str]]
    old: Callable[[World], list[str]]
    outputs: dict[str, str] = field(default_factory=lambda: {"-o": "out"})
    jobs: bool = True

    def command(self, world: World, here: Path, *, old: bool = False, jobs: int = 1) -> list[str]:
        """The words of the command that writes below `here`."""
        words = (self.old if old else self.new)(world)
        for option, name in self.outputs.items():
            words = [*words, option, str(here / name)]
        return [*words, "-j", str(jobs)] if self.jobs else words

    @property
    def overwrite(self) -> list[str]:
        """What lets it replace a result of its own."""
        return [] if self.kind in ("page", "files") else ["--overwrite"]

    @property
    def place(self) -> str:
        """The first file or folder that it makes, below `here`."""
        if self.name == "export-nnunet":
            return "out/Dataset101_Chaosprep"
        return next(iter(self.outputs.values()))

    @property
    def marks(self) -> tuple[str, ...]:
        """The files, below `here`, with which each part of the result is finished."""
        if self.kind == "stage":
            return ("out/datapackage.json",)
        if self.kind == "run":
            return ("out/run.json",)
        if self.kind == "export":
            return (self.place,)
        if self.kind == "chain":
            folders = ("split", "liver", "images", "augmented")
            return (*(f"out/{name}/datapackage.json" for name in folders), "out/report.html")
        return tuple(self.outputs.values())


def _export(format: str, *more: str) -> Verb:
    return Verb(
        f"export-{format}",
        "export",
        lambda world: ["export", format, world.images, *more],
        lambda world: ["export", format, world.small, *more],
    )


def _page(name: str, file: str, *, option: str = "-o", jobs: bool = True) -> Verb:
    verb = name.partition("-")[0]
    return Verb(
        name,
        "page",
        lambda world: [verb, world.images],
        lambda world: [verb, world.small],
        {option: file},
        jobs,
    )


def _passed_on(world: World) -> list[str]:
    """De-identified, balanced, without a slice."""
    words = ["split", world.root, "--deidentify", "--pseudonymize", world.key]
    return [*words, "--stratify", "volume:liver", "--exclude", str(world.path / "exclude.csv")]


_TINY = ("--patients", "1", "--sequence", "t1-in", "--slices", "2", "--matrix", "16")
VERBS = {
    verb.name: verb
    for verb in (
        Verb(
            "split",
            "stage",
            lambda world: ["split", world.root, "--val-patient", "MR002"],
            lambda world: ["split", world.root, "--val-patient", "MR003"],
        ),
        Verb(
            "split-passed-on",
            "stage",
            lambda world: [*_passed_on(world), "--val", "0.34"],
            lambda world: [*_passed_on(world), "--val", "0"],
            {"-o": "out", "--write-split": "x.csv"},
        ),
        Verb(
            "extract-liver",
            "stage",
            lambda world: ["extract-liver", world.pairs],
            lambda world: ["extract-liver", world.pairs, "--all-organs"],
        ),
        Verb(
            "convert",
            "stage",
            lambda world: ["convert", world.livers],
            lambda world: ["convert", world.livers, "--size", "24"],
        ),
        Verb(
            "augment",
            "stage",
            lambda world: ["augment", world.images, "--copies", "1"],
            lambda world: ["augment", world.images, "--copies", "2"],
        ),
        Verb(
            "convert-packed",
            "stage",
            lambda world: ["convert", world.packed_livers, "--store", "tar"],
            lambda world: ["convert", world.packed_livers],
        ),
        Verb(
            "augment-packed",
            "stage",
            lambda world: ["augment", world.packed_images, "--store", "tar", "--copies", "1"],
            lambda world: ["augment", world.packed_images, "--store", "tar", "--copies", "2"],
        ),
        Verb(
            "augment-arrays",
            "stage",
            lambda world: ["augment", world.images, "--store", "zarr", "--copies", "1"],
            lambda world: ["augment", world.images, "--store", "zarr", "--copies", "2"],
        ),
        Verb(
            "merge",
            "stage",
            lambda world: ["merge", world.shard_1, world.shard_2],
            lambda world: ["merge", world.other_1, world.other_2],
        ),
        Verb(
            "prepare",
            "chain",
            lambda world: ["prepare", world.root, "--val-patient", "MR002", "--report"],
            lambda world: ["prepare", world.root, "--val-patient", "MR003", "--report"],
        ),
        *(_export(format) for format in ("nnunet", "nifti", "monai", "huggingface")),
        *(_export(format) for format in ("webdataset", "parquet", "croissant")),
        Verb(
            "assemble",
            "export",
            lambda world: ["assemble", world.images],
            lambda world: ["assemble", world.small],
        ),
        Verb(
            "assemble-seg",
            "export",
            lambda world: ["assemble", world.organs, "--format", "seg", "--dicom", world.pairs],
            lambda world: ["assemble", world.livers, "--format", "seg", "--dicom", world.pairs],
        ),
        Verb(
            "agree",
            "export",
            lambda world: ["agree", world.images, world.livers],
            lambda world: ["agree", world.images, world.livers, "--patient", "MR001"],
        ),
        Verb(
            "phantom",
            "export",
            lambda world: ["phantom", *_TINY],
            lambda world: ["phantom", *_TINY, "--seed", "1"],
            jobs=False,
        ),
        _page("report", "x.html"),
        _page("preview", "x.png", jobs=False),
        _page("augment-preview", "x.png", option="--preview"),
        Verb(
            "evaluate",
            "files",
            lambda world: ["evaluate", world.images, world.images],
            lambda world: ["evaluate", world.small, world.small],
            {"--csv": "x.csv", "--plot": "x.png"},
        ),
        Verb(
            "train",
            "run",
            lambda world: ["train", world.images, "--epochs", "2", "--device", "cpu"],
            lambda world: ["train", world.images, "--epochs", "1", "--device", "cpu"],
            jobs=False,
        ),
    )
}
