"""The sandbox as an ASGI application: all services, behind one guard.

The guard answers only clients on this machine that mean to speak to it: a web page of another
origin, or one that has bound its own name to this address, gets 403. Every answer says in the
header ``X-Runmask-Sandbox`` what the sandbox is. Nothing here fetches a URL, unless
:attr:`Settings.fetch` allows it.
"""

import ipaddress
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, ExceptionHandler, Message, Receive, Scope, Send

from ..serving import MAX_HEAD
from . import aidetector, copyleaks, faults, names, openapi, page, sightengine
from .settings import NOTICE, Settings

logger = logging.getLogger("runmask.sandbox")

HEADER = "X-Runmask-Sandbox"
HEALTH = "/v1/health"
GZIP_FROM = 16 * 1024  # bytes of an answer

SERVICES = (copyleaks.routes, aidetector.routes, sightengine.routes, page.routes)
"""One line a service: from the settings and the limit of workers to its routes."""


def create_app(settings: Settings | None = None) -> Starlette:
    """Return the sandbox as an ASGI application, with accounts and scans of its own."""
    settings = settings or Settings()
    # An executor's threads are joined when the interpreter ends; a thread that came back from
    # OpenCV after that would take the process down.
    workers = ThreadPoolExecutor(settings.workers, thread_name_prefix="runmask-sandbox")
    described = openapi.document()

    async def describe(_: Request) -> Response:
        return JSONResponse(described)

    routes = [
        Route(HEALTH, health, methods=["GET"]),
        Route(openapi.PATH, describe, methods=["GET"]),
    ]
    for service in SERVICES:
        routes += service(settings, workers)
    middleware = [
        Middleware(Guard),
        Middleware(faults.Faults),
        Middleware(GZipMiddleware, minimum_size=GZIP_FROM, compresslevel=1),
    ]
    handlers = {HTTPException: unrouted(settings)}
    app = Starlette(routes=routes, middleware=middleware, exception_handlers=handlers)
    app.router.redirect_slashes = False
    app.state.workers = workers
    return app


def unrouted(settings: Settings) -> ExceptionHandler:
    """Give paths and methods that no service has the form of the one they are nearest to."""
    forms: dict[str, Callable[[int], Response]] = {
        "/v1/ai-image-detector": lambda status: PlainTextResponse("", status),
        "/v1/": aidetector.unrouted,
        "/h/": aidetector.unrouted,
        "/1.0/": partial(sightengine.unrouted, settings),
    }

    async def answer(request: Request, fault: Exception) -> Response:
        assert isinstance(fault, HTTPException)
        path = request.scope["path"]
        form = next((form for head, form in forms.items() if path.startswith(head)), None)
        if form is None:
            response: Response = PlainTextResponse(fault.detail, fault.status_code)
        else:
            response = form(fault.status_code)
        response.headers.update(fault.headers or {})
        return response

    return answer


async def health(request: Request) -> Response:
    """Answer once the server is up; says what is served, and how to get each answer."""
    return JSONResponse(
        {
            "status": "ok",
            "notice": NOTICE,
            "faults": {
                "header": faults.HEADER,
                "scanIds": faults.NAMES,
                "fileNames": faults.NAMES,
                "names": faults.FORMS,
            },
            "services": {
                "copyleaks": {
                    "key": copyleaks.DEVELOPMENT_KEY,
                    "scanIds": copyleaks.MAGIC_SCAN_IDS,
                },
                "aidetector": {
                    "key": f"{aidetector.KEY_PREFIX}anything",
                    "webhookSecret": aidetector.WEBHOOK_SECRET,
                    "names": names.PATTERNS | {"sbx-err-<code>-*": "the error of that code"},
                },
                "sightengine": {
                    "user": sightengine.DEVELOPMENT[0],
                    "secret": sightengine.DEVELOPMENT[1],
                    "names": names.PATTERNS | {"sbx-err-<type>-*": "the error of that type"},
                },
            },
        }
    )


class Guard:
    """Refuses foreign hosts and origins, marks every answer, and logs one line for each.

    A line has the method, the path as the route has it, the status and the time: never what a
    client put into the path, the query or a header, which may be a key.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[HEADER] = NOTICE
                headers["Cache-Control"] = "no-store"
                elapsed_ms = (time.perf_counter() - began) * 1e3
                path = getattr(scope.get("route"), "path_format", "(no such path)")
                logger.info(
                    "%s %s %d %.0f ms", scope["method"], path, message["status"], elapsed_ms
                )
            await send(message)

        refusal = refuse_head(Headers(scope=scope))
        await (refusal or self.app)(scope, receive, marked)


def refuse_head(headers: Headers) -> Response | None:
    """Return the answer to a head that is refused whatever the path is; None if it is good."""
    if sum(len(name) + len(value) for name, value in headers.raw) > MAX_HEAD:
        return PlainTextResponse(f"the headers are over {MAX_HEAD} bytes", 431)
    if not is_loopback(f"//{headers.get('host', '')}"):
        return PlainTextResponse("the Host is not a name of this machine's loopback", 403)
    if any(not is_loopback(origin) for origin in headers.getlist("origin")):
        return PlainTextResponse("the Origin is not on this machine's loopback", 403)
    return None


def is_loopback(url: str) -> bool:
    """Tell whether a URL, or the ``//host:port`` of one, names the loopback of this machine.

    Names are not looked up: one that resolves to 127.0.0.1 may belong to anybody.
    """
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
