"""Kaggle: ``start length start length ...`` as text.

Competitions differ in the order of the pixels (down the columns, or along the rows) and in the
number of the first one (1 or 0), and nothing in the text says which: both are always named. The
relative variant (SIIM) has for each run the clear pixels since the last one, and ``-1`` for none.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from .. import _core
from ..errors import MaskError
from .refusal import refusing

Order = Literal["rows", "columns"]

NO_RUNS = "-1"


def from_text(
    text: bytes, height: int, width: int, *, order: Order, base: int, relative: bool
) -> _core.Runs:
    """Raises MaskError with the index of the byte, of the number or of the run."""
    with refusing("Kaggle text", height, width):
        numbers = np.asarray(_core.numbers_from_text(text))
    if relative and numbers.tolist() == [-1]:
        numbers = numbers[:0]
    if len(numbers) % 2:
        raise MaskError(
            f"Kaggle text: {len(numbers)} numbers: the last start has no length",
            code="length_mismatch",
            index=len(numbers) - 1,
        )
    rows, columns = (width, height) if order == "columns" else (height, width)
    with refusing("Kaggle text", height, width, "number"):
        if relative:
            runs = _core.runs_from_counts(numbers, rows, columns, False)
        else:
            starts = numbers[0::2] - base
            lengths = np.ascontiguousarray(numbers[1::2])
            runs, _ = _core.runs_from_pairs(starts, lengths, rows, columns, False)
    return _core.transposed(runs, 0) if order == "columns" else runs


def to_text(runs: _core.Runs, *, order: Order, base: int, relative: bool) -> str:
    if order == "columns":
        runs = _core.transposed(runs, 0)
    if relative and not len(runs):
        return NO_RUNS
    numbers = np.empty((len(runs), 2), np.int64)
    numbers[:, 0] = runs.starts
    numbers[:, 1] = runs.lengths
    if relative:
        numbers[1:, 0] -= numbers[:-1].sum(axis=1)  # the right side is made before
    else:
        numbers[:, 0] += base
    return _core.text_from_numbers(numbers).decode("ascii")
