"""Which detection service is asked: its client, by name, and the sentence that says who answers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from .errors import InputError

if TYPE_CHECKING:
    from .scan import Service

__all__ = ["NAMES", "SANDBOX", "opened"]

SANDBOX = "sandbox"
_KEYS = {
    "copyleaks": ("COPYLEAKS_EMAIL", "COPYLEAKS_API_KEY"),
    "aidetector": ("AIDETECTOR_API_KEY",),
    "sightengine": ("SIGHTENGINE_API_USER", "SIGHTENGINE_API_SECRET"),
}
_TITLES = {
    "copyleaks": "Copyleaks",
    "aidetector": "aiimagedetectorapi.com",
    "sightengine": "Sightengine",
}
_DEVELOPMENT = {
    "copyleaks": ("sandbox@localhost", "00000000-0000-0000-0000-000000000000"),
    "aidetector": ("aidet_test_of_the_command_line",),
    "sightengine": ("0000", "sandbox"),
}

NAMES = (*_KEYS, SANDBOX)


@contextmanager
def opened(
    name: str | None, base_url: str | None, detector: str | None = None
) -> Iterator[tuple[Service, str]]:
    """The client to ask, and the sentence that says who answers.

    Credentials come from the environment. Where it has none, another address gets those of the
    sandbox. ``sandbox`` is the embedded one, or the one at ``base_url``, asked as Copyleaks is.

    Parameters
    ----------
    name : str, optional
        One of ``NAMES``. Default: the first service that the environment has a key for; without
        any, Copyleaks where an address is given, else the embedded sandbox.
    base_url : str, optional
        Another address of the service.
    detector : str, optional
        One's own for the embedded sandbox: ``module:callable``, or one that a package offers.

    Raises InputError where credentials are missing or something cannot be used.
    """
    if name is None:
        known = (service for service in _KEYS if _has_key(service))
        name = next(known, SANDBOX if base_url is None else "copyleaks")
    if detector is not None and (name != SANDBOX or base_url is not None):
        asked = base_url or _TITLES[name]
        raise InputError(f"detector: it is for the embedded sandbox, and {asked} would be asked")
    if name == SANDBOX:
        note = "The embedded sandbox answers, no service is asked."
        with (
            _embedded(detector) if base_url is None else nullcontext(base_url) as origin,
            _client("copyleaks", _DEVELOPMENT["copyleaks"], origin) as client,
        ):
            yield client, note if base_url is None else f"Asking {base_url}."
        return
    ours = base_url is not None and not _has_key(name)
    with _client(name, _DEVELOPMENT[name] if ours else (), base_url) as client:
        yield client, f"Asking {base_url or _TITLES[name]}."


def _has_key(service: str) -> bool:
    return any(os.environ.get(variable) for variable in _KEYS[service])


@contextmanager
def _client(name: str, credentials: tuple[str, ...], base_url: str | None) -> Iterator[Service]:
    from . import http

    client: http.Copyleaks | http.AIDetector | http.Sightengine
    address: dict[str, Any] = {} if base_url is None else {"base_url": base_url}
    if name == "copyleaks":
        client = http.Copyleaks(*credentials, **address)
    elif name == "aidetector":
        # Of its two descriptions the one that promises boxes, to be drawn.
        client = http.AIDetector(*credentials, dialect="endpoints", **address)
    else:
        client = http.Sightengine(*credentials, **address)
    with client:
        yield client


@contextmanager
def _embedded(detector: str | None) -> Iterator[str]:
    from .sandbox import Settings, detector_of, running

    settings = Settings() if detector is None else Settings(detector=detector_of(detector))
    with running(settings) as origin:
        yield origin
