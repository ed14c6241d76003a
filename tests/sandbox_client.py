"""A client of the sandbox for its tests, and pictures to send."""

import base64
import contextlib
import socket
from urllib.parse import quote, urlsplit

import cv2
import httpx2
import numpy as np

from runmask.sandbox import Analysis, Settings, running

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
