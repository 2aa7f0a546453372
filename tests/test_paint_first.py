"""Built pages show before their scripts are asked for."""

from pathlib import Path

import pytest

from portal_app.paint_first import paint_first

PAGE = """<html><head><link rel="modulepreload" href="/assets/entry.js"/>\
<link rel="modulepreload" href="/assets/root.js"/>\
<link href="/assets/all.css" rel="stylesheet" type="text/css"/></head><body><main></main>\
<script type="module" async="">import "/assets/manifest.js";
import * as route0 from "/assets/root.js";
import * as route1 from "/assets/_index.js";

  window.__reactRouterRouteModules = {"root":route0,"routes/_index":route1};

import("/assets/entry.js");</script></body></html>"""


def _built(folder: Path, html: str) -> str:
    page = folder / "index.html"
    page.write_text(html)
    page.with_suffix(".html.br").write_bytes(b"old")
    (folder / "assets").mkdir()
    (folder / "assets" / "all.css").write_text("a{color:red}")
    paint_first(folder)
    assert sorted(one.name for one in folder.glob("index.html*")) == ["index.html"]
    return page.read_text()


def test_looks_are_within_and_scripts_are_asked_for_at_the_end(tmp_path: Path) -> None:
    head, _, body = _built(tmp_path, PAGE).partition("</head>")
    assert head == (
        "<html><head><style>a{color:red}</style>"
        '<link href="/assets/all.css" rel="stylesheet" type="text/css" disabled=""/>'
    )
    last = '<link rel="modulepreload" fetchpriority="low" href="/assets/entry.js"/></body></html>'
    assert body == PAGE.partition("</head>")[2].removesuffix("</body></html>") + last


def test_a_page_that_its_scripts_make_asks_for_them_first(tmp_path: Path) -> None:
    assert _built(tmp_path, PAGE.replace("<main></main>", "")).count('rel="modulepreload"') == 2


def test_a_page_of_another_shape_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="changed its shape"):
        _built(tmp_path, PAGE.replace("import(", "require("))
