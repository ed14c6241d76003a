"""The report of ten thousand items, in a browser and from the file system."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from batch_work import body_of, mask_of, photo
from browser import TIMEOUT_S, page_of
from test_batch_table import outcome

from runmask import Mask, batch, images
from runmask.batch import table
from runmask.batch.rendering import Wishes, render
from runmask.batch.values import Answered
from runmask.errors import InputError, OutputError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

COUNT, DISTINCT = 10_000, 8
EVIL = (
    "</script><script>document.title='evil'</script><img src=x onerror=\"document.title='evil'\">"
)


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A job's folder: files of a few items, linked under the names of all."""
    folder = tmp_path_factory.mktemp("report") / "job <b>"
    wishes = Wishes(str(folder), ("overlay", "svg"))
    photos = folder.parent / "photos & more"
    photos.mkdir()
    shape = (240, 320)
    made = []
    for number in range(DISTINCT):
        path = photo(photos / f"p#{number}.jpg", number, shape)
        mask = mask_of(number, shape) if number % 4 else Mask.empty(shape)
        answered = Answered(number, f"n{number}", str(path), "", "", body_of(mask))
        result = render(answered, wishes)
        assert result.error is None
        made.append((path, mask, result.files))

    def outcomes():
        for number in range(COUNT):
            path, mask, files = made[number % DISTINCT]
            name = f"photo {number:05}"
            own = {kind: place.replace(f"/n{number % DISTINCT}.", f"/{name}.")
                   for kind, place in files.items()}  # fmt: skip
            for kind, place in own.items():
                os.link(folder / files[kind], folder / place)
            score = (number * 7919 % COUNT) / COUNT
            body = body_of(
                mask,
                summary={"ai": score, "human": 1 - score},
                sandbox={"notice": "no trained detector"},
            )
            told = outcome(body, item=number, name=name, source=str(path), files=own)
            if number == 3:
                told = replace(told, state="failed", files={}, error=("truncated", EVIL))
            if number == 5:
                told = replace(told, source=f"https://example.com/{EVIL}", files={})
            yield told

    table.write(folder / table.FILE, outcomes())
    assert batch.report(folder) == str(folder / "report.html")
    return folder


@pytest.fixture
def page(job, tmp_path):
    address = "file://" + "/".join(map(_quoted, str(job / "report.html").split("/")))
    with page_of(address, tmp_path / "profile") as opened:
        opened.wait_for("document.querySelectorAll('.row img').length > 3")
        yield opened
        assert opened.errors == []
        assert opened.value("document.title") == "Results in job <b>"


def _quoted(step):
    from urllib.parse import quote

    return quote(step)


def loaded(page):
    page.wait_for("[...document.images].every((i) => !i.src || (i.complete && i.naturalWidth))")


def names(page):
    return page.value(
        "[...document.querySelectorAll('.row')]"
        ".sort((a, b) => a.ariaRowIndex - b.ariaRowIndex)"
        ".map((row) => shown[row.ariaRowIndex - 2].name)"
    )


def count(page):
    return page.value("document.getElementById('count').textContent")


def click(page, selector):
    place = page.value(
        f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])"
        f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
    )
    mouse(page, "mousePressed", *place)
    mouse(page, "mouseReleased", *place)


def mouse(page, kind, x, y):
    pressed = {"button": "left", "buttons": 1, "clickCount": 1} if kind != "mouseReleased" else {
        "button": "left", "clickCount": 1}  # fmt: skip
    page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **pressed)


def type_into(page, identifier, text):
    page.value(f"document.getElementById('{identifier}').focus()")
    page.call("Input.insertText", text=text)


def keep(page, name):
    """Screenshots to look at, where they are asked for."""
    if kept := os.environ.get("RUNMASK_SCREENSHOTS"):
        Path(kept, f"report_{name}.png").write_bytes(page.screenshot())


def off(drawn, picture, at):
    """How far sixty pixels of a column, by its place from left to right, are from a picture's."""
    columns = []
    for pixels in (drawn, picture):
        rows = np.linspace(0, len(pixels) - 1, 60).astype(int)
        columns.append(pixels[rows, int(at * pixels.shape[1])].astype(int))
    return np.abs(columns[0] - columns[1]).mean()


def seen(page, is_drawn):
    """Wait until the window shows it: pictures are drawn some time after they are there."""
    until = time.monotonic() + TIMEOUT_S
    while not is_drawn(images.read(page.screenshot())):
        assert time.monotonic() < until, "it was never drawn"
        time.sleep(0.1)


def test_ten_thousand_rows_and_few_in_the_document(page):
    assert count(page) == "10,000 of 10,000"
    assert names(page)[:3] == ["photo 00000", "photo 00001", "photo 00002"]
    source = page.value("shown[0].source").split("/")
    first = page.value("document.querySelector('.row .name').firstChild.textContent")
    assert first == "/".join(source[-2:])
    assert page.value("document.querySelectorAll('.row').length") < 40
    loaded(page)
    keep(page, "list")
    page.value("document.getElementById('list').scrollTop = 1e9")
    page.wait_for("document.querySelectorAll('.row').length && [...pool.keys()].includes(9999)")
    assert names(page)[-1] == "photo 09999"
    assert page.value("document.querySelectorAll('.row').length") < 40
    assert page.value("document.getElementById('notices').textContent") == (
        "(sandbox) no trained detector"
    )


def test_sorting(page):
    click(page, "#head [role=columnheader]:nth-child(4) button")  # by score
    scores = page.value("shown.slice(0, 5).map((item) => item.score)")
    assert scores == [0, 0.0001, 0.0002, 0.0003, 0.0004]
    head = "#head [role=columnheader]:nth-child(4)"
    assert page.value(f"document.querySelector('{head}').ariaSort") == "ascending"
    click(page, f"{head} button")
    assert page.value("shown[0].score") == 0.9999
    assert page.value("new Set(shown.map((item) => item.at)).size") == COUNT
    assert page.value(f"document.querySelector('{head}').ariaSort") == "descending"


def test_filters(page):
    page.value(
        "verdict.value = 'human'; verdict.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    assert count(page) == "2,500 of 10,000"
    type_into(page, "least", "0.9")
    type_into(page, "most", "0.95")
    want = sum(
        1 for n in range(0, COUNT, 4) if 0.9 <= (n * 7919 % COUNT) / COUNT <= 0.95
    )  # masks of every fourth are empty
    assert count(page) == f"{want} of 10,000"
    click(page, "button[type=reset]")
    page.wait_for("document.getElementById('count').textContent === '10,000 of 10,000'")
    type_into(page, "name", "photo 00012")
    assert names(page) == ["photo 00012"]
    keep(page, "filtered")


def test_the_slider_the_drag_and_the_contours(job, page):
    click(page, ".row[aria-rowindex='4']")  # photo 00002
    loaded(page)
    page.wait_for("before.naturalWidth === 320 && after.naturalWidth === 320")  # in full
    assert page.value("document.getElementById('title').textContent") == "photo 00002"
    clip = "getComputedStyle(after).clipPath"
    assert page.value(clip) == "inset(0px 0px 0px 50%)"
    place = (
        "(({x, y, width, height}) => [x, y, width, height])"
        "(part('compare').getBoundingClientRect())"
    )
    x, y, width, height = page.value(place)
    assert width / height == pytest.approx(320 / 240, rel=0.01)
    mouse(page, "mousePressed", x + width * 0.5, y + height / 2)
    mouse(page, "mouseMoved", x + width * 0.25, y + height / 2)
    mouse(page, "mouseReleased", x + width * 0.25, y + height / 2)
    assert page.value(clip).startswith("inset(0px 0px 0px 2")
    page.value("slider.value = 90; slider.dispatchEvent(new Event('input'))")
    assert page.value(clip) == "inset(0px 0px 0px 10%)"
    click(page, "#contours")
    page.wait_for("outline.complete && outline.naturalWidth && !outline.hidden")
    files = [job.parent / "photos & more" / "p#2.jpg", job / "overlays" / "n2.jpg"]
    photo, marked = (images.read(file) for file in files)

    def is_drawn(shot):
        x, y, width, height = page.value(place)
        drawn = shot[int(y) : int(y + height), int(x) : int(x + width)]
        left = [off(drawn, picture, 0.05) for picture in (photo, marked)]
        right = [off(drawn, picture, 0.9) for picture in (photo, marked)]
        white = (drawn.min(axis=2) > 240).sum()
        return left[0] < 15 < 30 < left[1] and right[1] < 15 < 30 < right[0] and white > 100

    seen(page, is_drawn)
    keep(page, "detail")
    click(page, "#next")
    assert page.value("document.getElementById('title').textContent") == "photo 00003"


def test_whatever_names_hold_is_text(page):
    click(page, ".row[aria-rowindex='5']")
    assert page.value("facts.textContent").count(EVIL) == 1
    assert page.value("part('compare').hidden") is True
    click(page, ".row[aria-rowindex='7']")
    assert page.value("facts.textContent").count(EVIL) == 1
    assert page.value("document.scripts.length") == 2


def test_a_narrow_window_and_a_dark_one(page):
    page.call("Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=1,
              mobile=True)  # fmt: skip
    page.call(
        "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}]
    )
    page.wait_for("innerWidth === 400")
    assert page.value("document.documentElement.scrollWidth") <= 400
    click(page, ".row[aria-rowindex='3']")
    loaded(page)
    detail = page.value("JSON.stringify(part('detail').getBoundingClientRect())")
    assert json.loads(detail)["width"] == 400
    assert page.value("getComputedStyle(part('detail')).backgroundColor") == "rgb(18, 18, 18)"
    keep(page, "narrow")
    click(page, "#close")
    assert page.value("part('detail').hidden") is True


def test_the_page_itself(job, tmp_path):
    text = (job / "report.html").read_text()
    assert re.findall(r"(?:src|href)=", text.split('<script type="application/json"')[0]) == []
    assert "default-src 'none'" in text
    assert text.count("<script") == 2
    assert "://" not in text.replace("https://example.com", "")
    shorter = batch.report(job, most=100)
    assert "the first 100 are shown" in Path(shorter).read_text()
    batch.report(job)


def test_a_folder_without_a_table(tmp_path):
    with pytest.raises(InputError, match=r"has no results\.parquet: it is no job's"):
        batch.report(tmp_path)
    (tmp_path / "results.parquet").write_bytes(b"PAR1 it is not")
    with pytest.raises(InputError, match="is no table of results"):
        batch.report(tmp_path)
    table.write(tmp_path / "results.parquet", [outcome(body_of(mask_of(0)))])
    assert batch.report(tmp_path)
    (tmp_path / "report.html").unlink()
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OutputError):
        batch.report(tmp_path)


def test_previews_of_the_report_are_the_photo_and_its_overlay(job):
    before = images.read(job / "thumbnails" / "n1.photo.jpg").astype(int)
    after = images.read(job / "thumbnails" / "n1.overlay.jpg").astype(int)
    assert before.shape == after.shape == (240, 320, 3)
    assert np.abs(before - after).mean() > 20


def results_in(folder, table_of_results):
    folder.mkdir()
    pq.write_table(table_of_results, folder / "results.parquet")
    return folder


def told(page):
    """The data of a page, read as strictly as browsers do."""

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    data = Path(page).read_text("utf-8").split('id="data">')[1].split("</script>")[0]
    return json.loads(data, parse_constant=refuse)


def test_numbers_that_json_does_not_have(tmp_path):
    row = {"item": 1, "name": "a", "source": "/a.jpg", "state": "done"}
    row |= {"score": float("nan"), "fraction": float("inf"), "credits": float("inf")}
    rows = pa.Table.from_pylist([row, {"item": 2}], schema=table.schema())
    found = told(batch.report(results_in(tmp_path / "job", rows)))
    assert found["rows"][0][:7] == ["a", "/a.jpg", "done", None, None, None, None]
    assert found["rows"][1][:3] == ["", "", ""]  # which the page sorts and searches
    assert "credits" not in found["summary"]


@pytest.mark.parametrize("name", ["STYLE", "POLICY", "TITLE", "DATA", "SCRIPT"])
def test_a_folder_named_like_a_place_in_the_page(tmp_path, name):
    page = batch.report(results_in(tmp_path / name, pa.Table.from_pylist([], table.schema())))
    assert f"<title>Results in {name}</title>" in Path(page).read_text()


@pytest.mark.parametrize("column", ["score", "files", "name"])
def test_a_table_of_something_else(tmp_path, column):
    rows = pa.Table.from_pylist([{"item": 1, "name": "a", "score": 0.5}], table.schema())
    at = table.schema().get_field_index(column)
    other = rows.set_column(at, column, pa.array([["<b>"]]))
    for number, wrong in enumerate((other, rows.drop([column]))):
        with pytest.raises(InputError, match="is no table of results"):
            batch.report(results_in(tmp_path / f"job{number}", wrong))


def test_a_table_that_is_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "results.parquet")
    with pytest.raises(InputError, match="has no results"):
        batch.report(tmp_path)
