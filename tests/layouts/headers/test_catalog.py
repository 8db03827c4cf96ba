"""What volumes are called, what is known of them, and which are not taken."""

from pathlib import Path
from typing import Any

import pytest

from tests.layouts.headers.scanned import (
    Picture,
    catalog,
    numbered,
    stack,
    write_classic,
)

ORIGINAL = ["ORIGINAL", "PRIMARY"]
DERIVED = ["DERIVED", "PRIMARY"]
ECHOES = {"out": 2.3, "in": 4.6}


def left_out(tmp_path: Path, *series: list[Picture]) -> dict[str, str]:
    """Name -> why it is not taken, of series of one study."""
    pictures = [
        Picture(
            one.volume,
            one.place,
            one.plane,
            {"SeriesInstanceUID": f"1.2.3.{n}", "SeriesNumber": n, **one.values},
        )
        for n, every in enumerate(series, start=1)
        for one in every
    ]
    write_classic(tmp_path / "in", numbered(pictures))
    return {volume.name: volume.left_out for volume in catalog(tmp_path / "in").volumes}


T1 = stack("t1", SeriesDescription="T1 VIBE ax")


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"ImageType": [*DERIVED, "DIFFUSION", "ADC", "ND"]}, "derived map (ADC)"),
        ({"ImageType": [*DERIVED, "DIFFUSION", "FA"]}, "derived map (FA)"),
        ({"ImageType": [*DERIVED, "DIFFUSION", "TRACEW", "ND"]}, "derived map (TRACEW)"),
        ({"ImageType": [*ORIGINAL, "T2 MAP", "T2"]}, "derived map (T2 MAP)"),
        ({"ImageType": [*DERIVED, "M", "MIP"]}, "projection"),
        ({"ImageType": ["DERIVED", "SECONDARY", "PROJECTION IMAGE"]}, "projection"),
        ({"ImageType": ["DERIVED", "SECONDARY", "MPR"]}, "projection"),
        ({"ImageType": [*DERIVED, "OTHER", "SUBTRACTION"]}, "subtraction"),
        ({"ImageType": [*DERIVED, "OTHER"], "SeriesDescription": "ADC (mm2/s)"}, "derived map"),
        ({"SeriesDescription": "3-plane localizer"}, "localizer"),
        ({"SeriesDescription": "3 PL LOC"}, "localizer"),
    ],
)
def test_what_nobody_trains_on_is_listed_and_not_taken(
    tmp_path: Path, values: dict[str, Any], why: str
) -> None:
    found = left_out(tmp_path, T1, stack("other", **values))
    assert found.pop("t1-vibe-ax") == ""
    assert list(found.values()) == [why]


@pytest.mark.parametrize(
    "values",
    [
        {"ImageType": [*DERIVED, "OTHER"]},
        {"ImageType": ["DERIVED", "SECONDARY", "AXIAL", "RESAMPLED"]},
        {"ImageType": [*DERIVED, "DIXON", "WATER"]},
        {"ImageType": [*DERIVED, "M", "NORM", "DIS3D", "FM"]},
        {"ImageType": [*ORIGINAL, "M", "SE"], "SeriesDescription": "T2 block allocated"},
        {"ImageType": [*DERIVED, "OTHER"], "SeriesDescription": "Mipsicle fatfrac"},
        {"ImageType": [*ORIGINAL, "OTHER"], "SeriesDescription": "TOF for MIP"},
    ],
)
def test_derived_alone_is_no_reason(tmp_path: Path, values: dict[str, Any]) -> None:
    assert set(left_out(tmp_path, T1, stack("other", **values)).values()) == {""}


def test_a_few_slices_in_several_orientations_are_one_localizer(tmp_path: Path) -> None:
    planes = ("axial", "coronal", "sagittal")
    scout = [one for plane in planes for one in stack("s", 2, plane)]
    assert left_out(tmp_path, T1, scout) == {"t1-vibe-ax": "", "mr-obl": "localizer"}


def test_one_slice_among_stacks_is_not_taken(tmp_path: Path) -> None:
    found = left_out(tmp_path, T1, stack("one", 1, SeriesDescription="One"))
    assert found == {"t1-vibe-ax": "", "one": "single slice"}


def test_single_slices_are_taken_where_there_are_no_stacks(tmp_path: Path) -> None:
    found = left_out(tmp_path, stack("a", 1, "axial"), stack("b", 1, "coronal"))
    assert found == {"mr-ax": "", "mr-cor": ""}


def test_one_place_at_many_times_is_no_stack(tmp_path: Path) -> None:
    cine = [one for n in range(20) for one in stack("c", 1, TriggerTime=30.0 * n)]
    assert left_out(tmp_path, T1, cine)["mr-ax"] == "single place at several times"


def test_colour_pictures_are_no_slices(tmp_path: Path) -> None:
    write_classic(tmp_path / "in", stack("v", PhotometricInterpretation="RGB", SamplesPerPixel=3))
    found = catalog(tmp_path / "in")
    assert {(entry.kind, entry.what) for entry in found.others} == {("beside", "colour image")}


@pytest.mark.parametrize(
    ("description", "name"),
    [
        ("T1 VIBE ax", "t1-vibe-ax"),
        ("t2_spir_tra  (BH) 4.5mm", "t2-spir-tra-bh-4.5mm"),
        ("Müller's T2", "muller-s-t2"),
        ("3D VIBE", "series-3d-vibe"),
        ("_-..-", "mr-ax"),
        ("", "mr-ax"),
        ("x" * 60, "x" * 32),
    ],
)
def test_a_volume_is_called_by_its_description(tmp_path: Path, description: str, name: str) -> None:
    charset: dict[str, Any] = {"SpecificCharacterSet": "ISO_IR 100"}
    write_classic(tmp_path / "in", stack("v", SeriesDescription=description, **charset))
    (volume,) = catalog(tmp_path / "in").volumes
    assert volume.name == name


def test_without_a_description_the_protocol_names_it(tmp_path: Path) -> None:
    write_classic(tmp_path / "in", stack("v", ProtocolName="Liver dyn"))
    (volume,) = catalog(tmp_path / "in").volumes
    assert volume.name == "liver-dyn"


def test_a_description_is_read_in_its_character_set(tmp_path: Path) -> None:
    values: dict[str, Any] = {
        "SpecificCharacterSet": "ISO_IR 144",
        "SeriesDescription": "Печень T2",
    }
    write_classic(tmp_path / "in", stack("v", **values))
    (volume,) = catalog(tmp_path / "in").volumes
    assert volume.facts["SeriesDescription"] == "Печень T2"


@pytest.mark.parametrize(
    "values",
    [
        {"PatientName": "Lindqvist^Anna", "SeriesDescription": "Lindqvist T1"},
        {"PatientID": "4711-0815", "SeriesDescription": "pat 47110815"},
        {"PatientBirthDate": "19500217", "SeriesDescription": "born 17.02.1950"},
        {"PatientBirthDate": "19500217", "SeriesDescription": "T1 17.02.50"},
        {"OtherPatientIDs": "HOSP-9918", "SeriesDescription": "T1 hosp 9918"},
        {"OtherPatientNames": "Lindqvist^Anna", "SeriesDescription": "Lindqvist T1"},
        {"PatientBirthName": "Sandström", "SeriesDescription": "T1 sandstrom"},
        {"AccessionNumber": "ACC556677", "SeriesDescription": "acc556677 T1"},
        {"StudyID": "S-20771", "SeriesDescription": "T1 S20771"},
    ],
)
def test_a_description_that_identifies_is_neither_said_nor_used(
    tmp_path: Path, values: dict[str, Any]
) -> None:
    write_classic(tmp_path / "in", stack("v", ProtocolName="T1 dyn", **values))
    (volume,) = catalog(tmp_path / "in").volumes
    assert volume.name == "t1-dyn"
    assert "SeriesDescription" not in volume.facts


def test_a_sequence_has_one_name_in_every_patient(tmp_path: Path) -> None:
    for patient, echo in (("A", 4.6), ("B", 4.602), ("C", 4.598)):
        pictures = [
            Picture(one.volume, one.place, one.plane, {**one.values, "PatientID": patient})
            for one in (
                *stack("in", EchoTime=echo, SeriesDescription="Dual"),
                *stack("out", EchoTime=echo / 2, SeriesDescription="DUAL "),
            )
        ]
        write_classic(tmp_path / "in" / patient, numbered(pictures))
    names = [volume.name for volume in catalog(tmp_path / "in").volumes]
    assert sorted(names) == ["dual-te2.3"] * 3 + ["dual-te4.6"] * 3


def test_two_equal_series_of_a_study_have_two_names(tmp_path: Path) -> None:
    found = left_out(tmp_path, T1, T1, T1)
    assert list(found) == ["t1-vibe-ax", "t1-vibe-ax-2", "t1-vibe-ax-3"]


def test_contrasts_have_the_same_names_with_one_uid_or_two(tmp_path: Path) -> None:
    dual = [stack(name, SeriesDescription="Dual", EchoTime=te) for name, te in ECHOES.items()]
    assert list(left_out(tmp_path, *dual)) == ["dual-te2.3", "dual-te4.6"]


def test_two_series_that_differ_in_their_rounding_only_are_numbered(tmp_path: Path) -> None:
    found = left_out(
        tmp_path,
        stack("a", SeriesDescription="T1", EchoTime=4.6, RepetitionTime=110),
        stack("b", SeriesDescription="T1", EchoTime=4.65, RepetitionTime=120),
    )
    assert list(found) == ["t1", "t1-2"]


def test_a_map_does_not_change_the_name_of_what_it_was_made_of(tmp_path: Path) -> None:
    dwi = stack("dwi", SeriesDescription="DWI", DiffusionBValue=800.0)
    adc = stack("adc", SeriesDescription="DWI", ImageType=[*DERIVED, "DIFFUSION", "ADC"])
    assert list(left_out(tmp_path, dwi, adc)) == ["dwi", "dwi-2"]


def test_a_phase_of_one_slice_is_counted_as_a_phase(tmp_path: Path) -> None:
    phases = [
        one
        for n, count in ((1, 5), (2, 1), (3, 5))
        for one in stack(f"p{n}", count, TemporalPositionIdentifier=n, SeriesDescription="LAVA")
    ]
    found = left_out(tmp_path, phases)
    assert found == {"lava-t1": "", "lava-t2": "single slice", "lava-t3": ""}


def test_what_is_not_taken_gives_way_to_what_is(tmp_path: Path) -> None:
    adc = stack("adc", SeriesDescription="DWI", ImageType=[*DERIVED, "DIFFUSION", "ADC"])
    found = left_out(tmp_path, adc, stack("dwi", SeriesDescription="DWI"))
    assert found == {"dwi": "", "dwi-2": "derived map (ADC)"}


def test_the_facts_are_those_of_the_headers(tmp_path: Path) -> None:
    values: dict[str, Any] = {
        "SeriesDescription": "LAVA",
        "FlipAngle": 12,
        "RepetitionTime": 3.5,
        "MagneticFieldStrength": 1.5,
        "Manufacturer": "A maker",
        "StudyDescription": "Liver",
    }
    first = stack("p1", 5, "coronal", TemporalPositionIdentifier=1, **values)
    second = stack("p2", 4, "coronal", TemporalPositionIdentifier=2, **values)
    write_classic(tmp_path / "in", first + second)
    late = catalog(tmp_path / "in").volumes[1].facts
    assert late == {
        "SeriesDescription": "LAVA",
        "FlipAngle": "12",
        "RepetitionTime": "3.5",
        "MagneticFieldStrength": "1.5",
        "Manufacturer": "A maker",
        "StudyDescription": "Liver",
        "Modality": "MR",
        "EchoTime": "4.6",
        "SeriesNumber": "5",
        "TemporalPositionIdentifier": "2",
        "slices": "4",
        "plane": "coronal",
        "rows": "4",
        "cols": "5",
        "spacing": "4x1.25x1.5",
        "time": "2",
        "volumes": "2",
    }


def test_volumes_come_in_the_order_of_their_studies(tmp_path: Path) -> None:
    dates = {"1.2.3.8": "20200301", "1.2.3.7": "20190301"}
    for uid, date in dates.items():
        pictures = stack(uid, StudyInstanceUID=uid, StudyDate=date, SeriesInstanceUID=f"{uid}.1")
        write_classic(tmp_path / "in" / uid, numbered(pictures))
    found = sorted(catalog(tmp_path / "in").volumes, key=lambda volume: volume.when)
    assert [volume.study for volume in found] == ["1.2.3.7", "1.2.3.8"]


def test_two_series_of_single_slices_stay_two(tmp_path: Path) -> None:
    found = left_out(
        tmp_path,
        stack("a", 1, SeriesDescription="a"),
        stack("b", 1, SeriesDescription="b"),
        stack("c", 1, SeriesDescription="c"),
    )
    assert list(found) == ["a", "b", "c"]


def test_views_with_a_series_each_stay_apart(tmp_path: Path) -> None:
    views = stack(
        "v",
        4,
        Modality="CR",
        SeriesInstanceUID=lambda n: f"1.2.9.{n}",
        ImagePositionPatient=None,
        ImageOrientationPatient=None,
    )
    write_classic(tmp_path / "in", views)
    assert [len(volume.heads) for volume in catalog(tmp_path / "in").volumes] == [1, 1, 1, 1]


def test_a_single_slice_that_is_there_twice_is_one(tmp_path: Path) -> None:
    (path,) = write_classic(tmp_path / "in", stack("v", 1))
    (tmp_path / "in" / "copy").write_bytes((tmp_path / "in" / path).read_bytes())
    (volume,) = catalog(tmp_path / "in").volumes
    assert (volume.left_out, volume.facts["slices"]) == ("", "1")


def test_slices_that_all_have_one_sop_instance_uid_are_a_stack(tmp_path: Path) -> None:
    """Some anonymisers write a constant."""
    stacks = [
        stack(name, 5, SOPInstanceUID="1.2.3.4", SeriesInstanceUID=f"1.2.3.{n}")
        for n, name in enumerate("abc", start=1)
    ]
    write_classic(tmp_path / "in", numbered([*stacks[0], *stacks[1], *stacks[2]]))
    found = catalog(tmp_path / "in").volumes
    assert [(one.left_out, one.facts["slices"]) for one in found] == [("", "5")] * 3


def test_series_of_one_number_are_numbered_by_the_time_of_their_pictures(tmp_path: Path) -> None:
    phases = [
        one
        for n, uid in enumerate((9, 3, 7, 1))
        for one in stack(
            f"p{n}",
            SeriesInstanceUID=f"1.2.3.{uid}",
            SeriesDescription="x",
            ContentTime=f"10{n:02}",
        )
    ]
    made = write_classic(tmp_path / "in", numbered(phases))
    found = {one.name: made[one.paths[0]] for one in catalog(tmp_path / "in").volumes}
    assert found == {"x": "p0", "x-2": "p1", "x-3": "p2", "x-4": "p3"}
