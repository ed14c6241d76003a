"""The OpenAPI document of everything that the sandbox serves, errors included."""

from collections.abc import Mapping
from typing import Any

from .. import __version__
from . import faults
from .aidetector import errors as aidetector
from .aidetector.images import MAX_IMAGES
from .copyleaks.upload import MAX_FILE, MODELS, SCAN_ID
from .settings import NOTICE

Schema = dict[str, Any]

PATH = "/openapi.json"
VERSION = "3.1.0"


def document() -> Schema:
    """Return the document."""
    return {
        "openapi": VERSION,
        "info": {
            "title": "runmask sandbox",
            "version": __version__,
            "description": (
                f"Stands in for three detection services on this machine: {NOTICE}. The header"
                f" {faults.HEADER} makes any request fail in a certain way:"
                f" {', '.join(faults.FORMS)}."
            ),
        },
        "paths": _copyleaks() | _aidetector() | _sightengine() | _own(),
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
            },
            "schemas": _SCHEMAS,
        },
    }


# -- words


def _object(properties: Mapping[str, Schema], *, optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": dict(properties), "required": required}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _or_null(kind: str) -> Schema:
    return {"type": [kind, "null"]}


_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_NUMBER: Schema = {"type": "number"}
_SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_ANY: Schema = {"type": "object"}
_FILE: Schema = {"type": "string", "format": "binary"}
_URL: Schema = {"type": "string", "pattern": "^https?://"}

_SCHEMAS: dict[str, Schema] = {
    "Sandbox": _object({"notice": _TEXT, "version": _TEXT}),
    "CopyleaksError": _object(
        {
            "error": _object(
                {
                    "type": _TEXT, "id": _TEXT, "code": _COUNT, "message": _TEXT, "url": _TEXT,
                    "details": _list(_object({"param": _TEXT, "message": _TEXT})),
                },
                optional=("details",),
            )
        }
    ),
    "Problem": _object({"type": _TEXT, "title": _TEXT, "status": _COUNT, "traceId": _TEXT}),
    "Check": _object(
        {
            "model": _TEXT,
            "isAiDetected": _FLAG,
            "result": _object({"starts": _list(_COUNT), "lengths": _list(_COUNT)}),
            "summary": _object({"human": _SHARE, "ai": _SHARE}),
            "imageInfo": _object(
                {"shape": _object({"height": _COUNT, "width": _COUNT}), "metadata": _ANY}
            ),
            "scannedDocument": _object(
                {
                    "scanId": _TEXT, "actualCredits": _COUNT, "expectedCredits": _COUNT,
                    "creationTime": _TEXT,
                }
            ),
            "sandbox": _ref("Sandbox"),
        },
        optional=("isAiDetected",),
    ),
    "AIDetectorError": _object({"error": _ref("AIDetectorFault")}),
    "AIDetectorFault": _object(
        {
            "code": {"type": "string", "enum": list(aidetector.CODES)},
            "message": _TEXT, "param": _or_null("string"), "request_id": _TEXT,
        }
    ),
    "RootDetection": _object(
        {
            "verdict": {"type": "string", "enum": ["ai_generated", "authentic"]},
            "confidence": _SHARE,
            "model_attribution": {"type": "object", "additionalProperties": _SHARE},
            "heatmap_url": _or_null("string"),
            "forensics": _ANY,
            "c2pa_manifest_present": _FLAG,
            "metadata": _ANY,
            "request_id": _TEXT, "latency_ms": _COUNT, "sandbox": _ref("Sandbox"),
        },
        optional=("model_attribution", "forensics", "metadata"),
    ),
    "EndpointsDetection": _object(
        {
            "id": _TEXT, "is_ai_generated": _FLAG, "confidence": _SHARE,
            "source_model": _or_null("string"), "source_model_confidence": _or_null("number"),
            "manipulation_regions": _list(
                _object(
                    {"x": _COUNT, "y": _COUNT, "width": _COUNT, "height": _COUNT, "type": _TEXT}
                )
            ),
            "heatmap_url": _or_null("string"),
            "metadata": _object(
                {"width": _COUNT, "height": _COUNT, "format": _TEXT, "has_exif": _FLAG}
            ),
            "processing_time_ms": _COUNT, "sandbox": _ref("Sandbox"),
        }
    ),
    "Forensics": _object(
        {
            "id": _TEXT, "is_ai_generated": _FLAG, "confidence": _SHARE,
            "source_model": _or_null("string"), "forensic": _ANY,
            "processing_time_ms": _COUNT, "sandbox": _ref("Sandbox"),
        }
    ),
    "Job": _object(
        {
            "job_id": _TEXT,
            "status": {"type": "string", "enum": ["processing", "completed"]},
            "total_items": _COUNT,
            "results": _list(_ANY),
        }
    ),
    "Accepted": _object(
        {
            "job_id": _TEXT, "batch_id": _TEXT, "status": {"const": "processing"},
            "total_items": _COUNT, "webhook_url": _or_null("string"),
            "estimated_completion_seconds": _COUNT,
        },
        optional=("job_id", "batch_id"),
    ),
    "SightengineFailure": _object(
        {
            "status": {"const": "failure"},
            "request": _ref("SightengineRequest"),
            "error": _object({"type": _TEXT, "code": _COUNT, "message": _TEXT}),
        }
    ),
    "SightengineRequest": _object({"id": _TEXT, "timestamp": _NUMBER, "operations": _COUNT}),
    "SightengineImage": _object(
        {
            "type": _object({"ai_generated": _SHARE}),
            "media": _object({"id": _TEXT, "uri": _TEXT}),
            "sandbox": _ref("Sandbox"),
        }
    ),
}  # fmt: skip


def _answer(schema: Schema, kind: str = "application/json", what: str = "as asked") -> Schema:
    return {"description": what, "content": {kind: {"schema": schema}}}


def _body(**kinds: Schema) -> Schema:
    names = {"json": "application/json", "form": "multipart/form-data",
             "fields": "application/x-www-form-urlencoded"}  # fmt: skip
    content = {names[kind]: {"schema": schema} for kind, schema in kinds.items()}
    return {"required": True, "content": content}


def _in_path(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": schema}


# -- Copyleaks


def _copyleaks() -> Schema:
    failed = {
        str(status): _answer(_ref("CopyleaksError"), what="refused")
        for status in (400, 402, 408, 409, 413, 415, 429, 500, 503)
    }
    failed["404"] = {"description": "the scan id has a slash that is not encoded"}
    bare = {"401": _answer(_ref("Problem"), "application/problem+json", "no good bearer")}
    authorised: Schema = {"security": [{"bearer": []}]}
    scan_id = _in_path("scanId", {"type": "string", "pattern": f"^{SCAN_ID.pattern}$"})
    common = {"filename": _TEXT, "model": {"type": "string", "enum": list(MODELS)},
              "sandbox": _FLAG}  # fmt: skip
    as_json = _object({"base64": _TEXT, **common}, optional=("sandbox",))
    as_form = _object(
        {"image": _FILE | {"maxLength": MAX_FILE - 1}, **common},
        optional=("filename", "model", "sandbox"),
    )
    check = {
        "operationId": "copyleaksCheck",
        "summary": "Check an image",
        **authorised,
        "parameters": [scan_id],
        "requestBody": _body(json=as_json, form=as_form),
        "responses": {"200": _answer(_ref("Check"))} | failed | bare,
    }
    submission = _object(
        {
            "url": _URL, "fileName": _TEXT, "model": common["model"],
            "maskType": {"const": "heatmap"}, "webhooks": _object({"url": _URL}),
            "sandbox": _FLAG, "developerPayload": {"type": "string", "maxLength": 512},
            "headers": _list(_list(_TEXT) | {"minItems": 2, "maxItems": 2}),
        },
        optional=("maskType", "sandbox", "developerPayload", "headers"),
    )  # fmt: skip
    submit = {
        "summary": "Submit an address; the result goes to a webhook",
        **authorised,
        "parameters": [scan_id],
        "requestBody": _body(json=submission),
        "responses": {"201": _answer(_ANY)} | failed | bare,
    }
    login = {
        "operationId": "copyleaksLogin",
        "summary": "Log in",
        "requestBody": _body(json=_object({"email": _TEXT, "key": _TEXT})),
        "responses": {
            "200": _answer(_object({"access_token": _TEXT, ".issued": _TEXT, ".expires": _TEXT})),
            "401": _answer(_ref("CopyleaksError"), what="another key than the sandbox's"),
        }
        | failed,
    }
    left = {
        "operationId": "copyleaksCredits",
        "summary": "The credits that are left",
        **authorised,
        "responses": {"200": _answer(_object({"Amount": _COUNT}))} | failed | bare,
    }
    return {
        "/v3/account/login/api": {"post": login},
        "/v3/scans/credits": {"get": left},
        "/v1/ai-image-detector/{scanId}/check": {"post": check},
        "/v1/ai-image-detector-async/{scanId}/submit": {
            "put": submit | {"operationId": "copyleaksSubmit"},
            "post": submit | {"operationId": "copyleaksSubmitByPost"},
        },
    }


# -- AIDetector

_WISHES: Schema = {
    "include_attribution": _FLAG,
    "include_heatmap": _FLAG,
    "include_forensics": _FLAG,
    "model_threshold": _SHARE,
    "metadata": _ANY,
}


def _aidetector() -> Schema:
    statuses = sorted({405, *(status for status, _ in aidetector.CODES.values())})
    failed = {str(status): _answer(_ref("AIDetectorError"), what="refused") for status in statuses}

    def route(name: str, summary: str, good: Schema, body: Schema | None = None) -> Schema:
        told: Schema = {
            "operationId": f"aidetector{name}",
            "summary": summary,
            "security": [{"bearer": []}],
            "responses": good | failed,
        }
        return told if body is None else told | {"requestBody": body}

    image = {"image_url": _URL, "image_base64": _TEXT, "filename": _TEXT}
    one = {"oneOf": [{"required": ["image_url"]}, {"required": ["image_base64"]}]}
    by_json = _object(image | _WISHES, optional=(*image, *_WISHES)) | one
    by_form = _object({"image": _FILE} | _WISHES, optional=tuple(_WISHES))
    body = _body(json=by_json, form=by_form)
    several: Schema = {"type": "array", "minItems": 1, "maxItems": MAX_IMAGES}
    images = {"images": several | {"items": _object(image, optional=tuple(image)) | one}}
    later = {"webhook_url": _URL}
    many = _body(json=_object(images | _WISHES, optional=tuple(_WISHES)))
    many_later = _body(json=_object(images | later | _WISHES, optional=(*later, *_WISHES)))
    urls = _body(json=_object({"urls": several | {"items": _URL}} | later, optional=tuple(later)))
    either: Schema = {"anyOf": [_ref("RootDetection"), _ref("EndpointsDetection")]}
    results = _object({"results": _list(_ANY), "request_id": _TEXT})
    accepted = {"202": _answer(_ref("Accepted"))}
    usage = _object(
        {"plan": _TEXT, "scans_used": _COUNT, "scans_remaining": _COUNT, "request_id": _TEXT}
    )
    forensics = {"200": _answer(_ref("Forensics"))}
    credentials = _object({"c2pa_manifest_present": _FLAG, "valid": _or_null("boolean"),
                           "request_id": _TEXT, "sandbox": _ref("Sandbox")})  # fmt: skip
    job = route("Job", "A job", {"200": _answer(_ref("Job"))})
    job["parameters"] = [_in_path("id", _TEXT | {"minLength": 1})]
    png = {"schema": _FILE}
    picture = {
        "operationId": "aidetectorHeatmap",
        "summary": "A heatmap or a map of forensics",
        "parameters": [_in_path("name", _TEXT | {"minLength": 1})],
        "responses": {
            "200": {"description": "the picture", "content": {"image/png": png}},
            "404": failed["404"],
        },
    }
    return {
        "/v1/detect": {"post": route("Detect", "One image", {"200": _answer(either)}, body)},
        "/v1/detect/batch": {
            "post": route("Batch", "Many images", {"200": _answer(results)}, many)
        },
        "/v1/detect/async": {"post": route("Async", "Many, later", accepted, many_later)},
        "/v1/batch": {"post": route("Urls", "Many addresses, later", accepted, urls)},
        "/v1/forensics": {"post": route("Forensics", "Measures of an image", forensics, body)},
        "/v1/forensic": {"post": route("Forensic", "Measures of an image", forensics, body)},
        "/v1/c2pa/verify": {
            "post": route("C2pa", "Content Credentials", {"200": _answer(credentials)}, body)
        },
        "/v1/jobs/{id}": {"get": job},
        "/v1/usage": {"get": route("Usage", "What is left", {"200": _answer(usage)})},
        "/h/{name}": {"get": picture},
    }


# -- Sightengine


def _sightengine() -> Schema:
    failed = {
        str(status): _answer(_ref("SightengineFailure"), what="refused")
        for status in (400, 401, 402, 429, 500)
    }
    keys = {"models": _TEXT, "api_user": _TEXT, "api_secret": _TEXT}
    head = {"status": {"const": "success"}, "request": _ref("SightengineRequest")}
    one = {"allOf": [_object(head), _ref("SightengineImage")]}
    many = _object(head | {"data": _list(_ref("SightengineImage"))})
    responses = {"200": _answer({"anyOf": [one, many]})} | failed
    query = [
        {"name": name, "in": "query", "required": True, "schema": schema}
        for name, schema in (keys | {"url": _URL}).items()
    ]
    by_form = _object(keys | {"media": _FILE})
    by_fields = _object(keys | {"url": _URL})
    return {
        "/1.0/check.json": {
            "get": {
                "operationId": "sightengineCheckUrl",
                "summary": "Check an address",
                "parameters": query,
                "responses": responses,
            },
            "post": {
                "operationId": "sightengineCheck",
                "summary": "Check an image",
                "requestBody": _body(form=by_form, fields=by_fields),
                "responses": responses,
            },
        }
    }


def _own() -> Schema:
    image = _body(form=_object({"image": _FILE}))
    refused = _answer(_object({"error": _TEXT}), what="refused")
    looked = {"200": _answer(_ANY), "400": refused, "500": refused}
    parts = {"/": "text/html", "/page.js": "text/javascript", "/page.css": "text/css"}
    return {
        path: {"get": {"operationId": f"page{path}", "responses": {"200": _answer(_TEXT, kind)}}}
        for path, kind in parts.items()
    } | {
        "/look": {"post": {"operationId": "look", "requestBody": image, "responses": looked}},
        "/v1/health": {"get": {"operationId": "health", "responses": {"200": _answer(_ANY)}}},
        PATH: {"get": {"operationId": "openapi", "responses": {"200": _answer(_ANY)}}},
    }
