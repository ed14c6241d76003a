"""detect and info with every service: answers with a mask, with boxes, and with a score alone."""

import json

import pytest
from command_line import files, photo, run
from faults.server import Answer, faulty

from runmask import images
from runmask.sandbox import NOTICE, Settings, running
from runmask.services import NAMES, opened

VARIABLES = (
    "COPYLEAKS_EMAIL", "COPYLEAKS_API_KEY", "AIDETECTOR_API_KEY",
    "SIGHTENGINE_API_USER", "SIGHTENGINE_API_SECRET",
)  # fmt: skip


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def origin():
    with running() as origin:
        yield origin


@pytest.mark.parametrize("service", NAMES)
def test_every_service(tmp_path, origin, service):
    path, out = photo(tmp_path / "a.png"), tmp_path / "out"
    asked = ("--service", service, "--base-url", origin, "--json")
    done = run("detect", path, "-o", out, *asked)
    assert done.exit_code == 0, done.stderr
    assert f"Asking {origin}" in done.stderr
    assert "1 of 1 photos done" in done.stderr
    [line] = map(json.loads, done.stdout.splitlines())
    assert line["ok"]
    assert line["service"] == ("copyleaks" if service == "sandbox" else service)
    assert line["verdict"] in ("ai", "human")
    made = {"response": "a.response.json"}
    if service == "sightengine":
        assert line["mask"] is None
    else:
        made |= {"overlay": "a.overlay.png", "mask": "a.mask.png"}
        assert line["mask"]["width"] == 640
    if service == "aidetector":
        assert line["regions"]
        drawn, sent = images.read(out / "a.overlay.png"), images.read(path)
        box = line["regions"][0]
        inside = drawn[box["y"] + 1, box["x"] + 1].astype(int) - sent[box["y"] + 1, box["x"] + 1]
        assert inside[0] > 0 > inside[1]  # redder
    assert line["files"] == {name: str(out / file) for name, file in made.items()}
    assert files(out) == sorted(["index.html", *made.values()])
    page = (out / "index.html").read_text()
    assert page.count("<img ") == (1 if service == "sightengine" else 2)
    told = run("info", out / "a.response.json", "--json")
    assert told.exit_code == 0
    again = json.loads(told.stdout)
    assert all(again[name] == line[name] for name in ("service", "verdict", "score", "mask"))
    assert again["notice"] == NOTICE


def test_a_score_alone_is_shown(tmp_path, origin):
    path, out = photo(tmp_path / "sbx-ai-1.jpg"), tmp_path / "out"
    asked = ("--service", "sightengine", "--base-url", f"{origin}/1.0")
    done = run("detect", path, "-o", out, *asked)
    assert done.exit_code == 0, done.stderr
    head, row, note = done.stdout.splitlines()
    assert head.split()[1:3] == ["verdict", "score"]
    assert row.split()[1:4] == ["ai", "(sandbox)", "0.99"]
    assert note == f"(sandbox) {NOTICE}"
    assert "score 0.99" in (out / "index.html").read_text()
    assert "0.99" in run("info", out / "sbx-ai-1.response.json").stdout


def test_an_answer_without_a_mask_leaves_no_older_overlay(tmp_path, origin):
    path, out = photo(tmp_path / "a.png"), tmp_path / "out"
    assert run("detect", path, "-o", out, "--base-url", origin).exit_code == 0
    assert len(files(out)) == 4
    other = ("--service", "sightengine", "--base-url", origin)
    assert run("detect", path, "-o", out, *other).exit_code == 2
    assert len(files(out)) == 4
    assert run("detect", path, "-o", out, *other, "--overwrite").exit_code == 0
    assert files(out) == ["a.response.json", "index.html"]


def test_a_verdict_in_a_new_word_is_kept_and_no_crash(tmp_path):
    out = tmp_path / "out"
    body = json.dumps({"verdict": "partly", "confidence": 0.4, "request_id": "req_1"})
    with faulty(Answer(body=body.encode())) as server:
        asked = ("--service", "aidetector", "--base-url", server.origin)
        done = run("detect", photo(tmp_path / "a.png"), "-o", out, *asked)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines()[1].split()[1:3] == ["unknown", "0.4"]
    assert (out / "a.response.json").read_text() == body
    assert '<b class="other">unknown</b>' in (out / "index.html").read_text()


@pytest.mark.parametrize(
    ("service", "missing"),
    [
        ("copyleaks", "COPYLEAKS_"),
        ("aidetector", "AIDETECTOR_API_KEY"),
        ("sightengine", "SIGHTENGINE_API_"),
    ],
)
def test_services_without_credentials(tmp_path, service, missing):
    out = tmp_path / "o"
    done = run("detect", photo(tmp_path / "a.png"), "-o", out, "--service", service)
    assert done.exit_code == 3
    assert missing in done.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("variables", "who"),
    [
        ({}, "The embedded sandbox answers, no service is asked."),
        ({"AIDETECTOR_API_KEY": "aidet_live_1234567890"}, "Asking aiimagedetectorapi.com."),
        (
            {"SIGHTENGINE_API_USER": "1234", "SIGHTENGINE_API_SECRET": "s3cret-of-mine"},
            "Asking Sightengine.",
        ),
    ],
)
def test_the_environment_chooses_the_service(monkeypatch, variables, who):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with opened(None, None) as (_, note):
        assert note == who


def test_a_real_key_is_refused_by_a_sandbox(tmp_path, origin, monkeypatch):
    monkeypatch.setenv("AIDETECTOR_API_KEY", "aidet_live_sk_0123456789")
    asked = ("--service", "aidetector", "--base-url", origin)
    done = run("detect", photo(tmp_path / "a.png"), "-o", tmp_path / "o", *asked)
    assert done.exit_code == 3
    assert "live key refused" in done.stderr
    assert "0123456789" not in done.output


def test_no_more_scans_end_the_work(tmp_path):
    photos = [photo(tmp_path / f"{n}.png", seed=n) for n in range(2)]
    with running(Settings(credits=1)) as origin:
        asked = ("--service", "aidetector", "--base-url", origin)
        done = run("detect", *photos, "-o", tmp_path / "out", *asked)
    assert done.exit_code == 3
    assert "1 of 2 photos done" in done.stderr
