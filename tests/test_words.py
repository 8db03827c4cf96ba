"""Options in messages: spelled as the reader writes them, and each of them is there."""

import click
import pytest

from chaosprep.cli.main import main
from chaosprep.errors import Problem, ProblemsError, UsageError, called
from chaosprep.words import did_you_mean, in_python, in_toml, options_in, there_are
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


def test_every_option_that_a_message_names_is_there(options: dict[str, list[click.Option]]) -> None:
    told = {name for one in all_said() for name in options_in(f"{one.reason} {one.remedy}")}
    assert told - options.keys() == set()


def test_every_switch_that_a_message_names_becomes_true(
    options: dict[str, list[click.Option]],
) -> None:
    told = {name for one in all_said() for name in options_in(f"{one.reason} {one.remedy}")}
    switches = {name for name in told if any(one.is_flag for one in options[name])}
    switches -= {"exact-probability"}  # it is the parameter that is wrong, not what to do
    assert {name for name in switches if not in_python(f"--{name}").endswith("=True")} == set()


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
