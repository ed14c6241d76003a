"""The command heatmap with all its options: maps of every kind, and masks."""

import json

import numpy as np
import pytest
from command_line import ANSWER, confidence_file, files, mask_of, pair, photos_in, run
from PIL import Image

import runmask as rm
from runmask import images


@pytest.fixture
def folder(tmp_path):
    return photos_in(tmp_path)


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


@pytest.mark.parametrize(("dtype", "full"), [(np.uint8, 255), (np.uint16, 65535)])
@pytest.mark.parametrize("kind", ["png", "tif", "npy"])
def test_ranges_are_in_the_maps_own_numbers(folder, dtype, full, kind):
    values = (np.linspace(0, 1, 12).reshape(3, 4) * full).astype(dtype)
    path = folder / f"c.{kind}"
    if kind == "npy":
        np.save(path, values)
    else:
        Image.fromarray(values).save(path)
    image = folder / "p0.png"
    before = images.read(image)
    for options, limits in (
        ([], None),
        (["--range", 0, full], None),
        (["--range", full // 4, full // 2], (full // 4, full // 2)),
    ):
        out = folder / "h.png"
        done = run("heatmap", image, path, "-o", out, "--overwrite", *options)
        assert done.exit_code == 0, done.stderr
        want = rm.heatmap(before, values, range=limits)
        assert (want != before).any()
        assert np.array_equal(images.read(out), want)


def test_nan_that_is_transparent(folder):
    values = np.array([[0.2, np.nan], [0.9, 1]])
    np.save(folder / "c.npy", values)
    image, out = folder / "p0.png", folder / "h.png"
    done = run("heatmap", image, folder / "c.npy", "-o", out, "--nan", "transparent")
    assert done.exit_code == 0, done.stderr
    want = rm.heatmap(images.read(image), values, nan="transparent")
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
        (["p0.png", "p1.png"], "the map is a PNG picture with colours, not grey"),
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
