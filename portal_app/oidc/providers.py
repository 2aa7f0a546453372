"""The companies that may vouch for a person, as far as they are configured, and what each one's word is worth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict
from urllib.parse import urlencode

from portal_app.auth.steps import Method
from portal_app.models import SignInType
from portal_app.settings import settings

GOOGLE = "https://accounts.google.com"
# Google writes its name without the scheme in some tokens, and says so.
_GOOGLE_SHORT = "accounts.google.com"
MICROSOFT = "https://login.microsoftonline.com"
# In the name of the issuer that speaks for many tenants, the place of the tenant's id.
TENANT = "{tenantid}"
# The tenant of all private Microsoft accounts.
_PRIVATE = "9188040d-6c67-4c5b-b112-36a304b66dad"


@dataclass(frozen=True, slots=True)
class Provider:
    """One company. `authority` is where its description is found, `issuer` the name that its tokens must bear."""

    key: str
    label: str
    sign_in_type: SignInType
    method: Method
    client_id: str
    client_secret: str = field(repr=False)
    authority: str
    issuer: str

    def issuer_of(self, claims: Mapping[str, Any]) -> str:
        """The name that a token with these claims must bear; empty when nobody with such claims may come."""
        if TENANT not in self.issuer:
            return self.issuer
        tenant = claims.get("tid")
        if not isinstance(tenant, str) or not _is_id(tenant):
            return ""
        if tenant == _PRIVATE and settings().microsoft_tenant == "organizations":
            return ""
        return self.issuer.replace(TENANT, tenant)

    def names_itself(self, issuer: Any) -> str:
        """The issuer of a token in the one way in which it is compared and kept."""
        if self.issuer == GOOGLE and issuer == _GOOGLE_SHORT:
            return GOOGLE
        return issuer if isinstance(issuer, str) else ""

    def verified_email(self, claims: Mapping[str, Any]) -> str:
        """The address in the claims, if the provider vouches that it is the person's own; else empty.

        In Microsoft's token of a foreign tenant the address is what that tenant's administrator typed: only
        `xms_edov` says that the domain is the tenant's own.
        """
        email = claims.get("email")
        if not isinstance(email, str):
            return ""
        if self.sign_in_type == SignInType.GOOGLE:
            return email if _is_true(claims.get("email_verified")) else ""
        vouched = claims.get("xms_edov", claims.get("email_verified", TENANT not in self.issuer))
        return email if _is_true(vouched) else ""


def configured() -> tuple[Provider, ...]:
    """The providers that the settings name."""
    return tuple(provider for provider in (_microsoft(), _google()) if provider.client_id)


class ProviderLink(TypedDict):
    """What the sign-in page shows of a provider."""

    label: str
    href: str


def links_to(next_path: str) -> list[ProviderLink]:
    """A link for each configured provider, for going on to the path afterwards."""
    after = "" if next_path == "/" else f"?{urlencode({'next': next_path})}"
    return [
        ProviderLink(label=f"Sign in with {provider.label}", href=f"/auth/oidc/{provider.key}/start{after}")
        for provider in configured()
    ]


def find(key: str) -> Provider | None:
    """A configured provider by its key."""
    return next((provider for provider in configured() if provider.key == key), None)


def _microsoft() -> Provider:
    tenant = settings().microsoft_tenant
    authority = settings().microsoft_issuer or f"{MICROSOFT}/{tenant}/v2.0"
    of_many = tenant in {"organizations", "common"}
    return Provider(
        key="microsoft",
        label="Microsoft",
        sign_in_type=SignInType.AZURE,
        method=Method.MICROSOFT,
        client_id=settings().microsoft_client_id,
        client_secret=settings().microsoft_client_secret.get_secret_value(),
        authority=authority,
        issuer=authority.replace(f"/{tenant}/", f"/{TENANT}/") if of_many else authority,
    )


def _google() -> Provider:
    authority = settings().google_issuer or GOOGLE
    return Provider(
        key="google",
        label="Google",
        sign_in_type=SignInType.GOOGLE,
        method=Method.GOOGLE,
        client_id=settings().google_client_id,
        client_secret=settings().google_client_secret.get_secret_value(),
        authority=authority,
        issuer=authority,
    )


def _is_id(tenant: str) -> bool:
    parts = tenant.split("-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and set("".join(parts)) <= set("0123456789abcdef")


def _is_true(value: Any) -> bool:
    # `xms_edov` comes in all these ways. (True is 1.)
    return value in (1, "1", "true", "True")
