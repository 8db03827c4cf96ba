"""Names of files that every system takes, and paths that one finds too long."""

import pytest

from chaosprep.layouts.names import make_ids
from chaosprep.systems.names import begins_reserved, too_long, why_not
from tests.systems.shim import refusal

DEVICES = ["AUX", "COM1", "COM9", "CON", "CONIN$", "CONOUT$", "LPT1", "LPT9", "NUL", "PRN"]


@pytest.mark.parametrize("name", DEVICES)
def test_a_device_is_none_whatever_its_case_or_ending(name: str) -> None:
    for one in (name, name.lower(), f"{name}.png", f"{name}.tar.gz", f"{name} .x"):
        assert begins_reserved(one)
        assert why_not(one)


@pytest.mark.parametrize("name", ["COM", "COM0", "COM10", "CONS", "MR001_con", "con_t1", "xaux.1"])
def test_what_only_looks_like_one_is_a_name(name: str) -> None:
    assert not begins_reserved(name)
    assert why_not(name) == ""


@pytest.mark.parametrize("sign", [*'"*/:<>?\\|', "\0", "\n", "\x1f"])
def test_a_sign_that_windows_has_not_is_named(sign: str) -> None:
    assert why_not(f"a{sign}b") == f"Windows has no {sign!r} in a name"


@pytest.mark.parametrize("name", ["a ", "a."])
def test_no_name_ends_in_a_point_or_a_space(name: str) -> None:
    assert "ends in a point or a space" in why_not(name)


@pytest.mark.parametrize(
    ("name", "id"),
    [
        *(("AUX.1", "PAUX.1"), ("aux.1", "Paux.1"), ("aux-1", "aux-1")),
        *(("CON", "CON"), ("com1.b", "Pcom1.b"), ("contrast.1", "contrast.1")),
    ],
)
def test_an_id_does_not_begin_with_a_device_and_a_point(name: str, id: str) -> None:
    """An id alone is no file: a hyphen and more come after it."""
    assert make_ids([name], "P", digits=3) == {name: id}
    assert why_not(f"{id}_t1_s001.png") == ""


def test_a_path_that_is_too_long_is_counted() -> None:
    assert too_long(refusal(206, "/" + "a" * 300)) == 301
    assert too_long(refusal(206, "/" + "a" * 200)) == 0
    assert too_long(FileNotFoundError(2, "No such file", "/" + "a" * 300)) == 0
