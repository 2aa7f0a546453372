"""Microsoft speaks for many tenants, and an address in a token is what a tenant's administrator typed."""

from typing import Any

import pytest

from portal_app.models import User
from portal_app.oidc import providers
from portal_app.settings import Settings, reset_settings
from tests.oidc.conftest import Browser, ended, identities
from tests.oidc.fake import Fake

TENANT = "11111111-2222-4333-8444-555555555555"
OTHER = "99999999-2222-4333-8444-555555555555"
PRIVATE = "9188040d-6c67-4c5b-b112-36a304b66dad"


def of(provider: Fake, tenant: str = TENANT, **claims: Any) -> dict[str, Any]:
    return {"iss": f"{provider.address}/{tenant}/v2.0", "tid": tenant, "xms_edov": True} | claims


def test_somebody_of_any_company_signs_in_with_the_companys_own_address(
    browser: Browser, microsoft: Fake, bob: User
) -> None:
    browser.sign_in("microsoft", microsoft, **of(microsoft, email=bob.email))
    assert browser.who.user_id == bob.id
    (bound,) = identities()
    assert (bound.issuer, bound.subject) == (f"{microsoft.address}/{TENANT}/v2.0", "subject-1")
    again = Browser()
    again.sign_in("microsoft", microsoft, **of(microsoft, xms_edov=False))
    assert again.who.user_id == bob.id


@pytest.mark.parametrize("word", [False, 0, "0", "false", None, [], "yes"])
def test_an_address_that_an_administrator_only_typed_opens_nothing(
    browser: Browser, microsoft: Fake, bob: User, word: Any
) -> None:
    """Known as nOAuth: anybody's tenant can give its people anybody's address."""
    claims = of(microsoft, email=bob.email, xms_edov=word, preferred_username=bob.email, upn=bob.email)
    assert ended(browser.sign_in("microsoft", microsoft, **claims)) == "refused"
    assert identities() == []


@pytest.mark.parametrize("word", [True, 1, "1", "true"])
def test_the_word_for_it_comes_in_several_shapes(browser: Browser, microsoft: Fake, bob: User, word: Any) -> None:
    browser.sign_in("microsoft", microsoft, **of(microsoft, email=bob.email, xms_edov=word))
    assert browser.who.user_id == bob.id


def test_the_same_subject_of_another_tenant_is_somebody_else(browser: Browser, microsoft: Fake, bob: User) -> None:
    browser.sign_in("microsoft", microsoft, **of(microsoft, email=bob.email))
    assert ended(Browser().sign_in("microsoft", microsoft, **of(microsoft, OTHER, email=bob.email))) == "refused"


@pytest.mark.parametrize(
    "claims",
    [
        {"tid": OTHER},
        {"tid": None},
        {"tid": 7},
        {"tid": "{tenantid}"},
        {"tid": "x/../y"},
        {"iss": "http://127.0.0.1/{tenantid}/v2.0"},
        {"iss": f"https://login.microsoftonline.com/{TENANT}/v2.0"},
    ],
    ids=str,
)
def test_the_issuer_must_be_of_the_tokens_own_tenant(
    browser: Browser, microsoft: Fake, bob: User, claims: dict[str, Any]
) -> None:
    assert ended(browser.sign_in("microsoft", microsoft, **of(microsoft, email=bob.email) | claims)) == "down"


@pytest.mark.parametrize("tenant", ["organizations", "common"])
def test_private_accounts_come_only_where_they_may(
    browser: Browser, microsoft: Fake, bob: User, monkeypatch: pytest.MonkeyPatch, tenant: str
) -> None:
    monkeypatch.setenv("PORTAL_MICROSOFT_TENANT", tenant)
    monkeypatch.setenv("PORTAL_MICROSOFT_ISSUER", f"{microsoft.address}/{tenant}/v2.0")
    reset_settings()
    browser.sign_in("microsoft", microsoft, **of(microsoft, PRIVATE, email=bob.email))
    assert browser.who.signed_in is (tenant == "common")


@pytest.mark.parametrize(("owner", "let_in"), [("{tenantid}", True), (TENANT, True), (OTHER, False)])
def test_a_key_that_is_one_tenants_own_signs_for_no_other(
    browser: Browser, microsoft: Fake, bob: User, owner: str, let_in: bool
) -> None:
    microsoft.key_facts = {"issuer": f"{microsoft.address}/{owner}/v2.0"}
    browser.sign_in("microsoft", microsoft, **of(microsoft, email=bob.email))
    assert browser.who.signed_in is let_in


@pytest.fixture
def one_tenant(microsoft: Fake, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Only the people of one tenant may come, which the provider of the portal chose."""
    microsoft.issuer_path = f"/{TENANT}/v2.0"
    monkeypatch.setenv("PORTAL_MICROSOFT_TENANT", TENANT)
    monkeypatch.setenv("PORTAL_MICROSOFT_ISSUER", microsoft.issuer)
    reset_settings()
    return microsoft


def test_the_addresses_of_a_chosen_tenant_are_believed(browser: Browser, one_tenant: Fake, bob: User) -> None:
    browser.sign_in("microsoft", one_tenant, tid=TENANT, email=bob.email)
    assert browser.who.user_id == bob.id


@pytest.mark.parametrize("claims", [{"xms_edov": False}, {"email_verified": False}], ids=str)
def test_unless_it_says_that_they_are_not_verified(
    browser: Browser, one_tenant: Fake, bob: User, claims: dict[str, Any]
) -> None:
    assert ended(browser.sign_in("microsoft", one_tenant, tid=TENANT, email=bob.email, **claims)) == "refused"


def test_nobody_else_comes_from_another_tenant(browser: Browser, one_tenant: Fake, bob: User) -> None:
    claims = of(one_tenant, OTHER, email=bob.email)
    assert ended(browser.sign_in("microsoft", one_tenant, **claims)) == "down"


@pytest.mark.parametrize(
    ("tenant", "authority", "issuer"),
    [
        ("organizations", "organizations/v2.0", "{tenantid}/v2.0"),
        ("common", "common/v2.0", "{tenantid}/v2.0"),
        (TENANT, f"{TENANT}/v2.0", f"{TENANT}/v2.0"),
    ],
)
def test_microsofts_own_addresses(monkeypatch: pytest.MonkeyPatch, tenant: str, authority: str, issuer: str) -> None:
    monkeypatch.delenv("PORTAL_MICROSOFT_ISSUER")
    monkeypatch.setenv("PORTAL_MICROSOFT_TENANT", tenant)
    reset_settings()
    provider = providers.find("microsoft")
    assert provider
    assert provider.authority == f"https://login.microsoftonline.com/{authority}"
    assert provider.issuer == f"https://login.microsoftonline.com/{issuer}"


def test_google_writes_its_name_in_two_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTAL_GOOGLE_ISSUER")
    reset_settings()
    provider = providers.find("google")
    assert provider
    assert provider.names_itself("accounts.google.com") == provider.names_itself("https://accounts.google.com")
    assert provider.issuer_of({}) == "https://accounts.google.com"
    assert provider.names_itself("evil.example") != provider.issuer


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("microsoft_issuer", "http://login.example"),
        ("google_issuer", "ftp://127.0.0.1"),
        ("google_issuer", "https://user@login.example"),
        ("google_issuer", "https://["),
        ("microsoft_tenant", "contoso.example"),
        ("microsoft_tenant", "organizations/../x"),
    ],
)
def test_settings_that_are_not_safe_stop_the_start(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        Settings(**{name: value})


def test_no_secret_is_shown_with_the_provider() -> None:
    assert "portal-client-secret" not in repr(providers.configured())
