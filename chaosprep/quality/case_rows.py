"""What `inspect` shows of cases, as rows and lines of text."""

from chaosprep.errors import plural
from chaosprep.quality.inspected import CaseView, Inspection
from chaosprep.words import shortened

HEADINGS = (
    "Case",
    "Set",
    "Mod",
    "Slices",
    "Matrix",
    "z mm",
    "xy mm",
    "Bits",
    "Values",
    "Grey levels",
)
NUMBERS = ("Slices", "z mm", "xy mm", "Bits", "Values")
"""Those of columns of numbers."""


def cells(case: CaseView) -> tuple[str, ...]:
    """The row of a case, a text for each of `HEADINGS`."""
    between, *inside = case.spacing or (None,)
    pixel = " x ".join(f"{mm:.4g}" for mm in dict.fromkeys(inside))
    levels = [str(level) for level in case.levels if level]  # 0 is background everywhere
    shown = " ".join(levels) if len(levels) <= 6 else f"{' '.join(levels[:5])} +{len(levels) - 5}"
    return (
        shortened(case.id, 40),
        case.pool,
        case.modality,
        str(case.slices),
        " ".join(case.matrices),
        "unknown" if between is None else f"{between:.4g}",
        pixel or "unknown",
        " ".join(str(bits) for bits in case.bits_stored),
        "" if case.values is None else f"{case.values[0]:g}..{case.values[1]:g}",
        "no masks" if case.masks is None else shown or "none",
    )


def summary(found: Inspection) -> list[str]:
    """What each choice of --sequence would give split, and how the files are stored."""
    lines = []
    for sequence in sorted({case.sequence for case in found.cases} - {""}):
        cases = [case for case in found.cases if case.sequence == sequence]
        patients = len({case.patient for case in cases})
        slices = sum(case.slices for case in cases)
        lines.append(f"{sequence}: {plural(patients, 'patient')}, {plural(slices, 'slice')}")
    syntaxes = sorted({name for case in found.cases for name in case.transfer_syntaxes})
    return [*lines, f"stored as: {', '.join(syntaxes)}"] if syntaxes else lines
