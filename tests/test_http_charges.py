"""What is charged: nothing twice, and nothing of which the caller is not told.

A server keeps the ledger. Every call that may cost something meets every fault, by both clients.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from typing import Any, Literal

import pytest
from billed_calls import CALLS, CLIENTS, SCAN_ID, Call, client_of
from faults.server import LOGIN, Answer, FaultServer, faulty
from hypothesis import given, settings
from hypothesis import strategies as st

from runmask.errors import APIError, LimitError

Ending = Literal["resent", "doubt", "refused", "answered", "too large"]


@pytest.fixture(params=["threads", "loop"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@dataclass(frozen=True)
class Fault:
    """A first answer in place of the good one, by what differs, and how the call then ends.

    ``resent``: without a doubt, and answered. ``doubt``: an error that says that it may have been
    billed. ``refused``: one that says that it was not. ``answered``: it was no fault after all.
    """

    ends: Ending
    changes: dict[str, Any]
    options: tuple[tuple[str, Any], ...] = ()
    garbled: bool = False  # a success that makes no sense

    def answer(self, call: Call) -> Answer:
        plain = Answer() if self.changes.get("status") or self.changes.get("reset") else call.good
        return replace(plain, **self.changes)

    def ends_for(self, call: Call) -> Ending:
        return "answered" if self.garbled and not call.readable else self.ends


def status(ends: Ending, number: int, *, charge: bool = False, **headers: str) -> Fault:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Fault(ends, {"status": number, "headers": named, "charge": charge})


def garbled(body: bytes) -> Fault:
    return Fault("doubt", {"body": body}, garbled=True)


SOON = (("read_timeout", 0.1),)
FAULTS = {
    "408": status("resent", 408),
    "425": status("resent", 425),
    "429": status("resent", 429),
    "429-after-0": status("resent", 429, Retry_After="0"),
    "429-after-a-past-date": status("resent", 429, Retry_After="Sun, 06 Nov 1994 08:49:37 GMT"),
    "429-after-an-hour": status("refused", 429, Retry_After="3600"),
    "503-after-0": status("resent", 503, Retry_After="0"),
    "500": status("doubt", 500, charge=True),
    "502": status("doubt", 502, charge=True),
    "503": status("doubt", 503, charge=True),
    "504": status("doubt", 504, charge=True),
    "520": status("doubt", 520, charge=True),
    "302": status("refused", 302, Location="https://elsewhere.example.org/"),
    "307": status("refused", 307, Location="https://elsewhere.example.org/"),
    **{str(number): status("refused", number) for number in (400, 402, 403, 404, 409, 413, 422)},
    "reset-after-the-head": Fault("doubt", {"reset": "headers"}),
    "reset-within-the-body": Fault("doubt", {"reset": "half"}),
    "reset-after-the-body": Fault("doubt", {"reset": "all", "charge": True}),
    "cut-in-the-head": Fault("doubt", {"cut": 9}),
    "cut-in-the-body": Fault("doubt", {"cut": -1}),
    "cut-in-a-chunk": Fault("doubt", {"cut": -9, "framing": "chunked"}),
    "shorter-than-declared": Fault("doubt", {"declared": 9999}),
    "no-length-and-half": Fault("doubt", {"framing": "close", "cut": -1}, garbled=True),
    "two-lengths": Fault("doubt", {"headers": (("Content-Length", "1"),)}),
    "no-gzip": Fault("doubt", {"headers": (("Content-Encoding", "gzip"),)}),
    "empty": garbled(b""),
    "html": garbled(b"<html>sign in"),
    "another-json": garbled(b'"ok"'),
    "not-utf-8": garbled(b'{"\xff": 1}'),
    "called-html": Fault("answered", {"headers": (("Content-Type", "text/html"),)}),
    "too-large": Fault("too large", {"body": b" " * 5000}, (("max_response_bytes", 4000),)),
    "silence": Fault("doubt", {"delay_s": 9.0}, SOON),
    "nothing-read": Fault("doubt", {"hold": True, "charge": False}, SOON),
    "dripping": Fault("doubt", {"drip_s": 0.02}, (("total_timeout", 0.4),)),
    "continue-and-silence": Fault(
        "doubt", {"status": 100, "declared": None, "charge": True}, (*SOON, ("total_timeout", 2.0))
    ),
}


def sent(server: FaultServer) -> int:
    return sum(not request.target.endswith(LOGIN) for request in server.requests)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_call_meets_every_fault(kind: str, call: Call, fault: Fault) -> None:
    ends, first = fault.ends_for(call), fault.answer(call)
    options = dict((*call.options, *fault.options))
    with (
        faulty(first, call.good, call.good) as server,
        client_of(call.service, kind, server.origin, **options) as client,
    ):
        if ends in ("resent", "answered"):
            call.ask(client)
        else:
            with pytest.raises((APIError, LimitError)) as caught:
                call.ask(client)
            told(ends, caught.value, call, first)
    charged = {"resent": 1, "answered": 1, "refused": 0}.get(ends, int(first.charge))
    assert server.charges.total() == charged
    unread = first.hold or first.reset in ("headers", "half")
    assert sent(server) == {"resent": 2}.get(ends, 0 if unread else 1)


def told(ends: Ending, error: Exception, call: Call, first: Answer) -> None:
    if ends == "too large":
        assert isinstance(error, LimitError)
        assert "it may have been billed" in str(error)
        return
    assert isinstance(error, APIError)
    assert (error.billed, error.attempts) == ("unknown" if ends == "doubt" else "no", 1)
    assert error.scan_id == (SCAN_ID if call.service == "copyleaks" else None)
    if ends == "doubt" and error.status is not None and error.status < 300 and not first.headers:
        assert first.body.startswith(error.body)  # what was paid for is kept


QUICK = [name for name, fault in FAULTS.items() if not fault.options]
IN_DOUBT = {name: fault for name, fault in FAULTS.items() if fault.ends == "doubt"}


@pytest.mark.parametrize("fault", IN_DOUBT.values(), ids=IN_DOUBT)
@pytest.mark.parametrize("name", ["copyleaks-check", "copyleaks-submit", "sightengine-check_many"])
def test_what_is_in_doubt_is_sent_again_where_that_was_asked_for(name: str, fault: Fault) -> None:
    call = CALLS[name]
    if fault.garbled or "total_timeout" in dict(fault.options):
        return  # a success that makes no sense would make none again; and then there is no time
    first = fault.answer(call)
    with (
        faulty(first, call.good) as server,
        client_of(
            call.service, "threads", server.origin, resend_ambiguous=True, **dict(fault.options)
        ) as client,
    ):
        call.ask(client)
    assert server.charges.total() == int(first.charge) + 1
    assert len({request.target for request in server.requests if LOGIN not in request.target}) == 1


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_token_that_has_ended_is_replaced_and_another_key_refused(kind: str, call: Call) -> None:
    with (
        faulty(Answer(status=401), call.good) as server,
        client_of(call.service, kind, server.origin, **dict(call.options)) as client,
    ):
        if call.service == "copyleaks":
            call.ask(client)
        else:
            with pytest.raises(APIError):
                call.ask(client)
    assert server.charges.total() == server.logins / 2 == (call.service == "copyleaks")


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_service_that_listens_late_is_asked_again(kind: str, call: Call) -> None:
    """Without a connection nothing was sent: there is no doubt."""
    with (
        faulty(call.good, late_s=0.1) as server,
        client_of(
            *(call.service, kind, server.origin), retries=9, backoff=0.05, **dict(call.options)
        ) as client,
    ):
        call.ask(client)
    assert (server.charges.total(), sent(server)) == (1, 1)


@settings(max_examples=60)
@given(st.sampled_from(sorted(CALLS)), st.lists(st.sampled_from(sorted(QUICK)), max_size=4))
def test_whatever_comes_in_a_row_the_ledger_and_the_caller_agree(
    name: str, faults: list[str]
) -> None:
    call = CALLS[name]
    script = [FAULTS[each].answer(call) for each in faults]
    with (
        faulty(*script, call.good) as server,
        client_of(call.service, "threads", server.origin, **dict(call.options)) as client,
    ):
        try:
            call.ask(client)
            billed = "yes"
        except APIError as error:
            billed = error.billed
    assert server.charges.total() <= 1
    assert billed != "no" or server.charges.total() == 0
    assert billed != "yes" or server.charges.total() == 1


def test_every_call_of_the_clients_is_here() -> None:
    free = {"close", "login", "credits", "job", "wait", "usage", "health", "heatmap"}
    for service, (client, *_) in CLIENTS.items():
        public = {
            name
            for name, value in inspect.getmembers(client, inspect.isfunction)
            if not name.startswith("_")
        }
        asked = {key.split("-")[1] for key, call in CALLS.items() if call.service == service}
        assert public - free == asked
