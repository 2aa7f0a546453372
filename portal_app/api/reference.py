"""The API's reference for people, made of its OpenAPI document: plain HTML that loads nothing from anywhere."""

import json
from collections.abc import Iterator
from html import escape
from typing import Any

from portal_app.api import examples
from portal_app.api.examples import Document

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 14px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 24px 16px; }
h1 { font-size: 28px } h2 { font-size: 20px; margin-top: 40px; overflow-wrap: anywhere } h3 { font-size: 16px }
nav ul { list-style: none; padding: 0 } nav li { padding: 2px 0; overflow-wrap: anywhere }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { text-align: start; vertical-align: top; padding: 8px; border-bottom: 1px solid var(--line) }
code, pre { font-family: ui-monospace, monospace; font-size: 13px } h2 code { font-size: inherit }
pre { background: var(--soft); border-radius: 6px; padding: 12px; overflow-x: auto }
"""


def reference(document: Document) -> str:
    """The whole page as HTML."""
    info = document["info"]
    operations = [
        (f"{_base(document)}{path}", method.upper(), operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    parts = [f"<h1>{escape(info['title'])}</h1>", f"<p>{_prose(info['description'])}</p>"]
    parts.append(f'<p>For programs: <a href="{_base(document)}/openapi.json">openapi.json</a></p>')
    parts.append(_contents(operations))
    for path, method, operation in operations:
        parts += _operation(document, path, method, operation)
    return _page(info["title"], "\n".join(parts))


def _contents(operations: list[tuple[str, str, Document]]) -> str:
    lines = (
        f'<li><a href="#{_anchor(method, path)}"><code>{method} {escape(path)}</code></a>'
        f" {_prose(operation.get('description', '').partition(chr(10))[0])}</li>"
        for path, method, operation in operations
    )
    return f'<nav aria-label="Contents"><ul>{"".join(lines)}</ul></nav>'


def _anchor(method: str, path: str) -> str:
    return escape("-".join((method + path).replace("{", "").replace("}", "").split("/")).lower())


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><main>{body}</main></body></html>"
    )


def _base(document: Document) -> str:
    return escape(document["servers"][0]["url"])


def _operation(document: Document, path: str, method: str, operation: Document) -> Iterator[str]:
    yield f'<h2 id="{_anchor(method, path)}"><code>{method} {escape(path)}</code></h2>'
    for paragraph in operation.get("description", "").split("\n\n"):
        yield f"<p>{_prose(paragraph)}</p>"
    if asked := operation.get("parameters"):
        yield f"<h3>Parameters</h3>{_parameters(document, asked)}"
    body = next(iter(operation.get("requestBody", {}).get("content", {}).values()), {}).get("schema")
    if body:
        yield f"<h3>Body</h3>{_fields(document, body)}"
    yield f"<h3>Example</h3><pre>{escape(_call(document, path, method, body))}</pre>"
    yield f"<h3>Answers</h3>{_answers(operation['responses'])}"
    yield from _answer(document, operation["responses"])


def _answer(document: Document, responses: Document) -> Iterator[str]:
    for status, one in sorted(responses.items()):
        schema = one.get("content", {}).get("application/json", {}).get("schema")
        if status < "300" and schema:
            example = json.dumps(examples.value(document, schema), indent=2, ensure_ascii=False)
            yield f"<h3>Answer {status}</h3>{_fields(document, schema, marked=False)}<pre>{escape(example)}</pre>"
            return


def _parameters(document: Document, asked: list[Document]) -> str:
    rows = (
        (
            f"<code>{escape(one['name'])}</code>",
            f"{one['in']}, {_kind(document, one['schema'])}",
            "required" if one.get("required") else "",
            _told(one),
        )
        for one in asked
    )
    return _table(("Name", "Where and type", "", "Meaning"), rows)


def _fields(document: Document, schema: Document, *, marked: bool = True) -> str:
    """The fields of a shape; `marked`: those that have to be sent are."""
    rows = (
        (
            f"<code>{escape(one.name)}</code>",
            _kind(document, one.schema),
            "required" if marked and one.required else "",
            _told(one.schema),
        )
        for one in examples.fields(document, schema)
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
    if "anyOf" in field:
        return " or ".join(_kind(document, one) for one in field["anyOf"])
    field = examples.resolved(document, field)
    if "enum" in field:
        return ", ".join(f"<code>{escape(str(value))}</code>" for value in field["enum"])
    if "items" in field:
        return f"list of {_kind(document, field['items'])}"
    return escape(field.get("format") or field.get("type", "any"))


def _call(document: Document, path: str, method: str, body: Document | None) -> str:
    lines = [f"curl -X {method} https://portal.example{path}", "-H 'Authorization: Bearer ppt_…'"]
    if body:
        sent = json.dumps(examples.value(document, body, all_fields=False), indent=2, ensure_ascii=False)
        lines += ["-H 'Content-Type: application/json'", f"-d '{sent}'"]
    return " \\\n  ".join(lines)


def _prose(text: str) -> str:
    # `code` in Markdown's way; everything else as it stands.
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if number % 2 else piece for number, piece in enumerate(pieces))
