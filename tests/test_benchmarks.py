"""The benchmark measures what it says: every stage and peer, whole process trees, honest ratios."""

import sys
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.measure import measure
from benchmarks.pipeline import make_sources, patients, run_rounds, stages, tasks
from benchmarks.pixels import measure_pixels
from benchmarks.report import Result, render, to_markdown, verdicts
from benchmarks.tutorial import main as tutorial
from chaosprep.phantom import Patient

needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc")
TUTORIAL = {
    "extract-liver": "per-pixel loop",
    "mask pixels alone": "per-pixel loop",
    "convert": "matplotlib figure",
    "augment": "Augmentor threads",
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    people = [Patient(id=n, sequences=("t1-in",), slices=2, matrix=64) for n in (1, 2)]
    return make_sources(tmp_path_factory.mktemp("sources"), people)


def test_every_stage_and_peer_gets_a_row(sources: dict[str, Path], tmp_path: Path) -> None:
    work = stages(4)
    todo = list(tasks(work, sources, jobs=(1,)))
    results = run_rounds(todo, tmp_path, slices=4, repeats=1)
    rows = {(result.stage, result.run) for result in results}
    assert {stage for stage, _ in rows} == {
        "split",
        "extract-liver",
        "convert",
        "convert --keep-16bit",
        "convert --format npy",
        "augment",
        "augment (16-bit)",
    }
    assert {stage for stage, run in rows if run == "chaosprep -j 1"} == {s.name for s in work}
    assert {stage for stage, run in rows if run == "cp -r"} == {
        "split",
        "extract-liver",
        "convert",
        "augment",
        "augment (16-bit)",
    }
    expected = {stage: peer for stage, peer in TUTORIAL.items() if "pixels" not in stage}
    if not find_spec("matplotlib"):
        del expected["convert"]
    assert expected.items() <= rows
    assert all(rate > 0 for result in results for rate in result.rates)


def test_the_pixels_alone_are_measured_both_ways(sources: dict[str, Path]) -> None:
    found = measure_pixels(sources["split"], slices=2, repeats=2, peer="per-pixel loop")
    assert [(result.run, len(result.rates)) for result in found] == [
        ("chaosprep -j 1", 2),
        ("per-pixel loop", 2),
    ]


def test_the_phantom_has_as_many_slices_as_asked_for() -> None:
    for slices in (33, 640):
        people = patients(slices)
        assert sum(patient.slices for patient in people) == slices
        assert len(people) == -(-slices // 32)


def test_the_loop_takes_grey_levels_above_55_up_to_70(tmp_path: Path) -> None:
    masks = tmp_path / "stage/train/masks"
    masks.mkdir(parents=True)
    grey = np.array([[0, 55, 56, 63], [70, 71, 126, 255]], np.uint8)
    cv2.imwrite(str(masks / "a.png"), grey)
    tutorial("mask", str(tmp_path / "stage"), str(tmp_path / "out"))
    made = cv2.imread(str(tmp_path / "out/a.png"), cv2.IMREAD_UNCHANGED)
    assert made is not None
    assert made.tolist() == [[0, 0, 255, 255], [255, 0, 0, 0]]


def test_the_figure_is_256_pixels_wide_and_high(sources: dict[str, Path], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    tutorial("figure", str(sources["liver"]), str(tmp_path / "out"))
    made = [cv2.imread(str(path)) for path in (tmp_path / "out").iterdir()]
    assert [image.shape[:2] for image in made if image is not None] == [(256, 256)] * 4


@needs_proc
def test_the_memory_of_children_counts() -> None:
    held = "b = bytearray(60_000_000); b[::4096] = b'x' * len(b[::4096]); "
    child = f"import time; {held}time.sleep(0.3)"
    parent = f"import subprocess, sys; {held}subprocess.run([sys.executable, '-c', {child!r}])"
    found = measure([sys.executable, "-c", parent])
    assert found.tree_mb is not None
    assert found.process_mb is not None
    assert 120 < found.tree_mb < 200
    assert 60 < found.process_mb < 100
    assert found.seconds > 0.3


def test_a_failing_command_is_an_error_with_its_output() -> None:
    with pytest.raises(RuntimeError, match=r"ended with 3:\nno such thing"):
        measure([sys.executable, "-c", "import sys; print('no such thing'); sys.exit(3)"])


def made_up() -> list[Result]:
    """Ours 60, 60, 10 and 1.4 times as fast as the tutorial's way, half as fast as a copy."""
    rates = {
        "extract-liver": (10.0, 600.0),
        "mask pixels alone": (10.0, 600.0),
        "convert": (20.0, 200.0),
        "augment": (100.0, 140.0),
    }
    results: list[Result] = []
    for stage, (theirs, ours) in rates.items():
        results += [
            Result(stage, "chaosprep -j 2", (ours / 2, ours, ours * 3), 250.0, 80.0),
            Result(stage, TUTORIAL[stage], (theirs, theirs, theirs / 2), 40.0, 40.0),
            Result(stage, "cp -r", (ours * 2,), None, None),
        ]
    return results


def test_verdicts_compare_medians_with_what_was_expected() -> None:
    words = [(line.split(",")[0], line.rpartition(" ")[2]) for line in verdicts(made_up())]
    assert words == [
        ("extract-liver", "met"),
        ("mask pixels alone", "met"),
        ("convert", "MISSED"),
        ("augment", "MISSED"),
        ("peak memory: under 400 MB expected", "met"),
    ]


def test_a_peer_that_was_not_measured_is_said_so() -> None:
    left = [result for result in made_up() if result.run != "matplotlib figure"]
    assert [line.split(":")[0] for line in verdicts(left) if "not measured" in line] == ["convert"]


def test_the_table_gives_ratios_and_fits_100_columns() -> None:
    text = render(["a machine"], made_up())
    assert max(map(len, text.splitlines())) <= 100
    row = next(line for line in text.splitlines() if line.startswith("extract-liver"))
    assert " ".join(row.split()) == (
        "extract-liver chaosprep -j 2 600 (300..1800) 250 / 80 60.0 0.50"
    )


def test_the_markdown_holds_the_same_rows() -> None:
    text = to_markdown(["a machine"], made_up())
    row = "| extract-liver | chaosprep -j 2 | 600 (300..1800) | 250 / 80 | 60.0 | 0.50 |"
    assert row in text.splitlines()
    assert "- a machine" in text.splitlines()
