"""What notebooks show, and what other libraries take as it is."""

from __future__ import annotations

import json
import warnings
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest

import runmask as rm
from runmask import Detection, Mask

SPOT = Mask.from_circle((20, 30), 9, (40, 60))


def test_small_masks_are_shown_whole():
    assert Mask.from_png(SPOT._repr_png_()) == SPOT


def test_large_masks_are_reduced_on_their_runs():
    mask = Mask.from_circle((3000, 5000), 2000, (6000, 10_000))
    shown = Mask.from_png(mask._repr_png_())
    assert shown.shape == (307, 512)
    assert shown == mask.resize((307, 512))
    assert Mask.from_png(Mask.full((1, 10**7))._repr_png_()).shape == (1, 512)


def test_masks_without_pixels_have_no_picture():
    assert Mask.empty((0, 5))._repr_png_() is None


def test_contours_are_drawings():
    root = ET.fromstring(SPOT.contours()._repr_svg_())
    assert (root.attrib["width"], root.attrib["height"]) == ("60", "40")
    assert root[1].attrib["d"] == SPOT.contours().to_svg_path()
    assert Mask.empty((0, 5)).contours()._repr_svg_() is None
    assert ET.fromstring(Mask.empty((3, 5)).contours("center")._repr_svg_())[1].attrib["d"] == ""


def test_drawings_of_contours_are_bounded():
    rng = np.random.default_rng(0)
    wavy = Mask.union(
        Mask.from_circle(tuple(rng.uniform(0, 6000, 2)), 90, (6000, 6000)) for _ in range(900)
    ).contours()
    assert len(wavy.points) > 2**15
    root = ET.fromstring(wavy._repr_svg_())
    assert (root.attrib["width"], root.attrib["viewBox"]) == ("512", "0 0 6000 6000")
    assert len(wavy._repr_svg_()) < 300_000
    noise = Mask.from_array(rng.random((500, 500)) < 0.4).contours()
    assert noise._repr_svg_() is None


EVIL = "<script>alert('x')</script>\"><img src=x onerror=1>"


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text, self.attributes = [], "", []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data):
        self.text += data


def read(detection):
    reader = Reader()
    reader.feed(detection._repr_html_())
    return reader


def answer(**more):
    return json.dumps(
        {
            "isAiDetected": True,
            "result": {"starts": [0], "lengths": [50]},
            "summary": {"human": 0.5, "ai": 0.5},
            "imageInfo": {"shape": {"height": 10, "width": 10}},
        }
        | more
    )


def test_detections_are_tables():
    reader = read(Detection.from_copyleaks(answer(model="ultra")))
    assert set(reader.tags) == {"div", "table", "tr", "th", "td", "img"}
    for text in ("copyleaks", "verdict", "ai", "0.5", "ultra", "Mask(10 x 10, 1 run, 50 px"):
        assert text in reader.text


def test_what_an_answer_holds_is_never_run():
    scan = {"scanId": EVIL, "actualCredits": 1, "creationTime": EVIL}
    evil = answer(model=EVIL, scannedDocument=scan, sandbox={"notice": EVIL})
    reader = read(Detection.from_copyleaks(evil))
    assert "script" not in reader.tags
    assert reader.tags.count("img") == 1
    assert not [name for name in reader.attributes if name.startswith("on")]
    assert reader.text.count(EVIL) >= 2


def test_what_cannot_be_read_is_said():
    bad = answer(result={"starts": [99], "lengths": [50]})
    reader = read(Detection.from_copyleaks(bad))
    assert "mask" in reader.text
    assert "cannot be read: run 0" in reader.text
    assert "img" not in reader.tags


def test_every_service():
    for raw in (
        '{"verdict": "ai_generated", "confidence": 0.9, "model_attribution": {"<b>": 0.5}}',
        '{"status": "success", "type": {"ai_generated": 0.2}, "request": {"id": "r"}}',
    ):
        detection = Detection.from_answer(raw)
        assert detection.service in read(detection).text


def test_numpy():
    pixels = np.asarray(SPOT)
    assert pixels.dtype == bool
    assert np.array_equal(pixels, SPOT.to_array(dtype=bool))
    assert np.asarray(SPOT, np.uint8).dtype == np.uint8
    assert np.array_equal(np.stack([SPOT, ~SPOT]).sum(axis=0), np.ones(SPOT.shape))
    with pytest.raises(ValueError, match="always a copy"):
        np.asarray(SPOT, copy=False)


def test_pillow():
    image = pytest.importorskip("PIL.Image")
    assert np.array_equal(np.asarray(image.fromarray(np.asarray(SPOT))), np.asarray(SPOT))
    photo = np.zeros((40, 60, 3), np.uint8)
    given = image.fromarray(photo)  # Pillow's images are arrays to NumPy
    assert np.array_equal(rm.overlay(given, SPOT), rm.overlay(photo, SPOT))


def test_matplotlib():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        figure, axes = pyplot.subplots()
        shown = axes.imshow(SPOT)
        for ring in SPOT.contours():
            axes.plot(*ring.T)
        figure.canvas.draw()
    assert np.array_equal(np.asarray(shown.get_array()), np.asarray(SPOT))
    assert np.array_equal(axes.lines[0].get_xydata(), SPOT.contours()[0])
    pyplot.close(figure)


def test_opencv():
    cv2 = pytest.importorskip("cv2")
    rings, hierarchy = SPOT.contours("center").to_cv2()
    drawn = cv2.drawContours(np.zeros(SPOT.shape, np.uint8), rings, -1, 1, -1)
    assert np.array_equal(drawn, SPOT.to_array())
    assert hierarchy.shape == (1, 1, 4)
    assert cv2.countNonZero(np.asarray(SPOT, np.uint8)) == SPOT.area


def test_supervision():
    """Its Detections take the arrays of components as they are."""
    supervision = pytest.importorskip("supervision")
    parts = (SPOT | Mask.from_bbox((50, 2, 55, 9), SPOT.shape)).components()
    found = supervision.Detections(xyxy=parts.boxes.astype(float), mask=np.stack(list(parts)))
    assert len(found) == 2
    assert np.array_equal(np.asarray(found.area), parts.areas)


def test_supervision_draws_a_detection(golden):
    """A service's answer, part by part, with its own annotator."""
    supervision = pytest.importorskip("supervision")
    answer = (golden / "copyleaks_check_edited_1800x1350.json").read_bytes()
    detection = rm.Detection.from_copyleaks(answer)
    parts = detection.mask.components()
    found = supervision.Detections(
        xyxy=parts.boxes.astype(float),
        mask=np.stack(list(parts)),
        class_id=np.zeros(len(parts), int),
        data={"verdict": np.full(len(parts), detection.verdict)},
    )
    photo = np.full((*detection.mask.shape, 3), 90, np.uint8)
    drawn = supervision.MaskAnnotator(supervision.Color(0, 0, 255)).annotate(photo.copy(), found)
    assert np.array_equal((drawn != photo).any(axis=2), np.asarray(detection.mask))


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_dlpack(library):
    """What is handed out is taken over without a copy, by whom also writes to it."""
    module = pytest.importorskip(library)
    photo = np.full((40, 60, 3), 90, np.uint8)
    contours = SPOT.contours()
    results = (
        SPOT.to_array(),
        SPOT.to_array(dtype=bool),
        rm.overlay(photo, SPOT),
        rm.outline(photo, contours, antialias=True),
        rm.heatmap(photo, SPOT),
    )
    for array in results:
        taken = module.from_dlpack(array)
        assert np.shares_memory(np.asarray(taken), array)
        assert np.array_equal(np.asarray(taken), array)
    with pytest.raises((BufferError, RuntimeError), match=r"readonly|read-only"):
        np.asarray(SPOT.starts).__dlpack__()  # shown without a copy, so nobody may write
