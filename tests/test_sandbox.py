"""The sandbox over real HTTP: how it is reached, whose detector it asks, how it starts and ends."""

import contextlib
import http.client
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx2
import numpy as np
import pytest
from sandbox_client import (
    CREDITS,
    KEY,
    LOGIN,
    PNG,
    Client,
    client_of,
    corner,
    error_of,
    path_of,
    refused,
)

from runmask.errors import InputError
from runmask.sandbox import NOTICE, Analysis, Limit, Settings, running


@pytest.fixture(scope="module")
def client():
    with client_of() as client:
        yield client


# What it is, and how it is reached


def test_health_says_what_it_is_and_what_it_serves(client):
    response = client.get("/v1/health", headers={"Authorization": ""})
    assert response.status_code == 200
    body = response.json()
    assert body["status"] == "ok"
    assert body["notice"] == NOTICE
    assert NOTICE.startswith("analysis for development, not a trained detector")
    assert "real photos" in NOTICE
    assert body["services"]["copyleaks"]["key"] == KEY
    assert "sbx-partial-*" in body["services"]["copyleaks"]["scanIds"]


@pytest.mark.parametrize("path", ["/v1/health", "/nothing", CREDITS])
def test_every_answer_carries_the_notice_and_no_cors(client, path):
    response = client.get(path, headers={"Origin": "http://localhost:3000"})
    assert response.headers["X-Runmask-Sandbox"] == NOTICE
    assert not [name for name in response.headers if name.startswith("access-control")]


def test_the_front_page_says_what_it_is(client):
    response = client.get("/", headers={"Authorization": ""})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert NOTICE in response.text
    assert 'href="/v1/health"' in response.text


def raw_get(client, **headers):
    target = urlsplit(str(client.base_url))
    connection = http.client.HTTPConnection(target.hostname, target.port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", "/v1/health", headers=headers)
        response = connection.getresponse()
        response.read()
        return response.status


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "10.0.0.1", "a@evil", "[", ""],
)
def test_foreign_hosts_are_refused(client, host):
    assert raw_get(client, Host=host) == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.9.9.9", "[::1]:80"])
def test_loopback_hosts_are_served(client, host):
    assert raw_get(client, Host=host) == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "file://", "x"]
)
def test_foreign_origins_are_refused(client, origin):
    assert raw_get(client, Origin=origin) == 403
    response = client.post(LOGIN, json={"email": "a@b", "key": KEY}, headers={"Origin": origin})
    assert response.status_code == 403


def test_a_page_on_this_machine_may_ask(client):
    assert raw_get(client, Origin="http://localhost:5173") == 200


def test_wrong_methods_and_paths(client):
    assert client.get(LOGIN).status_code == 405
    assert client.get(path_of("abc")).status_code == 405
    assert client.options(path_of("abc")).status_code == 405
    assert client.get("/v1/health/").status_code == 404
    assert client.post("/v1/ai-image-detector/a/b/check").status_code == 404


# A detector of one's own, and work side by side


def test_a_detector_of_ones_own():
    seen = []

    def detector(image):
        seen.append((image.shape, image.dtype))
        return corner(image)

    with client_of(detector) as client:
        body = client.check("mine", PNG).json()
    assert seen == [((512, 640, 3), np.uint8)]
    assert body["result"]["starts"] == [row * 640 for row in range(10)]
    assert body["result"]["lengths"] == [10] * 10


def test_a_detector_that_fails_is_a_500_and_no_charge(caplog):
    def detector(image):
        raise ValueError("no luck")

    with client_of(detector, credits=3) as client:
        response = client.check("broken", PNG)
        assert refused(response, 500, 16)
        ticket = error_of(response)["message"].rpartition(" ")[2]
        assert ticket in caplog.text
        assert client.amount == 3
        assert client.check("sbx-ai-1", PNG).status_code == 200


def test_checks_run_side_by_side_and_health_answers_meanwhile():
    entered, go_on = threading.Semaphore(0), threading.Event()

    def detector(image):
        entered.release()
        go_on.wait(10)
        return corner(image)

    with client_of(detector, workers=2) as client, ThreadPoolExecutor(3) as pool:
        checks = [pool.submit(client.check, f"side-{i}", PNG) for i in range(3)]
        try:
            assert entered.acquire(timeout=10)
            assert entered.acquire(timeout=10)
            assert client.get("/v1/health").status_code == 200
            assert not entered.acquire(timeout=0.1)  # the third waits for a worker
            assert not any(check.done() for check in checks)
        finally:
            go_on.set()
        assert [check.result().status_code for check in checks] == [200, 200, 200]


def test_large_answers_are_compressed_for_who_asks():
    def stripes(image):
        mask = np.zeros(image.shape[:2], bool)
        mask[:, ::4] = True
        return Analysis(np.zeros((1, 1), np.float32), mask, 0.5)

    with client_of(stripes) as client:
        packed = client.check("packed", PNG)
        assert packed.headers["Content-Encoding"] == "gzip"
        client.headers["Accept-Encoding"] = "identity"
        plain = client.check("packed", PNG)
        assert "Content-Encoding" not in plain.headers
        assert plain.content == packed.content
        assert len(plain.json()["result"]["starts"]) == 512 * 160


# Starting and stopping


def test_running_ends_with_its_block():
    with running() as origin:
        assert httpx2.get(f"{origin}/v1/health", trust_env=False).status_code == 200
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{origin}/v1/health", trust_env=False)


def test_running_on_ipv6():
    try:
        with running(host="::1") as origin:
            assert origin.startswith("http://[::1]:")
            assert httpx2.get(f"{origin}/v1/health", trust_env=False).status_code == 200
    except InputError as error:
        pytest.skip(f"no IPv6 loopback here: {error}")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org", ""])
def test_only_the_loopback_is_listened_on(host):
    with pytest.raises(InputError, match="loopback"), running(host=host):
        pass


def test_a_port_in_use_is_named(client):
    port = urlsplit(str(client.base_url)).port
    with pytest.raises(InputError, match=str(port)), running(port=port):
        pass
    with pytest.raises(InputError, match="65536"), running(port=65536):
        pass


@pytest.mark.parametrize(
    "knobs",
    [
        {"duplicate_policy": "never"},
        {"limits": "8mp"},
        {"shape": "2024"},
        {"credits": -1},
        {"workers": 0},
        {"token_life_s": 0},
        {"body_timeout_s": -1},
    ],
)
def test_settings_are_checked(knobs):
    with pytest.raises(InputError, match=next(iter(knobs))):
        Settings(**knobs)
    with pytest.raises(InputError, match="limit"):
        Limit(0, 5)


def python(code, **more):
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_serve_says_where_it_listens_and_ends_on_a_signal(end):
    with python("from runmask.sandbox import serve; serve(port=0)") as process:
        lines = [process.stdout.readline() for _ in range(4)]
        origin = lines[0].split()[3]
        answered = httpx2.get(f"{origin}/v1/health", trust_env=False)
        with Client(origin) as client:
            client.check("sbx-secret-id", PNG)
            client.get("/a/secret/path")
        process.send_signal(end)
        _, errors = process.communicate(timeout=10)
    assert answered.status_code == 200
    told = "".join(lines)
    assert NOTICE in told
    assert KEY in told
    assert f"{origin}/v1/health" in told
    requests = [re.sub(r"^\S+ | \d+ ms$", "", line) for line in errors.splitlines()]
    assert requests[:4] == [
        "GET /v1/health 200",
        f"POST {LOGIN} 200",
        "POST /v1/ai-image-detector/{scan_id}/check 200",
        "GET (no such path) 404",
    ]
    assert "secret" not in errors
    assert "Traceback" not in errors
    assert process.returncode == (0 if end == signal.SIGINT else -signal.SIGTERM)


@pytest.mark.parametrize("library", ["starlette", "python_multipart", "cv2"])
def test_a_missing_library_is_named(library):
    code = f"""
import sys
sys.modules[{library!r}] = None
from runmask.errors import MissingDependencyError
try:
    import runmask.sandbox
except MissingDependencyError as error:
    print(error)
"""
    with python(code) as process:
        out, errors = process.communicate(timeout=20)
    assert f"{library}: pip install 'runmask[sandbox]'" in out, errors


def test_the_sandbox_never_imports_the_client():
    code = """
import sys, runmask.sandbox
print([name for name in sys.modules if name.startswith(("runmask.http", "httpx"))])
"""
    with python(code) as process:
        assert process.communicate(timeout=20)[0].strip() == "[]"
