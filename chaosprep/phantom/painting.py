"""Paint an anatomy into one slice, from the skin inwards; what comes later covers the rest."""

import numpy as np
from numpy.typing import NDArray

from chaosprep.phantom.anatomy import CAVA, HALF_HEIGHT, Anatomy
from chaosprep.phantom.shapes import Blob, Block, Canvas, Field, Mask, union
from chaosprep.phantom.tissues import Tissue

BODY = (166.0, 112.0)  # half-width and half-depth of the body at the waist, mm
WALL = (150.0, 93.0)  # the same of the muscular wall of a lean patient, mm
COLON = (
    Blob((-104.0, 8.0, -95.0), (19.0, 21.0, 40.0)),
    *(
        Blob((x, -56.0 + (x / 30.0) ** 2, -48.0 - (x / 24.0) ** 2), (19.0, 13.0 + x % 5, 20.0))
        for x in (-72.0, -46.0, -21.0, 6.0, 33.0, 59.0, 84.0)
    ),
    Blob((108.0, 26.0, -75.0), (16.0, 17.0, 70.0)),
)
PANCREAS = (
    Blob((-22.0, 0.0, -18.0), (15.0, 14.0, 20.0)),
    Blob((8.0, 4.0, -10.0), (24.0, 10.0, 13.0), -0.25),
    Blob((48.0, 10.0, 0.0), (32.0, 9.0, 13.0), 0.15),
)


def tissue_map(anatomy: Anatomy, x: Field, y: Field, z: float) -> NDArray[np.uint8]:
    """Return the `Tissue` at each pixel centre of one slice: (rows, cols) uint8.

    `x` (cols,) and `y` (rows,) are body coordinates in mm, rising; `z` is the slice's.
    """
    sx, sy, sz = anatomy.size
    x, y, z = x / sx, y / sy, z / sz
    dx, dy = anatomy.warp(x, y, z)
    canvas = Canvas(x[None, :] + dx, y[:, None] + dy, z, (x, y))
    wall, cavity = paint_body(canvas, anatomy)
    paint_ribs(canvas, wall)
    paint_chest(canvas, anatomy, cavity)
    belly = cavity & (canvas.tissue == Tissue.FAT)
    for paint in (paint_bowel, paint_spleen, paint_liver, paint_kidneys):
        paint(canvas, anatomy, belly)
    paint_vessels(canvas)
    paint_spine(canvas)
    return canvas.tissue


def squircle(x: Field, y: Field, radii: tuple[float, float]) -> Field:
    """Depth in mm below the surface of a rounded box around (0, 0)."""
    u2, v2 = (x / radii[0]) ** 2, (y / radii[1]) ** 2
    norm = np.sqrt(np.sqrt(u2 * u2 + v2 * v2 + 1.5 * u2 * v2))
    return (1.0 - norm) * radii[1]


def paint_body(canvas: Canvas, anatomy: Anatomy) -> tuple[Field, Mask]:
    """Paint skin, fat, muscle and the fat of the cavity; return depth in the wall and the cavity.

    The depth (rows, cols) is in mm below the outside of the muscle, the cavity boolean.
    """
    waist = 1.0 - 0.04 * np.cos((canvas.z + 40.0) / 45.0)
    # The back is hollowed along the spine.
    groove = 9.0 * np.exp(-((canvas.x / 20.0) ** 2)) * np.clip(canvas.y / BODY[1], 0.0, 1.0)
    x, y = canvas.x, canvas.y + groove
    depth = squircle(x, y, (BODY[0] * waist, BODY[1]))
    half = (WALL[0] * waist - anatomy.fat, WALL[1] - 0.5 * anatomy.fat)
    wall = squircle(x, y - 4.0, half)
    cavity = squircle(x, y + 7.0, (half[0] - 13.0, half[1] - 12.0)) > 0
    canvas.tissue[depth > 0] = Tissue.SKIN
    canvas.tissue[depth > 2.2] = Tissue.FAT
    canvas.tissue[(wall > 0) & (depth > 5.0)] = Tissue.MUSCLE
    canvas.tissue[cavity] = Tissue.FAT
    return wall, cavity


def paint_ribs(canvas: Canvas, wall: Field) -> None:
    """Paint the ribs where they cross the slice: further forward the higher the pair starts."""
    if canvas.z < -70.0:
        return
    ring = (wall > 1.0) & (wall < 9.5) & (canvas.tissue == Tissue.MUSCLE)
    for pair in range(7):
        angle = 1.15 - 0.38 * pair - 0.011 * canvas.z
        if not -0.75 < angle < 1.3:
            continue
        for side in (-1.0, 1.0):
            centre = (side * 141.0 * np.cos(angle), 4.0 + 88.0 * np.sin(angle), canvas.z)
            turn = side * float(np.arctan2(88.0 * np.cos(angle), -141.0 * np.sin(angle)))
            rib = Blob(centre, (11.0, 9.0, 10.0), turn)
            canvas.paint(rib, Tissue.BONE, ring)
            canvas.paint(rib.scaled(-3.0), Tissue.MARROW, ring & (wall > 3.0) & (wall < 7.5))


def paint_chest(canvas: Canvas, anatomy: Anatomy, cavity: Mask) -> None:
    """Paint lung above the two domes of the diaphragm, and the heart between them."""
    if canvas.z < 8.0:
        return
    whole = (slice(None), slice(None))
    right = canvas.level(Blob((-62.0, -12.0, 2.0), (82.0, 82.0, 54.0)), whole)
    left = canvas.level(Blob((62.0, -8.0, 2.0), (80.0, 80.0, 64.0)), whole)
    middle = canvas.level(Blob((4.0, 30.0, 2.0), (32.0, 60.0, 400.0)), whole)
    under = np.minimum(union(right, left, 12.0), liver_level(canvas, anatomy, whole) - 4.0)
    level = np.minimum(under, middle)
    canvas.tissue[cavity & (level > 0)] = Tissue.LUNG
    canvas.tissue[cavity & (level > -2.5) & (level <= 0)] = Tissue.MUSCLE
    canvas.paint(Blob((18.0, -34.0, 98.0), (62.0, 50.0, 36.0), 0.4), Tissue.FAT, cavity)
    canvas.paint(Blob((20.0, -33.0, 98.0), (56.0, 44.0, 32.0), 0.4), Tissue.HEART, cavity)
    canvas.paint(Blob((8.0, -32.0, 100.0), (22.0, 24.0, 25.0), 0.4), Tissue.BLOOD, cavity)


def paint_bowel(canvas: Canvas, anatomy: Anatomy, belly: Mask) -> None:
    """Paint small bowel (gas in every third loop), colon, pancreas and stomach."""
    for index, loop in enumerate(anatomy.bowel):
        paint_hollow(canvas, (loop,), 2.2, belly, gas=index % 3 == 0)
    paint_hollow(canvas, COLON, 2.2, belly, gas=True)
    for part in PANCREAS:
        canvas.paint(part, Tissue.PANCREAS, belly)
    stomach = anatomy.organ("stomach", (64.0, -26.0, 22.0), (48.0, 38.0, 46.0), 0.5)
    paint_hollow(canvas, (stomach,), 4.0, belly, gas=True)


def paint_hollow(
    canvas: Canvas, parts: tuple[Blob, ...], wall: float, belly: Mask, *, gas: bool
) -> None:
    """Paint one hollow of several parts: a wall, contents, and gas that rises to the front."""
    for part in parts:
        canvas.paint(part, Tissue.BOWEL, belly)
    for part in parts:
        canvas.paint(part.scaled(-wall), Tissue.CONTENT, belly)
    for part in parts if gas else ():
        window = canvas.blob_window(part)
        front = canvas.y[window] < part.centre[1] - 0.1 * part.radii[1]
        inside = front & (canvas.tissue[window] == Tissue.CONTENT)
        canvas.fill(window, inside & (canvas.level(part, window) < 0), Tissue.GAS)


def paint_spleen(canvas: Canvas, anatomy: Anatomy, belly: Mask) -> None:
    """Paint the spleen: an ellipsoid at the left back, hollowed towards stomach and kidney."""
    spleen = anatomy.organ("spleen", (96.0, 24.0, 16.0), (41.0, 54.0, 46.0), -0.4)
    hollow = anatomy.organ("spleen", (50.0, 2.0, 12.0), (42.0, 52.0, 60.0), -0.5)
    window = canvas.blob_window(spleen)
    if not window[0].stop:
        return
    level = np.maximum(canvas.level(spleen, window), -canvas.level(hollow, window))
    canvas.fill(window, level < 2.5, Tissue.FAT, belly)
    canvas.fill(window, level < 0, Tissue.SPLEEN, belly)


def liver_level(canvas: Canvas, anatomy: Anatomy, window: Block) -> Field:
    """Distance in mm to the liver (negative inside): two lobes less the visceral hollow."""
    right = anatomy.organ("liver", (-80.0, -4.0, 4.0), (64.0, 72.0, 64.0))
    left = anatomy.organ("left-lobe", (-14.0, -46.0, 34.0), (84.0, 34.0, 34.0), 0.12)
    hollow = anatomy.organ("liver", (6.0, 34.0, -34.0), (74.0, 62.0, 86.0), -0.3)
    lobes = union(canvas.level(right, window), canvas.level(left, window), 16.0)
    return -union(-lobes, canvas.level(hollow, window), 8.0)


def paint_liver(canvas: Canvas, anatomy: Anatomy, belly: Mask) -> None:
    """Paint the liver with its vessels and fissure, and the gallbladder under it."""
    if abs(canvas.z) > 84.0:
        return
    window = canvas.window((-38.0, -10.0), (125.0, 95.0))
    level = liver_level(canvas, anatomy, window)
    canvas.fill(window, level < 2.5, Tissue.FAT, belly)
    canvas.fill(window, level < 0, Tissue.LIVER, belly)
    liver = canvas.tissue == Tissue.LIVER
    for vessel in anatomy.vessels:
        canvas.paint_tube(vessel, Tissue.LIVER_VESSEL, liver)
    canvas.paint(Blob((-22.0, -62.0, 4.0), (4.0, 30.0, 34.0), 0.25), Tissue.FAT, liver)
    gallbladder = anatomy.organ("gallbladder", (-46.0, -40.0, -26.0), (15.0, 22.0, 20.0), 0.5)
    canvas.paint(gallbladder, Tissue.BOWEL, belly)
    canvas.paint(gallbladder.scaled(-2.0), Tissue.FLUID, belly)


def paint_kidneys(canvas: Canvas, anatomy: Anatomy, belly: Mask) -> None:
    """Paint both kidneys: cortex, pyramids, and the sinus open to the middle."""
    right = anatomy.organ("right-kidney", (-64.0, 44.0, -36.0), (26.0, 31.0, 48.0), 0.45)
    left = anatomy.organ("left-kidney", (68.0, 38.0, -22.0), (27.0, 32.0, 52.0), -0.45)
    paint_kidney(canvas, right, 1.0, Tissue.RIGHT_CORTEX, Tissue.RIGHT_MEDULLA, belly)
    paint_kidney(canvas, left, -1.0, Tissue.LEFT_CORTEX, Tissue.LEFT_MEDULLA, belly)


def paint_kidney(
    canvas: Canvas, kidney: Blob, inward: float, cortex: Tissue, medulla: Tissue, belly: Mask
) -> None:
    """Paint one kidney; `inward` is the sign of x towards the spine."""
    x, y, z = kidney.centre
    ring = kidney.scaled(-7.0)
    sinus = Blob((x + inward * 12.0, y - 6.0, z), (17.0, 9.0, 24.0), inward * 0.35)
    canvas.paint(kidney.scaled(2.5), Tissue.FAT, belly)
    canvas.paint(kidney, cortex, belly)
    inside = canvas.tissue == cortex
    for turn in np.linspace(0.0, 2 * np.pi, 8, endpoint=False).tolist():
        at = (x + 15.0 * np.cos(turn), y + 19.0 * np.sin(turn), z)
        canvas.paint(Blob(at, (5.5, 5.5, ring.radii[2])), medulla, inside)
    canvas.paint(sinus, Tissue.FAT, belly)
    canvas.paint(sinus.scaled(-5.0), Tissue.FLUID, belly)


def paint_vessels(canvas: Canvas) -> None:
    """Paint aorta, vena cava, crura and psoas."""
    width = float(np.clip(8.0 + 0.14 * (20.0 - canvas.z), 8.0, 21.0))
    drift = float(np.clip(canvas.z / 60.0, 0.0, 1.0))
    for side in (-1.0, 1.0):
        psoas = Blob((side * (24.0 + width / 2), 54.0, canvas.z), (width, width + 3, 9.0))
        crus = Blob((side * 13.0 + 2.0, 35.0, canvas.z), (6.0, 14.0, 9.0), side * 0.3)
        if canvas.z < 20.0:
            canvas.paint(psoas, Tissue.MUSCLE)
        canvas.paint(crus, Tissue.MUSCLE)
    aorta = Blob((9.0 + 7.0 * drift, 27.0 + 8.0 * drift, canvas.z), (10.0, 10.0, 9.0))
    cava = Blob((CAVA[0], 26.0 - 6.0 * drift, canvas.z), (12.0, 9.0, 9.0))
    for vessel in (aorta, cava):
        canvas.paint(vessel.scaled(1.5), Tissue.FAT)
        canvas.paint(vessel, Tissue.BLOOD)


def paint_spine(canvas: Canvas) -> None:
    """Paint a vertebra or a disc, the arch with its processes, and the canal with the cord."""
    disc = (canvas.z + HALF_HEIGHT) % 36.0 < 8.0
    body = Blob((0.0, 54.0, canvas.z), (22.0, 17.5, 9.0))
    arch = Blob((0.0, 77.0, canvas.z), (15.0, 13.0, 9.0))
    for side in (-1.0, 1.0):
        wing = Blob((side * 22.0, 80.0, canvas.z), (16.0, 4.5, 9.0), side * 0.35)
        canvas.paint(wing, Tissue.BONE)
    spike = Blob((0.0, 92.0, canvas.z), (4.5, 11.0, 9.0))
    for bone in (spike, arch, body):
        canvas.paint(bone, Tissue.BONE)
    canvas.paint(spike.scaled(-2.0), Tissue.MARROW)
    canvas.paint(body.scaled(-2.0), Tissue.DISC if disc else Tissue.MARROW)
    canvas.paint(Blob((0.0, 76.0, canvas.z), (9.5, 8.0, 9.0)), Tissue.FLUID)
    if canvas.z > -60.0:
        canvas.paint(Blob((0.0, 76.0, canvas.z), (5.0, 4.0, 9.0)), Tissue.CORD)
