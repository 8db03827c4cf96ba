"""RTSTRUCT: contours become labels of the images in whose planes they lie."""

import time
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from chaosprep.facts import Code, Label
from chaosprep.formats.masks import mask_format
from chaosprep.formats.rtstruct import RTSTRUCT
from tests.formats.structure_sets import (
    FRAME,
    ORIENTATIONS,
    OTHER,
    SCAN,
    Drawn,
    Points,
    Scan,
    Structure,
    cut,
    dataset_of,
    disk,
    drawn,
    even_odd,
    keyhole,
    one_error,
    planes,
    rtstruct,
    square,
    star,
    written,
)

RING = [disk(11.3, 15.2, 9.1), disk(11.6, 15.9, 4.2)]
SHAPES: dict[str, dict[int, list[Points]]] = {
    "disks": {place: [disk(11.3, 15.2, 4.1 + place)] for place in range(5)},
    "squares": {place: [square(3.2, 5.7 + place, 17.9, 20.1)] for place in (1, 2, 3)},
    "rings": dict.fromkeys((1, 2), RING),
    "keyholes": {2: [keyhole(RING[0], RING[1][::-1])], 3: [keyhole(*RING)]},
    "stars": {0: [star(11.3, 15.2, 10.4)], 1: [star(8.3, 9.2, 7.4, points=7)]},
    "several": {place: [disk(5.1, 6.2, 3.3), square(12.1, 18.3, 20.2, 28.9)] for place in (3, 4)},
}


def expected(shapes: dict[int, list[Points]], scan: Scan = SCAN) -> NDArray[np.bool_]:
    """(slices, rows, cols) by another ray than the toolkit's."""
    size = (scan.rows, scan.cols)
    return np.stack([even_odd(shapes.get(place, []), *size) for place in range(scan.count)])


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("name", SHAPES)
def test_a_mask_is_what_the_contours_say_at_every_pixel(name: str, orientation: str) -> None:
    scan = Scan(ORIENTATIONS[orientation])
    stack = cut(rtstruct(Structure("liver", drawn(scan, SHAPES[name]))), scan)
    found = planes(stack)
    assert found.any()
    assert np.array_equal(found, expected(SHAPES[name], scan))
    assert stack.names == {1: "liver"}
    assert stack.note is None


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_vertices_on_pixel_centres_are_in_above_and_left_in_any_orientation(
    orientation: str,
) -> None:
    scan = Scan(ORIENTATIONS[orientation], spacing=(0.683594, 0.683594), origin=(1 / 3, 0.1, 7e2))
    found = planes(cut(rtstruct(Structure("a", drawn(scan, {2: [square(2, 3, 5, 7)]}))), scan))
    assert np.argwhere(found).tolist() == [
        [2, row, col] for row in (2, 3, 4) for col in range(3, 7)
    ]


@pytest.mark.parametrize("kind", ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR"])
def test_both_kinds_of_closed_contours_leave_holes(kind: str) -> None:
    found = planes(cut(rtstruct(Structure("ring", drawn(SCAN, {1: RING}, kind)))))
    assert np.array_equal(found, expected({1: RING}))


@pytest.mark.parametrize(
    "syntax",
    [
        *(ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian),
        DeflatedExplicitVRLittleEndian,
    ],
)
@pytest.mark.parametrize("undefined_lengths", [False, True])
def test_any_way_of_writing_it_gives_the_same_mask(syntax: UID, undefined_lengths: bool) -> None:
    structure = Structure("ring", drawn(SCAN, {1: RING}), number=7)
    stack = cut(rtstruct(structure, syntax=syntax, undefined_lengths=undefined_lengths))
    assert np.array_equal(planes(stack), 7 * expected({1: RING}))
    assert stack.names == {7: "ring"}


def test_a_contour_of_more_than_64_kib_is_read() -> None:
    polygon = disk(11.3, 15.2, 9.1, points=4000)
    data = rtstruct(Structure("a", drawn(SCAN, {1: [polygon]})))
    assert np.array_equal(planes(cut(data))[1], even_odd([polygon], SCAN.rows, SCAN.cols))


def test_volumes_are_within_a_percent_of_the_analytic_ones() -> None:
    scan = Scan(ORIENTATIONS["oblique"], 128, 128, (0.8, 0.8), 1.0, 81)
    radius, spacing = 38.0, 0.8
    ball = {
        place: [disk(63.3, 64.2, (radius**2 - (place - 40) ** 2) ** 0.5 / spacing, points=360)]
        for place in range(3, 78)
    }
    rod = {place: [disk(63.3, 64.2, 10 / spacing, points=360)] for place in range(10, 60)}
    data = rtstruct(Structure("ball", drawn(scan, ball)), Structure("rod", drawn(scan, rod)))
    for name, volume in (("ball", 4 / 3 * np.pi * radius**3), ("rod", np.pi * 10**2 * 50)):
        found = planes(cut(data, scan, takes=name.__eq__))
        assert (found > 0).sum() * spacing**2 == pytest.approx(volume, rel=0.01)


def test_structures_that_overlap_are_all_there() -> None:
    liver, tumour = disk(11.3, 15.2, 9.1), disk(9.6, 15.9, 3.2)
    data = rtstruct(
        Structure("liver", drawn(SCAN, {1: [liver]}), number=4),
        Structure("tumour", drawn(SCAN, {1: [tumour]}), number=9),
    )
    stack = cut(data)
    (value,) = stack.overlaps
    assert stack.overlaps == {value: (4, 9)}
    assert value not in (4, 9)
    found = planes(stack)
    assert np.array_equal(np.isin(found, (4, value)), expected({1: [liver]}))
    assert np.array_equal(np.isin(found, (9, value)), expected({1: [tumour]}))


def test_structures_may_overlap_in_more_ways_than_a_label_map_has_values() -> None:
    scan, rng = Scan(rows=96, cols=96, count=1), np.random.default_rng(3)
    drawn_at = rng.uniform((20, 20, 9), (76, 76, 30), (40, 3)).tolist()
    shapes = [[disk(row, col, radius)] for row, col, radius in drawn_at]
    stack = cut(
        rtstruct(*(Structure(f"{n}", drawn(scan, {0: one})) for n, one in enumerate(shapes))), scan
    )
    (found,) = planes(stack)
    assert np.unique(found).size > 256
    for label, polygons in enumerate(shapes, 1):
        values = [label, *(value for value, there in stack.overlaps.items() if label in there)]
        assert np.array_equal(np.isin(found, values), even_odd(polygons, 96, 96))


@pytest.mark.parametrize("numbers", [(0, 5), (5, 70000), (5, 32768), (-1, 3)])
def test_numbers_that_no_label_can_be_give_way_to_places_in_the_list(
    numbers: tuple[int, int],
) -> None:
    contours = drawn(SCAN, {1: [square(3, 5, 8, 9)]}), drawn(SCAN, {2: [square(3, 5, 8, 9)]})
    both = [
        Structure(name, contour, number)
        for name, contour, number in zip("ab", contours, numbers, strict=True)
    ]
    stack = cut(rtstruct(*both))
    assert stack.names == {1: "a", 2: "b"}
    assert [plane.max() for plane in planes(stack)] == [0, 1, 2, 0, 0]


def test_a_structure_without_contours_keeps_its_name_and_number() -> None:
    stack = cut(rtstruct(Structure("spleen"), Structure("a", drawn(SCAN, {1: RING}))))
    assert stack.names == {1: "spleen", 2: "a"}
    assert np.array_equal(planes(stack), 2 * expected({1: RING}))
    assert stack.note is None


def test_a_legend_has_names_and_codes() -> None:
    data = rtstruct(
        Structure("Leber", number=12, code=("SCT", "10200004", "Liver")),
        Structure("", number=13),
        Structure("Milz", number=3),
    )
    legend = mask_format("m.dcm", data).legend
    assert legend is not None
    assert legend(data) == {12: Label("Leber", Code("SCT", "10200004", "Liver")), 3: Label("Milz")}


def test_names_are_read_in_their_character_set() -> None:
    def edit(made: Dataset) -> None:
        made.SpecificCharacterSet = "ISO_IR 192"

    stack = cut(rtstruct(Structure("Jejunum größer", drawn(SCAN, {1: RING})), edit=edit))
    assert stack.names == {1: "Jejunum größer"}


def test_an_unwanted_structure_costs_no_error() -> None:
    bad = Drawn(np.full((4, 3), np.inf), "CLOSED_PLANAR")
    wanted = Structure("liver", drawn(SCAN, {1: RING}))

    def edit(made: Dataset) -> None:
        for at, data in ((1, ["1", "2"]), (2, ["0"] * 12)):
            made.ROIContourSequence[at].ContourSequence[0].ContourData = data

    others = [
        Structure("no threes", [replace(bad, points=np.zeros((4, 3)))]),
        Structure("beyond", [replace(bad, points=np.zeros((4, 3)))]),
        Structure("frame", drawn(SCAN, {1: RING}), frame=OTHER),
        Structure("twin", drawn(SCAN, {1: RING})),
        Structure("twin", drawn(SCAN, {2: RING})),
    ]
    data = rtstruct(wanted, *others, edit=edit)
    stack = cut(data, takes=lambda name: name == "liver")
    assert np.array_equal(planes(stack), expected({1: RING}))
    assert stack.names == {1: "liver"}
    assert stack.note is None
    assert cut(data).errors


# What does not lie in the plane of an image


def test_heights_that_were_rounded_to_a_tenth_are_those_of_their_slices() -> None:
    scan = Scan(step=1.0, origin=(-20.0, 30.5, 20.25))
    contours = [one for place in range(5) for one in drawn(scan, {place: RING})]
    for one in contours:
        one.points[:, 2] += 0.05
    heights = {f"{one.points[0, 2]:.6g}" for one in contours}
    assert heights == {"20.3", "21.3", "22.3", "23.3", "24.3"}
    assert planes(cut(rtstruct(Structure("a", contours)), scan)).any(axis=(1, 2)).all()


@pytest.mark.parametrize(("off", "step"), [(0.04, 0.9), (0.19, 4.0)])
def test_a_contour_may_lie_a_little_off_its_plane(off: float, step: float) -> None:
    scan = Scan(step=step)
    contours = [Drawn(scan.points(1 + off / step, RING[0]))]
    assert planes(cut(rtstruct(Structure("a", contours)), scan))[1].any()


@pytest.mark.parametrize(("off", "step"), [(0.06, 0.9), (0.21, 4.0)])
def test_contours_between_slices_that_have_none_are_an_error(off: float, step: float) -> None:
    scan = Scan(step=step)
    contours = [
        *drawn(scan, {3: [RING[0]]}),
        Drawn(scan.points(0 + off / step, RING[0])),
        Drawn(scan.points(1.5, RING[0])),
    ]
    code, text = one_error(cut(rtstruct(Structure("liver", contours, 5)), scan))
    assert code == "mask-grid"
    assert f"up to {step / 2:g} mm off: 2 of 3 of structure 5 (liver). Give the series that" in text


def test_contours_between_slices_that_have_their_own_are_left_out_and_said() -> None:
    own = drawn(SCAN, {1: RING[:1], 2: RING[:1]})
    extra = [Drawn(SCAN.points(place, RING[0])) for place in (0.5, 1.5, 2.25)]
    stack = cut(rtstruct(Structure("a", own + extra)))
    assert np.array_equal(planes(stack), expected({1: RING[:1], 2: RING[:1]}))
    assert stack.note == (
        "contours lie between slices, up to 2 mm off, and are left out: 3 of 5 of structure 1 (a)"
    )


def test_contours_between_slices_are_no_error_where_an_image_cannot_be_read() -> None:
    data = rtstruct(Structure("a", drawn(SCAN, {2: RING})))
    assert cut(data, places=[0, 1, 3, 4], missing=1).errors == []
    between = rtstruct(Structure("a", [Drawn(SCAN.points(1.5, RING[0]))]))
    assert cut(between).errors
    assert cut(between, places=[0, 1, 2, 3], missing=1).errors == []


@pytest.mark.parametrize("places", [[0, 1, 3, 4], [0, 1]])
def test_contours_of_an_image_that_is_missing_are_surplus(places: list[int]) -> None:
    data = rtstruct(Structure("a", drawn(SCAN, {1: RING, 2: RING})))
    code, text = one_error(cut(data, places=places))
    assert code == "mask-surplus"
    assert "no image belongs to 2 of its contours" in text


def test_contours_that_are_tilted_against_the_images_are_an_error() -> None:
    scan = Scan(ORIENTATIONS["coronal"], origin=SCAN.origin)
    data = rtstruct(Structure("a", [Drawn(scan.points(1, RING[0]))]))
    code, text = one_error(cut(data))
    assert code == "mask-grid"
    assert "do not lie in the planes of the images" in text


def test_contours_of_another_frame_of_reference_are_an_error() -> None:
    others = [Structure(name, drawn(SCAN, {1: RING}), frame=OTHER) for name in "abcde"]
    code, text = one_error(cut(rtstruct(*others)))
    assert code == "mask-grid"
    assert "structure 1 (a), structure 2 (b), structure 3 (c) and 2 more structures" in text


def test_an_empty_structure_of_another_frame_is_no_error() -> None:
    both = Structure("a", drawn(SCAN, {1: RING})), Structure("b", frame=OTHER)
    assert cut(rtstruct(*both)).errors == []


def test_a_reference_that_contradicts_the_plane_is_an_error() -> None:
    contours = [replace(one, uid=SCAN.uid(2)) for one in drawn(SCAN, {1: RING})]
    code, text = one_error(cut(rtstruct(Structure("a", contours))))
    assert code == "mask-grid"
    assert "other images than those that they refer to: 2 of 2" in text


def test_references_to_another_series_of_the_same_frame_are_said() -> None:
    contours = [replace(one, uid="1.2.3") for one in drawn(SCAN, {1: RING})]
    stack = cut(rtstruct(Structure("a", contours)))
    assert planes(stack).any()
    assert stack.note is not None
    assert stack.note.startswith("contours refer to images of another series")


def test_references_to_other_images_without_a_frame_are_an_error() -> None:
    contours = [replace(one, uid="1.2.3") for one in drawn(SCAN, {1: RING})]
    code, text = one_error(cut(rtstruct(Structure("a", contours, frame=""))))
    assert code == "mask-grid"
    assert "refer to other images, in no known frame" in text


def test_that_nothing_ties_contours_to_the_images_is_said() -> None:
    contours = [replace(one, uid=None) for one in drawn(SCAN, {1: RING})]
    stack = cut(rtstruct(Structure("a", contours, frame="")))
    assert planes(stack).any()
    assert stack.note is not None
    assert stack.note.startswith("nothing says which images")


@pytest.mark.parametrize("space", [FRAME, OTHER])
def test_a_structure_that_names_no_frame_lies_in_the_only_one_of_its_set(space: str) -> None:
    def edit(made: Dataset) -> None:
        listed = Dataset()
        listed.FrameOfReferenceUID = space
        made.ReferencedFrameOfReferenceSequence = [listed]

    contours = [replace(one, uid=None) for one in drawn(SCAN, {1: RING})]
    stack = cut(rtstruct(Structure("a", contours, frame=""), edit=edit))
    if space == FRAME:
        assert np.array_equal(planes(stack), expected({1: RING}))
        assert stack.note is None
    else:
        assert "a different frame of reference" in one_error(stack)[1]


def test_contours_may_refer_to_several_frames_at_once() -> None:
    def edit(made: Dataset) -> None:
        for contour in made.ROIContourSequence[0].ContourSequence:
            contour.ContourImageSequence[0].ReferencedFrameNumber = [1, 2]

    stack = cut(rtstruct(Structure("a", drawn(SCAN, {1: RING})), edit=edit))
    assert np.array_equal(planes(stack), expected({1: RING}))


def test_a_mask_outside_all_pictures_is_an_error_and_some_of_it_a_note() -> None:
    aside = [disk(11.3, 95.2, 4.1)]
    code, text = one_error(cut(rtstruct(Structure("a", drawn(SCAN, {1: aside})))))
    assert code == "mask-grid"
    assert "all contours lie outside the pictures" in text
    stack = cut(rtstruct(Structure("a", drawn(SCAN, {1: [*aside, RING[0]]}))))
    assert np.array_equal(planes(stack), expected({1: RING[:1]}))
    assert stack.note == "contours lie outside the picture: 1 of 2 of structure 1 (a)"


# What is odd about the contours themselves


def test_points_and_open_contours_are_said_and_enclose_nothing() -> None:
    data = rtstruct(
        Structure("a", [*drawn(SCAN, {1: RING[:1]}), *drawn(SCAN, {2: RING}, "OPEN_PLANAR")]),
        Structure("isocentre", drawn(SCAN, {1: [np.array([(3.0, 4.0)])]}, "POINT")),
    )
    stack = cut(data)
    assert np.array_equal(planes(stack), expected({1: RING[:1]}))
    assert stack.note == (
        "points and open contours enclose nothing: 2 of 3 of structure 1 (a), "
        "1 of 1 of structure 2 (isocentre)"
    )


def test_closed_contours_of_one_or_two_points_are_said() -> None:
    contours = drawn(SCAN, {1: [RING[0], RING[0][:1], RING[0][:2]]})
    stack = cut(rtstruct(Structure("a", contours)))
    assert np.array_equal(planes(stack), expected({1: RING[:1]}))
    assert stack.note == (
        "contours of less than three points enclose nothing: 2 of 3 of structure 1 (a)"
    )


def test_a_contour_that_is_there_twice_counts_once_and_is_said() -> None:
    turned = np.roll(RING[0], 5, axis=0)[::-1]
    stack = cut(rtstruct(Structure("a", drawn(SCAN, {1: [RING[0], RING[0], turned]}))))
    assert np.array_equal(planes(stack), expected({1: RING[:1]}))
    assert stack.note == "contours are there twice and count once: 2 of 3 of structure 1 (a)"


def test_contours_of_the_same_points_in_another_order_are_two() -> None:
    both = [star(11.3, 15.2, 10.4), star(11.3, 15.2, 10.4)[[0, 3, 1, 4, 2]]]
    stack = cut(rtstruct(Structure("a", drawn(SCAN, {1: both}))))
    assert np.array_equal(planes(stack), expected({1: both}))
    assert stack.note is None


def test_closed_contours_that_cross_are_said() -> None:
    both = [disk(9.3, 12.2, 6.1), disk(12.6, 15.9, 6.2)]
    stack = cut(rtstruct(Structure("a", drawn(SCAN, {1: both, 2: RING}))))
    assert np.array_equal(planes(stack), expected({1: both, 2: RING}))
    assert stack.note is not None
    assert stack.note.startswith("contours cross or coincide on slices")
    assert stack.note.endswith("1 of 2 of structure 1 (a)")


@pytest.mark.parametrize("points", [65, 128])
def test_a_contour_that_is_there_twice_with_other_points_is_said(points: int) -> None:
    """Next to nothing lies between the two: the structure would be gone without a word."""
    both = [disk(11.3, 15.2, 8.1), disk(11.3, 15.2, 8.1, points)]
    stack = cut(rtstruct(Structure("a", drawn(SCAN, {1: both}))))
    assert planes(stack).sum() < 3
    assert stack.note is not None
    assert stack.note.startswith("contours cross or coincide on slices")
    assert "centre of no pixel" not in stack.note


def test_contours_that_are_meant_to_be_xor_may_cross() -> None:
    both = [disk(9.3, 12.2, 6.1), disk(12.6, 15.9, 6.2)]
    stack = cut(rtstruct(Structure("a", drawn(SCAN, {1: both}, "CLOSEDPLANAR_XOR"))))
    assert np.array_equal(planes(stack), expected({1: both}))
    assert stack.note is None


def test_slices_that_contours_skip_are_said() -> None:
    data = rtstruct(Structure("a", drawn(SCAN, dict.fromkeys((0, 2, 4), RING))))
    assert cut(data).note == (
        "contours skip slices between their first and their last: 2 of 5 of structure 1 (a)"
    )


def test_a_structure_without_the_centre_of_a_pixel_is_said() -> None:
    data = rtstruct(Structure("a", drawn(SCAN, {1: [square(5.1, 5.1, 5.9, 5.9)]})))
    stack = cut(data)
    assert not planes(stack).any()
    assert stack.note == "contours hold the centre of no pixel: structure 1 (a)"


def test_two_structures_of_one_name_are_an_error() -> None:
    both = Structure("a", drawn(SCAN, {1: RING})), Structure("a", drawn(SCAN, {2: RING}))
    code, text = one_error(cut(rtstruct(*both)))
    assert code == "mask-names"
    assert "1 (a), 2 (a)" in text


@pytest.mark.parametrize("other", ["pulmonary VEIN", "Pulmonary-Vein"])
def test_two_spellings_of_one_name_are_one_name(other: str) -> None:
    contours = drawn(SCAN, {1: RING}), drawn(SCAN, {2: RING})
    both = [
        Structure(name, of) for name, of in zip(("pulmonary vein", other), contours, strict=True)
    ]
    assert one_error(cut(rtstruct(*both)))[0] == "mask-names"


def test_a_name_that_is_a_number_is_no_other_structure_without_a_name() -> None:
    both = Structure("2", drawn(SCAN, {1: RING})), Structure("", drawn(SCAN, {2: RING}))
    assert np.array_equal(
        planes(cut(rtstruct(*both))), expected({1: RING}) + 2 * expected({2: RING})
    )


@pytest.mark.parametrize("contours", [drawn(SCAN, {1: RING}), []])
def test_a_structure_may_be_there_twice_where_it_is_the_same_or_empty(
    contours: list[Drawn],
) -> None:
    stack = cut(rtstruct(Structure("a", contours), Structure("a", drawn(SCAN, {1: RING}))))
    label = 1 if contours else 2
    assert np.array_equal(planes(stack), label * expected({1: RING}))
    assert stack.names == {label: "a"}


def test_a_name_that_may_identify_is_not_said() -> None:
    both = Structure("Doe", drawn(SCAN, {1: RING})), Structure("Doe", drawn(SCAN, {2: RING}))
    _, text = one_error(cut(rtstruct(*both), may_say=lambda name: False))
    assert "Doe" not in text
    stack = cut(rtstruct(Structure("Doe", drawn(SCAN, {1: RING[:1] * 2}))), may_say=lambda _: False)
    assert stack.note is not None
    assert "Doe" not in stack.note


# Files that are wrong


def changed(keyword: str, value: object) -> bytes:
    """A set of which one value of the first contour is another, or gone."""

    def edit(made: Dataset) -> None:
        item = made.ROIContourSequence[0].ContourSequence[0]
        if value is None:
            del item[keyword]
        else:
            item.add_new(keyword, "LO" if keyword == "ContourData" else "IS", value)

    return rtstruct(Structure("a", drawn(SCAN, {1: RING})), edit=edit)


@pytest.mark.parametrize(
    "value",
    [
        *("1\\2\\3\\4", "1\\2\\nan", "1\\2\\inf", "1e300\\2\\3", "1_0\\2\\3", "1,5\\2\\3", "\\\\"),
        *("1\\2\\", "1\\2\\0x10", "1 2\\3\\4", "-\\2\\3"),
    ],
)
def test_coordinates_that_are_no_points_are_refused(value: str) -> None:
    code, _ = one_error(cut(changed("ContourData", value)))
    assert code == "mask-unreadable"


@pytest.mark.parametrize("text", ["nan", "-inf", "1e300", "1_0", "0x10", "1,5", "", "\u0661"])
def test_one_coordinate_that_is_no_number_is_refused(text: str) -> None:
    (item,) = drawn(SCAN, {1: RING[:1]})
    values = [f"{mm:.4f}" for mm in item.points.ravel()]
    values[3] = text
    code, _ = one_error(cut(changed("ContourData", "\\".join(values))))
    assert code == "mask-unreadable"


@pytest.mark.parametrize("count", ["1", "65", "0", "-3"])
def test_a_contour_of_more_or_fewer_points_than_it_says_is_refused(count: str) -> None:
    code, text = one_error(cut(changed("NumberOfContourPoints", count)))
    assert code == "mask-unreadable"
    assert "more or fewer points than it says" in text


def test_a_contour_without_points_is_none() -> None:
    def edit(made: Dataset) -> None:
        item = made.ROIContourSequence[0].ContourSequence[0]
        item.ContourData, item.NumberOfContourPoints = [], 0

    stack = cut(rtstruct(Structure("a", drawn(SCAN, {1: RING})), edit=edit))
    assert np.array_equal(planes(stack), expected({1: RING[1:]}))


def test_a_contour_that_is_moved_by_an_offset_is_refused() -> None:
    def edit(made: Dataset) -> None:
        item = made.ROIContourSequence[0].ContourSequence[0]
        item.add_new(0x30060045, "DS", ["0", "0", "2.5"])

    code, text = one_error(cut(rtstruct(Structure("a", drawn(SCAN, {1: RING})), edit=edit)))
    assert (code, "ContourOffsetVector" in text) == ("mask-unreadable", True)


def test_a_kind_of_contour_that_is_unknown_is_refused() -> None:
    code, _ = one_error(cut(rtstruct(Structure("a", drawn(SCAN, {1: RING}, "SPLINE")))))
    assert code == "mask-unreadable"


def test_contours_of_a_structure_that_is_not_listed_are_refused() -> None:
    def edit(made: Dataset) -> None:
        made.ROIContourSequence[0].ReferencedROINumber = 9

    data = rtstruct(Structure("a", drawn(SCAN, {1: RING})), edit=edit)
    assert one_error(cut(data))[0] == "mask-unreadable"
    assert cut(data, takes=lambda name: name == "a").errors == []


def test_a_structure_that_is_not_listed_costs_nothing_without_contours() -> None:
    def edit(made: Dataset) -> None:
        made.ROIContourSequence[1].ReferencedROINumber = 9

    data = rtstruct(Structure("a", drawn(SCAN, {1: RING})), Structure("b"), edit=edit)
    assert np.array_equal(planes(cut(data)), expected({1: RING}))


def test_names_are_told_where_contours_are_refused() -> None:
    def edit(made: Dataset) -> None:
        made.ROIContourSequence[0].ReferencedROINumber = 9

    data = rtstruct(Structure("a", drawn(SCAN, {1: RING})), Structure("b"), edit=edit)
    assert RTSTRUCT.legend is not None
    assert [one.name for one in RTSTRUCT.legend(data).values()] == ["a", "b"]


def test_contours_of_a_number_that_is_there_twice_are_refused() -> None:
    both = Structure("a", drawn(SCAN, {1: RING}), 3), Structure("b", drawn(SCAN, {2: RING}), 3)
    assert one_error(cut(rtstruct(*both)))[0] == "mask-unreadable"


@pytest.mark.parametrize("undefined_lengths", [False, True])
def test_a_file_that_is_cut_short_anywhere_in_its_contours_is_refused(
    undefined_lengths: bool,
) -> None:
    structures = [Structure(name, drawn(SCAN, {1: RING})) for name in "ab"]

    def edit(made: Dataset) -> None:
        del made.RTROIObservationsSequence

    data = rtstruct(*structures, undefined_lengths=undefined_lengths, edit=edit)
    item = b"\xfe\xff\x00\xe0"
    items = [at for at in range(len(data)) if data[at : at + 4] == item]
    assert len(items) > 9
    for at in [*range(600, len(data) - 1, 97), *items]:
        stack = cut(data[:at])
        assert [error.code for _, error in stack.errors] in (["mask-unreadable"], ["mask-kind"])


def test_a_file_without_the_preamble_of_dicom_is_told_as_such() -> None:
    code, text = one_error(cut(rtstruct(Structure("a", drawn(SCAN, {1: RING})))[132:]))
    assert code == "mask-kind"
    assert "does not begin as a DICOM file" in text


def test_other_dicom_is_told_what_may_be_given() -> None:
    made = dataset_of([Structure("a")])
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.481.2"
    code, text = one_error(cut(written(made)))
    assert code == "mask-kind"
    assert text.endswith("Give masks as PNG, npy, NIfTI, NRRD, MetaImage, DICOM SEG or RTSTRUCT.")


def test_a_set_of_many_contours_takes_little_time() -> None:
    scan = Scan(rows=256, cols=256, spacing=(0.9, 0.9), step=2.0, count=40)
    organs = (
        {at: [disk(127.3, 125.2, 9 + 9.0 * n, 60)] for at in range(scan.count)} for n in range(12)
    )
    data = rtstruct(*(Structure(f"{n}", drawn(scan, organ)) for n, organ in enumerate(organs)))
    begin = time.process_time()
    stack = cut(data, scan)
    assert time.process_time() - begin < 3
    assert planes(stack).any(axis=(1, 2)).all()


def test_contours_of_another_phase_in_the_same_planes_are_left_out() -> None:
    here, there = square(2.5, 3.5, 9.5, 12.5), square(4.5, 8.5, 14.5, 20.5)
    contours = drawn(SCAN, {1: [here]})
    contours += [Drawn(SCAN.points(1, there), uid="1.2.3.4")]
    stack = cut(rtstruct(Structure("liver", contours)))
    expected = np.zeros((SCAN.rows, SCAN.cols), np.uint8)
    expected[3:10, 4:13] = 1
    assert np.array_equal(planes(stack)[1], expected)
    assert "another volume" in str(stack.note)
