"""What `evaluate` prints and writes, and its exit codes."""

import csv
import json
from pathlib import Path

import pytest

import chaosprep as library
from tests.evaluation.trees import write_shifted

from .conftest import Run


@pytest.fixture(scope="module")
def livers(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five patients, one of them val. Read only."""
    folder = tmp_path_factory.mktemp("stages")
    library.split(pristine, folder / "split")
    return library.extract_liver(folder / "split", folder / "liver").directory


@pytest.fixture
def net(livers: Path, tmp_path: Path) -> Path:
    """Every mask one column to the right."""
    return write_shifted(library.open(livers), tmp_path / "net")


def test_a_table_of_80_columns_then_what_it_comes_to(
    chaosprep: Run, livers: Path, net: Path
) -> None:
    result = chaosprep("evaluate", net, livers, "-j", "1")
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0].split() == [
        *("Case", "Organ", "Dice", "Prec", "Recall", "RAVD%", "ASSD", "MSSD", "HD95", "Score")
    ]
    assert [line.split()[0] for line in lines[1:9]] == [
        *(f"MR00{n}_t1-in" for n in range(1, 6)),
        *("mean", "+-", "cases"),
    ]
    assert max(map(len, lines)) <= 80
    score = library.evaluate(net, livers).score
    assert lines[-1] == f"evaluate: 5 cases, 1 organ, CHAOS score {score:.2f}, 0 skipped"


def test_the_help_is_set_as_paragraphs(chaosprep: Run) -> None:
    text = chaosprep("evaluate", "--help").stdout.partition("Options:")[0]
    assert "submission of Results" in " ".join(text.split())
    assert not [line for line in text.splitlines() if line.startswith("   ")]


def test_json_has_every_number(chaosprep: Run, livers: Path, net: Path) -> None:
    said = json.loads(chaosprep("evaluate", net, livers, "-j", "1", "--json").stdout)
    assert len(said["results"]) == 5
    assert said["results"][0]["jaccard"] == library.evaluate(net, livers).results[0].jaccard
    assert said["summaries"][0]["metrics"]["dice"]["n"] == 5


def test_csv_and_plot_are_written(chaosprep: Run, livers: Path, net: Path, tmp_path: Path) -> None:
    table, plot = tmp_path / "t.csv", tmp_path / "p.png"
    result = chaosprep("evaluate", net, livers, "-j", "1", "-q", "--csv", table, "--plot", plot)
    assert result.exit_code == 0
    assert len(list(csv.DictReader(table.read_text().splitlines()))) == 5
    assert plot.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("option", "name"), [("--csv", "t.csv"), ("--plot", "p.png")])
def test_a_file_of_somebody_else_is_replaced_only_when_asked(
    chaosprep: Run, livers: Path, net: Path, tmp_path: Path, option: str, name: str
) -> None:
    words = ("evaluate", net, livers, "-j", "1", "-q", option, tmp_path / name)
    (tmp_path / name).write_text("case,patient\nmine,mine\n")
    refused = chaosprep(*words)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert (tmp_path / name).read_text() == "case,patient\nmine,mine\n"
    assert chaosprep(*words, "--overwrite").exit_code == 0
    before = (tmp_path / name).read_bytes()
    assert chaosprep(*words).exit_code == 0  # its own
    assert (tmp_path / name).read_bytes() == before


def test_where_one_of_two_files_cannot_be_neither_is_made(
    chaosprep: Run, livers: Path, net: Path, tmp_path: Path
) -> None:
    table, plot = tmp_path / "t.csv", tmp_path / "p.png"
    plot.write_text("mine")
    result = chaosprep("evaluate", net, livers, "--csv", table, "--plot", plot)
    assert result.exit_code == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net", "p.png"]


def test_problems_are_listed_and_the_exit_code_is_1(
    chaosprep: Run, livers: Path, net: Path
) -> None:
    (net / "MR002_t1-in_s001.png").unlink()
    (net / "MR004_t1-in_s003.png").write_bytes(b"no PNG")
    result = chaosprep("evaluate", net, livers, "-j", "1")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "MR002_t1-in: of the predicted slices, 1 of its 5 slices are missing" in result.stderr
    assert "MR004_t1-in: MR004_t1-in_s003.png: not an image" in result.stderr
    assert "Error: evaluate: 2 problems." in result.stderr


def test_skip_leaves_cases_out_with_exit_code_3(chaosprep: Run, livers: Path, net: Path) -> None:
    (net / "MR002_t1-in_s001.png").unlink()
    result = chaosprep("evaluate", net, livers, "-j", "1", "--on-error", "skip")
    assert result.exit_code == 3
    assert result.stderr.startswith("Left out: MR002_t1-in: ")
    assert result.stdout.endswith("1 skipped\n")


def test_what_is_not_understood_has_exit_code_4(
    chaosprep: Run, livers: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    result = chaosprep("evaluate", tmp_path / "empty", livers)
    assert result.exit_code == 4
    assert "A side can be a stage directory" in result.stderr


@pytest.mark.parametrize("value", ["1,2", "a,b,c", "0,1,1", "1,1,nan", "1,1,inf"])
def test_a_spacing_is_three_lengths(chaosprep: Run, livers: Path, value: str) -> None:
    result = chaosprep("evaluate", livers, livers, "--spacing", value)
    assert result.exit_code == 2
    assert "three lengths" in result.stderr


def test_one_side_of_the_split(chaosprep: Run, livers: Path) -> None:
    result = chaosprep("evaluate", livers, livers, "-j", "1", "--split", "val")
    assert result.stdout.splitlines()[-1].startswith("evaluate: 1 case, 1 organ, CHAOS score 100")


def test_outputs_lie_outside_both_sides_and_are_named_for_what_they_are(
    chaosprep: Run, livers: Path, net: Path, tmp_path: Path
) -> None:
    for file in (livers / "t.csv", net / "t.csv", tmp_path / "t.txt"):
        result = chaosprep("evaluate", net, livers, "-j", "1", "--csv", file)
        assert result.exit_code == 2
        assert not file.exists()


@pytest.fixture
def other(livers: Path, tmp_path: Path) -> Path:
    """Every mask two columns to the right."""
    return write_shifted(library.open(livers), tmp_path / "other", 2)


def test_two_predictions_are_compared(
    chaosprep: Run, livers: Path, net: Path, other: Path, tmp_path: Path
) -> None:
    table = tmp_path / "t.csv"
    words = ("evaluate", net, other, livers, "-j", "1", "--csv", table)
    result = chaosprep(*words)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].split()[:5] == ["Organ", "Metric", "A", "B", "A-B"]
    assert max(map(len, lines)) <= 80
    assert lines[-1] == "evaluate: 5 cases, 5 patients, 8 tests, 0 skipped"
    assert len(list(csv.DictReader(table.read_text().splitlines()))) == 8
    assert chaosprep(*words).exit_code == 0  # its own file is made again
    of_one = chaosprep("evaluate", net, livers, "-j", "1", "--csv", table)
    assert (of_one.exit_code, "it is not a table of cases" in of_one.stderr) == (1, True)
    said = json.loads(chaosprep(*words, "--json").stdout)
    of_python = library.compare_predictions(net, other, livers).differences[0]
    assert said["differences"][0]["p"] == of_python.p == 2 / 32
    assert of_python.interval is not None
    assert said["differences"][0]["interval"]["low"] == of_python.interval.low
    assert len(said["a"]["results"]) == len(said["b"]["results"]) == 5


def test_cases_of_one_prediction_alone_are_left_out_with_exit_code_3(
    chaosprep: Run, livers: Path, net: Path, other: Path
) -> None:
    for file in other.glob("MR001_*.png"):
        file.unlink()
    words = ("evaluate", net, other, livers, "-j", "1")
    assert chaosprep(*words).exit_code == 1
    result = chaosprep(*words, "--on-error", "skip")
    assert result.exit_code == 3
    assert result.stderr.startswith("Left out: MR001_t1-in: B: the prediction lacks this case")
    assert result.stdout.endswith("1 skipped\n")


@pytest.mark.parametrize("count", [1, 4])
def test_other_numbers_of_paths_are_refused(chaosprep: Run, livers: Path, count: int) -> None:
    result = chaosprep("evaluate", *[livers] * count)
    assert result.exit_code == 2
    assert "Give PRED and REF, or two predictions and REF." in result.stderr


def test_volumes_have_bias_and_limits(chaosprep: Run, livers: Path, net: Path) -> None:
    result = chaosprep("evaluate", net, livers, "-j", "1", "-q")
    volume = library.evaluate(net, livers).summaries[0].volume
    assert volume is not None
    assert result.stdout.splitlines()[-1].startswith(f"volume liver  bias {volume.bias:.2f} ml")
