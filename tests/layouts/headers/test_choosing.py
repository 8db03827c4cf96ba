"""Choosing among volumes: what fits is taken, several and none are problems of their patient."""

import dataclasses
from pathlib import Path

import pytest
from msgspec.structs import replace

from chaosprep.causes import by_cause
from chaosprep.errors import NothingFoundError, UsageError
from chaosprep.layouts.headers.catalog import Volume
from chaosprep.layouts.headers.choosing import Chosen, choose
from chaosprep.layouts.headers.head import Head
from chaosprep.layouts.layout import Where
from chaosprep.privacy.pseudonyms import Key

KEY = Key(b"0123456789abcdef")


def volume(
    person: str,
    name: str,
    slices: int = 4,
    study: str = "1",
    series: str = "1",
    left_out: str = "",
    said: dict[str, str] | None = None,
    **facts: str,
) -> Volume:
    """A volume as the catalog has them; `said` is what the header says of when it was made."""
    heads = tuple(
        Head(f"{n}.dcm", None, 8, 8, None, None, None, f"{person}.{study}.{series}.{name}.{n}", n,
             {"SeriesNumber": series, **(said or {})})
        for n in range(slices)
    )  # fmt: skip
    told = {"slices": str(slices), **facts}
    return Volume(person, study, f"{study}.{series}", heads, name, told, left_out)


def taken(volumes: list[Volume], **where: object) -> list[tuple[str, str, str]]:
    """Person, name and sequence of what is taken without any problem."""
    chosen, problems = choose(volumes, Where(key=KEY, **where))  # type: ignore[arg-type]
    assert problems == []
    return [(one.volume.person, one.volume.name, one.sequence) for one in chosen]


def refused(volumes: list[Volume], **where: object) -> list[tuple[str, str, str]]:
    """Code, id and reason of each problem."""
    _, problems = choose(volumes, Where(key=KEY, **where))  # type: ignore[arg-type]
    return [(one.code, one.id, one.reason) for one in problems]


def test_without_a_choice_each_volume_is_a_sequence_of_its_name() -> None:
    found = [volume("a", "t1"), volume("a", "t2"), volume("a", "scout", left_out="localizer")]
    assert taken(found) == [("a", "t1", "t1"), ("a", "t2", "t2")]


@pytest.mark.parametrize(
    ("select", "names"),
    [
        ("SeriesDescription=*lava*", ["one"]),
        ("SeriesDescription=AX LAVA", ["one"]),
        ("SeriesDescription=ax [lava]|cor t2", ["two"]),
        ("SeriesDescription!=*LAVA*", ["two"]),
        ("ImageType=primary", ["one"]),
        ("EchoTime=4..5", ["one"]),
        ("EchoTime=4.6", ["one"]),
        ("EchoTime=..3|70..", ["two"]),
        ("EchoTime=80", ["two"]),
        ("EchoTime=*", ["one", "two"]),
        ("EchoTime!=4.6", ["two"]),
        ("slices=5..", ["two"]),
        ("slices=5", ["two"]),
        ("plane=axial", ["one"]),
        ("spacing=3", ["one"]),
        ("name=ONE", ["one"]),
        ("FlipAngle=0..20", ["one"]),
        ("FlipAngle!=0..20", ["two"]),
    ],
)
def test_a_criterion_takes_what_it_says(select: str, names: list[str]) -> None:
    found = [
        volume("a", "one", 4, SeriesDescription="Ax LAVA", EchoTime="4.6", plane="axial",
               ImageType="ORIGINAL\\PRIMARY\\M", spacing="3x1.5x1.5", FlipAngle="15"),
        volume("b", "two", 5, SeriesDescription="Cor T2", EchoTime="79.9999999", plane="coronal",
               ImageType="DERIVED\\SECONDARY", spacing="1.5x1.5"),
    ]  # fmt: skip
    chosen, _ = choose(found, Where(key=KEY, select=(select,)))
    assert [one.volume.name for one in chosen] == names


def test_all_criteria_must_hold() -> None:
    found = [volume("a", "one", EchoTime="4.6", plane="axial"), volume("a", "two", EchoTime="4.6")]
    assert taken(found, select=("EchoTime=4..5", "plane=axial")) == [("a", "one", "one")]


@pytest.mark.parametrize(
    ("select", "said"),
    [
        ("SeriesDescripton=*", "Did you mean SeriesDescription?"),
        ("EchoTime=5..4", "nothing is in the range 5..4"),
        ("EchoTime=..", "nothing is in the range .."),
        ("EchoTime=long", "long is not a number"),
        ("EchoTime=nan", "nan is not a number"),
        ("SeriesDescription=4..5", "SeriesDescription is text"),
        ("LAVA", "it is not KEY=PATTERN"),
        ("=LAVA", "it is not KEY=PATTERN"),
        ("plane=", "it is not KEY=PATTERN"),
    ],
)
def test_a_criterion_that_cannot_be_meant_is_refused(select: str, said: str) -> None:
    found = [volume("a", "one", SeriesDescription="LAVA", EchoTime="4", plane="axial")]
    with pytest.raises(UsageError) as caught:
        choose(found, Where(key=KEY, select=(select,)))
    assert said in caught.value.text
    assert caught.value.code == "select"


def test_nothing_that_fits_names_what_there_is() -> None:
    found = [volume("a", "one", SeriesDescription="LAVA"), volume("b", "one")]
    with pytest.raises(NothingFoundError) as caught:
        choose(found, Where(key=KEY, select=("SeriesDescription=LAVVA",)))
    assert caught.value.code == "series-none"
    assert caught.value.remedy == "There are: LAVA. Did you mean LAVA?"


def test_two_that_fit_are_one_problem_of_their_patient_that_tells_them_apart() -> None:
    found = [
        volume("a", "lava", 4, series="3", plane="axial", SeriesDescription="AX 'LAVA'"),
        volume("a", "vibe", 6, series="4", plane="axial"),
        volume("b", "lava", 4, plane="axial"),
    ]
    chosen, problems = choose(found, Where(key=KEY, select=("plane=axial",)))
    assert chosen == [Chosen(found[2], "lava")]
    (problem,) = problems
    assert (problem.code, problem.id) == ("series-several", KEY.patient("a"))
    assert problem.reason == (
        "several series fit what was chosen: 'lava, 4 slices, \"AX LAVA\"', 'vibe, 6 slices'"
    )


def test_the_same_problem_of_many_patients_is_one_cause() -> None:
    found = [
        volume(str(person), f"lava-{n}", 4 + n + person, series=str(n), plane="axial")
        for person in range(50)
        for n in range(2 + person % 9)
    ]
    _, problems = choose(found, Where(key=KEY, select=("plane=axial",)))
    (cause,) = by_cause(problems)
    assert (len(problems), len(cause.lines), cause.more) == (50, 3, 47)


def test_one_name_in_two_studies_is_several_too() -> None:
    found = [volume("a", "lava", study="1"), volume("a", "lava", study="2"), volume("a", "t2")]
    assert refused(found) == [
        (
            "series-several",
            f"{KEY.patient('a')}_lava",
            "several series have the same name: 'lava, 4 slices, study 1', 'lava, 4 slices, study "
            "2'",
        )
    ]


def test_a_patient_without_anything_that_fits_is_a_problem() -> None:
    found = [volume("a", "lava", plane="axial"), volume("b", "lava", plane="coronal")]
    assert refused(found, select=("plane=axial",)) == [
        ("series-none", KEY.patient("b"), "nothing of it fits what was chosen")
    ]


def test_a_patient_with_localizers_alone_is_a_problem() -> None:
    found = [volume("a", "lava"), volume("b", "scout", left_out="localizer")]
    assert refused(found) == [
        ("series-none", KEY.patient("b"), "nothing is taken from its 1 volume (localizer)")
    ]


def test_what_is_left_out_is_taken_where_it_is_asked_for_by_name_and_nothing_else_fits() -> None:
    adc = volume("a", "adc", left_out="ADC map", SeriesDescription="DWI_ADC", plane="axial")
    found = [adc, volume("a", "dwi", SeriesDescription="DWI", plane="coronal")]
    chosen, _ = choose(found, Where(key=KEY, select=("SeriesDescription=*adc*",)))
    assert chosen == [Chosen(adc, "adc", ("ADC map: taken because it was asked for",))]
    assert taken(found, select=("SeriesDescription=*DWI*",)) == [("a", "dwi", "dwi")]
    with pytest.raises(NothingFoundError):
        choose(found, Where(key=KEY, select=("plane=axial",)))


DATED = [
    volume("a", "x", 4, "1", "7", said={"StudyDate": "20200101", "StudyTime": "0930"}),
    volume("a", "x", 6, "2", "3", said={"StudyDate": "20210101", "StudyTime": "080000.5"}),
    volume("a", "x", 5, "2", "4", said={"StudyDate": "20210101", "StudyTime": "080000.5"}),
]


@pytest.mark.parametrize(("pick", "number"), [("most-slices", 1), ("first", 0), ("last", 2)])
def test_pick_decides_among_several(pick: str, number: int) -> None:
    for order in (DATED, DATED[::-1]):
        (chosen,), problems = choose(order, Where(key=KEY, pick=pick))  # type: ignore[arg-type]
        assert chosen.volume is DATED[number]
        assert problems == []


def test_most_slices_does_not_count_copies() -> None:
    few, many = volume("a", "x", 4, "1"), volume("a", "x", 5, "2")
    copies = tuple(replace(head, path=f"copy/{head.path}") for head in few.heads)
    doubled = dataclasses.replace(few, heads=few.heads + copies)
    (chosen,), problems = choose([doubled, many], Where(key=KEY, pick="most-slices"))
    assert chosen.volume is many
    assert problems == []


def test_first_of_two_phases_of_one_series_is_the_earlier() -> None:
    found = [volume("a", f"x-t{n}", plane="axial", time=str(n)) for n in (2, 1, 3)]
    assert taken(found, select=("plane=axial",), pick="first") == [("a", "x-t1", "x-t1")]


@pytest.mark.parametrize(
    ("pick", "second"),
    [
        ("most-slices", volume("a", "x", 4, "2", said={"StudyDate": "20210101"})),
        ("last", volume("a", "x", 4, "2")),
        ("last", volume("a", "x", 4, "2", "9", said={"StudyDate": "20200101"})),
        ("last", volume("a", "x", 4, "1", said={"StudyDate": "20200101"}, EchoTime="9", time="2")),
    ],
)
def test_a_draw_of_pick_stays_a_problem(pick: str, second: Volume) -> None:
    first = volume("a", "x", 4, "1", said={"StudyDate": "20200101"}, time="1")
    ((code, _, reason),) = refused([first, second], pick=pick)
    assert code == "series-several"
    assert f"and pick = {pick} leaves several" in reason


def test_every_takes_all_and_more_studies_rename_none() -> None:
    before = [one[2] for one in taken(DATED[1:], pick="every")]
    after = [one[2] for one in taken(DATED, pick="every")]
    assert after[1:] == before
    assert len(set(after)) == 3
    assert all(one.startswith("x-") and len(one) == 10 for one in after)


def asked(place: Path, text: str) -> str:
    """A file of --series."""
    (place / "series.toml").write_text(text)
    return str(place / "series.toml")


def test_a_file_names_sequences(tmp_path: Path) -> None:
    found = [volume(p, n, EchoTime=t) for p in "ab" for n, t in (("e1", "2.3"), ("e2", "4.6"))]
    file = asked(tmp_path, '[t1-in]\nEchoTime = "4..5"\n[t1-out]\nEchoTime = [2.3, "1..2"]\n')
    assert taken(found, series=file) == [
        *(("a", "e2", "t1-in"), ("a", "e1", "t1-out")),
        *(("b", "e2", "t1-in"), ("b", "e1", "t1-out")),
    ]


def test_a_sequence_of_a_file_picks_for_itself(tmp_path: Path) -> None:
    found = [volume("a", "x", 4), volume("a", "y", 6), volume("a", "z", 5, plane="axial")]
    file = asked(tmp_path, '[big]\npick = "most-slices"\n[flat]\nplane = "axial"\n')
    assert taken(found, series=file) == [("a", "y", "big"), ("a", "z", "flat")]


def test_a_channel_that_a_patient_lacks_is_a_problem_of_that_sequence(tmp_path: Path) -> None:
    found = [volume("a", "x", EchoTime="2"), volume("a", "y", EchoTime="4")]
    found += [volume("b", "x", EchoTime="2")]
    file = asked(tmp_path, "[out]\nEchoTime = 2\n[in]\nEchoTime = 4\n")
    assert refused(found, series=file) == [
        ("series-none", f"{KEY.patient('b')}_in", "nothing of it fits 'in', though it has 'out'")
    ]
    assert [one[2] for one in taken(found, series=file, sequences=("out",))] == ["out", "out"]


def test_select_and_a_file_must_both_hold(tmp_path: Path) -> None:
    found = [volume("a", "x", 4, EchoTime="2"), volume("a", "y", 6, EchoTime="2")]
    file = asked(tmp_path, "[out]\nEchoTime = 2\n")
    assert taken(found, series=file, select=("slices=5..",)) == [("a", "y", "out")]


def test_one_series_that_would_be_two_sequences_is_a_problem(tmp_path: Path) -> None:
    found = [volume("a", "x", EchoTime="2")]
    file = asked(tmp_path, "[one]\nEchoTime = 2\n[two]\nslices = 4\n")
    assert choose(found, Where(key=KEY, series=file))[0] == []
    ((code, id, reason),) = refused(found, series=file)
    assert (code, id) == ("series-twice", KEY.patient("a"))
    assert reason == "one series is taken as 'one' and 'two': 'x, 4 slices'"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("EchoTime = 4", "EchoTime is in no table"),
        ("", "it names no sequence"),
        ("['t1 in']\n", "[t1 in] cannot be the name of a sequence"),
        ("[t1_in]\n", "[t1_in] cannot be the name of a sequence"),
        ("[T1]\n[t1]\n", "[T1] cannot be the name of a sequence"),
        ("[a]\nEchoTime = true", "it is neither a text nor a number"),
        ("[a.b]\nEchoTime = 4", "it is neither a text nor a number"),
        ('[a]\npick = "lst"', "Did you mean last?"),
        ("[a]\nEchoTim = 4", "no series here has EchoTim"),
        ("[a", "--series"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose([volume("a", "x", EchoTime="2")], Where(series=asked(tmp_path, text)))
    assert said in caught.value.text


def test_sequence_chooses_among_the_names_that_fit() -> None:
    found = [volume("a", "x", plane="axial"), volume("a", "y", plane="axial")]
    where = Where(key=KEY, select=("plane=axial",), sequences=("y",))
    assert choose(found, where) == ([Chosen(found[1], "y")], [])


def test_a_sequence_that_nothing_is_called_names_those_that_there_are(tmp_path: Path) -> None:
    found = [volume("a", "lava", plane="axial")]
    for choice in (
        {"select": ("plane=axial",)},
        {"series": asked(tmp_path, '[lava]\nplane = "axial"\n')},
    ):
        with pytest.raises(NothingFoundError) as caught:
            choose(found, Where(key=KEY, sequences=("laav",), **choice))
        assert caught.value.remedy == "There are: lava. Did you mean lava?"
