"""Whatever accent an operator sets, words in it and on it can be read in both themes."""

import re

import pytest

from portal_app import colours
from portal_app.build import ROOT

ACCENTS = ("#2f5fd0", "#ffdd00", "#000000", "#ffffff", "#ff0000", "#00ff00", "#0000ff", "#808080", "#e67e22", "#f5c6d6")
TOKENS = (ROOT / "assets" / "tokens.css").read_text()


@pytest.mark.parametrize("accent", ACCENTS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_shades_can_be_read(accent: str, theme: str) -> None:
    shades = getattr(colours, theme)(accent)
    grounds = colours.LIGHT_GROUNDS if theme == "light" else colours.DARK_GROUNDS
    assert all(colours.contrast(shades.text, ground) >= 4.5 for ground in (*grounds, shades.tint)), shades
    assert all(colours.contrast(shades.focus, ground) >= 3 for ground in grounds), shades
    assert colours.contrast(shades.on_solid, shades.solid) >= 4.5, shades
    assert colours.contrast(shades.on_solid, shades.solid_hover) >= 4.5, shades


def test_a_readable_colour_is_taken_as_it_is() -> None:
    assert colours.light("#2f5fd0").solid == colours.dark("#2f5fd0").solid == "#2f5fd0"
    assert colours.light("#ffdd00").solid == "#ffdd00"
    assert colours.light("#e67e22").solid != "#e67e22"


def test_the_contrast_is_that_of_the_web_guidelines() -> None:
    assert colours.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colours.contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)
    assert colours.contrast("#2f5fd0", "#2f5fd0") == 1


@pytest.mark.parametrize(
    ("theme", "grounds"), [(":root, .light", colours.LIGHT_GROUNDS), (".dark", colours.DARK_GROUNDS)]
)
def test_the_grounds_are_those_of_the_style_sheet(theme: str, grounds: tuple[str, ...]) -> None:
    (rules,) = re.findall(rf"^{re.escape(theme)}[^{{]*{{(.*?)^}}", TOKENS, re.DOTALL | re.MULTILINE)
    found = {name: re.search(rf"--{name}: (#\w{{6}});", rules)[1] for name in ("surface", "page", "sunken", "hover")}
    assert tuple(found.values()) == grounds


def test_mixing_is_that_of_css() -> None:
    """Half way to white in oklab is darker than half of the light."""
    assert colours.mixed("#000000", "#ffffff", 0.5) == "#636363"
