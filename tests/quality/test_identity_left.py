"""verify looks for what identifies in a directory that was made with --deidentify."""

import shutil
from pathlib import Path

import pytest

import chaosprep
from tests.privacy import canaries
from tests.quality.conftest import Row, replace_file, rewrite
from tests.stages.deidentified import planted, split, with_chunk, write_root


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_root(tmp_path_factory.mktemp("left") / "root")


@pytest.fixture(scope="module")
def made(root: Path) -> Path:
    return split(root, root.parent / "out").directory


@pytest.fixture
def directory(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "data"))


def swap(directory: Path, data: bytes, place: int = 1) -> str:
    """Put another image in the place of one, and let the table agree; its id."""
    named: list[str] = []

    def edit(rows: list[Row]) -> None:
        replace_file(directory, rows[place], "image", data)
        named.append(rows[place]["id"])

    rewrite(directory, edit)
    return named[0]


def test_what_split_made_is_sound(made: Path) -> None:
    assert chaosprep.verify(made).faults == ()


def test_an_identifying_image_in_its_place_is_a_fault(directory: Path) -> None:
    id = swap(directory, planted(1))
    (fault,) = (one for one in chaosprep.verify(directory).faults if one.code == "identity-left")
    assert (fault.id, fault.file) == (id, f"{_side(directory, id)}/images/{id}.dcm")
    assert "AccessionNumber" in fault.reason
    assert not any(canaries.holds(fault.text.encode(), one) for one in canaries.CANARIES)


def test_a_text_put_into_a_mask_is_a_fault(directory: Path) -> None:
    def edit(rows: list[Row]) -> None:
        mask = (directory / rows[0]["mask"]).read_bytes()
        text = with_chunk(mask, b"tEXt", b"Comment\0" + canaries.NAME.encode())
        replace_file(directory, rows[0], "mask", text.removesuffix(canaries.FREE.encode()))

    rewrite(directory, edit)
    (fault,) = chaosprep.verify(directory).faults
    assert fault.code == "identity-left"
    assert canaries.NAME not in fault.text


def test_the_same_by_any_number_of_workers(directory: Path) -> None:
    swap(directory, planted(1))
    assert chaosprep.verify(directory, jobs=2) == chaosprep.verify(directory)


def test_later_stages_are_looked_at_as_well(root: Path, tmp_path: Path) -> None:
    pairs = split(root, tmp_path / "split", labels="10..12=liver,20..22=liver")
    organs = chaosprep.extract_labels(pairs, tmp_path / "organs")
    assert chaosprep.verify(organs.directory).faults == ()
    swap(organs.directory, planted(1))
    assert "identity-left" in {one.code for one in chaosprep.verify(organs.directory).faults}
    pictures = chaosprep.convert(pairs, tmp_path / "images")
    found = {one.code for one in chaosprep.verify(pictures.directory).faults}
    assert found <= {"leakage"}  # windowed, their pixels are equal


def test_a_directory_that_promises_nothing_is_not_asked(root: Path, tmp_path: Path) -> None:
    plain = chaosprep.split(root / "scans", tmp_path / "plain", val=0.5)
    assert {one.code for one in chaosprep.verify(plain.directory).faults} == set()


def _side(directory: Path, id: str) -> str:
    (found,) = directory.glob(f"*/images/{id}.dcm")
    return found.parent.parent.name
