"""The command detect as a person runs it: real files, the embedded sandbox, servers that fail."""

import html
import json
import socket

import numpy as np
import pytest
from command_line import ANSWER, files, photo, run
from faults.server import Answer, faulty

import runmask
from runmask import images
from runmask.sandbox import NOTICE


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch):
    for name in ("COPYLEAKS_EMAIL", "COPYLEAKS_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_detect_end_to_end(tmp_path):
    one = photo(tmp_path / "one.jpg", quality=92)
    two = photo(tmp_path / "two.png", 700, 600, seed=1)
    out = tmp_path / "out"
    done = run("detect", one, two, "-o", out)
    assert done.exit_code == 0, done.stderr
    assert "embedded sandbox" in done.stderr
    assert "2 of 2 photos done" in done.stderr
    assert files(out) == [
        "index.html", "one.mask.png", "one.overlay.jpg", "one.response.json",
        "two.mask.png", "two.overlay.png", "two.response.json",
    ]  # fmt: skip
    head, *rows, note = done.stdout.splitlines()
    assert head.split()[0] == "photo"
    assert len(rows) == 2
    assert all("(sandbox)" in row for row in rows)
    assert note == f"(sandbox) {NOTICE}"
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
    assert html.unescape(page).count(f"(sandbox) {NOTICE}") == 1
    assert page.count("</b> (sandbox)") == 2


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
    assert "two.mask.png' exists; --overwrite replaces it" in done.stderr
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
    assert done.exit_code == 3
    assert "COPYLEAKS_" in done.stderr
    assert not (tmp_path / "o").exists()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    done = run("detect", photo(tmp_path / "a.png"), "-o", tmp_path / "file" / "out")
    assert done.exit_code == 5
    assert "cannot make the folder" in done.stderr


def test_a_full_disk_costs_nothing(small_disk, tmp_path_factory):
    path = photo(tmp_path_factory.mktemp("photos") / "a.png")
    with faulty(Answer(body=json.dumps(ANSWER).encode(), charge=True)) as server:
        done = run("detect", path, "-o", small_disk / "out", "--base-url", server.origin)
    assert done.exit_code == 5
    assert "No space left on device" in done.stderr
    assert (server.logins, server.requests) == (0, [])
    assert files(small_disk / "out") == []


def test_a_photo_too_large_for_the_memory_is_one_of_many(tmp_path, monkeypatch):
    load = images.load

    def limited(data, **options):
        picture = load(data, **options)
        if picture.pixels.shape[0] == 700:
            raise MemoryError
        return picture

    monkeypatch.setattr(images, "load", limited)
    large, small = photo(tmp_path / "large.png", 700), photo(tmp_path / "small.png")
    done = run("detect", large, small, "-o", tmp_path / "out", "--json")
    assert done.exit_code == 1
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["ok"], first["error"], first["photo"]) == (False, "memory", str(large))
    assert second["ok"]
    assert f"{large}: there is not enough memory" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_connection_is_told(tmp_path):
    done = run("detect", photo(tmp_path / "a.png"), "-o", tmp_path / "o", "--base-url", closed())
    assert done.exit_code == 1
    assert "the service could not be reached" in done.stderr
    assert not list((tmp_path / "o").iterdir())


def closed():
    """The address of a port where nobody listens any more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def test_an_answer_tells_that_it_is_the_sandbox_s_wherever_it_was_asked(tmp_path):
    from runmask.sandbox import running

    with running() as origin:
        done = run("detect", photo(tmp_path / "a.png"), "-o", tmp_path, "--base-url", origin)
    assert f"(sandbox) {NOTICE}" in done.stdout
    response = tmp_path / "a.response.json"
    assert runmask.Detection.from_copyleaks(response.read_bytes()).notice == NOTICE
    told = run("info", response)
    assert "(sandbox)  " in told.stdout.splitlines()[1]
    assert f"(sandbox) {NOTICE}" in told.stdout
    assert json.loads(run("info", response, "--json").stdout)["notice"] == NOTICE


def test_a_folder_of_results_grows(tmp_path):
    out = tmp_path / "out"
    for name in ("one.png", "two.png"):
        assert run("detect", photo(tmp_path / name), "-o", out).exit_code == 0
    page = (out / "index.html").read_text()
    assert [page.count(f"<h2>{name}</h2>") for name in ("one.png", "two.png")] == [1, 1]
    assert page.count("<img ") == 4
    done = run("detect", tmp_path / "one.png", "-o", out)
    assert done.exit_code == 2
    assert "one.response.json' exists; --overwrite replaces it" in done.stderr


def test_the_page_of_somebody_else_is_kept(tmp_path):
    page = tmp_path / "index.html"
    page.write_text("<h1>mine</h1>")
    done = run("detect", photo(tmp_path / "a.png"), "-o", tmp_path)
    assert done.exit_code == 2
    assert "index.html' exists and is no page of runmask; --overwrite replaces it" in done.stderr
    assert page.read_text() == "<h1>mine</h1>"
    assert files(tmp_path) == ["a.png", "index.html"]


def test_a_folder_stands_for_its_images(tmp_path):
    photos = tmp_path / "photos"
    (photos / "deeper").mkdir(parents=True)
    for name in ("b.png", "a", ".hidden.png", "deeper/c.png"):
        photo(photos / name, format="PNG")
    (photos / "notes.txt").write_text("no image")
    done = run("detect", photos, "-o", photos, "--json")
    assert done.exit_code == 0, done.stderr
    lines = map(json.loads, done.stdout.splitlines())
    assert [line["photo"] for line in lines] == [str(photos / "a"), str(photos / "b.png")]
    done = run("detect", photos, "-o", photos, "--overwrite")  # its own pictures are no photos
    assert "2 of 2 photos done" in done.stderr
    (tmp_path / "empty").mkdir()
    done = run("detect", tmp_path / "empty", "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert "no images in the folder" in done.stderr


@pytest.mark.parametrize(
    ("name", "format_", "ending"),
    [
        ("noext", "JPEG", ".jpg"),
        ("photo.png", "JPEG", ".jpg"),
        ("photo.v2", "WEBP", ".webp"),
        ("photo.jpeg", "JPEG", ".jpeg"),
        ("photo.jpg", "BMP", ".png"),
    ],
)
def test_the_content_decides_what_a_photo_is(tmp_path, name, format_, ending):
    path = photo(tmp_path / name, format=format_)
    done = run("detect", path, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    assert done.stderr.count("\n") == 2
    [drawn] = (tmp_path / "out").glob("*.overlay.*")
    assert drawn.suffix == ending
    assert images.format_of(drawn) == {".png": "PNG", ".webp": "WEBP"}.get(ending, "JPEG")
