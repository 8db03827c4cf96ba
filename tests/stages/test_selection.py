"""Which structures of a label map are written: chosen, renamed, merged, ranked; no false names."""

import pytest

from chaosprep.errors import UsageError
from chaosprep.facts import Code, Label
from chaosprep.stages.selection import Selection, select
from chaosprep.terms import PRIVATE_SCHEME, private_code

LIVER = Code("SCT", "10200004", "Liver")
MAP = {
    1: Label("Liver", LIVER),
    2: Label("liver-tumour"),
    3: Label("left kidney", Code("SCT", "18639004", "Left kidney")),
    4: Label("right kidney", Code("SCT", "9846003", "Right kidney")),
    9: Label("duodenum", Code("SCT", "38848004", "Duodenum")),
}


def named(selection: Selection) -> dict[int, str]:
    return {value: label.name for value, label in selection.labels.items()}


def refused(**asked: object) -> str:
    with pytest.raises(UsageError) as caught:
        select(MAP, **asked)  # type: ignore[arg-type]
    return f"{caught.value.code}: {caught.value.reason} {caught.value.remedy}"


def test_without_a_choice_all_are_taken_as_they_are() -> None:
    assert select(MAP).labels == MAP


@pytest.mark.parametrize("name", ["liver-tumour", "LIVER_Tumour", "liver tumour", "*tumo?r"])
def test_names_fit_whatever_their_case_and_spaces(name: str) -> None:
    assert named(select(MAP, [name])) == {2: "liver-tumour"}


def test_what_is_taken_keeps_its_number() -> None:
    assert named(select(MAP, ["duodenum", "*kidney"])) == {
        3: "left kidney",
        4: "right kidney",
        9: "duodenum",
    }


def test_a_merged_structure_has_the_number_of_the_part_of_its_name_or_the_lowest() -> None:
    merged = select(MAP, merges=[("liver", ["liver*"]), ("kidney", ["*kidney"])])
    assert named(merged) == {1: "liver", 3: "kidney", 9: "duodenum"}
    assert [one.of for one in merged.structures] == [{1, 2}, {3, 4}, {9}]


def test_new_names_and_old_ones_can_be_chosen() -> None:
    for name in ("lesion", "liver-tumour"):
        found = select(MAP, [name], renames=[("liver-tumour", "lesion")])
        assert named(found) == {2: "lesion"}


def test_a_whole_keeps_the_code_of_the_part_of_its_name() -> None:
    merged = select(MAP, merges=[("liver", ["liver", "liver-tumour"])])
    assert merged.labels[1].code == LIVER


def test_parts_called_after_the_whole_leave_its_code_to_its_name() -> None:
    assert select(MAP, merges=[("kidney", ["*kidney"])]).labels[3] == Label("kidney")


def test_a_whole_of_other_structures_never_gets_the_code_of_its_name() -> None:
    merged = select({9: MAP[9], 3: MAP[3]}, merges=[("liver", ["duodenum", "left kidney"])])
    code = merged.labels[3].code
    assert code is not None
    assert code.scheme == PRIVATE_SCHEME


@pytest.mark.parametrize("parts", [["tumour of liver", "cyst_liver"], ["tumour of liver"]])
def test_lesions_called_after_an_organ_are_not_the_organ(parts: list[str]) -> None:
    told = {at: Label(name) for at, name in enumerate(parts, start=1)}
    code = select(told, merges=[("liver", parts)]).labels[1].code
    assert code is not None
    assert code.scheme == PRIVATE_SCHEME


def test_a_whole_gets_no_other_code_by_another_name() -> None:
    told, merged = {9: MAP[9], 3: MAP[3]}, [("x", ["duodenum", "left kidney"])]
    assert select(told, merges=merged).labels[3] == Label("x")
    for renames in ([("x", "liver")], [("x", "y"), ("y", "liver")]):
        code = select(told, merges=merged, renames=renames).labels[3].code
        assert code == private_code("liver")


def test_a_side_beside_its_code_is_the_same_side_in_another_spelling() -> None:
    gland = Label("right adrenal gland", Code("SCT", "23451007", "Adrenal gland"))
    found = select({1: gland}, renames=[("right adrenal gland", "adrenal_gland_right")])
    assert found.labels[1] == Label("adrenal_gland_right", gland.code)
    with pytest.raises(UsageError, match="are different structures"):
        select({1: gland}, renames=[("right adrenal gland", "left adrenal gland")])


def test_a_structure_is_not_renamed_to_another() -> None:
    assert "by their codes, duodenum and liver are different structures" in refused(
        renames=[("liver", "hepar"), ("duodenum", "liver")]
    )


def test_one_renamed_keeps_its_code() -> None:
    assert select(MAP, renames=[("liver", "Leber")]).labels[1] == Label("Leber", LIVER)


def test_a_name_must_be_free() -> None:
    assert "another structure is called liver" in refused(renames=[("duodenum", "liver")])
    assert "another structure is called liver" in refused(merges=[("liver", ["*kidney"])])


@pytest.mark.parametrize(
    "name", ["x" * 201, "two\nlines", "\u200b", "background", "Ignore", "12", "label-3"]
)
def test_a_new_name_is_one_that_a_legend_could_give(name: str) -> None:
    assert refused(renames=[("duodenum", name)]).startswith("organ-name: --rename: ")
    assert refused(merges=[(name, ["duodenum"])]).startswith("organ-name: --merge: ")


def test_an_unknown_name_is_told_those_that_there_are() -> None:
    text = refused(organs=["spleen"])
    assert text.startswith("organ-unknown: --organ: no structure is called spleen")
    assert "Liver, liver-tumour" in text


def test_the_first_of_the_order_lies_on_top() -> None:
    found = select(MAP, order=["liver-tumour", "liver"])
    assert found.shown((1, 2)) == (2, 1)
    assert found.is_ranked(found.shown((1, 2)))


def test_a_star_stands_for_all_others_by_their_numbers() -> None:
    found = select(MAP, order=["duodenum", "*"])
    assert found.shown((1, 3, 9)) == (9, 1, 3)


def test_an_order_that_does_not_speak_of_two_ranks_neither() -> None:
    found = select(MAP, order=["liver"])
    assert not found.is_ranked(found.shown((3, 9)))
    assert found.is_ranked(found.shown((1, 9)))


def test_merged_structures_do_not_overlap_each_other() -> None:
    found = select(MAP, merges=[("liver", ["liver*"])])
    assert found.shown((1, 2)) == (1,)


def test_one_name_of_several_values_is_one_structure() -> None:
    found = select({62: Label("liver"), 63: Label("liver"), 126: Label("x")})
    assert [(one.value, one.of) for one in found.structures] == [
        (62, frozenset({62, 63})),
        (126, frozenset({126})),
    ]


def test_names_can_be_exchanged_by_way_of_a_third() -> None:
    by_turns = [("liver", "x"), ("liver-tumour", "liver"), ("x", "liver-tumour")]
    labels = {1: Label("liver"), 2: Label("liver-tumour")}
    for order in ([], ["liver"]):
        assert named(select(labels, ["liver"], by_turns, order=order)) == {2: "liver"}


def test_what_was_renamed_twice_has_its_first_name_still() -> None:
    assert named(select({1: Label("GTV")}, ["GTV"], [("GTV", "a"), ("a", "b")])) == {1: "b"}


@pytest.mark.parametrize(
    "how", [{"renames": [("liver-tumour", "Background")]}, {"merges": [("background", ["liver*"])]}]
)
def test_no_structure_becomes_the_background(how: dict[str, object]) -> None:
    assert refused(**how).startswith("organ-name: ")


def test_several_names_in_one_are_told_apart() -> None:
    told = refused(organs=["liver,left kidney"])
    assert told.endswith("Give each by itself: --organ liver --organ 'left kidney'.")


def test_where_nobody_named_the_values_the_remedy_does() -> None:
    with pytest.raises(UsageError) as caught:
        select({1: Label("label-1"), 2: Label("label-2")}, ["liver"])
    assert caught.value.remedy.endswith("chaosprep split --labels 1=NAME,...")
