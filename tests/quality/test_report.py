"""report: what the page says and how large it is; hostile text stays text."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import UsageError
from chaosprep.formats.npy import encode_npy
from chaosprep.formats.png import encode_png
from chaosprep.phantom import Patient, write_chaos
from chaosprep.quality.report import report

from .conftest import Row, replace_file, rewrite

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'"


class _Page(HTMLParser):
    """The tags of a page with their attributes, and its text outside style and script."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.html = path.read_text("utf-8")
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if not self.tags or self.tags[-1][0] not in ("style", "script"):
            self.text += data

    def all(self, tag: str, css: str = "") -> list[dict[str, str | None]]:
        return [a for t, a in self.tags if t == tag and css in (a.get("class") or "").split(" ")]

    def words(self) -> str:
        return " ".join(self.text.split())


def _page(directory: Path, tmp_path: Path, **options: object) -> _Page:
    return _Page(report(directory, tmp_path / "report.html", **options).path)  # type: ignore[arg-type]


def test_the_page_loads_nothing_from_anywhere(directory: Path, tmp_path: Path) -> None:
    page = _page(directory, tmp_path)
    addresses = [a.get("src") or a.get("href") or "" for _, a in page.tags]
    assert {address.split(":")[0].split("#")[0] for address in addresses} <= {"", "data", "https"}
    assert [tag for tag, a in page.tags if (a.get("href") or "").startswith("https")] == ["a"]
    assert not re.search(r"url\((?!#)|@import|fetch\(|XMLHttp", page.html)


def test_only_its_own_script_may_run(directory: Path, tmp_path: Path) -> None:
    page = _page(directory, tmp_path)
    (script,) = re.findall(r"<script>(.*?)</script>", page.html, re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(a["content"] for a in page.all("meta") if a.get("http-equiv"))
    assert policy is not None
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy


def test_every_slice_has_a_picture_and_its_outline(directory: Path, tmp_path: Path) -> None:
    rows = chaosprep.open(directory).slices
    page = _page(directory, tmp_path)
    assert {a["data-id"] for a in page.all("button", "tile")} == {row.id for row in rows}
    assert len(page.all("img")) == len(rows)
    drawn = [a for a in page.all("path", "o0") if "area" not in (a["class"] or "")]
    assert len(drawn) == sum(bool(row.pixels["liver"]) for row in rows)


def test_a_picture_is_the_image(directory: Path, tmp_path: Path) -> None:
    dataset = chaosprep.open(directory)
    uris = re.findall(r'data-id="(\S+?)".*?base64,(\S+?)"', _page(directory, tmp_path).html, re.S)
    for id, data in uris[:8]:
        row = next(row for row in dataset.slices if row.id == id)
        flat = np.frombuffer(base64.b64decode(data), np.uint8)
        shown = cv2.imdecode(flat, cv2.IMREAD_GRAYSCALE)
        assert shown is not None
        assert np.abs(shown.astype(int) - dataset.image(row)).mean() < 6


def test_16_bit_slices_as_downloaded_are_shown_with_every_organ(
    pairs: Dataset, tmp_path: Path
) -> None:
    page = _page(pairs.directory, tmp_path)
    assert len(page.all("img")) == len(pairs.slices)
    legend = re.findall(r"<i></i>([\w-]+)", page.html)
    assert sorted(legend) == ["left-kidney", "liver", "right-kidney", "spleen"]


@pytest.mark.parametrize("format", ["png", "npy"])
def test_16_bit_slices_of_any_format_are_shown(
    livers: Dataset, tmp_path: Path, format: Literal["png", "npy"]
) -> None:
    data = tmp_path / "data"
    kept = chaosprep.convert(livers, data, keep_16bit=True, format=format)
    page = _page(kept.directory, tmp_path)
    assert len(page.all("img")) == len(kept.slices)
    values = np.concatenate([kept.image(r).ravel() for r in kept.cases[0].slices])
    low, high = np.percentile(values, [0.5, 99.5])
    assert f"shown {low:g} to {high:g}" in page.words()


def test_float_pixels_that_are_no_number_are_passed_over(directory: Path, tmp_path: Path) -> None:
    array = np.linspace(-1, 2, 64 * 64, dtype=np.float32).reshape(64, 64)
    array[0] = np.nan

    def floats(rows: list[Row]) -> None:
        for row in rows:
            if row["case"] == "MR001_t1-in":
                (directory / row["image"]).unlink()
                row["image"] = row["image"].replace(".png", ".npy")
                (directory / row["image"]).touch()
                replace_file(directory, row, "image", encode_npy(array))
                row |= {"dtype": "float32", "bits_stored": 32, "window": None}

    rewrite(directory, floats)
    page = _page(directory, tmp_path)
    assert "cannot be read" not in page.words()
    assert re.search(r"shown -0\.9\d+ to 1\.9\d+", page.words())


@pytest.mark.parametrize(("slices", "least"), [("all", 0), ("labelled", 1), ("none", 10**9)])
def test_slices_bounds_the_pictures(
    directory: Path, tmp_path: Path, slices: str, least: int
) -> None:
    rows = chaosprep.open(directory).slices
    page = _page(directory, tmp_path, slices=slices)
    assert len(page.all("img")) == sum(row.pixels["liver"] >= least for row in rows)


def test_pictures_shrink_to_fit_and_a_page_that_cannot_is_refused(tmp_path: Path) -> None:
    patients = [Patient(id=id, sequences=("t1-in",), slices=8, matrix=192) for id in (1, 2)]
    write_chaos(tmp_path / "chaos", patients)
    directory = chaosprep.split(tmp_path / "chaos", tmp_path / "data", val=0.5).directory
    large = report(directory, tmp_path / "a.html")
    small = report(directory, tmp_path / "b.html", max_mb=large.bytes * 0.7 / 1e6)
    assert small.bytes <= large.bytes * 0.7
    with pytest.raises(UsageError, match=r"more than 0\.01"):
        report(directory, tmp_path / "c.html", max_mb=0.01)
    assert not (tmp_path / "c.html").exists()


def test_the_same_directory_gives_the_same_page(directory: Path, tmp_path: Path) -> None:
    first = report(directory, tmp_path / "a.html", jobs=2).path.read_bytes()
    assert report(directory, tmp_path / "b.html").path.read_bytes() == first


def test_the_stages_their_parameters_and_the_licence_are_told(
    directory: Path, tmp_path: Path
) -> None:
    words = _page(directory, tmp_path).words()
    assert "split → extract-liver → convert → augment" in words
    assert "augment version 1 · seed 0" in words
    assert "val 0.25" in words
    assert "Licence: Creative Commons Zero" in words
    assert "Source: chaosprep phantom, synthetic" in words


def test_a_parameter_that_is_0_is_told(phantom: Path, tmp_path: Path) -> None:
    made = chaosprep.split(phantom, tmp_path / "split", val=0)
    assert "val 0.0 " in _page(made.directory, tmp_path).words()


def test_the_split_is_counted_in_patients_and_slices(directory: Path, tmp_path: Path) -> None:
    page = _page(directory, tmp_path)
    rows = chaosprep.open(directory).slices
    labelled = [
        sum(bool(r.pixels["liver"]) for r in rows if not r.copy and r.split == side)
        for side in ("train", "val")
    ]
    assert _cells(page.html) == f"train 3 3 15 {labelled[0]} 15 val 1 1 5 {labelled[1]} 0"
    assert "No leakage found" in page.words()


def _cells(html: str) -> str:
    body = re.findall(r"<tbody>(.*?)</tbody>", html, re.S)[0]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_areas_are_in_cm2_and_volumes_in_ml(directory: Path, tmp_path: Path) -> None:
    case = chaosprep.open(directory).cases[0]
    originals = [row for row in case.slices if not row.copy]
    spacing = originals[0].spacing
    assert spacing is not None
    assert spacing[0] is not None
    area = [row.pixels["liver"] * spacing[1] * spacing[2] / 100 for row in originals]
    words = _page(directory, tmp_path).words()
    assert f"liver {sum(area) * spacing[0] / 10:.0f} ml" in words
    assert f"top {max(area):.3g} cm²" in words


def test_near_duplicates_are_counted_as_findings(directory: Path, tmp_path: Path) -> None:
    val = next(r for r in chaosprep.open(directory).slices if r.split == "val" and r.slice == 2)
    pixels = cv2.imread(str(directory / val.image), cv2.IMREAD_UNCHANGED)
    assert pixels is not None

    def plant(rows: list[Row]) -> None:
        victim = next(r for r in rows if r["split"] == "train" and r["slice"] == 2)
        data = encode_png(np.ascontiguousarray(pixels[:, ::-1]).astype(np.uint8))
        replace_file(directory, victim, "image", data)

    rewrite(directory, plant)
    words = _page(directory, tmp_path).words()
    assert "Near-duplicates: 1 finding. Pictures look like those of another side" in words


def test_a_leak_is_said_in_red_and_leads_to_its_case(directory: Path, tmp_path: Path) -> None:
    def move(rows: list[Row]) -> None:
        rows[0]["split"] = "val" if rows[0]["split"] == "train" else "train"

    rewrite(directory, move)
    page = _page(directory, tmp_path)
    assert "Leakage:" in page.words()
    assert "No leakage" not in page.words()
    ids = {a["id"] for _, a in page.tags if a.get("id")}
    links = [a["href"] or "" for a in page.all("a") if (a["href"] or "").startswith("#case-")]
    assert links
    assert {link[1:] for link in links} <= ids


def test_a_file_that_cannot_be_read_is_a_problem_and_an_empty_tile(
    directory: Path, tmp_path: Path
) -> None:
    next(directory.glob("train/images/*_s002.png")).unlink()
    page = _page(directory, tmp_path)
    assert "the file is missing" in page.words()
    assert page.text.count("cannot be read") == 1


def test_a_mask_of_another_size_is_still_drawn(directory: Path, tmp_path: Path) -> None:
    def grow(rows: list[Row]) -> None:
        row = next(row for row in rows if row["pixels"]["liver"])
        replace_file(directory, row, "mask", encode_png(np.full((32, 48), 255, np.uint8)))

    rewrite(directory, grow)
    assert any(
        a.get("viewbox") == "0 0 192 128" for a in _page(directory, tmp_path).all("svg", "lines")
    )


def test_warnings_of_one_kind_are_one_line_without_the_source(
    directory: Path, tmp_path: Path
) -> None:
    def warn(rows: list[Row]) -> None:
        for row in rows:
            if row["case"] == "MR001_t1-in":
                row["warnings"] = ["odd spacing"]
                row["source"] = "Jane_Doe/1.dcm"

    rewrite(directory, warn)
    page = _page(directory, tmp_path)
    assert page.text.count("odd spacing") == 1
    assert "Jane_Doe" not in page.html


def test_what_a_hostile_manifest_says_shows_as_text(directory: Path, tmp_path: Path) -> None:
    def lie(rows: list[Row]) -> None:
        for row in rows:
            row["warnings"] = [EVIL]
            row["labels"] = {"255": EVIL}
            row["pixels"] = {EVIL: row["pixels"]["liver"]}
            if row["augmentation"]:
                row["augmentation"] = {"operations": [{"operation": EVIL}]}
            folder, name = row["image"].rsplit("/", 1)
            (directory / row["image"]).rename(directory / folder / f"<b>{name}")
            row["image"] = f"{folder}/<b>{name}"
            row["image_sha256"] = "0" * 64

    rewrite(directory, lie)
    path = directory / "datapackage.json"
    descriptor = json.loads(path.read_text())
    descriptor["title"] = EVIL
    descriptor["licenses"] = [{"title": EVIL, "path": "javascript:alert(1)"}]
    descriptor["sources"] = [{"title": EVIL, "path": f"https://a/{EVIL}"}]
    descriptor["chaosprep"]["parameters"] = {EVIL: EVIL, "more": [EVIL]}
    descriptor["chaosprep"]["versions"] = {EVIL: EVIL}
    descriptor["chaosprep"]["stage"] = EVIL
    path.write_text(json.dumps(descriptor))
    page = _page(directory, tmp_path)
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not [a for _, a in page.tags if any(name.startswith("on") for name in a)]
    assert "<b>MR001" in page.text
    assert "javascript:" not in str([a.get("href") for a in page.all("a")])
    assert page.text.count(EVIL) >= 8


def test_an_id_with_markup_is_no_id(directory: Path, tmp_path: Path) -> None:
    def lie(rows: list[Row]) -> None:
        rows[0]["id"] = "MR001_t1-in_<script>"

    rewrite(directory, lie)
    with pytest.raises(chaosprep.ChaosprepError, match="line 1: id"):
        report(directory, tmp_path / "report.html")


def test_nothing_of_this_machine_is_on_the_page(directory: Path, tmp_path: Path) -> None:
    html = _page(directory, tmp_path).html
    assert str(tmp_path) not in html
    assert "IMG-" not in html
