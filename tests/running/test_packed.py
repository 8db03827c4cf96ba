"""A directory whose images and masks are packed is the same dataset as one of single files."""

import itertools
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pydicom
import pytest

import chaosprep
from chaosprep.dataset.containers.table import StoreName
from chaosprep.errors import ChaosprepError, ProblemsError, UsageError
from chaosprep.phantom import Patient, write_chaos
from chaosprep.quality.diff.diff import diff
from chaosprep.quality.verify import verify
from tests.running.toys import snapshot

STAGES = ("split", "liver", "images", "augmented")
CONTAINER = "val/images/MR002_t1-in.tar"
PATIENTS = [Patient(id=id, slices=3, matrix=32, sequences=("t1-in",)) for id in (1, 2, 3)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same chain with single files and packed, `files` and `tar`."""
    place = tmp_path_factory.mktemp("packed")
    write_chaos(place / "root", PATIENTS)
    for store in ("files", "tar"):
        chaosprep.prepare(place / "root", place / store, val=0.3, store=store)
    return place


@pytest.fixture
def packed(place: Path, tmp_path: Path) -> Path:
    """The packed training set, to be damaged."""
    return Path(shutil.copytree(place / "tar/augmented", tmp_path / "packed"))


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_has_the_same_rows_and_pixels(place: Path, stage: str) -> None:
    files, packed = (chaosprep.open(place / store / stage) for store in ("files", "tar"))
    for one, other in zip(files.slices, packed.slices, strict=True):
        assert other.placed() == one
        np.testing.assert_array_equal(packed.image(other), files.image(one))
        np.testing.assert_array_equal(packed.mask(other), files.mask(one))


@pytest.mark.parametrize("stage", STAGES)
def test_it_is_verified_and_differs_in_nothing(place: Path, stage: str) -> None:
    assert verify(place / "tar" / stage).faults == ()
    assert not diff(place / "files" / stage, place / "tar" / stage).differs


@pytest.mark.parametrize("stage", STAGES)
def test_a_case_is_two_files_which_unpacked_are_the_single_ones(
    place: Path, tmp_path: Path, stage: str
) -> None:
    unpacked = shutil.copytree(place / "tar" / stage, tmp_path / stage)
    containers = sorted(unpacked.rglob("*.tar"))
    assert len(containers) == 2 * len(PATIENTS)
    for path in containers:
        with tarfile.open(path) as archive:
            archive.extractall(path.parent, filter="data")
        path.unlink()
    left = ("slices.jsonl", "datapackage.json")
    found, wanted = snapshot(unpacked), snapshot(place / "files" / stage)
    assert {name: data for name, data in found.items() if name not in left} == {
        name: data for name, data in wanted.items() if name not in left
    }


def test_what_a_stage_leaves_as_it_is_costs_no_bytes(place: Path) -> None:
    for stage, kind, before in (("liver", "images", "split"), ("images", "masks", "liver")):
        for case in chaosprep.open(place / "tar" / stage).cases:
            path = f"{case.split}/{kind}/{case.id}.tar"
            assert (place / "tar" / stage / path).samefile(place / "tar" / before / path)
    for kind in ("images", "masks"):  # nothing of the validation side is augmented
        (left,) = (place / "tar/augmented/val" / kind).iterdir()
        assert left.samefile(place / "tar/images/val" / kind / left.name)


def test_workers_and_shards_make_the_same_bytes(place: Path, tmp_path: Path) -> None:
    source = place / "files/images"
    chaosprep.augment(source, tmp_path / "one", store="tar")
    chaosprep.augment(source, tmp_path / "two", store="tar", jobs=2)
    for index in (1, 2):
        part = tmp_path / f"part-{index}"
        chaosprep.augment(source, part, store="tar", shard=f"{index}/2")
    chaosprep.merge([tmp_path / "part-1", tmp_path / "part-2"], tmp_path / "merged")
    whole = snapshot(tmp_path / "one")
    assert snapshot(tmp_path / "two") == whole
    assert snapshot(tmp_path / "merged") == whole


def test_a_shard_whose_container_was_edited_is_not_merged(place: Path, tmp_path: Path) -> None:
    for index in (1, 2):
        part = tmp_path / f"part-{index}"
        chaosprep.augment(place / "files/images", part, store="tar", shard=f"{index}/2")
    (container, *_) = sorted(tmp_path.rglob("*.tar"))
    container.write_bytes(b"MR999" + container.read_bytes()[5:])
    with pytest.raises(ProblemsError) as caught:
        chaosprep.merge([tmp_path / "part-1", tmp_path / "part-2"], tmp_path / "merged")
    (problem,) = caught.value.problems
    assert (problem.id, problem.code) == (container.stem, "container")
    assert [*(tmp_path / "merged").rglob(container.name)] == []


def test_shards_of_two_stores_are_refused_by_that_word(place: Path, tmp_path: Path) -> None:
    stores: tuple[StoreName, ...] = ("files", "tar")
    for index, store in enumerate(stores, start=1):
        part = tmp_path / store
        chaosprep.augment(place / "files/images", part, store=store, shard=f"{index}/2")
    with pytest.raises(ChaosprepError, match="they differ in their store") as caught:
        chaosprep.merge([tmp_path / store for store in stores], tmp_path / "merged")
    assert caught.value.code == "merge-parameters"


def test_what_is_merged_of_single_files_is_not_taken_for_packed(
    place: Path, tmp_path: Path
) -> None:
    stores: tuple[StoreName, ...] = ("files", "tar")
    for store in stores:
        chaosprep.augment(place / "files/images", tmp_path / store, store=store, shard="1/1")
    chaosprep.merge([tmp_path / "files"], tmp_path / "merged")
    with pytest.raises(ChaosprepError) as caught:
        chaosprep.merge([tmp_path / "tar"], tmp_path / "merged")
    assert caught.value.code == "output-differs"


def test_packed_and_single_follow_on_each_other(place: Path, tmp_path: Path) -> None:
    stores: tuple[StoreName, ...] = ("files", "tar")
    for before, store in itertools.product(stores, repeat=2):
        made = chaosprep.augment(
            place / before / "images", tmp_path / f"{before}-{store}", store=store
        )
        assert not diff(place / store / "augmented", made.directory).differs
        assert verify(made.directory).faults == ()


@pytest.mark.parametrize("format", ["huggingface", "monai", "nifti", "nnunet", "croissant"])
def test_it_is_exported_as_single_files_are(place: Path, tmp_path: Path, format: str) -> None:
    stage = "augmented" if format in ("huggingface", "croissant") else "images"
    for store in ("files", "tar"):
        chaosprep.export(format, place / store / stage, tmp_path / store)
    found, wanted = snapshot(tmp_path / "tar"), snapshot(tmp_path / "files")
    for each in (found, wanted):  # the hash of the manifest that it was made from
        record = next(name for name in each if name.endswith("chaosprep-export.json"))
        del each[record]
    assert found == wanted


def test_a_run_of_the_other_kind_is_another_run(place: Path, tmp_path: Path) -> None:
    output = shutil.copytree(place / "tar/augmented", tmp_path / "out")
    with pytest.raises(ChaosprepError, match=r"another store \(tar, now files\)"):
        chaosprep.augment(place / "tar/images", output)
    made = chaosprep.augment(place / "tar/images", output, overwrite=True)
    assert list(output.rglob("*.tar")) == []
    assert not diff(place / "files/augmented", made.directory).differs


def test_a_run_on_a_cut_container_names_it(place: Path, packed: Path) -> None:
    (packed / CONTAINER).write_bytes((packed / CONTAINER).read_bytes()[:2000])
    with pytest.raises(ChaosprepError, match=f"{CONTAINER} is missing or has a size that differs"):
        chaosprep.augment(place / "tar/images", packed, store="tar")


def test_links_cannot_be_packed(place: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        chaosprep.split(place / "root", tmp_path / "out", link="hard", store="tar")
    assert caught.value.code == "store-link"


def test_a_cut_container_is_named_by_its_case_and_first_slice(packed: Path) -> None:
    (container,) = (packed / "val/images").iterdir()
    (case,) = (case for case in chaosprep.open(packed).cases if case.split == "val")
    offset = case.slices[1].image_file.offset
    container.write_bytes(container.read_bytes()[: offset + 5])
    (fault,) = verify(packed).faults
    assert (fault.id, fault.file, fault.code) == (case.slices[1].id, CONTAINER, "container")
    assert (
        fault.reason
        == f"it ends before {case.slices[1].id}.png does (with 1 more file of the case)"
    )


def test_an_edited_slice_is_named(packed: Path) -> None:
    (container,) = (packed / "val/images").iterdir()
    (case,) = (case for case in chaosprep.open(packed).cases if case.split == "val")
    data = bytearray(container.read_bytes())
    data[case.slices[1].image_file.offset + 20] ^= 1
    container.write_bytes(data)
    (fault,) = verify(packed).faults
    assert (fault.id, fault.file, fault.code) == (case.slices[1].id, case.slices[1].image, "hash")
    assert CONTAINER in fault.reason


def test_an_edited_name_in_a_container_is_named_by_the_case(packed: Path) -> None:
    (container,) = (packed / "val/images").iterdir()
    data = bytearray(container.read_bytes())
    data[:5] = b"MR999"
    container.write_bytes(data)
    (fault,) = verify(packed).faults
    assert (fault.id, fault.file, fault.code) == ("MR002_t1-in", CONTAINER, "container")


def test_each_container_of_a_case_that_was_changed_is_named(packed: Path) -> None:
    masks = CONTAINER.replace("images", "masks")
    for container in (CONTAINER, masks):
        with (packed / container).open("ab") as file:
            file.write(b"more")
    found = [(fault.id, fault.file, fault.code) for fault in verify(packed).faults]
    assert found == [("MR002_t1-in", name, "container") for name in (CONTAINER, masks)]


def test_a_slice_that_was_changed_hides_nothing_of_the_other_container(packed: Path) -> None:
    masks = packed / CONTAINER.replace("images", "masks")
    masks.write_bytes(masks.read_bytes() + b"more")
    with (packed / CONTAINER).open("r+b") as file:
        file.seek(600)
        file.write(b"x")
    assert sorted(fault.code for fault in verify(packed).faults) == ["container", "hash"]


def test_a_container_that_no_row_names_is_surplus(packed: Path) -> None:
    shutil.copy(packed / CONTAINER, packed / "val/images/MR009_t1-in.tar")
    (fault,) = verify(packed).faults
    assert (fault.code, fault.file) == ("surplus", "val/images/MR009_t1-in.tar")


def test_a_missing_container_is_one_fault(packed: Path) -> None:
    (packed / CONTAINER).unlink()
    (fault,) = verify(packed).faults
    assert (fault.file, fault.code) == (CONTAINER, "file-missing")
    assert fault.reason == "the file is missing (with 2 more files of the case)"


def test_a_slice_that_no_table_can_hold_is_not_packed(tmp_path: Path) -> None:
    write_chaos(tmp_path / "root", PATIENTS)
    path = sorted((tmp_path / "root").rglob("InPhase/*.dcm"))[1]
    header = pydicom.dcmread(path)
    header.RescaleSlope, header.RescaleIntercept = "1e-40", "0"
    header.save_as(path)
    made = chaosprep.split(
        tmp_path / "root", tmp_path / "out", val=0.3, store="tar", on_error="skip"
    )
    assert [problem.code for problem in made.skipped] == ["row"]
    assert verify(made.directory).faults == ()
