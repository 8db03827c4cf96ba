"""`verify` where a table names the pairs, ours or another's: each planted fault is found."""

import csv
import hashlib
import json
import shutil
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import chaosprep
from benchmarks.phantom_slices import phantom_slices, to_8_bits
from chaosprep.errors import UsageError
from chaosprep.phantom import Patient, write_chaos

Row = dict[str, Any]
Pixels = NDArray[np.uint8]


def save(path: Path, array: NDArray[np.generic]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def pixels(path: Path) -> Pixels:
    return np.asarray(Image.open(path))


@cache
def slices_of(seed: int) -> list[tuple[Pixels, Pixels]]:
    """Two slices of a phantom patient, image and liver."""
    pairs = list(phantom_slices(6, 96, seed=seed))[2:4]
    return [(to_8_bits(image), (mask > 0).astype(np.uint8)) for image, mask in pairs]


class Set:
    """A folder with its rows, which are written in one of the forms that people use."""

    def __init__(self, root: Path, form: str) -> None:
        self.root, self.form, self.rows = root, form, list[Row]()
        for side, patient, seed in (("train", "a", 1), ("train", "b", 2), ("val", "c", 3)):
            for number, (image, mask) in enumerate(slices_of(seed), start=1):
                self.add(side, f"{patient}{number}", patient, image, mask)

    def add(self, side: str, name: str, patient: str, image: Pixels, mask: Pixels) -> None:
        images, masks = {
            "ours": (f"{side}/images/{name}.png", f"{side}/masks/{name}.png"),
            "csv": (f"{side}/{name}.png", f"{side}/annotations/{name}.png"),
            "records": (f"{side}/images/{name}.png", f"{side}/masks/{name}.png"),
        }[self.form]
        save(self.root / images, image)
        save(self.root / masks, mask)
        self.rows.append(
            {"image": images, "mask": masks, "side": side, "patient": patient, "rows": len(image)}
        )

    def write(self) -> None:
        {"ours": self._ours, "csv": self._csv, "records": self._records}[self.form]()

    def _ours(self) -> None:
        """metadata.jsonl on each side, as our export has it."""
        for side in ("train", "val"):
            lines = [
                {
                    "image_file_name": self._from(side, row["image"]),
                    "mask_file_name": self._from(side, row["mask"]),
                    **self._told(row),
                }
                for row in self.rows
                if row["side"] == side
            ]
            self._lines(self.root / side / "metadata.jsonl", lines)

    def _records(self) -> None:
        """A table beside croissant.json, with hashes."""
        (self.root / "croissant.json").write_text("{}")
        lines = [
            {
                "image": row["image"],
                "mask": row["mask"],
                "split": row["side"],
                "image_sha256": row.get("hash"),
                **self._told(row),
            }
            for row in self.rows
        ]
        self._lines(self.root / "records.jsonl", lines)

    def _csv(self) -> None:
        """One metadata.csv above both sides, with images beside it and no legend of its own."""
        (self.root / "labels.json").write_text(json.dumps({"1": "liver"}))
        with (self.root / "metadata.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(("file_name", "annotation", "patient_id", "height", "width"))
            for row in self.rows:
                size = row["rows"], row["rows"]
                table.writerow((row["image"], row["mask"] or "", row["patient"], *size))

    def _told(self, row: Row) -> Row:
        said = {"patient": row["patient"], "rows": row["rows"], "cols": row["rows"]}
        return {**said, "labels": '{"1":"liver"}', "pixels": row.get("pixels")}

    def _from(self, side: str, path: str | None) -> str | None:
        return None if path is None else path.removeprefix(f"{side}/")

    def _lines(self, file: Path, lines: list[Row]) -> None:
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def image(self) -> Path:
        return self.root / str(self.rows[0]["image"])

    def mask(self) -> Path:
        return self.root / str(self.rows[0]["mask"])


FORMS = ("ours", "csv", "records")


@pytest.fixture(params=FORMS)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Set:
    return Set(tmp_path / "data", request.param)


def found(root: Path) -> list[tuple[str, str]]:
    verdict = chaosprep.verify(root)
    assert all(one.remedy for one in (*verdict.faults, *verdict.warnings))
    return [(one.code, one.id) for one in (*verdict.faults, *verdict.warnings)]


def with_value(mask: Path, value: int) -> None:
    array = pixels(mask).copy()
    array[40:50, 40:50] = value
    save(mask, array)


def unmasked(folder: Set) -> None:
    folder.mask().unlink()
    folder.rows[0]["mask"] = None


def again(folder: Set) -> None:
    """The first image once more, on the other side."""
    folder.add("val", "z", "d", pixels(folder.image()), pixels(folder.mask()))


def mirrored(folder: Set) -> None:
    image = np.ascontiguousarray(pixels(folder.image())[:, ::-1])
    folder.add("val", "z", "d", image, pixels(folder.mask()))


FAULTS: dict[str, tuple[Callable[[Set], object], tuple[str, str]]] = {
    "an image that is gone": (lambda s: s.image().unlink(), ("file-missing", "train/a1")),
    "a mask that is gone": (lambda s: s.mask().unlink(), ("file-missing", "train/a1")),
    "a row without its mask": (
        unmasked,
        ("mask-missing", "train/a1"),
    ),
    "another size": (lambda s: s.rows[0].update(rows=95), ("size", "train/a1")),
    "a mask of another size": (
        lambda s: save(s.mask(), np.pad(pixels(s.mask()), 2)),
        ("size", "train/a1"),
    ),
    "a value without a name": (lambda s: with_value(s.mask(), 3), ("labels", "train/a1")),
    "a patient on two sides": (lambda s: s.rows[0].update(patient="c"), ("leakage", "c")),
    "the same pixels": (again, ("leakage", "val/z")),
    "a mirrored copy": (mirrored, ("near-duplicate", "val/z")),
    "a line twice": (lambda s: s.rows.append(s.rows[0]), ("line-twice", "train/a1")),
    "a full mask": (
        lambda s: save(s.mask(), np.ones((96, 96), np.uint8)),
        ("mask-full", "train/a1"),
    ),
    "an empty mask": (
        lambda s: save(s.mask(), np.zeros((96, 96), np.uint8)),
        ("mask-empty", "train/a1"),
    ),
    "a constant image": (
        lambda s: save(s.image(), np.full((96, 96), 9, np.uint8)),
        ("image-constant", "train/a1"),
    ),
    "a cut file": (
        lambda s: s.image().write_bytes(s.image().read_bytes()[:99]),
        ("image-unreadable", "train/a1"),
    ),
    "a file of no line": (
        lambda s: shutil.copy(s.mask(), s.image().with_name("more.png")),
        ("file-unlisted", "train/more"),
    ),
}


def test_a_sound_folder_has_no_finding(folder: Set) -> None:
    folder.write()
    verdict = chaosprep.verify(folder.root)
    assert (verdict.faults, verdict.warnings, verdict.notes) == ((), (), ())
    assert (verdict.stage, verdict.cases, verdict.slices) == ("folder", 2, 6)


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_and_nothing_else(folder: Set, name: str) -> None:
    plant, expected = FAULTS[name]
    plant(folder)
    folder.write()
    assert found(folder.root) == [expected]


@pytest.mark.parametrize("path", ["../away.png", "/etc/passwd.png", "a\0b.png"])
def test_a_path_out_of_the_folder_is_refused_unread(folder: Set, path: str) -> None:
    save(folder.root.parent / "away.png", np.zeros((4, 4), np.uint8))
    folder.image().unlink()
    folder.mask().unlink()
    out = "../" if folder.form == "ours" and path.startswith("..") else ""
    folder.rows[0]["image"] = out + path
    folder.write()
    place = {"ours": "train/metadata.jsonl:1", "csv": "metadata.csv:2"}
    if folder.form == "csv" and "\0" in path:
        pytest.skip("no CSV has it")
    assert found(folder.root) == [("path-outside", place.get(folder.form, "records.jsonl:1"))]


def test_a_line_without_an_image_is_named(folder: Set) -> None:
    folder.image().unlink()
    folder.mask().unlink()
    folder.rows[0]["image"] = ""
    folder.write()
    assert [code for code, _ in found(folder.root)] == ["line-unnamed"]


def test_areas_are_compared_with_what_the_table_counts(tmp_path: Path) -> None:
    folder = Set(tmp_path / "data", "ours")
    area = int(np.count_nonzero(pixels(folder.mask())))
    folder.rows[0]["pixels"] = {"liver": area}
    folder.rows[1]["pixels"] = json.dumps({"liver": 7})
    folder.write()
    assert found(folder.root) == [("area", "train/a2")]


def test_a_mask_is_rightly_empty_where_the_table_counts_nothing(tmp_path: Path) -> None:
    folder = Set(tmp_path / "data", "ours")
    save(folder.mask(), np.zeros((96, 96), np.uint8))
    folder.rows[0]["pixels"] = {"liver": 0}
    folder.write()
    assert found(folder.root) == []


def test_hashes_of_a_table_are_compared(tmp_path: Path) -> None:
    folder = Set(tmp_path / "data", "records")
    folder.rows[0]["hash"] = hashlib.sha256(folder.image().read_bytes()).hexdigest()
    folder.rows[1]["hash"] = "0" * 64
    folder.write()
    assert found(folder.root) == [("hash", "train/a2")]


def test_a_table_that_names_another_side_than_the_folder_is_named(tmp_path: Path) -> None:
    folder = Set(tmp_path / "data", "records")
    folder.rows[0]["side"] = "val"
    folder.write()
    assert found(folder.root) == [("sides-differ", "train/a1")]


@pytest.mark.parametrize("text", ['{"file_name": "a.png"}\nno JSON', "[1]", "\udcff"])
def test_a_broken_table_is_named(tmp_path: Path, text: str) -> None:
    folder = Set(tmp_path / "data", "ours")
    folder.write()
    table = folder.root / "train/metadata.jsonl"
    table.write_bytes(text.encode(errors="surrogateescape"))
    assert found(folder.root) == [("table-unreadable", "train/metadata.jsonl")]


def test_masks_that_no_column_names_are_paired_by_their_folders(tmp_path: Path) -> None:
    folder = Set(tmp_path / "data", "records")
    for side in ("train", "val"):
        lines = [
            {"file_name": row["image"].removeprefix(f"{side}/"), "subject": row["patient"]}
            for row in folder.rows
            if row["side"] == side
        ]
        folder._lines(folder.root / side / "metadata.jsonl", lines)
    assert found(folder.root) == []
    save(folder.mask(), np.ones((96, 96), np.uint8))
    assert found(folder.root) == [("mask-full", "train/a1")]


def test_several_masks_of_an_image_have_a_line_each(tmp_path: Path) -> None:
    folder = Set(tmp_path / "data", "csv")
    more = folder.root / "train/annotations/a1_more.png"
    save(more, pixels(folder.mask()))
    folder.rows.append({**folder.rows[0], "mask": "train/annotations/a1_more.png"})
    folder.write()
    assert found(folder.root) == []
    with_value(more, 5)
    assert found(folder.root) == [("labels", "train/a1")]


def test_a_pair_of_two_tables_is_one_pair(tmp_path: Path) -> None:
    folder = Set(tmp_path / "data", "ours")
    folder.write()
    lines = [{"file_name": row["image"], "mask": row["mask"]} for row in folder.rows]
    folder._lines(folder.root / "metadata.jsonl", lines)
    verdict = chaosprep.verify(folder.root)
    assert (verdict.faults, verdict.warnings, verdict.slices) == ((), (), 6)
    note = (
        "metadata.jsonl: 6 of its 6 lines name pairs that another table names, which was compared"
    )
    assert verdict.notes == (note,)


def test_a_table_among_the_images_is_no_image(tmp_path: Path) -> None:
    for side, seed in (("train", 1), ("test", 2)):
        lines = []
        for number, (image, _) in enumerate(slices_of(seed)):
            save(tmp_path / "data" / side / f"{number}.png", image)
            lines.append(json.dumps({"file_name": f"{number}.png", "subject": seed}))
        (tmp_path / "data" / side / "metadata.jsonl").write_text("\n".join(lines))
    verdict = chaosprep.verify(tmp_path)
    assert (verdict.faults, {one.code for one in verdict.warnings}) == ((), {"no-masks"})


def test_a_table_whose_paths_start_elsewhere_is_a_warning(tmp_path: Path) -> None:
    for number, (image, _) in enumerate(slices_of(1)):
        save(tmp_path / "images" / f"{number}.png", image)
    (tmp_path / "metadata.csv").write_text("patientid,folder,filename\n7,images,0.png\n")
    verdict = chaosprep.verify(tmp_path)
    warnings = [one.code for one in verdict.warnings]
    assert (verdict.faults, warnings, verdict.slices) == ((), ["no-masks", "table-apart"], 2)
    (tmp_path / "metadata.csv").write_text("filename\nimages/0.png\nimages/9.png\n")
    assert [one.code for one in chaosprep.verify(tmp_path).faults] == ["file-missing"]


def test_images_that_are_all_gone_are_faults_of_their_table(tmp_path: Path) -> None:
    folder = Set(tmp_path / "data", "records")
    folder.write()
    shutil.rmtree(folder.root / "train/images")
    shutil.rmtree(folder.root / "val/images")
    assert {code for code, _ in found(folder.root)} == {"file-missing"}


def test_a_column_of_its_own_for_each_line_takes_no_long(tmp_path: Path) -> None:
    save(tmp_path / "a.png", slices_of(1)[0][0])
    lines = (f'{{"image": "a.png", "mask_{n}": "b.png"}}' for n in range(20_000))
    (tmp_path / "metadata.jsonl").write_text("\n".join(lines))
    start = time.process_time()
    assert {code for code, _ in found(tmp_path)} >= {"line-twice"}
    assert time.process_time() - start < 5


def test_files_of_other_columns_are_named(tmp_path: Path) -> None:
    lines = []
    for number, (image, _) in enumerate(slices_of(1)):
        for name in (f"{number}.png", f"depth/{number}.png"):
            save(tmp_path / name, image if "/" not in name else np.flip(image))
        lines.append({"file_name": f"{number}.png", "depth_file_name": f"depth/{number}.png"})
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert found(tmp_path) == []


def test_a_table_of_something_else_is_a_note(tmp_path: Path) -> None:
    folder = Set(tmp_path / "data", "records")
    (folder.root / "metadata.csv").write_text("patient,age\na,40\n")
    (folder.root / "train/metadata.parquet").write_bytes(b"PAR1")
    folder.write()
    verdict = chaosprep.verify(folder.root)
    assert (verdict.faults, verdict.warnings) == ((), ())
    assert [note.partition(":")[0] for note in verdict.notes] == [
        "metadata.csv",
        "train/metadata.parquet was not read",
    ]


def test_workers_find_the_same(tmp_path: Path) -> None:
    folder = Set(tmp_path / "data", "ours")
    mirrored(folder)
    folder.write()
    assert chaosprep.verify(folder.root, jobs=2) == chaosprep.verify(folder.root)


@pytest.fixture(scope="module")
def augmented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three phantom patients with copies, liver only. Read only."""
    place = tmp_path_factory.mktemp("listed")
    write_chaos(place / "raw", [Patient(id=n, slices=5, matrix=96) for n in (1, 2, 3)])
    chaosprep.split(place / "raw", place / "pairs", val=0.4)
    chaosprep.extract_liver(place / "pairs", place / "liver")
    chaosprep.convert(place / "liver", place / "png")
    return chaosprep.augment(place / "png", place / "out").directory


@pytest.mark.parametrize("kind", ["huggingface", "croissant"])
def test_our_own_exports_are_clean(augmented: Path, tmp_path: Path, kind: str) -> None:
    chaosprep.export(kind, augmented, tmp_path / "out")
    verdict = chaosprep.verify(tmp_path / "out")
    assert (verdict.faults, verdict.warnings, verdict.notes) == ((), (), ())
    assert verdict.slices == len(list(tmp_path.glob("out/*/images/*.png"))) > 15


def test_our_table_alone_is_refused_with_what_to_verify(augmented: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    chaosprep.export("parquet", augmented, tmp_path / "out")
    with pytest.raises(UsageError, match="only a table") as error:
        chaosprep.verify(tmp_path / "out")
    assert error.value.code == "table-alone"
