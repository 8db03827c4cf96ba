"""What a hostile manifest says is shown as text by whoever reads what is made of it."""

import csv
import hashlib
import json
import shutil
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt
from markdown_it.token import Token

import chaosprep
from chaosprep import Dataset
from chaosprep.cli.main import main
from chaosprep.evaluation.plots import box_plots
from chaosprep.evaluation.tables import csv_text
from chaosprep.markdown import address, inline
from tests.evaluation.test_tables import found, row
from tests.layouts.trees import slice_at, write

Change = Callable[[dict[str, Any]], None]
TEXTS = (
    "---\nlicense: mit\n---",
    "# heading\n\n- item\n\n> quote",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/a.png)",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "<https://evil.example>",
    "https://evil.example/a?b=c and www.evil.example",
    "**bold** _it_ ~~gone~~ `code` ``` fence",
    "| a | b |\n|--|--|\n| c | d |",
    "&lt;b&gt; &#60;i&#62; \\<b> \\",
    "[ref]: https://evil.example",
    "=cmd|' /C calc'!A0",
    "\x1b[2J\x1b]0;owned\x07\u202etxt.exe\u2028next",
    "1. one",
    "+ plus",
    "$\\frac{1}{0}$",
    "```python\nimport os\n```",
    "a\r\nb\tc",
)
SIGNS = [text for text in TEXTS if text.isprintable()]
ALLOWED = {"heading", "paragraph", "text", "softbreak", "code_inline", "fence", "table", "thead"}
ALLOWED |= {"tbody", "tr", "th", "td", "bullet_list", "list_item", "inline"}


def markdown() -> MarkdownIt:
    """CommonMark with GitHub's tables and strikethrough, HTML and all."""
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def tokens(text: str) -> list[Token]:
    """The tokens of a text, those within lines too."""
    return [one for token in markdown().parse(text) for one in (token, *(token.children or ()))]


def kinds(text: str) -> set[str]:
    return {token.type.removesuffix("_open").removesuffix("_close") for token in tokens(text)}


def contents(text: str) -> str:
    return "".join(token.content for token in tokens(text) if token.type == "text")


def made_hostile(dataset: Dataset, path: Path, change: Change = lambda row: None) -> Path:
    """A copy of a dataset whose title, licences, sources and stages are hostile, rows changed."""
    shutil.copytree(dataset.directory, path)
    rows = [json.loads(line) for line in (path / "slices.jsonl").read_bytes().splitlines()]
    for one in rows:
        change(one)
    table = "".join(json.dumps(one) + "\n" for one in rows).encode()
    descriptor = json.loads((path / "datapackage.json").read_text())
    descriptor["title"] = " ".join(TEXTS)
    descriptor["licenses"] = [{"name": "mit\nextra: 1", "title": t, "path": t} for t in TEXTS]
    descriptor["sources"] = [{"title": text, "path": text} for text in TEXTS]
    for past in descriptor["chaosprep"]["history"]:
        past["stage"] = TEXTS[2]
    resource = descriptor["resources"][0]
    resource |= {"bytes": len(table), "hash": f"sha256:{hashlib.sha256(table).hexdigest()}"}
    (path / "slices.jsonl").write_bytes(table)
    (path / "datapackage.json").write_text(json.dumps(descriptor))
    return path


def liver_is(organ: str) -> Change:
    """A change of a row that gives the liver another name."""

    def change(row: dict[str, Any]) -> None:
        named = {"liver": organ}
        row["labels"] = {value: named.get(name, name) for value, name in row["labels"].items()}
        row["pixels"] = {named.get(name, name): count for name, count in row["pixels"].items()}

    return change


# Markdown


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("line", ["- {}", "{}", "Organs: {}.", "| {} | x |\n|--|--|\n| {} | y |"])
def test_text_in_markdown_is_shown_as_it_is(text: str, line: str) -> None:
    shown = line.replace("{}", inline(text))
    assert kinds(shown) <= kinds(line.replace("{}", "x")) | {"text_special"}
    if text.isprintable() and line == "Organs: {}.":
        assert "".join(one.content for one in tokens(shown) if one.type != "inline") == (
            f"Organs: {text.strip()}."
        )


@pytest.mark.parametrize("text", ["liver", "right-kidney", "T1 (in-phase), 5 mm", "Kavur et al."])
def test_plain_text_is_not_touched(text: str) -> None:
    assert inline(text) == text


@pytest.mark.parametrize("text", [*TEXTS, "javascript:alert(1)", "https://a/_b_", "https://a/)b"])
def test_only_a_plain_address_is_left_as_one(text: str) -> None:
    assert address(text) == inline(text)
    assert address("https://doi.org/10.5281/zenodo.1") == "https://doi.org/10.5281/zenodo.1"


@pytest.mark.parametrize("organ", SIGNS)
def test_the_card_has_its_own_parts_only(images: Dataset, tmp_path: Path, organ: str) -> None:
    place = made_hostile(images, tmp_path / "in", liver_is(organ))
    chaosprep.export("huggingface", place, tmp_path / "out")
    text = (tmp_path / "out/README.md").read_text()
    _, head, body = text.split("---\n", 2)
    front = pytest.importorskip("yaml").safe_load(head)
    assert set(front) == {
        *("license", "license_name", "license_link"),
        *("task_categories", "tags", "size_categories"),
    }
    assert front["license"] == "other"
    assert kinds(body) <= ALLOWED | {"text_special"}
    headings = [
        after.content
        for before, after in zip(tokens(body), tokens(body)[1:], strict=False)
        if before.type == "heading_open"
    ]
    own = ["Image and mask slices", "Load it", "Licence and citation", "How this dataset was made"]
    parts = ["Data", "Division", "Preparation", "Mask values", "Software"]
    assert headings == [*own, *parts, "CLAIM 2024, items 7 to 13"]
    assert len([one for one in tokens(body) if one.type == "list_item_open"]) == 2 * len(TEXTS)
    assert len([one for one in tokens(body) if one.type == "fence"]) == 1
    assert text.replace("\n", "").isprintable()


def test_croissant_has_text_where_readers_show_markdown(images: Dataset, tmp_path: Path) -> None:
    chaosprep.export("croissant", made_hostile(images, tmp_path / "in"), tmp_path / "out")
    made = json.loads((tmp_path / "out/croissant.json").read_text())
    assert kinds(made["description"]) <= {"paragraph", "inline", "text", "text_special"}
    assert made["description"].isprintable()
    assert made["citeAs"].isprintable()
    assert made["isBasedOn"] == []
    assert set(made["license"]) == {"mit\\nextra: 1"}


def test_the_licence_has_a_line_for_each(images: Dataset, tmp_path: Path) -> None:
    chaosprep.export("croissant", made_hostile(images, tmp_path / "in"), tmp_path / "out")
    lines = (tmp_path / "out/LICENSE-DATA.txt").read_text().splitlines()
    assert len(lines) == 2 * len(TEXTS) + 7
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("format", ["nnunet", "monai", "nifti"])
@pytest.mark.parametrize("organ", ["=cmd|' /C calc'!A0", "a\u00e9 <b>", "-x;=y", 'a"b,c'])
def test_names_in_json_and_tsv_are_one_cell_each(
    folds: Dataset, tmp_path: Path, format: str, organ: str
) -> None:
    place = made_hostile(folds, tmp_path / "hostile", liver_is(organ))
    made = chaosprep.export(format, place, tmp_path / "out")
    for path in made.path.glob("dataset*.json"):
        said = json.loads(path.read_text())
        for key in ("licence", "reference", "License"):
            assert str(said.get(key, "")).isprintable()
        if "labels" in said and path.name == "dataset.json":
            assert organ in {*map(str, said["labels"].values()), *said["labels"]}
    for path in made.path.glob("*.tsv"):
        rows = [line.split("\t") for line in path.read_text().splitlines()]
        assert len({len(cells) for cells in rows}) == 1
        assert not [one for cells in rows for one in cells if one[:1] in ("=", "+", "-", "@")]


# CSV, pictures


@pytest.mark.parametrize("text", TEXTS)
def test_the_csv_of_evaluate_has_no_formula_and_no_more_rows(text: str) -> None:
    lines = list(csv.reader(StringIO(csv_text(found(row(case=text), row(organ=text, cols=2))))))
    assert len(lines) == 3
    assert len({len(cells) for cells in lines}) == 1
    for cells in lines:
        assert not [one for one in cells if one[:1] in ("=", "@", "\t", "\r")]
        assert all(one.isprintable() for one in cells)


def test_a_negative_number_of_evaluate_stays_one() -> None:
    one = msgspec.structs.replace(row(), ravd=-12.5)
    head, cells = csv.reader(StringIO(csv_text(found(one))))
    assert dict(zip(head, cells, strict=True))["ravd"] == "-12.500000"


@pytest.mark.parametrize("text", ["$\\frac{1}{0}$", "$x", "a$b$c", "$\\foo$"])
def test_an_organ_is_no_formula_in_a_plot(text: str) -> None:
    pytest.importorskip("matplotlib")
    assert box_plots(found(row(organ=text))).startswith(b"\x89PNG")


# The command line


@pytest.mark.parametrize("modality", ["[/b]", "[red]x[/red]", "\x1b[2J", "M\u202eR", "a\nb"])
def test_a_modality_is_text_to_the_terminal(tmp_path: Path, modality: str) -> None:
    image = slice_at(0).replace(b"\x08\0\x60\0CS\x02\0MR", _modality(modality))
    root = write(tmp_path / "root", {"7/1.dcm": image})
    done = CliRunner().invoke(main, ["inspect", str(root), "--images", "{patient}/{slice}.dcm"])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert all(line.isprintable() for line in done.output.split("\n"))


def _modality(text: str) -> bytes:
    value = text.encode("latin-1", "replace")
    value += b" " * (len(value) % 2)
    return b"\x08\0\x60\0CS" + len(value).to_bytes(2, "little") + value


@pytest.mark.parametrize("verb", ["inspect", "verify"])
def test_warnings_of_a_manifest_are_text_to_the_terminal(
    images: Dataset, tmp_path: Path, verb: str
) -> None:
    place = made_hostile(images, tmp_path / "hostile", lambda row: row.update(warnings=TEXTS))
    done = CliRunner().invoke(main, [verb, str(place), "-v"])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert "alert(1)" in done.output
    assert all(line.isprintable() for line in done.output.split("\n"))
