"""Workers of a stage: what they need is imported beside the command, where it says how many."""

import os
from collections.abc import Sequence
from contextlib import suppress

from chaosprep.errors import ChaosprepError
from chaosprep.stage_table import STAGES

_NONE = {"-h", "--help", "-n", "--dry-run", "--dask"}
"""With one of these words, a command starts no workers of its own."""
_ROOM = "chaosprep.stages."


def prepare_workers(words: Sequence[str]) -> None:
    """Start the server of a command's workers, if its words ask for some.

    Where none can be started, the command says so once it needs them.
    """
    modules = _modules(words[0])
    if not modules or jobs_in(words) < 2 or os.environ.get("CHAOSPREP_DASK"):
        return
    if not any(word.partition("=")[0] in _NONE for word in words):
        from chaosprep.running.executors import warm_up

        with suppress(ChaosprepError):
            warm_up(jobs_in(words), modules)


def jobs_in(words: Sequence[str]) -> int:
    """The number of worker processes that words, or else the environment, ask for; 1 if none."""
    found = os.environ.get("CHAOSPREP_JOBS", "")
    for word, after in zip(words, [*words[1:], ""], strict=True):
        name, _, value = word.partition("=")
        if word in ("-j", "--jobs"):
            found = after
        elif name == "--jobs":
            found = value
        elif word.startswith("-j"):
            found = word[len("-j") :]
    return int(found) if found.isdecimal() else 1


def _modules(verb: str) -> list[str]:
    """What the workers of a verb import; nothing where it has none, or works in this process."""
    wanted = [name for name in STAGES if verb in (name, "prepare")]
    records = [STAGES[name].record.partition(":")[0] for name in wanted]
    ours = [module for module in records if module.startswith(_ROOM)]
    return ["cv2", *ours] if ours else []
