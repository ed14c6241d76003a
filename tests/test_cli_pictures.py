"""The commands overlay and heatmap with all their options, on one file and on several."""

import json
import os
import pty
import subprocess
import sys

import numpy as np
import pytest
from command_line import ANSWER, files, photo, run
from PIL import Image

import runmask as rm
from runmask import images
from runmask.mask.files import write_mask


def answer_of(path, runs=None):
    result = runs or ANSWER["result"]
    path.write_text(json.dumps(ANSWER | {"result": result}))
    return path


def mask_of(path):
    return rm.Detection.from_copyleaks(path.read_bytes()).mask


@pytest.fixture
def folder(tmp_path):
    """Three photos of 512 x 512 and an answer for each."""
    for n in range(3):
        photo(tmp_path / f"p{n}.png", 512, 512, seed=n)
        runs = {"starts": [1000 * n], "lengths": [3000]}
        answer_of(tmp_path / f"p{n}.response.json", runs)
    return tmp_path


def pair(folder, n):
    return folder / f"p{n}.png", folder / f"p{n}.response.json"


# -- overlay: several ----------------------------------------------------------------------------


def check_all(folder, out, names=("p0", "p1", "p2")):
    assert files(out) == [f"{name}.overlay.png" for name in names]
    for name in names:
        want = rm.overlay(
            images.read(folder / f"{name}.png"), mask_of(folder / f"{name}.response.json")
        )
        assert np.array_equal(images.read(out / f"{name}.overlay.png"), want)


def test_pairs_by_turns(folder):
    out = folder / "out"
    done = run("overlay", *pair(folder, 0), *pair(folder, 1), *pair(folder, 2), "-o", out)
    assert done.exit_code == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3
    assert "3 of 3 overlays done" in done.stderr
    check_all(folder, out)


@pytest.mark.parametrize("form", ["png", "coco", "npy"])
def test_masks_in_the_place_of_an_answer(folder, form):
    image, answer = pair(folder, 0)
    mask, out = folder / "mask", folder / "out.png"
    mask.write_bytes(write_mask(mask_of(answer), form))
    done = run("overlay", image, mask, "-o", out)
    assert done.exit_code == 0, done.stderr
    assert np.array_equal(images.read(out), rm.overlay(images.read(image), mask_of(answer)))


def test_a_photo_is_no_mask(folder):
    image, _ = pair(folder, 0)
    done = run("overlay", image, pair(folder, 1)[0], "-o", folder / "out.png")
    assert done.exit_code == 2
    assert "p1.png" in done.stderr


def test_images_with_a_folder_of_answers(folder):
    out = folder / "out"
    done = run("overlay", folder, "--answers", folder, "-o", out)
    assert done.exit_code == 0, done.stderr
    check_all(folder, out)


def test_answers_by_their_plain_name(folder):
    photos = folder / "photos"
    photos.mkdir()
    photo(photos / "x.png", 512, 512)
    answer_of(folder / "x.json")
    done = run("overlay", photos / "x.png", "--answers", folder, "-o", folder / "out")
    assert done.exit_code == 0, done.stderr
    assert files(folder / "out") == ["x.overlay.png"]


def test_one_pair_into_a_folder(folder):
    out = folder / "out"
    out.mkdir()
    assert run("overlay", *pair(folder, 1), "-o", out).exit_code == 0
    check_all(folder, out, ["p1"])


def test_one_that_fails_does_not_stop_the_rest(folder):
    (folder / "p1.response.json").write_text("{}")
    out = folder / "out"
    done = run("overlay", folder, "--answers", folder, "-o", out)
    assert done.exit_code == 1
    assert f"{folder / 'p1.response.json'}: " in done.stderr
    assert "2 of 3 overlays done" in done.stderr
    check_all(folder, out, ["p0", "p2"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["p0.png", "p0.response.json", "p1.png"], "3 files are no pairs"),
        (["p0.png"], "1 files are no pairs"),
        ([".", "p0.response.json"], "is a folder: --answers"),
        (["p0.response.json", "p0.png"], "swapped?"),
        (["p0.png", "p0.response.json", "p0.png", "p1.response.json"], "is given twice"),
        (["p0.png", "--answers", "none"], "does not exist"),
        (["p0.png", "--answers", "empty"], "neither of p0.response.json and p0.json"),
    ],
)
def test_what_is_no_set_of_pairs(folder, monkeypatch, arguments, words):
    monkeypatch.chdir(folder)
    (folder / "empty").mkdir()
    done = run("overlay", *arguments, "-o", "out")
    assert done.exit_code == 2
    assert words in done.stderr
    assert not (folder / "out").exists()


def test_two_answers_for_one_photo(folder):
    (folder / "p1.json").write_text("{}")
    done = run("overlay", folder / "p1.png", "--answers", folder, "-o", folder / "out")
    assert done.exit_code == 2
    assert "both of p1.response.json and p1.json" in done.stderr


def test_no_output_takes_an_inputs_place(folder):
    photo(folder / "p0.overlay.png", 512, 512)
    before = (folder / "p0.overlay.png").read_bytes()
    done = run(
        "overlay", *pair(folder, 0), folder / "p0.overlay.png", pair(folder, 1)[1],
        "-o", folder, "--overwrite",
    )  # fmt: skip
    assert done.exit_code == 2
    assert "would be an output as well" in done.stderr
    assert (folder / "p0.overlay.png").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (["overlay", "p0.png", "p0.response.json"], "p0.response.json"),
        (["heatmap", "p0.png", "c.png"], "c.png"),
        (["heatmap", "p0.png", "--level", "p0.response.json", "1"], "p0.response.json"),
        (
            [
                "heatmap",
                "p0.png",
                "--level",
                "p1.response.json",
                "1",
                "--level",
                "p0.response.json",
                "1",
            ],
            "p0.response.json",
        ),
    ],
)
def test_nor_does_a_single_one_that_of_an_answer(folder, monkeypatch, arguments, output):
    monkeypatch.chdir(folder)
    confidence_file(folder, "png")
    before = (folder / output).read_bytes()
    done = run(*arguments, "-o", output, "--format", "png", "--overwrite")
    assert done.exit_code == 2
    assert "would be an output as well" in done.stderr
    assert (folder / output).read_bytes() == before


def test_several_are_not_overwritten_unasked(folder):
    out = folder / "out"
    out.mkdir()
    (out / "p2.overlay.png").write_text("mine")
    done = run("overlay", folder, "--answers", folder, "-o", out)
    assert done.exit_code == 2
    assert "--overwrite replaces it" in done.stderr
    assert files(out) == ["p2.overlay.png"]
    assert run("overlay", folder, "--answers", folder, "-o", out, "--overwrite").exit_code == 0
    check_all(folder, out)


def test_a_bar_where_a_person_watches(folder):
    options = ["--answers", folder, "-o", folder / "out"]
    terminal, end = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "runmask", *("overlay", folder), *options],
            stdout=subprocess.PIPE,
            stderr=end,
            timeout=60,
            env=os.environ | {"TERM": "xterm"},
        )
        os.set_blocking(terminal, False)
        shown = os.read(terminal, 2**16).decode()
    finally:
        os.close(end)
        os.close(terminal)
    assert done.returncode == 0, shown
    assert "overlays" in shown
    assert "\x1b" in shown
    assert b"\x1b" not in done.stdout


# -- overlay: how --------------------------------------------------------------------------------


def test_colours_by_name_and_opacity(folder):
    out = folder / "o.png"
    image, answer = pair(folder, 0)
    done = run(
        "overlay", image, answer, "-o", out, "--inside", "orange", "--outside", "#00f",
        "--opacity", "0.5",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    want = rm.overlay(images.read(image), mask_of(answer), (255, 165, 0, 128), (0, 0, 255, 128))
    assert np.array_equal(images.read(out), want)


@pytest.mark.parametrize(
    ("options", "colour"),
    [
        ([], (255, 0, 0, 255)),
        (["--inside", "1,2,3,4"], (1, 2, 3, 255)),
        (["--outline-colour", "white"], (255, 255, 255, 255)),
        (["--inside", "none", "--outline-colour", "9,8,7,100"], (9, 8, 7, 100)),
    ],
)
def test_outlines(folder, options, colour):
    out = folder / "o.png"
    image, answer = pair(folder, 2)
    done = run("overlay", image, answer, "-o", out, "--outside", "none", "--outline", "5", *options)
    assert done.exit_code == 0, done.stderr
    mask = mask_of(answer)
    inside = {"1,2,3,4": (1, 2, 3, 4), "none": None}.get(
        options[1] if "--inside" in options else "", (255, 0, 0, 120)
    )
    want = rm.overlay(images.read(image), mask, inside, None)
    want = rm.outline(want, mask.contours(), colour, 5)
    assert np.array_equal(images.read(out), want)


def test_outlines_without_a_colour(folder):
    done = run(
        "overlay", *pair(folder, 0), "-o", folder / "o.png", "--inside", "none", "--outline", "2"
    )
    assert done.exit_code == 2
    assert "--outline-colour" in done.stderr


def test_reduced(folder):
    out = folder / "o.png"
    image, answer = pair(folder, 0)
    assert run("overlay", image, answer, "-o", out, "--max-side", "100").exit_code == 0
    picture, mask = images.load_pair(image, mask_of(answer), max_side=100)
    assert np.array_equal(images.read(out), rm.overlay(picture.pixels, mask))


def test_formats(folder):
    image, answer = pair(folder, 0)
    out = folder / "out"
    done = run("overlay", image, answer, *pair(folder, 1), "-o", out, "--format", "webp")
    assert done.exit_code == 0, done.stderr
    assert files(out) == ["p0.overlay.webp", "p1.overlay.webp"]
    assert images.format_of(out / "p0.overlay.webp") == "WEBP"
    sizes = []
    for quality in ("20", "95"):
        path = folder / f"{quality}.jpg"
        assert run("overlay", image, answer, "-o", path, "--quality", quality).exit_code == 0
        sizes.append(path.stat().st_size)
    assert sizes[1] > 1.5 * sizes[0]
    exact = folder / "exact.webp"
    assert run("overlay", image, answer, "-o", exact, "--lossless").exit_code == 0
    want = rm.overlay(images.read(image), mask_of(answer))
    assert np.array_equal(images.read(exact), want)
    plain = run("overlay", image, answer, "-o", folder / "x", "--format", "jpeg")
    assert plain.exit_code == 0
    assert images.format_of(folder / "x.jpg") == "JPEG"


def test_metadata(folder):
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    image = photo(folder / "e.jpg", 512, 512, exif=exif)
    answer = pair(folder, 0)[1]
    for name, options in (("a.jpg", []), ("b.jpg", ["--metadata", "keep"])):
        assert run("overlay", image, answer, "-o", folder / name, *options).exit_code == 0
    assert b"A camera" not in (folder / "a.jpg").read_bytes()
    assert b"A camera" in (folder / "b.jpg").read_bytes()


# -- heatmap -------------------------------------------------------------------------------------


def confidence_file(folder, kind):
    values = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    if kind == "npy":
        np.save(folder / "c.npy", values)
    else:
        values = (values * 255).astype(np.uint8)
        Image.fromarray(values).save(folder / "c.png")
    return folder / f"c.{kind}", values


@pytest.mark.parametrize("kind", ["npy", "png"])
def test_heatmap_is_what_the_library_draws(folder, kind):
    path, values = confidence_file(folder, kind)
    image, out = folder / "p0.png", folder / "h.png"
    done = run("heatmap", image, path, "-o", out)
    assert done.exit_code == 0, done.stderr
    assert done.stdout == f"{out}: 512 x 512, 4 x 3 map\n"
    assert np.array_equal(images.read(out), rm.heatmap(images.read(image), values))


def test_heatmap_options(folder):
    path, values = confidence_file(folder, "npy")
    image, out = folder / "p0.png", folder / "h.png"
    done = run(
        "heatmap", image, path, "-o", out, "--colormap", "viridis", "--alpha", "30,200",
        "--range", "0.2", "0.6", "--max-side", "90",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    small = images.read(image, max_side=90)
    want = rm.heatmap(small, values, "viridis", (30, 200), range=(0.2, 0.6))
    assert np.array_equal(images.read(out), want)


def test_heatmap_of_masks(folder):
    image, out = folder / "p0.png", folder / "h.png"
    answers = [pair(folder, n)[1] for n in (0, 1)]
    done = run(
        "heatmap", image, "--level", answers[0], "0.4", "--level", answers[1], "0.9", "-o", out,
        "--alpha", "255",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    pairs = [(mask_of(answers[0]), 0.4), (mask_of(answers[1]), 0.9)]
    assert np.array_equal(images.read(out), rm.heatmap(images.read(image), pairs, alpha=255))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["p0.png"], "give either CONFIDENCE or --level"),
        (["p0.png", "c.npy", "--level", "p0.response.json", "1"], "give either"),
        (["p0.png", "p0.response.json"], "come with --level"),
        (["p0.png", "p1.png"], "a map of confidences is grey"),
        (["p0.png", "cut.npy"], "no array in NumPy's format"),
        (["p0.png", "pickled.npy"], "no array in NumPy's format"),
        (["p0.png", "text.npy"], "neither a NumPy file"),
        (["p0.png", "cube.npy"], "shape (2, 2, 2)"),
        (["p0.png", "nan.npy"], "confidence[0, 1] is NaN"),
        (["p0.png", "c.npy", "--alpha", "256"], "not one number 0..255"),
        (["p0.png", "c.npy", "--alpha", "9" * 5000], "not one number 0..255"),
        (["p0.png", "c.npy", "--alpha", "1,2,3"], "not one number 0..255"),
        (["p0.png", "c.npy", "--range", "1", "0"], "range"),
        (["p0.png", "c.npy", "--colormap", "jet"], "'jet' is not one of"),
        (["p0.png", "--level", "p0.response.json", "1.5"], "1.5 is not in the range"),
        (["p0.png", "--level", "p0.response.json", "1", "--level", "wide.json", "1"], "another"),
        (["p0.response.json", "c.npy"], "no image of a known format"),
    ],
)
def test_bad_heatmaps(folder, monkeypatch, arguments, words):
    monkeypatch.chdir(folder)
    confidence_file(folder, "npy")
    (folder / "cut.npy").write_bytes((folder / "c.npy").read_bytes()[:-5])
    np.save(folder / "pickled.npy", np.array([{}], object), allow_pickle=True)
    (folder / "text.npy").write_text("0.5")
    np.save(folder / "cube.npy", np.zeros((2, 2, 2)))
    np.save(folder / "nan.npy", np.array([[0, np.nan]]))
    wide = ANSWER | {"imageInfo": {"shape": {"height": 256, "width": 1024}, "metadata": {}}}
    (folder / "wide.json").write_text(json.dumps(wide))
    before = files(folder)
    done = run("heatmap", *arguments, "-o", "h.png")
    assert done.exit_code == 2, done.output
    assert words in done.stderr
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert files(folder) == before


# -- contours: several ---------------------------------------------------------------------------


def test_contours_of_several(folder):
    answers = [pair(folder, n)[1] for n in range(3)]
    done = run("contours", *answers, "-o", folder / "out")
    assert done.exit_code == 0, done.stderr
    assert files(folder / "out") == [f"p{n}.contours.geojson" for n in range(3)]
    for n, path in enumerate(answers):
        got = json.loads((folder / "out" / f"p{n}.contours.geojson").read_text())
        assert got == mask_of(path).contours().to_geojson()


def test_contours_of_a_folder(folder):
    done = run("contours", folder, "-o", folder / "out", "--format", "svg", "--outline", "center")
    assert done.exit_code == 0, done.stderr
    assert files(folder / "out") == [f"p{n}.contours.svg" for n in range(3)]
    (folder / "none").mkdir()
    done = run("contours", folder / "none", "-o", folder / "out2")
    assert done.exit_code == 2
    assert "no *.response.json" in done.stderr


def test_the_form_of_contours_is_named(folder):
    answer = pair(folder, 1)[1]
    assert run("contours", answer, "-o", folder / "c", "--format", "json").exit_code == 0
    assert run("contours", answer, "-o", folder / "d.json").exit_code == 0
    assert (folder / "c.json").read_text() == (folder / "d.json").read_text()


def test_contours_go_on_after_one_that_fails(folder):
    (folder / "p0.response.json").write_text("[]")
    done = run("contours", folder, "-o", folder / "out")
    assert done.exit_code == 1
    assert files(folder / "out") == ["p1.contours.geojson", "p2.contours.geojson"]
    assert "2 of 3 answers done" in done.stderr
