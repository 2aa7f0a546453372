"""Reads a form that brings a file: whole into memory, with a limit."""

from typing import Any

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

# Beside the file: the boundaries and the headers of the form's parts.
AROUND = 8_192
_MOST_FIELDS = 2


class BadUpload(Exception):
    """The upload can't be taken: "large", "none" for a form without a file, or "unreadable"."""


async def read_file(request: Request, most_bytes: int) -> tuple[str, bytes, dict[str, str]]:
    """The name and the bytes of the form's `file`, and its other fields. Raises BadUpload."""
    body = await _body(request, most_bytes)
    try:
        parser = MultiPartParser(Headers(scope=request.scope), _once(body), max_files=1, max_fields=_MOST_FIELDS)
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError):
        raise BadUpload("unreadable") from None
    try:
        given = form.get("file")
        if not isinstance(given, UploadFile) or not given.filename:
            raise BadUpload("none")
        content = await given.read()
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
    finally:
        await form.close()
    if len(content) > most_bytes:
        raise BadUpload("large")
    return given.filename, content, fields


async def _body(request: Request, most_bytes: int) -> bytearray:
    body, seen = bytearray(), 0
    try:
        async for chunk in request.stream():
            seen += len(chunk)
            if seen <= most_bytes + AROUND:
                body += chunk
            # So much in vain: a browser shows no answer before it has sent all.
            elif seen > 20 * most_bytes:
                break
    except ClientDisconnect:
        raise BadUpload("unreadable") from None
    if seen > most_bytes + AROUND:
        raise BadUpload("large")
    return body


async def _once(body: bytearray) -> Any:
    yield bytes(body)
