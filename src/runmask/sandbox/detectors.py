"""Detectors of one's own in place of the sandbox's analysis: by name, and held to what they owe.

A detector is a callable that takes an RGB image ``(height, width, 3)`` of uint8, from several
threads at once, and returns an :class:`~.analysis.Analysis`, or less:

* a bool array ``(height, width)``: the mask; or
* a float array of any two sides with values from 0 to 1: the confidence, a value for each tile of a
  regular grid over the image. The mask is where it passes one half.

The score of these is the marked share's, as the sandbox's own is. A package offers a detector by an
entry point of the group ``runmask.detectors``.
"""

import importlib
import os
import sys
from collections.abc import Callable
from importlib import metadata
from typing import Any

import cv2
import numpy as np

from ..errors import InputError, shown
from .analysis import Analysis, Detector, score_of
from .measurements import Image

GROUP = "runmask.detectors"


def detector_of(name: str | Callable[[Image], Any]) -> Detector:
    """Return the detector of a name: ``module:callable``, or that of an entry point; or a function.

    Modules are looked for in the working folder too. Raises InputError if there is none, and
    whatever is wrong with the module if it cannot be imported.
    """
    if callable(name):
        return checked(name, getattr(name, "__name__", type(name).__name__))
    if ":" in name:
        return checked(_imported(name), name)
    offered = metadata.entry_points(group=GROUP)
    if name not in offered.names:
        known = ", ".join(sorted(offered.names)) or "no package here offers any"
        raise InputError(
            f"detector {shown(name)}: neither module:callable nor one that is offered ({known})"
        )
    return checked(offered[name].load(), name)


def _imported(name: str) -> object:
    module_name, _, path = name.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found: object = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise  # a module that it needs itself
        raise InputError(f"detector {shown(name)}: there is no module {module_name!r}") from error
    except ValueError as error:  # an empty name
        raise InputError(f"detector {shown(name)}: {error}") from error
    for part in path.split("."):
        if not hasattr(found, part):
            raise InputError(f"detector {shown(name)}: there is no {path!r} in {module_name!r}")
        found = getattr(found, part)
    return found


def checked(detector: object, name: str) -> Detector:
    """Return the detector, its answers held to their form.

    An answer that is none is a TypeError or ValueError, which the sandbox tells as an internal
    error and logs.
    """
    if not callable(detector):
        raise InputError(f"detector {shown(name)}: {shown(detector)} cannot be called")

    def detect(image: Image) -> Analysis:
        return _analysis(detector(image), image.shape[:2], name)

    return detect


def _analysis(found: object, shape: tuple[int, int], name: str) -> Analysis:
    if not isinstance(found, Analysis):
        found = _of_array(np.asarray(found), shape, name)
    mask, confidence = np.asarray(found.mask), np.asarray(found.confidence)
    if mask.dtype != bool or mask.shape != shape:
        raise ValueError(f"{name}: a mask of {mask.dtype} {mask.shape}, not of bool {shape}")
    if not confidence.size or confidence.ndim != 2 or confidence.dtype.kind != "f":
        raise ValueError(f"{name}: a confidence of {confidence.dtype} {confidence.shape}")
    if not ((confidence >= 0) & (confidence <= 1)).all() or not 0 <= found.score <= 1:
        raise ValueError(f"{name}: confidences and scores are from 0 to 1")
    return Analysis(confidence.astype(np.float32), mask, float(found.score))


def _of_array(array: Any, shape: tuple[int, int], name: str) -> Analysis:
    height, width = shape
    if array.dtype == bool:
        small = (max(1, width // 8), max(1, height // 8))
        confidence = cv2.resize(array.astype(np.float32), small, interpolation=cv2.INTER_AREA)
        return Analysis(np.asarray(confidence), array, score_of(array))
    if array.ndim != 2 or array.dtype.kind != "f" or not array.size:
        raise TypeError(f"{name}: {array.dtype} {array.shape} is no answer of a detector")
    soft = cv2.resize(array.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    mask = np.asarray(soft) > 0.5
    return Analysis(array, mask, score_of(mask))
