"""Nothing is called liver but what the data or the user call so, whatever options are given."""

import itertools
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import chaosprep
from chaosprep import Dataset
from chaosprep.dataset.codes import codes
from chaosprep.errors import ChaosprepError, UsageError
from chaosprep.formats.pictures import read_mask
from chaosprep.phantom import Patient, write_chaos
from chaosprep.terms import code_of
from tests.structures import phantoms
from tests.structures.phantoms import AMOS, IMAGES, SHAPE

LIVER = "10200004"
Values = NDArray[Any]
LEVELS = {"chaos": range(55, 71), "chaos-2019-02": range(70, 91)}
COLOURS = {1: (255, 0, 0), 2: (0, 255, 0), 3: (0, 110, 0), 4: (0, 0, 255), 5: (255, 255, 0)}
SAID: dict[str | None, frozenset[int]] = {
    None: frozenset(),
    "1=liver,2=spleen": frozenset({1}),
    "63=liver": frozenset({63}),
    "13=liver": frozenset({13}),
    "6=kidney,13=spleen": frozenset(),
    "55..70=liver": frozenset(range(55, 71)),
    "1..5=liver,6..104=spleen": frozenset(range(1, 6)),
    "chaos": frozenset(LEVELS["chaos"]),
    "chaos-2019-02": frozenset(LEVELS["chaos-2019-02"]),
    "#ff0000=liver,#00ff00=a,#006e00=b,#0000ff=c,#ffff00=d": frozenset({1}),
}
"""`--labels`, and the values that are the liver by it; of colours, their numbers in `COLOURS`."""


@dataclass(frozen=True)
class Tree:
    """Masks, by value: what is there, where, and which names stand beside them."""

    root: Path
    where: Mapping[str, Any]
    values: Values
    named: Mapping[int, str]
    in_colour: bool = False
    by_levels: bool = False

    def liver(self, labels: str | None) -> NDArray[np.bool_]:
        """Where the data, or else the user, say that the liver is."""
        said = SAID[labels] if (labels or "").startswith("#") == self.in_colour else frozenset()
        free = {value for value in said if value not in self.named}
        own = {value for value, name in self.named.items() if name == "liver"}
        return np.isin(self.values, [*free, *own])


def grid(values: range) -> Values:
    """A square of 3 x 3 pixels for each value, in two slices, the same in both."""
    shown = np.zeros(SHAPE, np.uint16)
    for at, value in enumerate(values):
        row, col = divmod(at, 13)
        shown[1:3, 3 * row : 3 * row + 3, 3 * col : 3 * col + 3] = value
    return shown


def volume_tree(root: Path, values: Values, named: Mapping[int, str] = {}) -> Tree:
    phantoms.scans(root, ["A1"])
    phantoms.save(root / "labels/A1.nii", phantoms.volume(values))
    if named:
        phantoms.names_beside(root / "labels", named)
    return Tree(root, {"images": IMAGES, "masks": "labels/{patient}.nii"}, values, named)


def picture_tree(root: Path, values: Values, *, in_colour: bool = False) -> Tree:
    phantoms.scans(root, ["A1"])
    (root / "labels/A1").mkdir(parents=True)
    for at, plane in enumerate(values):
        cv2.imwrite(str(root / f"labels/A1/{at + 1}.png"), coloured(plane) if in_colour else plane)
    where = {"images": IMAGES, "masks": "labels/{patient}/{slice}.png"}
    return Tree(root, where, values, {}, in_colour)


def coloured(plane: Values) -> NDArray[np.uint8]:
    table = np.zeros((256, 3), np.uint8)
    for value, colour in COLOURS.items():
        table[value] = colour[::-1]
    return table[plane.astype(np.uint8)]


def chaos_tree(root: Path, values: Values, *, in_colour: bool = False) -> Tree:
    """A tree as CHAOS has it, with other masks than CHAOS's."""
    write_chaos(root, [Patient(id=1, slices=len(values), matrix=SHAPE[2], sequences=("t1-in",))])
    masks = sorted(path for path in root.rglob("*.png") if "Ground" in path.parts)
    padded = np.zeros((len(values), SHAPE[2], SHAPE[2]), np.uint16)
    padded[:, : SHAPE[1]] = values
    for file, plane in zip(masks, padded, strict=True):
        shown = coloured(plane) if in_colour else plane.astype(np.uint8)
        cv2.imwrite(str(file), shown)
    return Tree(root, {}, padded, {}, in_colour, by_levels=True)


def alone(value: int) -> Values:
    shown = np.zeros(SHAPE, np.uint16)
    shown[1:3, 5:20, 5:20] = value
    return shown


def mixed() -> Values:
    """A slice that shows 63 alone, among slices of a map of 1 to 104."""
    shown = grid(range(1, 105))
    shown[2] = alone(63)[2]
    return shown


MADE: dict[str, Callable[[Path], Tree]] = {
    "four": lambda root: volume_tree(root, grid(range(1, 5))),
    "amos": lambda root: volume_tree(root, grid(range(1, 16)), AMOS),
    "many": lambda root: volume_tree(root, grid(range(1, 105))),
    "many, named": lambda root: volume_tree(
        root, grid(range(1, 105)), {n: "liver" if n == 5 else f"part-{n}" for n in range(1, 105)}
    ),
    "63 alone": lambda root: volume_tree(root, alone(63)),
    "63 is a vein": lambda root: volume_tree(root, alone(63), {63: "vein"}),
    "pictures": lambda root: picture_tree(root, grid(range(1, 16))),
    "pictures of 63": lambda root: picture_tree(root, alone(63).astype(np.uint8)),
    "colours": lambda root: picture_tree(root, grid(range(1, 6)), in_colour=True),
    "one green": lambda root: picture_tree(root, alone(3), in_colour=True),
    "chaos: four": lambda root: chaos_tree(root, grid(range(1, 5))),
    "chaos: many": lambda root: chaos_tree(root, grid(range(1, 105))),
    "chaos: mixed": lambda root: chaos_tree(root, mixed()),
    "chaos: colours": lambda root: chaos_tree(root, grid(range(1, 6)), in_colour=True),
    "chaos: one green": lambda root: chaos_tree(root, alone(3), in_colour=True),
}

RANGES = [(1, 1), (6, 6), (13, 13), (55, 70), (63, 63), (50, 75), (1, 104), (0, 255), (110, 135)]


def level_options() -> Iterator[dict[str, Any]]:
    """What extract-liver can be told of values."""
    for levels, lenient in itertools.product(LEVELS, (False, True)):
        both = {"levels": levels, "lenient_masks": lenient, "on_error": "skip"}
        yield from ({**both, "range": one} for one in RANGES)
        yield from ({**both, "organ": organ} for organ in ("liver", "spleen"))
        yield {**both, "range": (63, 63), "organ": "spleen"}
        yield {**both, "all_organs": True}
    yield {"mask_value": 1, "range": (55, 70), "lenient_masks": True}


def label_options() -> Iterator[dict[str, Any]]:
    """What extract-labels can be told of names."""
    yield from ({}, {"organ": ["liver"]}, {"organ": ["l*"], "binary": True}, {"all_organs": True})
    yield {"organ": ["label-1"], "rename": ["label-1=x"]}


def written(dataset: Dataset) -> tuple[NDArray[np.bool_], list[str]]:
    """What is called liver, over all slices in their order; and what else has its code."""
    found = []
    for row in dataset.slices:
        values = [value for value, name in row.labels.items() if name == "liver"]
        pixels = read_mask((dataset.directory / (row.mask or "")).read_bytes()).pixels
        found.append(np.isin(pixels, values))
    coded = {name: code.value for name, code in codes(dataset.labels).items()}
    for name in coded.keys() | {label.name for label in dataset.label_map.values()}:
        known = code_of(name)
        if known and name not in coded:
            coded[name] = known.value
    return np.stack(found), [name for name, code in coded.items() if code == LIVER]


@pytest.mark.parametrize("name", [*MADE])
def test_the_liver_is_what_somebody_calls_so(name: str, tmp_path: Path) -> None:
    tree = MADE[name](tmp_path / "root")
    holes, right = [], 0
    for labels in SAID:
        try:
            pairs = chaosprep.split(
                tree.root, tmp_path / "s", **tree.where, labels=labels, val=0.0, overwrite=True
            )
        except ChaosprepError:
            continue
        liver, structures = chaosprep.extract_liver, chaosprep.extract_labels
        verbs: list[tuple[Callable[..., Dataset], dict[str, Any]]] = [
            *((liver, one) for one in level_options()),
            *((structures, one) for one in label_options()),
        ]
        for verb, options in verbs:
            try:
                found = verb(pairs, tmp_path / "l", **options, overwrite=True)
            except ChaosprepError:
                shutil.rmtree(tmp_path / "l", ignore_errors=True)
                continue
            shown, coded = written(found)
            at = [row.slice for row in found.slices]
            is_right = np.array_equal(shown, tree.liver(labels)[at])
            right += bool(shown.any() and is_right)
            if (shown.any() and not is_right) or set(coded) - {"liver"}:
                holes.append((labels, options, coded, int(shown.sum())))
    assert not holes, "\n".join(map(str, holes))
    assert bool(right) == any(tree.liver(labels).any() for labels in SAID)


@pytest.mark.parametrize("name", ["four", "amos", "many", "63 alone", "chaos: many", "one green"])
@pytest.mark.parametrize(
    "options",
    [
        {"range": (55, 70), "lenient_masks": True},
        {"range": (1, 104), "lenient_masks": True},
        {"all_organs": True, "lenient_masks": True},
        {"organ": ["liver"]},
        {"labels": "chaos-2019-02", "lenient_masks": True},
        {},
    ],
)
def test_prepare_calls_nothing_else_the_liver(
    name: str, options: dict[str, Any], tmp_path: Path
) -> None:
    tree = MADE[name](tmp_path / "root")
    where = {"val": 0.0, "copies": 1, **tree.where}
    try:
        chaosprep.prepare(tree.root, tmp_path / "out", **where, **options, on_error="skip")
    except ChaosprepError:
        return
    (masks,) = (tmp_path / "out" / folder for folder in ("masks", "labels", "liver")
                if (tmp_path / "out" / folder).exists())  # fmt: skip
    found = chaosprep.open(masks)
    shown, coded = written(found)
    at = [row.slice for row in found.slices]
    truth = tree.liver(options.get("labels"))[at]
    assert not shown.any() or np.array_equal(shown, truth)
    assert not set(coded) - {"liver"}


def test_a_range_beyond_the_levels_of_the_liver_is_not_the_liver(tmp_path: Path) -> None:
    """Level 52 is nobody's, unless interpolation made it of the liver's border."""
    values = alone(63)
    values[2, 22:26, 22:26] = 52
    tree = chaos_tree(tmp_path / "root", values)
    pairs = chaosprep.split(tree.root, tmp_path / "s", val=0.0)
    with pytest.raises(ChaosprepError, match="levels that are not named liver"):
        chaosprep.extract_liver(pairs, tmp_path / "wide", range=(50, 75))
    rims = alone(63)
    rims[1:3, 5:20, 20] = 52
    rims[1:3, 5:20, 21] = 20
    tree = chaos_tree(tmp_path / "rims", rims)
    pairs = chaosprep.split(tree.root, tmp_path / "r", val=0.0)
    made = chaosprep.extract_liver(pairs, tmp_path / "l", range=(50, 75), lenient_masks=True)
    np.testing.assert_array_equal(written(made)[0], tree.values >= 50)


def test_a_slice_that_looks_like_a_liver_is_none_among_label_maps(tmp_path: Path) -> None:
    tree = chaos_tree(tmp_path / "root", mixed())
    pairs = chaosprep.split(tree.root, tmp_path / "s", val=0.0)
    with pytest.raises(ChaosprepError):
        chaosprep.extract_liver(pairs, tmp_path / "l", lenient_masks=True, on_error="skip")


@pytest.mark.parametrize("labels", ["55..70=liver", "chaos", "1..104=liver", "63=liver"])
def test_what_a_legend_calls_a_vein_no_table_calls_a_liver(labels: str, tmp_path: Path) -> None:
    tree = MADE["63 is a vein"](tmp_path / "root")
    with pytest.raises(UsageError) as raised:
        chaosprep.split(tree.root, tmp_path / "s", **tree.where, labels=labels, val=0.0)
    assert raised.value.code == "labels-differ"


def test_levels_of_another_release_than_split_was_told_are_refused(tmp_path: Path) -> None:
    tree = picture_tree(tmp_path / "root", alone(80).astype(np.uint8))
    pairs = chaosprep.split(
        tree.root, tmp_path / "s", **tree.where, labels="chaos-2019-02", val=0.0
    )
    with pytest.raises(UsageError, match="chaos-2019-02"):
        chaosprep.extract_liver(pairs, tmp_path / "l")
    made = chaosprep.extract_liver(pairs, tmp_path / "l", levels="chaos-2019-02")
    np.testing.assert_array_equal(written(made)[0], tree.values == 80)


def test_prepare_takes_the_levels_that_labels_names(tmp_path: Path) -> None:
    tree = picture_tree(tmp_path / "root", alone(80).astype(np.uint8))
    where = {**tree.where, "labels": "chaos-2019-02"}
    made = chaosprep.prepare(tree.root, tmp_path / "out", **where, val=0.0)
    assert [label.name for label in made.label_map.values()] == ["liver"]
