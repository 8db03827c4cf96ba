"""The keys in a journal of chaosprep 0.1.0, made of every field in the order of that release."""

import hashlib
from collections.abc import Callable

import msgspec

from chaosprep.dataset.case import Case
from chaosprep.params import P, differing
from chaosprep.running.stage import C, Stage

_PARAMETERS = {
    "split": "patient compression layout images masks patient_from pseudonymize val test folds "
    "fold val_patient test_patient sequence seed max_pixels link",
    "extract-liver": "patient compression range organ all_organs mask_value drop_empty levels "
    "lenient_masks",
    "convert": "patient compression window window_scope keep_16bit format max_pixels spacing size "
    "fit mask_sampling",
    "augment": "patient compression copies samples preset spec engine exact_probability "
    "mask_sampling keep_label swap_labels seed",
    "predict": "patient compression checkpoint split device",
}
_CASE = "root id patient sequence pool images masks rule keys aliases levels split fold"
_ROW = (
    "id case patient sequence slice copy split fold image image_sha256 image_bytes frame mask "
    "mask_sha256 mask_bytes rows cols dtype bits_stored spacing position orientation grid slope "
    "intercept window window_source labels pixels source parent augmentation warnings"
)


def key_of_0_1_0(stage: Stage[C, P], params: P) -> Callable[[C], str | None]:
    """What gives a completed case's key; None where 0.1.0 could not be asked for the same."""
    names = _PARAMETERS.get(stage.name)
    settings = names and _encoded(params.recorded(), names)
    if not settings:
        return lambda case: None
    begin = b"[%s,%d,%s]" % (msgspec.json.encode(stage.name), stage.version, settings)

    def key(case: C) -> str | None:
        content = _content(case)
        return hashlib.sha256(begin + b"\n" + content).hexdigest() if content else None

    return key


def _content(case: object) -> bytes | None:
    if isinstance(case, Case):
        lines = [_encoded(row, _ROW) for row in case.slices]
        return b"\n".join(line for line in lines if line) if all(lines) else None
    from chaosprep.series.source import SourceCase

    return _encoded(case.alone(), _CASE) if isinstance(case, SourceCase) else None


def _encoded(record: msgspec.Struct, names: str) -> bytes | None:
    """The record with these fields alone; None where another is set."""
    known = names.split()
    if not differing(record).keys() <= set(known):
        return None
    return msgspec.json.encode({name: getattr(record, name) for name in known})
