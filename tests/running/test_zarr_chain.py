"""A directory whose images and masks are Zarr arrays is the same dataset as one of single files."""

import itertools
import shutil
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chaosprep
from chaosprep.dataset.containers.table import StoreName
from chaosprep.errors import ChaosprepError, ProblemsError
from chaosprep.formats.stage_masks import read_stage_mask
from chaosprep.phantom import Patient, write_chaos
from chaosprep.quality.diff.diff import diff
from chaosprep.quality.verify import verify
from tests.formats.structure_sets import Scan, Structure, drawn, rtstruct, square
from tests.labelled import labelled
from tests.layouts.trees import write
from tests.running.toys import snapshot

zarr = pytest.importorskip("zarr")

STAGES = ("split", "liver", "images", "augmented")
SHARD = "val/images/MR002_t1-in.zarr/c.0.0.0"
STORES: tuple[StoreName, ...] = ("files", "tar", "zarr")
PATIENTS = [Patient(id=id, slices=3, matrix=32, sequences=("t1-in",)) for id in (1, 2)]
PATIENTS += [Patient(id=3, modality="CT", slices=4, matrix=40)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same chain three times, in `files`, `tar` and `zarr`; MR002 validates."""
    place = tmp_path_factory.mktemp("zarr")
    write_chaos(place / "root", PATIENTS)
    for store in STORES:
        options: dict[str, Any] = {"sequence": ("t1-in", "ct"), "val_patient": ["MR002"]}
        chaosprep.prepare(place / "root", place / store, store=store, **options)
    return place


@pytest.fixture
def arrays(place: Path, tmp_path: Path) -> Path:
    """The training set of arrays, to be damaged."""
    return Path(shutil.copytree(place / "zarr/augmented", tmp_path / "arrays"))


def names_in(directory: Path) -> set[str]:
    return {name for name in snapshot(directory) if not name.endswith("/")}


def written(directory: Path) -> dict[str, bytes]:
    """What an export holds, without its record, which has the hash of the manifest."""
    record = "chaosprep-export.json"
    return {name: data for name, data in snapshot(directory).items() if not name.endswith(record)}


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_has_the_same_pixels(place: Path, stage: str) -> None:
    files, packed = (chaosprep.open(place / store / stage) for store in ("files", "zarr"))
    for one, other in zip(files.slices, packed.slices, strict=True):
        for read in ("image", "mask"):
            wanted = getattr(files, read)(one)
            found = getattr(packed, read)(other)
            assert (found is None, found.dtype) == (wanted is None, wanted.dtype)
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("stage", STAGES)
def test_it_is_verified_and_differs_in_nothing(place: Path, stage: str) -> None:
    assert verify(place / "zarr" / stage).faults == ()
    assert not diff(place / "files" / stage, place / "zarr" / stage).differs


def test_an_image_and_its_row_are_those_of_a_single_npy_file(place: Path, tmp_path: Path) -> None:
    source = place / "files/liver"
    made = chaosprep.convert(source, tmp_path / "npy", format="npy")
    packed = chaosprep.convert(source, tmp_path / "zarr", format="npy", store="zarr")
    for one, other in zip(made.slices, packed.slices, strict=True):
        assert other.image_file[:3] == one.image_file[:3]
        assert packed.store.read(other.image_file) == (tmp_path / "npy" / one.image).read_bytes()


def test_each_case_is_an_array_that_the_library_of_zarr_opens(place: Path) -> None:
    for case in chaosprep.open(place / "zarr/augmented").cases:
        folder = place / "zarr/augmented" / case.split
        images = zarr.open_array(folder / "images" / f"{case.id}.zarr", mode="r")
        masks = zarr.open_array(folder / "masks" / f"{case.id}.zarr", mode="r")
        assert images.attrs["ids"] == masks.attrs["ids"] == [row.id for row in case.slices]
        np.testing.assert_array_equal(images[:], np.stack([case.image(r) for r in case.slices]))
        for mask, row in zip(masks[:], case.slices, strict=True):
            np.testing.assert_array_equal(mask, case.mask(row))


def test_dicom_and_the_masks_that_came_are_kept_as_they_are(place: Path) -> None:
    assert snapshot(place / "zarr/split/train") == snapshot(place / "tar/split/train")
    liver = place / "zarr/liver/train"
    assert snapshot(liver / "images") == snapshot(place / "tar/liver/train/images")
    assert not list(liver.rglob("masks/*.tar"))


def test_what_a_stage_leaves_as_it_is_costs_no_bytes(place: Path) -> None:
    for stage, kind, before in (("liver", "images", "split"), ("images", "masks", "liver")):
        for name in names_in(place / "zarr" / stage / "train" / kind):
            path = f"train/{kind}/{name}"
            assert (place / "zarr" / stage / path).samefile(place / "zarr" / before / path)
    for name in names_in(place / "zarr/augmented/val"):  # nothing of that side is augmented
        there = place / "zarr/augmented/val" / name
        assert there.samefile(place / "zarr/images/val" / name)


def test_workers_and_shards_make_the_same_bytes(place: Path, tmp_path: Path) -> None:
    source = place / "files/images"
    chaosprep.augment(source, tmp_path / "one", store="zarr")
    chaosprep.augment(source, tmp_path / "two", store="zarr", jobs=2)
    for index in (1, 2):
        part = tmp_path / f"part-{index}"
        chaosprep.augment(source, part, store="zarr", shard=f"{index}/2")
    chaosprep.merge([tmp_path / "part-1", tmp_path / "part-2"], tmp_path / "merged")
    whole = snapshot(tmp_path / "one")
    assert snapshot(tmp_path / "two") == whole
    assert snapshot(tmp_path / "merged") == whole


@pytest.mark.parametrize("stage", ["convert", "augment"])
def test_any_kind_may_follow_on_any(place: Path, tmp_path: Path, stage: str) -> None:
    parent, own = {"convert": ("liver", "images"), "augment": ("images", "augmented")}[stage]
    for before, store in itertools.product(STORES, repeat=2):
        if "zarr" not in (before, store):
            continue
        made = getattr(chaosprep, stage)(
            place / before / parent, tmp_path / f"{before}-{store}", store=store
        )
        assert not diff(place / "files" / own, made.directory).differs
        found = verify(made.directory, replay=2)
        assert found.faults == ()
        assert "replay-bytes" not in {warning.code for warning in found.warnings}


@pytest.mark.parametrize("stage", STAGES)
def test_a_run_that_was_stopped_goes_on(
    place: Path, tmp_path: Path, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = snapshot(place / "zarr" / stage)
    wanted = {"split": "root", "liver": "files/split", "images": "files/liver"}
    names = {"liver": "extract_liver", "images": "convert", "augmented": "augment"}
    source, verb = place / wanted.get(stage, "files/images"), names.get(stage, stage)
    options: dict[str, Any] = {"store": "zarr"}
    if stage == "split":
        options |= {"sequence": ("t1-in", "ct"), "val_patient": ["MR002"]}
    work, done = getattr(chaosprep, verb), list[str | None]()

    def stop(event: chaosprep.Event) -> None:
        if event.kind == "done" and event.finished == 2:
            raise KeyboardInterrupt

    def note(event: chaosprep.Event) -> None:
        if event.kind == "done":
            done.append(event.case)

    with pytest.raises(KeyboardInterrupt):
        work(source, tmp_path / "out", on_event=stop, **options)
    work(source, tmp_path / "out", on_event=note, **options)
    assert len(done) == 1
    found = snapshot(tmp_path / "out")
    assert found.keys() == whole.keys()
    left = ("datapackage.json",)  # of a parent of another store
    assert {n: d for n, d in found.items() if n not in left} == {
        n: d for n, d in whole.items() if n not in left
    }


@pytest.mark.parametrize("format", ["monai", "nifti", "nnunet"])
def test_it_is_exported_as_single_files_are(place: Path, tmp_path: Path, format: str) -> None:
    chosen: dict[str, Any] = {} if format == "nifti" else {"sequences": ("t1-in",)}
    for store in ("files", "zarr"):
        chaosprep.export(format, place / store / "images", tmp_path / store, **chosen)
    assert written(tmp_path / "zarr") == written(tmp_path / "files")


def test_no_imagefolder_is_made_of_arrays(place: Path, tmp_path: Path) -> None:
    again = chaosprep.convert(place / "zarr/liver", tmp_path / "again")
    for source, what in (chaosprep.open(place / "zarr/images"), "image"), (again, "mask"):
        with pytest.raises(ProblemsError) as caught:
            chaosprep.export("huggingface", source, tmp_path / "out")
        problem = caught.value.problems[-1]
        assert problem.reason.startswith(f"the {what} of MR002_t1-in_s000 is not a PNG")
        assert "--store zarr" in problem.remedy


def test_it_is_evaluated_and_assembled_as_single_files_are(place: Path, tmp_path: Path) -> None:
    found = chaosprep.evaluate(place / "zarr/images", place / "files/images")
    assert {result.dice for result in found.results} == {1.0}
    for store in ("files", "zarr"):
        chaosprep.assemble(place / store / "images", tmp_path / store)
    assert written(tmp_path / "zarr") == written(tmp_path / "files")


def test_of_a_case_of_several_sizes_the_files_are_in_a_tar(place: Path, tmp_path: Path) -> None:
    crop = {"operation": "crop_by_size", "probability": 1, "width": 20, "height": 24}
    spec = {"engine": "augmentor", "operations": [crop | {"centre": False}]}
    for store in ("files", "zarr"):
        out = tmp_path / store
        chaosprep.augment(place / "zarr/images", out, spec=spec, keep_label=0, store=store)
    assert not diff(tmp_path / "files", tmp_path / "zarr").differs
    assert verify(tmp_path / "zarr").faults == ()
    with tarfile.open(tmp_path / "zarr/train/masks/MR001_t1-in.tar") as archive:
        archive.extractall(tmp_path / "out", filter="data")
    made = sorted((tmp_path / "files/train/masks").glob("MR001*"))
    assert {path.suffix for path in made} == {".npy", ".png"}
    for path in made:
        mask = read_stage_mask(path.name, path.read_bytes()).pixels
        other = np.load(tmp_path / "out" / f"{path.stem}.npy")
        np.testing.assert_array_equal(other, mask)


def test_the_masks_of_a_case_without_some_are_an_array_of_the_others(
    place: Path, tmp_path: Path
) -> None:
    def edit(row: dict[str, Any]) -> None:
        if row["slice"] == 1:
            row |= {"mask": None, "mask_sha256": None, "mask_bytes": None}
            row |= {"labels": {}, "pixels": {}}

    before = chaosprep.open(place / "files/images")
    unmasked = labelled(before, tmp_path / "before", before.label_map, edit)
    made = chaosprep.augment(unmasked, tmp_path / "out", store="zarr", copies=1)
    masks = zarr.open_array(tmp_path / "out/val/masks/MR002_t1-in.zarr", mode="r")
    assert masks.attrs["ids"] == ["MR002_t1-in_s000", "MR002_t1-in_s002"]
    originals = {row.id: unmasked.mask(row) for row in unmasked.slices}
    for row in made.slices:
        mask = made.mask(row)
        assert (mask is None) == (row.slice == 1)
        if mask is not None and not row.copy:
            np.testing.assert_array_equal(mask, originals[row.id])
    assert verify(made.directory).faults == ()


def test_masks_of_one_bit_that_nobody_extracted_are_booleans(place: Path, tmp_path: Path) -> None:
    chaosprep.convert(place / "files/split", tmp_path / "images", store="zarr")
    array = zarr.open_array(tmp_path / "images/train/masks/CT003_ct.zarr", mode="r")
    assert array.dtype == np.bool_
    assert verify(tmp_path / "images").faults == ()
    made = chaosprep.extract_liver(tmp_path / "images", tmp_path / "liver", store="zarr")
    for row, wanted in zip(made.slices, chaosprep.open(place / "files/liver").slices, strict=True):
        assert row.pixels == wanted.pixels


def test_structures_that_overlap_are_told_as_in_single_files(tmp_path: Path) -> None:
    scan = Scan(count=3)
    liver, lesion = square(2, 3, 9, 12), square(4, 5, 7, 9)
    sets = rtstruct(
        Structure("liver", drawn(scan, {1: [liver], 2: [liver]}), 1),
        Structure("lesion", drawn(scan, {1: [lesion]}), 2),
    )
    images = {f"i/p1/{place}.dcm": scan.image(place) for place in range(scan.count)}
    root = write(tmp_path / "root", images | {"rt/p1.dcm": sets})
    found = [
        chaosprep.split(
            root,
            tmp_path / store,
            images="i/{patient}/{slice}.dcm",
            masks="rt/{patient}.dcm",
            val=0,
            store=store,
        )
        for store in ("files", "zarr")
    ]
    for one, other in zip(*(dataset.slices for dataset in found), strict=True):
        assert (other.overlaps, other.pixels) == (one.overlaps, one.pixels)
        np.testing.assert_array_equal(found[1].mask(other), found[0].mask(one))
    assert any(row.overlaps for row in found[1].slices)
    assert len(list((tmp_path / "zarr").rglob("masks/*.zarr"))) == 1
    assert verify(tmp_path / "zarr").faults == ()


def test_a_run_of_another_kind_is_another_run(place: Path, tmp_path: Path) -> None:
    output = shutil.copytree(place / "zarr/augmented", tmp_path / "out")
    with pytest.raises(ChaosprepError, match=r"\(zarr, now files\)"):
        chaosprep.augment(place / "zarr/images", output)
    chaosprep.augment(place / "zarr/images", output, overwrite=True)
    assert not list(output.rglob("*.zarr"))


def test_a_cut_array_is_named_by_its_case_and_slice(arrays: Path) -> None:
    shard = arrays / SHARD
    shard.write_bytes(shard.read_bytes()[:-60])
    (fault,) = verify(arrays).faults
    last = "MR002_t1-in_s002"
    assert (fault.id, fault.file, fault.code) == (last, SHARD, "container")
    assert fault.reason == f"it ends before {last}.npy does"


def test_an_edited_array_is_named_by_its_case(arrays: Path) -> None:
    metadata = arrays / "val/masks/MR002_t1-in.zarr/zarr.json"
    metadata.write_bytes(metadata.read_bytes().replace(b"uint8", b"int8"))
    (fault,) = verify(arrays).faults
    assert (fault.id, fault.code) == ("MR002_t1-in", "container")
    assert fault.file == "val/masks/MR002_t1-in.zarr/c.0.0.0"


def test_an_array_that_its_library_has_made_anew_is_found(arrays: Path) -> None:
    array = zarr.open_array((arrays / SHARD).parent, mode="r+")
    before = array[:]
    array[0] = before[0]
    assert np.array_equal(array[:], before)
    assert {fault.id.rpartition("_")[0] for fault in verify(arrays).faults} == {"MR002_t1-in"}


def test_files_that_nobody_knows_are_found_in_an_array(arrays: Path) -> None:
    (arrays / "val/masks/MR002_t1-in.zarr/c.0.0.1").write_bytes(b"")
    (fault,) = verify(arrays).faults
    assert (fault.code, fault.file) == ("surplus", "val/masks/MR002_t1-in.zarr/c.0.0.1")


def test_an_array_with_the_metadata_of_another_run_is_made_again(
    place: Path, tmp_path: Path
) -> None:
    source, output = place / "zarr/liver", tmp_path / "out"

    def stop(event: chaosprep.Event) -> None:
        if event.kind == "done":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        chaosprep.convert(source, output, store="zarr", on_event=stop)
    (metadata,) = output.glob("*/images/*/zarr.json")
    metadata.write_bytes(metadata.read_bytes().replace(b"uint8", b"uint16"))
    made = chaosprep.convert(source, output, store="zarr")
    assert verify(made.directory).faults == ()
