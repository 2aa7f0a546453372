"""Every setting is in the README, and the README names no setting that there isn't."""

import re

import pytest

from portal_app.backups.report import TOKEN_VARIABLE
from portal_app.settings import Settings, environment_names
from tests.architecture.source import ROOT

README = ROOT / "README.md"


@pytest.mark.parametrize("name", environment_names())
def test_a_setting_is_documented(name: str) -> None:
    assert re.search(rf"\b{name}\b", README.read_text()), f"{name} is missing in README.md"


def test_the_readme_names_no_setting_that_is_not_there() -> None:
    named = set(re.findall(r"\bPORTAL_[A-Z0-9_]*[A-Z0-9]\b", README.read_text()))
    assert named <= {*environment_names(), TOKEN_VARIABLE}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_setting_says_what_it_is_for(name: str) -> None:
    description = Settings.model_fields[name].description
    assert description, name
    assert description.endswith("."), name
