"""What the commands are meant to reach, and whether they were measured to."""

import statistics
from collections.abc import Iterator, Sequence

from benchmarks.tables import Result, spread, times

EXPECTED = (
    ("extract-liver", "per-pixel loop", 50.0),
    ("mask: decode, extract, encode", "per-pixel loop", 100.0),
    ("convert", "matplotlib figure", 15.0),
    ("augment", "Augmentor threads", 1.5),
)
"""Command or pixels, the tutorial's way of it, how many times as fast ours is meant to be."""

EXPECTED_MB = 400.0
"""What a command's whole process tree is meant to stay under, in MB."""


def verdicts(results: Sequence[Result]) -> Iterator[str]:
    """One line for each expectation that was measured."""
    for group, name, factor in EXPECTED:
        peer = next((r for r in results if (r.group, r.run) == (group, name)), None)
        for ours in (r for r in results if r.group == group and r.is_ours):
            if peer is None or not peer.seconds:
                continue
            found = times(peer, ours)
            word = "met" if statistics.median(found) >= factor else "MISSED"
            yield f"- {group}, {ours.run}: {factor:g} x {name} expected, {spread(found)}: {word}."
    known = [r for r in results if r.is_ours and r.tree_mb is not None]
    if known:
        worst = max(known, key=lambda r: r.tree_mb or 0.0)
        word = "met" if (worst.tree_mb or 0.0) < EXPECTED_MB else "MISSED"
        most = f"{worst.tree_mb:.0f} MB in {worst.group}, {worst.run}"
        yield f"- Peak memory: under {EXPECTED_MB:g} MB expected, {most}: {word}."
