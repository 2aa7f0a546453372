"""A step of the build: leaves out of the pages what Reflex puts in for looks and parts that the portal does not have.

Styles here are classes of one style sheet, so Emotion would only hand each element on to React; and no component is
sent as source to be run in the browser, so nothing need be kept at hand for one.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reflex_base.plugins import Plugin

from portal_app import brand_words

_IN_PLACE_OF_EMOTION = "utils/jsx.js"
_IN_PLACE_OF_POLLING = "utils/no_polling.js"
_NO_POLLING = "export class XHR {}\nexport class Fetch {}\nexport class WT {}\n"
_IN_PLACE_OF_COOKIES = "utils/no_cookies.js"
_NO_COOKIES = "export default class Cookies {}\n"
_IN_PLACE_OF_MERGING = "utils/merging.js"
_MERGING = "export const mergician = (...all) => Object.assign({}, ...all);\n"
_ALIASES = "alias: ["


def _alias(find: str, file: str) -> str:
    return f'\n      {{ find: {find}, replacement: fileURLToPath(new URL("./{file}", import.meta.url)) }},'


# The socket is a websocket from the start (`transport` of Reflex): other ways to carry it are never taken. No state is
# kept in a cookie by the page (a test holds that). What is merged is what a part of Radix hands on to its child.
_POLLING = r"/^\.(\/transports)?\/(polling-(xhr(\.node)?|fetch)|webtransport)\.js$/"
_ALIAS = "".join(
    (
        _alias('"@emotion/react"', _IN_PLACE_OF_EMOTION),
        _alias(_POLLING, _IN_PLACE_OF_POLLING),
        _alias('"universal-cookie"', _IN_PLACE_OF_COOKIES),
        _alias('"mergician"', _IN_PLACE_OF_MERGING),
    )
)
_GROUPS = "groups: ["
# Icons of the frame and of the dashboard, and the brand's words. In a file each, as the bundler has it of what several
# pages share, they cost more in headers than in drawings.
_FRAME_ICONS = (
    "arrow-up",
    "circle-alert",
    "createLucideIcon",
    "key-round",
    "search-x",
    "shield-x",
    "sun-moon",
    "users",
    "wifi-off",
)
_GROUP = f"""
            {{ test: /(lucide-react.*[\\\\/]({"|".join(_FRAME_ICONS)})|utils[\\\\/]brand)\\.m?js$/, name: "frame" }},"""
_KEPT_AT_HAND = re.compile(r"  useEffect\(\(\) => \{\n[^}]*?window\.__reflex = \{[^}]*\};\n  \}, \[\]\);\n")
_WHOLE_LIBRARY = re.compile(r'import \* as \w+ from "[^"]+";\n')
_STYLES_AHEAD = 'jsx("link",{as:"style",href:reflexGlobalStyles,rel:"preload"},),'
_OWN_STYLE = re.compile(r"\bcss:\s?\(?\{")


class LeanPages(Plugin):
    """Changes the compiled pages before they are bundled."""

    def get_static_assets(self, **_context: Any) -> Sequence[tuple[Path, str]]:
        """What takes the place of parts of libraries; and the words of the brand."""
        jsx = 'export { createElement as jsx } from "react";\n'
        files = {
            _IN_PLACE_OF_EMOTION: jsx,
            _IN_PLACE_OF_POLLING: _NO_POLLING,
            _IN_PLACE_OF_COOKIES: _NO_COOKIES,
            _IN_PLACE_OF_MERGING: _MERGING,
            brand_words.SCRIPT: brand_words.SOURCE,
        }
        return [(Path(name), source) for name, source in files.items()]

    def pre_compile(self, **context: Any) -> None:
        """Reflex calls it to learn what is to be done with which file."""
        context["add_modify_task"]("vite.config.js", with_alias)
        context["add_modify_task"]("vite.config.js", with_groups)
        context["add_modify_task"]("app/root.jsx", without_libraries)
        context["add_modify_task"]("app/_document.js", without_styles_ahead)


def with_alias(config: str) -> str:
    """The bundler's settings, with React in place of Emotion, and without ways of the socket that it never takes."""
    return config if _ALIAS in config else config.replace(_ALIASES, _ALIASES + _ALIAS, 1)


def with_groups(config: str) -> str:
    """The bundler's settings, with the icons of the frame in one file."""
    return config if _GROUP in config else config.replace(_GROUPS, _GROUPS + _GROUP, 1)


def without_libraries(root: str) -> str:
    """The root without whole libraries in a global variable, which also keeps them whole in the bundle."""
    lean, found = _KEPT_AT_HAND.subn("", root)
    return _WHOLE_LIBRARY.sub("", lean) if found else root


def without_styles_ahead(document: str) -> str:
    """The document without a hint at its style sheet, which stands in the page (`paint_first`)."""
    return document.replace(_STYLES_AHEAD, "")


def styled(web: Path) -> list[Path]:
    """Compiled files with an element that has a style of its own, which only Emotion would draw."""
    files = [file for folder in ("app", "app_components") for file in (web / folder).rglob("*.jsx")]
    return [file for file in files if _OWN_STYLE.search(file.read_text())]
