"""The build leaves out what the portal has no use for."""

from pathlib import Path

import pytest
import reflex as rx
from reflex.compiler.utils import compile_client_storage

from portal_app import lean_pages
from portal_app import portal_app as _all_states  # noqa: F401

ROOT = """import * as React from "react";
import * as utils_state from "$/utils/state";
function ReflexProviders({children}) {
  useEffect(() => {
    // Make contexts and state objects available globally for dynamic eval'd components
    window.__reflex = {
          "react": React,
    "$/utils/state": utils_state,
    };
  }, []);
  return jsx(ThemeProvider, {}, children);
}
"""


def test_no_library_is_kept_whole() -> None:
    assert lean_pages.without_libraries(ROOT) == (
        "function ReflexProviders({children}) {\n  return jsx(ThemeProvider, {}, children);\n}\n"
    )


def test_a_root_of_another_shape_stays_as_it_is() -> None:
    other = ROOT.replace("window.__reflex", "window.other")
    assert lean_pages.without_libraries(other) == other


def test_react_takes_the_place_of_emotion_once() -> None:
    config = "resolve: { alias: [\n ] }"
    lean = lean_pages.with_alias(config)
    assert lean.count('find: "@emotion/react"') == 1
    assert lean_pages.with_alias(lean) == lean


def test_no_state_is_kept_by_the_browser() -> None:
    """What would keep it in a cookie is left out of the pages."""
    assert not any(compile_client_storage(rx.State).values())


def test_the_icons_of_the_frame_are_one_file_once() -> None:
    config = "codeSplitting: { groups: [\n ] }"
    lean = lean_pages.with_groups(config)
    assert lean.count('name: "frame"') == 1
    assert r"[\\/](arrow-up|" in lean
    assert lean_pages.with_groups(lean) == lean


@pytest.mark.parametrize(
    ("source", "found"), [('jsx("p",{css:({ ["width"] : "2" })})', True), ('jsx("p",{className:"css"})', False)]
)
def test_an_element_that_only_emotion_would_draw_is_found(tmp_path: Path, source: str, found: bool) -> None:
    page = tmp_path / "app" / "page.jsx"
    page.parent.mkdir()
    page.write_text(source)
    assert (lean_pages.styled(tmp_path) == [page]) is found
