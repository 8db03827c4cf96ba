"""`split --series` takes of an archive what it should, whatever its files are called."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import chaosprep
from chaosprep.privacy.pseudonyms import read_key
from tests.archive.patients import DUAL, PHASES, Archive, Expected, write_archive

SERIES = """
[lava]
SeriesDescription = "LAVA"
time = 2

[in-phase]
EchoTime = "4..5"
"""
Slices = list[tuple[str, int | None]]


def table(root: Path, place: Path, key: Path) -> list[dict[str, Any]]:
    (place / "series.toml").write_text(SERIES)
    chaosprep.split(
        root, place / "out", series=str(place / "series.toml"), pick="first", pseudonymize=str(key)
    )
    return [json.loads(line) for line in (place / "out/slices.jsonl").read_bytes().splitlines()]


def key_file(place: Path) -> Path:
    (place / "key").write_bytes(b"0123456789abcdef")
    (place / "key").chmod(0o600)
    return place / "key"


def sources(one: Expected, key: Path) -> Slices:
    """What stands for the files of a volume, each with the frame that it is."""
    path = read_key(key).path
    return sorted(
        (path(file), frame) for file, frames in one.files.items() for frame in (frames or [None])
    )


def test_split_takes_the_first_of_each_patient(few: Archive, tmp_path: Path) -> None:
    key = key_file(tmp_path)
    made: dict[tuple[str, str], Slices] = defaultdict(list)
    for row in table(few.root, tmp_path, key):
        made[row["patient"], row["sequence"]].append((row["source"], row["frame"]))
    wanted = [
        one
        for one in few.volumes
        if one.study == 1 and one.part in (PHASES[1], DUAL.parts[1]) and one.patient != 10
    ]
    assert sorted(sorted(some) for some in made.values()) == sorted(
        sources(one, key) for one in wanted
    )
    of = {tuple(sources(one, key)): one.patient for one in wanted}
    pairs = {(patient, of[tuple(sorted(some))]) for (patient, _), some in made.items()}
    assert len(pairs) == len({patient for patient, _ in pairs}) == 10


def test_names_and_order_of_files_do_not_matter(few: Archive, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    again = write_archive(tmp_path / "again", 11, seed=1)
    key = key_file(tmp_path)
    first, second = (
        [
            {name: row[name] for name in ("id", "frame", "image_sha256", "labels", "pixels")}
            for row in table(root, place, key)
        ]
        for root, place in ((few.root, tmp_path / "a"), (again.root, tmp_path / "b"))
    )
    assert first == second
    assert len(first) == 2 * 10 * 4 + sum(patient % 3 for patient in range(1, 12) if patient != 10)


def test_the_segmentation_of_the_second_phase_is_on_its_slices(
    few: Archive, tmp_path: Path
) -> None:
    rows = table(few.root, tmp_path, key_file(tmp_path))
    lava = [row for row in rows if row["sequence"] == "lava"]
    assert {tuple(row["labels"].values()) for row in lava} == {("Liver",)}
    assert {row["pixels"]["Liver"] for row in lava} == {4 * 8}
