"""How often a case stands out by chance: clean cohorts, volumes log-normal or heavy-tailed.

Run: python -m benchmarks.outliers
"""

import numpy as np

from chaosprep.quality.outliers.judging import outliers
from chaosprep.quality.outliers.values import CaseValues, StructureValues

ORGANS = ("liver", "spleen", "left-kidney", "right-kidney")
COHORTS = 100


def cohort(rng: np.random.Generator, count: int, *, heavy: bool) -> list[CaseValues]:
    """Cases with four organs, two choices of spacing, intensities of another scale each."""

    def organ() -> StructureValues:
        far = 0.3 * (rng.standard_t(4) if heavy else rng.normal())
        return StructureValues(
            ml=float(np.exp(6 + far)),
            voxels=1,
            jump=float(np.clip(rng.normal(0.25, 0.07), 0, 1)),
            holes=int(rng.poisson(0.3)),
            islands=int(rng.poisson(0.5)),
            centre=(float(rng.normal(0.5, 0.05)), float(rng.normal(0.5, 0.05)), 0.5),
        )

    return [
        CaseValues(
            id=f"P{at:03d}_t1",
            patient=f"P{at:03d}",
            side="",
            sequence="t1",
            shape=(30, 256, 256),
            spacing=(float(rng.choice([5.5, 6, 7])), 1.6, 1.6),
            percentiles=(0.0, float(np.exp(rng.normal(4, 0.3))), float(np.exp(rng.normal(6, 0.3)))),
            structures={name: organ() for name in ORGANS},
        )
        for at in range(count)
    ]


def main() -> None:
    """Print the part of cases that stand out, by the size of the cohort."""
    for heavy in (False, True):
        rng = np.random.default_rng(0)
        print("Student's t of 4 degrees" if heavy else "normal", "in logarithms:")
        for count in (8, 10, 20, 40, 100):
            many = [
                len({one.case for one in outliers(cohort(rng, count, heavy=heavy))}) / count
                for _ in range(COHORTS)
            ]
            print(f"{count:4d} cases: {np.mean(many):.2%} stand out")


if __name__ == "__main__":
    main()
