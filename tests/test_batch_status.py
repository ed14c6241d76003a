"""What a job says of itself: when it was killed, archived, given up, or is watched from a log."""

from __future__ import annotations

import subprocess
import sys

import pyarrow.parquet as parquet
import pytest
from batch_job import GOOD, checks, job, outcomes, photos, quick  # noqa: F401
from command_line import run
from faults.server import Answer, faulty

from runmask import batch, terminal
from runmask.batch.items import entries
from runmask.batch.journal import Entry, Journal
from runmask.batch.rendering import Wishes
from runmask.errors import InputError, MissingDependencyError, OutputError
from runmask.exits import Failure

pytestmark = pytest.mark.usefixtures("quick")

LOST = Answer(reset="all", charge=True)
IDENTITY = {"service": "copyleaks"}


def asked(folder, origin, *more):
    return run(
        *("batch", folder / "in", "-o", folder / "out", "--service", "copyleaks", "--threads", "1"),
        *("--base-url", origin, "--outputs", "mask", "--no-thumbnails", *more),
    )


def test_what_was_given_up_is_not_sent_again(tmp_path):
    photos(tmp_path / "in", 1)
    with faulty(LOST, GOOD) as server:
        asked(tmp_path, server.origin)
        given_up = asked(tmp_path, server.origin, "--resolve", "skip")
        assert "failed: given up: " in given_up.stdout
        again = asked(tmp_path, server.origin, "--retry-failed")
        assert again.exit_code == 1
        assert len(checks(server)) == 1
    [outcome] = outcomes(tmp_path / "out")
    assert outcome.error is not None
    assert outcome.error[0] == "given_up"


def test_what_may_have_cost_twice_is_told(tmp_path):
    photos(tmp_path / "in", 2)
    with faulty(LOST, GOOD, GOOD) as server:
        asked(tmp_path, server.origin, "--in-flight", "1")
        done = asked(tmp_path, server.origin, "--resolve", "resend")
        assert done.exit_code == 0
        assert "up to 1 more may have been charged" in done.stderr
        assert job(tmp_path / "in", tmp_path / "out", server.origin).resent == 1


def under_way(folder):
    """The folder of a job that was killed while a request was under way."""
    script = (
        "import os, sys\n"
        "from runmask.batch.journal import Entry, Journal\n"
        f"journal = Journal(sys.argv[1], {IDENTITY})\n"
        "journal.plan([Entry('/a.png', '1')])\n"
        "journal.claim(1, '/a.png', '7'.zfill(32), '7' * 32, 'copyleaks').result()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(folder)], timeout=60)
    return folder


def test_what_was_under_way_when_the_process_died_is_listed(tmp_path):
    out = under_way(tmp_path / "out")
    for _ in range(2):  # it only looks
        listed = run("batch", "x", "-o", out, "--held")
        assert listed.stdout == "/a.png: held: the job ended while the request was under way\n"
    assert [outcome.state for outcome in outcomes(out)] == ["sent"]


def test_what_is_under_way_is_not_held(tmp_path):
    with Journal(tmp_path / "out", IDENTITY) as journal:
        journal.plan([Entry("/a.png", "1")])
        journal.claim(1, "/a.png", "7".zfill(32), "7" * 32, "copyleaks").result()
        assert run("batch", "x", "-o", tmp_path / "out", "--held").stdout == ""


def test_a_report_of_an_unfinished_job(tmp_path):
    out = under_way(tmp_path / "out")
    assert run("report", out).exit_code == 0
    assert "1 items \\u00b7 1 sent" in (out / "report.html").read_text()
    assert parquet.read_table(out / "results.parquet")["state"].to_pylist() == ["sent"]
    assert [outcome.state for outcome in outcomes(out)] == ["sent"]


def test_an_archived_job_is_read_where_nothing_can_be_written(tmp_path, disk_of):
    disk = disk_of("20m")
    photos(tmp_path / "in", 2)
    with faulty(GOOD, LOST) as server:
        job(tmp_path / "in", disk / "out", server.origin, in_flight=1)
    under_way(disk / "killed")
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    assert run("batch", "x", "-o", disk / "out", "--held").stdout.count(": held: ") == 1
    again = batch.render(
        *(disk / "out", tmp_path / "new"), outputs=["svg"], executor=batch.threads(1)
    )
    assert again.states == {"done": 1}
    with pytest.raises(OutputError, match="Read-only file system"):
        batch.report(disk / "out")
    killed = run("batch", "x", "-o", disk / "killed", "--held")
    assert killed.stdout == "/a.png: held: the job ended while the request was under way\n"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", b"source;note\na.png;x\n", "separated by semicolons"),
        ("a.csv", b"source\nK\xf6ln.png\n", "is not in UTF-8: save it as such"),
        ("a.txt", b"K\xf6ln.png\n", "is not in UTF-8: save it as such"),
        ("a.csv", b"source,note\na.png,x\n,y\n", "entry 2: its path is empty: fill it in"),
        ("a.jsonl", b'{"source": null}\n', "entry 1: its path is empty: fill it in"),
    ],
)
def test_lists_say_what_to_do(tmp_path, name, content, told):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=told):
        list(entries([str(tmp_path / name)]))


def test_a_log_gets_a_line_now_and_then(monkeypatch, capsys):
    monkeypatch.setattr(terminal, "_LINE_S", 0.01)
    said = []
    monkeypatch.setattr(terminal, "warn", said.append)
    with terminal.gauges(lambda: [terminal.Gauge("rendered", 3, 1200, "waiting")]):
        while not said:
            pass
    assert said[0] == "rendered 3 of 1,200 (waiting)"


@pytest.mark.parametrize("engine", ["dask", "ray"])
def test_what_to_install_for_a_cluster(monkeypatch, engine):
    monkeypatch.setitem(sys.modules, {"dask": "distributed"}.get(engine, engine), None)
    with pytest.raises(MissingDependencyError, match=rf"runmask\[{engine}\]") as refusal:
        getattr(batch, engine)("tcp://127.0.0.1:1").open()
    assert f"'runmask[{engine}]'" in str(Failure(refusal.value))


def test_an_answer_without_a_photo_is_named(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "cat.response.json").write_bytes(GOOD.body)
    told = run("render", tmp_path / "in", "-o", tmp_path / "out", "--threads", "1")
    assert "answer cat: failed: the image of this answer is not known" in told.stdout
    assert "--photos names the folder" in told.stdout


def test_where_files_go_is_not_what_they_are():
    told = Wishes("a", photos="b", loopback=True, heic=True).text()
    assert told == Wishes("c").text()
