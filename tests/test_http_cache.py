"""The cache of answers: nothing is paid for twice, by whatever thread or process."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from clients import Connect, connections
from faults.server import Answer, FaultServer, faulty

from runmask.errors import APIError, APITimeoutError, InputError
from runmask.http import AIDetector, AsyncAIDetector, Cache, Copyleaks, Sightengine
from runmask.http.cache import key_of

KEY = "aidet_test_0123456789abcdef"
BODY = b'{"verdict":"ai_generated","confidence":0.9,"request_id":"req_1"}'
GOOD = Answer(body=BODY, charge=True)
PHOTO = b"stands for a photo"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.db"


@pytest.fixture(params=["threads", "loop"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    yield from connections(request.param, AIDetector, AsyncAIDetector, KEY)


def check(client: Any, photo: bytes = PHOTO, **options: Any) -> Any:
    return client.check(photo, preflight=False, **options)


def test_the_same_bytes_are_paid_for_once(connect: Connect, path: Path) -> None:
    with faulty(*[GOOD] * 9) as server:
        client = connect(server.origin, cache=path)
        first, second = check(client), check(client, filename="other.png")
        assert (first.cached, second.cached) == (False, True)
        assert first == second
        again = connect(server.origin, cache=path)
        assert check(again).cached
        for different in (
            lambda: check(client, PHOTO + b"."),
            lambda: check(client, heatmap=True),
            lambda: check(client, metadata={"a": 1}),
            lambda: check(client, encoding="base64"),
            lambda: check(connect(server.origin, cache=path, dialect="endpoints")),
            lambda: client.forensics(PHOTO, preflight=False),
        ):
            assert not different().cached
            assert different().cached
    assert server.charges.total() == 7


def test_off_by_default(connect: Connect) -> None:
    with faulty(GOOD, GOOD) as server:
        client = connect(server.origin)
        assert not check(client).cached
        assert not check(client).cached


def test_copyleaks_and_sightengine(path: Path) -> None:
    body = (
        b'{"result":{"starts":[],"lengths":[]},"summary":{"ai":0,"human":1},'
        b'"scannedDocument":{"scanId":"%s"}}'
    )
    with (
        faulty(*(Answer(body=body % name, charge=True) for name in (b"abc", b"def"))) as server,
        Copyleaks(
            "a@b.c",
            "00000000-0000-0000-0000-000000000000",
            base_url=server.origin,
            login_url=server.origin,
            cache=path,
        ) as service,
    ):
        first = check(service, scan_id="abc")
        assert check(service).cached
        assert check(service, scan_id="abc") == first
        other = check(service, scan_id="def")  # who names a scan is not given another's answer
        assert (other.cached, other.ids["scan_id"]) == (False, "def")
        assert check(service) == other
    body = b'{"status":"success","type":{"ai_generated":0.1}}'
    with (
        faulty(Answer(body=body, charge=True)) as server,
        Sightengine("0000", "sandbox", base_url=server.origin, cache=path) as engine,
    ):
        assert not check(engine).cached
        assert check(engine, models=["genai"]).cached


def test_batches_send_only_what_is_new(connect: Connect, path: Path) -> None:
    results = b'[{"verdict":"authentic"},{"verdict":"ai_generated"}]'
    with faulty(GOOD, Answer(body=results, charge=True)) as server:
        client = connect(server.origin, cache=path)
        check(client, b"b", encoding="base64")
        batch = client.check_many([b"a", b"b", b"c", b"a"], preflight=False)
        assert [item.verdict for item in batch] == ["human", "ai", "ai", "human"]
        assert [item.cached for item in batch] == [False, True, False, True]
        assert check(client, b"c", encoding="base64").cached
        assert client.check_many([b"c"], preflight=False).raw == b""
    assert len(server.requests) == 2


def test_a_refused_item_is_not_kept(connect: Connect, path: Path) -> None:
    results = b'[{"error":{"code":"image_unsupported_format"}},{"verdict":"authentic"}]'
    with faulty(Answer(body=results), GOOD) as server:
        client = connect(server.origin, cache=path)
        client.check_many([b"a", b"b"], preflight=False)
        assert not check(client, b"a", encoding="base64").cached
        assert check(client, b"b", encoding="base64").cached


def test_errors_are_not_kept_and_free_the_claim(connect: Connect, path: Path) -> None:
    with faulty(Answer(status=500), Answer(status=400), GOOD) as server:
        client = connect(server.origin, cache=path, total_timeout=5.0)
        for _ in range(2):
            with pytest.raises(APIError):
                check(client)
        assert not check(client).cached


def test_threads_that_ask_at_once_pay_once(path: Path) -> None:
    slow = Answer(body=BODY, charge=True, delay_s=0.3)
    with (
        faulty(*[slow] * 20) as server,
        AIDetector(KEY, base_url=server.origin, cache=path) as one,
        AIDetector(KEY, base_url=server.origin, cache=path) as two,
        ThreadPoolExecutor(12) as pool,
    ):
        found = list(pool.map(lambda at: check([one, two][at % 2]), range(12)))
    assert {each.raw for each in found} == {BODY}
    assert sum(not each.cached for each in found) == 1
    assert server.charges.total() == 1


ASK = """
import sys
from runmask.http import AIDetector
key, origin, path, *photos = sys.argv[1:]
with AIDetector(key, base_url=origin, cache=path) as client:
    for photo in photos:
        client.check(photo.encode(), preflight=False)
"""


def test_processes_that_ask_at_once_pay_once(path: Path) -> None:
    photos = [f"{n}" for n in range(5)]
    with faulty(*[Answer(body=BODY, charge=True, delay_s=0.05)] * 50) as server:
        command = [sys.executable, "-c", ASK, KEY, server.origin, str(path), *photos]
        workers = [subprocess.Popen(command) for _ in range(3)]
        assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    assert server.charges.total() == len(photos)


CLAIM = """
import os, sys
from runmask.http import Cache
os._exit(0 if Cache(sys.argv[1]).take("key", "other", 1000.0) == "claimed" else 1)
"""


def test_the_claim_of_a_dead_process_is_void(path: Path) -> None:
    subprocess.run([sys.executable, "-c", CLAIM, str(path)], check=True, timeout=60)
    assert Cache(path).take("key", "me", 1.0) == "claimed"


def test_the_claim_of_a_live_process_holds_until_its_time(path: Path) -> None:
    cache = Cache(path)
    assert cache.take("key", "one", 0.2) == "claimed"
    assert cache.take("key", "two", 9.0) == "busy"
    time.sleep(0.25)
    assert cache.take("key", "two", 9.0) == "claimed"
    cache.release("key", "one")
    assert cache.take("key", "three", 9.0) == "busy"
    cache.put("key", "two", b"x")
    assert cache.take("key", "three", 9.0) == b"x"


def test_waiting_for_another_ends_with_the_call(connect: Connect, path: Path) -> None:
    with faulty(GOOD) as server:
        client = connect(server.origin, cache=path, total_timeout=0.3)
        [key] = client.client._keys(
            "aidetector", client.client._asked("detect", _wanted(), "multipart"), [_Upload()]
        )
        assert Cache(path).take(key, "another", 60.0) == "claimed"
        with pytest.raises(APITimeoutError) as caught:
            check(client)
    assert (caught.value.billed, len(server.requests)) == ("no", 0)


class _Upload:
    data = PHOTO


def _wanted() -> Any:
    from runmask.http.aidetector_wire import Wanted

    return Wanted()


# -- limits


def test_what_was_unused_for_longest_goes_first(path: Path) -> None:
    cache = Cache(path, max_bytes=300)
    for name in "abc":
        cache.put(name, "", bytes(100))
        time.sleep(0.01)
    assert cache.take("a", "", 0.0) == bytes(100)
    time.sleep(0.01)
    cache.put("d", "", bytes(100))
    assert [cache.take(name, "", 0.0) == "claimed" for name in "abcd"] == [
        False,
        True,
        False,
        False,
    ]
    cache.put("e", "", bytes(301))
    assert len(cache) == 3
    cache.clear()
    assert len(cache) == 0


def test_old_answers_are_asked_for_anew(path: Path) -> None:
    cache = Cache(path, max_age=0.1)
    cache.put("a", "", b"x")
    assert cache.take("a", "", 9.0) == b"x"
    time.sleep(0.15)
    assert cache.take("a", "", 9.0) == "claimed"


# -- damage


def damage(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    if how == "header":
        data[:100] = b"x" * 100
    elif how == "pages":
        data[100:] = os.urandom(len(data) - 100)
    elif how == "cut":
        del data[len(data) // 2 :]
    elif how == "empty":
        data.clear()
    path.write_bytes(data)
    for ending in ("-wal", "-shm"):
        Path(f"{path}{ending}").unlink(missing_ok=True)


@pytest.mark.parametrize("how", ["header", "pages", "cut", "empty"])
def test_a_damaged_file_costs_only_what_was_in_it(path: Path, how: str) -> None:
    cache = Cache(path)
    for n in range(50):
        cache.put(f"{n}", "", bytes(2000))
    cache.close()
    damage(path, how)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cache = Cache(path)
        cache.put("new", "", b"x")
        assert cache.take("new", "", 1.0) == b"x"
    if how != "empty":
        assert "is damaged" in str(caught[0].message)
        assert list(path.parent.glob("*.damaged-*"))


def test_damage_while_it_is_open(connect: Connect, path: Path) -> None:
    with faulty(*[GOOD] * 9) as server:
        client = connect(server.origin, cache=path)
        check(client)
        client.client._cache.close()
        damage(path, "pages")
        with pytest.warns(UserWarning, match="is damaged"):
            assert not check(client).cached
        assert check(client).cached


def test_a_changed_body_is_not_an_answer(path: Path) -> None:
    cache = Cache(path)
    cache.put("a", "", b"abc")
    with sqlite3.connect(path) as db:
        db.execute("UPDATE answers SET body = x'616264'")
    assert cache.take("a", "", 1.0) == "claimed"


def test_a_full_disk_costs_no_answer(connect: Connect, path: Path) -> None:
    cache = Cache(path)
    with faulty(GOOD) as server:
        client = connect(server.origin, cache=cache)
        cache._database.execute("PRAGMA max_page_count = 1")
        big = Answer(body=BODY[:-1] + b',"x":"' + b"y" * 100_000 + b'"}', charge=True)
        with faulty(big) as other, pytest.warns(UserWarning, match="full"):
            assert check(connect(other.origin, cache=cache)).verdict == "ai"
        assert other.charges.total() == 1
        assert check(client).verdict == "ai"


@pytest.mark.parametrize("bad", ["folder", "nowhere", "newer"])
def test_files_that_cannot_be_used(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "x"
    if bad == "folder":
        path.mkdir()
    elif bad == "nowhere":
        path = path / "y"
    else:
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA user_version = 99")
    with pytest.raises(InputError) as caught:
        AIDetector(KEY, cache=path)
    assert caught.value.code == "cache"


def test_the_file_is_private_and_holds_no_key(path: Path) -> None:
    with faulty(GOOD) as server, AIDetector(KEY, base_url=server.origin, cache=path) as client:
        check(client)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert KEY.encode() not in path.read_bytes()


def test_after_a_fork(path: Path) -> None:
    cache = Cache(path)
    cache.put("a", "", b"x")
    child = os.fork()
    if child == 0:
        os._exit(0 if cache.take("a", "", 1.0) == b"x" else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert cache.take("a", "", 1.0) == b"x"


def test_keys_tell_everything_apart() -> None:
    keys = {
        key_of(service, origin, options, data)
        for service in "ab"
        for origin in "ab"
        for options in ({"a": 1}, {"a": None}, {"b": 1})
        for data in (b"a", b"b")
    }
    assert len(keys) == 24
    assert key_of("a", "b", {"x": 1, "y": 2}, b"") == key_of("a", "b", {"y": 2, "x": 1}, b"")


def test_a_cancelled_call_frees_its_claim(path: Path) -> None:
    import asyncio

    async def run(server: FaultServer) -> None:
        async with AsyncAIDetector(KEY, base_url=server.origin, cache=path) as client:
            asking = asyncio.create_task(check(client))
            while not server.requests:
                await asyncio.sleep(0.01)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            assert not (await check(client)).cached

    with faulty(Answer(delay_s=5), GOOD) as server:
        asyncio.run(run(server))


def test_many_threads_on_one_cache(path: Path) -> None:
    cache = Cache(path, max_bytes=5_000)
    faults: list[BaseException] = []

    def work(n: int) -> None:
        try:
            for turn in range(20):
                key = f"{turn % 5}"
                if cache.take(key, f"{n}", 1.0) == "claimed":
                    cache.put(key, f"{n}", key.encode() * 500)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert len(cache) == 5
