"""The one sentence for a missing optional library."""

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import MissingDependencyError


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Wraps the late imports of an extra's libraries."""
    try:
        yield
    except ImportError as error:
        raise MissingDependencyError(
            f"this needs the library {error.name!r}: pip install 'runmask[{name}]'"
        ) from error
