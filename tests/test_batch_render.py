"""Stored answers to files and a table: where they come from, going on, and the command."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from batch_work import answered, body_of, mask_of, photo
from command_line import run

from runmask import batch, images
from runmask.batch.answers import answers
from runmask.errors import InputError, JournalMismatchError

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def stored(tmp_path):
    """Photos, and their answers in another folder."""
    folder = tmp_path / "answers"
    folder.mkdir()
    for item in answered(tmp_path / "photos", 5):
        (folder / f"{item.name}.response.json").write_bytes(item.body)
    return folder


def tree(folder):
    """Every file and its bytes, but for the journal, which has times in it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file() and not path.name.startswith("journal")
    }


def stamps(folder):
    names = (
        path for path in Path(folder).rglob("*") if not path.name.startswith("journal.sqlite-")
    )
    return {path: path.stat().st_mtime_ns for path in names if path.is_file()}


def rows(folder):
    return parquet.read_table(folder / "results.parquet").to_pylist()


def render(stored, out, **how):
    how = {"executor": batch.threads(2), "photos": stored.parent / "photos"} | how
    return batch.render(stored, out, **how).states


def test_a_folder_of_answers(stored, tmp_path):
    assert render(stored, tmp_path / "out") == {"done": 5}
    told = rows(tmp_path / "out")
    assert [row["name"] for row in told] == [f"photo{n}" for n in range(5)]
    assert [row["area"] for row in told] == [mask_of(n).area for n in range(5)]
    assert all((tmp_path / "out" / row["files"]["overlay"]).exists() for row in told)


def test_doing_it_again_writes_nothing(stored, tmp_path):
    out = tmp_path / "out"
    render(stored, out)
    before = stamps(out)
    assert render(stored, out) == {"done": 5}
    assert stamps(out) == before


def test_more_answers_and_other_wishes(stored, tmp_path):
    out = tmp_path / "out"
    render(stored, out)
    photo(tmp_path / "photos" / "new.jpg")
    (stored / "new.json").write_bytes(body_of(mask_of(9)))
    seen = batch.Progress()
    assert render(stored, out, progress=seen) == {"done": 6}
    assert (seen.images, seen.rendered) == (6, 1)
    assert render(stored, out, outputs=("mask",), progress=seen) == {"done": 6}
    assert seen.rendered == 7
    assert all(row["files"]["overlay"] and row["files"]["mask"] for row in rows(out))
    summary = batch.render(out, out, outputs=("svg",), executor=batch.threads(1))
    assert (summary.states, summary.images, summary.added) == ({"done": 6}, 6, 0)
    assert summary.report == str(out / "report.html")
    assert all(row["files"]["svg"] for row in rows(out))


def test_other_jobs_are_refused(stored, tmp_path):
    render(stored, tmp_path / "out")
    with pytest.raises(JournalMismatchError, match="is about"):
        render(tmp_path / "photos", tmp_path / "out")


def test_answers_beside_their_photos_and_names_that_meet(tmp_path):
    folder = tmp_path / "both"
    (folder / "sub").mkdir(parents=True)
    for path in (folder / "a.jpg", folder / "sub" / "a.png", folder / "b [1].jpg"):
        photo(path)
    from runmask.output import distinct_names

    paths = [str(folder / "a.jpg"), str(folder / "b [1].jpg"), str(folder / "sub" / "a.png")]
    for name in distinct_names(paths):
        (folder / f"{name}.response.json").write_bytes(body_of(mask_of(1)))
    found = {answer.source for answer in answers([str(folder)])}
    assert found == set(paths)
    (folder / "nobody.json").write_bytes(body_of(mask_of(1)))
    assert {answer.source for answer in answers([str(folder)])} == {*paths, ""}
    [one] = answers([str(folder / "nobody.json")])
    assert (one.source, one.stem) == ("", "nobody")


def _csv(path, told):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, told[0].keys())
        writer.writeheader()
        writer.writerows(told)


def _jsonl(path, told):
    path.write_text("".join(json.dumps(row) + "\n\n" for row in told))


def _parquet(path, told):
    parquet.write_table(pa.Table.from_pylist(told), path)


@pytest.mark.parametrize(
    ("name", "write"), [("t.csv", _csv), ("t.jsonl", _jsonl), ("t.parquet", _parquet)]
)
def test_tables(tmp_path, name, write):
    items = answered(tmp_path / "photos", 3)
    told = [
        {
            "image": f"photos/{Path(i.source).name}",
            "answer": i.body.decode(),
            "name": f"own{i.item}",
        }
        for i in items
    ]
    write(tmp_path / name, told)
    found = list(answers([str(tmp_path / name)]))
    assert [(a.source, a.stem, a.body) for a in found] == [
        (i.source, f"own{i.item}", i.body) for i in items
    ]
    assert render(tmp_path / name, tmp_path / "out", photos=None) == {"done": 3}
    moved = list(answers([str(tmp_path / name)], str(tmp_path / "elsewhere")))
    assert moved[0].source == str(tmp_path / "elsewhere" / "photos" / "photo0.jpg")


def test_another_jobs_answers(stored, tmp_path):
    render(stored, tmp_path / "first")
    shutil.rmtree(stored)
    again = render(tmp_path / "first", tmp_path / "second", photos=None, outputs=("svg",))
    assert again == {"done": 5}
    assert [row["name"] for row in rows(tmp_path / "second")] == [f"photo{n}" for n in range(5)]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.jsonl", '{"image": "a.jpg"}\n', "row 1: none of body, answer"),
        ("b.jsonl", '{"image": "a.jpg", "body": "{}"}\n[]\n', "row 2: .* is no object"),
        ("c.jsonl", '{"image": "a.jpg", "body": "{}"}\n{"image"', "row 2: "),
        ("d.jsonl", '{"image": "a.jpg", "body": 5}\n', "row 1: 5 is no answer"),
        ("e.csv", 'image,body\na.jpg,"{}\n', "row 1: "),
        ("f.csv", "photo,text\na,b\n", "row 1: none of source, image"),
        ("g.parquet", "PAR1", "row 1: "),
        ("h", "", "no such file"),
    ],
)
def test_what_is_no_table_of_answers(tmp_path, name, text, words):
    if text:
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=words):
        list(answers([str(tmp_path / name)]))


def test_an_empty_folder(tmp_path):
    with pytest.raises(InputError, match="no answers"):
        list(answers([str(tmp_path)]))


def test_bad_answers_and_photos_fail_alone(stored, tmp_path):
    (stored / "photo1.response.json").write_text("<html>")
    (tmp_path / "photos" / "photo2.jpg").write_bytes(b"no image")
    (stored / "other.json").write_bytes(body_of(mask_of(0)))
    out = tmp_path / "out"
    assert render(stored, out) == {"done": 3, "failed": 3}
    codes = {row["name"]: row["error"] and row["error"]["code"] for row in rows(out)}
    assert codes == {"photo0": None, "photo1": "html", "photo2": "format", "photo3": None,
                     "photo4": None, "other": "no_photo"}  # fmt: skip
    photo(tmp_path / "photos" / "photo2.jpg", 2)
    assert render(stored, out) == {"done": 3, "failed": 3}
    assert render(stored, out, retry_failed=True) == {"done": 4, "failed": 2}


def test_names_that_differ_in_case_only(tmp_path):
    for name in ("a.jpg", "A.jpg", "a.png"):
        photo(tmp_path / name)
    table = [
        {"image": str(tmp_path / name), "body": body_of(mask_of(0)).decode()}
        for name in ("a.jpg", "A.jpg", "a.png")
    ]
    _jsonl(tmp_path / "t.jsonl", table)
    assert render(tmp_path / "t.jsonl", tmp_path / "out", photos=None) == {"done": 3}
    assert len({row["name"].casefold() for row in rows(tmp_path / "out")}) == 3


# -- the command


def test_the_command(stored, tmp_path):
    out = tmp_path / "out"
    arguments = ("render", stored, "-o", out, "--photos", tmp_path / "photos", "--threads", 2)
    more = ("--outputs", "overlay,mask,coco", "--format", "png")
    result = run(*arguments, *more)
    assert result.exit_code == 0, result.output
    assert "5 of 5 images done" in result.stderr
    assert "time in workers" in result.stderr
    assert (out / "report.html").exists()
    assert images.format_of(out / "overlays" / "photo0.png") == "PNG"
    before = stamps(out)
    result = run(*arguments, *more, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout.splitlines()[-1])["states"] == {"done": 5}
    assert stamps(out) == before


def test_how_the_command_ends(stored, tmp_path):
    out = tmp_path / "out"
    (stored / "photo1.response.json").write_text("<html>")
    where = ("--photos", tmp_path / "photos")
    result = run("render", stored, "-o", out, *where, "--threads", 1)
    assert result.exit_code == 1
    assert "4 of 5 images done, 1 failed" in result.stderr
    for words, more in (
        ("one place is it", ("--threads", 1, "--processes", 1)),
        ("is none of mask", ("--outputs", "overlay,picture")),
        ("no such file", ()),
    ):
        source = stored if more else tmp_path / "nowhere"
        result = run("render", source, "-o", tmp_path / "other", *more)
        assert result.exit_code == 2
        assert words in result.output


def test_the_report_command(stored, tmp_path):
    assert run("report", tmp_path).exit_code == 2
    render(stored, tmp_path / "out")
    result = run("report", tmp_path / "out")
    assert result.exit_code == 0
    assert result.stdout.strip() == str(tmp_path / "out" / "report.html")


def test_a_full_disk_is_exit_code_5(small_disk, tmp_path_factory):
    folder = tmp_path_factory.mktemp("in")
    photo(folder / "a.png", shape=(600, 800))
    (folder / "a.json").write_bytes(body_of(mask_of(0, (600, 800))))
    arguments = ("render", folder, "-o", small_disk / "out", "--threads", 1)
    result = run(*arguments)
    assert result.exit_code == 5, result.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_finishes_what_is_under_way_and_goes_on(tmp_path, number):
    folder = tmp_path / "answers"
    folder.mkdir()
    for item in answered(tmp_path / "photos", 2):
        for copy in range(200):
            (folder / f"{item.name}_{copy}.json").write_bytes(item.body)
            os.link(item.source, tmp_path / "photos" / f"{item.name}_{copy}.jpg")
    program = [sys.executable, "-m", "runmask", "render", folder, "-o", tmp_path / "out"]
    command = [*program, "--photos", tmp_path / "photos", "--processes", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    until = time.monotonic() + 60
    overlays = tmp_path / "out" / "overlays"
    while not (overlays.exists() and any(overlays.iterdir())):
        assert time.monotonic() < until
        assert process.poll() is None
        time.sleep(0.01)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # the workers get it too, as from a terminal
    else:
        process.send_signal(number)
    _, text = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("it was done before it could be stopped")
    assert process.returncode == 128 + number, text
    assert "the same command goes on from here" in text
    assert "Traceback" not in text
    done = sum(row["state"] == "done" for row in rows(tmp_path / "out"))
    assert 0 < done < 400
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "400 of 400 images done" in finished.stderr
    names = [path.name for path in (tmp_path / "out").rglob("*")]
    assert not [name for name in names if name.startswith(".runmask")]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("[" * 100_000, "row 2: it is nested too deep"),
        ('{"source": "\\ud800.png", "body": "{}"}', "row 2: .*surrogates"),
        ('{"source": "a.png", "body": "{}", "name": "\\ud800"}', "row 2: .*surrogates"),
        ('{"source": "a.png", "body": "{}", "service": "\\ud800"}', "row 2: .*surrogates"),
    ],
)
def test_rows_that_mean_nothing(tmp_path, line, what):
    path = tmp_path / "table.jsonl"
    path.write_text(f'{{"source": "a.png", "body": "{{}}"}}\n{line}\n')
    with pytest.raises(InputError, match=what):
        list(answers([str(path)]))


def test_a_page_that_is_gone_is_written_again(stored, tmp_path):
    how = {"photos": tmp_path / "photos", "executor": batch.threads(1)}
    summary = batch.render(stored, tmp_path / "out", **how)
    assert summary.report is not None
    assert batch.render(stored, tmp_path / "out", **how).report is None
    os.unlink(summary.report)
    assert batch.render(stored, tmp_path / "out", **how).report == summary.report
    assert os.path.exists(summary.report)
