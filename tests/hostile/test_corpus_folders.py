"""Odd masks, series, files and names, as the user meets them: what comes out, or the message."""

import os
import shutil
import socket
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.formats.samples import PIXELS, chunk, dicom, png
from tests.hostile.trees import (
    FIRST,
    GROUND,
    IMAGE,
    LAST,
    LIVER,
    MASK,
    SERIES,
    STEMS,
    Damage,
    Ended,
    Kept,
    Outcome,
    Refused,
    bad,
    chaosprep,
    image,
    mask,
    run_chain,
    slice_at,
    void,
    write_patient,
    write_series,
)

RECOPY = "Copy or export the file again from its source"
CASE = "MR001_t1-in"


def picture(mode: str, kind: str = "PNG", **options: object) -> bytes:
    """Two columns of background, two of the level 63 (white-ish in colour)."""
    stream = BytesIO()
    grey = Image.fromarray(np.repeat(np.array([[0, 0, 63, 63]], np.uint8), 3, axis=0))
    grey.convert(mode).save(stream, kind, **options)
    return stream.getvalue()


def rotated() -> bytes:
    """A mask that asks, by EXIF, to be shown turned by 90 degrees."""
    exif = Image.Exif()
    exif[0x112] = 6
    return picture("L", exif=exif)


def lines(*found: tuple[str, str, str]) -> Refused:
    """Several problems of the case: file, reason, remedy."""
    return Refused(tuple(f"{CASE}: {file}: {reason}. {remedy}." for file, reason, remedy in found))


def colour(what: str, levels: str) -> Refused:
    """What `extract-liver` says of a mask in colour; its file is the one in its input."""
    return Refused(
        (
            f"{CASE}_s001: train/masks/{CASE}_s001.png: {what}, not a grey PNG; its levels as "
            f"grey are {levels}. Use the original mask, or let extract-liver convert this one "
            "with --lenient-masks.",
        ),
        "extract-liver",
    )


INTERPOLATED = (
    "The mask may have been interpolated; the original one is better. --lenient-masks takes the "
    "levels in range and counts the rest as background."
)


LABELS = (
    "It is a label map with numbers other than CHAOS's: say what they stand for, chaosprep split "
    "--labels 1=liver,2=spleen, and take organs by name: extract-labels."
)


def outside(levels: str, remedy: str = INTERPOLATED) -> Refused:
    """What `extract-liver` says of levels that are no organ's."""
    return Refused(
        (
            f"{CASE}_s001: train/masks/{CASE}_s001.png: grey levels outside every organ's range "
            "(liver 55-70, right-kidney 110-135, left-kidney 175-200, spleen 240-255): "
            f"{levels}. {remedy}",
        ),
        "extract-liver",
    )


class Masked:
    """The second mask in the end: 255 where the liver is."""

    def __init__(self, *rows: str) -> None:
        self._expected = np.array([[255 * (sign == "#") for sign in row] for row in rows])

    def check(self, ended: Ended) -> None:
        """Compare with what was written."""
        assert (ended.said.code, ended.verb) == (0, "convert"), ended.said.err
        with Image.open(ended.output / ended.rows[1]["mask"]) as found:
            np.testing.assert_array_equal(np.asarray(found), self._expected)


MASKS: dict[str, tuple[bytes, Outcome]] = {
    "the plain mask": (LIVER, Masked(".##.", ".##.", ".##.")),
    "an empty file": (b"", bad("not an image", RECOPY, file=MASK)),
    "a text file": (b"no mask", bad("not an image", RECOPY, file=MASK)),
    "a mask cut short": (
        LIVER[:-20],
        Refused((f"{CASE}_s001: {MASK}: the PNG is cut short or damaged. {RECOPY}.",)),
    ),
    "a mask with a wrong checksum": (
        LIVER[:-13] + b"\0" + LIVER[-12:],
        Refused((f"{CASE}_s001: {MASK}: the PNG is cut short or damaged. {RECOPY}.",)),
    ),
    "a mask of another size": (
        png([b"\0\0\0"] * 4, 3),
        bad(
            "the mask is 4x3 but its image 3x4",
            "Find the mask that was drawn on this image; resizing would blur it",
            file=MASK,
        ),
    ),
    "a mask that announces 65535 x 65535": (
        LIVER.replace(b"\0\0\0\4\0\0\0\3", b"\0\0\xff\xff\0\0\xff\xff"),
        bad(
            "the mask is 65535x65535 but its image 3x4",
            "Find the mask that was drawn on this image; resizing would blur it",
            file=MASK,
        ),
    ),
    "RGB": (picture("RGB"), colour("an RGB PNG", "0: 6, 63: 6")),
    "RGBA": (picture("RGBA"), colour("an RGBA PNG", "0: 6, 63: 6")),
    "a palette": (picture("P"), colour("a palette PNG", "0: 6, 63: 6")),
    "grey with alpha": (picture("LA"), colour("a grey PNG with an alpha channel", "0: 6, 63: 6")),
    "a JPEG named .png": (
        picture("L", "JPEG", quality=100),
        colour("a JPEG file named as a mask", "0: 6, 63: 6"),
    ),
    "16 bits": (png([b"\0\0\0\x3f\0\0\0\x3f"] * 3, 4, 16), Masked(".#.#", ".#.#", ".#.#")),
    "16 bits, scaled": (
        png([b"\0\0\x3f\x3f\0\0\0\0"] * 3, 4, 16),
        outside("0: 9, 16191: 3", LABELS),
    ),
    "1 bit, as CT has it": (png([b"\x60"] * 3, 4, 1), Masked(".##.", ".##.", ".##.")),
    "turned by EXIF": (rotated(), Masked("..##", "..##", "..##")),
    "a level of no organ": (png([b"\0\x0a\x3f\0"] * 3, 4), outside("0: 6, 10: 3, 63: 3")),
    "nothing in it": (png([b"\0\0\0\0"] * 3, 4), Masked("....", "....", "....")),
    "text beside the pixels": (
        png([b"\0\x3f\x3f\0"] * 3, 4, extra=chunk(b"tEXt", b"Title\0what")),
        Masked(".##.", ".##.", ".##."),
    ),
}


@pytest.mark.parametrize("name", MASKS)
def test_an_odd_mask_ends_in_the_liver_or_in_one_message(name: str, tmp_path: Path) -> None:
    data, expected = MASKS[name]
    root = write_patient(tmp_path / "root")
    mask(data)(root)
    expected.check(run_chain(root, tmp_path))
    assert chaosprep("inspect", root).code == 0


def every(make: Callable[[int], bytes]) -> Damage:
    """Other images everywhere."""

    def damage(root: Path) -> None:
        shutil.rmtree(root / "Train_Sets")
        write_series(root, make)

    return damage


def second_echo(root: Path) -> None:
    """The opposed phase in the folder of the in-phase, masks and all."""
    for place in range(3):
        stem = f"IMG-0001-{2 * place + 1:05d}"
        (root / SERIES / f"{stem}.dcm").write_bytes(slice_at(place, EchoTime="2.3"))
        (root / GROUND / f"{stem}.png").write_bytes(LIVER)


def link(path: str, target: str) -> Damage:
    def damage(root: Path) -> None:
        (root / path).unlink()
        (root / path).symlink_to(target)

    return damage


def without_images(root: Path) -> None:
    for path in (root / SERIES).iterdir():
        path.unlink()


def move_and_link(root: Path) -> None:
    (root / IMAGE).rename(root / "elsewhere")
    (root / IMAGE).symlink_to(root / "elsewhere")


def instead(path: str, make: Callable[[Path], object]) -> Damage:
    """Something else where a file was."""

    def damage(root: Path) -> None:
        (root / path).unlink(missing_ok=True)
        make(root / path)

    return damage


def make_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's path must be short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def lacking(count: int, rule: str) -> Kept:
    return Kept(warnings=(f"{count} of 3 slices lack position or orientation: {rule}",))


ODD = f"{SERIES}/x.dcm"
IRREGULAR = "it is not a regular file", "Move it out of the folder"
OUTSIDE = "it is a link out of the dataset", "Copy the file in"
UNPLACED = (
    "it has no position or orientation, but others of the series do",
    "Move it out of the folder if it is not a slice (a report, a screenshot), else export it "
    "again; or leave it out with --on-error skip",
)
FOLDERS: dict[str, tuple[Damage, Outcome]] = {
    # Where the slices lie
    "no position in one header": (
        image(slice_at(1, ImagePositionPatient=None)),
        bad(*UNPLACED),
    ),
    "no position in any header": (
        every(lambda place: slice_at(place, ImagePositionPatient=None)),
        lacking(3, "ordered by InstanceNumber"),
    ),
    "neither position nor instance number": (
        every(lambda place: slice_at(place, ImagePositionPatient=None, InstanceNumber=None)),
        lacking(3, "left in file-name order"),
    ),
    "a position of two numbers": (
        image(dicom(ImagePositionPatient=[1, 2])),
        bad(*UNPLACED),
    ),
    "the position of another slice": (
        image(slice_at(0, PIXELS)),
        bad(
            "2 files lie at 1 position; nothing that is compared tells them apart",
            "Keep one file for each position",
        ),
    ),
    "two echoes in one folder": (
        second_echo,
        lines(
            (
                f"{SERIES}/{STEMS[0]}.dcm",
                "6 files are 3 positions x 2 volumes; they differ in EchoTime",
                "Move the files of each volume to a folder of its own",
            )
        ),
    ),
    "two orientations": (
        image(slice_at(1, ImageOrientationPatient=[1, 0, 0, 0, 0, -1])),
        lines(
            (
                SERIES,
                f"the slices lie in 2 orientations: 2 axial, 1 coronal ({STEMS[1]}.dcm)",
                "Move them to a folder of their own: a case is one stack of slices",
            )
        ),
    ),
    "an orientation that spans no plane": (
        every(lambda place: slice_at(place, ImageOrientationPatient=[1, 0, 0, 1, 0, 0])),
        lines(
            (
                SERIES,
                "the image orientation spans no plane",
                "Check how the files were anonymized or exported",
            )
        ),
    ),
    "two shapes": (
        image(slice_at(1, np.zeros((4, 5), np.uint16))),
        bad("the slice is 4x5, the others of the series 3x4", "Keep one series in a folder"),
    ),
    "one SOPInstanceUID for all": (lambda root: None, Kept()),
    "a spacing that the positions contradict": (
        every(lambda place: slice_at(place, SpacingBetweenSlices="7")),
        Kept(
            warnings=("SpacingBetweenSlices is 7.0 mm, the positions give 5.5 mm, which is used",)
        ),
    ),
    # What is missing
    "no mask for an image": (
        lambda root: (root / MASK).unlink(),
        bad(
            "no mask belongs to this image",
            "Bring back its mask, or leave the slice out with --on-error skip",
        ),
    ),
    "no image for a mask": (
        lambda root: (root / IMAGE).unlink(),
        lines((MASK, "no image belongs to this mask", "Bring back its image, or remove the mask")),
    ),
    "no masks at all": (
        lambda root: shutil.rmtree(root / GROUND),
        lines(
            (
                GROUND,
                "a training series without its folder of masks",
                "Bring back its Ground folder, or put the patient below Test_Sets",
            )
        ),
    ),
    "no images at all": (
        without_images,
        lines((SERIES, "the series is empty", "Bring back its DICOM files, or remove the folder")),
    ),
    # What is no plain file
    "a directory named x.dcm": (
        lambda root: (root / ODD).mkdir(),
        lines((ODD, *IRREGULAR)),
    ),
    "a FIFO": (instead(ODD, os.mkfifo), lines((ODD, *IRREGULAR))),
    "a FIFO in the place of an image": (instead(IMAGE, os.mkfifo), lines((IMAGE, *IRREGULAR))),
    "a FIFO in the place of a mask": (instead(MASK, os.mkfifo), lines((MASK, *IRREGULAR))),
    "a socket": (instead(ODD, make_socket), lines((ODD, *IRREGULAR))),
    "a link to a device": (link(IMAGE, "/dev/zero"), lines((IMAGE, *OUTSIDE))),
    "a link out of the dataset": (link(MASK, "/etc/hostname"), lines((MASK, *OUTSIDE))),
    "a link inside the dataset": (move_and_link, Kept()),
    "a link to nothing": (
        link(IMAGE, "nowhere"),
        lines((IMAGE, "the file is missing", "Bring it back")),
    ),
    "a link to itself": (
        link(IMAGE, Path(IMAGE).name),
        lines((IMAGE, "it is a symbolic link", "Put the file in its place")),
    ),
    # What does not belong there
    "a README among the images": (
        lambda root: void((root / SERIES / "README.txt").write_text("hello")),
        lines((f"{SERIES}/README.txt", "it is not a DICOM file", "Move it out of the folder")),
    ),
    "a README among the masks": (
        lambda root: void((root / GROUND / "README.txt").write_text("hello")),
        lines(
            (
                f"{GROUND}/README.txt",
                "no image belongs to this mask",
                "Bring back its image, or remove the mask",
            )
        ),
    ),
    "what systems leave behind": (
        lambda root: void(
            (root / SERIES / ".DS_Store").write_bytes(b"\0"),
            (root / SERIES / "Thumbs.db").write_bytes(b"\0"),
            (root / SERIES / "DICOMDIR").write_bytes(dicom()),
            (root / GROUND / f"._{STEMS[0]}.png").write_bytes(b"\0"),
        ),
        Kept(),
    ),
    "an ending in capitals": (
        lambda root: void((root / IMAGE).rename((root / IMAGE).with_suffix(".DCM"))),
        Kept(),
    ),
    "no ending": (
        lambda root: void((root / IMAGE).rename((root / IMAGE).with_suffix(""))),
        Kept(),
    ),
    "a folder that no patient has": (
        lambda root: void(shutil.copytree(root / "Train_Sets/MR/1", root / "Train_Sets/MR/Doe")),
        Refused(
            (
                "MR: Train_Sets/MR/Doe: a CHAOS patient's folder is named by a number, this one "
                "is not. Name it by its number.",
            )
        ),
    ),
    "a patient twice": (
        lambda root: void(shutil.copytree(root / "Train_Sets/MR/1", root / "Train_Sets/MR/01")),
        Refused(
            tuple(
                f"MR001: Train_Sets/MR/{name}: two folders are this patient's. Give a root that "
                "holds the patient once."
                for name in ("01", "1")
            )
        ),
    ),
    "a link to another place as a patient": (
        lambda root: (root / "Train_Sets/MR/2").symlink_to("/usr"),
        Refused(
            (
                "CHAOS: Train_Sets/MR/2: a folder that is a link out of the dataset is not "
                "followed. Copy it in.",
            )
        ),
    ),
    "a patient that is a link to itself": (
        lambda root: (root / "Train_Sets/MR/2").symlink_to("2"),
        Kept(),
    ),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_an_odd_folder_ends_in_its_slices_or_in_messages(name: str, tmp_path: Path) -> None:
    damage, expected = FOLDERS[name]
    root = write_patient(tmp_path / "root")
    damage(root)
    expected.check(run_chain(root, tmp_path))
    said = chaosprep("inspect", root)
    assert said.code == (4 if " 0 cases, " in said.out else 0)


def renamed(root: Path, name: str) -> None:
    """All images and masks under a name of this form."""
    for place, stem in enumerate(STEMS, 1):
        new = name.format(place)
        (root / SERIES / f"{stem}.dcm").rename(root / SERIES / f"{new}.dcm")
        (root / GROUND / f"{stem}.png").rename(root / GROUND / f"{new}.png")


NAMES = {
    "spaces": " a  slice {} ",
    "commas": "a,slice,,{}",
    "quotes": "'a' \"slice\" `{}`",
    "backslashes": "a\\slice\\{}",
    "non-Latin letters": "срез 切片 شريحة {}",
    "a letter and its accent": "tre\u0301s {}",
    "what looks like an option": "--overwrite {}",
    "what looks like markup": "[red]{}<b>&amp;",
    "what looks like a format": "%s%n{{0}}{}",
    "200 letters": "a" * 200 + "{}",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_may_hold_anything_that_can_be_shown(name: str, tmp_path: Path) -> None:
    root = write_patient(tmp_path / "root")
    renamed(root, NAMES[name])
    ended = run_chain(root, tmp_path)
    Kept().check(ended)
    assert [row["source"] for row in ended.rows] == [
        f"{SERIES}/{NAMES[name].format(place)}.dcm" for place in (1, 2, 3)
    ]


UNSHOWN = {
    "a newline": (b"a\nslice.dcm", "a\\nslice.dcm"),
    "a tab": (b"a\tslice.dcm", "a\\tslice.dcm"),
    "an escape sequence": (b"\x1b[2Jslice.dcm", "\\x1b[2Jslice.dcm"),
    "bytes that are no UTF-8": (b"\xff\xfe.dcm", "\\udcff\\udcfe.dcm"),
}


@pytest.mark.parametrize("name", UNSHOWN)
def test_a_name_that_cannot_be_shown_is_written_out_in_its_message(
    name: str, tmp_path: Path
) -> None:
    new, shown = UNSHOWN[name]
    root = write_patient(tmp_path / "root")
    (root / IMAGE).rename(root / SERIES / os.fsdecode(new))
    ended = run_chain(root, tmp_path)
    reason = "a file name holds control characters, or is not UTF-8"
    lines((f"{SERIES}/{shown}", reason, "Rename the file")).check(ended)


def test_a_name_that_would_turn_the_line_around_is_written_out(tmp_path: Path) -> None:
    """U+202E makes a terminal show what follows from right to left."""
    root = write_patient(tmp_path / "root")
    (root / IMAGE).rename(root / SERIES / "a\u202ebmcd.exe.dcm")
    said = chaosprep("split", root, "-o", tmp_path / "out", "--val", "0")
    assert "/a\\u202ebmcd.exe.dcm: no mask belongs to this image." in said.err
    assert "\u202e" not in said.err


def test_the_tables_have_eighty_rows_and_more() -> None:
    from tests.hostile.test_corpus import IMAGES, TEXTS, WINDOWS

    names = [*IMAGES, *WINDOWS, *TEXTS, *MASKS, *FOLDERS, *NAMES, *UNSHOWN]
    assert len(names) >= 80


def test_the_last_slice_alone_is_still_one_slice(tmp_path: Path) -> None:
    root = write_patient(tmp_path / "root")
    for path in (FIRST, IMAGE):
        (root / path).unlink()
        (root / GROUND / Path(path).with_suffix(".png").name).unlink()
    ended = run_chain(root, tmp_path)
    assert [(row["id"], row["source"]) for row in ended.rows] == [(f"{CASE}_s000", LAST)]
    stored: NDArray[np.uint16] = ended.image(ended.rows[0])
    np.testing.assert_array_equal(stored, PIXELS + 2)
