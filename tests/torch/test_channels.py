"""2.5-D and several sequences: which slices are the channels of an item, moved as one."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import chaosprep
from chaosprep import Dataset
from chaosprep.augmentation import apply, draw, recipe_of
from chaosprep.dataset.case import Case
from chaosprep.dataset.records import Slice
from chaosprep.errors import ChaosprepError, FileError, UsageError
from chaosprep.imaging.measured import Pixels

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402

from chaosprep.torch import SliceDataset, SliceStream  # noqa: E402
from chaosprep.torch.seen import Channels, Seen  # noqa: E402

BOTH = ("t1-in", "t1-out")
GAMMA = {"gamma": {"probability": 1.0, "exponent": [0.5, 0.8]}}
TURNED = {"rotation": {"probability": 1.0, "degrees": 20}}
NOISY = {"noise": {"probability": 1.0, "sigma": [0.05, 0.1]}}


@dataclass(frozen=True)
class Spot:
    """A slice, where it lies, and which of its case it is."""

    slice: int
    id: str = "MR001_t1-in_s000"
    rows: int = 32
    cols: int = 24
    position: tuple[float, float, float] | None = (0.0, 0.0, 0.0)
    orientation: tuple[float, float, float, float, float, float] | None = (1, 0, 0, 0, 1, 0)
    spacing: tuple[float | None, float, float] | None = (5.0, 2.0, 2.0)


@pytest.fixture(scope="module")
def both(phases: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Both phases of two patients to train on and one to validate, windowed. Read only."""
    return chaosprep.convert(phases, tmp_path_factory.mktemp("both") / "images")


@pytest.fixture(scope="module")
def kept(phases: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The same as stored, in 16 bits. Read only."""
    return chaosprep.convert(phases, tmp_path_factory.mktemp("kept") / "images", keep_16bit=True)


def images(dataset: Dataset, sequence: str, **more: Any) -> dict[str, Any]:
    """The images of a sequence alone, (rows, cols), by slice id."""
    slices = SliceDataset(dataset, sequences=sequence, **more)
    return {item["id"]: item["image"][0] for item in map(slices.__getitem__, range(len(slices)))}


def stored(dataset: Dataset, id: str) -> NDArray[Any]:
    return dataset.image(next(row for row in dataset.slices if row.id == id))


def beside(id: str, step: int) -> str:
    """The id of a slice's neighbour in a case of four."""
    number = min(max(int(id[-3:]) + step, 0), 3)
    return f"{id[:-3]}{number:03}"


def code_of(source: Any, **asked: Any) -> str:  # noqa: ANN401 - whatever is refused
    with pytest.raises(ChaosprepError) as error:
        SliceDataset(source, **asked)
    return error.value.code


def test_neighbours_are_channels_from_below_to_above_and_the_outermost_is_repeated(
    both: Dataset,
) -> None:
    plain, slices = images(both, "t1-in"), SliceDataset(both, sequences="t1-in", neighbours=2)
    assert len(slices) == 8
    for item in map(slices.__getitem__, range(len(slices))):
        expected = [plain[beside(item["id"], step)] for step in (-2, -1, 0, 1, 2)]
        assert torch.equal(item["image"], torch.stack(expected))


def test_mask_and_id_are_those_of_the_slice_in_the_middle(both: Dataset) -> None:
    plain, slices = SliceDataset(both), SliceDataset(both, neighbours=1)
    for place in range(16):
        one, other = plain[place], slices[place]
        assert (one["id"], one["patient"]) == (other["id"], other["patient"])
        assert torch.equal(one["mask"], other["mask"])
        assert torch.equal(one["spacing"], other["spacing"])


def test_without_neighbours_and_channels_an_item_is_what_it_was(kept: Dataset) -> None:
    plain = SliceDataset(kept, augment="mri", seed=3)
    asked = SliceDataset(kept, augment="mri", seed=3, neighbours=0, channels=())
    for index in range(len(plain)):
        assert torch.equal(plain[index]["image"], asked[index]["image"])
        assert torch.equal(plain[index]["mask"], asked[index]["mask"])


@pytest.mark.parametrize("neighbours", [0, 1])
def test_channels_come_sequence_by_sequence(kept: Dataset, neighbours: int) -> None:
    one, other = (images(kept, sequence) for sequence in BOTH)
    slices = SliceDataset(kept, channels=BOTH, neighbours=neighbours)
    assert len(slices) == 8
    for item in map(slices.__getitem__, range(len(slices))):
        id, steps = item["id"], range(-neighbours, neighbours + 1)
        twin = id.replace("t1-in", "t1-out")
        expected = [one[beside(id, step)] for step in steps]
        expected += [other[beside(twin, step)] for step in steps]
        assert torch.equal(item["image"], torch.stack(expected))


def test_the_mask_is_that_of_the_first_channel(both: Dataset) -> None:
    slices = SliceDataset(both, channels="t1-out,t1-in")
    alone = SliceDataset(both, sequences="t1-out")
    assert [slices[at]["id"] for at in range(8)] == [alone[at]["id"] for at in range(8)]
    assert all(torch.equal(slices[at]["mask"], alone[at]["mask"]) for at in range(8))


def test_in_a_gap_a_nearer_slice_stands_for_the_one_that_is_missing(
    rewritten: Callable[..., Path],
) -> None:
    def leave_out_the_third(row: dict[str, Any]) -> None:
        row["slice"] += row["patient"] == "MR001" and row["slice"] > 1

    dataset = chaosprep.open(rewritten(leave_out_the_third))
    plain = list(images(dataset, "t1-in", patients="MR001").values())
    slices = SliceDataset(dataset, patients="MR001", neighbours=2)
    assert slices.planes is not None
    assert slices.planes.gaps == 1
    wanted = [[0, 0, 0, 1, 1], [0, 0, 1, 1, 2], [1, 2, 2, 3, 3], [2, 2, 3, 3, 3]]
    for item, places in zip(map(slices.__getitem__, range(4)), wanted, strict=True):
        assert torch.equal(item["image"], torch.stack([plain[place] for place in places]))


@given(
    st.sets(st.integers(0, 40), min_size=1, max_size=20),
    st.integers(0, 5),
)
def test_a_neighbour_is_never_farther_than_asked_nor_on_the_other_side(
    numbers: set[int], neighbours: int
) -> None:
    spots = [Spot(number) for number in sorted(numbers)]
    channels = Channels([spots], Seen(neighbours=neighbours))
    for spot in spots:
        found = channels.of(spot)
        assert len(found) == 2 * neighbours + 1
        for step, one in zip(range(-neighbours, neighbours + 1), found, strict=True):
            assert 0 <= (one.slice - spot.slice) * (1 if step > 0 else -1) <= abs(step)
            assert one.slice == spot.slice + step or spot.slice + step not in numbers


@pytest.mark.parametrize(
    ("other", "code"),
    [
        (Spot(3), "channel-missing"),
        (Spot(2, rows=31), "channel-grid"),
        (Spot(2, position=(0.0, 0.02, 0.0)), "channel-grid"),
        (Spot(2, position=None), "channel-grid"),
        (Spot(2, spacing=(5.0, 2.0, 2.1)), "channel-grid"),
        (Spot(2, orientation=(0, 1, 0, 1, 0, 0)), "channel-grid"),
    ],
)
def test_a_channel_that_does_not_lie_there_is_refused(other: Spot, code: str) -> None:
    with pytest.raises(FileError) as error:
        Channels([[Spot(2)], [other]], Seen(channels=BOTH))
    assert error.value.code == code


def test_slices_without_a_place_are_channels_where_they_are_alike() -> None:
    nowhere = Spot(2, position=None, orientation=None)
    assert Channels([[nowhere], [nowhere]], Seen(channels=BOTH)).of(nowhere) == (nowhere, nowhere)


def test_neighbours_of_another_size_are_refused() -> None:
    spots = [Spot(0, "a"), Spot(1, "b", rows=40)]
    with pytest.raises(FileError, match="b differs in size from a"):
        Channels([spots], Seen(neighbours=1))
    Channels([spots], Seen())


def test_a_patient_without_one_of_the_channels_is_named(phantom: Path, tmp_path: Path) -> None:
    pairs = chaosprep.split(phantom, tmp_path / "pairs", val=0, sequence=[*BOTH, "t2-spir"])
    made = chaosprep.convert(pairs, tmp_path / "images")
    with pytest.raises(ChaosprepError, match=r"^MR005 has no t1-out\. ") as error:
        SliceDataset(made, channels=BOTH)
    assert error.value.code == "channel-missing"
    with pytest.raises(ChaosprepError, match=r"^MR002 has no t2-spir \(and 1 more\)\. "):
        SliceDataset(made, channels=("t1-in", "t2-spir"), patients=["MR002", "MR003"])
    assert len(SliceDataset(made, channels=BOTH, patients=["MR001", "MR003"])) == 8


def test_sequences_on_other_grids_are_no_channels(phantom: Path, tmp_path: Path) -> None:
    pairs = chaosprep.split(phantom, tmp_path / "pairs", val=0, sequence=["t1-in", "t2-spir"])
    made = chaosprep.convert(pairs, tmp_path / "images")
    asked: dict[str, Any] = {"channels": ("t1-in", "t2-spir"), "patients": "MR001"}
    with pytest.raises(ChaosprepError, match="convert reference") as error:
        SliceDataset(made, **asked)
    assert error.value.code == "channel-grid"
    placed = chaosprep.convert(pairs, tmp_path / "placed", reference="t1-in", on_error="skip")
    assert len(SliceDataset(placed, **asked)[0]["image"]) == 2


def test_what_cannot_be_meant_is_a_usage_error(both: Dataset) -> None:
    assert code_of(both, channels=("t1-in", "t9")) == "sequence"
    assert code_of(both, channels=("t1-in", "t1-in")) == "channels"
    assert code_of(both, channels=BOTH, sequences="t1-in") == "channels"
    assert code_of(both, neighbours=-1) == "neighbours"
    assert code_of(both, neighbours=17) == "neighbours"
    assert code_of(both, neighbours=1.5) == "neighbours"
    assert code_of(both, channels="t1-in,,t1-out") == "channels"
    with pytest.raises(UsageError, match=r"t9: no such sequence in .*There are: t1-in, t1-out"):
        SliceDataset(both, channels="t1-in,t9")


def test_augmented_copies_are_not_shown(both: Dataset, tmp_path: Path) -> None:
    copied = chaosprep.augment(both, tmp_path / "copied", copies=2)
    assert len(SliceDataset(copied, sequences="t1-in")) == 24
    found, wanted = (SliceDataset(one, channels=BOTH, neighbours=1) for one in (copied, both))
    assert [found[at]["id"] for at in range(len(found))] == [wanted[at]["id"] for at in range(8)]
    assert torch.equal(found[5]["image"], wanted[5]["image"])


def test_all_channels_move_as_the_slice_itself_is_drawn(kept: Dataset) -> None:
    slices = SliceDataset(kept, channels=BOTH, neighbours=1, augment=TURNED, seed=7, scale="none")
    item = slices[2]
    drawn = draw(recipe_of(TURNED), seed=7, slice_id=item["id"], copy=1)
    ids = [beside(item["id"], step) for step in (-1, 0, 1)]
    for channel, id in enumerate([*ids, *(id.replace("t1-in", "t1-out") for id in ids)]):
        expected, _ = apply(drawn, stored(kept, id), None)
        assert np.array_equal(item["image"][channel].numpy(), expected)


def test_the_mask_moves_with_them(kept: Dataset) -> None:
    asked: dict[str, Any] = {"augment": "mri", "seed": 5, "sequences": "t1-in"}
    plain, slices = SliceDataset(kept, **asked), SliceDataset(kept, neighbours=1, **asked)
    assert all(torch.equal(plain[at]["mask"], slices[at]["mask"]) for at in range(8))


def test_grey_values_of_neighbours_change_alike_on_the_range_of_all_of_them(kept: Dataset) -> None:
    slices = SliceDataset(kept, sequences="t1-in", neighbours=1, augment=GAMMA, scale="none")
    item = slices[1]
    (gamma,) = draw(recipe_of(GAMMA), seed=0, slice_id=item["id"], copy=1)["operations"]
    ids = [beside(item["id"], step) for step in (-1, 0, 1)]
    planes = np.stack([stored(kept, id) for id in ids]).astype(np.float64)
    low, high = planes.min(), planes.max()
    expected = ((planes - low) / (high - low)) ** gamma["exponent"] * (high - low) + low
    assert np.abs(item["image"].numpy() - expected).max() < 0.6


def test_grey_values_of_another_sequence_change_as_its_own_slice_would(kept: Dataset) -> None:
    recipe = GAMMA | NOISY
    slices = SliceDataset(kept, channels=BOTH, augment=recipe, seed=3)
    alone = images(kept, "t1-out", augment=recipe, seed=3)
    for item in map(slices.__getitem__, range(len(slices))):
        assert torch.equal(item["image"][1], alone[item["id"].replace("t1-in", "t1-out")])


def test_noise_is_another_in_each_channel(kept: Dataset) -> None:
    first = SliceDataset(kept, sequences="t1-in", neighbours=1, augment=NOISY)[0]["image"]
    plain = SliceDataset(kept, sequences="t1-in")[0]["image"][0]
    assert not torch.equal(first[0], first[1])  # the same slice, as nothing lies below
    first, plain = first[:2].numpy() - plain.numpy(), None
    assert abs(np.corrcoef(first[0].ravel(), first[1].ravel())[0, 1]) < 0.5


def test_an_item_depends_on_seed_epoch_and_id_alone(kept: Dataset) -> None:
    asked: dict[str, Any] = {"channels": BOTH, "neighbours": 1, "augment": "mri", "seed": 2}
    slices, again = SliceDataset(kept, **asked), SliceDataset(kept, **asked)
    for epoch in (0, 1):
        slices.set_epoch(epoch)
        again.set_epoch(epoch)
        forward = [slices[at]["image"] for at in range(len(slices))]
        backward = [again[at]["image"] for at in reversed(range(len(again)))]
        assert all(map(torch.equal, forward, reversed(backward)))


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded, use of fork")
def test_workers_and_pickles_give_the_same_items(kept: Dataset) -> None:
    slices = SliceDataset(kept, channels=BOTH, neighbours=1, augment="mri")
    expected = torch.stack([slices[at]["image"] for at in range(len(slices))])
    loaded = DataLoader(slices, batch_size=3, num_workers=2)
    assert torch.equal(torch.cat([batch["image"] for batch in loaded]), expected)
    again = pickle.loads(pickle.dumps(slices))  # noqa: S301 - our own
    assert torch.equal(again[3]["image"], expected[3])


def test_a_transform_gets_the_channels_last_as_albumentations_does(both: Dataset) -> None:
    seen: list[tuple[int, ...]] = []

    def crop(*, image: NDArray[Any], mask: NDArray[Any]) -> dict[str, Any]:
        seen.extend((image.shape, mask.shape))
        return {"image": image[4:20, 2:10], "mask": mask[4:20, 2:10]}

    def as_tensor(*, image: NDArray[Any], mask: NDArray[Any]) -> dict[str, Any]:
        return {"image": torch.from_numpy(image).permute(2, 0, 1), "mask": mask}

    plain = SliceDataset(both, channels=BOTH, neighbours=1)[1]
    cut = SliceDataset(both, transform=crop, channels=BOTH, neighbours=1)[1]
    assert seen == [(32, 32, 6), (32, 32)]
    assert torch.equal(cut["image"], plain["image"][:, 4:20, 2:10])
    assert torch.equal(cut["mask"], plain["mask"][:, 4:20, 2:10])
    same = SliceDataset(both, transform=as_tensor, channels=BOTH, neighbours=1)[1]
    assert torch.equal(same["image"], plain["image"])


def test_in_the_order_of_the_table_each_slice_is_decoded_once(
    both: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    pixels = Case.pixels

    def noted(case: Case, row: Slice) -> Pixels:
        read.append(row.id)
        return pixels(case, row)

    monkeypatch.setattr(Case, "pixels", noted)
    slices = SliceDataset(both, channels=BOTH, neighbours=1)
    for index in range(len(slices)):
        slices[index]
    assert len(read) == len({*read}) == 16


def test_a_file_that_changed_is_refused_where_it_is_a_neighbour(
    phases: Dataset, tmp_path: Path
) -> None:
    made = chaosprep.convert(phases, tmp_path / "images")
    path = made.directory / next(r.image for r in made.slices if r.id == "MR001_t1-out_s001")
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    slices = SliceDataset(made, channels=BOTH, neighbours=1)
    with pytest.raises(FileError) as error:
        slices[2]
    assert error.value.code == "hash"


@pytest.mark.parametrize("buffer", [0, 5])
@pytest.mark.parametrize("packed", [False, True])
def test_a_stream_gives_the_neighbours_too(
    kept: Dataset, tmp_path: Path, packed: bool, buffer: int
) -> None:
    where = chaosprep.export("webdataset", kept, tmp_path / "s").path if packed else kept.directory
    stream = SliceStream(where, augment="mri", neighbours=1, seed=4, buffer=buffer)
    slices = SliceDataset(kept, augment="mri", neighbours=1, seed=4)
    expected = {item["id"]: item["image"] for item in map(slices.__getitem__, range(len(slices)))}
    found = {item["id"]: item["image"] for item in stream}
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[id], expected[id]) for id in found)


def test_what_rounding_moves_lies_at_the_same_place() -> None:
    near = replace(Spot(2), position=(0.0, 0.005, 0.0), spacing=(5.1, 2.0, 2.0))
    assert Channels([[Spot(2)], [near]], Seen(channels=BOTH)).of(Spot(2)) == (Spot(2), near)
