"""Exports of other packages: found by their entry points, and only where they are asked for."""

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import chaosprep
from chaosprep import ChaosprepError, Dataset
from chaosprep.cli.main import main
from chaosprep.plugins import found

CODE = """\
from typing import Annotated

from msgspec import Meta

from chaosprep.exports.record import Export
from chaosprep.params import Fields
from chaosprep.running.folder import Exported, new_folder


class ListParams(Fields, frozen=True, kw_only=True):
    title: Annotated[str, Meta(description="The first line.")] = "Cases"


def write(dataset, output, params, options):
    with new_folder(dataset, output, "list", {}, options.overwrite) as folder:
        (folder / "cases.txt").write_text("\\n".join([params.title, *dataset.case_ids]))
    return Exported("list", output, len(dataset), len(dataset.slices))


export = Export(ListParams, write, "DIR is what any stage made.")
"""
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Make a package with a module and these entry points, as pip would have installed it."""

    def made(package: str, points: str, code: str = CODE) -> None:
        place = tmp_path / package
        info = place / f"{package}-1.0.dist-info"
        info.mkdir(parents=True)
        (place / f"{package}.py").write_text(code, encoding="utf-8")
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[chaosprep.exports]\n{points}\n")
        monkeypatch.syspath_prepend(place)
        importlib.invalidate_caches()

    return made


def test_an_export_of_another_package_is_a_command_with_its_options(
    install: Install, livers: Dataset, tmp_path: Path
) -> None:
    install("listing_a", "list = listing_a:export")
    told = CliRunner().invoke(main, ["export", "list", "--help"]).stdout
    assert "DIR is what any stage made." in told
    assert "--title TEXT" in told
    place = ["export", "list", str(livers.directory), "-o", str(tmp_path / "out")]
    made = CliRunner().invoke(main, [*place, "--title", "All"])
    assert made.stdout.startswith("export list: 4 cases, ")
    assert (tmp_path / "out/cases.txt").read_text().split("\n") == ["All", *livers.case_ids]


def test_it_is_a_format_of_the_function(install: Install, livers: Dataset, tmp_path: Path) -> None:
    install("listing_b", "list = listing_b:export")
    assert chaosprep.export("list", livers, tmp_path / "out").cases == 4


def test_it_is_listed_after_our_own_and_not_imported_for_that(install: Install) -> None:
    install("listing_c", "list = listing_c:export", "raise RuntimeError")
    listed = CliRunner().invoke(main, ["export", "--help"]).stdout
    lines = [line.strip() for line in listed.splitlines()]
    assert lines[-1] == "list         From the package listing_c."
    assert "croissant" in lines[-2]


def test_our_own_names_stay_our_own(install: Install, livers: Dataset, tmp_path: Path) -> None:
    install("listing_d", "nifti = listing_d:export")
    made = chaosprep.export("nifti", livers, tmp_path / "out")
    assert (made.path / "participants.tsv").exists()
    assert "listing_d" not in CliRunner().invoke(main, ["export", "--help"]).stdout


def test_nobody_looks_for_packages_where_the_name_is_ours(
    monkeypatch: pytest.MonkeyPatch, livers: Dataset, tmp_path: Path
) -> None:
    def look(group: str) -> None:
        raise AssertionError(group)

    monkeypatch.setattr("chaosprep.exports.table.found", look)
    assert chaosprep.export("nifti", livers, tmp_path / "out").cases == 4
    assert CliRunner().invoke(main, ["export", "nifti", "--help"]).exit_code == 0


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import nowhere_to_be_found", "cannot be imported (ModuleNotFoundError: No module named"),
        ("1 / 0", "cannot be imported (ZeroDivisionError: division by zero)"),
        ("raise SystemExit(0)", "cannot be imported (SystemExit: 0)"),
        ("other = 1", "cannot be imported (AttributeError: "),
        ("def export(): ...", "is not of type Export"),
    ],
)
def test_one_that_is_broken_is_a_named_error(
    install: Install, tmp_path: Path, code: str, said: str
) -> None:
    package = f"broken_{abs(hash(code))}"
    install(package, f"list = {package}:export", code)
    made = CliRunner().invoke(main, ["export", "list", str(tmp_path), "-o", str(tmp_path / "out")])
    assert made.exit_code == 1
    assert made.stderr.startswith(f"Error: list: {package}:export of the package {package} {said}")
    assert "Traceback" not in made.output


def test_a_damaged_list_of_entry_points_is_a_named_error(install: Install) -> None:
    install("damaged", "this line names nothing")
    with pytest.raises(ChaosprepError, match="entry points of an installed package") as error:
        found("chaosprep.exports")
    assert error.value.code == "plugin"


def test_of_two_with_one_name_the_first_on_the_path_is_taken(install: Install) -> None:
    install("second", "list = second:export")
    install("first", "list = first:export")
    assert found("chaosprep.exports")["list"].module == "first"


def test_other_groups_are_left_alone(install: Install) -> None:
    install("listing_e", "list = listing_e:export")
    assert "list" not in found("chaosprep.formats")
