"""The endpoints of aiimagedetectorapi.com."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, TypeVar

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..bodies import Form, in_time, media_type, parse_json, read_bytes, read_form
from ..deliveries import checked_webhook, deliver
from ..endpoints import Answered, Handler, in_its_form, meet_faults
from ..faults import Fault, fault_of
from ..names import error_of
from ..rates import MAX_ACCOUNTS, Newest
from ..refusals import Reason, Refusal
from ..settings import SECOND, Settings
from . import answers
from .errors import code_of, error, error_body, internal, new_id, of_status, refused
from .images import (
    MAX_FILE,
    WISHES,
    Given,
    Wishes,
    image_in,
    image_of_form,
    images_in,
    wishes_of,
)
from .jobs import WEBHOOK_SECRET, Job, webhook_of
from .plans import Allowance

__all__ = ["KEY_PREFIX", "WEBHOOK_SECRET", "routes"]

KEY_PREFIX = "aidet_test_"
MAX_BATCH = 256 * 2**20  # bytes of a body
MAX_SIGNS = 10_000  # of a batch's JSON
SLACK = 64 * 1024
MAX_HEATMAPS, MAX_JOBS = 256, 1000

Dialect = Literal["root", "endpoints"]
Result = TypeVar("Result")


@dataclass
class Account:
    """An API key that was used."""

    scans_left: int
    used: int = 0
    jobs: Newest[str, Job] = field(default_factory=lambda: Newest(MAX_JOBS))


def routes(settings: Settings, workers: Executor) -> list[Route]:
    """Return the paths of the service; ``workers`` has the threads for the analyses."""
    service = AIDetector(settings, workers)

    def route(path: str, handler: Handler, method: str = "POST") -> Route:
        answered = in_its_form(handler, refused, internal, of_status)

        async def endpoint(request: Request) -> Response:
            return service.with_rate_headers(await answered(request), key_in(request)[1])

        return Route(path, endpoint, methods=[method])

    return [
        route("/v1/detect", service.detect),
        route("/v1/detect/batch", service.batch),
        route("/v1/detect/async", partial(service.submit, name="images")),
        route("/v1/batch", partial(service.submit, name="urls")),
        route("/v1/forensics", service.forensics),
        route("/v1/forensic", service.forensics),
        route("/v1/c2pa/verify", service.c2pa),
        route("/v1/jobs/{job_id}", service.job, "GET"),
        route("/v1/usage", service.usage, "GET"),
        route("/h/{name}", service.heatmap, "GET"),
    ]


class AIDetector:
    """The service's endpoints over the keys of one sandbox."""

    def __init__(self, settings: Settings, workers: Executor) -> None:
        self.settings = settings
        self.workers = workers
        self.checks = anyio.Semaphore(settings.max_checks)
        self.accounts: Newest[str, Account] = Newest(MAX_ACCOUNTS)
        self.allowance = Allowance(settings)
        self.heatmaps: Newest[str, bytes] = Newest(MAX_HEATMAPS)
        self.tasks: set[asyncio.Task[None]] = set()

    # -- endpoints

    async def detect(self, request: Request) -> Response:
        account = self.account(request)
        given, wishes, dialect = await self.one(request)
        judged, elapsed = await self.judged_one(account, given)
        answer = await self.in_thread(
            lambda: self.answer(judged, wishes, dialect, elapsed, self.keeper(request))
        )
        return said(answer)

    async def batch(self, request: Request) -> Response:
        account = self.account(request)
        fields = await self.fields(request)
        given, wishes = images_in(fields, "images"), wishes_of(fields)
        meet_faults(request, [each.name for each in given], of_status)
        keep = self.keeper(request)
        key = self.begin_batch(request)
        try:
            found = await self.judged(account, given)
            results = await self.in_thread(lambda: self.results(found, given, wishes, "root", keep))
        finally:
            self.allowance.end_batch(key)
        return said({"results": results, "request_id": new_id("req")})

    async def submit(self, request: Request, *, name: str) -> Response:
        account = self.account(request)
        if not self.allowance.plan.jobs:
            raise Answered(error("forbidden", "the free plan has no batches that answer later"))
        fields = await self.fields(request)
        given, wishes = images_in(fields, name), wishes_of(fields)
        meet_faults(request, [each.name for each in given], of_status)
        webhook = fields.get("webhook_url")
        if webhook is not None:
            webhook = checked_webhook(webhook, "webhook_url")
        key = self.begin_batch(request)
        job = Job(new_id("job"), len(given), webhook)
        account.jobs[job.id] = job
        dialect: Dialect = "root" if name == "images" else "endpoints"
        keep, fault = self.keeper(request), fault_of(request)
        work = self.work_off(account, job, given, wishes, dialect, keep, fault)
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        task.add_done_callback(lambda _: self.allowance.end_batch(key))
        accepted = {
            "job_id" if name == "images" else "batch_id": job.id,
            "status": "processing",
            "total_items": job.total,
            "webhook_url": webhook,
            "estimated_completion_seconds": 1,
        }
        return said(accepted, 202)

    async def work_off(
        self,
        account: Account,
        job: Job,
        given: Sequence[Given],
        wishes: Wishes,
        dialect: Dialect,
        keep: Callable[[bytes], str],
        fault: Fault,
    ) -> None:
        try:
            found = await self.judged(account, given)
            job.results = await self.in_thread(
                lambda: self.results(found, given, wishes, dialect, keep)
            )
        except Answered:
            job.results = [
                {"index": at, "error": error_body("payment_required")} for at in range(len(given))
            ]
        job.done = True
        if job.webhook_url is not None:
            body, headers = webhook_of(job, new_id("req"))
            deliver(job.webhook_url, body, headers, self.settings.webhook_unit_s, fault)

    async def forensics(self, request: Request) -> Response:
        account = self.account(request)
        given, _, _ = await self.one(request)
        judged, elapsed = await self.judged_one(account, given)
        answer = await self.in_thread(
            lambda: answers.forensic_answer(judged, elapsed, self.keeper(request))
        )
        return said(answer)

    async def c2pa(self, request: Request) -> Response:
        self.account(request)
        given, _, _ = await self.one(request)
        answer = await self.in_thread(
            lambda: answers.c2pa_answer(answers.data_of(given, self.settings))
        )
        return said(answer)

    async def job(self, request: Request) -> Response:
        job = self.account(request).jobs.get(request.path_params["job_id"])
        if job is None:
            return error("not_found", "there is no such job")
        return said(job.told())

    async def usage(self, request: Request) -> Response:
        account = self.account(request)
        return said(
            {
                "plan": self.allowance.plan.name,
                "scans_used": account.used,
                "scans_remaining": account.scans_left,
                "request_id": new_id("req"),
            },
        )

    async def heatmap(self, request: Request) -> Response:
        data = self.heatmaps.get(request.path_params["name"])
        if data is None:
            return error("not_found", "there is no such heatmap")
        return Response(data, media_type="image/png")

    # -- steps

    def account(self, request: Request) -> Account:
        """Whose key came; also counts the request, and refuses it if there were too many."""
        scheme, key = key_in(request)
        if scheme != "bearer" or not key.startswith(KEY_PREFIX):
            live = key.startswith("aidet_live_")
            raise Answered(
                error(
                    "unauthorized",
                    f"live key refused: this is a local sandbox, its keys begin with {KEY_PREFIX};"
                    " what was sent is not kept"
                    if live
                    else None,
                )
            )
        wait_s = self.allowance.wait_s(key)
        if wait_s:
            raise Answered(self.too_fast(key, wait_s))
        return self.accounts.setdefault(key, Account(self.allowance.scans))

    def too_fast(self, key: str, wait_s: int, message: str | None = None) -> Response:
        late = wait_s if self.settings.retry_after else None
        response = error("rate_limited", message, retry_after_s=late)
        return self.with_rate_headers(response, key, wait_s)

    def begin_batch(self, request: Request) -> str:
        """The key whose batch begins; refused if too many are worked on already."""
        key = key_in(request)[1]
        if not self.allowance.begin_batch(key):
            message = f"{self.allowance.plan.batches} batches at a time are the most of the plan"
            raise Answered(self.too_fast(key, 1, message))
        return key

    async def one(self, request: Request) -> tuple[Given, Wishes, Dialect]:
        """The image of a request, the wishes, and the dialect to answer in."""
        body = await self.body(request, MAX_FILE)
        if isinstance(body, Form):
            given, wishes = image_of_form(body), wishes_of(body.texts)
        else:
            given, wishes = image_in(body), wishes_of(body)
        meet_faults(request, [given.name], of_status)
        self.refuse_if_asked(given)
        bare = isinstance(body, Form) and body.texts.keys().isdisjoint(WISHES)
        default: Dialect = "endpoints" if bare else "root"
        named = request.headers.get("x-sandbox-dialect")
        if named is None:
            return given, wishes, default
        if named not in ("root", "endpoints"):
            raise Refusal(Reason.FIELD, "X-Sandbox-Dialect", "root or endpoints is needed")
        return given, wishes, "root" if named == "root" else "endpoints"

    async def fields(self, request: Request) -> dict[str, Any]:
        body = await self.body(request, MAX_BATCH)
        if isinstance(body, Form):
            raise Refusal(Reason.MEDIA_TYPE, "Content-Type", "application/json is needed")
        return body

    async def body(self, request: Request, most: int) -> Form | dict[str, Any]:
        match media_type(request):
            case "application/json":
                limit = (most + 2) // 3 * 4 + SLACK
                raw = await in_time(read_bytes(request, limit), self.settings.body_timeout_s)
                return await self.in_thread(lambda: parse_json(raw, MAX_SIGNS))
            case "multipart/form-data":
                reading = read_form(request, most + SLACK)
                return await in_time(reading, self.settings.body_timeout_s)
        raise Refusal(
            Reason.MEDIA_TYPE, "Content-Type", "application/json or multipart/form-data is needed"
        )

    def refuse_if_asked(self, given: Given) -> None:
        code = error_of(given.name)
        if code is not None:
            late = code in ("rate_limited", "service_unavailable") and self.settings.retry_after
            raise Answered(error(code, retry_after_s=1 if late else None))

    async def judged_one(self, account: Account, given: Given) -> tuple[answers.Judged, int]:
        """As :meth:`judged`, of one image, and how many milliseconds that took."""
        began = time.perf_counter()
        [judged] = await self.judged(account, [given])
        if isinstance(judged, Refusal):
            raise judged
        return judged, round((time.perf_counter() - began) * 1e3)

    async def judged(
        self, account: Account, given: Sequence[Given]
    ) -> list[answers.Judged | Refusal]:
        """Analyse images and charge for those that could be."""
        if account.scans_left < len(given):
            message = f"{len(given)} scans needed, {account.scans_left} left"
            raise Answered(error("payment_required", message))
        account.scans_left -= len(given)  # before the wait, so that no two spend the same
        found: list[answers.Judged | Refusal] = []
        try:
            for each in given:
                async with self.checks:
                    found.append(await self.in_thread(partial(self.attempt, each)))
        finally:
            good = sum(not isinstance(each, Refusal) for each in found)
            account.scans_left += len(given) - good
            account.used += good
        return found

    def attempt(self, given: Given) -> answers.Judged | Refusal:
        try:
            if error_of(given.name):
                return Refusal(Reason.FIELD, "image_url", "asked for by the name")
            return answers.judge(given, self.settings)
        except Refusal as refusal:
            return refusal

    def results(
        self,
        found: Sequence[answers.Judged | Refusal],
        given: Sequence[Given],
        wishes: Wishes,
        dialect: Dialect,
        keep: Callable[[bytes], str],
    ) -> list[dict[str, Any]]:
        """What stands in a batch for each image."""
        results = []
        for at, (each, image) in enumerate(zip(found, given, strict=True)):
            item: dict[str, Any] = {"index": at}
            if image.url is not None:
                item["image_url"] = image.url
            if isinstance(each, Refusal):
                code = error_of(image.name) or code_of(each)
                item["error"] = error_body(code, each.message, each.field)
            else:
                item |= self.answer(each, wishes, dialect, 0, keep)
            results.append(item)
        return results

    def answer(
        self,
        judged: answers.Judged,
        wishes: Wishes,
        dialect: Dialect,
        elapsed_ms: int,
        keep: Callable[[bytes], str],
    ) -> dict[str, Any]:
        if dialect == "root":
            return answers.root_answer(judged, wishes, elapsed_ms, keep)
        return answers.endpoints_answer(judged, elapsed_ms, keep)

    def keeper(self, request: Request) -> Callable[[bytes], str]:
        origin = str(request.base_url).rstrip("/")

        def keep(data: bytes) -> str:
            name = f"{new_id('h')}.png"
            self.heatmaps[name] = data
            return f"{origin}/h/{name}"

        return keep

    def with_rate_headers(self, response: Response, key: str, reset_s: int = 1) -> Response:
        """As all answers have them. Who came too fast has nothing left."""
        rate, left = self.allowance.told(key)
        reset = self.settings.clock() // SECOND + reset_s
        response.headers.setdefault("X-RateLimit-Limit", str(rate))
        response.headers.setdefault(
            "X-RateLimit-Remaining", str(0 if response.status_code == 429 else left)
        )
        response.headers.setdefault("X-RateLimit-Reset", str(reset))
        return response

    async def in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self.workers, work)


def said(answer: Mapping[str, Any], status: int = 200) -> Response:
    request_id = str(answer.get("request_id") or new_id("req"))
    return JSONResponse(dict(answer), status, {"X-Request-Id": request_id})


def key_in(request: Request) -> tuple[str, str]:
    """The scheme, in lower case, and the key."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return scheme.lower(), key.strip()
