"""Running the command line in this process, and photos to run it on."""

import json
from pathlib import Path

import numpy as np
import pytest

for library in ("click", "cv2", "httpx2", "starlette"):
    pytest.importorskip(library)

from click.testing import CliRunner  # noqa: E402
from PIL import Image  # noqa: E402

from runmask import Detection  # noqa: E402
from runmask.cli import main  # noqa: E402

# An answer as Copyleaks documents it: a block of 16 x 4 pixels in a 512 x 512 image.
ANSWER = {
    "model": "ai-image-1-ultra",
    "isAiDetected": True,
    "result": {"starts": [51400, 51912, 52424, 52936], "lengths": [16, 16, 16, 16]},
    "summary": {"human": 0.999755859375, "ai": 0.000244140625},
    "imageInfo": {"shape": {"height": 512, "width": 512}, "metadata": {}},
    "scannedDocument": {"scanId": "claims-7f3a-front", "actualCredits": 1, "expectedCredits": 1,
                        "creationTime": "2026-11-20T08:16:41.55021Z"},
}  # fmt: skip


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def files(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def photo(path, height=520, width=640, seed=0, **options):
    """Something like a photo: soft shapes with noise, and a smooth patch."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    base = 120 + 60 * np.sin(x / 40 + seed) + 40 * np.cos(y / 25)
    pixels = base[:, :, None] + rng.normal(0, 9, (height, width, 3)) + [0, 10, -10]
    pixels[100:250, 100:300] = base[100:250, 100:300, None]
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, **options)
    return path


def answer_of(path, runs=None):
    result = runs or ANSWER["result"]
    path.write_text(json.dumps(ANSWER | {"result": result}))
    return path


def mask_of(path):
    return Detection.from_copyleaks(path.read_bytes()).mask


def photos_in(folder):
    """Three photos of 512 x 512 and an answer for each."""
    for n in range(3):
        photo(folder / f"p{n}.png", 512, 512, seed=n)
        runs = {"starts": [1000 * n], "lengths": [3000]}
        answer_of(folder / f"p{n}.response.json", runs)
    return folder


def pair(folder, n):
    return folder / f"p{n}.png", folder / f"p{n}.response.json"


def confidence_file(folder, kind):
    values = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    if kind == "npy":
        np.save(folder / "c.npy", values)
    else:
        values = (values * 255).astype(np.uint8)
        Image.fromarray(values).save(folder / "c.png")
    return folder / f"c.{kind}", values
