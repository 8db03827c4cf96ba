"""Tar shards: who stands in which, what a sample holds, and what the index says."""

import hashlib
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

import chaosprep
from chaosprep import Dataset, Slice
from chaosprep.errors import FileError, ProblemsError, UsageError
from chaosprep.exports import shards
from chaosprep.exports.samples import END, in_tar, key, names, row_of, size, values
from chaosprep.exports.shards import plan
from chaosprep.exports.webdataset import export
from chaosprep.phantom import Patient, write_chaos
from chaosprep.running.options import RunOptions
from tests.exports.seen import content, files, load

Sample = dict[str, bytes]
SKIP = RunOptions(on_error="skip")


def read(tar_file: Path) -> dict[str, Sample]:
    """The samples of a shard, key -> field -> bytes, as WebDataset divides names."""
    samples: dict[str, Sample] = {}
    with tarfile.open(tar_file) as tar:
        for member in tar:
            name, _, field = member.name.partition(".")
            data = tar.extractfile(member)
            assert data is not None
            samples.setdefault(name, {})[field] = data.read()
    return samples


def told(sample: Sample) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sample["json"])
    return found


@pytest.fixture(scope="module")
def phased(phases: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Four patients of two sequences on three sides, with two copies of each training slice."""
    place = tmp_path_factory.mktemp("phased")
    images = chaosprep.convert(phases, place / "images")
    return chaosprep.augment(images, place / "augmented", copies=2)


def test_a_sample_is_the_pair_and_its_row(images: Dataset, tmp_path: Path) -> None:
    made = export(images, tmp_path / "out")
    assert (made.cases, made.slices, made.notes) == (4, len(images.slices), ())
    found = {side: read(made.path / f"{side}-000000.tar") for side in ("train", "val")}
    assert sum(map(len, found.values())) == len(images.slices)
    for row in images.slices:
        sample = found[row.split][row.id]
        assert set(sample) == {"image.png", "json", "mask.png"}
        assert sample["image.png"] == (images.directory / row.image).read_bytes()
        assert sample["mask.png"] == (images.directory / str(row.mask)).read_bytes()
        row_told = told(sample)
        assert row_told["id"] == row.id
        assert row_told["spacing"] == list(row.spacing or ())
        assert json.loads(row_told["labels"]) == {"255": "liver"}


def test_the_json_has_no_path_and_no_column_that_is_empty_everywhere(
    images: Dataset, tmp_path: Path
) -> None:
    made = export(images, tmp_path / "out")
    samples = read(made.path / "train-000000.tar")
    columns = {name for sample in samples.values() for name in told(sample)}
    assert not columns & {"image", "mask", "source", "frame", "fold"}
    assert all(set(told(sample)) == columns for sample in samples.values())
    assert b".dcm" not in b"".join(sample["json"] for sample in samples.values())


@pytest.mark.parametrize("kind", ["png", "npy"])
def test_stored_values_are_taken_as_png_and_npy(livers: Dataset, tmp_path: Path, kind: str) -> None:
    how: dict[str, Any] = {"keep_16bit": True} if kind == "png" else {"format": "npy"}
    stored = chaosprep.convert(livers, tmp_path / "stored", **how)
    samples = read(export(stored, tmp_path / "out").path / "val-000000.tar")
    for row in stored.slices:
        if row.split == "val":
            expected = (stored.directory / row.image).read_bytes()
            assert samples[row.id][f"image.{kind}"] == expected


def test_folds_and_copies_stand_in_the_json(folds: Dataset, tmp_path: Path) -> None:
    images = chaosprep.convert(folds, tmp_path / "images")
    augmented = chaosprep.augment(images, tmp_path / "augmented", copies=1)
    made = export(augmented, tmp_path / "out")
    for side in ("train", "test"):
        for sample in read(made.path / f"{side}-000000.tar").values():
            row = next(row for row in augmented.slices if row.id == told(sample)["id"])
            assert (told(sample)["fold"], told(sample)["copy"]) == (row.fold, row.copy)
            assert (json.loads(told(sample)["augmentation"]) is None) == (row.copy == 0)


def test_a_row_comes_back_from_its_sample(phased: Dataset, tmp_path: Path) -> None:
    made = export(phased, tmp_path / "out")
    for side in ("train", "val", "test"):
        samples = read(made.path / f"{side}-000000.tar")
        for row in (row for row in phased.slices if row.split == side):
            back = row_of(samples[row.id])
            assert back == without_source(row)


def without_source(row: Slice) -> Slice:
    """The row without what a sample leaves out: where the source was, warnings one by one."""
    warnings = ("; ".join(row.warnings),) if row.warnings else ()
    return msgspec.structs.replace(row, source=row.id, warnings=warnings)


@pytest.mark.parametrize(
    "break_it",
    [
        lambda sample: sample.pop("json"),
        lambda sample: sample.pop("image.png"),
        lambda sample: sample.pop("mask.png"),
        lambda sample: sample.update({"json": b"[1]"}),
        lambda sample: sample.update({"json": b'{"id": '}),
    ],
)
def test_a_sample_that_lacks_something_is_refused(
    images: Dataset, tmp_path: Path, break_it: Callable[[Sample], object]
) -> None:
    made = export(images, tmp_path / "out")
    sample = next(iter(read(made.path / "val-000000.tar").values()))
    break_it(sample)
    with pytest.raises(FileError) as caught:
        row_of(sample)
    assert caught.value.code == "sample"


def test_a_dot_in_an_id_is_a_tilde_in_the_key(images: Dataset) -> None:
    row = msgspec.structs.replace(images.slices[0], id="P1.5_t1-in_s000")
    assert key(row) == "P1~5_t1-in_s000"


@pytest.mark.parametrize("patients_fit", [1, 1.75])
def test_a_shard_has_one_side_and_a_patient_one_shard(phased: Dataset, patients_fit: float) -> None:
    cases = phased.cases
    largest = max(
        sum(size(row, values(row)) for row in phased.slices if row.patient == patient)
        for patient in phased.patients
    )
    planned = plan(phased, int(largest * patients_fit) + len(END)).shards
    patients = [(one.split, {cases[place].patient for place in one.cases}) for one in planned]
    assert patients == [
        ("train", {"MR001"}),
        ("train", {"MR002"}),
        ("val", {"MR003"}),
        ("test", {"MR004"}),
    ]
    assert [len(one.cases) for one in planned] == [2, 2, 2, 2]


def test_one_who_is_larger_than_a_shard_has_several_and_a_case_is_never_divided(
    phased: Dataset,
) -> None:
    planned = plan(phased, 1).shards
    assert [one.cases for one in planned if one.split == "train"] == [(0,), (1,), (2,), (3,)]
    assert sorted(place for one in planned for place in one.cases) == list(range(len(phased)))


def test_no_shard_is_larger_than_it_may_be(
    phased: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaosprep.exports.webdataset._MB", 1)
    made = export(phased, tmp_path / "out", shard_mb=100_000)
    sizes = [file.stat().st_size for file in made.path.glob("train-*.tar")]
    assert len(sizes) > 1
    assert max(sizes) <= 100_000


@pytest.mark.parametrize("letters", [8, 91, 92, 180])
def test_the_size_of_a_sample_is_foretold_whatever_its_name(images: Dataset, letters: int) -> None:
    case = images.cases[0]
    id = f"{case.id}{'x' * letters}_s000"
    row = msgspec.structs.replace(case.slices[0], id=id)
    members = [case.read(row.image_file), msgspec.json.encode(values(row))]
    members += [case.read(file) for file in row.files()[1:]]
    written = sum(len(in_tar(name, data)) for name, data in zip(names(row), members, strict=True))
    assert size(row, values(row)) == written


def test_the_index_has_the_hash_bytes_and_samples_of_each_shard(
    phased: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaosprep.exports.webdataset._MB", 1)
    made = export(phased, tmp_path / "out", shard_mb=1000)
    names = {name for name in files(made.path) if name.endswith(".tar")}
    listed: list[dict[str, Any]] = []
    for side in ("train", "val", "test"):
        index = load(made.path / f"{side}.json")
        assert (index["__kind__"], index["wids_version"]) == ("wids-shard-index-v1", 1)
        assert index["labels"] == {"liver": 255}
        urls = [one["url"] for one in index["shardlist"]]
        assert urls == [f"{side}-{at:06}.tar" for at in range(len(urls))]
        listed += index["shardlist"]
    assert {one["url"] for one in listed} == names
    for one in listed:
        data = (made.path / one["url"]).read_bytes()
        assert one["sha256"] == hashlib.sha256(data).hexdigest()
        assert one["filesize"] == len(data)
        assert one["nsamples"] == len(read(made.path / one["url"]))


def test_members_are_nobodys_and_of_no_date(images: Dataset, tmp_path: Path) -> None:
    with tarfile.open(export(images, tmp_path / "out").path / "train-000000.tar") as tar:
        members = tar.getmembers()
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in members} == {
        (0, 0, 0, "", "", 0o644)
    }
    assert [m.name for m in members] == sorted(m.name for m in members)


def test_the_same_dataset_gives_the_same_bytes_with_any_number_of_workers(
    phased: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaosprep.exports.webdataset._MB", 20_000)
    one = export(phased, tmp_path / "one", shard_mb=1)
    two = export(phased, tmp_path / "two", options=RunOptions(jobs=2), shard_mb=1)
    assert content(one.path) == content(two.path)
    assert len([name for name in files(one.path) if name.endswith(".tar")]) > 3


def test_slices_without_a_mask_have_no_mask_and_are_counted(tmp_path: Path) -> None:
    patient: dict[str, Any] = {"sequences": ("t1-in",), "slices": 3, "matrix": 32}
    write_chaos(tmp_path / "root", [Patient(id=1, **patient)])
    write_chaos(tmp_path / "root", [Patient(id=9, **patient)], sets="Test_Sets")
    pairs = chaosprep.split(tmp_path / "root", tmp_path / "pairs", val=0.0)
    made = export(chaosprep.convert(pairs, tmp_path / "images"), tmp_path / "out")
    assert made.notes == ("3 slices without a mask: none in its sample",)
    for sample in read(made.path / "test-000000.tar").values():
        assert set(sample) == {"image.png", "json"}
        assert row_of(sample).mask is None


def test_dicom_is_refused_with_what_to_do(livers: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        export(livers, tmp_path / "out")
    assert {problem.code for problem in caught.value.problems} == {"image-format"}
    assert all("chaosprep convert" in problem.remedy for problem in caught.value.problems)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("which", "jobs"), [(0, 1), (-1, 1), (0, 2)])
def test_a_case_that_is_not_as_recorded_is_left_out_of_its_shard(
    livers: Dataset, tmp_path: Path, which: int, jobs: int
) -> None:
    """Its shards are those of the others alone, in numbers that follow each other."""
    images = chaosprep.convert(livers, tmp_path / "images")
    row = [row for row in images.slices if row.split == "train" and row.slice == 2][which]
    file = images.directory / row.image
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(ProblemsError) as caught:
        export(images, tmp_path / "out")
    assert [(p.code, p.id, p.file) for p in caught.value.problems] == [
        ("hash", row.case, row.image)
    ]
    options = RunOptions(on_error="skip", jobs=jobs)
    made = export(images, tmp_path / "out", options=options)
    left = [one for one in images.slices if one.split == "train" and one.case != row.case]
    assert [told(one)["id"] for one in read(made.path / "train-000000.tar").values()] == [
        one.id for one in left
    ]
    assert (made.cases, [p.id for p in made.skipped]) == (3, [row.case])
    (shard,) = load(made.path / "train.json")["shardlist"]
    assert shard["filesize"] == (made.path / "train-000000.tar").stat().st_size


def test_a_shard_that_is_left_empty_leaves_no_gap(
    livers: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaosprep.exports.webdataset._MB", 1)
    images = chaosprep.convert(livers, tmp_path / "images")
    first = images.slices[0]
    (images.directory / first.image).unlink()
    made = export(images, tmp_path / "out", options=SKIP, shard_mb=1)
    names = sorted(name for name in files(made.path) if name.startswith("train-"))
    assert names == ["train-000000.tar", "train-000001.tar"]
    assert first.id not in read(made.path / names[0])


def test_what_was_written_is_compared_and_a_shard_that_differs_is_not_left_there(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(name: str, data: bytes) -> bytes:
        return in_tar(name, data[:-1] + b"x" if name.startswith("MR002") else data)

    monkeypatch.setattr(shards, "in_tar", damaged)
    (lost,) = (split for split, ids in sides(images).items() if "MR002" in ids)
    with pytest.raises(ProblemsError) as caught:
        export(images, tmp_path / "out")
    assert [problem.code for problem in caught.value.problems] == ["not-as-written"]
    made = export(images, tmp_path / "out", options=SKIP)
    assert not [name for name in files(made.path) if name.startswith(lost) or "part" in name]


def sides(dataset: Dataset) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in dataset.slices:
        found.setdefault(row.split, set()).add(row.patient)
    return found


def test_the_card_tells_the_hub_which_shards_are_of_which_side(
    phased: Dataset, tmp_path: Path
) -> None:
    head = (export(phased, tmp_path / "out").path / "README.md").read_text().split("---\n")[1]
    assert head.splitlines()[-6:] == [
        "  - split: train",
        "    path: train-*.tar",
        "  - split: validation",
        "    path: val-*.tar",
        "  - split: test",
        "    path: test-*.tar",
    ]


def test_the_card_says_how_a_picture_keeps_its_bits(images: Dataset, tmp_path: Path) -> None:
    card = (export(images, tmp_path / "out").path / "README.md").read_text()
    assert ".decode()\n" in card
    assert "`cv2.IMREAD_UNCHANGED`" in card


def test_verify_refuses_shards_with_what_to_verify(images: Dataset, tmp_path: Path) -> None:
    export(images, tmp_path / "out")
    with pytest.raises(UsageError, match="tar shards") as caught:
        chaosprep.verify(tmp_path / "out")
    assert caught.value.code == "shards"
    assert "the directory that export webdataset read" in caught.value.remedy
