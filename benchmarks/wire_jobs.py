"""From the bytes of an answer to runs: JSON parsing, which is most of the way to a mask.

``mask`` names the number of runs, spread over 4096 x 4096 pixels. Peers end with two NumPy arrays,
unchecked; ours with a ``Mask``, the document and every run checked.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import cases
import msgspec
import numpy as np
import orjson
import simdjson
from competitors import Competitor, Job, ours

from runmask import Detection, Mask

COUNTS = {"8 k": 8_000, "80 k": 80_000, "400 k": 400_000, "4.2 M": 2**22}


@cache
def runs(name: str) -> tuple[np.ndarray, np.ndarray]:
    count = COUNTS[name]
    room = cases.SIZE**2 // count
    rng = np.random.default_rng(3)
    starts = np.arange(count) * room + rng.integers(0, room // 2, count)
    return starts, rng.integers(1, max(room // 2, 2), count)


@cache
def body(name: str) -> bytes:
    starts, lengths = (values.tolist() for values in runs(name))
    answer = {
        "model": "ai-image-1-ultra",
        "isAiDetected": True,
        "result": {"starts": starts, "lengths": lengths},
        "summary": {"human": 0.9, "ai": 0.1},
        "imageInfo": {"shape": {"height": cases.SIZE, "width": cases.SIZE}, "metadata": {}},
        "scannedDocument": {"scanId": "a-scan", "actualCredits": 1},
    }
    return json.dumps(answer, separators=(",", ":")).encode()


def by_runmask(name: str) -> Callable[[], Any]:
    text = body(name)
    return lambda: Mask.from_response(text)


def by_detection(name: str) -> Callable[[], Any]:
    text = body(name)
    return lambda: Detection.from_copyleaks(text).mask


def by_loads(loads: Callable[[bytes], Any]) -> Callable[[str], Callable[[], Any]]:
    def prepare(name: str) -> Callable[[], Any]:
        text = body(name)

        def call() -> tuple[np.ndarray, np.ndarray]:
            result = loads(text)["result"]
            return np.array(result["starts"]), np.array(result["lengths"])

        return call

    return prepare


class Result(msgspec.Struct):
    starts: list[int]
    lengths: list[int]


class Answer(msgspec.Struct):
    result: Result


def by_msgspec(name: str) -> Callable[[], Any]:
    """Told what to expect, so that it makes nothing else."""
    text, decoder = body(name), msgspec.json.Decoder(Answer)

    def call() -> tuple[np.ndarray, np.ndarray]:
        result = decoder.decode(text).result
        return np.array(result.starts), np.array(result.lengths)

    return call


def by_simdjson(name: str) -> Callable[[], Any]:
    text, parser = body(name), simdjson.Parser()

    def call() -> tuple[np.ndarray, np.ndarray]:
        result = parser.parse(text)["result"]
        starts, lengths = (
            np.frombuffer(result[key].as_buffer(of_type="u"), np.uint64)
            for key in ("starts", "lengths")
        )
        return starts, lengths

    return call


def read_and_write(name: str) -> Callable[[], Any]:
    text = np.frombuffer(body(name)[: len(body(name)) // 8 * 8], np.uint64)

    def call() -> None:
        text.max()
        for values in runs(name):
            np.zeros(len(values), np.int32).fill(1)

    return call


LIMIT = "limit: read the bytes, write the runs"

WIRE_JOBS = {
    "json_to_mask": Job(
        "JSON bytes to a mask, checked",
        LIMIT,
        runs,
        (
            *ours(by_runmask),
            Competitor("runmask, by way of Detection", by_detection),
            Competitor("pysimdjson", by_simdjson),
            Competitor("msgspec + numpy.array", by_msgspec, rounds=3),
            Competitor("orjson + numpy.array", by_loads(orjson.loads), rounds=3),
            Competitor("json + numpy.array", by_loads(json.loads), rounds=3),
            Competitor(LIMIT, read_and_write),
        ),
        masks=tuple(COUNTS),
    ),
}
