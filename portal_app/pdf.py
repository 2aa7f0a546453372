"""Documents as PDF/A-3, made by typst from a template and plain data."""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portal_app import glyphs
from portal_app.later import Later

if TYPE_CHECKING:
    import typst
else:
    typst = Later("typst")

# Chinese, Japanese and Korean, which typst's own fonts lack; a package that only holds this font.
_FONT_PACKAGE = "cvttf_NotoSansCJK_Regular"
# Each names all the characters that it misses; what stands in their place is never missing.
TRIES = 3


def archived(template: Path, data: dict[str, Any]) -> bytes:
    """The file that an archive takes: it forbids characters that no font has, so they are taken out of the text.

    The template reads the data as JSON from `sys.inputs.data`, and no other file than those of its folder.
    """
    for _ in range(TRIES):
        try:
            return _compiled(template, data)
        except typst.TypstError as fault:
            missing = glyphs.missing_in(fault.diagnostic)
            if not missing:
                raise
            data = glyphs.without(data, missing)
    return _compiled(template, data)


def _compiled(template: Path, data: dict[str, Any]) -> bytes:
    given: dict[str, Any] = {"font_paths": _fonts(), "sys_inputs": {"data": json.dumps(data)}}
    return typst.compile(template, root=template.parent, pdf_standards=["a-3b"], **given) or b""


@cache
def _fonts() -> "typst.Fonts":
    """Always the same, whatever fonts the machine has."""
    found = find_spec(_FONT_PACKAGE)
    folders = list(found.submodule_search_locations or ()) if found else []
    return typst.Fonts(include_system_fonts=False, font_paths=folders)
