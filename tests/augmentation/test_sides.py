"""Right and left by name: what a mirror exchanges, and what it leaves alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosprep.augmentation.sides import side_of, sided, swapped
from chaosprep.known import MIRRORED

WRITTEN = [
    "kidney_{}",
    "{}-kidney",
    "{} adrenal gland",
    "Upper lobe of lung ({})",
    "lung_upper_lobe_{}",
    "rib_{}_7",
    "Kidney, {}",
    "a.{}.b",
]
WORDS = [("right", "left"), ("Right", "Left"), ("RIGHT", "LEFT"), ("rh", "lh")]
SHORT = [("r", "l"), ("R", "L"), ("Rt", "Lt"), ("RT", "LT")]
AT_AN_END = ["Kidney_{}", "{} Parotid", "Femur_Head_{}", "kidney ({})"]
NAMES = [
    *((text, pair) for text in WRITTEN for pair in WORDS),
    *((text, pair) for text in AT_AN_END for pair in (*WORDS, *SHORT)),
    *((text, ("Right", "Left")) for text in ("{}Kidney", "Kidney{}", "{}-Cerebellum")),
    *(("Lung{}", ("R", "L")), ("ctx-{}-bankssts", ("rh", "lh"))),
]


@pytest.mark.parametrize(("text", "words"), NAMES)
def test_a_side_is_read_off_the_name(text: str, words: tuple[str, str]) -> None:
    right, left = (side_of(text.format(word)) for word in words)
    assert right is not None
    assert left is not None
    assert (right[1], left[1]) == ("right", "left")
    assert right[0] == left[0]


@pytest.mark.parametrize(
    "name",
    [
        *("bright", "leftover", "right", "Left", "l", "R", "liver", "spleen", "alright kidney"),
        *("upright", "cleft", "cleft palate", "vertebrae_L1", "L1", "T-lymph-r-x", "heart", ""),
        *("left and right kidney", "mirror", "colon", "rectum", "Lymph"),
    ],
)
def test_near_misses_have_no_side(name: str) -> None:
    assert side_of(name) is None


@pytest.mark.parametrize("pair", MIRRORED)
def test_the_known_pairs_are_pairs(pair: tuple[str, str]) -> None:
    right, left = pair
    assert swapped({7: left, 9: right}) == ((9, 7),)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({1: "liver"}, ()),
        ({3: "left-kidney", 5: "right-kidney"}, ((5, 3),)),
        ({1: "right-lung", 2: "right-kidney", 3: "left-lung", 4: "left-kidney"}, ((1, 3), (2, 4))),
        ({1: "right-lung", 2: "right-kidney", 4: "left-kidney"}, ()),
        ({1: "kidney_right", 2: "Left Kidney"}, ((1, 2),)),
        ({1: "Kidney_R", 2: "left kidney", 3: "liver"}, ((1, 2),)),
        ({1: "rib_left_1", 2: "rib_left_2", 3: "rib_right_2", 4: "rib_right_1"}, ((3, 2), (4, 1))),
        ({1: "rib_left_1", 2: "rib_right_2"}, ()),
        ({1: "Kidney_R", 2: "right kidney", 3: "left kidney"}, ()),
    ],
)
def test_either_every_pair_of_organs_changes_sides_or_none(
    labels: dict[int, str], expected: tuple[tuple[int, int], ...]
) -> None:
    assert swapped(labels) == expected


STEMS = st.lists(
    st.text("abdefgknopstuvz", min_size=3, max_size=9), min_size=1, max_size=3, unique=True
)


@given(
    stem=STEMS,
    between=st.sampled_from([" ", "_", "-", ".", " - "]),
    words=st.sampled_from([*WORDS, *SHORT]),
    first=st.booleans(),
)
def test_any_name_with_a_side_word_at_either_end_has_its_twin(
    stem: list[str], between: str, words: tuple[str, str], first: bool
) -> None:
    right, left = (between.join([word, *stem] if first else [*stem, word]) for word in words)
    assert sided([right, left, between.join(stem)]) == {right, left}
    assert swapped({1: left, 2: between.join(stem), 3: right}) == ((3, 1),)
    assert swapped({1: left}) == ()


@given(st.lists(st.sampled_from(["right", "left", "r", "l", "bright", "leftover"]), max_size=4))
def test_only_one_whole_word_among_others_is_a_side(words: list[str]) -> None:
    full = [word for word in words if word in ("right", "left")]
    ends = [at for at in {0, len(words) - 1} if words and words[at] in ("r", "l")]
    expected = len(words) > 1 and len(full or ends) == 1
    assert (side_of(" ".join(words)) is not None) == expected
