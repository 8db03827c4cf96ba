"""Results stay when a comparison is interrupted, and are never mixed with those of others."""

from pathlib import Path

import msgspec
import pytest

from benchmarks.page import block, put
from benchmarks.section import Part
from benchmarks.training.arms import PREPARED
from benchmarks.training.budget import Budget
from benchmarks.training.results import Done, Folder, Settings
from chaosprep.errors import UsageError
from tests.documents import HOME
from tests.evaluation.test_tables import row

BUDGET = Budget(epochs=18, batch=4, lr=0.002, network="unet", device="cpu")
SETTINGS = Settings(
    folds=(("MR001",), ("MR002",)), size="128", spacing=2.5, sequence=(), budget=BUDGET
)


def done(arm: str = "16-bit-mri", fold: int = 0, seed: int = 0) -> Done:
    return Done(arm=arm, fold=fold, seed=seed, seconds=2.5, results=(row(), row("MR002_t1-in")))


def test_a_result_comes_back_as_it_was(tmp_path: Path) -> None:
    Folder(tmp_path).add(done())
    Folder(tmp_path).add(done(fold=1))
    found = Folder(tmp_path).done()
    assert found == {("16-bit-mri", 0, 0): done(), ("16-bit-mri", 1, 0): done(fold=1)}


def test_a_line_that_was_cut_short_is_no_result_and_harms_no_other(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.add(done())
    file = tmp_path / "results.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + msgspec.json.encode(done(fold=1))[:100])
    assert set(folder.done()) == {("16-bit-mri", 0, 0)}
    folder.add(done(fold=2))
    assert set(folder.done()) == {("16-bit-mri", 0, 0), ("16-bit-mri", 2, 0)}


def test_a_folder_is_gone_on_with_by_the_same_settings_alone(tmp_path: Path) -> None:
    Folder(tmp_path).hold(SETTINGS)
    Folder(tmp_path).hold(SETTINGS)
    other = msgspec.structs.replace(SETTINGS, budget=msgspec.structs.replace(BUDGET, epochs=30))
    with pytest.raises(UsageError, match=r"other settings \(budget\)"):
        Folder(tmp_path).hold(other)


@pytest.mark.parametrize("arm", PREPARED, ids=lambda arm: arm.name)
def test_every_arm_learns_from_as_many_slices(arm: object) -> None:
    """Two offline copies make an epoch three times as long: there are a third of the epochs."""
    (found,) = (one for one in PREPARED if one is arm)
    params = BUDGET.of(found, 3)
    copied = found.name in ("16-bit-copies", "tutorial")
    assert params.epochs * (3 if copied else 1) == 18
    assert (params.seed, params.batch, params.lr) == (3, 4, 0.002)
    assert (params.augment == "mri") == found.name.endswith("-mri")


def test_a_block_of_a_page_is_replaced_and_nothing_else() -> None:
    part = Part("one", "Title", "Text.")
    page = f"before\n\n{block(part, ['old'])}\n\nafter\n"
    new = put(page, part, ["new"])
    assert new == page.replace("old", "new")
    with pytest.raises(ValueError, match="no block two"):
        put(page, Part("two", "Title", "Text."), [])


def test_the_page_has_both_parts_with_the_text_that_the_command_writes() -> None:
    from benchmarks.training.pages import NETWORKS, PREPARED

    page = (HOME / "docs/training.md").read_text(encoding="utf-8")
    for part in (PREPARED, NETWORKS):
        begin = f"<!-- {part.name}: begin -->\n## {part.title}\n\n{part.text}\n\n"
        assert page.count(begin) == 1
        assert f"<!-- {part.name}: end -->" in page
