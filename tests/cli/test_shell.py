"""What the shell and the terminal give: completion, the whole help, a bar, no colours."""

import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from chaosprep.cli.bar import Bar
from chaosprep.exports.table import EXPORTS
from chaosprep.verb_table import VERBS

from .conftest import Run

COLOUR = re.compile(r"\x1b\[[0-9;]*(?:3[0-7]|38;|9[0-7])[0-9;]*m")  # of letters, by ECMA-48
PROGRAM = "import sys; from chaosprep.cli.entry import main; sys.exit(main())"


@pytest.fixture
def bash(tmp_path: Path) -> str:
    """A bash of version 4.4 or later, which the completion needs."""
    found = shutil.which("bash")
    if found is None:
        pytest.skip("no bash here")
    version = subprocess.run(
        [found, "-c", "echo $((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1]))"],
        capture_output=True,
        text=True,
        check=True,
    )
    if int(version.stdout) < 404:
        pytest.skip("bash is older than 4.4")
    return found


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """A folder for the PATH with `chaosprep` in it."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/chaosprep"
    program.write_text(f"#!{sys.executable}\n{PROGRAM}\n")
    program.chmod(0o755)
    return program.parent


def completed(bash: str, command: Path, words: str) -> list[str]:
    """What bash completes the last of some words to, with what `completion bash` prints."""
    every = words.split(" ")
    listed = " ".join(f"'{word}'" for word in every)
    script = f"""
        eval "$(chaosprep completion bash)"
        COMP_WORDS=({listed}); COMP_CWORD={len(every) - 1}
        _chaosprep_completion chaosprep
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    env = os.environ | {"PATH": f"{command}:{os.environ['PATH']}"}
    done = subprocess.run(
        [bash, "--norc", "-c", script], env=env, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("chaosprep insp", ["inspect"]),
        ("chaosprep ex", ["extract-liver", "extract-labels", "export"]),
        ("chaosprep export nn", ["nnunet"]),
        ("chaosprep split --val-p", ["--val-patient"]),
        ("chaosprep convert --format n", ["npy"]),
        ("chaosprep completion z", ["zsh"]),
    ],
)
def test_bash_completes_verbs_formats_options_and_choices(
    bash: str, command: Path, words: str, found: list[str]
) -> None:
    assert completed(bash, command, words) == found


@pytest.mark.parametrize(
    ("shell", "sign"),
    [
        ("bash", "complete -o nosort -F"),
        ("zsh", "#compdef chaosprep"),
        ("fish", "complete --no-files"),
    ],
)
def test_completion_prints_the_text_of_the_shell(chaosprep: Run, shell: str, sign: str) -> None:
    result = chaosprep("completion", shell)
    assert result.exit_code == 0
    assert sign in result.stdout
    assert "_CHAOSPREP_COMPLETE" in result.stdout


def test_a_shell_that_is_not_known_is_a_usage_error(chaosprep: Run) -> None:
    assert chaosprep("completion", "tcsh").exit_code == 2


def test_the_verbs_are_completed_without_importing_them() -> None:
    program = (
        "import sys, click\nfrom chaosprep.cli.main import main\n"
        "found = main.shell_complete(click.Context(main), '')\n"
        "print(len(found), *(name for name in sys.modules if name.startswith('chaosprep.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    count, *loaded = done.stdout.split()
    assert int(count) == len(VERBS)
    assert "chaosprep.cli.split" not in loaded
    assert "chaosprep.stages" not in loaded


def test_help_all_is_the_help_of_every_verb_and_format(chaosprep: Run) -> None:
    page = chaosprep("--help-all")
    assert page.exit_code == 0
    usages = re.findall(r"^Usage: main( [a-z -]*[a-z])?", page.stdout, re.MULTILINE)
    below = [f" {verb}" for verb in VERBS]
    at = below.index(" export") + 1
    formats = [f" export {name}" for name in EXPORTS]
    assert usages == ["", *below[:at], *formats, *below[at:]]
    assert "--val-patient" in page.stdout
    assert max(map(len, page.stdout.splitlines())) <= 80


def shown(finished: int, total: int, case: str, **more: str) -> str:
    """The line of a bar at last, on a terminal of 80 columns."""
    written = io.StringIO()
    environment = {"TERM": "xterm-256color", **more}
    console = Console(file=written, width=80, force_terminal=True, _environ=environment)
    bar = Bar(console, "extract-liver", total, 0)
    bar.advance(finished, case)
    bar.stop()
    lines = re.split(r"[\r\n]", written.getvalue())
    return next(line for line in reversed(lines) if f"{finished}/" in plain(line))


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_the_bar_has_the_count_and_the_case_in_one_line() -> None:
    line = shown(3, 12, "MR003_t2-spir")
    assert " 3/12 MR003_t2-spir " in plain(line)
    assert plain(line).startswith("extract-liver ")
    assert len(plain(line)) <= 80


def test_the_longest_names_and_numbers_fit_80_columns() -> None:
    line = shown(1234567, 9999999, "P0123456789_" + "a-very-long-description" * 3)
    assert "1234567/9999999 P0123456789_" in plain(line)
    assert len(plain(line)) <= 80


def test_a_name_with_brackets_is_no_markup() -> None:
    line = shown(1, 2, "P1_[bold]x[/bold]")
    assert "P1_[bold]x[/bold]" in plain(line)


def test_no_colour_where_it_is_not_wanted() -> None:
    """https://no-color.org: any value that is not empty."""
    coloured, bare = shown(1, 2, "a"), shown(1, 2, "a", NO_COLOR="1")
    assert COLOUR.search(coloured)
    assert not COLOUR.search(bare)
