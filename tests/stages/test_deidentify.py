"""`--deidentify`: what split and prepare write identifies nobody, in no byte of any file."""

import logging
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pydicom import dcmread

import chaosprep
from chaosprep.errors import ProblemsError, UsageError
from chaosprep.privacy.pseudonyms import Key
from tests.layouts.trees import labels_at, nifti
from tests.privacy import canaries
from tests.stages import deidentified
from tests.stages.deidentified import pixels_at, planted, read, split, tree, write_key, write_root

HERE = Path(__file__).parents[2]
PEOPLE = sorted(deidentified.PEOPLE.values())


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read only."""
    return write_root(tmp_path_factory.mktemp("deidentify") / "root")


@pytest.fixture
def key(tmp_path: Path) -> str:
    return write_key(tmp_path / "secret.key")


def number_of(row: chaosprep.Slice, made: chaosprep.Dataset) -> int:
    """Whose slice it is, by its pixels."""
    return int(read(made, row.image).pixel_array[0, 0]) // 100


def test_the_canaries_are_in_the_root(root: Path) -> None:
    assert {one for one, _ in canaries.found_in(root)} == {*canaries.CANARIES}


def test_no_byte_below_or_beside_the_output_identifies(root: Path, tmp_path: Path) -> None:
    made = split(root, tmp_path / "place/out")
    assert len(made.slices) == 6
    assert canaries.found_in(tmp_path / "place") == set()
    names = sorted(path.name for path in (tmp_path / "place").iterdir())
    assert names == ["chaosprep.key", "out"]
    assert not re.search(b"(?i)roe|rick|scans/", b"".join(tree(made.directory).values()))


def test_prepare_leaves_no_identifying_copy(root: Path, tmp_path: Path) -> None:
    images, masks = deidentified.IMAGES, deidentified.MASKS
    settings: dict[str, Any] = {"images": images, "masks": masks, "val": 0.5, "copies": 1}
    settings["labels"] = "10..12=liver,20..22=liver"
    place = tmp_path / "place"
    chaosprep.prepare(root, place / "out", deidentify=True, **settings)
    assert canaries.found_in(place) == set()
    assert {path.name for path in place.iterdir()} == {"chaosprep.key", "out"}


def test_a_configuration_file_asks_for_it(root: Path, tmp_path: Path) -> None:
    config = tmp_path / "chain.toml"
    config.write_text(
        f"[split]\nimages = '{deidentified.IMAGES}'\nmasks = '{deidentified.MASKS}'\n"
        "deidentify = true\nval = 0.5\nlabels = '10..12=liver,20..22=liver'\n"
        "[augment]\ncopies = 1\n"
    )
    chaosprep.prepare(root, tmp_path / "place/out", config=config)
    assert canaries.found_in(tmp_path / "place") == set()


def test_any_tree_of_dicom_leaves_no_index_of_headers(root: Path, tmp_path: Path) -> None:
    place = tmp_path / "place"
    chaosprep.split(root / "scans", place / "out", val=0.5)  # keeps one, and copies as they are
    assert (place / "out.index").exists()
    shutil.rmtree(place / "out")
    made = chaosprep.split(root / "scans", place / "out", val=0.5, deidentify=True)
    assert len(made.slices) == 6
    assert not (place / "out.index").exists()
    assert canaries.found_in(place) == set()


def test_a_file_of_somebody_elses_is_not_taken_for_an_index(root: Path, tmp_path: Path) -> None:
    (tmp_path / "out.index").write_bytes(b"my own")
    split(root, tmp_path / "out")
    assert (tmp_path / "out.index").read_bytes() == b"my own"


def test_pixels_and_geometry_are_the_same(root: Path, tmp_path: Path, key: str) -> None:
    plain = split(root, tmp_path / "plain", deidentify=False, pseudonymize=key)
    made = split(root, tmp_path / "out", pseudonymize=key)
    assert [row.id for row in made.slices] == [row.id for row in plain.slices]
    for row, other in zip(made.slices, plain.slices, strict=True):
        number = number_of(row, made)
        assert np.array_equal(read(made, row.image).pixel_array, pixels_at(row.slice, number))
        assert (row.spacing, row.position, row.orientation) == (
            *(other.spacing, other.position, other.orientation),
        )
        assert row.image_sha256 != other.image_sha256


def test_masks_have_their_pixels_and_nothing_else(root: Path, tmp_path: Path) -> None:
    made = split(root, tmp_path / "out")
    for row in made.slices:
        assert row.mask is not None
        data = (made.directory / row.mask).read_bytes()
        assert re.findall(b"IHDR|IDAT|IEND|tEXt|zTXt|eXIf", data) == [b"IHDR", b"IDAT", b"IEND"]
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        assert pixels is not None
        assert np.array_equal(pixels, labels_at(row.slice, number_of(row, made)))


@pytest.mark.parametrize("jobs", [1, 2])
def test_one_key_gives_the_same_bytes(root: Path, tmp_path: Path, key: str, jobs: int) -> None:
    split(root, tmp_path / "a", pseudonymize=key)
    other = str(shutil.copy(key, tmp_path / "other.key"))
    split(root, tmp_path / "b", pseudonymize=other, jobs=jobs)
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_the_key_beside_the_output_is_kept(root: Path, tmp_path: Path) -> None:
    first = split(root, tmp_path / "place/a")
    second = split(root, tmp_path / "place/b")
    assert tree(first.directory) == tree(second.directory)
    elsewhere = split(root, tmp_path / "elsewhere/a")
    one, other = first.slices[0], elsewhere.slices[0]
    assert read(first, one.image).SOPInstanceUID != read(elsewhere, other.image).SOPInstanceUID


def test_shards_become_what_one_run_makes(root: Path, tmp_path: Path, key: str) -> None:
    whole = split(root, tmp_path / "whole", pseudonymize=key)
    parts = [
        split(root, tmp_path / f"{n}", pseudonymize=key, shard=f"{n}/2").directory for n in (1, 2)
    ]
    merged = chaosprep.merge(parts, tmp_path / "merged")
    assert tree(merged.directory) == tree(whole.directory)


_KILLED = """
import os, signal, sys
from chaosprep import files, dataset
from chaosprep.dataset import store
from tests.stages.deidentified import split
from pathlib import Path
root, out, key, count = sys.argv[1:]
plain, left = store.write_new, [int(count)]
def write(path, data):
    plain(path, data)
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
store.write_new = write
split(Path(root), Path(out), pseudonymize=key)
"""


@pytest.mark.parametrize("count", [1, 9])
def test_a_killed_run_leaves_nothing_and_is_gone_on_with(
    root: Path, tmp_path: Path, key: str, count: int
) -> None:
    out = tmp_path / "place/out"
    words = [sys.executable, "-c", _KILLED, str(root), str(out), key, str(count)]
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    done = subprocess.run(words, env=environment, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(tree(out)) >= count
    assert canaries.found_in(tmp_path / "place") == set()
    split(root, out, pseudonymize=key)
    assert tree(out) == tree(split(root, tmp_path / "whole", pseudonymize=key).directory)


def test_what_a_killed_run_did_is_not_done_again(root: Path, tmp_path: Path, key: str) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(root, broken)
    (broken / "scans/Roe_R/1.dcm").write_bytes(b"no DICOM")
    with pytest.raises(ProblemsError):
        split(broken, tmp_path / "out", pseudonymize=key)
    assert canaries.found_in(tmp_path / "out") == set()
    shutil.copy(root / "scans/Roe_R/1.dcm", broken / "scans/Roe_R/1.dcm")
    events: list[chaosprep.Event] = []
    split(broken, tmp_path / "out", pseudonymize=key, on_event=events.append)
    assert (events[0].finished, events[0].total) == (1, 2)


def test_chaos_ids_become_pseudonyms(phantom: Path, tmp_path: Path) -> None:
    made = chaosprep.split(phantom, tmp_path / "out", deidentify=True)
    assert made.slices
    assert all(re.fullmatch("P[0-9a-f]{10}", row.patient) for row in made.slices)
    assert all(re.fullmatch("[0-9a-f]{20}[.]dcm", row.source) for row in made.slices)
    for row in made.slices:
        header = read(made, row.image)
        assert (header.PatientID, str(header.PatientName)) == (row.patient, row.patient)
        assert header.PatientIdentityRemoved == "YES"


def test_a_patient_is_asked_for_by_the_pseudonym(root: Path, tmp_path: Path, key: str) -> None:
    patients = sorted({row.patient for row in split(root, tmp_path / "a", pseudonymize=key).slices})
    one = split(root, tmp_path / "b", pseudonymize=key, patient=patients[:1], val=0)
    assert {row.patient for row in one.slices} == {patients[0]}


def test_what_a_user_wrote_of_paths_and_headers_is_not_recorded(root: Path, tmp_path: Path) -> None:
    made = split(root, tmp_path / "place/out")
    assert re.fullmatch("[0-9a-f]{20}[.]dcm", made.made.parameters["images"])
    more: dict[str, Any] = {"select": ["EchoTime=4..5"], "val": 0.5, "deidentify": True}
    chosen = chaosprep.split(root / "scans", tmp_path / "place/a", **more)
    assert all(re.fullmatch("[0-9a-f]{20}", one) for one in chosen.made.parameters["select"])
    assert canaries.found_in(tmp_path / "place") == set()


def test_a_reason_for_leaving_out_keeps_no_words_of_a_person(
    root: Path, tmp_path: Path, key: str
) -> None:
    out = tmp_path / "out"
    case = split(root, tmp_path / "first", pseudonymize=key).case_ids[0]
    (tmp_path / "bad.csv").write_text(f"case,reason\n{case},motion of Maria Kowalczyk\n")
    made = split(root, out, pseudonymize=key, exclude=[tmp_path / "bad.csv"], val=0)
    told = made.descriptor.tool.left_out
    assert [(one.cases, one.reason) for one in told] == [((case,), "motion of")]
    assert b"Kowalczyk" not in b"".join(p.read_bytes() for p in out.rglob("*") if p.is_file())


def test_links_to_the_originals_are_refused(root: Path, tmp_path: Path) -> None:
    for link in ("hard", "sym"):
        with pytest.raises(UsageError, match="deidentify"):
            split(root, tmp_path / "out", link=link)
    assert not (tmp_path / "out").exists()


def test_accepting_without_deidentifying_means_nothing(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="accept_burned_in"):
        split(root, tmp_path / "out", deidentify=False, accept_burned_in=True)


def test_a_dry_run_makes_no_key_and_no_file(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from chaosprep.division.params import SplitParams
    from chaosprep.running.rehearsal import rehearse
    from chaosprep.stages.split import SPLIT

    (tmp_path / "place").mkdir()
    images, masks = deidentified.IMAGES, deidentified.MASKS
    params = SplitParams(deidentify=True, val=0.5, images=images, masks=masks)
    with caplog.at_level(logging.WARNING):
        found = rehearse(SPLIT, params, root, tmp_path / "place/out")
    assert found.error is None
    assert len(found.plan.cases) == 2
    assert list((tmp_path / "place").iterdir()) == []
    assert "not final" in caplog.text


def test_pixels_that_may_show_text_are_one_problem(tmp_path: Path) -> None:
    root = write_root(tmp_path / "root", BurnedInAnnotation="YES")
    with pytest.raises(ProblemsError) as caught:
        split(root, tmp_path / "place/out")
    assert {problem.code for problem in caught.value.problems} == {"burned-in"}
    assert len({problem.reason for problem in caught.value.problems}) == 1
    assert canaries.found_in(tmp_path / "place") == set()
    made = split(root, tmp_path / "place/out", accept_burned_in=True)
    assert len(made.slices) == 6
    for row in made.slices:
        assert any("may show text, which was accepted" in text for text in row.warnings)
    assert canaries.found_in(tmp_path / "place") == set()


def test_frames_of_a_file_are_refused_once_each_and_looked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chaosprep.privacy.deidentify.file import deidentified as plain

    calls = []

    def counted(data: bytes, patient: str, key: Key, *, accept_burned_in: bool) -> bytes:
        calls.append(patient)
        return plain(data, patient, key, accept_burned_in=accept_burned_in)

    monkeypatch.setattr("chaosprep.privacy.deidentify.file.deidentified", counted)
    root = tmp_path / "root/scans/1"
    root.mkdir(parents=True)
    frames = np.stack([pixels_at(place, 1) for place in range(4)])
    values: dict[str, Any] = {"NumberOfFrames": 4, "PixelData": frames.tobytes()}
    (root / "1.dcm").write_bytes(planted(0, **values))
    made = chaosprep.split(tmp_path / "root/scans", tmp_path / "place/out", val=0, deidentify=True)
    assert [row.frame for row in made.slices] == [0, 1, 2, 3]
    assert len({row.image for row in made.slices}) == len(calls) == 1
    assert np.array_equal(read(made, made.slices[0].image).pixel_array, frames)
    assert canaries.found_in(tmp_path / "place") == set()


def test_images_of_another_format_are_refused_by_name(tmp_path: Path) -> None:
    place = tmp_path / "root/images"
    place.mkdir(parents=True)
    for name in ("1", "2"):
        (place / f"{name}.nii").write_bytes(nifti(np.ones((3, 4, 3), np.int16), np.eye(4)))
    with pytest.raises(ProblemsError) as caught:
        split(tmp_path / "root", tmp_path / "out", images="images/{patient}.nii", masks=None)
    assert {problem.code for problem in caught.value.problems} == {"deidentify-format"}


def test_a_picture_of_another_kind_is_no_mask_to_pass_on(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(root, other)
    for path in (other / "labels").rglob("*.png"):
        path.write_bytes(cv2.imencode(".bmp", np.full((3, 4), 10, np.uint8))[1].tobytes())
    with pytest.raises(ProblemsError) as caught:
        split(other, tmp_path / "out")
    assert {problem.code for problem in caught.value.problems} == {"deidentify-format"}


def test_bytes_behind_the_pixels_of_a_mask_are_refused(root: Path, tmp_path: Path) -> None:
    import struct
    import zlib

    other = tmp_path / "other"
    shutil.copytree(root, other)
    lines = b"".join(b"\0" + line.tobytes() for line in labels_at(0))
    for packed in (zlib.compress(lines + b"Quixotesque"), zlib.compress(lines) + b"Quixotesque"):
        head = struct.pack(">IIBBBBB", 4, 3, 8, 0, 0, 0, 0)
        made = b"\x89PNG\r\n\x1a\n"
        for name, body in ((b"IHDR", head), (b"IDAT", packed), (b"IEND", b"")):
            check = struct.pack(">I", zlib.crc32(name + body))
            made += struct.pack(">I", len(body)) + name + body + check
        (other / "labels/Roe_R/0.png").write_bytes(made)
        with pytest.raises(ProblemsError) as caught:
            split(other, tmp_path / "out")
        assert {problem.code for problem in caught.value.problems} == {"deidentify-format"}
        assert canaries.found_in(tmp_path / "out") == set()


def test_sources_that_name_a_patient_are_refused(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(root, other)
    package = other / "datapackage.json"
    package.write_text('{"sources": [{"title": "Scans of Dulcinea Quixotesque"}]}')
    with pytest.raises(UsageError) as caught:
        split(other, tmp_path / "out")
    assert caught.value.code == "name-identifies"
    assert not canaries.holds(str(caught.value).encode(), "quixotesque")
    package.write_text('{"sources": [{"title": "The livers of a hospital"}]}')
    made = split(other, tmp_path / "out")
    assert [one.title for one in made.sources] == ["The livers of a hospital"]


def test_a_segmentation_of_it_refers_to_the_new_uids(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("highdicom")
    made = split(root, tmp_path / "out", labels="10..12=liver,20..22=liver")
    chaosprep.assemble(made.directory, tmp_path / "seg", format="seg", dicom=made.directory)
    uids = {read(made, row.image).SOPInstanceUID for row in made.slices}
    named: set[str] = set()
    for path in (tmp_path / "seg").rglob("*.dcm"):
        found = dcmread(path)
        named |= {str(one.value) for one in found.iterall() if one.tag == (0x0008, 0x1155)}
    assert named
    assert named <= uids
    assert canaries.found_in(tmp_path / "seg") == set()


def test_later_verbs_go_on_with_it(root: Path, tmp_path: Path) -> None:
    made = split(root, tmp_path / "out", labels="10..12=liver,20..22=liver")
    images = chaosprep.convert(made, tmp_path / "images")
    assert len(images.slices) == 6
    found = chaosprep.verify(made.directory)
    assert found.faults == ()
    chaosprep.export("nnunet", images, tmp_path / "nnunet")
    assert canaries.found_in(tmp_path / "nnunet") == set()


def names_of(made: chaosprep.Dataset) -> set[str]:
    named = {name for row in made.slices for name in (*row.labels.values(), *row.pixels)}
    return named | {label.name for label in made.labels.values()}


def with_masks_that_say(root: Path, *names: str) -> Path:
    """A scan, and a SEG of structures of these names."""
    from tests.layouts.headers.scans import Scan, write_seg

    scan = Scan()
    scan.write(root)
    write_seg(root / "seg.dcm", scan.sources(), scan.labels(*range(1, len(names) + 1)), names)
    return root


def test_structures_are_called_by_known_words(tmp_path: Path) -> None:
    pytest.importorskip("highdicom")
    root = with_masks_that_say(
        tmp_path / "root", "left kidney", "Rocinantini tumour", "Barataria77"
    )
    events: list[chaosprep.Event] = []
    out, more = tmp_path / "place/out", {"val": 0, "on_event": events.append}
    made = chaosprep.split(root, out, deidentify=True, **more)  # type: ignore[arg-type]
    kidney, *others = sorted(names_of(made))
    assert kidney == "left kidney"
    assert re.fullmatch("structure-[0-9a-f]{8}", others[0])
    assert re.fullmatch("tumour-[0-9a-f]{8}", others[1])
    assert {label.code for label in made.labels.values()} == {("SCT", "10200004", "Liver")}
    assert all(sum(row.pixels[name] for row in made.slices) for name in (kidney, *others))
    assert canaries.found_in(tmp_path / "place") == set()
    (note,) = events[0].notes
    assert f"Rocinantini tumour is {others[1]}" in note
    assert chaosprep.verify(made.directory).faults == ()
    settings: dict[str, Any] = {"rename": [f"{others[1]}=the rest"]}
    renamed = chaosprep.extract_labels(made, tmp_path / "organs", **settings)
    assert "the rest" in names_of(renamed)


def test_names_that_a_user_gives_stay(root: Path, tmp_path: Path) -> None:
    made = split(root, tmp_path / "out", labels="10..12=liver,20..22=odradek")
    assert names_of(made) == {"liver", "odradek"}


def test_names_of_sequences_are_to_be_looked_at(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for name in deidentified.PEOPLE:
        shutil.copytree(root / f"scans/{name}", other / f"{name}/odradek")
    events: list[chaosprep.Event] = []
    images = "{patient}/{sequence}/{slice}.dcm"
    split(other, tmp_path / "out", images=images, masks=None, on_event=events.append)
    (note,) = events[0].notes
    assert note.endswith("whether these identify a person: odradek")


def test_a_structure_called_as_its_patient_is_written_nowhere(tmp_path: Path) -> None:
    pytest.importorskip("highdicom")
    from tests.layouts.headers.scans import Scan, write_seg

    scan = Scan(more={"PatientName": canaries.NAME, "SeriesDescription": canaries.NAME})
    scan.write(tmp_path / "root")
    names = ["liver", "Tumour of Dulcinea"]
    write_seg(tmp_path / "root/seg.dcm", scan.sources(), scan.labels(1, 2), names)
    made = chaosprep.split(tmp_path / "root", tmp_path / "place/out", val=0, deidentify=True)
    assert made.slices
    assert canaries.found_in(tmp_path / "place") == set()


def test_series_are_called_by_known_words(tmp_path: Path) -> None:
    from tests.layouts.headers.scans import Scan

    for place, name in (("a", "Sanchopanzaville T2"), ("b", "Barataria77 T2"), ("c", "T1 LAVA")):
        more = {"SeriesDescription": name}
        Scan(series=place, frame=place, more=more).write(tmp_path / f"root/{place}")
    out = tmp_path / "place/out"
    made = chaosprep.split(tmp_path / "root", out, val=0, deidentify=True)
    names = sorted({row.sequence for row in made.slices})
    assert len(names) == 3
    assert names[0] == "t1-lava"
    assert all(re.fullmatch("t2-[0-9a-f]{8}", name) for name in names[1:])
    assert canaries.found_in(tmp_path / "place") == set()


def test_problems_tell_no_description(tmp_path: Path) -> None:
    from tests.layouts.headers.scans import Scan

    for place in ("a", "b"):
        more = {"SeriesDescription": "Sanchopanzaville T2"}
        Scan(series=place, frame=place, more=more).write(tmp_path / f"root/{place}")
    Scan(patient="B-2", more={"SeriesDescription": "T2"}).write(tmp_path / "root/c")
    series = tmp_path / "series.toml"
    series.write_text("[liver]\nSeriesDescription = '*T2'\n")
    asked: dict[str, Any] = {"series": series, "val": 0, "on_error": "skip", "deidentify": True}
    made = chaosprep.split(tmp_path / "root", tmp_path / "place/out", **asked)
    assert [problem.code for problem in made.skipped] == ["series-several"]
    assert canaries.found_in(tmp_path / "place") == set()
