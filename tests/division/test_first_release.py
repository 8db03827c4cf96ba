"""CHAOS is divided as the release 0.1.0 (commit df707ff) divided it."""

import hashlib
import json
from itertools import product
from typing import Any

from chaosprep.division.params import SplitParams
from chaosprep.division.ranking import assign
from chaosprep.params import make_params

MR = (1, 2, 3, 5, 8, 10, 13, 15, 19, 20, 21, 22, 31, 32, 33, 34, 36, 37, 38, 39)
CT = (1, 2, 5, 6, 8, 10, 14, 16, 18, 19, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30)
IDS = [f"MR{n:03d}" for n in MR] + [f"CT{n:03d}" for n in CT]
WISHES: list[dict[str, Any]] = [
    *(
        {"seed": seed, "val": val, "test": test}
        for seed, val, test in product(range(20), (0.1, 0.2, 0.5), (0, 0.2))
    ),
    *(
        {"seed": seed, "folds": folds, "fold": folds - 1, "test": test}
        for seed, folds, test in product(range(20), (2, 5, 10), (0, 0.2))
    ),
]
DRAWN = "f9a551fa2a5775a04125167febf6f72bfb5e7bc4401e270f407a9d23df818dc3"


def drawn(ids: list[str], **fields: Any) -> dict[str, tuple[str, int | None]]:
    return {**assign(ids, make_params(SplitParams, fields))}


def test_the_usual_split_is_that_of_0_1_0() -> None:
    val = {patient for patient, (side, _) in drawn(IDS[:20]).items() if side == "val"}
    assert val == {"MR002", "MR032", "MR034", "MR039"}
    folds = drawn(IDS[:20], folds=5)
    assert [patient for patient in IDS[:20] if folds[patient][1] == 4] == [
        *("MR008", "MR033", "MR036", "MR038")
    ]


def test_every_wish_is_drawn_as_by_0_1_0() -> None:
    """The hash is over what the code of that release gave, sorted by patient."""
    made = [
        sorted((patient, *side) for patient, side in drawn(ids, **wish).items())
        for wish, ids in product(WISHES, (IDS[:20], IDS))
    ]
    assert hashlib.sha256(json.dumps(made).encode()).hexdigest() == DRAWN
