"""Ratings count: what failed in the report is left out, and everything that follows knows it."""

import csv
import io
import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import chaosprep
from chaosprep.dataset.descriptor import LeftOut
from chaosprep.dataset.opening import open_dataset
from chaosprep.quality.inspect import inspect
from chaosprep.quality.inspected import Inspection
from chaosprep.quality.report import report
from chaosprep.quality.verify import verify


class _Cases(HTMLParser):
    """What the page says of its cases, for its script."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        data = dict(attrs)
        if tag == "article":
            self.found.append(data)


def saved(page: Path, ratings: Mapping[str, tuple[str, str]]) -> str:
    """The CSV that the page's script saves for some ratings, case -> verdict and note."""
    parser = _Cases()
    parser.feed(page.read_text())
    lines = []
    for one in parser.found:
        case = one["data-case"] or ""
        names = (one[f"data-{name}"] or "" for name in ("patient", "sequence", "split"))
        cells = [case, *names, *ratings.get(case, ("", ""))]
        guarded = (f"'{text}" if re.match(r"[=+\-@\t\r]", text) else text for text in cells)
        lines.append(",".join('"' + text.replace('"', '""') + '"' for text in guarded))
    return "\r\n".join(["case,patient,sequence,split,verdict,note", *lines, ""])


def test_what_failed_in_the_report_is_left_out_and_all_that_follows_knows_it(
    phantom: Path, tmp_path: Path
) -> None:
    pairs = chaosprep.split(phantom, tmp_path / "pairs", val=0.25)
    page = report(pairs.directory, tmp_path / "report.html").path
    bad, fine = pairs.case_ids[1], pairs.case_ids[2]
    text = saved(page, {bad: ("fail", '=moved, "badly"\n'), fine: ("pass", "fine")})
    assert next(csv.reader(io.StringIO(text, newline="")))[4] == "verdict"
    (tmp_path / "ratings.csv").write_bytes(text.encode())

    again = chaosprep.split(
        phantom, tmp_path / "b", val=0.25, exclude=[str(tmp_path / "ratings.csv")]
    )
    reason = '=moved, "badly"'
    assert again.descriptor.tool.left_out == (
        LeftOut(option="exclude", reason=reason, cases=(bad,)),
    )
    assert {*again.case_ids} == {*pairs.case_ids} - {bad}
    livers = chaosprep.extract_liver(again, tmp_path / "c")

    verdict = verify(livers.directory)
    assert not verdict.faults
    assert f"split left out 1 case (exclude: {reason})" in verdict.notes
    seen = inspect(livers.directory)
    assert isinstance(seen, Inspection)
    assert f"split left out 1 case (exclude: {reason})" in seen.notes
    shown = report(livers.directory, tmp_path / "after.html").path.read_text()
    assert re.search(rf'<li class="left-out">.*?{bad}.*?by split, exclude: =moved', shown, re.S)


def test_a_case_that_was_left_out_and_is_in_the_table_is_a_fault(
    livers: chaosprep.Dataset, tmp_path: Path
) -> None:
    case = livers.case_ids[0]
    (tmp_path / "x.csv").write_text("case,reason\n" + f"{case},moved\n")
    images = chaosprep.convert(livers, tmp_path / "a", where="slice >= 0")
    path = images.directory / "datapackage.json"
    descriptor = json.loads(path.read_text())
    descriptor["chaosprep"]["history"][0]["left_out"] = [
        {"option": "exclude", "reason": "moved", "cases": [case], "slices": 4}
    ]
    path.write_text(json.dumps(descriptor))
    (fault,) = verify(images.directory).faults
    assert (fault.code, fault.id) == ("left-out", case)
    assert "split left it out (exclude: moved)" in fault.reason


def test_of_many_reasons_a_few_are_told(livers: chaosprep.Dataset, tmp_path: Path) -> None:
    rows = [row.id for row in livers.slices][:12]
    table = tmp_path / "x.csv"
    table.write_text("id,reason\n" + "".join(f"{id},{at}\n" for at, id in enumerate(rows)))
    images = chaosprep.convert(livers, tmp_path / "a", exclude=str(table))
    notes = verify(images.directory).notes
    assert sum(note.startswith("convert left out ") for note in notes) == 10
    assert notes[-2] == "more was left out for 2 reasons: datapackage.json has them all"


def test_gaps_that_a_condition_leaves_are_no_fault(
    livers: chaosprep.Dataset, tmp_path: Path
) -> None:
    images = chaosprep.convert(livers, tmp_path / "a", where="slice != 1")
    verdict = verify(images.directory)
    assert (verdict.faults, verdict.warnings) == ((), ())
    assert all(row.slice != 1 for row in open_dataset(images.directory).slices)
