"""Which detection service is asked: its client, by name, and the sentence that says who answers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Unpack

from .errors import InputError

if TYPE_CHECKING:
    from .http import (
        AIDetector,
        AsyncAIDetector,
        AsyncCopyleaks,
        AsyncSightengine,
        Copyleaks,
        Sightengine,
    )
    from .http.client import Options
    from .scan import Service

__all__ = ["NAMES", "SANDBOX", "Choice", "choice_of", "opened"]

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
LOCAL = _EMBEDDED, _THIS_MACHINE = "the embedded sandbox", "this machine"
"""The places of :attr:`Choice.place` that are on this machine."""


@dataclass(frozen=True)
class Choice:
    """A service, where it is asked, and the sentence that says who answers.

    ``base_url`` is None for the service's own address, and for the embedded sandbox until it runs.
    ``credentials`` are none, for those of the environment, or the sandbox's.
    """

    service: str
    base_url: str | None
    note: str
    credentials: tuple[str, ...] = field(repr=False)
    embedded: bool = False
    detector: str | None = None

    @property
    def place(self) -> str:
        """Who answers, in words that stay the same from run to run."""
        from .http.address import host_of, is_loopback

        if self.embedded:
            return _EMBEDDED
        if self.base_url is None:
            return _TITLES[self.service]
        return _THIS_MACHINE if is_loopback(host_of(self.base_url)) else self.base_url

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return self.place in LOCAL

    @contextmanager
    def running(self) -> Iterator[Choice]:
        """The same while it can be asked: the embedded sandbox has an address then."""
        if not self.embedded:
            yield self
            return
        with _embedded(self.detector) as origin:
            yield replace(self, base_url=origin)

    def client(self) -> Copyleaks | AIDetector | Sightengine:
        """A client for threads. Raises InputError where credentials are missing."""
        from . import http

        kinds = (http.Copyleaks, http.AIDetector, http.Sightengine)
        return kinds[tuple(_KEYS).index(self.service)](*self.credentials, **self._address)

    def async_client(
        self, **options: Unpack[Options]
    ) -> AsyncCopyleaks | AsyncAIDetector | AsyncSightengine:
        """The same for an event loop."""
        from . import http

        kinds = (http.AsyncCopyleaks, http.AsyncAIDetector, http.AsyncSightengine)
        kind: Any = kinds[tuple(_KEYS).index(self.service)]
        return kind(*self.credentials, **self._address, **options)  # type: ignore[no-any-return]

    @property
    def _address(self) -> dict[str, Any]:
        address: dict[str, Any] = {} if self.base_url is None else {"base_url": self.base_url}
        if self.service == "aidetector":  # of its two descriptions the one that promises boxes
            address["dialect"] = "endpoints"
        return address


@contextmanager
def opened(
    name: str | None, base_url: str | None, detector: str | None = None
) -> Iterator[tuple[Service, str]]:
    """The client to ask, and the sentence that says who answers. As :func:`choice_of`."""
    with choice_of(name, base_url, detector).running() as choice, choice.client() as client:
        yield client, choice.note


def choice_of(name: str | None, base_url: str | None, detector: str | None = None) -> Choice:
    """The service to ask.

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

    Raises InputError where something cannot be used.
    """
    if name is None:
        known = (service for service in _KEYS if _has_key(service))
        name = next(known, SANDBOX if base_url is None else "copyleaks")
    if name not in NAMES:
        raise InputError(f"service {name!r}: not one of {', '.join(NAMES)}")
    if detector is not None and (name != SANDBOX or base_url is not None):
        asked = base_url or _TITLES[name]
        raise InputError(f"detector: it is for the embedded sandbox, and {asked} would be asked")
    if name == SANDBOX and base_url is None:
        note = "The embedded sandbox answers, no service is asked."
        keys = _DEVELOPMENT["copyleaks"]
        return Choice("copyleaks", None, note, keys, embedded=True, detector=detector)
    service = "copyleaks" if name == SANDBOX else name
    ours = name == SANDBOX or (base_url is not None and not _has_key(name))
    note = f"Asking {base_url or _TITLES[service]}."
    return Choice(service, base_url, note, _DEVELOPMENT[service] if ours else ())


def _has_key(service: str) -> bool:
    return any(os.environ.get(variable) for variable in _KEYS[service])


@contextmanager
def _embedded(detector: str | None) -> Iterator[str]:
    from .sandbox import Settings, detector_of, running

    settings = Settings() if detector is None else Settings(detector=detector_of(detector))
    with running(settings) as origin:
        yield origin
