"""Reading the bodies of requests: capped while they come, and within a time."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from .refusals import Reason, Refusal

Result = TypeVar("Result")

MAX_TEXT_PART = 64 * 1024  # bytes of a text field in a form
MAX_PARTS = 32
MAX_SIGNS = 1000  # of { [ , and : in a JSON body, which is one flat object


@dataclass(frozen=True)
class File:
    """A file out of a form: its field, the name that came with it, and its bytes."""

    field: str
    name: str
    data: bytes


@dataclass(frozen=True)
class Form:
    """A multipart form: text fields by their name in lower case, and files."""

    texts: dict[str, str]
    files: list[File]


def is_framed_twice(request: Request) -> bool:
    """Whether two headers tell where the body ends: a proxy may have taken the other one."""
    return "content-length" in request.headers and "transfer-encoding" in request.headers


def media_type(request: Request) -> str:
    """Return the content type without its parameters, in lower case; "" if there is none.

    An encoded body is refused: no service's page speaks of one.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise Refusal(Reason.MEDIA_TYPE, "Content-Encoding", "encoded bodies are not accepted")
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def in_time(reading: Awaitable[Result], seconds: float) -> Result:
    """Wait for a body to be read, for no longer than ``seconds``."""
    try:
        async with asyncio.timeout(seconds):
            return await reading
    except TimeoutError:
        raise Refusal(
            Reason.TOO_SLOW, "body", f"the body did not arrive within {seconds:g} s"
        ) from None


async def read_bytes(request: Request, limit: int) -> bytes:
    """Read the body as it is; more than ``limit`` bytes are refused."""
    return b"".join([chunk async for chunk in capped(request, limit)])


async def read_form(request: Request, limit: int) -> Form:
    """Read a multipart form of at most ``limit`` bytes into memory."""

    class InMemory(MultiPartParser):
        spool_max_size = limit + 1

    try:
        parts = await InMemory(
            request.headers,
            capped(request, limit),
            max_files=MAX_PARTS,
            max_fields=MAX_PARTS,
            max_part_size=MAX_TEXT_PART,
        ).parse()
    except MultiPartException as error:
        raise Refusal(Reason.FIELD, "body", f"not a multipart form: {error.message}") from error
    except ValueError as error:  # from a charset that decodes nothing
        raise Refusal(Reason.FIELD, "body", "a multipart form in no usable charset") from error
    texts: dict[str, str] = {}
    files: list[File] = []
    for field, part in parts.multi_items():
        if isinstance(part, UploadFile):
            files.append(File(field.lower(), part.filename or "", await part.read()))
        else:
            texts[field.lower()] = part
    await parts.close()
    return Form(texts, files)


async def capped(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """The body's chunks, until it is known to be longer than ``limit`` bytes."""
    declared = request.headers.get("content-length", "0")
    total = int(declared) if declared.isdecimal() else 0
    try:
        if total <= limit:
            total = 0
            async for chunk in request.stream():
                total += len(chunk)
                if total > limit:
                    break
                yield chunk
    except ClientDisconnect:
        raise Refusal(Reason.FIELD, "body", "the connection ended before the body") from None
    if total > limit:
        raise Refusal(Reason.TOO_MANY_BYTES, "body", f"the body is over {limit} bytes")


def parse_json(body: bytes, max_signs: int = MAX_SIGNS) -> dict[str, Any]:
    """Read a JSON object; its top-level names come out in lower case."""
    if sum(map(body.count, b"{[,:")) > max_signs:  # before time and memory are taken for them
        raise Refusal(Reason.FIELD, "body", f"the body has over {max_signs} values")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else "not JSON"
        raise Refusal(Reason.FIELD, "body", f"the body is {reason}") from None
    if not isinstance(value, dict):
        raise Refusal(Reason.FIELD, "body", f"a JSON object is needed, got {type(value).__name__}")
    return {name.lower(): item for name, item in value.items()}
