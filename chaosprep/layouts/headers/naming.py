"""What volumes are called: by their description, and by what tells them from their sisters."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from unicodedata import normalize

from chaosprep.layouts.headers.head import Head
from chaosprep.layouts.headers.kinds import image_types
from chaosprep.layouts.headers.moments import in_time_order
from chaosprep.layouts.headers.places import plane_of
from chaosprep.layouts.headers.texts import tells
from chaosprep.privacy.identity import Identity
from chaosprep.series.groups import number

_LONGEST = 32  # characters of a description; what tells sisters apart comes behind them
_LARGE = 1e5  # of ms, of s/mm2: no value of this world
_PLANES = {"axial": "ax", "coronal": "cor", "sagittal": "sag", "oblique": "obl"}
_COMPONENTS = {
    **dict.fromkeys(("M", "MAG", "MAGNITUDE"), "magnitude"),
    **dict.fromkeys(("P", "PHASE", "PHASE MAP", "VELOCITY"), "phase"),
    **dict.fromkeys(("R", "REAL"), "real"),
    **dict.fromkeys(("I", "IMAGINARY"), "imaginary"),
}
Heads = Sequence[Head]


def slug(text: str) -> str:
    """A text in the letters of ids: a-z, 0-9, points and hyphens."""
    plain = normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[.-]*-[.-]*", "-", re.sub(r"[^a-z0-9.]+", "-", plain)).strip("-.")


def base_name(texts: Sequence[str], identity: Identity) -> str:
    """What a series is called: by the first of some texts that can be said; empty for none."""
    for text in texts:
        found = slug(text)
        begun = found if found[:1].isalpha() else f"series-{found}"  # ids begin with a letter
        name = begun[:_LONGEST].strip("-.")
        if re.search("[a-z]", found) and not tells(name, identity):
            return name
    return ""


def plain_name(modality: str, plane: str, added: str) -> str:
    """What a series is called that has no description; ``added`` tells it from its sisters."""
    side = _PLANES.get(plane, "")
    return slug(f"{modality} {'' if added.startswith(f'-{side}') else side}") or "images"


def tell_apart(volumes: Sequence[tuple[Head, ...]]) -> list[tuple[str, int]]:
    """For each volume of a series: what is added to its name, and its place in time, from 1.

    The place is that among volumes that nothing but time tells apart.
    """
    groups = {"": list(range(len(volumes)))}
    for aspect in _ASPECTS:
        finer: dict[str, list[int]] = defaultdict(list)
        for added, group in groups.items():
            said = {n: aspect(volumes[n]) for n in group}
            if len(set(said.values())) == 1:
                said = dict.fromkeys(group, "")
            for n, text in said.items():
                finer[f"{added}-{text}" if text else added].append(n)
        groups = finer
    found: dict[int, tuple[str, int]] = {}
    for added, group in groups.items():
        order = in_time_order([volumes[n] for n in group])
        for place, at in enumerate(order, start=1):
            found[group[at]] = (f"{added}-t{place}" if len(group) > 1 else added, place)
    return [found[n] for n in range(len(volumes))]


def component_of(evidence: Mapping[str, str]) -> str:
    """`magnitude`, `phase`, `real`, `imaginary`, or empty where nothing says it."""
    said = evidence.get("ComplexImageComponent", "").strip().upper()
    if said in _COMPONENTS:
        return _COMPONENTS[said]
    types = image_types(evidence)
    values = (value.partition("_")[0] if value[1:2] == "_" else value for value in types)
    return next((_COMPONENTS[value] for value in values if value in _COMPONENTS), "")


def _plane(heads: Heads) -> str:
    return _PLANES.get(plane_of(heads), "")


def _component(heads: Heads) -> str:
    found = component_of(heads[0].evidence)
    return "" if found == "magnitude" else found


def _echo(heads: Heads) -> str:
    values = [v for head in heads if (v := number(head.evidence.get("EchoTime", ""))) is not None]
    if not values:
        return ""
    value = median(values)
    return slug(f"te{value:.1f}" if 1 <= value < _LARGE else f"te{value:.2g}")


def _b_value(heads: Heads) -> str:
    value = number(heads[0].evidence.get("DiffusionBValue", ""))
    return "" if value is None else slug(f"b{value:.0f}" if value < _LARGE else f"b{value:.2g}")


def _kind(heads: Heads) -> str:
    """What ImageType says beyond the component, without what only says how it was filtered."""
    values = [value for value in image_types(heads[0].evidence) if value not in _FILTERS]
    return slug(" ".join(v for v in values if v not in _COMPONENTS and v[1:2] != "_"))[:24].strip(
        "-."
    )


def _filtered(heads: Heads) -> str:
    values = [value for value in image_types(heads[0].evidence) if value in _FILTERS - _NOTHING]
    return slug(" ".join(values))


def _kernel(heads: Heads) -> str:
    return slug(heads[0].evidence.get("ConvolutionKernel", "").replace("\\", " "))[:16].strip("-.")


def _number_of(keyword: str, letters: str) -> Callable[[Heads], str]:
    def aspect(heads: Heads) -> str:
        value = number(heads[0].evidence.get(keyword, ""))
        return "" if value is None else slug(f"{letters}{value:g}")

    return aspect


def _stack(heads: Heads) -> str:
    text = slug(heads[0].evidence.get("StackID", "")[:16])
    return f"stack{text}" if text else ""


def _contrast(heads: Heads) -> str:
    return "contrast" if heads[0].evidence.get("ContrastBolusAgent") else ""


def _pixels(heads: Heads) -> str:
    spacing = heads[0].pixel_spacing
    return "" if spacing is None else f"{spacing[0]:.3g}mm"


def _matrix(heads: Heads) -> str:
    return f"{heads[0].rows}x{heads[0].cols}"


_NOTHING = frozenset(("NONE", "OTHER", "UNSPECIFIED"))
_FILTERS = frozenset(("ND", "NORM", "DIS2D", "DIS3D", "FM", "FIL", "SH", "MOSAIC")) | _NOTHING
_ASPECTS: tuple[Callable[[Heads], str], ...] = (
    *(_plane, _component, _echo, _b_value, _kind, _filtered, _kernel),
    *(_number_of("InversionTime", "ti"), _number_of("FlipAngle", "fa")),
    *(_number_of("RepetitionTime", "tr"), _number_of("KVP", "kv")),
    *(_stack, _contrast, _matrix, _pixels),
)
