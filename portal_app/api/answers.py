"""What every endpoint may answer, for the reference; and the shapes that several share."""

from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from portal_app.api.problems import MEDIA_TYPE, Problem

Answers = dict[int | str, dict[str, Any]]
# Beyond what a number in JSON can say to every program there is no row.
Id = Annotated[int, Path(ge=1, le=2**53 - 1, description="The portal's number of it.")]
MOST_BYTES = "64 kB"


class Body(BaseModel):
    """What a program sends: nothing but what is named."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Amount(BaseModel):
    """An amount of money."""

    minor: int = Field(description="In the currency's smallest unit, such as cents.", examples=[2600])
    currency: str = Field(description="ISO 4217.", examples=["USD"])


def refusal(says: str) -> dict[str, Any]:
    """The answer that refuses a request, and says why."""
    return {"model": Problem, "description": says, "content": {MEDIA_TYPE: {}}}


_READING: Answers = {
    401: refusal("The token is missing, unknown, expired or revoked."),
    403: refusal("The token may not do this."),
    422: refusal("A value can't be taken; `errors` names each."),
    429: refusal("Too many requests; `Retry-After` says how many seconds to wait."),
    503: refusal("The portal is busy; send the same again later."),
}
_WRITING: Answers = _READING | {
    400: refusal("The body is not JSON."),
    409: refusal("It can't be done as things stand, or a request with the same `Idempotency-Key` is under way."),
    413: refusal(f"The body is larger than {MOST_BYTES}."),
}
_UNKNOWN: Answers = {404: refusal("There is none, or it isn't yours: the two are never told apart.")}


def reading(*, one: bool = False) -> Answers:
    """The refusals of a GET; `one`: of something that may not exist."""
    return _READING | (_UNKNOWN if one else {})


def writing(**others: Any) -> Answers:
    """The refusals of a change; `others` by their status, such as `s200={…}`."""
    return _WRITING | _UNKNOWN | {int(name[1:]): answer for name, answer in others.items()}
