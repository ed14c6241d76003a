"""The sandbox against its own OpenAPI document: what it says is what it answers.

Generated requests come from schemathesis, where that is installed (dependency group ``contract``).
"""

import base64
import re

import httpx2
import hypothesis
import pytest
from sandbox_client import KEY, LOGIN, PNG, corner

from runmask.sandbox import Settings, running
from runmask.sandbox.app import create_app
from runmask.sandbox.openapi import PATH, document


@pytest.fixture(scope="module")
def origin():
    with running(Settings(detector=corner)) as origin:
        yield origin


def test_it_is_served(origin):
    answer = httpx2.get(origin + PATH, trust_env=False)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == document()


def test_it_names_every_path_and_method():
    served = set()
    for route in create_app().routes:
        path = re.sub(r"\{[^}]*\}", "{}", route.path)
        served |= {(path, method) for method in route.methods if method != "HEAD"}
    told = {
        (re.sub(r"\{[^}]*\}", "{}", path), method.upper())
        for path, methods in document()["paths"].items()
        for method in methods
    }
    assert told == served


def test_every_reference_leads_somewhere():
    told = document()
    found = set(re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(told)))
    assert found == set(told["components"]["schemas"])


OPERATIONS = [
    (method.upper(), path) for path, methods in document()["paths"].items() for method in methods
]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_generated_requests_get_documented_answers(origin, method, path):
    """No 5xx, no status, type or body that is not in the document: 20 requests an operation."""
    operation, asked = described(path, method)
    headers = {"Authorization": f"Bearer {bearer(origin, path)}"}

    @hypothesis.given(case=operation.as_strategy())
    @hypothesis.settings(
        max_examples=20,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    def ask(case):
        case.call_and_validate(base_url=origin, headers=headers, checks=asked)

    ask()


def described(path, method):
    """An operation of the document, and what to hold its answers against."""
    schemathesis = pytest.importorskip("schemathesis")
    from schemathesis.specs.openapi import checks

    asked = [
        schemathesis.checks.not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]
    return schemathesis.openapi.from_dict(document())[path][method], asked


IMAGE = base64.b64encode(PNG).decode()
ALL = {"include_heatmap": True, "include_forensics": True, "metadata": {"a": 1}}
URLS = ["https://images.example.org/sbx-ai-1.jpg", "https://images.example.org/x.jpg"]
SUBMISSION = {
    "url": URLS[0], "fileName": "a.png", "model": "ai-image-1-ultra",
    "webhooks": {"url": "http://127.0.0.1:9/x"},
}  # fmt: skip
CHECK = {"base64": IMAGE, "filename": "a.png", "model": "ai-image-1-ultra"}
GOOD = [
    ("POST", LOGIN, 200, {"email": "a@b.c", "key": KEY}),
    ("GET", "/v3/scans/credits", 200, None),
    ("POST", "/v1/ai-image-detector/{scanId}/check", 200, CHECK),
    ("PUT", "/v1/ai-image-detector-async/{scanId}/submit", 201, SUBMISSION),
    ("POST", "/v1/detect", 200, {"image_base64": IMAGE} | ALL),
    ("POST", "/v1/detect", 200, {"image_url": URLS[0]}),
    ("POST", "/v1/detect/batch", 200, {"images": [{"image_base64": IMAGE}] * 2}),
    ("POST", "/v1/detect/async", 202, {"images": [{"image_base64": IMAGE}]}),
    ("POST", "/v1/batch", 202, {"urls": URLS}),
    ("POST", "/v1/forensics", 200, {"image_base64": IMAGE}),
    ("POST", "/v1/c2pa/verify", 200, {"image_base64": IMAGE}),
    ("GET", "/v1/usage", 200, None),
]


@pytest.mark.parametrize(("method", "path", "status", "body"), GOOD)
def test_good_answers_are_as_described(origin, method, path, status, body):
    operation, asked = described(path, method)
    headers = {"Authorization": f"Bearer {bearer(origin, path)}"}
    given = {} if body is None else {"body": body, "media_type": "application/json"}
    if "{scanId}" in path:
        given["path_parameters"] = {"scanId": f"sbx-ai-{method.lower()}"}
    case = operation.Case(**given)
    answer = case.call_and_validate(base_url=origin, headers=headers, checks=asked)
    assert answer.status_code == status


def test_a_good_answer_of_sightengine_is_as_described(origin):
    operation, asked = described("/1.0/check.json", "GET")
    query = {"models": "genai", "api_user": "0000", "api_secret": "sandbox", "url": URLS[0]}
    case = operation.Case(query=query)
    assert case.call_and_validate(base_url=origin, checks=asked).status_code == 200


def test_an_answer_that_is_not_as_described_is_noticed(origin, monkeypatch):
    wrong = document()
    wrong["components"]["schemas"]["Check"]["required"].append("another")
    monkeypatch.setitem(globals(), "document", lambda: wrong)
    with pytest.raises(BaseExceptionGroup, match="1 distinct failure"):
        test_good_answers_are_as_described(origin, *GOOD[2])


def bearer(origin, path):
    if "ai-image-detector" not in path and path != "/v3/scans/credits":
        return "aidet_test_generated"
    answer = httpx2.post(
        origin + LOGIN, json={"email": "dev@example.org", "key": KEY}, trust_env=False
    )
    return answer.json()["access_token"]
