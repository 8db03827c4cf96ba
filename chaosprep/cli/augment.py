"""`chaosprep augment`."""

from chaosprep.cli.stage import stage_command
from chaosprep.stages.augment import AUGMENT

command = stage_command(
    AUGMENT,
    "DIR",
    "DIR is what convert made. Originals are kept, val and test are carried over; what was drawn "
    "for each copy stands in the table.",
)
