"""The codes of structures by name: those of the standard, written out, and no similar one's."""

import pytest

from chaosprep.chaos import CHAOS
from chaosprep.facts import Code
from chaosprep.terms import PAIRED, Sided, category_of, code_of, sided_code_of

RIGHT, LEFT = Code("SCT", "24028007", "Right"), Code("SCT", "7771000", "Left")
ADRENAL = Code("SCT", "23451007", "Adrenal gland")

# PS3.16 CID 7154, 7155, 7156, 7159, 7160 and 7192; kidneys by side as CHAOS has them.
AMOS = {
    "spleen": "78961009",
    "right kidney": "9846003",
    "left kidney": "18639004",
    "gall bladder": "28231008",
    "esophagus": "32849002",
    "liver": "10200004",
    "stomach": "69695003",
    "aorta": "15825003",
    "postcava": "64131007",
    "pancreas": "15776009",
    "duodenum": "38848004",
    "bladder": "89837001",
}
TOTAL_SEGMENTATOR = {
    "kidney_right": "9846003",
    "inferior_vena_cava": "64131007",
    "urinary_bladder": "89837001",
    "lung_middle_lobe_right": "72481006",
    "vertebrae_L1": "66794005",
    "vertebrae_T12": "23215003",
    "vertebrae_C1": "14806007",
    "spinal_cord": "2748008",
    "superior_vena_cava": "48345005",
    "brachiocephalic_trunk": "12691009",
    "small_intestine": "30315005",
}
KITS = {"kidney": "64033007", "tumor": "108369006", "cyst": "367643001"}
BRITISH = {"tumour": "108369006", "oesophagus": "32849002", "oedema": "79654002"}


@pytest.mark.parametrize(("name", "value"), (AMOS | TOTAL_SEGMENTATOR | KITS | BRITISH).items())
def test_a_structure_has_the_code_of_the_standard(name: str, value: str) -> None:
    code = code_of(name)
    assert code is not None
    assert (code.scheme, code.value) == ("SCT", value)
    assert sided_code_of(name) is None


@pytest.mark.parametrize("organ", CHAOS.codes)
def test_the_codes_of_chaos_go_first(organ: str) -> None:
    assert code_of(organ) == CHAOS.codes[organ]


@pytest.mark.parametrize(
    "name", ["kidney_right", "Right Kidney", "RIGHT-KIDNEY", "kidney, right", "right  kidney"]
)
def test_spelling_and_the_order_of_words_do_not_matter(name: str) -> None:
    assert code_of(name) == CHAOS.codes["right-kidney"]


@pytest.mark.parametrize(
    "name",
    [
        *("liver tumour", "liver-lesion", "tumour of liver", "not liver", "liver 2", "livers"),
        *("prostate/uterus", "portal_vein_and_splenic_vein", "kidneys", "enhancing tumor"),
        *("label-3", "normal", "left", "right", "background", "phantom", "organ", "tissue"),
        *("mask", "1", "", " ", "of", "structure", "vertebrae_L9", "rib_left_1", "肝臓"),
    ],
)
def test_another_name_gets_no_code(name: str) -> None:
    assert code_of(name) is None
    assert sided_code_of(name) is None


def test_a_name_of_two_concepts_gets_no_code() -> None:
    """CID 7192 has two codes, both called pulmonary vein."""
    assert code_of("pulmonary vein") is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("right adrenal gland", Sided(ADRENAL, RIGHT)),
        ("adrenal_gland_left", Sided(ADRENAL, LEFT)),
        ("lung_upper_lobe_left", Sided(Code("SCT", "45653009", "Upper lobe of lung"), LEFT)),
        ("femur_right", Sided(Code("SCT", "71341001", "Femur"), RIGHT)),
    ],
)
def test_where_no_code_has_the_side_it_stands_beside_the_code(name: str, expected: Sided) -> None:
    assert code_of(name) is None
    assert sided_code_of(name) == expected


@pytest.mark.parametrize("name", ["left liver", "right heart", "left tumor", "left right lung"])
def test_a_side_of_what_is_no_pair_is_a_part_and_has_no_code(name: str) -> None:
    assert code_of(name) is None
    assert sided_code_of(name) is None


@pytest.mark.parametrize("name", PAIRED)
def test_what_comes_in_pairs_is_known(name: str) -> None:
    assert code_of(name) is not None


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (CHAOS.codes["left-kidney"], "123037004"),
        (Code("SCT", "10200004", ""), "123037004"),
        (Code("SCT", "108369006", "Neoplasm"), "49755003"),
        (Code("SCT", "367643001", "Cyst"), "49755003"),
        (Code("SCT", "55603005", "Fat"), "85756007"),
        (Code("99OURS", "108369006", "Neoplasm"), "123037004"),
        (None, "123037004"),
    ],
)
def test_the_category_follows_from_the_code(code: Code | None, value: str) -> None:
    """PS3.16 CID 7150: a lesion is a morphologically abnormal structure."""
    assert category_of(code)[:2] == ("SCT", value)
