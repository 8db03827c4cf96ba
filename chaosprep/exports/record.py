"""An export as a record: the command, `chaosprep.export` and its types follow from it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

from chaosprep.dataset.manifest import Dataset
from chaosprep.params import F, Fields, make_params
from chaosprep.running.folder import Exported, opened
from chaosprep.running.options import DEFAULTS, RunOptions


class NoParams(Fields, frozen=True, kw_only=True):
    """The parameters of an export that has none of its own."""


@dataclass(frozen=True)
class Export(Generic[F]):
    """The layout of another tool; called, it writes one.

    Args:
        params: the class of its parameters.
        write: makes the output of an opened dataset; see `chaosprep.running.folder.new_folder`.
        help: which directories it takes, and what to know besides, for the command's help.
    """

    params: type[F]
    write: Callable[[Dataset, Path, F, RunOptions], Exported]
    help: str

    def __call__(
        self,
        source: str | Path | Dataset,
        output: str | Path,
        /,
        *,
        options: RunOptions = DEFAULTS,
        **params: Any,
    ) -> Exported:
        """Write `source`, a stage directory or what `chaosprep.open` gives, into `output`.

        Raises:
            UsageError: a parameter is unknown or wrong, or does not fit the dataset.
            ProblemsError: cases cannot be exported, and are not to be skipped.
            ChaosprepError: the source cannot be opened, or the output cannot be made.
        """
        made = make_params(self.params, params)
        return self.write(opened(source), Path(output), made, options)
