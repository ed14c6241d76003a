"""The wire forms of masks, one module a form, and the only rooms that know a foreign order.

::

    answer         the JSON answer of a detection service
    strict_json    the JSON reader for it, and for all else that comes from the network
    coco           counts down the columns, as a list or as COCO's compressed string, and the
                   wrappers of it: base64 (nuScenes), base64 of zlib (Open Images), zlib
    kaggle         text of starts and lengths, in the order and base of each competition
    cvat           counts of the tight box, with the box at the end
    label_studio   brush strokes: packed bits of RGBA bytes
    compact        supervision's counts of a box, down its columns
    run_triples    row, first and last column of each run: HALCON's regions, OpenCV's rl
    png            1-bit, palette and grey pictures

Each has a pair of functions over the core's runs (``_core.Runs``) or over arrays of counts, and
knows nothing of ``Mask``. Arguments come with their sizes checked; what a reader finds wrong it
refuses with the index of the count, or of the byte.
"""

from .answer import load_answer, plain_answer, response_runs
from .strict_json import MAX_BYTES, Body, load_json, load_object

__all__ = [
    "MAX_BYTES",
    "Body",
    "load_answer",
    "load_json",
    "load_object",
    "plain_answer",
    "response_runs",
]
