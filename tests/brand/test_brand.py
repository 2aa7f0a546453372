"""The brand of a deployment is what its settings say; what can't be one stops the start with one line."""

from pathlib import Path

import pytest

from portal_app.brand import brand, picture
from portal_app.settings import settings
from tests.brand.conftest import Set
from tests.brand.test_logos import OPEN, SHAPE, png


def test_without_settings_it_is_a_neutral_one() -> None:
    found = brand()
    assert (found.name, found.product, found.mail_name) == ("Keelson Backup", "Partner Portal", "Keelson Backup")
    assert found.logo == found.logo_dark == found.icon
    assert not found.has_own_logo
    assert "#2f5fd0" in found.logo.svg


def test_all_of_it_can_be_another(given: Set, tmp_path: Path) -> None:
    (tmp_path / "logo.svg").write_text(f"{OPEN}{SHAPE}</svg>".replace("40 20", "90 20"))
    (tmp_path / "dark.png").write_bytes(png())
    given(
        BRAND_NAME="Fjord Vault",
        BRAND_PRODUCT="Reseller Desk",
        BRAND_ACCENT="#ffdd00",
        BRAND_LOGO=tmp_path / "logo.svg",
        BRAND_LOGO_DARK=tmp_path / "dark.png",
        SMTP_FROM_NAME="Fjord Vault Mail",
        SUPPORT_EMAILS="Billing=billing@fjord.example, all@fjord.example",
        SUPPORT_PHONES="Norway=+47 22 00 00 00, +1 (555) 010-0000",
        CHAT_URL="https://chat.fjord.example/",
        PRIVACY_URL="https://fjord.example/privacy",
    )
    found = brand()
    assert (found.name, found.product, found.mail_name) == ("Fjord Vault", "Reseller Desk", "Fjord Vault Mail")
    assert (found.light.solid, found.light.on_solid) == ("#ffdd00", "#000000")
    assert (found.logo.media_type, found.logo_dark.media_type) == ("image/svg+xml", "image/png")
    assert found.icon == found.logo
    assert found.hides_name
    assert found.support_emails == (("Billing", "billing@fjord.example"), ("", "all@fjord.example"))
    assert found.support_phones == (("Norway", "+47 22 00 00 00"), ("", "+1 (555) 010-0000"))
    assert found.chat_url == "https://chat.fjord.example/"
    assert found.terms_url == ""


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("BRAND_ACCENT", "blue", "pattern"),
        ("BRAND_LOGO", "/nowhere/logo.svg", "file"),
        ("BRAND_LOGO", __file__, "neither an SVG nor a PNG"),
        ("SUPPORT_EMAILS", "Billing=nobody", "billing@acme.example"),
        ("SUPPORT_PHONES", "Europe=call us", "+49 30"),
        ("CHAT_URL", "javascript:alert(1)", "https"),
        ("PRIVACY_URL", "http://fjord.example", "https"),
        ("CONTENT_DIR", "/nowhere", "directory"),
    ],
)
def test_a_wrong_one_stops_the_start_with_one_line(given: Set, name: str, value: str, said: str) -> None:
    given(**{name: value})
    with pytest.raises(SystemExit) as stopped:
        settings()
    lines = str(stopped.value).splitlines()[1:]
    assert len(lines) == 1
    assert lines[0].startswith(f"PORTAL_{name}: ")
    assert said in lines[0]


def test_any_logo_becomes_an_icon() -> None:
    for svg in (brand().icon.svg, f"{OPEN}{SHAPE}</svg>"):
        assert picture(svg, 32, 32)[:24].hex() == "89504e470d0a1a0a0000000d494844520000004000000040"
