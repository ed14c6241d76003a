"""Detectors of one's own, by name and by entry point, and what becomes of bad ones."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap

import httpx2
import numpy as np
import pytest
from command_line import photo, run
from sandbox_client import PNG, Client, picture

from runmask.errors import InputError
from runmask.sandbox import Analysis, Settings, detector_of, running
from runmask.sandbox.detectors import checked

MODULE = """
    import numpy as np

    def left(image):
        mask = np.zeros(image.shape[:2], bool)
        mask[:, : image.shape[1] // 2] = True
        return mask

    class Deeper:
        @staticmethod
        def soft(image):
            return np.array([[0.9, 0.1], [0.1, 0.1]])

    def broken(image):
        return "no array"

    number = 7
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module and an entry point that only this folder has."""
    (tmp_path / "my_detectors_of_test.py").write_text(textwrap.dedent(MODULE))
    (tmp_path / "needs_another_of_test.py").write_text("import there_is_no_such_module_of_test\n")
    info = tmp_path / "offers-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: offers\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[runmask.detectors]\nhalf = my_detectors_of_test:left\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield "my_detectors_of_test"
    sys.modules.pop("my_detectors_of_test", None)


def test_a_mask_a_map_and_an_entry_point(module):
    image = picture(512, 640)
    found = detector_of(f"{module}:left")(image)
    assert found.mask[:, :320].all()
    assert not found.mask[:, 320:].any()
    assert found.confidence.dtype == np.float32
    assert 0.5 < found.score < 1
    assert np.array_equal(detector_of("half")(image).mask, found.mask)
    soft = detector_of(f"{module}:Deeper.soft")(image)
    assert soft.mask[:200, :250].all()
    assert not soft.mask[300:].any()


def test_a_sandbox_answers_by_it(module):
    with running(Settings(detector=detector_of("half"))) as origin, Client(origin) as client:
        assert client.check("one", PNG).json()["summary"]["ai"] == 0.5


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no_such_module_of_test:x", "there is no module"),
        ("os.nothing:x", "there is no module"),
        ("my_detectors_of_test:nothing", "there is no 'nothing'"),
        ("my_detectors_of_test:", "there is no ''"),
        (":left", "Empty module name"),
        ("my_detectors_of_test:number", "cannot be called"),
        ("another", "half"),
    ],
)
def test_names_that_lead_nowhere(module, name, said):
    with pytest.raises(InputError, match=said):
        detector_of(name)


def test_what_a_module_lacks_is_told_as_it_is(module):
    with pytest.raises(ModuleNotFoundError, match="there_is_no_such_module_of_test"):
        detector_of("needs_another_of_test:x")


@pytest.mark.parametrize(
    "answer",
    [
        "text",
        None,
        np.zeros((3, 3), int),
        np.zeros((3, 3), bool),
        np.zeros((0, 3)),
        np.full((2, 2), np.nan),
        np.full((2, 2), 1.5),
        Analysis(np.zeros((1, 1), np.float32), np.zeros((512, 640), bool), 2.0),
        Analysis(np.zeros((1, 1), np.float32), np.zeros((640, 512), bool), 0.5),
        Analysis(np.zeros((1,), np.float32), np.zeros((512, 640), bool), 0.5),
    ],
)
def test_answers_that_are_none(answer):
    with pytest.raises((TypeError, ValueError), match="mine: "):
        checked(lambda image: answer, "mine")(picture(512, 640))


def test_a_bad_answer_is_an_internal_error_that_costs_nothing(module):
    settings = Settings(detector=detector_of(f"{module}:broken"))
    with running(settings) as origin, Client(origin) as client:
        before = client.amount
        assert client.check("one", PNG).status_code == 500
        assert client.amount == before


def test_detect_takes_one(module, tmp_path, monkeypatch):
    for name in ("COPYLEAKS_EMAIL", "COPYLEAKS_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    path, out = photo(tmp_path / "a.png"), tmp_path / "out"
    done = run("detect", path, "-o", out, "--detector", "half", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["mask"]["bbox"] == [0, 0, 320, 520]
    for other in (("--service", "sightengine"), ("--base-url", "http://127.0.0.1:9")):
        done = run("detect", path, "-o", tmp_path / "other", "--detector", "half", *other)
        assert done.exit_code == 2
        assert "it is for the embedded sandbox" in done.stderr


def test_the_command_takes_one(module):
    command = [sys.executable, "-m", "runmask", "sandbox", "--port", "0", "--detector", "half"]
    environment = dict(os.environ, PYTHONPATH=os.getcwd())
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as server:
        try:
            origin = re.search(r"http://\S+", server.stdout.readline())[0]
            answer = httpx2.post(
                f"{origin}/v1/detect",
                files={"image": ("a.png", PNG)},
                headers={"Authorization": "Bearer aidet_test_d"},
                trust_env=False,
            )
            assert answer.json()["manipulation_regions"][0]["width"] == 320
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(10)
