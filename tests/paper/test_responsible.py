"""Croissant's vocabulary for responsible AI: what the manifest knows, and gaps as limitations."""

import json
from pathlib import Path

import chaosprep
from chaosprep import Dataset


def test_croissant_says_what_was_done_in_its_vocabulary(images: Dataset, tmp_path: Path) -> None:
    made = chaosprep.export("croissant", images, tmp_path / "out")
    told = json.loads((made.path / "croissant.json").read_text())
    assert told["conformsTo"] == [
        "http://mlcommons.org/croissant/1.1",
        "http://mlcommons.org/croissant/RAI/1.0",
    ]
    steps = " ".join(told["rai:dataPreprocessingProtocol"])
    assert "windowed to 8 bits" in steps
    assert "(NOT IN THE MANIFEST: who drew the masks" in told["rai:dataAnnotationProtocol"][-1]
    assert "rai:machineAnnotationTools" not in told
    assert told["rai:dataCollectionMissingData"].startswith("Every slice has a mask.")


def test_every_export_carries_the_text(images: Dataset, tmp_path: Path) -> None:
    expected = chaosprep.methods(images)
    for name in ("nnunet", "monai", "nifti", "huggingface", "webdataset", "croissant"):
        made = chaosprep.export(name, images, tmp_path / name)
        assert (made.path / "METHODS.md").read_text() == expected
    card = (tmp_path / "huggingface/README.md").read_text()
    assert f"#{expected}".replace("\n#", "\n##") in card
