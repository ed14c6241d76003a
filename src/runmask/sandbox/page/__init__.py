"""The page at ``/``: a person drops a photo and sees verdict, overlay, heatmap and contours."""

import asyncio
import base64
from concurrent.futures import Executor
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ... import __version__
from ...blend import heatmap, overlay
from ...images import preview
from ...mask import Mask
from ..bodies import in_time, read_form
from ..endpoints import in_its_form
from ..names import made, result_of
from ..photo import FORMATS, read_photo
from ..refusals import Reason, Refusal
from ..settings import NOTICE, Settings

MAX_BODY = 33_554_432
MIN_SIDE = 64
_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'self'; script-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'"
)
_FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
}


def routes(settings: Settings, workers: Executor) -> list[Route]:
    """Return the page, what it is made of, and what it asks."""

    async def look(request: Request) -> Response:
        form = await in_time(read_form(request, MAX_BODY), settings.body_timeout_s)
        if len(form.files) != 1:
            raise Refusal(Reason.FIELD, "image", "one file part 'image' is needed")
        file = form.files[0]
        loop = asyncio.get_running_loop()
        told = await loop.run_in_executor(workers, lambda: seen(file.data, file.name, settings))
        return JSONResponse(told)

    found = [Route(path, _file(*parts), methods=["GET"]) for path, parts in _FILES.items()]
    handler = in_its_form(look, _refused, _internal, _status)
    return [*found, Route("/look", handler, methods=["POST"])]


def _file(name: str, kind: str) -> Any:
    data = (_HERE / name).read_text("utf-8").replace("NOTICE", escape(NOTICE, quote=False))

    async def send(_: Request) -> Response:
        headers = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
        return Response(data, headers=headers, media_type=kind)

    return send


def seen(data: bytes, name: str, settings: Settings) -> dict[str, Any]:
    """What the page shows of a photo, pictures as ``data:`` addresses of small JPEGs."""
    formats = FORMATS | {"GIF", "TIFF"}
    photo = read_photo(data, settings.max_pixels, formats=formats, min_side=MIN_SIDE, orient=True)
    pixels = photo.pixels
    height, width = pixels.shape[:2]
    wanted = result_of(name)
    analysis = made(wanted, (height, width)) if wanted else settings.detector(pixels)
    mask = Mask.from_array(analysis.mask)
    tolerance = max(height, width) / 1000
    contours = mask.contours(simplify=tolerance)
    return {
        "verdict": "ai" if mask.area else "human",
        "score": round(analysis.score, 4),
        "width": width,
        "height": height,
        "marked": mask.area,
        "parts": len(contours) - int(contours.is_hole.sum()),
        "photo": _address(pixels),
        "overlay": _address(overlay(pixels, mask)),
        "heatmap": _address(heatmap(pixels, np.asarray(analysis.confidence))),
        "contours": contours.to_svg_path(),
        "metadata": photo.metadata,
        "notice": NOTICE,
        "version": __version__,
    }


def _address(pixels: Any) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(preview(pixels, side=1200)).decode()


def _refused(refusal: Refusal) -> Response:
    return JSONResponse({"error": f"{refusal.field}: {refusal.message}"}, 400)


def _internal(ticket: str) -> Response:
    return JSONResponse({"error": f"internal error; ticket {ticket}"}, 500)


def _status(status: int, retry_after_s: int | None) -> Response:
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return JSONResponse({"error": f"status {status}, as asked for"}, status, headers)
