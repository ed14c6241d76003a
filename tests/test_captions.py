"""Captions, legends and compositions: the picture stays, the rest is where it should be."""

import json

import numpy as np
import pytest

import runmask as rm
from runmask import captions
from runmask.errors import ImageError, InputError

pytest.importorskip("PIL")


def picture(height=90, width=160, channels=3, seed=0):
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("at", ["bottom", "top"])
def test_a_caption_leaves_the_picture_as_it_is(at):
    image = picture()
    got = captions.caption(image, "ai · 0.93", at=at, background=(1, 2, 3), colour=(200, 0, 0))
    bar = len(got) - 90
    assert bar > 12
    part, rest = (got[:90], got[90:]) if at == "bottom" else (got[bar:], got[:bar])
    assert np.array_equal(part, image)
    assert (rest[0] == [1, 2, 3]).all()
    assert (rest[:, :, 0] > 100).sum() > 10  # ink, of the colour asked for
    assert not rest[:, :, 1:].max(axis=(0, 1)).max() > 3


def test_long_texts_are_broken_and_lose_nothing():
    font = captions._font(12)
    text = "a word after another, " * 9 + "x" * 80
    lines = captions._broken(text, font, 100)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(font.getlength(line) <= 100 for line in lines)
    assert captions._broken("abc", font, 1) == ["a", "b", "c"]
    assert captions._broken("", font, 100) == [""]
    narrow = captions.caption(picture(20, 1), "abc")
    assert narrow.shape[1] == 1


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_kinds_of_images(channels):
    image = picture(channels=channels)
    got = captions.caption(image, "x", background=(10, 20, 30))[:90]
    if channels == 1:
        want = np.dstack([image] * 3)
    elif channels == 3:
        want = image
    else:
        alpha = image[:, :, 3:] / 255
        want = image[:, :, :3] * alpha + np.array([10, 20, 30]) * (1 - alpha)
    assert np.abs(got - want).max() <= 0.51
    assert not np.shares_memory(got, image)


def test_the_line_of_a_verdict():
    answer = {
        "isAiDetected": True,
        "result": {"starts": [0], "lengths": [25]},
        "summary": {"human": 0.75, "ai": 0.25},
        "imageInfo": {"shape": {"height": 10, "width": 10}},
    }
    detection = rm.Detection.from_copyleaks(json.dumps(answer))
    assert captions.verdict_line(detection) == (
        "ai  ·  score 0.25  ·  25 % of the pixels marked  ·  copyleaks"
    )
    marked = answer | {"sandbox": {"notice": "no detector"}}
    assert captions.verdict_line(rm.Detection.from_copyleaks(json.dumps(marked))).endswith(
        "sandbox"
    )


def test_a_legend_has_the_heatmaps_colours():
    image = picture(100, 400)
    got = captions.legend(image, "viridis", 255, range=(0, 10), title="")
    assert np.array_equal(got[:100], image)
    size = captions._size(None, image)
    margin = size // 2
    bar = got[100 + margin + size // 2, margin : 400 - margin]
    table = rm.colormap("viridis").astype(int)
    assert np.abs(bar[0] - table[0]).max() <= 2
    assert np.abs(bar[-1] - table[255]).max() <= 2
    assert np.abs(bar[len(bar) // 2] - table[127]).max() <= 4
    below = got[100 + margin + size :]
    dark = (below < 100).all(axis=2).any(axis=0)
    assert dark[:60].any()
    assert dark[180:220].any()
    assert dark[-60:].any()


@pytest.mark.parametrize("limits", [(0,), (1, 0), (0, np.nan), ("a", "b"), (0, 10**400), None])
def test_a_legend_takes_the_heatmaps_ranges(limits):
    with pytest.raises(InputError, match=r"^range .*: not two"):
        captions.legend(picture(100, 400), range=limits)


def test_a_legend_shows_how_opaque_colours_are():
    got = captions.legend(picture(100, 400), "turbo", (0, 255), title="confidence")
    assert len(got) > len(captions.legend(picture(100, 400), title=""))
    assert (got[-30:] == 255).any()


def test_side_by_side():
    one, two = picture(50, 60), picture(30, 40, seed=1)
    got = captions.side_by_side([one, two], gap=5, background=(9, 8, 7))
    assert got.shape == (50, 105, 3)
    assert np.array_equal(got[:, :60], one)
    assert np.array_equal(got[10:40, 65:], two)
    assert (got[:, 60:65] == [9, 8, 7]).all()
    assert (got[:10, 65:] == [9, 8, 7]).all()
    titled = captions.side_by_side([one, two], titles=["before", "after it"], gap=5)
    assert np.array_equal(titled[-50:, :60], one)
    assert len(titled) > 60
    assert (titled[: len(titled) - 50] < 100).any()


def test_before_and_after():
    one, two = picture(), picture(seed=1)
    got = captions.before_after(one, two, at=0.25, line=4, colour=(1, 2, 3))
    assert np.array_equal(got[:, :38], one[:, :38])
    assert (got[:, 38:42] == [1, 2, 3]).all()
    assert np.array_equal(got[:, 42:], two[:, 42:])
    assert np.array_equal(captions.before_after(one, two, at=1), one)
    assert np.array_equal(captions.before_after(one, two, at=0), two)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda i: captions.caption(i.astype(float), "x"), "float64"),
        (lambda i: captions.caption(i[:0], "x"), "no pixels"),
        (lambda i: captions.caption(i, 5), "text 5"),
        (lambda i: captions.caption(i, "x" * 2001), "2001 characters"),
        (lambda i: captions.caption(i, "x", size=2), "size 2"),
        (lambda i: captions.caption(i, "x", at="left"), "at 'left'"),
        (lambda i: captions.caption(i, "x", colour=(1, 2)), "colour"),
        (lambda i: captions.caption(i, "x", background=(1, 2, 300)), "background"),
        (lambda i: captions.legend(i, "jet"), "colour map 'jet'"),
        (lambda i: captions.side_by_side([]), "no images"),
        (lambda i: captions.side_by_side([i], gap=-1), "gap -1"),
        (lambda i: captions.side_by_side([i], titles=["a", "b"]), "titles"),
        (lambda i: captions.before_after(i, i[:5]), "before is 90 x 160 and after 5 x 160"),
        (lambda i: captions.before_after(i, i, at=2), "at 2"),
        (lambda i: captions.before_after(i, i, line=-1), "line -1"),
    ],
)
def test_bad_arguments(call, words):
    with pytest.raises((ImageError, InputError)) as caught:
        call(picture())
    assert words in str(caught.value)
