"""What the commands are meant to reach, and whether they were measured to."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.tables import OURS, Result, spread, times


@dataclass(frozen=True)
class Expectation:
    """Of a command or of pixels: how many times as fast as `peer` ours is meant to be.

    For one `run` of ours, or for each; with `at_most` the peer is one that should hardly be slower.
    `why` says what stands in the way where it is missed.
    """

    group: str
    peer: str
    factor: float
    run: str = ""
    at_most: bool = False
    why: str = ""

    def is_for(self, ours: Result) -> bool:
        """Whether a row is one of those that it is about."""
        return ours.is_ours and ours.group == self.group and self.run in ("", ours.run)

    def verdict(self, ours: Result, found: Sequence[float]) -> str:
        """The line about it, `found` being the factors round by round."""
        middle = statistics.median(found)
        met = middle <= self.factor if self.at_most else middle >= self.factor
        wanted = f"{'at most ' if self.at_most else ''}{self.factor:g} x {self.peer}"
        word = "met." if met else f"MISSED. {self.why}".rstrip()
        return f"- {self.group}, {ours.run}: {wanted} expected, {spread(found)}: {word}"


EXPECTED = (
    Expectation("extract-liver", "per-pixel loop", 50.0),
    Expectation("mask: decode, extract, encode", "per-pixel loop", 100.0),
    Expectation("convert", "matplotlib figure", 15.0),
    Expectation("augment", "Augmentor threads", 1.5),
)
"""For any number of slices."""

ONE, TWO = f"{OURS} -j 1", f"{OURS} -j 2"
TO_TAR = " --store tar"
DASK = "Dask, --dask local -j 2"
RUNNING_DASK = "Dask, two workers that run"
_FILES = "Reading, hashing, linking and recording each file is what is left, not its pixels."
_DEFLATE = "Compressing alone, by zlib at level 1, takes longer than all that dcm2niix does."
_HASHES = (
    "Each file is compared with its hash when it is read and hashed when it is written: a fifth "
    "of the time. The header is read in Python, and each slice gets a row."
)
_COMPUTED = "What copies bytes computes nothing: the profile of convert tells where the time goes."
_SCHEDULER = "Every task and result goes through the scheduler, whose process shares the two cores."
_PATHS = "Half of the files are originals, which are compared with their hashes and linked."
OF_MANY = (
    Expectation("extract-liver", "per-pixel loop", 100.0, ONE, why=_FILES),
    Expectation("convert", "matplotlib figure", 50.0, ONE, why=_FILES),
    Expectation("convert", "pydicom + cv2", 3.0, ONE, why=f"cv2 writes no mask. {_FILES}"),
    Expectation("convert", "same bytes in and out", 1 / 8, ONE),
    Expectation("convert", "dcm2niix -z n", 1.0, TWO, why=_DEFLATE),
    Expectation("convert", DASK, 1.3, TWO, at_most=True, why=_SCHEDULER),
    Expectation("convert", RUNNING_DASK, 1.3, TWO, at_most=True, why=_SCHEDULER),
    Expectation("convert --format npy", "dcm2niix -z n", 1.0, ONE, why=_HASHES),
    Expectation("convert", "dcm2niix -z n", 1.5, TWO + TO_TAR, why=_DEFLATE),
    Expectation("convert", "same bytes in and out", 1 / 2.5, ONE + TO_TAR, why=_COMPUTED),
    Expectation("convert --format npy", "dcm2niix -z n", 1.0, ONE + TO_TAR, why=_HASHES),
    Expectation("augment", "Augmentor threads", 5.0, TWO, why=_PATHS),
)
"""For many slices, where starting up hardly counts."""

EXPECTED_MB = 400.0
"""What a command's whole process tree is meant to stay under, in MB."""


def verdicts(
    results: Sequence[Result], expected: Sequence[Expectation] = EXPECTED
) -> Iterator[str]:
    """One line for each expectation that was measured."""
    known_peers = {(result.group, result.run): result for result in results if result.seconds}
    for one in expected:
        peer = known_peers.get((one.group, one.peer))
        for ours in filter(one.is_for, results):
            if peer is not None:
                yield one.verdict(ours, times(peer, ours))
    known = [r for r in results if r.is_ours and r.tree_mb is not None]
    if known:
        worst = max(known, key=lambda r: r.tree_mb or 0.0)
        word = "met" if (worst.tree_mb or 0.0) < EXPECTED_MB else "MISSED"
        most = f"{worst.tree_mb:.0f} MB in {worst.group}, {worst.run}"
        yield f"- Peak memory: under {EXPECTED_MB:g} MB expected, {most}: {word}."
