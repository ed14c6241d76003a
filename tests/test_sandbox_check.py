"""The sandbox's check: both forms, what is refused, what the answer says."""

import io
import time
import tracemalloc
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sandbox_client import (
    LOGIN,
    PNG,
    SECOND,
    client_of,
    connection_to,
    encode,
    error_of,
    head_of,
    path_of,
    picture,
    refused,
)

import runmask
from runmask.mask import Mask
from runmask.sandbox import NOTICE, analyse
from runmask.sandbox.bodies import parse_json
from runmask.sandbox.copyleaks.wire import short_float, timestamp
from runmask.sandbox.refusals import Refusal


@pytest.fixture(scope="module")
def client():
    with client_of() as client:
        yield client


@pytest.fixture(scope="module")
def analysing():
    with client_of(analyse) as client:
        yield client


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
