"""convert --normalize: what is learned and of whom, what is stored, and the way back."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

import chaosprep
from chaosprep import Dataset
from chaosprep.dataset.records import Normalized
from chaosprep.dataset.scaling import case_scaling
from chaosprep.dataset.stacking import originals
from chaosprep.errors import ManifestError, ProblemsError, UsageError
from chaosprep.imaging.intensity.body import body_mask
from chaosprep.phantom import Patient, write_chaos
from chaosprep.running.options import Event
from tests.running.toys import snapshot
from tests.stages.scanners import change, distance, files, split_of_scanners

Method = Literal["zscore", "nyul"]
Values = NDArray[np.float64]
METHODS: tuple[Method, ...] = ("zscore", "nyul")
PERCENTILES = [1, *range(10, 100, 10), 99]


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Six patients of one anatomy in two scanners, 5 and 6 on the validation side. Read only."""
    return split_of_scanners(tmp_path_factory.mktemp("scanned"))


@pytest.fixture(scope="module")
def normalized(scanned: Dataset, tmp_path_factory: pytest.TempPathFactory) -> dict[Method, Dataset]:
    """What convert makes of them. Read only."""
    place = tmp_path_factory.mktemp("normalized")
    return {how: chaosprep.convert(scanned, place / how, normalize=how) for how in METHODS}


def two_sequences(place: Path, **more: Any) -> Dataset:
    """Three patients with two sequences, the last on the validation side."""
    people = [
        Patient(id=id, slices=3, matrix=32, sequences=("t1-in", "t2-spir")) for id in (1, 2, 3)
    ]
    root = write_chaos(place / "root", people)
    asked: dict[str, Any] = {"sequence": ("t1-in", "t2-spir"), "val_patient": ["MR003"]} | more
    return chaosprep.split(root, place / "pairs", **asked)


def stored(dataset: Dataset, case: str) -> Values:
    """A case's values as they were stored, (slices, rows, cols)."""
    found = dataset.case(case)
    return np.stack([found.pixels(row)[1].astype(np.float64) for row in found.slices])


def told(dataset: Dataset, case: str) -> Values:
    """A case's values as slope and intercept give them, (slices, rows, cols)."""
    rows = dataset.case(case).slices
    return np.stack([dataset.image(row) * row.slope + row.intercept for row in rows])


def body(dataset: Dataset, case: str) -> Values:
    values = stored(dataset, case)
    spacing = dataset.case(case).slices[0].spacing
    assert spacing is not None
    assert spacing[0] is not None
    found: Values = values[body_mask(values, (spacing[0], *spacing[1:]))]
    return found


def learned(dataset: Dataset) -> dict[str, list[float]]:
    found = dataset.descriptor.tool.learned
    assert found is not msgspec.UNSET
    landmarks: dict[str, list[float]] = found["landmarks"]
    return landmarks


def landmarks_by_hand(dataset: Dataset, cases: list[str]) -> Values:
    scaled = []
    for case in cases:
        found = np.percentile(body(dataset, case), PERCENTILES)
        scaled.append(1 + 99 * (found - found[0]) / (found[-1] - found[0]))
    mean: Values = np.mean(scaled, axis=0)
    return mean


TRAINING = [f"MR00{number}_t1-in" for number in (1, 2, 3, 4)]
EVERYBODY = [f"MR00{number}_t1-in" for number in range(1, 7)]


def test_zscore_is_less_the_mean_of_the_body_over_its_standard_deviation(
    scanned: Dataset, normalized: dict[Method, Dataset]
) -> None:
    for case in EVERYBODY:
        inside = body(scanned, case)
        expected = (stored(scanned, case) - inside.mean()) / inside.std()
        found = normalized["zscore"]
        slope = found.case(case).slices[0].slope
        assert np.abs(told(found, case) - expected).max() <= slope / 2 * (1 + 1e-9)


def test_the_landmarks_are_those_of_the_training_side(
    scanned: Dataset, normalized: dict[Method, Dataset]
) -> None:
    found = learned(normalized["nyul"])
    assert list(found) == ["t1-in"]
    assert np.allclose(found["t1-in"], landmarks_by_hand(scanned, TRAINING), rtol=1e-12)


def test_nyul_maps_the_percentiles_of_each_body_to_the_landmarks(
    scanned: Dataset, normalized: dict[Method, Dataset]
) -> None:
    found = normalized["nyul"]
    end = learned(found)["t1-in"]
    for case in EVERYBODY:
        start = np.percentile(body(scanned, case), PERCENTILES)
        values = stored(scanned, case)
        expected = np.interp(values, start, end)
        inside = (values >= start[0]) & (values <= start[-1])
        slope = found.case(case).slices[0].slope
        apart = np.abs(told(found, case) - expected)
        assert apart[inside].max() <= slope / 2 * (1 + 1e-9)
        assert (told(found, case)[values > start[-1]] > 100 - slope).all()


def test_each_sequence_has_landmarks_of_its_own(tmp_path: Path) -> None:
    pairs = two_sequences(tmp_path)
    found = learned(chaosprep.convert(pairs, tmp_path / "out", normalize="nyul"))
    assert sorted(found) == ["t1-in", "t2-spir"]
    for sequence, scale in found.items():
        cases = [f"MR001_{sequence}", f"MR002_{sequence}"]
        assert np.allclose(scale, landmarks_by_hand(pairs, cases), rtol=1e-12)


def leaks(place: Path, changed: int) -> tuple[bytes, bytes]:
    """What is learned as JSON, before and after the pixels of a patient are other ones."""
    people = [Patient(id=id, slices=3, matrix=32, sequences=("t1-in",)) for id in (1, 2, 3, 4)]
    root = write_chaos(place / "root", people)
    found = []
    for name in ("before", "after"):
        sides: dict[str, Any] = {"val_patient": ["MR003"], "test_patient": ["MR004"]}
        pairs = chaosprep.split(root, place / f"pairs {name}", **sides)
        made = chaosprep.convert(pairs, place / name, normalize="nyul")
        found.append(msgspec.json.encode(learned(made)))
        for path in files(root, changed):
            change(path, lambda values: 3000 - 2 * values + np.arange(values.size).reshape(32, 32))
    return found[0], found[1]


@pytest.mark.parametrize("patient", [3, 4], ids=["val", "test"])
def test_what_nobody_trains_on_changes_no_landmark(tmp_path: Path, patient: int) -> None:
    before, after = leaks(tmp_path, patient)
    assert before == after


def test_what_is_trained_on_changes_the_landmarks(tmp_path: Path) -> None:
    before, after = leaks(tmp_path, 2)
    assert before != after


def test_a_case_of_the_training_side_is_mapped_as_one_of_the_others(
    normalized: dict[Method, Dataset],
) -> None:
    """Patients 1 and 5 have the same pixels, on different sides."""
    for made in normalized.values():
        assert np.array_equal(told(made, "MR001_t1-in"), told(made, "MR005_t1-in"))


@pytest.mark.parametrize("method", METHODS)
def test_the_knots_of_a_row_give_the_stored_values_back(
    scanned: Dataset, normalized: dict[Method, Dataset], method: Method
) -> None:
    for row in normalized[method].slices:
        how = row.normalization
        assert isinstance(how, Normalized)
        assert how.method == method
        values = normalized[method].image(row) * row.slope + row.intercept
        steps = np.diff(how.start) / np.diff(how.end)
        piece = np.clip(np.searchsorted(how.end, values, "right") - 1, 0, len(steps) - 1)
        back = np.array(how.start)[piece] + (values - np.array(how.end)[piece]) * steps[piece]
        before = scanned.pixels(scanned.case(row.case).slices[row.slice])[1]
        assert np.abs(back - before).max() <= row.slope / 2 * steps.max() * (1 + 1e-6)


def test_a_png_takes_all_that_16_bits_have(normalized: dict[Method, Dataset]) -> None:
    for case in normalized["nyul"].cases:
        voxels = case.volume()
        assert voxels.dtype == np.uint16
        assert (voxels.min(), voxels.max()) == (0, 65535)
        assert {(row.dtype, row.bits_stored) for row in case.slices} == {("uint16", 16)}


@pytest.mark.parametrize("method", METHODS)
def test_npy_holds_the_normalized_values_themselves(
    scanned: Dataset, normalized: dict[Method, Dataset], tmp_path: Path, method: Method
) -> None:
    made = chaosprep.convert(scanned, tmp_path / "npy", normalize=method, format="npy")
    assert {(row.dtype, row.slope, row.intercept) for row in made.slices} == {("float32", 1.0, 0.0)}
    for case in EVERYBODY:
        slope = normalized[method].case(case).slices[0].slope
        near = np.abs(told(made, case) - told(normalized[method], case))
        assert near.max() <= slope / 2 + 1e-5


@pytest.mark.parametrize("how", [{}, {"format": "npy"}, {"spacing": 5.0}, {"size": "80"}])
@pytest.mark.parametrize("method", METHODS)
def test_padding_stays_told_apart_and_counts_for_nothing(
    tmp_path: Path, method: Method, how: dict[str, Any]
) -> None:
    people = [Patient(id=id, slices=3, matrix=32, sequences=("t1-in",)) for id in (1, 2)]
    corner = np.add.outer(np.arange(32), np.arange(32)) < 14
    made = {}
    for name, pad in (("plain", None), ("low", 0), ("high", 60000)):
        root = write_chaos(tmp_path / f"{name} root", people)
        for path in (path for id in (1, 2) for path in files(root, id)):
            if pad is not None:
                cut = lambda values, pad=pad: np.where(corner, pad, values + 1)  # noqa: E731
                change(path, cut, pad)
        pairs = chaosprep.split(root, tmp_path / f"{name} pairs", val_patient=["MR002"])
        made[name] = chaosprep.convert(pairs, tmp_path / name, normalize=method, **how)
    for low, high in zip(made["low"].slices, made["high"].slices, strict=True):
        assert low.padding is not None
        one, other = made["low"].image(low), made["high"].image(high)
        outside = one == low.padding[0]
        assert outside.any()
        assert np.array_equal(one, other)
        assert (one[~outside] > low.padding[0]).all()
        assert low.normalization == high.normalization


def test_a_new_grid_resamples_stored_values_and_then_maps_them(
    scanned: Dataset, tmp_path: Path
) -> None:
    how: dict[str, Any] = {"spacing": 8.0, "size": "60"}
    kept = chaosprep.convert(scanned, tmp_path / "kept", keep_16bit=True, **how)
    made = chaosprep.convert(scanned, tmp_path / "made", normalize="zscore", **how)
    for case in EVERYBODY:
        inside = body(scanned, case)
        expected = (stored(kept, case) - inside.mean()) / inside.std()
        slope = made.case(case).slices[0].slope
        assert np.abs(told(made, case) - expected).max() <= slope / 2 * (1 + 1e-9)


def test_monochrome1_is_bright_where_it_is_high_and_undone_to_its_own_units(
    tmp_path: Path,
) -> None:
    people = [Patient(id=id, slices=3, matrix=32, sequences=("t1-in",)) for id in (1, 2)]
    made = {}
    for name in ("plain", "inverted"):
        root = write_chaos(tmp_path / f"{name} root", people)
        for path in (path for id in (1, 2) for path in files(root, id)):
            if name == "inverted":
                header = {"PhotometricInterpretation": "MONOCHROME1"}
                change(path, lambda values: 4095 - values, BitsStored=12, HighBit=11, **header)
        pairs = chaosprep.split(root, tmp_path / f"{name} pairs", val_patient=["MR002"])
        made[name] = chaosprep.convert(pairs, tmp_path / name, normalize="nyul")
    for plain, inverted in zip(made["plain"].slices, made["inverted"].slices, strict=True):
        one, other = made["plain"].image(plain), made["inverted"].image(inverted)
        assert np.abs(one.astype(int) - other).max() <= 1
        assert plain.normalization
        assert inverted.normalization
        expected = [4095 - value for value in plain.normalization.start]
        assert np.allclose(inverted.normalization.start, expected)


@pytest.mark.parametrize("method", METHODS)
def test_a_flat_case_is_said_and_no_nan(tmp_path: Path, method: Method) -> None:
    people = [Patient(id=id, slices=2, matrix=32, sequences=("t1-in",)) for id in (1, 2, 3)]
    root = write_chaos(tmp_path / "root", people)
    for path in files(root, 2):
        change(path, lambda values: 0 * values + 77)
    pairs = chaosprep.split(root, tmp_path / "pairs", val_patient=["MR003"])
    made = chaosprep.convert(pairs, tmp_path / "out", normalize=method, format="npy")
    for row in made.case("MR002_t1-in").slices:
        assert any("of one value" in text for text in row.warnings)
        assert np.isfinite(made.image(row)).all()
    if method == "nyul":
        assert np.allclose(learned(made)["t1-in"], landmarks_by_hand(pairs, ["MR001_t1-in"]))


def test_the_same_command_again_learns_nothing_and_other_workers_give_the_same(
    scanned: Dataset, normalized: dict[Method, Dataset], tmp_path: Path
) -> None:
    events: list[Event] = []
    place = normalized["nyul"].directory
    chaosprep.convert(scanned, place, normalize="nyul", on_event=events.append)
    assert [event.kind for event in events] == ["already-done"]
    made = chaosprep.convert(scanned, tmp_path / "two", normalize="nyul", jobs=2)
    assert snapshot(made.directory) == snapshot(place)


def test_shards_make_what_one_run_makes(
    scanned: Dataset, normalized: dict[Method, Dataset], tmp_path: Path
) -> None:
    for part in (1, 2):
        chaosprep.convert(scanned, tmp_path / f"{part}", normalize="nyul", shard=f"{part}/2")
    chaosprep.merge([tmp_path / "1", tmp_path / "2"], tmp_path / "whole")
    assert snapshot(tmp_path / "whole") == snapshot(normalized["nyul"].directory)


def test_of_some_patients_it_is_learned_of_those_that_train(
    scanned: Dataset, tmp_path: Path
) -> None:
    some = ["MR001", "MR002", "MR005"]
    made = chaosprep.convert(scanned, tmp_path / "out", normalize="nyul", patient=some)
    assert np.allclose(learned(made)["t1-in"], landmarks_by_hand(scanned, TRAINING[:2]))


@pytest.mark.parametrize("how", ["directory", "file", "later stage", "given again"])
def test_landmarks_are_taken_from_elsewhere(
    scanned: Dataset, normalized: dict[Method, Dataset], tmp_path: Path, how: str
) -> None:
    trained = normalized["nyul"]
    place = trained.directory
    if how == "file":
        place = tmp_path / "landmarks.json"
        place.write_text(json.dumps({"landmarks": learned(trained)}))
    if how == "later stage":
        place = chaosprep.augment(trained, tmp_path / "augmented", copies=1).directory
    if how == "given again":
        asked: dict[str, Any] = {"normalize": "nyul", "landmarks": place, "patient": ["MR005"]}
        place = chaosprep.convert(scanned, tmp_path / "first", **asked).directory
    new = chaosprep.convert(
        scanned, tmp_path / "new", normalize="nyul", landmarks=place, patient=["MR006"]
    )
    assert new.descriptor.tool.learned is msgspec.UNSET
    assert np.array_equal(told(new, "MR006_t1-in"), told(trained, "MR006_t1-in"))
    assert str(tmp_path) not in (new.directory / "datapackage.json").read_text()


def test_a_sequence_without_landmarks_is_a_problem_that_names_those_there_are(
    normalized: dict[Method, Dataset], tmp_path: Path
) -> None:
    pairs = two_sequences(tmp_path)
    how: dict[str, Any] = {"normalize": "nyul", "landmarks": normalized["nyul"].directory}
    with pytest.raises(ProblemsError) as caught:
        chaosprep.convert(pairs, tmp_path / "out", **how)
    assert {one.id for one in caught.value.problems} == {f"MR00{n}_t2-spir" for n in (1, 2, 3)}
    (reason,) = {one.reason for one in caught.value.problems}
    assert reason == "there are no landmarks for the sequence t2-spir (for: t1-in)"
    made = chaosprep.convert(pairs, tmp_path / "out", on_error="skip", **how)
    assert {row.sequence for row in made.slices} == {"t1-in"}


def test_without_a_case_to_learn_from_it_is_a_problem_of_each(tmp_path: Path) -> None:
    pairs = two_sequences(tmp_path)
    with pytest.raises(ProblemsError) as caught:
        chaosprep.convert(pairs, tmp_path / "out", normalize="nyul", patient=["MR003"])
    assert {one.code for one in caught.value.problems} == {"landmarks-unknown"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no", "it is no JSON"),
        ("{}", "landmarks"),
        ('{"landmarks": {"t1-in": [1, 100]}}', "2 landmarks, 11 were expected"),
        ('{"landmarks": {"t1-in": [1,2,3,4,5,6,7,8,9,10,11]}}', "from 1 to 100"),
        ('{"landmarks": {"t1-in": [1,9,3,4,5,6,7,8,9,10,100]}}', "descend"),
        ("[" * 100_000, "it is no JSON"),
    ],
)
def test_a_file_without_landmarks_is_refused(
    scanned: Dataset, tmp_path: Path, text: str, reason: str
) -> None:
    place = tmp_path / "landmarks.json"
    place.write_text(text)
    with pytest.raises(UsageError, match=reason) as caught:
        chaosprep.convert(scanned, tmp_path / "out", normalize="nyul", landmarks=place)
    assert caught.value.code == "landmarks"
    assert str(place) in str(caught.value)


@pytest.mark.parametrize("which", ["missing", "zscore"])
def test_a_place_without_landmarks_is_refused(
    scanned: Dataset, normalized: dict[Method, Dataset], tmp_path: Path, which: str
) -> None:
    place = tmp_path / "nowhere" if which == "missing" else normalized["zscore"].directory
    with pytest.raises(UsageError, match="--landmarks|landmarks") as caught:
        chaosprep.convert(scanned, tmp_path / "out", normalize="nyul", landmarks=place)
    assert caught.value.code == "landmarks"


@pytest.mark.parametrize(
    "how",
    [
        {"normalize": "zscore", "window": "minmax"},
        {"normalize": "nyul", "keep_16bit": True},
        {"normalize": "zscore", "landmarks": "out"},
        {"landmarks": "out"},
    ],
)
def test_what_does_not_go_together_is_refused(
    scanned: Dataset, tmp_path: Path, how: dict[str, Any]
) -> None:
    with pytest.raises(UsageError):
        chaosprep.convert(scanned, tmp_path / "out", **how)


def test_of_folds_it_is_said_for_which_it_is_learned(tmp_path: Path) -> None:
    folds = two_sequences(tmp_path, val_patient=(), folds=3, sequence=("t1-in",))
    events: list[Event] = []
    chaosprep.convert(folds, tmp_path / "out", normalize="nyul", on_event=events.append)
    assert "split again with --fold" in events[0].notes[0]
    chaosprep.convert(folds, tmp_path / "z", normalize="zscore", on_event=events.append)
    assert events[-2 - len(folds)].notes == ()


def test_of_one_fold_at_a_time_landmarks_are_learned_without_it(tmp_path: Path) -> None:
    one = two_sequences(tmp_path, val_patient=(), folds=3, fold=1, sequence=("t1-in",))
    made = chaosprep.convert(one, tmp_path / "out", normalize="nyul")
    (held,) = {row.case for row in one.slices if row.split == "val"}
    cases = [case for case in one.case_ids if case != held]
    assert np.allclose(learned(made)["t1-in"], landmarks_by_hand(one, cases))


def test_ct_is_normalized_and_it_is_said_that_its_units_go(tmp_path: Path) -> None:
    people = [Patient(id=id, modality="CT", slices=3, matrix=32) for id in (1, 2)]
    root = write_chaos(tmp_path / "root", people)
    pairs = chaosprep.split(root, tmp_path / "pairs", sequence="ct", val_patient=["CT002"])
    events: list[Event] = []
    chaosprep.convert(pairs, tmp_path / "out", normalize="zscore", on_event=events.append)
    assert "Hounsfield units" in events[0].notes[0]


def test_an_unreadable_slice_is_told_once_and_its_case_is_not_learned_from(
    tmp_path: Path,
) -> None:
    pairs = two_sequences(tmp_path, sequence=("t1-in",))
    broken = pairs.directory / pairs.case("MR002_t1-in").slices[1].image
    broken.write_bytes(b"no DICOM")
    with pytest.raises(ProblemsError) as caught:
        chaosprep.convert(pairs, tmp_path / "out", normalize="nyul")
    assert [one.id for one in caught.value.problems] == ["MR002_t1-in_s001"]
    made = chaosprep.convert(pairs, tmp_path / "out", normalize="nyul", on_error="skip")
    assert np.allclose(learned(made)["t1-in"], landmarks_by_hand(pairs, ["MR001_t1-in"]))
    assert [one.id for one in made.skipped] == ["MR002_t1-in_s001"]


@pytest.mark.parametrize(("method", "ends"), [("zscore", (0.0, 1.0)), ("nyul", (1.0, 100.0))])
def test_a_network_sees_the_ends_of_the_scale_as_0_and_1_however_few_slices_are_left(
    normalized: dict[Method, Dataset], tmp_path: Path, method: Method, ends: tuple[float, float]
) -> None:
    made = normalized[method]
    few = chaosprep.extract_labels(made, tmp_path / "few", organ=["liver"], drop_empty=True)
    for dataset in (made, few):
        for case in dataset.cases:
            scaling = case_scaling(case)
            assert (scaling.low, scaling.high, scaling.in_units) == (*ends, True)
            for row in originals(case):
                values = dataset.image(row) * row.slope + row.intercept
                shown = scaling.shown(*case.pixels(row))
                assert np.allclose(shown, (values - ends[0]) / (ends[1] - ends[0]), atol=1e-5)


def test_two_scanners_come_to_show_organs_alike(
    scanned: Dataset, normalized: dict[Method, Dataset], tmp_path: Path
) -> None:
    """Patients 5 and 6 are nobody's to learn from; they differ in the scanner alone."""
    before = distance(scanned, "MR005", "MR006")
    after = {how: distance(made, "MR005", "MR006") for how, made in normalized.items()}
    assert after["nyul"] <= 0.2 * before
    assert after["zscore"] < before


@pytest.mark.parametrize("method", METHODS)
def test_verify_finds_nothing_wrong(tmp_path: Path, method: Method) -> None:
    made = chaosprep.convert(two_sequences(tmp_path), tmp_path / "out", normalize=method)
    copies = chaosprep.augment(made, tmp_path / "copies", copies=1)
    for directory in (made.directory, copies.directory):
        assert chaosprep.verify(directory, replay="all").faults == ()


def rewritten(dataset: Dataset, place: Path, change: Any) -> Path:
    """A copy of a directory whose rows and descriptor were changed by hand, and agree."""
    shutil.copytree(dataset.directory, place)
    rows = [json.loads(line) for line in (place / "slices.jsonl").read_bytes().splitlines()]
    descriptor = json.loads((place / "datapackage.json").read_text())
    change(rows, descriptor["chaosprep"])
    table = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (place / "slices.jsonl").write_bytes(table)
    digest = f"sha256:{hashlib.sha256(table).hexdigest()}"
    descriptor["resources"][0] |= {"bytes": len(table), "hash": digest}
    (place / "datapackage.json").write_text(json.dumps(descriptor))
    return place


def other_slope(rows: Any, told: Any) -> None:
    rows[1]["slope"] *= 2


def other_knots(rows: Any, told: Any) -> None:
    for row in rows:
        row["normalization"]["to"][3] += 0.01


def other_method(rows: Any, told: Any) -> None:
    told["parameters"]["normalize"] = "zscore"


def no_landmarks(rows: Any, told: Any) -> None:
    told["learned"]["landmarks"]["t1-in"] = [1, 2]


@pytest.mark.parametrize("change", [other_slope, other_knots, other_method, no_landmarks])
def test_verify_finds_what_does_not_agree(
    normalized: dict[Method, Dataset], tmp_path: Path, change: Any
) -> None:
    place = rewritten(normalized["nyul"], tmp_path / "changed", change)
    assert "normalization" in {fault.code for fault in chaosprep.verify(place).faults}


@pytest.mark.parametrize(
    "knots",
    [
        {"from": [1, 2], "to": [1, 2, 3]},
        {"from": [1, 2, 2], "to": [1, 2, 3]},
        {"from": [1, 2, 3], "to": [3, 2, 1]},
    ],
)
def test_a_table_whose_knots_make_no_map_is_not_opened(
    normalized: dict[Method, Dataset], tmp_path: Path, knots: dict[str, list[float]]
) -> None:
    def change(rows: Any, told: Any) -> None:
        rows[0]["normalization"] |= knots

    with pytest.raises(ManifestError, match="normalization"):
        chaosprep.open(rewritten(normalized["nyul"], tmp_path / "changed", change))
