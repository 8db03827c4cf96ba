"""What can be wrong with volumes, by code, and what to do about it."""

from chaosprep.errors import FileError, Problem

REMEDIES = {
    "affine-identity": "Export it again with its geometry, if its source has one.",
    "affine-missing": "Export it again with its geometry, if its source has one.",
    "grid-directions": "Resample one of them to the grid of the other.",
    "grid-flipped": "Find out which is right, and store both in one order.",
    "grid-order": "Look at one of them; store both in one order.",
    "grid-origin": "Find out which is right; resample one to the grid of the other.",
    "grid-spacing": "Resample one of them to the grid of the other.",
    "image-constant": "Export the image again, or leave the case out.",
    "label-unseen": "Check that no structure was lost, or take the name out.",
    "labels": "Name them (dataset.json, --labels), or correct the masks.",
    "mask-empty": "Check that nothing of it is in this case.",
    "mask-float": "Save labels as whole numbers (uint8).",
    "mask-fractions": "Make the mask again; resample by nearest neighbour only.",
    "mask-full": "Export the mask again: background is missing.",
    "mask-image": "Bring back the mask: the image is in its place.",
    "mask-kind": "Keep one label map in the file.",
    "mask-levels": "Save the mask with one whole number for each structure, 0 for background.",
    "mask-missing": "Bring them back, or leave these cases as images only.",
    "mask-scaled": "Save labels without a rescale (scl_slope 1, scl_inter 0).",
    "mask-values": "Save the mask with whole numbers from 0 to 65535.",
    "not-finite": "Export the file again with finite values.",
    "size": "Export both again from one grid.",
}


def volume_problem(code: str, id: str, file: str | None, reason: str) -> Problem:
    """A problem with the remedy that its code has."""
    return Problem(code=code, id=id, file=file, reason=reason, remedy=REMEDIES.get(code, ""))


def volume_error(code: str, reason: str) -> FileError:
    """The same before it is known of which file it is."""
    return FileError(reason, REMEDIES.get(code, ""), code)
