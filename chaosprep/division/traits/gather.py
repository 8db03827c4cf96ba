"""The traits of all patients of a root: what was wished is read, case by case."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from chaosprep.division.params import SplitParams
from chaosprep.division.traits.headers import age, header, read_headers
from chaosprep.division.traits.masks import label, measure, volume
from chaosprep.division.traits.sequences import sequence
from chaosprep.division.traits.tables import table
from chaosprep.division.traits.trait import Evidence, Make, Trait, Value
from chaosprep.errors import ChaosprepError, UsageError
from chaosprep.layouts.root import Root
from chaosprep.privacy.pseudonyms import Key, read_key
from chaosprep.series.source import SourceCase
from chaosprep.structures import folded
from chaosprep.words import there_are
from chaosprep.workbench import Workbench

MAKES: tuple[Make, ...] = (label, volume, sequence, table, age, header)
"""What can be wished, the kind of the first that makes something of it."""

_KNOWN = (
    *("label:NAME", "volume:NAME", "sequence", "age", "Manufacturer", "MagneticFieldStrength"),
    *("PatientSex", "SliceThickness", "table.csv:column"),
)
_FEW = 16  # cases whose headers are read before other processes would have begun


@dataclass(frozen=True)
class _Asked:
    """What is to be read of each case."""

    masks: bool
    keywords: tuple[str, ...]
    max_pixels: int


def with_traits(root: Root, params: SplitParams, bench: Workbench) -> Root:
    """The same root with what its patients have of everything that `--stratify` asks for.

    Masks and headers are read by the bench's processes; of every case that is wanted, masks only
    where a label or a volume is asked for. It does not matter how many work.

    Raises:
        UsageError: `stratify-unknown`, a wish is none, or nothing tells it of anybody;
            `stratify-table`, a table cannot be used; `stratify-identifies`.
    """
    if not params.stratify:
        return root
    key = None if params.pseudonymize is None else read_key(params.pseudonymize)
    if key is None and root.key_file is not None:
        key = read_key(root.key_file)
    traits = [_made(text, root, key) for text in dict.fromkeys(params.stratify)]
    _check_apart(traits)
    wanted = {*params.patient} or {*root.patients}
    cases = [case for case in root.cases if case.patient in wanted]
    evidence = _read(cases, traits, params, bench)
    _check_structures(traits, list(evidence.values()))
    found: dict[str, dict[str, Value | None]] = defaultdict(dict)
    for trait in traits:
        values: dict[str, list[Value]] = {case.patient: [] for case in cases}
        for case in cases:
            value = trait.of_case(case, evidence[case.id])
            if value is not None:
                values[case.patient].append(value)
        for patient, several in values.items():
            found[patient][trait.name] = trait.join(several) if several else None
        if cases and not any(values.values()):
            raise _untold(trait)
    return replace(root, traits=found)


def _made(text: str, root: Root, key: Key | None) -> Trait:
    for make in MAKES:
        trait = make(text, root, key)
        if trait is not None:
            return trait
    raise UsageError(
        f"--stratify: there is nothing called {text}", there_are(_KNOWN, [text]), "stratify-unknown"
    )


def _check_apart(traits: Sequence[Trait]) -> None:
    names = [folded(trait.name) for trait in traits]
    twice = next((one.name for one in traits if names.count(folded(one.name)) > 1), None)
    if twice is not None:
        raise UsageError(
            f"--stratify: {twice} is asked for twice", "Leave one of them out.", "stratify-unknown"
        )


def _read(
    cases: Sequence[SourceCase], traits: Sequence[Trait], params: SplitParams, bench: Workbench
) -> dict[str, Evidence]:
    keywords = tuple(dict.fromkeys(one for trait in traits for one in trait.keywords))
    masks = any(trait.structure is not None for trait in traits)
    if not masks and not keywords:
        return {case.id: Evidence() for case in cases}
    jobs = bench.jobs if masks or len(cases) > _FEW else 1
    read = partial(_evidence, _Asked(masks, keywords, params.max_pixels))
    done = bench.work(read, cases, jobs)
    # What cannot be read of a case is told with the case, when it is split.
    return {case.id: Evidence() if isinstance(one, ChaosprepError) else one for case, one in done}


def _evidence(asked: _Asked, case: SourceCase) -> Evidence:
    found = Evidence()
    if asked.masks:
        found = measure(case, asked.max_pixels)
    if asked.keywords:
        found = replace(found, headers=read_headers(case, asked.keywords))
    return found


def _check_structures(traits: Sequence[Trait], evidence: Sequence[Evidence]) -> None:
    """Refuse a structure that no mask shows."""
    names = {name: text for told in evidence for name, text in told.names.items()}
    there = {name for told in evidence for name, area in (told.areas or {}).items() if area}
    for trait in traits:
        if trait.structure is None or folded(trait.structure) in there:
            continue
        known = sorted(names[name] for name in there)
        raise UsageError(
            f"--stratify {trait.name}: no mask shows it",
            there_are(known, [trait.structure]) if known else "Leave that out.",
            code="stratify-unknown",
        )


def _untold(trait: Trait) -> UsageError:
    return UsageError(
        f"--stratify {trait.name}: it is not known for any patient",
        "Leave that out, or give it in a table: --stratify table.csv:column.",
        code="stratify-unknown",
    )
