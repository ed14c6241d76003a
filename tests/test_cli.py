"""The commands overlay and info, and what all commands say: real files in and out."""

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner
from command_line import ANSWER, files, photo, run
from PIL import Image

import runmask
from runmask import cli, images


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch):
    for name in ("COPYLEAKS_EMAIL", "COPYLEAKS_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def answer(tmp_path):
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(ANSWER))
    return path


# -- overlay -------------------------------------------------------------------------------------


def test_overlay_is_what_the_library_draws(tmp_path, answer):
    path = photo(tmp_path / "a.png", 512, 512)
    done = run("overlay", path, answer, "-o", tmp_path / "out.png")
    assert done.exit_code == 0, done.stderr
    assert "512 x 512, 64 pixels marked (0.0244 %)" in done.stdout
    mask = runmask.Detection.from_copyleaks(answer.read_bytes()).mask
    want = runmask.overlay(images.read(path), mask)
    assert np.array_equal(images.read(tmp_path / "out.png"), want)


def test_overlay_colours(tmp_path, answer):
    path = photo(tmp_path / "a.png", 512, 512)
    out = tmp_path / "out.png"
    done = run("overlay", path, answer, "-o", out, "--outside", "none", "--inside", "1,2,3,255")
    assert done.exit_code == 0, done.stderr
    before, after = images.read(path), images.read(out)
    changed = (before != after).any(axis=2)
    assert changed.sum() == 64
    assert (after[changed] == [1, 2, 3]).all()


@pytest.mark.parametrize(
    "colour",
    ["1,2", "1,2,3,256", "1,2,3,4,5", "reddish", "1,2,3,-4", "a,b,c,d", "", "#12", "0001,2,3,4"],
)
def test_bad_colours(tmp_path, answer, colour):
    path = photo(tmp_path / "a.png", 512, 512)
    done = run("overlay", path, answer, "-o", tmp_path / "out.png", "--inside", colour)
    assert done.exit_code == 2
    assert "not R,G,B or R,G,B,A of numbers 0..255" in done.stderr
    assert "or 'none'" in done.stderr
    assert not (tmp_path / "out.png").exists()


def test_overlay_keeps_grid_and_orientation(tmp_path, answer):
    wide = ANSWER | {"imageInfo": {"shape": {"height": 500, "width": 600}, "metadata": {}}}
    answer.write_text(json.dumps(wide))
    exif = Image.Exif()
    exif[0x0112] = 6
    path = photo(tmp_path / "a.jpg", 500, 600, exif=exif)
    done = run("overlay", path, answer, "-o", tmp_path / "out.jpg")
    assert done.exit_code == 0, done.stderr
    assert images.load(tmp_path / "out.jpg", orient=False).orientation == 6
    assert images.read(tmp_path / "out.jpg").shape == (600, 500, 3)


@pytest.mark.parametrize(
    ("image", "response", "out", "words"),
    [
        ("a.png", "answer.json", "out.txt", "no image format"),
        ("a.png", "answer.json", "a.png", "exists"),
        ("small.png", "answer.json", "out.png", "30 x 40 (height x width), the mask 512 x 512"),
        ("text.png", "answer.json", "out.png", "no image of a known format"),
        ("a.png", "text.png", "out.png", "JSON"),
        ("a.png", "empty.json", "out.png", "neither 'result' nor 'summary'"),
        ("a.png", "bad.json", "out.png", "start"),
        ("missing.png", "answer.json", "out.png", "does not exist"),
        ("a.png", "answer.json", "missing/out.png", "No such file"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(tmp_path, answer, image, response, out, words):
    photo(tmp_path / "a.png", 512, 512)
    photo(tmp_path / "small.png", 30, 40)
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "empty.json").write_text("{}")
    bad = ANSWER | {"result": {"starts": [-5], "lengths": [1]}}
    (tmp_path / "bad.json").write_text(json.dumps(bad))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = run("overlay", tmp_path / image, tmp_path / response, "-o", tmp_path / out)
    assert done.exit_code == (5 if "missing/" in out else 2)
    assert words in done.stderr
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert done.stdout == ""
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_overwrite_is_asked_for(tmp_path, answer):
    path = photo(tmp_path / "a.png", 512, 512)
    before = path.read_bytes()
    assert run("overlay", path, answer, "-o", path, "--overwrite").exit_code == 0
    assert path.read_bytes() != before


# -- info ----------------------------------------------------------------------------------------


def test_info_is_a_table(answer):
    done = run("info", answer)
    assert done.exit_code == 0, done.stderr
    head, row = done.stdout.splitlines()
    assert head.split()[:2] == ["answer", "verdict"]
    for cell in (
        "ai ",
        "64 (0.0244 %)",
        "512 x 512",
        "200..216, 100..104",
        " 4 ",
        "claims-7f3a-front",
    ):
        assert cell in row


def test_info_for_machines(tmp_path, answer):
    other = tmp_path / "b.json"
    other.write_text("[]")
    done = run("info", answer, other, "--json")
    assert done.exit_code == 1
    assert done.stderr.count(str(other)) == 1
    line, failure = map(json.loads, done.stdout.splitlines())
    assert line["ok"]
    assert line["file"] == str(answer)
    assert line["notice"] is None
    assert failure.pop("message")
    assert failure == {"ok": False, "file": str(other), "error": "not_an_object"}
    assert line["verdict"] == "ai"
    assert line["mask"] == {
        "height": 512, "width": 512, "runs": 4, "area": 64, "fraction": 64 / 512**2,
        "bbox": [200, 100, 216, 104],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ("aidetector", {"verdict": "ai_generated", "confidence": 0.9}),
        ("sightengine", {"status": "success", "type": {"ai_generated": 0.2}}),
    ],
)
def test_info_reads_every_service(tmp_path, service, said):
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(said))
    done = run("info", path, "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["service"] == service


def test_overlay_without_a_mask_in_the_answer(tmp_path):
    path = tmp_path / "answer.json"
    path.write_text(json.dumps({"verdict": "ai_generated", "confidence": 0.9}))
    image = photo(tmp_path / "a.png", 512, 512)
    done = run("overlay", image, path, "-o", tmp_path / "out.png")
    assert done.exit_code == 2
    assert "the answer has no mask" in done.stderr


def test_info_reads_standard_input(answer):
    done = CliRunner().invoke(cli.main, ["info", "-"], input=answer.read_bytes())
    assert done.exit_code == 0
    assert "claims-7f3a-front" in done.stdout


def test_answers_cannot_steer_the_terminal(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(ANSWER | {"model": "\x1b[2J[red]x[/red]"}))
    done = run("info", path)
    assert "\x1b" not in done.stdout
    assert "\\x1b[2J[red]x[/red]" in done.stdout


def test_overlay_without_endings(tmp_path, answer):
    path = photo(tmp_path / "noext", 512, 512, format="JPEG")
    done = run("overlay", path, answer, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    assert str(tmp_path / "out.jpg") in done.stdout
    assert images.format_of(tmp_path / "out.jpg") == "JPEG"


def test_overlay_with_its_arguments_swapped(tmp_path, answer):
    path = photo(tmp_path / "a.png", 512, 512)
    done = run("overlay", answer, path, "-o", tmp_path / "out.png")
    assert done.exit_code == 2
    assert f"'{path}' is an image" in done.stderr
    assert "swapped?" in done.stderr
    done = run("info", path)
    assert f"{path}: a PNG image, not an answer" in done.stderr


@pytest.mark.parametrize("command", ["detect", "overlay"])
def test_an_empty_name_for_the_output(tmp_path, answer, command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = photo(tmp_path / "a.png", 512, 512)
    done = run(command, path, *([answer] if command == "overlay" else []), "-o", "")
    assert done.exit_code == 2
    assert "empty" in done.stderr
    assert files(tmp_path) == ["a.png", "answer.json"]


def test_messages_are_for_the_command_line(tmp_path, answer):
    """They name the file once, and advise nothing that only Python can do."""
    small = photo(tmp_path / "small.png", 40, 40)
    clear = Image.new("RGBA", (512, 512), (1, 2, 3, 4))
    clear.save(tmp_path / "clear.png")
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(ANSWER | {"result": {"starts": [262140], "lengths": [9]}}))
    empty = tmp_path / "empty.json"
    empty.write_text(
        json.dumps(ANSWER | {"imageInfo": {"shape": {"height": 0, "width": 5}, "metadata": {}}})
    )
    for arguments, words in (
        (("detect", small, "-o", tmp_path / "out"), "sides from 512"),
        (("overlay", tmp_path / "clear.png", answer, "-o", tmp_path / "o.jpg"), "transparency"),
        (("overlay", tmp_path / "clear.png", bad, "-o", tmp_path / "o.png"), "exceeds"),
        (("info", empty), "height 0"),
    ):
        done = run(*arguments)
        assert words in done.stderr
        assert not re.search(r"\w+=(True|False|'clip')|\[:", done.stderr), done.stderr
        assert max(map(done.stderr.count, map(str, tmp_path.iterdir()))) <= 1


def test_warnings_are_one_line(tmp_path, answer):
    exif = Image.Exif()
    exif[0x0112] = 3
    path = photo(tmp_path / "a.png", 512, 512, format="JPEG", exif=exif)
    done = run("overlay", path, answer, "-o", tmp_path / "out.jpg")
    assert done.exit_code == 0
    named, turned = done.stderr.splitlines()
    assert named == f"{path}: warning: the image is named as PNG but holds JPEG; read as JPEG"
    assert turned.startswith(f"{path}: warning: the image: EXIF orientation 3")


def test_the_help_tells_the_exit_codes():
    for command in ("detect", "overlay", "info"):
        assert "3 credentials missing" in " ".join(run(command, "--help").output.split())
