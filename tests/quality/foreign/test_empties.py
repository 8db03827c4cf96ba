"""Empty masks of pictures: told where a structure should be, counted where none need be."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import chaosprep

RANDOM = np.random.default_rng(0)


def write(root: Path, shown: dict[str, bool], side: str = "train") -> None:
    """Pictures by name, each with a mask that shows something or nothing."""
    for name, shows in shown.items():
        mask = np.zeros((16, 16), np.uint8)
        mask[4:9, 4:9] = shows
        image = RANDOM.integers(0, 255, (16, 16)).astype(np.uint8)
        for kind, array in (("images", image), ("masks", mask)):
            (root / side / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(root / side / kind / f"{name}.png")


def stack(case: str, shown: str) -> dict[str, bool]:
    """Slices of a case, `#` for each that shows something."""
    return {f"{case}_s{k:03d}": sign == "#" for k, sign in enumerate(shown)}


def found(root: Path) -> tuple[list[str], list[str]]:
    verdict = chaosprep.verify(root)
    assert {one.code for one in verdict.warnings} <= {"mask-empty"}
    return [one.id for one in verdict.warnings], [n for n in verdict.notes if "show nothing" in n]


def test_empty_masks_above_and_below_are_a_note_with_a_count(tmp_path: Path) -> None:
    write(tmp_path, stack("A", "..###.") | stack("B", "####.."))
    warned, (note,) = found(tmp_path)
    assert (warned, note.partition(" (")[0]) == ([], "masks that show nothing: 5 of 12")


def test_an_empty_mask_between_two_that_are_not_is_a_warning(tmp_path: Path) -> None:
    write(tmp_path, stack("A", ".##.#.") | stack("B", "######"))
    warned, (note,) = found(tmp_path)
    assert (warned, note.partition(" (")[0]) == (
        ["train/A_s003"],
        "masks that show nothing: 2 of 12",
    )


def test_a_case_that_shows_nothing_is_a_warning(tmp_path: Path) -> None:
    write(tmp_path, stack("A", "..") | stack("B", "#########") | stack("C", "#########"))
    assert found(tmp_path) == (["train/A_s000", "train/A_s001"], [])


@pytest.mark.parametrize("empty", [1, 2])
def test_few_empty_masks_of_pictures_without_stacks_are_warnings(
    tmp_path: Path, empty: int
) -> None:
    write(tmp_path, {f"x{name}": at >= empty for at, name in enumerate("abcdefgh")})
    assert found(tmp_path) == ([f"train/x{name}" for name in "ab"[:empty]], [])


def test_many_empty_masks_of_pictures_without_stacks_are_a_note(tmp_path: Path) -> None:
    write(tmp_path, {f"x{name}": at >= 3 for at, name in enumerate("abcdefgh")})
    warned, (note,) = found(tmp_path)
    assert (warned, note.partition(" (")[0]) == ([], "masks that show nothing: 3 of 8")


def test_a_side_that_shows_nothing_at_all_is_warned_of(tmp_path: Path) -> None:
    write(tmp_path, dict.fromkeys(["xa", "xb", "xc"], False))
    write(tmp_path, {f"x{name}": name != "d" for name in "defghijk"}, "val")
    assert found(tmp_path)[0] == ["train/xa", "train/xb", "train/xc", "val/xd"]
