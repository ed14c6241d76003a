"""What a report shows of an item before it is looked at in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..mask import Mask

SIDE = 320
"""Pixels of the longer side of a thumbnail, at most."""

_MOST_RUNS = 50_000  # the outline of a mask with more is that of a reduced one


def outline_of(mask: Mask) -> bytes:
    """The outline of an upright mask as a small SVG file, to be laid over a thumbnail."""
    height, width = mask.shape
    scale = max(1.0, max(mask.shape) / SIDE)
    drawn = mask
    if len(mask) > _MOST_RUNS:
        drawn = mask.resize((max(1, int(height / scale)), max(1, int(width / scale))))
    path = drawn.contours(simplify=0.5 * scale * drawn.height / height).to_svg_path()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {drawn.width} {drawn.height}"'
        f' width="{width}" height="{height}" preserveAspectRatio="none">\n'
        f'<defs><path id="o" vector-effect="non-scaling-stroke" d="{path}"/></defs>\n'
        '<g fill="none" stroke-linejoin="round"><use href="#o" stroke="#000" stroke-width="4"/>'
        '<use href="#o" stroke="#fff" stroke-width="1.5"/></g>\n</svg>\n'
    ).encode()
