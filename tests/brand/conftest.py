"""Another brand than the default one, for one test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portal_app.settings import reset_settings
from tests.brand.test_logos import SHAPE

Set = Callable[..., None]
# What must not be seen once there is another brand: its name, colour and address.
DEFAULT_WORDS = ("Keelson", "2f5fd0", "support@portal.example", "Partner Portal")
# No file of the portal's own: the logo's shape is in it alone.
LOGO = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 30 20">{SHAPE}</svg>'


def other_brand(folder: Path) -> dict[str, str]:
    """Settings of a brand that differs in everything, by their variables."""
    (folder / "logo.svg").write_text(LOGO)
    return {
        "PORTAL_BRAND_NAME": "Fjord & <Søn>",
        "PORTAL_BRAND_PRODUCT": "Reseller Desk",
        "PORTAL_BRAND_ACCENT": "#ffdd00",
        "PORTAL_BRAND_LOGO": str(folder / "logo.svg"),
        "PORTAL_SMTP_FROM": "desk@fjord.test",
        "PORTAL_SMTP_FROM_NAME": "Fjord Desk",
        "PORTAL_SUPPORT_EMAIL": "help@fjord.test",
        "PORTAL_PRIVACY_URL": "https://fjord.test/privacy",
    }


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Iterator[Set]:
    """Settings for one test: `given(BRAND_NAME="…")`."""

    def said(**values: object) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"PORTAL_{name}", str(value))
        reset_settings()

    yield said
    monkeypatch.undo()
    reset_settings()


@pytest.fixture
def other(given: Set, tmp_path: Path) -> None:
    """The other brand."""
    given(**{name.removeprefix("PORTAL_"): value for name, value in other_brand(tmp_path).items()})
