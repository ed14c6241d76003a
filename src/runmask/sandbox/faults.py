"""Faults on demand: what networks, proxies and busy services do, for any request.

The header ``X-Sandbox-Fault`` of a request names one or more, with commas between. A name in it
names one, ``sbx-fault-truncated-1``: the scan id of Copyleaks, and for the other services the name
of a file, ``sbx-fault-truncated-1.jpg``, or the last part of an address. A result may stand before
it: ``sbx-ai-fault-webhook-twice-1``. With ``once-`` in front, as in ``sbx-fault-once-reset-1``, the
first request to a path, or with that file, has the fault and later ones have none, so that what a
retry does can be seen.

=======================  ==========================================================================
``latency-<ms>``         the answer begins that much later
``slow-<ms>``            its body comes in 16 pieces, that long apart
``truncated``            half of its body comes, then the connection ends
``reset``                the request is carried out and charged; instead of an answer, a reset
``reset-before``         a reset before the request is looked at; nothing is charged
``content-type``         the right body, called ``text/html``
``429``, ``503``         that status, in the service's form and without ``Retry-After``
``429-after-<s>``        the same with it; ``503-after-<s>`` too
``500``, ``502``         that status, in the service's form where it has one; ``504`` too
``webhook-twice``        the webhook of this request is sent a second time
``webhook-late-<ms>``    it is sent that much later, after those of later requests
=======================  ==========================================================================

A status is answered when the body has arrived; the request is not carried out and costs nothing.
Milliseconds are 0 to 60000, seconds 0 to 3600.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..serving import CONNECTION
from .bodies import in_time
from .rates import Newest
from .refusals import Reason, Refusal

__all__ = [
    "FORMS",
    "HEADER",
    "NAMES",
    "NONE",
    "Fault",
    "Faults",
    "add_fault",
    "fault_of",
    "proxy_page",
    "status_asked_for",
]

HEADER = "X-Sandbox-Fault"
PIECES = 16
DRAIN_S = 60
MAX_REMEMBERED = 1_000
MAX_MS, MAX_S = 60_000, 3600

FORMS = (
    *("latency-<ms>", "slow-<ms>", "truncated", "reset", "reset-before", "content-type"),
    *("429", "429-after-<s>", "500", "502", "503", "503-after-<s>", "504"),
    *("webhook-twice", "webhook-late-<ms>"),
)

NAMES = ("sbx-fault-<fault>-*", "sbx-ai-fault-<fault>-*")

_SCAN_ID = re.compile(r"/(?P<name>sbx-[^/]*)/(?:check|submit)")
_NAME = re.compile(r"(?:\d-)?sbx-(?:(?:ai|human|partial)-)?fault-(?P<fault>[^./]*)")
_NUMBERED = re.compile(r"(?P<form>latency|slow|webhook-late|(?:429|503)-after)-(?P<number>\d{1,5})")
_SCOPE, _MEMORY = "runmask.fault", "runmask.faults"


@dataclass(frozen=True)
class Fault:
    """What is to go wrong with one request."""

    latency_s: float = 0
    pause_s: float = 0
    truncated: bool = False
    reset: bool = False
    reset_before: bool = False
    content_type: bool = False
    status: int | None = None
    retry_after_s: int | None = None
    webhook_twice: bool = False
    webhook_late_s: float = 0


NONE = Fault()


def fault_of(request: Request) -> Fault:
    """The fault that a request asks for; :data:`NONE` if it asks for none."""
    fault: Fault = request.scope.get(_SCOPE, NONE)
    return fault


def add_fault(request: Request, name: str) -> Fault:
    """All that a request asks for, with what the name of a file in its body does."""
    asked = asked_by(name)
    if asked is not None:
        fault = request.scope[_MEMORY].next(name, asked, fault_of(request))
        if fault is None:
            raise Refusal(Reason.FIELD, "image", no_fault(asked))
        request.scope[_SCOPE] = fault
    return fault_of(request)


def asked_by(name: str) -> str | None:
    """The fault in a name, whose last part only tells it from others."""
    match = _NAME.match(name)
    if match is None:
        return None
    fault = match["fault"]
    return fault if known(fault) else fault.rpartition("-")[0]


def no_fault(name: str) -> str:
    return f"there is no fault {name[:40]!r}: {', '.join(FORMS)}"


def parsed(name: str, so_far: Fault = NONE) -> Fault | None:
    """``so_far`` with one more fault; None if there is none of that name."""
    if name in ("truncated", "reset"):
        return replace(so_far, **{name: True})
    if name in ("reset-before", "content-type", "webhook-twice"):
        return replace(so_far, **{name.replace("-", "_"): True})
    if name in ("429", "500", "502", "503", "504"):
        return replace(so_far, status=int(name))
    match = _NUMBERED.fullmatch(name)
    if match is None:
        return None
    form, number = match["form"], int(match["number"])
    if form.endswith("-after"):
        if number > MAX_S:
            return None
        return replace(so_far, status=int(form[:3]), retry_after_s=number)
    if number > MAX_MS:
        return None
    match form:
        case "latency":
            return replace(so_far, latency_s=number / 1000)
        case "slow":
            return replace(so_far, pause_s=number / 1000)
    return replace(so_far, webhook_late_s=number / 1000)


class Faults:
    """Has the faults happen that a request asks for."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.had: Newest[tuple[str, str], bool] = Newest(MAX_REMEMBERED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        fault = NONE
        for name in names_in(scope):
            more = self.next(scope["path"], name, fault)
            if more is None:
                await PlainTextResponse(no_fault(name), 400)(scope, receive, send)
                return
            fault = more
        scope[_SCOPE], scope[_MEMORY] = fault, self
        await suffer(self.app, scope, receive, send)

    def next(self, where: str, name: str, so_far: Fault) -> Fault | None:
        once = name.removeprefix("once-")
        fault = parsed(once, so_far)
        if fault is None or once == name:
            return fault
        if (where, name) in self.had:
            return so_far
        self.had[where, name] = True
        return fault


def names_in(scope: Scope) -> list[str]:
    """The names of the faults that the headers and the scan id of a request ask for."""
    listed = ",".join(Headers(scope=scope).getlist(HEADER))
    names = [name.strip() for name in listed.split(",") if name.strip()]
    match = _SCAN_ID.search(scope["path"])
    by_id = match and asked_by(match["name"])
    return names if by_id is None else [*names, by_id]


def known(name: str) -> bool:
    return parsed(name.removeprefix("once-")) is not None


async def suffer(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """What the head of a request asks for is known before; what its body does, when it answers."""
    held: list[Message] = []

    async def hold(message: Message) -> None:
        if scope[_SCOPE] is NONE:
            await send(message)
        else:
            held.append(message)

    if not scope[_SCOPE].reset_before:
        await app(scope, receive, hold)
    fault: Fault = scope[_SCOPE]
    if fault is NONE:
        return
    connection = scope.get("extensions", {}).get(CONNECTION)
    if connection is None and (fault.reset or fault.reset_before or fault.truncated):
        raise RuntimeError("faults of connections need the sandbox's own server")
    if fault.latency_s:
        await asyncio.sleep(fault.latency_s)
    if fault.reset or fault.reset_before:
        await ended(connection.reset, receive)
        return
    start, *rest = held
    body = b"".join(message.get("body", b"") for message in rest)
    headers = MutableHeaders(scope=start)
    if fault.content_type:
        headers["Content-Type"] = "text/html"
    headers["Content-Length"] = str(len(body))
    await send(start)
    told = body[: len(body) // 2] if fault.truncated else body
    await in_pieces(told, fault.pause_s, send)
    if fault.truncated:
        await ended(connection.close, receive)
    else:
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def in_pieces(body: bytes, pause_s: float, send: Send) -> None:
    size = -(-len(body) // PIECES) if pause_s else len(body)
    for at in range(0, len(body), size or 1):
        if at:
            await asyncio.sleep(pause_s)
        await send({"type": "http.response.body", "body": body[at : at + size], "more_body": True})


async def ended(how: Callable[[], None], receive: Receive) -> None:
    """End the connection, and wait until the server knows: else it would answer 500."""
    how()
    while (await receive())["type"] != "http.disconnect":
        pass


async def status_asked_for(
    request: Request, in_form: Callable[[int, int | None], Response]
) -> Response | None:
    """The answer with the status that a request asks for, once its body is there."""
    fault = fault_of(request)
    if fault.status is None:
        return None
    await in_time(drained(request), DRAIN_S)
    return in_form(fault.status, fault.retry_after_s)


async def drained(request: Request) -> None:
    async for _ in request.stream():
        pass


def proxy_page(status: int) -> Response:
    """What a proxy in front of a service says: no service's form."""
    name = {502: "Bad Gateway", 504: "Gateway Timeout"}[status]
    return HTMLResponse(f"<html><body><h1>{status} {name}</h1></body></html>", status)
