"""The phantom: CHAOS's layout and oddities, exact masks, an abdomen's contrast, the same bytes."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from chaosprep.errors import UsageError
from chaosprep.phantom import SAMPLE_PATIENTS, Patient, write_chaos, write_patient
from chaosprep.phantom.anatomy import HALF_HEIGHT, draw_anatomy
from chaosprep.phantom.contrast import make_scanner
from chaosprep.phantom.painting import tissue_map
from chaosprep.phantom.tissues import Tissue
from chaosprep.phantom.writing import generator

SAMPLE = Path(__file__).parents[1] / "sample_data"
SHIPPED = SAMPLE / "CHAOS_Train_Sets"
LIVER, RIGHT_KIDNEY, LEFT_KIDNEY, SPLEEN = 63, 126, 189, 252
DEPENDS_ON_PIXELS = {
    "PixelData",
    "SmallestImagePixelValue",
    "LargestImagePixelValue",
    "WindowCenter",
    "WindowWidth",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_chaos(tmp_path_factory.mktemp("phantom") / "CHAOS_Train_Sets")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def files(folder: Path) -> dict[str, Path]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in paths}


def contents(folder: Path) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in files(folder).items()}


def mask(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image)


def pixels(path: Path) -> NDArray[np.int64]:
    return pydicom.dcmread(path).pixel_array.astype(np.int64)


def stack(folder: Path) -> NDArray[np.int64]:
    return np.stack([pixels(path) for path in sorted(folder.iterdir())])


def masks(folder: Path) -> NDArray[np.uint8]:
    return np.stack([mask(path) for path in sorted(folder.iterdir())])


def header(path: Path) -> dict[str, object]:
    data = pydicom.dcmread(path)
    elements = {e.keyword: (e.VR, e.value) for e in (*data.file_meta, *data)}
    return {key: value for key, value in elements.items() if key not in DEPENDS_ON_PIXELS}


def mr_cases(root: Path) -> Iterator[tuple[Path, Path]]:
    """The (images, masks) folders of every MR case with a mask of its own."""
    for home in sorted((root / "Train_Sets/MR").iterdir()):
        yield home / "T1DUAL/DICOM_anon/InPhase", home / "T1DUAL/Ground"
        if (home / "T2SPIR").exists():
            yield home / "T2SPIR/DICOM_anon", home / "T2SPIR/Ground"


class Slice(NamedTuple):
    corner: list[float]
    spacing: float
    mask: NDArray[np.uint8]


def slice_at(home: Path, z: float) -> Slice:
    """The slice of a series whose header gives the position `z`, with its mask."""
    for path in home.rglob("*.dcm"):
        data = pydicom.dcmread(path)
        corner = [float(value) for value in data.ImagePositionPatient]
        if abs(corner[2] - z) < 1e-6:
            ground = mask(home / "Ground" / f"{path.stem}.png")
            return Slice(corner, float(data.PixelSpacing[0]), ground)
    raise LookupError(z)


class TestLayout:
    def test_t1_is_numbered_even_in_phase_odd_out_of_phase_and_ground_follows_in_phase(
        self, root: Path
    ) -> None:
        home = root / "Train_Sets/MR/1/T1DUAL"
        stem = "IMG-0005-000"
        even = ["02", "04", "06", "08", "10", "12"]
        odd = ["01", "03", "05", "07", "09", "11"]
        assert names(home / "DICOM_anon/InPhase") == [f"{stem}{n}.dcm" for n in even]
        assert names(home / "DICOM_anon/OutPhase") == [f"{stem}{n}.dcm" for n in odd]
        assert names(home / "Ground") == [f"{stem}{n}.png" for n in even]

    def test_t2_is_numbered_from_one_with_a_middle_number_of_its_own(self, root: Path) -> None:
        home = root / "Train_Sets/MR/1/T2SPIR"
        stems = [f"IMG-0007-0000{n}" for n in range(1, 7)]
        assert names(home / "DICOM_anon") == [f"{stem}.dcm" for stem in stems]
        assert names(home / "Ground") == [f"{stem}.png" for stem in stems]

    def test_ct_stems_never_match_and_carry_a_comma(self, root: Path) -> None:
        home = root / "Train_Sets/CT/1"
        assert names(home / "DICOM_anon") == [f"i000{n},0000b.dcm" for n in range(6)]
        assert names(home / "Ground") == [f"liver_GT_00{n}.png" for n in range(6)]

    def test_no_two_patients_or_series_share_a_middle_number(self, root: Path) -> None:
        series = [names(images)[0].split("-")[1] for images, _ in mr_cases(root)]
        assert len(set(series)) == len(series)

    def test_test_sets_have_no_ground_truth(self, tmp_path: Path) -> None:
        write_chaos(tmp_path, [Patient(id=4, slices=2, matrix=32)], sets="Test_Sets")
        assert (tmp_path / "Test_Sets/MR/4/T2SPIR/DICOM_anon/IMG-0019-00001.dcm").exists()
        assert not list(tmp_path.rglob("*.png"))

    def test_only_the_named_sequences_are_written(self, tmp_path: Path) -> None:
        patient = Patient(id=4, sequences=("t1-in",), slices=1, matrix=32, ground=False)
        write_patient(tmp_path, patient)
        assert list(files(tmp_path)) == ["MR/4/T1DUAL/DICOM_anon/InPhase/IMG-0017-00002.dcm"]

    def test_a_sequence_of_the_other_modality_is_refused(self) -> None:
        with pytest.raises(UsageError, match="ct is not a MR sequence"):
            Patient(id=1, sequences=("ct",))


class TestHeaders:
    def test_every_file_names_its_patient_only_in_patient_name(self, root: Path) -> None:
        for name, path in files(root).items():
            if name.endswith(".dcm"):
                _, modality, number, *_ = name.split("/")
                data = pydicom.dcmread(path)
                assert data.PatientName == f"CHAOS^{modality}_SET_{number}"
                assert not data.PatientID

    def test_no_date_or_time_has_a_value(self, root: Path) -> None:
        for path in root.rglob("*.dcm"):
            data = pydicom.dcmread(path)
            assert [e.keyword for e in data if e.VR in ("DA", "TM", "DT") and e.value] == []

    def test_sop_instance_uids_are_valid_and_unique(self, root: Path) -> None:
        uids = [pydicom.dcmread(path).SOPInstanceUID for path in root.rglob("*.dcm")]
        assert all(uid.is_valid and uid.startswith("2.25.") for uid in uids)
        assert len(set(uids)) == len(uids)

    def test_both_phases_share_a_series_and_differ_in_echo(self, root: Path) -> None:
        home = root / "Train_Sets/MR/1/T1DUAL/DICOM_anon"
        inside = pydicom.dcmread(home / "InPhase/IMG-0005-00002.dcm")
        out = pydicom.dcmread(home / "OutPhase/IMG-0005-00001.dcm")
        assert inside.SeriesInstanceUID == out.SeriesInstanceUID
        assert (inside.EchoTime, out.EchoTime) == (4.6, 2.3)

    @pytest.mark.parametrize(
        ("images", "thickness", "between", "pixel"),
        [("T1DUAL/DICOM_anon/InPhase", 5.0, 5.5, 3.125), ("T2SPIR/DICOM_anon", 7.0, 7.7, 2.8125)],
    )
    def test_mr_rises_by_the_spacing_between_slices_and_not_by_the_thickness(
        self, root: Path, images: str, thickness: float, between: float, pixel: float
    ) -> None:
        data = [pydicom.dcmread(p) for p in sorted((root / "Train_Sets/MR/1" / images).iterdir())]
        z = [float(d.ImagePositionPatient[2]) for d in data]
        assert np.diff(z) == pytest.approx(between)
        assert {d.SliceThickness for d in data} == {thickness}
        assert {d.SpacingBetweenSlices for d in data} == {between}
        assert {tuple(d.PixelSpacing) for d in data} == {(pixel, pixel)}

    def test_mr_has_no_rescale_and_a_window_of_its_own_in_each_slice(self, root: Path) -> None:
        folder = root / "Train_Sets/MR/1/T1DUAL/DICOM_anon/InPhase"
        data = [pydicom.dcmread(path) for path in folder.iterdir()]
        assert not any("RescaleSlope" in d or "RescaleIntercept" in d for d in data)
        assert len({d.WindowWidth for d in data}) > 1

    def test_ct_falls_by_a_spacing_that_no_tag_tells(self, root: Path) -> None:
        folder = root / "Train_Sets/CT/1/DICOM_anon"
        data = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
        z = [float(d.ImagePositionPatient[2]) for d in data]
        assert np.diff(z) == pytest.approx(-2.0)
        assert {d.SliceThickness for d in data} == {3.2}
        assert not any("SpacingBetweenSlices" in d for d in data)

    def test_ct_has_two_windows_an_intercept_and_a_protocol_name_that_lies(
        self, root: Path
    ) -> None:
        data = pydicom.dcmread(root / "Train_Sets/CT/1/DICOM_anon/i0000,0000b.dcm")
        assert (list(data.WindowCenter), list(data.WindowWidth)) == ([50, 50], [400, 400])
        assert (data.RescaleIntercept, data.RescaleSlope) == (-1000, 1)
        assert data.ProtocolName == "T2SPIR"

    def test_implicit_vr_is_for_ct_and_for_whom_asks(self, root: Path) -> None:
        implicit = {
            tuple(name.split("/")[1:3])
            for name, path in files(root).items()
            if name.endswith(".dcm")
            and pydicom.dcmread(path).file_meta.TransferSyntaxUID.is_implicit_VR
        }
        assert implicit == {("MR", "2"), ("CT", "1")}

    @given(
        angle=st.floats(-0.5, 0.5),
        slices=st.integers(1, 40),
        matrix=st.integers(16, 320),
        sequence=st.sampled_from(["t1-in", "t2-spir"]),
    )
    def test_an_oblique_stack_runs_along_its_normal_around_the_origin(
        self, angle: float, slices: int, matrix: int, sequence: str
    ) -> None:
        cos, sin = float(np.cos(angle)), float(np.sin(angle))
        askew = (1.0, 0.0, 0.0, 0.0, cos, sin)
        patient = Patient(id=1, slices=slices, matrix=matrix, orientation=askew)
        corners = np.array([patient.position(sequence, i) for i in range(slices)])
        step = {"t1-in": 5.5, "t2-spir": 7.7}[sequence] * np.array([0.0, -sin, cos])
        assert np.diff(corners, axis=0) == pytest.approx(np.tile(step, (slices - 1, 1)), abs=1e-9)
        to_middle = np.array([1.0, cos, sin]) * (matrix - 1) / 2 * patient.spacing(sequence)
        assert corners.mean(axis=0) + to_middle == pytest.approx(np.zeros(3), abs=1e-9)

    def test_turning_the_patient_changes_positions_and_not_pixels(self, tmp_path: Path) -> None:
        askew = (0.8, 0.6, 0.0, -0.6, 0.8, 0.0)
        for way, orientation in (("axial", (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)), ("askew", askew)):
            patient = Patient(id=1, slices=1, matrix=32, orientation=orientation)
            write_patient(tmp_path / way, patient)
        one, other = (
            pydicom.dcmread(next((tmp_path / way).rglob("IMG-0005-00002.dcm")))
            for way in ("axial", "askew")
        )
        assert other.ImageOrientationPatient == list(askew)
        assert other.ImagePositionPatient != one.ImagePositionPatient
        assert other.PixelData == one.PixelData


class TestMasks:
    def test_mr_masks_hold_the_four_grey_levels_of_chaos_and_nothing_else(self, root: Path) -> None:
        for _, ground in mr_cases(root):
            assert set(np.unique(masks(ground))) == {0, LIVER, RIGHT_KIDNEY, LEFT_KIDNEY, SPLEEN}

    def test_ct_masks_are_one_bit(self, root: Path) -> None:
        for path in (root / "Train_Sets/CT/1/Ground").iterdir():
            with Image.open(path) as image:
                assert image.mode == "1"
        assert masks(root / "Train_Sets/CT/1/Ground").any()

    def test_masks_are_as_large_as_their_slices(self, root: Path) -> None:
        sizes = set()
        for images, ground in mr_cases(root):
            assert masks(ground).shape == stack(images).shape
            sizes.add(masks(ground).shape[1:])
        assert sizes == {(128, 128), (160, 160)}

    def test_the_patients_right_is_the_images_left(self, root: Path) -> None:
        for _, ground in mr_cases(root):
            column = {
                grey: np.nonzero(masks(ground) == grey)[2].mean() / masks(ground).shape[2]
                for grey in (LIVER, RIGHT_KIDNEY, LEFT_KIDNEY, SPLEEN)
            }
            assert max(column[LIVER], column[RIGHT_KIDNEY]) < 0.5
            assert min(column[SPLEEN], column[LEFT_KIDNEY]) > 0.5

    def test_liver_and_kidneys_come_and_go_along_a_stack(self, root: Path) -> None:
        for _, ground in mr_cases(root):
            volume = masks(ground)
            liver = (volume == LIVER).any(axis=(1, 2))
            kidneys = (volume == RIGHT_KIDNEY).any(axis=(1, 2))
            assert liver.any()
            assert not liver[[0, -1]].any()
            assert kidneys.any()
            assert not kidneys.all()

    @given(seed=st.integers(0, 2**32), slices=st.integers(5, 60))
    def test_the_liver_never_reaches_the_first_or_the_last_slice(
        self, seed: int, slices: int
    ) -> None:
        anatomy = draw_anatomy(np.random.default_rng(seed))
        line = np.linspace(-198.0, 198.0, 24)
        z = HALF_HEIGHT * (1 - 1 / slices)
        for end in (-z, z):
            assert not (tissue_map(anatomy, line, line, end) == Tissue.LIVER).any()
        middle = tissue_map(anatomy, line, line, 0.0)
        assert {Tissue.LIVER, Tissue.SPLEEN} <= set(np.unique(middle))

    def test_a_mask_pixel_is_what_lies_at_the_pixels_centre(self, tmp_path: Path) -> None:
        """Every third pixel of a grid three times as fine has the centre of a coarse pixel."""
        coarse = Patient(id=1, sequences=("t1-in",), slices=3, matrix=64, pixel_spacing=6.0)
        fine = Patient(id=1, sequences=("t1-in",), slices=3, matrix=192, pixel_spacing=2.0)
        write_patient(tmp_path / "coarse", coarse)
        write_patient(tmp_path / "fine", fine)
        few = masks(tmp_path / "coarse/MR/1/T1DUAL/Ground")
        many = masks(tmp_path / "fine/MR/1/T1DUAL/Ground")
        assert few.any()
        assert np.array_equal(few, many[:, 1::3, 1::3])

    def test_t1_and_t2_of_a_patient_are_one_anatomy_in_patient_space(self, tmp_path: Path) -> None:
        """At a z that both stacks have, look up each T2 pixel's centre (mm) in the T1 mask."""
        write_patient(tmp_path, Patient(id=1, sequences=("t1-in", "t2-spir"), slices=35, matrix=64))
        t1 = slice_at(tmp_path / "MR/1/T1DUAL", -38.5)
        t2 = slice_at(tmp_path / "MR/1/T2SPIR", -38.5)
        line = float(t2.corner[0]) + np.arange(64) * t2.spacing
        nearest = np.rint((line - float(t1.corner[0])) / t1.spacing).astype(int)
        here, there = t2.mask == LIVER, t1.mask[np.ix_(nearest, nearest)] == LIVER
        assert here.sum() > 100
        assert 2 * (here & there).sum() / (here.sum() + there.sum()) > 0.95


class TestContrast:
    def test_the_head_end_shows_lung_in_mr_the_last_file_in_ct_the_first(self, root: Path) -> None:
        mr = stack(root / "Train_Sets/MR/1/T1DUAL/DICOM_anon/InPhase") < 60
        ct = stack(root / "Train_Sets/CT/1/DICOM_anon") < 300
        dark = [[int(slices[i].sum()) for i in (0, -1)] for slices in (mr, ct)]
        (mr_first, mr_last), (ct_first, ct_last) = dark
        assert mr_last > 1.1 * mr_first
        assert ct_first > 1.1 * ct_last

    def means(self, home: Path, images: str, ground: str) -> tuple[float, float, float]:
        """Mean stored value of liver, spleen and both kidneys."""
        volume, labels = stack(home / images), masks(home / ground)
        organs = ([LIVER], [SPLEEN], [RIGHT_KIDNEY, LEFT_KIDNEY])
        liver, spleen, kidneys = (float(volume[np.isin(labels, g)].mean()) for g in organs)
        return liver, spleen, kidneys

    @pytest.mark.parametrize("phase", ["InPhase", "OutPhase"])
    def test_t1_liver_is_brighter_than_spleen_and_spleen_than_kidney(
        self, root: Path, phase: str
    ) -> None:
        for home in (root / "Train_Sets/MR").iterdir():
            means = self.means(home, f"T1DUAL/DICOM_anon/{phase}", "T1DUAL/Ground")
            liver, spleen, kidneys = means
            assert liver > 1.1 * spleen
            assert spleen > 1.1 * kidneys

    def test_t2_kidney_is_brighter_than_spleen_and_spleen_than_liver(self, root: Path) -> None:
        for number in ("1", "8"):
            home = root / "Train_Sets/MR" / number
            liver, spleen, kidneys = self.means(home, "T2SPIR/DICOM_anon", "T2SPIR/Ground")
            assert kidneys > 1.1 * spleen
            assert spleen > 1.5 * liver

    def test_a_fatty_liver_loses_signal_out_of_phase(self, root: Path) -> None:
        home = root / "Train_Sets/MR/1"
        inside, out = (
            self.means(home, f"T1DUAL/DICOM_anon/{phase}", "T1DUAL/Ground")[0]
            for phase in ("InPhase", "OutPhase")
        )
        assert 0.75 * inside < out < 0.95 * inside

    def test_ct_liver_is_near_60_hounsfield_units(self, root: Path) -> None:
        home = root / "Train_Sets/CT/1"
        liver = stack(home / "DICOM_anon")[masks(home / "Ground")] - 1000
        assert 50 < liver.mean() < 65

    def test_ct_stores_hounsfield_units_plus_1000_with_noise_near_10(self) -> None:
        scanner = make_scanner("ct", 128, 3.0, np.random.default_rng(1))
        fat = np.full((128, 128), Tissue.FAT, np.uint8)
        values = scanner.expose(fat, np.random.default_rng(2)).astype(float) - 1000
        assert values.mean() == pytest.approx(-100.0, abs=1.0)
        assert values.std() == pytest.approx(10.0, rel=0.15)

    def test_maxima_are_as_large_as_those_of_chaos(self, root: Path) -> None:
        home = root / "Train_Sets/MR/1"
        assert 800 < stack(home / "T1DUAL/DICOM_anon/InPhase").max() < 1100
        assert 1200 < stack(home / "T2SPIR/DICOM_anon").max() < 1900

    def test_fat_is_bright_on_t1_and_suppressed_on_t2_spir(self) -> None:
        fat = np.full((32, 32), Tissue.FAT, np.uint8)
        level = {
            sequence: make_scanner(sequence, 32, 2.0, np.random.default_rng(1))
            .expose(fat, np.random.default_rng(2))
            .mean()
            for sequence in ("t1-in", "t1-out", "t2-spir")
        }
        assert level["t1-in"] > level["t1-out"] > 550
        assert level["t2-spir"] < 130

    @pytest.mark.parametrize("spacing", [1.0, 3.125])
    def test_a_border_of_fat_and_water_is_a_dark_line_out_of_phase_only(
        self, spacing: float
    ) -> None:
        border = np.full((32, 32), Tissue.FAT, np.uint8)
        border[:, 16:] = Tissue.LIVER
        profile = {
            phase: make_scanner(phase, 32, spacing, np.random.default_rng(1))
            .expose(border, np.random.default_rng(2))
            .mean(axis=0)
            for phase in ("t1-in", "t1-out")
        }
        liver_in, liver_out = profile["t1-in"][24], profile["t1-out"][24]
        assert profile["t1-out"][14:18].min() < 0.5 * liver_out
        assert profile["t1-in"][14:18].min() > 0.9 * liver_in

    def test_noise_is_rician_so_that_air_is_never_negative_and_never_quite_dark(self) -> None:
        air = np.full((128, 128), Tissue.AIR, np.uint8)
        scanner = make_scanner("t1-in", 128, 2.0, np.random.default_rng(1))
        values = scanner.expose(air, np.random.default_rng(2))
        # Without signal a Rician is a Rayleigh distribution: mean sigma * sqrt(pi / 2).
        assert values.mean() == pytest.approx(13.0 * np.sqrt(np.pi / 2), rel=0.03)


class TestDeterminism:
    SMALL = (Patient(id=1, slices=2, matrix=48), Patient(id=1, modality="CT", slices=2, matrix=48))

    def test_the_same_arguments_give_the_same_bytes(self, tmp_path: Path) -> None:
        one, two = (write_chaos(tmp_path / run, self.SMALL, seed=7) for run in ("one", "two"))
        assert contents(one) == contents(two)

    def test_another_seed_gives_other_pixels_masks_and_uids(self, tmp_path: Path) -> None:
        one, two = (write_chaos(tmp_path / str(seed), self.SMALL, seed=seed) for seed in (7, 8))
        before, after = contents(one), contents(two)
        assert before.keys() == after.keys()
        assert {name for name in before if before[name] == after[name]} == {"datapackage.json"}

    def test_a_patient_does_not_depend_on_who_was_written_before(self, tmp_path: Path) -> None:
        patient = Patient(id=2, slices=2, matrix=48)
        alone = write_chaos(tmp_path / "alone", [patient])
        after = write_chaos(tmp_path / "after", [*self.SMALL, patient])
        assert contents(alone / "Train_Sets/MR/2") == contents(after / "Train_Sets/MR/2")

    def test_mr_1_and_ct_1_are_different_people(self) -> None:
        mr, ct = (
            draw_anatomy(generator(0, patient, "anatomy"))
            for patient in (Patient(id=1), Patient(id=1, modality="CT"))
        )
        assert mr.size != ct.size


class TestSampleData:
    def test_it_has_the_files_that_the_generator_makes(self, root: Path) -> None:
        assert files(SHIPPED).keys() == files(root).keys()

    def test_its_headers_are_those_that_the_generator_makes(self, root: Path) -> None:
        made = files(root)
        for name, path in files(SHIPPED).items():
            if name.endswith(".dcm"):
                assert header(path) == header(made[name]), name

    def test_its_pixels_are_within_one_grey_level_and_its_masks_equal(self, root: Path) -> None:
        made = files(root)
        for name, path in files(SHIPPED).items():
            if name.endswith(".dcm"):
                assert np.abs(pixels(path) - pixels(made[name])).max() <= 1, name
            elif name.endswith(".png"):
                assert np.array_equal(mask(path), mask(made[name])), name

    def test_its_descriptor_is_the_one_that_the_generator_makes(self, root: Path) -> None:
        assert contents(SHIPPED)["datapackage.json"] == contents(root)["datapackage.json"]

    def test_it_is_small(self) -> None:
        assert sum(path.stat().st_size for path in files(SAMPLE).values()) <= 3_000_000

    def test_it_has_five_mr_patients_two_with_t2_and_one_ct(self) -> None:
        mr = [patient for patient in SAMPLE_PATIENTS if patient.modality == "MR"]
        assert [patient.id for patient in mr] == [1, 2, 3, 5, 8]
        assert [patient.id for patient in mr if "t2-spir" in patient.sequences] == [1, 8]
        assert len(SAMPLE_PATIENTS) == 6

    def test_its_descriptor_says_synthetic_and_cc0_and_lists_every_slice(self) -> None:
        from frictionless import Package

        package = Package(str(SHIPPED / "datapackage.json"))
        assert package.validate().valid
        assert [licence["name"] for licence in package.licenses] == ["CC0-1.0"]
        assert [source["title"] for source in package.sources] == ["chaosprep phantom, synthetic"]
        (resource,) = package.resources
        listed = {str(resource.path), *resource.extrapaths}
        assert listed == {name for name in files(SHIPPED) if name.endswith(".dcm")}
