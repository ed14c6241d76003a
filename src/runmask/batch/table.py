"""The table of results: a row for each item, as Arrow has it and Parquet keeps it.

::

    item, name, source     int64, string    the item's number in the job, the stem of its files
    state, error           string, struct   "done", "failed", ...; code and message
    digest, copy_of        string, int64    of the image as sent: 32 hexadecimal digits of BLAKE2b;
                                            the item with the same content that was paid for
    service, verdict       string           "ai", "human" or null
    score, shares          float64, struct  as the service means it; of AI and human pixels
    width, height          int32            of the mask's grid
    area, fraction, parts  int64, ...       of what is marked; parts are 8-connected
    box                    struct           x0, y0, x1, y1 around it, ends exclusive
    ids, credits, model    map, ...         what the service calls the answer, and charged: once,
                                            so that copies have no credits
    notice                 string           what a stand-in for the service says of itself
    times                  struct           of the answer: as the service says, and as it came
    files                  struct           paths within the job's folder, by kind
    starts, lengths        list<int32>      the mask itself: runs over the image, row by row

What an answer does not have, or has in a form that cannot be read, is null: ``error`` says why an
item is not done. The runs are packed as differences and compressed, about a twentieth of their
JSON. The bytes of the file depend on the rows and on the version of Arrow alone.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ..detection import Detection
from ..errors import InputError, MissingDependencyError
from ..output import atomic_write
from .rendering import detection_of
from .values import Outcome

if TYPE_CHECKING:
    import os

    import pyarrow as pa

FILE = "results.parquet"
KINDS = (
    *("mask", "overlay", "heatmap", "geojson", "svg", "coco"),
    *("thumbnail", "thumbnail_overlay", "outline"),
)

_ROWS = 4096  # of a row group, at most
_RUNS = 2**20  # after which a row group is closed


def arrow() -> Any:
    """PyArrow, with its Parquet part."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDependencyError.of(error.name, "batch", "a table of results") from error
    return pyarrow


@cache
def schema() -> pa.Schema:
    """The schema of the table."""
    pa = arrow()
    text, real, whole = pa.string(), pa.float64(), pa.int32()
    instant = pa.timestamp("us", "UTC")  # the one unit that Spark takes
    return pa.schema(
        [
            ("item", pa.int64()),
            ("name", text),
            ("source", text),
            ("state", text),
            ("error", pa.struct([("code", text), ("message", text)])),
            ("digest", text),
            ("copy_of", pa.int64()),
            ("service", text),
            ("verdict", text),
            ("score", real),
            ("shares", pa.struct([("ai", real), ("human", real)])),
            ("width", whole),
            ("height", whole),
            ("area", pa.int64()),
            ("fraction", real),
            ("parts", whole),
            ("box", pa.struct([(name, whole) for name in ("x0", "y0", "x1", "y1")])),
            ("ids", pa.map_(text, text)),
            ("credits", real),
            ("model", text),
            ("notice", text),
            ("times", pa.struct([("created", text), ("answered", instant)])),
            ("files", pa.struct([(kind, text) for kind in KINDS])),
            ("starts", pa.list_(whole)),
            ("lengths", pa.list_(whole)),
        ]
    )


def row_of(outcome: Outcome) -> dict[str, Any]:
    """The row of an item. Pure; O(bytes of the answer + runs).

    An answer is read only where rendering it has ended in a worker: one that would take the
    process with it takes none twice.
    """
    row: dict[str, Any] = {
        "item": outcome.item,
        "name": outcome.name,
        "source": _text(outcome.source),
        "state": outcome.state,
        "digest": outcome.digest or None,
        "copy_of": outcome.copy_of,
        "service": outcome.service or None,
        "credits": outcome.credits if outcome.copy_of is None else None,
        "files": dict(outcome.files) or None,
        "times": {"created": None, "answered": _microseconds(outcome.answered)},
    }
    if outcome.error is not None:
        row["error"] = dict(zip(("code", "message"), map(_text, outcome.error), strict=True))
    seen = outcome.state == "done" or (outcome.state == "failed" and bool(outcome.seconds))
    if outcome.body is None or not seen:
        return row
    try:
        detection = detection_of(outcome.service, outcome.body)
    except InputError:
        return row
    told = _told(detection)
    row["times"]["created"] = told.pop("created")
    if outcome.credits is not None or outcome.copy_of is not None:
        told["credits"] = row["credits"]
    return row | told


def _told(detection: Detection) -> dict[str, Any]:
    def of(name: str) -> Any:
        try:
            return getattr(detection, name)
        except InputError:  # the service sent something else than it documents
            return None

    shares, mask, charged = of("summary"), of("mask"), of("credits")
    told = {
        "service": detection.service,
        "verdict": of("verdict"),
        "score": of("score"),
        "shares": None if shares is None else shares._asdict(),
        "ids": [(_text(name), _text(value)) for name, value in (of("ids") or {}).items()],
        "credits": charged if charged is None or abs(charged) < 2**53 else None,
        "model": _text(of("model")),
        "notice": _text(of("notice")),
        "created": _text(of("created")),
    }
    if mask is None:
        return told
    box = mask.bbox
    return told | {
        "width": mask.width,
        "height": mask.height,
        "area": mask.area,
        "fraction": mask.fraction,
        "parts": len(mask.components()),
        "box": None if box is None else box._asdict(),
        "starts": mask.starts,
        "lengths": mask.lengths,
    }


def _text(value: str | None) -> str | None:
    """Text that Arrow takes: names of files, and JSON, may hold halves of characters."""
    return None if value is None else value.encode("utf-8", "backslashreplace").decode()


def _microseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(1_000_000 * seconds)


def batch_of(rows: Iterable[Mapping[str, Any]]) -> pa.RecordBatch:
    """Rows as Arrow has them."""
    pa = arrow()
    listed = list(rows)
    arrays = []
    for field in schema():
        values = [row.get(field.name) for row in listed]
        arrays.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema())


def write(path: str | os.PathLike[str], outcomes: Iterable[Outcome]) -> None:
    """Write the table of items, in their order.

    It streams: some thousand rows, or a million runs, are in memory at a time. The file appears
    whole or not at all.

    Raises
    ------
    OutputError
        It could not be written; an older table is as it was.
    """
    atomic_write(path, _parquet(map(row_of, outcomes)))


def _parquet(rows: Iterator[Mapping[str, Any]]) -> Iterator[bytes]:
    """The file in pieces, a row group in each."""
    pa = arrow()
    pieces = _Pieces()
    packed = {f"{name}.list.element": "DELTA_BINARY_PACKED" for name in ("starts", "lengths")}
    with pa.parquet.ParquetWriter(
        pieces,
        schema(),
        compression="zstd",
        column_encoding=packed,
        use_dictionary=["state", "service", "verdict", "model", "notice"],
    ) as writer:
        for group in _groups(rows):
            writer.write_batch(batch_of(group), row_group_size=len(group))
            yield pieces.taken()
    yield pieces.taken()


def _groups(rows: Iterator[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    group: list[Mapping[str, Any]] = []
    runs = 0
    for row in rows:
        group.append(row)
        runs += len(row.get("starts", ()))
        if len(group) == _ROWS or runs >= _RUNS:
            yield group
            group, runs = [], 0
    if group:
        yield group


class _Pieces(io.RawIOBase):
    """A file to write to, whose bytes are taken out again as they come."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._at = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        self._bytes += data
        size = len(memoryview(data).cast("B"))
        self._at += size
        return size

    def taken(self) -> bytes:
        data = bytes(self._bytes)
        self._bytes.clear()
        return data
