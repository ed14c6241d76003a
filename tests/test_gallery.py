"""The page of a folder shows what is in the folder."""

import json
import os
import re
import shutil

import numpy as np
import pytest

from runmask.detection import Detection
from runmask.errors import OutputError
from runmask.gallery import card_of, refuse_foreign, update

pytest.importorskip("cv2")
images = pytest.importorskip("runmask.images")

ANSWER = {
    "isAiDetected": True,
    "result": {"starts": [0], "lengths": [50]},
    "summary": {"human": 0.5, "ai": 0.5},
    "imageInfo": {"shape": {"height": 10, "width": 10}},
    "sandbox": {"notice": "no detector"},
}


def result(folder, name, answer=ANSWER):
    """The files of a result, and its card."""
    raw = json.dumps(answer).encode()
    (folder / f"{name}.response.json").write_bytes(raw)
    picture = np.full((10, 10, 3), 200, np.uint8)
    images.write(folder / f"{name}.overlay.png", picture)
    preview = images.preview(picture)
    detection = Detection.from_copyleaks(raw)
    return card_of(
        name, f"{name}.jpg", detection, before=preview, after=preview, files=[f"{name}.overlay.png"]
    )


def shown(folder):
    return re.findall("<h2>(.*)</h2>", (folder / "index.html").read_text())


def test_it_grows_and_replaces(tmp_path):
    update(tmp_path, [result(tmp_path, "b")])
    index = update(tmp_path, [result(tmp_path, "c"), result(tmp_path, "a")])
    assert shown(tmp_path) == ["a.jpg", "b.jpg", "c.jpg"]
    again = result(tmp_path, "b", ANSWER | {"isAiDetected": False})
    update(tmp_path, [again])
    assert shown(tmp_path) == ["a.jpg", "b.jpg", "c.jpg"]
    assert index.read_text().count('<b class="human">') == 1
    assert index.read_text().count("<img ") == 6


def test_what_was_deleted_goes_from_the_page(tmp_path):
    update(tmp_path, [result(tmp_path, name) for name in "ab"])
    (tmp_path / "a.response.json").unlink()
    update(tmp_path, [])
    assert shown(tmp_path) == ["b.jpg"]


def test_what_came_to_no_page_is_shown_from_its_files(tmp_path):
    result(tmp_path, "lost [1]")
    (tmp_path / "portal.response.json").write_text("<html>a captive portal</html>")
    index = update(tmp_path, [result(tmp_path, "new")])
    assert shown(tmp_path) == ["lost [1]", "new.jpg", "portal"]
    text = index.read_text()
    assert text.count("<img ") == 3
    assert "lost%20%5B1%5D.overlay.png" in text
    assert "unreadable" in text
    assert text.count("(sandbox) no detector") == 1


def test_the_page_of_somebody_else_is_refused(tmp_path):
    refuse_foreign(tmp_path)
    update(tmp_path, [])
    refuse_foreign(tmp_path)
    (tmp_path / "index.html").write_text("<h1>mine</h1>")
    with pytest.raises(OutputError, match="no page of runmask") as caught:
        refuse_foreign(tmp_path)
    assert caught.value.code == "exists"
    (tmp_path / "index.html").unlink()
    os.mkfifo(tmp_path / "index.html")  # reading it would wait for ever
    with pytest.raises(OutputError):
        refuse_foreign(tmp_path)


def test_a_folder_that_moved_keeps_its_page(tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    update(old, [result(old, "a")])
    shutil.move(old, tmp_path / "new")
    update(tmp_path / "new", [result(tmp_path / "new", "b")])
    assert shown(tmp_path / "new") == ["a.jpg", "b.jpg"]
