"""The facts of a volume: what it can be chosen by, and what is shown of it."""

from collections import Counter
from collections.abc import Sequence

from chaosprep.layouts.headers.head import Head, count_pictures
from chaosprep.layouts.headers.naming import component_of
from chaosprep.layouts.headers.places import plane_of, step_of
from chaosprep.layouts.headers.texts import shown
from chaosprep.privacy.evidence import text_of
from chaosprep.privacy.identity import Identity
from chaosprep.series.groups import number

_TEXTS = ("SeriesDescription", "ProtocolName", "StudyDescription", "ContrastBolusAgent")
_CODES = (
    *("Modality", "Manufacturer", "ImageType", "ConvolutionKernel", "StackID", "SequenceName"),
    "ComplexImageComponent",
)
_NUMBERS = (
    *("SeriesNumber", "EchoTime", "EchoNumbers", "RepetitionTime", "InversionTime", "FlipAngle"),
    *("DiffusionBValue", "MagneticFieldStrength", "KVP", "TemporalPositionIdentifier"),
    *("AcquisitionNumber", "TriggerTime", "NominalPercentageOfCardiacPhase"),
)


def describe(heads: Sequence[Head], identity: Identity) -> dict[str, str]:
    """DICOM keyword -> text, and `slices`, `plane`, `rows`, `cols`, `spacing` and `component`.

    Of a value that differs within the volume the most frequent is taken. `spacing` is mm from
    slice to slice, row to row and column to column: `5.5x1.25x1.25`.
    """
    evidence = [head.evidence for head in heads]
    facts: dict[str, str] = {}
    for keyword in (*_TEXTS, *_CODES, *_NUMBERS):
        counts = Counter([said.get(keyword, "") for said in evidence])
        usual = min(counts, key=lambda text: (-counts[text], text))
        if not usual:
            continue
        said = next(one for one in evidence if one.get(keyword, "") == usual)
        if keyword in _TEXTS:
            text = shown(said, keyword, identity)
        else:
            text = _number(usual) if keyword in _NUMBERS else text_of(said, keyword)
        if text:
            facts[keyword] = text
    facts["slices"] = str(count_pictures(heads))
    facts["plane"] = plane_of(heads)
    facts["rows"], facts["cols"] = str(heads[0].rows), str(heads[0].cols)
    if pixels := next((head.pixel_spacing for head in heads if head.pixel_spacing), None):
        step = step_of(heads)
        every = (*(() if step is None else (step,)), *pixels)
        facts["spacing"] = "x".join(f"{one:.4g}" for one in every)
    if component := component_of(heads[0].evidence):
        facts["component"] = component
    return {key: text for key, text in facts.items() if text}


def _number(text: str) -> str:
    """A number as it is shown, however it was written; empty for what is none."""
    value = number(text)
    return "" if value is None else f"{value:.6g}"
