"""docs/extending.md: each example is installed, or put into a copy of the tree, and works."""

import csv
import dataclasses
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pydicom
import pytest
import SimpleITK
from click.testing import CliRunner
from numpy.typing import NDArray

import chaosprep
from chaosprep import ChaosprepError, Dataset
from chaosprep.cli.main import main
from chaosprep.errors import ProblemsError
from chaosprep.evaluation.metric import Metric
from chaosprep.exports.table import find_export
from chaosprep.formats.images import IMAGES
from chaosprep.formats.masks import MASKS
from chaosprep.formats.plugged import plugged
from chaosprep.layouts.table import LAYOUTS
from chaosprep.stage_table import load_stage
from tests.documents import HOME, blocks

PAGE = (HOME / "docs/extending.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w/]+\.py)`:\n\n```python\n(.*?)^```", PAGE, re.M | re.S))
TINY = (2, 8, 6)
"""Slices, rows, cols of a volume."""


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package of the page, as pip would have installed it."""
    place = tmp_path / "site"
    for name, code in FILES.items():
        if name.startswith("my_package/"):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(code, encoding="utf-8")
    info = place / "my_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my_package\nVersion: 1.0\n")
    groups: dict[str, str] = defaultdict(str)
    for block in blocks(PAGE, "toml"):
        head, points = block.split("\n", 1)
        groups[head.split('"')[1]] += points.replace('"', "")
    text = "".join(f"[{group}]\n{points}\n" for group, points in groups.items())
    (info / "entry_points.txt").write_text(text)
    monkeypatch.syspath_prepend(place)
    importlib.invalidate_caches()
    plugged.cache_clear()
    yield
    plugged.cache_clear()
    for name in [name for name in sys.modules if name.split(".")[0] == "my_package"]:
        del sys.modules[name]


def write_volume(file: Path, voxels: NDArray[np.int16] | NDArray[np.uint8]) -> SimpleITK.Image:
    """A volume in oblique axes, as SimpleITK writes it."""
    image = SimpleITK.GetImageFromArray(voxels)
    image.SetSpacing((1.5, 2.0, 4.0))
    image.SetOrigin((-10.0, 20.0, 30.0))
    image.SetDirection((0.8, 0.0, -0.6, 0.6, 0.0, 0.8, 0.0, -1.0, 0.0))
    file.parent.mkdir(parents=True, exist_ok=True)
    SimpleITK.WriteImage(image, file)
    return image


def scan(patient: int) -> NDArray[np.int16]:
    return np.random.default_rng(patient).integers(-100, 1000, TINY).astype(np.int16)


def organ() -> NDArray[np.uint8]:
    mask = np.zeros(TINY, np.uint8)
    mask[:, 2:5, 1:4] = 1
    mask[1, 6, 5] = 2
    return mask


def lab(root: Path, patients: int = 3) -> Path:
    for patient in range(1, patients + 1):
        name = f"sub-{patient:02}/anat/sub-{patient:02}_T1w"
        write_volume(root / f"{name}.nii.gz", scan(patient))
        write_volume(root / f"derivatives/labels/{name}_dseg.nii.gz", organ())
    (root / "derivatives/labels/dseg.tsv").write_text("index\tname\n1\tliver\n2\tspleen\n")
    return root


def contours(root: Path, phantom: Path, **changes: list[list[list[float]]]) -> Path:
    """One series of the phantom, with a rectangle drawn on its second image."""
    series = phantom / "Train_Sets/MR/1/T1DUAL/DICOM_anon/InPhase"
    shutil.copytree(series, root / "scans/anna")
    headers = [pydicom.dcmread(file) for file in sorted((root / "scans/anna").iterdir())]
    headers.sort(key=lambda header: float(header.ImagePositionPatient[2]))
    origin, cosines = np.array(headers[1].ImagePositionPatient), headers[1].ImageOrientationPatient
    down, right = np.array(cosines[3:]), np.array(cosines[:3])
    height, width = headers[1].PixelSpacing
    corners = [(5, 3), (5, 8), (10, 8), (10, 3)]
    drawn = [(origin + r * height * down + c * width * right).tolist() for r, c in corners]
    (root / "labels").mkdir()
    (root / "labels/anna.json").write_text(json.dumps({"liver": [drawn], **changes}))
    return root


def reasons(error: ProblemsError) -> set[str]:
    return {problem.reason for problem in error.problems}


def split_contours(root: Path, output: Path) -> Dataset:
    where = {"images": "scans/{patient}/{slice}.dcm", "masks": "labels/{patient}.json"}
    return chaosprep.split(root, output, val=0, **where)  # type: ignore[arg-type]


def test_contours_are_drawn_where_they_lie_under_their_names(phantom: Path, tmp_path: Path) -> None:
    made = split_contours(contours(tmp_path / "root", phantom), tmp_path / "out")
    (case,) = made.cases
    expected = np.zeros((32, 32))
    expected[5:11, 3:9] = 1
    masks = [case.mask(row) for row in case.slices]
    assert [None if mask is None else mask.sum() for mask in masks] == [0, 36, 0, 0]
    assert np.array_equal(masks[1], expected)  # type: ignore[arg-type]
    assert case.slices[1].labels == {1: "liver"}
    assert chaosprep.verify(made.directory).faults == ()


def test_contours_beside_every_image_are_a_problem(phantom: Path, tmp_path: Path) -> None:
    root = contours(tmp_path / "root", phantom, spleen=[[[0, 0, 999], [1, 0, 999], [1, 1, 999]]])
    with pytest.raises(ProblemsError) as error:
        split_contours(root, tmp_path / "out")
    assert reasons(error.value) == {"no image belongs to 1 of its contours"}


def test_a_file_without_contours_is_a_problem(phantom: Path, tmp_path: Path) -> None:
    root = contours(tmp_path / "root", phantom)
    (root / "labels/anna.json").write_text("[1]")
    with pytest.raises(ProblemsError) as error:
        split_contours(root, tmp_path / "out")
    (problem,) = error.value.problems
    assert problem.reason.startswith("it holds no contours")
    assert (problem.code, problem.file) == ("mask-unreadable", "labels/anna.json")


def vtk(file: Path, voxels: NDArray[np.int16]) -> SimpleITK.Image:
    image = SimpleITK.GetImageFromArray(voxels)
    image.SetSpacing((1.5, 2.0, 4.0))
    image.SetOrigin((-10, 20, 30.5))
    file.parent.mkdir(parents=True)
    SimpleITK.WriteImage(image, str(file))
    return image


def test_a_vtk_image_keeps_its_values_and_places(tmp_path: Path) -> None:
    written = vtk(tmp_path / "root/images/anna.vtk", scan(1))
    mask = SimpleITK.GetImageFromArray(organ())
    mask.CopyInformation(written)
    (tmp_path / "root/labels").mkdir()
    SimpleITK.WriteImage(mask, str(tmp_path / "root/labels/anna.nii.gz"))
    where = {"images": "images/{patient}.vtk", "masks": "labels/{patient}.nii.gz"}
    pairs = chaosprep.split(tmp_path / "root", tmp_path / "split", val=0, **where)  # type: ignore[arg-type]
    made = chaosprep.convert(pairs, tmp_path / "npy", format="npy")
    (case,) = made.cases
    for k, row in enumerate(case.slices):
        place = written.TransformIndexToPhysicalPoint((0, 0, k))
        assert row.position == pytest.approx(place, abs=1e-4)
        assert np.array_equal(case.image(row), scan(1)[k])
        assert np.array_equal(case.mask(row), organ()[k])  # type: ignore[arg-type]
    assert case.slices[0].spacing == pytest.approx((4.0, 2.0, 1.5))
    assert {row.image for row in pairs.slices} == {f"train/images/{case.id}_s000.vtk"}
    assert chaosprep.verify(pairs.directory).faults == ()


def test_a_volume_comes_back_to_where_it_was(tmp_path: Path) -> None:
    root = lab(tmp_path / "root", patients=2)
    pairs = chaosprep.split(root, tmp_path / "split", layout="lab", val=0.5)
    chaosprep.assemble(pairs.directory, tmp_path / "volumes")
    (file,) = (tmp_path / "volumes/images").glob("sub-01*")
    back = SimpleITK.ReadImage(file)
    here = SimpleITK.ReadImage(root / "sub-01/anat/sub-01_T1w.nii.gz")
    same = SimpleITK.Resample(back, here, SimpleITK.Transform(), SimpleITK.sitkNearestNeighbor, -1)
    assert np.array_equal(SimpleITK.GetArrayFromImage(same), scan(1))


@pytest.mark.parametrize("cut", [20, 200, -20])
def test_a_damaged_vtk_image_is_a_problem(tmp_path: Path, cut: int) -> None:
    file = tmp_path / "root/images/anna.vtk"
    vtk(file, scan(1))
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(ProblemsError) as error:
        chaosprep.split(tmp_path / "root", tmp_path / "out", images="images/{patient}.vtk", val=0)
    assert {problem.code for problem in error.value.problems} == {"image-unreadable"}


def test_a_vtk_image_above_the_limit_is_not_unpacked(tmp_path: Path) -> None:
    vtk(tmp_path / "root/images/anna.vtk", scan(1))
    with pytest.raises(ProblemsError) as error:
        chaosprep.split(
            tmp_path / "root", tmp_path / "out", images="images/{patient}.vtk", max_pixels=95, val=0
        )
    assert {problem.code for problem in error.value.problems} == {"too-large"}


def test_a_lab_tree_goes_all_the_way(tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = [str(lab(tmp_path / "root")), "-o", str(out), "--layout", "lab", "-j", "1"]
    done = CliRunner().invoke(main, ["split", *arguments, "--val", "0.4"])
    assert done.stdout.startswith("split: 3 cases, 6 slices, 0 skipped")
    pairs = chaosprep.open(out)
    assert pairs.patients == ("sub-01", "sub-02", "sub-03")
    assert pairs.slices[0].labels == {1: "liver", 2: "spleen"}
    assert pairs.slices[0].pixels == {"liver": 9, "spleen": 0}
    images = chaosprep.convert(pairs, tmp_path / "images")
    more = chaosprep.augment(images, tmp_path / "more", copies=1)
    verdict = chaosprep.verify(more.directory, replay=1)
    assert (verdict.faults, len(more.slices)) == ((), 6 + 2 * 2)
    assert chaosprep.report(images.directory, tmp_path / "page.html").cases == 3
    assert chaosprep.export("nifti", pairs, tmp_path / "nifti").cases == 3
    seen = chaosprep.inspect(tmp_path / "root", layout="lab").cases
    assert [case.values for case in seen] == [(scan(n).min(), scan(n).max()) for n in (1, 2, 3)]
    with pytest.raises(ProblemsError) as error:
        chaosprep.export("croissant", pairs, tmp_path / "croissant")
    assert {problem.code for problem in error.value.problems} == {"image-format"}


def test_an_image_without_a_mask_is_a_problem_of_its_case(tmp_path: Path) -> None:
    root = lab(tmp_path / "root")
    (root / "derivatives/labels/sub-03/anat/sub-03_T1w_dseg.nii.gz").unlink()
    found = chaosprep.inspect(root, layout="lab")
    assert [(one.code, one.id) for one in found.problems] == [("ground-missing", "sub-03_T1w")]


def test_a_table_of_names_without_its_columns_is_an_error(tmp_path: Path) -> None:
    root = lab(tmp_path / "root")
    (root / "derivatives/labels/dseg.tsv").write_text("value\tname\n1\tliver\n")
    with pytest.raises(ChaosprepError, match="no columns index and name"):
        chaosprep.inspect(root, layout="lab")


def test_a_tree_that_is_not_the_labs_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    done = CliRunner().invoke(main, ["inspect", str(tmp_path / "root"), "--layout", "lab"])
    assert done.exit_code == 4
    assert "no sub-*/anat" in done.stderr


def test_a_stage_of_another_package_makes_a_stage_directory(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = [block for block in blocks(PAGE, "python") if "chaosprep.run(" in block]
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    Path("out/images").symlink_to(images.directory)
    exec(example, {})
    made = chaosprep.open("out/clipped")
    assert made.history[-1].parameters["percent"] == 90
    assert chaosprep.verify(made.directory).faults == ()
    for before, after in zip(images.slices, made.slices, strict=True):
        whole = images.case(before.case).image(before)
        top = np.sort(whole.ravel())[int(np.ceil(0.9 * (whole.size - 1)))]
        clipped = made.case(after.case).image(after)
        assert clipped.max() <= top
        assert np.array_equal(clipped[whole < clipped.max()], whole[whole < clipped.max()])


def test_an_export_of_another_package_lists_the_pairs(images: Dataset, tmp_path: Path) -> None:
    place = [str(images.directory), "-o", str(tmp_path / "listed")]
    done = CliRunner().invoke(main, ["export", "list", *place, "--split", "val"])
    assert done.stdout.startswith("export list: 1 case, ")
    with (tmp_path / "listed/pairs.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    expected = [row for row in images.slices if row.split == "val"]
    assert [line["image"] for line in lines] == [row.image for row in expected]
    assert [line["mask"] for line in lines] == [row.mask for row in expected]


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with the stage and the metric in it, and the lines that the page shows."""
    house = tmp_path_factory.mktemp("house")
    shutil.copytree(HOME / "chaosprep", house / "chaosprep")
    metric = "chaosprep/evaluation/volume_ml.py"
    (house / metric).write_text(FILES[metric])
    (house / "chaosprep/stages/clip.py").write_text(FILES["my_package/clip.py"])
    for change in blocks(PAGE, "diff"):
        name, *lines = change.splitlines()
        table = house / name.strip()
        text = table.read_text()
        for new, old in pairwise(lines):
            if new.startswith("+"):
                assert text.count(f"\n{old[1:]}") == 1, old
                text = text.replace(f"\n{old[1:]}", f"\n{new[1:]}\n{old[1:]}")
        table.write_text(text)
    return house


def run_in(house: Path, *arguments: str) -> str:
    code = "from chaosprep.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": str(house), "COLUMNS": "100"},
        cwd=house,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_stage_in_the_tree_is_a_command(extended: Path, images: Dataset, tmp_path: Path) -> None:
    assert "Clip the brightest pixels." in run_in(extended, "--help")
    assert "--percent" in run_in(extended, "clip", "--help")
    place = [str(images.directory), "-o", str(tmp_path / "clipped")]
    assert run_in(extended, "clip", *place, "-j", "1").startswith("clip: 4 cases, ")


def test_a_metric_in_the_tree_is_a_column(extended: Path, tmp_path: Path) -> None:
    mask = organ()
    write_volume(tmp_path / "ref/a.nii.gz", mask)
    mask[0, 2, 1:4] = 0  # 3 voxels of 1.5 x 2 x 4 mm
    write_volume(tmp_path / "pred/a.nii.gz", mask)
    sides = [str(tmp_path / "pred"), str(tmp_path / "ref")]
    table = run_in(extended, "evaluate", *sides, "--csv", str(tmp_path / "all.csv"))
    assert table.splitlines()[0].split()[-3:] == ["MSSD", "HD95", "ml"]
    with (tmp_path / "all.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert list(first)[list(first).index("score") + 1] == "volume_ml"
    assert float(first["volume_ml"]) == pytest.approx(0.036)
    assert float(second["volume_ml"]) == 0


def test_a_changed_copy_of_a_record_is_made_as_the_page_says() -> None:
    (told,) = re.findall(r"^- \*\*Records do not change\.\*\*(.*?)^- ", PAGE, re.M | re.S)
    assert re.findall(r"`(\S+)` *\((.*?)\)", " ".join(told.split())) == [
        ("msgspec.structs.replace", "stages, mask and image formats"),
        ("dataclasses.replace", "layouts, exports, metrics"),
    ]
    for one in (load_stage("convert"), next(iter(MASKS)), next(iter(IMAGES))):
        assert msgspec.structs.replace(one, name="mine").name == "mine"
    assert dataclasses.replace(LAYOUTS[0], name="mine").name == "mine"
    assert dataclasses.replace(find_export("nifti"), help="mine").help == "mine"
    assert dataclasses.replace(Metric(lambda of: None), title="mine").title == "mine"
