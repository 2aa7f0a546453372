"""docs/asvs.md names every requirement of levels 1 and 2, and what it names is there."""

import re
from collections import Counter
from functools import cache

import pytest

from portal_app.settings import environment_names
from tests.architecture.source import ROOT

DOCUMENT = (ROOT / "docs" / "asvs.md").read_text()
ROW = re.compile(r"^\| (V[\d.]+) \| ([12]) \| (.+?) \| (.+) \|$", re.MULTILINE)
# How many requirements of these levels each chapter of ASVS 5.0.0 has.
CHAPTERS = {1: 27, 2: 11, 3: 19, 4: 10, 5: 9, 6: 35, 7: 18, 8: 7, 9: 7, 10: 29, 11: 14, 12: 9, 13: 13, 14: 9, 15: 13}
CHAPTERS |= {16: 16, 17: 7}


@cache
def _tests(path: str) -> set[str]:
    return set(re.findall(r"def (test_\w+)", (ROOT / path).read_text()))


def test_every_requirement_is_there_once() -> None:
    found = [number for number, *_ in ROW.findall(DOCUMENT)]
    assert len(found) == len(set(found))
    assert Counter(int(number[1:].partition(".")[0]) for number in found) == CHAPTERS


@pytest.mark.parametrize(("number", "shown"), [(row[0], row[3]) for row in ROW.findall(DOCUMENT)])
def test_each_has_what_shows_it(number: str, shown: str) -> None:
    """A test, a setting, a section of security.md, or the reason why it does not apply; or it says that it is open."""
    tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", shown)
    settings = re.findall(r"`(PORTAL_\w+)`", shown)
    sections = re.findall(r"\[[^\]]+\]\(security\.md#([\w-]+)\)", shown)
    for path, name in tests:
        assert name in _tests(path), f"{number}: {path}::{name}"
    assert set(settings) <= set(environment_names())
    headings = re.findall(r"^## (.+)$", (ROOT / "docs" / "security.md").read_text(), re.MULTILINE)
    assert set(sections) <= {heading.lower().replace(" ", "-") for heading in headings}
    assert tests or settings or sections or shown.startswith(("not applicable: ", "**open**: "))


def test_the_open_ones_are_counted_at_the_top() -> None:
    counted = re.search(r"(\d+) apply and are shown, (\d+) are open, (\d+) do not apply", DOCUMENT)
    shown = [row[3] for row in ROW.findall(DOCUMENT)]
    opened, none = (sum(one.startswith(start) for one in shown) for start in ("**open**: ", "not applicable: "))
    assert counted
    assert [int(number) for number in counted.groups()] == [len(shown) - opened - none, opened, none]
