"""Colour maps: 256 colours for confidences from 0 to 1."""

from __future__ import annotations

from base64 import b85decode
from functools import cache
from typing import TYPE_CHECKING
from zlib import decompress

import numpy as np

from ..errors import InputError, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The differences from colour to colour, channel by channel. inferno and viridis are by Nathaniel
# Smith, Stefan van der Walt and Eric Firing (CC0), turbo is by Anton Mikhailov (copyright 2019
# Google LLC, Apache License 2.0): 8-bit values of their published tables.
_TABLES = {
    "inferno": (
        "c-nnYff9uv2!rhX{~u?`HW6PJ%pqLTG0e>d{DJHs!U>Qs;e$R4<q|F;;(*eOB!nkOv@Yrca*^RRewRH^w6*urP6u"
        "^geWN|pynv!x9d(YM%G6!t7O)v|#%cbNLw)LdoUU&gNobki>0F5>sw(}<pOS}zaOtF1yLP_vOejQK(?U6N(<p5Kb"
        "`Gcg5T42nM;>jU"
    ),
    "turbo": (
        "c-mc(TNcA02t@Ijes?AP@BVjXw88+=3?t_>G4=v}a*850CxSK6LRzee*jiZo7kj@Ye33Fo;n=DiRhFt$dA8r>V-L"
        "0oCpnyiX(5zK(GH#vLN{CDmc<&f#=DrZ=UgIHL<=FD0k<%$5N}*C=SN=+KN-K5;Pj3j=&giMgjeyWd1J#vcHpu>P"
        "3;ux`?^HEU%mD1)>_@hn6xE23yeU4^$vvAn(@#O$MMj%V;}DV(n1?la`8^0)2uV<>Fx4jre6Y5<4`x9zaYQZ=?AI"
        "SX^{"
    ),
    "viridis": (
        "c-n<hi4lY#3{0@KE8+St<xsL4Sjp&Rzu+jyOg`opECkc)X`Q6qnhK3HNo_OG;RhV>kb4UegZDb1pdhW1hA(9608i"
        "7%o<`5u+O6#W6MI|R-q~_nLKyo3Fq1@l=e3($blyl0DjP1z=#&|HsQxfvb9OjPgHv1mpkyG8q{bp%?-(;)vb7T{k"
        "BAB"
    ),
}
# What traffic lights say: 0, 1/2 and 1.
_TRAFFIC = np.array([(26, 150, 65), (255, 212, 0), (215, 25, 28)])

NAMES = (*_TABLES, "traffic")


def colormap(name: str) -> NDArray[np.uint8]:
    """A built-in colour map as a new array ``(256, 3)`` of uint8 RGB.

    ``"turbo"``, ``"inferno"`` and ``"viridis"`` are those of matplotlib and OpenCV; ``"traffic"``
    goes from green over yellow to red. Raises InputError for another name.
    """
    if not isinstance(name, str) or name not in NAMES:
        raise InputError(
            f"colour map {shown(name)}: not one of {', '.join(NAMES)}", code="colormap"
        )
    return _table(name).copy()


@cache
def _table(name: str) -> NDArray[np.uint8]:
    if name == "traffic":
        at = np.arange(256)[:, None]
        low, middle, high = _TRAFFIC
        rising = low * (255 - 2 * at) + middle * 2 * at
        falling = middle * (510 - 2 * at) + high * (2 * at - 255)
        lights = (2 * np.where(at < 128, rising, falling) + 255) // 510
        return np.asarray(lights, np.uint8)
    steps = np.frombuffer(decompress(b85decode(_TABLES[name])), np.uint8).reshape(3, 256)
    table: NDArray[np.uint8] = np.cumsum(steps, axis=1, dtype=np.uint8).T
    return table
