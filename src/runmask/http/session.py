"""An account's session with Copyleaks: one token, got by one caller at a time and shared by all."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from ..errors import APIError, APITimeoutError, AuthError
from . import copyleaks_wire as wire
from .pace import Pace
from .retry import Call, Exclusive, Flow, Policy, Reply, Request, exchange
from .secret import Secret

T = TypeVar("T")


class Session:
    """The credentials, the token, and what is said between login and answer."""

    def __init__(
        self,
        email: str,
        key: Secret,
        base_url: str,
        login_url: str,
        policy: Policy,
        pace: Pace | None,
    ) -> None:
        self.email = email
        self.key = key
        self.base_url = base_url
        self.login_url = login_url
        self.policy = policy
        self.pace = pace  # of logins
        self.clock: Callable[[], float] = time.monotonic
        self._token: wire.Token | None = None
        self._failures = 0
        self._failure: APIError | None = None

    def token(self, refused: Secret | None = None) -> Flow[Secret]:
        """``refused`` is a token that the service would not take."""
        token = self._usable(refused)
        if token is None:
            failures = self._failures  # of the past: one that comes while waiting is shared
            token = yield Exclusive(lambda call: self._log_in(refused, failures, call))
        return token

    def _usable(self, refused: Secret | None) -> Secret | None:
        token = self._token
        if token is None or token.secret is refused or self.clock() >= token.fresh_until:
            return None
        return token.secret

    def _log_in(self, refused: Secret | None, failures: int, call: Call) -> Flow[Secret]:
        """One caller logs in, the others wait and share what came of it."""
        if self._failure is not None and self._failures != failures:
            raise copy.copy(self._failure)
        token = self._usable(refused)
        if token is not None:
            return token
        try:
            self._token = yield from exchange(
                wire.login_request(self.login_url, self.email, self.key),
                lambda reply: wire.read_login(reply, self.clock(), self.key),
                self.policy,
                replace(call, attempts=0, ambiguous=False),
                self.pace,
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
        pace: Pace | None,
    ) -> Flow[T]:
        """A 401 means that the token ended before its time: log in and repeat, once.

        ``judge`` is given the secrets that its error must not tell.
        """
        token = yield from self.token()
        try:
            return (yield from self._exchange(build, judge, token, call, pace))
        except AuthError as error:
            if error.status != 401:
                raise
        token = yield from self.token(refused=token)
        return (yield from self._exchange(build, judge, token, call, pace))

    def _exchange(
        self,
        build: Callable[[Secret], Request],
        judge: Callable[[Reply, Sequence[Secret]], T | APIError],
        token: Secret,
        call: Call,
        pace: Pace | None,
    ) -> Flow[T]:
        secrets = (token, self.key)
        return (
            yield from exchange(
                build(token), lambda reply: judge(reply, secrets), self.policy, call, pace
            )
        )
