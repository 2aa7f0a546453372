"""Readable shades of a brand's accent: worked out in OKLCH, proven by WCAG's contrast, in both themes."""

import math
from dataclasses import dataclass
from functools import cache

# WCAG 2.2 AA: for words, and for what shows where the focus is.
# A hair more: browsers round.
WORDS, SIGNS = 4.55, 3.05
# What stands behind accent-coloured words, as assets/tokens.css has it.
LIGHT_GROUNDS = ("#ffffff", "#fafafb", "#f4f5f7", "#f6f7f9")
DARK_GROUNDS = ("#15181d", "#0e1014", "#1b1f25", "#1a1e24")
# Shares of the accent in a tint (`--accent-tint`).
LIGHT_TINT, DARK_TINT = 0.09, 0.2
_STEP = 0.004
Lab = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Shades:
    """The accent in one theme: buttons, words on them, coloured words, the ring of the focus, a tint behind words."""

    solid: str
    solid_hover: str
    on_solid: str
    text: str
    focus: str
    tint: str


@cache
def light(accent: str) -> Shades:
    """The shades of `accent` (#rrggbb) for the light theme; those that can't be read are moved until they can."""
    lightness, chroma, hue = _lch(accent)
    tint = mixed(accent, LIGHT_GROUNDS[0], LIGHT_TINT)
    solid, on_solid = _solid(accent, least=0.0)
    text = _until(_hex(min(lightness, 0.5), chroma, hue), -_STEP, (*LIGHT_GROUNDS, tint), WORDS)
    focus = _until(_hex(min(lightness, 0.58), chroma, hue), -_STEP, LIGHT_GROUNDS, SIGNS)
    return Shades(solid, _moved(solid, -0.05), on_solid, text, focus, tint)


@cache
def dark(accent: str) -> Shades:
    """The shades of `accent` (#rrggbb) for the dark theme; words are softer, for they shine."""
    lightness, chroma, hue = _lch(accent)
    tint = mixed(accent, DARK_GROUNDS[0], DARK_TINT)
    solid, on_solid = _solid(accent, least=0.5)
    text = _until(_hex(max(lightness, 0.76), min(chroma, 0.13), hue), _STEP, (*DARK_GROUNDS, tint), WORDS)
    focus = _until(_hex(max(lightness, 0.68), chroma, hue), _STEP, DARK_GROUNDS, SIGNS)
    return Shades(solid, _moved(solid, -0.05), on_solid, text, focus, tint)


def contrast(one: str, other: str) -> float:
    """WCAG's contrast of two colours (#rrggbb), from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """WCAG's relative luminance, from 0 to 1."""
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _solid(accent: str, *, least: float) -> tuple[str, str]:
    """A middling colour is darkened until white words stand on it; a light one keeps its lightness under dark words."""
    lightness, chroma, hue = _lch(accent)
    if lightness >= 0.72:
        return accent, "#000000"
    start = _hex(least, chroma, hue) if lightness < least else accent
    return _until(start, -_STEP, ("#ffffff",), WORDS), "#ffffff"


def _until(colour: str, step: float, grounds: tuple[str, ...], needed: float) -> str:
    """The colour itself or, going on by `step` of lightness, the first that is readable on all the grounds."""
    lightness, chroma, hue = _lch(colour)
    while any(contrast(colour, ground) < needed for ground in grounds) and 0 < lightness < 1:
        lightness += step
        colour = _hex(lightness, chroma, hue)
    return colour


def _moved(colour: str, by: float) -> str:
    lightness, chroma, hue = _lch(colour)
    return _hex(lightness + by, chroma, hue)


def mixed(colour: str, ground: str, share: float) -> str:
    """`color-mix(in oklab, colour share, ground)`."""
    pairs = zip(_lab(colour), _lab(ground), strict=True)
    lightness, a, b = (share * one + (1 - share) * other for one, other in pairs)
    return _hex(lightness, math.hypot(a, b), math.atan2(b, a))


def _linear(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return _power(red), _power(green), _power(blue)


def _power(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _lab(colour: str) -> Lab:
    # Björn Ottosson's OKLab.
    red, green, blue = _linear(colour)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _lch(colour: str) -> Lab:
    lightness, a, b = _lab(colour)
    return lightness, math.hypot(a, b), math.atan2(b, a)


def _hex(lightness: float, chroma: float, hue: float) -> str:
    """As #rrggbb; a colour that no screen shows loses saturation until one does."""
    parts = _rgb(lightness, chroma, hue)
    while chroma > 0.001 and not all(-0.0005 <= part <= 1.0005 for part in parts):
        chroma *= 0.97
        parts = _rgb(lightness, chroma, hue)
    return "#" + "".join(f"{round(255 * _encoded(min(1.0, max(0.0, part)))):02x}" for part in parts)


def _rgb(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )


def _encoded(part: float) -> float:
    return part * 12.92 if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
