"""Any tree of DICOM files as a layout; what reads headers is imported where a root takes it."""

from pathlib import Path

from chaosprep.layouts.layout import Layout, Where
from chaosprep.layouts.root import Root


def _find(root: Path, where: Where) -> Root:
    from chaosprep.layouts.headers.layout import find

    return find(root, where)


LAYOUT = Layout(
    "headers",
    "any tree of DICOM files",
    find=_find,
    takes=lambda root, where: where.images is None,
    asks=("masks", "patient_from", "patient_from_name", "select", "series", "pick"),
)
