"""Near-duplicates: one slice on two sides after a flip, a small rotation, a zoom or a gamma.

Two fingerprints are compared in two steps: short vectors of every flip, rotation and zoom find
candidates by a matrix product; an affine registration (ECC: Evangelidis and Psarakis, IEEE TPAMI
30(10), 2008) then lays one over the other, and the correlation of their texture decides. Texture,
not outlines: abdomens share their outlines, but no two their vessels and noise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from chaosprep.quality.alike.fingerprints import SIDE, Fingerprint
from chaosprep.running.mapping import map_cases

ALIKE = 0.83
"""Correlation of texture from which two slices count as one; docs/quality.md has the rates."""

_ANGLES = (-8.0, 0.0, 8.0)  # degrees; the registration finds what lies between
_SCALES = (0.9, 1.0, 1.1)
_SHORT = 16  # side of the picture that a short vector holds
_CANDIDATE = 0.7  # correlation of short vectors from which a pair is registered
_COARSE = 0.8  # correlation at half the resolution from which it is registered finely
_BEST = 3  # pairs registered for each slice, at most
_BLOCK = 128

_Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Match:
    """Slice `query` is slice `reference` again: their numbers, and the correlation of texture."""

    query: int
    reference: int
    correlation: float


class _Task(NamedTuple):
    """One query and its candidates: their numbers, pictures, and where to start from."""

    query: int
    picture: Fingerprint
    candidates: list[tuple[int, Fingerprint, _Matrix]]


def near_duplicates(
    queries: Sequence[Fingerprint],
    references: Sequence[Fingerprint],
    *,
    jobs: int = 1,
    quarters: bool = False,
) -> list[Match]:
    """For each query that has one, a reference that shows the same slice; by query.

    Args:
        queries: fingerprints of one side, (128, 128) uint8 each.
        references: those of the other side.
        jobs: worker processes.
        quarters: find slices turned by 90 degrees too; twice the work.

    Raises:
        ChaosprepError: `worker-died`.
    """
    if not queries or not references:
        return []
    count = -(-len(queries) // _BLOCK)
    tasks = _batches(queries, references, _moves(quarters))
    found, failed = map_cases(_decide, tasks, lambda task: "Comparing slices", jobs, count=count)
    if failed:
        raise failed[0].error()
    return [match for matches in found for match in matches]


def _batches(
    queries: Sequence[Fingerprint], references: Sequence[Fingerprint], moves: Sequence[_Matrix]
) -> Iterator[list[_Task]]:
    """The candidates of each query, by the short vectors of everything it may have become."""
    unmoved = [np.eye(3, dtype=np.float32)]
    known = np.concatenate([_vectors(picture, unmoved) for picture in references])
    for start in range(0, len(queries), _BLOCK):
        block = queries[start : start + _BLOCK]
        best, which = _best_moves(block, moves, known)
        tasks = []
        for i, picture in enumerate(block):
            if near := [(j, references[j], moves[which[i, j]]) for j in _nearest(best[i])]:
                tasks.append(_Task(start + i, picture, near))
        yield tasks


def _best_moves(
    block: Sequence[Fingerprint], moves: Sequence[_Matrix], known: _Matrix
) -> tuple[_Matrix, NDArray[np.uint8]]:
    """Each query's best correlation with each reference, and the number of the move that gave it.

    Both are (queries, references).
    """
    vectors = np.stack([_vectors(picture, moves) for picture in block], axis=1)
    best = np.full((len(block), len(known)), -1, np.float32)
    which = np.zeros(best.shape, np.uint8)
    for number, of_move in enumerate(vectors):
        scores = of_move @ known.T
        which[scores > best] = number
        np.maximum(best, scores, out=best)
    return best, which


def _nearest(correlations: _Matrix) -> list[int]:
    """The references (references,) that are worth registering, the best one first."""
    order = np.argpartition(-correlations, min(_BEST, len(correlations) - 1))[:_BEST]
    order = order[np.lexsort((order, -correlations[order]))]
    return [int(j) for j in order if correlations[j] >= _CANDIDATE]


def _decide(tasks: list[_Task]) -> list[Match]:
    """The first candidate of each task that is the same slice."""
    found = []
    for task in tasks:
        for number, picture, move in task.candidates:
            correlation = likeness(task.picture, picture, move)
            if correlation >= ALIKE:
                found.append(Match(task.query, number, correlation))
                break
    return found


def likeness(query: Fingerprint, reference: Fingerprint, start: _Matrix) -> float:
    """The correlation of texture after the query is laid over the reference, 0 where it cannot be.

    Args:
        query: the one, (128, 128) uint8.
        reference: the other.
        start: matrix (3, 3) from a pixel of the reference to one of the query, from the middle.
    """
    small_query, small = _half(query), _half(reference)
    warp = _registered(small, small_query, start, steps=40)
    if warp is None or _pearson(_details(_laid(small_query, warp)), _details(small)) < _COARSE:
        return 0.0
    warp = _registered(reference, query, _scaled(warp), steps=15)
    if warp is None:
        return 0.0
    return _pearson(_texture(_laid(query, warp)), _texture(reference))


def _moves(quarters: bool) -> list[_Matrix]:
    """Every flip, rotation and zoom about the middle, as matrices (3, 3)."""
    found = []
    turns = (0.0, 90.0) if quarters else (0.0,)
    angles = np.radians([turn + angle for turn in turns for angle in _ANGLES])
    for flip in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
        for angle in angles:
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            for scale in _SCALES:
                move = np.eye(3)
                move[:2, :2] = turn @ np.diag(flip) * scale
                found.append(move.astype(np.float32))
    return found


def _about_middle(move: _Matrix, source: int, target: int) -> _Matrix:
    """The matrix (2, 3) from pixels of a side `target` to those of a side `source`."""
    linear = move[:2, :2] * (source / target)
    shift = (source - 1) / 2 + move[:2, 2] * source - linear.sum(axis=1) * (target - 1) / 2
    return np.column_stack([linear, shift]).astype(np.float32)


def _scaled(warp: _Matrix) -> _Matrix:
    """A matrix (2, 3) between pictures of half the side, about their middles and in sides."""
    move = np.eye(3, dtype=np.float32)
    middle = (SIDE // 2 - 1) / 2
    move[:2, :2] = warp[:, :2]
    move[:2, 2] = (warp[:, 2] + warp[:, :2].sum(axis=1) * middle - middle) / (SIDE // 2)
    return move


def _vectors(picture: Fingerprint, moves: Sequence[_Matrix]) -> _Matrix:
    """The short vector of a picture after each move: (moves, 256), of mean 0 and length 1."""
    details = cv2.GaussianBlur(_details(_half(picture)), (0, 0), 1.5)
    warps = [_about_middle(move, SIDE // 2, _SHORT) for move in moves]
    found = np.stack([_warped(details, warp, _SHORT).ravel() for warp in warps])
    flat = np.asarray(found - found.mean(axis=1, keepdims=True), np.float32)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(length, 1e-6), np.float32)


def _half(picture: Fingerprint) -> Fingerprint:
    half = cv2.resize(picture, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(half, np.uint8)


def _laid(picture: Fingerprint, warp: _Matrix) -> Fingerprint:
    return np.asarray(_warped(picture, warp, len(picture)), np.uint8)


def _warped(picture: NDArray[Any], warp: _Matrix, side: int) -> NDArray[Any]:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, warp, (side, side), flags=flags)


def _registered(
    reference: Fingerprint, query: Fingerprint, start: _Matrix, steps: int
) -> _Matrix | None:
    """The affine matrix (2, 3) that lays the query over the reference; None: they are not alike."""
    first = _about_middle(start, len(query), len(reference))
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, steps, 1e-4)
    mask = np.full_like(query, 255)
    try:
        model = cv2.MOTION_AFFINE
        _, warp = cv2.findTransformECC(reference, query, first, model, criteria, mask, 3)
    except cv2.error:  # it does not converge
        return None
    return np.asarray(warp, np.float32)


def _details(picture: Fingerprint) -> _Matrix:
    """A picture without its outline and coarse shading, float32 of the same shape."""
    return _band(picture, 1.0, 4.0) * _inner(picture, 4.0, 0.8)


def _texture(picture: Fingerprint) -> _Matrix:
    """The finest structure, as strong everywhere: edges weigh no more than vessels and noise."""
    fine = _band(picture, 0.6, 2.0)
    strength = np.sqrt(cv2.GaussianBlur(fine * fine, (0, 0), 4.0))
    return np.asarray(fine / (strength + 4.0) * _inner(picture, 3.0, 0.9), np.float32)


def _band(picture: Fingerprint, fine: float, coarse: float) -> _Matrix:
    grey = picture.astype(np.float32)
    blurred = cv2.GaussianBlur(grey, (0, 0), fine) - cv2.GaussianBlur(grey, (0, 0), coarse)
    return np.asarray(blurred, np.float32)


def _inner(picture: Fingerprint, width: float, share: float) -> NDArray[np.bool_]:
    """Where the body is, without its rim."""
    body = (picture > 0).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(body, (0, 0), width) > share)


def _pearson(one: _Matrix, other: _Matrix) -> float:
    """The correlation where both have something to show."""
    seen = (one != 0) & (other != 0)
    if np.count_nonzero(seen) < 64:
        return 0.0
    a, b = one[seen] - one[seen].mean(), other[seen] - other[seen].mean()
    return float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-6))
