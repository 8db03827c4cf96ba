"""The table of a stage directory as Parquet, typed, for pandas, polars and duckdb."""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from chaosprep.dataset.manifest import Dataset
from chaosprep.dataset.records import Slice
from chaosprep.errors import ChaosprepError, not_as_written
from chaosprep.exports.record import Export, NoParams
from chaosprep.exports.rows import LISTS, columns, flat
from chaosprep.files import settle, writing
from chaosprep.running.folder import Exported, new_folder
from chaosprep.running.options import Event, RunOptions

if TYPE_CHECKING:
    import pyarrow

TABLE = "slices.parquet"
DESCRIPTOR_KEY = "datapackage.json"
"""The key of the file's metadata that holds the stage directory's descriptor."""

_GROUP = 2**13  # rows that stand in memory at once, and in a row group


def _export(dataset: Dataset, output: Path, params: NoParams, options: RunOptions) -> Exported:
    """Write `output/slices.parquet`: the rows of a stage directory, in their order.

    The columns are those of `slices.jsonl`; objects (`labels`, `pixels`, `grid`, `augmentation`)
    are JSON text, which every reader of Parquet can take. Paths stay relative to the stage
    directory. The key-value metadata hold its descriptor as `datapackage.json`.

    Raises:
        ChaosprepError: `extra` without pyarrow, or the output cannot be made.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ChaosprepError(
            "Parquet is written with pyarrow, which is not installed",
            "Install it: pip install 'chaosprep[parquet]'.",
            code="extra",
        ) from error
    schema = table_types(dataset)
    with new_folder(dataset, output, "parquet", {}, options.overwrite) as folder:
        part, count = folder / f"{TABLE}.part", 0
        with writing(part), parquet.ParquetWriter(part, schema, compression="zstd") as writer:
            for rows in _batches(dataset, options):
                values = [flat(row) for row in rows]
                writer.write_table(pyarrow.Table.from_pylist(values, schema=schema))
                count += len(rows)
        settle(part, folder / TABLE)
        with parquet.ParquetFile(folder / TABLE) as file:
            _verify(file, dataset, count)
    return Exported("parquet", output, len(dataset), count)


export = Export(
    NoParams,
    _export,
    "DIR is what any stage made; its files stay there, and the paths are relative to it.",
)


def table_types(dataset: Dataset) -> "pyarrow.Schema":
    """The Arrow schema of the table, from the same descriptions as the manifest's."""
    import pyarrow as pa

    plain = {"string": pa.string(), "integer": pa.int64(), "number": pa.float64()}
    fields = []
    for field in columns(dataset.cases[0].slices[0]):
        if field["type"] == "array":
            kind = pa.list_(plain[LISTS.get(field["name"], "number")])
        else:
            kind = plain.get(field["type"], pa.string())
        nullable = not field.get("constraints", {}).get("required", False)
        told = {"description": field["description"]}
        fields.append(pa.field(field["name"], kind, nullable=nullable, metadata=told))
    descriptor = msgspec.json.encode(dataset.descriptor)
    return pa.schema(fields, metadata={DESCRIPTOR_KEY: descriptor})


def _batches(dataset: Dataset, options: RunOptions) -> Iterator[list[Slice]]:
    """The rows in stretches of whole cases."""
    rows: list[Slice] = []
    for done, case in enumerate(dataset.cases, start=1):
        rows += case.slices
        if len(rows) >= _GROUP:
            yield rows
            rows = []
        options.tell(Event("done", "export parquet", done, len(dataset), case.id))
    if rows:
        yield rows


def _verify(file: Any, dataset: Dataset, count: int) -> None:  # noqa: ANN401 - a ParquetFile
    """Read the table back: each row is the manifest's."""
    if file.metadata.num_rows != count:
        raise not_as_written(TABLE)
    read = (row for batch in file.iter_batches(_GROUP) for row in batch.to_pylist())
    expected = (flat(row) for case in dataset.cases for row in case.slices)
    for there, here in zip_longest(read, expected):
        if here is None or there is None or there != here:
            raise not_as_written(TABLE)
