"""What `inspect` shows of volumes and of their kinds, as rows of text."""

from chaosprep.layouts.headers.places import SHORT_PLANES
from chaosprep.quality.archived import Archive, Kind, VolumeView

NUMBERS = ("Patients", "Slices")
"""Headings of columns of numbers."""


def kind_rows(found: Archive) -> list[dict[str, str]]:
    """A row for each kind: heading -> text."""
    patients = len({view.patient for view in found.volumes})
    return [
        {
            "Series": kind.name,
            "Description": kind.description,
            "Mod": kind.modality,
            "Plane": SHORT_PLANES.get(kind.plane, kind.plane),
            "Patients": f"{kind.patients} of {patients}",
            "Slices": spread(kind.slices, "d"),
            "Matrix": kind.matrices[0] + "+" * (len(kind.matrices) > 1),
            "mm": _spacing(kind),
            "TE b t": _telling(kind),
            "Masks": " ".join(f"{name} {count}" for name, count in kind.refers.items()),
            "Taken": str(kind.taken or "no"),
        }
        for kind in found.kinds
    ]


def volume_row(view: VolumeView) -> dict[str, str]:
    """One volume: heading -> text."""
    between, *inside = view.spacing
    mm = [f"{value:.4g}" for value in dict.fromkeys(inside) if value is not None]
    first = [] if between is None else [f"{between:.4g}"]
    sequence = view.case.partition("_")[2]
    return {
        "Series": view.name,
        "Description": view.description,
        "St": str(view.study),
        "Mod": view.modality,
        "Plane": SHORT_PLANES.get(view.plane, view.plane),
        "Slices": str(view.slices),
        "Matrix": view.matrix.partition(" ")[0] + "+" * (" " in view.matrix),
        "mm": "x".join([*first, *mm]),
        "TE b t": _telling(view),
        "Masks": " ".join(view.refers),
        "Taken or why not": ("yes" if sequence == view.name else sequence) or view.why,
    }


def _spacing(kind: Kind) -> str:
    ends = [spread(one, ".4g") for one in (kind.between, kind.pixel) if one is not None]
    return "x".join(ends)


def spread(ends: tuple[float, float], form: str) -> str:
    """The smallest and the largest, once where they are the same."""
    return "-".join(dict.fromkeys(f"{value:{form}}" for value in ends))


def _telling(one: Kind | VolumeView) -> str:
    """Echo time in ms, b-value and number in time, as far as they are known."""
    said = ["" if one.echo_time is None else f"{one.echo_time:.4g}"]
    said += [] if one.b_value is None else [f"b{one.b_value:.4g}"]
    said += [] if one.time is None else [f"t{one.time}"]
    return " ".join(filter(None, said))
