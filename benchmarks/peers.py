"""What each command is compared with, and what that does and does not do.

A word in braces stands for a path of the run: {output}, {reference} (what ours made), or a source
by its name. None of these hashes, checks or records anything unless its note says so.
"""

import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Peer:
    """Another way: its command, the packages that it needs, and what to know about it.

    A `slow` one computes for so long that it gets two rounds, and none on a disk in memory.
    """

    name: str
    command: tuple[str, ...]
    note: str = ""
    needs: tuple[str, ...] = ()
    slow: bool = False

    @property
    def is_installed(self) -> bool:
        """Whether all that it needs is here."""
        return all(map(_is_installed, self.needs))


def _is_installed(package: str) -> bool:
    if package == "dcm2niix":
        return dcm2niix() is not None
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


def script(name: str, *values: str) -> tuple[str, ...]:
    """A step of one of the programs beside this file; their folder is not imported from."""
    return (sys.executable, "-P", str(HERE / f"{name}.py"), *values)


def program(name: str) -> str:
    """A command beside this Python, else on the PATH."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else name


def dcm2niix() -> str | None:
    """The program itself: the package's own command would start a Python first."""
    spec = find_spec("dcm2niix")
    inside = Path(spec.origin).parent / "dcm2niix" if spec and spec.origin else None
    return str(inside) if inside and inside.exists() else shutil.which("dcm2niix")


def volume(compress: str) -> tuple[str, ...]:
    """dcm2niix on all series, without the JSON beside each; %j names it by its UID."""
    asked = ("-d", "9", "-b", "n", "-z", compress, "-f", "%j")
    inside_new_folder = ("sh", "-c", 'mkdir "$1" && shift && exec "$@"', "sh", "{output}")
    return (*inside_new_folder, dcm2niix() or "", *asked, "-o", "{output}", "{chaos}")


def imgtools(words: str, *values: str) -> tuple[str, ...]:
    """med-imagetools' command, quiet."""
    return (program("imgtools"), "-q", *words.split(), *values)


def copy(source: str) -> Peer:
    """A plain copy of what is read."""
    return Peer(f"cp -r {source}", ("cp", "-r", f"{{{source}}}", "{output}"))


def same(source: str) -> Peer:
    """The floor of reading and writing."""
    step = script("floors", "same", f"{{{source}}}", "{reference}", "{output}")
    return Peer("same bytes in and out", step)


def compressed(kind: str, slices: int) -> tuple[Peer, ...]:
    """The floor of compressing."""
    return tuple(
        Peer(
            f"zlib level {level} alone",
            script("floors", "zlib", str(level), f"{{{kind} pixels}}", str(slices)),
        )
        for level in (1, 6)
    )


def peers(slices: int) -> dict[str, tuple[Peer, ...]]:
    """The peers of each command, on so many slices."""
    many = str(slices)
    pillow, cv2, pydicom = "Pillow", "opencv-python-headless", "pydicom"
    return {
        "split": (copy("chaos"), same("chaos")),
        "extract-liver": (
            Peer("per-pixel loop", script("tutorial", "mask", "{split}", "{output}"), slow=True),
            Peer("numpy + Pillow", script("packages", "liver-pillow", "{split}", "{output}")),
            Peer("numpy + cv2", script("packages", "liver-cv2", "{split}", "{output}")),
            same("split"),
        ),
        "convert": (
            Peer(
                "matplotlib figure",
                script("tutorial", "figure", "{liver}", "{output}"),
                "the tutorial's way: draws each slice by its own minimum and maximum; RGBA",
                ("matplotlib", pydicom),
                slow=True,
            ),
            Peer(
                "pydicom + Pillow",
                script("packages", "windowed", "pillow", "{liver}", "{output}"),
                "one percentile window a case, as ours; images only, no mask",
                (pydicom, pillow),
            ),
            Peer(
                "pydicom + cv2",
                script("packages", "windowed", "cv2", "{liver}", "{output}"),
                "the same, written by OpenCV",
                (pydicom, cv2),
            ),
            Peer(
                "SimpleITK",
                script("packages", "simpleitk", "{chaos}", "{output}"),
                "reads a series, rescales from minimum to maximum of the volume, writes 8-bit PNG "
                "with threads; no mask",
                ("SimpleITK",),
            ),
            Peer(
                "dcm2niix -z n",
                volume("n"),
                "compiled; stored values, not compressed; one NIfTI a series, so a file for each "
                "patient and not for each slice; no mask",
                ("dcm2niix",),
            ),
            copy("liver"),
            same("liver"),
            *compressed("8-bit", slices),
        ),
        "convert --keep-16bit": (
            Peer(
                "pydicom + Pillow, 16-bit",
                script("packages", "stored", "pillow", "{liver}", "{output}"),
                "the stored values as 16-bit PNG; no mask",
                (pydicom, pillow),
            ),
            Peer(
                "pydicom + cv2, 16-bit",
                script("packages", "stored", "cv2", "{liver}", "{output}"),
                "the same, written by OpenCV",
                (pydicom, cv2),
            ),
            Peer(
                "dcm2niix -z y",
                volume("y"),
                "compiled; one compressed NIfTI a series with its geometry, so a file for each "
                "patient and not for each slice; no mask",
                ("dcm2niix",),
            ),
            Peer(
                "dicom2nifti",
                script("packages", "dicom2nifti", "{chaos}", "{output}"),
                "one compressed NIfTI a series, checked and reoriented; no mask",
                ("dicom2nifti",),
            ),
            Peer(
                "imgtools autopipeline -j 2",
                imgtools(
                    "autopipeline -m MR -j 2",
                    "--crawl-directory",
                    "{output}/crawl",
                    "{chaos}",
                    "{output}/made",
                ),
                "med-imagetools: indexes the tree, then one compressed NIfTI a series, and tables "
                "of what it made; names hold part of a UID; no PNG mask",
                ("med-imagetools",),
                slow=True,
            ),
            same("liver"),
            *compressed("16-bit", slices),
        ),
        "convert --format npy": (
            Peer(
                "pydicom + numpy.save",
                script("packages", "stored", "npy", "{liver}", "{output}"),
                "the stored values as npy; no mask",
                (pydicom,),
            ),
            Peer(
                "dcm2niix -z n",
                volume("n"),
                "as above, not compressed",
                ("dcm2niix",),
            ),
            same("liver"),
        ),
        "augment": (
            Peer(
                "Augmentor threads",
                script("tutorial", "augment", many, "{8-bit}", "{output}"),
                "the tutorial's way: copies only, no originals; bicubic masks with grey edges; "
                "not reproducible",
                ("Augmentor",),
            ),
            Peer(
                "albumentations",
                script("packages", "albumentations", many, "{8-bit}", "{output}"),
                "one process and OpenCV's threads: copies only, no originals; like transforms, "
                "read and written by cv2",
                ("albumentations",),
            ),
            copy("8-bit"),
            same("8-bit"),
        ),
        "verify": (
            Peer(
                "read and hash",
                script("floors", "hash", "{8-bit}"),
                "hashes the same files; decodes nothing, compares nothing",
            ),
            Peer(
                "frictionless validate",
                (program("frictionless"), "validate", "{8-bit}/datapackage.json"),
                "checks the table against the schema, its size and its hash; opens no image",
                ("frictionless",),
            ),
        ),
        "prepare": (
            Peer(
                "the tutorial's three steps",
                script("tutorial", "all", many, "{split}", "{output}"),
                "per-pixel loop, matplotlib and Augmentor in one process, after a split by hand",
                ("matplotlib", "Augmentor", pydicom),
                slow=True,
            ),
            same("chaos"),
        ),
        "inspect": (
            Peer(
                "pydicom, headers",
                script("packages", "headers", "{chaos}"),
                "reads the headers; no pixel, no mask",
                (pydicom,),
            ),
            Peer(
                "pydicom + Pillow, all pixels",
                script("packages", "look", "{chaos}"),
                "decodes images and masks as ours does; no grouping, pairing or order",
                (pydicom, pillow),
            ),
            Peer(
                "imgtools index, 2 jobs",
                imgtools(
                    "index --n-jobs 2",
                    "--dicom-dir",
                    "{chaos}/Train_Sets",
                    "--output-dir",
                    "{output}",
                ),
                "med-imagetools: an index of the headers; no pixel, no mask",
                ("med-imagetools",),
                slow=True,
            ),
        ),
    }
