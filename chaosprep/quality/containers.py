"""Containers of a stage directory: what is wrong with one is told once, and not for each slice."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter

import msgspec

from chaosprep.dataset.case import Case
from chaosprep.errors import FileError, Problem, plural


def container_faults(case: Case, faults: Iterable[Problem]) -> Iterator[Problem]:
    """The faults of a case, one for each container with what else it keeps from being read.

    A container of which every file can be read must hold them as they were packed, and nothing
    else.
    """
    files = {file for row in case.slices for file in row.files() if file.container is not None}
    containers, faults = {file.container for file in files}, list(faults)
    alike = Counter((fault.file, fault.code) for fault in faults)
    told = set[tuple[str | None, str]]()
    for fault in faults:
        key = fault.file, fault.code
        if fault.file not in containers:
            yield fault
        elif key not in told:
            told.add(key)
            yield _counted(fault, alike[key] - 1)
    named = {fault.file for fault in faults}
    for container, inside in groupby(sorted(files, key=attrgetter("place")), attrgetter("place")):
        own = list(inside)
        if named.isdisjoint({container, *(file.path for file in own)}):
            try:
                case.store.check_containers(own)
            except FileError as error:
                yield Problem.of(error, case.id)


def _counted(fault: Problem, more: int) -> Problem:
    if not more:
        return fault
    reason = f"{fault.reason} (with {plural(more, 'more file')} of the case)"
    return msgspec.structs.replace(fault, reason=reason)
