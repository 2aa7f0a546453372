"""Characters that no font of the documents has, such as emoji in a name: left out, or shown as "?"."""

import re
import unicodedata
from typing import Any

_NAMED = re.compile(r'the text `"((?:[^"\\]|\\.)*)"` could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]{1,6})\}")
# Pictures, and what only changes the look of what it follows: their absence loses no word.
_DROPPED = frozenset({"So", "Sk", "Mn", "Me", "Cf", "Cn", "Co"})
# What binds pictures together, and would be left of them.
_JOINING = frozenset("\u200d\ufe0f")
_NOTHING = "\u2013"


def missing_in(fault: str) -> frozenset[str]:
    """The characters that typst names in its refusal to make an archive's PDF."""
    texts = (_ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) for text in _NAMED.findall(fault))
    return frozenset("".join(texts))


def without(value: Any, missing: frozenset[str]) -> Any:
    """The same data, its texts without these characters: a picture is left out, letters in a row become one "?"."""
    if isinstance(value, dict):
        return {key: without(one, missing) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [without(one, missing) for one in value]
    if not isinstance(value, str) or missing.isdisjoint(value):
        return value
    kept = "".join(_shown(char) if char in missing | _JOINING else char for char in value)
    return " ".join(re.sub(r"\?+", "?", kept).split()) or _NOTHING


def _shown(char: str) -> str:
    return "" if unicodedata.category(char) in _DROPPED else "?"
