"""`chaosprep demo`: the first five minutes in one command."""

import os
import shlex
import sys
from pathlib import Path

import click

from chaosprep.cli.options import NEW_FOLDER, jobs_option, overwrite_option, talk_options
from chaosprep.cli.output import Talk, say, write_json
from chaosprep.files import real
from chaosprep.running.standing_folder import RECORD

_END = """\
Open {page} in a browser (chaosprep demo --open does).
The training set is {last}:
  train/images and train/masks  PNG pairs, and the same for val
  slices.jsonl                  one line per pair
  datapackage.json              what was done, and the hash of every file"""


@click.command("demo")
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    default="demo",
    show_default=True,
    type=NEW_FOLDER,
    help="The directory to make.",
)
@click.option("--open", "opens", is_flag=True, help="Open the report in a browser.")
@jobs_option
@overwrite_option
@talk_options
def command(output: Path, opens: bool, jobs: int, overwrite: bool, talk: Talk) -> None:
    """Makes patients that were never scanned, prepares and verifies them, and makes the report.

    It shows the commands that do the same. Run again, it makes what is missing.
    """
    root, prepared = output / "CHAOS_Train_Sets", output / "out"
    page, last = prepared / "report.html", prepared / "augmented"
    again, many = ["--overwrite"] * overwrite, ["-j", str(jobs)]
    if overwrite or not (root / RECORD).exists():
        _run(["phantom", "-o", str(root)], again, talk)
    _run(["prepare", str(root), "-o", str(prepared), "--report"], [*many, *again], talk)
    _run(["verify", str(last)], many, talk)
    made = {"root": root, "report": page, "training_set": last}
    talk.result({"status": "done", **made}, *_END.format(page=page, last=last).splitlines())
    if opens and (trouble := _opened(page)):
        say(f"Note: {trouble}")


def _run(words: list[str], more: list[str], talk: Talk) -> None:
    """Show a command and run it; what it says is said, and if it fails this ends with its code."""
    context = click.get_current_context()
    if not talk.quiet and not talk.as_json:
        click.echo(f"$ chaosprep {shlex.join(words)}")
    loud = ["-q"] * (talk.as_json or talk.quiet) + ["-v"] * max(talk.loudness, 0)
    code = context.find_root().command.main(
        [*words, *more, *loud], prog_name="chaosprep", standalone_mode=False
    )
    if code:
        if talk.as_json:
            command_line = f"chaosprep {shlex.join(words)}"
            write_json({"status": "error", "command": command_line, "exit_code": code})
        context.exit(code)


def _opened(page: Path) -> str | None:
    """Open a page in a browser, where somebody sits before a terminal; else why it was not."""
    import webbrowser

    if not sys.stdout.isatty() or "CI" in os.environ:
        return "no browser was opened, because output does not go to a terminal."
    try:
        is_open = webbrowser.open(real(page).as_uri())
    except webbrowser.Error:
        is_open = False
    return None if is_open else "no browser could be opened."
