"""Names of structures: the same in other spellings, and almost the same by a slip of the hand."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosprep.structures import NearMiss, folded, near_misses, same_name

# Names as sets have them: of TotalSegmentator, AMOS, KiTS, FreeSurfer and radiotherapy.
SOUND = [
    *(f"rib_{side}_{n}" for side in ("left", "right") for n in range(1, 13)),
    *(f"vertebrae_{part}{n}" for part in "CTL" for n in range(1, 13)),
    *("left-kidney", "right-kidney", "kidney_left", "kidney_right", "kidneyL", "kidneyR"),
    *("lung_upper_lobe_left", "lung_lower_lobe_left", "lung_upper_lobe_right", "lung_middle_lobe"),
    *("gluteus_maximus_left", "gluteus_medius_left", "gluteus_minimus_left", "ilium", "ileum"),
    *("liver_segment_I", "liver_segment_II", "liver_segment_IV", "liver_segment_VI", "segmentIV"),
    *("segmentVI", "segmentI", "segmentII", "lobeA", "lobeB", "PTV1", "PTV2", "PTV_High", "GTVp"),
    *("GTVn", "CTV", "Femur_L", "Femur_R", "lfemur", "rfemur", "humerus", "skin", "shin", "vein"),
    *("portal_vein", "hepatic_vein", "liver", "liver-tumour", "spleen", "pancreas", "aorta"),
    *("postcava", "duodenum", "bladder", "gallbladder", "urinary_bladder", "esophagus", "stomach"),
    *("adrenal_gland_left", "adrenal_gland_right", "prostate/uterus", "cyst", "tumour"),
]


@pytest.mark.parametrize(
    "other",
    ["Left Kidney", "LEFT_KIDNEY", "left--kidney", " left - kidney ", "left\u2010kidney"],
)
def test_case_spaces_hyphens_and_underscores_do_not_make_another_name(other: str) -> None:
    assert same_name("left-kidney", other)


def test_letters_in_two_forms_of_unicode_are_one_name() -> None:
    assert same_name("L\u00e9sion", "le\u0301sion")
    assert same_name("Stra\u00dfe", "STRASSE")


def test_a_sign_that_shows_nothing_does_not_make_another_name() -> None:
    assert same_name("liver", "li\u200bver\ufeff")


def test_other_names_stay_others() -> None:
    assert len({folded(name) for name in SOUND}) == len(SOUND)


@given(st.text(max_size=30))
def test_folding_twice_is_folding_once(name: str) -> None:
    assert folded(folded(name)) == folded(name)


def of_three(name: str, meant: str) -> list[NearMiss]:
    """The near misses where one case of three calls a structure otherwise."""
    return near_misses({"a": ["aorta", name], "b": ["aorta", meant], "c": [meant, "aorta"]})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("pancraes", "pancreas"),
        ("pancres", "pancreas"),
        ("pamcreas", "pancreas"),
        ("panccreas", "pancreas"),
        ("vertebrea_L1", "vertebrae_L1"),
        ("liver_tumor", "liver-tumour"),
        ("gall bladder", "gallbladder"),
        ("leftkidney", "left-kidney"),
        ("kidneys", "kidney"),
        ("livr", "liver"),
        ("Rigth Kidney", "right-kidney"),
    ],
)
def test_a_misspelt_name_of_one_case_is_found(name: str, meant: str) -> None:
    assert of_three(name, meant) == [("a", name, meant)]


@pytest.mark.parametrize("name", SOUND)
def test_no_name_of_a_sound_set_is_taken_for_another(name: str) -> None:
    """Whatever stands in one case only, beside all others in the two that lack it."""
    others = [other for other in SOUND if other != name]
    assert near_misses({"a": [name], "b": others, "c": others}) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("kidneyL", "kidney"),  # a side, where the others do not tell one
        ("rkidney", "kidney"),
        ("lesion12b", "lesion13b"),
        ("gallbladder2", "gallbladder"),
        ("vertebra C", "vertebra D"),
        ("scapula", "spatula"),  # two letters
    ],
)
def test_what_tells_a_side_or_a_number_is_no_slip(name: str, meant: str) -> None:
    assert of_three(name, meant) == []


def test_a_name_of_two_cases_is_meant() -> None:
    four = {"a": ["pancraes"], "b": ["pancraes"], "c": ["pancreas"], "d": ["pancreas"]}
    assert near_misses(four) == []


def test_a_name_beside_the_one_that_it_is_like_is_meant() -> None:
    assert near_misses({"a": ["pancraes", "pancreas"], "b": ["pancreas"], "c": ["pancreas"]}) == []


def test_of_two_cases_none_tells_which_is_right() -> None:
    assert near_misses({"a": ["pancraes"], "b": ["pancreas"]}) == []


def test_the_same_name_in_another_spelling_is_no_near_miss() -> None:
    assert of_three("Left Kidney", "left-kidney") == []


@given(
    st.dictionaries(
        st.sampled_from("abcde"), st.lists(st.text(string.ascii_letters + " -_12", max_size=9))
    )
)
def test_a_near_miss_stands_in_one_case_and_what_was_meant_in_others(
    cases: dict[str, list[str]],
) -> None:
    for case, name, meant in near_misses(cases):
        assert [one for one, names in cases.items() if any(same_name(name, n) for n in names)] == [
            case
        ]
        there = [one for one, names in cases.items() if any(same_name(meant, n) for n in names)]
        assert len(there) > 1
        assert case not in there


def test_many_names_take_little_time() -> None:
    names = [f"structure {'abcdefghij'[n % 10]}{n}" for n in range(5000)]
    others = [f"structura {'abcdefghij'[n % 10]}{n}" for n in range(5000)]
    assert len(near_misses({"a": names, "b": others, "c": others})) == 0
