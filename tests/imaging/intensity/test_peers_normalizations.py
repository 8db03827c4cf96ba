"""z-score and Nyul's landmarks beside the package intensity-normalization."""

from typing import Any

import numpy as np
import pytest

from chaosprep.imaging.intensity.normalizations import NORMALIZATIONS
from tests.stages.normalized import EVERYBODY, TRAINING, Normal, stored, told

pytestmark = pytest.mark.peers


class Image:
    """An array as that package takes it."""

    def __init__(self, data: Any) -> None:  # noqa: ANN401 - an array
        self.data = data

    def get_data(self) -> Any:  # noqa: ANN401 - an array
        return self.data

    def with_data(self, data: Any) -> "Image":  # noqa: ANN401 - an array
        return Image(data)


@pytest.fixture
def peers() -> Any:  # noqa: ANN401 - a module
    pytest.importorskip("skfuzzy")  # which that package imports whatever it is to do
    return pytest.importorskip("intensity_normalization.normalizers")


def masks_of(scanners: Any) -> dict[str, Any]:  # noqa: ANN401 - a dataset
    from chaosprep.imaging.intensity.body import body_mask

    return {case: body_mask(stored(scanners, case), (5.5, 6.25, 6.25)) for case in EVERYBODY}


def test_nyul_gives_what_the_package_gives(
    peers: Any,  # noqa: ANN401 - a module
    scanners: Any,  # noqa: ANN401 - a dataset
    normalized: Normal,
) -> None:
    from intensity_normalization.normalizers.population.nyul import NyulNormalizer

    masks = masks_of(scanners)
    theirs = NyulNormalizer()
    theirs.fit_population(
        [Image(stored(scanners, case)) for case in TRAINING],
        [Image(masks[case]) for case in TRAINING],
    )
    for case in EVERYBODY:
        expected = theirs.transform(Image(stored(scanners, case)), Image(masks[case])).get_data()
        assert np.abs(told(normalized["nyul"], case) - expected).max() <= 1e-3


@pytest.mark.parametrize("seed", range(4))
def test_of_many_values_it_is_the_same_to_nine_digits(
    peers: Any,  # noqa: ANN401 - a module
    seed: int,
) -> None:
    from intensity_normalization.normalizers.population.nyul import NyulNormalizer

    rng = np.random.default_rng(seed)
    volumes = [rng.gamma(2 + k, 50 + 30 * k, (6, 40, 40)) + 11 * k for k in range(5)]
    masks = [volume > np.percentile(volume, 20) for volume in volumes]
    theirs = NyulNormalizer()
    theirs.fit_population([Image(one) for one in volumes], [Image(mask) for mask in masks])
    learning = NORMALIZATIONS["nyul"].learning
    assert learning is not None
    seen = [learning.see(one[mask]) for one, mask in zip(volumes, masks, strict=True)]
    scale = learning.conclude([one for one in seen if one is not None])
    for one, mask in zip(volumes, masks, strict=True):
        found = NORMALIZATIONS["nyul"].fit(one[mask], scale).apply(one)
        expected = theirs.transform(Image(one), Image(mask)).get_data()
        assert np.allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_zscore_gives_what_the_package_gives(
    peers: Any,  # noqa: ANN401 - a module
    scanners: Any,  # noqa: ANN401 - a dataset
    normalized: Normal,
) -> None:
    from intensity_normalization.normalizers.individual.zscore import ZScoreNormalizer

    masks = masks_of(scanners)
    for case in EVERYBODY:
        image = Image(stored(scanners, case))
        expected = ZScoreNormalizer().fit(image, Image(masks[case])).transform(image).get_data()
        assert np.abs(told(normalized["zscore"], case) - expected).max() <= 1e-3
