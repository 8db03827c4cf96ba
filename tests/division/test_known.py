"""Names in a split of others find the patients that are here, or it is refused."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import chaosprep
from chaosprep import Dataset
from chaosprep.dataset.records import SPLITS
from chaosprep.division.known import earlier_split
from chaosprep.division.params import SplitParams
from chaosprep.division.sides import KnownSplit, Sides
from chaosprep.division.written import split_text
from chaosprep.errors import UsageError
from chaosprep.layouts.names import collisions, make_ids
from chaosprep.layouts.root import Root
from chaosprep.params import make_params
from chaosprep.phantom import Patient, write_chaos
from chaosprep.privacy.pseudonyms import Key
from chaosprep.running.options import Event
from chaosprep.series.source import SourceCase
from tests.layouts.named import decathlon, nnunet, write_json
from tests.stages.test_official import sides

KEY = b"0123456789abcdef0123456789abcdef"


def case(patient: str, *images: str, sequence: str = "t1", **more: Any) -> SourceCase:
    given: dict[str, Any] = {"pool": "train", "masks": None, "rule": "key", "root": "", **more}
    id = f"{patient}_{sequence}"
    return SourceCase(id=id, patient=patient, sequence=sequence, images=images, **given)


def root_of(*cases: SourceCase, **more: Any) -> Root:
    return Root(Path(), cases, (), (), (), **more)


def known(
    root: Root, told: Mapping[str, Any], folder: Path, settled: Sides | None = None, **fields: Any
) -> tuple[Sides, tuple[str, ...]]:
    """What a JSON split with these records tells of all cases."""
    file = folder / "split.json"
    file.write_text(json.dumps(told))
    option = "like" if fields.pop("like", False) else "split_file"
    params = make_params(SplitParams, {option: str(file), **fields})
    return earlier_split(root, root.cases, settled or {}, params)[:2]


def refused(*args: Any, **fields: Any) -> UsageError:
    with pytest.raises(UsageError) as error:
        known(*args, **fields)
    return error.value


@pytest.fixture
def key(tmp_path: Path) -> str:
    (tmp_path / "key").write_bytes(KEY)
    (tmp_path / "key").chmod(0o600)
    return str(tmp_path / "key")


TREE = root_of(
    case("P001", "scans/1/T1/a.dcm", "scans/1/T1/b.dcm"),
    case("Doe-2", "scans/Doe 2/T1/a.dcm", "scans/Doe 2/T1/b.dcm"),
)
VOLUMES = root_of(
    case("liver", "imagesTr/liver_0_0000.nii.gz", masks=("labelsTr/liver_0.nii.gz",)),
    case("P7", "imagesTr/x/scan.nii.gz"),
    case("P8", "imagesTr/y/scan.nii.gz"),
)


@pytest.mark.parametrize(
    ("root", "names"),
    [
        (TREE, ("P001", "Doe-2")),
        (TREE, ("P001_t1", "Doe-2_t1")),
        (TREE, ("1", "Doe 2")),
        (TREE, ("001", "Doe/2")),
        (TREE, ("scans/1", "Doe 2/T1")),
        (TREE, ("P001_t2", "Doe-2_late")),
        (VOLUMES, ("liver_0", "x/scan", "y/scan.nii.gz")),
        (VOLUMES, ("./imagesTr/liver_0_0000.nii.gz", "/data/imagesTr/x/scan", "imagesTr/y/scan")),
        (VOLUMES, ("labelsTr/liver_0", "x", "y")),
    ],
)
def test_a_name_finds_its_patient(tmp_path: Path, root: Root, names: Sequence[str]) -> None:
    told = dict(zip(names, ("val", "train", "test"), strict=False))
    found, notes = known(root, told, tmp_path)
    assert [found[one.patient][0] for one in root.cases] == list(told.values())
    assert notes == ()


@pytest.mark.parametrize("name", ["scan", "imagesTr", "imagesTr/scan"])
def test_a_name_that_may_be_two_patients_is_refused(tmp_path: Path, name: str) -> None:
    error = refused(VOLUMES, {"liver": "train", name: "val"}, tmp_path, like=True)
    assert "may be two patients" in error.reason
    assert error.code == "split-file"


def test_an_id_that_is_the_name_of_anothers_volume_is_refused(tmp_path: Path) -> None:
    root = root_of(case("P001", "a/2.nii"), case("P002", "b/1.nii"))
    assert "may be two" in refused(root, {"1": "val", "2": "train"}, tmp_path).reason


def test_records_of_patients_do_not_stand_for_volumes_of_others(tmp_path: Path) -> None:
    root = root_of(case("P001", "a/2.nii"), case("P002", "b/P001.nii"))
    file = tmp_path / "split.csv"
    file.write_text("patient,side\nP001,val\nP002,train\n")
    params = make_params(SplitParams, {"split_file": str(file)})
    assert earlier_split(root, root.cases, {}, params).sides == {
        "P001": ("val", None),
        "P002": ("train", None),
    }
    file.write_text("case,side\nP001,val\nP002,train\n")
    with pytest.raises(UsageError, match="may be two patients"):
        earlier_split(root, root.cases, {}, params)


def test_numbers_of_slices_and_of_series_are_no_patients(tmp_path: Path) -> None:
    root = root_of(case("P001", "1/2/1.dcm", "1/2/2.dcm"), case("P002", "2/1/1.dcm", "2/1/2.dcm"))
    told = {"1": "val", "2": "train"}
    assert known(root, told, tmp_path)[0] == {"P001": ("val", None), "P002": ("train", None)}


def test_original_names_are_found_by_the_key(tmp_path: Path, key: str) -> None:
    ids = [Key(KEY).patient(name) for name in ("Doe 2", "MR007")]
    root = root_of(*(case(id, f"{at}.nii") for at, id in enumerate(ids)))
    found, notes = known(
        root, {"Doe 2": "val", "MR007": "train", "Roe 3": "val"}, tmp_path, pseudonymize=key
    )
    assert found == {ids[0]: ("val", None), ids[1]: ("train", None)}
    assert notes == ("1 name of the split file is not here",)  # a person may be called so


def test_patient_ids_of_headers_are_found(tmp_path: Path, key: str) -> None:
    people = {"Paaaa": ({"PatientID": "AB 12 "},), "Pbbbb": ({"PatientID": "ab^13"},)}
    root = root_of(case("Paaaa", "1.dcm", "2.dcm"), case("Pbbbb", "3.dcm", "4.dcm"), people=people)
    found, _ = known(root, {"ab 12": "val", "AB 13": "train"}, tmp_path, pseudonymize=key)
    assert found == {"Paaaa": ("val", None), "Pbbbb": ("train", None)}


PEOPLE = st.lists(
    st.text(alphabet="aP01 _.-", min_size=1, max_size=6), min_size=1, max_size=12, unique=True
)


@given(PEOPLE, st.randoms(use_true_random=False), st.sampled_from([".csv", ".json"]))
@settings(max_examples=60)
def test_what_is_written_finds_the_very_same_patients_whatever_they_are_called(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], draw: Random, ending: str
) -> None:
    ids = make_ids(names, "P", digits=3)
    people = {id: name for name, id in ids.items() if id and name not in collisions(ids)}
    folders = draw.sample(sorted(people.values()), len(people))  # each in another one's folder
    cases = [
        case(id, f"{folder}/{other}.nii")
        for id, folder, other in zip(people, folders, people.values(), strict=True)
    ]
    wanted: Sides = {id: (draw.choice(SPLITS), None) for id in people}
    assume(cases)
    file = tmp_path_factory.getbasetemp() / f"names{ending}"
    file.write_bytes(split_text(KnownSplit(wanted), ending))
    params = make_params(SplitParams, {"split_file": str(file)})
    assert earlier_split(root_of(*cases), cases, {}, params).sides == wanted


# What is not agreed


def test_all_cases_of_a_patient_are_on_one_side(tmp_path: Path) -> None:
    root = root_of(case("P1", "a_1.nii"), case("P1", "a_2.nii", sequence="t2"))
    error = refused(root, {"a_1": "train", "a_2": "val"}, tmp_path)
    assert error.code == "split-file-leak"
    assert "1 patient (P1)" in error.reason
    both, _ = known(root, {"a_1": "val", "a_2": "val"}, tmp_path)
    assert both == {"P1": ("val", None)}


def test_a_split_file_names_everybody_and_like_places_the_others(tmp_path: Path) -> None:
    error = refused(TREE, {"P001": "val"}, tmp_path)
    assert "1 patient of ROOT (Doe-2)" in error.reason
    assert "--like" in error.remedy
    assert known(TREE, {"P001": "val"}, tmp_path, like=True)[0] == {"P001": ("val", None)}


def test_what_is_gone_is_said(tmp_path: Path) -> None:
    told = dict.fromkeys(("P001", "Doe-2", "c", "d", "a", "b"), "train") | {"P001": "val"}
    _, notes = known(TREE, told, tmp_path)
    assert notes == ("4 names of the split file are not here (a, b, c, ...)",)


def test_folds_of_nobody_that_new_patients_will_fill_are_said(tmp_path: Path) -> None:
    told = {"P001": {"side": "val", "fold": 1}, "Doe-2": {"side": "train", "fold": 3}}
    (note,) = known(TREE, told, tmp_path, like=True)[1]
    assert "of the folds 0 to 3" in note
    assert "no patient is in 0, 2:" in note
    assert known(TREE, told, tmp_path)[1] == ()
    told["P001"]["fold"] = 0
    told["Doe-2"]["fold"] = 1
    assert known(TREE, told, tmp_path, like=True)[1] == ()


def test_nobody_found_is_refused(tmp_path: Path) -> None:
    for like in (True, False):
        error = refused(TREE, {"x": "val", "y": "train"}, tmp_path, like=like)
        assert "none of the 2 names" in error.reason
        assert "P001, Doe-2" in error.remedy or "Doe-2, P001" in error.remedy


def test_who_may_be_of_a_test_set_that_nnunet_does_not_tell_is_said(tmp_path: Path) -> None:
    root = root_of(case("a"), case("b"), case("c"))
    told: Any = [{"train": ["a"], "val": ["b"]}]
    assert known(root, told, tmp_path, {"c": ("test", None)}, like=True)[1] == ()
    wishes: list[dict[str, Any]] = [{"test_patient": ("c",)}, {}]
    for fields in wishes:
        _, notes = known(root, told, tmp_path, like=True, **fields)
        assert any("does not name test patients" in note for note in notes) == (not fields)
    assert "with --test-patient" in refused(root, told, tmp_path).remedy


def test_a_side_that_the_data_set_has_may_not_differ(tmp_path: Path) -> None:
    told = {"P001": "test", "Doe-2": "train"}
    agreed: Sides = {"P001": ("test", None)}
    assert known(TREE, told, tmp_path, agreed)[0]["P001"] == ("test", None)
    settled: Sides = {"P001": ("val", None)}
    error = refused(TREE, told, tmp_path, settled)
    assert (error.code, "--redivide" in error.remedy) == ("split-differs", True)
    tested: Sides = {"Doe-2": ("test", None)}
    assert "a test set stays" in refused(TREE, told, tmp_path, tested).remedy


def test_those_of_a_test_set_need_not_be_named(tmp_path: Path) -> None:
    settled: Sides = {"P001": ("test", None)}
    assert known(TREE, {"Doe-2": "train"}, tmp_path, settled)[0] == {"Doe-2": ("train", None)}


def test_a_known_patient_is_not_named_for_another_side(tmp_path: Path) -> None:
    told = {"P001": "train", "Doe-2": "val"}
    error = refused(TREE, told, tmp_path, like=True, test_patient=("P001",))
    assert error.code == "split-differs"
    known(TREE, told, tmp_path, like=True, val_patient=("Doe-2",))


def test_a_split_without_validation_is_said(tmp_path: Path) -> None:
    _, notes = known(TREE, {"P001": "train", "Doe-2": "test"}, tmp_path)
    assert notes == ("no patient validates, as the split file says",)


# Whole runs


def split(root: Path, out: Path, **fields: Any) -> Dataset:
    """With paths as they come."""
    return chaosprep.split(root, out, **fields)


def test_folds_of_nnunet_divide_the_patients_of_its_cases(tmp_path: Path) -> None:
    root = nnunet(tmp_path / "raw", ["a_1", "b_1", "b_2", "c_1"], ["e_1"], ["T1"])
    folds = [
        {"train": ["b_1", "b_2", "c_1"], "val": ["a_1"]},
        {"train": ["a_1"], "val": ["b_1", "b_2", "c_1"]},
    ]
    write_json(tmp_path / "splits_final.json", folds)
    given: dict[str, Any] = {"split_file": tmp_path / "splits_final.json", "fold": 1}
    made = split(root, tmp_path / "out", patient_from_name="{patient}_{}", **given)
    assert sides(made) == {
        "a": ("train", 0),
        "b": ("val", 1),
        "c": ("val", 1),
        "e": ("test", None),
    }


def test_a_list_of_the_decathlon_divides_its_patients(tmp_path: Path) -> None:
    names = ["liver_0", "liver_1", "liver_2"]
    root = decathlon(tmp_path / "task", names, ["liver_3"], ["CT"])
    files = [{"image": f"./imagesTr/{name}.nii.gz"} for name in names]
    lists = {"training": files[:2], "validation": files[2:], "test": ["./imagesTs/liver_3.nii.gz"]}
    write_json(tmp_path / "dataset.json", lists)
    given = {"split_file": tmp_path / "dataset.json", "patient_from_name": "{patient}"}
    made = split(root, tmp_path / "out", **given)
    expected = {"liver-0": "train", "liver-1": "train", "liver-2": "val", "liver-3": "test"}
    assert {patient: side for patient, (side, _) in sides(made).items()} == expected


def test_the_manifest_tells_what_the_file_says_and_not_its_path(
    phantom: Path, tmp_path: Path
) -> None:
    text = "patient,side\nMR001,val\nMR002,train\nMR003,train\nMR005,train\n"
    found = []
    for name in ("one", "two"):
        (tmp_path / f"{name}.csv").write_text(text)
        out = split(phantom, tmp_path / name, split_file=tmp_path / f"{name}.csv")
        found.append((out.manifest.read_bytes(), (out.directory / "slices.jsonl").read_bytes()))
    assert found[0] == found[1]
    assert str(tmp_path).encode() not in found[0][0]


def test_another_split_file_is_another_run(phantom: Path, tmp_path: Path) -> None:
    file = tmp_path / "split.csv"
    lines = ["patient,side", "MR001,val", "MR002,train", "MR003,train", "MR005,train"]
    file.write_text("\n".join(lines))
    made = split(phantom, tmp_path / "out", split_file=file)
    file.write_text("\n".join([lines[0], *reversed(lines[1:])]))
    again = split(phantom, tmp_path / "out", split_file=file)  # it is done already
    assert again.descriptor_sha256 == made.descriptor_sha256
    file.write_text("\n".join(lines).replace("MR002,train", "MR002,test"))
    with pytest.raises(chaosprep.ChaosprepError, match="other parameters") as error:
        split(phantom, tmp_path / "out", split_file=file)
    assert error.value.code == "output-differs"


def test_one_patient_keeps_the_side_that_the_file_gives(phantom: Path, tmp_path: Path) -> None:
    (tmp_path / "split.json").write_text('{"train": ["MR001", "MR002", "MR003"], "val": ["MR005"]}')
    given: dict[str, Any] = {"split_file": tmp_path / "split.json", "patient": ("MR005",)}
    assert sides(split(phantom, tmp_path / "out", **given)) == {"MR005": ("val", None)}


@pytest.mark.parametrize(
    "fields",
    [
        {"val": 0.2},
        {"test": 0.1},
        {"folds": 3},
        {"seed": 1},
        {"val_patient": ("MR001",)},
        {"test_patient": ("MR001",)},
        {"like": "x"},
        {"stratify": ("sequence",)},
    ],
)
def test_a_split_file_goes_with_nothing_else_that_divides(fields: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        make_params(SplitParams, {"split_file": "x.csv", **fields})


def test_in_prepare_the_seed_is_that_of_the_other_stages(phantom: Path, tmp_path: Path) -> None:
    (tmp_path / "split.json").write_text('{"train": ["MR001", "MR002", "MR003"], "val": ["MR005"]}')
    given: dict[str, Any] = {"split_file": tmp_path / "split.json", "seed": 3}
    made = chaosprep.prepare(phantom, tmp_path / "out", **given)
    assert made.made.seed == 3
    assert made.history[0].parameters["seed"] == 0


# Keys


def test_ids_of_another_key_are_refused_by_its_fingerprint(
    phantom: Path, tmp_path: Path, key: str
) -> None:
    split(phantom, tmp_path / "first" / "out", pseudonymize=key)
    other = tmp_path / "other"
    other.write_bytes(KEY[::-1])
    other.chmod(0o600)
    for more in ({"pseudonymize": other}, {}):
        with pytest.raises(UsageError, match=Key(KEY).fingerprint()) as error:
            split(phantom, tmp_path / "again", split_file=tmp_path / "first" / "out", **more)
        assert error.value.code == "split-key"


def test_the_key_beside_an_earlier_split_is_taken(phantom: Path, tmp_path: Path, key: str) -> None:
    first = split(phantom, tmp_path / "first" / "out", pseudonymize=key)
    shutil.copy(key, tmp_path / "first" / "chaosprep.key")
    for path in (first.directory, first.manifest):
        given = {"split_file": path, "overwrite": True}
        assert sides(split(phantom, tmp_path / "again", **given)) == sides(first)


def test_the_key_that_headers_made_goes_on(tmp_path: Path, phantom: Path) -> None:
    first = split(phantom, tmp_path / "one" / "out", layout="headers", sequence=())
    again = split(phantom, tmp_path / "two" / "out", layout="headers", split_file=first.directory)
    assert sides(again) == sides(first)
    assert not (tmp_path / "two" / "chaosprep.key").exists()


def test_pseudonyms_may_come_to_a_split_that_had_none(
    phantom: Path, tmp_path: Path, key: str
) -> None:
    first = split(phantom, tmp_path / "first")
    again = split(phantom, tmp_path / "again", split_file=first.directory, pseudonymize=key)
    expected = {Key(KEY).patient(patient): side for patient, side in sides(first).items()}
    assert sides(again) == expected


def test_the_kept_key_makes_the_ids_of_new_patients_too(tmp_path: Path) -> None:
    people = [Patient(id=id, slices=2, matrix=16, sequences=("t1-in",)) for id in (1, 2, 3, 5)]
    some, every = tmp_path / "some", tmp_path / "every"
    first = split(
        write_chaos(some, people[:3]), tmp_path / "one" / "out", layout="headers", val=0.3
    )
    given: dict[str, Any] = {"layout": "headers", "like": first.directory, "val": 0.3}
    grown = split(write_chaos(every, people), tmp_path / "two" / "out", **given)
    assert sides(grown).items() > sides(first).items()
    assert len(sides(grown)) == 4
    (tmp_path / "one" / "chaosprep.key").unlink()
    with pytest.raises(UsageError, match="not next to it") as error:
        split(every, tmp_path / "three" / "out", **given)
    assert error.value.code == "split-key"
    assert not (tmp_path / "three").exists()


def test_an_interrupted_run_goes_on_whatever_form_the_file_has(
    phantom: Path, tmp_path: Path
) -> None:
    file = tmp_path / "split.csv"
    file.write_text("patient,side\nMR001,val\nMR002,train\nMR003,train\nMR005,train\n")
    whole = split(phantom, tmp_path / "whole", split_file=file)

    def stop(event: Event) -> None:
        if event.finished == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        split(phantom, tmp_path / "out", split_file=file, on_event=stop)
    other = tmp_path / "split.json"
    other.write_text('{"val": ["MR001"], "train": ["MR005", "MR003", "MR002"]}')
    begun: list[Event] = []
    made = split(phantom, tmp_path / "out", split_file=other, on_event=begun.append)
    assert begun[0].finished == 2
    assert made.descriptor_sha256 == whole.descriptor_sha256


def test_pseudonyms_that_do_not_find_all_of_a_split_without_them_are_refused(
    tmp_path: Path, key: str
) -> None:
    people = [Patient(id=id, slices=2, matrix=16, sequences=("t1-in",)) for id in (1, 2, 3)]
    first = split(write_chaos(tmp_path / "three", people), tmp_path / "first", val=0.3)
    fewer = write_chaos(tmp_path / "two", people[:2])
    with pytest.raises(UsageError, match="not all of its patients are found") as error:
        split(fewer, tmp_path / "again", split_file=first.directory, pseudonymize=key)
    assert error.value.code == "split-key"


@pytest.mark.parametrize("option", ["like", "split_file"])
@pytest.mark.parametrize("file", ["", "datapackage.json"])
def test_the_directory_that_tells_the_sides_is_not_replaced(
    phantom: Path, tmp_path: Path, option: str, file: str
) -> None:
    """A run that ends before it has committed would leave nobody who knows them."""
    before = chaosprep.split(phantom, tmp_path / "out", val_patient=["MR003"])
    given: dict[str, Any] = {option: str(before.directory / file)}
    with pytest.raises(UsageError, match="Give another output directory") as caught:
        chaosprep.split(phantom, before.directory, overwrite=True, **given)
    assert caught.value.code == "output"
    again = chaosprep.split(phantom, tmp_path / "again", overwrite=True, **given)
    assert sides(again) == sides(before)
