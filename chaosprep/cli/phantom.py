"""`chaosprep phantom`."""

from pathlib import Path
from typing import Any

import click
import msgspec

from chaosprep.cli.options import output_option, overwrite_option, talk_options
from chaosprep.cli.output import Talk, say
from chaosprep.cli.parameters import given, parameter_options
from chaosprep.errors import plural
from chaosprep.params import make_params, plain
from chaosprep.phantom import write_chaos
from chaosprep.phantom.params import PhantomParams, people
from chaosprep.running.folder import whole_folder, write_record


class Made(msgspec.Struct, frozen=True):
    """A phantom: the root of a data set, and how much there is in it."""

    path: Path
    patients: int
    cases: int
    slices: int

    @property
    def told(self) -> str:
        """What the command says of it."""
        counts = f"{plural(self.patients, 'patient')}, {plural(self.cases, 'case')}"
        return f"phantom: {counts}, {plural(self.slices, 'slice')} -> {self.path}"


def make_phantom(output: Path, asked: PhantomParams, overwrite: bool) -> Made:
    """Make a CHAOS root of patients that were never scanned: whole, or not there at all.

    Raises:
        ChaosprepError: `output` holds something, or another run writes there; OutputError.
    """
    chosen = people(asked)
    with whole_folder(None, output, overwrite, "a phantom") as folder:
        write_chaos(folder, chosen, seed=asked.seed)
        write_record(folder, "phantom", plain(asked), {})
    series = [(patient, sequence) for patient in chosen for sequence in patient.sequences]
    return Made(output, len(chosen), len(series), sum(patient.slices for patient, _ in series))


@click.command("phantom")
@parameter_options(PhantomParams)
@output_option
@overwrite_option
@talk_options
def command(output: Path, overwrite: bool, talk: Talk, **fields: Any) -> None:
    """DIR becomes a folder like that of the CHAOS challenge, to try everything on.

    Its abdomens are computed: no person was scanned, no image traced; CC0. Without options it has
    five patients with MR and one with CT, and some of the odd files that the real data have.
    """
    made = make_phantom(output, make_params(PhantomParams, given(fields)), overwrite)
    talk.result(made, made.told)
    if not talk.quiet and not talk.as_json:
        say(f"Look at it: chaosprep inspect {made.path}")
