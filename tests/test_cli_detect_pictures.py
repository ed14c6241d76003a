"""How the command detect draws and stores its overlays."""

import numpy as np
import pytest
from command_line import files, photo, run
from PIL import Image

import runmask as rm
from runmask import images


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch):
    for name in ("COPYLEAKS_EMAIL", "COPYLEAKS_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def mask_of(folder, name):
    answer = (folder / f"{name}.response.json").read_bytes()
    return rm.Detection.from_copyleaks(answer).mask


def test_looks(tmp_path):
    path = photo(tmp_path / "a.png", 600, 700)
    out = tmp_path / "out"
    done = run(
        "detect", path, "-o", out, "--inside", "orange", "--outside", "none", "--opacity", "0.4",
        "--outline", "5", "--outline-colour", "#00f",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    mask = mask_of(out, "a")
    want = rm.overlay(images.read(path), mask, (255, 165, 0, 102), None)
    want = rm.outline(want, mask, (0, 0, 255, 255), 5)
    assert np.array_equal(images.read(out / "a.overlay.png"), want)


@pytest.mark.parametrize("option", ["--opacity", "--outline"])
def test_numbers_that_are_none(tmp_path, option):
    """Told before anything is sent."""
    path = photo(tmp_path / "a.png", 600, 700)
    done = run("detect", path, "-o", tmp_path / "out", option, "nan")
    assert done.exit_code == 2
    assert f"'{option}': 'nan' is not a number" in done.stderr
    assert not (tmp_path / "out").exists()


def test_files(tmp_path):
    """The overlay alone is reduced and of another format; the mask keeps the photo's grid."""
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    path = photo(tmp_path / "a.jpg", 600, 700, exif=exif)
    out = tmp_path / "out"
    done = run(
        "detect", path, "-o", out, "--max-side", "350", "--format", "webp", "--lossless",
        "--metadata", "keep",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert files(out) == ["a.mask.png", "a.overlay.webp", "a.response.json", "index.html"]
    mask = mask_of(out, "a")
    assert images.load(out / "a.mask.png").full_shape == mask.shape == (600, 700)
    picture, small = images.load_pair(path, mask, max_side=350)
    assert np.array_equal(images.read(out / "a.overlay.webp"), rm.overlay(picture.pixels, small))
    assert b"A camera" in (out / "a.overlay.webp").read_bytes()


def test_qualities(tmp_path):
    path = photo(tmp_path / "a.jpg", 600, 700)
    sizes = []
    for quality in ("20", "95"):
        assert run("detect", path, "-o", tmp_path / quality, "--quality", quality).exit_code == 0
        sizes.append((tmp_path / quality / "a.overlay.jpg").stat().st_size)
    assert sizes[1] > 1.5 * sizes[0]


def test_no_transparency_in_bmp(tmp_path):
    path = tmp_path / "a.png"
    images.write(path, np.dstack([images.read(photo(tmp_path / "b.png", 600, 600))] * 2)[..., :4])
    done = run("detect", path, "-o", tmp_path / "out", "--format", "bmp")
    assert done.exit_code == 0, done.stderr
    assert images.format_of(tmp_path / "out" / "a.overlay.bmp") == "BMP"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--format", "jpeg", "--lossless"], "JPEG cannot be lossless"),
        (["--format", "bmp", "--metadata", "keep"], "EXIF is not written to BMP"),
        (["--inside", "none", "--outline", "2"], "--outline-colour says"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_sent(tmp_path, options, text):
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    path = photo(tmp_path / "a.jpg", 600, 600, exif=exif)
    done = run("detect", path, "-o", tmp_path / "out", *options)
    assert done.exit_code == 2, done.stderr
    assert text in done.stderr
    assert not (tmp_path / "out").exists()
