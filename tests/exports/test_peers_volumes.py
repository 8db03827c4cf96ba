"""nnU-Net and MONAI take what export wrote, on the phantom and on CHAOS data where they are."""

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.exports import monai, nnunet
from chaosprep.exports.channels import Channels
from chaosprep.facts import Label
from chaosprep.formats.png import encode_png
from chaosprep.phantom import Patient, write_chaos
from tests.exports.seen import load, voxels
from tests.labelled import labelled
from tests.stages.test_real_data import DERIVED, REAL

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("default")]
real = pytest.mark.skipif(not REAL.is_dir(), reason="no CHAOS data beside the repository")
BOTH = ("t1-in", "t1-out")


@pytest.fixture(scope="module", params=["phantom", pytest.param("derived", marks=real)])
def livers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Both phases of two patients that train and one of whom validates, 16 bits as npy."""
    place = tmp_path_factory.mktemp(request.param)
    root, patients = DERIVED, ("MR001", "MR021")
    if request.param == "phantom":
        phantoms = [Patient(id=id, slices=8, matrix=96, sequences=BOTH) for id in (1, 21)]
        root = write_chaos(place / "root", phantoms)
    pairs = chaosprep.split(
        root, place / "s", sequence=BOTH, patient=patients, val_patient=["MR021"], link="hard"
    )
    masks = chaosprep.extract_liver(pairs, place / "l", all_organs=True)
    return chaosprep.convert(masks, place / "c", keep_16bit=True, format="npy")


@pytest.fixture
def nnunet_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """nnU-Net's three folders, in the environment before it is imported."""
    pytest.importorskip("nnunetv2")
    for name in ("raw", "preprocessed", "results"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(f"nnUNet_{name}", str(tmp_path / name))
    monkeypatch.setenv("nnUNet_n_proc_DA", "1")
    here = Path.cwd()
    yield tmp_path
    os.chdir(here)


def plan(id: int) -> None:
    """Let nnU-Net verify the dataset, take its fingerprint and plan."""
    from nnunetv2.experiment_planning.plan_and_preprocess_api import (
        extract_fingerprints,
        plan_experiments,
    )

    extract_fingerprints([id], num_processes=1, check_dataset_integrity=True)
    plan_experiments([id])


def plan_and_preprocess(id: int) -> None:
    """As `nnUNetv2_plan_and_preprocess -d ID -c 2d -np 1 --verify_dataset_integrity`."""
    from nnunetv2.experiment_planning.plan_and_preprocess_api import preprocess

    plan(id)
    preprocess([id], configurations=("2d",), num_processes=(1,))


@pytest.mark.parametrize(("sequences", "channels"), [(("t1-in",), 1), (BOTH, 2)])
def test_nnunet_plans_and_preprocesses_the_export(
    livers: Dataset, nnunet_folders: Path, sequences: tuple[str, ...], channels: int
) -> None:
    made = nnunet.export(livers, nnunet_folders / "raw", id=801, sequences=sequences)
    plan_and_preprocess(801)
    there = nnunet_folders / "preprocessed" / made.path.name
    plans = load(there / "nnUNetPlans.json")
    spacing = livers.slices[0].spacing
    assert spacing is not None
    assert plans["original_median_spacing_after_transp"] == pytest.approx(spacing, rel=0.3)
    schemes = plans["configurations"]["2d"]["normalization_schemes"]
    assert schemes == ["ZScoreNormalization"] * channels
    cases = sorted(path.stem for path in (there / "nnUNetPlans_2d").glob("*.pkl"))
    folds = load(made.path / "splits_final.json")
    assert folds == [{"train": cases[:1], "val": cases[1:]}]


def test_nnunet_finds_a_set_sound_whose_map_has_an_organ_that_no_case_shows(
    nnunet_folders: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Fifteen organs, fourteen of them drawn; nnU-Net wants labels without gaps, not voxels."""
    place = tmp_path_factory.mktemp("fifteen")
    made = nnunet.export(fifteen_organs(place, absent=6), nnunet_folders / "raw", id=815)
    plan_and_preprocess(815)
    labels = load(made.path / "dataset.json")["labels"]
    assert labels == {"background": 0} | {f"organ-{number:02}": number for number in range(1, 16)}
    there = nnunet_folders / "preprocessed" / made.path.name
    assert len(list((there / "nnUNetPlans_2d").glob("*.pkl"))) == made.cases
    shown = {
        int(value)
        for file in (made.path / "labelsTr").iterdir()
        for value in np.unique(voxels(file))
    }
    assert shown == set(range(16)) - {6}


def fifteen_organs(place: Path, absent: int) -> Dataset:
    """Three patients whose masks hold 1 to 15 in cubes, but for one that the map alone has."""
    phantoms = [Patient(id=id, slices=4, matrix=64, sequences=("t1-in",)) for id in (1, 2, 3)]
    pairs = chaosprep.split(
        write_chaos(place / "root", phantoms), place / "s", val_patient=["MR003"]
    )
    masks = chaosprep.extract_liver(pairs, place / "l", mask_value=1)
    told = {number: Label(f"organ-{number:02}") for number in range(1, 16)}
    numbers = [number for number in told if number != absent]
    mask = np.zeros((64, 64), np.uint8)
    for at, number in enumerate(numbers):
        row, col = divmod(at, 4)
        mask[16 * row + 2 : 16 * row + 12, 16 * col + 2 : 16 * col + 12] = number
    data = encode_png(mask)

    def edit(row: dict[str, Any]) -> None:
        file = place / "d" / row["mask"]
        file.unlink()
        file.write_bytes(data)
        row["mask_sha256"], row["mask_bytes"] = sha256(data).hexdigest(), len(data)
        row["labels"] = {str(number): told[number].name for number in numbers}
        row["pixels"] = {told[number].name: 100 for number in numbers}

    dataset = labelled(masks, place / "d", told, edit)
    assert chaosprep.verify(dataset.directory).faults == ()
    return dataset


def test_nnunet_trains_on_our_folds(
    nnunet_folders: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Its trainer takes splits_final.json from where the page says to copy it."""
    place = tmp_path_factory.mktemp("folds")
    phantoms = [Patient(id=id, slices=4, matrix=32, sequences=("t1-in",)) for id in (1, 2, 3)]
    pairs = chaosprep.split(write_chaos(place / "root", phantoms), place / "s", folds=3)
    made = nnunet.export(chaosprep.extract_liver(pairs, place / "l"), nnunet_folders / "raw")
    plan_and_preprocess(101)
    there = nnunet_folders / "preprocessed" / made.path.name
    (there / "splits_final.json").write_bytes((made.path / "splits_final.json").read_bytes())

    import torch
    from nnunetv2.run.run_training import get_trainer_from_args

    for fold in range(3):
        trainer = get_trainer_from_args("101", "2d", fold, device=torch.device("cpu"))
        train, val = trainer.do_split()
        assert val == sorted({row.case for row in pairs.slices if row.fold == fold})
        assert train == sorted({row.case for row in pairs.slices if row.fold != fold})


def test_nnunet_normalises_ct_as_hounsfield_units(
    nnunet_folders: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("ct")
    phantoms = [Patient(id=id, modality="CT", slices=6, matrix=64) for id in (1, 2)]
    root = write_chaos(place / "root", phantoms)
    pairs = chaosprep.split(root, place / "s", sequence=["ct"], val_patient=["CT002"])
    nnunet.export(chaosprep.extract_liver(pairs, place / "l"), nnunet_folders / "raw")
    plan(101)
    (there,) = (nnunet_folders / "preprocessed").iterdir()
    plans = load(there / "nnUNetPlans.json")
    assert plans["configurations"]["2d"]["normalization_schemes"] == ["CTNormalization"]
    seen = plans["foreground_intensity_properties_per_channel"]["0"]
    assert -100 < seen["median"] < 300


@pytest.mark.parametrize("channels", ["joint", "single"])
def test_monai_loads_every_case_of_the_datalist(
    livers: Dataset, tmp_path: Path, channels: Channels
) -> None:
    pytest.importorskip("monai")
    pytest.importorskip("nibabel")
    from monai.data import CacheDataset, load_decathlon_datalist
    from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged

    made = monai.export(livers, tmp_path / "out", channels=channels)
    load_both = Compose([LoadImaged(["image", "label"]), EnsureChannelFirstd(["image", "label"])])
    loaded = 0
    for key in ("training", "validation"):
        items = load_decathlon_datalist(
            str(made.path / "dataset.json"), is_segmentation=True, data_list_key=key
        )
        for item in CacheDataset(items, load_both, progress=False):
            loaded += 1
            id = Path(item["label"].meta["filename_or_obj"]).name.removesuffix(".nii.gz")
            case = livers.case(id if channels == "single" else f"{id}-in")
            depth, rows, cols = len(case.slices), case.slices[0].rows, case.slices[0].cols
            image, label = item["image"], item["label"]
            assert image.shape == (1 if channels == "single" else 2, cols, rows, depth)
            assert label.shape == (1, cols, rows, depth)
            masks = np.stack([np.asarray(case.mask(row)) for row in case.slices])
            assert np.array_equal(label[0].numpy().T, masks)
            assert np.array_equal(image[0].numpy().T, case.volume())
            assert np.allclose(label.affine, image.affine)
    assert loaded == made.cases


def test_auto3dseg_reads_our_folds(tmp_path: Path) -> None:
    pytest.importorskip("monai")
    from monai.auto3dseg import datafold_read

    phantoms = [Patient(id=id, slices=3, matrix=32, sequences=("t1-in",)) for id in (1, 2, 3, 4)]
    root = write_chaos(tmp_path / "root", phantoms)
    pairs = chaosprep.split(root, tmp_path / "s", folds=2)
    made = monai.export(chaosprep.extract_liver(pairs, tmp_path / "l"), tmp_path / "out")
    for fold in (0, 1):
        training, validation = datafold_read(
            str(made.path / "dataset.json"), str(made.path), fold=fold
        )
        expected = {row.case for row in pairs.slices if row.fold == fold}
        found = {Path(item["label"]).name.removesuffix(".nii.gz") for item in validation}
        assert found == expected
        assert len(training) == 4 - len(expected)
        assert all(Path(item["image"]).is_file() for item in (*training, *validation))
