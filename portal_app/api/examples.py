"""Reads the shapes in an OpenAPI document: their fields, one below the other, and what a value looks like."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
_TEXTS = {"date-time": "2026-11-24T02:14:30Z", "date": "2026-11-24"}
_PLAIN = {"integer": 1, "number": 1.5, "boolean": True, "null": None, "object": {}}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a shape; of one inside another the name is as in `amount.minor` or `data[].id`."""

    name: str
    schema: Document
    required: bool


def resolved(document: Document, schema: Document) -> Document:
    """The schema itself, where `schema` only names it; of one that may be null, what else it is."""
    if "$ref" in schema:
        return resolved(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return resolved(document, next(one for one in schema["anyOf"] if one.get("type") != "null"))
    return schema


def fields(document: Document, schema: Document, prefix: str = "") -> Iterator[Field]:
    """The fields of a shape and of the shapes in it."""
    whole = resolved(document, schema)
    required = whole.get("required", ())
    for name, field in whole.get("properties", {}).items():
        yield Field(prefix + name, field, name in required)
        inner = resolved(document, field)
        if "items" in inner:
            yield from fields(document, inner["items"], f"{prefix}{name}[].")
        else:
            yield from fields(document, field, f"{prefix}{name}.")


def value(document: Document, schema: Document, *, all_fields: bool = True) -> Any:
    """What it may look like; a body only with what it needs."""
    if schema.get("examples"):
        return schema["examples"][0]
    whole = resolved(document, schema)
    if "properties" in whole:
        names = whole["properties"] if all_fields else whole.get("required", ())
        return {name: value(document, whole["properties"][name], all_fields=all_fields) for name in names}
    if "items" in whole:
        return [value(document, whole["items"], all_fields=all_fields)]
    return _single(whole)


def _single(schema: Document) -> Any:
    if "examples" in schema or "enum" in schema:
        return (schema.get("examples") or schema["enum"])[0]
    kind = schema.get("type", "string")
    return _TEXTS.get(schema.get("format", ""), "…") if kind == "string" else _PLAIN.get(kind)
