"""What is known about CHAOS, the challenge of abdominal organs in MR and CT.

https://chaos.grand-challenge.org/Data/, doi:10.5281/zenodo.3362844, and Kavur et al., Medical Image
Analysis 69 (2021), doi:10.1016/j.media.2020.101950.
"""

from typing import Final, Literal, get_args

from chaosprep.facts import Code, Known, Levels, Organ, Scoring, Series

SequenceName = Literal["t1-in", "t1-out", "t2-spir", "ct"]
OrganName = Literal["liver", "right-kidney", "left-kidney", "spleen"]
LevelsName = Literal["chaos", "chaos-2019-02"]

USUAL_LEVELS: Final = "chaos"

# 63, 126, 189 and 252, each with its range.
_NOW = (
    Organ("liver", 55, 70, 1),
    Organ("right-kidney", 110, 135, 2),
    Organ("left-kidney", 175, 200, 3),
    Organ("spleen", 240, 255, 4),
)
_FIRST = (
    Organ("liver", 70, 90, 1),
    Organ("right-kidney", 150, 170, 2),
    Organ("left-kidney", 230, 247, 3),
    Organ("spleen", 248, 255, 4),
)

CHAOS = Known(
    name="CHAOS",
    licenses=(
        {
            "name": "CC-BY-NC-SA-4.0",
            "path": "https://creativecommons.org/licenses/by-nc-sa/4.0/",
            "title": "Creative Commons Attribution-NonCommercial-ShareAlike 4.0",
        },
    ),
    sources=(
        {
            "title": "CHAOS - Combined (CT-MR) Healthy Abdominal Organ Segmentation Challenge Data",
            "path": "https://doi.org/10.5281/zenodo.3362844",
        },
        {
            "title": "Kavur et al., CHAOS Challenge, Medical Image Analysis 69 (2021)",
            "path": "https://doi.org/10.1016/j.media.2020.101950",
        },
    ),
    series=(
        Series("t1-in", "MR", "T1w"),
        Series("t1-out", "MR", "T1w"),
        Series("t2-spir", "MR", "T2w"),
        Series("ct", "CT", "ct"),
    ),
    usual=("t1-in",),
    phases=(("t1-in", "t1-out"),),  # about 4.6 and 2.3 ms at 1.5 T
    levels={
        USUAL_LEVELS: Levels(
            release="current release",
            organs=_NOW,
            exact=frozenset({63, 126, 189, 252}),
            telling=frozenset({63, 126, 189, 252}),
            binary=_NOW[0],
        ),
        "chaos-2019-02": Levels(
            release="February 2019 release",
            organs=_FIRST,
            exact=frozenset({80, 160, 240, 255}),
            telling=frozenset({80, 160}),  # 240 and 255 lie in today's range of the spleen as well
            binary=_FIRST[0],
        ),
    },
    # As PS3.16 CID 7166 (common tissue segmentation types) has them.
    codes={
        "liver": Code("SCT", "10200004", "Liver"),
        "right-kidney": Code("SCT", "9846003", "Right kidney"),
        "left-kidney": Code("SCT", "18639004", "Left kidney"),
        "spleen": Code("SCT", "78961009", "Spleen"),
    },
    mirrored=(("right-kidney", "left-kidney"),),
    # Section 3.2 of the paper.
    scoring=Scoring(
        "CHAOS score", dice=0.8, ravd=5.0, assd=15.0, mssd=60.0, organs=get_args(OrganName)
    ),
)


def shown_organs(sequence: str) -> tuple[Organ, ...]:
    """The organs of a sequence's masks in the current release: all four, of CT the liver alone."""
    table = CHAOS.levels[USUAL_LEVELS]
    return (table.binary,) if sequence == "ct" else table.organs
