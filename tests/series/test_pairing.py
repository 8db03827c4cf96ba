"""Which mask belongs to which image."""

from hypothesis import given
from hypothesis import strategies as st

from chaosprep.series.pairing import Pairs, Rule, natural_key, pair


def files(folder: str, *names: str) -> list[str]:
    return [f"{folder}/{name}" for name in names]


def codes(pairs: Pairs) -> dict[str, str]:
    return {path: error.code for path, error in pairs.errors}


def test_in_phase_and_t2_pair_by_equal_stems() -> None:
    images = files("i", "IMG-0004-00004.dcm", "IMG-0004-00002.dcm")
    masks = files("m", "IMG-0004-00002.png", "IMG-0004-00004.png")
    found = pair(images, masks, "stem")
    assert dict(found.pairs) == {
        "i/IMG-0004-00002.dcm": "m/IMG-0004-00002.png",
        "i/IMG-0004-00004.dcm": "m/IMG-0004-00004.png",
    }
    assert found.errors == ()
    assert found.note is None


def test_out_phase_n_belongs_to_ground_n_plus_1() -> None:
    images = files("i", "IMG-0004-00001.dcm", "IMG-0004-00009.dcm", "IMG-0004-00099.dcm")
    masks = files("m", "IMG-0004-00002.png", "IMG-0004-00010.png", "IMG-0004-00100.png")
    assert pair(images, masks, "next-number").pairs == tuple(zip(images, masks, strict=True))


def test_the_middle_number_must_agree_too() -> None:
    images = files("i", "IMG-0004-00002.dcm", "IMG-0004-00004.dcm")
    masks = files("m", "IMG-0004-00002.png", "IMG-0005-00004.png")
    found = pair(images, masks, "stem")
    assert len(found.pairs) == 1
    assert codes(found) == {images[1]: "mask-missing", masks[1]: "mask-surplus"}


def test_ct_pairs_by_the_rank_of_the_sorted_names() -> None:
    images = files("i", "i0000,0000b.dcm", "i0001,0000b.dcm", "i0002,0000b.dcm")
    masks = files("m", "liver_GT_000.png", "liver_GT_001.png", "liver_GT_002.png")
    found = pair(images[::-1], [masks[1], masks[2], masks[0]], "rank")
    assert found.pairs == tuple(zip(images, masks, strict=True))
    assert found.note is None  # the stated rule for CT: nothing to warn of


def test_ranks_count_numbers_as_numbers() -> None:
    images = files("i", "i9.dcm", "i10.dcm", "i100.dcm")
    masks = files("m", "liver_9.png", "liver_10.png", "liver_100.png")
    assert pair(images, masks, "rank").pairs == tuple(zip(images, masks, strict=True))
    assert sorted(["x10", "x9", "x009", "x1b"], key=natural_key) == ["x1b", "x009", "x9", "x10"]


def test_ranks_need_equal_counts() -> None:
    images, masks = files("i", "a.dcm", "b.dcm"), files("m", "c.png")
    found = pair(images, masks, "rank")
    assert found.pairs == ()
    assert codes(found) == {"m": "mask-count"}
    assert "2 images but 1 masks" in found.errors[0][1].reason


def test_a_missing_mask_is_named_and_the_others_still_pair() -> None:
    images = files("i", "IMG-1-00002.dcm", "IMG-1-00004.dcm")
    found = pair(images, files("m", "IMG-1-00002.png"), "stem")
    assert found.pairs == ((images[0], "m/IMG-1-00002.png"),)
    assert codes(found) == {images[1]: "mask-missing"}


def test_a_surplus_mask_is_named_and_the_others_still_pair() -> None:
    masks = files("m", "IMG-1-00002.png", "IMG-1-00004.png")
    found = pair(files("i", "IMG-1-00002.dcm"), masks, "stem")
    assert found.pairs == (("i/IMG-1-00002.dcm", masks[0]),)
    assert codes(found) == {masks[1]: "mask-surplus"}


def test_two_files_with_one_name_are_both_set_aside() -> None:
    images = files("i", "IMG-1-00002.dcm", "IMG-1-00002.DCM", "IMG-1-00004.dcm")
    masks = files("m", "IMG-1-00002.png", "IMG-1-00004.png")
    found = pair(images, masks, "stem")
    assert found.pairs == ((images[2], masks[1]),)
    assert codes(found) == {
        images[0]: "name-twice",
        images[1]: "name-twice",
        masks[0]: "mask-surplus",
    }


def test_names_that_differ_by_zeros_alone_are_one_name() -> None:
    masks = files("m", "IMG-1-2.png", "IMG-1-00002.png", "IMG-1-00004.png")
    found = pair(files("i", "IMG-1-00002.dcm", "IMG-1-00004.dcm"), masks, "stem")
    assert dict(found.pairs) == {"i/IMG-1-00004.dcm": "m/IMG-1-00004.png"}
    assert codes(found)[masks[0]] == codes(found)[masks[1]] == "name-twice"


def test_two_files_with_one_name_leave_no_rank_to_trust() -> None:
    images = files("i", "i0000,0000b.dcm", "i0001,0000b.dcm", "i0001,0000b.DCM")
    masks = files("m", "liver_GT_000.png", "liver_GT_001.png", "liver_GT_002.png")
    found = pair(images, masks, "rank")
    assert found.pairs == ()
    assert codes(found) == {images[1]: "name-twice", images[2]: "name-twice"}


def test_without_ground_truth_every_image_pairs_with_nothing() -> None:
    images = files("i", "b.dcm", "a.dcm")
    assert pair(images, None, "stem") == Pairs((("i/a.dcm", None), ("i/b.dcm", None)))


def test_an_empty_ground_truth_is_not_the_same_as_none() -> None:
    assert codes(pair(["i/a.dcm"], [], "stem")) == {"i/a.dcm": "mask-missing"}
    assert codes(pair(["i/a.dcm"], [], "rank")) == {"i": "mask-count"}


def test_where_no_name_matches_equal_counts_pair_by_rank_with_a_note() -> None:
    images, masks = files("i", "x1.dcm", "x2.dcm"), files("m", "mask7.png", "mask8.png")
    found = pair(images, masks, "stem")
    assert found.pairs == tuple(zip(images, masks, strict=True))
    assert found.errors == ()
    assert found.note is not None
    assert "by rank" in found.note


def test_where_no_name_matches_unequal_counts_do_not_pair() -> None:
    found = pair(files("i", "x1.dcm", "x2.dcm"), files("m", "mask7.png"), "stem")
    assert found.pairs == ()
    assert found.note is None
    assert sorted(codes(found).values()) == ["mask-missing", "mask-missing", "mask-surplus"]


def test_one_match_rules_the_rank_out() -> None:
    images, masks = files("i", "x1.dcm", "x2.dcm"), files("m", "x1.png", "mask8.png")
    found = pair(images, masks, "stem")
    assert found.pairs == (("i/x1.dcm", "m/x1.png"),)
    assert codes(found) == {"i/x2.dcm": "mask-missing", "m/mask8.png": "mask-surplus"}


@given(
    st.sets(st.integers(1, 999), min_size=1, max_size=12),
    st.sampled_from(["stem", "next-number"]),
    st.data(),
)
def test_pairs_never_depend_on_the_listing_order(
    numbers: set[int], rule: Rule, data: st.DataObject
) -> None:
    step = 1 if rule == "next-number" else 0
    truth = {f"i/IMG-3-{n:05d}.dcm": f"m/IMG-3-{n + step:05d}.png" for n in numbers}
    images = data.draw(st.permutations(sorted(truth)))
    masks = data.draw(st.permutations(sorted(truth.values())))
    assert dict(pair(images, masks, rule).pairs) == truth


@given(
    st.sets(st.integers(0, 30), max_size=12),
    st.sets(st.integers(0, 30), max_size=12),
    st.sampled_from(["stem", "next-number", "rank"]),
)
def test_every_file_is_paired_once_or_accounted_for(
    images: set[int], masks: set[int], rule: Rule
) -> None:
    given_images, given_masks = [f"i/x{n}.dcm" for n in images], [f"m/x{n}.png" for n in masks]
    found = pair(given_images, given_masks, rule)
    used = [path for both in found.pairs for path in both]
    assert len(used) == len(set(used))
    if codes(found) not in ({"i": "mask-count"}, {"m": "mask-count"}):
        assert {*used, *codes(found)} == {*given_images, *given_masks}
