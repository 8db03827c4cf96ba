"""What a stage's command prints, writes and returns."""

import json
from pathlib import Path

import cv2
import pydicom
import pytest

import chaosprep as library
from chaosprep.dataset.opening import open_dataset

from .conftest import Run


def mask_files(root: Path) -> list[Path]:
    return sorted(root.glob("Train_Sets/MR/*/T1DUAL/Ground/*.png"))


def test_the_closing_line_goes_to_stdout_and_talk_to_stderr(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    result = chaosprep("split", root, "-o", tmp_path / "out", "-j", "1")
    assert result.exit_code == 0
    manifest = tmp_path / "out/datapackage.json"
    assert result.stdout == f"split: 5 cases, 25 slices, 0 skipped -> {manifest}\n"
    progress = "".join(f"split: {n} of 5 cases\n" for n in range(1, 6))
    look = f"Look at it: chaosprep report {tmp_path}/out -o report.html\n"
    assert result.stderr == progress + look


def test_what_is_learned_from_is_counted_too(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs"
    chaosprep("split", root, "-o", pairs, "--val-patient", "MR005", "-j", "1")
    command = ("convert", pairs, "-o", tmp_path / "out", "--normalize", "nyul", "-j", "1")
    learns = [f"convert: learns from {n} of 4 cases" for n in range(1, 5)]
    assert chaosprep(*command).stderr.splitlines()[:4] == learns
    loud = chaosprep(*command, "--overwrite", "-v").stderr
    assert loud.splitlines()[:4] == [f"convert: learns from MR00{n}_t1-in" for n in range(1, 5)]


def test_one_job_is_one_thread_of_opencv(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    cv2.setNumThreads(2)
    chaosprep("split", root, "-o", tmp_path / "out", "-j", "1")
    assert cv2.getNumThreads() == 1


def test_the_same_command_again_says_that_it_is_done(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    chaosprep("split", root, "-o", tmp_path / "out", "-j", "1")
    result = chaosprep("split", root, "-o", tmp_path / "out", "-j", "1")
    assert result.exit_code == 0
    assert result.stdout.endswith("datapackage.json (already done)\n")


def test_quiet_says_nothing_and_verbose_names_the_cases(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    assert chaosprep("split", root, "-o", tmp_path / "a", "-j", "1", "-q").output == ""
    loud = chaosprep("split", root, "-o", tmp_path / "b", "-j", "1", "-v").stderr
    assert loud.splitlines()[:5] == [f"split: MR00{n}_t1-in, 5 slices" for n in range(1, 6)]


def test_dry_run_says_who_goes_where_and_writes_nothing(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    result = chaosprep("split", root, "-o", output, "--val-patient", "MR002", "-n")
    assert result.stdout == (
        "train: 4 patients: MR001, MR003, MR004, MR005\nval: 1 patient: MR002\n"
        f"split: 5 cases: 5 to do, 0 done, 0 stale -> {output} (dry run)\n"
    )
    assert not output.exists()


def test_a_dry_run_meets_what_the_run_would_refuse(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    """A mask that is gone, and one that is no picture: only trying the cases tells."""
    first, *_, last = mask_files(root)
    first.unlink()
    last.write_bytes(b"?")
    output, ways = tmp_path / "out", ((), ("--on-error", "skip"))
    for more, code in zip(ways, (1, 3), strict=True):
        dry = chaosprep("split", root, "-o", output, "-j", "1", "-n", *more)
        assert not output.exists()
        real = chaosprep("split", root, "-o", tmp_path / f"real{code}", "-j", "1", *more)
        assert (dry.exit_code, real.exit_code) == (code, code)
        told = [line for line in dry.stderr.splitlines() if not line.startswith("Look")]
        assert told == [line for line in real.stderr.splitlines() if not line.startswith("Look")]
        assert dry.stdout.endswith("(dry run)\n")


def test_a_dry_run_where_nothing_would_be_left_exits_with_4(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    for mask in mask_files(root):
        mask.unlink()
    arguments = ("split", root, "-o", tmp_path / "out", "-j", "1", "--on-error", "skip")
    dry, real = chaosprep(*arguments, "-n"), chaosprep(*arguments)
    assert (dry.exit_code, real.exit_code) == (4, 4)
    assert dry.stderr.splitlines()[-1] == real.stderr.splitlines()[-1]


def test_a_dry_run_as_json_has_the_problems(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    mask_files(root)[0].unlink()
    result = chaosprep("split", root, "-o", tmp_path / "out", "-j", "1", "-n", "--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert said["status"] == "planned"
    assert said["to_do"] == 5
    assert [problem["code"] for problem in said["problems"]] == ["mask-missing"]


def test_a_dry_run_of_what_is_done_tells_what_was_left_out(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    mask_files(root)[0].unlink()
    arguments = ("split", root, "-o", tmp_path / "out", "-j", "1", "--on-error", "skip")
    assert chaosprep(*arguments).exit_code == 3
    dry = chaosprep(*arguments, "-n")
    assert dry.exit_code == 3
    assert dry.stderr.startswith("Left out: MR001_t1-in: ")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_dry_run_of_a_later_stage_writes_nothing(
    chaosprep: Run, root: Path, tmp_path: Path, jobs: str
) -> None:
    before = tmp_path / "split"
    chaosprep("split", root, "-o", before, "-j", "1")
    image = next(before.glob("train/images/*"))
    for stage in ("extract-liver", "convert"):
        dry = chaosprep(stage, before, "-o", tmp_path / "out", "-j", jobs, "-n")
        assert dry.exit_code == 0, dry.output
    image.write_bytes(b"?")
    dry = chaosprep("extract-liver", before, "-o", tmp_path / "out", "-j", jobs, "-n")
    assert dry.exit_code == 1
    assert "the file is not the one that the manifest records" in dry.stderr
    assert not (tmp_path / "out").exists()
    assert not Path("/dev/null/train").exists()


def test_one_person_in_two_patients_is_refused_in_the_dry_run_too(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    for path in (root / "Train_Sets/MR").glob("[12]/**/*.dcm"):
        header = pydicom.dcmread(path)
        header.PatientID = "A-17"
        header.save_as(path)
    arguments = ("split", root, "-o", tmp_path / "out", "-j", "1")
    for more in ((), ("-n",)):
        result = chaosprep(*arguments, *more)
        assert result.exit_code == 1
        assert "are one person: the headers have the same PatientID" in result.stderr
        assert "A-17" not in result.output
    assert chaosprep(*arguments, "--trust-folders").exit_code == 0


def test_json_is_the_only_thing_on_stdout(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    result = chaosprep("split", root, "-o", tmp_path / "out", "-j", "1", "--json")
    assert json.loads(result.stdout) == {
        "status": "done",
        "stage": "split",
        "manifest": str(tmp_path / "out/datapackage.json"),
        "cases": 5,
        "counts": {
            "train": {"patients": 4, "cases": 4, "slices": 20},
            "val": {"patients": 1, "cases": 1, "slices": 5},
        },
        "warned": 0,
        "skipped": [],
        "left_out": [],
    }


def test_a_problem_stops_the_stage_and_names_file_reason_and_remedy(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    lost = mask_files(root)[0]
    lost.unlink()
    image = lost.relative_to(root).with_suffix(".dcm").as_posix().replace("Ground", "{}")
    result = chaosprep("split", root, "-o", tmp_path / "out", "-j", "1")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines()[-2:] == [
        f"MR001_t1-in: {image.format('DICOM_anon/InPhase')}: no mask belongs to this image. "
        "Bring back its mask, or leave the slice out with --on-error skip.",
        "Error: split: 1 problem, nothing was committed. Resolve them and run the same command "
        "again, or leave these slices out with --on-error skip.",
    ]
    assert not (tmp_path / "out/datapackage.json").exists()


def test_a_problem_as_json(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    mask_files(root)[0].unlink()
    result = chaosprep("split", root, "-o", tmp_path / "out", "-j", "1", "--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert said["status"] == "error"
    assert [problem["code"] for problem in said["problems"]] == ["mask-missing"]


def test_on_error_skip_leaves_the_slice_out_and_exits_with_3(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    mask_files(root)[0].unlink()
    result = chaosprep("split", root, "-o", tmp_path / "out", "-j", "1", "--on-error", "skip")
    assert result.exit_code == 3
    assert result.stdout.startswith("split: 5 cases, 24 slices, 1 skipped -> ")
    assert "Left out: MR001_t1-in: " in result.stderr
    (skipped,) = open_dataset(tmp_path / "out").skipped
    assert (skipped.code, skipped.id) == ("mask-missing", "MR001_t1-in")


def test_other_parameters_need_overwrite(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    arguments = ("split", root, "-o", tmp_path / "out", "-j", "1")
    chaosprep(*arguments)
    refused = chaosprep(*arguments, "--seed", "5")
    assert refused.exit_code == 1
    assert "seed 0, now 5" in refused.stderr
    assert "--overwrite" in refused.stderr
    assert chaosprep(*arguments, "--seed", "5", "--overwrite").exit_code == 0
    assert open_dataset(tmp_path / "out").made.seed == 5


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--range", "60", "65"), {"range": [60, 65]}),
        (("--mask-value", "1"), {"mask_value": 1}),
        (("--all-organs",), {"all_organs": True}),
        (("--organ", "spleen", "--drop-empty"), {"organ": "spleen", "drop_empty": True}),
        (("--patient", "MR002", "--patient", "MR004"), {"patient": ["MR002", "MR004"]}),
    ],
)
def test_options_reach_the_manifest(
    chaosprep: Run, root: Path, tmp_path: Path, arguments: tuple[str, ...], expected: object
) -> None:
    library.split(root, tmp_path / "split")
    result = chaosprep(
        "extract-liver", tmp_path / "split", "-o", tmp_path / "out", "-j", "1", *arguments
    )
    assert result.exit_code == 0, result.stderr
    assert isinstance(expected, dict)
    recorded = open_dataset(tmp_path / "out").made.parameters
    assert {name: recorded[name] for name in expected} == expected


def test_stages_out_of_order_are_a_usage_error(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    library.split(root, tmp_path / "split")
    result = chaosprep("augment", tmp_path / "split", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stderr == (
        f"Error: {tmp_path}/split: augment works on the output of convert. "
        "Run chaosprep convert first.\n"
    )


def test_a_negative_window_can_be_given(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    library.split(root, tmp_path / "split")
    result = chaosprep(
        "convert", tmp_path / "split", "-o", tmp_path / "out", "-j", "1", "--window", "-160,240"
    )
    assert result.exit_code == 0, result.stderr
    assert open_dataset(tmp_path / "out").slices[0].window == (-160.0, 240.0)


def test_a_finished_directory_with_a_lost_file_is_not_done(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    arguments = ("split", root, "-o", tmp_path / "out", "-j", "1")
    chaosprep(*arguments)
    lost = sorted((tmp_path / "out/train/masks").iterdir())[0]
    lost.unlink()
    result = chaosprep(*arguments)
    assert result.exit_code == 1
    assert f"train/masks/{lost.name} is missing" in result.stderr
    assert chaosprep(*arguments, "--overwrite").exit_code == 0


def test_a_stage_made_from_an_older_parent_is_not_done(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    split = ("split", root, "-o", tmp_path / "split", "-j", "1")
    liver = ("extract-liver", tmp_path / "split", "-o", tmp_path / "liver", "-j", "1")
    chaosprep(*split)
    chaosprep(*liver)
    chaosprep(*split, "--val-patient", "MR005", "--overwrite")
    result = chaosprep(*liver)
    assert result.exit_code == 1
    assert "an earlier stage was run again" in result.stderr


def test_a_problem_names_the_file_that_has_it(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    library.split(root, tmp_path / "split")
    lost = sorted((tmp_path / "split/train/masks").iterdir())[0]
    lost.unlink()
    result = chaosprep("extract-liver", tmp_path / "split", "-o", tmp_path / "out", "-j", "1")
    assert f"{lost.stem}: train/masks/{lost.name}: the file is missing" in result.stderr


@pytest.mark.parametrize(
    ("verb", "arguments", "said"),
    [
        ("convert", ("--window", "1,1e400"), "window must be"),
        ("convert", ("--window", "minmax", "--keep-16bit"), "window has no meaning"),
        ("split", ("--fold", "1"), "--fold needs --folds as well"),
    ],
)
def test_parameters_that_cannot_go_together_are_a_usage_error(
    chaosprep: Run, root: Path, tmp_path: Path, verb: str, arguments: tuple[str, ...], said: str
) -> None:
    source = root
    if verb == "convert":
        source = library.split(root, tmp_path / "split").directory
    result = chaosprep(verb, source, "-o", tmp_path / "out", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_folder_of_stages_says_where_they_are(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    library.split(root, tmp_path / "out/split")
    result = chaosprep("verify", tmp_path / "out")
    assert f"Its stages are: {tmp_path}/out/split." in result.stderr
