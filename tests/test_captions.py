"""Captions, legends and compositions: the picture stays, the rest is where it should be."""

import json

import numpy as np
import pytest

import runmask as rm
from runmask import captions
from runmask.errors import ImageError, InputError
from runmask.lettering import Lettering

ImageFont = pytest.importorskip("PIL.ImageFont")


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
    letters = Lettering(None, 12, 0)
    font = ImageFont.load_default(12)
    text = "a word after another, " * 9 + "x" * 80
    lines = list(letters.broken(text, 100))
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(font.getlength(line) <= 100 for line in lines)
    assert list(letters.broken("abc", 1)) == ["a", "b", "c"]
    assert list(letters.broken("", 100)) == [""]
    narrow = captions.caption(picture(20, 1), "abc")
    assert narrow.shape[1] == 1


def test_letters_that_the_font_lacks_are_written_in_those_it_has():
    written = Lettering(None, 20, 0).written
    assert written("plain ~ text") == "plain ~ text"
    assert written("crème brûlée, Ångström, Łódź") == "creme brulee, Angstrom, Lodz"
    assert written("3 \u00d7 4 \u2013 5 — 6 \u2212 7") == "3 x 4 - 5 - 6 - 7"
    assert written("€5 £6 ½ Ø straße") == "EUR5 GBP6 1\u20442 O strasse"
    assert written("a\u00a0b\tc\u200bd e\u0301") == "a b cd e"
    assert written("“quoted” · ±1°…") == "“quoted” · ±1°…"  # it has these
    assert written("日本 \x07") == "?? ?"


def test_every_letter_of_western_languages_is_something_the_font_has():
    font = ImageFont.load_default(20)
    boxed = bytes(font.getmask("\uffff"))
    letters = Lettering(None, 20, 0)
    for code in (*range(32, 0x180), *range(0x2010, 0x2040), 0x20AC):
        for letter in letters.written(chr(code)):
            assert letter == " " or bytes(font.getmask(letter)) != boxed, hex(code)


@pytest.fixture
def font_file(tmp_path):
    path = tmp_path / "own.ttf"
    path.write_bytes(ImageFont.load_default(20).font_bytes)
    return path


def test_fonts(font_file):
    image = picture(200, 300)
    loaded = ImageFont.truetype(str(font_file), 30)  # which says its size
    own = captions.caption(image, "Agfi", font=loaded)
    assert len(own) == 200 + 30 + loaded.font.ascent + loaded.font.descent
    for font in (font_file, str(font_file), ImageFont.truetype(str(font_file), 9)):
        assert np.array_equal(captions.caption(image, "Agfi", size=30, font=font), own)
    assert captions.legend(image, font=loaded).shape > captions.legend(image).shape
    titled = captions.side_by_side([image], titles=["Agfi"], font=loaded)
    assert np.array_equal(titled[-200:], image)


def test_a_font_with_accents_writes_them():
    matplotlib = pytest.importorskip("matplotlib")
    path = f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf"
    text = "crème \u2013 3 \u00d7 4 €"
    assert Lettering(path, 20, 0).written(text) == text
    image = picture(200, 300)
    assert not np.array_equal(
        captions.caption(image, "é", font=path), captions.caption(image, "e", font=path)
    )


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
    size = captions._usual_size(image)
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


@pytest.mark.parametrize("limits", [(0,), (1, 0), (0, np.nan), ("a", "b"), (0, 10**400), 5])
def test_a_legend_takes_the_heatmaps_ranges(limits):
    with pytest.raises(InputError, match=r"^range .*: not two"):
        captions.legend(picture(100, 400), range=limits)


def test_a_legend_without_a_range_says_confidences():
    image = picture(100, 400)
    assert np.array_equal(captions.legend(image), captions.legend(image, range=(0, 1)))


def test_a_legend_shows_how_opaque_colours_are():
    got = captions.legend(picture(100, 400), "turbo", (0, 255), title="confidence")
    assert len(got) > len(captions.legend(picture(100, 400), title=""))
    assert (got[-30:] == 255).any()


def test_side_by_side():
    one, two = picture(50, 60), picture(30, 40, seed=1)
    got = captions.side_by_side([one, two], gap=5, background=(9, 8, 7))
    assert got.shape == (50, 105, 3)
    assert np.array_equal(got[:, :60], one)
    assert np.array_equal(got[:30, 65:], two)
    assert (got[:, 60:65] == [9, 8, 7]).all()
    assert (got[30:, 65:] == [9, 8, 7]).all()
    for align, top in (("top", 0), ("middle", 10), ("bottom", 20)):
        lower = captions.side_by_side([one, two], gap=5, align=align)
        assert np.array_equal(lower[top : top + 30, 65:], two)
    titled = captions.side_by_side([one, two], titles=["before", "after it"], gap=5)
    assert np.array_equal(titled[-50:, :60], one)
    assert np.array_equal(titled[-50:-20, 65:], two)  # right below its title
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
        (lambda i: captions.caption(i, "\n" * 2000), "more than 200 lines"),
        (lambda i: captions.caption(i, "x", size=2), "size 2"),
        (lambda i: captions.caption(i, "x", font="none.ttf"), "font 'none.ttf' cannot be used"),
        (lambda i: captions.caption(i, "x", font=5), "font 5: not a path"),
        (lambda i: captions.caption(i, "x", font=ImageFont.load_default(999)), "size 999"),
        (lambda i: captions.caption(i, "x", at="left"), "at 'left'"),
        (lambda i: captions.caption(i, "x", colour=(1, 2)), "colour"),
        (lambda i: captions.caption(i, "x", background=(1, 2, 300)), "background"),
        (lambda i: captions.legend(i, "jet"), "colour map 'jet'"),
        (lambda i: captions.side_by_side([]), "no images"),
        (lambda i: captions.side_by_side(i), "give a list"),
        (lambda i: captions.side_by_side([i], align="left"), "align 'left'"),
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
