"""Jobs over any number of images: nothing lost, nothing paid for twice."""

from .arrow import render_arrow
from .executors import Engine, dask, processes, ray, threads
from .job import run
from .progress import Progress, Summary
from .reporting import report
from .stored import render
from .values import Answered, Outcome, Rendered

__all__ = [
    "Answered",
    "Engine",
    "Outcome",
    "Progress",
    "Rendered",
    "Summary",
    "dask",
    "processes",
    "ray",
    "render",
    "render_arrow",
    "report",
    "run",
    "threads",
]
