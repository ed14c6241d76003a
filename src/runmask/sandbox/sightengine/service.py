"""The endpoint of Sightengine, its answers, and its errors."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ... import __version__
from ..bodies import Form, in_time, media_type, read_bytes, read_form
from ..endpoints import Answered, in_its_form, meet_faults
from ..faults import proxy_page
from ..fetches import fetched
from ..names import error_of, made, name_in, result_of
from ..photo import MAX_PIXELS, read_photo
from ..refusals import Reason, Refusal
from ..settings import NOTICE, SECOND, Settings

DEVELOPMENT = ("0000", "sandbox")
MAX_FILE, MAX_FILES, MAX_TOTAL = 12_000_000, 6, 24_000_000
FORMATS = frozenset(("JPEG", "PNG", "WEBP", "GIF"))
MIN_SIDE = 64  # of the analysis; no page names one
OPERATIONS = 5  # of genai
SLACK = 64 * 1024
MAX_TEXTS = 64 * 1024

# The type of an error, and our guess at its status.
STATUSES = {
    "api_error": 500,
    "argument_error": 400,
    "callback_error": 400,
    "credentials_error": 401,
    "media_error": 400,
    "plan_error": 402,
    "request_error": 400,
    "unknown_error": 500,
    "usage_limit": 429,
}
_CODES = {"credentials_error": 1, "usage_limit": 32}
_REASONS = {Reason.FIELD: "argument_error", Reason.MEDIA_TYPE: "request_error"}

Result = TypeVar("Result")


@dataclass(frozen=True)
class Given:
    """One image: its name, and its bytes, or none where it is an address."""

    name: str
    uri: str
    data: bytes | None


def routes(settings: Settings, workers: Executor) -> list[Route]:
    """Return the path of the service; ``workers`` has the threads for the analyses."""
    service = Sightengine(settings, workers)

    def internal(ticket: str) -> Response:
        return failed(settings, "unknown_error", f"internal error; ticket {ticket}")

    check = in_its_form(
        service.check, partial(refused, settings), internal, partial(of_status, settings)
    )
    return [Route("/1.0/check.json", check, methods=["GET", "POST"])]


class Sightengine:
    """The endpoint, over the one account of a sandbox."""

    def __init__(self, settings: Settings, workers: Executor) -> None:
        self.settings = settings
        self.workers = workers
        self.checks = anyio.Semaphore(settings.max_checks)
        self.left = settings.credits

    async def check(self, request: Request) -> Response:
        form = await self.form(request)
        self.judge_credentials(form.texts)
        self.judge_models(form.texts)
        given, several = self.images(form)
        names = [each.name for each in given]
        meet_faults(request, names, partial(of_status, self.settings))
        for each in given:
            self.refuse_if_asked(each)
        cost = OPERATIONS * len(given)
        if self.left < cost:
            raise Answered(failed(self.settings, "usage_limit", "cap for today is used up"))
        self.left -= cost  # before the wait, so that no two spend the same
        try:
            scores = []
            for each in given:
                async with self.checks:
                    scores.append(await self.in_thread(partial(self.score, each)))
        except BaseException:
            self.left += cost
            raise
        told = [self.told(each, score) for each, score in zip(given, scores, strict=True)]
        body: dict[str, Any] = {"status": "success", "request": request_part(self.settings, cost)}
        body |= {"data": told[::-1]} if several else told[0]
        return JSONResponse(body)

    async def form(self, request: Request) -> Form:
        """The fields, wherever they stand; a name that comes twice counts by its last."""
        query = dict(request.query_params)
        if request.method == "GET":
            return Form(query, [])
        match media_type(request):
            case "multipart/form-data":
                reading = read_form(request, MAX_TOTAL + SLACK)
                form = await in_time(reading, self.settings.body_timeout_s)
                return Form(query | form.texts, form.files)
            case "application/x-www-form-urlencoded":
                raw = await in_time(read_bytes(request, MAX_TEXTS), self.settings.body_timeout_s)
                pairs = parse_qsl(raw.decode("utf-8", "replace"), max_num_fields=32)
                return Form(query | dict(pairs), [])
        raise Refusal(Reason.MEDIA_TYPE, "Content-Type", "a form is needed")

    def judge_credentials(self, texts: Mapping[str, str]) -> None:
        given = (texts.get("api_user", ""), texts.get("api_secret", ""))
        if given != DEVELOPMENT:
            message = (
                "key refused: this is a local sandbox, its only user is 0000 with the secret"
                " sandbox; the service's own are of no use here, and not kept"
            )
            raise Answered(failed(self.settings, "credentials_error", message))

    def judge_models(self, texts: Mapping[str, str]) -> None:
        names = [name.strip() for name in texts.get("models", "").split(",") if name.strip()]
        if not names:
            raise Refusal(Reason.FIELD, "models", "at least one model is needed")
        if names != ["genai"]:
            raise Refusal(Reason.FIELD, "models", "the sandbox knows the model genai and no other")

    def images(self, form: Form) -> tuple[list[Given], bool]:
        """The images, and whether the answer is a list."""
        files = [file for file in form.files if file.field in ("media", "media[]")]
        if url := form.texts.get("url"):
            if files or not url.startswith(("http://", "https://")):
                raise Refusal(Reason.FIELD, "url", "one http or https address, and no file")
            return [Given(name_in(url), url, None)], False
        several = any(file.field == "media[]" for file in files)
        if not files or (len(files) > 1 and not several):
            raise Refusal(Reason.FIELD, "media", "a file part 'media' with a file name is needed")
        if len(files) > MAX_FILES or sum(len(file.data) for file in files) > MAX_TOTAL:
            raise Refusal(Reason.FIELD, "media[]", f"{MAX_FILES} files of {MAX_TOTAL} bytes may be")
        for file in files:
            if len(file.data) > MAX_FILE:
                message = f"{len(file.data)} bytes; {MAX_FILE} may be"
                raise Refusal(Reason.TOO_MANY_BYTES, "media", message)
        return [Given(file.name, file.name, file.data) for file in files], several

    def refuse_if_asked(self, given: Given) -> None:
        kind = error_of(given.name)
        if kind is not None:
            if kind not in STATUSES:
                raise Refusal(Reason.FIELD, "media", f"no error {kind!r}: {', '.join(STATUSES)}")
            raise Answered(failed(self.settings, kind, "asked for by the name"))

    def score(self, given: Given) -> float:
        wanted = result_of(given.name)
        if given.data is not None or wanted is None:
            data = given.data
            if data is None:
                data = fetched(given.uri, self.settings, MAX_FILE)
            photo = read_photo(data, MAX_PIXELS, formats=FORMATS, min_side=MIN_SIDE)
            if wanted is None:
                return self.settings.detector(photo.pixels).score
        return made(wanted, (64, 64)).score

    def told(self, given: Given, score: float) -> dict[str, Any]:
        media = {"id": new_id("med"), "uri": given.uri}
        return {
            "type": {"ai_generated": round(score, 3)},
            "media": media,
            "sandbox": {"notice": NOTICE, "version": __version__},
        }

    async def in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self.workers, work)


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_urlsafe(16)}"


def request_part(settings: Settings, operations: int) -> dict[str, Any]:
    timestamp = settings.clock() / SECOND
    return {"id": new_id("req"), "timestamp": timestamp, "operations": operations}


def failed(settings: Settings, kind: str, message: str) -> Response:
    """The service's form of an error."""
    error = {"type": kind, "code": _CODES.get(kind, 0), "message": message}
    body = {"status": "failure", "request": request_part(settings, 0), "error": error}
    return JSONResponse(body, STATUSES[kind])


def of_status(settings: Settings, status: int, retry_after_s: int | None) -> Response:
    """The service's answer of a status that a fault asks for; how it says 429 or 503 is a guess."""
    if status in (502, 504):
        return proxy_page(status)
    kind = "usage_limit" if status == 429 else "api_error"
    response = failed(settings, kind, "asked for by a fault")
    response.status_code = status
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    return response


def refused(settings: Settings, refusal: Refusal) -> Response:
    kind = _REASONS.get(refusal.reason, "media_error")
    return failed(settings, kind, f"{refusal.field}: {refusal.message}")


def unrouted(settings: Settings, status: int) -> Response:
    """The service's form for a path (404) or a method (405) that it does not have."""
    response = failed(settings, "request_error", "there is no such path or method")
    response.status_code = status
    return response
