"""Colours as people write them."""

from __future__ import annotations

from itertools import repeat

import numpy as np
import pytest

import runmask as rm
from runmask.colours import rgba
from runmask.errors import InputError


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("red", (255, 0, 0, 90)),
        ("RebeccaPurple", (102, 51, 153, 90)),
        (" LightSlateGrey ", (119, 136, 153, 90)),
        ("#0af", (0, 170, 255, 90)),
        ("#0AF8", (0, 170, 255, 136)),
        ("#010203", (1, 2, 3, 90)),
        ("#01020304", (1, 2, 3, 4)),
        ("1,2,3", (1, 2, 3, 90)),
        (" 1, 2, 3, 4", (1, 2, 3, 4)),
        ((1, 2, 3), (1, 2, 3, 90)),
        ([1, 2, 3, 4], (1, 2, 3, 4)),
        (np.array([1, 2, 3], np.uint8), (1, 2, 3, 90)),
    ],
)
def test_colours(given, wanted):
    found = rgba(given, 90)
    assert found == wanted
    assert all(type(number) is int for number in found)


def test_names_are_those_of_css():
    names = pytest.importorskip("PIL.ImageColor").colormap
    for name, digits in names.items():
        assert rgba(name) == (*bytes.fromhex(digits[1:]), 255)


@pytest.mark.parametrize(
    "given",
    [
        *(
            "",
            "none",
            "1,2",
            "256,0,0",
            "rgb(1,2,3)",
            "#12",
            "#12345",
            "#xyzxyz",
            "123456",
            "²,1,1",
        ),
        *("0001,2,3,4", "-1,2,3", "1,2,3,4,5", "\N{ARABIC-INDIC DIGIT ONE},1,1", b"red"),
        *(None, 5, (1, 2), (1, 2, 3, 256), (1, 2, -1), (1.0, 2, 3), (True, 0, 0), (1, 2, 3, 4, 5)),
        *({1, 2, 3}, {1: 0, 2: 0, 3: 0}, repeat(0)),
    ],
)
def test_what_is_no_colour(given):
    with pytest.raises(InputError, match=r"^inside .*: not ") as caught:
        rgba(given, name="inside")
    assert caught.value.code == "colour"


def test_where_colours_are_taken():
    """Everywhere alike; those without an alpha are translucent as layers and opaque as lines."""
    photo = np.full((20, 30, 3), 90, np.uint8)
    mask = rm.Mask.from_circle((15, 10), 6, (20, 30))
    want = rm.overlay(photo, mask, (255, 99, 71, 120), (0, 0, 255, 16))
    assert np.array_equal(rm.overlay(photo, mask, "tomato", "#0000ff10"), want)
    assert np.array_equal(rm.overlay(photo, mask, (255, 99, 71), (0, 0, 255, 16)), want)
    pairs = [(mask, (255, 99, 71, 120)), (~mask, (0, 0, 255, 120))]
    assert np.array_equal(
        rm.overlay(photo, [(mask, "tomato"), (~mask, "blue")]), rm.overlay(photo, pairs)
    )
    line = rm.outline(photo, mask, (255, 255, 0, 255))
    assert np.array_equal(rm.outline(photo, mask, "yellow"), line)
    assert np.array_equal(rm.outline(photo, mask, (255, 255, 0)), line)
    for call in (
        lambda: rm.overlay(photo, mask, "redd"),
        lambda: rm.overlay(photo, [(mask, "redd")]),
        lambda: rm.outline(photo, mask, "redd"),
    ):
        with pytest.raises(InputError, match="'redd': not R,G,B or R,G,B,A"):
            call()
