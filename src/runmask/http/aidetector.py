"""The clients of aiimagedetectorapi.com: one for threads, one for event loops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from ..detection import Detection
from .aidetector_protocol import AIDetectorProtocol, Wishes, id_of
from .client import LoopClient, ThreadClient, positive
from .jobs import Batch, Job, Report
from .upload import Encoding, Image, Upload


class AIDetector(AIDetectorProtocol, ThreadClient):
    """A client of aiimagedetectorapi.com, for any number of threads.

    Parameters
    ----------
    api_key : str, optional
        Default: the environment's ``AIDETECTOR_API_KEY``.
    base_url : str
        Where the service is. Plain http is for this machine only.
    dialect : {"root", "endpoints"}
        Which of the service's two descriptions requests follow; answers are read in both.
        ``"endpoints"`` knows uploads of one image, and batches of addresses to be answered later.
    options
        Time limits, retries, rate limit, cache and more: see :class:`Options`. The published rate
        is that of the free plan, 2 a second; for another plan give its own.

    Raises
    ------
    InputError
        Something of this cannot be used. The message never tells a key.

    Notes
    -----
    The service knows no ids of ours: what may have been billed cannot be asked for again without
    paying again. It gives no figure for what it charged.
    """

    def check(
        self,
        image: Image,
        *,
        filename: str | None = None,
        encoding: Encoding = "multipart",
        preflight: bool = True,
        **wishes: Unpack[Wishes],
    ) -> Detection:
        """Send an image and return what the service found. One scan.

        Parameters
        ----------
        image : path, bytes, or binary file
        filename : str, optional
            Default: that of the file.
        encoding : {"multipart", "base64"}
            How the image travels; base64 takes a third more.
        preflight : bool
            Refuse before sending what the service would refuse: by format and size, and files that
            are cut off.
        attribution, heatmap, forensics : bool
            What the answer is to hold: likely generators (True), a heatmap (False), forensics
            (False). The dialect "endpoints" has no such choice, nor the next two.
        threshold : float, optional
            The service's ``model_threshold``, 0 to 1, which no page explains.
        metadata : mapping, optional
            For the answer to repeat. (These five are :class:`Wishes`.)

        Raises as :meth:`Copyleaks.check`.
        """
        call = self._begin()
        wanted = self._wanted("check", wishes)
        upload = self._prepared(image, filename, preflight)
        return self._run(self._image_flow("detect", upload, wanted, encoding, call), call)

    def check_url(self, url: str, **wishes: Unpack[Wishes]) -> Detection:
        """Have the service fetch an image from the public internet. Otherwise as :meth:`check`.

        Raises ImageUnfetchableError if the service could not fetch it, and UnsafeURLError for an
        address that is none for it; nothing was sent then.
        """
        call = self._begin()
        wanted = self._wanted("check_url", wishes)
        return self._run(self._url_flow("detect", url, wanted, call), call)

    def check_many(
        self,
        images: Sequence[Image],
        *,
        preflight: bool = True,
        **wishes: Unpack[Wishes],
    ) -> Batch:
        """Send up to 100 images in one request. One scan each; of a cache, only what is new to it.

        An item of the batch that the service refused is the error. Raises as :meth:`check`.
        """
        call = self._begin()
        wanted = self._wanted("check_many", wishes)
        uploads = self._prepared_all(images, preflight)
        return self._run(self._many_flow(uploads, wanted, call), call)

    def check_urls(self, urls: Sequence[str], **wishes: Unpack[Wishes]) -> Batch:
        """Have the service fetch up to 100 images, and wait for all. Otherwise as the others."""
        call = self._begin()
        wanted = self._wanted("check_urls", wishes)
        return self._run(self._batch_flow(self._checked_all(urls), wanted, call), call)

    def submit_urls(
        self,
        urls: Sequence[str],
        *,
        webhook: str | None = None,
        **wishes: Unpack[Wishes],
    ) -> Job:
        """Have the service fetch up to 100 images and answer later. One scan each.

        For the result, wait for it with :meth:`wait`, or let it come to ``webhook``. Raises as
        :meth:`check`.
        """
        call = self._begin()
        wanted = self._wanted("submit_urls", wishes)
        return self._run(self._submit_flow(urls, webhook, wanted, call), call)

    def job(self, job_id: str) -> Job:
        """How a job is. Raises NotFoundError if there is none of that id, or another APIError."""
        call = self._begin()
        return self._run(self._job_flow(job_id, call), call)

    def wait(self, job: Job | str, *, timeout: float = 600.0, poll: float = 1.0) -> Job:
        """The job when it has come to its end, good or bad (``failed``).

        Parameters
        ----------
        job : Job or str
            Or its id.
        timeout : float
            Seconds for the whole wait.
        poll : float
            Seconds between questions: the first ones come sooner, from 0.1 s on, and late ones
            half a minute apart.

        Raises
        ------
        APITimeoutError
            It has not come to its end within ``timeout``. Wait again: nothing is lost.
        APIError
            The service did not tell.
        """
        call = self._begin(positive(timeout, "timeout"))
        return self._run(self._wait_flow(id_of(job), poll, call), call)

    def forensics(
        self,
        image: Image,
        *,
        filename: str | None = None,
        encoding: Encoding = "multipart",
        preflight: bool = True,
    ) -> Detection:
        """Ask for the forensics of an image: they are in the detection's ``extra``.

        Otherwise as :meth:`check`.
        """
        call = self._begin()
        upload = self._prepared(image, filename, preflight)
        return self._run(self._image_flow("forensics", upload, None, encoding, call), call)

    def forensics_url(self, url: str) -> Detection:
        """As :meth:`forensics`, of an image that the service fetches."""
        call = self._begin()
        return self._run(self._url_flow("forensics", url, None, call), call)

    def verify_c2pa(
        self, image: Image, *, filename: str | None = None, preflight: bool = True
    ) -> Report:
        """Have the image's Content Credentials verified. Raises as :meth:`check`."""
        call = self._begin()
        upload = self._prepared(image, filename, preflight)
        return self._run(self._c2pa_flow(upload, call), call)

    def verify_c2pa_url(self, url: str) -> Report:
        """As :meth:`verify_c2pa`, of an image that the service fetches."""
        call = self._begin()
        return self._run(self._c2pa_flow(url, call), call)

    def usage(self) -> Report:
        """What of the plan is used in this period. Free. Raises APIError."""
        call = self._begin()
        return self._run(self._report_flow("/v1/usage", "question for usage", call), call)

    def health(self) -> Report:
        """How the service is. Free. Raises APIError."""
        call = self._begin()
        return self._run(self._report_flow("/v1/health", "question for health", call), call)

    def heatmap(self, detection: Detection) -> bytes:
        """Fetch the heatmap that a detection names: a PNG file, by a request without the key.

        Raises
        ------
        InputError
            It names none.
        UnsafeURLError
            Its address leads into a private network.
        APIError
            There was no answer, or another one than 200.
        """
        self._begin()
        return self._fetch(self._heatmap_address(detection))


class AsyncAIDetector(AIDetectorProtocol, LoopClient):
    """:class:`AIDetector` for the tasks of one event loop: same arguments, and awaited methods.

    Files are read in a thread.
    """

    async def check(
        self,
        image: Image,
        *,
        filename: str | None = None,
        encoding: Encoding = "multipart",
        preflight: bool = True,
        **wishes: Unpack[Wishes],
    ) -> Detection:
        """As :meth:`AIDetector.check`."""
        call = self._begin()
        wanted = self._wanted("check", wishes)
        upload = await self._read_in_thread(image, filename, preflight)
        return await self._run(self._image_flow("detect", upload, wanted, encoding, call), call)

    async def check_url(self, url: str, **wishes: Unpack[Wishes]) -> Detection:
        """As :meth:`AIDetector.check_url`."""
        call = self._begin()
        wanted = self._wanted("check_url", wishes)
        return await self._run(self._url_flow("detect", url, wanted, call), call)

    async def check_many(
        self,
        images: Sequence[Image],
        *,
        preflight: bool = True,
        **wishes: Unpack[Wishes],
    ) -> Batch:
        """As :meth:`AIDetector.check_many`."""
        call = self._begin()
        wanted = self._wanted("check_many", wishes)
        uploads = await self._transport.in_thread(lambda: self._prepared_all(images, preflight))
        return await self._run(self._many_flow(uploads, wanted, call), call)

    async def check_urls(self, urls: Sequence[str], **wishes: Unpack[Wishes]) -> Batch:
        """As :meth:`AIDetector.check_urls`."""
        call = self._begin()
        wanted = self._wanted("check_urls", wishes)
        return await self._run(self._batch_flow(self._checked_all(urls), wanted, call), call)

    async def submit_urls(
        self,
        urls: Sequence[str],
        *,
        webhook: str | None = None,
        **wishes: Unpack[Wishes],
    ) -> Job:
        """As :meth:`AIDetector.submit_urls`."""
        call = self._begin()
        wanted = self._wanted("submit_urls", wishes)
        return await self._run(self._submit_flow(urls, webhook, wanted, call), call)

    async def job(self, job_id: str) -> Job:
        """As :meth:`AIDetector.job`."""
        call = self._begin()
        return await self._run(self._job_flow(job_id, call), call)

    async def wait(self, job: Job | str, *, timeout: float = 600.0, poll: float = 1.0) -> Job:
        """As :meth:`AIDetector.wait`."""
        call = self._begin(positive(timeout, "timeout"))
        return await self._run(self._wait_flow(id_of(job), poll, call), call)

    async def forensics(
        self,
        image: Image,
        *,
        filename: str | None = None,
        encoding: Encoding = "multipart",
        preflight: bool = True,
    ) -> Detection:
        """As :meth:`AIDetector.forensics`."""
        call = self._begin()
        upload = await self._read_in_thread(image, filename, preflight)
        return await self._run(self._image_flow("forensics", upload, None, encoding, call), call)

    async def forensics_url(self, url: str) -> Detection:
        """As :meth:`AIDetector.forensics_url`."""
        call = self._begin()
        return await self._run(self._url_flow("forensics", url, None, call), call)

    async def verify_c2pa(
        self, image: Image, *, filename: str | None = None, preflight: bool = True
    ) -> Report:
        """As :meth:`AIDetector.verify_c2pa`."""
        call = self._begin()
        upload = await self._read_in_thread(image, filename, preflight)
        return await self._run(self._c2pa_flow(upload, call), call)

    async def verify_c2pa_url(self, url: str) -> Report:
        """As :meth:`AIDetector.verify_c2pa_url`."""
        call = self._begin()
        return await self._run(self._c2pa_flow(url, call), call)

    async def usage(self) -> Report:
        """As :meth:`AIDetector.usage`."""
        call = self._begin()
        return await self._run(self._report_flow("/v1/usage", "question for usage", call), call)

    async def health(self) -> Report:
        """As :meth:`AIDetector.health`."""
        call = self._begin()
        return await self._run(self._report_flow("/v1/health", "question for health", call), call)

    async def heatmap(self, detection: Detection) -> bytes:
        """As :meth:`AIDetector.heatmap`."""
        self._begin()
        address = self._heatmap_address(detection)
        return await self._transport.in_thread(lambda: self._fetch(address))

    async def _read_in_thread(self, image: Image, filename: str | None, preflight: bool) -> Upload:
        return await self._transport.in_thread(lambda: self._prepared(image, filename, preflight))
