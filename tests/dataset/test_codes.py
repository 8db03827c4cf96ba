"""Codes stand for what a name says only where the name is not a false one."""

from pathlib import Path
from typing import Any

import pytest

import chaosprep
from chaosprep import Dataset
from chaosprep.chaos import CHAOS
from chaosprep.dataset.codes import codes, codes_by_name, false_names
from chaosprep.dataset.descriptor import PastStage
from chaosprep.facts import Code, Label
from chaosprep.known import CODES
from chaosprep.terms import PRIVATE_SCHEME, private_code

LIVER = Code("SCT", "10200004", "Liver")


def past(stage: str, **parameters: Any) -> PastStage:
    return PastStage(
        stage=stage,
        version=1,
        versions={},
        parameters=parameters,
        seed=None,
        inputs_sha256="0" * 64,
        descriptor_sha256="0" * 64,
    )


def stated(found: dict[str, Code]) -> set[str]:
    """Those that have a code which is not one of ours."""
    return {name for name, code in found.items() if code.scheme != PRIVATE_SCHEME}


def test_only_names_with_a_code_have_one() -> None:
    told = {1: Label("liver", LIVER), 2: Label("tumour"), 3: Label("spleen")}
    assert codes(told) == {"liver": LIVER}


def test_extracted_by_its_own_levels_an_organ_keeps_its_code() -> None:
    history = [past("split"), past("extract-liver", range=None, organ="liver"), past("convert")]
    assert codes_by_name(history) == CHAOS.codes


@pytest.mark.parametrize("organ", ["liver", "right-kidney", "left-kidney", "spleen"])
@pytest.mark.parametrize("levels", ["chaos", "chaos-2019-02"])
def test_every_single_level_is_an_organs_own_or_makes_its_name_false(
    organ: str, levels: str
) -> None:
    (own,) = (one for one in CHAOS.levels[levels].organs if one.name == organ)
    for level in range(65536 // 64):
        told = {"organ": organ, "range": [level, level], "levels": levels}
        false = false_names(told, by_pattern=False)
        assert (organ in false) == (not own.low <= level <= own.high), level
        assert false <= {organ}


@pytest.mark.parametrize(
    ("taken", "is_false"),
    [
        ([13, 13], True),
        ([1, 54], True),
        ([71, 109], True),
        ([50, 75], False),
        ([0, 55], False),
        ([56, 130], True),
        ([0, 65535], True),
    ],
)
def test_a_range_must_meet_the_organs_levels_and_no_others(
    taken: list[int], is_false: bool
) -> None:
    assert ("liver" in false_names({"range": taken}, by_pattern=False)) == is_false


def test_lenient_masks_by_pattern_may_be_label_maps() -> None:
    lenient = past("extract-liver", lenient_masks=True)
    found = codes_by_name([past("split", masks="m/{patient}.nii.gz"), lenient])
    assert stated(found) == {"right-kidney", "left-kidney", "spleen"}
    assert "liver" in stated(codes_by_name([past("split", layout="chaos", masks=None), lenient]))
    own = {name: private_code(name) for name in CODES}
    every = past("extract-liver", lenient_masks=True, all_organs=True)
    assert codes_by_name([past("split", layout="folder"), every]) == own


@pytest.mark.parametrize("strange", [{"range": "x"}, {"organ": 3}, {"levels": "other"}])
def test_what_is_not_understood_gives_no_codes(strange: dict[str, Any]) -> None:
    assert stated(codes_by_name([past("extract-liver", **strange)])) == set()


def test_a_dataset_without_a_map_has_the_codes_of_its_rows_names(pairs: Dataset) -> None:
    assert set(codes(pairs.labels)) == {"liver", "right-kidney", "left-kidney", "spleen"}
    assert codes(pairs.labels)["liver"] == LIVER


def test_extracted_masks_carry_the_code_of_their_organ(livers: Dataset) -> None:
    assert livers.labels == {255: Label("liver", LIVER)}


def test_another_level_called_liver_has_no_code(pairs: Dataset, tmp_path: Path) -> None:
    made = chaosprep.extract_liver(pairs, tmp_path / "l", range=(126, 126), lenient_masks=True)
    assert made.labels == {255: Label("levels-126-126")}
    again = chaosprep.convert(made, tmp_path / "c")
    assert codes(again.labels) == {}
