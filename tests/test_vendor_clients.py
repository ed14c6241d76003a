"""The services' own published clients, unmodified, against the sandbox: login, check, result.

Copyleaks' two take the sandbox's address by their own settings. Sightengine's for Python has it as
an attribute. Sightengine's for Node has host and https fixed: its connections are led to a TLS
server of this machine, whose certificate the runtime is told to trust, and from there to the
sandbox.

Those for Python come by the dependency group ``contract``; those for Node are looked for in the
folder ``RUNMASK_NPM``, to which ``npm install --prefix`` has put them.
"""

import base64
import http.client
import json
import os
import shutil
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from sandbox_client import KEY, LIVE_KEY, PNG, corner

from runmask import Detection, Mask
from runmask.sandbox import Settings, running

SCRIPTS = Path(__file__).parent / "vendor"
PACKAGES = ("plagiarism-checker@6.0.0", "sightengine@1.3.1")
ADDRESS = "https://images.example.org/sbx-ai-1.jpg"
CORNER = Mask.from_bbox((0, 0, 10, 10), (512, 640))


@pytest.fixture(scope="module")
def origin():
    with running(Settings(detector=corner, credits=100)) as origin:
        yield origin


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    return path


# -- for Python


@pytest.fixture
def copyleaks(origin):
    vendor = pytest.importorskip("copyleaks.copyleaks", reason="group contract is not installed")
    from copyleaks.consts import Consts

    before = Consts.API_SERVER_URI, Consts.IDENTITY_SERVER_URI
    vendor.Copyleaks.set_api_uri(origin)
    vendor.Copyleaks.set_identity_uri(origin)
    yield vendor.Copyleaks
    Consts.API_SERVER_URI, Consts.IDENTITY_SERVER_URI = before


def request_of_copyleaks():
    from copyleaks.models.ImageDetection.Requests.CopyleaksAiImageDetectionRequestModel import (
        CopyleaksAiImageDetectionRequestModel,
    )

    encoded = base64.b64encode(PNG).decode()
    return CopyleaksAiImageDetectionRequestModel(encoded, "a.png", "ai-image-1-ultra")


@pytest.mark.filterwarnings("ignore")  # what it uses of others is deprecated
def test_copyleaks_for_python(copyleaks):
    token = copyleaks.login("vendor@example.org", KEY)
    before = copyleaks.credits_balance(token)["Amount"]
    answer = copyleaks.ImageDetectionClient.submit(token, "vendor-python", request_of_copyleaks())
    mask = Mask(answer.result.starts, answer.result.lengths, (512, 640))
    assert mask == CORNER
    assert answer.scanned_document.scan_id == "vendor-python"
    assert answer.scanned_document.actual_credits == 1
    assert answer.summary.ai == pytest.approx(CORNER.fraction)
    assert copyleaks.credits_balance(token)["Amount"] == before - 1


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("status", [402, 409, 429, 500])
def test_errors_reach_copyleaks_for_python(copyleaks, status):
    from copyleaks.exceptions.command_error import CommandError

    token = copyleaks.login("vendor@example.org", KEY)
    with pytest.raises(CommandError) as caught:
        copyleaks.ImageDetectionClient.submit(
            token, f"sbx-err-http{status}-v", request_of_copyleaks()
        )
    assert caught.value.get_response().status_code == status
    with pytest.raises(CommandError):
        copyleaks.login("vendor@example.org", LIVE_KEY)


@pytest.mark.filterwarnings("ignore")
def test_sightengine_for_python(origin, photo):
    vendor = pytest.importorskip("sightengine.client", reason="group contract is not installed")
    check = vendor.SightengineClient("0000", "sandbox").check("genai")
    check.endpoint = f"{origin}/1.0/"
    for told in (check.set_file(str(photo)), check.set_url(ADDRESS)):
        assert told["status"] == "success"
        found = Detection.from_sightengine(json.dumps(told))
        assert found.verdict == "ai"
        assert found.credits == 5
    wrong = vendor.SightengineClient("0000", "wrong").check("genai")
    wrong.endpoint = f"{origin}/1.0/"
    assert wrong.set_file(str(photo))["error"]["type"] == "credentials_error"


# -- for Node


@pytest.fixture(scope="module")
def modules():
    """The folder with the packages."""
    folder = Path(os.environ.get("RUNMASK_NPM", "")) / "node_modules"
    if shutil.which("node") is None or "RUNMASK_NPM" not in os.environ:
        pytest.skip(f"no node, or RUNMASK_NPM names no folder with {' and '.join(PACKAGES)}")
    return folder


def node(modules, script, *arguments, **environment):
    """What a script prints: its last line as JSON."""
    preload = ("-r", str(SCRIPTS / "elsewhere.js")) if environment else ()
    done = subprocess.run(
        ["node", *preload, str(SCRIPTS / script), *map(str, arguments)],
        env=dict(os.environ, NODE_PATH=str(modules)) | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_copyleaks_for_node(modules, origin, photo):
    told = node(modules, "copyleaks.js", origin, KEY, photo, "vendor-node")
    result = told["answer"]["result"]
    assert Mask(result["starts"], result["lengths"], (512, 640)) == CORNER
    assert told["answer"]["scannedDocument"]["scanId"] == "vendor-node"
    assert 0 <= told["credits"]["Amount"] < 100
    failed = node(modules, "copyleaks.js", origin, KEY, photo, "sbx-err-http429-n")
    assert failed["status"] == 429
    refused = node(modules, "copyleaks.js", origin, LIVE_KEY, photo, "vendor-node-2")
    assert (refused["status"], refused["error"]["error"]["code"]) == (401, 2)


@pytest.fixture
def tls(origin, tmp_path):
    """What is told to node: the port of a TLS server that hands on to the sandbox, and its CA."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ("-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    name = ("-subj", "/CN=test", "-addext", "subjectAltName=DNS:api.sightengine.com", "-days", "2")
    files = ("-keyout", str(key), "-out", str(certificate))
    subprocess.run(["openssl", "req", *made, *name, *files], check=True, capture_output=True)
    target = urlsplit(origin).netloc

    class HandOn(BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.body()
            headers = {
                name: value
                for name, value in self.headers.items()
                if name.lower() not in ("host", "transfer-encoding", "content-length", "connection")
            }
            connection = http.client.HTTPConnection(target, timeout=20)
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            data = answer.read()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            connection.close()

        do_POST = do_GET  # noqa: N815 - the name that is looked for

        def body(self):
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found = b""
            while size := int(self.rfile.readline(), 16):
                found += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return found

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), HandOn)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield {"RUNMASK_TLS_PORT": str(server.server_port), "NODE_EXTRA_CA_CERTS": str(certificate)}
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_sightengine_for_node(modules, photo, tls):
    told = node(modules, "sightengine.js", "0000", "sandbox", photo, ADDRESS, **tls)
    for answer in told.values():
        assert answer["status"] == "success"
        found = Detection.from_sightengine(json.dumps(answer))
        assert (found.verdict, found.credits) == ("ai", 5)
    assert told["url"]["media"]["uri"] == ADDRESS
    wrong = node(modules, "sightengine.js", "0000", "wrong", photo, ADDRESS, **tls)
    assert np.all([each["error"]["type"] == "credentials_error" for each in wrong.values()])
