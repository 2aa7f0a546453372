"""Talks with a provider: where to send the browser, and what it says of the person who came back.

Nothing a provider sends is trusted before its signature, issuer, audience, times and nonce are right. Whatever goes
wrong is a `Fault`; what was sent is in no sentence and no log.
"""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from portal_app.oidc.providers import TENANT, Provider
from portal_app.settings import is_safe_address

SCOPES = "openid email profile"
# Seconds: for one answer of the provider, for all of a sign-in, how far clocks may differ, how long a fact is kept.
ANSWER, PATIENCE, SKEW, KEPT = 5.0, 12.0, 60, 3600.0
# An unknown key may be new, so the keys are read again; but not more often than this.
READ_AGAIN = 60.0
LARGEST = 512 * 1024
# Never a shared secret, never "none".
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")

# How a silent provider, or garbage from it, shows itself, depending on where it is met.
_GARBAGE = (
    httpx2.HTTPError,
    httpx2.InvalidURL,
    AuthlibBaseError,
    JoseError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
)


class Fault(Exception):
    """The provider could not be asked, or what came from there can't be believed. The text is for the log."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says it is. `email` is empty unless the provider vouches for it."""

    issuer: str
    subject: str
    email: str = ""


@dataclass(slots=True)
class _Known:
    facts: dict[str, Any]
    keys: KeySet
    read_at: float
    keys_read_at: float


_known: dict[tuple[str, str], _Known] = {}


def forget() -> None:
    """Forget what was read from the providers (tests)."""
    _known.clear()


def nonce_of(secret: str) -> str:
    """What the provider must repeat in its token: made of the browser's secret, so that it need not be kept."""
    return _derived(secret, b"nonce")


def verifier_of(secret: str) -> str:
    """The code verifier of PKCE, made of the browser's secret."""
    return _derived(secret, b"verifier")


async def address_to_ask(provider: Provider, redirect_uri: str, state: str, secret: str) -> str:
    """Where the browser goes to sign in. Raises Fault."""
    async with _talking(provider) as client:
        facts = (await _facts(client, provider)).facts
    client.redirect_uri = redirect_uri
    url, _state = client.create_authorization_url(
        facts["authorization_endpoint"],
        state=state,
        code_verifier=verifier_of(secret),
        nonce=nonce_of(secret),
        prompt="select_account",
    )
    return url


async def identify(provider: Provider, redirect_uri: str, code: str, secret: str) -> Identity:
    """The person behind an authorization code. Raises Fault."""
    async with _talking(provider) as client:
        known = await _facts(client, provider)
        token = await client.fetch_token(
            known.facts["token_endpoint"],
            grant_type="authorization_code",
            code=code,
            redirect_uri=redirect_uri,
            code_verifier=verifier_of(secret),
        )
        given = token.get("id_token")
        if not isinstance(given, str) or len(given) > LARGEST:
            raise Fault("no id token")
        decoded = await _decoded(client, known, given)
        claims = _claims(provider, known, decoded, token.get("access_token"), nonce_of(secret))
    return Identity(provider.names_itself(claims["iss"]), claims["sub"], provider.verified_email(claims))


@asynccontextmanager
async def _talking(provider: Provider) -> AsyncIterator[AsyncOAuth2Client]:
    """A client for one sign-in; all that can go wrong becomes a Fault."""
    made: Any = AsyncOAuth2Client(
        provider.client_id, provider.client_secret, scope=SCOPES, code_challenge_method="S256", timeout=ANSWER
    )
    try:
        with anyio.fail_after(PATIENCE):
            async with made as client:
                yield client
    except _GARBAGE as fault:
        word = getattr(fault, "error", "")
        # The provider's own word for it, such as invalid_client, if it is no more than that.
        known = f" {word}" if isinstance(word, str) and re.fullmatch("[a-z_]{1,40}", word) else ""
        raise Fault(f"{type(fault).__name__}{known}") from fault


async def _facts(client: AsyncOAuth2Client, provider: Provider) -> _Known:
    """What the provider says about itself, read anew after a while."""
    place, now = (provider.authority, provider.issuer), time.monotonic()
    known = _known.get(place)
    if known is None or now - known.read_at > KEPT:
        facts = await _read(client, f"{provider.authority}/.well-known/openid-configuration")
        _check(facts, provider)
        known = _known[place] = _Known(facts, await _keys(client, facts), now, now)
    methods = known.facts.get("token_endpoint_auth_methods_supported") or []
    way = "client_secret_post" if "client_secret_post" in methods else "client_secret_basic"
    client.token_endpoint_auth_method = way
    return known


async def _keys(client: AsyncOAuth2Client, facts: Mapping[str, Any]) -> KeySet:
    return KeySet.import_key_set(await _read(client, facts["jwks_uri"]))


def _check(facts: Mapping[str, Any], provider: Provider) -> None:
    if facts.get("issuer") != provider.issuer:
        raise Fault("the description names another issuer")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not is_safe_address(str(facts.get(name, ""))):
            raise Fault(f"{name} is missing or not safe")


async def _read(client: AsyncOAuth2Client, url: str) -> dict[str, Any]:
    answer = await client.request("GET", url, withhold_token=True)
    answer.raise_for_status()
    found = answer.json() if len(answer.content) <= LARGEST else None
    if not isinstance(found, dict):
        raise Fault("the answer is no object")
    return found


async def _decoded(client: AsyncOAuth2Client, known: _Known, given: str) -> jwt.Token:
    """The token once its signature is right. A key that is not known yet is looked for once a minute."""
    try:
        return _decode(given, known)
    except InvalidKeyIdError:
        if time.monotonic() - known.keys_read_at < READ_AGAIN:
            raise
    known.keys, known.keys_read_at = await _keys(client, known.facts), time.monotonic()
    return _decode(given, known)


def _claims(provider: Provider, known: _Known, decoded: jwt.Token, access_token: Any, nonce: str) -> CodeIDToken:
    """The claims of a signed token once they are right for this client and this sign-in."""
    params = {"nonce": nonce, "client_id": provider.client_id, "access_token": access_token}
    options = {"aud": {"essential": True, "value": provider.client_id}, "nonce": {"essential": True}}
    claims = CodeIDToken(decoded.claims, decoded.header, options, params)
    claims.validate(now=int(time.time()), leeway=SKEW)
    _check_issuer(provider, known, claims, decoded.header)
    if not (isinstance(claims["sub"], str) and claims["sub"].isascii() and 0 < len(claims["sub"]) <= 255):
        raise Fault("no subject")
    return claims


def _decode(given: str, known: _Known) -> jwt.Token:
    offered = known.facts.get("id_token_signing_alg_values_supported") or ["RS256"]
    algorithms = [name for name in ALGORITHMS if name in offered]
    if not algorithms:
        # An empty list would mean the library's own, shared secrets among them.
        raise Fault("no algorithm that is taken")
    return jwt.decode(given, known.keys, registry=JWSRegistry(algorithms=algorithms, strict_check_header=False))


def _check_issuer(provider: Provider, known: _Known, claims: CodeIDToken, header: Mapping[str, Any]) -> None:
    expected = provider.issuer_of(claims)
    if not expected or provider.names_itself(claims["iss"]) != expected:
        raise Fault("another issuer")
    # Where many tenants share a list of keys, a key may be one tenant's own.
    for key in known.keys.keys:
        owner = str(key.get("issuer") or expected).replace(TENANT, str(claims.get("tid")))
        if key.kid == header.get("kid") and owner != expected:
            raise Fault("a key of another issuer")


def _derived(secret: str, what: bytes) -> str:
    return base64.urlsafe_b64encode(hmac.digest(secret.encode(), what, hashlib.sha256)).rstrip(b"=").decode()
