"""Options in messages: spelled as the reader writes them, and each of them is there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import chaosprep
from chaosprep.cli.main import main
from chaosprep.errors import Problem, ProblemsError, UsageError, called
from chaosprep.words import (
    did_you_mean,
    in_python,
    in_toml,
    options_in,
    shortened,
    there_are,
    whole,
)
from tests.error_page import all_said

SPELLED = [
    ("leave them out with --on-error skip.", 'leave them out with on_error="skip".'),
    ("Use --folds 5 or fewer.", "Use folds=5 or fewer."),
    ("Use --overwrite to make it again", "Use overwrite=True to make it again"),
    ("--val-patient: no such patient", "val_patient: no such patient"),
    ("--folds and --val exclude each other", "folds and val exclude each other"),
    ("use --range 1 1.", "use range=(1, 1)."),
    ("with --range LOW HIGH, and", "with range=(LOW, HIGH), and"),
    ("--val 0 for none", "val=0 for none"),
    ("--patient-from PatientID", 'patient_from="PatientID"'),
    ("Use --pseudonymize KEYFILE, or", "Use pseudonymize=KEYFILE, or"),
    ("--images 'scans/{patient}.dcm'", "images='scans/{patient}.dcm'"),
    (
        "choose --sequence, or --channels single.",
        'choose sequence, or channels="single".',
    ),
    ("See --help for what may be given", "See help() for what may be given"),
    ("with `gdcmconv --raw`, --val", "with `gdcmconv --raw`, val"),
    ("a file a--b.png, a -v and ---", "a file a--b.png, a -v and ---"),
    ("--trust-folders: must be true or false", "trust_folders: must be true or false"),
    (
        "--patient-from is for --layout folder: give it",
        'patient_from is for layout="folder": give it',
    ),
    ("--sequence that all have", "sequence that all have"),
    ("Use --organ spleen.", 'Use organ="spleen".'),
    ("a b/--val 3/c.dcm and --val/--folds", "a b/--val 3/c.dcm and --val/--folds"),
    (
        "c:\\--overwrite\\d, --val.png and --folds-3.png",
        "c:\\--overwrite\\d, --val.png and --folds-3.png",
    ),
    ("no file fits '{patient}/--val', --val 0", "no file fits '{patient}/--val', val=0"),
    ("'--on-error skip' is somebody's; use --lr.", "'--on-error skip' is somebody's; use lr."),
]


@pytest.mark.parametrize(("said", "python"), SPELLED)
def test_python_reads_its_own_spelling(said: str, python: str) -> None:
    assert in_python(said) == python


def test_a_configuration_file_reads_its_own_spelling() -> None:
    assert in_toml("--val: --val 0.2, --on-error skip or --overwrite") == (
        'val: val = 0.2, on_error = "skip" or overwrite = true'
    )


def commands(group: click.Group, ctx: click.Context) -> list[click.Command]:
    found = [group.get_command(ctx, name) for name in group.list_commands(ctx)]
    return [
        one
        for command in found
        if command is not None
        for one in (commands(command, ctx) if isinstance(command, click.Group) else [command])
    ]


@pytest.fixture(scope="module")
def options() -> dict[str, list[click.Option]]:
    """Every option of every command, by its name without hyphens."""
    found: dict[str, list[click.Option]] = {}
    for command in commands(main, click.Context(main)):
        for param in command.params:
            for name in param.opts if isinstance(param, click.Option) else ():
                assert isinstance(param, click.Option)
                found.setdefault(name.removeprefix("--"), []).append(param)
    return found


def told(node: ast.AST) -> Iterator[str]:
    """Every string of a module but docstrings and types; braces hold what is known when it runs."""
    if isinstance(node, ast.JoinedStr):
        parts = (one.value if isinstance(one, ast.Constant) else "{}" for one in node.values)
        yield "".join(map(str, parts))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        for child in ast.iter_child_nodes(node):
            yield from told(child)


@pytest.fixture(scope="module")
def messages() -> list[str]:
    """Every text of the package that names an option, also those of its checks of parameters."""
    files = sorted(Path(chaosprep.__file__).parent.rglob("*.py"))
    texts = (text for file in files for text in told(ast.parse(file.read_bytes())))
    return [text for text in texts if re.search(r"(?<![\w-])--[a-z]", text) and "\\" not in text]


def test_every_option_that_a_message_names_is_there(
    messages: list[str], options: dict[str, list[click.Option]]
) -> None:
    found = {name for text in messages for name in options_in(text)}
    assert len(found) > 60
    assert found - options.keys() == set()


def test_every_switch_that_an_error_names_becomes_true(
    options: dict[str, list[click.Option]],
) -> None:
    found = {name for one in all_said() for name in options_in(f"{one.reason} {one.remedy}")}
    switches = {name for name in found if any(one.is_flag for one in options[name])}
    assert {name for name in switches if not in_python(f"--{name}").endswith("=True")} == set()


def choices(options: list[click.Option]) -> set[str]:
    return {
        str(choice)
        for one in options
        if isinstance(one.type, click.Choice)
        for choice in one.type.choices
    }


def test_a_word_behind_an_option_is_its_value_where_it_may_be_and_nowhere_else(
    messages: list[str], options: dict[str, list[click.Option]]
) -> None:
    for text in messages:
        for option, word in re.findall(
            r"(?<![^\s(])--(?!help)([a-z][a-z0-9-]+) ([a-z][\w-]*)", text
        ):
            may_be = choices(options[option]) | ({"ct"} if option == "sequence" else set())
            may_be |= {"folder"} if option == "layout" else set()
            is_value = f'{option.replace("-", "_")}="{word}"' in in_python(text)
            assert is_value == (word in may_be), text


def test_no_message_keeps_the_command_lines_spelling_in_python() -> None:
    texts = [f"{one.reason} {one.remedy}" for one in all_said()]
    assert [text for text in texts if options_in(in_python(text))] == []


def test_an_exception_speaks_python_and_its_text_the_command_line() -> None:
    error = UsageError("--val: too much", "Use --val 0.2.", "x")
    assert str(error) == "val: too much. Use val=0.2."
    assert error.text == "--val: too much. Use --val 0.2."


def test_a_keyword_that_is_not_called_as_its_option_keeps_its_name() -> None:
    @called(organ="organs")
    def evaluate() -> None:
        raise UsageError("--organ: none", "Choose with --organ or --patient.", "x")

    with pytest.raises(UsageError) as caught:
        evaluate()
    assert str(caught.value) == "organs: none. Choose with organs or patient."
    assert caught.value.text == "--organ: none. Choose with --organ or --patient."


def test_the_text_of_an_exception_holds_the_first_problems() -> None:
    problems = tuple(
        Problem(code="x", id=f"MR00{n}_t1-in", reason=f"mask {n} is gone", remedy="Use --lr.")
        for n in range(1, 6)
    )
    error = ProblemsError("split: 5 problems", "Leave them out with --on-error skip.", problems)
    assert str(error).splitlines() == [
        'split: 5 problems. Leave them out with on_error="skip".',
        *(f"  MR00{n}_t1-in: mask {n} is gone. Use lr." for n in (1, 2, 3)),
        "  ... all of them are in the attribute `problems`",
    ]


@pytest.mark.parametrize("name", ["--val", "my --val 3.png", "--overwrite"])
def test_an_id_and_a_file_are_never_spelled_anew(name: str) -> None:
    problem = Problem(code="x", id=name, file=f"{name} x", reason="--lr is wrong", remedy="")
    assert str(problem) == f"{name}: {name} x: lr is wrong"
    several = ProblemsError("2 problems", "Use --lr.", (problem, problem))
    assert str(several).splitlines()[1:] == [f"  {name}: {name} x: lr is wrong"] * 2


def test_a_file_that_is_the_problems_name_is_told_once() -> None:
    assert Problem(code="x", id="a.db", file="a.db", reason="unknown").text == "a.db: unknown"


def test_few_problems_are_all_told() -> None:
    problem = Problem(code="x", id="MR001", file="a.png", reason="it is gone")
    assert str(ProblemsError("1 problem", "Settle it.", (problem,))).splitlines() == [
        "1 problem. Settle it.",
        "  MR001: a.png: it is gone",
    ]


def test_a_misspelled_name_is_answered_with_its_neighbour() -> None:
    assert did_you_mean(["inspct"], ["inspect", "split"]) == " Did you mean inspect?"
    assert did_you_mean(["xyz"], ["inspect", "split"]) == ""


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("1", " Did you mean MR001 or P1?"),
        ("011", " Did you mean MR011?"),
        ("3", ""),
        ("mr1", " Did you mean MR001?"),
        ("p01", " Did you mean P1?"),
        ("MR2", ""),
    ],
)
def test_a_bare_number_means_the_patients_that_have_it(given: str, meant: str) -> None:
    assert did_you_mean([given], ["MR001", "MR011", "MR111", "P1", "P1a"]) == meant


def test_the_beginning_of_a_name_means_those_that_begin_so() -> None:
    known = ["t1-in", "t1-out", "t2-spir", "MR001_t1-in", "MR008_t1-in"]
    assert did_you_mean(["T1"], known) == " Did you mean t1-in or t1-out?"
    assert did_you_mean(["mr001"], known) == " Did you mean MR001_t1-in?"


def test_a_long_list_is_cut() -> None:
    known = [f"MR{n:03}" for n in range(1, 201)]
    text = there_are(known, ["7"])
    assert text.startswith("There are: MR001, MR002, ")
    assert text.endswith(", MR030 and 170 more. Did you mean MR007?")
    assert there_are([]) == "There are: none."


@pytest.mark.parametrize("digits", ["7", "007", "9" * 4000, "9" * 4001, "1" + "0" * 9999])
def test_a_number_may_have_any_number_of_digits(digits: str) -> None:
    expected = 0
    for digit in digits:
        expected = 10 * expected + "0123456789".index(digit)
    assert whole(digits) == expected


def test_names_of_many_digits_are_compared_by_their_numbers() -> None:
    ones = "1" * 5000
    assert did_you_mean([ones], [f"MR00{ones}", "MR001"]) == f" Did you mean MR00{ones}?"
    assert did_you_mean([ones], ["MR001"]) == ""


def test_a_long_name_is_told_by_its_beginning_and_its_end() -> None:
    assert shortened("liver", 24) == "liver"
    assert shortened("x" * 24, 24) == "x" * 24
    assert shortened("segment-of-the-liver-number-7", 24) == "segment-of-th...number-7"
    assert len(shortened("x" * 1000, 24)) == 24
