"""The server that workers are forked from: it starts early, and imports what they need."""

import multiprocessing
from collections.abc import Sequence

from chaosprep.running.interrupts import interrupts_held
from chaosprep.running.process import blas_alone
from chaosprep.running.starting import check_system, safe_path, starting
from chaosprep.systems.starting import start_method

_FIRST = "chaosprep.running.forked"
_ALWAYS = (
    "msgspec.json",
    "chaosprep.formats.dicom.file",
    "chaosprep.formats.pictures",
    "chaosprep.running.tasks",
    "chaosprep.running.processes",
    "multiprocessing.popen_forkserver",
    "multiprocessing.synchronize",
)
_PRELOAD = ("cv2", "pydicom.pixels", "PIL.Image")


def start_server(modules: Sequence[str] | None) -> None:
    """Start the server that workers are forked from, with what they need; see `warm_up`."""
    check_system()
    if start_method() == "forkserver":
        from multiprocessing import forkserver, resource_tracker

        needed = _PRELOAD if modules is None else modules
        # a script that is not guarded would end the server, which tells nobody why
        modules = [one for one in (_FIRST, *_ALWAYS, *needed) if one != "__main__"]
        multiprocessing.set_forkserver_preload(modules)
        with starting():
            resource_tracker.ensure_running()  # lets interrupts in again, so before they are held
            with interrupts_held(), safe_path(), blas_alone():
                forkserver.ensure_running()
