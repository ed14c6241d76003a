"""What is measured: for each job ours, every peer that has it, the guide's loop and the limit.

A competitor prepares what it needs outside the clock and hands back the call to time. Peers get
the input form they like best; where one needs decoded pixels, they are ready and cost it nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cases
import faster_coco_eval.core.mask as faster
import numpy as np
import rlemasklib
import supervision
from pycocotools import mask as coco

from runmask import Mask, _core

INSIDE, OUTSIDE = (255, 0, 0, 120), (0, 255, 0, 120)


@dataclass(frozen=True)
class Prepared:
    call: Callable[[], Any]
    result: Callable[[], Any]  # what the call gives for fresh input; checked once, off the clock


@dataclass(frozen=True)
class Competitor:
    name: str
    prepare: Callable[[str], Callable[[], Any] | Prepared]
    rounds: int | None = None  # None: all

    def prepared(self, mask: str) -> Prepared:
        made = self.prepare(mask)
        return made if isinstance(made, Prepared) else Prepared(made, made)


@dataclass(frozen=True)
class Job:
    title: str
    limit: str  # the competitor that moves the same bytes and does nothing else
    expected: Callable[[str], Any]
    competitors: tuple[Competitor, ...]
    masks: tuple[str, ...] = cases.MASKS
    same: Callable[[Any, Any], bool] = np.array_equal


def runs(mask: str) -> tuple[np.ndarray, np.ndarray]:
    made = Mask.from_array(cases.pixels(mask))
    return made.starts.astype(np.int64), made.lengths.astype(np.int64)


def with_kernels(name: str, call: Callable[[], Any]) -> Callable[[], Any]:
    def switched() -> Any:
        _core.use_kernels(name)
        return call()

    return switched


def ours(prepare: Callable[[str], Callable[[], Any]]) -> tuple[Competitor, ...]:
    """One competitor for each kernel set of this processor."""
    return tuple(
        Competitor(f"runmask {name}", lambda mask, name=name: with_kernels(name, prepare(mask)))
        for name in _core.available_kernels()
    )


def forced(name: str, prepare: Callable[[str], Prepared]) -> Callable[[str], Prepared]:
    def switched(mask: str) -> Prepared:
        made = prepare(mask)
        return Prepared(with_kernels(name, made.call), with_kernels(name, made.result))

    return switched


# -- decode


def decode_loop(mask: str) -> Callable[[], Any]:
    starts, lengths = (values.tolist() for values in runs(mask))
    total = cases.SIZE**2

    def call() -> list[int]:
        pixels = [0] * total
        for i in range(len(starts)):
            start, length = starts[i], lengths[i]
            for j in range(length):
                position = start + j
                if position < total:
                    pixels[position] = 1
        return pixels

    return Prepared(call, lambda: np.array(call(), np.uint8).reshape(cases.SIZE, -1))


def decode_repeat(mask: str) -> Callable[[], Any]:
    starts, lengths = runs(mask)
    bounds = np.concatenate(
        ([0], np.column_stack((starts, starts + lengths)).ravel(), [cases.SIZE**2])
    )
    counts = np.diff(bounds)
    values = (np.arange(len(counts)) % 2).astype(np.uint8)
    return lambda: np.repeat(values, counts).reshape(cases.SIZE, cases.SIZE)


def decode_coco(mask: str) -> Callable[[], Any]:
    rle = coco.encode(np.asfortranarray(cases.pixels(mask).T))
    return lambda: coco.decode(rle).T


def decode_rlemasklib(mask: str) -> Callable[[], Any]:
    rle = rlemasklib.RLEMask.from_array(cases.pixels(mask).copy().T)
    return lambda: rle.to_array(order="F").T


def decode_ours(mask: str) -> Callable[[], Any]:
    made = Mask.from_array(cases.pixels(mask))
    return made.to_array


def decode_two_threads(mask: str) -> Callable[[], Any]:
    made = Mask.from_array(cases.pixels(mask))
    return with_kernels(_core.available_kernels()[0], lambda: made.to_array(threads=2))


def decode_faster(mask: str) -> Callable[[], Any]:
    rle = faster.encode(np.asfortranarray(cases.pixels(mask).T))
    return lambda: faster.decode(rle).T


def decode_supervision(mask: str) -> Callable[[], Any]:
    """Its runs go down the columns: those of the image turned over."""
    counts = supervision.mask_to_rle(cases.pixels(mask).T.view(bool))
    size = (cases.SIZE, cases.SIZE)
    return Prepared(
        lambda: supervision.rle_to_mask(counts, size).T,
        lambda: supervision.rle_to_mask(counts, size).T.view(np.uint8),
    )


def memset(mask: str) -> Callable[[], Any]:
    out = np.zeros((cases.SIZE, cases.SIZE), np.uint8)
    return lambda: out.fill(1)


DECODE = Job(
    "Decode: runs to uint8 pixels",
    "limit: memset",
    cases.pixels,
    (
        *ours(decode_ours),
        Competitor("runmask, 2 threads", decode_two_threads),
        Competitor("rlemasklib", decode_rlemasklib),
        Competitor("numpy.repeat", decode_repeat),
        Competitor("pycocotools", decode_coco),
        Competitor("faster-coco-eval", decode_faster, rounds=3),
        Competitor("supervision", decode_supervision, rounds=3),
        Competitor("guide's loop", decode_loop, rounds=1),
        Competitor("limit: memset", memset),
    ),
)

# -- encode


def encode_ours(mask: str) -> Callable[[], Any]:
    pixels = cases.pixels(mask)
    return lambda: Mask.from_array(pixels)


def encode_two_threads(mask: str) -> Callable[[], Any]:
    pixels = cases.pixels(mask)
    return with_kernels(_core.available_kernels()[0], lambda: Mask.from_array(pixels, threads=2))


def encode_faster(mask: str) -> Prepared:
    pixels = cases.pixels(mask).copy().T
    return Prepared(
        lambda: faster.encode(pixels),
        lambda: Mask.from_array(coco.decode(faster.encode(pixels)).T),
    )


def encode_supervision(mask: str) -> Prepared:
    pixels = cases.pixels(mask).T.view(bool)

    def result() -> Mask:
        counts = supervision.mask_to_rle(pixels)
        return Mask.from_coco_counts(counts, pixels.shape).transpose()

    return Prepared(lambda: supervision.mask_to_rle(pixels), result)


def encode_numpy(mask: str) -> Callable[[], Any]:
    flat = cases.pixels(mask).ravel()

    def call() -> tuple[np.ndarray, np.ndarray]:
        turns = np.flatnonzero(flat[1:] ^ flat[:-1]) + 1
        if flat[0]:
            turns = np.concatenate(([0], turns))
        if len(turns) % 2:
            turns = np.append(turns, flat.size)
        return turns[::2], turns[1::2] - turns[::2]

    return call


def encode_coco(mask: str) -> Callable[[], Any]:
    pixels = cases.pixels(mask).copy().T  # peers refuse read-only arrays
    return Prepared(
        lambda: coco.encode(pixels), lambda: Mask.from_array(coco.decode(coco.encode(pixels)).T)
    )


def encode_rlemasklib(mask: str) -> Callable[[], Any]:
    pixels = cases.pixels(mask).copy().T

    def call() -> Any:
        return rlemasklib.RLEMask.from_array(pixels, is_sparse=False)

    return Prepared(call, lambda: Mask.from_array(call().to_array(order="F").T))


def encode_loop(mask: str) -> Callable[[], Any]:
    flat = cases.pixels(mask).ravel().tolist()

    def call() -> tuple[list[int], list[int]]:
        starts, lengths, before = [], [], 0
        for index, value in enumerate(flat):
            if value and not before:
                starts.append(index)
                lengths.append(0)
            if value:
                lengths[-1] += 1
            before = value
        return starts, lengths

    return call


def read_stream(mask: str) -> Callable[[], Any]:
    words = cases.pixels(mask).view(np.uint64)
    return lambda: np.bitwise_or.reduce(words, axis=None)


ENCODE = Job(
    "Encode: uint8 pixels to runs",
    "limit: read",
    runs,
    (
        *ours(encode_ours),
        Competitor("runmask, 2 threads", encode_two_threads),
        Competitor("rlemasklib", encode_rlemasklib),
        Competitor("numpy xor + flatnonzero", encode_numpy),
        Competitor("pycocotools", encode_coco),
        Competitor("faster-coco-eval", encode_faster, rounds=3),
        Competitor("supervision", encode_supervision, rounds=3),
        Competitor("Python loop", encode_loop, rounds=1),
        Competitor("limit: read", read_stream),
    ),
)

JOBS = {"decode": DECODE, "encode": ENCODE}
