"""Six small sets as people have them: scans of three patients, and masks of each kind."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.uid import generate_uid

from tests.formats import test_slicer_segments as slicer
from tests.formats.itk_volumes import little, nrrd, placed
from tests.formats.samples import dicom
from tests.formats.structure_sets import Drawn, Structure, rtstruct
from tests.layouts.trees import nifti

IMAGES = "scans/{patient}/{slice}.dcm"
PATIENTS = ("A1", "A2", "A3")
SHAPE = COUNT, ROWS, COLS = 4, 32, 40
SPACING = 4.0, 1.25, 1.5  # mm: slice, row, col
LPS = np.array([[1.5, 0, 0, -20], [0, 1.25, 0, 30], [0, 0, 4, 100], [0, 0, 0, 1.0]])
RAS = np.diag([-1.0, -1, 1, 1]) @ LPS
Box = tuple[slice, slice, slice]
Shown = Mapping[str, Box]
Voxels = NDArray[np.uint8]


@dataclass(frozen=True)
class Set:
    """A set below a root: where its masks are, and where each structure lies in each patient."""

    root: Path
    masks: str
    shown: Mapping[str, Shown]

    def voxels(self, patient: str, name: str) -> NDArray[np.bool_]:
        """Where a structure lies, (slices, rows, cols)."""
        found = np.zeros(SHAPE, np.bool_)
        if name in self.shown[patient]:
            found[self.shown[patient][name]] = True
        return found


def uid(*of: object) -> str:
    return str(generate_uid(entropy_srcs=[" ".join(map(str, of))]))


def scans(root: Path, patients: Sequence[str] = PATIENTS) -> Path:
    """A series of noise for each patient, no two slices of which are alike."""
    for patient in patients:
        (root / "scans" / patient).mkdir(parents=True)
        draw = np.random.default_rng(ord(patient[-1]))
        for place in range(COUNT):
            (root / "scans" / patient / f"{place + 1}.dcm").write_bytes(
                image(draw.integers(0, 900, (ROWS, COLS)).astype(np.uint16), patient, place)
            )
    return root


def image(pixels: NDArray[np.uint16], patient: str, place: int) -> bytes:
    empty = ("PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate")
    values: dict[str, Any] = dict.fromkeys((*empty, "StudyTime", "ReferringPhysicianName"), "")
    values |= {
        "PatientName": f"Doe^Jane{patient[-1]}",
        "PatientID": f"id-{patient[-1]}",
        "SOPInstanceUID": uid(patient, place),
        "StudyInstanceUID": uid(patient, "study"),
        "SeriesInstanceUID": uid(patient, "series"),
        "FrameOfReferenceUID": uid(patient, "frame"),
        "SeriesNumber": 1,
        "InstanceNumber": place + 1,
        "PixelSpacing": list(SPACING[1:]),
        "ImagePositionPatient": [-20, 30, 100 + SPACING[0] * place],
        "SpacingBetweenSlices": SPACING[0],
        "SliceThickness": SPACING[0],
    }
    return dicom(pixels, **values)


def box(at: int, size: int = 5, slices: slice = slice(1, 3)) -> Box:
    """A box of its own for each number up to 29."""
    row, col = divmod(at, 6)
    top, left = 1 + 6 * row, 1 + 6 * col
    return slices, slice(top, top + size), slice(left, left + size)


def painted(shown: Shown, values: Mapping[str, int]) -> Voxels:
    """Labels, (slices, rows, cols): what comes later in `shown` lies on top."""
    voxels = np.zeros(SHAPE, np.uint8)
    for name, where in shown.items():
        voxels[where] = values[name]
    return voxels


def volume(voxels: NDArray[Any]) -> bytes:
    """A NIfTI of labels (slices, rows, cols), where the scans are."""
    return nifti(voxels.transpose(2, 1, 0), RAS)


def save(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def names_beside(folder: Path, names: Mapping[int, str]) -> None:
    """A dataset.json as the Decathlon has it."""
    said = {"labels": {str(value): name for value, name in names.items()}}
    save(folder / "dataset.json", json.dumps(said).encode())


AMOS = {
    **{1: "spleen", 2: "right kidney", 3: "left kidney", 4: "gall bladder", 5: "esophagus"},
    **{6: "liver", 7: "stomach", 8: "arota", 9: "postcava", 10: "pancreas"},
    **{11: "right adrenal gland", 12: "left adrenal gland", 13: "duodenum", 14: "bladder"},
    15: "prostate/uterus",
}
"""As its dataset.json has them; it spells the aorta so."""


def amos(root: Path) -> Set:
    """Fifteen labels in one NIfTI: nobody has a gall bladder, A2 has no liver."""
    scans(root)
    values = {name: value for value, name in AMOS.items()}
    shown = {}
    for patient in PATIENTS:
        absent = {"gall bladder", "liver" if patient == "A2" else ""}
        shown[patient] = {name: box(value) for value, name in AMOS.items() if name not in absent}
        save(root / f"labels/{patient}.nii", volume(painted(shown[patient], values)))
    names_beside(root / "labels", {0: "background"} | AMOS)
    return Set(root, "labels/{patient}.nii", shown)


def total(root: Path) -> Set:
    """One file per structure: the vein lies in the liver, lists differ, A3 has a `splen`."""
    scans(root)
    every = {"liver": box(0, 11), "spleen": box(4), "kidney_left": box(5), "aorta": box(16)}
    every["portal_vein"] = box(1, 4)  # in the liver
    shown: dict[str, dict[str, Box]] = {patient: dict(every) for patient in PATIENTS}
    shown["A2"] = {name: every[name] for name in ("liver", "spleen", "portal_vein", "aorta")}
    shown["A3"] = {"liver": every["liver"], "splen": every["spleen"], "aorta": every["aorta"]}
    for patient, structures in shown.items():
        for name, where in structures.items():
            save(root / f"seg/{patient}/{name}.nii", volume(painted({name: where}, {name: 1})))
    return Set(root, "seg/{patient}/{organ}.nii", shown)


def kits(root: Path) -> Set:
    """A kidney with a tumor and a cyst in it, which take its voxels."""
    scans(root)
    values = {"kidney": 1, "tumor": 2, "cyst": 3}
    shown: dict[str, Shown] = {}
    for at, patient in enumerate(PATIENTS):
        shown[patient] = {"kidney": box(at, 11), "tumor": box(at, 4)}
        if patient == "A2":
            shown[patient] = {**shown[patient], "cyst": box(at + 7, 3)}
        save(root / f"labels/{patient}.nii", volume(painted(shown[patient], values)))
    names_beside(root / "labels", {0: "background"} | {value: one for one, value in values.items()})
    return Set(root, "labels/{patient}.nii", shown)


PLAN = (
    *("BODY", "Couch", "Liver", "Kidney_L", "Kidney_R", "SpinalCord", "Stomach", "GTV"),
    *("CTV", "PTV", "Bolus", "Isocentre"),
)


def radiotherapy(root: Path) -> Set:
    """Twelve ROIs on each patient, numbered otherwise on each; the targets lie in each other."""
    scans(root)
    shown = {}
    places: dict[str, Box] = {name: box(at) for at, name in enumerate(PLAN)}
    places |= {"BODY": (slice(0, 4), slice(1, 30), slice(1, 38)), "Liver": box(12, 11)}
    places |= {"GTV": box(13, 3), "CTV": box(13, 4), "PTV": box(13, 5)}
    for at, patient in enumerate(PATIENTS):
        shown[patient] = {name: places[name] for name in PLAN if name != "Isocentre"}
        order = [*PLAN[4 * at :], *PLAN[: 4 * at]]
        drawn = [
            Structure(name, contours(patient, places[name], name), number, uid(patient, "frame"))
            for number, name in enumerate(order, start=1 + 20 * at)
        ]
        save(root / f"plans/{patient}.dcm", rtstruct(*drawn))
    return Set(root, "plans/{patient}.dcm", shown)


def contours(patient: str, where: Box, name: str) -> list[Drawn]:
    """Rectangles around a box, half a pixel from its outer centres; one point for a place."""
    slices, rows, cols = where
    ends = [(rows.start, cols.start), (rows.start, cols.stop), (rows.stop, cols.stop)]
    corners = np.array([*ends, (rows.stop, cols.start)], np.float64) - 0.5
    found = []
    for place in range(slices.start, slices.stop):
        points = np.stack([corners[:, 1], corners[:, 0], np.full(4, place), np.ones(4)], axis=1)
        mm = (points @ LPS.T)[:, :3]
        one = (mm[:1], "POINT") if name == "Isocentre" else (mm, "CLOSED_PLANAR")
        found.append(Drawn(*one, uid(patient, place)))
    return found


LIVER, SPLEEN = ("10200004", "SCT", "Liver"), ("78961009", "SCT", "Spleen")
MASS = ("4147007", "SCT", "Mass")
CODED = {"Liver": LIVER, "Lesion of liver": MASS, "Spleen": SPLEEN}


def dcmqi(root: Path) -> Set:
    """DICOM SEG with codes: a lesion in the liver, empty frames left out, A2 without a spleen."""
    scans(root)
    shown: dict[str, Shown] = {}
    for patient in PATIENTS:
        own = {"Liver": box(0, 11), "Lesion of liver": box(1, 4), "Spleen": box(4)}
        if patient == "A2":
            own.pop("Spleen")
        shown[patient] = own
        save(root / f"segs/{patient}.dcm", segmentation(root, patient, own))
    return Set(root, "segs/{patient}.dcm", shown)


def segmentation(root: Path, patient: str, shown: Shown) -> bytes:
    import highdicom as hd

    files = [root / f"scans/{patient}/{place + 1}.dcm" for place in range(COUNT)]
    layers = np.zeros((*SHAPE, len(shown)), np.uint8)
    segments = []
    for at, (name, where) in enumerate(shown.items()):
        layers[(*where, at)] = 1
        organ = hd.sr.CodedConcept("123037004", "SCT", "Anatomical Structure")
        lesion = hd.sr.CodedConcept("49755003", "SCT", "Morphologically Abnormal Structure")
        segments.append(
            hd.seg.SegmentDescription(
                segment_number=at + 1,
                segment_label=name,
                segmented_property_category=lesion if CODED[name] == MASS else organ,
                segmented_property_type=hd.sr.CodedConcept(*CODED[name]),
                algorithm_type="MANUAL",
            )
        )
    made = hd.seg.Segmentation(
        source_images=[dcmread(file) for file in files],
        pixel_array=layers,
        segmentation_type="BINARY",
        segment_descriptions=segments,
        series_instance_uid=uid(patient, "seg series"),
        series_number=2,
        sop_instance_uid=uid(patient, "seg"),
        instance_number=1,
        manufacturer="none",
        manufacturer_model_name="none",
        software_versions="0",
        device_serial_number="0",
    )
    stream = BytesIO()
    made.save_as(stream)
    return stream.getvalue()


def seg_nrrd(root: Path) -> Set:
    """3D Slicer's: a tumor on a second layer over the liver; A2's liver has another number."""
    scans(root)
    shown: dict[str, Shown] = {}
    for at, patient in enumerate(PATIENTS):
        shown[patient] = {"liver": box(0, 11), "spleen": box(4), "tumor": box(1, 4)}
        values = {"liver": 1 + at, "spleen": 9 - at, "tumor": 1}
        organs = {name: shown[patient][name] for name in ("liver", "spleen")}
        layers = [painted(organs, values), painted({"tumor": box(1, 4)}, values)]
        lines = slicer.segments(
            slicer.one("liver", values["liver"], 0, slicer.LIVER),
            slicer.one("spleen", values["spleen"], 0, "SCT^78961009^Spleen"),
            slicer.one("tumor", 1, 1),
        )
        save(root / f"segs/{patient}.seg.nrrd", layered([one.T for one in layers], lines))
    return Set(root, "segs/{patient}.seg.nrrd", shown)


def layered(layers: Sequence[Voxels], lines: Sequence[str]) -> bytes:
    header = placed(layers[0], RAS)
    voxels = np.stack(layers)
    header[1] = "dimension: 4"
    header[3] = f"sizes: {' '.join(map(str, voxels.shape))}"
    header[4] = header[4].replace(": ", ": none ")
    return nrrd(
        [*header, "kinds: list domain domain domain", "encoding: raw", *lines], little(voxels)
    )
