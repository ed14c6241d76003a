"""The command as a process: how it is started, stopped, and shown on a terminal."""

import contextlib
import json
import os
import pty
import random
import re
import select
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from command_line import files, photo, run
from hooks import receiving
from sandbox_client import KEY, LOGIN, Client, encode, picture

import runmask
from runmask import images

ROOT = Path(__file__).parent.parent

COMMAND = [sys.executable, "-m", "runmask"]


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch):
    for name in ("COPYLEAKS_EMAIL", "COPYLEAKS_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def process(*arguments, **options):
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
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
    done = subprocess.run(
        [*COMMAND, "detect", *paths, "-o", tmp_path / "out", "--json"],
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


def test_the_sandbox_with_little_credit_a_plan_rates_and_short_times():
    image, paid, free = encode(picture()), "sbx-ai-1", "sbx-ai-2"
    flags = ("--credits", 1, "--plan", "free", "--rate-limits")
    times = ("--token-life", 2, "--webhook-unit", 0.001)
    server = process("sandbox", "--port", "0", *flags, *times)
    try:
        origin = server.stdout.readline().split()[3]
        with receiving(*[500] * 5) as (hook, came), Client(origin) as client:
            submission = {
                "url": "https://images.example.org/a.png",
                "fileName": "a.png",
                "model": "ai-image-1-ultra",
                "webhooks": {"url": hook},
            }
            submit = "/v1/ai-image-detector-async/{}/submit".format
            assert client.put(submit(paid), json=submission).status_code == 201
            assert client.check(free, image).status_code == 402
            until = time.monotonic() + 10
            while len(came) < 6:
                assert time.monotonic() < until
                time.sleep(0.01)
            asked = [client.get("/v3/scans/credits").status_code for _ in range(12)]
            assert asked[0] == 200
            assert 429 in asked
            while client.get("/v3/scans/credits").status_code != 401:
                assert time.monotonic() < until
                time.sleep(0.1)
            login = {"email": client.email, "key": KEY}
            logins = [client.post(LOGIN, json=login).status_code for _ in range(12)]
            assert logins == [200] * 11 + [429]
            bearer = {"Authorization": "Bearer aidet_test_1"}
            assert client.get("/v1/usage", headers=bearer).json()["plan"] == "free"
    finally:
        server.kill()
        server.communicate()


def test_the_sandbox_of_other_answers():
    image = encode(picture())
    flags = ("--duplicates", "conflict", "--shape", "2025", "--limits", "16mp", "--workers", 1)
    server = process("sandbox", "--port", "0", *flags, "--no-retry-after", "--fetch", "loopback")
    try:
        with Client(server.stdout.readline().split()[3]) as client:
            first = client.check("sbx-ai-1", image)
            assert (first.status_code, "isAiDetected" in first.json()) == (200, False)
            assert client.check("sbx-ai-1", image).status_code == 409
            assert "Retry-After" not in client.check("sbx-err-http429-1", image).headers
            large = client.check("sbx-ai-2", encode(picture(4001, 4000)))
            assert "16000000 pixels" in large.text
            bearer = {"Authorization": "Bearer aidet_test_1"}
            body = {"image_url": f"{client.base_url}/v1/health"}
            refused = client.post("/v1/detect", json=body, headers=bearer)
            assert refused.json()["error"]["code"] == "image_unsupported_format"
    finally:
        server.kill()
        server.communicate()


@pytest.mark.parametrize("flag", ["--token-life", "--webhook-unit"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "1e300"])
def test_times_that_are_none(flag, value):
    done = run("sandbox", "--port", "0", flag, value)
    assert done.exit_code == 2
    assert "Traceback" not in done.output


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
        done = subprocess.run(
            [*COMMAND, "detect", photo(tmp_path / "a.png"), "-o", tmp_path],
            stdout=subprocess.PIPE,
            stderr=end,
            timeout=60,
            env=os.environ | {"TERM": "xterm"},
        )
        shown = all_on(terminal)
    finally:
        os.close(end)
        os.close(terminal)
    assert done.returncode == 0, shown
    assert "\x1b" in shown
    assert "photos" in shown
    assert "1 of 1 photos done" in shown
    assert b"\x1b" not in done.stdout


# What the command's script does, and a line from where on Ctrl-C is the command's to handle.
SCRIPT = """
import signal, runmask_command
signal.signal(signal.SIGINT, runmask_command.leave)
print("begun", flush=True)
runmask_command.main()
"""


def test_ctrl_c_twice_ends_with_130_whenever_it_comes(tmp_path):
    paths = [photo(tmp_path / f"{n}.png", 1500, 2000, seed=n) for n in range(9)]
    delays = random.Random(5)

    def interrupted(first_s, second_s, out):
        command = [sys.executable, "-c", SCRIPT, "detect", *paths, "-o", out]
        work = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            assert work.stdout.readline() == "begun\n"
            for delay_s in (first_s, second_s):
                time.sleep(delay_s)
                work.send_signal(signal.SIGINT)
            _, errors = work.communicate(timeout=30)
            return work.returncode, errors
        finally:
            work.kill()
            work.wait()

    with ThreadPoolExecutor(4) as pool:
        outs = [tmp_path / f"out{turn}" for turn in range(20)]
        runs = [
            pool.submit(interrupted, delays.uniform(0, 1.5), delays.uniform(0, 0.1), out)
            for out in outs
        ]
    for ended, out in zip(runs, outs, strict=True):
        code, errors = ended.result()
        assert code == 130, errors
        assert errors.endswith("stopped\n")
        assert not re.search("Traceback|Exception|terminate", errors), errors
        for path in out.glob("*"):
            assert not path.name.startswith(".")
            if path.suffix == ".png":
                assert images.read(path).shape == (1500, 2000, 3)


def test_ctrl_c_keeps_what_is_done_on_the_page(tmp_path):
    paths = [photo(tmp_path / f"{n}.png", 800, 900, seed=n) for n in range(6)]
    work = process("detect", *paths, "-o", tmp_path / "out", "--json")
    try:
        assert json.loads(work.stdout.readline())["ok"]
        work.send_signal(signal.SIGINT)
        work.communicate(timeout=30)
    finally:
        work.kill()
        work.wait()
    assert "<h2>0.png</h2>" in (tmp_path / "out" / "index.html").read_text()


def test_the_sandbox_stops_at_once_on_a_second_ctrl_c(tmp_path):
    server = process("sandbox", "--port", "0")
    try:
        origin = server.stdout.readline().split()[3]
        path = photo(tmp_path / "a.jpg", 3000, 4000, quality=80)
        client = process("detect", path, "-o", tmp_path / "out", "--base-url", origin)
        assert select.select([server.stderr], [], [], 30)[0], client.communicate(timeout=30)
        time.sleep(0.4)  # logged in; the analysis is under way
        server.send_signal(signal.SIGINT)
        time.sleep(0.05)
        server.send_signal(signal.SIGINT)
        _, errors = server.communicate(timeout=20)
    finally:
        for one in (server, client):
            one.kill()
            one.communicate()
    assert server.returncode in (0, 130), errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("library", "arguments"),
    [
        ("click", ["--version"]),
        ("rich", ["--version"]),
        ("httpx2", ["detect", "a.png", "-o", "out"]),
        ("starlette", ["detect", "a.png", "-o", "out"]),
        ("PIL", ["detect", "a.png", "-o", "out"]),
    ],
)
def test_a_missing_library_is_one_line_that_names_all_extras(tmp_path, library, arguments):
    photo(tmp_path / "a.png")
    code = f"""
import sys
sys.modules[{library!r}] = None
sys.argv[1:] = {arguments!r}
import runmask_command
runmask_command.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert library in line
    assert line.endswith("pip install 'runmask[all]'")


def test_an_unknown_kernel_set_is_one_line():
    done = subprocess.run(
        [sys.executable, "-c", "import runmask_command; runmask_command.main()"],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"RUNMASK_KERNELS": "sse9"},
    )
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith("Error: the environment variable RUNMASK_KERNELS: kernel set 'sse9': ")
    assert line.endswith("scalar")


def test_importing_the_command_line_without_click_raises():
    code = """
import sys
sys.modules["click"] = None
from runmask.errors import MissingDependencyError
try:
    import runmask.cli
except MissingDependencyError as error:
    print(error.name, error.extra)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "click all\n", done.stderr


def all_on(terminal):
    """What programs that have ended wrote to a terminal, which gives it in pieces."""
    os.set_blocking(terminal, False)
    pieces = []
    with contextlib.suppress(BlockingIOError):
        while piece := os.read(terminal, 2**16):
            pieces.append(piece)
    return b"".join(pieces).decode()


@contextlib.contextmanager
def terminal_of(columns):
    reading, writing = pty.openpty()
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, reading)
        stack.callback(os.close, writing)
        yield reading, writing, os.environ | {"TERM": "xterm", "COLUMNS": str(columns)}


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_the_table_fits_the_terminal(tmp_path, columns):
    paths = [photo(tmp_path / f"{n}_{'long_' * 8}name.png", 700, 600, seed=n) for n in range(2)]
    assert run("detect", *paths, "-o", tmp_path).exit_code == 0
    answers = sorted(tmp_path.glob("*.response.json"))
    with terminal_of(columns) as (reading, writing, environment):
        done = subprocess.run(
            [*COMMAND, "info", *answers],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            env=environment,
        )
        head, *rows = all_on(reading).splitlines()
    assert done.returncode == 0, done.stderr
    assert len(rows) == 3
    assert all(len(row) <= columns for row in (head, *rows[:2]))
    assert all("…" in row and "response.json"[-8:] in row for row in rows[:2])
    assert "ai (sandbox)" in rows[0]
    detection = runmask.Detection.from_copyleaks(answers[0].read_bytes())
    assert (f"{detection.mask.area:,} (" in rows[0]) == (columns >= 80)
    assert ("scan id" in head) == ("scan id" not in done.stderr)


def test_warnings_stand_above_the_bar(tmp_path):
    path = photo(tmp_path / "a.png", 512, 6100)
    with terminal_of(200) as (reading, writing, environment):
        done = subprocess.run(
            [*COMMAND, "detect", path, "-o", tmp_path / "out"],
            stdout=subprocess.PIPE,
            stderr=writing,
            timeout=60,
            env=environment,
        )
        shown = all_on(reading)
    assert done.returncode == 0, shown
    [line] = [line for line in shown.splitlines() if "may refuse" in line]
    assert "warning: the image has 6100 x 512 pixels" in line
    assert "warnings.warn" not in shown
    assert "UserWarning" not in shown


@pytest.mark.parametrize("closing", [">&-", ">/dev/full", "2>&-"])
def test_streams_that_take_nothing(tmp_path: Path, closing: str) -> None:
    """What was paid for is written all the same, for every photo."""
    photos = [ROOT / "examples" / name for name in ("fig.jpg", "dogs.jpg")]
    command = " ".join(["exec", sys.executable, "-m", "runmask", "detect", *map(str, photos)])
    done = subprocess.run(
        ["bash", "-c", f"{command} -o {tmp_path / 'out'} --json {closing}"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 0
    for path in photos:
        assert (tmp_path / "out" / f"{path.stem}.overlay.jpg").exists()
    assert (tmp_path / "out" / "index.html").exists()


@pytest.mark.parametrize("form", ["npy", "coco"])  # more and less than a buffer holds
def test_an_output_that_a_full_disk_cuts(tmp_path: Path, form: str) -> None:
    mask = tmp_path / "mask.png"
    mask.write_bytes(runmask.Mask.full((300, 300)).to_png())
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, "convert", mask, "--to", form, "-o", "-"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == 5
    assert done.stderr == "Error: cannot write to standard output: No space left on device\n"


def test_an_output_never_takes_a_photos_place(tmp_path: Path) -> None:
    first, second = tmp_path / "a.jpg", tmp_path / "a.overlay.jpg"
    for path in first, second:
        path.write_bytes((ROOT / "examples" / "fig.jpg").read_bytes())
    before = second.read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "runmask", "detect", first, second, "-o", tmp_path, "--overwrite"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "is a photo and would be an output as well" in done.stderr
    assert second.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "a.overlay.jpg"]


def test_ctrl_c_within_an_import_leaves_no_mark(tmp_path):
    """CPython remembers a KeyboardInterrupt that comes out of an exec(), though it was handled."""
    script = """
import runmask.cli, runmask_command

def main(**_):
    try:
        exec("raise KeyboardInterrupt")
    except KeyboardInterrupt:
        raise SystemExit(130) from None

runmask.cli.main = main
runmask_command.main()
"""
    (tmp_path / "interrupted.py").write_text(script)
    command = [sys.executable, "-m", "interrupted"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60)
    assert done.returncode == 130
    assert done.stderr == b""
