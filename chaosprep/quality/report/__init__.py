"""report: a stage directory as one HTML page that needs no network, made to be looked at."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.opening import open_dataset
from chaosprep.errors import UsageError, plural
from chaosprep.evaluation.asked import Tolerance
from chaosprep.html import link, title
from chaosprep.quality.report.data import Page, make_page, page_key
from chaosprep.quality.report.pictures import CaseView, Shown, is_shown, view_case
from chaosprep.quality.report.predictions import Judged, judge
from chaosprep.quality.report.readers import Reader, read_ratings
from chaosprep.quality.verify import Verdict, verify
from chaosprep.running.mapping import map_cases
from chaosprep.running.page import PAGE, check_place, new_file
from chaosprep.version import __version__

__all__ = ["Report", "Shown", "report"]

_HERE: Final = Path(__file__).parent
_COPY_SHARE: Final = 0.4  # of an original's bytes: copies are compared, originals are examined
_PICTURES: Final = 0.7  # of their room on the page: base64 makes 4 bytes of 3
_BEGINS: Final = 4096  # bytes of a page, which tell what it is of
_TRIES: Final = 2
_LEAST: Final = 400  # bytes of a picture; fewer show nothing
_MOST: Final = 8_000  # bytes of a picture; more are not seen


@dataclass(frozen=True)
class Report:
    """What `report` made: the file, its size in bytes, and what it counts."""

    path: Path
    bytes: int
    cases: int
    slices: int
    faults: int
    warnings: int

    @property
    def told(self) -> str:
        """What it is, in a line."""
        return (
            f"report: {plural(self.cases, 'case')}, {plural(self.slices, 'slice')}, "
            f"{plural(self.faults, 'fault')}, {plural(self.warnings, 'warning')} -> "
            f"{self.path} ({self.bytes / 1e6:.1f} MB)"
        )

    def _repr_html_(self) -> str:
        """What a notebook shows: the line, and a link to a page that lies below the notebook."""
        opens = "" if self.path.is_absolute() else link(self.path, "Open the report")
        return f"{title(self.told)}{opens}"


def report(
    directory: str | Path,
    output: str | Path,
    *,
    reference: str | Path | None = None,
    tolerance: Tolerance | None = None,
    lesions: bool = False,
    ratings: Sequence[str | Path] = (),
    slices: Shown = "all",
    max_mb: float = 25,
    jobs: int = 1,
    overwrite: bool = False,
) -> Report:
    """Check a stage directory and write one self-contained HTML page about it.

    The same directory gives the same page. It holds reduced pictures of the data, so the licence
    of the data holds for it.

    Args:
        directory: what a stage made; with a reference, predictions as `evaluate` takes them.
        output: the .html file to write, outside the directory; an earlier page is replaced.
        reference: the stage directory whose images and masks the predictions are shown on.
        tolerance: mm, or mm by organ: predictions get the surface Dice (NSD), as of `evaluate`.
        lesions: predictions get the metrics of lesions, as of `evaluate`.
        ratings: at most two `ratings.csv` that a page on the same data saved: they stand side by
            side in the index, each called by its file's name.
        slices: which slices get a picture: all, those with an organ, or none.
        max_mb: the largest page, in units of 10^6 bytes; pictures shrink to fit.
        jobs: worker processes.
        overwrite: replace a file that chaosprep did not make.

    Raises:
        ManifestError: the directory is unfinished, or its manifest not to be trusted.
        UsageError: the output cannot be, the page does not fit, the organs differ, or ratings
            are of something else.
        NothingFoundError: the predictions are not understood, or are of no case of the reference.
        ProblemsError: none of the predictions can be compared.
        ChaosprepError: something else stands there, another run writes it, or it cannot be written.
    """
    if reference is None and (tolerance is not None or lesions):
        option = "--lesions" if tolerance is None else "--tolerance"
        raise UsageError(
            f"{option} is for predictions compared with a reference",
            "Name the stage directory that they are compared with: --reference REF.",
            "reference",
        )
    readers = read_ratings(ratings)
    dataset, output = open_dataset(directory if reference is None else reference), Path(output)
    for place in (dataset.directory, Path(directory)):
        check_place(output, place, PAGE)
    judged = None
    with new_file(output, PAGE, overwrite) as save:
        if reference is not None:
            judged, dataset = judge(directory, dataset, jobs, tolerance=tolerance, lesions=lesions)
        for reader in readers:
            reader.check([case.id for case in dataset.cases], page_key(dataset, judged))
        verdict = verify(dataset.directory, jobs=jobs)
        asked = _Asked(slices, int(max_mb * 1e6), jobs, readers)
        page, html = _fitted(dataset, verdict, asked, judged)
        save(html)
    count = sum(side.originals + side.copies for side in page.sides)
    faults, warnings = len(page.verdict.faults), len(page.verdict.warnings)
    return Report(output, len(html), len(page.cases), count, faults, warnings)


def stands(dataset: Dataset, output: Path) -> bool:
    """Whether the page there is what this release makes of that dataset, without a reference."""
    try:
        with output.open("rb") as file:
            begins = file.read(_BEGINS).decode("utf-8", "replace")
    except OSError:
        return False
    key, maker = dataset.descriptor_sha256[:16], f'content="chaosprep {__version__}"'
    return f'data-report="{key}"' in begins and maker in begins


def render(page: Page) -> str:
    """Fill the template; everything but our own style and script is escaped.

    The script's hash stands in the page's Content-Security-Policy: no other script runs in it,
    and nothing is fetched.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    room = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    parts = ("report", "index", *(("prediction",) if page.judged else ()))
    style, script = (
        "\n".join((_HERE / f"{part}.{kind}").read_text("utf-8") for part in parts)
        for kind in ("css", "js")
    )
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return room.get_template("page.html.j2").render(
        page=page,
        version=__version__,
        style=Markup(style),
        script=Markup(script),
        script_sha256=digest,
    )


@dataclass(frozen=True)
class _Asked:
    """What a page is to hold, and by how many processes it is made."""

    shown: Shown
    max_bytes: int
    jobs: int
    readers: tuple[Reader, ...]


def _fitted(
    dataset: Dataset, verdict: Verdict, asked: _Asked, judged: Judged | None
) -> tuple[Page, bytes]:
    """Make the page; where it is too large, once more with what is then known of its other parts.

    Raises:
        UsageError: text and outlines alone fill it, or the smallest pictures do not fit.
    """
    html, room, max_bytes = b"", asked.max_bytes, asked.max_bytes
    for _ in range(_TRIES):
        views = _views(dataset, asked.shown, room, asked.jobs)
        page = make_page(dataset, verdict, views, judged, asked.readers)
        html = render(page).encode()
        if len(html) <= max_bytes:
            return page, html
        room = max_bytes - len(html) + sum(view.picture_bytes() for view in views)
    raise UsageError(
        f"the page would have {len(html) / 1e6:.3g} MB, more than {max_bytes / 1e6:g}",
        "Show fewer slices (--slices labelled or none), or raise --max-mb.",
        "page-size",
    )


def _views(dataset: Dataset, shown: Shown, room: int, jobs: int) -> list[CaseView]:
    """Every case, `room` bytes of the page shared out among the pictures."""
    rows = [row for case in dataset.cases for row in case.slices if is_shown(row, shown)]
    copies = sum(row.copy > 0 for row in rows)
    share = room * _PICTURES / max(len(rows) - copies + _COPY_SHARE * copies, 1)
    limit = int(min(max(share, _LEAST), _MOST))
    view = partial(
        view_case,
        shown=shown,
        original_bytes=limit,
        copy_bytes=max(int(limit * _COPY_SHARE), _LEAST),
    )
    found, failed = map_cases(view, dataset.cases, lambda case: case.id, jobs)
    if failed:
        raise failed[0].error()
    return found
