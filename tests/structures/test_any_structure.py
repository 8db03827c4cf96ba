"""Six kinds of sets, each from the folder to training sets, SEG and scores, by its names."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread

import chaosprep
from chaosprep import Dataset
from chaosprep.dataset.stacking import originals
from chaosprep.errors import ProblemsError
from chaosprep.formats.pictures import read_mask
from chaosprep.formats.png import encode_png
from tests.exports.seen import voxels
from tests.exports.test_peers_volumes import nnunet_folders, plan
from tests.structures import phantoms
from tests.structures.phantoms import COLS, PATIENTS, ROWS, Set

hd = pytest.importorskip("highdicom")
__all__ = ["nnunet_folders"]

Labels = NDArray[Any]


@dataclass
class Kind:
    """A kind of sets: how it is prepared, and its names with their codes, by hand.

    ``top`` lies on the others; ``absent`` are structures that no patient shows.
    """

    make: Callable[[Path], Set]
    told: dict[str, str | None]
    chosen: dict[str, Any] = field(default_factory=dict)
    top: tuple[str, ...] = ()
    absent: frozenset[str] = frozenset()


KINDS = {
    "amos": Kind(
        phantoms.amos,
        {
            **{"spleen": "78961009", "right kidney": "9846003", "left kidney": "18639004"},
            **{"gall bladder": "28231008", "esophagus": "32849002", "liver": "10200004"},
            **{"stomach": "69695003", "arota": None, "postcava": "64131007"},
            **{"pancreas": "15776009", "right adrenal gland": "23451007"},
            **{"left adrenal gland": "23451007", "duodenum": "38848004", "bladder": "89837001"},
            "prostate/uterus": None,
        },
        absent=frozenset({"gall bladder"}),
    ),
    "total": Kind(
        phantoms.total,
        {
            **{"aorta": "15825003", "kidney_left": "18639004", "liver": "10200004"},
            **{"portal_vein": "32764006", "spleen": "78961009", "splen": None},
        },
        {"order": "portal_vein,*"},
        ("portal_vein",),
    ),
    "kits": Kind(
        phantoms.kits,
        {"kidney": "64033007", "tumor": "108369006", "cyst": "367643001"},
        top=("tumor",),
    ),
    "radiotherapy": Kind(
        phantoms.radiotherapy,
        {"Liver": "10200004", "Kidney_L": None, "Kidney_R": None, "GTV": None},
        {"roi": ["Liver", "kidney*", "gtv"], "order": "GTV,*"},
        ("GTV",),
    ),
    "dcmqi": Kind(
        phantoms.dcmqi,
        {"Liver": "10200004", "Lesion of liver": "4147007", "Spleen": "78961009"},
        {"order": "lesion*,*"},
        ("Lesion of liver",),
    ),
    "seg_nrrd": Kind(
        phantoms.seg_nrrd,
        {"liver": "10200004", "tumor": "108369006", "spleen": "78961009"},
        {"order": "tumor,*"},
        ("tumor",),
    ),
}


@dataclass
class Made:
    """A set, and what prepare made of it."""

    kind: Kind
    found: Set
    place: Path
    dataset: Dataset

    def expected(self, patient: str) -> Labels:
        """The labels of a patient, (slices, rows, cols), by what was drawn."""
        labels = np.zeros(phantoms.SHAPE, np.uint8)
        names = [*self.kind.told]
        for name in (*(one for one in names if one not in self.kind.top), *self.kind.top):
            labels[self.found.voxels(patient, name)] = names.index(name) + 1
        return labels


@pytest.fixture(scope="module", params=[*KINDS])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    kind, place = KINDS[request.param], tmp_path_factory.mktemp(request.param)
    found = kind.make(place / "root")
    where: dict[str, Any] = {"images": phantoms.IMAGES, "masks": found.masks}
    dataset = chaosprep.prepare(
        found.root, place / "out", **where, **kind.chosen, val_patient=["A3"]
    )
    return Made(kind, found, place, dataset)


def masks(dataset: Dataset, patient: str) -> Labels:
    rows = originals(dataset.case(f"{patient}_series"))
    files = (dataset.directory / (row.mask or "") for row in rows)
    return np.stack([read_mask(file.read_bytes()).pixels for file in files])


def test_every_case_has_the_same_numbers_for_the_same_names(made: Made) -> None:
    told = {value: label.name for value, label in made.dataset.label_map.items()}
    assert told == dict(enumerate(made.kind.told, start=1))
    for patient in PATIENTS:
        np.testing.assert_array_equal(masks(made.dataset, patient), made.expected(patient))


def test_what_no_patient_shows_keeps_its_number(made: Made) -> None:
    shown = {organ for row in made.dataset.slices for organ, n in row.pixels.items() if n}
    assert {*made.kind.told} - shown == made.kind.absent


def test_every_stage_is_sound(made: Made) -> None:
    for folder in ("split", "labels", "images", "augmented"):
        assert chaosprep.verify(made.place / "out" / folder).faults == ()


def test_nnunet_gets_the_names_with_numbers_that_follow_each_other(made: Made) -> None:
    out = chaosprep.export("nnunet", made.dataset, made.place / "nnunet").path
    labels = json.loads((out / "dataset.json").read_text())["labels"]
    assert labels == {"background": 0} | {name: n for n, name in enumerate(made.kind.told, 1)}
    for patient in PATIENTS:
        stored = voxels(out / "labelsTr" / f"{patient}_series.nii.gz")
        np.testing.assert_array_equal(stored, made.expected(patient))


def test_huggingface_gets_the_names(made: Made) -> None:
    out = chaosprep.export("huggingface", made.dataset, made.place / "hf").path
    card = (out / "README.md").read_text().replace("\\", "")
    for number, name in enumerate(made.kind.told, start=1):
        assert f"| {number} | {name} |" in card
    lines = (out / "train" / "metadata.jsonl").read_text().splitlines()
    said = [json.loads(line)["labels"] for line in lines]
    expected = {str(number): name for number, name in enumerate(made.kind.told, start=1)}
    for labels in said:
        assert (json.loads(labels) if isinstance(labels, str) else labels).items() <= (
            expected.items()
        )


def test_highdicom_reads_names_and_codes_of_the_segmentation(made: Made) -> None:
    out = chaosprep.assemble(
        made.dataset, made.place / "seg", format="seg", dicom=made.place / "out/split"
    ).path
    for patient in PATIENTS:
        seg = hd.seg.segread(out / "masks" / f"{patient}_series.dcm")
        shown = {int(n) for n in np.unique(made.expected(patient))} - {0}
        names = [*made.kind.told]
        found = {}
        for number in seg.segment_numbers:
            segment = seg.get_segment_description(number)
            code = segment.segmented_property_type
            private = code.scheme_designator == "99CHAOSPREP"
            assert private or code.scheme_designator == "SCT"
            found[segment.segment_label] = None if private else code.value
        assert found.items() <= made.kind.told.items()
        assert {names[n - 1] for n in shown} <= found.keys()
        sources = [dcmread(made.found.root / f"scans/{patient}/{n}.dcm") for n in (1, 2, 3, 4)]
        pixels = seg.get_pixels_by_source_instance(
            [image.SOPInstanceUID for image in sources],
            ignore_spatial_locations=True,
            assert_missing_frames_are_empty=True,
        )
        for at, number in enumerate(seg.segment_numbers):
            name = seg.get_segment_description(number).segment_label
            np.testing.assert_array_equal(
                pixels[..., at], made.expected(patient) == names.index(name) + 1
            )


def test_evaluate_measures_each_name(made: Made) -> None:
    same = chaosprep.evaluate(made.dataset.directory, made.dataset.directory)
    assert {one.organ for one in same.results} == {*made.kind.told}
    assert {one.dice for one in same.results} == {1.0}


def test_evaluate_measures_a_shifted_prediction_as_numpy_does(made: Made) -> None:
    folder = made.place / "shifted"
    folder.mkdir()
    for patient in PATIENTS:
        for row, plane in zip(
            originals(made.dataset.case(f"{patient}_series")), made.expected(patient), strict=True
        ):
            shifted = np.zeros((ROWS, COLS), np.uint8)
            shifted[:, 2:] = plane[:, :-2]
            (folder / f"{row.id}.png").write_bytes(encode_png(shifted))
    found = chaosprep.evaluate(folder, made.dataset.directory)
    measured = {(one.case, one.organ): one.dice for one in found.results}
    for patient in PATIENTS:
        truth = made.expected(patient)
        moved = np.zeros_like(truth)
        moved[..., 2:] = truth[..., :-2]
        for number, name in enumerate(made.kind.told, start=1):
            a, b = truth == number, moved == number
            if a.any():
                dice = 2 * np.count_nonzero(a & b) / (a.sum() + b.sum())
                assert measured[f"{patient}_series", name] == pytest.approx(dice)


@pytest.mark.parametrize("kind", ["total", "dcmqi", "seg_nrrd"])
def test_structures_that_overlap_without_an_order_are_named(kind: str, tmp_path: Path) -> None:
    found = KINDS[kind].make(tmp_path / "root")
    with pytest.raises(ProblemsError) as raised:
        chaosprep.prepare(found.root, tmp_path / "out", images=phantoms.IMAGES, masks=found.masks)
    assert {problem.code for problem in raised.value.problems} == {"structures-overlap"}
    assert all(KINDS[kind].top[0] in problem.text for problem in raised.value.problems)


def test_a_name_that_one_patient_misspells_is_a_warning_there(made: Made) -> None:
    warned = {
        row.patient: [text for text in row.warnings if "misspelt" in text]
        for row in made.dataset.slices
    }
    told = ["only this case has splen, which may be misspelt: others have spleen"]
    is_total = "splen" in made.kind.told
    assert warned == {"A1": [], "A2": [], "A3": told if is_total else []}


def test_a_tumor_and_a_cyst_can_be_part_of_their_kidney(tmp_path: Path) -> None:
    found = phantoms.kits(tmp_path / "root")
    where: dict[str, Any] = {"images": phantoms.IMAGES, "masks": found.masks}
    dataset = chaosprep.prepare(
        found.root, tmp_path / "out", **where, merge=["kidney=kidney,tumor,cyst"], binary=True
    )
    assert [label.name for label in dataset.label_map.values()] == ["kidney"]
    for patient in PATIENTS:
        parts = [found.voxels(patient, name) for name in ("kidney", "tumor", "cyst")]
        np.testing.assert_array_equal(masks(dataset, patient), 255 * np.any(parts, axis=0))


@pytest.mark.peers
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("kind", [*KINDS])
def test_nnunet_finds_each_set_sound(kind: str, nnunet_folders: Path) -> None:
    """As `nnUNetv2_plan_and_preprocess --verify_dataset_integrity`, up to its plans."""
    it = KINDS[kind]
    found = it.make(nnunet_folders / "root")
    where: dict[str, Any] = {"images": phantoms.IMAGES, "masks": found.masks}
    dataset = chaosprep.prepare(found.root, nnunet_folders / "out", **where, **it.chosen)
    chaosprep.export("nnunet", dataset, nnunet_folders / "raw", id=816)
    plan(816)
    (there,) = (nnunet_folders / "preprocessed").iterdir()
    assert (there / "nnUNetPlans.json").exists()


def test_a_mask_whose_names_cannot_be_read_says_why(tmp_path: Path) -> None:
    """Two segments of one number and layer: not a mask that says nothing."""
    found = phantoms.seg_nrrd(tmp_path / "root")
    file = found.root / "segs/A3.seg.nrrd"
    file.write_bytes(file.read_bytes().replace(b"LabelValue:=7", b"LabelValue:=3"))
    with pytest.raises(ProblemsError) as raised:
        chaosprep.split(
            found.root, tmp_path / "s", images=phantoms.IMAGES, masks=found.masks, val=0.0
        )
    (problem,) = raised.value.problems
    assert problem.id.startswith("A3")
    assert "says nothing" not in problem.text
    assert problem.code != "labels-unknown"
