"""What identifies in a header, and whether a name gives it away."""

import errno
import struct
import warnings
from io import BytesIO
from pathlib import Path
from unicodedata import normalize

import pytest
from pydicom import dcmread
from pydicom.data import get_charset_files
from pydicom.datadict import dictionary_VR
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian

from chaosprep.privacy import identity
from chaosprep.privacy.identity import (
    exposes,
    has_uid,
    normalized,
    patient_key,
    read_identity,
    tells_nobody,
)
from tests.formats.samples import dataset, dicom, encoded


def test_values_that_identify_are_read_and_no_others() -> None:
    found = read_identity(dicom(PatientID="A-17", StudyDate="20190203"))
    assert found["PatientID"] == "A-17"
    assert found["PatientName"] == "Doe^Jane"
    assert found["StudyDate"] == "20190203"
    assert "Modality" not in found


@pytest.mark.parametrize("syntax", [ExplicitVRBigEndian, ExplicitVRLittleEndian])
def test_a_file_gives_what_its_bytes_give(syntax: UID) -> None:
    data = encoded(dataset(PatientID="A-17"), syntax)
    assert read_identity(BytesIO(data)) == read_identity(data)


def test_a_header_that_goes_on_for_long_is_read_whole() -> None:
    data = encoded(dataset(PatientID="A-17", TextValue="x" * 2**16), ExplicitVRLittleEndian)
    assert read_identity(BytesIO(data)) == read_identity(data)
    assert read_identity(data)["PatientID"] == "A-17"


def test_a_disk_that_fails_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(identity, "open_regular", lambda path: Failing())
    assert identity.identity_at(tmp_path, "1.dcm") == {}


@pytest.mark.parametrize("data", [b"", b"not DICOM", dicom()[:140], dicom()[:200]])
def test_what_cannot_be_read_tells_nothing(data: bytes) -> None:
    assert read_identity(data) == {} or "PatientID" not in read_identity(data)


def test_names_in_other_spellings_are_one_patients() -> None:
    keys = {
        patient_key({"PatientName": name}, "PatientName")
        for name in ("Doe^Jane", "DOE^JANE", "doe^jane^^", " Doe ^Jane", "Doe^Jane=X^Y")
    }
    assert keys == {"doe^jane"}


def test_ids_in_other_spellings_are_one_patients() -> None:
    keys = {
        patient_key({"PatientID": id}, "PatientID")
        for id in ("A1 7", "a1 7", " A1  7", "\uff211 7")
    }
    assert len(keys) == 1
    assert "" not in keys
    assert patient_key({"PatientID": "A18"}, "PatientID") not in keys
    assert patient_key({"PatientID": "A1=7"}, "PatientID") != patient_key(
        {"PatientID": "A1=8"}, "PatientID"
    )


def test_a_name_composed_or_not_is_one_patients() -> None:
    """NFC and NFD: what a Windows and a macOS machine write."""
    keys = {
        patient_key({"PatientName": normalize(form, "Müller^Zoë")}, "PatientName")
        for form in ("NFC", "NFD")
    }
    assert keys == {"müller^zoë"}


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "yamada^tarou"),
        ("=山田^太郎=やまだ^たろう", "山田^太郎"),
        ("^^==やまだ^たろう", "やまだ^たろう"),
        ("山田^太郎", "山田^太郎"),
    ],
)
def test_the_first_representation_that_is_there_counts(name: str, key: str) -> None:
    assert patient_key({"PatientName": name}, "PatientName") == key


@pytest.mark.parametrize(
    "text",
    [
        *("", "ANONYMOUS", "Anonymized^", "de-identified", "N/A", "=", "匿名", "익명"),
        *("REMOVED^REMOVED", "Anon Anon", "Unknown^^^Patient", "NULL NULL NULL"),
    ],
)
def test_a_placeholder_is_nobodys(text: str) -> None:
    for source in ("PatientID", "PatientName"):
        assert patient_key({source: text}, source) == ""


@pytest.mark.parametrize("text", ["0", "000", "XXX", "x^x", "patient", "", "---"])
def test_some_values_tell_nobody(text: str) -> None:
    assert tells_nobody(normalized(text))


@pytest.mark.parametrize(
    "text", ["7", "ANON-0007", "Patient 12", "TEST-0042", "Li^Na", "Na^Nan", "Nil^Anon", "x1"]
)
def test_a_number_behind_a_placeholder_tells_somebody(text: str) -> None:
    assert not tells_nobody(normalized(text))


# Character sets

SAMPLES = sorted(path for path in get_charset_files("*.dcm"))


@pytest.mark.parametrize("path", SAMPLES, ids=[Path(path).name for path in SAMPLES])
def test_names_are_decoded_as_pydicom_decodes_them(path: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = dcmread(path)
        expected = str(header.get("PatientName", ""))
    assert read_identity(Path(path).read_bytes()).get("PatientName", "") == expected


def test_pydicom_has_samples_of_all_scripts() -> None:
    assert len(SAMPLES) >= 17


@pytest.mark.parametrize(
    ("charset", "python", "name"),
    [
        ("ISO_IR 100", "latin-1", "Buc^Jérôme"),
        ("ISO_IR 101", "iso8859-2", "Dvořák^Jiří"),
        ("ISO_IR 144", "iso8859-5", "Люксембург"),
        ("ISO_IR 126", "iso8859-7", "Διονυσιος"),
        ("ISO_IR 127", "iso8859-6", "قباني^لنزار"),
        ("ISO_IR 138", "iso8859-8", "שרון^דבורה"),
        ("ISO_IR 166", "tis-620", "สมชาย^ใจดี"),
        ("ISO_IR 13", "shift_jis", "ﾔﾏﾀﾞ^ﾀﾛｳ"),
        ("ISO_IR 192", "utf-8", "王^小东"),
        ("GB18030", "gb18030", "王^小东"),
        ("GBK", "gbk", "王^小东"),
    ],
)
@pytest.mark.parametrize("keyword", ["PatientName", "PatientID", "StudyID"])
def test_texts_are_decoded_by_their_character_set(
    charset: str, python: str, name: str, keyword: str
) -> None:
    found = read_identity(with_bytes(keyword, name.encode(python), charset))
    assert found[keyword] == name


@pytest.mark.parametrize("keyword", ["PatientName", "PatientID"])
@pytest.mark.parametrize(
    ("charset", "python"), [("ISO 2022 IR 87", "iso2022_jp"), ("ISO 2022 IR 159", "iso2022_jp_2")]
)
def test_code_extensions_are_followed(charset: str, python: str, keyword: str) -> None:
    name = "山田^太郎" if charset.endswith("87") else "丂^丄"
    data = "^".join(part.encode(python).decode("latin-1") for part in name.split("^"))
    found = read_identity(with_bytes(keyword, data.encode("latin-1"), "\\" + charset))
    assert found[keyword] == name


@pytest.mark.parametrize("charset", ["ISO_IR 999", "utf8", "GB18030\\ISO 2022 IR 87", "?", "\\\\"])
@pytest.mark.parametrize("data", [b"Doe^Jane", b"\xff\xfe\x1b$B", b"\x1b\x1b^=\x80"])
def test_broken_character_sets_neither_raise_nor_warn(
    charset: str, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_identity(with_bytes("PatientName", data, charset))
    assert not caplog.records
    assert found["PatientName"]
    if data == b"Doe^Jane":
        assert found["PatientName"] == "Doe^Jane"


@pytest.mark.parametrize("charset", ["", "ISO_IR 6", "ISO 2022 IR 6", "ISO_IR 999", "\\ISO_IR 6"])
@pytest.mark.parametrize("name", ["Müller^Zoë", "Петров^Иван", "王^小东"])
def test_text_of_no_declared_character_set_is_utf_8_where_it_can_be(
    charset: str, name: str
) -> None:
    found = read_identity(with_bytes("PatientName", name.encode(), charset))
    assert found["PatientName"] == name


@pytest.mark.parametrize(
    ("charset", "data"),
    [("", "Müller^Zoë".encode("latin-1")), ("ISO_IR 192", "Müller^Zoë".encode("latin-1"))],
)
def test_bytes_that_are_no_text_of_their_character_set_are_kept_apart(
    charset: str, data: bytes
) -> None:
    """A sign for all that cannot be decoded would make one name of two."""
    assert read_identity(with_bytes("PatientName", data, charset))["PatientName"] == "Müller^Zoë"
    other = read_identity(with_bytes("PatientName", data.replace(b"\xfc", b"\xf6"), charset))
    assert other["PatientName"] == "Möller^Zoë"


@pytest.mark.parametrize("charset", ["ISO_IR 100", "\\ISO 2022 IR 100", "ISO_IR 192", ""])
@pytest.mark.parametrize("keyword", ["PatientName", "PatientID"])
def test_a_name_in_utf_8_is_found_in_a_path_whatever_is_declared(
    charset: str, keyword: str
) -> None:
    identity = read_identity(with_bytes(keyword, "Müller^Zoë".encode(), charset))
    assert exposes("Müller", identity)
    assert not exposes("Möller", identity)


def test_a_sequence_in_the_place_of_a_name_tells_nothing() -> None:
    """Explicit little endian, a PatientName of VR SQ with one empty item (PS3.5 7.5)."""
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    name = struct.pack("<HH2sHI", 0x10, 0x10, b"SQ", 0, len(item)) + item
    data = with_bytes("PatientID", b"A-17", "ISO_IR 100")
    start = data.index(struct.pack("<HH", 0x10, 0x20))
    found = read_identity(data[:start] + name + data[start:])
    assert found == {"PatientID": "A-17"}


def test_one_name_in_two_character_sets_is_one_patients() -> None:
    keys = {
        patient_key(read_identity(with_bytes("PatientName", name, charset)), "PatientName")
        for name, charset in (
            ("Müller^Zoë".encode("latin-1"), "ISO_IR 100"),
            ("MÜLLER^Zoë^^".encode(), "ISO_IR 192"),
            (normalize("NFD", "Müller^Zoë").encode("gb18030"), "GB18030"),
        )
    }
    assert keys == {"müller^zoë"}


def with_bytes(keyword: str, data: bytes, charset: str) -> bytes:
    """A header with a value byte for byte: explicit little endian, by hand (PS3.5 7.1.2)."""
    texts = {"SpecificCharacterSet": charset.encode(), keyword: data}
    body = b""
    for name in sorted(texts, key=Tag):
        tag = Tag(name)
        value = texts[name] + b" " * (len(texts[name]) % 2)
        vr = dictionary_VR(name).encode()
        body += struct.pack("<HH2sH", tag.group, tag.element, vr, len(value)) + value
    syntax = b"1.2.840.10008.1.2.1\0"
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", len(syntax)) + syntax
    length = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta))
    return bytes(128) + b"DICM" + length + meta + body


@pytest.mark.parametrize(
    ("name", "keyword", "value"),
    [
        ("Doe_Jane", "PatientName", "Doe^Jane"),
        ("jane", "PatientName", "Doe^Jane"),
        ("scan-0012345678", "PatientID", "12345678"),
        ("MÜLLER", "PatientName", "Müller^A"),
        ("20190203", "StudyDate", "20190203"),
        ("山田", "PatientName", "Yamada^Tarou=山田^太郎"),
        ("王小东", "PatientName", "=王^小东"),
        ("patient-miller", "PatientName", "Miller^Patient"),
        ("anonymous-0012", "PatientID", "ANONYMOUS-0012"),
        ("scan 王小东 2", "PatientName", "王^小东"),
        ("Люксембург", "PatientName", "ЛЮКСЕМБУРГ^Ж"),
        ("\uff21\uff22\uff11\uff12\uff13\uff14", "PatientID", "ab1234"),
        ("doe jane", "PatientName", "X^Y=Doe^Jane=Z"),
        ("Hong-Gildong", "OtherPatientNames", "Kim^A\\Hong^Gildong"),
        ("MR.1.2.840.113619.2.1", "SOPInstanceUID", "1.2.840.113619.2.1"),
    ],
)
def test_a_name_that_is_or_holds_a_value_is_told(name: str, keyword: str, value: str) -> None:
    assert exposes(name, {keyword: value})


@pytest.mark.parametrize(
    ("name", "keyword", "value"),
    [
        ("7", "PatientID", "7"),
        ("IM-0001", "StudyID", "0001"),
        ("liver-014", "PatientID", "A-17"),
        ("001", "PatientName", ""),
        ("王", "PatientName", "王^小东"),
        ("patient-07", "PatientName", "ANONYMOUS^PATIENT"),
        ("anonymous_12", "PatientID", "ANONYMOUS"),
        ("subject-003", "PatientName", "Subject"),
    ],
)
def test_short_and_other_values_are_not(name: str, keyword: str, value: str) -> None:
    assert not exposes(name, {keyword: value})


def test_a_uid_is_known_by_its_form() -> None:
    assert has_uid("IM.1.2.840.113619.2.55")
    assert not has_uid("i0000,0000b")
    assert not has_uid("2019.02.03")
