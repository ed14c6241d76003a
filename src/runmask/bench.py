"""How fast this machine runs the core: each job beside the time to move the bytes it must move."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from . import _core
from .blend import heatmap, overlay
from .errors import InputError, shown
from .mask import Mask
from .mask.algebra import checked_threads

__all__ = ["Figure", "measure"]

_DISCS = 36
_BLUR = 32  # pixels of the image to one of the map of confidences


@dataclass(frozen=True)
class Figure:
    """One job: median milliseconds, those of its limit, and whether the answer was right."""

    job: str
    ms: float
    limit: str
    limit_ms: float
    right: bool


@dataclass(frozen=True)
class _Job:
    name: str
    run: Callable[[], Any]
    limit: str
    is_right: Callable[[Any], bool]


def kernels() -> str:
    """The kernel set in use."""
    return _core.kernels()


def measure(size: int = 4096, rounds: int = 7, threads: int = 1) -> list[Figure]:
    """Time the main jobs on a mask of discs in an image of ``size`` x ``size`` pixels.

    All take turns, round by round, so that a disturbance meets them alike; the limits do the same
    with the same bytes and compute nothing. Raises InputError for a size that is not 1 to 32768, no
    rounds and no threads.
    """
    for name, value, most in (("size", size, 2**15), ("rounds", rounds, 2**20)):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise InputError(f"{name} {shown(value)}: not an integer of 1 to {most}")
    threads = checked_threads(threads)
    pixels = _discs(size)
    photo = np.random.default_rng(3).integers(0, 256, (size, size, 3), np.uint8)
    jobs = _jobs(pixels, photo, threads)
    limits = _limits(pixels, photo)
    right = {job.name: job.is_right(job.run()) for job in jobs}
    timed: list[tuple[str, Callable[[], Any]]] = [(job.name, job.run) for job in jobs]
    times = _interleaved([*timed, *limits.items()], rounds)
    return [
        Figure(job.name, times[job.name], job.limit, times[job.limit], right[job.name])
        for job in jobs
    ]


def _discs(size: int) -> np.ndarray:
    rng = np.random.default_rng(7)
    found = Mask.empty((size, size))
    for radius in rng.uniform(0.01, 0.09, _DISCS) * size:
        found |= Mask.from_circle(rng.uniform(0, size, 2).tolist(), radius, (size, size))
    return found.to_array()


def _limits(pixels: np.ndarray, photo: np.ndarray) -> dict[str, Callable[[], Any]]:
    scratch, copy = np.empty_like(pixels), photo.copy()
    return {
        "memset": lambda: scratch.fill(0),
        "read": pixels.max,
        "read, write": lambda: np.bitwise_not(copy, out=copy),
    }


def _jobs(pixels: np.ndarray, photo: np.ndarray, threads: int) -> Sequence[_Job]:
    mask = Mask.from_array(pixels)
    other = mask.translate(5, 9)
    runs = {"starts": mask.starts.tolist(), "lengths": mask.lengths.tolist()}
    shape = {"height": mask.height, "width": mask.width}
    answer = json.dumps({"result": runs, "imageInfo": {"shape": shape}}).encode()
    decoded, canvas = np.empty_like(pixels), photo.copy()
    confidence = pixels[::_BLUR, ::_BLUR].astype(np.float32)
    rows = slice(0, min(len(photo), 64))  # of pictures, what is compared

    def painted(_: Any) -> bool:
        found = overlay(photo[rows], mask[rows, :])
        return np.array_equal(found, _painted(photo[rows], pixels[rows]))

    def alike(_: Any) -> bool:
        one, two = (heatmap(photo, confidence, threads=count) for count in (1, 2))
        return np.array_equal(one, two)

    return (
        _Job("JSON to mask", lambda: Mask.from_response(answer), "memset", mask.__eq__),
        _Job(
            "decode",
            lambda: mask.to_array(out=decoded, threads=threads),
            "memset",
            lambda found: np.array_equal(found, pixels),
        ),
        _Job("encode", lambda: Mask.from_array(pixels, threads=threads), "read", mask.__eq__),
        _Job(
            "intersection",
            lambda: mask & other,
            "read",
            lambda found: np.array_equal(found.to_array(), pixels & other.to_array()),
        ),
        _Job(
            "contours",
            lambda: mask.contours(threads=threads),
            "read",
            lambda found: Mask.from_polygons(found) == mask,
        ),
        _Job(
            "overlay in place",
            lambda: overlay(canvas, mask, out=canvas, threads=threads),
            "read, write",
            painted,
        ),
        _Job(
            "heatmap in place",
            lambda: heatmap(canvas, confidence, out=canvas, threads=threads),
            "read, write",
            alike,
        ),
    )


def _painted(photo: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """The guide's colours by Pillow's rule over an opaque image."""
    colour = np.where(pixels[..., None], [255, 0, 0], [0, 255, 0])
    blended = 120 * colour + 135 * photo.astype(int) + 128
    painted: np.ndarray = ((blended + (blended >> 8)) >> 8).astype(np.uint8)
    return painted


def _interleaved(jobs: Sequence[tuple[str, Callable[[], Any]]], rounds: int) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name, _ in jobs}
    for _ in range(rounds):
        for name, run in jobs:
            begin = time.perf_counter()
            run()
            times[name].append(1000 * (time.perf_counter() - begin))
    return {name: median(found) for name, found in times.items()}
