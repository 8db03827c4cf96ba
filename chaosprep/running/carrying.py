"""A case of a shard with its files, as merge takes it over."""

from chaosprep.dataset.case import Case
from chaosprep.dataset.records import File
from chaosprep.dataset.store import Store
from chaosprep.errors import ChaosprepError, Problem


def carry_case(store: Store, case: Case) -> tuple[Problem, ...]:
    """Bring a case's files into a store; what is wrong with them.

    Single files come one by one, containers only once all that they hold was read.
    """
    problems, seen, packed = list[Problem](), set[str](), list[File]()
    for row in case.slices:
        for file in row.files():
            if file.path in seen:  # frames of one file share it
                continue
            seen.add(file.path)
            try:
                if file.container is None:
                    store.take(case.store, file)
                else:
                    packed.append(file)
                    case.store.read(file)
            except ChaosprepError as error:
                problems.append(Problem.of(error, row.id, file.path))
    if not problems:
        try:
            case.store.check_containers(packed)
            store.take_containers(case.store, dict.fromkeys(file.place for file in packed))
        except ChaosprepError as error:
            problems.append(Problem.of(error, case.id))
    return tuple(problems)
