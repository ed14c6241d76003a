"""TLS: whose certificate is believed, and what happens otherwise."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from faults.server import Answer, faulty
from transport_client import Send, fault, sender

from runmask.errors import APIConnectionError, InputError
from runmask.http.retry import Reply, Request

Serve = Callable[..., AbstractContextManager[tuple[str, str]]]


@pytest.fixture(params=["threads", "loop"])
def send(request: pytest.FixtureRequest) -> Send:
    return sender(request.param)


def made_certificate(folder: Path, host: str, first_day: int, last_day: int) -> str:
    """The path of a self-signed one with its key; days are counted from now."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "a test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + first_day * day)
        .not_valid_after(now + last_day * day)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), False
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(made.public_bytes(pem) + private)
    return str(path)


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """A server that answers each connection; its address, and its certificate to be trusted."""

    @contextmanager
    def run(
        host: str = "127.0.0.1",
        days: tuple[int, int] = (-1, 30),
        newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
    ) -> Iterator[tuple[str, str]]:
        certificate = made_certificate(tmp_path, host, *days)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        if newest is ssl.TLSVersion.TLSv1_1:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = newest

        def answer() -> None:
            while True:
                try:
                    raw, _ = listener.accept()
                except OSError:
                    return
                with contextlib.suppress(OSError), raw:
                    connection = context.wrap_socket(raw, server_side=True)
                    with connection:
                        connection.recv(65536)
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        listener = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}/", certificate
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join(5)

    return run


def asking(url: str) -> Request:
    return Request(method="GET", url=url, headers={}, billed=True)


def test_a_certificate_that_is_trusted(send: Send, serve: Serve) -> None:
    with serve() as (url, certificate):
        found = send(asking(url), ca_bundle=certificate)
    assert isinstance(found, Reply)
    assert found.body == b"ok"


def test_a_stranger_s_certificate_whatever_the_environment_says(
    send: Send, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve() as (url, certificate):
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.setenv(name, certificate)
        error = fault(send(asking(url)), APIConnectionError, "tls", "no")
    assert "certificate is refused" in str(error)
    assert not error.retryable


@pytest.mark.parametrize("days", [(-9, -1), (1, 9)], ids=["expired", "not yet valid"])
def test_a_certificate_out_of_its_time_and_perhaps_the_clock_is(
    send: Send, serve: Serve, days: tuple[int, int]
) -> None:
    with serve(days=days) as (url, certificate):
        outcome = send(asking(url), ca_bundle=certificate)
    error = fault(outcome, APIConnectionError, "tls", "no")
    assert "the clock of this machine is wrong" in str(error)


def test_a_certificate_of_another_host(send: Send, serve: Serve) -> None:
    with serve(host="127.0.0.2") as (url, certificate):
        outcome = send(asking(url), ca_bundle=certificate)
        assert "clock" not in str(fault(outcome, APIConnectionError, "tls", "no"))


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")
def test_tls_that_is_too_old(send: Send, serve: Serve) -> None:
    with serve(newest=ssl.TLSVersion.TLSv1_1) as (url, certificate):
        outcome = send(asking(url), ca_bundle=certificate)
        fault(outcome, APIConnectionError, "tls", "no")
        old = ssl.create_default_context(cafile=certificate)
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.set_ciphers("DEFAULT:@SECLEVEL=0")
        port = int(url.rstrip("/").rpartition(":")[2])
        with (  # which is no fault of the server's
            socket.create_connection(("127.0.0.1", port)) as raw,
            old.wrap_socket(raw, server_hostname="127.0.0.1") as connection,
        ):
            assert connection.version() == "TLSv1.1"


def test_no_tls_there(send: Send) -> None:
    with faulty(Answer()) as server:
        url = server.origin.replace("http:", "https:")
        fault(send(asking(url)), APIConnectionError, "tls", "no")


def test_a_bad_ca_bundle(send: Send, tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("x")
    for name in ("no.pem", "missing.pem"):
        with pytest.raises(InputError, match="ca_bundle"):
            send(asking("https://127.0.0.1:9/"), ca_bundle=str(tmp_path / name))
