"""The command line as a person runs it: real files, real processes, the embedded sandbox."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from faults.server import Answer, faulty
from PIL import Image

import runmask
from runmask import images

pytest.importorskip("cv2")
pytest.importorskip("starlette")
pytest.importorskip("httpx2")
cli = pytest.importorskip("runmask.cli")

# The answer of shared fixtures' shape: a block of 16 x 4 pixels in a 512 x 512 image.
ANSWER = {
    "model": "ai-image-1-ultra",
    "isAiDetected": True,
    "result": {"starts": [51400, 51912, 52424, 52936], "lengths": [16, 16, 16, 16]},
    "summary": {"human": 0.999755859375, "ai": 0.000244140625},
    "imageInfo": {"shape": {"height": 512, "width": 512}, "metadata": {}},
    "scannedDocument": {"scanId": "claims-7f3a-front", "actualCredits": 1, "expectedCredits": 1,
                        "creationTime": "2026-11-20T08:16:41.55021Z"},
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch):
    for name in ("COPYLEAKS_EMAIL", "COPYLEAKS_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def answer(tmp_path):
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(ANSWER))
    return path


def photo(path, height=520, width=640, seed=0, **options):
    """Something like a photo: soft shapes with noise, and a smooth patch."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    base = 120 + 60 * np.sin(x / 40 + seed) + 40 * np.cos(y / 25)
    pixels = base[:, :, None] + rng.normal(0, 9, (height, width, 3)) + [0, 10, -10]
    pixels[100:250, 100:300] = base[100:250, 100:300, None]
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, **options)
    return path


def run(*arguments):
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def files(folder):
    return sorted(path.name for path in Path(folder).iterdir())


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


@pytest.mark.parametrize("colour", ["1,2,3", "1,2,3,256", "red", "1,2,3,-4", "a,b,c,d", ""])
def test_bad_colours(tmp_path, answer, colour):
    path = photo(tmp_path / "a.png", 512, 512)
    done = run("overlay", path, answer, "-o", tmp_path / "out.png", "--inside", colour)
    assert done.exit_code == 2
    assert "four numbers 0..255" in done.stderr
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
        ("small.png", "answer.json", "out.png", "30x40 (height x width), the mask 512x512"),
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
    assert str(other) in done.stderr
    [line] = map(json.loads, done.stdout.splitlines())
    assert line["file"] == str(answer)
    assert line["verdict"] == "ai"
    assert line["mask"] == {
        "height": 512, "width": 512, "runs": 4, "area": 64, "fraction": 64 / 512**2,
        "bbox": [200, 100, 216, 104],
    }  # fmt: skip


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


# -- detect --------------------------------------------------------------------------------------


def test_detect_end_to_end(tmp_path):
    one = photo(tmp_path / "one.jpg", quality=92)
    two = photo(tmp_path / "two.png", 700, 600, seed=1)
    out = tmp_path / "out"
    done = run("detect", one, two, "-o", out)
    assert done.exit_code == 0, done.stderr
    assert "not a trained detector" in done.stderr
    assert "2 of 2 photos done" in done.stderr
    assert files(out) == [
        "index.html", "one.mask.png", "one.overlay.jpg", "one.response.json",
        "two.mask.png", "two.overlay.png", "two.response.json",
    ]  # fmt: skip
    head, *rows = done.stdout.splitlines()
    assert head.split()[0] == "photo"
    assert len(rows) == 2
    for name, path, size in (("one", one, (520, 640)), ("two", two, (700, 600))):
        detection = runmask.Detection.from_copyleaks((out / f"{name}.response.json").read_bytes())
        assert detection.mask.shape == size
        mask = images.read(out / f"{name}.mask.png")[:, :, 0]
        assert np.array_equal(mask == 255, detection.mask.to_array() == 1)
        drawn = images.read(out / f"{name}.overlay{path.suffix}").astype(int)
        want = runmask.overlay(images.read(path), detection.mask)
        assert np.abs(drawn - want).mean() < (0.001 if name == "two" else 4)
    page = (out / "index.html").read_text()
    assert page.count('<img src="data:image/jpeg;base64,') == 4
    assert "not a trained detector" in page


def test_detect_for_machines(tmp_path):
    good = photo(tmp_path / "good.png")
    cut = tmp_path / "cut.png"
    cut.write_bytes(good.read_bytes()[:-40])
    small = photo(tmp_path / "small.png", 40, 40)
    done = run("detect", cut, good, small, "-o", tmp_path / "out", "--json")
    assert done.exit_code == 1
    first, second, third = map(json.loads, done.stdout.splitlines())
    assert (first["ok"], first["error"], first["photo"]) == (False, "truncated", str(cut))
    assert second["ok"]
    assert second["mask"]["width"] == 640
    assert "starts" not in second["mask"]
    assert set(second["files"]) == {"overlay", "mask", "response"}
    assert not third["ok"]
    assert "512" in third["message"]
    assert f"{cut}: " in done.stderr
    assert files(tmp_path / "out") == [
        "good.mask.png", "good.overlay.png", "good.response.json", "index.html"
    ]  # fmt: skip


def test_nothing_is_written_for_bad_photos(tmp_path):
    (tmp_path / "a.jpg").write_text("not a picture")
    done = run("detect", tmp_path / "a.jpg", "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert "no image of a known format" in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "out").exists()


def test_existing_outputs_are_refused_before_anything_is_asked(tmp_path):
    one, two = photo(tmp_path / "one.png"), photo(tmp_path / "two.png")
    out = tmp_path / "out"
    out.mkdir()
    (out / "two.mask.png").write_text("mine")
    done = run("detect", one, two, "-o", out)
    assert done.exit_code == 2
    assert "two.mask.png' exists" in done.stderr
    assert "sandbox" not in done.stderr
    assert files(out) == ["two.mask.png"]
    done = run("detect", one, two, "-o", out, "--overwrite")
    assert done.exit_code == 0, done.stderr
    assert (out / "two.mask.png").read_bytes().startswith(b"\x89PNG")


def test_photos_of_one_name_get_outputs_of_their_own(tmp_path):
    (tmp_path / "x").mkdir()
    paths = [photo(tmp_path / "a.png"), photo(tmp_path / "x" / "A.jpg")]
    done = run("detect", *paths, "-o", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.stderr
    assert len(files(tmp_path / "out")) == 7
    done = run("detect", paths[0], paths[0], "-o", tmp_path / "other")
    assert done.exit_code == 2
    assert "given 2 times" in done.stderr


def test_a_running_sandbox_is_asked_and_refuses_a_wrong_key(tmp_path, monkeypatch):
    from runmask.sandbox import running

    path = photo(tmp_path / "a.png")
    with running() as origin:
        done = run("detect", path, "-o", tmp_path / "one", "--base-url", origin)
        assert done.exit_code == 0, done.stderr
        assert f"Asking {origin}" in done.stderr
        monkeypatch.setenv("COPYLEAKS_EMAIL", "a@example.com")
        monkeypatch.setenv("COPYLEAKS_API_KEY", "11111111-2222-3333-4444-555555555555")
        done = run("detect", path, "-o", tmp_path / "two", "--base-url", origin)
    assert done.exit_code == 3
    assert "55555" not in done.output
    assert not (tmp_path / "two" / "a.response.json").exists()


def test_no_credits_stop_the_work(tmp_path):
    from runmask.sandbox import Settings, running

    paths = [photo(tmp_path / f"{n}.png", seed=n) for n in range(3)]
    with running(Settings(credits=1)) as origin:
        done = run("detect", *paths, "-o", tmp_path / "out", "--base-url", origin)
    assert done.exit_code == 3
    assert "1 of 3 photos done" in done.stderr
    assert files(tmp_path / "out") == [
        "0.mask.png", "0.overlay.png", "0.response.json", "index.html"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(ANSWER | {"result": {"starts": [-1], "lengths": [2]}}),
        "<html>a captive portal</html>",
        json.dumps(ANSWER),  # of another size than the photo
    ],
)
def test_an_answer_that_cannot_be_used_is_kept(tmp_path, body):
    """It may have been paid for."""
    out = tmp_path / "out"
    with faulty(Answer(body=body.encode(), charge=True)) as server:
        done = run("detect", photo(tmp_path / "a.png"), "-o", out, "--base-url", server.origin)
    assert done.exit_code == 1
    assert f"{tmp_path / 'a.png'}: " in done.stderr
    assert files(out) == ["a.response.json"]
    assert (out / "a.response.json").read_text() == body


def test_a_service_without_credentials(tmp_path):
    done = run("detect", photo(tmp_path / "a.png"), "-o", tmp_path / "o", "--service", "copyleaks")
    assert done.exit_code == 2
    assert "COPYLEAKS_" in done.stderr
    assert not (tmp_path / "o").exists()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    done = run("detect", photo(tmp_path / "a.png"), "-o", tmp_path / "file" / "out")
    assert done.exit_code == 5
    assert "cannot make the folder" in done.stderr


# -- the process ---------------------------------------------------------------------------------


def process(*arguments, **options):
    command = [sys.executable, "-c", "from runmask.cli import main; main(prog_name='runmask')"]
    return subprocess.Popen(
        [*command, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_version_and_help():
    done = run("--version")
    assert done.output.strip() == f"runmask, version {runmask.__version__}"
    for command in ("detect", "overlay", "info", "sandbox"):
        assert command in run("--help").output
        assert run(command, "--help").exit_code == 0
    assert run("detect").exit_code == 2
    assert run("nonsense").exit_code == 2


def test_a_reader_that_goes_away_loses_nothing(tmp_path):
    paths = [photo(tmp_path / f"{n}.png", seed=n) for n in range(2)]
    reading, writing = os.pipe()
    os.close(reading)
    command = "from runmask.cli import main; main(prog_name='runmask')"
    done = subprocess.run(
        [sys.executable, "-c", command, "detect", *paths, "-o", tmp_path / "out", "--json"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(writing)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert not set("\x1b\r") & set(done.stderr)  # and no bar where nobody watches
    assert len(files(tmp_path / "out")) == 7


def test_sandbox_command_serves_until_interrupted(tmp_path):
    server = process("sandbox", "--port", "0")
    try:
        line = server.stdout.readline()
        origin = next(word for word in line.split() if word.startswith("http://127.0.0.1:"))
        done = run(
            "detect", photo(tmp_path / "a.png"), "-o", tmp_path / "out", "--base-url", origin
        )
        assert done.exit_code == 0, done.stderr
        server.send_signal(signal.SIGINT)
        _, errors = server.communicate(timeout=20)
        assert "Traceback" not in errors
    finally:
        server.kill()
        server.wait()


def test_ctrl_c_ends_with_130_and_whole_files(tmp_path):
    paths = [photo(tmp_path / f"{n}.png", 800, 900, seed=n) for n in range(6)]
    work = process("detect", *paths, "-o", tmp_path / "out", "--json")
    try:
        assert json.loads(work.stdout.readline())["ok"]
        work.send_signal(signal.SIGINT)
        rest, errors = work.communicate(timeout=30)
    finally:
        work.kill()
        work.wait()
    assert work.returncode == 130, errors
    assert "Traceback" not in errors
    assert len(rest.splitlines()) < 5
    assert not [name for name in files(tmp_path / "out") if name.endswith(".tmp")]
    for path in (tmp_path / "out").glob("*.png"):
        assert images.read(path).shape == (800, 900, 3)


def test_a_bar_where_a_person_watches(tmp_path):
    terminal, end = pty.openpty()
    try:
        command = "from runmask.cli import main; main(prog_name='runmask')"
        done = subprocess.run(
            [sys.executable, "-c", command, "detect", photo(tmp_path / "a.png"), "-o", tmp_path],
            stdout=subprocess.PIPE,
            stderr=end,
            timeout=60,
            env=os.environ | {"TERM": "xterm"},
        )
        shown = os.read(terminal, 2**16).decode()
    finally:
        os.close(end)
        os.close(terminal)
    assert done.returncode == 0, shown
    assert "\x1b" in shown
    assert "photos" in shown
    assert "1 of 1 photos done" in shown
    assert b"\x1b" not in done.stdout
