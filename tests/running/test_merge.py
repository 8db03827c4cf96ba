"""All shards of a run become what one run makes, byte for byte; anything else is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import chaosprep as library
from chaosprep import Dataset
from chaosprep.dataset.manifest import Dataset as Opened
from chaosprep.errors import ChaosprepError, NothingFoundError, Problem, ProblemsError, UsageError
from chaosprep.running.merge import merge
from chaosprep.running.options import Event
from chaosprep.running.runner import run
from tests.running.toys import TOY, ToyCase, ToyParams, snapshot, source

CASES = (
    *(ToyCase(f"MR{number:03d}_t1-in", (number, 9), "train") for number in range(1, 5)),
    ToyCase("MR004_t1-out", (3,), "train"),
    ToyCase("MR0041_ct", (4, 5), "val"),
    ToyCase("MR005_t1-in", (1, -1, 2), "val"),
    ToyCase("MR006_t1-in", (-1,), "val"),
)
LOST = Problem(code="lost", id="MR009", reason="it is lost")


def make_shards(tmp_path: Path, count: int, cases: tuple[ToyCase, ...] = CASES) -> list[Path]:
    parts = []
    for index in range(1, count + 1):
        parts.append(tmp_path / f"part-{index}")
        run(
            TOY,
            ToyParams(),
            source(tmp_path, *cases, problems=(LOST,)),
            parts[-1],
            on_error="skip",
            shard=f"{index}/{count}",
        )
    return parts


def refusal(shards: list[Path], output: Path) -> ChaosprepError:
    with pytest.raises(ChaosprepError) as caught:
        merge(shards, output)
    assert not (output / "datapackage.json").exists()
    return caught.value


@pytest.mark.parametrize(("count", "jobs"), [(1, 1), (3, 1), (3, 2), (11, 1)])
def test_merged_shards_are_what_one_run_makes(tmp_path: Path, count: int, jobs: int) -> None:
    """With skipped slices, a case that came to nothing, and a problem of the source."""
    found = source(tmp_path, *CASES, problems=(LOST,))
    run(TOY, ToyParams(), found, tmp_path / "whole", on_error="skip")
    made = merge(make_shards(tmp_path, count)[::-1], tmp_path / "merged", jobs=jobs)
    assert isinstance(made, Opened)
    assert snapshot(tmp_path / "merged") == snapshot(tmp_path / "whole")
    assert {problem.id for problem in made.skipped} == {"MR005_t1-in_s001", "MR006_t1-in_s000"} | {
        "MR009"
    }


@pytest.mark.parametrize("verb", ["split", "extract_liver", "convert", "augment"])
def test_every_stage_can_be_sharded_and_merged(
    phantom: Path, pairs: Dataset, livers: Dataset, tmp_path: Path, verb: str
) -> None:
    given: dict[str, Any] = {"split": phantom, "extract_liver": pairs, "convert": livers}
    if verb == "augment":
        given[verb] = library.convert(livers, tmp_path / "images", format="npy")
    options: dict[str, dict[str, Any]] = {"split": {"val": 0.25}, "convert": {"format": "npy"}}
    more = options.get(verb, {})
    function = getattr(library, verb)
    whole = function(given[verb], tmp_path / "whole", **more)
    parts = [
        function(given[verb], tmp_path / f"part-{index}", shard=f"{index}/3", **more).directory
        for index in (1, 2, 3)
    ]
    merged = library.merge(parts, tmp_path / "merged")
    assert merged.descriptor == whole.descriptor
    assert snapshot(merged.directory) == snapshot(whole.directory)


def test_files_are_linked_not_copied(tmp_path: Path) -> None:
    parts = make_shards(tmp_path, 2)
    merge(parts, tmp_path / "merged")
    name = "train/images/MR001_t1-in_s000.png"
    assert (parts[0] / name).samefile(tmp_path / "merged" / name)


def test_links_to_the_originals_stay_links(phantom: Path, tmp_path: Path) -> None:
    parts = [tmp_path / "1", tmp_path / "2"]
    for index, part in enumerate(parts, 1):
        library.split(phantom, part, link="sym", shard=f"{index}/2")
    merged = library.merge(parts, tmp_path / "merged")
    assert all((merged.directory / row.image).is_symlink() for row in merged.slices)
    assert merged.image(merged.slices[0]).shape == (32, 32)


def test_a_merged_directory_is_not_made_again(tmp_path: Path) -> None:
    parts, events = make_shards(tmp_path, 2), list[Event]()
    merge(parts, tmp_path / "merged")
    merge(parts, tmp_path / "merged", on_event=events.append)
    assert [event.kind for event in events] == ["already-done"]


def test_what_else_is_finished_there_is_kept(tmp_path: Path) -> None:
    run(TOY, ToyParams(add=1), source(tmp_path, *CASES[:2]), tmp_path / "merged")
    before = snapshot(tmp_path / "merged")
    with pytest.raises(ChaosprepError, match="something other than these shards") as caught:
        merge(make_shards(tmp_path, 2), tmp_path / "merged")
    assert caught.value.code == "output-differs"
    assert snapshot(tmp_path / "merged") == before


def test_a_lost_file_of_a_merged_directory_is_named(tmp_path: Path) -> None:
    parts = make_shards(tmp_path, 2)
    merge(parts, tmp_path / "merged")
    (tmp_path / "merged/train/masks/MR001_t1-in_s000.png").unlink()
    with pytest.raises(ChaosprepError, match=r"MR001_t1-in_s000\.png is missing"):
        merge(parts, tmp_path / "merged")
    merge(parts, tmp_path / "merged", overwrite=True)
    assert (tmp_path / "merged/train/masks/MR001_t1-in_s000.png").exists()


def test_an_interrupted_merge_is_finished_by_the_same_command(tmp_path: Path) -> None:
    class StopError(Exception):
        pass

    def stop(event: Event) -> None:
        if event.finished == 2:
            raise StopError

    parts = make_shards(tmp_path, 3)
    with pytest.raises(StopError):
        merge(parts, tmp_path / "merged", on_event=stop)
    assert not (tmp_path / "merged/datapackage.json").exists()
    merge(parts, tmp_path / "merged")
    merge(parts, tmp_path / "other")
    assert snapshot(tmp_path / "merged") == snapshot(tmp_path / "other")


def test_no_shards_are_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        merge([], tmp_path / "merged")


def test_missing_shards_are_named(tmp_path: Path) -> None:
    parts = make_shards(tmp_path, 5)
    error = refusal([parts[0], parts[3]], tmp_path / "merged")
    assert error.code == "merge-missing"
    assert error.reason == "merge: of 5 shards these are missing: 2, 3, 5"


def test_a_shard_that_is_given_twice_is_named(tmp_path: Path) -> None:
    parts = make_shards(tmp_path, 3)
    shutil.copytree(parts[1], tmp_path / "again")
    error = refusal([*parts, tmp_path / "again"], tmp_path / "merged")
    assert error.code == "merge-twice"
    assert "both are shard 2 of 3" in error.reason


def test_shards_of_different_numbers_are_refused(tmp_path: Path) -> None:
    parts = make_shards(tmp_path, 2)
    (tmp_path / "more").mkdir()
    others = make_shards(tmp_path / "more", 3)
    assert refusal([parts[0], others[1]], tmp_path / "merged").code == "merge-count"


def rewrite(part: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((part / "shard.json").read_text())
    change(manifest)
    (part / "shard.json").write_text(json.dumps(manifest))


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "merge-stage": lambda m: m["chaosprep"].update(stage="other"),
    "merge-version": lambda m: m["chaosprep"].update(version=2),
    "merge-parameters": lambda m: m["chaosprep"]["parameters"].update(add=1),
    "merge-source": lambda m: m["shard"].update(planned_sha256="0" * 64),
    "merge-twice": lambda m: m["shard"]["cases"].update({"MR001_t1-in": "0" * 64}),
}


@pytest.mark.parametrize("code", CHANGES)
def test_shards_of_different_runs_are_refused(tmp_path: Path, code: str) -> None:
    parts = make_shards(tmp_path, 2)
    rewrite(parts[1], CHANGES[code])
    assert refusal(parts, tmp_path / "merged").code == code


def test_shards_of_another_chaosprep_are_refused(tmp_path: Path) -> None:
    parts = make_shards(tmp_path, 2)
    rewrite(parts[1], lambda m: m["chaosprep"]["versions"].update(chaosprep="99.0"))
    assert refusal(parts, tmp_path / "merged").code == "merge-version"


def test_a_shard_with_slices_of_a_case_that_it_does_not_name_is_refused(tmp_path: Path) -> None:
    parts = make_shards(tmp_path, 2)
    rewrite(parts[0], lambda m: m["shard"]["cases"].pop("MR001_t1-in"))
    assert refusal(parts, tmp_path / "merged").code == "merge-source"


def test_a_stage_that_gave_another_plan_to_one_shard_is_refused(tmp_path: Path) -> None:
    parts = make_shards(tmp_path, 2)
    run(
        TOY,
        ToyParams(),
        source(tmp_path, *CASES[:3], problems=(LOST,)),
        parts[1],
        on_error="skip",
        shard="2/2",
        overwrite=True,
    )
    assert refusal(parts, tmp_path / "merged").code == "merge-source"


def test_both_versions_of_a_library_are_recorded(tmp_path: Path) -> None:
    parts = make_shards(tmp_path, 3)
    rewrite(parts[1], lambda m: m["chaosprep"]["versions"].update(numpy="1.0.0"))
    made = merge(parts, tmp_path / "merged").made
    numpy = library.open(tmp_path / "merged").made.versions["numpy"]
    assert numpy.startswith("1.0.0, ")
    assert made.versions == {**made.versions, "numpy": numpy}


def test_every_damaged_file_is_named_and_nothing_is_committed(tmp_path: Path) -> None:
    parts = make_shards(tmp_path, 2)
    (parts[0] / "train/images/MR001_t1-in_s000.png").write_bytes(b"other")
    (parts[1] / "train/masks/MR002_t1-in_s001.png").unlink()
    error = refusal(parts, tmp_path / "merged")
    assert isinstance(error, ProblemsError)
    assert [(problem.id, problem.code) for problem in error.problems] == [
        ("MR001_t1-in_s000", "hash"),
        ("MR002_t1-in_s001", "file-missing"),
    ]


def test_a_damaged_table_is_refused(tmp_path: Path) -> None:
    parts = make_shards(tmp_path, 2)
    table = parts[0] / "slices.jsonl"
    table.write_bytes(table.read_bytes().replace(b'"liver":6', b'"liver":5', 1))
    assert refusal(parts, tmp_path / "merged").code == "manifest-hash"


def test_a_finished_stage_is_no_shard_to_merge(tmp_path: Path) -> None:
    run(TOY, ToyParams(), source(tmp_path), tmp_path / "whole")
    assert refusal([tmp_path / "whole"], tmp_path / "merged").code == "not-a-shard"


def test_the_output_must_not_be_a_shard(tmp_path: Path) -> None:
    parts = make_shards(tmp_path, 2)
    with pytest.raises(ChaosprepError) as caught:
        merge(parts, parts[0])
    assert caught.value.code == "output-place"


def test_shards_in_which_nothing_is_left_make_nothing(tmp_path: Path) -> None:
    parts = make_shards(tmp_path, 2, (ToyCase("MR001_t1-in", (-1,)),))
    with pytest.raises(NothingFoundError):
        merge(parts, tmp_path / "merged")
