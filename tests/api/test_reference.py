"""The reference of the API: complete, and of nothing but this server."""

import re

from portal_app.api.app import api_app
from portal_app.api.reference import reference
from portal_app.backups.intake import RunReport
from tests.api.conftest import Client


def test_it_tells_every_field_and_every_answer(client: Client) -> None:
    page = client.get("/api/docs")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    for name in RunReport.model_fields:
        assert f"<code>{name}</code>" in page.text
    for status in (200, 201, 400, 401, 403, 404, 409, 413, 422, 429, 503):
        assert f"<td><code>{status}</code></td>" in page.text
    assert "POST /api/v1/backup-runs" in page.text


def test_it_loads_nothing_from_anywhere(client: Client) -> None:
    page = client.get("/api/docs")
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(", page.text)
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_the_document_names_addresses_that_work(client: Client) -> None:
    document = client.get("/api/openapi.json").json()
    paths = {f"{document['servers'][0]['url']}{path}": methods for path, methods in document["paths"].items()}
    assert "/api/v1/backup-runs" in paths
    for path, methods in paths.items():
        address = re.sub(r"{\w+}", "1", path)
        told = {client.send(method.upper(), address).status_code for method in methods}
        assert (address, told) == (address, {401})


def test_each_field_of_the_document_is_described() -> None:
    schemas = api_app.openapi()["components"]["schemas"]
    fields = [
        (model, name, field)
        for model, schema in schemas.items()
        for name, field in schema.get("properties", {}).items()
        if not model.endswith("ValidationError")
    ]
    assert [f"{model}.{name}" for model, name, field in fields if not field.get("description")] == []


def test_it_shows_reading_with_its_parameters_and_its_answer(client: Client) -> None:
    page = client.get("/api/docs").text
    assert 'href="#get-api-v1-accounts"' in page
    assert 'id="get-api-v1-accounts"' in page
    for told in ("<code>cursor</code>", "query, integer", "<code>data[].amount.minor</code>", "&quot;next&quot;"):
        assert told in page
    assert page.count("For tokens with the permission “View billing”.") == 5


def test_what_a_description_holds_is_text_and_not_markup() -> None:
    document = api_app.openapi() | {"info": {"title": "<b>", "description": "<i>`<u>`"}}
    page = reference(document)
    assert "&lt;i&gt;<code>&lt;u&gt;</code>" in page
    assert "<b>" not in page
