"""predict on raw data: the run's preparation repeated, and masks on the original grid."""

import shutil
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from click.testing import CliRunner, Result

import chaosprep
from chaosprep import Dataset
from chaosprep.cli.main import main
from chaosprep.errors import ChaosprepError, ProblemsError
from chaosprep.phantom import Patient, write_chaos

torch = pytest.importorskip("torch")


def predict(*words: object) -> Result:
    return CliRunner().invoke(main, ["predict", *map(str, words), "--no-progress"])


@pytest.fixture(scope="module")
def resized(livers: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on images of another grid than the series have. Read only."""
    place = tmp_path_factory.mktemp("resized")
    images = chaosprep.convert(livers, place / "images", spacing=9.0, size="32")
    chaosprep.train(images, place / "run", epochs=1, batch=4)
    return place / "run"


def voxels(folder: Path) -> dict[str, tuple[bytes, bytes]]:
    files = sorted((folder / "masks").glob("*.nii.gz"))
    loaded: dict[str, Any] = {file.name: nibabel.load(file) for file in files}
    return {
        name: (np.asarray(one.dataobj).tobytes(), np.asarray(one.affine).tobytes())
        for name, one in loaded.items()
    }


def test_the_voxels_are_those_of_the_long_way(
    resized: Path, phantom: Path, livers: Dataset, tmp_path: Path
) -> None:
    images = chaosprep.convert(livers, tmp_path / "images", spacing=9.0, size="32")
    masks = chaosprep.predict(resized, images, tmp_path / "masks")
    chaosprep.assemble(masks, tmp_path / "long")
    done = predict(resized, phantom, "-o", tmp_path / "short")
    assert done.exit_code == 0, done.stderr
    assert voxels(tmp_path / "short") == voxels(tmp_path / "long")
    short, long = (tmp_path / one / "labels.json" for one in ("short", "long"))
    assert short.read_bytes() == long.read_bytes()


def test_slices_that_were_made_anew_become_those_of_the_series(
    phantom: Path, livers: Dataset, tmp_path: Path
) -> None:
    images = chaosprep.convert(livers, tmp_path / "images", spacing=(4.0, 9.0, 9.0), size="32")
    chaosprep.train(images, tmp_path / "run", epochs=1, batch=4)
    chaosprep.assemble(
        chaosprep.predict(tmp_path / "run", images, tmp_path / "m"), tmp_path / "long"
    )
    done = predict(tmp_path / "run", phantom, "-o", tmp_path / "short")
    assert done.exit_code == 0, done.stderr
    assert voxels(tmp_path / "short") == voxels(tmp_path / "long")
    for case in livers.cases:
        found: Any = nibabel.load(tmp_path / "short" / "masks" / f"{case.id}.nii.gz")
        assert found.shape == (case.slices[0].cols, case.slices[0].rows, len(case.slices))


def test_a_run_that_takes_other_slices_is_not_what_a_directory_was_made_as(
    livers: Dataset, tmp_path: Path
) -> None:
    images = chaosprep.convert(livers, tmp_path / "images", spacing=(4.0, 9.0, 9.0))
    chaosprep.train(images, tmp_path / "run", epochs=1, batch=4)
    other = chaosprep.convert(livers, tmp_path / "other", spacing=9.0)
    with pytest.raises(ChaosprepError, match=r"spacing 9.0, in training \[4.0, 9.0, 9.0\]"):
        chaosprep.predict(tmp_path / "run", other, tmp_path / "m")


def test_only_the_masks_come_out_and_nothing_is_left_beside_them(
    resized: Path, phantom: Path, tmp_path: Path
) -> None:
    assert predict(resized, phantom, "-o", tmp_path / "out").exit_code == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        *("masks", "labels.json", "LICENSE-DATA.txt", "METHODS.md", "chaosprep-export.json")
    }
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_of_one_dicom_series_is_enough(
    resized: Path, phantom: Path, tmp_path: Path
) -> None:
    series = next(phantom.rglob("DICOM_anon/InPhase"))
    done = predict(resized, series, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    assert len(voxels(tmp_path / "out")) == 1
    # The key makes the ids; what headers say is neither kept nor said to be.
    assert {path.name for path in tmp_path.iterdir()} == {"out", "chaosprep.key"}
    assert ".index" not in done.stderr


def test_a_nifti_file_is_enough(resized: Path, livers: Dataset, tmp_path: Path) -> None:
    chaosprep.assemble(livers, tmp_path / "volumes")
    file = tmp_path / "volumes" / "images" / "MR001_t1-in.nii.gz"
    done = predict(resized, file, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    ((_, affine),) = voxels(tmp_path / "out").values()
    image: Any = nibabel.load(file)
    assert affine == np.asarray(image.affine).tobytes()


def test_masks_of_volumes_are_compared_with_labels_named_as_these(
    resized: Path, livers: Dataset, tmp_path: Path
) -> None:
    chaosprep.assemble(livers, tmp_path / "made")
    (tmp_path / "scans").mkdir()
    (tmp_path / "labels").mkdir()
    shutil.copy(tmp_path / "made" / "labels.json", tmp_path / "labels")
    ids = [case.id for case in livers.cases]
    for number, id in enumerate(ids):
        for kind, place in (("images", "scans"), ("masks", "labels")):
            file = tmp_path / "made" / kind / f"{id}.nii.gz"
            shutil.copy(file, tmp_path / place / f"scan_{number}.nii.gz")
    assert predict(resized, tmp_path / "scans", "-o", tmp_path / "out").exit_code == 0
    found = chaosprep.evaluate(tmp_path / "out", tmp_path / "labels")
    assert [row.case for row in found.results] == [f"scan_{n}" for n in range(len(ids))]
    assert "matched by the files that they were predicted on" in found.notes[0]


def test_labels_of_a_data_set_are_not_needed_and_not_read(
    resized: Path, livers: Dataset, tmp_path: Path
) -> None:
    root = chaosprep.export("nnunet", livers, tmp_path / "nnunet").path
    plain = predict(resized, root, "-o", tmp_path / "plain")
    assert plain.exit_code == 0, plain.stderr
    for file in root.rglob("labelsTr/*"):
        file.write_bytes(b"damaged")
    done = predict(resized, root, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    assert len(voxels(tmp_path / "out")) == len(livers)
    assert voxels(tmp_path / "out") == voxels(tmp_path / "plain")


def test_several_kinds_that_the_run_does_not_know_are_refused_by_name(
    resized: Path, tmp_path: Path
) -> None:
    people = [Patient(id=7, slices=3, matrix=32, sequences=("t1-out", "t2-spir"))]
    root = write_chaos(tmp_path / "root", people)
    done = predict(resized, root, "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert "t1-out, t2-spir" in done.stderr
    assert not (tmp_path / "out").exists()
    done = predict(resized, root, "-o", tmp_path / "out", "--sequence", "t1-out")
    assert done.exit_code == 0, done.stderr
    assert "predicted on t1-out, trained on t1-in" in done.stderr


@pytest.mark.parametrize("files", [(), ("images/a.nii.gz", "masks/a.nii.gz")])
def test_a_remedy_asks_for_no_masks(resized: Path, tmp_path: Path, files: tuple[str, ...]) -> None:
    (tmp_path / "root").mkdir()
    for file in files:
        place = tmp_path / "root" / file
        place.parent.mkdir()
        place.write_bytes(b"")
    done = predict(resized, tmp_path / "root", "-o", tmp_path / "out")
    assert done.exit_code != 0
    assert "--images '" in done.stderr
    assert "--masks" not in done.stderr
    assert "images and masks" not in done.stderr


def test_masks_as_dicom_seg(resized: Path, phantom: Path, tmp_path: Path) -> None:
    pytest.importorskip("highdicom")
    done = predict(resized, phantom, "-o", tmp_path / "out", "--mask-format", "seg")
    assert done.exit_code == 0, done.stderr
    assert {path.suffix for path in (tmp_path / "out" / "masks").iterdir()} == {".dcm"}


def test_two_commands_come_to_a_dice_on_the_original_grid(
    resized: Path, phantom: Path, livers: Dataset, tmp_path: Path
) -> None:
    assert predict(resized, phantom, "-o", tmp_path / "out").exit_code == 0
    found = chaosprep.evaluate(tmp_path / "out", livers.directory)
    assert found.cases == len(livers)


def test_the_remedy_for_another_grid_works(resized: Path, livers: Dataset, tmp_path: Path) -> None:
    images = chaosprep.convert(livers, tmp_path / "images", spacing=9.0, size="32")
    chaosprep.predict(resized, images, tmp_path / "masks")
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(tmp_path / "masks", livers.directory)
    assert {"chaosprep assemble" in problem.remedy for problem in error.value.problems} == {True}
    chaosprep.assemble(tmp_path / "masks", tmp_path / "back")
    assert chaosprep.evaluate(tmp_path / "back", livers.directory).cases == len(livers)


def test_the_remedy_for_pictures_of_another_grid_works(
    resized: Path, livers: Dataset, tmp_path: Path
) -> None:
    images = chaosprep.convert(livers, tmp_path / "images", spacing=9.0, size="32")
    made = chaosprep.predict(resized, images, tmp_path / "masks")
    (tmp_path / "png").mkdir()
    for row in made.slices:
        assert row.mask is not None
        shutil.copy(made.directory / row.mask, tmp_path / "png" / f"{row.id}.png")
    with pytest.raises(ProblemsError) as error:
        chaosprep.evaluate(tmp_path / "png", livers.directory)
    (remedy,) = {p.remedy for p in error.value.problems if p.code == "size-mismatch"}
    assert "chaosprep assemble PRED --reference DIR -o BACK" in remedy
    chaosprep.assemble(tmp_path / "png", tmp_path / "back", reference=images)
    assert chaosprep.evaluate(tmp_path / "back", livers.directory).cases == len(livers)


def test_python_does_the_same(resized: Path, phantom: Path, tmp_path: Path) -> None:
    made = chaosprep.predict_raw(resized, phantom, tmp_path / "out", patient=["MR002"])
    assert (made.cases, made.path) == (1, tmp_path / "out")
    assert list(voxels(tmp_path / "out")) == ["MR002_t1-in.nii.gz"]


def test_the_number_of_jobs_does_not_matter(resized: Path, phantom: Path, tmp_path: Path) -> None:
    for jobs in ("1", "2"):
        done = predict(resized, phantom, "--patient", "MR002", "-o", tmp_path / jobs, "-j", jobs)
        assert done.exit_code == 0, done.stderr
    assert voxels(tmp_path / "1") == voxels(tmp_path / "2")


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("--dry-run", "known only once they are converted"),
        ("--split=val", "raw data, which has no sides yet"),
    ],
)
def test_what_raw_data_cannot_be_asked_for_is_refused_with_its_reason(
    resized: Path, phantom: Path, tmp_path: Path, option: str, reason: str
) -> None:
    done = predict(resized, phantom, "-o", tmp_path / "out", option)
    assert done.exit_code == 2
    assert reason in " ".join(done.stderr.split())


def test_workers_are_for_raw_data_alone(run: Path, images: Dataset, tmp_path: Path) -> None:
    done = predict(run, images.directory, "-o", tmp_path / "out", "--jobs", "2")
    assert done.exit_code == 2
    assert "--jobs: it has no meaning where the source is a stage directory" in done.stderr


def test_a_problem_of_the_masks_alone_keeps_nobody_from_predicting(
    resized: Path, phantom: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(phantom, tmp_path / "root"))
    for mask in root.rglob("T1DUAL/Ground/*"):
        mask.write_bytes(b"no picture")
    done = predict(resized, root, "--patient", "MR002", "-o", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    assert list(voxels(tmp_path / "out")) == ["MR002_t1-in.nii.gz"]
