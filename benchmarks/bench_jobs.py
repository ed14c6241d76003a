"""Masks of 4096 x 4096 from sparse to dense, file to file, and image to answer.

Each competitor's every call is one turn of one round; report.py takes the medians.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from algebra_jobs import ALGEBRA_JOBS
from caption_jobs import CAPTION_JOBS
from client_jobs import CLIENT_JOBS
from competitors import JOBS, Competitor, Prepared
from contour_jobs import CONTOUR_JOBS
from file_jobs import FILE_JOBS
from format_jobs import FORMAT_JOBS
from geometry_jobs import GEOMETRY_JOBS
from heatmap_jobs import HEATMAP_JOBS
from morphology_jobs import MORPHOLOGY_JOBS
from outline_jobs import OUTLINE_JOBS
from picture_jobs import PICTURE_JOBS
from wire_jobs import WIRE_JOBS

from runmask import Mask

ALL_JOBS = (
    JOBS
    | PICTURE_JOBS
    | HEATMAP_JOBS
    | CAPTION_JOBS
    | FILE_JOBS
    | ALGEBRA_JOBS
    | CONTOUR_JOBS
    | FORMAT_JOBS
    | GEOMETRY_JOBS
    | MORPHOLOGY_JOBS
    | OUTLINE_JOBS
    | WIRE_JOBS
    | CLIENT_JOBS
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    rounds = metafunc.config.getoption("--rounds")
    wanted = set(filter(None, metafunc.config.getoption("--jobs").split(",")))
    metafunc.parametrize(
        ("job", "mask", "competitor", "turn"),
        [
            (name, mask, competitor.name, turn)
            for name, job in ALL_JOBS.items()
            if not wanted or name in wanted
            for mask in job.masks
            for competitor in job.competitors
            for turn in range(min(rounds, competitor.rounds or rounds))
        ],
    )


def competitor_of(job: str, name: str) -> Competitor:
    return next(each for each in ALL_JOBS[job].competitors if each.name == name)


@lru_cache(maxsize=16)  # the competitors of one job and mask, which are neighbours
def prepared(job: str, mask: str, name: str) -> tuple[Prepared, bool | None]:
    made = competitor_of(job, name).prepared(mask)
    return made, None if name.startswith(("limit", "share")) else correct(job, mask, made.result())


@lru_cache(maxsize=1)
def expected(job: str, mask: str) -> Any:
    return ALL_JOBS[job].expected(mask)


def correct(job: str, mask: str, result: Any) -> bool | None:
    """None where a competitor has no answer that could be compared."""
    if result is None:
        return None
    want, same = expected(job, mask), ALL_JOBS[job].same
    if isinstance(result, Mask):
        result = result.starts, result.lengths
    if isinstance(want, tuple) and same is np.array_equal:
        return all(np.array_equal(a, b) for a, b in zip(result, want, strict=True))
    return same(result, want)


def test_turn(benchmark: Any, job: str, mask: str, competitor: str, turn: int) -> None:
    made, right = prepared(job, mask, competitor)
    benchmark.extra_info.update(job=job, mask=mask, competitor=competitor, correct=right)
    benchmark.pedantic(made.call, rounds=1, iterations=1)
