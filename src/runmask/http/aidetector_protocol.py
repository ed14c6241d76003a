"""What is said between a client of aiimagedetectorapi.com and the service, without any waiting."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypedDict, TypeVar, Unpack

from ..detection import Detection
from ..errors import APIError, APITimeoutError, InputError, shown
from ..fetching import checked_url
from . import aidetector_wire as wire
from . import download
from .address import host_of, is_loopback
from .cache import Found, first, remembered
from .client import Client, Options, check_names, concealed, given, positive
from .jobs import Batch, Job, Report
from .replies import name_of
from .retry import Call, Flow, Reply, Request, Wait, exchange
from .secret import Secret
from .upload import (
    Encoding,
    Image,
    Upload,
    check_count,
    check_encoding,
    prepare,
    prepare_all,
)

T = TypeVar("T")

FIRST_POLL_S, POLL_GROWTH, MAX_POLL_S = 0.1, 1.5, 30.0


class Wishes(TypedDict, total=False):
    """What an answer of AIDetector is to hold: keywords of :meth:`AIDetector.check` and others.

    The dialect "endpoints" has no such choice.

    attribution, heatmap, forensics : bool
        Whether to name likely generators (True), make a heatmap (False), add forensics (False).
    threshold : float, optional
        The service's ``model_threshold``, 0 to 1, which no page explains.
    metadata : mapping, optional
        For the answer to repeat.
    """

    attribution: bool
    heatmap: bool
    forensics: bool
    threshold: float | None
    metadata: Mapping[str, Any] | None


class AIDetectorProtocol(Client):
    _service = wire.SERVICE
    _official_hosts = wire.OFFICIAL_HOSTS

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str = wire.BASE_URL,
        dialect: wire.Dialect = "root",
        **options: Unpack[Options],
    ) -> None:
        # From here on no local variable holds a secret: tracebacks may show locals.
        api_key, key = None, Secret(given(api_key, "api_key", "AIDETECTOR_API_KEY"))
        check_names(type(self).__name__, options, Options)
        settings, options = concealed(options), {}
        key.check("api_key")
        if dialect not in ("root", "endpoints"):
            raise InputError(f"dialect {shown(dialect)}: not 'root' or 'endpoints'")
        real = not key.reveal().startswith(wire.TEST_KEY)
        self._open((key,), {"base_url": base_url}, real=real, **settings)
        self._site = wire.Site(origin=self._origin, key=key, dialect=dialect)
        self._turns = self._pace(wire.RATE)

    def _reader(self, what: str, *, billed: bool = True) -> wire.Reader:
        return wire.Reader(
            what=what, key=self._site.key, max_bytes=self._max_response_bytes, billed=billed
        )

    def _ask(self, request: Request, judge: Callable[[Reply], T | APIError], call: Call) -> Flow[T]:
        return exchange(request, judge, self._policy, call, self._turns)

    def _wanted(self, method: str, wishes: Wishes) -> wire.Wanted:
        check_names(f"{type(self).__name__}.{method}", wishes, Wishes)
        return wanted_of(**wishes)

    def _prepared(self, image: Image, filename: str | None, preflight: bool) -> Upload:
        return prepare(image, filename, wire.LIMITS, preflight=preflight)

    def _prepared_all(self, images: Sequence[Image], preflight: bool) -> list[Upload]:
        return prepare_all(images, wire.LIMITS, wire.MAX_IMAGES, preflight=preflight)

    def _image_flow(
        self,
        what: wire.What,
        upload: Upload,
        wanted: wire.Wanted | None,
        encoding: Encoding,
        call: Call,
    ) -> Flow[Detection]:
        check_encoding(encoding)
        request = wire.image_request(self._site, what, upload, wanted, encoding)
        judge = self._reader(what).detection

        def ask(_: Sequence[int]) -> Flow[list[Detection]]:
            return [(yield from self._ask(request, judge, call))]

        keys = self._keys("aidetector", self._asked(what, wanted, encoding), [upload])
        return first((yield from remembered(self._cache, keys, call, ask, self._read)))

    def _asked(self, what: str, wanted: wire.Wanted | None, encoding: Encoding) -> dict[str, Any]:
        return {
            "what": what,
            "encoding": encoding,  # the pages describe other answers to forms than to JSON
            "dialect": self._site.dialect,
            "wanted": wanted.body() if wanted else None,
        }

    def _read(self, body: bytes) -> Detection:
        return Detection.from_aidetector(body, max_bytes=self._max_response_bytes)

    def _url_flow(
        self, what: wire.What, url: str, wanted: wire.Wanted | None, call: Call
    ) -> Flow[Detection]:
        request = wire.url_request(self._site, what, self._checked(url, "url"), wanted)
        return self._ask(request, self._reader(what).detection, call)

    def _many_flow(self, uploads: Sequence[Upload], wanted: wire.Wanted, call: Call) -> Flow[Batch]:
        raw = b""

        def ask(places: Sequence[int]) -> Flow[Sequence[Found]]:
            nonlocal raw
            sent = [uploads[at] for at in places]
            batch = yield from self._batch_flow(sent, wanted, call)
            raw = batch.raw
            return batch.items

        # As for single images: what was asked of a batch is known to a single call, and vice versa.
        keys = self._keys("aidetector", self._asked("detect", wanted, "base64"), uploads)
        items = yield from remembered(self._cache, keys, call, ask, self._read)
        return Batch(items=tuple(items), raw=raw)

    def _batch_flow(
        self, images: Sequence[str | Upload], wanted: wire.Wanted, call: Call
    ) -> Flow[Batch]:
        request = wire.batch_request(self._site, images, wanted)
        judge = partial(self._reader("batch").batch, count=len(images))
        return self._ask(request, judge, call)

    def _submit_flow(
        self, urls: Sequence[str], webhook: str | None, wanted: wire.Wanted, call: Call
    ) -> Flow[Job]:
        if webhook is not None:
            webhook = self._checked(webhook, "webhook")
        request = wire.async_request(self._site, self._checked_all(urls), wanted, webhook)
        return self._ask(request, self._reader("batch").job, call)

    def _job_flow(self, job_id: str, call: Call) -> Flow[Job]:
        if name_of(job_id) is None:
            raise InputError(f"job_id {shown(job_id)}: not the id of a job")
        request = wire.get_request(self._site, wire.job_path(job_id))
        return self._ask(request, self._reader("question for the job", billed=False).job, call)

    def _wait_flow(self, job_id: str, poll: float, call: Call) -> Flow[Job]:
        most = positive(poll, "poll")
        pause = min(FIRST_POLL_S, most)
        while True:
            job = yield from self._job_flow(job_id, call)
            if job.done:
                return job
            if call.left() <= pause:
                raise APITimeoutError(
                    f"the job {shown(job_id)} is still {shown(job.status)}",
                    attempts=call.attempts,
                    retryable=True,
                )
            yield Wait(pause)
            pause = min(2 * pause, most) if pause < most else pause * POLL_GROWTH
            pause = min(pause, max(most, MAX_POLL_S))

    def _c2pa_flow(self, image: Upload | str, call: Call) -> Flow[Report]:
        if isinstance(image, Upload):
            request = wire.image_request(self._site, "c2pa", image, None, "multipart")
        else:
            request = wire.url_request(self._site, "c2pa", self._checked(image, "url"), None)
        return self._ask(request, self._reader("verification").report, call)

    def _report_flow(self, path: str, what: str, call: Call) -> Flow[Report]:
        request = wire.get_request(self._site, path)
        return self._ask(request, self._reader(what, billed=False).report, call)

    def _checked(self, url: str, name: str) -> str:
        return checked_url(url, name, loopback=is_loopback(host_of(self._origin)))

    def _checked_all(self, urls: Sequence[str]) -> list[str]:
        if isinstance(urls, (str, bytes)):
            raise InputError("urls is one address: not a list of them")
        check_count(len(urls), wire.MAX_IMAGES)
        return [self._checked(url, f"urls[{at}]") for at, url in enumerate(urls)]

    def _heatmap_address(self, detection: Detection) -> str:
        address = detection.heatmap
        if not isinstance(address, str):
            raise InputError("the detection names no heatmap: ask for one with heatmap=True")
        return address

    def _fetch(self, address: str) -> bytes:
        local = is_loopback(host_of(self._origin))
        return download.fetch(
            address,
            timeout=self._total_timeout,
            ca_bundle=self._ca_bundle,
            allow_loopback=local,
        )


def wanted_of(
    attribution: bool = True,
    heatmap: bool = False,
    forensics: bool = False,
    threshold: float | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> wire.Wanted:
    if threshold is not None and not (
        isinstance(threshold, (int, float)) and math.isfinite(threshold) and 0 <= threshold <= 1
    ):
        raise InputError(f"threshold {shown(threshold)}: not a number from 0 to 1")
    if metadata is not None:
        try:
            json.dumps(dict(metadata), allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise InputError(f"metadata {shown(metadata)}: no JSON object: {error}") from None
    return wire.Wanted(
        attribution=bool(attribution),
        heatmap=bool(heatmap),
        forensics=bool(forensics),
        threshold=threshold,
        metadata=metadata,
    )


def id_of(job: Job | str) -> str:
    return job.id if isinstance(job, Job) else job
