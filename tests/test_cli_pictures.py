"""The command overlay with all its options, on one file and on several."""

import os
import pty
import subprocess
import sys

import numpy as np
import pytest
from command_line import answer_of, confidence_file, files, mask_of, pair, photo, photos_in, run
from PIL import Image, ImageCms

import runmask as rm
from runmask import images
from runmask.mask.files import write_mask


@pytest.fixture
def folder(tmp_path):
    return photos_in(tmp_path)


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
        (["p0.png", "p0.response.json", "p1.png"], "an odd number of files, 3: "),
        (["p0.png"], "an odd number of files, 1: "),
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


@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.webp", "x.tif"])
@pytest.mark.parametrize("fmt", ["jpeg", "PNG", "webp", "tiff"])
def test_names_do_not_lie_about_the_format(folder, name, fmt):
    image, answer = pair(folder, 0)
    confidence, _ = confidence_file(folder, "npy")
    said = {"x.jpg": "jpeg", "x.tif": "tiff"}.get(name, name[2:])
    for what in (["overlay", image, answer], ["heatmap", image, confidence]):
        done = run(*what, "-o", folder / name, "--format", fmt, "--overwrite")
        assert done.exit_code == (0 if said == fmt.lower() else 2)
        assert ("is named as" in done.stderr) is (said != fmt.lower())
    assert run("overlay", image, answer, "-o", folder / "x.part", "--format", fmt).exit_code == 0


def test_nothing_goes_to_standard_output(folder, monkeypatch):
    monkeypatch.chdir(folder)
    confidence_file(folder, "npy")
    before = files(folder)
    for what in (
        ["overlay", "p0.png", "p0.response.json"],
        ["heatmap", "p0.png", "c.npy"],
        ["contours", "p0.response.json"],
        ["detect", "p0.png"],
        ["batch", "p0.png"],
        ["render", "."],
    ):
        done = run(*what, "-o", "-")
        assert done.exit_code == 2, what
        assert "nothing goes to standard output" in done.stderr, what
    assert files(folder) == before
    assert run("overlay", "p0.png", "p0.response.json", "-o", "./-").exit_code == 0


def test_metadata(folder):
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = photo(folder / "e.jpg", 512, 512, exif=exif, icc_profile=profile)
    answer, out = pair(folder, 0)[1], folder / "a.jpg"
    for options, has_exif, has_profile in (
        ([], False, True),
        (["--metadata", "strip"], False, True),
        (["--metadata", "keep"], True, True),
        (["--metadata", "none"], False, False),
    ):
        for what in (["overlay", image, answer], ["heatmap", image, "--level", answer, 1]):
            assert run(*what, "-o", out, "--overwrite", *options).exit_code == 0
            assert (b"A camera" in out.read_bytes()) is has_exif
            with Image.open(out) as drawn:
                assert (drawn.info.get("icc_profile") == profile) is has_profile
    for name in ("b.bmp", "b.tif", "b.png", "b.webp"):
        assert run("overlay", image, answer, "-o", folder / name).exit_code == 0
