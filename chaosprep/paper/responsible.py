"""What a manifest can say in the vocabulary of Croissant for responsible AI, RAI 1.0.

https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html; what it does not know is a gap
among the limitations, or left out.
"""

from typing import Any

from chaosprep.dataset.manifest import Dataset
from chaosprep.paper.claim import acquired, deidentified, missing
from chaosprep.paper.counted import counted
from chaosprep.paper.paragraphs import left_out, sources, steps
from chaosprep.paper.settings import gap

_ONE = ("dataCollection", "dataCollectionMissingData")
_OF_MASKS = ("extract-liver", "extract-labels")


def responsible(dataset: Dataset) -> dict[str, Any]:
    """The properties of the vocabulary; those that may have one value alone have one text."""
    found, done = counted(dataset), dict(steps(dataset))
    gone = list(left_out(dataset))
    shaped = [text for stage, texts in done.items() if stage != "split" for text in texts]
    masks = [text for stage in _OF_MASKS for text in done.get(stage, [])]
    told = {
        "dataCollection": [*acquired(found), gap("how, when and where the images were taken")],
        "dataCollectionRawData": [sources(dataset)],
        "dataCollectionMissingData": missing(found, gone),
        "dataPreprocessingProtocol": [*done.get("split", []), *shaped],
        "dataAnnotationProtocol": [*masks, gap("who drew the masks, with what and how")],
        "machineAnnotationTools": ["chaosprep predict"] if "predict" in done else [],
        "personalSensitiveInformation": deidentified(dataset),
        "dataLimitations": [*gone, gap("whom the patients stand for, and what they do not")],
        "dataUseCases": ["Training and evaluating networks that segment medical images."],
    }
    return {
        f"rai:{name}": " ".join(texts) if name in _ONE else texts
        for name, texts in told.items()
        if texts
    }
