"""Which images a job is about: files, folders, patterns, lists and addresses, one after another.

An argument is one of these:

- the path of an image file;
- a folder: the images in it and in its folders, by name. Hidden ones, and those that this library
  has made there, are left out. A file counts if it is named as an image, or is one;
- a pattern with ``*``, ``?`` or ``[``, where ``**`` stands for any folders;
- a list: ``.csv`` or ``.tsv`` with a line of titles, ``.jsonl`` or ``.ndjson``, ``.parquet``, or
  ``.txt`` with a line for each; its paths are relative to its folder. It may be of any length;
- an ``http`` or ``https`` address;
- an address in another scheme, through fsspec: of a file, a folder, or a pattern.
"""

from __future__ import annotations

import csv
import glob
import json
import os
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .. import images
from ..errors import InputError, MissingDependencyError, shown
from ..images import named_as_image
from ..scan import given_among
from . import schema
from .sources import is_address, is_web, local_path, remote, stamp, stamp_of, stem_of

LISTS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".txt")
COLUMNS = ("source", "image", "path", "file", "filename", "url", "uri")
"""What the column of a list may be called, the first that is there."""


class Entry(NamedTuple):
    """An image of a job: where it is, what changes with its content, and what it is called."""

    source: str
    stamp: str
    stem: str


def entries(arguments: Iterable[str], column: str | None = None) -> Iterator[Entry]:
    """The images that arguments stand for, in order, one in memory at a time.

    (Of a folder or a pattern, the names are.) ``column`` is that of the lists among them.

    Raises InputError for what is not there or cannot be read, and for a bad line of a list.
    """
    for argument in arguments:
        yield from _entries(argument, column)


def _entries(argument: str, column: str | None) -> Iterator[Entry]:
    if is_web(argument):
        yield _entry(argument)
    elif is_address(argument) and not argument.startswith("file://"):
        yield from _remote_entries(argument)
    else:
        path = local_path(argument)
        if os.path.isdir(path):
            yield from _folder(path)
        elif os.path.lexists(path):
            yield from _list(path, column) if is_list(path) else [_entry(path)]
        elif glob.has_magic(path):
            yield from _pattern(path)
        else:
            raise InputError(f"{shown(argument)}: there is no such file or folder", code="missing")


def is_list(path: str) -> bool:
    return path.lower().endswith(LISTS)


def _entry(source: str) -> Entry:
    return Entry(source, stamp_of(source), stem_of(source))


def _folder(folder: str) -> Iterator[Entry]:
    try:
        with os.scandir(folder) as found:
            inside = {entry.name: entry for entry in found}
    except OSError as error:
        raise InputError(f"cannot read the folder {folder!r}: {error.strerror}") from error
    if schema.FILE in inside:  # of a job: what it made is no input
        return
    for name in given_among(sorted(inside)):
        entry = inside[name]
        if entry.is_dir(follow_symlinks=False):
            yield from _folder(entry.path)
        elif named_as_image(name) or (entry.is_file() and images.format_of(entry.path)):
            try:
                mark = stamp(entry.stat())
            except OSError:  # a link to nowhere: it is told of when it is read
                mark = ""
            yield Entry(entry.path, mark, os.path.splitext(name)[0])


def _pattern(pattern: str) -> Iterator[Entry]:
    for path in sorted(glob.glob(pattern, recursive=True)):
        if not os.path.isdir(path):
            yield _entry(path)


def _remote_entries(address: str) -> Iterator[Entry]:
    file_system, path = remote(address)
    try:
        if glob.has_magic(path):
            found = sorted(file_system.glob(path))
        elif file_system.isdir(path):
            found = [name for name in sorted(file_system.find(path)) if named_as_image(name)]
        else:
            found = [path]
        sources = [file_system.unstrip_protocol(name) for name in found]
    except Exception as error:  # each of its file systems has errors of its own
        raise InputError(f"{shown(address)}: {type(error).__name__}: {error}"[:400]) from error
    for source in sources:
        yield Entry(source, "", stem_of(source))


# -- lists


def _list(path: str, column: str | None) -> Iterator[Entry]:
    ending = os.path.splitext(path)[1].lower()
    folder = os.path.dirname(path)
    lines: Iterator[tuple[int, Any]]
    if ending in (".csv", ".tsv"):
        lines = _csv(path, column, "\t" if ending == ".tsv" else ",")
    elif ending == ".parquet":
        lines = _parquet(path, column)
    elif ending == ".txt":
        lines = _text(path)
    else:
        lines = _json_lines(path, column)
    number = 0
    try:
        for number, value in lines:  # noqa: B007  also for the errors below
            if not isinstance(value, str) or not value.strip() or "\0" in value:
                raise InputError(f"{shown(value)} is no path or address")
            value = value.strip()
            if not is_address(value):
                value = os.path.normpath(os.path.join(folder, value))
            elif value.startswith("file://"):
                value = local_path(value)
            yield _entry(value)
    except (InputError, OSError, ValueError, csv.Error) as error:
        where = f", line {number}" if number else ""
        raise InputError(f"the list {shown(path)}{where}: {error}", code="list") from error


def _csv(path: str, column: str | None, delimiter: str) -> Iterator[tuple[int, Any]]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, delimiter=delimiter, strict=True)
        titles = next(rows, [])
        at = titles.index(_column(titles, column))
        for row in rows:
            if row:
                yield rows.line_num, row[at] if at < len(row) else None


def _json_lines(path: str, column: str | None) -> Iterator[tuple[int, Any]]:
    with open(path, encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except ValueError as error:
                yield number, None  # which is refused; the message of JSON has a line of its own
                raise AssertionError from error
            if isinstance(value, dict):
                value = value.get(_column(list(value), column))
            yield number, value


def _text(path: str) -> Iterator[tuple[int, Any]]:
    with open(path, encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, line


def _parquet(path: str, column: str | None) -> Iterator[tuple[int, Any]]:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDependencyError.of("pyarrow", "batch", "a list in Parquet") from error
    with pyarrow.parquet.ParquetFile(path) as file:
        name = _column(file.schema_arrow.names, column)
        number = 0
        for batch in file.iter_batches(batch_size=10_000, columns=[name]):
            for value in batch.column(0).to_pylist():
                number += 1
                yield number, value


def _column(titles: list[str], column: str | None) -> str:
    for name in COLUMNS if column is None else (column,):
        if name in titles:
            return name
    wanted = "none of " + ", ".join(COLUMNS) if column is None else f"no {column!r}"
    raise InputError(f"{wanted} among its columns {shown(titles)}", code="column")
