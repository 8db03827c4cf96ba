"""The parameters of split: how patients are divided, and what is taken of them."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chaosprep.choices.params import EXCLUDE, recorded_tables
from chaosprep.dataset.store import Link
from chaosprep.division.traits.tables import said as wish_said
from chaosprep.imaging.limits import MAX_PIXELS
from chaosprep.layouts.find import LayoutParams
from chaosprep.privacy.pseudonyms import Key, read_key

_OF_PEOPLE = ("images", "masks", "patient_from_name", "series")
"""Parameters that may hold names of folders and values of headers, as `select` does."""


def _fraction(side: str, of: str) -> Meta:
    remedy = (
        f"It is a part of the patients: --{side} 0.2 is 4 patients of 20, or 20 %; "
        f"--{side}-patient names them."
    )
    return Meta(ge=0, lt=1, description=f"Part of the patients for {of}.", extra={"remedy": remedy})


DIVIDING = ("folds", "val", "val_patient", "test", "test_patient", "repeats", "stratify")
"""Parameters that ask for a division, as a data set's own sides or a split file already is one."""


class SplitParams(LayoutParams, frozen=True, kw_only=True):
    """How to divide the patients, and which series to take."""

    APART = (
        ("folds", "val"),
        ("folds", "val_patient"),
        ("like", "split_file"),
        *(("split_file", name) for name in (*DIVIDING, "seed")),
    )

    val: Annotated[float, _fraction("val", "validation")] = 0.2
    test: Annotated[float, _fraction("test", "testing")] = 0.0
    folds: Annotated[
        Annotated[int, Meta(ge=2)] | None,
        Meta(description="Give every patient one of this many folds, instead of --val."),
    ] = None
    fold: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(
            description="The fold that is the validation side, from 0, of --folds or of those that "
            "the data set has. [default: 0]"
        ),
    ] = None
    val_patient: Annotated[
        tuple[str, ...],
        Meta(description="A validation patient, such as MR005, instead of --val. Repeatable."),
    ] = ()
    test_patient: Annotated[
        tuple[str, ...],
        Meta(description="A test patient, such as MR001, instead of --test. Repeatable."),
    ] = ()
    repeats: Annotated[
        Annotated[int, Meta(ge=2, le=1000)] | None,
        Meta(
            description="Repeat the division into --folds this many times, differently each time. "
            "--fold keeps counting: with 5 folds, 5 is the first fold of the second repeat."
        ),
    ] = None
    like: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(
            description="An earlier split: a stage directory, its datapackage.json, or a file as "
            "for --split-file. Patients in it keep their side and fold; new patients are added "
            "around them.",
            extra={"local": True},
        ),
    ] = None
    split_file: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(
            description="Divide the patients as a file says: CSV or JSON (patient, side, fold), "
            "nnU-Net's splits_final.json, or a dataset.json that lists the sides.",
            extra={"local": True},
        ),
    ] = None
    write_split: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(
            description="Also write which patient is on which side to this file (.csv or .json), "
            "in the form that --split-file reads.",
            extra={"local": True},
        ),
    ] = None
    stratify: Annotated[
        tuple[str, ...],
        Meta(
            description="What all sides and folds should have in equal shares: label:liver, "
            "volume:liver, sequence, a header (Manufacturer, MagneticFieldStrength, PatientSex, "
            "age), or a column of a table (table.csv:column). Repeatable."
        ),
    ] = ()
    check: Annotated[
        bool,
        Meta(
            description="At the end, look for what the sides share: identifiers, and slices that "
            "are equal or nearly so."
        ),
    ] = False
    deidentify: Annotated[
        bool,
        Meta(
            description="Take what identifies out of the DICOM copies (PS3.15's basic profile), "
            "and give patients and UIDs keyed pseudonyms: see --pseudonymize."
        ),
    ] = False
    accept_burned_in: Annotated[
        bool,
        Meta(description="With --deidentify: also take images that may show text in their pixels."),
    ] = False
    exclude: Annotated[tuple[str, ...], Meta(description=EXCLUDE)] = ()
    sequence: Annotated[
        tuple[str, ...],
        Meta(
            description="A series to take: t1-in, t1-out, t2-spir, ct; of a folder, a {sequence}; "
            "of nnunet and decathlon, a channel. Repeatable. [default: t1-in; else all]"
        ),
    ] = ()
    seed: Annotated[int, Meta(description="Seed of the ranking of the patients.")] = 0
    max_pixels: Annotated[
        Annotated[int, Meta(ge=1, le=2**30)],
        Meta(description="Largest file that is decoded, in pixels of all its frames."),
    ] = MAX_PIXELS
    link: Annotated[
        Link, Meta(description="Copy the files, or link to the originals (hard or symbolic).")
    ] = "copy"

    def __post_init__(self) -> None:
        super().__post_init__()
        folds = (self.folds or 0) * (self.repeats or 1)
        if self.fold is not None and folds and self.fold >= folds:
            raise ValueError(f"--fold: the folds are 0 to {folds - 1} (given: {self.fold})")
        if self.repeats is not None and self.folds is None and self.like is None:
            raise ValueError("--repeats needs --folds as well")
        if set(self.val_patient) & set(self.test_patient):
            raise ValueError("--val-patient and --test-patient name the same patient")
        if self.pseudonymize is not None and self.link == "sym":
            raise ValueError("--link sym would show the paths that --pseudonymize hides")
        if self.deidentify and self.link != "copy":
            raise ValueError(f"--link {self.link} would give the files that --deidentify changes")
        if self.accept_burned_in and not self.deidentify:
            raise ValueError("--accept-burned-in is for --deidentify")

    @property
    def earlier(self) -> tuple[str, str] | None:
        """The option that tells a split that was made before, and its file; None without one."""
        given = (("--like", self.like), ("--split-file", self.split_file))
        return next(((option, file) for option, file in given if file is not None), None)

    def recorded(self) -> "SplitParams":
        """The same without what changes no byte of the output."""
        params = super().recorded()
        assert isinstance(params, SplitParams)
        said: dict[str, Any] = {
            "exclude": recorded_tables(params.exclude),
            "stratify": tuple(map(wish_said, self.stratify)),
        }
        if params.earlier is not None:
            from chaosprep.division.files.table import fingerprint

            option, file = params.earlier
            name = "split_file" if params.like is None else "like"
            said[name] = f"split {fingerprint(file, option)}"
        params = msgspec.structs.replace(params, write_split=None, check=False, **said)
        if not self.deidentify or self.pseudonymize is None:
            return params
        return _hidden(params, read_key(self.pseudonymize))


def _hidden(params: SplitParams, key: Key) -> SplitParams:
    """The same with keyed hashes for what a user wrote of paths and headers."""
    texts = {name: getattr(params, name) for name in _OF_PEOPLE}
    said = {name: text and key.path(text) for name, text in texts.items()}
    select = tuple(map(key.path, params.select))
    return msgspec.structs.replace(params, select=select, **said)
