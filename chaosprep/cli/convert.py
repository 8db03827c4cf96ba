"""`chaosprep convert`."""

from chaosprep.cli.stage import stage_command
from chaosprep.stages.convert import CONVERT

command = stage_command(
    CONVERT,
    "DIR",
    "DIR is what split or extract-liver made. Matrix and aspect stay as they are; the masks are "
    "carried over.",
)
