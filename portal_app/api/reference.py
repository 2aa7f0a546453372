"""The API's reference for people, made of its OpenAPI document: plain HTML that loads nothing from anywhere."""

import json
from collections.abc import Iterator
from html import escape
from typing import Any

Document = dict[str, Any]

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 14px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 24px 16px; }
h1 { font-size: 28px } h2 { font-size: 20px; margin-top: 40px; overflow-wrap: anywhere } h3 { font-size: 16px }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { text-align: start; vertical-align: top; padding: 8px; border-bottom: 1px solid var(--line) }
code, pre { font-family: ui-monospace, monospace; font-size: 13px } h2 code { font-size: inherit }
pre { background: var(--soft); border-radius: 6px; padding: 12px; overflow-x: auto }
"""


def reference(document: Document) -> str:
    """The whole page as HTML."""
    info = document["info"]
    parts = [f"<h1>{escape(info['title'])}</h1>", f"<p>{_prose(info['description'])}</p>"]
    parts.append(f'<p>For programs: <a href="{_base(document)}/openapi.json">openapi.json</a></p>')
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts += _operation(document, f"{_base(document)}{path}", method.upper(), operation)
    return _page(info["title"], "\n".join(parts))


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><main>{body}</main></body></html>"
    )


def _base(document: Document) -> str:
    return escape(document["servers"][0]["url"])


def _operation(document: Document, path: str, method: str, operation: Document) -> Iterator[str]:
    yield f"<h2><code>{method} {escape(path)}</code></h2>"
    yield f"<p>{_prose(operation.get('description', ''))}</p>"
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = _resolved(document, content["schema"])
        yield "<h3>Body</h3>"
        yield _fields(document, schema)
        yield f"<h3>Example</h3><pre>{escape(_example(document, path, method, schema))}</pre>"
    yield "<h3>Answers</h3>"
    yield _answers(operation["responses"])
    answer = _resolved(document, operation["responses"]["201"]["content"]["application/json"]["schema"])
    yield "<h3>Answer</h3>"
    yield _fields(document, answer)


def _fields(document: Document, schema: Document) -> str:
    required = set(schema.get("required", []))
    rows = (
        (f"<code>{escape(name)}</code>", _kind(document, field), "required" if name in required else "", _told(field))
        for name, field in schema["properties"].items()
    )
    return _table(("Field", "Type", "", "Meaning"), rows)


def _answers(responses: Document) -> str:
    rows = ((f"<code>{escape(status)}</code>", _prose(one["description"])) for status, one in sorted(responses.items()))
    return _table(("Status", "Meaning"), rows)


def _table(heads: tuple[str, ...], rows: Any) -> str:
    head = "".join(f'<th scope="col">{one}</th>' for one in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    # The box can be scrolled by keyboard where the screen is narrow.
    return f'<div class="wide" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _told(field: Document) -> str:
    return _prose(field.get("description", ""))


def _kind(document: Document, field: Document) -> str:
    if "$ref" in field:
        field = _resolved(document, field)
    if "enum" in field:
        return ", ".join(f"<code>{escape(str(value))}</code>" for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(_kind(document, one) for one in field["anyOf"] if one.get("type") != "null")
    return escape(field.get("format") or field.get("type", "any"))


def _example(document: Document, path: str, method: str, schema: Document) -> str:
    body = {name: _value(document, schema["properties"][name]) for name in schema.get("required", [])}
    return (
        f"curl -X {method} https://portal.example{path} \\\n"
        "  -H 'Authorization: Bearer ppt_…' -H 'Content-Type: application/json' \\\n"
        f"  -d '{json.dumps(body, indent=2)}'"
    )


def _value(document: Document, field: Document) -> Any:
    if "examples" in field:
        return field["examples"][0]
    return _resolved(document, field).get("enum", [""])[0]


def _resolved(document: Document, schema: Document) -> Document:
    if "$ref" not in schema:
        return schema
    return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]


def _prose(text: str) -> str:
    # `code` in Markdown's way; everything else as it stands.
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if number % 2 else piece for number, piece in enumerate(pieces))
