"""What callers get wrong, or look up in the help: names, lists, addresses."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faults.server import Answer, faulty

from runmask import images
from runmask.errors import InputError, NotFoundError, ServerError
from runmask.http import (
    AIDetector,
    AsyncAIDetector,
    AsyncCopyleaks,
    AsyncSightengine,
    Copyleaks,
    Item,
    Particulars,
    Sightengine,
    Wishes,
)

KEY = "aidet_test_0123456789abcdef"
ACCOUNT = ("a@example.org", "00000000-0000-0000-0000-000000000000")


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        *((AIDetector, (KEY,)), (AsyncAIDetector, (KEY,))),
        *((Copyleaks, ACCOUNT), (AsyncCopyleaks, ACCOUNT)),
        *((Sightengine, ("0000", "sandbox")), (AsyncSightengine, ("0000", "sandbox"))),
    ],
)
def test_an_unknown_option_names_the_client(kind: Any, arguments: tuple[str, ...]) -> None:
    wanted = rf"^{kind.__name__}\(\) got an unexpected keyword argument 'timeout'"
    with pytest.raises(TypeError, match=wanted) as caught:
        kind(*arguments, timeout=3)
    assert "total_timeout" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    "method", ["check", "check_url", "check_many", "check_urls", "submit_urls"]
)
def test_an_unknown_wish_names_the_method(method: str) -> None:
    given: Any = ["x"] if method.endswith(("many", "urls")) else "x"
    with (
        AIDetector(KEY) as service,
        pytest.raises(TypeError, match=rf"^AIDetector\.{method}\(\) got .* 'heat'") as caught,
    ):
        getattr(service, method)(given, heat=True)
    assert "heatmap" in caught.value.__notes__[0]

    async def ask() -> None:
        async with AsyncAIDetector(KEY) as service:
            await getattr(service, method)(given, heat=True)

    with pytest.raises(TypeError, match=rf"^AsyncAIDetector\.{method}\(\) got .* 'heat'"):
        asyncio.run(ask())


def test_an_unknown_particular_names_the_method() -> None:
    with (
        Copyleaks(*ACCOUNT) as service,
        pytest.raises(TypeError, match=r"^Copyleaks\.submit\(\) got .* 'masktype'"),
    ):
        service.submit("https://a.example.org/a.png", webhook="https://b.example.org", masktype="x")


def test_help_tells_every_keyword() -> None:
    for method, keywords in ((AIDetector.check, Wishes), (Copyleaks.submit, Particulars)):
        told = inspect.getdoc(method) or ""
        assert all(name in told for name in keywords.__annotations__)
    assert Item is not None


@pytest.mark.parametrize(
    ("kind", "arguments"), [(AIDetector, (KEY,)), (Sightengine, ("0000", "sandbox"))]
)
def test_lists_name_what_is_wrong_with_them(
    kind: Any, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    good, cut = tmp_path / "good.jpg", tmp_path / "cut.jpg"
    images.write(good, np.zeros((64, 64, 3), np.uint8))
    cut.write_bytes(good.read_bytes()[:200])
    with kind(*arguments) as service:
        with pytest.raises(InputError, match=r"^images\[1\] \('cut.jpg'\): the JPEG .* cut off"):
            service.check_many([good, cut])
        with pytest.raises(InputError, match=r"^images\[1\]: "):
            service.check_many([good, b""])
        for single in (str(good), good, good.read_bytes()):
            with pytest.raises(InputError, match=r"^images is \w+: not a list of images"):
                service.check_many(single)
        with pytest.raises(InputError, match="0 images"):
            service.check_many([])


def test_one_logs_in_where_the_service_is() -> None:
    with (
        faulty(Answer(body=b'{"Amount":3}')) as server,
        Copyleaks(*ACCOUNT, base_url=server.origin) as service,
    ):
        assert service.credits() == 3
    assert [each.target for each in server.requests] == [
        b"/v3/account/login/api",
        b"/v3/scans/credits",
    ]
    for base_url in ("https://api.copyleaks.com", "https://api.copyleaks.com/"):
        with Copyleaks(*ACCOUNT, base_url=base_url) as official:
            assert official._session.login_url == "https://id.copyleaks.com"


def test_sightengine_has_a_version() -> None:
    good = Answer(body=b'{"status":"success","type":{"ai_generated":0.1}}')
    with faulty(*[good] * 3) as server:
        for path in ("", "/", "/2.0"):
            with Sightengine("0000", "sandbox", base_url=server.origin + path) as service:
                service.check(b"x", preflight=False)
    targets = [each.target for each in server.requests]
    assert targets == [b"/1.0/check.json", b"/1.0/check.json", b"/2.0/check.json"]


def test_not_found_tells_the_path() -> None:
    with (
        faulty(Answer(status=404)) as server,
        Sightengine("0000", "sandbox", base_url=f"{server.origin}/3.0") as service,
        pytest.raises(NotFoundError) as caught,
    ):
        service.check(b"x", preflight=False)
    assert caught.value.__notes__ == ["asked was POST /3.0/check.json"]


def test_a_published_secret_hides_no_words() -> None:
    body = b'{"status":"failure","error":{"type":"api_error","code":0,"message":"in the sandbox"}}'
    for secret, said in (("sandbox", "in the sandbox"), ("in-earnest", "in the sandbox")):
        with (
            faulty(Answer(status=500, body=body)) as server,
            Sightengine("0000", secret, base_url=server.origin, retries=0) as service,
            pytest.raises(ServerError, match=said),
        ):
            service.check(b"x", preflight=False)
