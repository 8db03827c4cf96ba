"""Text in the headers of volumes, in which somebody may be named."""

import re

_IS_HASH = re.compile(r"(?=\w*\d)[0-9a-f]+")  # of a tool's version
_PLAIN = frozenset(
    (
        *("fsl", "spm", "itk", "ants", "afni", "nibabel", "nilearn", "nipype", "nipy", "python"),
        *("freesurfer", "niftyreg", "elastix", "mricron", "dcm", "niix", "matlab", "mrtrix"),
        *("mitk", "slicer", "simpleitk", "torchio", "monai", "workbench", "minc", "version"),
        *("release", "compatible", "normalized", "realigned", "resliced", "smoothed", "warped"),
        *("mean", "image", "volume", "mask", "registration", "segmentation", "none", "units"),
        *("te", "tr", "ti", "fa", "mb", "bw", "ms", "mm", "time", "phase", "dim"),
        # nifti1.h, "XFORM_CODE": ITK writes these names into whatever it makes of a NIfTI.
        *("nifti", "xform", "unknown", "scanner", "anat", "aligned", "talairach", "mni"),
        *("template", "other"),
    )
)


def may_name(text: str) -> bool:
    """Whether a text may name somebody: it is more than a tool, its version, or a measured time."""
    words = (word for word in re.findall(r"[^\W_]+", text) if not _IS_HASH.fullmatch(word))
    runs = (run for word in words for run in re.findall(r"[^\W\d_]+", word))
    return any(len(run) > 1 and run.casefold() not in _PLAIN for run in runs)
