"""Rendering as a function of Arrow's batches, for engines that have tables: Ray Data, Spark, Daft.

::

    Ray Data   dataset.map_batches(render_arrow, batch_format="pyarrow", fn_kwargs={...})
    Spark      frame.mapInArrow(lambda batches: map(render_arrow, batches), schema)

Such engines run a batch again when a worker died, some without end; rendering is repeatable.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from ..errors import InputError
from ..output import make_folder, safe_name
from .rendering import How, Wishes, render, wishes_of
from .table import arrow, batch_of, row_of
from .values import Answered, Outcome

if TYPE_CHECKING:
    import os

    import pyarrow as pa

    Batch = TypeVar("Batch", pa.RecordBatch, pa.Table)

_TEXTS = ("name", "source", "digest", "service")


def render_arrow(
    batch: Batch,
    folder: str | os.PathLike[str] | None = None,
    outputs: tuple[str, ...] = (),
    **how: Unpack[How],
) -> Batch:
    """Rows of results, as :mod:`.table` has them, from rows of answers; and their files, if asked.

    Parameters
    ----------
    batch : RecordBatch or Table
        ``body`` (text or binary) is the service's answer; ``source``, where there are files to
        make, the image: a path or an address that the worker can reach. Optional: ``service``;
        ``name``, the stem of the files, else made of the source and a hash of it; ``digest``, which
        the image must have; and ``item``, which is handed on.
    folder : path, optional
        Where files go, in folders that are made if need be. The worker must reach it.
    outputs, how
        As for :class:`.rendering.Wishes`; but thumbnails are made only where they are asked for.

    Returns
    -------
    RecordBatch or Table
        A row for each, in order, with ``state`` ``"done"`` or ``"failed"``, and then ``error``.

    Raises
    ------
    InputError
        There is no ``body``, a column is of another kind or there twice, or an option that there
        is not.
    OutputError
        A folder cannot be made.
    """
    answers = _answers(batch)
    how.setdefault("thumbnails", False)
    if folder is None and (outputs or how["thumbnails"]):
        raise InputError("outputs are asked for, and no folder is given")
    wishes = wishes_of(str(folder or ""), outputs, heic=True, **how)
    if folder is not None:
        make_folder(wishes.folder)
    rows = batch_of(row_of(_outcome(told, wishes)) for told in answers)
    if isinstance(batch, arrow().RecordBatch):
        return rows
    return arrow().Table.from_batches([rows])


def _answers(batch: pa.RecordBatch | pa.Table) -> list[dict[str, Any]]:
    """The rows, each of its columns in the one type that is used here."""
    pa = arrow()
    if not isinstance(batch, (pa.RecordBatch, pa.Table)):
        raise InputError(f"{type(batch).__name__}: neither a RecordBatch nor a Table")
    names = batch.schema.names
    if "body" not in names:
        raise InputError(f"columns {names}: 'body' is missing, the service's answer")
    kinds = {"body": pa.large_binary(), "item": pa.int64()} | dict.fromkeys(
        _TEXTS, pa.large_string()
    )
    columns = {}
    for name in kinds.keys() & set(names):
        try:
            column = batch.column(name)
            if pa.types.is_dictionary(column.type):
                column = column.cast(column.type.value_type)
            columns[name] = column.cast(kinds[name]).to_pylist()
        except (pa.ArrowException, KeyError, ValueError) as error:
            kind = batch.schema.types[names.index(name)]
            raise InputError(f"column {name!r}, of {kind}: {error}"[:400]) from error
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _outcome(told: Mapping[str, Any], wishes: Wishes) -> Outcome:
    body, source = told["body"] or b"", told.get("source") or ""
    answered = Answered(
        item=told.get("item"),  # type: ignore[arg-type]  # None where the engine counts nothing
        name=safe_name(told.get("name") or _named(source, body)),
        source=source,
        digest=told.get("digest") or "",
        service=told.get("service") or "",
        body=body,
    )
    rendered = render(answered, wishes)
    return Outcome(
        item=answered.item,
        source=source,
        name=answered.name,
        state="failed" if rendered.error else "done",
        files=rendered.files,
        error=rendered.error,
        seconds=rendered.seconds,
        scan_id=None,
        digest=answered.digest,
        service=answered.service,
        credits=None,
        billed=None,
        answered=None,
        body=answered.body,
    )


def _named(source: str, body: bytes) -> str:
    """A name that another source does not have, whatever batch it is in."""
    digest = hashlib.blake2b(source.encode() or body, digest_size=8).hexdigest()
    return f"{safe_name(Path(source).stem)}-{digest}"
