"""TLS: whose certificate is believed, and what happens otherwise."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from faults.server import Answer, faulty
from transport_client import Send, fault, sender

from runmask.errors import (
    APIConnectionError,
    InputError,
)
from runmask.http.retry import (
    Reply,
    Request,
)

REQUEST = Request(method="POST", url="http://127.0.0.1:9/x", headers={}, billed=True)


@pytest.fixture(params=["threads", "loop"])
def send(request: pytest.FixtureRequest) -> Send:
    return sender(request.param)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed one for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    made = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=x", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", "key.pem", "-out", "cert.pem"),
        ],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("needs openssl 1.1.1 or later")
    return folder


@pytest.fixture
def tls_origin(certificate: Path) -> Generator[str]:
    """A server that ends each TLS connection with a short reply."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            try:
                with raw, context.wrap_socket(raw, server_side=True) as connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            except OSError:
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def test_tls(send: Send, tls_origin: str, certificate: Path, monkeypatch: Any) -> None:
    request = Request(method="GET", url=f"{tls_origin}/", headers={}, billed=True)
    found = send(request, ca_bundle=str(certificate / "cert.pem"))
    assert isinstance(found, Reply)
    assert found.body == b"ok"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    error = fault(send(request), APIConnectionError, "tls", "no")
    assert "certificate is refused" in str(error)
    assert not error.retryable
    wrong_name = Request(method="GET", url=tls_origin.replace("127.0.0.1", "localhost"), headers={})
    outcome = send(wrong_name, ca_bundle=str(certificate / "cert.pem"))
    fault(outcome, APIConnectionError, "tls", "no")


def test_no_tls_there(send: Send) -> None:
    with faulty(Answer()) as server:
        request = Request(method="GET", url=server.origin.replace("http:", "https:"), headers={})
        fault(send(request), APIConnectionError, "tls", "no")


def test_a_bad_ca_bundle(send: Send, tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("x")
    for name in ("no.pem", "missing.pem"):
        with pytest.raises(InputError, match="ca_bundle"):
            send(REQUEST, ca_bundle=str(tmp_path / name))
