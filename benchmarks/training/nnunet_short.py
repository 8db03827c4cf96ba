"""nnU-Net's 2-D network with a short budget; nothing of ours in it, as it has a Python of its own.

python nnunet_short.py ID EPOCHS STEPS BATCH SEED DEVICE, with nnU-Net's three folders in the
environment. Fingerprint, plan, preprocessing, trainer and validation are nnU-Net's; the number of
epochs, of steps in each and of slices in a step are ours.
"""

import os
import random
import shutil
import sys
from pathlib import Path


def main(number: int, epochs: int, steps: int, batch: int, seed: int, device: str) -> None:
    """Plan, preprocess, train on the first of the set's folds, and predict its validation side."""
    import numpy as np
    import torch
    from nnunetv2.experiment_planning.plan_and_preprocess_api import (
        extract_fingerprints,
        plan_experiments,
        preprocess,
    )
    from nnunetv2.paths import nnUNet_preprocessed, nnUNet_raw
    from nnunetv2.run.run_training import get_trainer_from_args

    extract_fingerprints([number], num_processes=1, check_dataset_integrity=True)
    plan_experiments([number])
    preprocess([number], configurations=("2d",), num_processes=(1,))
    (raw,) = Path(nnUNet_raw).glob(f"Dataset{number:03d}_*")
    shutil.copy(raw / "splits_final.json", Path(nnUNet_preprocessed) / raw.name)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    os.environ["nnUNet_n_proc_DA"] = "0"  # noqa: SIM112 - no process to augment; planning needs one
    trainer = get_trainer_from_args(str(number), "2d", 0, device=torch.device(device))
    trainer.num_epochs, trainer.num_iterations_per_epoch = epochs, steps
    trainer.num_val_iterations_per_epoch = 1  # it chooses nothing
    trainer.batch_size = batch
    trainer.run_training()
    trainer.perform_actual_validation(save_probabilities=False)


if __name__ == "__main__":
    *numbers, where = sys.argv[1:]
    number, epochs, steps, batch, seed = map(int, numbers)
    main(number, epochs, steps, batch, seed, where)
