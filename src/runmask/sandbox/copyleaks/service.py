"""The endpoints of Copyleaks."""

import asyncio
import hashlib
import logging
import uuid
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import TypeVar

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..bodies import in_time, media_type, parse_json, read_bytes
from ..deliveries import deliver
from ..endpoints import Answered, in_its_form
from ..faults import Fault, fault_of
from ..fetches import fetched
from ..names import NOMINAL
from ..photo import FORMATS, read_photo
from ..rates import Rate
from ..refusals import Reason, Refusal
from ..settings import Settings
from .accounts import Account, Accounts, Scan
from .answers import check_answer, failure_body, login_answer, magic_mask, webhook_body
from .errors import (
    MAGIC_STATUSES,
    REASONS,
    duplicate,
    envelope,
    internal,
    magic_error,
    of_status,
    refused,
    too_many_requests,
    unauthorized,
)
from .submission import Submission, judge_submission
from .upload import MAX_FILE, Upload, judge_upload, read_upload_body, scan_id_of
from .wire import json_response

logger = logging.getLogger("runmask.sandbox")

DEVELOPMENT_KEY = "00000000-0000-0000-0000-000000000000"
MAX_LOGIN_BYTES = 64 * 1024
CHECK_PATH_SEGMENTS = 5  # "", v1, ai-image-detector, the scan id, check

MAGIC_SCAN_IDS = {
    "sbx-ai-*": "every pixel is marked",
    "sbx-human-*": "no pixel is marked",
    "sbx-partial-*": "rows H//4 to H//2 and columns W//4 to W//2 are marked, ends out",
    "sbx-err-<code>-*": "the error of that code: 1 to 17, 19 to 22, 24",
    "sbx-err-http<status>-*": f"that status: {', '.join(map(str, MAGIC_STATUSES))}",
}

Result = TypeVar("Result")


def routes(settings: Settings, workers: Executor) -> list[Route]:
    """Return the paths of the service; ``workers`` has the threads for the analyses."""
    service = Copyleaks(settings, workers)
    in_form = partial(in_its_form, refused=refused, internal=internal, status=of_status)
    check = "/v1/ai-image-detector/{scan_id:path}/check"
    submit = "/v1/ai-image-detector-async/{scan_id:path}/submit"
    return [
        Route("/v3/account/login/api", in_form(service.login), methods=["POST"]),
        Route("/v3/scans/credits", in_form(service.credits), methods=["GET"]),
        Route(check, in_form(service.check), methods=["POST"]),
        Route(submit, in_form(service.submit), methods=["PUT", "POST"]),
    ]


class Copyleaks:
    """The service's endpoints over the accounts of one sandbox."""

    def __init__(self, settings: Settings, workers: Executor) -> None:
        self.settings = settings
        self.workers = workers
        self.checks = anyio.Semaphore(settings.max_checks)
        self.tasks: set[asyncio.Task[None]] = set()
        self.accounts = Accounts(settings)
        self.login_rate = Rate(settings.login_limit)
        self.check_rate = Rate(settings.check_limit)
        self.other_rate = Rate(settings.other_limit)

    async def login(self, request: Request) -> Response:
        if media_type(request) != "application/json":
            raise Refusal(Reason.MEDIA_TYPE, "Content-Type", "application/json is needed")
        reading = read_bytes(request, MAX_LOGIN_BYTES)
        fields = parse_json(await in_time(reading, self.settings.body_timeout_s))
        email, key = fields.get("email"), fields.get("key")
        if not isinstance(email, str) or "@" not in email or len(email) > 254:
            raise Refusal(Reason.FIELD, "email", "an e-mail address is needed")
        if not isinstance(key, str) or not key:
            raise Refusal(Reason.FIELD, "key", "a text is needed")
        self.admit(self.login_rate, email)
        if key != DEVELOPMENT_KEY:
            return envelope(
                2,
                message="key refused: this is a local sandbox, its only key is"
                f" {DEVELOPMENT_KEY}; the service's own is of no use here, and not kept",
            )
        return Response(login_answer(self.accounts.log_in(email)), media_type="application/json")

    async def credits(self, request: Request) -> Response:
        account = self.account(request)
        self.admit(self.other_rate, account.email)
        return json_response({"Amount": account.credits})

    async def check(self, request: Request) -> Response:
        if request.scope["raw_path"].count(b"/") != CHECK_PATH_SEGMENTS - 1:
            return Response(status_code=404)
        account = self.account(request)
        self.admit(self.check_rate, account.email)
        scan_id = scan_id_of(request)
        body = await read_upload_body(request, self.settings.body_timeout_s)
        asked_for = magic_error(scan_id, 1 if self.settings.retry_after else None)
        if asked_for is not None:
            return asked_for
        async with self.checks:  # not before the body is there: slow ones would hold all places
            upload, digest = await self.in_thread(lambda: judged(judge_upload(body)))
            scan = account.scan(scan_id)
            async with scan.lock:
                answer = self.earlier_answer(scan, scan_id, digest)
                if answer is None:
                    answer = await self.scan(account, scan_id, upload)
                    scan.digest, scan.answer = digest, answer
        return Response(answer, media_type="application/json")

    async def submit(self, request: Request) -> Response:
        """Accept a scan, and tell a webhook what came of it."""
        if request.scope["raw_path"].count(b"/") != CHECK_PATH_SEGMENTS - 1:
            return Response(status_code=404)
        account = self.account(request)
        self.admit(self.other_rate, account.email)
        scan_id = scan_id_of(request)
        if media_type(request) != "application/json":
            raise Refusal(Reason.MEDIA_TYPE, "Content-Type", "application/json is needed")
        reading = read_bytes(request, MAX_LOGIN_BYTES)
        submission = judge_submission(
            parse_json(await in_time(reading, self.settings.body_timeout_s))
        )
        asked_for = magic_error(scan_id, 1 if self.settings.retry_after else None)
        if asked_for is not None:
            return asked_for
        scan = account.scan(scan_id)
        if scan.answer and self.settings.duplicate_policy != "ignore":
            raise Answered(duplicate(scan_id))
        looks = self.settings.fetch != "none" or magic_mask(scan_id, NOMINAL) is not None
        cost = 1 if looks and not submission.sandbox else 0
        if account.credits < cost:
            raise Answered(envelope(13, message=f"{cost} credit needed, {account.credits} left"))
        account.credits -= cost
        scan.answer = b"{}"  # taken: its result goes to the webhook alone
        work = self.work_off(account, scan_id, submission, cost, fault_of(request))
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return json_response({}, 201)

    async def work_off(
        self, account: Account, scan_id: str, submission: Submission, cost: int, fault: Fault
    ) -> None:
        """Do what was submitted, and tell the webhook what came of it."""
        created = self.settings.clock()

        def look() -> bytes:
            photo = None
            if magic_mask(scan_id, NOMINAL) is None:
                data = fetched(submission.url, self.settings, MAX_FILE - 1, submission.headers)
                photo = read_photo(data, self.settings.max_pixels, formats=FORMATS | {"TIFF"})
            return webhook_body(self.settings, scan_id, submission, photo, cost, created)

        try:
            body = await self.in_thread(look)
        except Exception as error:
            account.credits += cost
            body = failure_of(error, submission)
        deliver(submission.webhook, body, {}, self.settings.webhook_unit_s, fault)

    def earlier_answer(self, scan: Scan, scan_id: str, digest: bytes) -> bytes | None:
        """Return the answer to repeat, or None where the image has to be scanned."""
        policy = self.settings.duplicate_policy
        if not scan.answer or policy == "ignore":
            return None
        if policy == "conflict" or scan.digest != digest:
            raise Answered(duplicate(scan_id))
        return scan.answer

    async def scan(self, account: Account, scan_id: str, upload: Upload) -> bytes:
        """Analyse an upload and charge the account for it, if it can be analysed."""
        cost = 0 if upload.sandbox else 1
        if account.credits < cost:
            message = f"{cost} credit needed, {account.credits} left"
            raise Answered(envelope(13, message=message))
        created = self.settings.clock()

        def work() -> bytes:
            photo = read_photo(upload.data, self.settings.max_pixels)
            return check_answer(self.settings, scan_id, photo, cost, created)

        account.credits -= cost  # before the wait, so that no two scans spend the same credit
        try:
            return await self.in_thread(work)
        except BaseException:
            account.credits += cost
            raise

    async def in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self.workers, work)

    def account(self, request: Request) -> Account:
        account = self.accounts.bearer(request.headers.get("authorization", ""))
        if account is None:
            raise Answered(unauthorized())
        return account

    def admit(self, rate: Rate, email: str) -> None:
        wait_s = rate.wait_s(email, self.settings.clock())
        if wait_s:
            raise Answered(too_many_requests(wait_s if self.settings.retry_after else None))


def failure_of(error: Exception, submission: Submission) -> bytes:
    """What a webhook tells of a scan that was refused, or that failed."""
    if isinstance(error, Refusal):
        code, _ = REASONS[error.reason]
        return failure_body(submission, code, error.message)
    ticket = str(uuid.uuid4())
    logger.error("a submission failed; ticket %s", ticket, exc_info=error)
    return failure_body(submission, 16, f"internal error; ticket {ticket}")


def judged(upload: Upload) -> tuple[Upload, bytes]:
    return upload, hashlib.sha256(upload.data).digest()
