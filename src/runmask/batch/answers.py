"""Answers that were got elsewhere: where they are stored, and which image each is about.

An argument is one of these:

- a folder of JSON files, each an answer: ``NAME.response.json``, as ``runmask detect`` writes them,
  or ``NAME.json``; or one such file. NAME is that of its photo;
- a table, ``.parquet``, ``.csv`` or ``.jsonl``, with a column for the image and one for the answer;
- the folder of another job, whose answers are taken over.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .. import images
from ..errors import InputError, MissingDependencyError, shown
from ..formats import MAX_BYTES
from ..gallery import RESPONSE
from ..output import distinct_names
from .items import COLUMNS, entries, numbered
from .journal import FILE, Answer, Reading
from .sources import is_address, local_path, relocated, stem_of

TABLES = (".parquet", ".csv", ".jsonl", ".ndjson")
BODIES = ("body", "answer", "response", "raw")
"""What the column of answers may be called, the first that is there."""


def answers(arguments: Iterable[str], photos: str | None = None) -> Iterator[Answer]:
    """The answers that arguments stand for, in order, one in memory at a time.

    ``photos`` is the folder with the images; without it they lie beside the answers, and those of a
    table where it says. An answer whose image is not found comes with the source ``""``.

    Raises InputError for what is not there or cannot be read.
    """
    for argument in map(local_path, arguments):
        if os.path.isdir(argument):
            if os.path.lexists(os.path.join(argument, FILE)):
                yield from _job(argument, photos or "")
            else:
                yield from _files(_json_in(argument), photos or argument)
        elif not os.path.lexists(argument):
            raise InputError(f"{shown(argument)}: there is no such file or folder", code="missing")
        elif argument.lower().endswith(TABLES):
            yield from _table(argument, photos)
        else:
            yield from _files([argument], photos or os.path.dirname(argument))


# -- files


def _json_in(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as found:
            names = sorted(entry.name for entry in found if entry.name.endswith(".json"))
    except OSError as error:
        raise InputError(f"cannot read the folder {folder!r}: {error.strerror}") from error
    if not names:
        raise InputError(f"no answers (*.json) in the folder {folder!r}")
    return [os.path.join(folder, name) for name in names if not name.startswith(".")]


def _files(paths: Iterable[str], photos: str) -> Iterator[Answer]:
    by_name = _photos_by_name(photos)
    for path in paths:
        name = os.path.basename(path)
        for ending in (RESPONSE, ".json"):
            if name.endswith(ending):
                name = name.removesuffix(ending)
                break
        yield Answer(by_name.get(name, ""), name, "", "", images.read_bytes(path))


def _photos_by_name(folder: str) -> Mapping[str, str]:
    """Photos by the names that their outputs get, and by their own where no other has it."""
    paths = [entry.source for entry in entries([folder])]
    found: dict[str, str] = {}
    meant_by_two = set()
    for path in paths:
        stem = stem_of(path)
        if stem in found:
            meant_by_two.add(stem)
        found[stem] = path
    for stem in meant_by_two:
        del found[stem]
    return found | dict(zip(distinct_names(paths), paths, strict=True))


# -- another job


def _job(folder: str, photos: str) -> Iterator[Answer]:
    journal = Reading(folder)
    try:
        for outcome in journal.outcomes():
            if outcome.body is not None:
                yield Answer(
                    relocated(outcome.source, photos),
                    outcome.name,
                    outcome.digest or "",
                    outcome.service or "",
                    outcome.body,
                )
    finally:
        journal.close()


# -- tables


def _table(path: str, photos: str | None) -> Iterator[Answer]:
    read = {".parquet": _parquet, ".csv": _csv}.get(os.path.splitext(path)[1].lower(), _json_lines)
    beside = photos or os.path.dirname(path)
    yield from numbered(
        f"the table {shown(path)}, row", read(path), lambda told: _answer(told, beside)
    )


def _answer(told: Mapping[str, Any], beside: str) -> Answer:
    source = told[_first(told, COLUMNS, "of an image")] or ""
    body = told[_first(told, BODIES, "of an answer")]
    if isinstance(body, Mapping):  # JSON in JSON
        body = json.dumps(body)
    if not isinstance(source, str) or "\0" in source:
        raise InputError(f"{shown(source)} is no path or address")
    if not isinstance(body, str | bytes):
        raise InputError(f"{shown(body)} is no answer")
    if source and not is_address(source):
        source = os.path.abspath(os.path.join(beside, source))
    name = told.get("name")
    texts = (
        source,
        name if isinstance(name, str) and name else stem_of(source) or "answer",
        str(told.get("digest") or ""),
        str(told.get("service") or ""),
    )
    os.fsencode("".join(texts))  # a ValueError tells of half a character, which JSON may have
    return Answer(
        *texts,
        body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body,
    )


def _first(told: Mapping[str, Any], names: Iterable[str], what: str) -> str:
    for name in names:
        if name in told:
            return name
    raise InputError(f"none of {', '.join(names)}, the column {what}, among {sorted(told)!r:.200}")


def _csv(path: str) -> Iterator[Mapping[str, Any]]:
    csv.field_size_limit(min(sys.maxsize, MAX_BYTES))
    with open(path, encoding="utf-8-sig", newline="") as file:
        for told in csv.DictReader(file, strict=True):
            yield {name: value for name, value in told.items() if name is not None}


def _json_lines(path: str) -> Iterator[Mapping[str, Any]]:
    with open(path, encoding="utf-8-sig") as file:
        for line in filter(str.strip, file):
            told = json.loads(line)
            if not isinstance(told, dict):
                raise ValueError(f"{shown(told)} is no object")
            yield told


def _parquet(path: str) -> Iterator[Mapping[str, Any]]:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDependencyError.of("pyarrow", "batch", "a table in Parquet") from error
    wanted = {*COLUMNS, *BODIES, "name", "digest", "service"}
    with pyarrow.parquet.ParquetFile(path) as file:
        names = [name for name in file.schema_arrow.names if name in wanted]
        for batch in file.iter_batches(batch_size=64, columns=names):
            yield from batch.to_pylist()
