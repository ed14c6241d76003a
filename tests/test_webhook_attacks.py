"""Hostile and broken senders of webhooks, over real sockets."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import logging
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hooks import (
    BATCH,
    GOLDEN_BATCH,
    OLD,
    SECRET,
    command,
    deliver,
    event,
    listening_to,
    ours,
    path_of,
    send,
    signed,
    states,
    until,
)

from runmask.errors import OutputError
from runmask.http.webhooks import (
    AIDetectorWebhook,
    CopyleaksWebhook,
    Inbox,
    Receiver,
    read_aidetector,
)


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "inbox")


@pytest.fixture
def port(inbox: Inbox) -> Iterator[int]:
    receiver = Receiver(inbox, aidetector=AIDetectorWebhook([SECRET, OLD]), copyleaks=ours())
    with listening_to(receiver, header_timeout_s=0.5) as port:
        yield port


# -- who is believed


@pytest.mark.parametrize(
    ("signature", "status"),
    [
        (BATCH.encode(), 200),
        (BATCH.upper().encode(), 200),
        (f"sha256={BATCH}".encode(), 200),
        (f"sha256={BATCH.upper()}".encode(), 200),
        (None, 401),
        (b"", 401),
        (BATCH[:-1].encode(), 401),
        (f"{BATCH}0".encode(), 401),
        (BATCH[:-1].encode() + b"\xe9", 401),
        (f"{BATCH},{BATCH}".encode(), 401),
        (f"{'0' * 64},{BATCH}".encode(), 401),
        (f"{BATCH} {BATCH}".encode(), 401),
        (f"sha512={BATCH}".encode(), 401),
        (b"0" * 64, 401),
        (b"f" * 9000, 401),
    ],
)
def test_signatures(port: int, inbox: Inbox, signature: bytes | None, status: int) -> None:
    """W1"""
    line = b"" if signature is None else b"X-Signature: %s\r\n" % signature
    assert spoken(port, line, GOLDEN_BATCH) == [status]
    assert len(states(inbox)) == (status == 200)


def test_a_signature_in_two_headers(port: int, inbox: Inbox) -> None:
    """W1"""
    good, bad = f"X-Signature: {BATCH}\r\n", f"X-Signature: {'0' * 64}\r\n"
    for lines in (good + good, good + bad, bad + good):
        assert spoken(port, lines.encode(), GOLDEN_BATCH) == [401]
    assert states(inbox) == []


def test_a_body_written_anew(port: int, inbox: Inbox) -> None:
    """W2"""
    anew = json.dumps(json.loads(GOLDEN_BATCH)).encode()
    for body in (anew, GOLDEN_BATCH + b"\n", GOLDEN_BATCH[:-1], b"\xef\xbb\xbf" + GOLDEN_BATCH):
        assert send(port, "/aidetector", body, {"X-Signature": BATCH}) == 401
    assert states(inbox) == []


def test_a_secret_is_replaced(inbox: Inbox, caplog: pytest.LogCaptureFixture) -> None:
    """W3: what the old one made is taken as long as it is in the list, and the log tells so."""
    caplog.set_level(logging.WARNING, "runmask.webhooks")
    old = CopyleaksWebhook("https://hooks.example.org/copyleaks", OLD)
    path = old.address("abc").removeprefix("https://hooks.example.org")
    during = Receiver(
        inbox,
        aidetector=AIDetectorWebhook([SECRET, OLD]),
        copyleaks=CopyleaksWebhook("", [SECRET, OLD]),
    )
    with listening_to(during) as port:
        assert deliver(port, event("batch.failed", "new")) == 200
        assert "older secret" not in caplog.text
        assert deliver(port, event("batch.failed", "old"), OLD) == 200
        assert send(port, path, b"{}") == 200
    assert caplog.text.count("an older secret, number 2") == 2
    after = Receiver(
        inbox, aidetector=AIDetectorWebhook(SECRET), copyleaks=CopyleaksWebhook("", SECRET)
    )
    with listening_to(after) as port:
        assert deliver(port, event("batch.failed", "late"), OLD) == 401
        assert send(port, path, b"{}") == 401
    assert len(states(inbox)) == 3


# -- what is sent


def test_huge_and_endless_bodies_take_no_memory(tmp_path: Path) -> None:
    """W8"""
    with command(tmp_path / "inbox", COPYLEAKS_WEBHOOK_SECRET=SECRET) as (process, port):
        assert deliver(port, GOLDEN_BATCH) == 200
        before = peak_memory(process)
        line = b"X-Signature: %s\r\n" % (b"0" * 64)
        assert spoken(port, line + b"Content-Length: 2147483648\r\n", framed=True) == [413]
        chunk = b"100000\r\n" + b" " * 2**20 + b"\r\n"
        chunked = line + b"Transfer-Encoding: chunked\r\n"
        bomb = gzip.compress(b" " * 2**28, 1)
        packed = b"Content-Length: %d\r\nContent-Encoding: gzip\r\n" % len(bomb)

        def attack(n: int) -> list[int]:
            if n % 2:
                return spoken(port, chunked, chunk * 70, framed=True)
            return spoken(port, packed, bomb, framed=True, path=path_of("abc"))

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(attack, range(8))) == [[413]] * 8
        assert peak_memory(process) - before < 48 * 2**20
        assert deliver(port, event("batch.failed", "k")) == 200


def peak_memory(process: subprocess.Popen[str]) -> int:
    """Bytes."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        pytest.skip("needs /proc")
    [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize("name", ["\\ud800", "a\\u0000b", "\\u001b[31m", "x" * 9000, ""])
def test_names_that_are_none(port: int, inbox: Inbox, name: str) -> None:
    """Such as half a character: no database takes it."""
    body = b'{"event":"batch.completed","data":{"job_id":"%s","status":"x"}}' % name.encode()
    assert deliver(port, body) == 200
    payload = ours().payload("abc").encode()
    assert send(port, path_of("abc"), b'{"developerPayload":"%s.\\ud800"}' % payload) == 200
    first, second = inbox.deliveries()
    assert (first.event.subject, first.event.body) == (None, body)
    assert (second.event.subject, second.event.payload) == ("abc", "?")


def test_an_event_that_cannot_be_stored_is_no_harm_to_others(inbox: Inbox) -> None:
    bad = replace(read_aidetector(event("batch.completed", "bad")), kind="\ud800")
    with pytest.raises(OutputError):
        inbox.store(bad)
    assert inbox.store(read_aidetector(event("batch.completed", "good"))) == "new"


def test_connections_that_say_nothing_keep_nobody_out(port: int, inbox: Inbox) -> None:
    """W8"""
    with contextlib.ExitStack() as stack:
        for at in range(100):
            silent = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            silent.sendall(b"POST /aidetector HTTP/1.1\r\nHost: a\r\nX: "[: at % 60])
        assert deliver(port, GOLDEN_BATCH) == 200
    assert len(states(inbox)) == 1


def test_a_crash_between_the_disk_and_the_answer(tmp_path: Path) -> None:
    """W9: the sender sends again, and there is one delivery."""
    dying = (
        "import os, sys\n"
        "from runmask.http.webhooks import Inbox\n"
        "from runmask_command import main\n"
        "store = Inbox.store\n"
        "def store_and_die(self, event):\n"
        "    store(self, event)\n"
        "    os._exit(1)\n"
        "Inbox.store = store_and_die\n"
        "main()\n"
    )
    folder = tmp_path / "inbox"
    with command(folder, start=["-c", dying]) as (process, port):
        with pytest.raises((OSError, http.client.HTTPException)):
            deliver(port, GOLDEN_BATCH)
        assert process.wait(20) == 1
    with command(folder) as (_, port):
        assert deliver(port, GOLDEN_BATCH) == 200
    [kept] = Inbox(folder).deliveries()
    assert (kept.event.body, kept.repeats, kept.state) == (GOLDEN_BATCH, 1, "new")


def test_who_is_turned_away_is_told_when_to_come_again(inbox: Inbox) -> None:
    """W10"""
    receiver = Receiver(inbox, aidetector=AIDetectorWebhook(SECRET), max_waiting=0)
    with listening_to(receiver) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        with contextlib.closing(connection):
            connection.request("POST", "/aidetector", GOLDEN_BATCH, {"X-Signature": BATCH})
            answer = connection.getresponse()
            assert (answer.status, int(answer.headers["Retry-After"])) == (503, 5)
    assert states(inbox) == []


# -- how it is sent


def test_pipelined_deliveries_are_answered_in_turn(port: int, inbox: Inbox) -> None:
    """W12"""
    bodies = [event("batch.completed", f"j{n}", pad="x" * n * 999) for n in range(5)]
    answers = conversation(port, b"".join(map(delivery, bodies)) + closing())
    assert answers == [200] * 5 + [404]
    assert {each.event.subject for each in inbox.deliveries()} == {f"j{n}" for n in range(5)}


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"Content-Length: 4\r\nContent-Length: 5\r\n",
        b"Content-Length: 4, 5\r\n",
        b"Content-Length: +4\r\n",
        b"Content-Length: -4\r\n",
        b"Content-Length: 4 4\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ],
)
def test_no_second_request_hides_in_a_body(port: int, inbox: Inbox, framing: bytes) -> None:
    """W12: where a body's end is in doubt, the connection ends with the answer."""
    hidden = delivery(event("batch.completed", "hidden"))
    head = b"POST /aidetector HTTP/1.1\r\nHost: a\r\nX-Signature: %s\r\n" % (b"0" * 64)
    answers = conversation(port, head + framing + b"\r\n0\r\n\r\n" + hidden)
    assert len(answers) == 1
    assert 400 <= answers[0] < 502
    assert states(inbox) == []


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"\r\n",
        b"GET\r\n\r\n",
        b"POST /aidetector HTTP/9.9\r\nHost: a\r\n\r\n",
        b"POST /aidetector\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /aidetector HTTP/1.1\r\n\r\n",
        b"POST /aidetector HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 9000 + b"\r\n",
        b"POST /" + b"x" * 90_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST http://evil.example/aidetector HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        b"POST /aidetector\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /aidetector HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        bytes(range(256)) * 50,
    ],
)
def test_what_is_no_request_at_all(port: int, inbox: Inbox, start: bytes) -> None:
    """W12"""
    assert all(400 <= status < 501 for status in conversation(port, start, most=1))
    assert deliver(port, GOLDEN_BATCH) == 200
    assert len(states(inbox)) == 1


def test_a_sender_that_goes_away(port: int, inbox: Inbox) -> None:
    for cut in range(1, 400, 40):
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall(delivery(GOLDEN_BATCH)[:cut])
    for _ in range(20):  # the whole delivery, and not waiting for the answer
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall(delivery(GOLDEN_BATCH))
    until(lambda: [each.repeats for each in inbox.deliveries()] == [19])


def test_another_s_address_and_payload_are_of_no_use(port: int, inbox: Inbox) -> None:
    body = json.dumps({"developerPayload": ours().payload("mine")}).encode()
    assert send(port, path_of("yours"), body) == 401
    told = json.dumps({"scannedDocument": {"scanId": "mine"}}).encode()
    assert send(port, path_of("yours"), told) == 401
    for path in (path_of("mine").upper(), path_of("mine") + "/x", "/x" + path_of("mine")):
        assert send(port, path, body) in (401, 404)
    assert states(inbox) == []
    assert send(port, path_of("mine"), body) == 200


def test_senders_of_all_kinds_at_once(inbox: Inbox) -> None:
    """Good ones are kept once each, forged ones never."""
    receiver = Receiver(inbox, aidetector=AIDetectorWebhook(SECRET))
    forged = threading.Event()
    with listening_to(receiver) as port:

        def one(n: int) -> int:
            body = event("batch.completed", f"j{n // 2}")
            if n % 5 == 4:
                forged.set()
                return deliver(port, event("batch.completed", f"forged{n}"), "x" * 20)
            return deliver(port, body)

        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(one, range(200)))
    assert forged.is_set()
    assert answers == [401 if n % 5 == 4 else 200 for n in range(200)]
    subjects = [each.event.subject for each in inbox.deliveries()]
    assert sorted(subjects) == sorted({f"j{n // 2}" for n in range(200) if n % 5 != 4})


# -- raw requests


def delivery(body: bytes) -> bytes:
    head = (
        "POST /aidetector HTTP/1.1\r\nHost: a\r\n"
        f"X-Signature: {signed(body)}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def closing() -> bytes:
    return b"POST /end HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def spoken(
    port: int, lines: bytes, body: bytes = b"", *, framed: bool = False, path: str = "/aidetector"
) -> list[int]:
    """The statuses that come back. ``framed``: the lines tell how long the body is."""
    length = b"" if framed else b"Content-Length: %d\r\n" % len(body)
    head = b"POST %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" % path.encode()
    return conversation(port, head + length + lines + b"\r\n" + body)


def conversation(port: int, sent: bytes, most: int = 9) -> list[int]:
    """The statuses of all answers, until the other side has ended the connection."""
    came, found = b"", []
    with socket.create_connection(("127.0.0.1", port), 20) as raw, contextlib.suppress(OSError):
        with contextlib.suppress(OSError):  # it need not take all of it
            raw.sendall(sent)
        while len(found) < most and (chunk := raw.recv(65536)):
            came += chunk
            found = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", came)]
    return found
