"""prepare: split, extract-liver, convert and augment in one go."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.configuration import read_config
from chaosprep.division.params import SplitParams
from chaosprep.errors import ProblemsError, UsageError
from chaosprep.running import processes
from chaosprep.running.options import RunOptions, ignore
from chaosprep.running.runner import run_on
from chaosprep.stages.augment import AugmentParams
from chaosprep.stages.converting.params import ConvertParams
from chaosprep.stages.extract_labels import ExtractLabelsParams
from chaosprep.stages.organ_choice import ExtractLiverParams
from chaosprep.stages.prepare import prepare_params, run_all

Config = Callable[[str], Path]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Write a TOML file."""

    def write(text: str) -> Path:
        path = tmp_path / "prepare.toml"
        path.write_text(text)
        return path

    return write


def contents(directory: Path) -> dict[str, bytes]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}


# Parameters


def test_without_anything_every_stage_has_its_defaults() -> None:
    assert prepare_params({}) == {
        "split": SplitParams(),
        "extract-liver": ExtractLiverParams(),
        "extract-labels": ExtractLabelsParams(),
        "convert": ConvertParams(),
        "augment": AugmentParams(),
    }


def test_each_stage_gets_the_parameters_that_it_knows() -> None:
    made = prepare_params({"val": 0.5, "mask_value": 1, "keep_16bit": True, "copies": 3})
    assert made["split"].val == 0.5
    assert made["extract-liver"].mask_value == 1
    assert made["convert"].keep_16bit
    assert made["augment"].copies == 3


def test_one_seed_goes_to_every_stage_that_draws() -> None:
    made = prepare_params({"seed": 7})
    assert (made["split"].seed, made["augment"].seed) == (7, 7)


def test_patients_are_chosen_once_by_split() -> None:
    made = prepare_params({"patient": ["MR001"]})
    assert made["split"].patient == ("MR001",)
    assert made["augment"].patient == made["convert"].patient == made["extract-liver"].patient == ()


def test_a_file_speaks_for_each_stage(config: Config) -> None:
    file = config(
        """
        [split]
        sequence = ["t1-in", "t2-spir"]
        val-patient = ["MR005"]
        [extract-liver]
        range = [50, 75]
        [convert]
        window_scope = "slice"
        [augment]
        copies = 2
        seed = 9
        """
    )
    made = prepare_params({}, read_config(file))
    assert made["split"].sequence == ("t1-in", "t2-spir")
    assert made["split"].val_patient == ("MR005",)
    assert made["extract-liver"].range == (50, 75)
    assert made["convert"].window_scope == "slice"
    assert (made["augment"].copies, made["augment"].seed, made["split"].seed) == (2, 9, 0)


def test_flags_win_over_the_file(config: Config) -> None:
    file = config("[split]\nval = 0.3\nseed = 1\n[augment]\ncopies = 2\nseed = 2\n")
    made = prepare_params({"val": 0.4, "seed": 3}, read_config(file))
    assert (made["split"].val, made["split"].seed) == (0.4, 3)
    assert (made["augment"].copies, made["augment"].seed) == (2, 3)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[splitt]\nval = 0.2\n", ["splitt", "no such section", "split, extract-liver"]),
        ("[split]\nvall = 0.2\n", ["[split]", "vall", "val_patient"]),
        ("[split]\nval = 2.0\n", ["[split]", "val"]),
        ("[split]\nval = 'much'\n", ["[split]", "val"]),
        ("[extract-liver]\norgan = 'heart'\n", ["[extract-liver]", "organ", "heart"]),
        ("[split]\ncopies = 3\n", ["[split]", "copies"]),
        ("seed = 3\n", ["seed", "outside a section", "[augment]"]),
        ("[split\n", ["prepare.toml"]),
    ],
)
def test_a_wrong_file_is_a_usage_error_that_names_the_place(
    config: Config, text: str, says: list[str]
) -> None:
    with pytest.raises(UsageError) as caught:
        prepare_params({}, read_config(config(text)))
    for words in says:
        assert words in str(caught.value)


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.toml"):
        read_config(tmp_path / "nowhere.toml")


def test_a_file_that_is_no_text_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"[split]\nlink = '\xff'\n")
    with pytest.raises(UsageError, match=r"a\.toml"):
        read_config(tmp_path / "a.toml")


def test_an_unknown_parameter_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="vall: no such parameter"):
        prepare_params({"vall": 0.2})


# The run


def prepared(root: Path, output: Path, **fields: Any) -> dict[str, bytes]:
    chaosprep.prepare(root, output, val=0.25, **fields)
    return contents(output)


def test_the_four_folders_each_stand_alone(phantom: Path, tmp_path: Path) -> None:
    made = chaosprep.prepare(phantom, tmp_path / "out", val=0.25)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "augmented",
        "images",
        "liver",
        "split",
    ]
    stages = ["split", "extract-liver", "convert", "augment"]
    folders = ["split", "liver", "images", "augmented"]
    for count, (stage, folder) in enumerate(zip(stages, folders, strict=True), 1):
        dataset = chaosprep.open(tmp_path / "out" / folder)
        assert dataset.made.stage == stage
        assert [record.stage for record in dataset.history] == stages[:count]
    assert made.directory == tmp_path / "out" / "augmented"
    assert made.made.stage == "augment"


def test_prepare_is_the_four_stages_one_after_the_other(phantom: Path, tmp_path: Path) -> None:
    prepared(phantom, tmp_path / "one")
    split = chaosprep.split(phantom, tmp_path / "two/split", val=0.25)
    liver = chaosprep.extract_liver(split, tmp_path / "two/liver")
    images = chaosprep.convert(liver, tmp_path / "two/images")
    chaosprep.augment(images, tmp_path / "two/augmented")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_one_job_and_two_give_the_same_bytes(phantom: Path, tmp_path: Path) -> None:
    one = prepared(phantom, tmp_path / "one", jobs=1, keep_16bit=True)
    two = prepared(phantom, tmp_path / "two", jobs=2, keep_16bit=True)
    assert one == two


def test_every_stage_runs_with_the_same_options(
    phantom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[RunOptions] = []

    def record(*args: Any) -> Dataset:
        seen.append(args[-2])
        return run_on(*args)

    monkeypatch.setattr("chaosprep.stages.prepare.run_on", record)
    options: dict[str, Any] = {"jobs": 2, "on_error": "skip", "overwrite": True, "on_event": ignore}
    chaosprep.prepare(phantom / "Train_Sets/MR/1", tmp_path / "out", val=0, **options)
    assert seen == [RunOptions(**options)] * 4


def test_two_seeds_differ(phantom: Path, tmp_path: Path) -> None:
    one, two = (prepared(phantom, tmp_path / str(seed), seed=seed) for seed in (0, 1))
    assert one["augmented/slices.jsonl"] != two["augmented/slices.jsonl"]


def test_moving_a_stage_keeps_it_whole(phantom: Path, tmp_path: Path) -> None:
    chaosprep.prepare(phantom, tmp_path / "out", val=0.25)
    (tmp_path / "out/augmented").rename(tmp_path / "moved")
    dataset = chaosprep.open(tmp_path / "moved")
    assert all(dataset.image(row).shape == (row.rows, row.cols) for row in dataset.slices)


def test_no_output_names_the_machine_or_the_time(phantom: Path, tmp_path: Path) -> None:
    made = prepared(phantom, tmp_path / "out")
    texts = [data for name, data in made.items() if name.endswith((".json", ".jsonl"))]
    assert len(texts) == 8
    for text in texts:
        assert str(tmp_path).encode() not in text
        assert str(phantom).encode() not in text


def test_a_second_time_is_already_done(phantom: Path, tmp_path: Path) -> None:
    before = prepared(phantom, tmp_path / "out")
    kinds: list[str] = []
    chaosprep.prepare(
        phantom, tmp_path / "out", val=0.25, on_event=lambda event: kinds.append(event.kind)
    )
    assert kinds == ["already-done"] * 4
    assert contents(tmp_path / "out") == before


def test_a_stage_that_fails_leaves_the_earlier_ones_committed(
    phantom: Path, tmp_path: Path
) -> None:
    with pytest.raises(ProblemsError, match="extract-liver"):
        chaosprep.prepare(phantom, tmp_path / "out", val=0.25, levels="chaos-2019-02")
    assert chaosprep.open(tmp_path / "out/split").made.stage == "split"
    assert not (tmp_path / "out/images").exists()


def test_nothing_is_written_where_the_request_makes_no_sense(phantom: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        chaosprep.prepare(phantom, tmp_path / "out", val=0.25, keep_label=2.0)
    with pytest.raises(UsageError):
        run_all(phantom, tmp_path / "out", prepare_params({"val": 0.01}))
    assert not (tmp_path / "out").exists()


def test_the_config_of_the_python_function_is_the_same_file(
    phantom: Path, tmp_path: Path, config: Config
) -> None:
    file = config("[split]\nval = 0.25\n[augment]\ncopies = 0\n")
    made = chaosprep.prepare(phantom, tmp_path / "out", config=file)
    assert not [row for row in made.slices if row.copy]
    assert made.history[0].parameters["val"] == 0.25


def test_all_stages_work_on_the_same_processes(
    phantom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []

    class Counted(processes.ProcessExecutor):
        def __init__(self, jobs: int) -> None:
            started.append(jobs)
            super().__init__(jobs)

    monkeypatch.setattr(processes, "ProcessExecutor", Counted)
    chaosprep.prepare(phantom, tmp_path / "out", jobs=2, val=0.25)
    assert started == [2]
