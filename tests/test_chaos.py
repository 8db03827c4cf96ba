"""What is known about CHAOS, against what its makers published; and that one module says it."""

import re
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

import chaosprep
from chaosprep.chaos import (
    CHAOS,
    USUAL_LEVELS,
    LevelsName,
    OrganName,
    SequenceName,
    shown_organs,
)
from chaosprep.errors import FileError
from chaosprep.facts import Organ
from chaosprep.imaging.levels import check_levels, label_map, level_histogram
from chaosprep.known import LEVELS, is_ct, owner

ORGANS = ["liver", "right-kidney", "left-kidney", "spleen"]
NOW, FIRST = LEVELS["chaos"].organs, LEVELS["chaos-2019-02"].organs

HOME = Path(chaosprep.__file__).parent
OWN = {"chaos.py", "layouts/chaos.py", "layouts/chaos_masks.py"}
# File -> how many of its lines may name CHAOS: an import, an entry, and texts for users.
TABLES = {
    "known.py": 2,
    "layouts/table.py": 2,
    "layouts/find.py": 3,
    "stages/extract_liver.py": 1,
    "stages/split.py": 1,
    "cli/demo.py": 1,
    "cli/phantom.py": 2,
    "verb_table.py": 2,
    "api.pyi": 4,
}


def refusal(levels: set[int], organs: tuple[Organ, ...] = NOW) -> FileError:
    with pytest.raises(FileError) as caught:
        check_levels(dict.fromkeys(levels, 10), organs, CHAOS)
    assert caught.value.code == "mask-levels"
    return caught.value


def says_chaos(line: str) -> bool:
    """Whether a line names the data set, not only the package."""
    return "chaos" in re.sub("chaosprep", "", line, flags=re.I).casefold()


def naming(path: Path) -> list[str]:
    """The lines of a file that name CHAOS; of a command's, those that are no text for users."""
    name = path.relative_to(HOME).as_posix()
    lines = path.read_text(encoding="utf-8").splitlines()
    if name.startswith("cli/"):
        lines = [re.sub(r"\bCHAOS\b", "", line) for line in lines]
    found = [f"{name}:{at}" for at, line in enumerate(lines, start=1) if says_chaos(line)]
    return found if len(found) > TABLES.get(name, 0) else []


def test_nothing_else_in_the_package_says_chaos() -> None:
    files = [path for path in sorted(HOME.rglob("*")) if path.is_file() and path.suffix != ".pyc"]
    others = [path for path in files if path.relative_to(HOME).as_posix() not in OWN]
    offenders = (naming(path) for path in others if HOME / "phantom" not in path.parents)
    assert [line for lines in offenders for line in lines] == []


def test_the_package_is_not_taken_for_the_data_set() -> None:
    assert not says_chaos("from chaosprep.errors import ChaosprepError  # CHAOSPREP_JOBS")
    assert says_chaos("from chaosprep.layouts import chaos")
    assert says_chaos("chaosprep knows CHAOS")


def test_types_of_parameters_name_what_there_is() -> None:
    assert get_args(LevelsName) == tuple(CHAOS.levels)
    assert list(get_args(OrganName)) == ORGANS
    assert get_args(SequenceName) == tuple(series.name for series in CHAOS.series)


def test_both_releases_name_the_same_organs() -> None:
    for table in CHAOS.levels.values():
        assert [organ.name for organ in table.organs] == ORGANS
        assert [organ.label for organ in table.organs] == [1, 2, 3, 4]


def test_the_ranges_of_the_current_release_are_the_published_ones() -> None:
    ranges = [(organ.low, organ.high) for organ in CHAOS.levels[USUAL_LEVELS].organs]
    assert ranges == [(55, 70), (110, 135), (175, 200), (240, 255)]


@pytest.mark.parametrize(
    ("organs", "levels"), [(NOW, (63, 126, 189, 252)), (FIRST, (80, 160, 240, 255))]
)
def test_each_published_level_is_its_organ(
    organs: tuple[Organ, ...], levels: tuple[int, ...]
) -> None:
    mask = np.array([[0, *levels]], dtype=np.uint8)
    np.testing.assert_array_equal(label_map(mask, organs), [[0, 1, 2, 3, 4]])
    check_levels(level_histogram(mask), organs, CHAOS)


@pytest.mark.parametrize(
    "levels", [{0, 80}, {160}, {0, 80, 160, 240, 255}, {80, 240}, {0, 160, 255}]
)
def test_the_first_release_is_recognised(levels: set[int]) -> None:
    assert refusal(levels).remedy == (
        "These are the levels of the February 2019 release: use --levels chaos-2019-02."
    )


def test_the_option_that_the_first_release_is_offered_accepts_it() -> None:
    check_levels({0: 1, 80: 1, 160: 1, 240: 1, 255: 1}, FIRST, CHAOS)


def test_levels_that_both_releases_share_are_not_taken_for_the_first() -> None:
    only_liver = (Organ("liver", 55, 70, 1),)
    assert "2019" not in refusal({0, 240, 255}, only_liver).remedy


def test_the_current_release_is_recognised_under_the_wrong_option() -> None:
    assert refusal({0, 63, 126}, FIRST).remedy == (
        "These are the levels of the current release: use --levels chaos."
    )


def test_a_mask_of_255_alone_is_no_spleen() -> None:
    assert refusal({0, 255}).reason.startswith("a binary mask, not one of CHAOS's grey levels: ")
    check_levels({0: 1, 255: 1}, FIRST, CHAOS)


def test_ct_masks_show_the_liver_alone() -> None:
    assert [organ.name for organ in shown_organs("ct")] == ["liver"]
    for sequence in ("t1-in", "t1-out", "t2-spir"):
        assert [organ.name for organ in shown_organs(sequence)] == ORGANS
    assert {table.binary.name for table in CHAOS.levels.values()} == {"liver"}


def test_one_sequence_is_ct() -> None:
    assert [name for name in (*get_args(SequenceName), "dwi") if is_ct(name)] == ["ct"]


def test_in_phase_stands_before_opposed_phase_and_is_taken_unasked() -> None:
    assert CHAOS.phases == (("t1-in", "t1-out"),)
    assert CHAOS.usual == ("t1-in",)


def test_licence_and_sources_are_those_of_the_challenge() -> None:
    assert [license["name"] for license in CHAOS.licenses] == ["CC-BY-NC-SA-4.0"]
    assert [source["path"] for source in CHAOS.sources] == [
        "https://doi.org/10.5281/zenodo.3362844",
        "https://doi.org/10.1016/j.media.2020.101950",
    ]


def test_every_organ_has_a_code_and_kidneys_have_sides() -> None:
    assert list(CHAOS.codes) == ORGANS
    assert {code.scheme for code in CHAOS.codes.values()} == {"SCT"}
    assert CHAOS.codes["spleen"].value == "78961009"
    assert CHAOS.mirrored == (("right-kidney", "left-kidney"),)


def test_scores_fall_to_0_at_the_published_thresholds() -> None:
    scoring = CHAOS.scoring
    assert scoring is not None
    assert (scoring.dice, scoring.ravd, scoring.assd, scoring.mssd) == (0.8, 5, 15, 60)


def test_a_table_of_levels_tells_whose_it_is() -> None:
    assert {owner(name).name for name in LEVELS} == {"CHAOS"}
