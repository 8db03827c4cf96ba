"""`inspect` is right of an archive, line by line; what it says is taken is what `split` takes."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import chaosprep
from chaosprep.cli.main import main
from chaosprep.errors import ChaosprepError, UsageError
from chaosprep.layouts.find import LayoutParams, find
from chaosprep.quality.archived import Archive as Inspected
from chaosprep.quality.archived import VolumeView
from chaosprep.words import shortened
from tests.archive.patients import ADC, DUAL, PHASES, SCOUT, Archive, Expected, who
from tests.documents import HOME
from tests.layouts.headers.scanned import stack, write_classic

Row = tuple[object, ...]


def inspected(root: Path, **where: Any) -> Inspected:
    found = chaosprep.inspect(root, **where)
    assert isinstance(found, Inspected)
    return found


def rows(found: Iterable[tuple[object, Row]]) -> Counter[tuple[tuple[Row, int], ...]]:
    """The rows of each patient, without saying whose they are: patient and row -> counts."""
    own: dict[object, Counter[Row]] = defaultdict(Counter)
    for patient, row in found:
        own[patient][row] += 1
    return Counter(tuple(sorted(some.items(), key=repr)) for some in own.values())


def seen(view: VolumeView) -> Row:
    return (
        *(view.study, view.description, view.modality, view.plane, view.slices, view.matrix),
        *(view.spacing, view.echo_time, view.b_value, view.time, view.refers, view.left_out),
    )


def meant(one: Expected) -> Row:
    protocol, part = one.series.protocol, one.part
    return (
        *(one.study, protocol.description, "MR", one.plane, one.slices, "8x8"),
        *((protocol.step, 1.5, 1.5), part.echo, part.b, part.time, one.refers),
        "derived map (ADC)" if protocol is ADC else "",
    )


def stacks(archive: Archive) -> list[Expected]:
    return [one for one in archive.volumes if one.series.protocol is not SCOUT]


def test_every_volume_of_every_patient_is_a_line(archive: Archive) -> None:
    found = inspected(archive.root)
    assert rows((view.patient, seen(view)) for view in found.volumes) == rows(
        (one.patient, meant(one)) for one in stacks(archive)
    )


def test_the_same_volumes_of_all_patients_are_one_line(archive: Archive) -> None:
    kinds: dict[Row, list[Expected]] = defaultdict(list)
    for one in stacks(archive):
        part = one.part
        if not one.is_left_out:
            key = (one.series.protocol.description, part.echo, part.b, part.time, part.component)
            kinds[key].append(one)
    expected = sorted(
        (
            *(key[:4], len({one.patient for one in some}), len(some)),
            (min(one.slices for one in some), max(one.slices for one in some)),
            dict(Counter(name for one in some for name in one.refers)),
        )
        for key, some in kinds.items()
    )
    found = inspected(archive.root).kinds
    assert len({kind.name for kind in found}) == len(found) == 10
    told = [
        (
            (kind.description, kind.echo_time, kind.b_value, kind.time),
            *(kind.patients, kind.volumes, kind.slices, kind.refers),
        )
        for kind in found
    ]
    assert sorted(told, key=repr) == sorted(expected, key=repr)


def test_copies_of_slices_are_not_counted(tmp_path: Path) -> None:
    for path in write_classic(tmp_path, stack("v", 5)):
        (tmp_path / f"copy-{path}").write_bytes((tmp_path / path).read_bytes())
    (view,) = inspected(tmp_path).volumes
    assert view.slices == 5


def test_what_is_no_volume_is_summed_by_what_it_is(archive: Archive) -> None:
    scouts = {one.series.uid for one in archive.volumes if one.series.protocol is SCOUT}
    maps = [one for one in archive.volumes if one.series.protocol is ADC]
    refers = Counter(name for one in archive.volumes for name in one.refers)
    found = {one.what: (one.count, one.pictures) for one in inspected(archive.root).others}
    assert found == {
        "localizer": (len(scouts), (3, 3)),
        "derived map (ADC)": (len(maps), (3, 3)),
        "report": (archive.dose_reports, (1, 1)),
        "SEG": (refers["SEG"], (1, 1)),
        "RTSTRUCT": (refers["RTSTRUCT"], (1, 1)),
    }


SERIES = """
[lava]
SeriesDescription = "LAVA"
time = 2
pick = "first"
[in-phase]
EchoTime = "4..5"
pick = "first"
"""


def test_inspect_says_what_is_taken_and_why_the_rest_is_not(few: Archive, tmp_path: Path) -> None:
    (tmp_path / "series.toml").write_text(SERIES)
    found = inspected(few.root, series=str(tmp_path / "series.toml"))
    said = Counter(
        (view.description, view.time, view.study, view.echo_time, view.case.partition("_")[2])
        for view in found.volumes
        if view.case
    )
    assert said == {("LAVA", 2, 1, 2.5, "lava"): 10, ("T1 DUAL", None, 1, 4.6, "in-phase"): 10}
    reasons = Counter(view.why for view in found.volumes)
    later = sum(one.study > 1 for one in few.volumes if one.part in (PHASES[1], DUAL.parts[1]))
    assert reasons["another is picked"] == later
    assert reasons["derived map (ADC)"] == 11
    assert reasons["no mask"] == 2  # of the patient without a SEG
    assert set(reasons) == {
        *("", "another is picked", "derived map (ADC)", "no mask", "not asked for")
    }


CHOICES: tuple[dict[str, Any], ...] = (
    {},
    {"select": ("plane=coronal",)},
    {"select": ("SeriesDescription=LAVA",), "pick": "most-slices"},
    {"select": ("SeriesDescription=*adc*",)},
    {"select": ("name=lava-t2|t2-*",), "pick": "every"},
    {"select": ("EchoTime=..3", "slices=4..", "SeriesDescription!=LAVA"), "pick": "last"},
    {"pick": "first"},
    {"pick": "last"},
)


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_what_inspect_says_is_taken_is_what_split_takes(
    few: Archive, choice: dict[str, Any]
) -> None:
    root = find(few.root, LayoutParams(**choice), sequences=())
    found = inspected(few.root, **choice)
    assert [case.id for case in found.cases] == [one.id for one in root.cases if not one.refused]
    assert found.problems == root.problems
    assert {view.case for view in found.volumes} - {""} == {case.id for case in found.cases}
    assert [(one.images, one.slices) for one in found.cases] == [
        (len(one.images), sum(len(one.frames.get(path, [0])) for path in one.images))
        for one in root.cases
        if not one.refused
    ]


def test_random_choices_take_the_same_in_inspect_and_in_split(few: Archive) -> None:
    rng = random.Random(16)
    volumes = inspected(few.root).volumes
    keys = {
        "name": "name",
        "SeriesDescription": "description",
        "slices": "slices",
        "plane": "plane",
    }
    for _ in range(4):
        asked = rng.sample(sorted(keys), rng.randint(1, 2))
        select = tuple(f"{key}={getattr(rng.choice(volumes), keys[key])}" for key in asked)
        pick: Any = rng.choice([None, "first", "last", "most-slices", "every"])
        try:
            root = find(few.root, LayoutParams(select=select, pick=pick), sequences=())
        except ChaosprepError as error:
            with pytest.raises(type(error)):
                inspected(few.root, select=select, pick=pick)
            continue
        found = inspected(few.root, select=select, pick=pick)
        assert [one.id for one in found.cases] == [one.id for one in root.cases]


def run(*arguments: str | Path) -> list[str]:
    result = CliRunner().invoke(main, ["inspect", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_the_folded_table_reads_well_in_80_columns(few: Archive) -> None:
    lines = run(few.root)
    assert max(map(len, lines[:11])) <= 80
    assert [line.split() for line in lines[:11]] == [
        ["Series", "Plane", "Patients", "Slices", "Matrix", "mm", "TE", "b", "t", "Masks", "Taken"],
        ["dwi-b0", "ax", "11", "of", "11", "3", "8x8", "6x1.5", "2.5", "b0", "no"],
        ["dwi-b400", "ax", "11", "of", "11", "3", "8x8", "6x1.5", "2.5", "b400", "no"],
        ["dwi-b800", "ax", "11", "of", "11", "3", "8x8", "6x1.5", "2.5", "b800", "no"],
        ["gre-b0", "ax", "11", "of", "11", "3", "8x8", "7x1.5", "2.5", "no"],
        ["gre-b0-phase", "ax", "11", "of", "11", "3", "8x8", "7x1.5", "2.5", "no"],
        ["lava-t1", "ax", "11", "of", "11", "4-6", "8x8", "3x1.5", "2.5", "t1", "no"],
        ["lava-t2", "ax", "11", "of", "11", "4-6", "8x8", "3x1.5", "2.5", "t2", "SEG", "10", "3"],
        ["t1-dual-te2.3", "ax", "11", "of", "11", "4", "8x8", "4x1.5", "2.3", "no"],
        ["t1-dual-te4.6", "ax", "11", "of", "11", "4", "8x8", "4x1.5", "4.6", "no"],
        ["t2-cor", "cor", "11", "of", "11", "5", "8x8", "5x1.5", "80", "RTSTRUCT", "2", "2"],
    ]
    assert lines[-4:-2] == [
        "Also there: RTSTRUCT: 2, SEG: 10, derived map (ADC): 11 (3 slices each),",
        "  localizer: 23 (3 slices each), report: 11",
    ]


def test_the_next_command_is_one_that_split_understands(few: Archive, tmp_path: Path) -> None:
    (line,) = [line for line in run(few.root) if line.startswith("Next: ")]
    assert line == f"Next: chaosprep split {few.root} -o split --select name=lava-t2 --pick first"
    made = chaosprep.split(
        few.root, tmp_path / "out", select=("name=lava-t2",), pick="first", val=0.2
    )
    assert [case.id.partition("_")[2] for case in made.cases] == ["lava-t2"] * 10


def test_a_patient_is_shown_volume_by_volume(few: Archive) -> None:
    first = inspected(few.root).volumes[0].patient
    lines = run(few.root, "--patient", first)
    own = [view for view in inspected(few.root).volumes if view.patient == first]
    assert lines[1] == first
    shown = [line.split() for line in lines[2 : 2 + len(own)]]
    assert [shortened(view.name, len(line[0])) for view, line in zip(own, shown, strict=True)] == [
        line[0] for line in shown
    ]
    assert [line[1] for line in shown] == [str(view.study) for view in own]
    assert lines[2 + len(own)].startswith("Next: ")


def test_a_patient_that_is_not_there_is_refused(few: Archive) -> None:
    with pytest.raises(ChaosprepError, match="no patient is called"):
        inspected(few.root, patient=("P0000000000",))


def test_nothing_that_identifies_is_shown(few: Archive) -> None:
    shown = "\n".join([*run(few.root, "-v"), *run(few.root, "--json"), *run(few.root)])
    for one in few.volumes:
        for text in who(one.patient, one.study).values():
            assert text not in shown
        assert one.series.uid not in shown
        assert one.series.study not in shown


def test_json_tells_all_of_a_volume(few: Archive) -> None:
    said = json.loads("\n".join(run(few.root, "--json")))
    assert said["volumes"][0].keys() == set(VolumeView.__struct_fields__)
    assert said["kinds"][0]["patients"] == 11
    assert said["others"][-1] == {"what": "report", "count": 11, "pictures": [1, 1]}


@pytest.mark.parametrize("choice", [{"select": ("slices=5",)}, {"pick": "last"}], ids=str)
def test_a_choice_where_folders_tell_the_series_is_refused(choice: dict[str, Any]) -> None:
    (option,) = choice
    with pytest.raises(UsageError, match=f"^{option}: .*chaos.* tells the series itself"):
        chaosprep.inspect(HOME / "sample_data", **choice)
