"""The libraries of the extras, and the one sentence for a missing one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import MissingDependencyError


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Wraps the late imports of an extra's libraries."""
    try:
        yield
    except ImportError as error:
        raise MissingDependencyError.of(error.name, name, "this") from error


def opencv() -> Any:
    """OpenCV, silent: what it thinks of a damaged file it would print to stderr."""
    with extra("images"):
        import cv2
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2
