"""`chaosprep assemble`."""

from typing import Any, get_args

import click

from chaosprep.assembly.assemble import Format, assemble
from chaosprep.cli.export import export_command
from chaosprep.cli.options import FOLDER
from chaosprep.imaging.space.grids import MaskSampling
from chaosprep.running.folder import Exported


@click.option(
    "--reference",
    metavar="DIR",
    type=FOLDER,
    help="With predictions: the stage directory that they were predicted from.",
)
@click.option(
    "--keep-grid", is_flag=True, help="Do not undo --size and --spacing; positions stay correct."
)
@click.option(
    "--undo-normalization",
    is_flag=True,
    help="Bring images that convert --normalize made back to the units that they had before.",
)
@click.option(
    "--mask-sampling",
    type=click.Choice(get_args(MaskSampling)),
    default="label",
    show_default=True,
    help="To undo --spacing: nearest mask pixel, or label with the largest share.",
)
@click.option(
    "--format",
    type=click.Choice(get_args(Format)),
    default="nifti",
    show_default=True,
    help="NIfTI volumes, or the masks as DICOM SEG, which carries the patient's data.",
)
@click.option(
    "--dicom",
    metavar="DIR",
    type=FOLDER,
    help="With seg: the split stage directory, or the dataset root that split was given.",
)
def _command(**values: Any) -> Exported:
    """DIR is what any stage made; PRED a folder of predictions, SLICE_ID.png or .npy.

    Volumes lie on the pixels of the original series. A DICOM SEG names the patient, as the series
    does that it is made on: it is for the archive that the series came from, not for sharing.
    """
    return assemble(**values)


command = export_command("assemble", title="assemble", metavar="DIR|PRED")(_command)
