"""Readers beside each other: the figures of every two, their consensus, and what is refused."""

import json
import shutil
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
from numpy.typing import NDArray

import chaosprep
from chaosprep import Dataset
from chaosprep.errors import ChaosprepError, NothingFoundError, ProblemsError, UsageError
from chaosprep.evaluation.readers.agreement import Agreed
from chaosprep.evaluation.readers.matched import Chosen, chosen_organs
from chaosprep.layouts.mask_set import CaseMasks, MaskCase, MaskSet, Organs
from tests.evaluation.reading import CASES, NAMES, drawn, read, reader, write_volumes
from tests.evaluation.trees import dice, volume_of, write_png, write_shifted
from tests.formats.volume_files import AFFINE


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Readers who are wrong more and more often; the second's volumes are flipped. Read only."""
    home = tmp_path_factory.mktemp("readers")
    return [reader(home, 1), reader(home, 2, flipped=True), reader(home, 3)]


def mean(found: Agreed, organ: str, *readers: str, metric: str = "dice") -> float | None:
    (one,) = (s for s in found.summaries if s.organ == organ and s.readers == readers)
    return one.metrics[metric].mean


def pixels(file: Path) -> NDArray[Any]:
    return np.asarray(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(file))))


def test_every_pair_has_the_figures_of_evaluate_whoever_is_the_reference(three: list[Path]) -> None:
    found = chaosprep.agree(three, tolerance=1.5)
    for a, b in combinations(range(3), 2):
        names = (f"R{a + 1}", f"R{b + 1}")
        own = [row for row in found.results if row.readers == names]
        for pred, ref in ((three[a], three[b]), (three[b], three[a])):
            rows = chaosprep.evaluate(pred, ref, tolerance=1.5).results
            for one, other in zip(own, rows, strict=True):
                assert (one.case, one.organ) == (other.case, other.organ)
                for name in ("dice", "jaccard", "assd", "mssd", "hd95", "nsd"):
                    assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-12)


def test_dice_and_volumes_are_those_of_numpy(three: list[Path]) -> None:
    found = chaosprep.agree(three)
    for row in found.results:
        first, second = (drawn(int(name[1]), row.case) == NAMES[row.organ] for name in row.readers)
        assert row.dice == pytest.approx(dice(first, second))
        assert row.voxels == (first.sum(), second.sum())
        assert row.ml == pytest.approx([n * 1.5 * 1.25 * 5.5 / 1000 for n in row.voxels])
        apart = abs(int(first.sum()) - int(second.sum()))
        assert row.volume_difference == pytest.approx(200 * apart / sum(row.voxels))


def test_all_readers_have_the_mean_over_cases_of_the_mean_over_pairs(three: list[Path]) -> None:
    found = chaosprep.agree(three)
    for organ, label in NAMES.items():
        cases = [
            [
                dice(drawn(a, case) == label, drawn(b, case) == label)
                for a, b in combinations((1, 2, 3), 2)
            ]
            for case in CASES
        ]
        assert mean(found, organ, "R1", "R2", "R3") == pytest.approx(np.mean(cases))
        (all_three,) = (s for s in found.summaries if s.organ == organ and len(s.readers) == 3)
        assert all_three.metrics["dice"].n == 2
        assert all_three.metrics["dice"].sd == pytest.approx(np.std(np.mean(cases, 1), ddof=1))
        assert mean(found, organ, "R1", "R3") == pytest.approx(np.mean([row[1] for row in cases]))


def test_two_readers_have_no_mean_of_all(three: list[Path]) -> None:
    found = chaosprep.agree(three[:2])
    assert [one.readers for one in found.summaries] == [("R1", "R2")] * 2


def test_one_readers_disagreement_is_seen(three: list[Path], tmp_path: Path) -> None:
    wild = write_volumes(
        tmp_path / "wild", {case: np.roll(drawn(1, case), 3, axis=0) for case in CASES}
    )
    found = chaosprep.agree([*three, wild], method="staple")
    for organ in NAMES:
        own = [one for one in found.by_reader if one.organ == organ]
        assert [one.reader for one in own] == ["R1", "R2", "R3", "R4"]
        assert min(own, key=lambda one: one.dice.mean or 0).reader == "R4"
        rates = [one.sensitivity.mean or 0 for one in own if one.sensitivity]
        assert np.argmin(rates) == 3


def test_a_readers_mean_is_over_the_others(three: list[Path]) -> None:
    found = chaosprep.agree(three)
    (one,) = (s for s in found.by_reader if (s.reader, s.organ) == ("R2", "liver"))
    values = [dice(drawn(2, c) == 1, drawn(other, c) == 1) for c in CASES for other in (1, 3)]
    assert one.dice.mean == pytest.approx(np.mean(values))
    assert one.ml.mean == pytest.approx(
        np.mean([(drawn(2, c) == 1).sum() * 1.5 * 1.25 * 5.5 / 1000 for c in CASES])
    )


def test_majority_is_written_on_the_first_readers_grid(three: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    found = chaosprep.agree(three, out)
    assert (found.path, found.cases, found.skipped) == (out, 2, ())
    assert json.loads((out / "labels.json").read_text()) == NAMES
    for case in CASES:
        votes = np.stack([np.stack([drawn(r, case) == v for v in (1, 2)]) for r in (1, 2, 3)])
        won = votes.sum(axis=0) >= 2
        written = read(out / f"masks/{case}.nii.gz")
        assert np.array_equal(written, won[0] * 1 + won[1] * 2)
        affines = [
            SimpleITK.ReadImage(str(file)).GetOrigin()
            for file in (out / f"masks/{case}.nii.gz", three[0] / f"{case}.nii.gz")
        ]
        assert affines[0] == pytest.approx(affines[1])


def test_staple_is_itks_with_the_rates_of_each_reader(three: list[Path], tmp_path: Path) -> None:
    found = chaosprep.agree(three, tmp_path / "out", method="staple")
    for case in CASES:
        written = read(tmp_path / f"out/masks/{case}.nii.gz")
        for organ, label in NAMES.items():
            staple = SimpleITK.STAPLEImageFilter()
            staple.SetForegroundValue(1.0)
            likely = staple.Execute(
                [
                    SimpleITK.GetImageFromArray((drawn(r, case) == label).astype(np.uint8))
                    for r in (1, 2, 3)
                ]
            )
            assert np.array_equal(written == label, SimpleITK.GetArrayFromImage(likely) > 0.5)
            own = [one for one in found.estimates if (one.case, one.organ) == (case, organ)]
            assert [one.reader for one in own] == ["R1", "R2", "R3"]
            assert [one.sensitivity for one in own] == pytest.approx(staple.GetSensitivity())
            assert [one.specificity for one in own] == pytest.approx(staple.GetSpecificity())


def test_without_an_output_nothing_is_written(three: list[Path]) -> None:
    before = sorted(three[0].parent.rglob("*"))
    found = chaosprep.agree(three, method="staple")
    assert found.path is None
    assert len(found.estimates) == 12
    assert sorted(three[0].parent.rglob("*")) == before


def test_evaluate_takes_the_consensus_on_either_side(three: list[Path], tmp_path: Path) -> None:
    chaosprep.agree(three, tmp_path / "out")
    for pred, ref in ((three[0], tmp_path / "out"), (tmp_path / "out", three[0])):
        rows = chaosprep.evaluate(pred, ref).results
        assert [(row.case, row.organ) for row in rows] == [(c, o) for c in CASES for o in NAMES]
        for row in rows:
            votes = sum((drawn(r, row.case) == NAMES[row.organ]).astype(int) for r in (1, 2, 3))
            first = drawn(1, row.case) == NAMES[row.organ]
            assert row.dice == pytest.approx(dice(votes >= 2, first))


def test_the_order_of_readers_changes_their_names_alone(three: list[Path], tmp_path: Path) -> None:
    seen = set()
    for number, order in enumerate(permutations((0, 1, 2))):
        out = tmp_path / f"out{number}"
        found = chaosprep.agree([three[place] for place in order], out, method="staple")
        name = {f"R{at + 1}": f"R{place + 1}" for at, place in enumerate(order)}
        values = {
            (row.case, row.organ, *sorted(name[one] for one in row.readers)): row.dice
            for row in found.results
        }
        rates = {
            (one.case, one.organ, name[one.reader]): round(one.sensitivity, 9)
            for one in found.estimates
        }
        voxels = [read(out / f"masks/{case}.nii.gz") for case in CASES]
        if order[0] == 1:
            voxels = [one[::-1] for one in voxels]
        written = tuple(one.tobytes() for one in voxels)
        total = round(mean(found, "liver", "R1", "R2", "R3") or 0, 12)
        seen.add((*sorted(values.items()), *sorted(rates.items()), written, total))
    assert len(seen) == 1


def test_jobs_change_nothing(three: list[Path], tmp_path: Path) -> None:
    one = chaosprep.agree(three, tmp_path / "one", jobs=1)
    two = chaosprep.agree(three, tmp_path / "two", jobs=2)
    assert (one.results, one.summaries) == (two.results, two.summaries)
    for file in (tmp_path / "one").rglob("*"):
        other = tmp_path / "two" / file.relative_to(tmp_path / "one")
        assert other.is_dir() if file.is_dir() else file.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("first", [0, 1])
def test_names_are_those_of_the_reader_who_has_them(tmp_path: Path, first: int) -> None:
    folders = [reader(tmp_path, 1, legend=None), reader(tmp_path, 2)]
    found = chaosprep.agree(folders if first == 0 else folders[::-1])
    assert {row.organ for row in found.results} == set(NAMES)


@pytest.mark.parametrize("first", [0, 1])
def test_without_any_names_the_values_of_all_count(tmp_path: Path, first: int) -> None:
    volumes = {"a": drawn(1, "a")}
    folders = [
        write_volumes(tmp_path / "some", {"a": np.where(volumes["a"] == 2, 0, volumes["a"])}, None),
        write_volumes(tmp_path / "more", volumes, None),
    ]
    found = chaosprep.agree(folders if first == 0 else folders[::-1])
    assert {row.organ: row.dice for row in found.results} == {"label-1": 1.0, "label-2": 0.0}


def test_files_of_any_name_are_one_case(three: list[Path], tmp_path: Path) -> None:
    files = [Path(shutil.copy(f / "a.nii.gz", tmp_path / f"{f.name}.nii.gz")) for f in three]
    found = chaosprep.agree(files, tmp_path / "out" / "consensus")
    assert {row.case for row in found.results} == {"r1"}
    assert (tmp_path / "out/consensus/masks/r1.nii.gz").is_file()


def test_a_case_that_a_reader_lacks_is_named_and_can_be_left_out(
    three: list[Path], tmp_path: Path
) -> None:
    lacking = write_volumes(tmp_path / "r4", {"a": drawn(4, "a")})
    with pytest.raises(ProblemsError) as error:
        chaosprep.agree([*three, lacking], tmp_path / "out")
    assert [(one.code, one.id) for one in error.value.problems] == [("case-missing", "b")]
    assert "R4 lacks this case" in str(error.value)
    assert not (tmp_path / "out").exists()
    found = chaosprep.agree([*three, lacking], tmp_path / "out", on_error="skip")
    assert [one.id for one in found.skipped] == ["b"]
    assert [file.name for file in (tmp_path / "out/masks").iterdir()] == ["a.nii.gz"]


def test_readers_without_a_common_case_are_told_what_each_has(tmp_path: Path) -> None:
    folders = [write_volumes(tmp_path / one, {one: drawn(1, one)}) for one in "ab"]
    with pytest.raises(NothingFoundError, match="R1 has a; R2 has b"):
        chaosprep.agree(folders)


def test_readers_of_other_organs_are_told_to_choose(three: list[Path], tmp_path: Path) -> None:
    other = reader(tmp_path, 4, {"liver": 1, "spleen": 2})
    with pytest.raises(UsageError, match="R1 has liver, tumour; R2 has liver, spleen") as error:
        chaosprep.agree([three[0], other])
    assert str(error.value).endswith("Choose with organs. There are: liver.")
    found = chaosprep.agree([three[0], other], tmp_path / "out", organs=["Liver"])
    assert {row.organ for row in found.results} == {"liver"}
    assert json.loads((tmp_path / "out/labels.json").read_text()) == {"liver": 1}
    with pytest.raises(UsageError, match="tumour is not in the masks of every reader"):
        chaosprep.agree([three[0], other], organs=["tumour"])


def test_readers_who_share_no_name_are_told_to_call_them_alike(
    three: list[Path], tmp_path: Path
) -> None:
    other = reader(tmp_path, 4, {"Leber": 1, "Tumor": 2})
    with pytest.raises(UsageError, match="Give them the same names"):
        chaosprep.agree([three[0], other])


def test_pictures_that_do_not_say_which_organ_they_show_are_refused_by_name(
    organs: Dataset, tmp_path: Path
) -> None:
    rows = organs.cases[0].slices
    files = [write_png(tmp_path / f"r/{row.id}.png", 255 * np.eye(4)) for row in rows]
    with pytest.raises(ChaosprepError, match=r"^R1 \(PRED\) against .* \(REF\): PRED holds one"):
        chaosprep.agree([files[0].parent, organs.directory])


def test_a_reader_on_a_finer_grid_is_brought_to_the_first_and_that_is_said(
    three: list[Path], tmp_path: Path
) -> None:
    """Every voxel twice along the first axis."""
    fine = AFFINE.copy()
    fine[:3, 0] /= 2
    fine[:3, 3] -= fine[:3, 0] / 2
    twice = {case: np.repeat(drawn(2, case), 2, axis=0) for case in CASES}
    other = write_volumes(tmp_path / "fine", twice, affine=fine)
    found = chaosprep.agree([three[0], other], organs=["liver"])
    assert "R2 brought to the grid of R1 in 2 cases, by the nearest voxel" in found.notes
    assert [row.dice for row in found.results] == [
        pytest.approx(dice(drawn(1, case) == 1, drawn(2, case) == 1)) for case in CASES
    ]


def cropped(
    file: Path, voxels: NDArray[np.uint8], start: tuple[int, int, int], *, far: float = 0
) -> Path:
    """A .seg.nrrd as 3D Slicer writes it, which begins at a voxel of its image."""
    lines = ["NRRD0004", "type: uint8", "dimension: 3", "encoding: raw", "space: LPS"]
    lines += [f"sizes: {' '.join(map(str, voxels.shape))}"]
    lines += ["space directions: (2,0,0) (0,1,0) (0,0,3)"]
    lines += [f"space origin: ({start[0] * 2 + far},{start[1]},{start[2] * 3})"]
    lines += [f"Segmentation_ReferenceImageExtentOffset:={' '.join(map(str, start))}"]
    lines += ["Segment0_Name:=tumour", "Segment0_LabelValue:=1", "Segment0_Layer:=0"]
    file.write_bytes("\n".join([*lines, "Segment0_ID:=s0", "", ""]).encode() + voxels.tobytes("F"))
    return file


def test_what_a_reader_draws_beyond_the_grid_of_the_first_is_counted_and_said(
    tmp_path: Path,
) -> None:
    voxels = drawn(0, "a")
    longer = np.concatenate([voxels, np.zeros((12, 11, 2), np.uint8)], axis=2)
    longer[5, 5, 7] = 1
    first = write_volumes(tmp_path / "first", {"a": voxels})
    found = chaosprep.agree([first, write_volumes(tmp_path / "longer", {"a": longer})])
    assert {row.dice for row in found.results} == {1.0}
    assert "beyond the grid of R1, and not counted: 1 voxel of R2" in found.notes


def test_readers_whose_files_are_cropped_are_compared_on_all_that_they_reach(
    tmp_path: Path,
) -> None:
    starts = [(3, 2, 1), (2, 4, 1), (4, 3, 0)]
    whole = np.zeros((3, 12, 12, 6), np.uint8)
    files = []
    for number, (i, j, k) in enumerate(starts):
        own = np.ones((4, 5, 3), np.uint8)
        own[0, 0, 0] = 0
        whole[number, i : i + 4, j : j + 5, k : k + 3] = own
        files.append(cropped(tmp_path / f"r{number}.seg.nrrd", own, (i, j, k)))
    found = chaosprep.agree(files, tmp_path / "out")
    for row in found.results:
        a, b = (int(name[1]) - 1 for name in row.readers)
        assert row.dice == pytest.approx(dice(whole[a] == 1, whole[b] == 1))
        assert row.assd is not None
    written = read(tmp_path / "out/masks/r0.nii.gz")
    i, j, k = (min(one[axis] for one in starts) for axis in range(3))
    box = whole.sum(axis=0)[i : i + written.shape[0], j : j + written.shape[1], k:]
    assert np.array_equal(written, box[:, :, : written.shape[2]] >= 2)
    image = SimpleITK.ReadImage(str(tmp_path / "out/masks/r0.nii.gz"))
    assert image.GetOrigin() == pytest.approx((i * 2, j, k * 3))


def test_cropped_files_that_are_far_apart_are_refused_before_memory_is_taken(
    tmp_path: Path,
) -> None:
    own = np.ones((4, 5, 3), np.uint8)
    files = [
        cropped(tmp_path / f"r{number}.seg.nrrd", own, (1, 1, 1), far=far)
        for number, far in enumerate((0, 1e12))
    ]
    with pytest.raises(ProblemsError) as error:
        chaosprep.agree(files)
    assert [one.code for one in error.value.problems] == ["too-large"]


def test_a_reader_who_saw_less_than_the_first_is_refused_by_name(
    three: list[Path], tmp_path: Path
) -> None:
    other = write_volumes(tmp_path / "r4", {case: drawn(4, case)[:-1] for case in CASES})
    with pytest.raises(ProblemsError) as error:
        chaosprep.agree([three[0], other])
    assert {one.code for one in error.value.problems} == {"grid-mismatch"}
    assert all(
        one.reason.startswith("R2 (PRED) against R1 (REF): ") for one in error.value.problems
    )


def test_pictures_of_other_slices_are_refused_by_name(livers: Dataset, tmp_path: Path) -> None:
    folders = [write_shifted(livers, tmp_path / f"n{cols}", cols) for cols in (1, 2)]
    (folders[1] / f"{livers.slices[0].id}.png").unlink()
    with pytest.raises(ProblemsError) as error:
        chaosprep.agree(folders)
    (problem,) = error.value.problems
    assert (problem.code, problem.id) == ("slices-differ", livers.slices[0].case)
    assert problem.reason.startswith("R2 (PRED) against R1 (REF): ")


def test_an_organ_that_a_reader_never_shows_is_drawn_nowhere(tmp_path: Path) -> None:
    liver = {case: (drawn(2, case) == 1).astype(np.uint8) for case in CASES}
    folders = [reader(tmp_path, 1), write_volumes(tmp_path / "r2", liver)]
    found = chaosprep.agree(folders, tmp_path / "out")
    assert [row.dice for row in found.results if row.organ == "tumour"] == [0, 0]
    assert "drawn by some reader, but not in the consensus: a tumour, b tumour" in found.notes


def test_a_case_in_which_a_reader_does_not_name_an_organ_is_told() -> None:
    def unread(organs: Organs) -> CaseMasks:
        raise AssertionError

    both, one = ("liver", "tumour"), ("liver",)
    cases = {id: (MaskCase(id, id, both, unread), MaskCase(id, id, one, unread)) for id in CASES}
    side = MaskSet("volumes", Path(), {}, both, {}, {})
    organs, notes = chosen_organs([side, side], ["R1", "R2"], Chosen(cases, (), ()), ())
    assert organs == both
    assert notes == ("R2 does not name tumour in 2 of 2 cases: it counts as not drawn there",)


def test_an_even_number_of_readers_says_what_a_tie_is(three: list[Path], tmp_path: Path) -> None:
    found = chaosprep.agree(three[:2], tmp_path / "out")
    assert any("not a majority" in note for note in found.notes)
    both = drawn(1, "a") * (drawn(1, "a") == drawn(2, "a"))
    assert np.array_equal(read(tmp_path / "out/masks/a.nii.gz"), both)
    assert not chaosprep.agree(three, tmp_path / "three").notes


def test_one_reader_or_one_twice_or_too_many_are_refused(three: list[Path]) -> None:
    for readers, said in (
        (three[:1], "takes 2 to 16 readers, not 1"),
        ([three[0]] * 17, "not 17"),
        ([three[0], three[1], three[0].parent / "." / "r1"], "given twice"),
    ):
        with pytest.raises(UsageError, match=said):
            chaosprep.agree(readers)


@pytest.mark.parametrize(
    "wrong", [{"organs": "liver"}, {"patients": "x"}, {"on_error": "ignore"}, {"spacing": (1, 2)}]
)
def test_what_is_no_list_no_choice_or_no_spacing_is_refused(
    three: list[Path], wrong: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        chaosprep.agree(three, **wrong)


def test_an_output_in_a_reader_is_refused(three: list[Path]) -> None:
    for place in three:
        with pytest.raises(UsageError, match="must not be the input"):
            chaosprep.agree(three, place / "out")


def test_only_a_consensus_is_replaced_and_when_that_is_asked_for(
    three: list[Path], tmp_path: Path
) -> None:
    chaosprep.agree(three, tmp_path / "out")
    with pytest.raises(ChaosprepError, match="holds an export already"):
        chaosprep.agree(three, tmp_path / "out")
    chaosprep.agree(three, tmp_path / "out", method="staple", overwrite=True)
    record = json.loads((tmp_path / "out/chaosprep-export.json").read_text())
    assert (record["format"], record["parameters"]["method"]) == ("agree", "staple")
    (tmp_path / "out/mine.txt").write_text("mine")
    with pytest.raises(ChaosprepError, match="did not make"):
        chaosprep.agree(three, tmp_path / "out", overwrite=True)


def test_patients_can_be_chosen(three: list[Path]) -> None:
    assert {row.case for row in chaosprep.agree(three, patients=["b"]).results} == {"b"}
    with pytest.raises(UsageError, match="no reader has such a patient"):
        chaosprep.agree(three, patients=["c"])


def test_stage_directories_and_predictions_by_slice_id_agree_in_mm(
    livers: Dataset, case: str, tmp_path: Path
) -> None:
    """The pictures come first, and the stage directory still says where the voxels lie."""
    net = write_shifted(livers, tmp_path / "net")
    more = write_shifted(livers, tmp_path / "more", cols=2)
    found = chaosprep.agree([net, livers.directory, more], tmp_path / "out")
    ref = volume_of(livers, case)
    one, two = (np.zeros_like(ref) for _ in range(2))
    one[:, :, 1:], two[:, :, 2:] = ref[:, :, :-1], ref[:, :, :-2]
    row = next(row for row in found.results if (row.case, row.readers) == (case, ("R1", "R3")))
    assert row.organ == "liver"
    assert row.dice == pytest.approx(dice(one, two))
    assert row.assd is not None
    written = SimpleITK.ReadImage(str(tmp_path / f"out/masks/{case}.nii.gz"))
    won = one.astype(int) + two + ref >= 2
    assert np.array_equal(SimpleITK.GetArrayFromImage(written) == 1, won)
    assert "Licence of the data" in (tmp_path / "out/LICENSE-DATA.txt").read_text()
    again = chaosprep.evaluate(tmp_path / "out", livers.directory)
    assert next(r for r in again.results if r.case == case).dice == pytest.approx(dice(won, ref))


def test_a_side_that_a_reader_has_nothing_of_is_left_aside_and_that_is_said(
    livers: Dataset, tmp_path: Path
) -> None:
    val = [one for one in livers.cases if one.split == "val"]
    net = write_shifted(livers, tmp_path / "net")
    for file in net.iterdir():
        if not any(file.name.startswith(one.id) for one in val):
            file.unlink()
    found = chaosprep.agree([livers.directory, net])
    assert {row.case for row in found.results} == {one.id for one in val}
    assert "3 cases left out: R2 has nothing of train t1-in" in found.notes


@pytest.mark.parametrize("places", [("x1.png", "x2.png"), ("p/x1.png", "p/x2.png")])
def test_pictures_are_written_with_the_first_readers_names_and_values(
    tmp_path: Path, places: tuple[str, str]
) -> None:
    masks = np.zeros((3, 2, 8, 8), np.uint8)
    for number, value in enumerate((255, 1, 255)):
        for place, name in enumerate(places):
            masks[number, place, 2:6, 2 : 5 + number] = value
            write_png(tmp_path / f"r{number}" / name, masks[number, place])
    folders = [tmp_path / f"r{number}" for number in range(3)]
    found = chaosprep.agree(folders, tmp_path / "out", spacing=(3, 1, 1))
    assert found.cases == 1
    assert mean(found, "mask", "R1", "R2") == pytest.approx(dice(masks[0] != 0, masks[1] != 0))
    won = 255 * ((masks != 0).sum(axis=0) >= 2)
    for place, name in enumerate(places):
        assert np.array_equal(pixels(tmp_path / "out" / name), won[place])
    assert chaosprep.evaluate(folders[1], tmp_path / "out").results[0].dice == 1
    assert chaosprep.evaluate(tmp_path / "out", folders[1]).results[0].dice == 1


def test_pictures_whose_names_come_from_another_reader_lie_where_they_lay(tmp_path: Path) -> None:
    mask = np.ones((4, 4), np.uint8)
    folders = [write_png(tmp_path / name / "x.png", mask).parent for name in "ab"]
    (folders[1] / "labels.json").write_text('{"liver": 1}')
    chaosprep.agree(folders, tmp_path / "out")
    assert (tmp_path / "out/x.png").is_file()
    assert json.loads((tmp_path / "out/labels.json").read_text()) == {"liver": 1}


def test_pictures_by_slice_id_are_written_by_slice_id(livers: Dataset, tmp_path: Path) -> None:
    folders = [write_shifted(livers, tmp_path / f"n{cols}", cols) for cols in (1, 2, 3)]
    found = chaosprep.agree(folders, tmp_path / "out")
    assert found.cases == len(livers.cases)
    assert any("distances need the size of the voxels" in note for note in found.notes)
    names = {file.stem for file in (tmp_path / "out/masks").iterdir()}
    assert names == {row.id for row in livers.slices}
    for row in livers.slices:
        votes = sum((pixels(folder / f"{row.id}.png") != 0).astype(int) for folder in folders)
        written = pixels(tmp_path / f"out/masks/{row.id}.png")
        assert np.array_equal(written != 0, votes >= 2)
    for ref in (folders[0], livers.directory):
        assert len(chaosprep.evaluate(tmp_path / "out", ref).results) == len(livers.cases)


def test_a_spacing_that_a_reader_knows_is_refused(three: list[Path]) -> None:
    with pytest.raises(UsageError, match="R1 gives the size of its voxels"):
        chaosprep.agree(three, spacing=(1, 1, 1))
