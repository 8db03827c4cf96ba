"""What results show in a notebook: the words that the commands print."""

import shutil
from collections.abc import Callable
from contextlib import chdir
from io import BytesIO
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import chaosprep
from chaosprep import Dataset
from chaosprep.cli.main import main
from chaosprep.phantom import Patient, write_chaos
from chaosprep.quality.archived import Archive
from tests.documents import run_here
from tests.html_page import Page


def words(text: str) -> list[str]:
    """The words of each line that has some."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


class Shows(Protocol):
    """A result of a verb."""

    @property
    def _repr_html_(self) -> Callable[[], str | None]: ...


def shown(found: Shows) -> Page:
    """What a notebook shows of a result."""
    return Page(found._repr_html_() or "")


def rows(page: Page) -> list[str]:
    """The words of each row of its tables."""
    return [" ".join(" ".join(row).split()) for row in page.rows]


@pytest.fixture
def worse(livers: Dataset, tmp_path: Path) -> Path:
    """Predictions: the masks without their upper half."""
    place = tmp_path / "worse"
    place.mkdir()
    for row in livers.slices:
        mask = np.array(livers.mask(row))
        mask[: np.flatnonzero(mask.any(axis=1)).mean().astype(int) if mask.any() else 0] = 0
        Image.fromarray(mask).save(place / f"{row.id}.png")
    return place


def test_inspect_shows_its_table(phantom: Path, tmp_path: Path) -> None:
    page = shown(chaosprep.inspect(phantom))
    printed = words(run_here(["inspect", str(phantom)], tmp_path))
    assert rows(page)[1:] == printed[1 : len(page.rows)]
    assert {*printed[len(page.rows) :]} <= {*words(page.text)}


def test_an_archive_shows_its_kinds(phantom: Path, tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    for number, path in enumerate(sorted(phantom.rglob("*.dcm"))):
        flat.mkdir(exist_ok=True)
        shutil.copyfile(path, flat / f"{number}.dcm")
    found = chaosprep.inspect(flat)
    assert isinstance(found, Archive)
    page = shown(found)
    printed = words(run_here(["inspect", str(flat)], tmp_path))
    assert [row[0] for row in page.rows[1:]] == [kind.name for kind in found.kinds]
    assert printed[-1] in words(page.text)


def test_verify_shows_its_faults(images: Dataset, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(images.directory, tmp_path / "damaged"))
    (damaged / images.slices[0].image).unlink()
    done = CliRunner().invoke(main, ["verify", str(damaged), "-j", "1"])
    assert done.exit_code == 1
    told = words(shown(chaosprep.verify(damaged)).text)
    assert sorted(told) == sorted(words(done.stderr + done.stdout))


def test_verify_says_where_the_rest_of_many_faults_is(images: Dataset, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(images.directory, tmp_path / "damaged"))
    for case in images.cases:
        (damaged / case.slices[0].image).unlink()
    found = chaosprep.verify(damaged)
    text = shown(found).text
    assert f"Faults: {len(found.faults)} file-missing" in text
    assert "Fault: file-missing: 1 more like this in .faults" in text


def test_evaluate_shows_its_table(livers: Dataset, worse: Path, tmp_path: Path) -> None:
    found = chaosprep.evaluate(worse, livers.directory)
    printed = words(run_here(["evaluate", str(worse), str(livers.directory)], tmp_path))
    page = shown(found)
    assert {*(line for line in printed if line.startswith(("MR", "mean", "+-")))} <= {*rows(page)}
    assert printed[-1] in words(page.text)


def test_a_comparison_shows_its_tests(livers: Dataset, worse: Path, tmp_path: Path) -> None:
    places = [str(livers.directory), str(worse), str(livers.directory)]
    found = chaosprep.compare_predictions(*places)
    printed = words(run_here(["evaluate", *places], tmp_path))
    page = shown(found)
    assert rows(page) == printed[:-1]
    assert printed[-1] in words(page.text)


def test_readers_show_how_they_agree(livers: Dataset, worse: Path, tmp_path: Path) -> None:
    places = [str(livers.directory), str(worse)]
    printed = words(run_here(["agree", *places], tmp_path))
    page = shown(chaosprep.agree(places))
    assert {*printed} <= {*rows(page), *words(page.text)}


def test_diff_shows_what_differs(pairs: Dataset, livers: Dataset, tmp_path: Path) -> None:
    places = [str(pairs.directory), str(livers.directory)]
    done = CliRunner().invoke(main, ["diff", *places, "-v", "-j", "1"])
    page = shown(chaosprep.diff(*places))
    assert words(done.stdout) == words(page.text)


def test_a_preview_shows_its_picture(images: Dataset, tmp_path: Path) -> None:
    sheet = chaosprep.preview(images.directory, tmp_path / "sheet.png")
    assert sheet._repr_png_() == (tmp_path / "sheet.png").read_bytes()
    (tmp_path / "sheet.png").unlink()
    assert sheet._repr_png_() is None


def test_a_preview_of_copies_is_that_of_the_command(images: Dataset, tmp_path: Path) -> None:
    given = ["--preset", "light", "--seed", "5", "--preview", str(tmp_path / "sheet.png")]
    run_here(["augment", str(images.directory), *given], tmp_path)
    with Image.open(tmp_path / "sheet.png") as sheet:
        expected = np.asarray(sheet.convert("RGB"))
    for source in (images, images.directory):
        drawn = chaosprep.preview_augment(source, preset="light", seed=5)
        with Image.open(BytesIO(drawn._repr_png_())) as picture:
            assert np.array_equal(np.asarray(picture.convert("RGB")), expected)
        assert drawn.png == drawn._repr_png_()


def test_a_report_below_the_notebook_has_a_link(images: Dataset, tmp_path: Path) -> None:
    with chdir(tmp_path):
        near = chaosprep.report(images.directory, "my report.html")
    assert shown(near).links == ["my%20report.html"]
    far = chaosprep.report(images.directory, tmp_path / "other.html")
    assert shown(far).links == []


def test_names_of_others_are_escaped(tmp_path: Path) -> None:
    root = write_chaos(
        tmp_path / "<b>root", [Patient(id=1, sequences=("t1-in",), slices=3, matrix=32)]
    )
    (root / "Train_Sets/MR/1/T1DUAL/DICOM_anon/InPhase/IMG-0005-00004.dcm").write_bytes(b"none")
    found = chaosprep.inspect(root)
    assert "<b>" not in str(found._repr_html_())
    assert "Problem: " in shown(found).text
