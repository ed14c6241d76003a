"""The page at ``/``: its parts, what it asks, and a browser in which photos are dropped."""

import base64
import io
import os
from pathlib import Path

import httpx2
import numpy as np
import pytest
from browser import page_of
from PIL import Image
from sandbox_client import PNG, corner, encode, picture

from runmask import Mask, images, overlay
from runmask.sandbox import NOTICE, Settings, running


@pytest.fixture(scope="module")
def origin():
    with running(Settings(detector=corner)) as origin:
        yield origin


def look(origin, data, name="a.png"):
    answer = httpx2.post(f"{origin}/look", files={"image": (name, data)}, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.json()


def pixels(address):
    head, _, data = address.partition(",")
    assert head == "data:image/jpeg;base64"
    return images.read(base64.b64decode(data)).astype(int)


def test_the_files_of_the_page(origin):
    for path, kind in (
        ("/", "text/html"),
        ("/page.js", "text/javascript"),
        ("/page.css", "text/css"),
    ):
        answer = httpx2.get(origin + path, trust_env=False)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "http://" not in answer.text
        assert "https://" not in answer.text


def test_what_it_shows(origin):
    told = look(origin, PNG)
    assert (told["width"], told["height"], told["marked"], told["parts"]) == (640, 512, 100, 1)
    assert told["contours"] == "M0 0l10 0 0 10-10 0z" or told["contours"].startswith("M0 0")
    assert told["notice"] == NOTICE
    photo, over = pixels(told["photo"]), pixels(told["overlay"])
    assert photo.shape == over.shape == pixels(told["heatmap"]).shape == (512, 640, 3)
    mask = Mask.from_bbox((0, 0, 10, 10), (512, 640))
    want = overlay(photo.astype(np.uint8), mask).astype(int)
    assert np.abs(over - want).mean() < 3  # two ways through JPEG
    assert np.abs(over - photo).mean() > 20


def test_names_get_their_answers(origin):
    told = look(origin, PNG, "sbx-partial-1.png")
    assert told["verdict"] == "ai"
    assert told["marked"] == 128 * 160
    assert look(origin, PNG, "sbx-human-1.png")["contours"] == ""


def test_photos_are_shown_upright(origin):
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture(512, 640)).save(file, "JPEG", exif=exif)
    told = look(origin, file.getvalue(), "a.jpg")
    assert (told["width"], told["height"]) == (512, 640)
    assert pixels(told["photo"]).shape == (640, 512, 3)


@pytest.mark.parametrize(
    "files",
    [
        {"image": ("a.png", b"no image")},
        {"image": ("a.png", encode(picture(40, 40)))},
        {"image": (None, b"text")},
        [("image", ("a.png", PNG)), ("image", ("b.png", PNG))],
    ],
)
def test_what_it_cannot_show(origin, files):
    answer = httpx2.post(f"{origin}/look", files=files, trust_env=False)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_photo_dropped_in_a_browser(origin, tmp_path):
    photo, bad = tmp_path / "sbx-partial-<b>.png", tmp_path / "bad.png"
    photo.write_bytes(PNG)
    bad.write_text("no image")
    with page_of(origin, tmp_path / "profile") as page:
        assert page.value("document.getElementById('result').hidden") is True
        page.drop(photo, 300, 200)
        page.wait_for("!document.getElementById('result').hidden")
        page.wait_for("[...document.images].every((image) => image.complete && image.naturalWidth)")
        assert page.value("document.getElementById('name').textContent") == photo.name
        assert page.value("document.getElementById('verdict').textContent") == "ai"
        assert page.value("[...document.images].map((image) => image.naturalWidth)") == [640] * 3
        box = page.value(
            "(({x, y, width, height}) => [x, y, width, height])"
            "(document.querySelector('#contours path').getBBox())"
        )
        assert box == [160, 128, 160, 128]
        over = page.value(  # the drawing lies on the photo
            "(() => { const a = document.getElementById('photo').getBoundingClientRect(),"
            " b = document.getElementById('contours').getBoundingClientRect();"
            " return Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y),"
            " Math.abs(a.width - b.width), Math.abs(a.height - b.height)); })()"
        )
        assert over < 1
        shot = page.screenshot()
        assert page.errors == []
        page.choose("#file", bad)
        page.wait_for("document.getElementById('state').className === 'error'")
        assert "not a readable image" in page.value("document.getElementById('state').textContent")
        assert page.value("document.getElementById('result').hidden") is True
    if kept := os.environ.get("RUNMASK_SCREENSHOT"):  # to be looked at
        Path(kept).write_bytes(shot)
    shown = images.read(shot).astype(int)
    red = (shown[:, :, 0] - shown[:, :, 1] > 80) & (shown[:, :, 0] - shown[:, :, 2] > 60)
    green = shown[:, :, 1] - shown[:, :, 0] > 40
    assert red.sum() > 2000
    assert green.sum() > 20_000
    assert np.ptp(shown) > 200
