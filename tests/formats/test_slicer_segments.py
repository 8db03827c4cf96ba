"""Segments of 3D Slicer's .seg.nrrd: names, codes, layers, and where they overlap."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from chaosprep.errors import FileError
from chaosprep.facts import Code
from chaosprep.formats.masks import Stack, cut_mask, mask_format, read_volume
from tests.formats.itk_volumes import itk, little, nrrd, placed
from tests.formats.test_cut_mask import COUNT, PATHS, codes, headers, ras

SHAPE = (4, 3, 5)
AFFINE = ras()[1]
ENTRY = (
    "Segmentation category and type - 3D Slicer General Anatomy list"
    "~{category}~{type}~^^~Anatomic codes - DICOM master list~^^~^^"
)
STRUCTURE = "SCT^123037004^Anatomical Structure"
LIVER, TISSUE = "SCT^10200004^Liver", "SCT^85756007^Tissue"


def tags(kind: str, category: str = STRUCTURE) -> str:
    entry = ENTRY.format(category=category, type=kind)
    return f"Segmentation.Status:inprogress|TerminologyEntry:{entry}|"


def segments(*every: Mapping[str, object]) -> list[str]:
    """The lines that Slicer writes, of some keys of each segment."""
    return [
        f"Segment{number}_{key}:={value}"
        for number, keys in enumerate(every)
        for key, value in keys.items()
    ]


def one(name: str, value: int, layer: int = 0, kind: str | None = None) -> dict[str, object]:
    keys: dict[str, object] = {"ID": f"Segment_{value}", "Name": name, "LabelValue": value}
    keys |= {"Layer": layer, "Extent": "0 1 0 1 0 1", "Color": "0.5 0.5 0.5"}
    return keys | ({"Tags": tags(kind)} if kind else {})


def layered(layers: Sequence[NDArray[np.uint8]], lines: Sequence[str]) -> bytes:
    """A file of layers (i, j, k), one or several, which lie where the images do."""
    header = placed(layers[0], AFFINE)
    voxels = np.stack(layers) if len(layers) > 1 else layers[0]
    if len(layers) > 1:
        header[1] = "dimension: 4"
        header[3] = f"sizes: {' '.join(map(str, voxels.shape))}"
        header[4] = header[4].replace(": ", ": none ")
        header.append("kinds: list domain domain domain")
    return nrrd([*header, "encoding: raw", *lines], little(voxels))


def cut(
    folder: Path, data: bytes, takes: Callable[[str], bool] = lambda name: True
) -> Stack:  # fmt: skip
    (folder / "m.seg.nrrd").write_bytes(data)
    return cut_mask(folder, "m.seg.nrrd", data, headers(), COUNT, takes=takes)


def shown(stack: Stack) -> dict[str, NDArray[Any]]:
    """Name -> where it is, (slices, rows, cols), of everything; nothing may be wrong."""
    assert stack.errors == []
    voxels = np.stack([stack.labels[path] for path in PATHS])
    known = {0, *stack.names, *stack.overlaps}
    assert set(np.unique(voxels).tolist()) <= known
    found = {}
    for label, name in stack.names.items():
        values = [label, *(value for value, labels in stack.overlaps.items() if label in labels)]
        found[name] = np.isin(voxels, values)
    return found


def random_layer(seed: int, *values: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).choice([0, *values], SHAPE).astype(np.uint8)


def legend(data: bytes) -> dict[int, tuple[str, Code | None]]:
    read = mask_format("m.seg.nrrd").legend
    assert read is not None
    return {value: (label.name, label.code) for value, label in read(data).items()}


def test_names_and_the_code_of_the_type_are_in_the_legend() -> None:
    lines = segments(
        one("liver", 3, kind=LIVER),
        one("Segment_2", 1),
        one("untold", 2, kind=TISSUE),
        one("left kidney", 7, kind="SRT^T-71000^Kidney"),
        one("bad", 8, kind="SCT^^"),
    )
    assert legend(layered([random_layer(1, 1, 2, 3, 7, 8)], lines)) == {
        3: ("liver", Code("SCT", "10200004", "Liver")),
        1: ("Segment_2", None),
        2: ("untold", None),
        7: ("left kidney", Code("SRT", "T-71000", "Kidney")),
        8: ("bad", None),
    }


def test_a_plain_nrrd_has_no_legend() -> None:
    assert legend(layered([random_layer(1, 1)], ["note:=text"])) == {}


def test_names_are_one_line_of_what_prints() -> None:
    lines = segments(one("li\\nver \x1b[31m", 1), one("x" * 300, 2), one(" ", 3))
    found = legend(layered([random_layer(1, 1, 2, 3)], lines))
    assert found == {1: ("li ver \\x1b[31m", None), 2: ("x" * 200, None)}


def test_one_layer_keeps_its_values(tmp_path: Path) -> None:
    voxels = random_layer(2, 3, 7)
    stack = cut(tmp_path, layered([voxels], segments(one("liver", 3), one("spleen", 7))))
    assert stack.names == {3: "liver", 7: "spleen"}
    assert stack.overlaps == {}
    assert np.array_equal(np.stack([stack.labels[path] for path in PATHS]), voxels.T)


def test_itk_keeps_what_slicer_wrote(tmp_path: Path) -> None:
    voxels = random_layer(2, 3)
    said = {"Segment0_Name": "liver", "Segment0_LabelValue": "3", "Segment0_Layer": "0"}
    path = itk(tmp_path, "m.seg.nrrd", voxels, AFFINE, compressed=True, said=said)
    assert np.array_equal(shown(cut(tmp_path, path.read_bytes()))["liver"], voxels.T == 3)


def test_structures_of_several_layers_overlap_without_loss(tmp_path: Path) -> None:
    layers = [random_layer(3, 1, 2), random_layer(4, 3), random_layer(5, 4, 5)]
    lines = segments(
        one("liver", 1), one("spleen", 2), one("tumour", 3, 1), one("cyst", 4, 2), one("vein", 5, 2)
    )
    stack = cut(tmp_path, layered(layers, lines))
    assert stack.overlaps
    assert stack.names == {1: "liver", 2: "spleen", 3: "tumour", 4: "cyst", 5: "vein"}
    for name, (layer, value) in {
        "liver": (0, 1), "spleen": (0, 2), "tumour": (1, 3), "cyst": (2, 4), "vein": (2, 5)
    }.items():  # fmt: skip
        assert np.array_equal(shown(stack)[name], value == layers[layer].T)


def test_where_two_layers_have_one_value_segments_are_numbered_in_the_files_order(
    tmp_path: Path,
) -> None:
    layers = [random_layer(6, 1, 5), random_layer(7, 1)]
    data = layered(layers, segments(one("liver", 1), one("vein", 5), one("tumour", 1, 1)))
    stack = cut(tmp_path, data)
    assert stack.names == {1: "liver", 2: "vein", 3: "tumour"}
    assert {value: name for value, (name, _) in legend(data).items()} == stack.names
    assert np.array_equal(shown(stack)["tumour"], layers[1].T == 1)
    assert np.array_equal(shown(stack)["liver"], layers[0].T == 1)
    assert np.array_equal(shown(stack)["vein"], layers[0].T == 5)


def test_older_files_have_a_layer_for_each_segment(tmp_path: Path) -> None:
    layers = [random_layer(8, 1), random_layer(9, 1)]
    lines = segments({"Name": "liver"}, {"Name": "tumour"})
    stack = cut(tmp_path, layered(layers, lines))
    assert np.array_equal(shown(stack)["liver"], layers[0].T == 1)
    assert np.array_equal(shown(stack)["tumour"], layers[1].T == 1)


def test_structures_that_are_not_wanted_show_nothing_and_meet_nothing(tmp_path: Path) -> None:
    layers = [random_layer(3, 1, 2), random_layer(4, 3)]
    data = layered(layers, segments(one("liver", 1), one("spleen", 2), one("tumour", 3, 1)))
    stack = cut(tmp_path, data, lambda name: name == "spleen")
    assert stack.names == {2: "spleen"}
    assert stack.overlaps == {}
    assert np.array_equal(shown(stack)["spleen"], layers[0].T == 2)


def test_a_volume_by_itself_has_one_structure_at_a_voxel(tmp_path: Path) -> None:
    lines = segments(one("liver", 1), one("tumour", 2, 1))
    apart = random_layer(3, 1)
    data = layered([apart, np.where(apart, 0, 2).astype(np.uint8)], lines)
    assert np.array_equal(read_volume(tmp_path / "m.seg.nrrd", data).voxels.T, 2 - apart)
    with pytest.raises(FileError) as caught:
        read_volume(tmp_path / "m.seg.nrrd", layered([apart, 2 * apart], lines))
    assert caught.value.code == "mask-overlap"


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ([one("liver", 1), one("spleen", 1)], "two of its segments have one value"),
        ([one("liver", 1, 2)], "a layer or a value that cannot be"),
        ([one("liver", 0)], "a layer or a value that cannot be"),
        ([one("liver", 70000)], "a layer or a value that cannot be"),
        ([{"Name": "liver"}, {"Name": "spleen"}], "a layer or a value that cannot be"),
        ([one("liver", 2)], "it has the value 1, which none of its segments has"),
    ],
)
def test_segments_that_contradict_the_voxels_are_refused(
    tmp_path: Path, keys: list[dict[str, object]], why: str
) -> None:
    stack = cut(tmp_path, layered([random_layer(1, 1)], segments(*keys)))
    assert codes(stack) == {"m.seg.nrrd": "mask-values"}
    assert why in stack.errors[0][1].reason


def test_two_segments_of_one_name_are_refused(tmp_path: Path) -> None:
    lines = segments(one("liver", 1), one("Liver ", 2))
    stack = cut(tmp_path, layered([random_layer(0, 1, 2)], lines))
    assert [error.code for _, error in stack.errors] == ["mask-names"]


def test_a_layer_that_is_no_number_is_unreadable(tmp_path: Path) -> None:
    lines = segments({"Name": "liver", "LabelValue": "one"})
    stack = cut(tmp_path, layered([random_layer(1, 1)], lines))
    assert codes(stack) == {"m.seg.nrrd": "mask-unreadable"}


OFFSET = "Segmentation_ReferenceImageExtentOffset:=1 1 2"


def cropped(*cuts: slice) -> bytes:
    """What Slicer cuts out of the file, here of all three axes."""
    voxels, affine = random_layer(2, 3)[cuts], AFFINE.copy()
    affine[:3, 3] += affine[:3, :3] @ [cut.start or 0 for cut in cuts]
    lines = [*placed(voxels, affine), "encoding: raw", *segments(one("liver", 3)), OFFSET]
    return nrrd(lines, little(voxels))


@pytest.mark.parametrize("cuts", [
    (slice(1, 3), slice(1, 2), slice(2, 4)), (slice(0, 4), slice(0, 3), slice(1, 5)),
    (slice(0, 3), slice(0, 3), slice(0, 5)),
])  # fmt: skip
def test_what_slicer_has_cropped_is_empty_beyond_and_says_so(
    tmp_path: Path, cuts: tuple[slice, ...]
) -> None:
    expected = np.zeros(SHAPE, np.uint8)
    expected[cuts] = random_layer(2, 3)[cuts]
    stack = cut(tmp_path, cropped(*cuts))
    assert np.array_equal(shown(stack)["liver"], expected.T == 3)
    assert stack.note is not None
    assert "cropped" in stack.note


def test_what_is_whole_has_no_note(tmp_path: Path) -> None:
    stack = cut(tmp_path, cropped(slice(0, 4), slice(0, 3), slice(0, 5)))
    assert np.array_equal(shown(stack)["liver"], random_layer(2, 3).T == 3)
    assert stack.note is None


def test_what_nobody_calls_cropped_must_cover_its_images(tmp_path: Path) -> None:
    data = cropped(slice(1, 3), slice(1, 2), slice(2, 4)).replace(b"Offset:=", b"Other:=")
    assert codes(cut(tmp_path, data)) == {"m.seg.nrrd": "mask-grid"}


@pytest.mark.parametrize(
    ("shift", "code"),
    [((0, 0, 9), "mask-missing"), ((2, 0, 0), "mask-grid"), ((0.3, 0, 0), "mask-grid")],
)
def test_what_is_cropped_must_still_lie_on_voxels_of_the_images(
    tmp_path: Path, shift: tuple[float, ...], code: str
) -> None:
    voxels, affine = random_layer(2, 3)[:3], AFFINE.copy()
    affine[:3, 3] += affine[:3, :3] @ shift
    lines = [*placed(voxels, affine), "encoding: raw", *segments(one("liver", 3)), OFFSET]
    assert codes(cut(tmp_path, nrrd(lines, little(voxels)))) == {"m.seg.nrrd": code}
