# mypy: ignore-errors
# ruff: noqa: ANN401
"""Run by the interpreter of an environment of its own: what others measure of the pairs of a file.

`python metric_oracle.py PAIRS.npz OUT.json`; arrays `pred0`, `ref0`, `spacing0`, `tolerance0`, ...
"""

import contextlib
import io
import json
import sys
from typing import Any

import numpy as np

np.Inf = np.inf  # surface-distance 0.1 is older than NumPy 2
from panoptica import (  # noqa: E402
    InputType,
    NaiveThresholdMatching,
    Panoptica_Evaluator,
)
from panoptica.instance_approximator import ConnectedComponentsInstanceApproximator  # noqa: E402
from surface_distance import metrics  # noqa: E402


def measured(pred: Any, ref: Any, spacing: Any, tolerance: float) -> dict[str, float]:
    distances = metrics.compute_surface_distances(ref, pred, spacing)
    with np.errstate(all="ignore"):
        nsd = metrics.compute_surface_dice_at_tolerance(distances, tolerance)
    evaluator = Panoptica_Evaluator(
        expected_input=InputType.SEMANTIC,
        instance_approximator=ConnectedComponentsInstanceApproximator(),
        instance_matcher=NaiveThresholdMatching(matching_threshold=0.5 + 1e-9),
    )
    with contextlib.redirect_stdout(io.StringIO()):
        found = evaluator.evaluate(pred.astype(np.uint8), ref.astype(np.uint8))["ungrouped"]
    values = {name: float(getattr(found, name)) for name in ("tp", "fp", "fn", "rq", "sq", "pq")}
    return {"nsd": float(nsd), **values}


with np.load(sys.argv[1]) as given:
    count = len(given.files) // 4
    results = [
        measured(
            given[f"pred{at}"],
            given[f"ref{at}"],
            given[f"spacing{at}"],
            float(given[f"tolerance{at}"]),
        )
        for at in range(count)
    ]
with open(sys.argv[2], "w") as file:
    json.dump(results, file)
