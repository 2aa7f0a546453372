"""What an engine reports of one run, checked field by field."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)

from portal_app import clock, text
from portal_app.backups.entities import rows as entities
from portal_app.backups.entities.rows import SeenEntity
from portal_app.backups.rows import Service
from portal_app.errors import Invalid
from portal_app.models import Outcome

# An engine's clock may go a little fast.
AHEAD = timedelta(minutes=5)
OLDEST = timedelta(days=3653)
MOST_BYTES = 2**60
MOST_ENTITIES = 2**31 - 1
MOST_LISTED = 10_000
KEY_LENGTH = 120
MESSAGE_LENGTH = 500


def _account(value: int | str) -> int | str:
    if isinstance(value, str):
        value = text.clean(value)
        if value.isascii() and value.isdigit() and len(value) <= 18:
            value = int(value)
    if isinstance(value, int):
        if not 0 < value < 2**63:
            raise ValueError(_ACCOUNT)
        return value
    if not value or len(value) > text.EMAIL_LENGTH or text.has_control(value):
        raise ValueError(_ACCOUNT)
    return value


def _key(value: str) -> str:
    value = text.clean(value)
    if not value:
        raise ValueError("This can't be empty.")
    if len(value) > KEY_LENGTH:
        raise ValueError(f"Use at most {KEY_LENGTH} characters; this has {len(value):,}.")
    if text.has_control(value):
        raise ValueError("Remove the invisible control characters.")
    return value


def _moment(value: object) -> object:
    # A bare number would be taken for seconds since 1970: nobody means that.
    if isinstance(value, str | datetime):
        return value
    raise ValueError(_INSTANT)


def _message(value: str) -> str:
    spaced = (" " if char in "\r\n\t" else char for char in value)
    return text.clean("".join(char for char in spaced if not text.has_control(char)))[:MESSAGE_LENGTH].rstrip()


_ACCOUNT = "Give the account's number or its email address."
_INSTANT = "Give an instant with its time zone, such as 2026-11-23T02:00:00Z."
Key = Annotated[StrictStr, AfterValidator(_key)]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
Bytes = Annotated[StrictInt, Field(ge=0, le=MOST_BYTES)]
Number = Annotated[StrictInt, Field(ge=0, le=MOST_ENTITIES)]


class ListedEntity(BaseModel):
    """One entity of the task, as the engine found it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Annotated[StrictStr, Field(min_length=1, max_length=entities.KEY_LENGTH)] = Field(
        description="The engine's lasting name of it, such as an address.", examples=["ada@example.com"]
    )
    name: Annotated[StrictStr, Field(max_length=entities.NAME_LENGTH)] = Field("", description="Shown; else the key.")
    kind: Annotated[StrictStr, Field(max_length=entities.KIND_LENGTH)] = Field(
        "", description="Such as mailbox, site or drive."
    )
    size_bytes: Bytes | None = Field(None, description="Bytes of its data. Left out: as before.")
    outcome: Outcome | None = Field(None, description="How this run's attempt ended. Left out: it was only seen.")
    error: StrictStr = Field("", description=f"What went wrong, for people; cut at {entities.ERROR_LENGTH} characters.")
    licensed: StrictBool | None = Field(
        None,
        description="Whether it has a licence at the service; unlicensed: not billed. Left out: as before.",
    )

    def seen(self) -> SeenEntity:
        return SeenEntity(**{name: getattr(self, name) for name in ListedEntity.model_fields})


class RunReport(BaseModel):
    """One finished run of a backup task, as its engine tells it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: Annotated[StrictInt | StrictStr, AfterValidator(_account)] = Field(
        description="The account's number, or its email address in any case.", examples=["customer@example.com"]
    )
    task: Key = Field(description="Name of the task at the engine; an unknown one is created.", examples=["files"])
    run: Key = Field(description="The engine's id of this run. Twice changes nothing.", examples=["5c1f9a27"])
    started: Moment = Field(description="When the run began.", examples=["2026-11-23T02:00:00Z"])
    finished: Moment = Field(description="When the run ended.", examples=["2026-11-23T02:14:30Z"])
    outcome: Outcome = Field(description="How the run ended; partial: some of it could not be backed up.")
    added_bytes: Bytes = Field(0, description="Bytes that this run added to the storage.")
    size_bytes: Bytes | None = Field(
        None, description="Bytes of the task's data after this run. Left out, or after a failed run: as before."
    )
    entities: Number | None = Field(
        None,
        description="Mailboxes, files or the like that were seen. Left out, or after a failed run: as before; with a "
        "list: as many as it has.",
    )
    entities_failed: Number | None = Field(
        None, description="How many of them could not be backed up. Left out: none, or what the list says."
    )
    entity_list: Annotated[list[ListedEntity], Field(max_length=MOST_LISTED)] = Field(
        [], description=f"The entities one by one, at most {MOST_LISTED:,}. An empty list says nothing."
    )
    entity_list_whole: StrictBool = Field(
        True,
        description="Whether the list has all that the source holds: active entities that are not in it become "
        "inactive. After a failed run it never counts as whole.",
    )
    message: StrictStr = Field("", description=f"A sentence for people; cut at {MESSAGE_LENGTH} characters.")
    service: Service | None = Field(None, description="What a new task backs up; generic unless told.")
    name: Key | None = Field(None, description="Name of a new task; the task's key unless told.")

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """The report in `data`. Raises Invalid with a sentence for each field that can't be taken."""
        try:
            return cls.model_validate(data)
        except ValidationError as fault:
            raise Invalid(**sentences(fault.errors(include_url=False, include_input=False))) from None

    @model_validator(mode="after")
    def _times(self) -> Self:
        faults = {
            "started": self.started < clock.now() - OLDEST and "This is more than ten years ago.",
            "entity_list": _listing_fault(self.entity_list),
            "finished": (self.finished > clock.now() + AHEAD and "This is in the future: check the engine's clock.")
            or (self.finished < self.started and "The run can't end before it began."),
        }
        found = {field: sentence for field, sentence in faults.items() if sentence}
        if found:
            raise Invalid(**found)
        return self

    @property
    def counted(self) -> int:
        """How many entities the run saw."""
        return len(self.entity_list) if self.entities is None else self.entities

    @property
    def counted_failed(self) -> int:
        """How many of them it could not back up."""
        if self.entities_failed is not None:
            return self.entities_failed
        return sum(one.outcome == Outcome.FAILED for one in self.entity_list)

    @property
    def shown_message(self) -> str:
        """The message without control characters, at most MESSAGE_LENGTH long."""
        return _message(self.message)


_PLACES = frozenset({"body", "query", "path", "header"})
_NEGATIVE = "This can't be negative."


def _listing_fault(listing: list[ListedEntity]) -> str:
    doubled = next((key for key, times in Counter(one.key for one in listing).items() if times > 1), None)
    if doubled is not None:
        return "There are entities with the same key: each needs one of its own."
    if any(text.INVISIBLE.search(one.key) for one in listing):
        return "Remove the invisible control characters from the keys."
    return ""


_SENTENCES = {
    "missing": "Give this value.",
    "enum": "Use one of: {expected}.",
    "less_than_equal": "This can't be larger than {le:,}.",
    "int_type": "Give a whole number.",
    "int_parsing": "Give a whole number.",
    "bool_parsing": "Give true or false.",
    "bool_type": "Give true or false.",
    "string_type": "Give a text in quotes.",
    "string_too_short": "This can't be empty.",
    "string_too_long": "Use at most {max_length:,} characters.",
    "too_long": "Send at most {max_length:,} at once.",
    "list_type": "Give a list.",
    "date_from_datetime_parsing": "Give a day, such as 2026-11-24.",
    "timezone_aware": _INSTANT,
    "model_attributes_type": "Send one JSON object.",
    "model_type": "Send one JSON object.",
}


def sentences(faults: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """A sentence for each field that pydantic found at fault, by the name of the field.

    Names that the sender made up stand together under `body` or `query`: they are not ours to repeat.
    """
    told: dict[str, str] = {}
    for fault in faults:
        where, *rest = fault["loc"] if fault["loc"] and fault["loc"][0] in _PLACES else ("body", *fault["loc"])
        path = [str(part) for part in rest]
        made_up = len(path) == 1 and fault["type"] == "extra_forbidden"
        field = path[0] if path and not made_up else str(where)
        sentence = _ACCOUNT if field == "account" and fault["type"] != "missing" else _sentence(fault)
        told.setdefault(field, _place(path) + sentence)
    return told


def _place(path: list[str]) -> str:
    """Where in a list the fault is: such as "Entry 4, key: "."""
    if len(path) < 2 or not path[1].isdecimal():
        return ""
    named = f", {path[2]}" if len(path) > 2 and path[2] in ListedEntity.model_fields else ""
    return f"Entry {int(path[1]) + 1}{named}: "


def _sentence(fault: Mapping[str, Any]) -> str:
    kind, told = fault["type"], str(fault["msg"])
    if kind == "value_error":
        return told.removeprefix("Value error, ")
    if kind == "extra_forbidden":
        if "entity_list" in fault["loc"]:
            return f"There is a field that the portal doesn't know. It knows: {', '.join(ListedEntity.model_fields)}."
        return "There is a name that the portal doesn't know. The reference at /api/docs lists those that it knows."
    if kind == "greater_than_equal":
        return "This can't be smaller than {ge}.".format_map(fault["ctx"]) if fault["ctx"]["ge"] else _NEGATIVE
    if kind.startswith("datetime"):
        return _INSTANT
    pattern = _SENTENCES.get(kind, "This value can't be taken.")
    return pattern.format_map(fault.get("ctx", {}))
