"""`chaosprep.export`: one function for every format, typed for those of this package."""

import subprocess
import sys
from pathlib import Path

import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import UsageError
from chaosprep.exports.table import EXPORTS
from tests.documents import HOME
from tests.exports.seen import content, load
from tests.exports.stub import FILE, text

TYPED = """\
import chaosprep

name: str = "any"
made = chaosprep.export("nnunet", "d", "o", id=3, sequences=["t1-in"], channel_names="CT", jobs=2)
reveal_type(made.path)
chaosprep.export(name, "d", "o", overwrite=True)
chaosprep.export("nnunet", "d", "o", idd=3)
chaosprep.export("nifti", "d", "o", channels="joint")
chaosprep.export("monai", "d", "o", channels="both")
chaosprep.export("parquet", "d", "o", on_error="ignore")
"""


def test_it_writes_what_the_format_says(phases: Dataset, tmp_path: Path) -> None:
    made = chaosprep.export("nnunet", phases, tmp_path, id=7, name="Two", sequences="t1-in")
    assert made.path == tmp_path / "Dataset007_Two"
    assert load(made.path / "dataset.json")["channel_names"] == {"0": "t1-in"}


def test_a_path_does_as_well_as_a_dataset(images: Dataset, tmp_path: Path) -> None:
    one = chaosprep.export("huggingface", images, tmp_path / "a")
    two = chaosprep.export("huggingface", str(images.directory), str(tmp_path / "b"), jobs=2)
    assert content(one.path) == content(two.path)


def test_an_earlier_export_is_replaced_when_asked(livers: Dataset, tmp_path: Path) -> None:
    chaosprep.export("nifti", livers, tmp_path / "out")
    with pytest.raises(chaosprep.ChaosprepError, match="it holds an export already"):
        chaosprep.export("nifti", livers, tmp_path / "out")
    assert chaosprep.export("nifti", livers, tmp_path / "out", overwrite=True).cases == 4


def test_an_unknown_format_lists_those_there_are(livers: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no nnunett") as error:
        chaosprep.export("nnunett", livers, tmp_path / "out")
    assert error.value.code == "format-unknown"
    assert "nnunet, nifti, monai, huggingface, webdataset, parquet, croissant" in error.value.remedy


@pytest.mark.parametrize(
    ("format", "wrong", "said"),
    [
        ("nnunet", {"idd": 3}, "idd: no such parameter"),
        ("nnunet", {"id": 1000}, "id: must be a whole number from 1 to 999"),
        ("monai", {"channels": "both"}, "channels: must be one of joint, single"),
        ("croissant", {"sequences": ["t1-in"]}, "sequences: no such parameter"),
    ],
)
def test_a_wrong_parameter_is_named(
    livers: Dataset, tmp_path: Path, format: str, wrong: dict[str, object], said: str
) -> None:
    values: dict[str, object] = {"source": livers, "output": tmp_path / "out", **wrong}
    with pytest.raises(UsageError, match=said):
        getattr(chaosprep, "export")(format, **values)  # noqa: B009 - past the types
    assert not (tmp_path / "out").exists()


def test_the_documentation_names_every_format() -> None:
    documentation = chaosprep.export.__doc__ or ""
    assert all(f"`{name}`" in documentation for name in EXPORTS)


def test_the_stub_is_made_of_the_parameters() -> None:
    assert FILE.read_text(encoding="utf-8") == text()


def test_mypy_completes_the_right_keywords_and_refuses_the_wrong_ones(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    (tmp_path / "typed.py").write_text(TYPED, encoding="utf-8")
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", str(tmp_path / "typed.py")],
        cwd=HOME,  # its cache knows numpy already
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line.partition("typed.py:")[2] for line in checked.stdout.splitlines()]
    assert 'Revealed type is "pathlib.Path"' in said[0]
    wrong = {line.partition(":")[0] for line in said if ": error: " in line}
    assert wrong == {"7", "8", "9", "10"}, checked.stdout
