"""One synthetic upper abdomen: what is drawn once per patient.

Body coordinates are mm from the middle of the body: x to the patient's left (right in the image),
y to the back (down in the image), z to the head, from -`HALF_HEIGHT` to +`HALF_HEIGHT`. The
measures are rounded adult ones, chosen by eye; no image was traced.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chaosprep.phantom.shapes import Blob, Field, Tube, Vector

HALF_HEIGHT = 95.0  # half the height of the body, mm: about 35 slices at 5.5 mm, a CHAOS T1 stack
WAVES = 5  # number of plane waves in each component of the warp that makes outlines irregular
WARP = 4.0  # the most that the warp moves a point along x or y, mm
LOOPS = 56
ORGANS = ("liver", "left-lobe", "spleen", "right-kidney", "left-kidney", "stomach", "gallbladder")
PORTA: Vector = (-34.0, 2.0, 8.0)
CAVA: Vector = (-22.0, 20.0, 60.0)


@dataclass(frozen=True)
class Anatomy:
    """What differs from patient to patient.

    `size` scales x, y and z; `fat` (mm) thickens the fat under the skin; `moves` has (dx, dy, dz,
    growth) per organ; `waves` is (2, WAVES, 4): wave vector (1/mm) and phase of each wave.
    """

    size: Vector
    fat: float
    moves: dict[str, NDArray[np.float64]]
    waves: NDArray[np.float64]
    vessels: tuple[Tube, ...]
    bowel: tuple[Blob, ...]

    def organ(self, name: str, centre: Vector, radii: Vector, turn: float = 0.0) -> Blob:
        """Give a blob this patient's place and size for the organ `name`."""
        *move, growth = self.moves[name]
        moved, grown = np.array(centre) + move, np.array(radii) * growth
        return Blob(tuple(moved.tolist()), tuple(grown.tolist()), turn)

    def warp(self, x: Field, y: Field, z: float) -> tuple[Field, Field]:
        """Sum the waves into a displacement along x and y, each (rows, cols), mm.

        sin(a + b) is taken apart into sines and cosines of a row and of a column, far cheaper than
        a sine per pixel.
        """
        shifts = []
        for kx, ky, kz, phase in self.waves.transpose(0, 2, 1):
            across = np.outer(x, kx)
            down = np.outer(y, ky) + kz * z + phase
            waves = np.sin(down) @ np.cos(across).T + np.cos(down) @ np.sin(across).T
            shifts.append(waves * (WARP / WAVES))
        return shifts[0], shifts[1]


def draw_anatomy(rng: np.random.Generator) -> Anatomy:
    """Draw one patient."""
    lengths = rng.uniform((45.0, 45.0, 70.0), (110.0, 110.0, 160.0), (2, WAVES, 3))
    signs = np.where(rng.random((2, WAVES, 3)) < 0.5, -1.0, 1.0)
    phases = rng.uniform(0.0, 2 * np.pi, (2, WAVES, 1))
    moves = rng.uniform((-5.0, -4.0, -6.0, 0.93), (5.0, 4.0, 2.0, 1.06), (len(ORGANS), 4))
    return Anatomy(
        size=tuple(rng.uniform((0.92, 0.93, 0.97), (1.03, 1.08, 1.02)).tolist()),
        fat=float(rng.uniform(-4.0, 10.0)),
        moves=dict(zip(ORGANS, moves, strict=True)),
        waves=np.concatenate([signs * 2 * np.pi / lengths, phases], axis=2),
        vessels=liver_vessels(rng),
        bowel=bowel_loops(rng),
    )


def liver_vessels(rng: np.random.Generator) -> tuple[Tube, ...]:
    """Draw hepatic veins (to the vena cava) and portal branches (from the porta), with twigs."""
    right, left = (-72.0, 6.0, 10.0), (-2.0, -44.0, 22.0)
    stems = [
        Tube(CAVA, (-118.0, -8.0, 34.0), 4.5),
        Tube(CAVA, (-72.0, -48.0, 36.0), 4.2),
        Tube(CAVA, (14.0, -52.0, 40.0), 3.8),
        Tube(PORTA, right, 6.0),
        Tube(right, (-118.0, 26.0, 0.0), 4.2),
        Tube(right, (-104.0, -34.0, 16.0), 4.2),
        Tube(right, (-92.0, 30.0, 36.0), 3.6),
        Tube(right, (-100.0, 10.0, -34.0), 3.6),
        Tube(PORTA, left, 4.6),
        Tube(left, (36.0, -54.0, 32.0), 3.4),
    ]
    return (*stems, *(twig(rng, stem) for stem in stems for _ in range(4)))


def twig(rng: np.random.Generator, stem: Tube) -> Tube:
    """Draw a thin branch that leaves a vessel somewhere in its outer two thirds."""
    start, end = np.array(stem.start), np.array(stem.end)
    root = start + (end - start) * rng.uniform(0.35, 1.0)
    tip = root + rng.uniform(-1.0, 1.0, 3) * (40.0, 35.0, 35.0)
    return Tube(tuple(root.tolist()), tuple(tip.tolist()), stem.radius * 0.5)


def bowel_loops(rng: np.random.Generator) -> tuple[Blob, ...]:
    """Draw loops of small bowel between the liver and the lower end."""
    centres = rng.uniform((-82.0, -64.0, -115.0), (98.0, 26.0, 2.0), (LOOPS, 3)).tolist()
    radii = rng.uniform((12.0, 11.0, 12.0), (22.0, 17.0, 20.0), (LOOPS, 3)).tolist()
    turns = rng.uniform(-1.0, 1.0, LOOPS).tolist()
    drawn = zip(centres, radii, turns, strict=True)
    return tuple(Blob(tuple(centre), tuple(radius), turn) for centre, radius, turn in drawn)
