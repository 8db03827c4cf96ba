"""Dockerfile and chaosprep.def keep their rules, and a break of each is seen."""

import re
import subprocess

import pytest

from tests.documents import blocks
from tests.release.images import definition_faults, dockerfile_faults, extras, sections, steps
from tests.release.state import HOUSE, read

DOCKERFILE = read(HOUSE, "Dockerfile")
DEFINITION = read(HOUSE, "chaosprep.def")
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}")


def test_the_dockerfile_has_no_fault() -> None:
    assert dockerfile_faults(DOCKERFILE, HOUSE) == []


def test_the_definition_has_no_fault() -> None:
    assert definition_faults(DEFINITION, HOUSE) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (DIGEST.findall(DOCKERFILE)[0], "", "FROM python:3.13-slim-bookworm: it has no tag"),
        ("python:3.13-slim-bookworm@", "python@", "it has no tag and digest"),
        ("USER 1000:1000\n", "", "the last stage does not end as a user"),
        ("USER 1000:1000\n", "USER 1000\nUSER 0\n", "the last stage does not end as a user"),
        ("USER 1000:1000\n", "USER root\n", "the last stage does not end as a user"),
        ("COPY chaosprep ", "ADD https://a.org/b.tar ", "ADD https://a.org/b.tar chaosprep: it"),
        ("COPY chaosprep ", "COPY nothing ", "COPY nothing: there is none"),
        ("COPY chaosprep ", "COPY docs ", "COPY docs: .dockerignore keeps it out"),
        ("=codecs\n", "=codecs,all\n", "there is no extra 'all'"),
        ("CMD [", "# [", "there is no CMD"),
    ],
)
def test_a_break_of_the_dockerfile_is_seen(old: str, new: str, fault: str) -> None:
    assert old in DOCKERFILE
    assert fault in "\n".join(dockerfile_faults(DOCKERFILE.replace(old, new, 1), HOUSE))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (DIGEST.findall(DEFINITION)[0], "", "From: python:3.13-slim-bookworm: it has no tag"),
        ("    chaosprep /source", "    nothing /source", "%files nothing: there is none"),
        ("=codecs\n", "=codecs,all\n", "there is no extra 'all'"),
        ("%runscript", "%setup", "there is no %runscript"),
    ],
)
def test_a_break_of_the_definition_is_seen(old: str, new: str, fault: str) -> None:
    assert old in DEFINITION
    assert fault in "\n".join(definition_faults(DEFINITION.replace(old, new, 1), HOUSE))


def test_both_are_of_one_base_with_the_same_in_it() -> None:
    assert len(set(DIGEST.findall(DOCKERFILE + DEFINITION))) == 1
    assert extras(DOCKERFILE) == extras(DEFINITION)
    (made, _) = (rest for word, rest in steps(DOCKERFILE) if word == "RUN")
    *post, last = sections(DEFINITION)["post"]
    assert last == "rm -r /source"
    spelled = [line.replace("'/source[{{ extras }}]'", '".[$EXTRAS]"') for line in post]
    assert spelled == made.split(" && ")
    copied = " ".join(rest for word, rest in steps(DOCKERFILE) if word == "COPY")
    for line in sections(DEFINITION)["files"]:
        assert line.split()[0] in copied.split()


def test_data_that_lie_in_a_clone_stay_out_of_the_image() -> None:
    lines = read(HOUSE, ".dockerignore").splitlines()
    assert "*" in lines
    let = {line[1:] for line in lines if line.startswith("!")}
    assert let == {"LICENSE", "README.md", "chaosprep", "pyproject.toml"}


def test_the_script_that_tries_the_image_is_bash() -> None:
    script = HOUSE / "tests/release/container.sh"
    subprocess.run(["bash", "-n", script], check=True)
    assert "700000000" in script.read_text(encoding="utf-8")


def test_the_page_builds_and_runs_what_is_there() -> None:
    (docker,) = (one for one in blocks(read(HOUSE, "docs/scaling.md"), "bash") if "docker" in one)
    (apptainer,) = (
        one for one in blocks(read(HOUSE, "docs/scaling.md"), "bash") if "apptainer" in one
    )
    for name in re.findall(r"\S+\.def", apptainer):
        assert (HOUSE / name).exists()
    (asked,) = re.findall(r"EXTRAS=(\S+)", docker)
    assert dockerfile_faults(DOCKERFILE.replace("=codecs\n", f"={asked}\n"), HOUSE) == []
    assert f"extras={asked}" in apptainer
