"""The sandbox over real HTTP: every status, every limit, and what it never gives away."""

import base64
import contextlib
import http.client
import io
import json
import logging
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from urllib.parse import quote, urlsplit

import cv2
import httpx2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import runmask
from runmask.errors import InputError
from runmask.mask import Mask
from runmask.sandbox import NOTICE, Analysis, Limit, Settings, analyse, running
from runmask.sandbox.bodies import parse_json
from runmask.sandbox.copyleaks.wire import short_float, timestamp
from runmask.sandbox.rates import Newest, Rate
from runmask.sandbox.refusals import Refusal

KEY = "00000000-0000-0000-0000-000000000000"
LIVE_KEY = "5f1e9a7c-1111-4222-8333-9b8d7c6a5e4f"
LOGIN = "/v3/account/login/api"
CREDITS = "/v3/scans/credits"
MAX_FILE = 33_554_432
SECOND = 1_000_000_000


class Client(httpx2.Client):
    """An HTTP client that logs in to a sandbox when it is entered."""

    def __init__(self, origin, email="dev@example.org"):
        super().__init__(base_url=origin, timeout=20, trust_env=False)
        self.email = email

    def __enter__(self):
        super().__enter__()
        login = self.post(LOGIN, json={"email": self.email, "key": KEY})
        self.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
        return self

    def check(self, scan_id, image, *, filename="a.png", files=None, **fields):
        """Submit by multipart, as the guide shows it."""
        fields = {"filename": filename, "model": "ai-image-1-ultra", "sandbox": "false"} | fields
        fields = {name: value for name, value in fields.items() if value is not None}
        files = {"image": (filename, image)} if files is None else files
        return self.post(path_of(scan_id), files=files, data=fields)

    def check_json(self, scan_id, image, **fields):
        encoded = base64.b64encode(image).decode()
        body = {"base64": encoded, "filename": "a.png", "model": "ai-image-1-ultra"} | fields
        body = {name: value for name, value in body.items() if value is not None}
        return self.post(path_of(scan_id), json=body)

    @property
    def amount(self):
        return self.get(CREDITS).json()["Amount"]


def path_of(scan_id):
    return f"/v1/ai-image-detector/{quote(scan_id, safe='')}/check"


def corner(image):
    """A detector that is quick, for all the tests that are not about the analysis."""
    mask = np.zeros(image.shape[:2], bool)
    mask[:10, :10] = True
    return Analysis(np.zeros((1, 1), np.float32), mask, 0.5)


@contextlib.contextmanager
def client_of(detector=corner, **knobs):
    with running(Settings(detector=detector, **knobs)) as origin, Client(origin) as client:
        yield client


@pytest.fixture(scope="module")
def client():
    with client_of() as client:
        yield client


@pytest.fixture(scope="module")
def analysing():
    with client_of(analyse) as client:
        yield client


def picture(height=512, width=640, seed=3):
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (12, 12, 3), np.uint8)
    image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    image = cv2.add(image, random.integers(0, 12, image.shape, np.uint8))
    region = image[height // 3 : height // 2, width // 4 : width // 2]
    region[:] = cv2.GaussianBlur(region, (0, 0), 2)
    return image


def encode(image, suffix=".png"):
    done, data = cv2.imencode(suffix, image)
    assert done
    return data.tobytes()


PNG = encode(picture())


def error_of(response):
    return response.json()["error"]


def refused(response, status, code, param=None):
    error = error_of(response)
    assert (response.status_code, error["code"]) == (status, code), error
    assert {"type", "id", "message"} <= set(error)
    if param is not None:
        assert [detail["param"] for detail in error["details"]] == [param]
        assert error["details"][0]["message"]
    return True


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


# Login


def test_login(client):
    response = client.post(LOGIN, json={"email": "someone@example.org", "key": KEY})
    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"access_token", ".issued", ".expires"}
    life = datetime.fromisoformat(body[".expires"]) - datetime.fromisoformat(body[".issued"])
    assert abs(life.total_seconds() - 48 * 3600) <= 2e-6
    assert body[".expires"].endswith("Z")


def test_live_keys_are_refused_and_neither_echoed_nor_logged(client, caplog):
    caplog.set_level(logging.DEBUG)
    response = client.post(LOGIN, json={"email": "a@b.c", "key": LIVE_KEY})
    assert refused(response, 401, 2)
    assert error_of(response)["type"] == "authentication_error"
    assert "live key refused" in error_of(response)["message"]
    assert LIVE_KEY not in response.text + str(response.headers)
    assert f"POST {LOGIN} 401" in caplog.text
    assert LIVE_KEY not in caplog.text


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"key": KEY}, "email"),
        ({"email": "", "key": KEY}, "email"),
        ({"email": "nobody", "key": KEY}, "email"),
        ({"email": 5, "key": KEY}, "email"),
        ({"email": "a@b"}, "key"),
        ({"email": "a@b", "key": None}, "key"),
        ([KEY], "body"),
    ],
)
def test_login_needs_its_fields(client, body, param):
    assert refused(client.post(LOGIN, json=body), 400, 1, param)


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 60_000, b"\xff\xfe{", b'{"a":' + b"9" * 5000])
def test_login_with_a_body_that_is_no_json(client, body):
    response = client.post(LOGIN, content=body, headers={"Content-Type": "application/json"})
    assert refused(response, 400, 1, "body")


def test_login_limits_its_body_and_its_type(client):
    big = json.dumps({"email": "a@b", "key": "x" * 70_000})
    json_type = {"Content-Type": "application/json"}
    assert refused(client.post(LOGIN, content=big, headers=json_type), 413, 6)
    assert refused(client.post(LOGIN, data={"email": "a@b"}), 415, 1, "Content-Type")


def test_login_rate():
    now = [SECOND]
    with running(Settings(login_limit=Limit(2, 900), clock=lambda: now[0])) as origin:
        body = {"email": "a@b.c", "key": KEY}
        asked = [httpx2.post(origin + LOGIN, json=body, trust_env=False) for _ in range(3)]
        assert [r.status_code for r in asked] == [200, 200, 429]
        assert error_of(asked[2])["type"] == "api_error"
        assert asked[2].headers["Retry-After"] == "900"
        now[0] += 900 * SECOND
        assert httpx2.post(origin + LOGIN, json=body, trust_env=False).status_code == 200


# Bearer and credits


@pytest.mark.parametrize("bearer", ["", "Bearer", "Bearer nonsense", "Basic abc", "Bearer \xe9"])
def test_a_wrong_bearer_gets_a_problem_object(client, bearer):
    headers = {"Authorization": bearer.encode("latin-1")}
    for response in (
        client.get(CREDITS, headers=headers),
        client.post(path_of("abc"), headers=headers, content=b"x"),
    ):
        assert response.status_code == 401
        assert response.headers["Content-Type"] == "application/problem+json"
        body = response.json()
        assert set(body) == {"type", "title", "status", "traceId"}
        assert body["type"].endswith("rfc9110#section-15.5.2")
        assert body["status"] == 401


def test_a_token_ends_with_its_life():
    now = [SECOND]
    with client_of(token_life_s=60, clock=lambda: now[0]) as client:
        assert client.get(CREDITS).status_code == 200
        now[0] += 60 * SECOND
        assert client.get(CREDITS).status_code == 200
        now[0] += SECOND
        assert client.get(CREDITS).status_code == 401
        assert client.check("abc", PNG).status_code == 401


def test_credits_are_counted_and_run_out():
    with client_of(credits=2) as client:
        assert client.amount == 2
        free = client.check("free", PNG, sandbox="true").json()["scannedDocument"]
        assert (free["actualCredits"], free["expectedCredits"], client.amount) == (0, 1, 2)
        paid = client.check("paid", PNG).json()["scannedDocument"]
        assert (paid["actualCredits"], paid["expectedCredits"], client.amount) == (1, 1, 1)
        assert refused(client.check("bad", b"no image"), 400, 10)
        assert client.amount == 1
        assert client.check("last", PNG).status_code == 200
        response = client.check("none", PNG)
        assert refused(response, 402, 13)
        assert error_of(response)["type"] == "payment_error"
        assert client.check("free-2", PNG, sandbox="true").status_code == 200
        assert client.amount == 0
        with Client(str(client.base_url), email="other@example.org") as other:
            assert other.amount == 2


# The check


def test_both_forms_give_the_same_answer_of_the_documented_shape(analysing):
    form = analysing.check("as-form", PNG).json()
    text = analysing.check_json("as-json", PNG).json()
    assert form["result"] == text["result"]
    assert form["summary"] == text["summary"]
    assert list(form) == [
        "model",
        "isAiDetected",
        "result",
        "summary",
        "imageInfo",
        "scannedDocument",
        "sandbox",
    ]
    assert form["sandbox"] == {"notice": NOTICE, "version": runmask.__version__}
    assert form["model"] == "ai-image-1-ultra"
    assert form["imageInfo"] == {"shape": {"height": 512, "width": 640}, "metadata": {}}
    document = form["scannedDocument"]
    assert document["scanId"] == "as-form"
    assert set(document) == {"scanId", "actualCredits", "expectedCredits", "creationTime"}
    assert datetime.fromisoformat(document["creationTime"]).utcoffset().total_seconds() == 0
    mask = Mask(form["result"]["starts"], form["result"]["lengths"], (512, 640))
    assert form["isAiDetected"] is (mask.area > 0)
    assert form["summary"]["ai"] == float(str(np.float32(mask.fraction)))
    assert mask.starts.tolist() == form["result"]["starts"]  # canonical as sent
    assert mask.area > 0


def test_the_answer_of_2025():
    with client_of(shape="2025") as client:
        body = client.check("sbx-ai-1", PNG).json()
    assert "isAiDetected" not in body
    assert body["model"] == "ai-image-1-ultra-01-09-2025"


def test_same_bytes_same_answer_on_another_server(analysing):
    first = analysing.check("one", PNG).json()
    with client_of(analyse) as other:
        second = other.check("two", PNG).json()
    for part in ("isAiDetected", "result", "summary", "imageInfo"):
        assert first[part] == second[part]


def test_field_names_in_any_case_and_flags_as_text(client):
    before = client.amount
    answer = client.check_json("node-sdk", PNG, filename=None, fileName="a.png", Sandbox="true")
    assert answer.json()["scannedDocument"]["actualCredits"] == 0
    assert client.check_json("bool", PNG, sandbox=True).status_code == 200
    answer = client.check(
        "java-sdk", PNG, files={"Image": ("a.PNG", PNG)}, FileName="x.png", SANDBOX="true"
    )
    assert answer.status_code == 200
    assert client.amount == before


def test_a_form_may_leave_out_what_the_file_part_tells(client):
    response = client.post(path_of("bare"), files={"image": ("a.png", PNG)})
    assert response.status_code == 200


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".webp"])
def test_formats(client, suffix):
    data = encode(picture(), suffix)
    assert client.check(f"format{suffix}", data, filename=f"a{suffix}").status_code == 200


def test_heic(client):
    pillow_heif = pytest.importorskip("pillow_heif")
    out = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (640, 512), "teal")).save(out)
    body = client.check("an-heic", out.getvalue(), filename="a.heic").json()
    assert body["imageInfo"]["shape"] == {"height": 512, "width": 640}


@pytest.mark.parametrize(
    ("image", "filename", "code"),
    [
        (encode(picture(), ".tiff"), "a.png", 10),
        (b"GIF89a" + bytes(200), "a.png", 14),
        (b"<svg/>", "a.png", 10),
        (b"", "a.png", 14),
        (PNG[: len(PNG) // 2], "a.png", 14),
        (encode(picture(), ".jpg")[:-2000], "a.jpg", 14),
        (PNG, "a.tiff", 10),
        (PNG, "png", 10),
        (PNG, "a" * 252 + ".png", 24),
        (PNG, "a\x07.png", 24),
    ],
)
def test_files_that_are_refused(client, image, filename, code):
    response = client.check_json("refused", image, filename=filename)
    assert refused(response, 400, code, "filename" if image is PNG else "image")


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"base64": None}, "base64"),
        ({"base64": "data:image/png;base64,AAAA"}, "base64"),
        ({"base64": "@@@@"}, "base64"),
        ({"base64": "é"}, "base64"),
        ({"base64": 12}, "base64"),
        ({"filename": None}, "filename"),
        ({"model": None}, "model"),
        ({"model": "ai-image-2"}, "model"),
        ({"sandbox": "yes"}, "sandbox"),
        ({"sandbox": 1}, "sandbox"),
        ({"sandbox": None}, None),
    ],
)
def test_json_fields(client, changes, param):
    body = {"base64": "", "filename": "a.png", "model": "ai-image-1-ultra", "sandbox": False}
    body = {name: value for name, value in (body | changes).items() if value is not None}
    response = client.post(path_of("fields"), json=body)
    assert refused(response, 400, 1 if param else 14, param or "image")


@pytest.mark.parametrize(
    ("files", "data", "code", "param"),
    [
        ({"other": ("a.png", PNG)}, {}, 1, "image"),
        ([("image", ("a.png", PNG)), ("image", ("b.png", PNG))], {}, 21, "image"),
        ({"image": ("a.png", PNG)}, {"base64": "AAAA"}, 1, "base64"),
        ({"file": ("a.png", PNG)}, {"image": "AAAA"}, 1, "image"),
        ({"image": ("a.png", PNG)}, {"sandbox": "2"}, 1, "sandbox"),
        ({"image": ("a.png", PNG)}, {"model": "x"}, 1, "model"),
        ({"image": ("a.png", PNG)}, {"filename": "x" * 70_000}, 1, "body"),
        ([("image", ("a.png", b"x"))] * 40, {}, 1, "body"),
    ],
)
def test_form_fields(client, files, data, code, param):
    response = client.post(path_of("fields"), files=files, data=data)
    assert refused(response, 400, code, param)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=abc", 400),
        ("application/json", 400),
        ("text/plain", 415),
        ("", 415),
    ],
)
def test_bodies_that_are_not_what_they_say(client, content_type, status):
    for body in (b"", b"--abc\r\nnonsense", b"\0" * 100):
        headers = {"Content-Type": content_type}
        assert refused(client.post(path_of("body"), content=body, headers=headers), status, 1)


@settings(max_examples=60, deadline=None)
@given(
    content_type=st.sampled_from(["application/json", "multipart/form-data; boundary=b", "a/b"]),
    start=st.sampled_from([b"", b"{", b'{"base64":"', b"--b\r\n", b"--b\r\nContent-Disposition: "]),
    rest=st.binary(max_size=200),
)
def test_no_body_makes_the_server_fail(client, content_type, start, rest):
    headers = {"Content-Type": content_type}
    response = client.post(path_of("fuzz"), content=start + rest, headers=headers)
    assert response.status_code in (400, 415)
    assert error_of(response)["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "body",
    [b"[" * 42_000_000, b'{"a":' * 8_000_000, b"[" + b"1," * 20_000_000, b'{"":1,' * 7_000_000],
    ids=["brackets", "objects", "numbers", "pairs"],
)
def test_json_that_is_costly_to_read_is_refused_unread(body):
    tracemalloc.start()
    with pytest.raises(Refusal, match="over 1000 values"):
        parse_json(body)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


@pytest.mark.parametrize("charset", ["undefined", "idna", "rot13", "no-such", "utf-16"])
def test_odd_charsets_of_a_form(client, charset):
    headers = {"Content-Type": f"multipart/form-data; boundary=b; charset={charset}"}
    part = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n\xff.-\r\n--b--\r\n'
    response = client.post(path_of("charset"), content=part, headers=headers)
    assert refused(response, 400, 1)


@pytest.mark.parametrize("path", [LOGIN, path_of("both")])
def test_a_body_that_is_framed_twice_ends_the_connection(client, path):
    with connection_to(client) as raw:
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        lengths = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        smuggled = "GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        raw.sendall((head + lengths + smuggled).encode())
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"connection: close" in answer.lower()
    assert answer.count(b"HTTP/1.1") == 1


def test_slow_bodies_do_not_hold_the_places_of_others():
    with client_of(max_checks=1, body_timeout_s=30) as client, connection_to(client) as raw:
        raw.sendall(head_of(client, "Content-Length: 500") + b"{")
        time.sleep(0.1)  # for the server to take it
        assert client.check("quick", PNG).status_code == 200


def test_encoded_bodies_are_refused(client):
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert refused(client.post(path_of("gzip"), content=b"x", headers=headers), 415, 1)


# Scan ids


@pytest.mark.parametrize(
    "scan_id",
    [
        "abc",
        "0" * 36,
        "a?b"[0] + '/%"<>^{}|`~c',
        "100%25",
        "!@$^&-+%=_(){}<>';:/.\",~`|",
        "../../etc",
    ],
)
def test_scan_ids_are_one_segment_decoded_once(client, scan_id):
    body = client.check(scan_id, PNG, sandbox="true").json()
    assert body["scannedDocument"]["scanId"] == scan_id


@pytest.mark.parametrize(
    "scan_id",
    ["ab", "a" * 37, "ABC", "a b", "café", "a#b", "a?b", "a*b", "a\\b", "a\nb"[:1] + "\tb"],
)
def test_scan_ids_that_are_refused(client, scan_id):
    assert refused(client.check(scan_id, PNG), 400, 1, "scanId")


# Limits of size and time


@pytest.mark.parametrize("shape", [(511, 512), (512, 511), (1, 1)])
def test_the_smallest_image(client, shape):
    response = client.check("small", encode(np.zeros((*shape, 3), np.uint8)))
    assert refused(response, 400, 1, "image")
    assert f"{shape[1]}x{shape[0]}" in error_of(response)["details"][0]["message"]


def test_the_largest_image(client):
    def flat(height, width):
        return encode(np.zeros((height, width), np.uint8))

    assert client.check("sbx-human-1", flat(5400, 5000)).status_code == 200
    assert refused(client.check("large", flat(5400, 5001)), 400, 1, "image")
    with client_of(limits="16mp") as strict:
        assert refused(strict.check("large", flat(4000, 4001)), 400, 1, "image")


def test_a_bomb_is_refused_by_its_header(client):
    data = bytearray(encode(np.zeros((512, 512), np.uint8)))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    assert refused(client.check("bomb", bytes(data)), 400, 1, "image")


def test_the_largest_file(client):
    padded = PNG + bytes(MAX_FILE - 1 - len(PNG))
    assert client.check("sbx-ai-1", padded).status_code == 200
    assert refused(client.check("sbx-ai-2", padded + b"\0"), 413, 6)
    assert refused(client.check_json("sbx-ai-3", padded + b"\0"), 413, 6)


def test_a_body_without_a_declared_size_is_cut_off(client):
    def endless():
        for _ in range(1000):
            yield bytes(1 << 16)

    headers = {"Content-Type": "application/json"}
    try:
        response = client.post(path_of("endless"), content=endless(), headers=headers)
    except httpx2.TransportError:
        return  # the server has hung up, which is as good
    assert refused(response, 413, 6)


def test_an_upload_that_is_refused_early_is_still_answered(client):
    bearer = {"Authorization": "Bearer x"}
    for content in (bytes(8_000_000), iter([bytes(1_000_000)] * 8)):
        assert client.post(path_of("early"), content=content, headers=bearer).status_code == 401


def test_a_declared_size_is_refused_before_it_is_sent(client):
    with connection_to(client) as raw:
        raw.sendall(head_of(client, f"Content-Length: {10**12}"))
        assert b"413" in raw.recv(4096).split(b"\r\n")[0]


def test_slow_bodies_and_slow_heads_are_ended():
    with client_of(body_timeout_s=0.2, header_timeout_s=0.2) as client:
        with connection_to(client) as raw:
            raw.sendall(head_of(client, "Content-Length: 500") + b"{")
            assert b"408" in raw.recv(4096).split(b"\r\n")[0]
            with pytest.raises(OSError, match=r"reset|pipe"):  # what still comes is not awaited
                drip(raw)
        with connection_to(client) as raw:
            raw.sendall(b"GET /v1/health HTTP/1.1\r\nHost: ")
            assert raw.recv(4096) == b""
        with connection_to(client) as raw:
            assert raw.recv(4096) == b""
        assert client.check("after", PNG).status_code == 200


def test_long_headers_are_refused(client):
    for name in ("X-Long", "Authorization"):
        assert client.get(CREDITS, headers={name: "x" * 20_000}).status_code in (400, 431)
    assert client.get(CREDITS, headers={"X-Long": "x" * 8_000}).status_code == 200


def test_a_client_that_leaves_does_no_harm(client, caplog):
    for body in (b"", b'{"base64": "AA'):
        with connection_to(client) as raw:
            raw.sendall(head_of(client, "Content-Length: 500") + body)
    assert client.check("left", PNG).status_code == 200
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_more_connections_than_allowed_are_turned_away():
    with client_of(max_connections=3) as client, contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(connection_to(client))
        with httpx2.Client(base_url=client.base_url, trust_env=False) as late:
            assert late.get("/v1/health").status_code == 503


def drip(raw):
    for _ in range(500):
        raw.sendall(b" ")
        time.sleep(0.01)


@contextlib.contextmanager
def connection_to(client):
    target = urlsplit(str(client.base_url))
    with socket.create_connection((target.hostname, target.port), timeout=10) as raw:
        yield raw


def head_of(client, *lines):
    head = [
        f"POST {path_of('raw')} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: {client.headers['Authorization']}",
        "Content-Type: application/json",
        *lines,
    ]
    return "\r\n".join([*head, "", ""]).encode()


# Magic scan ids


def test_magic_results(client):
    whole = client.check("sbx-ai-x", PNG).json()
    assert whole["result"] == {"starts": [0], "lengths": [512 * 640]}
    assert whole["summary"] == {"human": 0.0, "ai": 1.0}
    none = client.check("sbx-human-x", PNG).json()
    assert none["result"] == {"starts": [], "lengths": []}
    assert none["isAiDetected"] is False
    part = client.check("sbx-partial-x", PNG).json()
    expected = np.zeros((512, 640), bool)
    expected[128:256, 160:320] = True
    mask = Mask(part["result"]["starts"], part["result"]["lengths"], (512, 640))
    assert np.array_equal(mask.to_array().astype(bool), expected)
    assert part["isAiDetected"] is True
    assert {body["sandbox"]["notice"] for body in (whole, none, part)} == {NOTICE}


@pytest.mark.parametrize("code", [*range(1, 18), 19, 20, 21, 22, 24])
def test_magic_codes(client, code):
    response = client.check(f"sbx-err-{code}-x", PNG)
    error = error_of(response)
    assert error["code"] == code
    kinds = {
        2: "authentication_error",
        13: "payment_error",
        16: "api_error",
        6: "invalid_request_error",
    }
    assert error["type"] == kinds.get(code, error["type"])
    statuses = {1: 400, 2: 401, 6: 413, 8: 400, 10: 400, 13: 402, 14: 400, 15: 400, 24: 400}
    assert response.status_code == statuses.get(code, response.status_code) >= 400


@pytest.mark.parametrize("status", [401, 402, 409, 413, 415, 429, 500, 502, 503])
def test_magic_statuses(client, status):
    before = client.amount
    response = client.check(f"sbx-err-http{status}-x", PNG)
    assert response.status_code == status
    assert ("Retry-After" in response.headers) == (status in (429, 503))
    assert response.headers["X-Runmask-Sandbox"] == NOTICE
    if status == 502:
        assert response.text.startswith("<html>")
    if status == 429:
        assert (error_of(response)["type"], error_of(response)["code"]) == ("api_error", 9)
    assert client.amount == before


@pytest.mark.parametrize("scan_id", ["sbx-err-18-x", "sbx-err-25", "sbx-err-http418-x"])
def test_errors_that_do_not_exist(client, scan_id):
    assert refused(client.check(scan_id, PNG), 400, 1, "scanId")


def test_magic_errors_without_retry_after():
    with client_of(retry_after=False) as client:
        for status in (429, 503):
            assert "Retry-After" not in client.check(f"sbx-err-http{status}", PNG).headers


# The same scan id again


def test_replay_repeats_the_answer_and_charges_once():
    with client_of(credits=10) as client:
        first, second = client.check("again", PNG), client.check_json("again", PNG)
        assert first.content == second.content
        assert client.amount == 9
        assert refused(client.check("again", encode(picture(seed=4))), 409, 1, "scanId")
        assert client.amount == 9
        with Client(str(client.base_url), email="other@example.org") as other:
            assert other.check("again", encode(picture(seed=4))).status_code == 200


def test_conflict_refuses_any_second_use():
    with client_of(duplicate_policy="conflict") as client:
        assert refused(client.check("again", b"no image"), 400, 10)
        assert client.check("again", PNG).status_code == 200
        assert refused(client.check("again", PNG), 409, 1, "scanId")


def test_ignore_scans_and_charges_again():
    with client_of(duplicate_policy="ignore", credits=10) as client:
        assert client.check("again", PNG).status_code == 200
        assert client.check("again", encode(picture(seed=4))).status_code == 200
        assert client.amount == 8


def test_the_same_scan_id_at_the_same_time_is_charged_once():
    with client_of(credits=10) as client, ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: client.check("twin", PNG), range(4)))
        assert len({answer.content for answer in answers}) == 1
        assert client.amount == 9


# Rates


def test_check_and_credit_rates():
    now = [SECOND]
    limits = {"check_limit": Limit(2, 10), "other_limit": Limit(1, 1)}
    with client_of(clock=lambda: now[0], **limits) as client:
        statuses = [client.check("sbx-ai-1", PNG).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        now[0] += 4 * SECOND
        assert client.check("sbx-ai-1", PNG).headers["Retry-After"] == "6"
        now[0] += 6 * SECOND
        assert client.check("sbx-ai-1", PNG).status_code == 200
        assert [client.get(CREDITS).status_code for _ in range(2)] == [200, 429]


def test_rate_answers_without_retry_after():
    with client_of(other_limit=Limit(1, 60), retry_after=False) as client:
        client.get(CREDITS)
        response = client.get(CREDITS)
        assert response.status_code == 429
        assert "Retry-After" not in response.headers


@given(st.integers(1, 4), st.integers(1, 5), st.lists(st.integers(0, 3), max_size=30))
def test_no_stretch_of_time_has_more_than_the_limit(count, seconds, steps):
    rate, now, admitted = Rate(Limit(count, seconds)), 0, []
    for step in steps:
        now += step * SECOND // 2
        wait = rate.wait_s("someone", now)
        recent = [at for at in admitted if at > now - seconds * SECOND]
        assert (wait == 0) == (len(recent) < count)
        if wait == 0:
            admitted.append(now)
        else:
            assert (wait - 1) * SECOND < recent[0] + seconds * SECOND - now <= wait * SECOND


def test_the_newest_entries_are_kept():
    newest = Newest(3)
    for number in range(5):
        assert newest.setdefault(number, number) == number
    newest[9] = 9
    assert list(newest) == [3, 4, 9]


# The image's own words


def with_exif(**tags):
    exif = Image.Exif()
    for tag, value in tags.items():
        exif[int(tag[1:], 16)] = value
    out = io.BytesIO()
    Image.fromarray(picture(520, 700)).save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_metadata_comes_from_the_exif_block(client):
    image = with_exif(x0132="2025:07:23 12:44:05", x013B="OpenAI", x010F="Acme", x0110="One")
    body = client.check("exif-1", image, filename="a.jpg").json()
    assert body["imageInfo"]["metadata"] == {
        "issuedTime": "2025-07-23T12:44:05",
        "issuedBy": "OpenAI",
        "appOrDeviceUsed": "Acme One",
    }
    image = with_exif(x0132="yesterday", x0131="Painter 4\0")
    body = client.check("exif-2", image, filename="a.jpg").json()
    assert body["imageInfo"]["metadata"] == {"appOrDeviceUsed": "Painter 4"}


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_metadata_is_left_out(client):
    image = with_exif(x013B="somebody").replace(b"MM\0*\0\0\0\x08", b"MM\0*\xff\xff\xff\xff")
    body = client.check("exif-3", image, filename="a.jpg").json()
    assert body["imageInfo"]["metadata"] == {}


def test_the_answer_is_for_the_stored_grid(analysing):
    turned = analysing.check("turned", with_exif(x0112=6), filename="a.jpg").json()
    plain = analysing.check("plain", with_exif(x0112=1), filename="a.jpg").json()
    assert turned["imageInfo"]["shape"] == {"height": 520, "width": 700}
    assert turned["result"] == plain["result"]


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


# Numbers and times as the service prints them


@given(st.floats(0, 1))
def test_summary_numbers_are_short_32_bit_floats(value):
    short = short_float(value)
    assert np.float32(short) == np.float32(value)
    assert len(repr(short).replace("e-", "")) <= 14


def test_the_summary_of_a_recorded_answer():
    assert short_float(2797 / (1800 * 1350)) == 0.0011510288
    assert short_float(1 - 2797 / (1800 * 1350)) == 0.998849


@given(st.integers(0, 4_000_000_000 * SECOND))
def test_times_have_up_to_seven_digits_and_no_trailing_zeros(nanoseconds):
    text = timestamp(nanoseconds)
    whole, _, fraction = text.removesuffix("Z").partition(".")
    assert len(fraction) <= 7
    assert not fraction.endswith("0")
    seconds = round(datetime.fromisoformat(whole + "+00:00").timestamp())
    assert seconds * SECOND + int(fraction.ljust(7, "0")) * 100 == nanoseconds // 100 * 100


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
