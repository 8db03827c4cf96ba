"""Draw a transform as plain numbers that a manifest can keep and `apply` can repeat."""

import hashlib
import json
from functools import lru_cache, partial
from typing import Any, Final, cast

import msgspec
import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

from chaosprep.augmentation.elastic import DrawnElastic
from chaosprep.augmentation.operation import rounded
from chaosprep.augmentation.recipe import AnyRecipe
from chaosprep.errors import UsageError

SCHEME_VERSION: Final = 1  # goes up when a seed draws other numbers, or they mean other pixels
DECIMALS: Final = 6  # of drawn numbers: short in the manifest, exact through JSON
FOLDED: Final = 200  # elastic draws in a row that may fold before a recipe is called impossible


def generator(
    seed: int, slice_id: str, copy: int, operation: str, attempt: int = 0
) -> np.random.Generator:
    """Return the random numbers that belong to one operation on one copy of one slice.

    They come from Philox, a counter-based generator (Salmon et al. 2011, "Parallel random numbers:
    as easy as 1, 2, 3"), keyed by the first 128 bits of a SHA-256 of the arguments. They depend on
    nothing else: not on workers, order, the slices chosen or the operations beside this one.
    """
    # A JSON list quotes its strings, so ("a1", 2) and ("a", 12) cannot read the same.
    quoted = _quoted(slice_id), _quoted(operation)
    identity = f"[{SCHEME_VERSION}, {seed}, {quoted[0]}, {copy}, {attempt}, {quoted[1]}]"
    digest = hashlib.sha256(identity.encode("ascii")).digest()
    return np.random.Generator(np.random.Philox(cast(np.random.SeedSequence, _Key(digest[:16]))))


def draw(
    recipe: AnyRecipe, *, seed: int, slice_id: str, copy: int, attempt: int = 0
) -> dict[str, Any]:
    """Draw the transform of one copy of one slice.

    Returns a dict of JSON values: ``scheme``, ``engine``, ``attempt``, ``guard`` (None),
    ``interpolation``, and ``operations``, the drawn ones in the order in which they happen, each a
    flat dict with its name under ``operation``. A higher ``attempt`` draws anew for the same copy.
    An elastic draw that folds the picture is thrown away for the next attempt, and ``attempt`` then
    tells which one this is. Raises `UsageError` (``augmentation-folds``) where nothing but folds
    comes.
    """
    for number in range(attempt, attempt + FOLDED):
        drawn = recipe.draw(partial(generator, seed, slice_id, copy, attempt=number))
        if not any(isinstance(one, DrawnElastic) and one.folds() for one in drawn):
            return {
                "scheme": SCHEME_VERSION,
                "engine": recipe.__struct_config__.tag,
                "attempt": number,
                "guard": None,
                "interpolation": recipe.interpolation,
                "operations": rounded(msgspec.to_builtins(drawn), DECIMALS),
            }
    raise UsageError(
        f"elastic: {FOLDED} draws in a row fold the picture",
        "Give a smaller sigma or grid.",
        "augmentation-folds",
    )


_quoted = lru_cache(maxsize=64)(json.dumps)  # an id is asked for once for each operation


class _Key(ISeedSequence):
    """Hands over a key as it is; ``Philox(key=...)`` asks the system for entropy all the same."""

    def __init__(self, key: bytes) -> None:
        self.key = key

    def generate_state(
        self, n_words: int, dtype: object = np.uint32
    ) -> NDArray[np.uint32 | np.uint64]:
        """Return the two words of the key."""
        return np.frombuffer(self.key, "<u8", n_words).astype(np.uint64)
