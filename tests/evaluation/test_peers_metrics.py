"""Surface Dice beside surface-distance, lesions beside panoptica, HD95 beside MONAI.

The first two run in an environment of their own (`make test-peers`). surface-distance has NaN where
both masks are empty. MONAI's border has what touches the edge of the array and ours does not, so
that masks are padded before they are compared. panoptica takes an IoU of 0.5 for a match, and ours
must be above it: it is asked for a hair more. It has NaN where there is no lesion on either side.
MONAI's HD95 is to 1e-6, once `torch.quantile` takes the rank of the percentile in float64; as it
is, in float32, it is 1.3e-6 off.
"""

import json
import math
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chaosprep.evaluation.elements import within_elements
from chaosprep.evaluation.lesions import lesions
from chaosprep.evaluation.overlap import Mask
from chaosprep.evaluation.surface import Spacing, surface
from tests.evaluation.truth import random_mask

pytestmark = pytest.mark.peers

ROOT = Path(__file__).parents[2]
PYTHON = Path(os.environ.get("CHAOSPREP_METRICS_PYTHON", ROOT / ".venv-metrics/bin/python"))
Case = tuple[Mask, Mask, Spacing, float]


def ball(radius: float, centre: float, spacing: Spacing) -> Mask:
    shape = tuple(int(40 / length) for length in spacing)
    away = sum(
        (index * length - centre) ** 2
        for index, length in zip(np.indices(shape), spacing, strict=True)
    )
    return np.asarray(away <= radius**2)


def cases() -> list[Case]:
    """200 random pairs, half of them alike, then spheres, empty, single and edge ones."""
    random = np.random.default_rng(18)
    made: list[Case] = []
    for at in range(200):
        deep, high, wide = (int(random.integers(*ends)) for ends in ((2, 11), (4, 20), (4, 20)))
        shape = (deep, high, wide)
        ref = random_mask(random, shape)
        pred = random_mask(random, shape)
        if at % 2:
            pred = ref.copy()
            pred[tuple(random.integers(0, size) for size in shape)] ^= True
            pred |= random_mask(random, shape) & (random.random(shape) < 0.3)
        a, b, c = random.uniform(0.4, 7.7, 3)
        made.append((pred, ref, (float(a), float(b), float(c)), float(random.uniform(0.3, 6))))
    spacing = (2.5, 0.9, 1.1)
    made.append((ball(12, 19, spacing), ball(10, 20, spacing), spacing, 2.0))
    made.append((ball(9, 12, spacing), ball(9, 12, spacing), spacing, 1.0))
    none, one, edge = (np.zeros((5, 6, 7), dtype=bool) for _ in range(3))
    one[2, 3, 3] = edge[0, :3] = True
    made += [(a, b, spacing, 1.3) for a in (none, one, edge) for b in (none, one, edge)]
    return made


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    if not PYTHON.exists():
        pytest.skip(f"no {PYTHON}: make test-peers")
    place = tmp_path_factory.mktemp("metrics")
    names = ("pred", "ref", "spacing", "tolerance")
    given = {
        f"{name}{at}": np.asarray(value)
        for at, case in enumerate(cases())
        for name, value in zip(names, case, strict=True)
    }
    np.savez(place / "pairs.npz", **given)  # type: ignore[arg-type]
    script = Path(__file__).with_name("metric_oracle.py")
    command = [PYTHON, script, place / "pairs.npz", place / "out.json"]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": ""}, cwd=place)
    found: list[dict[str, Any]] = json.loads((place / "out.json").read_text())
    return found


def test_elements_are_those_of_surface_distance(others: list[dict[str, Any]]) -> None:
    for (pred, ref, spacing, tolerance), other in zip(cases(), others, strict=True):
        ours = within_elements(pred, ref, spacing, tolerance)
        if not (pred.any() or ref.any()):
            assert math.isnan(other["nsd"])
            assert ours == 1
        else:
            assert ours == pytest.approx(other["nsd"], rel=1e-6, abs=1e-12)


def test_lesions_are_those_of_panoptica(others: list[dict[str, Any]]) -> None:
    for (pred, ref, _, _), other in zip(cases(), others, strict=True):
        found = lesions(pred, ref)
        assert (found.tp, found.fp, found.fn) == (other["tp"], other["fp"], other["fn"])
        if found.tp:
            expected = [other[name] for name in ("rq", "sq", "pq")]
            assert [found.f1, found.sq, found.pq] == pytest.approx(expected, rel=1e-6)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(("as_it_is", "apart"), [(True, 2e-6), (False, 1e-6)])
def test_hd95_is_that_of_monai(
    monkeypatch: pytest.MonkeyPatch, as_it_is: bool, apart: float
) -> None:
    torch = pytest.importorskip("torch")
    metrics = pytest.importorskip("monai.metrics")
    quantile = torch.quantile
    if not as_it_is:
        monkeypatch.setattr(
            torch, "quantile", lambda values, part: quantile(values.double(), part).float()
        )
    compared = 0
    for pred, ref, spacing, _ in cases():
        if not (pred.any() and ref.any()):
            continue
        padded = [np.pad(mask, 1) for mask in (pred, ref)]
        both = [torch.from_numpy(mask[None, None].astype(np.float32)) for mask in padded]
        other = metrics.compute_hausdorff_distance(
            *both, include_background=True, percentile=95, spacing=spacing
        )
        ours = surface(padded[0], padded[1], spacing).hd95
        assert ours == pytest.approx(float(other), rel=apart, abs=1e-9)
        compared += 1
    assert compared > 200
