"""Messages: what was passed in is shown, and never at length."""

from collections.abc import Callable

import numpy as np
import pytest

from runmask import Mask
from runmask.errors import InputError, shown

HUGE = 10**5000  # more digits than Python writes


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "'a'"),
        (b"\x00", r"b'\x00'"),
        (-5, "-5"),
        (10**79, "1" + 79 * "0"),
        ("x" * 10**6, "'" + 76 * "x" + "..."),
        ([0] * 1000, "[" + 25 * "0, " + "0..."),
        (HUGE, "a number of about 4983 digits"),
        (-(10**80), "a number of about 79 digits"),
        ([HUGE], "<list>"),
        (Broken(), "<Broken>"),
        (np.eye(2), "array([[1., 0.], [0., 1.]])"),
    ],
    ids=lambda value: type(value).__name__,  # pytest would write the number
)
def test_what_messages_show(value: object, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    "call",
    [
        lambda mask: mask.orient(HUGE),
        lambda mask: mask.flip(HUGE),
        lambda mask: mask.tile((-HUGE, 1)),
        lambda mask: mask.tile((HUGE, 1)),
        lambda mask: mask.pad(HUGE),
        lambda mask: mask[::HUGE],
        lambda mask: mask.resize((HUGE, 1)),
        lambda mask: mask.dilate(HUGE),
        lambda mask: mask.remove_small(-HUGE),
        lambda mask: mask.components(HUGE),
        lambda mask: Mask.at_least([mask], -HUGE),
        lambda mask: Mask.from_circle((0, 0), HUGE, (4, 5)),
        lambda mask: Mask.from_array(np.zeros((4, 5)), threshold=[HUGE]),
        lambda mask: mask.to_array(values=(0, HUGE)),
        lambda mask: Mask.empty((HUGE, 4)),
        lambda mask: Mask([HUGE], [1], shape=(4, 5)),
        lambda mask: Mask([0], [1], shape=(4, 5), policy=HUGE),
    ],
)
def test_numbers_of_more_digits_than_python_writes(call: Callable[[Mask], object]) -> None:
    with pytest.raises(InputError) as caught:
        call(Mask.full((4, 5)))
    assert len(str(caught.value)) < 250
