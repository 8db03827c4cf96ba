"""`--config`: one TOML file for all verbs, and `--print-config`, which writes it."""

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import chaosprep as library
from chaosprep.configuration import read_config
from chaosprep.toml import toml_value
from chaosprep.verb_table import VERBS

from .conftest import Run

EVERYTHING = """\
[run]
jobs = 1
dask = "local"
no-progress = true

[split]
val-patient = ["MR004"]

[convert]
keep-16bit = true

[augment]
copies = 3

[prepare]
report = true

[verify]
strict = true

[evaluate]
tolerance = ["liver=2"]

[export.nnunet]
id = 7
name = "Own"

[train]
epochs = 2
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with tables of several verbs."""
    made = tmp_path / "own.toml"
    made.write_text(EVERYTHING)
    return made


@pytest.fixture
def split(root: Path, tmp_path: Path) -> Path:
    return library.split(root, tmp_path / "split").directory


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("completion", "export")])
def test_every_verb_takes_it(chaosprep: Run, verb: str) -> None:
    said = chaosprep(verb, "--help").stdout
    assert "--config FILE.toml" in said
    assert "--print-config" in said


def test_a_stage_takes_its_own_table(chaosprep: Run, root: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text("[run]\njobs = 1\n[split]\nval-patient = ['MR004']\n[convert]\nsize = '32'\n")
    words = ("split", root, "-o", tmp_path / "out", "--config", file)
    assert chaosprep(*words).exit_code == 0
    rows = library.open(tmp_path / "out").slices
    assert {row.patient for row in rows if row.split == "val"} == {"MR004"}


def test_one_file_serves_a_stage_and_prepare_alike(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    file = tmp_path / "own.toml"
    file.write_text(EVERYTHING.replace('dask = "local"\n', ""))
    chaosprep("split", root, "-o", tmp_path / "split", "--config", file)
    made = chaosprep("prepare", root, "-o", tmp_path / "out", "--config", file)
    assert made.exit_code == 0, made.stderr
    assert (tmp_path / "out/report.html").exists()
    single, chained = (library.open(tmp_path / name).slices for name in ("split", "out/split"))
    assert single == chained
    assert max(row.copy for row in library.open(tmp_path / "out/augmented").slices) == 3


def test_options_go_before_the_file(chaosprep: Run, root: Path, tmp_path: Path, file: Path) -> None:
    words = ("split", root, "-o", tmp_path / "out", "--config", file, "-n", "-j", "1", "--dask", "")
    printed = chaosprep(
        "split", "--config", file, "--val-patient", "MR002", "--print-config"
    ).stdout
    assert 'val-patient = ["MR002"]' in printed
    file.write_text("[split]\nval-patient = ['MR004']\n")
    assert "val: 1 patient: MR004\n" in chaosprep(*words[:-2]).stdout
    assert "val: 1 patient: MR002\n" in chaosprep(*words[:-2], "--val-patient", "MR002").stdout


def test_the_environment_goes_before_the_file(
    chaosprep: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "own.toml"
    file.write_text("[split]\nval-patient = ['MR004']\n")
    monkeypatch.setenv("CHAOSPREP_SPLIT_VAL_PATIENT", "MR003")
    words = ("split", root, "-o", tmp_path / "out", "--config", file, "-n", "-j", "1")
    assert "val: 1 patient: MR003\n" in chaosprep(*words).stdout


def test_a_verb_that_is_no_stage_takes_its_table(
    chaosprep: Run, split: Path, tmp_path: Path
) -> None:
    file = tmp_path / "own.toml"
    file.write_text("[run]\njson = true\njobs = 1\n[preview]\nper-case = 1\ntile = 32\n")
    made = chaosprep("preview", split, "-o", tmp_path / "a.png", "--config", file)
    assert made.exit_code == 0, made.stderr
    told = json.loads(made.stdout)
    assert told["slices"] == told["cases"] == 5


def test_an_export_takes_the_table_of_its_format(
    chaosprep: Run, split: Path, tmp_path: Path, file: Path
) -> None:
    livers = library.extract_liver(split, tmp_path / "livers").directory
    words = ("export", "nnunet", livers, "-o", tmp_path / "raw", "--config", file)
    made = chaosprep(*words)
    assert made.exit_code == 0, made.stderr
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["Dataset007_Own"]


def test_python_prepares_from_the_same_file(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text("[run]\nstore = 'tar'\n[augment]\ncopies = 3\n[evaluate]\nper = 'slice'\n")
    made = library.prepare(root, tmp_path / "out", config=file)
    assert max(row.copy for row in made.slices) == 3
    assert list((tmp_path / "out").glob("*/train/*/*.png")) == []


@pytest.mark.parametrize(
    ("verb", "text", "told"),
    [
        ("verify", "[verfy]\nstrict = true", "verfy: no such section. "),
        ("verify", "[verfy]\nstrict = true", "Did you mean verify?"),
        ("verify", "[verify]\nstrikt = true", "[verify] strikt: no such parameter. "),
        ("verify", "[verify]\nstrikt = true", "Did you mean strict?"),
        (
            "verify",
            "[verify]\njobs = 2",
            "[verify] jobs: it belongs to all commands. Put it under [run]",
        ),
        (
            "split",
            "[split]\njobs = 2",
            "[split] jobs: it belongs to all commands. Put it under [run].",
        ),
        (
            "prepare",
            "[split]\njobs = 2",
            "[split] jobs: it belongs to all commands. Put it under [run].",
        ),
        ("prepare", "[prepare]\nreprot = true", "[prepare] reprot: no such parameter. "),
        ("split", "[split]\nvall = 0.2", "[split] vall: no such parameter. "),
        (
            "split",
            "[split]\nval = 4",
            "[split] val: must be a number of at least 0 and less than 1",
        ),
        ("split", "[run]\njob = 2", "job: no such key of [run]. "),
        ("split", "[run]\njobs = 0", "[run] jobs: 0 is not in the range x>=1. "),
        ("split", "[run]\njobs = 1.5", "[run] jobs: '1.5' is not a valid integer range. "),
        (
            "split",
            "[run]\noverwrite = 'yes'",
            "[run] overwrite: must be true or false (given: 'yes')",
        ),
        (
            "preview",
            "[preview]\ntile = [64]",
            "[preview] tile: must be a text or a number (given: [64])",
        ),
        ("preview", "[preview]\nper-case = true", "[preview] per-case: must be a text or a number"),
        ("export", "[export]\nid = 3", "[export] id: outside a format. "),
        ("export", "[export.nnunet]\nidd = 3", "[export.nnunet] idd: no such parameter. "),
        ("split", "jobs = 2", "jobs: outside a section. "),
    ],
)
def test_what_the_file_should_not_have_is_told_with_its_place(
    chaosprep: Run, split: Path, tmp_path: Path, verb: str, text: str, told: str
) -> None:
    file = tmp_path / "own.toml"
    file.write_text(text)
    words = ("export", "nnunet") if verb == "export" else (verb,)
    output = () if verb == "verify" else ("-o", tmp_path / "out.png")
    result = chaosprep(*words, split, *output, "--config", file)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {file}: ")
    assert told in result.stderr
    assert not (tmp_path / "out.png").exists()


def test_an_unknown_format_is_answered_with_the_one_that_was_meant(
    chaosprep: Run, split: Path, tmp_path: Path
) -> None:
    file = tmp_path / "own.toml"
    file.write_text("[export.nnunett]\nid = 3\n")
    result = chaosprep("export", "nnunet", split, "-o", tmp_path / "out", "--config", file)
    assert result.exit_code == 2
    assert "[export] nnunett: no such format. " in result.stderr
    assert "Did you mean nnunet?" in result.stderr


# What --print-config writes


PRINTED = [
    ("split", ("--val", "0.3", "--stratify", "label:liver", "-j", "3", "--on-error", "skip")),
    ("split", ("--folds", "3", "--seed", "4", "--select", "bits == 16", "-q", "--overwrite")),
    ("convert", ("--keep-16bit", "--size", "64", "--store", "tar")),
    ("augment", ("--copies", "2", "--preset", "light")),
    ("prepare", ("--copies", "2", "--seed", "5", "--val", "0.3", "--report", "-v")),
    ("prepare", ("--organ", "spleen", "--size", "64", "--min-area", "20")),
    ("evaluate", ("--tolerance", "liver=2", "--tolerance", "3", "--lesions", "--csv", 'a "b".csv')),
    ("verify", ("--replay", "all", "--strict", "--json")),
    ("report", ("--slices", "none", "--max-mb", "3.5")),
    ("export nnunet", ("--id", "5", "--channel-name", "t1-in=T1")),
    ("phantom", ("--sequence", "ct", "--patients", "3")),
    ("train", ("--epochs", "3", "--lr", "1e-5")),
    ("demo", ()),
]


@pytest.mark.parametrize(("verb", "words"), PRINTED)
def test_what_is_printed_is_read_back_to_the_same(
    chaosprep: Run, tmp_path: Path, verb: str, words: tuple[str, ...]
) -> None:
    first = chaosprep(*verb.split(), *words, "--print-config")
    assert first.exit_code == 0, first.stderr
    file = tmp_path / "own.toml"
    file.write_text(first.stdout, encoding="utf-8")
    assert chaosprep(*verb.split(), "--print-config", "--config", file).stdout == first.stdout
    assert bool(words) == any(tomllib.loads(first.stdout).values())


def test_a_default_is_what_stands_behind_a_number_sign(chaosprep: Run) -> None:
    lines = chaosprep("split", "--val", "0.3", "--print-config").stdout.splitlines()
    assert "val = 0.3" in lines
    assert {"# test = 0.0", "# seed = 0", '# link = "copy"', "# overwrite = false"} <= {*lines}


def test_the_printed_settings_make_the_same_bytes(
    chaosprep: Run, root: Path, tmp_path: Path
) -> None:
    words = ("--copies", "2", "--seed", "5", "--val", "0.3", "--keep-16bit", "--size", "48")
    file = tmp_path / "own.toml"
    file.write_text(chaosprep("prepare", *words, "--print-config").stdout)
    chaosprep("prepare", root, "-o", tmp_path / "a", "-j", "1", *words)
    chaosprep("prepare", root, "-o", tmp_path / "b", "-j", "1", "--config", file)
    made = [
        {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
        for out in (tmp_path / "a", tmp_path / "b")
    ]
    assert len(made[0]) > 100
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("split", "--val", "4"), "Error: --val: must be a number of at least 0"),
        (("prepare", "--copies", "-1"), "Error: --copies: must be a whole number"),
        (("preview", "--tile", "1"), "Invalid value for '--tile'"),
    ],
)
def test_settings_that_no_run_would_take_are_not_printed(
    chaosprep: Run, words: tuple[str, ...], told: str
) -> None:
    result = chaosprep(*words, "--print-config")
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr


_values = st.recursive(
    st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(_values)
@example('\x7f \0 " \\ \n')
def test_any_value_is_read_by_tomllib_as_it_was(value: object) -> None:
    assert tomllib.loads(f"x = {toml_value(value)}") == {"x": value}


def test_the_file_of_this_page_is_read(file: Path) -> None:
    tables = read_config(file)
    assert tables["export.nnunet"] == {"id": 7, "name": "Own"}
    assert tables["run"] == {"jobs": 1, "dask": "local", "no_progress": True}
