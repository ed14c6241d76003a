"""One answered image to its files: the same as the library's own calls make, and no more."""

from __future__ import annotations

import json
import pickle
import xml.etree.ElementTree as ElementTree
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from batch_work import SHAPE, answered, body_of, mask_of, photo, plain
from image_files import noise, png_of, saved
from PIL import Image

from runmask import Mask, heatmap, images, overlay
from runmask.batch import rendering
from runmask.batch.rendering import OUTPUTS, Wishes, render, render_chunk
from runmask.errors import InputError
from runmask.style import Encoding, Look


@pytest.fixture
def item(tmp_path):
    return answered(tmp_path / "in", 1)[0]


def wishes(tmp_path, *outputs, **how):
    return Wishes(str(tmp_path / "out"), outputs, **how)


def files_of(tmp_path):
    out = tmp_path / "out"
    return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())


def test_all_outputs(tmp_path, item):
    result = render(item, wishes(tmp_path, *OUTPUTS))
    assert result.error is None
    assert sorted(result.files.values()) == files_of(tmp_path)
    assert set(result.files) == {
        *("mask", "overlay", "geojson", "svg", "coco"),
        *("thumbnail", "thumbnail_overlay", "outline"),
    }  # and no heatmap: the answer has none
    out, mask = tmp_path / "out", mask_of(0)
    pixels = images.read(item.source)
    assert Mask.from_array(np.asarray(Image.open(out / result.files["mask"]))) == mask
    shown = (out / result.files["overlay"]).read_bytes()
    assert shown == images.encode(overlay(pixels, mask), "JPEG")
    contours = mask.contours()
    assert (out / result.files["geojson"]).read_text() == contours.to_geojson_text()
    assert (out / result.files["svg"]).read_text() == contours.to_svg()
    told = json.loads((out / result.files["coco"]).read_text())
    assert told["area"] == mask.area
    for kind, drawn in (("thumbnail", pixels), ("thumbnail_overlay", overlay(pixels, mask))):
        small = images.preview(drawn, side=320)
        assert (out / result.files[kind]).read_bytes() == small
    assert set(result.seconds) == {
        *("answer", "contours", "read", "decode", "blend", "encode", "write")
    }


@pytest.mark.parametrize("kind", OUTPUTS)
def test_what_is_not_asked_for_is_not_made(tmp_path, item, kind):
    result = render(item, wishes(tmp_path, kind, thumbnails=False))
    assert result.error is None
    assert set(result.files) == ({kind} - {"heatmap"})
    assert sorted(result.files.values()) == files_of(tmp_path)


def test_contours_alone_need_no_photo(tmp_path, item):
    Path(item.source).unlink()
    result = render(item, wishes(tmp_path, "svg", "coco", thumbnails=False))
    assert result.error is None
    assert set(result.files) == {"svg", "coco"}
    unknown = replace(item, source="", name="other")
    result = render(unknown, wishes(tmp_path, "svg", "mask"))
    assert result.error is None
    assert set(result.files) == {"svg", "mask"}
    error = render(unknown, wishes(tmp_path, "overlay")).error
    assert error == ("no_photo", "the image of this answer is not known")


FORMATS = {"png": ".png", "jpeg": ".jpg", "webp": ".webp", "bmp": ".bmp", "tiff": ".tif"}


@pytest.mark.parametrize("name", FORMATS)
def test_formats(tmp_path, item, name):
    result = render(
        item, wishes(tmp_path, "overlay", "mask", encoding=Encoding(format=name, quality=70))
    )
    assert result.error is None
    assert result.files["mask"].endswith(".png")
    path = tmp_path / "out" / result.files["overlay"]
    assert path.suffix == FORMATS[name]
    assert images.format_of(path) == name.upper()
    drawn = overlay(images.read(item.source), mask_of(0))
    assert path.read_bytes() == images.encode(drawn, name, quality=70)


@pytest.mark.parametrize(
    ("fmt", "ending"), [("PNG", ".png"), ("WEBP", ".webp"), ("TIFF", ".png"), ("GIF", ".png")]
)
def test_an_overlay_has_the_photos_format_where_viewers_show_it(tmp_path, fmt, ending):
    path = tmp_path / "picture.dat"  # the content decides
    path.write_bytes(saved(noise(*SHAPE, 3), fmt))
    result = render(plain(0, str(path), body_of(mask_of(0))), wishes(tmp_path, "overlay"))
    assert result.files["overlay"] == f"overlays/n0{ending}"


def test_transparency_is_kept_where_it_can_be(tmp_path):
    path = tmp_path / "a.png"
    pixels = noise(*SHAPE, 4)
    path.write_bytes(saved(pixels, "PNG"))
    item = plain(0, str(path), body_of(mask_of(0)))
    result = render(item, wishes(tmp_path, "overlay"))
    drawn = images.read(tmp_path / "out" / result.files["overlay"], mode=None)
    assert np.array_equal(drawn, overlay(pixels, mask_of(0)))
    result = render(item, wishes(tmp_path, "overlay", encoding=Encoding(format="jpeg")))
    assert result.error is None


@pytest.mark.filterwarnings("ignore:.*EXIF orientation")  # of 2, 3 and 4 the size does not tell
@pytest.mark.parametrize("tag", range(1, 9))
def test_orientation(tmp_path, tag):
    """Masks are of the stored grid or of the upright picture: whichever fits, and all agree."""
    exif = Image.Exif()
    exif[0x0112] = tag
    stored = images.read(photo(tmp_path / "plain.png"))
    path = tmp_path / "turned.jpg"
    path.write_bytes(saved(stored, "JPEG", exif=exif, quality=95))
    upright = images.read(path)
    for number, mask in enumerate((mask_of(3), mask_of(3).orient(tag))):
        item = plain(number, str(path), body_of(mask))
        result = render(item, wishes(tmp_path, "overlay", "mask"))
        assert result.error is None
        want = mask if mask.shape == upright.shape[:2] and number else mask.orient(tag)
        if tag in (2, 3, 4):  # the size does not tell: taken as stored
            want = mask.orient(tag)
        shown = images.read(tmp_path / "out" / result.files["mask"])
        assert Mask.from_array(shown[:, :, 0]) == want
        drawn = images.read(tmp_path / "out" / result.files["overlay"]).astype(int)
        assert np.abs(drawn - overlay(upright, want)).mean() < 4
        svg = (tmp_path / "out" / result.files["outline"]).read_text()
        assert f'viewBox="0 0 {want.width} {want.height}"' in svg


def test_heatmaps_are_made_of_levels_and_of_maps(tmp_path, item):
    mask = mask_of(0)
    pixels = images.read(item.source)
    for number, (told, want) in enumerate(
        [
            ([{"level": 0.5, **_runs(mask)}], [(mask, 0.5)]),
            ([[0.0, 0.5], [1, 0.25]], np.array([[0, 0.5], [1, 0.25]])),
        ]
    ):
        heated = replace(item, name=f"h{number}", body=body_of(mask, heatmap=told))
        result = render(heated, wishes(tmp_path, "heatmap"))
        assert result.error is None
        drawn = (tmp_path / "out" / result.files["heatmap"]).read_bytes()
        assert drawn == images.encode(heatmap(pixels, want), "JPEG")
    for told in ("https://example.com/map.png", [], {"url": 1}):
        result = render(
            replace(item, body=body_of(mask, heatmap=told)), wishes(tmp_path, "heatmap")
        )
        assert result.error is None
        assert "heatmap" not in result.files


@pytest.mark.parametrize(
    "told", [[{"level": 1}], [{"level": "x", "starts": [0], "lengths": [1]}], [[1, 2], [3]], [7]]
)
def test_heatmaps_that_cannot_be_read(tmp_path, item, told):
    result = render(
        replace(item, body=body_of(mask_of(0), heatmap=told)), wishes(tmp_path, "heatmap")
    )
    assert result.error[0] == "response_format"


def test_answers_without_a_mask(tmp_path, item):
    body = json.dumps({"status": "success", "type": {"ai_generated": 0.9}}).encode()
    result = render(replace(item, service="sightengine", body=body), wishes(tmp_path, *OUTPUTS))
    assert result.error is None
    assert set(result.files) == {"thumbnail"}


def _changed(item):
    photo(Path(item.source), 5)
    return item


def _other_size(item):
    return replace(item, body=body_of(mask_of(0, (61, 80))))


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (_changed, "changed", "not the one that was sent"),
        (_other_size, "shape_mismatch", "60 x 80"),
        (lambda item: replace(item, body=b"<html>"), "html", "captive portal"),
        (lambda item: replace(item, body=b""), "json_truncated", "empty"),
        (lambda item: replace(item, source="/nowhere/a.jpg"), "unreadable", "No such file"),
        (lambda item: replace(item, source="/dev/zero"), "unreadable", "not a regular file"),
        (lambda item: replace(item, service="sightengine"), "missing_key", "sightengine"),
    ],
)
def test_what_is_wrong_with_an_item_is_its_own_error(tmp_path, item, spoil, code, words):
    bad = spoil(item)
    if code == "missing_key":
        bad = replace(bad, body=b'{"verdict": "x"}')
        words = "verdict"
    good = replace(item, item=1, name="good") if code != "changed" else None
    results = render_chunk([bad] + ([good] if good else []), wishes(tmp_path, "overlay"))
    assert results[0].error[0] == code, results[0]
    assert words in results[0].error[1]
    assert sum(results[0].seconds.values()) > 0
    if good:
        assert results[1].error is None


def test_truncated_photos_and_bombs(tmp_path, item):
    data = Path(item.source).read_bytes()
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(data[: len(data) // 2])
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(png_of((b"IDAT", zlib.compress(bytes(9))), shape=(50_000, 50_000, 3)))
    items = [plain(n, str(path), item.body) for n, path in enumerate((cut, bomb))]
    results = render_chunk(items, wishes(tmp_path, "overlay"))
    assert [result.error[0] for result in results] == ["truncated", "limit"]
    assert not files_of(tmp_path)


def test_heic_is_decoded_in_processes_only(tmp_path):
    path = tmp_path / "a.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic" + bytes(30))
    item = plain(0, str(path), body_of(mask_of(0)))
    assert render(item, wishes(tmp_path, "overlay")).error[0] == "heic"
    assert render(item, wishes(tmp_path, "overlay", heic=True)).error[0] != "heic"


def test_what_nobody_foresaw_is_one_items_error(tmp_path, item, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(rendering, "outline_of", broken)
    assert render(item, wishes(tmp_path)).error == ("unexpected", "ZeroDivisionError: oh")

    def full(*_, **__):
        raise MemoryError

    monkeypatch.setattr(rendering, "outline_of", full)
    with pytest.raises(MemoryError):
        render(item, wishes(tmp_path))


def test_a_full_disk(small_disk, tmp_path_factory):
    folder = tmp_path_factory.mktemp("in")
    big = mask_of(0, (600, 800))
    path = folder / "big.png"
    images.write(path, noise(600, 800, 3))
    item = plain(0, str(path), body_of(big))
    made = Wishes(str(small_disk), ("overlay",))
    result = render(item, made)
    assert result.error[0] == "output"
    assert not [p for p in small_disk.rglob("*") if p.name.startswith(".runmask")]


def test_outlines_of_masks_with_very_many_runs_are_small(tmp_path):
    noisy = Mask.from_array(np.random.default_rng(0).random((700, 900)) < 0.5)
    path = tmp_path / "a.png"
    images.write(path, np.zeros((700, 900, 3), np.uint8))
    result = render(plain(0, str(path), body_of(noisy)), wishes(tmp_path))
    outline = tmp_path / "out" / result.files["outline"]
    ElementTree.parse(outline)
    assert outline.stat().st_size < 600_000


def test_look_and_encoding(tmp_path, item):
    """A smaller overlay with a line and the photo's metadata; the mask stays as it is."""
    exif = Image.Exif()
    exif[0x010E] = "a description"
    data = saved(images.read(item.source), "JPEG", exif=exif)
    Path(item.source).write_bytes(data)
    look = Look(inside=(0, 0, 255, 255), outside=None, opacity=0.5, outline=2)
    encoding = Encoding(max_side=40, quality=60, metadata="keep")
    heat = [{"level": 0.5, **_runs(mask_of(0))}]
    item = replace(item, digest="", body=body_of(mask_of(0), heatmap=heat))
    made = wishes(tmp_path, "overlay", "mask", "heatmap", look=look, encoding=encoding)
    result = render(item, made)
    assert result.error is None
    picture, mask = images.load_pair(data, mask_of(0), mode="RGB", max_side=40, metadata="keep")
    heated = heatmap(picture.pixels, [(mask, 0.5)])
    look.draw(picture.pixels, mask)
    for kind, pixels in (("overlay", picture.pixels), ("heatmap", heated)):
        want = images.encode(pixels, "JPEG", quality=60, metadata=picture.metadata)
        assert (tmp_path / "out" / result.files[kind]).read_bytes() == want
        assert b"a description" in want
    stored = images.read(tmp_path / "out" / result.files["mask"])[:, :, 0]
    assert Mask.from_array(stored) == mask_of(0)


def _runs(mask):
    return {"starts": mask.starts.tolist(), "lengths": mask.lengths.tolist()}


def test_wishes_and_results_travel(tmp_path, item):
    wanted = wishes(tmp_path, "overlay", "mask")
    assert pickle.loads(pickle.dumps(wanted)) == wanted
    result = render(item, wanted)
    assert pickle.loads(pickle.dumps(result)) == result
    for bad, words in (
        ({"outputs": ("picture",)}, "there are mask"),
        ({"encoding": Encoding(format="gif")}, "gif"),
        ({"look": "red"}, "Look and Encoding"),
        ({"colormap": "rainbow"}, "rainbow"),
    ):
        with pytest.raises(InputError, match=words):
            Wishes("", **bad)
