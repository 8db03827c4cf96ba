"""The pictures of a case that may become slices: what else lies among them is told apart."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from chaosprep.errors import FileError, plural
from chaosprep.formats.image_file import Beside
from chaosprep.formats.images import image_format, is_named_whole
from chaosprep.imaging.header import Header
from chaosprep.privacy.identity import exposes, read_identity
from chaosprep.series.source import Files, SourceCase

_SHOWN = 3  # names of files in a message


@dataclass(frozen=True)
class Shot:
    """One picture that may become a slice: a file, or one frame of it."""

    path: str
    frame: int | None
    header: Header

    @property
    def name(self) -> str:
        """Tells the shots of a series apart."""
        return self.path if self.frame is None else f"{self.path}#{self.frame}"


def evidence_of(shots: Sequence[Shot]) -> list[Mapping[str, str]]:
    """What the header of each shot says."""
    return [shot.header.evidence for shot in shots]


@dataclass
class Gathered:
    """The shots of a case, the images that count where masks are paired, and what is wrong.

    ``known`` holds damaged files too: without them every pair by rank after them would be wrong.
    ``notes`` say what was passed over.
    """

    shots: list[Shot] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    errors: list[tuple[str, FileError]] = field(default_factory=list)
    notes: tuple[str, ...] = ()


def gather(case: SourceCase, files: Files, max_pixels: int) -> Gathered:
    """Open the images of a case; what is no slice is passed over where slices are beside it."""
    found = Gathered()
    headers: dict[str, tuple[Header, ...]] = {}
    failed: dict[str, FileError] = {}
    beside: dict[str, Beside] = {}
    for path in case.images:
        if path not in files.data:
            found.known.append(path)
            continue
        data = files.data[path]
        kind = image_format(path, data)
        if kind is None or not kind.whole:
            found.errors.append((path, _not_dicom(data)))
            found.known += [path] if is_named_whole(path) else []
            continue
        found.known.append(path)
        try:
            headers[path] = kind.open(data, max_pixels).headers()
        except FileError as error:
            failed[path] = error
        if kind.beside and (other := kind.beside(data, headers.get(path, ()))):
            beside[path] = other
    strange = _strange([*headers, *failed], beside)
    found.known = [path for path in found.known if path not in strange]
    taken = {path: some for path, some in headers.items() if path not in strange}
    found.shots = _shots(taken, {p: own for p, own in case.frames.items() if p not in files.cut})
    found.errors += [(path, error) for path, error in failed.items() if path not in strange]
    if found.shots or failed.keys() - strange.keys():
        found.notes = _passed_over(case, files, strange, [shot.path for shot in found.shots])
    else:
        found.errors += [(path, _no_slice(what)) for path, what in strange.items()]
    return found


def _strange(paths: Sequence[str], beside: Mapping[str, Beside]) -> dict[str, Beside]:
    """What is no slice here: all of it beside slices, else only what can never be one."""
    if any(path not in beside for path in paths):
        return dict(beside)
    return {path: what for path, what in beside.items() if not what.alone}


def _shots(
    headers: Mapping[str, tuple[Header, ...]], wanted: Mapping[str, Collection[int]]
) -> list[Shot]:
    return [
        Shot(path, frame if len(frames) > 1 else None, header)
        for path, frames in headers.items()
        for frame, header in enumerate(frames)
        if path not in wanted or frame in wanted[path]
    ]


def _passed_over(
    case: SourceCase, files: Files, strange: Mapping[str, Beside], slices: Sequence[str]
) -> tuple[str, ...]:
    """Say what was passed over, a note for each kind; a mask that lies among the images is used."""
    kinds: dict[str, list[str]] = {}
    for path, what in strange.items():
        if path not in (case.masks or ()):
            kinds.setdefault(what.what, []).append(path)
    return tuple(
        "passed over, not a slice: "
        f"{plural(len(paths), what)}{shown_names(case, files, paths, slices)}"
        for what, paths in kinds.items()
    )


def shown_names(case: SourceCase, files: Files, paths: Sequence[str], slices: Sequence[str]) -> str:
    """The names of some files in brackets, where neither they nor the first slice forbid it."""
    names = [PurePosixPath(case.shown(path) or "").name for path in paths[:_SHOWN]]
    asked = [path for path in (*paths[:_SHOWN], *slices[:1]) if path in files.data]
    people = [read_identity(files.data[path]) for path in asked]
    if not all(names) or any(exposes(name, one) for name in names for one in people):
        return ""
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return f" ({', '.join(names)}{more})"


def _not_dicom(data: bytes) -> FileError:
    if not data:
        return FileError("the file is empty", "Copy it again from its source.", code="not-dicom")
    return FileError("it is not a DICOM file", "Move it out of the folder.", code="not-dicom")


def _no_slice(what: Beside) -> FileError:
    return FileError(
        f"it is a {what.what}, not a slice",
        "Give the images that it was made on; a mask goes to --masks.",
        code="no-slice",
    )
