"""Any mix of volumes, in any order of files, with slices missing, is divided as it was made."""

from collections import defaultdict
from random import Random
from time import perf_counter

import pytest
from msgspec.structs import replace

from chaosprep.imaging.header import Header, Orientation
from chaosprep.imaging.space.geometry import order_series
from chaosprep.layouts.headers.dividing import divide, is_scout
from chaosprep.layouts.headers.head import Head
from chaosprep.layouts.headers.naming import tell_apart
from chaosprep.series.acquisitions import find_striped
from chaosprep.series.gathering import Shot
from chaosprep.series.groups import STRICT
from chaosprep.series.mixing import find_contrasts, find_mixed, find_volumes
from chaosprep.series.uniform import find_spacings
from tests.attacks.grammars import count

Volume = tuple[int, ...]
AXIAL: Orientation = (1, 0, 0, 0, 1, 0)
CORONAL: Orientation = (1, 0, 0, 0, 0, -1)
TELLERS: dict[str, list[str]] = {
    "EchoTime": ["1.2", "2.4", "3.6"],
    "DiffusionBValue": ["0", "50", "400", "800"],
    "ImageType": ["ORIGINAL\\PRIMARY\\M", "ORIGINAL\\PRIMARY\\P"],
    "ComplexImageComponent": ["REAL", "IMAGINARY"],
    "ConvolutionKernel": ["B30f", "B70f"],
    "TemporalPositionIdentifier": ["1", "2", "3", "4"],
    "InversionTime": ["100", "400", "900"],
    "FlipAngle": ["5", "15"],
    "StackID": ["1", "2"],
    "AcquisitionNumber": ["1", "2", "3"],
    "AcquisitionTime": ["101500", "101530", "101600"],
    "TriggerTime": ["0", "45", "90", "135"],
    "ways": ["axial", "coronal"],
    "matrix": ["4", "6"],
}
LATE = ("AcquisitionNumber", "AcquisitionTime", "TriggerTime")
"""What tells volumes apart only where places repeat."""


def head(number: int, place: int, said: dict[str, str]) -> Head:
    coronal = said.get("ways") == "coronal"
    side = int(said.get("matrix", 4))
    evidence = {key: text for key, text in said.items() if key not in ("ways", "matrix")}
    evidence |= {"Modality": "MR", "SeriesInstanceUID": "1.2"}
    evidence |= {"RepetitionTime": f"{500 + 0.1 * place:.1f}"}
    position = (0.0, 3.0 * place, 0.0) if coronal else (0.0, 0.0, 3.0 * place)
    way = CORONAL if coronal else AXIAL
    return Head(
        f"{number:05}", None, side, side, position, way, (1, 1), f"1.3.{number}", 1, evidence
    )


def mix(seed: int) -> tuple[list[Head], dict[str, Volume]]:
    """The pictures of up to three things that differ, in any order, and the volume of each."""
    random = Random(seed)
    keywords = random.sample(list(TELLERS), random.randint(1, 3))
    if sum(keyword in LATE for keyword in keywords) > 1:
        keywords = [one for one in keywords if one not in LATE] + ["AcquisitionTime"]
    volumes: list[Volume] = [()]
    for keyword in keywords:
        count = random.randint(2, len(TELLERS[keyword]))
        volumes = [(*one, n) for one in volumes for n in range(count)]
    places = random.randint(5, 9)
    kept = [
        (volume, place)
        for volume in volumes
        for missing in [random.sample(range(1, places), random.randint(0, 1))]
        for place in range(places)
        if place not in missing
    ]
    random.shuffle(kept)
    heads, made = [], {}
    for number, (volume, place) in enumerate(kept):
        said = {key: TELLERS[key][n] for key, n in zip(keywords, volume, strict=True)}
        heads.append(head(number, place, said))
        made[heads[-1].path] = volume
    return heads, made


@pytest.mark.parametrize("start", range(0, 600, 100))
def test_a_mix_is_divided_as_it_was_made_in_any_order(start: int) -> None:
    for seed in range(start, start + 100):
        heads, made = mix(seed)
        expected: dict[Volume, set[str]] = defaultdict(set)
        for path, volume in made.items():
            expected[volume].add(path)
        found = divide(heads)
        assert {frozenset(one.path for one in part) for part in found} == {
            frozenset(paths) for paths in expected.values()
        }, seed
        names = dict(zip(map(frozenset, _paths(found)), tell_apart(found), strict=True))
        Random(seed + 1).shuffle(heads)
        again = divide(heads)
        assert again == found
        assert names == dict(zip(map(frozenset, _paths(again)), tell_apart(again), strict=True))
        assert len(set(names.values())) == len(found)


def _paths(volumes: list[tuple[Head, ...]]) -> list[list[str]]:
    return [[head.path for head in part] for part in volumes]


NOISE: dict[str, list[str]] = {
    **{keyword: texts for keyword, texts in TELLERS.items() if keyword not in ("ways", "matrix")},
    "SOPClassUID": ["1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.2"],
    "Modality": ["MR", "CT"],
    "FrameOfReferenceUID": ["1.9.1", "1.9.2"],
    "SeriesNumber": ["1", "2"],
    "EchoNumbers": ["1", "2"],
    "ContrastBolusAgent": ["some"],
    "KVP": ["80", "140"],
    "RepetitionTime": ["500", "2000", "2001.5"],
}
FLAT: Orientation = (1, 0, 0, 0, 0.9995, 0.0316)


def noise(seed: int) -> list[Head]:
    """Pictures that say anything: few keywords, and each of them at random, or not at all."""
    random = Random(seed)
    keywords = random.sample(list(NOISE), random.randint(0, 4))
    ways = random.choice([(AXIAL,), (AXIAL, CORONAL), (AXIAL, FLAT), (AXIAL, None)])
    spacings = random.choice([((1.0, 1.0),), ((1.0, 1.0), (2.0, 2.0)), ((1.0, 1.0), None)])
    found = []
    for number in range(random.randint(1, 40)):
        said = {key: random.choice(NOISE[key]) for key in keywords if random.random() < 0.8}
        way = random.choice(ways)
        place = (0.0, random.choice([0.0, 90.0]), 3.0 * random.randint(0, 12))
        found.append(
            Head(
                f"{number:03}",
                random.choice([None, None, 3]),
                random.choice([4, 4, 4, 6]),
                4,
                place if random.random() < 0.95 else None,
                way,
                random.choice(spacings),
                random.choice(["", f"1.3.{number}"]),
                random.choice([None, number, 1]),
                said,
            )
        )
    return found


def shot(head: Head) -> Shot:
    return Shot(
        head.path,
        head.frame,
        Header(
            head.rows,
            head.cols,
            "uint16",
            16,
            pixel_spacing=head.pixel_spacing,
            image_position_patient=head.position,
            image_orientation_patient=head.orientation,
            instance_number=head.instance_number,
            modality=head.evidence.get("Modality", ""),
            evidence=head.evidence,
        ),
    )


@pytest.mark.parametrize("start", range(0, count(600), 200))
def test_no_volume_is_refused_for_anything_but_places_that_repeat(start: int) -> None:
    for seed in range(start, start + 200):
        heads = noise(seed)
        found = divide(heads)
        assert sorted(head.path for part in found for head in part) == [one.path for one in heads]
        for part in found:
            shots = [shot(head) for head in part]
            if is_scout(part) or len({head.rows for head in part}) > 1:
                continue
            assert find_mixed(shots, {}) is None, seed
            assert find_spacings(shots) is None, seed
            order = order_series([one.header for one in shots])
            if find_volumes(shots, order) is None and len(part) > 2:
                assert find_striped(shots, order) is None or order.duplicates, seed
            measured = any(
                len({head.evidence.get(keyword) for head in part}) == len(part)
                for keyword in STRICT
            )
            assert find_contrasts(shots) is None or measured, seed


TIMES: dict[str, list[dict[str, str]]] = {
    "ContentTime": [{"ContentTime": f"10{phase:02}"} for phase in range(4)],
    "ContentTime after midnight": [{"ContentTime": t} for t in ("2358", "2359", "0000", "0001")],
    "SeriesTime": [{"SeriesTime": f"10{phase:02}"} for phase in range(4)],
    "SeriesNumber": [{"SeriesNumber": text} for text in ("5", "501", "502", "1003")],
}


@pytest.mark.parametrize("numbered", [True, False], ids=["numbers begin anew", "no numbers"])
@pytest.mark.parametrize("said", TIMES.values(), ids=TIMES.keys())
def test_phases_are_in_the_order_of_what_alone_tells_them(
    said: list[dict[str, str]], numbered: bool
) -> None:
    for seed in range(20):
        order = Random(seed).sample(range(28), 28)
        heads = [
            replace(
                head(order[7 * phase + place], place, said[phase]),
                instance_number=place + 1 if numbered else None,
            )
            for phase in range(4)
            for place in range(7)
        ]
        found = [{key: part[0].evidence[key] for key in said[0]} for part in divide(heads)]
        assert found == said


def test_a_hundred_thousand_pictures_are_divided_in_seconds() -> None:
    heads = [
        head(n, n % 100, {"TemporalPositionIdentifier": str(n // 100), "EchoTime": "1.2"})
        for n in range(100_000)
    ]
    start = perf_counter()
    assert len(divide(heads)) == 1000
    assert perf_counter() - start < 20


def test_pictures_that_all_differ_take_no_time_either() -> None:
    random = Random(0)
    heads = [
        head(n, n % 50, {key: f"{random.random():.9f}" for key in LATE}) for n in range(20_000)
    ]
    start = perf_counter()
    divide(heads)
    assert perf_counter() - start < 20
