"""Accounts of the sandbox: tokens, credits, and the scans that were made."""

import asyncio
import secrets
from dataclasses import dataclass, field

from ..rates import MAX_ACCOUNTS, Newest
from ..settings import SECOND, Settings

MAX_TOKENS = 10_000
MAX_SCANS = 1_000  # answers kept of each account, to repeat them


@dataclass
class Scan:
    """A scan id that was used; the lock makes requests of the same id come one after another."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    digest: bytes = b""
    answer: bytes = b""


@dataclass
class Account:
    """An e-mail address that has logged in."""

    email: str
    credits: int
    scans: Newest[str, Scan] = field(default_factory=lambda: Newest(MAX_SCANS))

    def scan(self, scan_id: str) -> Scan:
        return self.scans.setdefault(scan_id, Scan())


@dataclass(frozen=True)
class Login:
    """What a login gave; times in nanoseconds since 1970."""

    token: str = field(repr=False)
    issued: int
    expires: int


class Accounts:
    """All accounts and their tokens."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.accounts: Newest[str, Account] = Newest(MAX_ACCOUNTS)
        self.tokens: Newest[str, tuple[Account, int]] = Newest(MAX_TOKENS)

    def log_in(self, email: str) -> Login:
        """Issue a token to the account of an address, which is opened if it is new."""
        account = self.accounts.setdefault(email, Account(email, self.settings.credits))
        issued = self.settings.clock()
        # the service's own samples are one tick of 100 ns longer than the token's life
        expires = issued + round(self.settings.token_life_s * SECOND) + 100
        token = secrets.token_urlsafe(48)
        self.tokens[token] = (account, expires)
        return Login(token, issued, expires)

    def bearer(self, authorization: str) -> Account | None:
        """Return whose token an Authorization header carries; None if it is not good any more."""
        scheme, _, token = authorization.partition(" ")
        account, expires = self.tokens.get(token.strip(), (None, 0))
        if scheme.lower() != "bearer" or account is None:
            return None
        return account if self.settings.clock() < expires else None
