"""The same data in any tree: the same cases, order and pixels as the folders of CHAOS give."""

import hashlib
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.fileset import FileSet

import chaosprep
from chaosprep.layouts.find import LayoutParams, find
from chaosprep.params import make_params
from chaosprep.phantom import Patient, write_chaos
from chaosprep.series.reading import read_series
from tests.formats.samples import REAL

Picture = tuple[str, str]
Cases = set[frozenset[tuple[Picture, ...]]]
"""Of each patient the cases, each its pictures in order: SOPInstanceUID and hash of the pixels."""

PATIENTS = (
    Patient(id=1, slices=5, matrix=64),
    Patient(id=2, slices=4, matrix=64, sequences=("t1-in", "t1-out"), implicit=True),
    Patient(id=3, slices=4, matrix=64, sequences=("t2-spir",)),
    Patient(id=2, modality="CT", slices=5, matrix=64),
)
CHAOS_TRAIN = REAL / "derived" / "CHAOS_Train_Sets" / "Train_Sets"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four patients in the folders of CHAOS."""
    return write_chaos(tmp_path_factory.mktemp("source"), PATIENTS)


def headers(source: Path) -> Iterator[tuple[Path, Dataset]]:
    for path in sorted(source.rglob("*.dcm")):
        yield path, dcmread(path, stop_before_pixels=True)


def flat(source: Path, root: Path) -> None:
    """One folder of everything, names random, endings gone."""
    random = Random(7)
    root.mkdir(parents=True)
    paths = sorted(source.rglob("*.dcm"))
    random.shuffle(paths)
    for path in paths:
        shutil.copy(path, root / f"{random.getrandbits(64):016x}")


def idc(source: Path, root: Path) -> None:
    """`collection/PatientID/StudyInstanceUID/Modality_SeriesInstanceUID/*.dcm`."""
    for path, said in headers(source):
        series = f"{said.Modality}_{said.SeriesInstanceUID}"
        folder = root / "collection" / said.PatientName.family_name / said.StudyInstanceUID / series
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / f"{said.SOPInstanceUID}.dcm")


def tcia(source: Path, root: Path) -> None:
    """`collection/PatientID/date-description/number-description/1-001.dcm`."""
    counts: dict[Path, int] = defaultdict(int)
    for path, said in headers(source):
        who = hashlib.sha256(str(said.PatientName).encode()).hexdigest()[:6]
        study = f"01-01-2000-NA-{said.StudyInstanceUID[-5:]}"
        folder = root / "coll" / who / study / f"{said.SeriesNumber}.000000-{said.ProtocolName}"
        folder.mkdir(parents=True, exist_ok=True)
        counts[folder] += 1
        shutil.copy(path, folder / f"1-{counts[folder]:03d}.dcm")


def pacs(source: Path, root: Path) -> None:
    """A file set with its DICOMDIR (PS3.10 8.6): names of eight letters without endings."""
    media = FileSet()
    for path in sorted(source.rglob("*.dcm")):
        said = dcmread(path)
        said.PatientID = f"PACS-{said.PatientName}"  # a DICOMDIR must have one
        said.StudyDate, said.StudyTime = "20000101", "120000"
        media.add(said)
    media.write(root)
    vars(media)["_stage"]["t"].cleanup()  # pydicom leaves it to the collector, which warns
    assert (root / "DICOMDIR").is_file()
    assert all("." not in path.name for path in root.rglob("*"))


def told_by_folders(source: Path) -> Cases:
    """What the folders of CHAOS hold, each in order along its normal; by pydicom alone."""
    patients: dict[Path, set[tuple[Picture, ...]]] = defaultdict(set)
    folders: dict[Path, list[Dataset]] = defaultdict(list)
    for path in sorted(source.rglob("*.dcm")):
        folders[path.parent].append(dcmread(path))
    for folder, pictures in folders.items():
        row, col = np.reshape(pictures[0].ImageOrientationPatient, (2, 3)).astype(float)
        normal = np.cross(row, col)
        pictures.sort(key=lambda one: float(normal @ np.asarray(one.ImagePositionPatient, float)))
        patient = next(one for one in folder.parents if one.parent.name in ("MR", "CT"))
        patients[patient].add(tuple(map(picture, pictures)))
    return set(map(frozenset, patients.values()))


def picture(said: Dataset) -> Picture:
    return said.SOPInstanceUID, hashlib.sha256(said.PixelData).hexdigest()


def split(root: Path, output: Path) -> Cases:
    """What a split of a root holds, read by pydicom."""
    made = chaosprep.split(root, output)
    patients: dict[str, set[tuple[Picture, ...]]] = defaultdict(set)
    for case in made.cases:
        files = [made.directory / row.image for row in case.slices]
        patients[case.patient].add(tuple(picture(dcmread(file)) for file in files))
    return set(map(frozenset, patients.values()))


@pytest.mark.parametrize("tree", [flat, idc, tcia, pacs])
def test_any_tree_gives_what_the_folders_of_chaos_give(
    source: Path, tmp_path: Path, tree: Callable[[Path, Path], None]
) -> None:
    tree(source, tmp_path / "root")
    assert split(tmp_path / "root", tmp_path / "out") == told_by_folders(source)


@pytest.mark.parametrize("tree", [flat, idc, tcia])
def test_files_come_out_byte_for_byte(
    source: Path, tmp_path: Path, tree: Callable[[Path, Path], None]
) -> None:
    tree(source, tmp_path / "root")
    made = chaosprep.split(tmp_path / "root", tmp_path / "out")
    before = sorted(path.read_bytes() for path in source.rglob("*.dcm"))
    after = [
        (made.directory / row.image).read_bytes() for case in made.cases for row in case.slices
    ]
    assert sorted(after) == before


def test_one_person_has_one_id_in_every_tree(source: Path, tmp_path: Path) -> None:
    found = []
    for tree in (flat, idc, tcia):
        tree(source, tmp_path / tree.__name__)
        made = chaosprep.split(tmp_path / tree.__name__, tmp_path / f"out-{tree.__name__}")
        rows = [row for case in made.cases for row in case.slices]
        found.append({row.image_sha256: row.patient for row in rows})
    assert found[0] == found[1] == found[2]
    assert len(set(found[0].values())) == len(PATIENTS)


def test_nothing_of_the_paths_goes_out(source: Path, tmp_path: Path) -> None:
    idc(source, tmp_path / "root")
    chaosprep.split(tmp_path / "root", tmp_path / "out")
    for name in ("slices.jsonl", "datapackage.json"):
        text = (tmp_path / "out" / name).read_text()
        assert "collection" not in text
        assert "MR_2.25" not in text
        assert "SET_" not in text


@pytest.mark.skipif(not CHAOS_TRAIN.is_dir(), reason="the real data are not here")
def test_real_data_in_one_folder_give_what_the_folders_give(tmp_path: Path) -> None:
    flat(CHAOS_TRAIN, tmp_path / "root")
    found: dict[str, set[tuple[Picture, ...]]] = defaultdict(set)
    root = find(tmp_path / "root", make_params(LayoutParams, {"layout": "headers"}))
    assert root.problems == ()
    for case in root.cases:
        series = read_series(case)
        assert series.problems == ()
        files = [tmp_path / "root" / one.image for one in series.slices]
        found[case.patient].add(tuple(picture(dcmread(file)) for file in files))
    assert set(map(frozenset, found.values())) == told_by_folders(CHAOS_TRAIN)
