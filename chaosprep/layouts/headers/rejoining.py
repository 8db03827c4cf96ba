"""Studies and series of which an anonymiser, or a scanner, gave each picture a UID of its own."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence

from chaosprep.layouts.headers.head import Head, count_pictures

_FEWEST = 3  # pictures with a UID each that are taken for one series
_STUDY = ("StudyDate", "StudyTime", "StudyDescription")
_SERIES = ("Modality", "SOPClassUID", "SeriesNumber", "SeriesDescription", "ProtocolName")
_SPACE = "FrameOfReferenceUID"

Group = tuple[str, list[Head]]
"""A UID, and the pictures that have it; of several UIDs the least."""


def studies_of(heads: Iterable[Head]) -> list[Group]:
    """The studies of one person."""
    return _joined(_by_uid(heads, "StudyInstanceUID"), _STUDY)


def series_of(heads: Iterable[Head]) -> list[Group]:
    """The series of one study; what was one series of single pictures is one again.

    Their space is one too: all have the same FrameOfReferenceUID, or each has its own.
    """
    found: list[Group] = []
    by_uid = _by_uid(heads, "SeriesInstanceUID")
    for uid, joined in _joined(by_uid, _SERIES):
        spaces = _by_uid(joined, _SPACE)
        if len(joined) == len(by_uid[uid]) or len(spaces) in (1, len(joined)):
            found.append((uid, joined))
            continue
        for part in spaces.values():
            few = [[head] for head in part] if len(part) < _FEWEST else [part]
            found += [(min(_uid(head) for head in one), one) for one in few]
    return found


def _uid(head: Head) -> str:
    return head.evidence.get("SeriesInstanceUID", "")


def _by_uid(heads: Iterable[Head], keyword: str) -> dict[str, list[Head]]:
    groups: dict[str, list[Head]] = defaultdict(list)
    for head in heads:
        groups[head.evidence.get(keyword, "")].append(head)
    return groups


def _joined(groups: Mapping[str, list[Head]], alike: Sequence[str]) -> list[Group]:
    """The groups, with those of one picture joined where at least three are alike."""
    singles: dict[Hashable, list[str]] = defaultdict(list)
    found: list[Group] = []
    for uid, heads in groups.items():
        one = heads[0]
        several = count_pictures(heads) > 1
        if several or one.frame is not None or not (one.position and one.orientation):
            found.append((uid, heads))  # without a place it may be one of several views
            continue
        said = (one.evidence.get(keyword, "") for keyword in alike)
        singles[*said, one.rows, one.cols].append(uid)
    for uids in singles.values():
        if len(uids) < _FEWEST:
            found += [(uid, groups[uid]) for uid in uids]
        else:
            found.append((min(uids), [head for uid in uids for head in groups[uid]]))
    return found
