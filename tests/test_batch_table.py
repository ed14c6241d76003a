"""The table of results: what an answer says, and what it does not; and the Arrow face of it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from batch_work import answered, body_of, mask_of

from runmask import Mask
from runmask.batch import table
from runmask.batch.arrow import render_arrow
from runmask.batch.rendering import Wishes, render
from runmask.batch.values import Outcome
from runmask.errors import InputError, OutputError

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def outcome(body=b"", **more):
    told = {
        "item": 1,
        "source": "/photos/a.jpg",
        "name": "a",
        "state": "done",
        "files": {"overlay": "overlays/a.jpg"},
        "error": None,
        "seconds": {"read": 0.1},
        "scan_id": "5",
        "digest": "",
        "service": "copyleaks",
        "credits": None,
        "billed": None,
        "answered": 1_700_000_000.1234,
        "body": body,
    }
    return Outcome(**(told | more))


def rows_of(tmp_path, *outcomes):
    table.write(tmp_path / "t.parquet", outcomes)
    return parquet.read_table(tmp_path / "t.parquet").to_pylist()


def test_a_row(tmp_path):
    mask = mask_of(4)
    body = body_of(mask, scannedDocument={"scanId": "s", "actualCredits": 2, "creationTime": "now"})
    [row] = rows_of(tmp_path, outcome(body))
    assert row["verdict"] == "ai"
    assert row["score"] == mask.fraction == row["fraction"] == row["shares"]["ai"]
    assert (row["height"], row["width"]) == mask.shape
    assert (row["area"], row["parts"]) == (mask.area, 1)
    assert row["box"] == mask.bbox._asdict()
    assert row["ids"] == [("scan_id", "s")]
    assert row["credits"] == 2
    assert row["times"]["created"] == "now"
    assert row["times"]["answered"].timestamp() == pytest.approx(1_700_000_000.123)
    assert row["files"]["overlay"] == "overlays/a.jpg"
    assert row["files"]["mask"] is None
    assert Mask(row["starts"], row["lengths"], mask.shape) == mask
    assert list(row) == table.schema().names


def test_answers_of_the_other_services(tmp_path):
    body = {"status": "success", "type": {"ai_generated": 0.75}, "request": {"id": "r"}}
    regions = {
        "is_ai_generated": True,
        "confidence": 0.5,
        "id": "det_1",
        "manipulation_regions": [{"x": 1, "y": 2, "width": 3, "height": 4, "type": "x"}],
        "metadata": {"width": 20, "height": 10},
    }
    one, two = rows_of(
        tmp_path,
        outcome(json.dumps(body).encode(), service="sightengine"),
        outcome(json.dumps(regions).encode(), service=""),
    )
    assert (one["verdict"], one["score"], one["starts"], one["area"]) == ("ai", 0.75, None, None)
    assert one["ids"] == [("request_id", "r")]
    assert (two["service"], two["area"], two["box"]["x1"]) == ("aidetector", 12, 4)


def test_items_without_an_answer_and_answers_that_cannot_be_read(tmp_path):
    rows = rows_of(
        tmp_path,
        outcome(None, state="new", service=None, seconds={}, answered=None, files={}),
        outcome(b"<html>", state="failed", error=("html", "a portal")),
        outcome(body_of(mask_of(0)), state="failed", seconds={}, error=("crashed", "3 times")),
        outcome(body_of(mask_of(0), summary=5, model={"a": 1})),
        outcome(body_of(mask_of(0), result={"starts": [-1], "lengths": [1]}), state="failed"),
    )
    assert [row["state"] for row in rows] == ["new", "failed", "failed", "done", "failed"]
    assert [row["verdict"] for row in rows] == [None, None, None, "ai", "ai"]
    assert rows[0]["files"] is None
    assert rows[1]["error"] == {"code": "html", "message": "a portal"}
    assert rows[2]["area"] is None  # its answer may be what kills workers: it is not read
    assert (rows[3]["score"], rows[3]["shares"], rows[3]["area"]) == (None, None, mask_of(0).area)
    assert (rows[4]["starts"], rows[4]["error"]) == (None, None)


def test_text_and_numbers_that_arrow_does_not_take(tmp_path):
    body = body_of(
        Mask([], [], (5, 5)),
        model="half \ud800",
        scannedDocument={"scanId": "\udfff", "actualCredits": 10**400},
    )
    [row] = rows_of(tmp_path, outcome(body, source="/a/\udcff.jpg", error=("x", "\udcfe")))
    assert row["source"] == "/a/\\udcff.jpg"
    assert row["model"] == "half \\ud800"
    assert row["credits"] is None
    assert (row["area"], row["starts"], row["box"], row["parts"]) == (0, [], None, 0)


def test_it_streams_in_row_groups_of_bounded_size_and_equal_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "_RUNS", 500)
    body = body_of(Mask.from_array(np.arange(400).reshape(20, 20) % 2))
    read = []

    def outcomes():
        for number in range(30):
            read.append(number)
            yield outcome(body, item=number)

    table.write(tmp_path / "a", outcomes())
    table.write(tmp_path / "b", outcomes())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    file = parquet.ParquetFile(tmp_path / "a")
    assert file.metadata.num_row_groups == 10
    assert [row["item"] for row in file.read().to_pylist()] == list(range(30))
    group = file.metadata.row_group(0)
    packed = [
        group.column(at).encodings
        for at in range(group.num_columns)
        if group.column(at).path_in_schema.startswith(("starts", "lengths"))
    ]
    assert len(packed) == 2
    assert all("DELTA_BINARY_PACKED" in encodings for encodings in packed)


def test_an_empty_table_and_one_that_cannot_be_written(tmp_path):
    assert rows_of(tmp_path) == []
    with pytest.raises(OutputError):
        table.write(tmp_path / "nowhere" / "t.parquet", [])

    def broken():
        yield outcome(body_of(mask_of(0)))
        raise ValueError("in the middle")

    before = (tmp_path / "t.parquet").read_bytes()
    with pytest.raises(OutputError):
        table.write(tmp_path / "t.parquet", broken())
    assert (tmp_path / "t.parquet").read_bytes() == before


def test_memory_is_flat(tmp_path):
    """Of 20,000 rows with 3,000 runs each: half a gigabyte of runs."""
    script = (
        "import resource, sys\n"
        "from test_batch_table import outcome, table\n"
        "from batch_work import body_of, mask_of\n"
        "import numpy as np; from runmask import Mask\n"
        "body = body_of(Mask.from_array(np.arange(6000).reshape(60, 100) % 2))\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "table.write(sys.argv[1], (outcome(body) for _ in range(1000))); first = peak()\n"
        "table.write(sys.argv[1], (outcome(body) for _ in range(20000))); print(peak() - first)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "t"],
        env={"PYTHONPATH": "tests", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 60


# -- the Arrow face


def batch_of(items, **more):
    told = {
        "body": [item.body for item in items],
        "source": [item.source for item in items],
        **more,
    }
    return pa.RecordBatch.from_pydict(told)


def test_render_arrow_gives_the_rows_of_the_table(tmp_path):
    items = answered(tmp_path / "in", 3)
    batch = batch_of(items, name=[item.name for item in items], item=[item.item for item in items])
    rows = render_arrow(batch, tmp_path / "out", ("overlay", "svg")).to_pylist()
    wishes = Wishes(str(tmp_path / "plain"), ("overlay", "svg"), thumbnails=False)
    for item, row in zip(items, rows, strict=True):
        files = render(item, wishes).files
        want = table.row_of(replace(outcome(item.body), item=item.item, files=files, answered=None))
        assert row["item"] == item.item
        assert row["area"] == want["area"]
        assert row["starts"] == want["starts"].tolist()
        assert {kind: path for kind, path in row["files"].items() if path} == files
        for path in files.values():
            assert (tmp_path / "out" / path).read_bytes() == (
                tmp_path / "plain" / path
            ).read_bytes()


def test_render_arrow_without_files_and_with_bad_answers():
    bodies = pa.array([body_of(mask_of(0)).decode(), "nonsense", None])
    given = pa.Table.from_pydict({"body": bodies, "source": ["a/x.jpg", "b/x.jpg", None]})
    result = render_arrow(given)
    assert isinstance(result, pa.Table)
    assert result.schema == table.schema()
    rows = result.to_pylist()
    assert [row["state"] for row in rows] == ["done", "failed", "failed"]
    assert len({row["name"] for row in rows}) == 3
    assert render_arrow(given).equals(result)
    assert render_arrow(given.slice(0, 0)).num_rows == 0


def test_render_arrow_refuses_what_it_cannot_mean(tmp_path):
    batch = pa.RecordBatch.from_pydict({"body": [b""]})
    with pytest.raises(InputError, match="'body' is missing"):
        render_arrow(pa.RecordBatch.from_pydict({"answer": [b""]}))
    with pytest.raises(InputError, match="no folder"):
        render_arrow(batch, outputs=("mask",))
    with pytest.raises(InputError, match="colour"):
        render_arrow(batch, tmp_path, ("mask",), colour="red")
    with pytest.raises(InputError, match="picture"):
        render_arrow(batch, tmp_path, ("picture",))


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ({"body": [1]}, "column 'body', of int64"),
        ({"body": [["{}"]]}, "column 'body', of list"),
        ({"body": ["{}"], "source": [{"path": "a.jpg"}]}, "column 'source', of struct"),
        ({"body": ["{}"], "source": pa.array([b"\xff"]).view(pa.string())}, "column 'source'"),
        ({"body": ["{}"], "item": ["first"]}, "column 'item', of string"),
        ({"body": ["{}"], "item": [1.5]}, "column 'item', of double"),
        ({"body": ["{}"], "item": pa.array([2**64 - 1], pa.uint64())}, "column 'item', of uint64"),
    ],
)
def test_render_arrow_refuses_columns_of_another_kind(columns, what):
    with pytest.raises(InputError, match=what):
        render_arrow(pa.RecordBatch.from_pydict(columns))


def test_render_arrow_refuses_two_bodies_and_what_is_no_batch():
    twice = pa.RecordBatch.from_arrays([pa.array(["{}"])] * 2, names=["body"] * 2)
    with pytest.raises(InputError, match="exists 2 times"):
        render_arrow(twice)
    with pytest.raises(InputError, match="list: neither"):
        render_arrow([twice])


@pytest.mark.parametrize("kind", ["string", "large_string", "binary", "large_binary", "dictionary"])
def test_render_arrow_takes_text_in_any_form(tmp_path, kind):
    [item] = answered(tmp_path, 1)
    plain = batch_of([item])
    kinds = {name: getattr(pa, name)() for name in (kind,) if name != "dictionary"}
    given = pa.RecordBatch.from_pydict(
        {
            name: column.cast(kinds[kind]) if kinds else column.dictionary_encode()
            for name, column in zip(plain.schema.names, plain.columns, strict=True)
        }
    )
    assert render_arrow(given).equals(render_arrow(plain))
    assert render_arrow(given).column("state").to_pylist() == ["done"]
