"""The dataset with its Croissant description, so that the folder can be uploaded as it is.

Croissant 1.1: https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html, and its vocabulary
for responsible AI, RAI 1.0: https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html.
"""

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from chaosprep.dataset.descriptor import License
from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.organs import listed
from chaosprep.dataset.records import Slice
from chaosprep.dataset.store import Store
from chaosprep.errors import not_as_written
from chaosprep.exports.pairs import Carried, carry_pairs, no_dicom
from chaosprep.exports.record import Export, NoParams
from chaosprep.exports.rows import LISTS, columns, flat, write_lines
from chaosprep.files import sha256, write_json
from chaosprep.markdown import inline, is_address
from chaosprep.paper.responsible import responsible
from chaosprep.paper.text import methods
from chaosprep.printable import printable
from chaosprep.running.folder import LICENSE, METHODS, Exported, license_text, new_folder
from chaosprep.running.options import RunOptions

DESCRIPTION = "croissant.json"
TABLE = "records.jsonl"
"""The rows of `slices.jsonl`, objects as JSON text: a field of Croissant has one plain type."""

# The standard's own context (its appendix 1), which readers compare.
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{
        name: f"cr:{name}"
        for name in (
            *("annotation", "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty"),
            *("excludes", "extract", "field", "fileProperty", "fileObject", "fileSet", "format"),
            *("includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5", "parentField"),
            *("path", "readLines", "recordSet", "references", "regex", "repeated", "replace"),
            *("samplingRate", "sdVersion", "separator", "source", "subField", "transform"),
            *("unArchive", "value"),
        )
    },
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "sc": "https://schema.org/",
}
_TYPES = {"string": "sc:Text", "integer": "sc:Integer", "number": "sc:Float", "object": "sc:Text"}
_FORMATS = {".png": "image/png", ".npy": "application/octet-stream"}


def _export(dataset: Dataset, output: Path, params: NoParams, options: RunOptions) -> Exported:
    """Write `output/croissant.json` with the table and the files that it describes beside it.

    Raises:
        ProblemsError: `image-format` (DICOM), or a file that is not as recorded.
        ChaosprepError: the output cannot be made.
    """
    with new_folder(dataset, output, "croissant", {}, options.overwrite) as folder:
        found = carry_pairs(dataset, folder, format="croissant", options=options, check=no_dicom)
        write_lines(folder / TABLE, found.rows, _line)
        write_json(folder / DESCRIPTION, describe(dataset, found, folder))
        store = Store(folder)
        for row in found.rows():  # `carry_pairs` hashed them
            if not all(store.has(file) for file in row.files()):
                raise not_as_written(row.id)
    return Exported("croissant", output, len(found.ids), found.slices, found.skipped)


export = Export(
    NoParams,
    _export,
    "DIR is what convert or augment made. Files are hard links; upload the output as it is.",
)


def describe(dataset: Dataset, found: Carried, folder: Path) -> dict[str, Any]:
    """The description of a folder that holds the table and its files."""
    licenses = [_license(one) for one in dataset.licenses]
    sources = [" ".join(filter(None, (one.title, one.path))) for one in dataset.sources]
    table, terms = folder / TABLE, license_text(dataset).encode()
    text = methods(dataset).encode()
    about_table = "The table: one line of JSON for each image and its mask."
    about_terms = "Licence and sources of the data, to read."
    about_text = "How the dataset was made, in sentences."
    with table.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": [
            "http://mlcommons.org/croissant/1.1",
            "http://mlcommons.org/croissant/RAI/1.0",
        ],
        "name": dataset.descriptor.name,
        "description": f"{inline(dataset.descriptor.title)}; {_made(dataset)}",
        "license": licenses,
        "citeAs": printable("; ".join(sources)),
        **responsible(dataset),
        "isBasedOn": [one.path for one in dataset.sources if is_address(one.path or "")],
        "distribution": [
            _file(TABLE, about_table, "application/jsonlines", table.stat().st_size, digest),
            _file(LICENSE, about_terms, "text/plain", len(terms), sha256(terms)),
            _file(METHODS, about_text, "text/markdown", len(text), sha256(text)),
            *_file_sets(found),
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "slices",
                "name": "slices",
                "description": "One record for each image and its mask.",
                "key": {"@id": "slices/id"},
                "field": [_field(field) for field in columns(next(found.rows()))],
            }
        ],
    }


def _made(dataset: Dataset) -> str:
    """The stages, and what the values of the masks stand for, as far as the label map says it."""
    stages = " > ".join(inline(past.stage) for past in dataset.history)
    lines = listed(dataset.label_map)
    told = (" ".join(filter(None, (one.values, *map(inline, one[1:])))) for one in lines)
    legend = f" Mask values: {', '.join(told)}." if lines else ""
    return f"made by chaosprep: {stages}.{legend}"


def _license(one: License) -> str | None:
    """Its address on the web, else its name."""
    if one.path and is_address(one.path):
        return one.path
    known = one.name or one.title or one.path
    return known and printable(known)


def _file(name: str, description: str, kind: str, size: int, digest: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "description": description,
        "contentUrl": name,
        "contentSize": f"{size} B",
        "encodingFormat": kind,
        "sha256": digest,
    }


def _file_sets(found: Carried) -> list[dict[str, Any]]:
    """The images and the masks, by where they lie; their hashes are in the table."""
    globs: dict[tuple[str, str], set[str]] = {}
    for row in found.rows():
        for kind, path in (("images", row.image), ("masks", row.mask)):
            if path is not None:
                suffix = Path(path).suffix
                pattern = f"{Path(path).parent.as_posix()}/*{suffix}"
                globs.setdefault((kind, suffix), set()).add(pattern)
    return [
        {
            "@type": "cr:FileSet",
            "@id": kind,
            "name": kind,
            "description": f"The {kind}; the table has the SHA-256 of each.",
            "encodingFormat": _FORMATS[suffix],
            "includes": sorted(patterns),
        }
        for (kind, suffix), patterns in sorted(globs.items())
    ]


def _field(field: dict[str, Any]) -> dict[str, Any]:
    """A column; an array repeats its type, and an object is read as text."""
    repeated = field["type"] == "array"
    kind = LISTS.get(field["name"], "number") if repeated else field["type"]
    return {
        "@type": "cr:Field",
        "@id": f"slices/{field['name']}",
        "name": field["name"],
        "description": field["description"],
        "dataType": _TYPES[kind],
        **({"repeated": True} if repeated else {}),
        "source": {"fileObject": {"@id": TABLE}, "extract": {"column": field["name"]}},
    }


def _line(row: Slice) -> bytes:
    return msgspec.json.encode(flat(row)) + b"\n"
