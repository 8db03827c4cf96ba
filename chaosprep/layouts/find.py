"""Which layout a dataset root has, and what is found in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from chaosprep.errors import NothingFoundError
from chaosprep.formats.codecs import PngParams
from chaosprep.formats.label_table import parse_labels, table_text
from chaosprep.layouts import by_headers
from chaosprep.layouts.excluding import excluding
from chaosprep.layouts.label_map import with_label_map
from chaosprep.layouts.layout import Pick, Where
from chaosprep.layouts.patients import fingerprint, name_pattern
from chaosprep.layouts.persons import check_persons
from chaosprep.layouts.root import Root, pseudonymized
from chaosprep.layouts.table import find_series, names, which
from chaosprep.privacy.pseudonyms import Key, read_key, warn_if_readable
from chaosprep.workbench import ALONE, Workbench

if TYPE_CHECKING:
    from chaosprep.layouts.headers.survey import Survey

_ASKING = ("auto", "headers")  # layouts that ask headers
_CHOOSING = (*_ASKING, "bids")  # layouts that choose among masks without a pattern of images
_FOLDER = "--images 'scans/{patient}/{slice}.dcm' --masks 'labels/{patient}/{slice}.png'"


class LayoutParams(PngParams, frozen=True, kw_only=True):
    """How to find images and masks below a dataset root."""

    layout: Annotated[
        str,
        Meta(
            description="chaos (as it was downloaded), folder (any tree, by --images), headers "
            "(any DICOM files, told apart by what they say), nnunet (raw data), decathlon (a "
            "dataset.json that lists the files), bids, the public sets amos, atlas, cirrmri, duke "
            "and totalsegmentator, or one that another package brings; auto is "
            "folder with --images, else what fits, headers last."
        ),
    ] = "auto"
    images: Annotated[
        str | None,
        Meta(
            description="Where the images are below ROOT: DICOM files, such as "
            "'scans/{patient}/{slice}.dcm', or volumes (NIfTI, NRRD, MetaImage), such as "
            "'imagesTr/{patient}.nii.gz'; with {sequence} where there are several series; or a "
            "folder of a folder for each patient."
        ),
    ] = None
    masks: Annotated[
        str | None,
        Meta(
            description="Where their masks are, such as 'labels/{patient}/{slice}.png' or "
            "'labels/{patient}.nii.gz' (PNG, npy, NIfTI, NRRD, MetaImage, DICOM), with {organ} "
            "where each structure has files of its own. With --layout headers a folder: only "
            "masks in it are taken. [default there: all below ROOT]"
        ),
    ] = None
    labels: Annotated[
        str | None,
        Meta(
            description="What the values of masks stand for: 1=liver,2=spleen, '#ff0000=liver', "
            "55..70=liver, chaos, or a file (.toml, .json, .ctbl, .label). [default: what masks "
            "say, or a file next to them]",
            extra={"local": True},
        ),
    ] = None
    roi: Annotated[
        tuple[str, ...],
        Meta(
            description="A structure to take from masks that name theirs (RTSTRUCT, SEG, "
            ".seg.nrrd, {organ}), or a pattern: 'kidney*'. Repeatable. [default: all]"
        ),
    ] = ()
    threshold: Annotated[
        Annotated[float, Meta(gt=0, le=1)] | None,
        Meta(
            description="From which value on a fractional DICOM SEG shows a structure, such as 0.5."
        ),
    ] = None
    patient_from: Annotated[
        Literal["folder", "PatientID", "PatientName"],
        Meta(
            description="What tells patients apart: {patient}, or a header (with --images it needs "
            "a key file). With --layout headers, folder means both headers, by evidence."
        ),
    ] = "folder"
    trust_folders: Annotated[
        bool,
        Meta(
            description="Take folders (with --layout headers, PatientIDs) for different patients "
            "even where the headers name one person in two of them, or two in one."
        ),
    ] = False
    patient_from_name: Annotated[
        str | None,
        Meta(
            description="Which part of a case's name is the patient, if the layout does not say: "
            "'{patient}_{}' is the part before the last underscore, {patient} all of it; with "
            "--layout headers, of a path below ROOT: '{patient}/{}'."
        ),
    ] = None
    patients: Annotated[
        str | None,
        Meta(
            description="A CSV table (case,patient) that gives the patient of each case.",
            extra={"local": True},
        ),
    ] = None
    redivide: Annotated[
        bool,
        Meta(
            description="Divide the patients again, whatever sides or folds the data set has of "
            "its own; its test set stays."
        ),
    ] = False
    select: Annotated[
        tuple[str, ...],
        Meta(
            description="With --layout headers: what a series must be, as KEY=PATTERN or "
            "KEY=LOW..HIGH: 'SeriesDescription=*LAVA*', EchoTime=4..5, plane=axial. Repeatable."
        ),
    ] = ()
    series: Annotated[
        str | None,
        Meta(
            description="With --layout headers: a TOML file that names sequences, each with what "
            "its series must be: [t1-in] EchoTime = '4..5'.",
            extra={"local": True},
        ),
    ] = None
    pick: Annotated[
        Pick | None,
        Meta(description="Which series is taken where several of a patient fit."),
    ] = None
    pseudonymize: Annotated[
        str | None,
        Meta(
            description="Key file (16 random bytes or more): patient ids and source paths become "
            "keyed hashes. --layout headers makes one next to the output if none is given.",
            extra={"local": True},
        ),
    ] = None

    def __post_init__(self) -> None:
        if self.layout != "auto" and self.layout not in names():
            raise ValueError(f"--layout must be one of auto, {', '.join(names())}")
        if self.images is None and self.layout == "folder":
            raise ValueError("--images must say where the files of --layout folder are")
        if self.images is not None and self.layout not in ("auto", "folder"):
            raise ValueError(f"--images is for --layout folder, not {self.layout}")
        if self.masks is not None and self.images is None and self.layout not in _CHOOSING:
            raise ValueError("--masks needs --images as well")
        if self.patient_from_name is not None and self.patients is not None:
            raise ValueError("--patient-from-name and --patients exclude each other")
        if self.patient_from_name is not None:
            name_pattern(self.patient_from_name)
        if self.patient_from == "folder" or (self.images is None and self.layout in _ASKING):
            return
        if self.images is None:
            raise ValueError("--patient-from is for --layout folder and headers: give --images")
        if self.pseudonymize is None:
            needs = f"--patient-from {self.patient_from} needs --pseudonymize"
            raise ValueError(f"{needs}: a header's value is not an id")

    def recorded(self) -> "LayoutParams":
        """The same without paths: fingerprints of the key and the table, what a file says.

        A folder of masks elsewhere than below the root is its name.
        """
        said = {}
        if self.masks is not None and self.images is None:
            place = Path(self.masks)
            is_below = not place.is_absolute() and ".." not in place.parts
            said["masks"] = place.as_posix() if is_below else place.resolve().name
        if self.labels is not None:
            said["labels"] = table_text(parse_labels(self.labels))
        if self.patients is not None:
            said["patients"] = f"table {fingerprint(self.patients)}"
        if self.series is not None:
            from chaosprep.layouts.headers.selection import series_text

            said["series"] = series_text(self.series)
        if self.pseudonymize is not None:
            said["pseudonymize"] = f"key {read_key(self.pseudonymize).fingerprint()}"
        return msgspec.structs.replace(self, **said)


def find(
    root: str | Path,
    params: LayoutParams,
    *,
    strict: bool = True,
    sequences: tuple[str, ...] | None = None,
    exclude: tuple[str, ...] = (),
    bench: Workbench = ALONE,
    key: Key | None = None,
    known_words: bool = False,
) -> Root:
    """Find the cases below a root, of these sequences (none named: the usual ones; None: all).

    Those that the tables ``exclude`` name are as if they were not there.

    ``strict`` refuses names that would identify a patient. Where headers say that one person is
    several patients, or that a patient is several persons, this is a problem of the root. What is
    kept between runs goes onto the ``bench``. ``key`` is for pseudonyms where no file of one is
    given; with ``known_words`` volumes are called by such alone.

    Raises:
        UsageError: the root, a pattern, the key file or a table will not do.
        NothingFoundError: nothing of the layout is there; the message says the other way too.
        ChaosprepError: a folder cannot be listed, or two patients have one pseudonym.
    """
    where = replace(_where(params, strict, sequences, bench, key), known_words=known_words)
    with _both_ways(params):
        found = find_series(Path(root), params.layout, where)
    if where.key is not None and not all(case.aliases for case in found.cases):
        found = pseudonymized(found, where.key)  # the layout knows of no keys
    table = None if params.labels is None else parse_labels(params.labels)
    found = with_label_map(found, table, params.roi, params.threshold)
    wanted = found if sequences is None else found.only(sequences)
    if exclude:
        wanted = excluding(found, wanted, exclude, params.patient)
    if params.trust_folders:
        return wanted
    return check_persons(found, wanted, params.patient, params.images, params.patient_from)


def survey(root: str | Path, params: LayoutParams, bench: Workbench = ALONE) -> "Survey | None":
    """What headers tell of a root, with what `find` takes of it; None for any other layout.

    Names of structures are not asked for.

    Raises:
        ChaosprepError: as `find` does.
    """
    from chaosprep.layouts.headers import layout

    where = _where(params, False, None, bench)
    with _both_ways(params):
        if which(Path(root), params.layout, where) is not by_headers.LAYOUT:
            return None
        found = layout.survey(Path(root), where)
    if params.trust_folders:
        return found
    checked = check_persons(found.root, found.root, (), None, params.patient_from)
    return replace(found, root=checked)


def _where(
    params: LayoutParams,
    strict: bool,
    sequences: tuple[str, ...] | None,
    bench: Workbench,
    key: Key | None = None,
) -> Where:
    if params.pseudonymize is not None:
        key = read_key(params.pseudonymize)
        warn_if_readable(params.pseudonymize)
    return Where(
        images=params.images,
        masks=params.masks,
        patient_from=params.patient_from,
        key=key,
        strict=strict,
        patient_from_name=params.patient_from_name,
        patients=params.patients,
        select=params.select,
        series=params.series,
        pick=params.pick,
        bench=bench,
        sequences=sequences or (),
        redivide=params.redivide,
    )


@contextmanager
def _both_ways(params: LayoutParams) -> Iterator[None]:
    """Where nothing is found, say the other way too."""
    try:
        yield
    except NothingFoundError as error:
        if params.images is not None or error.code in ("series-none", "volumes-only"):
            raise
        remedy = f"{error.remedy} Or say where images and masks are: {_FOLDER}."
        raise NothingFoundError(error.reason, remedy, error.code) from error
