"""Every snippet of docs/services.md runs, in order, against the sandbox."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

for library in ("cv2", "httpx2", "starlette", "uvicorn"):
    pytest.importorskip(library)

import uvicorn  # noqa: E402
from hooks import until  # noqa: E402
from sandbox_client import encode, picture  # noqa: E402

from runmask.sandbox import Settings, running  # noqa: E402

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "services.md").read_text()


@contextmanager
def files() -> Iterator[str]:
    """A server of the working folder's files."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=os.getcwd()))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(5)


@contextmanager
def served(app: Any, sock: socket.socket) -> Iterator[None]:
    """The application, its lifespan as well."""
    server = uvicorn.Server(uvicorn.Config(app, lifespan="on", log_level="error"))
    thread = threading.Thread(target=server.run, args=([sock],), daemon=True)
    thread.start()
    until(lambda: server.started)
    yield
    server.should_exit = True
    thread.join(10)


def test_snippets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for at, name in enumerate(("photo.jpg", "other.jpg")):
        (tmp_path / name).write_bytes(encode(picture(seed=at), ".jpg"))
    for name, value in re.findall(
        r"(\w+)=(\S+)", "".join(re.findall(r"^    export .*\n", PAGE, re.M))
    ):
        monkeypatch.setenv(name, value)
    said: dict[str, Any] = {}
    with ExitStack() as stack:
        hooks = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        addresses = {
            "http://127.0.0.1:8787": stack.enter_context(running(Settings(fetch="loopback"))),
            "http://127.0.0.1:8788": f"http://127.0.0.1:{hooks.getsockname()[1]}",
            "http://127.0.0.1:9000": stack.enter_context(files()),
        }
        blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
        assert len(blocks) == 16
        for block in blocks:
            for written, real in addresses.items():
                block = block.replace(written, real)
            if block.startswith("# when it has come"):
                until(lambda: said["events"])
            exec(block, said)
            if "app = " in block:
                stack.enter_context(served(said["app"], hooks))
    assert [event.payload for event in said["events"]] == ["order 4411"]
    assert said["events"][0].detection.mask is not None
    assert {each.verdict for each in said["detections"]} <= {"ai", "human"}
    assert said["png"].startswith(b"\x89PNG")
    assert said["job"].items[0].verdict in ("ai", "human")
    assert said["rotated"].verify_address("abc", said["ours"].address("abc")[-32:]) == 1
    assert said["again"].scan_id == "sbx-fault-once-truncated-1"
    said["test_my_upload"]()


def test_the_readme_leads_there() -> None:
    assert "(docs/services.md)" in (ROOT / "README.md").read_text()
