"""In every layout, the ids of some patients are the same whoever else is there."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from chaosprep.layouts.find import LayoutParams, find
from chaosprep.layouts.root import Root
from chaosprep.layouts.table import names
from chaosprep.params import make_params
from chaosprep.phantom import Patient, write_chaos
from tests.layouts import named, published
from tests.layouts.headers.series import series
from tests.layouts.test_duke import duke, key
from tests.layouts.test_duke import series as duke_series
from tests.layouts.trees import two_trees, write

People = Iterable[int]
BY_NAME = "{patient}_{}"
FEW, MORE = (2, 7), (1, 2, 3, 7, 9, 10, 99, 100, 1234)


def chaos(root: Path, people: People) -> Root:
    write_chaos(root, [Patient(id=n, sequences=("t1-in",), slices=1, matrix=8) for n in people])
    return look(root, "chaos")


def look(root: Path, layout: str, **fields: object) -> Root:
    return find(root, make_params(LayoutParams, {"layout": layout, **fields}))


def folders(root: Path, people: People) -> Root:
    """Folders of a number, of words and a number, with an accent, with a hyphen."""
    called = {name: n % 30 for n in people for name in (f"{n}", f"case {n}", f"M\xfcller-{n}.a")}
    images, masks = "scans/{patient}/{sequence}/{slice}.dcm", "labels/{patient}/{slice}.png"
    write(root, two_trees(images, masks, called, slices=1))
    return look(root, "folder", images=images, masks=masks, trust_folders=True)


def volumes(root: Path, people: People) -> Root:
    """Files of one volume or of several, by whoever is in them."""
    for n in people:
        named.save(root / f"images/{n}.nii.gz", named.volume(n % 30, 3 if n % 2 else 0))
    return look(root, "folder", images="images/{patient}.nii.gz")


def headers(root: Path, people: People) -> Root:
    """Two studies of a person, one of them without a PatientID; an unsaid name; one echo or two."""
    for n in people:
        who = {"PatientID": f"H-{n}", "PatientName": f"Name{n}^A", "PatientBirthDate": "19500102"}
        uids = {"StudyInstanceUID": f"1.3.{n}", "FrameOfReferenceUID": f"1.3.{n}.2"}
        for echo in (2.3, 4.6)[: 1 + n % 2]:
            more = {
                "SeriesInstanceUID": f"1.3.{n}.{echo}",
                "EchoTime": echo,
                "SeriesDescription": "dual",
            }
            write(root, series(f"{n}/{echo}", 1, who | uids | more))
        write(root, series(f"{n}/again", 2, who | {"StudyInstanceUID": f"1.4.{n}"}))
    (root.parent / "key").write_bytes(b"k" * 32)
    return look(root, "headers", pseudonymize=root.parent / "key")


def nnunet(root: Path, people: People) -> Root:
    cases = [f"liver{n}_{visit}" for n in people for visit in range(1 + n % 3)]
    named.nnunet(root, cases, channels=("T1", "T2"))
    return look(root, "nnunet", patient_from_name=BY_NAME)


def nnunet_of_ct(root: Path, people: People) -> Root:
    cases = [f"{n}_{visit}" for n in people for visit in range(1 + n % 3)]
    named.nnunet(root, cases, channels=("CT",))
    return look(root, "nnunet", patient_from_name=BY_NAME)


def decathlon(root: Path, people: People) -> Root:
    named.decathlon(root, [f"liver{n}_{visit}" for n in people for visit in range(1 + n % 3)])
    return look(root, "decathlon", patient_from_name=BY_NAME)


def decathlon_of_any(root: Path, people: People) -> Root:
    """Lists that do not say their channels, of which cases have one or two."""
    cases = [f"liver{n}_{visit}" for n in people for visit in range(1 + n % 3)]
    listed = []
    for at, case in enumerate(cases):
        paths = [f"imagesTr/{case}{part}.nii.gz" for part in ("", "b")[: 1 + (case[5:6] == "1")]]
        for path in (*paths, f"labelsTr/{case}.nii.gz"):
            named.save(root / path, named.labels(at))
        listed.append({"image": paths, "label": f"labelsTr/{case}.nii.gz"})
    named.write_json(root / "dataset.json", {"training": listed})
    return look(root, "decathlon", patient_from_name=BY_NAME)


def amos(root: Path, people: People) -> Root:
    """CT alone of few, CT and MRI of all; of each person one scan or two."""
    numbers = [number for n in people for number in (n % 1000, (n + 500) % 1000)[: 1 + n % 2]]
    published.amos(root, {"Tr": [n for n in numbers if n]})
    table = root.parent / "patients.csv"
    lines = [f"amos_{n % 1000:04d},{n}\namos_{(n + 500) % 1000:04d},{n}\n" for n in people]
    table.write_text("".join(lines))
    return look(root, "amos", patients=table)


def totalsegmentator(root: Path, people: People) -> Root:
    scans = {
        f"s{4 * (n % 1000) + visit:04d}": ("ct", "mri")[n > 9]
        for n in people
        for visit in range(1 + n % 3)
    }
    published.totalsegmentator(root, scans)
    table = root.parent / "patients.csv"
    table.write_text("".join(f"{name},{int(name[1:]) // 4}\n" for name in scans))
    return look(root, "totalsegmentator", patients=table)


def atlas(root: Path, people: People) -> Root:
    return look(published.atlas(root, people), "atlas")


def cirrmri(root: Path, people: People) -> Root:
    files = [f"Cirrhosis_T{1 + n % 2}_3D/train_images/{n}.nii.gz" for n in people]
    healthy = [f"Healthy_subjects/T1_W_Healthy/T1_images/{n}.nii.gz" for n in people]
    return look(published.cirrmri(root, *files, *healthy), "cirrmri")


def bids(root: Path, people: People) -> Root:
    images = [
        f"sub-{n:02d}/ses-{visit}/anat/sub-{n:02d}_ses-{visit}_T1w"
        for n in people
        for visit in range(1 + n % 3)
    ]
    return look(published.bids(root, images), "bids")


def duke_liver(root: Path, people: People) -> Root:
    numbers = [n for n in people if n < 1000]
    kinds = [(n, number, 2) for n in numbers for number in range(4, 5 + n % 3)]
    parts = [duke_series(n, number) for n, number, _ in kinds]
    return look(duke(root, *parts, key(*kinds)), "duke", trust_folders=True)


LAYOUTS: dict[str, tuple[Callable[[Path, People], Root], ...]] = {
    "chaos": (chaos,),
    "folder": (folders, volumes),
    "headers": (headers,),
    "nnunet": (nnunet, nnunet_of_ct),
    "decathlon": (decathlon, decathlon_of_any),
    "amos": (amos,),
    "totalsegmentator": (totalsegmentator,),
    "atlas": (atlas,),
    "cirrmri": (cirrmri,),
    "bids": (bids,),
    "duke": (duke_liver,),
}


def ids(root: Root) -> dict[object, tuple[str, str]]:
    """What a case is made of -> its patient and its id."""
    return {
        (case.images, *((path, *own) for path, own in case.frames.items())): (case.patient, case.id)
        for case in root.cases
    }


@pytest.mark.parametrize("make", [one for some in LAYOUTS.values() for one in some])
def test_ids_are_the_same_whoever_comes_in(
    make: Callable[[Path, People], Root], tmp_path: Path
) -> None:
    few, more = (make(tmp_path / str(len(some)) / "root", some) for some in (FEW, MORE))
    assert len(ids(few)) == len(few.cases) >= len(FEW)
    assert len({patient for patient, _ in ids(more).values()}) > len(FEW)
    assert ids(few).items() <= ids(more).items()


def test_every_layout_is_tried() -> None:
    assert LAYOUTS.keys() == {*names()}
