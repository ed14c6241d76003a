"""From files to a file: a photograph of 16 megapixels, an answer as JSON, the overlay written.

The guide's example runs as published but for the file names. ``mask`` names the answer's kind.
"""

from __future__ import annotations

import atexit
import io
import json
import shutil
import tempfile
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import cases
import cv2
import numpy as np
import simplejpeg
from competitors import INSIDE, OUTSIDE, Competitor, Job, Prepared
from PIL import Image

import runmask
from runmask import Mask, images

PHOTO = Path(__file__).parent.parent / "examples" / "dandelions.jpg"
HEIGHT, WIDTH = 2988, 5312
FOLDER = Path(tempfile.mkdtemp(prefix="runmask-bench-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


@cache
def answer(mask: str) -> Path:
    made = Mask.from_array(cases.pixels(mask, 5312)[:HEIGHT])
    path = FOLDER / f"{mask}.json"
    path.write_text(
        json.dumps(
            {
                "model": "ai-image-1-ultra",
                "result": {"starts": made.starts.tolist(), "lengths": made.lengths.tolist()},
                "summary": {"human": 1 - made.fraction, "ai": made.fraction},
                "imageInfo": {"shape": {"height": HEIGHT, "width": WIDTH}, "metadata": {}},
            }
        )
    )
    return path


def expected(mask: str) -> np.ndarray:
    """The picture before it is compressed."""
    photo = np.asarray(Image.open(PHOTO).convert("RGB"))
    pixels = cases.pixels(mask, 5312)[:HEIGHT]
    top = Image.fromarray(np.array([OUTSIDE, INSIDE], np.uint8)[pixels])
    return np.asarray(Image.alpha_composite(Image.fromarray(photo).convert("RGBA"), top))[..., :3]


def written(ending: str, call: Callable[[Path], None]) -> Prepared:
    target = FOLDER / f"out{ending}"

    def result() -> Any:
        call(target)
        return np.asarray(Image.open(target).convert("RGB"))

    return Prepared(lambda: call(target), result)


def by_runmask(ending: str) -> Callable[[str], Prepared]:
    def prepare(mask: str) -> Prepared:
        body = answer(mask)

        def call(target: Path) -> None:
            made = Mask.from_response(body.read_bytes())
            image = images.read(PHOTO, shape=made.shape)
            images.write(target, runmask.overlay(image, made, out=image))

        return written(ending, call)

    return prepare


def decoded(body: Path) -> np.ndarray:
    """The mask as the fastest of plain libraries make it of the JSON."""
    result = json.loads(body.read_bytes())["result"]
    starts, lengths = np.array(result["starts"]), np.array(result["lengths"])
    bounds = np.column_stack((starts, starts + lengths)).ravel()
    counts = np.diff(np.concatenate(([0], bounds, [HEIGHT * WIDTH])))
    values = (np.arange(len(counts)) % 2).astype(np.uint8)
    return np.repeat(values, counts).reshape(HEIGHT, WIDTH)


RAMP = np.arange(256, dtype=np.uint32)[:, None]
BGR_TABLES = [
    ((RAMP * 135 + np.array(colour[2::-1]) * 120 + 127) // 255).astype(np.uint8).reshape(1, 256, 3)
    for colour in (OUTSIDE, INSIDE)
]


def blended_by_cv2(image: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    return cv2.copyTo(cv2.LUT(image, BGR_TABLES[1]), pixels, cv2.LUT(image, BGR_TABLES[0]))


def by_best_peers(ending: str) -> Callable[[str], Prepared]:
    """The fastest combination of libraries we know that gives the same pixels, at our quality."""
    quality = {
        ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 90],
        ".webp": [cv2.IMWRITE_WEBP_QUALITY, 90],
        ".png": [],
    }[ending]

    def prepare(mask: str) -> Prepared:
        body = answer(mask)

        def call(target: Path) -> None:
            image = simplejpeg.decode_jpeg(PHOTO.read_bytes(), colorspace="BGR")
            out = blended_by_cv2(image, decoded(body))
            target.write_bytes(cv2.imencode(ending, out, quality)[1])

        return written(ending, call)

    return prepare


def by_cv2(ending: str) -> Callable[[str], Prepared]:
    """As one writes it: imread, imwrite, no options. WebP is then without loss."""

    def prepare(mask: str) -> Prepared:
        body = answer(mask)

        def call(target: Path) -> None:
            cv2.imwrite(str(target), blended_by_cv2(cv2.imread(str(PHOTO)), decoded(body)))

        return written(ending, call)

    return prepare


def by_pillow(ending: str) -> Callable[[str], Prepared]:
    """The same with open, alpha_composite and save: quality 75 in JPEG, 80 in WebP."""

    def prepare(mask: str) -> Prepared:
        body = answer(mask)
        colours = np.array([OUTSIDE, INSIDE], np.uint8)

        def call(target: Path) -> None:
            top = Image.fromarray(colours[decoded(body)])
            picture = Image.alpha_composite(Image.open(PHOTO).convert("RGBA"), top)
            picture.convert("RGB").save(target)

        return written(ending, call)

    return prepare


def by_guide(ending: str) -> Callable[[str], Prepared]:
    def prepare(mask: str) -> Prepared:
        body = answer(mask)

        def call(target: Path) -> None:
            response = json.loads(body.read_text())
            width = response["imageInfo"]["shape"]["width"]
            height = response["imageInfo"]["shape"]["height"]
            starts, lengths = response["result"]["starts"], response["result"]["lengths"]
            total = width * height
            flat = [0] * total
            for i in range(len(starts)):
                for j in range(lengths[i]):
                    if starts[i] + j < total:
                        flat[starts[i] + j] = 1
            mask_array = np.array(flat, dtype=np.uint8).reshape((height, width))
            original = Image.open(PHOTO).convert("RGBA")
            painted = Image.new("RGBA", (width, height), (0, 0, 0, 0))
            access = painted.load()
            for y in range(height):
                for x in range(width):
                    access[x, y] = INSIDE if mask_array[y, x] == 1 else OUTSIDE
            picture = Image.alpha_composite(original, painted)
            if ending == ".jpg":
                picture.convert("RGB").save(target, quality=90)
            else:
                picture.save(target)

        return written(ending, call)

    return prepare


def codecs_alone(ending: str) -> Callable[[str], Prepared]:
    def prepare(mask: str) -> Prepared:
        def call(target: Path) -> None:
            image = simplejpeg.decode_jpeg(PHOTO.read_bytes(), colorspace="RGB")
            target.write_bytes(images.encode(image, ending[1:]))

        return written(ending, call)

    return prepare


def stage_read(mask: str) -> Prepared:
    return Prepared(lambda: images.read(PHOTO, shape=(HEIGHT, WIDTH)), lambda: None)


def stage_json(mask: str) -> Prepared:
    body = answer(mask)
    return Prepared(lambda: Mask.from_response(body.read_bytes()), lambda: None)


def stage_overlay(mask: str) -> Prepared:
    made = Mask.from_response(answer(mask).read_bytes())
    image = images.read(PHOTO)
    return Prepared(lambda: runmask.overlay(image, made, out=image), lambda: None)


def stage_write(ending: str) -> Callable[[str], Prepared]:
    def prepare(mask: str) -> Prepared:
        image = expected(mask)
        target = FOLDER / f"stage{ending}"
        return Prepared(lambda: images.write(target, image), lambda: None)

    return prepare


def job(name: str, ending: str) -> Job:
    return Job(
        f"JPEG and JSON to {name}, 16 megapixels",
        "limit: codecs alone",
        expected,
        (
            Competitor("runmask", by_runmask(ending)),
            Competitor("best peers: simplejpeg, numpy, cv2", by_best_peers(ending)),
            Competitor("cv2's defaults", by_cv2(ending)),
            Competitor("Pillow's defaults", by_pillow(ending), rounds=3),
            Competitor("guide's example, Pillow", by_guide(ending), rounds=1),
            Competitor("share: read the JPEG", stage_read),
            Competitor("share: JSON to Mask", stage_json),
            Competitor("share: overlay", stage_overlay),
            Competitor(f"share: write the {name}", stage_write(ending)),
            Competitor("limit: codecs alone", codecs_alone(ending)),
        ),
        masks=("blobs", "patches"),
        same=lambda result, want: close_enough(ending, result, want),
    )


def close_enough(ending: str, result: np.ndarray, want: np.ndarray) -> bool:
    """PNG gives the pixels back; the others must be as near as Pillow's at its default quality."""
    if ending == ".png":
        return np.array_equal(result, want)
    error = np.abs(result.astype(np.int16) - want).mean()
    return bool(error <= 1.2 * error_of_pillow(ending, want.tobytes()))


@lru_cache(maxsize=1)
def error_of_pillow(ending: str, pixels: bytes) -> float:
    want = np.frombuffer(pixels, np.uint8).reshape(HEIGHT, WIDTH, 3)
    packed = io.BytesIO()
    Image.fromarray(want).save(packed, {".jpg": "JPEG", ".webp": "WEBP"}[ending])
    return float(np.abs(np.asarray(Image.open(packed)).astype(np.int16) - want).mean())


FILE_JOBS = {
    "file_to_jpeg": job("JPEG", ".jpg"),
    "file_to_png": job("PNG", ".png"),
    "file_to_webp": job("WebP", ".webp"),
}
