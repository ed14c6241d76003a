"""The same job on every engine, a worker killed in the middle: the same table and files.

``make engines`` runs all of it, in a network namespace with nothing but loopback. Elsewhere those
of Ray are skipped: it opens sockets on the machine's own address.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from batch_work import Source, answered, body_of, mask_of, photo, plain, times, work
from test_batch_render import rows, tree

from runmask import batch
from runmask.batch import finishing
from runmask.batch.arrow import render_arrow
from runmask.batch.pool import drive
from runmask.errors import BatchError

pa = pytest.importorskip("pyarrow")

ROOT = Path(__file__).parent
ALONE = os.environ.get("RUNMASK_ENGINES") == "1"
COUNT, SHAPE = (500 if ALONE else 100), (240, 320)
FAILED = COUNT // 50  # their answers are none
OUTPUTS = ("mask", "overlay", "geojson", "svg", "coco")


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("engines")
    for name in ("photos", "answers"):
        (folder / name).mkdir()
    for number in range(COUNT):
        photo(folder / "photos" / f"photo{number:03}.jpg", number, SHAPE)
        answer = folder / "answers" / f"photo{number:03}.json"
        answer.write_bytes(body_of(mask_of(number, SHAPE)) if number % 50 else b"no answer")
    return folder


@pytest.fixture(scope="module")
def serial(stored):
    """What one thread makes."""
    batch.render(
        stored / "answers",
        stored / "serial" / "job",
        photos=stored / "photos",
        outputs=OUTPUTS,
        executor=batch.threads(1),
    )
    return tree(stored / "serial" / "job")


def workers_of(parent: int, name: str) -> list[int]:
    """Processes below another whose command line, or title, has the name in it."""
    found = []
    children = [parent]
    while children:
        children = [child for one in children for child in _children(one)]
        for child in children:
            try:
                command = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ")
            except OSError:
                continue
            if name in command.decode(errors="replace"):
                found.append(child)
    return found


def _children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(c) for task in tasks for c in (task / "children").read_text().split()]
    except OSError:
        return []


@contextmanager
def dask_cluster() -> Iterator[tuple[str, int]]:
    """A scheduler and three worker processes below one process: the address, and its id."""
    pytest.importorskip("distributed", reason="Dask is not installed: pip install 'runmask[dask]'")
    script = (
        "import sys; from distributed import LocalCluster\n"
        "if __name__ == '__main__':\n"
        "    with LocalCluster(n_workers=3, threads_per_worker=1, host='127.0.0.1',\n"
        "                      dashboard_address=None, silence_logs=50) as cluster:\n"
        "        print(cluster.scheduler_address, flush=True); sys.stdin.read()\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        text=True,
    )
    try:
        yield process.stdout.readline().strip(), process.pid
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


@contextmanager
def ray_cluster() -> Iterator[tuple[str, int]]:
    """Ray with three workers below this process."""
    if not ALONE:
        pytest.skip("Ray opens sockets beyond loopback: make engines runs this without a network")
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'runmask[ray]'")
    ours = not ray.is_initialized()
    if ours:
        ray.init(address="local", num_cpus=3, log_to_driver=False, include_dashboard=False)
    try:
        yield ray.get_runtime_context().gcs_address, os.getpid()
    finally:
        if ours:
            ray.shutdown()


@contextmanager
def own_processes() -> Iterator[tuple[int, int]]:
    yield 3, os.getpid()


CLUSTERS = {
    "processes": (own_processes, batch.processes, "spawn_main"),
    "dask": (dask_cluster, batch.dask, "spawn_main"),
    "ray": (ray_cluster, batch.ray, "ray::_called"),
}


@pytest.fixture(scope="module", params=CLUSTERS)
def cluster(request):
    """An engine, and how to find its workers."""
    start, engine, name = CLUSTERS[request.param]
    os.environ["PYTHONPATH"] = str(ROOT)
    with start() as (address, parent):
        yield engine(address), address, lambda: workers_of(parent, name)


@pytest.mark.filterwarnings("ignore")  # each engine has its own
def test_the_same_job_with_a_worker_killed(stored, serial, cluster, monkeypatch):
    engine, _, workers = cluster
    out = stored / engine.title.replace("/", "_") / "job"
    killed = []
    drive_all = finishing.drive

    def drive_and_kill(take, work, done, engine, stop=None):
        def done_and_kill(results):
            done(results)
            until = time.monotonic() + 10
            while not killed and time.monotonic() < until:  # Ray's have their name while they work
                killed.extend(workers()[-1:])
                for worker in killed:
                    os.kill(worker, signal.SIGKILL)

        drive_all(take, work, done_and_kill, engine, stop)

    monkeypatch.setattr(finishing, "drive", drive_and_kill)
    summary = batch.render(
        stored / "answers", out, photos=stored / "photos", outputs=OUTPUTS, executor=engine
    )
    assert killed
    assert summary.states == {"done": COUNT - FAILED, "failed": FAILED}
    assert {row["error"]["code"] for row in rows(out) if row["error"]} == {"json_syntax"}
    made = tree(out)
    assert sorted(made) == sorted(serial)
    assert [name for name in made if made[name] != serial[name]] == []


@pytest.mark.filterwarnings("ignore")
def test_poison_fails_and_the_rest_finishes(cluster, tmp_path):
    engine, _, _ = cluster
    log = tmp_path / "log"
    items = [plain(n, f"die:{log}" if n == 7 else "") for n in range(40)]
    found = []
    drive(Source(items), work, found.extend, engine)
    assert sorted(each.item for each in found) == list(range(40))
    assert {each.item: each.error[0] for each in found if each.error} == {7: "crashed"}
    assert times(log, 7) >= 3


def test_the_command(stored, serial, cluster):
    engine, address, _ = cluster
    kind = engine.title.split()[0].lower()
    name = {"dask": "--dask", "ray": "--ray"}.get(kind, "--processes")
    out = stored / f"command_{kind}" / "job"
    given = [stored / "answers", "-o", out, "--photos", stored / "photos", name, str(address)]
    done = subprocess.run(
        [sys.executable, "-m", "runmask", "render", *given, "--outputs", ",".join(OUTPUTS)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    assert f"{COUNT - FAILED} of {COUNT} images done, {FAILED} failed" in done.stderr
    assert tree(out) == serial


@pytest.mark.parametrize(("kind", "at"), [("dask", "tcp://127.0.0.1:1"), ("dask", "nonsense")])
@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not ALONE, reason="Dask asks for ten seconds: make engines runs this")
def test_no_cluster_there(kind, at, stored, tmp_path):
    pytest.importorskip("distributed")
    with pytest.raises(BatchError, match=kind.title()) as caught:
        batch.render(stored / "answers", tmp_path / "out", executor=batch.dask(at))
    assert caught.value.code == "engine"


def test_threads_and_a_driver_that_is_killed(stored, serial):
    """Threads end with their process; what it was at is done by the next one."""
    out = stored / "threads" / "job"
    script = (
        "import sys; from runmask import batch; from test_batch_engines import OUTPUTS\n"
        "batch.render(sys.argv[1] + '/answers', sys.argv[2], photos=sys.argv[1] + '/photos',\n"
        "             outputs=OUTPUTS, executor=batch.threads(3))\n"
    )
    command = [sys.executable, "-c", script, str(stored), str(out)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment)
    until = time.monotonic() + 60
    while len(list((out / "overlays").glob("*"))) < 20:
        assert time.monotonic() < until
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (out / "results.parquet").exists()
    subprocess.run(command, env=environment, check=True)
    assert tree(out) == serial


@pytest.mark.filterwarnings("ignore")
def test_render_arrow_in_ray_data(tmp_path):
    with ray_cluster():
        import ray.data

        ray.data.DataContext.get_current().enable_progress_bars = False
        items = answered(tmp_path / "photos", 12)
        told = [{"source": item.source, "body": item.body, "name": item.name} for item in items]
        found = ray.data.from_items(told).map_batches(
            render_arrow,
            batch_format="pyarrow",
            batch_size=4,
            fn_kwargs={"folder": str(tmp_path / "out"), "outputs": ("overlay",)},
        )
        rows = sorted(found.take_all(), key=lambda row: int(row["name"].removeprefix("photo")))
    want = render_arrow(pa.Table.from_pylist(told), tmp_path / "plain", ("overlay",)).to_pylist()
    assert [row["area"] for row in rows] == [row["area"] for row in want]
    assert [list(row["starts"]) for row in rows] == [row["starts"] for row in want]
    assert tree(tmp_path / "out") == tree(tmp_path / "plain")
