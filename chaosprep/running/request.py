"""What a stage is asked to do, refused before anything is planned where it cannot be."""

from pathlib import Path

from chaosprep.dataset.containers.table import StoreName
from chaosprep.errors import UsageError
from chaosprep.files import check_apart
from chaosprep.params import P
from chaosprep.running.place import check_output
from chaosprep.running.stage import C, Source, Stage


def check_request(
    stage: Stage[C, P],
    source: Source[C],
    output: Path,
    params: P | None = None,
    *,
    overwrite: bool = False,
    store: StoreName = "files",
) -> None:
    """Refuse a stage out of its order, or an output that must not be touched.

    Raises:
        UsageError: the source lacks an earlier stage, or went through this one; the output is the
            source or another input, inside or around it; links into containers are asked for.
        ChaosprepError: the output is somebody else's, or holds something that is.
    """
    made = [record.stage for record in source.history]
    if stage.name in made:
        raise UsageError(
            f"{source.directory}: it went through {stage.name} already ({' > '.join(made)})",
            "Give the output directory of an earlier stage.",
            code="order",
        )
    missing = [name for name in stage.needs if name not in made]
    if missing:
        raise UsageError(
            f"{source.directory}: {stage.name} works on the output of {missing[-1]}",
            f"Run chaosprep {missing[0]} first.",
            code="order",
        )
    if params is not None:
        _check_links(params, store)
    for name in stage.positional if params is not None else ():
        check_apart(Path(getattr(params, name)), output)
    check_apart(source.directory, output)
    check_output(output, overwrite)


def _check_links(params: P, store: StoreName) -> None:
    if store != "files" and getattr(params, "link", "copy") != "copy":
        raise UsageError(
            f"--link: with --store {store} there are no files that could be links",
            "Leave --link out, or use --store files.",
            code="store-link",
        )
