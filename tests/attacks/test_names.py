"""Folders that hold a patient's name, in whatever order and spelling, are refused or hidden."""

import itertools
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

import chaosprep
from chaosprep.errors import ProblemsError, UsageError
from chaosprep.privacy.identity import exposes
from tests.layouts.trees import labels_at, png_of, slice_at, write

ATTACKS = int(os.environ.get("CHAOSPREP_ATTACKS", "1"))
BIRTH = "19700203"
# PatientName -> spellings of family and given name that a person would give folders.
PEOPLE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Smith^John": (("smith",), ("john",)),
    "SMITH^JOHN^A^^": (("smith",), ("john",)),
    "Smith, Ann": (("smith",), ("ann",)),
    "Smith-Jones^Mary": (("smith-jones", "smithjones", "jones", "smith"), ("mary",)),
    "Müller^Jürgen": (("müller", "mueller", "muller"), ("jürgen", "juergen", "jurgen")),
    "Mueller^Joerg": (("müller", "muller"), ("jörg", "jorg")),
    "García Márquez^José": (("garcia", "marquez", "garcíamárquez"), ("josé", "jose")),
    "Nuñez^Íñigo": (("nunez", "nuñez"), ("inigo", "íñigo")),
    "Sørensen^Åse": (("sorensen", "soerensen", "sørensen"), ("åse", "aase", "ase")),
    "Łukasz^Żółw": (("lukasz", "łukasz"), ("zolw", "żółw")),
    "van der Berg^Els": (("vanderberg", "van-der-berg", "berg", "vdberg"), ("els",)),
    "O'Brien^Siobhan": (("obrien", "o-brien", "brien"), ("siobhan",)),
    "McDonald^Ewan": (("mcdonald", "mc-donald"), ("ewan",)),
    "Иванов^Юрий": (("ivanov", "иванов"), ("yury", "yuri", "iurii", "juri")),
    "Παπαδόπουλος^Νίκος": (("papadopoulos", "παπαδοπουλοσ"), ("nikos",)),
    "Yamada^Tarou=山田^太郎=やまだ^たろう": (("yamada", "山田", "やまだ"), ("tarou", "太郎")),
    "Wang^Xiaodong=王^小东": (("wang", "王小东"), ("xiaodong", "小东")),
    "Hong^Gildong=洪^吉洞=홍^길동": (("hong", "홍길동"), ("gildong", "길동")),
    "Nguyễn^Văn Hùng": (("nguyen", "nguyễn"), ("hung", "hùng")),
    "Şahin^İpek": (("sahin", "şahin"), ("ipek", "i̇pek")),
}
# A part of two letters, or one that is a word of the field, tells only with another.
SHORT = {"Li^Wei": ("li", "wei"), "Wu^Li": ("wu", "li"), "Ng^An": ("ng", "an")}
COMMON = {
    "May^Theresa": ("may", "theresa"),
    "Long^Xi": ("long", "xi"),
    "Dixon^Al": ("dixon", "al"),
    "Young^Max": ("young", "max"),
}
JOINERS = ("", " ", "_", "-", ".", ",", "^")
AROUND = ("{}", "{}_T1", "T1{}", "T1-{}", "{}1970", "{}_1970", "pat_{}", "scan {} 2", "{}_liver")


def in_cases(text: str) -> tuple[str, ...]:
    return text, text.upper(), text.title()


def spellings(people: tuple[tuple[str, ...], tuple[str, ...]]) -> Iterator[str]:
    """Family and given name, alone, in both orders, with initials."""
    families, givens = people
    yield from (*families, *givens)
    for (family, given), joiner in itertools.product(itertools.product(*people), JOINERS):
        initial, first = given[0], family[0]
        yield from (f"{family}{joiner}{given}", f"{given}{joiner}{family}")
        yield from (f"{family}{joiner}{initial}", f"{initial}{joiner}{family}")
        yield from (f"{given}{joiner}{first}", f"{first}{joiner}{given}")


def shown(name: str) -> list[str]:
    """Everything that the grammar makes of a name."""
    every = (
        around.format(text)
        for spelt in spellings(PEOPLE[name])
        for text in in_cases(spelt)
        for around in AROUND
    )
    return list(dict.fromkeys(every))


@pytest.mark.parametrize("name", PEOPLE)
def test_every_spelling_of_a_name_is_told(name: str) -> None:
    identity = {"PatientName": name, "PatientBirthDate": BIRTH}
    made = shown(name)
    sample = random.Random(name).sample(made, min(len(made), 600 * ATTACKS))
    assert [text for text in sample if not exposes(text, identity)] == []


@pytest.mark.parametrize("folder", ["smithb", "bsmith_t1", "SMITHJR", "drsmith", "smithjb-2"])
def test_initials_that_the_header_does_not_have_hide_nothing(folder: str) -> None:
    assert exposes(folder, {"PatientName": "Smith^John"})
    assert not exposes(folder, {"PatientName": "Smi^John"})


@pytest.mark.parametrize("folder", ["MRANN", "ctann_2", "mrAnn", "annliver", "CTANNHOPE"])
def test_short_names_are_told_behind_a_modality_and_beside_common_words(folder: str) -> None:
    assert exposes(folder, {"PatientName": "Hope^Ann"})


@pytest.mark.parametrize("keyword", ["OtherPatientNames", "PatientBirthName"])
def test_the_patients_other_names_are_told_too(keyword: str) -> None:
    identity = {"PatientName": "Anonymous", keyword: "Smith^John\\Jones^Mary"}
    assert all(exposes(text, identity) for text in ("SmithJ_T1", "jones-2", "johnsmith"))


def test_a_physicians_name_is_not_the_patients(tmp_path: Path) -> None:
    image = slice_at(0, PatientName="Doe^Jane", ReferringPhysicianName="Smith^John")
    made = chaosprep.split(
        write(tmp_path / "root", {"smith-clinic-1/1.dcm": image, "site-2/1.dcm": image}),
        tmp_path / "out",
        images="{patient}/{slice}.dcm",
        val=0,
        trust_folders=True,
    )
    assert made.patients == ("site-2", "smith-clinic-1")


@pytest.mark.parametrize(("name", "words"), SHORT.items())
@pytest.mark.parametrize("joiner", JOINERS)
def test_short_parts_are_told_together_or_with_the_year_of_birth(
    name: str, words: tuple[str, str], joiner: str
) -> None:
    identity = {"PatientName": name, "PatientBirthDate": BIRTH}
    one, other = words
    made = (f"{one}{joiner}{other}", f"{other}{joiner}{one}", f"{one}_1970", f"T1 {other}-1970")
    every = [text for whole in made for text in in_cases(whole)]
    assert [text for text in every if not exposes(text, identity)] == []


@pytest.mark.parametrize(("name", "words"), COMMON.items())
def test_words_of_the_field_are_told_with_another_part_only(
    name: str, words: tuple[str, str]
) -> None:
    identity = {"PatientName": name, "PatientBirthDate": BIRTH}
    word, other = words
    assert exposes(f"{word}_{other}", identity)
    assert exposes(f"{other}{word}", identity)
    assert exposes(f"{word.title()}{other[0].upper()}", identity)
    assert exposes(f"{word}_1970", identity)
    assert not exposes(f"{word}_2020", identity)
    assert not exposes(word, identity)


NEAR = {
    "Ann^Hope": ("Hannover", "annual", "scanner", "hannah", "planning", "annotations"),
    "May^Theresa": ("may_2020", "2021-may-03", "mayo"),
    "Li^Wei": ("li", "liver", "weights", "w_001", "T1_li", "lipid"),
    "Thora^Liv": ("thorax", "thoracic", "liver", "livers_t2"),
    "Corona^Axi": ("coronal", "t2_coronal", "axial", "CoronalScan"),
    "Brain^Phase": ("brain", "phase2"),
    "Live^Series": ("liver", "series", "livestock"),
    "Smith^John": (
        *("liver", "t1", "t2-spir", "axial_t2", "visit1", "male", "brain", "phase", "MR001"),
        *("001", "2019", "2019-03-02", "IMG-0004-00002", "i0000,0000b", "DICOM_anon", "InPhase"),
        *("series", "jo", "sm", "js", "j_s", "smi", "kidney_left", "0012345", "baseline", "MR_1"),
        *("CT", "Ground", "liver_GT_001", "T1DUAL", "OutPhase", "P007", "sub-01", "ses-2", "anat"),
    ),
    "Dixon^William": ("dixon", "dixon_w", "mDixon_water", "t1-dixon-in"),
    "Tim^Evans": ("time", "time2", "timepoint-1", "multitime"),
    "De La Cruz^Eva": ("hospital_de_la_paz", "de la", "las_de_la"),
    "van der Berg^An": ("van_der_waals", "der_van"),
    "王^小东": ("王", "王府"),
    # words of public sets and series, which are no names with two letters more, nor other spellings
    "Chen^Jing": ("CT-LUNG-SCREENING", "Resting_State_fMRI", "postprocessing"),
    "Hu^Jie": ("Serie_1", "Thorax_avec_injection", "Crane_sans_injection"),
    "Yamada^Rin": ("ACRIN-FLT-Breast", "ACRIN-DSC-MR-Brain"),
    "Berg^Els": ("labelsTr", "Heidelberg"),
    "Popa^Ion": ("LGG-1p19qDeletion", "extraction", "junction", "mip_projection"),
    "Noh^Tae": ("HCC-TACE-Seg", "VISTA_PD"),
    "Lin^Na": ("sub-01_space-MNI152NLin2009cAsym_desc-preproc_T1w",),
    "Lim^Ara": ("TCGA-AR-A1AX",),
    "Costa^Ata": ("costal_cartilages", "OpenDataset"),
    "Song^In": ("Sin_contraste", "con_contraste"),
}


@pytest.mark.parametrize(("name", "folders"), NEAR.items())
def test_near_misses_pass(name: str, folders: tuple[str, ...]) -> None:
    identity = {"PatientName": name, "PatientBirthDate": BIRTH}
    every = [text for folder in folders for text in (folder, folder.upper(), folder.title())]
    assert [text for text in every if exposes(text, identity)] == []


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        *(("MR001", "MR001"), ("Anonymous", "anonymous"), ("Patient^1", "patient_1")),
        *(("CHAOS", "CHAOS"), ("CHAOS^MR_SET_1", "mr-set-1"), ("ANON^PATIENT 12", "Patient12")),
        *(("CT^SCAN", "ct_scan"), ("Brain^Phantom", "brain phantom"), ("Test^Case 3", "case3")),
    ],
)
def test_what_stands_in_a_names_place_passes(name: str, folder: str) -> None:
    assert not exposes(folder, {"PatientName": name})


def test_names_that_only_number_a_set_pass(tmp_path: Path) -> None:
    names = [f"BRATS-{number:03d}" for number in (1, 2, 3)]
    files = {f"{name}/1.dcm": slice_at(0, PatientName=name, PatientID=name) for name in names}
    made = chaosprep.split(
        write(tmp_path / "root", files), tmp_path / "out", images="{patient}/{slice}.dcm", val=0
    )
    assert made.patients == tuple(names)


@pytest.mark.parametrize(
    "folder",
    ["03-02-1970", "02.03.1970", "19700203_T1", "700203", "t1_030270", "03_02_1970_t1"],
)
def test_a_birth_date_is_told_in_any_order(folder: str) -> None:
    assert exposes(folder, {"PatientName": "Doe^Jane", "PatientBirthDate": BIRTH})


@pytest.mark.parametrize("folder", ["1970", "000203", "19700204", "70-02", "visit 03 02"])
def test_another_date_passes(folder: str) -> None:
    assert not exposes(folder, {"PatientName": "Doe^Jane", "PatientBirthDate": "20000203"})
    assert not exposes(folder, {"PatientName": "Doe^Jane", "PatientBirthDate": BIRTH})


# Through the verbs: what is refused is not said, what is hidden is nowhere.

IMAGES = "{patient}/{sequence}/{slice}.dcm"
WHO = {"PatientName": "Smith^John", "PatientBirthDate": BIRTH, "PatientID": "4711-A"}
MARKS = ("smith", "john", "4711")


def said_in(place: Path) -> list[str]:
    """What of the person is in names or bytes of files below a folder."""
    every = [(path.name, path) for path in place.rglob("*")]
    texts = [name.encode() for name, _ in every]
    kept = (path for _, path in every if path.is_file() and path.suffix != ".dcm")
    texts += [path.read_bytes() for path in kept]
    return [mark for mark in MARKS for text in texts if mark.encode() in text.lower()]


@pytest.mark.parametrize(
    ("path", "images"),
    [
        ("SmithJ/t1/1.dcm", IMAGES),
        ("P1/Smith_T1/1.dcm", IMAGES),
        ("john.smith_1970/t1/1.dcm", IMAGES),
        ("P1/t1/jsmith-001.dcm", IMAGES),
        ("smith/P1/t1/1.dcm", "smith/{patient}/{sequence}/{slice}.dcm"),
        ("P1/smith_t1/1.dcm", "{patient}/smith_{sequence}/{slice}.dcm"),
        ("all/P1/scans of smith/1.dcm", "all"),
    ],
)
def test_a_name_in_any_place_of_a_path_is_refused(
    tmp_path: Path, path: str, images: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write(tmp_path / "root", {path: slice_at(0, 1, **WHO)})
    with pytest.raises(UsageError) as error:
        chaosprep.split(root, tmp_path / "out", images=images, val=0)
    assert error.value.code == "name-identifies"
    told = str(error.value).lower() + "".join(capsys.readouterr()).lower()
    assert not any(mark in told.replace(str(tmp_path).lower(), "") for mark in MARKS)
    assert said_in(tmp_path / "out") == []


@pytest.mark.parametrize("sequence", ["Smith_T1", "T1Smith", "t2_jsmith", "JOHN"])
def test_a_sequence_is_refused_under_a_key_too(tmp_path: Path, sequence: str) -> None:
    key = tmp_path / "key"
    key.write_bytes(bytes(range(32)))
    root = write(tmp_path / "root", {f"P1/{sequence}/1.dcm": slice_at(0, 1, **WHO)})
    with pytest.raises(UsageError, match="can only be renamed"):
        chaosprep.split(root, tmp_path / "out", images=IMAGES, val=0, pseudonymize=str(key))


def test_a_key_hides_folders_files_and_masks(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(bytes(range(32)))
    files = {
        "SmithJ/t1/john_1.dcm": slice_at(0, 1, **WHO),
        "SmithJ/t1/john_2.dcm": slice_at(1, 1, **WHO),
        "SmithJ/t1/smith_3.dcm": b"no image at all",
        "masks/SmithJ/t1/john_1.png": png_of(labels_at(0)),
        "masks/SmithJ/t1/john_2.png": b"no mask at all",
    }
    root = write(tmp_path / "root", files)
    made = chaosprep.split(
        root,
        tmp_path / "out",
        images=IMAGES,
        masks=f"masks/{IMAGES}".replace(".dcm", ".png"),
        val=0,
        pseudonymize=str(key),
        on_error="skip",
    )
    assert len(list(made.slices)) == 1
    assert len(made.skipped) >= 2
    assert said_in(tmp_path / "out") == []


def test_a_mask_that_is_named_after_the_patient_is_not_named_in_a_problem(tmp_path: Path) -> None:
    files = {
        "P1/1.dcm": slice_at(0, 1, **WHO),
        "P2/1.dcm": slice_at(0, 2),
        "masks/P1/SmithJ.nii": b"no volume at all",
        "masks/P2/labels.nii": b"no volume at all",
    }
    root = write(tmp_path / "root", files)
    with pytest.raises(ProblemsError) as error:
        chaosprep.split(
            root,
            tmp_path / "out",
            images="{patient}/{slice}.dcm",
            masks="masks/{patient}/{slice}.nii",
            val=0,
        )
    named = {(problem.id, problem.file) for problem in error.value.problems}
    assert ("P1_series", None) in named
    assert ("P2_series", "masks/P2/labels.nii") in named
    assert "smith" not in str(named).lower()
    assert said_in(tmp_path / "out") == []
