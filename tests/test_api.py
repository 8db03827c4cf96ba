"""The Python functions and the opened dataset."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest

import chaosprep
from chaosprep.errors import UsageError
from chaosprep.phantom import Patient, write_chaos


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    patients = [Patient(id=id, sequences=("t1-in",), slices=5, matrix=64) for id in (1, 2, 3)]
    return write_chaos(tmp_path_factory.mktemp("api") / "chaos", patients)


@pytest.fixture(scope="module")
def images(root: Path, tmp_path_factory: pytest.TempPathFactory) -> chaosprep.Dataset:
    place = tmp_path_factory.mktemp("stages")
    pairs = chaosprep.split(root, place / "split", val=0.34)
    masks = chaosprep.extract_liver(pairs, place / "liver")
    return chaosprep.convert(masks, place / "images", keep_16bit=True)


def test_importing_chaosprep_imports_nothing_else() -> None:
    program = (
        "import sys, chaosprep\n"
        "print([name for name in ('numpy', 'click', 'msgspec') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", chaosprep.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    found = getattr(chaosprep, name)
    assert name == "__version__" or found.__doc__
    assert name in dir(chaosprep)


@pytest.mark.parametrize("name", [*chaosprep.__all__, "open"])
def test_every_public_name_pickles_so_that_pools_take_it(name: str) -> None:
    public = getattr(chaosprep, name)
    assert pickle.loads(pickle.dumps(public)) == public  # noqa: S301


def test_a_wrong_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'frobnicate'"):
        _ = chaosprep.frobnicate  # type: ignore[attr-defined]


def test_a_stage_takes_a_dataset_or_its_path(images: chaosprep.Dataset, tmp_path: Path) -> None:
    one = chaosprep.augment(images, tmp_path / "a")
    two = chaosprep.augment(str(images.directory), str(tmp_path / "b"))
    assert one.slices == two.slices


def test_an_unknown_parameter_is_named_with_those_there_are(
    images: chaosprep.Dataset, tmp_path: Path
) -> None:
    with pytest.raises(
        UsageError, match=r"copys: no such parameter\. There are: patient, compression, exclude, "
    ):
        chaosprep.augment(images, tmp_path / "out", copys=2)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("verb", "places", "given", "meant"),
    [
        ("convert", 2, {"keep_16bt": True}, "keep_16bit"),
        ("train", 2, {"epocs": 3}, "epochs"),
        ("prepare", 2, {"copys": 2}, "copies"),
        ("predict", 3, {"devise": "cpu"}, "device"),
        ("split", 2, {"overwritten": True}, "overwrite"),
    ],
)
def test_a_mistyped_keyword_is_answered_with_what_was_meant(
    verb: str, places: int, given: dict[str, object], meant: str
) -> None:
    with pytest.raises(
        UsageError, match=rf"no such parameter\..* Did you mean {meant}\?"
    ) as caught:
        getattr(chaosprep, verb)(*["nowhere"] * places, **given)
    assert caught.value.exit_code == 2


def test_a_keyword_like_nothing_there_is_gets_no_guess() -> None:
    with pytest.raises(UsageError, match=r"zzz: no such parameter\. There are: [^?]*\.$"):
        chaosprep.convert("a", "b", zzz=1)  # type: ignore[call-arg]


def test_a_stage_in_this_process_takes_no_workers() -> None:
    with pytest.raises(UsageError, match="jobs: no such parameter"):
        chaosprep.predict("a", "b", "c", jobs=2)  # type: ignore[call-arg]


def test_a_forgotten_argument_is_pythons_own_error() -> None:
    with pytest.raises(TypeError, match="'output'"):
        chaosprep.convert("a")  # type: ignore[call-arg]


def test_parameters_are_checked_without_the_room_of_arrays() -> None:
    program = "import sys, chaosprep.params\nprint('chaosprep.imaging' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_a_parameter_of_the_wrong_type_is_named(images: chaosprep.Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="copies: must be a whole number"):
        chaosprep.augment(images, tmp_path / "out", copies="two")  # type: ignore[arg-type]


def test_help_shows_every_parameter() -> None:
    assert chaosprep.convert.__doc__ is not None
    assert "keep_16bit: Keep the stored values" in chaosprep.convert.__doc__


def test_slices_cases_and_arrays(images: chaosprep.Dataset, root: Path) -> None:
    assert [case.id for case in images.cases] == ["MR001_t1-in", "MR002_t1-in", "MR003_t1-in"]
    case = images.case("MR002_t1-in")
    assert case.volume().shape == (5, 64, 64)
    row = case.slices[2]
    expected = pydicom.dcmread(root / row.source).pixel_array
    assert np.array_equal(images.image(row), expected)
    assert np.array_equal(case.volume()[2], expected)
    mask = images.mask(row)
    assert mask is not None
    assert mask.shape == (64, 64)


def test_cases_slice_like_a_sequence(images: chaosprep.Dataset) -> None:
    assert [case.id for case in images.cases[1:]] == ["MR002_t1-in", "MR003_t1-in"]
    assert images.cases[-1].patient == "MR003"


def test_an_unknown_case_is_a_key_error(images: chaosprep.Dataset) -> None:
    with pytest.raises(KeyError):
        images.case("MR009_t1-in")


def test_a_data_frame_has_a_row_a_slice(images: chaosprep.Dataset) -> None:
    frame = images.to_pandas()
    assert isinstance(frame, pd.DataFrame)
    assert list(frame["id"]) == [row.id for row in images.slices]
    again = pd.read_json(images.directory / "slices.jsonl", lines=True)
    assert list(again.columns) == list(frame.columns)


def test_events_tell_what_happens(images: chaosprep.Dataset, tmp_path: Path) -> None:
    events: list[chaosprep.Event] = []
    made = chaosprep.augment(images, tmp_path / "out", on_event=events.append)
    assert [event.kind for event in events] == ["planned", "done", "done", "done", "committed"]
    assert [event.case for event in events[1:4]] == [case.id for case in images.cases]
    assert events[-1].dataset is made
