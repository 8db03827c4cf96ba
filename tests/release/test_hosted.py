"""Workflows, forms and hooks are well formed, and name only what exists."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.release.state import HOUSE, read

yaml = pytest.importorskip("yaml")
WORKFLOWS = sorted((HOUSE / ".github/workflows").glob("*.yml"))
FORMS = ("fault", "wish")
PROJECT = tomllib.loads(read(HOUSE, "pyproject.toml"))["project"]
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


def load(path: Path) -> dict[str, Any]:
    """A file of YAML; its key `on` is read as true, as YAML 1.1 has it."""
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def jobs(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = load(path)["jobs"]
    return found


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(path).values() for step in job["steps"]]


def ids(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", WORKFLOWS, ids=ids)
def test_an_action_of_others_is_pinned_by_its_commit(path: Path) -> None:
    for step in steps(path):
        assert ("uses" in step) != ("run" in step)
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=ids)
def test_a_workflow_may_only_read_but_where_it_publishes(path: Path) -> None:
    assert load(path)["permissions"] == {"contents": "read"}
    granted = {name: job["permissions"] for name, job in jobs(path).items() if "permissions" in job}
    wanted = {"publish": {"id-token": "write"}} if path.stem == "release" else {}
    assert granted == wanted
    assert "secrets." not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", WORKFLOWS, ids=ids)
def test_a_job_has_an_end_and_waits_for_jobs_that_there_are(path: Path) -> None:
    for job in jobs(path).values():
        assert job["timeout-minutes"] <= 120
        assert job.get("needs", next(iter(jobs(path)))) in jobs(path)


def test_every_python_is_tried_on_every_system() -> None:
    found = jobs(WORKFLOWS[0])
    for name in ("unix", "windows", "wheel"):
        assert found[name]["strategy"]["matrix"]["python"] == PYTHONS
    assert PROJECT["requires-python"] == f">={PYTHONS[0]}"
    assert found["unix"]["strategy"]["matrix"]["os"] == ["ubuntu-latest", "macos-latest"]
    assert found["windows"]["runs-on"] == "windows-latest"


def test_unix_runs_what_every_change_must_pass_and_windows_its_steps() -> None:
    found = jobs(WORKFLOWS[0])
    assert [one["run"] for one in found["unix"]["steps"] if "run" in one] == ["bash .ci/run"]
    windows = [one["run"] for one in found["windows"]["steps"] if "run" in one]
    makefile, ci = read(HOUSE, "Makefile"), read(HOUSE, ".ci/run")
    for command in windows:
        tool = command.removeprefix("python -m ")
        assert tool in makefile or tool.replace("pip install", "") in ci
    for tool in ("ruff check .", "ruff format --check .", "mypy", "pytest --numprocesses auto"):
        assert f"python -m {tool}" in windows


@pytest.mark.parametrize("path", WORKFLOWS, ids=ids)
def test_a_command_names_files_modules_and_extras_that_there_are(path: Path) -> None:
    for step in steps(path):
        for word in shlex.split(step.get("run", "")):
            if match := re.fullmatch(r"\.\[([\w,-]+)\]", word):
                assert set(match[1].split(",")) <= PROJECT["optional-dependencies"].keys()
            elif "*" in word and not word.startswith("dist/"):
                assert list(HOUSE.glob(word)), word
            elif "/" in word and "*" not in word:
                assert (HOUSE / word).exists(), word
            elif word.startswith("tests."):
                assert (HOUSE / word.replace(".", "/") / "__main__.py").exists(), word


def test_only_a_tag_publishes_what_was_checked_against_it() -> None:
    release = HOUSE / ".github/workflows/release.yml"
    text = release.read_text(encoding="utf-8")
    assert 'on:\n  push:\n    tags: ["v*"]\n' in text
    assert jobs(release)["publish"]["needs"] == "build"
    assert jobs(release)["publish"]["environment"] == "pypi"
    checks = [one["run"] for one in jobs(release)["build"]["steps"] if "run" in one]
    assert 'python -m tests.release --build dist --tag "$GITHUB_REF_NAME"' in checks


@pytest.mark.parametrize("name", FORMS)
def test_a_form_has_the_fields_of_one(name: str) -> None:
    form = load(HOUSE / f".github/ISSUE_TEMPLATE/{name}.yml")
    assert {"name", "description", "body"} <= form.keys()
    kinds = {"markdown", "textarea", "input", "checkboxes"}
    assert {part["type"] for part in form["body"]} <= kinds
    named = [part["id"] for part in form["body"] if part["type"] != "markdown"]
    assert len(set(named)) == len(named)
    assert all(part["attributes"] for part in form["body"])


def test_whoever_reports_a_fault_is_told_to_keep_patients_out() -> None:
    form = load(HOUSE / ".github/ISSUE_TEMPLATE/fault.yml")
    assert "Never attach data of a patient" in form["body"][0]["attributes"]["value"]
    (asked,) = form["body"][-1]["attributes"]["options"]
    assert asked["required"]


def test_a_fault_of_security_is_sent_elsewhere() -> None:
    (link,) = load(HOUSE / ".github/ISSUE_TEMPLATE/config.yml")["contact_links"]
    assert link["url"].endswith("/SECURITY.md#reporting-a-fault")
    assert "\n## Reporting a fault\n" in read(HOUSE, "SECURITY.md")


def test_the_hooks_are_those_of_make_lint() -> None:
    (repo,) = load(HOUSE / ".pre-commit-config.yaml")["repos"]
    assert repo["repo"] == "local"
    entries = [hook["entry"].replace(" --force-exclude", "") for hook in repo["hooks"]]
    lint = read(HOUSE, "Makefile").partition("\nlint:")[2].split("\n\n")[0]
    wanted = re.findall(r"^\t\$\(BIN\)/(.*?)(?: \.)?$", lint, flags=re.M)
    assert entries == [f"python -m {one}" for one in wanted]
