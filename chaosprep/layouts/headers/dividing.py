"""The pictures of one series, divided into volumes: one stack of slices each."""

from collections import defaultdict
from collections.abc import Sequence

from chaosprep.layouts.headers.head import Head

_TELLING = ("EchoTime", "EchoNumbers", "DiffusionBValue", "ImageType", "ConvolutionKernel")


def divide(heads: Sequence[Head]) -> list[tuple[Head, ...]]:
    """The volumes of a series, in the same order for any order of its pictures."""
    parts: dict[tuple[str, ...], list[Head]] = defaultdict(list)
    for head in sorted(heads, key=lambda head: (head.path, head.frame or 0)):
        parts[tuple(head.evidence.get(keyword, "") for keyword in _TELLING)].append(head)
    return [tuple(part) for _, part in sorted(parts.items())]
