"""The command contours: an answer in, a file of the form that its name says out."""

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from command_line import ANSWER, files, mask_of, pair, photos_in, run

import runmask
from runmask.contours.files import annotation
from runmask.mask.files import write_mask


@pytest.fixture
def mask():
    y, x = np.indices((512, 512))
    ring = np.hypot(y - 200, x - 250)
    pixels = (ring < 100) & (ring > 40)
    pixels[500:502, 500] = True
    return runmask.Mask.from_array(pixels)


@pytest.fixture
def answer(tmp_path, mask):
    path = tmp_path / "answer.json"
    result = {"starts": mask.starts.tolist(), "lengths": mask.lengths.tolist()}
    path.write_text(json.dumps({**ANSWER, "result": result}))
    return path


def test_geojson(tmp_path, answer, mask):
    out = tmp_path / "out.geojson"
    done = run("contours", answer, "-o", out)
    assert done.exit_code == 0, done.stderr
    assert json.loads(out.read_text()) == mask.contours().to_geojson()
    points = len(mask.contours().points)
    assert done.stdout == f"{out}: 512 x 512, 2 parts, 1 hole, {points:,} points\n"


def test_svg(tmp_path, answer, mask):
    out = tmp_path / "out.SVG"
    done = run("contours", answer, "-o", out, "--outline", "center")
    assert done.exit_code == 0, done.stderr
    path = ET.fromstring(out.read_text())[1]
    assert path.attrib["d"] == mask.contours("center").to_svg_path()


def test_json_is_an_annotation(tmp_path, answer, mask):
    out = tmp_path / "out.json"
    assert run("contours", answer, "-o", out).exit_code == 0
    assert json.loads(out.read_text()) == annotation(mask.contours())


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        (["--min-area", "3"], {"min_area": 3}),
        (["--no-holes"], {"holes": False}),
        (["--simplify", "1.5"], {"simplify": 1.5}),
        (["--connectivity", "4", "--min-area", "2"], {"connectivity": 4, "min_area": 2}),
    ],
)
def test_options(tmp_path, answer, mask, options, arguments):
    out = tmp_path / "out.geojson"
    done = run("contours", answer, "-o", out, *options)
    assert done.exit_code == 0, done.stderr
    assert json.loads(out.read_text()) == mask.contours(**arguments).to_geojson()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["-o", "out.png"], "the ending '.png' is none of contours: .geojson, .svg, .json"),
        (["-o", "out"], "a name without ending, not one of contours"),
        (["-o", "out.svg", "--format", "json"], "'out.svg' ends otherwise than --format json"),
        (["-o", "-", "--format", "svg"], "nothing goes to standard output"),
        (["-o", ""], "the name is empty"),
        ([], "Missing option '-o'"),
        (["-o", "out.geojson", "--outline", "center"], "is for rings on pixels' edges"),
        (["-o", "out.json", "--outline", "center"], "is for rings on pixels' edges"),
        (["-o", "out.svg", "--simplify", "-1"], "Invalid value for '--simplify'"),
        (["-o", "out.svg", "--simplify", "nan"], "tolerance"),
        (["-o", "out.svg", "--min-area", "-1"], "Invalid value for '--min-area'"),
        (["-o", "out.svg", "--min-area", "1.5"], "Invalid value for '--min-area'"),
        (["-o", "out.svg", "--connectivity", "6"], "Invalid value for '--connectivity'"),
    ],
)
def test_bad_arguments(tmp_path, answer, monkeypatch, arguments, text):
    monkeypatch.chdir(tmp_path)
    done = run("contours", answer, *arguments)
    assert done.exit_code == 2
    assert text in done.stderr
    assert files(tmp_path) == ["answer.json"]


def test_what_is_no_answer(tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    done = run("contours", bad, "-o", tmp_path / "out.svg")
    assert done.exit_code == 2
    assert "bad.json" in done.stderr
    assert files(tmp_path) == ["bad.json"]


def test_overwriting_is_asked_for(tmp_path, answer):
    out = tmp_path / "out.svg"
    out.write_text("mine")
    done = run("contours", answer, "-o", out)
    assert done.exit_code == 2
    assert "--overwrite replaces it" in done.stderr
    assert out.read_text() == "mine"
    assert run("contours", answer, "-o", out, "--overwrite").exit_code == 0
    assert out.read_text() != "mine"


def test_folders_that_do_not_exist(tmp_path, answer):
    done = run("contours", answer, "-o", tmp_path / "none" / "out.svg")
    assert done.exit_code == 5
    assert "nothing was changed" in done.stderr


@pytest.mark.parametrize("form", ["png", "coco", "npy"])
def test_masks_in_other_forms(tmp_path, mask, form):
    source, out = tmp_path / "mask", tmp_path / "out.geojson"
    source.write_bytes(write_mask(mask, form))
    assert run("contours", source, "-o", out).exit_code == 0
    assert json.loads(out.read_text()) == mask.contours().to_geojson()


@pytest.fixture
def folder(tmp_path):
    return photos_in(tmp_path)


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


def test_contours_of_masks_have_the_photos_name(folder):
    made = [folder / f"p{n}.mask.png" for n in (0, 1)]
    for n, path in enumerate(made):
        path.write_bytes(mask_of(pair(folder, n)[1]).to_png())
    done = run("contours", *made, "-o", folder / "out", "--format", "svg")
    assert done.exit_code == 0, done.stderr
    assert files(folder / "out") == ["p0.contours.svg", "p1.contours.svg"]


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
