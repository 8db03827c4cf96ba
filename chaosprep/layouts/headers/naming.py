"""What volumes are called: by their description, and by what tells them from their sisters."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median
from unicodedata import normalize

from chaosprep.layouts.headers.head import Head
from chaosprep.layouts.headers.kinds import image_types
from chaosprep.layouts.headers.moments import in_time_order
from chaosprep.layouts.headers.places import SHORT_PLANES, plane_of
from chaosprep.layouts.headers.texts import tells
from chaosprep.privacy.identity import Identity
from chaosprep.series.groups import SAME, number

_LONGEST = 32  # characters of a description; what tells sisters apart comes behind them
_LARGE = 1e5  # of ms, of s/mm2: no value of this world
_COMPONENTS = {
    **dict.fromkeys(("M", "MAG", "MAGNITUDE"), "magnitude"),
    **dict.fromkeys(("P", "PHASE", "PHASE MAP", "VELOCITY"), "phase"),
    **dict.fromkeys(("R", "REAL"), "real"),
    **dict.fromkeys(("I", "IMAGINARY"), "imaginary"),
}
Heads = Sequence[Head]
Aspect = Callable[[Heads], str]
Groups = dict[tuple[str, str], list[int]]


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
    side = SHORT_PLANES.get(plane, "")
    return slug(f"{modality} {'' if added.startswith(f'-{side}') else side}") or "images"


def tell_apart(
    volumes: Sequence[tuple[Head, ...]], series: Sequence[str] = ()
) -> list[tuple[str, int]]:
    """For each of some volumes with one name: what is added to it, and its place in time, from 1.

    Contrasts are told apart whether they have one SeriesInstanceUID or not; what may differ from
    scan to scan counts within a series only. The place is that among volumes of a series that
    nothing but time tells apart.

    Args:
        volumes: the pictures of each.
        series: the series of each; without it all are of one.
    """
    groups = _refined({("", ""): list(range(len(volumes)))}, volumes, _CONTRASTS)
    within: Groups = defaultdict(list)
    for (added, _), group in groups.items():
        for n in group:
            within[added, series[n] if series else ""].append(n)
    found: dict[int, tuple[str, int]] = {}
    for (added, _), group in _refined(within, volumes, _SETTINGS).items():
        order = in_time_order([volumes[n] for n in group])
        for place, at in enumerate(order, start=1):
            found[group[at]] = (f"{added}-t{place}" if len(group) > 1 else added, place)
    return [found[n] for n in range(len(volumes))]


def _refined(groups: Groups, volumes: Sequence[Heads], aspects: Sequence[Aspect]) -> Groups:
    """Groups of volumes by what is added to their names, and their series."""
    for aspect in aspects:
        finer: Groups = defaultdict(list)
        for (added, series), group in groups.items():
            said = {n: aspect(volumes[n]) for n in group}
            same_echo = aspect is _echo and _one_echo(volumes[n] for n in group)
            if len(set(said.values())) == 1 or same_echo:
                said = dict.fromkeys(group, "")
            for n, text in said.items():
                finer[f"{added}-{text}" if text else added, series].append(n)
        groups = finer
    return groups


def _one_echo(volumes: Iterable[Heads]) -> bool:
    """Whether echo times are one that was measured several times."""
    values = sorted(_echo_time(heads) or 0.0 for heads in volumes)
    return all(after - before <= SAME * after for before, after in pairwise(values))


def component_of(evidence: Mapping[str, str]) -> str:
    """`magnitude`, `phase`, `real`, `imaginary`, or empty where nothing says it."""
    said = evidence.get("ComplexImageComponent", "").strip().upper()
    if said in _COMPONENTS:
        return _COMPONENTS[said]
    types = image_types(evidence)
    values = (value.partition("_")[0] if value[1:2] == "_" else value for value in types)
    return next((_COMPONENTS[value] for value in values if value in _COMPONENTS), "")


def _plane(heads: Heads) -> str:
    return SHORT_PLANES.get(plane_of(heads), "")


def _component(heads: Heads) -> str:
    found = component_of(heads[0].evidence)
    return "" if found == "magnitude" else found


def _echo_time(heads: Heads) -> float | None:
    values = [v for head in heads if (v := number(head.evidence.get("EchoTime", ""))) is not None]
    return median(values) if values else None


def _echo(heads: Heads) -> str:
    value = _echo_time(heads)
    if value is None:
        return ""
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


def _number_of(keyword: str, letters: str) -> Aspect:
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
_CONTRASTS: tuple[Aspect, ...] = (_plane, _component, _echo, _b_value, _kind, _kernel)
_SETTINGS: tuple[Aspect, ...] = (
    _filtered,
    *(_number_of("InversionTime", "ti"), _number_of("FlipAngle", "fa")),
    *(_number_of("RepetitionTime", "tr"), _number_of("KVP", "kv")),
    *(_stack, _contrast, _matrix, _pixels),
)
