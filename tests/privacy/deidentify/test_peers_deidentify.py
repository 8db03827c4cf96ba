"""De-identified files beside dicognito's and deid's: what each leaves, as docs/deidentify.md says.

They run in an environment of their own (`make test-peers`).
"""

import os
import re
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

import chaosprep
from tests.documents import HOME
from tests.formats.samples import dataset, encoded
from tests.stages.deidentified import write_key

pytestmark = pytest.mark.peers

PYTHON = Path(os.environ.get("CHAOSPREP_DEIDENTIFY_PYTHON", HOME / ".venv-deidentify/bin/python"))
Change = Callable[[Dataset], None]
TOOLS = ("chaosprep", "dicognito", "deid")
MARK = "Quixotesque"
DAY = "20190823"
UID = "1.2.826.0.1.3680043.9.9999.271828"


def _private(made: Dataset) -> None:
    made.private_block(0x0011, "A MAKER", create=True).add_new(0x10, "LO", MARK)


def _nested(made: Dataset) -> None:
    inside = Dataset()
    inside.InstitutionName = inside.PatientName = MARK
    made.ReferencedImageSequence = [inside]


def _set(**values: object) -> Change:
    def change(made: Dataset) -> None:
        for keyword, value in values.items():
            setattr(made, keyword, value)

    return change


def _unknown(made: Dataset) -> None:
    made.add_new(0x00100099, "LO", MARK)


PLACES: dict[str, tuple[Change, str]] = {
    "PatientName, PatientID": (_set(PatientName=MARK, PatientID=MARK), MARK),
    "PatientBirthDate": (_set(PatientBirthDate=DAY), DAY),
    "StudyDate": (_set(StudyDate=DAY), DAY),
    "InstitutionName": (_set(InstitutionName=MARK), MARK),
    "StudyDescription": (_set(StudyDescription=MARK), MARK),
    "SeriesDescription": (_set(SeriesDescription=MARK), MARK),
    "ProtocolName": (_set(ProtocolName=MARK), MARK),
    "PatientComments": (_set(PatientComments=MARK), MARK),
    "ImageComments": (_set(ImageComments=MARK), MARK),
    "StationName": (_set(StationName=MARK), MARK),
    "DeviceSerialNumber": (_set(DeviceSerialNumber=MARK), MARK),
    "ReferringPhysicianName": (_set(ReferringPhysicianName=MARK), MARK),
    "MedicalAlerts": (_set(MedicalAlerts=MARK), MARK),
    "SOPInstanceUID, StudyInstanceUID": (_set(SOPInstanceUID=UID, StudyInstanceUID=UID), UID),
    "FrameOfReferenceUID": (_set(FrameOfReferenceUID=UID), UID),
    "IrradiationEventUID": (_set(IrradiationEventUID=UID), UID),
    "in a sequence": (_nested, MARK),
    "a private element": (_private, MARK),
    "an element that no dictionary knows": (_unknown, MARK),
    "the preamble": (_set(), MARK),
    "file meta information": (_set(), MARK),
}
"""Where something is planted -> how, and the text to look for."""

LEAVES: dict[str, set[str]] = {
    "chaosprep": set(),
    "dicognito": {
        "StudyDescription",
        "SeriesDescription",
        "ProtocolName",
        "PatientComments",
        "ImageComments",
        "DeviceSerialNumber",
        "MedicalAlerts",
        "a private element",
        "an element that no dictionary knows",
        "the preamble",
        "file meta information",
    },
    "deid": {
        "InstitutionName",
        "StudyDescription",
        "SeriesDescription",
        "ProtocolName",
        "ImageComments",
        "StationName",
        "DeviceSerialNumber",
        "MedicalAlerts",
        "in a sequence",
        "a private element",
        "an element that no dictionary knows",
        "the preamble",
        "file meta information",
    },
}
"""What each tool leaves (dicognito 0.19.0; deid 0.4.13 with its own recipe)."""


def planted(name: str) -> bytes:
    change, _ = PLACES[name]
    made = dataset(SOPInstanceUID="1.2.3", StudyInstanceUID="1.2.4", PatientID="1")
    change(made)
    if name == "file meta information":
        made.file_meta.SourceApplicationEntityTitle = MARK
    data = encoded(made)
    return MARK.encode().ljust(128, b"\0") + data[128:] if name == "the preamble" else data


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not PYTHON.exists():
        pytest.skip("make test-peers makes the environment")
    place = tmp_path_factory.mktemp("peers")
    (place / "source").mkdir()
    (place / "out/chaosprep").mkdir(parents=True)
    key = write_key(place / "a.key")
    for number, name in enumerate(PLACES):
        data = planted(name)
        (place / f"source/{number:02d}.dcm").write_bytes(data)
        ours = chaosprep.deidentify(data, key=key, patient="P0123456789")
        (place / f"out/chaosprep/{number:02d}.dcm").write_bytes(ours)
    script = Path(__file__).with_name("peers_deidentify.py")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    words = [str(PYTHON), str(script), str(place / "source"), str(place / "out")]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return place / "out"


@pytest.mark.parametrize("tool", TOOLS)
def test_what_a_tool_leaves_is_what_is_said_of_it(made: Path, tool: str) -> None:
    left = set()
    for number, (name, (_, text)) in enumerate(PLACES.items()):
        data = (made / tool / f"{number:02d}.dcm").read_bytes()
        assert dcmread(BytesIO(data)).pixel_array.size
        left |= {name} if text.encode() in data else set()
    assert left == LEAVES[tool]


def test_the_page_says_the_same() -> None:
    page = (HOME / "docs/deidentify.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| (\w+) \| (\w+) \| (\w+) \|$", page, flags=re.M)
    said = {name.replace("`", ""): cells for name, *cells in rows}
    for name in PLACES:
        assert said[name] == ["left" if name in LEAVES[tool] else "gone" for tool in TOOLS]
