"""The clients of Sightengine: one for threads, one for event loops."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Unpack

from ..detection import Detection
from ..errors import APIError, InputError, LimitError, shown
from ..fetching import checked_url
from . import sightengine_wire as wire
from .address import host_of, is_loopback
from .cache import Found, first, remembered
from .client import Client, LoopClient, Options, ThreadClient, check_names, concealed, given
from .jobs import Batch
from .retry import Call, Flow, Reply, Request, exchange
from .secret import Secret
from .upload import Image, Upload, prepare, prepare_all


class _Client(Client):
    _service = wire.SERVICE
    _official_hosts = wire.OFFICIAL_HOSTS

    def __init__(
        self,
        api_user: str | None = None,
        api_secret: str | None = None,
        *,
        base_url: str = wire.BASE_URL,
        **options: Unpack[Options],
    ) -> None:
        # From here on no local variable holds a secret: tracebacks may show locals.
        api_user, user = None, Secret(given(api_user, "api_user", "SIGHTENGINE_API_USER"))
        api_secret, key = None, Secret(given(api_secret, "api_secret", "SIGHTENGINE_API_SECRET"))
        check_names(type(self).__name__, options, Options)
        settings, options = concealed(options), {}
        user.check("api_user")
        key.check("api_secret")
        real = (user.reveal(), key.reveal()) != wire.DEVELOPMENT
        self._open((key, user), {"base_url": base_url}, real=real, **settings)
        self._origins = [wire.versioned(self._origin)]
        self._site = wire.Site(origin=self._origin, user=user, secret=key)
        self._turns = self._pace(wire.RATE)

    def _ask(self, request: Request, call: Call) -> Flow[Detection]:
        def judge(reply: Reply) -> Detection | APIError:
            return wire.read_check(reply, self._site.secrets, self._max_response_bytes)

        return exchange(request, judge, self._policy, call, self._turns)

    def _upload_flow(self, upload: Upload, models: Sequence[str], call: Call) -> Flow[Detection]:
        request = wire.upload_request(self._site, upload, models)

        def ask(_: Sequence[int]) -> Flow[list[Detection]]:
            return [(yield from self._ask(request, call))]

        keys = self._keys("sightengine", self._asked(models), [upload])
        return first((yield from remembered(self._cache, keys, call, ask, self._read)))

    def _url_flow(self, url: str, models: Sequence[str], call: Call) -> Flow[Detection]:
        checked_url(url, "url", loopback=is_loopback(host_of(self._origin)))
        return self._ask(wire.url_request(self._site, url, models), call)

    def _many_flow(
        self, uploads: Sequence[Upload], models: Sequence[str], call: Call
    ) -> Flow[Batch]:
        raw = b""

        def ask(places: Sequence[int]) -> Flow[Sequence[Found]]:
            nonlocal raw
            sent = [uploads[at] for at in places]
            names = [wire.name_of(at, upload) for at, upload in enumerate(sent)]
            judge = partial(
                wire.read_checks,
                secrets=self._site.secrets,
                max_bytes=self._max_response_bytes,
                names=names,
            )
            request = wire.uploads_request(self._site, sent, models)
            items, raw = yield from exchange(request, judge, self._policy, call, self._turns)
            return items

        keys = self._keys("sightengine", self._asked(models), uploads)
        items = yield from remembered(self._cache, keys, call, ask, self._read)
        return Batch(items=tuple(items), raw=raw)

    def _asked(self, models: Sequence[str]) -> dict[str, Any]:
        return {"models": sorted(models)}

    def _read(self, body: bytes) -> Detection:
        return Detection.from_sightengine(body, max_bytes=self._max_response_bytes)

    def _prepared(self, image: Image, filename: str | None, preflight: bool) -> Upload:
        return prepare(image, filename, wire.LIMITS, preflight=preflight)

    def _prepared_all(self, images: Sequence[Image], preflight: bool) -> list[Upload]:
        uploads = prepare_all(images, wire.LIMITS, wire.MAX_IMAGES, preflight=preflight)
        total = sum(len(upload.data) for upload in uploads)
        if preflight and total > wire.MAX_TOTAL_BYTES:
            raise LimitError(
                f"the images have {total:,} bytes together: Sightengine takes"
                f" {wire.MAX_TOTAL_BYTES:,} in one request",
                code="image_bytes",
            )
        return uploads


class Sightengine(_Client, ThreadClient):
    """A client of Sightengine's image models, for any number of threads.

    It judges whole images and marks no pixels: its detections have a score and no mask.

    Parameters
    ----------
    api_user, api_secret : str, optional
        Default: the environment's ``SIGHTENGINE_API_USER`` and ``SIGHTENGINE_API_SECRET``. They are
        sent in the body of each request, never in its address.
    base_url : str
        Where the service is. Version 1.0 is added where it has no path. Plain http is for this
        machine only.
    options
        Time limits, retries, rate limit, cache and more: see :class:`Options`. The service
        publishes no rate; 5 a second are kept to by default.

    Raises
    ------
    InputError
        Something of this cannot be used. The message never tells a key.

    Notes
    -----
    The service knows no ids of ours: what may have been billed cannot be asked for again without
    paying again. What it refuses in its own words costs nothing.
    """

    def check(
        self,
        image: Image,
        *,
        models: Sequence[str] = wire.MODELS,
        filename: str | None = None,
        preflight: bool = True,
    ) -> Detection:
        """Send an image and return what the service found. Five operations, for ``genai``.

        Parameters
        ----------
        image : path, bytes, or binary file
            JPEG, PNG, WebP or GIF; an animated one is charged by the frame.
        models : sequence of str
            Of the service's names. The figures of other models than ``genai`` are in ``extra``.
        filename : str, optional
            Default: that of the file.
        preflight : bool
            Refuse before sending what the service would refuse: by format and size, and files that
            are cut off.

        Raises as :meth:`Copyleaks.check`.
        """
        call = self._begin()
        models = _checked_models(models)
        upload = self._prepared(image, filename, preflight)
        return self._run(self._upload_flow(upload, models, call), call)

    def check_url(self, url: str, *, models: Sequence[str] = wire.MODELS) -> Detection:
        """Have the service fetch an image from the public internet. Otherwise as :meth:`check`.

        Raises UnsafeURLError for an address that is none for it; nothing was sent then.
        """
        call = self._begin()
        return self._run(self._url_flow(url, _checked_models(models), call), call)

    def check_many(
        self,
        images: Sequence[Image],
        *,
        models: Sequence[str] = wire.MODELS,
        preflight: bool = True,
    ) -> Batch:
        """Send up to 6 images in one request, of up to 24 MB together; of a cache, the new ones.

        The operations of the request are shared out among the detections. An item for which no
        answer came is the error. Raises as :meth:`check`.
        """
        call = self._begin()
        models = _checked_models(models)
        uploads = self._prepared_all(images, preflight)
        return self._run(self._many_flow(uploads, models, call), call)


class AsyncSightengine(_Client, LoopClient):
    """:class:`Sightengine` for the tasks of one event loop: same arguments, and awaited methods.

    Files are read in a thread.
    """

    async def check(
        self,
        image: Image,
        *,
        models: Sequence[str] = wire.MODELS,
        filename: str | None = None,
        preflight: bool = True,
    ) -> Detection:
        """As :meth:`Sightengine.check`."""
        call = self._begin()
        models = _checked_models(models)
        upload = await self._transport.in_thread(lambda: self._prepared(image, filename, preflight))
        return await self._run(self._upload_flow(upload, models, call), call)

    async def check_url(self, url: str, *, models: Sequence[str] = wire.MODELS) -> Detection:
        """As :meth:`Sightengine.check_url`."""
        call = self._begin()
        return await self._run(self._url_flow(url, _checked_models(models), call), call)

    async def check_many(
        self,
        images: Sequence[Image],
        *,
        models: Sequence[str] = wire.MODELS,
        preflight: bool = True,
    ) -> Batch:
        """As :meth:`Sightengine.check_many`."""
        call = self._begin()
        models = _checked_models(models)
        uploads = await self._transport.in_thread(lambda: self._prepared_all(images, preflight))
        return await self._run(self._many_flow(uploads, models, call), call)


def _checked_models(models: Sequence[str]) -> Sequence[str]:
    names = [models] if isinstance(models, str) else list(models)
    for name in names:
        if (
            not isinstance(name, str)
            or not name
            or not all(c.isalnum() or c in "-._" for c in name)
        ):
            raise InputError(f"models {shown(models)}: {shown(name)} is no name of a model")
    if not names:
        raise InputError("models: none is given")
    return names
