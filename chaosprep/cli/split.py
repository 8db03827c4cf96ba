"""`chaosprep split`."""

from chaosprep.cli.stage import stage_command
from chaosprep.stages.split import SPLIT

command = stage_command(
    SPLIT,
    "ROOT",
    "ROOT is CHAOS as it was downloaded: the outer folder, Train_Sets, MR, or one patient; with "
    "--images it is any folder of DICOM series. "
    "Patients are ranked by a hash of the seed and their id; all series of a patient stay on one "
    "side; patients of Test_Sets are test.",
)
