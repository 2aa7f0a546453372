"""Every refusal of the API as application/problem+json (RFC 9457). Nothing of the inside is ever told."""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from limits.errors import StorageError
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from portal_app import traces
from portal_app.backups.intake import sentences
from portal_app.errors import Conflict, Denied, Invalid, NotFound, PortalError

log = logging.getLogger("portal.api")
MEDIA_TYPE = "application/problem+json"
_STATUS = {Denied: 403, NotFound: 404, Conflict: 409, Invalid: 422}


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="Name of the field; `body` for the body as a whole.")
    detail: str = Field(description="A sentence for people.")


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

    type: str = Field("about:blank", description="Always about:blank: the status says what kind of problem it is.")
    title: str = Field(description="The status in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="A sentence for people.")
    errors: list[FieldProblem] = Field(default_factory=list, description="What is wrong with which field.")


class Refusal(HTTPException):
    """A refusal of the API's own: status, sentence and headers."""


class ProblemResponse(Response):
    """A problem as the response's body."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        errors = [FieldProblem(field=field, detail=sentence) for field, sentence in (fields or {}).items()]
        problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors)
        # Escaped to ASCII: half of a surrogate pair that someone sent can't be written otherwise.
        body = json.dumps(problem.model_dump())
        super().__init__(body, status, headers={"Cache-Control": "no-store"} | dict(headers or {}))


def install(app: FastAPI) -> None:
    """Make every error of the app a problem."""
    for kind in (PortalError, HTTPException, RequestValidationError, OperationalError, StorageError, Exception):
        app.add_exception_handler(kind, _answered)


async def _answered(_request: Request, fault: Exception) -> Response:
    return answer(fault)


def answer(fault: Exception) -> Response:
    """The problem that tells of an error."""
    for kinds, tell in _TELL:
        if isinstance(fault, kinds):
            return tell(fault)
    return _broken(fault)


def _refused(fault: Any) -> Response:
    return ProblemResponse(_STATUS.get(type(fault), 400), fault.sentence, fields=getattr(fault, "fields", None))


def _http(fault: Any) -> Response:
    told = fault.detail if isinstance(fault, Refusal) else _plain(fault.status_code)
    return ProblemResponse(fault.status_code, told, headers=fault.headers)


def _plain(status: int) -> str:
    sentences_by_status = {
        400: "The request can't be read.",
        404: "There is nothing at this address.",
        405: "This address doesn't take that method.",
    }
    return sentences_by_status.get(status, HTTPStatus(status).phrase + ".")


def _unreadable(fault: Any) -> Response:
    if any(one["type"] == "json_invalid" for one in fault.errors()):
        return ProblemResponse(400, "The body is not valid JSON.")
    return ProblemResponse(422, Invalid().sentence, fields=sentences(fault.errors()))


def _busy(fault: Any) -> Response:
    log.error("The API could not reach what it stands on: %s", type(fault).__name__)
    return ProblemResponse(503, "The portal is busy. Please try again.", headers={"Retry-After": "5"})


def _broken(fault: Any) -> Response:
    reference = traces.reference()
    log.error("Reference %s", reference, exc_info=fault)
    return ProblemResponse(500, f"Something went wrong on our side. Reference: {reference}.")


_TELL = (
    (PortalError, _refused),
    (HTTPException, _http),
    (RequestValidationError, _unreadable),
    ((OperationalError, StorageError), _busy),
)
