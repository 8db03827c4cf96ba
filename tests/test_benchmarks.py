"""The benchmark measures what it says: commands, peers, process trees, ratios."""

import platform
import re
import socket
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

from benchmarks import (
    cores,
    growth,
    index,
    index_tree,
    many,
    million,
    packages,
    peers,
    pixels,
    profile,
    small,
    startup,
)
from benchmarks.clocks import PARTS, REST, Clocks
from benchmarks.cluster import running_cluster
from benchmarks.command import SECTIONS, main
from benchmarks.floors import same
from benchmarks.machine import put_away
from benchmarks.measure import Measurement, measure
from benchmarks.page import standing, update
from benchmarks.phantom_slices import phantom_slices
from benchmarks.pipeline import Task, commands, run, run_rounds
from benchmarks.section import Asked, Section
from benchmarks.sources import patients
from benchmarks.tables import EACH, RATE, Result, compare
from benchmarks.tutorial import main as tutorial
from benchmarks.verdicts import DASK, OF_MANY, RUNNING_DASK, verdicts
from chaosprep.formats.dicom.reading import read
from chaosprep.layouts.headers.index import read_index
from chaosprep.phantom import Patient, write_chaos
from chaosprep.workbench import ALONE

needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc")
SMALL = Asked(slices=8, repeats=1, jobs=(1,), most=64)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    return run(SMALL, tmp_path_factory.mktemp("bench"), slow=False, matrix=64)


def test_every_command_has_a_row_of_ours(results: list[Result]) -> None:
    ours = [result.group for result in results if result.run == "chaosprep -j 1"]
    assert ours == [
        "split",
        "extract-liver",
        "convert",
        "convert --keep-16bit",
        "convert --format npy",
        "augment",
        "verify",
        "prepare",
        "inspect",
    ]


def test_every_peer_that_is_installed_does_its_work(results: list[Result]) -> None:
    known = peers.peers(SMALL.slices)
    measured = {(result.group, result.run) for result in results if result.seconds}
    for group, some in known.items():
        quick = {peer.name for peer in some if peer.is_installed and not peer.slow}
        assert quick == {name for one, name in measured if one == group} - {"chaosprep -j 1"}


def test_a_peer_that_is_not_installed_is_a_line(tmp_path: Path) -> None:
    task = Task("convert", "another", ("no-such-program",), is_installed=False)
    run_rounds([task], {}, tmp_path, repeats=1)
    (row,) = compare([task.result(8)], RATE, "command")[2:]
    assert cells(row)[:3] == ["convert", "another", "not installed"]


def test_a_peer_that_fails_is_a_line_and_its_words_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = Task("convert", "another", (sys.executable, "-c", "raise SystemExit('no way')"))
    run_rounds([task], {}, tmp_path, repeats=2)
    assert task.result(8).instead == "failed"
    assert capsys.readouterr().err.count("no way") == 2  # the command and its output


def test_ours_must_not_fail(tmp_path: Path) -> None:
    task = Task("convert", "chaosprep -j 1", (sys.executable, "-c", "raise SystemExit(3)"))
    with pytest.raises(RuntimeError, match="ended with 3"):
        run_rounds([task], {}, tmp_path, repeats=1)


def test_slow_peers_run_in_the_first_two_rounds_only(tmp_path: Path) -> None:
    count = (sys.executable, "-c", "")
    tasks = [Task("convert", name, count, slow=name == "slow") for name in ("slow", "quick")]
    run_rounds(tasks, {}, tmp_path, repeats=3)
    assert [len(task.found) for task in tasks] == [2, 3]


def test_what_a_run_leaves_is_counted_and_removed(tmp_path: Path) -> None:
    code = "import pathlib, sys; p = pathlib.Path(sys.argv[1]); p.mkdir(); "
    code += "[(p / n).write_bytes(bytes(250_000)) for n in 'ab']"
    task = Task("convert", "another", (sys.executable, "-c", code, "{output}"))
    run_rounds([task], {}, tmp_path, repeats=2)
    assert task.result(8).wrote == "2 files, 0.5 MB"
    assert not (tmp_path / "output").exists()


def test_what_was_written_is_kept_where_there_is_room_and_deleted_where_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """ext4 is slow to make files soon after others were deleted."""
    monkeypatch.setattr("benchmarks.machine.file_system", lambda folder: "ext4")
    for free, kept in ((30e9, ["0"]), (30e9, ["0", "1"]), (20e9, ["0", "1"])):
        found = SimpleNamespace(free=free)
        monkeypatch.setattr("benchmarks.machine.shutil.disk_usage", lambda folder, f=found: f)
        (tmp_path / "output").mkdir()
        put_away(tmp_path / "output")
        assert not (tmp_path / "output").exists()
        assert sorted(path.name for path in (tmp_path / "measured").iterdir()) == kept


def test_the_floor_writes_files_of_the_same_names_and_sizes_and_links_the_same(
    tmp_path: Path,
) -> None:
    source, reference, output = (tmp_path / name for name in ("source", "reference", "output"))
    for folder in (source, reference / "train"):
        folder.mkdir(parents=True)
    (source / "a").write_bytes(b"carried")
    (reference / "train/a").hardlink_to(source / "a")
    (reference / "train/b").write_bytes(bytes(1000))
    same(source, reference, output)
    assert (output / "train/a").samefile(source / "a")
    assert (output / "train/b").stat().st_size == 1000


def test_the_phantom_has_as_many_slices_as_asked_for_and_two_patients() -> None:
    for slices, people in ((8, 2), (33, 3), (640, 20)):
        made = patients(slices)
        assert sum(patient.slices for patient in made) == slices
        assert len(made) == people


def test_a_command_is_named_by_its_words() -> None:
    assert all(command.name.split()[0] == command.words[0] for command in commands(8))


# What is compared with ours


def masks(folder: Path) -> Path:
    """A stage directory with one mask, whose levels stand on both sides of 55 and 70."""
    (folder / "stage/train/masks").mkdir(parents=True)
    grey = np.array([[0, 55, 56, 63], [70, 71, 126, 255]], np.uint8)
    cv2.imwrite(str(folder / "stage/train/masks/a.png"), grey)
    return folder / "stage"


@pytest.mark.parametrize(
    ("side", "step"),
    [(tutorial, "mask"), (packages.main, "liver-cv2"), (packages.main, "liver-pillow")],
)
def test_every_way_takes_grey_levels_above_55_up_to_70(
    tmp_path: Path, side: Callable[..., None], step: str
) -> None:
    side(step, str(masks(tmp_path)), str(tmp_path / "out"))
    made = cv2.imread(str(tmp_path / "out/a.png"), cv2.IMREAD_UNCHANGED)
    assert made is not None
    assert made.tolist() == [[0, 0, 255, 255], [255, 0, 0, 0]]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The DICOM files of a phantom patient as split would name them."""
    root = write_chaos(
        tmp_path_factory.mktemp("stage"),
        [Patient(id=1, sequences=("t1-in",), slices=2, matrix=32)],
    )
    images = root / "stage/train/images"
    images.mkdir(parents=True)
    for number, path in enumerate(sorted(root.rglob("*.dcm"))):
        path.rename(images / f"MR001_t1-in_s{number:03}.dcm")
    return root / "stage"


def test_the_figure_is_256_pixels_wide_and_high(stage: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    tutorial("figure", str(stage), str(tmp_path / "out"))
    made = [cv2.imread(str(path)) for path in (tmp_path / "out").iterdir()]
    assert [image.shape[:2] for image in made if image is not None] == [(256, 256)] * 2


@pytest.mark.parametrize("save", ["cv2", "pillow"])
def test_packages_show_a_case_from_its_percentile_to_its_percentile(
    stage: Path, tmp_path: Path, save: str
) -> None:
    packages.main("windowed", save, str(stage), str(tmp_path / "out"))
    stored = np.stack([pydicom.dcmread(p).pixel_array for p in sorted(stage.rglob("*.dcm"))])
    low, high = np.percentile(stored, (0.5, 99.5))
    expected = np.clip(np.rint((stored - low) / (high - low) * 255), 0, 255)
    made = np.stack([read_png(path) for path in sorted((tmp_path / "out").iterdir())])
    assert np.abs(made.astype(float) - expected).max() <= 1  # theirs in single precision


@pytest.mark.parametrize("save", ["cv2", "pillow", "npy"])
def test_packages_keep_the_stored_values(stage: Path, tmp_path: Path, save: str) -> None:
    packages.main("stored", save, str(stage), str(tmp_path / "out"))
    for path in sorted(stage.rglob("*.dcm")):
        made = tmp_path / "out" / path.name
        found = np.load(made.with_suffix(".npy")) if save == "npy" else read_png(made)
        assert np.array_equal(found, pydicom.dcmread(path).pixel_array)


def read_png(path: Path) -> NDArray[Any]:
    return pixels.cv2_decode(path.with_suffix(".png").read_bytes())


# Measuring


@needs_proc
def test_the_stand_in_stage_is_planned_worked_and_committed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["million", "--rows", "64"])
    million.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["planned", "worked", "committed"]


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


def test_what_python_compiles_is_kept_while_it_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    measure([sys.executable, "-c", "import sys; sys.exit(sys.dont_write_bytecode)"])


def test_both_readers_of_dicom_are_given_the_same_files() -> None:
    images = [image for image, _ in phantom_slices(2, 32)]
    for image, data in zip(images, pixels.dicom_files(images), strict=True):
        assert np.array_equal(pixels.pydicom_read(data), image)
        assert np.array_equal(read(data)[1], image)


@pytest.mark.parametrize(
    "group", ["mask: decode, extract, encode", "encode 8-bit PNG", "encode 16-bit PNG"]
)
def test_all_ways_of_a_group_make_the_same_pixels(group: str) -> None:
    items, ways = pixels.groups(phantom_slices(2, 32))[group]
    made: list[Any] = [way(items[0]) for name, way in ways.items() if "zlib" not in name]
    first, *others = map(pixels.cv2_decode, made)
    assert all(np.array_equal(first, other) for other in others)


def test_zlib_compresses_the_bare_pixels() -> None:
    image, _ = phantom_slices(1, 32)[0]
    assert zlib.decompress(pixels.bare(6, image)) == image.tobytes()


def test_the_pixels_are_measured_in_turn() -> None:
    found = pixels.run(phantom_slices(2, 32), repeats=2)
    assert {len(result.seconds) for result in found} == {2}
    assert {result.group for result in found} == set(pixels.groups(phantom_slices(2, 32)))


def test_start_up_is_measured_of_every_program() -> None:
    found = startup.run(1)
    assert [(result.run, len(result.seconds)) for result in found] == [
        (name, 1) for name in startup.PROGRAMS
    ]


def test_a_small_job_is_measured_beside_the_imports_alone() -> None:
    found = small.run(1, slices=4)
    assert [(result.run, len(result.seconds)) for result in found] == [
        *((f"chaosprep convert{words}", 1) for words in ("", " -j 1", " -j 2")),
        (small.IMPORTS, 1),
    ]


def test_a_part_within_a_part_stops_its_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    times: Iterator[float] = iter([0.0, 1.0, 3.0, 7.0, 8.0, 10.0])
    clock = SimpleNamespace(perf_counter=lambda: next(times))
    monkeypatch.setattr("benchmarks.clocks.time", clock)
    clocks = Clocks()
    inner = clocks.around("hash", lambda: None)
    clocks.around("DICOM", inner)()
    clocks.switch()
    found = {part: seconds for part, seconds in clocks.seconds.items() if seconds}
    assert found == {REST: 3.0, "DICOM": 3.0, "hash": 4.0}


def test_the_parts_of_convert_make_up_the_whole(stage_of_split: Path, tmp_path: Path) -> None:
    found = profile.run(stage_of_split, tmp_path, repeats=1)
    whole = found.pop(profile.WHOLE)[0]
    assert set(found) == {profile.AROUND, *PARTS, REST}
    assert sum(seconds for (seconds,) in found.values()) == pytest.approx(whole)
    assert all(found[part][0] > 0 for part in PARTS)


@pytest.fixture
def stage_of_split(tmp_path: Path) -> Path:
    import chaosprep

    root = write_chaos(tmp_path / "chaos", patients(4, 32))
    chaosprep.split(root, tmp_path / "split", val_patient=("MR001",))
    return tmp_path / "split"


# Growth


def test_many_slices_are_converted_by_dask_too() -> None:
    found = many.rows(640, (1, 2))
    local, running = [task for task in found if task.run in (DASK, RUNNING_DASK)]
    assert {local.group, running.group} == {"convert"}
    assert local.command[-4:] == ("-o", "{output}", "--dask", "local")
    assert running.command[-4:] == ("-o", "{output}", "--dask", "{scheduler}")
    assert {task.group for task in found} == set(many.GROUPS)
    assert not any(task.slow for task in many.rows(640, (1, 2), slow=False))


def test_a_cluster_runs_as_long_as_it_is_measured() -> None:
    pytest.importorskip("distributed")
    with running_cluster(1) as found:
        host, port = found["scheduler"].removeprefix("tcp://").split(":")
        socket.create_connection((host, int(port))).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))


@pytest.mark.parametrize("code", [0, 1])
def test_what_a_command_needs_is_opened_before_it_and_closed_behind_it(
    tmp_path: Path, code: int
) -> None:
    told: list[str] = []

    @contextmanager
    def around() -> Iterator[dict[str, str]]:
        told.append("opened")
        try:
            yield {"word": str(code)}
        finally:
            told.append("closed")

    ending = (sys.executable, "-c", "import sys; sys.exit(int(sys.argv[1]))", "{word}")
    task = Task("group", "run", ending, around=around)
    run_rounds([task], {}, tmp_path, repeats=1)
    assert told == ["opened", "closed"]
    assert (len(task.found), bool(task.failure)) == (1 - code, bool(code))


def test_growth_ends_where_it_is_asked_to() -> None:
    assert growth.sizes(64_000) == [64, 640, 6_400, 64_000]
    assert growth.sizes(1_000) == [64, 640]
    assert growth.sizes(8) == [8]


def test_growth_without_room_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    free = SimpleNamespace(free=10**9)
    monkeypatch.setattr("benchmarks.growth.shutil.disk_usage", lambda folder: free)
    with pytest.raises(SystemExit, match=r"need 23\.0 GB for temporary files, 1\.0 GB are free"):
        growth.require_room(tmp_path, 64_000)
    growth.require_room(tmp_path, 640)


def test_grown_patients_share_neither_files_nor_images_nor_uids(tmp_path: Path) -> None:
    bases = growth.draw_bases(tmp_path / "drawn", 8, matrix=96)
    growth.grow(tmp_path / "chaos", bases, 3)
    growth.grow(tmp_path / "chaos", bases, 6)
    files = sorted((tmp_path / "chaos").rglob("*.dcm"))
    found = [pydicom.dcmread(path) for path in files]
    assert len(files) == 6 * 4
    assert len({path.stat().st_ino for path in files}) == len(files)
    assert len({one.pixel_array.tobytes() for one in found}) == len(files)
    assert len({one.SOPInstanceUID for one in found}) == len(files)
    assert len({one.SeriesInstanceUID for one in found}) == 6
    assert all(one.file_meta.MediaStorageSOPInstanceUID == one.SOPInstanceUID for one in found)


def test_growth_measures_both_commands_at_every_size(tmp_path: Path) -> None:
    rows = growth.run(tmp_path, Asked(repeats=1, jobs=(1,), most=8), matrix=96)
    assert [row[:2] for row in rows] == [["split", "8"], ["convert", "8"]]


def test_workers_double_up_to_the_cores() -> None:
    assert [cores.workers(count) for count in (1, 2, 6)] == [[1], [1, 2], [1, 2, 4, 6]]
    assert cores.workers(16) == [1, 2, 4, 8, 16]


def test_workers_are_measured_on_patients_that_are_variations_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.growth.DRAWN", 1)
    found = cores.run(tmp_path, slices=64, counts=[1], repeats=1)
    assert [len(measured) for measured in found.values()] == [1]


def test_more_workers_are_compared_with_one_round_by_round() -> None:
    found = {1: [Measurement(8.0, 50.0, 50.0)], 2: [Measurement(5.0, 90.0, 60.0)]}
    one, two = cores.rows(800, found)
    assert one[:3] == ["1", "100 (100..100)", "1.00 (1.00..1.00)"]
    assert two == ["2", "160 (160..160)", "1.60 (1.60..1.60)", "5.00 (5.00..5.00)", "90"]


# Tables


def made_up() -> list[Result]:
    """Ours 60, 10 and 1.4 times as fast as the tutorial's way."""
    seconds = {"extract-liver": (60.0, 1.0), "convert": (10.0, 1.0), "augment": (1.4, 1.0)}
    names = {
        "extract-liver": "per-pixel loop",
        "convert": "matplotlib figure",
        "augment": "Augmentor threads",
    }
    found: list[Result] = []
    for group, (theirs, ours) in seconds.items():
        found.append(Result(group, "chaosprep -j 2", (ours,) * 3, 100, 250.0, 80.0, "1 file"))
        found.append(Result(group, names[group], (theirs, theirs * 2), 100, 40.0, 40.0))
    return found


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def test_verdicts_compare_medians_with_what_was_expected() -> None:
    words = [(line.split(",")[0], line.rpartition(" ")[2]) for line in verdicts(made_up())]
    assert words == [
        ("- extract-liver", "met."),
        ("- convert", "met."),
        ("- augment", "met."),
        ("- Peak memory: under 400 MB expected", "met."),
    ]
    figure = Result("convert", "matplotlib figure", (14.0,))
    slow = list(verdicts([Result("convert", "chaosprep -j 1", (1.0,)), figure]))
    assert [line.rpartition(" ")[2] for line in slow] == ["MISSED."]


def test_an_expectation_may_be_of_one_run_of_ours_and_have_an_upper_end() -> None:
    ours = [Result("convert", f"chaosprep -j {jobs}", (4.0 / jobs,)) for jobs in (1, 2)]
    for seconds, word in ((2.5, "met"), (2.7, "MISSED")):
        dask = Result("convert", DASK, (seconds,))
        (line,) = verdicts([*ours, dask], OF_MANY)
        assert line.startswith(f"- convert, chaosprep -j 2: at most 1.3 x {DASK} expected")
        assert f": {word}. " in f"{line} "


def test_what_is_expected_of_many_slices_is_a_row_of_theirs() -> None:
    rows = {(task.group, task.run) for task in many.rows(640, (1, 2))}
    assert {(one.group, name) for one in OF_MANY for name in (one.peer, one.run)} <= rows


def test_the_pixels_of_masks_have_an_expectation_too() -> None:
    group = "mask: decode, extract, encode"
    assert group in pixels.groups(phantom_slices(1, 32))
    known = [Result(group, run, (s,)) for run, s in (("chaosprep", 1.0), ("per-pixel loop", 49.0))]
    assert [line.rpartition(" ")[2] for line in verdicts(known)] == ["MISSED."]


def test_a_row_has_its_median_and_spread_and_the_ratio_of_each_round() -> None:
    ours = Result("convert", "chaosprep -j 1", (1.0, 2.0, 4.0), 100)
    theirs = Result("convert", "another", (2.0, 2.0, 8.0), 100)
    header, _, first, second = map(cells, compare([ours, theirs], RATE, "command"))
    assert header == ["command", "run", "slices/s", "chaosprep -j 1 is"]
    assert first == ["convert", "chaosprep -j 1", "50.0 (25.0..100)", ""]
    assert second == ["", "another", "50.0 (12.5..50.0)", "2.00 (1.00..2.00)"]


def test_times_are_shown_in_ms_for_each() -> None:
    found = compare([Result("start-up", "chaosprep", (0.1, 0.2, 0.3))], EACH, "what")
    assert cells(found[2])[2] == "200 (100..300)"


def test_memory_is_the_largest_of_all_runs() -> None:
    found = [Measurement(1.0, 10.0, 4.0), Measurement(2.0, 8.0, 5.0)]
    assert Result.of("convert", "chaosprep -j 1", 8, found, "").memory == "10 / 5"


# The page

PAGE = Path(__file__).parents[1] / "docs/benchmarks.md"
SPREAD = re.compile(r"^([\d.]+) \(([\d.]+)\.\.([\d.]+)\)$")


def test_a_section_is_replaced_and_the_others_stand() -> None:
    first = update(None, SECTIONS, {"pixels": ["- old"], "startup": ["- start"]})
    second = update(first, SECTIONS, {"pixels": ["- new", "", "| table |"]})
    kept = {section.name: standing(second, section) for section in SECTIONS}
    assert kept["pixels"] == ["- new", "", "| table |"]
    assert kept["startup"] == ["- start"]
    assert kept["growth"] == ["Not measured yet."]
    assert "- old" not in second


def test_the_command_prints_and_writes_what_it_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(startup, "RUNS", 1)
    main(["startup", "--repeats", "1", "--write", str(tmp_path / "page.md")])
    page = (tmp_path / "page.md").read_text()
    section = next(section for section in SECTIONS if section.name == "startup")
    lines = standing(page, section)
    assert lines is not None
    assert "\n".join(lines) in capsys.readouterr().out
    assert [cells(line)[1] for line in lines if line.startswith("| ")][2:] == [*startup.PROGRAMS]


def test_the_command_refuses_a_section_that_there_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["pipelin"])
    assert "no section is called pipelin; there are pipeline, memory" in capsys.readouterr().err


def test_the_page_is_as_the_command_writes_it() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert update(page, SECTIONS, {}) == page


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_every_row_of_the_page_has_its_median_within_its_spread(section: Section) -> None:
    lines = standing(PAGE.read_text(encoding="utf-8"), section)
    assert lines
    rows = [cells(line) for line in lines if line.startswith("| ")][2:]
    assert bool(rows) != any("ot measured" in line for line in lines)
    for row in rows:
        spreads = [found for cell in row if (found := SPREAD.match(cell))]
        assert spreads or {"not installed", "failed"} & set(row), row
        for found in spreads:
            middle, least, most = map(float, found.groups())
            assert least <= middle <= most
    widths = {line.count("|") for line in lines if line.startswith("| ")}
    assert len(widths) <= 1


def test_the_page_names_no_host_and_no_path() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert platform.node() not in page
    assert not re.search(r"(?<![\w.<])/(tmp|home|root|usr|dev|work)\b", page)


def test_the_index_reads_what_its_tree_holds(tmp_path: Path) -> None:
    index_tree.write_tree(tmp_path, 200)
    entries = read_index(tmp_path, ALONE)
    heads = [head for entry in entries for head in entry.heads]
    assert [entry.kind for entry in entries].count("mask") == 1
    assert len({head.sop_instance_uid for head in heads}) == len(heads) == 200
    assert len({head.evidence["SeriesInstanceUID"] for head in heads}) == 2
    (refers,) = [entry.refers for entry in entries if entry.refers]
    assert refers.instances == {head.sop_instance_uid for head in heads[:100]}


@needs_proc
def test_the_index_is_measured_twice_and_beside_another(tmp_path: Path) -> None:
    found = dict(index.run(tmp_path, Asked(repeats=1, jobs=(1,), files=100)))
    rows = index.rows({name: [one] if one else [] for name, one in found.items()}, 100)
    assert [row[0] for row in rows] == [
        "chaosprep, first run",
        "chaosprep, second run",
        "imgtools index, 1 job",
    ]
    assert all(row[3] for row in rows[:2])
