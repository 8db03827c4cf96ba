"""The recipes of docs/recipes/: what comes after the download is run on a tree like the download's.

The blocks that are marked as `text` are the download; they need the network, and are only parsed.
"""

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

import chaosprep
from tests.documents import HOME, blocks, replayed
from tests.recipes.eay131 import PATIENTS, flatten, write_eay131
from tests.recipes.lihc import SERIES, write_lihc

pytest.importorskip("highdicom")
nibabel: Any = pytest.importorskip("nibabel")
pytestmark = pytest.mark.filterwarnings("ignore:The string .* is unlikely to represent")
FOLDER = HOME / "docs/recipes"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))}


@dataclass(frozen=True)
class Run:
    """Where a recipe was run, and what its sessions should print and printed."""

    place: Path
    sessions: list[tuple[list[str], list[str]]]

    @property
    def exported(self) -> Path:
        (found,) = (self.place / "nnUNet_raw").iterdir()
        return found

    def labels(self) -> Mapping[str, Mapping[int, int]]:
        """Case -> label -> voxels of it, by nibabel."""
        found = {}
        for path in sorted((self.exported / "labelsTr").iterdir()):
            values, counts = np.unique(nibabel.load(path).get_fdata(), return_counts=True)
            found[path.name] = {int(v): int(n) for v, n in zip(values, counts, strict=True) if v}
        return found


def _run(page: str, place: Path, download: str) -> Run:
    (origin,), (series,) = blocks(page, "json"), blocks(page, "toml")
    (place / download / "datapackage.json").write_text(origin)
    (place / "series.toml").write_text(series)
    return Run(place, replayed(page, place))


@pytest.fixture(scope="module")
def lihc(tmp_path_factory: pytest.TempPathFactory) -> Run:
    place = tmp_path_factory.mktemp("lihc")
    write_lihc(place / "lihc")
    return _run(PAGES["tcga-lihc"], place, "lihc")


@pytest.fixture(scope="module")
def eay131(tmp_path_factory: pytest.TempPathFactory) -> Run:
    place = tmp_path_factory.mktemp("eay131")
    write_eay131(place / "eay131")
    return _run(PAGES["eay131"], place, "eay131")


@pytest.fixture(params=["lihc", "eay131"])
def either(request: pytest.FixtureRequest) -> Run:
    made: Run = request.getfixturevalue(request.param)
    return made


def test_the_sessions_print_what_the_page_says(either: Run) -> None:
    assert len(either.sessions) == 2
    for expected, printed in either.sessions:
        assert printed == expected


def test_every_axial_series_with_a_seg_is_a_case_with_its_liver(lihc: Run) -> None:
    axial = [name for names in SERIES.values() for name in names if "COR" not in name.split()]
    others = ["Ax LAVA BH Asset", "T1 FAME AX+C, second phase"]
    assert [*lihc.labels().values()] == [{1: 8 * 8 * 3}] * len(axial + others)


def test_the_phase_that_the_seg_refers_to_is_taken_and_no_other(lihc: Run) -> None:
    folder = lihc.place / "out/split"
    made = chaosprep.open(folder)
    headers = [dcmread(folder / case.slices[0].image) for case in made.cases]
    phases = [one.TemporalPositionIdentifier for one in headers if "FAME" in one.SeriesDescription]
    assert phases == [2]


def test_both_lesions_of_a_patient_are_one_structure(eay131: Run) -> None:
    one, two = {1: 4 * 4 * 3}, {1: 2 * 4 * 4 * 3}
    found = sorted(eay131.labels().values(), key=lambda labels: labels[1])
    assert found == [one, *[two] * (len(PATIENTS) - 1)]
    said = json.loads((eay131.exported / "dataset.json").read_text())
    assert said["labels"] == {"background": 0, "lesion": 1}


def test_no_patient_is_on_both_sides_of_a_fold(either: Run) -> None:
    folds = json.loads((either.exported / "splits_final.json").read_text())
    assert len(folds) == 5
    for fold in folds:
        sides = [{case.partition("_")[0] for case in fold[side]} for side in ("train", "val")]
        assert sides[1]
        assert not sides[0] & sides[1]


def test_the_licences_and_sources_go_along(either: Run) -> None:
    text = (either.exported / "LICENSE-DATA.txt").read_text()
    (origin,) = (path for path in either.place.glob("*/datapackage.json"))
    said = json.loads(origin.read_text())
    for one in (*said["licenses"], *said["sources"]):
        assert one["path"] in text


def test_either_download_of_tcia_gives_the_same_cases(eay131: Run, tmp_path: Path) -> None:
    flatten(eay131.place / "eay131", tmp_path / "flat")
    series = str(eay131.place / "series.toml")
    made = chaosprep.split(tmp_path / "flat", tmp_path / "out", layout="headers", series=series)
    assert _pixels(made) == _pixels(chaosprep.open(eay131.place / "out/split"))


def _pixels(made: chaosprep.Dataset) -> set[tuple[str, str | None]]:
    return {(row.image_sha256, row.mask_sha256) for row in made.slices}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_the_download_is_marked_and_its_script_is_python(page: str) -> None:
    script, command = blocks(page, "text")
    ast.parse(script)
    (manifest,) = re.findall(r'Path\("(\w+\.\w+)"\)\.write_text', script)
    assert manifest in command.split()


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_code_is_one_and_every_link_leads_somewhere(page: str) -> None:
    code = "".join(path.read_text() for path in (HOME / "chaosprep").rglob("*.py"))
    assert all(f'"{one}"' in code for one in re.findall(r"`(mask-[a-z]+)`", page))
    for link in re.findall(r"\]\(([^)h#][^)]*?)(?:#[^)]*)?\)", page):
        assert (FOLDER / link).is_file()


def test_the_readme_has_every_recipe() -> None:
    readme = (HOME / "README.md").read_text()
    assert all(f"docs/recipes/{name}.md" in readme for name in PAGES)
