"""Progress in notebooks, and workers that a notebook or a session at a prompt starts."""

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import chaosprep
from chaosprep import Dataset, notebook
from chaosprep.errors import ProblemsError
from chaosprep.notebook import Bar
from tests.html_page import Page
from tests.kernels import outputs_of, text_of

Pages = list[tuple[str, str]]

SPAWNS = """\
import os, multiprocessing
os.environ["CHAOSPREP_START"] = "spawn"
started, real = [], multiprocessing.get_context
multiprocessing.get_context = lambda way=None: (started.append(way), real(way))[1]
"""


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Pages:
    """What a notebook would show, one page in the place of the one before."""
    shown: Pages = []
    monkeypatch.setattr(
        notebook, "display", lambda: lambda page, plain: shown.append((page, plain))
    )
    monkeypatch.setattr(notebook, "_SOON", 0.0)
    return shown


def test_a_stage_shows_how_many_cases_are_done(
    livers: Dataset, tmp_path: Path, pages: Pages
) -> None:
    made = chaosprep.convert(livers, tmp_path / "out")
    assert [plain for _, plain in pages[:-2]] == [
        "convert: 0 of 4 cases",
        *(f"convert: {n} of 4 cases, {case.id}" for n, case in enumerate(livers.cases, start=1)),
    ]
    assert '<progress value="2" max="4"' in pages[2][0]
    assert pages[-1][1] == (
        f"convert: 4 cases, {len(livers.slices)} slices, 0 skipped -> {made.manifest}"
    )
    assert "<progress" not in pages[-1][0]


def test_a_line_stays_for_each_stage_of_prepare(
    phantom: Path, tmp_path: Path, pages: Pages
) -> None:
    chaosprep.prepare(phantom, tmp_path / "out", val=0.25)
    lines = pages[-1][1].splitlines()
    assert [line.split(":")[0] for line in lines] == [
        *("split", "extract-liver", "convert", "augment")
    ]


def test_whoever_listens_gets_no_bar(livers: Dataset, tmp_path: Path, pages: Pages) -> None:
    events: list[chaosprep.Event] = []
    chaosprep.convert(livers, tmp_path / "out", on_event=events.append)
    assert events
    assert pages == []


def test_a_verb_that_fails_leaves_how_far_it_came_and_no_bar(
    livers: Dataset, tmp_path: Path, pages: Pages
) -> None:
    damaged = Path(shutil.copytree(livers.directory, tmp_path / "damaged"))
    (damaged / livers.cases[3].slices[0].image).unlink()
    with pytest.raises(ProblemsError):
        chaosprep.convert(damaged, tmp_path / "out")
    assert pages[-1][1] == "convert: 4 of 4 cases"
    assert "<progress" not in pages[-1][0]


def test_verify_and_evaluate_count_cases(images: Dataset, livers: Dataset, pages: Pages) -> None:
    chaosprep.verify(images.directory)
    assert [plain for _, plain in pages][0::4] == [
        "verify: 1 case, MR001_t1-in",
        "verify: 4 cases",
    ]
    assert "<progress style" in pages[0][0]  # nobody knows of how many
    pages.clear()
    chaosprep.evaluate(images.directory, livers.directory)
    assert pages[1][1].startswith("evaluate: 2 of 4 cases, ")
    pages.clear()
    chaosprep.compare_predictions(images.directory, images.directory, livers.directory)
    assert pages[1][1].startswith("evaluate: 2 of 4 cases, ")


def test_an_epoch_is_told_in_the_words_of_the_command(pages: Pages) -> None:
    bar = Bar("train", lambda page, plain: pages.append((page, plain)))
    said = SimpleNamespace(epoch=3, told=lambda best, epochs: f"epoch 3 of {epochs}, {best}")
    bar.on_epoch(said, True, 20)  # type: ignore[arg-type]
    assert pages[0][1] == "epoch 3 of 20, True"
    assert '<progress value="3" max="20"' in pages[0][0]


def test_a_name_is_shown_as_it_is(pages: Pages) -> None:
    Bar("verify", lambda page, plain: pages.append((page, plain))).on_case("<b>\x1b", 1, 2)
    assert "<b>" not in pages[0][0]
    assert Page(pages[0][0]).text.strip() == "verify: 1 of 2 cases, <b>\\x1b"


def test_many_cases_are_few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    pages: list[str] = []
    clock = iter(n / 100 for n in range(1000))
    monkeypatch.setattr(notebook, "monotonic", lambda: next(clock))
    bar = Bar("verify", lambda page, plain: pages.append(plain))
    for n in range(100):
        bar.on_case(f"c{n}", n + 1, 100)
    assert 9 <= len(pages) <= 11
    bar.stop()
    assert pages[-1] == "verify: 100 of 100 cases"


@pytest.mark.parametrize("shell", [None, SimpleNamespace()], ids=["none", "terminal"])
def test_nothing_is_shown_where_there_is_no_kernel(
    shell: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert notebook.display() is None


def test_without_ipython_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert notebook.display() is None


def test_two_workers_start_from_a_notebook_in_either_way(livers: Dataset, tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    source = str(livers.directory)
    found = outputs_of(
        [
            "import chaosprep",
            f"one = chaosprep.convert({source!r}, 'one', jobs=2)",
            SPAWNS,
            f"two = chaosprep.convert({source!r}, 'two', jobs=2)",
            "print(len(one), one.descriptor_sha256 == two.descriptor_sha256, {*started})",
        ],
        tmp_path / "place",
    )
    assert text_of(found[-1]) == "4 True {'spawn'}"
    (bar,) = found[1]  # one output, updated in its place
    assert bar.data["text/plain"].startswith("convert: 4 cases, 15 slices, 0 skipped -> ")
    assert "<progress" not in bar.data["text/html"]


def test_two_workers_start_from_a_prompt_in_either_way(livers: Dataset, tmp_path: Path) -> None:
    source = str(livers.directory)
    typed = [
        "import chaosprep",
        f"one = chaosprep.convert({source!r}, 'one', jobs=2)",
        f"exec({SPAWNS!r})",
        f"two = chaosprep.convert({source!r}, 'two', jobs=2)",
        "print(len(one), one.descriptor_sha256 == two.descriptor_sha256, {*started})",
        "",
    ]
    done = subprocess.run(
        [sys.executable, "-i", "-q"],
        input="\n".join(typed),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert "Error" not in done.stderr
    assert done.stdout.strip() == "4 True {'spawn'}"
