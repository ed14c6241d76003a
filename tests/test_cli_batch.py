"""The command batch: what a person sees, how it ends, and that it can be stopped at any time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from batch_job import GOOD, checks, outcomes, photos, quick, scans, until  # noqa: F401
from command_line import run
from faults.kill_batch import trial
from faults.server import Answer, faulty
from sandbox_client import corner

from runmask.sandbox import Settings, running

pytestmark = pytest.mark.usefixtures("quick")

SLOW = Answer(body=GOOD.body, charge=True, delay_s=0.4)
LOST = Answer(reset="all", charge=True)
QUOTA = Answer(status=402, body=b'{"error": {"type": "payment_error", "code": 13}}')
NOTHING = ("--outputs", "mask", "--no-thumbnails", "--threads", "1")


def batch(folder, origin, *more):
    return run(
        *("batch", folder / "in", "-o", folder / "out", "--service", "copyleaks"),
        *("--base-url", origin, *NOTHING, *more),
    )


def summary_of(result):
    return json.loads(result.stdout.splitlines()[-1])


@pytest.fixture
def folder(tmp_path):
    photos(tmp_path / "in", 4)
    return tmp_path


def test_a_job_and_what_is_said_of_it(folder):
    with faulty(*[GOOD] * 4) as server:
        done = batch(folder, server.origin)
    assert done.exit_code == 0, done.output
    assert "Asking http://127.0.0.1" in done.stderr
    assert "4 of 4 images done" in done.stderr
    assert "4 answered now; 4 credits" in done.stderr
    assert "report.html" in done.stderr
    made = sorted(path.name for path in (folder / "out").iterdir() if path.is_file())
    assert made == ["journal.sqlite", "report.html", "results.parquet"]
    assert len(list((folder / "out" / "masks").iterdir())) == 4


def test_lines_of_json(folder):
    (folder / "in" / "broken.png").write_bytes(b"")
    with faulty(GOOD, GOOD, GOOD, LOST) as server:
        done = batch(folder, server.origin, "--json", "--in-flight", "1")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line.get("state") for line in lines] == ["failed", "held", None]
    assert lines[0]["error"] == "empty"
    assert lines[0]["image"].endswith("broken.png")
    assert lines[1]["scan_id"] == scans(server)[-1]
    assert lines[2]["states"] == {"done": 3, "failed": 1, "held": 1}
    assert done.exit_code == 4


def test_again_nothing_is_asked_and_nothing_is_written(folder):
    with faulty(*[GOOD] * 4) as server:
        batch(folder, server.origin)
        before = everything(folder / "out")
        again = batch(folder, server.origin)
        assert again.exit_code == 0
        assert len(checks(server)) == len(server.requests) - 1 == 4
    assert everything(folder / "out") == before


def everything(folder):
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize(
    ("answers", "code", "told"),
    [
        ([GOOD] * 4, 0, "4 of 4"),
        ([GOOD, GOOD, GOOD, Answer(status=400)], 1, "1 failed"),
        ([GOOD, GOOD, LOST, Answer(status=400)], 4, "1 held"),
        ([GOOD, QUOTA], 3, "3 to go"),
        ([Answer(status=401)] * 9, 3, "stopped"),
    ],
)
def test_exit_codes(folder, answers, code, told):
    with faulty(*answers) as server:
        done = batch(folder, server.origin, "--in-flight", "1")
    assert done.exit_code == code, done.output
    assert told in done.stderr


def test_exit_codes_of_what_cannot_begin(folder):
    origin = "http://127.0.0.1:1"
    assert batch(folder, origin, "--column", "x", "--held").exit_code != 0
    assert run("batch", folder / "no", "-o", folder / "o", "--base-url", origin).exit_code == 2
    assert run("batch", "-o", folder / "o").exit_code == 2
    (folder / "in" / "list.csv").write_text("a,b\n")
    told = run("batch", folder / "in" / "list.csv", "-o", folder / "o", "--base-url", origin)
    assert told.exit_code == 2
    assert "none of source" in told.stderr
    (folder / "out").mkdir()
    (folder / "out" / "journal.sqlite").write_bytes(b"")
    told = batch(folder, origin)
    assert told.exit_code == 5
    assert "is empty" in told.stderr


def test_unreachable(folder):
    done = batch(folder, "http://127.0.0.1:1", "--patience", "0.2")
    assert done.exit_code == 1
    assert "no connection" in done.stderr
    assert "the same command goes on from here" in done.stderr


def test_held_images_are_listed_and_resolved(folder):
    with faulty(GOOD, LOST, LOST, GOOD, GOOD, GOOD) as server:
        done = batch(folder, server.origin, "--in-flight", "1")
        assert done.exit_code == 4
        assert "--resolve" in done.stderr
        listed = batch(folder, server.origin, "--held")
        assert listed.stdout.count(": held: ") == 2
        assert listed.exit_code == 0
        assert len(checks(server)) == 4
        assert batch(folder, server.origin, "--resolve", "resend").exit_code == 0
        assert batch(folder, server.origin, "--held").stdout == ""


def test_other_outputs_are_made_of_the_answers_that_are_there(folder):
    with faulty(*[GOOD] * 4) as server:
        batch(folder, server.origin)
        done = batch(folder, server.origin, "--outputs", "mask,svg")
        assert done.exit_code == 0
        assert len(checks(server)) == 4
    assert len(list((folder / "out" / "contours").glob("*.svg"))) == 4


# -- processes


def command(folder, origin, *more):
    return [
        *(sys.executable, "-m", "runmask", "batch", str(folder / "in"), "-o", str(folder / "out")),
        *("--service", "copyleaks", "--base-url", origin, *NOTHING, "--json", *more),
    ]


def started(folder, origin, *more, **options):
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    return subprocess.Popen(command(folder, origin, *more), **given)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_waits_for_what_is_under_way(tmp_path, number, code):
    photos(tmp_path / "in", 30)
    with faulty(*[SLOW] * 60) as server:
        process = started(tmp_path, server.origin, "--in-flight", "4")
        until(lambda: len(checks(server)) >= 6)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert process.returncode == code, err
        summary = json.loads(out.splitlines()[-1])
        paid = server.charges.total()
        assert paid < 30
        assert summary["answered"] == paid  # all that was paid for is there
        assert "held" not in summary["states"]
        assert "goes on from here" in err
        again = started(tmp_path, server.origin)
        again.communicate(timeout=60)
        assert again.returncode == 0
        assert server.charges.total() == 30


def test_a_second_signal_does_not_wait_and_holds_what_was_sent(tmp_path):
    photos(tmp_path / "in", 8)
    with faulty(*[Answer(body=GOOD.body, charge=True, delay_s=20)] * 8) as server:
        process = started(tmp_path, server.origin, "--in-flight", "4")
        until(lambda: len(checks(server)) == 4)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert time.monotonic() - began < 8
        assert process.returncode == 130, err
        assert "Traceback" not in err
    with faulty(*[GOOD] * 4) as server:  # another address of this machine
        again = started(tmp_path, server.origin)
        out, _ = again.communicate(timeout=60)
        assert json.loads(out.splitlines()[-1])["states"] == {"done": 4, "held": 4}
        assert again.returncode == 4


def test_signals_at_random_moments(tmp_path):
    """However often and whenever it is pressed: nothing is lost, and nothing is paid for twice."""
    photos(tmp_path / "in", 40)
    with faulty(by_headers=lambda _: Answer(body=GOOD.body, charge=True, delay_s=0.05)) as server:
        for presses in (1, 2, 5, 1, 3):
            process = started(tmp_path, server.origin, "--in-flight", "2")
            for _ in range(presses):
                time.sleep(0.35 + 0.05 * presses)
                process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)
            assert process.returncode in (130, 0), err
            assert "Traceback" not in err
        final = started(tmp_path, server.origin)
        out, err = final.communicate(timeout=60)
        states = json.loads(out.splitlines()[-1])["states"]
        assert states.keys() <= {"done", "held"}, err
        assert set(server.charges.values()) == {1}
        done = {o.scan_id for o in outcomes(tmp_path / "out") if o.state == "done"}
        held = {o.scan_id for o in outcomes(tmp_path / "out") if o.state == "held"}
        assert server.charges.keys() - done <= held
    assert not list((tmp_path / "out").rglob("*.tmp"))


def test_a_second_process_is_refused_and_the_first_goes_on(tmp_path):
    photos(tmp_path / "in", 10)
    with faulty(*[SLOW] * 20) as server:
        first = started(tmp_path, server.origin, "--in-flight", "1")
        until(lambda: len(checks(server)) >= 1)
        second = started(tmp_path, server.origin)
        _, err = second.communicate(timeout=30)
        assert second.returncode == 2
        assert f"process {first.pid} on " in err
        first.communicate(timeout=60)
        assert first.returncode == 0
        assert server.charges.total() == 10


def test_a_reader_that_goes_away_stops_nothing(tmp_path):
    photos(tmp_path / "in", 6)
    (tmp_path / "in" / "broken.png").write_bytes(b"")
    with faulty(*[SLOW] * 6) as server:
        process = started(tmp_path, server.origin)
        process.stdout.close()
        process.stderr.close()
        process.wait(30)
        assert process.returncode == 1
        assert server.charges.total() == 6


def test_a_terminal_shows_bars(tmp_path):
    import pty

    photos(tmp_path / "in", 8)
    with faulty(*[SLOW] * 8) as server:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [part for part in command(tmp_path, server.origin) if part != "--json"],
            stdout=subprocess.DEVNULL,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
        )
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 4096):
                shown += chunk
        except OSError:  # the terminal is gone
            pass
        os.close(ours)
        assert process.wait(30) == 0
    assert b"submitted" in shown
    assert b"rendered" in shown
    assert b"credits" in shown


def test_a_full_disk_ends_it_and_keeps_what_was_paid_for(tmp_path, disk_of):
    photos(tmp_path / "in", 30)
    disk = disk_of("24m")
    with faulty(*[SLOW] * 60) as server:
        arguments = command(tmp_path, server.origin, "--in-flight", "2", "--outputs", "overlay")
        arguments[arguments.index(str(tmp_path / "out"))] = str(disk / "out")
        process = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        until(lambda: len(checks(server)) >= 4)
        filler = disk / "filler"
        try:
            with filler.open("wb", buffering=0) as file:
                while file.write(bytes(2**16)):
                    pass
        except OSError:
            pass
        out, err = process.communicate(timeout=60)
        assert process.returncode == 5, (out, err)
        assert server.charges.total() < 30
        filler.unlink()
        again = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
        assert again.returncode == 0, again.stderr
        assert set(server.charges.values()) == {1}


def test_a_disk_that_is_read_only(folder, disk_of):
    disk = disk_of("1m")
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with faulty() as server:
        done = run(
            *("batch", folder / "in", "-o", disk / "out", "--service", "copyleaks"),
            *("--base-url", server.origin),
        )
        assert done.exit_code == 5, done.output
        assert server.requests == []


def test_kills_at_random_moments(tmp_path):
    """``python -m tests.faults.kill_batch`` does it 150 times, with 2,000 images."""
    trial(tmp_path, images=50, kills=6, seed=2)


def test_a_kill_after_each_commit(tmp_path):
    """The process dies right after the first commit, the second, ...: all of them, in turn."""
    photos(tmp_path / "in", 3)
    script = """
import os, signal, sys
from runmask.batch.journal.commits import Writer
left = int(os.environ.pop("COMMITS"))
tried = Writer._tried
def counted(self, group):
    global left
    results = tried(self, group)
    left -= 1
    if left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return results
Writer._tried = counted
from runmask_command import main
main()
"""
    with faulty(by_headers=lambda _: GOOD) as server:
        arguments = command(tmp_path, server.origin, "--in-flight", "2")
        arguments = [arguments[0], "-c", script, *arguments[3:]]
        died = 0
        for commits in range(1, 40):
            process = subprocess.run(
                arguments, env={**os.environ, "COMMITS": str(commits)}, capture_output=True
            )
            died += process.returncode == -signal.SIGKILL
            if process.returncode in (0, 4):
                break
        assert died >= 4
        found = outcomes(tmp_path / "out")
        assert {outcome.state for outcome in found} <= {"done", "held"}
        assert max(server.charges.values(), default=1) == 1
        done = {outcome.scan_id for outcome in found if outcome.state == "done"}
        held = {outcome.scan_id for outcome in found if outcome.state == "held"}
        assert server.charges.keys() - done <= held
        final = run(*arguments[3:], "--resolve", "resend")
        assert final.exit_code == 0
        assert [outcome.state for outcome in outcomes(tmp_path / "out")] == ["done"] * 3


# -- by webhook


@pytest.fixture
def addresses(tmp_path, monkeypatch):
    """A list of addresses that a sandbox takes for images that it has fetched."""
    from runmask.sandbox.copyleaks import answers, service

    magic = answers.magic_mask
    for module in (answers, service):
        monkeypatch.setattr(module, "magic_mask", lambda _, shape: magic("sbx-partial-1", shape))
    monkeypatch.setenv("COPYLEAKS_WEBHOOK_SECRET", "a-secret-of-more-than-16-letters")
    path = tmp_path / "list.txt"
    path.write_text("".join(f"https://images.example.org/{n}.jpg\n" for n in range(12)))
    return path


def free_port():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def by_webhook(addresses, origin, port, *more):
    hook = f"http://127.0.0.1:{port}/copyleaks"
    return run(
        *("batch", addresses, "-o", addresses.parent / "out", "--service", "copyleaks", "--json"),
        *("--base-url", origin, "--webhook", hook, "--outputs", "svg", "--no-thumbnails"),
        *("--threads", "1", *more),
    )


def test_submit_all_receive_match_and_finish(addresses):
    port = free_port()
    with running(Settings()) as origin:
        done = by_webhook(addresses, origin, port, "--listen", f"127.0.0.1:{port}")
        assert done.exit_code == 0, done.output
        assert summary_of(done)["states"] == {"done": 12}
        again = by_webhook(addresses, origin, port, "--listen", f"127.0.0.1:{port}")
        assert summary_of(again)["answered"] == 0
    found = outcomes(addresses.parent / "out")
    assert {len(outcome.files) for outcome in found} == {1}
    assert {outcome.billed for outcome in found} == {"yes"}


def test_webhooks_that_come_later_are_waited_for_by_the_next_one(addresses):
    """Nobody receives at first: the scans stay submitted, and the receiver beside takes them in."""
    from runmask.batch.submitting.by_webhook import INBOX, receiving, webhook_of
    from runmask.http.webhooks import Inbox

    port = free_port()
    folder = addresses.parent / "out"
    with running(Settings()) as origin:
        done = by_webhook(addresses, origin, port, "--wait", "0.3")
        assert summary_of(done)["states"] == {"submitted": 12}
        assert done.exit_code == 1
        inbox = Inbox(folder / INBOX, only_expected=True)
        with receiving(inbox, webhook_of(f"http://127.0.0.1:{port}/copyleaks"), "127.0.0.1", port):
            until(lambda: len(inbox.pending()) == 12)  # the sandbox sends them again
        inbox.close()
        done = by_webhook(addresses, origin, port, "--wait", "5")
        assert summary_of(done)["states"] == {"done": 12}
        assert summary_of(done)["answered"] == 0


def test_files_cannot_go_by_webhook(folder, addresses):
    port = free_port()
    with running(Settings(detector=corner)) as origin:
        listed = folder / "mixed.txt"
        listed.write_text(f"{folder}/in/p000.png\nhttps://images.example.org/1.jpg\n")
        done = by_webhook(listed, origin, port, "--listen", f"127.0.0.1:{port}")
        assert summary_of(done)["states"] == {"done": 1, "failed": 1}
