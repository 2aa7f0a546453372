"""The Partner Zone: pieces, their files and previews; the sheets are made of our own sources."""

import pytest

from portal_app import db
from portal_app.content import folder
from portal_app.errors import Denied, NotFound
from portal_app.partner_zone import service, sheets
from tests.cast import Cast, cookie_of
from tests.content.conftest import Write, page
from tests.security.pipeline import Pipeline, name_of, play


@pytest.fixture
def pieces(write: Write) -> None:
    write("sales/sheet/index.md", page("Sheet"))
    write("sales/sheet/preview.png", b"x")
    write("sales/sheet/sheet.typ", "= Sheet")
    write("sales/sheet/sheet.pdf", b"%PDF-" * 1000)


def test_files_to_fetch_and_the_preview(cast: Cast, pieces: None) -> None:
    ((found, files),) = db.read(service.pieces, cast.actor("nina"))
    assert found.title == "Sheet"
    assert [(one.name, one.size_bytes) for one in service.downloads_of(files)] == [("sheet.pdf", 5000)]
    assert service.preview_of(files) == "/content/sales/sheet/preview.png"


def test_customers_see_nothing_and_what_is_not_there_is_missing(cast: Cast, pieces: None) -> None:
    for ask in (service.pieces, lambda s, a: service.piece(s, a, "sheet")):
        with pytest.raises(Denied):
            db.read(ask, cast.actor("dave"))
    with pytest.raises(NotFound):
        db.read(service.piece, cast.actor("alice"), "none")


def test_a_piece_shows_its_downloads(cast: Cast, pieces: None) -> None:
    async def scene(made: Pipeline) -> None:
        answer = await made.tab(cookie_of(cast.alice), "/partner-zone/sheet").send(name_of("piece_state.load"))
        assert answer.var("downloads") == [
            {"name": "sheet.pdf", "href": "/content/sales/sheet/sheet.pdf", "size": "5.00 KB"}
        ]

    play(scene)


def test_a_sheet_is_made_with_its_preview(write: Write) -> None:
    source = write("sales/made/made.typ", "= Hello")
    assert sheets.make(folder.ROOT / "sales") == [source]
    assert source.with_suffix(".pdf").read_bytes().startswith(b"%PDF-")
    assert (source.parent / "preview.png").read_bytes().startswith(b"\x89PNG")


def test_every_sheet_that_we_ship_is_made() -> None:
    for source in (folder.ROOT / "sales").glob("*/*.typ"):
        assert source.with_suffix(".pdf").exists()
        assert (source.parent / service.PREVIEW).exists()
