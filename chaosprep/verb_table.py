"""The verbs by name, with what each does in a line: of the command, its help and its settings."""

from typing import Final

from chaosprep.stage_table import STAGES, Entry


def _is_trained(stage: Entry) -> bool:
    """Whether a stage works with what `train` made, and is listed behind it."""
    return stage.record.startswith("chaosprep.torch.")


VERBS: Final = {
    "demo": "Show it all in a minute: a synthetic data set, prepared, verified, with a report.",
    "phantom": "Make a synthetic CHAOS data set, to try things on.",
    "inspect": "What is here: patients, sequences, slices, sizes, grey levels, problems.",
    **{name: stage.purpose for name, stage in STAGES.items() if not _is_trained(stage)},
    "prepare": "Split, extract, convert and augment in one go.",
    "merge": "Join the shards of a stage into one stage directory.",
    "verify": "Check a stage directory, or any folder of images and masks; find leakage.",
    "diff": "Compare two directories: what came, went or changed, in counts and by name.",
    "report": "Make one HTML page to look at: split, problems, montages, histograms, ratings.",
    "card": "Write a data card: what the manifest knows, with gaps marked for you to fill in.",
    "export": "Write the layout of another tool: nnU-Net, MONAI, datasets, Parquet, ...",
    "assemble": "Put slices, or predictions on them, back together as volumes in patient space.",
    "evaluate": "Compare predicted masks with a reference: overlap, distances in mm, CHAOS scores.",
    "agree": "Compare several readers' masks, and combine them by majority or STAPLE.",
    "train": "Train a baseline U-Net or U-Net++ (needs chaosprep[train]).",
    **{name: stage.purpose for name, stage in STAGES.items() if _is_trained(stage)},
    "preview": "Draw the slices with their masks' outlines as one picture.",
    "completion": "Print the script that lets bash, zsh or fish complete commands and options.",
}
