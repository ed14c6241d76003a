"""An account's session with Copyleaks: one token, got by one caller at a time and shared by all."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ..errors import APIError, APITimeoutError, AuthError
from . import copyleaks_wire as wire
from .retry import Call, Effect, Outcome, Policy, Reply, Request, exchange
from .secret import Secret

T = TypeVar("T")


@dataclass(frozen=True)
class LoginNeeded:
    """The effect of needing a token: one caller logs in, the others wait and share what came of it.

    ``refused`` is a token that the service would not take; ``failures`` counts the failed logins
    that the caller knew of when it began to wait.
    """

    refused: Secret | None
    failures: int


Flow = Generator[Effect | LoginNeeded, Outcome | Secret, T]


class Session:
    """The credentials, the token, and what is said between login and answer."""

    def __init__(
        self, email: str, key: Secret, base_url: str, login_url: str, policy: Policy
    ) -> None:
        self.email = email
        self.key = key
        self.base_url = base_url
        self.login_url = login_url
        self.policy = policy
        self.clock: Callable[[], float] = time.monotonic
        self._token: wire.Token | None = None
        self._failures = 0
        self._failure: APIError | None = None

    def token(self, refused: Secret | None = None) -> Flow[Secret]:
        token = self._usable(refused)
        if token is None:
            token = yield LoginNeeded(refused, self._failures)  # type: ignore[assignment]
        return token  # type: ignore[return-value]

    def _usable(self, refused: Secret | None) -> Secret | None:
        token = self._token
        if token is None or token.secret is refused or self.clock() >= token.fresh_until:
            return None
        return token.secret

    def log_in(self, need: LoginNeeded, call: Call) -> Flow[Secret]:
        """To be run by one caller at a time."""
        if self._failure is not None and self._failures != need.failures:
            raise copy.copy(self._failure)
        token = self._usable(need.refused)
        if token is not None:
            return token
        try:
            self._token = yield from exchange(
                wire.login_request(self.login_url, self.email, self.key),
                lambda reply: wire.read_login(reply, self.clock(), self.key),
                self.policy,
                replace(call, attempts=0, ambiguous=False),
            )
        except APITimeoutError:
            raise  # of this caller's time; the next one has its own
        except APIError as error:
            self._failure = copy.copy(error)  # each caller's own is completed and raised
            self._failures += 1
            raise
        return self._token.secret

    def authorised(
        self,
        build: Callable[[Secret], Request],
        judge: Callable[[Reply, Sequence[Secret]], T | APIError],
        call: Call,
    ) -> Flow[T]:
        """A 401 means that the token ended before its time: log in and repeat, once.

        ``judge`` is given the secrets that its error must not tell.
        """
        token = yield from self.token()
        try:
            return (yield from self._exchange(build, judge, token, call))
        except AuthError as error:
            if error.status != 401:
                raise
        token = yield from self.token(refused=token)
        return (yield from self._exchange(build, judge, token, call))

    def _exchange(
        self,
        build: Callable[[Secret], Request],
        judge: Callable[[Reply, Sequence[Secret]], T | APIError],
        token: Secret,
        call: Call,
    ) -> Flow[T]:
        secrets = (token, self.key)
        return (
            yield from exchange(
                build(token), lambda reply: judge(reply, secrets), self.policy, call
            )
        )
