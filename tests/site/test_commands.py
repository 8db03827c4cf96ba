"""The page of the commands: each has its section, with all of its options."""

import re

import click
import pytest
from click.testing import CliRunner

from chaosprep.cli.main import main
from chaosprep.verb_table import VERBS
from tests.site.commands import commands_page
from tests.site.links import anchors

PAGE = commands_page()
SECTIONS = dict(re.findall(r"^## (chaosprep [^\n]+)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S))


def test_every_command_has_a_section() -> None:
    assert {f"chaosprep {name}" for name in VERBS} <= SECTIONS.keys()
    assert "chaosprep export nnunet" in SECTIONS


def test_the_list_leads_to_the_sections() -> None:
    assert set(re.findall(r"^\| \[`.*?`\]\(#(.*?)\)", PAGE, re.M)) == anchors(PAGE) - {"commands"}


@pytest.mark.parametrize("command", sorted(SECTIONS))
def test_a_section_has_every_option_of_the_help(command: str) -> None:
    words = command.split()[1:]
    told = CliRunner().invoke(main, [*words, "--help"], prog_name="chaosprep").stdout
    wanted = set(re.findall(r"^  (?:-\w, )?(--[a-z0-9-]+)", told, re.M)) - {"--help"}
    assert wanted == set(re.findall(r"^`.*?(--[a-z0-9-]+)", SECTIONS[command], re.M))


def test_a_line_of_the_list_is_the_first_of_the_help() -> None:
    with click.Context(main, **main.context_settings) as ctx:
        split = main.get_command(ctx, "split")
    assert split is not None
    assert f"| [`chaosprep split`](#chaosprep-split) | {split.get_short_help_str(200)} |" in PAGE
