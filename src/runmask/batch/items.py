"""Which images a job is about: files, folders, patterns, lists and addresses, one after another.

An argument is one of these:

- the path of an image file;
- a folder: the images in it and in its folders, by name. Hidden ones, and those that this library
  has made there, are left out: those in the folders of a job's files, and beside answers. A file
  counts if it is named as an image, or is one;
- a pattern with ``*``, ``?`` or ``[``, where ``**`` stands for any folders: but for those that a
  job has made, or the same call, made again, would be about its own overlays. It must match;
- a list: ``.csv`` or ``.tsv`` with a line of titles, ``.jsonl`` or ``.ndjson``, ``.parquet``, or
  ``.txt`` with a line for each (no comments); in UTF-8. Its paths are relative to its folder, other
  columns mean nothing, and it may be of any length;
- an ``http`` or ``https`` address;
- an address in another scheme, through fsspec: of a file, a folder, or a pattern.
"""

from __future__ import annotations

import csv
import glob
import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from .. import images
from ..errors import InputError, MissingDependencyError, shown
from ..images import named_as_image
from ..scan import given_among
from .journal import FILE, Entry
from .rendering import FOLDERS
from .sources import is_address, is_web, local_path, remote, stamp, stamp_of

Row = TypeVar("Row")
Made = TypeVar("Made")

LISTS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".txt")
COLUMNS = ("source", "image", "path", "file", "filename", "url", "uri")
"""What the column of a list may be called, the first that is there."""


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
    return Entry(source, stamp_of(source))


def _folder(folder: str) -> Iterator[Entry]:
    unfinished = [_inside(folder)]  # not by recursion: folders may be deeper than that goes
    while unfinished:
        entry = next(unfinished[-1], None)
        if entry is None:
            unfinished.pop()
        elif entry.is_dir(follow_symlinks=False):
            unfinished.append(_inside(entry.path))
        elif named_as_image(entry.name) or _is_image(entry):
            try:
                mark = stamp(entry.stat())
            except OSError:  # a link to nowhere: it is told of when it is read
                mark = ""
            yield Entry(entry.path, mark)


def _inside(folder: str) -> Iterator[os.DirEntry[str]]:
    """What is in a folder, by name, but for what is hidden or was made by this library."""
    try:
        with os.scandir(folder) as found:
            inside = {entry.name: entry for entry in found}
    except OSError as error:
        raise InputError(f"cannot read the folder {folder!r}: {error.strerror}") from error
    made = FOLDERS if FILE in inside else ()
    return (inside[name] for name in given_among(sorted(inside)) if name not in made)


def _is_image(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file() and images.format_of(entry.path) is not None
    except OSError:  # a link to itself, or into a folder that is not ours to look into
        return False


def _pattern(pattern: str) -> Iterator[Entry]:
    parts = Path(pattern).parts
    fixed = next(at for at, part in enumerate(parts) if glob.has_magic(part))
    found = sorted(glob.glob(pattern, recursive=True))
    given = [path for path in found if not os.path.isdir(path) and not _is_output(path, fixed)]
    if not given:
        raise _unmatched(pattern)
    yield from map(_entry, given)


def _unmatched(pattern: str) -> InputError:
    return InputError(f"{shown(pattern)}: no file matches this pattern", code="missing")


def _is_output(path: str, fixed: int) -> bool:
    """Whether a file is in a folder that a job has made, by the parts of its path from this one."""
    *folders, _ = Path(path).parts
    return any(
        folders[at] in FOLDERS and os.path.lexists(os.path.join(*folders[:at], FILE))
        for at in range(max(1, fixed), len(folders))
    )


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
    if not sources and glob.has_magic(path):
        raise _unmatched(address)
    for source in sources:
        yield Entry(source, "")


# -- lists


def _list(path: str, column: str | None) -> Iterator[Entry]:
    ending = os.path.splitext(path)[1].lower()
    folder = os.path.dirname(path)
    values = _values(path, ending, column)
    yield from map(
        _entry,
        numbered(f"the list {path!r:.300}, entry", values, lambda value: _listed(value, folder)),
    )


def numbered(what: str, rows: Iterator[Row], made: Callable[[Row], Made]) -> Iterator[Made]:
    """What is made of each row; one that cannot be is an InputError that tells its number."""
    for number in itertools.count(1):
        try:
            row = next(rows, None)
            if row is None:
                return
            one = made(row)
        except (OSError, ValueError, RuntimeError, OverflowError, csv.Error) as error:
            reason: object = error
            if isinstance(error, RecursionError):
                reason = "it is nested too deep"
            elif isinstance(error, UnicodeDecodeError):
                reason = f"it is not in UTF-8: save it as such ({error.reason})"
            raise InputError(f"{what} {number}: {reason}", code="list") from error
        yield one


def _listed(value: object, folder: str) -> str:
    if isinstance(value, str) and not value.strip():
        raise InputError("its path is empty: fill it in, or take the entry out")
    if not isinstance(value, str) or "\0" in value:
        raise InputError(f"{shown(value)} is no path or address")
    os.fsencode(value)  # of JSON, that may have halves of characters: a ValueError tells of one
    value = value.strip()
    if is_address(value):
        return local_path(value) if value.startswith("file://") else value
    return os.path.normpath(os.path.join(folder, value))


def _values(path: str, ending: str, column: str | None) -> Iterator[object]:
    """What a list has for each image, whatever it is; never None."""
    if ending in (".csv", ".tsv"):
        return _csv(path, column, "\t" if ending == ".tsv" else ",")
    if ending == ".parquet":
        return _parquet(path, column)
    return _lines(path, column, as_json=ending != ".txt")


def _csv(path: str, column: str | None, delimiter: str) -> Iterator[object]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, delimiter=delimiter, strict=True)
        titles = next(rows, [])
        at = titles.index(_column(titles, column))
        for row in rows:
            if row:
                yield row[at] if at < len(row) else ""


def _lines(path: str, column: str | None, *, as_json: bool) -> Iterator[object]:
    with open(path, encoding="utf-8-sig") as file:
        for line in file:
            if line.strip():
                yield _of_json(line, column) if as_json else line


def _of_json(line: str, column: str | None) -> object:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise InputError(f"{shown(line.strip())} is no JSON") from error
    if isinstance(value, dict):
        value = value[_column(list(value), column)]
    return "" if value is None else value


def _parquet(path: str, column: str | None) -> Iterator[object]:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDependencyError.of("pyarrow", "batch", "a list in Parquet") from error
    with pyarrow.parquet.ParquetFile(path) as file:
        name = _column(file.schema_arrow.names, column)
        for batch in file.iter_batches(batch_size=10_000, columns=[name]):
            for value in batch.column(0).to_pylist():
                yield "" if value is None else value


def _column(titles: list[str], column: str | None) -> str:
    for name in COLUMNS if column is None else (column,):
        if titles.count(name) > 1:
            raise InputError(f"{name!r} is {titles.count(name)} of its columns", code="column")
        if name in titles:
            return name
    wanted = "none of " + ", ".join(COLUMNS) if column is None else f"no {column!r}"
    hint = ""
    if len(titles) == 1 and ";" in titles[0]:
        hint = "; it is separated by semicolons, and has to be by commas (or tabs, as .tsv)"
    raise InputError(f"{wanted} among its columns {shown(titles)}{hint}", code="column")
