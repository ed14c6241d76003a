"""The driver: every item comes back once, whatever dies under it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from batch_work import Source, plain, times, work

from runmask.batch.executors import engine_of, processes, threads
from runmask.batch.pool import ATTEMPTS, drive
from runmask.errors import BatchError, InputError, OutputError

ROOT = Path(__file__).parent


@pytest.fixture(autouse=True)
def _workers_find_these_modules(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def results(items, engine, **how):
    found = []
    drive(Source(items), work, found.extend, engine, **how)
    assert max(Counter(each.item for each in found).values(), default=1) == 1
    return {each.item: each.error for each in found}


@pytest.mark.parametrize("engine", [threads(2), processes(2)], ids=repr)
@pytest.mark.parametrize("count", [0, 1, 300])
def test_all_come_back(engine, count):
    assert results([plain(n) for n in range(count)], engine) == dict.fromkeys(range(count))


def test_a_worker_that_is_killed_once_costs_nothing(tmp_path):
    log = tmp_path / "log"
    items = [plain(n, "die once:" + str(log) if n == 40 else "") for n in range(100)]
    assert results(items, processes(2)) == dict.fromkeys(range(100))
    assert times(log, 40) == 2


def test_poison_is_found_and_the_rest_finishes(tmp_path):
    log = tmp_path / "log"
    bad = {3, 57}
    items = [plain(n, f"die:{log}" if n in bad else "") for n in range(100)]
    found = results(items, processes(2))
    assert {n for n, error in found.items() if error} == bad
    assert {found[n][0] for n in bad} == {"crashed"}
    assert "died 3 times" in found[3][1]
    assert all(ATTEMPTS <= times(log, n) <= ATTEMPTS + 3 for n in bad)


def test_an_item_alone_is_given_three_attempts(tmp_path):
    log = tmp_path / "log"
    [(_, error)] = results([plain(7, f"die:{log}")], processes(1)).items()
    assert error[0] == "crashed"
    assert times(log, 7) == ATTEMPTS


@pytest.mark.parametrize("engine", [threads(2), processes(2)], ids=repr)
def test_no_memory_is_the_fault_of_one_item(engine):
    items = [plain(n, "memory" if n == 11 else "") for n in range(40)]
    found = results(items, engine)
    assert {n: error[0] for n, error in found.items() if error} == {11: "memory"}
    assert len(found) == 40


def test_a_full_disk_ends_it_and_its_items_are_not_done():
    items = [plain(n, "output" if n == 20 else "slow") for n in range(2000)]
    found = []
    with pytest.raises(OutputError, match="the disk is full"):
        drive(Source(items), work, found.extend, threads(2))
    assert 20 not in {each.item for each in found}
    assert len(found) < 1000


def test_stopping_finishes_what_is_under_way():
    stop = threading.Event()
    found = []

    def done(bunch):
        found.extend(bunch)
        stop.set()

    drive(Source([plain(n, "slow") for n in range(2000)]), work, done, threads(2), stop)
    assert 0 < len(found) < 1000


def test_work_that_is_yet_to_come_is_waited_for():
    left = [[plain(0)], [], [], [plain(1), plain(2)], []]
    found = []
    drive(lambda _: left.pop(0) if left else None, work, found.extend, threads(1))
    assert sorted(each.item for each in found) == [0, 1, 2]


def test_chunks_are_bounded_by_bytes_and_window():
    given, back = [], []
    body = bytes(2**20)

    def take(limit):
        given.append(limit)
        return [plain(n, body=body) for n in range(limit)] if len(given) < 60 else None

    def work_in_place(chunk):
        back.append(len(chunk))
        return work(chunk)

    drive(take, work_in_place, lambda bunch: None, threads(1))
    assert max(back[12:]) <= 5  # 4 MiB, once it is known how large they are


class _Brittle(Executor):
    """Breaks at the second call."""

    def __init__(self):
        self._pool, self._calls = ThreadPoolExecutor(1), 0

    def submit(self, fn, /, *args, **kwargs):
        self._calls += 1
        if self._calls == 2:
            raise BrokenExecutor("broke")
        return self._pool.submit(fn, *args, **kwargs)


def test_an_executor_of_ones_own():
    with ThreadPoolExecutor(2) as pool:
        assert results([plain(n) for n in range(50)], engine_of(pool)) == dict.fromkeys(range(50))
        assert pool.submit(lambda: 5).result() == 5  # it was not shut down
    with pytest.raises(BatchError, match="there is no other"):
        results([plain(0)], engine_of(_Brittle()))
    with pytest.raises(InputError, match="not an Executor"):
        engine_of("threads")


class _Dead(Executor):
    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        future.set_exception(ModuleNotFoundError("No module named 'runmask'"))
        return future


class _Old(Executor):
    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        future.set_result("0.0.1")
        return future


def test_workers_that_do_not_work_are_told_before_the_work():
    with pytest.raises(BatchError, match="No module named 'runmask'") as caught:
        results([plain(0)], engine_of(_Dead()))
    assert caught.value.code == "engine"
    with pytest.raises(BatchError, match=r"it has runmask 0\.0\.1"):
        results([plain(0)], engine_of(_Old()))
    with pytest.raises(InputError, match="workers 0"):
        threads(0)


def test_no_worker_outlives_a_killed_driver(tmp_path):
    script = tmp_path / "driver.py"
    script.write_text(
        "from batch_work import plain, Source, work\n"
        "from runmask.batch.executors import processes\n"
        "from runmask.batch.pool import drive\n"
        "if __name__ == '__main__':\n"
        "    items = [plain(n, 'slow') for n in range(100000)]\n"
        "    drive(Source(items), work, lambda b: print(len(b), flush=True), processes(2))\n"
    )
    driver = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE)
    driver.stdout.readline()
    children = Path(f"/proc/{driver.pid}/task/{driver.pid}/children").read_text().split()
    assert len(children) >= 2
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    driver.stdout.close()
    until = time.monotonic() + 20
    while any(os.path.exists(f"/proc/{child}") and _runs(child) for child in children):
        assert time.monotonic() < until, "workers are left"
        time.sleep(0.05)


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class _Odd(ThreadPoolExecutor):
    """Gives something else than what came of the work."""

    def __init__(self, given):
        super().__init__(1)
        self._given = given

    def submit(self, fn, /, *args, **kwargs):
        return super().submit(fn, *args, **kwargs) if not args else super().submit(self._given)


@pytest.mark.parametrize("given", [lambda: None, list, lambda: [1], lambda: 1 / 0])
def test_an_executor_that_gives_something_else(given):
    with _Odd(given) as pool:
        found = results([plain(0), plain(1)], engine_of(pool))
    assert {code for code, _ in found.values()} == {"crashed"}


def test_an_executor_that_is_shut_down_meanwhile():
    pool = ThreadPoolExecutor(1)

    def take(_):
        pool.shutdown()
        return [plain(0)]

    source = iter([lambda: [plain(0)], lambda: take(1)])
    with pytest.raises(BatchError, match="takes no more work") as caught:
        drive(lambda _: next(source)(), work, lambda _: None, engine_of(pool))
    assert caught.value.code == "engine"
