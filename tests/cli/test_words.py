"""What the commands say: few lines, true ones, in the reader's own spelling."""

import hashlib
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

import chaosprep as library
from chaosprep.errors import UsageError

from .conftest import Run


def masks(root: Path) -> list[Path]:
    return sorted(root.glob("Train_Sets/MR/*/T1DUAL/Ground/*.png"))


@pytest.fixture
def split(root: Path, tmp_path: Path) -> Path:
    return library.split(root, tmp_path / "split").directory


# Many problems


def test_many_problems_of_one_cause_are_three_and_a_count(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    for file in root.glob("Train_Sets/MR/*/T1DUAL/Ground/*[02468].png"):
        file.unlink()
    for file in root.glob("Train_Sets/MR/[12]/T1DUAL/Ground/*.png"):
        file.unlink()
    result = chaosprep("split", root, "-o", tmp_path / "out", "-j", "1", "--no-progress")
    assert result.exit_code == 1
    problems = int(result.stderr.partition(" problems, nothing")[0].rpartition(" ")[2])
    lines = [line for line in result.stderr.splitlines() if line.startswith(("MR", "mask-"))]
    assert sum("no mask belongs" in line for line in lines) <= 3
    assert any(line.endswith("more like this; -v shows all") for line in lines)

    loud = chaosprep("split", root, "-o", tmp_path / "out", "-j", "1", "-v").stderr
    told = [line for line in loud.splitlines() if line.startswith("MR")]
    assert len(told) == problems
    assert "more like this" not in loud


def test_what_is_left_out_is_told_in_the_same_way(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    for file in masks(root)[5:9]:
        file.unlink()
    arguments = ("split", root, "-o", tmp_path / "out", "-j", "1", "--on-error", "skip")
    result = chaosprep(*arguments)
    assert result.exit_code == 3
    lines = [line for line in result.stderr.splitlines() if line.startswith("Left out: ")]
    assert lines == [
        "Left out: MR002_t1-in (4 files): no mask belongs to this image. Bring back its mask, or "
        "leave the slice out with --on-error skip."
    ]


def test_verify_counts_first_and_tells_leakage_first(chaosprep: Run, split: Path) -> None:
    cases = library.open(split).cases
    (val,) = (case for case in cases if case.split == "val")
    train = [case for case in cases if case.split == "train"]
    _give_pixels(split, train[0].slices[4].image, val.slices[0].image)
    for row in (row for case in train for row in case.slices[:2]):
        (split / row.image).write_bytes(b"broken")
    result = chaosprep("verify", split, "-j", "1")
    assert result.exit_code == 1
    lines = [line for line in result.stderr.splitlines() if line.startswith("Fault")]
    assert lines[0] == "Faults: 2 leakage, 8 hash"
    assert "the headers have the same" in lines[1]  # who is in them came with the pixels
    assert "with the pixels of" in lines[2]
    assert [line.partition(": the file is not")[0] for line in lines[3:6]] == [
        f"Fault: {case.id} (2 slices)" for case in train[:3]
    ]
    assert lines[6:] == ["Fault: hash: 2 more like this; -v shows all"]
    assert len(json.loads(chaosprep("verify", split, "-j", "1", "--json").stdout)["faults"]) == 10
    loud = chaosprep("verify", split, "-j", "1", "-v").stderr.splitlines()
    assert len([line for line in loud if line.startswith("Fault: ")]) == 10


def _give_pixels(split: Path, one: str, other: str) -> None:
    """Give an image the pixels of another one, in the table and the descriptor too."""
    data = (split / one).read_bytes()
    (split / other).write_bytes(data)
    table = (split / "slices.jsonl").read_text().splitlines()
    digest = hashlib.sha256(data).hexdigest()
    for number, line in enumerate(table):
        if f'"{other}"' in line:
            hashed = re.sub(r'("image_sha256":)"\w+"', rf'\1"{digest}"', line)
            table[number] = re.sub(r'("image_bytes":)\d+', rf"\g<1>{len(data)}", hashed)
    text = ("\n".join(table) + "\n").encode()
    (split / "slices.jsonl").write_bytes(text)
    manifest = (split / "datapackage.json").read_text()
    manifest = re.sub(
        r"sha256:\w{64}", f"sha256:{hashlib.sha256(text).hexdigest()}", manifest, count=1
    )
    manifest = re.sub(r'("bytes": ?)\d+', rf"\g<1>{len(text)}", manifest, count=1)
    (split / "datapackage.json").write_text(manifest)


def test_a_warning_of_every_slice_is_one_line(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    for file in masks(root)[:5]:
        image = np.asarray(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE))
        cv2.imwrite(str(file), np.where(image == 63, 0, image))
    pairs = library.split(root, tmp_path / "split")
    library.extract_liver(pairs, tmp_path / "liver")
    lines = chaosprep("verify", tmp_path / "liver", "-j", "1").stderr.splitlines()
    warnings = [line for line in lines if "no mask of the case shows liver" in line]
    assert len(warnings) == 1
    assert warnings[0].startswith("Warning: MR001_t1-in (5 slices): no mask of the case shows")


def test_inspect_tells_three_of_a_cause(chaosprep: Run, root: Path) -> None:
    for patient in range(1, 6):
        next(root.glob(f"Train_Sets/MR/{patient}/T1DUAL/Ground/*.png")).unlink()
    lines = chaosprep("inspect", root, "-j", "1").stderr.splitlines()
    assert len([line for line in lines if "no mask belongs to this image" in line]) == 3
    assert "Problem: mask-missing: 2 more like this; -v shows all" in lines


# What was meant


def test_a_misspelled_verb_is_answered(chaosprep: Run) -> None:
    for command, meant in (("inspct", "inspect"), ("extract-livers", "extract-liver")):
        result = chaosprep(command, "x")
        assert result.exit_code == 2
        assert f"No such command '{command}'. Did you mean {meant}?" in result.stderr
    result = chaosprep("export", "nnunnet", "x")
    assert "Did you mean nnunet?" in result.stderr
    assert "Did you mean" not in chaosprep("zzz").stderr


@pytest.mark.parametrize("side", ["val", "test"])
def test_four_patients_are_no_part_of_them(
    chaosprep: Run, root: Path, tmp_path: Path, side: str
) -> None:
    result = chaosprep("split", root, "-o", tmp_path / "out", f"--{side}", "4")
    assert result.exit_code == 2
    assert result.stderr == (
        f"Error: --{side}: must be a number of at least 0 and less than 1 (given: 4). It is a part "
        f"of the patients: --{side} 0.2 is 4 patients of 20, or 20 %; --{side}-patient names "
        "them.\n"
    )


@pytest.mark.parametrize("option", ["--patient", "--val-patient", "--test-patient"])
def test_a_patients_number_is_answered_with_its_id(
    chaosprep: Run, root: Path, tmp_path: Path, option: str
) -> None:
    result = chaosprep("split", root, "-o", tmp_path / "out", option, "1")
    assert result.exit_code == 2
    assert result.stderr.endswith(
        "There are: MR001, MR002, MR003, MR004, MR005. Did you mean MR001?\n"
    )


def test_verify_answers_a_patients_number_too(chaosprep: Run, split: Path) -> None:
    result = chaosprep("verify", split, "--patient", "5")
    assert result.exit_code == 2
    assert "no patient is called 5" in result.stderr
    assert "Did you mean MR005?" in result.stderr


# Spelling and files


def test_options_are_spelled_as_options(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    result = chaosprep("split", root, "-o", tmp_path / "out", "--folds", "9")
    assert result.stderr == (
        "Error: --folds: 9 folds need as many patients, there are 5. Use --folds 5 or fewer.\n"
    )
    with pytest.raises(UsageError) as caught:
        library.split(root, tmp_path / "out", folds=9)
    assert str(caught.value) == (
        "folds: 9 folds need as many patients, there are 5. Use folds=5 or fewer."
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[split]\nval = 4", "[split] val: must be a number of at least 0 and less than 1"),
        ("[split]\nval-patient = ['x']\nfolds = 3", "[split] folds and val_patient exclude"),
        ("[splt]\nval = 0.2", "splt: no such section. There are: split, "),
        ("[split]\nvall = 0.2", "[split] vall: no such parameter"),
        ("[augment]\nspec = 3", "[augment] spec: must be a table"),
        ("val = 0.2", "val: outside a section"),
        ("x", "Expected '='"),
    ],
)
def test_a_configuration_is_named_and_spelled_by_its_keys(
    chaosprep: Run, root: Path, tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "own.toml"
    file.write_text(text)
    result = chaosprep("prepare", root, "-o", tmp_path / "out", "--config", file)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {file}: {told}")
    with pytest.raises(UsageError) as caught:
        library.prepare(root, tmp_path / "out", config=file)
    assert str(caught.value).startswith(f"{file}: {told}")


def test_an_option_beside_a_configuration_is_spelled_as_one(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    file = tmp_path / "own.toml"
    file.write_text("[split]\nseed = 3")
    arguments = ("prepare", root, "-o", tmp_path / "out", "--config", file, "--val", "4")
    assert chaosprep(*arguments).stderr.startswith("Error: --val: must be a number")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[gamma]\nexponnt = [1, 2]", "gamma has no exponnt (did you mean exponent?), only "),
        ("[gama]\nexponent = [1, 2]", "it has no gama (did you mean gamma?), only "),
        ("[gamma]\nexponent = [1, 'a']", "gamma.exponent[1] must be a number (given: 'a')"),
        ("[rotation]\ndegrees = 900", "rotation: degrees is out of range"),
        ("engine = 'openvc'", "engine: there is no openvc. Use opencv or augmentor. Did you mean"),
        ("x =", "Invalid value"),
    ],
)
def test_a_recipe_is_named_by_its_file(
    chaosprep: Run, images: Path, tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "own.toml"
    file.write_text(text)
    result = chaosprep("augment", images, "-o", tmp_path / "out", "--spec", file, "-j", "1")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: --spec: {file}: {told}")


def test_an_option_that_excludes_a_key_of_the_configuration_is_told_so(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    file = tmp_path / "own.toml"
    file.write_text("[split]\nval = 0.25")
    arguments = ("prepare", root, "-o", tmp_path / "out", "--config", file, "-n")
    told = "--folds and --val exclude each other. Give one of them.\n"
    result = chaosprep(*arguments, "--folds", "3")
    assert result.stderr == f"Error: {file}: [split] and what is given with it: {told}"
    result = chaosprep(*arguments, "--folds", "3", "--val", "0.25")
    assert result.stderr == f"Error: {told}"
    assert chaosprep(*arguments, "--val", "0.4").exit_code == 0


def test_a_configuration_that_is_no_text_is_told_so(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_bytes(b"\xff\xfe")
    result = chaosprep("prepare", root, "-o", tmp_path / "out", "--config", tmp_path / "own.toml")
    assert result.exit_code == 2
    assert f"{tmp_path}/own.toml: it is not UTF-8 text. Correct it there" in result.stderr


def test_a_switch_is_named_by_its_key_where_its_value_is_wrong(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^trust_folders: must be true or false \(given: 3\)"):
        library.split(root, tmp_path / "out", trust_folders=3)  # type: ignore[arg-type]


def test_somebody_elses_data_package_is_told_in_plain_words(chaosprep: Run, root: Path) -> None:
    result = chaosprep("verify", root)
    assert "datapackage.json: not a chaosprep descriptor (it lacks chaosprep)." in result.stderr


@pytest.fixture
def images(root: Path, tmp_path: Path) -> Path:
    livers = library.extract_liver(library.split(root, tmp_path / "split"), tmp_path / "liver")
    return library.convert(livers, tmp_path / "images").directory


def test_a_key_file_is_named(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"short")
    arguments = ("--images", "{patient}/{slice}.dcm", "--pseudonymize", tmp_path / "key")
    result = chaosprep("split", root, "-o", tmp_path / "out", *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: --pseudonymize: {tmp_path}/key: it holds 5 bytes")


# What goes together, where the output is, and exit codes


@pytest.mark.parametrize("val", ["0.3", "0.2", "0"])
def test_folds_and_val_exclude_each_other(
    chaosprep: Run, root: Path, tmp_path: Path, val: str
) -> None:
    result = chaosprep("split", root, "-o", tmp_path / "out", "--folds", "3", "--val", val)
    assert result.exit_code == 2
    assert result.stderr == ("Error: --folds and --val exclude each other. Give one of them.\n")
    with pytest.raises(UsageError, match=r"^folds and val exclude each other"):
        library.split(root, tmp_path / "out", folds=3, val=float(val))


def test_folds_alone_are_taken_and_recorded_as_ever(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    assert chaosprep("split", root, "-o", tmp_path / "out", "--folds", "3").exit_code == 0
    made = library.open(tmp_path / "out").made.parameters
    assert (made["folds"], made["val"]) == (3, 0.2)


def test_val_from_the_environment_counts_as_given(
    chaosprep: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAOSPREP_SPLIT_VAL", "0.3")
    result = chaosprep("split", root, "-o", tmp_path / "out", "--folds", "3")
    assert result.exit_code == 2


@pytest.mark.parametrize("place", ["", "inside", "link"])
@pytest.mark.parametrize(
    "verb",
    ["split", "prepare", "extract-liver", "convert", "augment", "export nifti", "export nnunet"],
)
def test_an_output_in_its_input_is_a_usage_error(
    chaosprep: Run, root: Path, images: Path, tmp_path: Path, verb: str, place: str
) -> None:
    sources = {"split": root, "prepare": root, "extract-liver": tmp_path / "split"}
    source = sources.get(verb, images)
    if verb == "convert":
        source = tmp_path / "liver"
    (tmp_path / "link").symlink_to(source)
    output = tmp_path / "link/inside" if place == "link" else source / place
    result = chaosprep(*verb.split(), source, "-o", output, "-j", "1")
    assert (result.exit_code, "inside it or around it" in result.stderr) == (2, True)
    assert not (source / "inside").exists()


def test_prepare_around_its_input_is_refused_and_beside_it_is_not(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    for dry in ([], ["-n"]):
        assert chaosprep("prepare", root, "-o", tmp_path, "-j", "1", *dry).exit_code == 2
        assert chaosprep("prepare", root, "-o", root / "out", "-j", "1", *dry).exit_code == 2
    assert chaosprep("prepare", root, "-o", tmp_path / "out", "-n").exit_code == 0


def test_inspect_that_finds_nothing_but_problems_exits_with_4(chaosprep: Run, root: Path) -> None:
    for file in root.glob("Train_Sets/MR/*/T1DUAL/DICOM_anon/InPhase/*"):
        file.unlink()
    for more in ([], ["--json"]):
        result = chaosprep("inspect", root, "-j", "1", *more)
        assert result.exit_code == 4
        assert "the series is empty" in result.output


def test_inspect_of_an_empty_folder_exits_with_4(chaosprep: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert chaosprep("inspect", tmp_path / "empty").exit_code == 4
    pattern = ("--images", "{patient}/{slice}.dcm")
    assert chaosprep("inspect", tmp_path / "empty", *pattern).exit_code == 4


def test_inspect_with_one_series_left_exits_with_0(chaosprep: Run, root: Path) -> None:
    for file in root.glob("Train_Sets/MR/[2-5]/T1DUAL/DICOM_anon/InPhase/*"):
        file.unlink()
    assert chaosprep("inspect", root, "-j", "1").exit_code == 0
