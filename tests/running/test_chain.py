"""The same laws with the four real stages, on a phantom."""

import hashlib
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import frictionless
import pydicom
import pytest

import chaosprep
from chaosprep.phantom.writing import Patient, write_chaos
from tests.running.toys import snapshot, within

STAGES = {"split": "split", "liver": "extract-liver", "images": "convert", "augmented": "augment"}
PATIENTS = [Patient(id=id, sequences=("t1-in", "t1-out"), slices=3, matrix=64) for id in (1, 2, 3)]
PATIENTS += [Patient(id=1, modality="CT", slices=3, matrix=64)]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_chaos(tmp_path_factory.mktemp("chain") / "root", PATIENTS)


def prepare(root: Path, output: Path, **options: Any) -> Path:
    chaosprep.prepare(root, output, sequence=("t1-in", "ct"), val=0.25, seed=5, **options)
    return output


@pytest.fixture(scope="module")
def chain(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(root, tmp_path_factory.mktemp("chain") / "out")


def descriptor_of(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / "datapackage.json").read_bytes())
    return found


def test_more_jobs_make_the_same_bytes(root: Path, chain: Path, tmp_path: Path) -> None:
    two = within(60, lambda: prepare(root, tmp_path / "out", jobs=2))
    assert snapshot(two) == snapshot(chain)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_a_folders_listing_is_no_matter(
    root: Path, chain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """File systems list as they please; `listdir` is what `Path.iterdir` and `glob` ask."""
    listdir, scandir, chance = os.listdir, os.scandir, random.Random(seed)

    class Scan:
        def __init__(self, path: Any = ".") -> None:  # noqa: ANN401 - as os.scandir
            with scandir(path) as entries:
                self._entries = sorted(entries, key=lambda entry: chance.random())

        def __enter__(self) -> Iterator[os.DirEntry[str]]:
            return iter(self._entries)

        def __iter__(self) -> Iterator[os.DirEntry[str]]:
            return iter(self._entries)

        def __exit__(self, *error: object) -> None: ...

    def shuffled(path: Any = ".") -> list[str]:  # noqa: ANN401 - as os.listdir
        names: list[str] = listdir(path)
        return sorted(names, key=lambda name: chance.random())

    monkeypatch.setattr(os, "listdir", shuffled)
    monkeypatch.setattr(os, "scandir", Scan)
    prepare(root, tmp_path / "out")
    monkeypatch.undo()
    assert snapshot(tmp_path / "out") == snapshot(chain)


def test_the_root_is_never_touched(root: Path, tmp_path: Path) -> None:
    before = {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in root.rglob("*")}
    prepare(root, tmp_path / "out")
    assert {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in root.rglob("*")} == before


def test_every_stage_tells_all_before_it(chain: Path) -> None:
    hashes: list[str] = []
    for index, folder in enumerate(STAGES):
        tool = descriptor_of(chain / folder)["chaosprep"]
        assert tool["stage"] == STAGES[folder]
        assert [record["stage"] for record in tool["history"]] == list(STAGES.values())[:index]
        assert [record["descriptor_sha256"] for record in tool["history"]] == hashes
        data = (chain / folder / "datapackage.json").read_bytes()
        hashes.append(hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("folder", STAGES)
def test_frictionless_validates_every_stage(chain: Path, folder: str) -> None:
    report = frictionless.validate(str(chain / folder / "datapackage.json"))
    assert report.valid, report.to_summary()


@pytest.mark.parametrize("folder", STAGES)
def test_nothing_that_identifies_leaves_the_dicom_files(
    root: Path, chain: Path, folder: str
) -> None:
    text = (chain / folder / "datapackage.json").read_text()
    text += (chain / folder / "slices.jsonl").read_text()
    for path in root.rglob("*.dcm"):
        header = pydicom.dcmread(path, stop_before_pixels=True)
        values = {
            str(element.value)
            for element in header
            if element.VR in {"PN", "DA", "TM", "UI"} and element.value
        }
        assert len(values) > 3
        assert [value for value in values if value in text] == []


def test_a_second_run_of_the_chain_touches_nothing(root: Path, chain: Path) -> None:
    before = {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in chain.rglob("*")}
    kinds: list[str] = []
    prepare(root, chain, on_event=lambda event: kinds.append(event.kind))
    assert kinds == ["already-done"] * 4
    assert {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in chain.rglob("*")} == before


def test_what_a_stage_leaves_as_it_is_takes_no_room(chain: Path) -> None:
    """extract-liver keeps the images, augment the originals."""
    for folder, parent in (("liver", "split"), ("augmented", "images")):
        rows = map(json.loads, (chain / parent / "slices.jsonl").read_text().splitlines())
        for row in rows:
            assert (chain / folder / row["image"]).samefile(chain / parent / row["image"])
