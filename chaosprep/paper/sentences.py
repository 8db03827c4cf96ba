"""What each stage did, in sentences; a stage without any here tells its parameters by name."""

from collections.abc import Callable, Iterator

from chaosprep.dataset.descriptor import StageRecord
from chaosprep.paper.settings import Settings, listed, percent, shown

Sentences = Callable[[Settings], Iterator[str]]

_WINDOWS = {
    "percentile": "from the 0.5th to the 99.5th percentile of its stored values",
    "dicom": "as the DICOM headers say",
    "minmax": "from the smallest to the largest of its stored values",
}

_SAMPLINGS = {
    "nearest": "by nearest neighbour",
    "label": "by the label with the largest share of each pixel",
}


def sentences(record: StageRecord) -> list[str]:
    """What a stage did by its parameters, as sentences; every one that is no default is said.

    Where a value is none that this release writes, all of them are told by name alone.
    """
    settings = Settings(record)
    try:
        found = list(_OF_STAGES[record.stage](settings))
    except (KeyError, OverflowError, TypeError, ValueError):
        settings, found = Settings(record), [f"The stage {shown(record.stage)} was run."]
    left = list(settings.others())
    if left:
        found.append(f"Further parameters of {shown(record.stage)}: {'; '.join(left)}.")
    return found


def _split(told: Settings) -> Iterator[str]:
    yield from _found(told)
    yield from _divided(told)
    told["pseudonymize"]  # a part of the other, or said below
    if told["deidentify"]:
        yield (
            "DICOM files were de-identified by the basic profile of DICOM PS3.15, and patients and "
            "UIDs were given keyed pseudonyms."
        )
        if told["accept_burned_in"]:
            yield "Images that may show text in their pixels were kept."
    elif told["pseudonymize"]:
        yield "Patients were given keyed pseudonyms; DICOM files were copied as they are."
    if told["check"]:
        yield (
            "The sides were checked for identifiers that they share and for slices that are equal "
            "or nearly so."
        )


def _found(told: Settings) -> Iterator[str]:
    kind = told["layout"]
    if kind != "auto":
        yield f"Files were found by the layout {shown(kind)}."
    if told["patient_from"] != "folder":
        yield f"Patients were told apart by the header {shown(told['patient_from'])}."
    if told["trust_folders"]:
        yield "Folders were taken for patients whatever the headers say."
    chosen = [shown(one) for one in (*(told["sequence"] or ()), *(told["select"] or ()))]
    if chosen:
        yield f"Of the series only these were asked for: {', '.join(chosen)}."
    if told["pick"]:
        yield f"Of several series of a patient that fit, this was taken: {shown(told['pick'])}."
    if told["roi"]:
        yield f"Of the structures only these were taken: {', '.join(map(shown, told['roi']))}."
    if told["threshold"] is not None:
        yield f"Fractional masks show a structure from {told['threshold']:g} on."


def _divided(told: Settings) -> Iterator[str]:
    if told["split_file"]:
        yield "Patients were divided as a file says."
    else:
        parts = [f"{percent(told[side])} for {name}" for side, name in _SIDES if told[side]]
        if told["folds"]:
            times = f", {shown(told['repeats'])} times" if told["repeats"] else ""
            fold = 0 if told["fold"] is None else told["fold"]
            many = shown(told["folds"])
            parts = [f"{many} folds{times} with fold {shown(fold)} for validation"]
            parts += [f"{percent(told['test'])} for testing"] if told["test"] else []
        named = [
            f"{len(told[f'{side}_patient'])} for {name} by name"
            for side, name in _SIDES
            if told[f"{side}_patient"]
        ]
        yield (
            "Patients, not slices, were divided: every slice of a patient is on one side "
            f"(asked for: {listed([*parts, *named]) or 'all for training'}; "
            f"seed {shown(told['seed'])})."
        )
        if not told["redivide"]:
            yield "Sides, folds and a test set of the data set's own, where it has any, were kept."
    if told["fold"] is not None and not told["folds"]:
        yield f"Fold {shown(told['fold'])} is the validation side."
    if told["like"]:
        yield "Patients of an earlier split kept their sides, and new ones were added around them."
    if told["stratify"]:
        wishes = ", ".join(map(shown, told["stratify"]))
        yield f"The division was balanced by {wishes}."
    if told["redivide"]:
        yield "Sides and folds of the data set itself were not kept, except for its test set."


_SIDES = (("val", "validation"), ("test", "testing"))


def _extract_liver(told: Settings) -> Iterator[str]:
    table = f"the table of grey levels {shown(told['levels'])}"
    if told["all_organs"]:
        yield f"Masks of grey levels became label maps of all organs, by {table}."
    elif told["range"]:
        low, high = map(shown, told["range"])
        yield f"Grey levels {low} to {high} of the masks became a binary mask."
    else:
        yield f"The grey levels of the {shown(told['organ'])} became a binary mask, by {table}."
    yield from _binary(told)
    if told["lenient_masks"]:
        yield (
            "Masks stored in colour or with levels that belong to no organ were taken, each with "
            "a warning."
        )


def _binary(told: Settings) -> Iterator[str]:
    if told["mask_value"] != 255:
        yield f"The value of the structure in it is {shown(told['mask_value'])}."
    if told["drop_empty"]:
        yield "Slices whose mask shows none of it were left out."


def _extract_labels(told: Settings) -> Iterator[str]:
    organs = told["organ"]
    noun = "structure" if organs and len(organs) == 1 else "structures"
    taken = f"the {noun} {listed([*map(shown, organs)])}" if organs else "all structures"
    told["all_organs"]  # the same as none named
    as_what = "a binary mask" if told["binary"] else "a label map"
    yield f"Masks were made of {taken}, as {as_what}."
    for name, verb in (("rename", "renamed"), ("merge", "merged")):
        if told[name]:
            yield f"Structures were {verb}: {', '.join(map(shown, told[name]))}."
    if told["order"]:
        yield f"Where structures overlap, this order decides: {shown(told['order'])}."
    yield from _binary(told)


def _convert(told: Settings) -> Iterator[str]:
    if told["bias"] != "none":
        yield _corrected(told)
    if told["normalize"]:
        yield _normalized(told)
        told["window"], told["window_scope"], told["keep_16bit"], told["format"]
    elif told["keep_16bit"] or told["format"] == "npy":
        kept = (
            "bit for bit"
            if told["spacing"] is told["reference"] is None and told["bias"] == "none"
            else "at their full depth"
        )
        yield f"Stored values were kept {kept}, as {shown(told['format'])} files."
        told["window"], told["window_scope"]
    else:
        window = str(told["window"])
        per = "case" if told["window_scope"] == "case" else "slice"
        how = _WINDOWS.get(window, f"from {shown(window.replace(',', ' to '))} in modality units")
        yield f"Each {per} was windowed to 8 bits {how}."
    yield from _spacing(told)
    if told["reference"] is not None:
        yield (
            "A patient's other sequences were brought onto the voxels of "
            f"{shown(told['reference'])} by their geometry, without registration (images "
            f"{told['through_plane']} between slices, cubic in-plane, masks by the label with the "
            "largest share)."
        )
    if told["size"] is not None:
        by = {"both": "padding and cropping", "pad": "padding", "crop": "cropping"}
        yield f"Slices were brought to {shown(told['size'])} pixels by {by[told['fit']]}."


def _corrected(told: Settings) -> str:
    if told["bias"] != "n4":
        return f"The bias field of each case was divided out by {shown(told['bias'])}."
    grid, distance = (f"{told[name]:g} mm" for name in ("bias_grid", "bias_distance"))
    return (
        f"The bias field of each case, found by N4 within the body (Tustison et al. 2010; grid of "
        f"{grid}, finest knots {distance} apart, up to {shown(told['bias_iterations'])} iterations "
        "at each level), was divided out; a case of which none could be found stayed as it was."
    )


def _normalized(told: Settings) -> str:
    method, given = told["normalize"], told["landmarks"]
    if method == "zscore":
        return (
            "Values of each case were normalized to a mean of 0 and a standard deviation of 1 "
            "within the body."
        )
    if method != "nyul":
        return f"Values of each case were normalized by {shown(method)}."
    whose = "that were given" if given else "that were learned from the training side alone"
    return (
        "Values of each case were normalized piecewise linearly, so that percentiles within the "
        f"body meet landmarks {whose} (Nyul, Udupa and Zhang 2000)."
    )


def _spacing(told: Settings) -> Iterator[str]:
    """What `--spacing` did, in one direction or in three."""
    spacing = told["spacing"]
    if isinstance(spacing, list):
        mm = " x ".join(f"{one:g}" for one in spacing)
        told["mask_sampling"]
        yield (
            f"Volumes were resampled to {mm} mm (slices, rows, columns; images "
            f"{told['through_plane']} between slices, cubic in-plane, masks by the label with the "
            "largest share)."
        )
    elif spacing is not None:
        yield (
            f"Slices were resampled in-plane to {spacing:g} mm per pixel (images cubic, "
            f"masks {_sampling(told)})."
        )


def _sampling(told: Settings) -> str:
    """How masks were resampled."""
    how = told["mask_sampling"]
    return _SAMPLINGS.get(how) or f"by {shown(how)}"


def _augment(told: Settings) -> Iterator[str]:
    many = told["samples"]
    each = "1 copy" if told["copies"] == 1 else f"{shown(told['copies'])} copies"
    copies = f"{each} of each slice" if many is None else f"{shown(many)} copies in all"
    recipe = "a recipe of its own" if told["spec"] else f"the preset {shown(told['preset'])}"
    yield (
        f"Training slices were augmented, image and mask alike ({copies}, {recipe}, engine "
        f"{shown(told['engine'])}, seed {shown(told['seed'])})."
    )
    yield (
        f"Masks were resampled {_sampling(told)}, and a copy that kept less than "
        f"{percent(told['keep_label'])} of a label's area was drawn again."
    )
    if told["spec"]:
        yield f"The recipe: {shown(told['spec'])}."
    if told["swap_labels"]:
        yield "Right and left structures were exchanged in mirrored label maps."
    if told["exact_probability"]:
        yield "The probabilities of its operations were applied exactly as given."


def _predict(told: Settings) -> Iterator[str]:
    side = f" of the side {shown(told['split'])}" if told["split"] else ""
    yield f"The masks{side} are predictions of a trained network, not a reference."


_OF_STAGES: dict[str, Sentences] = {
    "split": _split,
    "extract-liver": _extract_liver,
    "extract-labels": _extract_labels,
    "convert": _convert,
    "augment": _augment,
    "predict": _predict,
}
"""A line for each stage that has sentences of its own."""
