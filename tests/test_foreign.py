"""Arrays of other libraries: taken as they are, or refused by an error of ours that says how."""

import json

import numpy as np
import pytest

import runmask as rm
from runmask import captions, images
from runmask.errors import ImageError, InputError

Image = pytest.importorskip("PIL.Image")

MASK = rm.Mask.from_circle((20, 30), 9, (40, 60))
PHOTO = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)

TAKE_IMAGES = {
    "overlay": lambda image: rm.overlay(image, MASK),
    "heatmap": lambda image: rm.heatmap(image, MASK),
    "heatmap of a map": lambda image: rm.heatmap(image, np.ones((2, 2))),
    "outline": lambda image: rm.outline(image, MASK),
    "antialias": lambda image: rm.outline(image, MASK, antialias=True),
    "caption": lambda image: captions.caption(image, "x"),
    "side_by_side": lambda image: captions.side_by_side([image]),
    "encode": lambda image: images.encode(image, "PNG"),
}
each = pytest.mark.parametrize("take", TAKE_IMAGES.values(), ids=TAKE_IMAGES)


@each
@pytest.mark.parametrize("mode", ["P", "PA", "CMYK", "YCbCr", "LAB", "HSV", "RGBX", "RGBa"])
def test_pillows_other_modes_are_not_taken_for_colours(take, mode):
    given = Image.new(mode, (60, 40))
    with pytest.raises(ImageError, match=rf"mode '{mode}': \.convert\(\"RGB\"\)") as caught:
        take(given)
    assert caught.value.code == "mode"


@each
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_pillows_images_are_arrays(take, mode):
    given = Image.fromarray(PHOTO).convert(mode)
    got, want = take(given), take(np.asarray(given))
    assert got == want if isinstance(got, bytes) else np.array_equal(got, want)


@each
def test_pictures_have_pixels(take):
    picture = images.load(images.encode(PHOTO, "PNG"))
    with pytest.raises(ImageError, match=r"the image is a Picture: its \.pixels are the array"):
        take(picture)
    assert take(picture.pixels) is not None


class Tensor:
    """What a tensor that requires a gradient does."""

    def __init__(self, error):
        self.error = error

    def __array__(self, dtype=None, copy=None):
        raise self.error


@each
@pytest.mark.parametrize(
    "error", [RuntimeError("Can't call numpy() on Tensor\nthat requires grad"), TypeError(""),
              BufferError("bfloat16")]
)  # fmt: skip
def test_errors_of_others_are_ours(take, error):
    with pytest.raises(ImageError, match=r"the image \(Tensor\) makes no array") as caught:
        take(Tensor(error))
    assert caught.value.__cause__ is error
    assert "\n" not in str(caught.value)


def test_so_are_those_of_maps_and_masks():
    tensor = Tensor(RuntimeError("Can't call numpy()"))
    with pytest.raises(InputError, match=r"the confidence \(Tensor\) makes no array") as caught:
        rm.heatmap(PHOTO, tensor)
    assert caught.value.code == "confidence"
    with pytest.raises(InputError, match=r"\(Tensor\) makes no array"):
        rm.Mask.from_array(tensor)
    with pytest.raises(InputError, match=r"\(list\) makes no array"):
        rm.Mask.from_array([[1], [2, 3]])


def test_tensors():
    torch = pytest.importorskip("torch")
    for bad in (torch.ones(4, 6, requires_grad=True), torch.ones(4, 6, dtype=torch.bfloat16)):
        with pytest.raises(InputError, match="the confidence"):
            rm.heatmap(PHOTO, bad)
    assert np.array_equal(rm.heatmap(PHOTO, torch.ones(4, 6)), rm.heatmap(PHOTO, np.ones((4, 6))))


@each
def test_masked_arrays(take):
    with pytest.raises(ImageError, match="masked array; fill it first"):
        take(np.ma.masked_equal(PHOTO, 0))


def test_messages_stay_short():
    with pytest.raises(InputError) as caught:
        rm.overlay(Tensor(ValueError("x" * 10_000)), MASK)
    assert len(json.dumps(str(caught.value))) < 300
