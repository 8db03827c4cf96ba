"""predict on raw data for a network that learned on the pixels of another sequence."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from click.testing import CliRunner

import chaosprep
from chaosprep.cli.main import main
from chaosprep.phantom import Patient, write_chaos

pytest.importorskip("torch")

ALL_THREE = ("t1-in", "t1-out", "t2-spir")


@pytest.fixture(scope="module")
def on_reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that sees one phase and T2, on the pixels of the other phase. Read only."""
    place = tmp_path_factory.mktemp("reference")
    patients = [Patient(id=id, slices=4, matrix=32, sequences=ALL_THREE) for id in (1, 2)]
    root = write_chaos(place / "root", patients)
    pairs = chaosprep.split(root, place / "pairs", val=0.5, sequence=ALL_THREE)
    livers = chaosprep.extract_liver(pairs, place / "livers")
    images = chaosprep.convert(livers, place / "images", reference="t1-in", spacing=9.0)
    chaosprep.train(images, place / "run", epochs=1, batch=4, channels="t1-out,t2-spir")
    return place


def test_raw_data_take_the_reference_along(on_reference: Path, tmp_path: Path) -> None:
    run, root = on_reference / "run", on_reference / "root"
    masks = chaosprep.predict(run, on_reference / "images", tmp_path / "masks")
    chaosprep.assemble(masks, tmp_path / "long")
    words = ["predict", run, root, "-o", tmp_path / "short", "--no-progress"]
    done = CliRunner().invoke(main, [*map(str, words)])
    assert done.exit_code == 0, done.stderr
    assert "predicted on" not in done.stderr
    short, long = (sorted((tmp_path / one / "masks").iterdir()) for one in ("short", "long"))
    names = [f"MR00{patient}_t1-out.nii.gz" for patient in (1, 2)]
    assert [[file.name for file in some] for some in (short, long)] == [names, names]
    for one, other in zip(short, long, strict=True):
        mine, theirs = (np.asarray(nibabel.load(file).dataobj) for file in (one, other))  # type: ignore[attr-defined]
        assert np.array_equal(mine, theirs)


def test_raw_data_without_the_reference_are_refused_by_its_name(
    on_reference: Path, tmp_path: Path
) -> None:
    words = ["predict", on_reference / "run", on_reference / "root", "-o", tmp_path / "out"]
    words += ["--sequence", "t1-out", "--sequence", "t2-spir"]
    done = CliRunner().invoke(main, [*map(str, words)])
    assert done.exit_code == 2
    assert "onto the pixels of t1-in, but there is none: t1-out, t2-spir" in done.stderr
    assert "--sequence t1-in" in done.stderr


def test_the_files_of_sequences_that_were_seen_beside_others_are_not_named(
    on_reference: Path, tmp_path: Path
) -> None:
    volumes = chaosprep.assemble(on_reference / "pairs", tmp_path / "volumes").path / "images"
    words = ["predict", on_reference / "run", volumes, "-o", tmp_path / "out", "--no-progress"]
    words += ["--images", "{patient}_{sequence}.nii.gz"]
    done = CliRunner().invoke(main, [*map(str, words)])
    assert done.exit_code == 0, done.stderr
    ids = [f"MR00{patient}_t1-out" for patient in (1, 2)]
    assert sorted(file.name for file in (tmp_path / "out" / "masks").iterdir()) == [
        f"{id}.nii.gz" for id in ids
    ]
    told = json.loads((tmp_path / "out" / "sources.json").read_text())
    assert told == {id: f"{id}.nii.gz" for id in ids}
