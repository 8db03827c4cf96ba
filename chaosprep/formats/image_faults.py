"""What can be wrong with a file of volumes that should be images."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from chaosprep.errors import RECOPY, FileError
from chaosprep.imaging.limits import size_text

KIND = "image-kind"


def split_sizes(what: str, sizes: Sequence[int]) -> tuple[tuple[int, int, int], int]:
    """The sizes (i, j, k) of a volume, and how many there are; axes behind with 1 do not count.

    Raises:
        FileError: `image-kind`, there are less than two axes, or more than four.
    """
    used = list(sizes)
    while len(used) > 2 and used[-1] == 1:
        used.pop()
    if not 2 <= len(used) <= 4:
        raise FileError(
            f"a {what} of {len(sizes)} dimensions ({size_text(sizes)}); images of 2 or 3, or "
            "several volumes as a fourth, were expected",
            "Save each volume as a file of its own.",
            code=KIND,
        )
    i, j, k, count = (*used, 1, 1)[:4]
    return (i, j, k), count


def no_grey(what: str, held: str) -> FileError:
    """The error of a file with other than one real number a voxel."""
    return FileError(
        f"a {what} of {held}, one real number a voxel was expected",
        "Save the channel that is wanted as a volume of its own.",
        code=KIND,
    )


@contextmanager
def as_image(what: str) -> Iterator[None]:
    """Say of an image what the readers of label volumes say of masks.

    Raises:
        FileError: `image-unreadable`, `image-beside`, `image-kind`, `geometry-unknown`, or any
            other as it is.
    """
    try:
        yield
    except FileError as error:
        if error.code == "mask-unreadable":
            raise FileError(
                f"the {what} is cut short, damaged or of an unknown kind",
                RECOPY,
                code="image-unreadable",
            ) from error
        if error.code == "mask-beside":
            raise two_files() from error
        if error.code == "geometry-unknown":
            raise FileError(
                f"it has no place in space: {error.reason}",
                "Export it again from its source, with its geometry.",
                code="geometry-unknown",
            ) from error
        if error.code == "mask-kind":
            raise no_grey(what, "another kind") from error
        raise


def two_files() -> FileError:
    """The error of a header whose voxels are in another file."""
    return FileError(
        "its voxels are in another file next to it",
        "Save both as one file (.nii.gz, .nrrd or .mha).",
        code="image-beside",
    )
