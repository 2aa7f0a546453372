"""Sends browsers to a provider, and lets in whom they bring back: matched by address once, by subject ever after."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import and_, delete, or_, select
from sqlmodel import Session, col

from portal_app import clock
from portal_app.auth import steps
from portal_app.auth.actor import Origin
from portal_app.auth.sessions import digest
from portal_app.auth.steps import Step, StepKind
from portal_app.models import ExternalIdentity, ProviderSignIn, User
from portal_app.oidc.exchange import Identity
from portal_app.oidc.providers import Provider
from portal_app.text import email_fault, normal_email

LIFE = timedelta(minutes=10)
LONGEST_PATH = 2_000


@dataclass(frozen=True, slots=True)
class Departure:
    """What a browser takes along: `state` by the provider, `secret` in a cookie. Neither alone is worth anything."""

    state: str
    secret: str


def depart(session: Session, provider: Provider, next_path: str) -> Departure:
    """Note that a browser goes to the provider."""
    session.execute(delete(ProviderSignIn).where(col(ProviderSignIn.ends_at) <= clock.now()))
    left = Departure(secrets.token_urlsafe(32), secrets.token_urlsafe(32))
    session.add(
        ProviderSignIn(
            state_hash=digest(left.state),
            browser_hash=digest(left.secret),
            provider=provider.key,
            next_path=next_path if len(next_path) <= LONGEST_PATH else "/",
            ends_at=clock.now() + LIFE,
        )
    )
    return left


def come_back(session: Session, provider: Provider, state: str, secret: str) -> str | None:
    """The path to go on to, once, for the browser that left for this provider with this state; else None."""
    row = ProviderSignIn
    spent = delete(row).where(
        col(row.state_hash) == digest(state),
        col(row.browser_hash) == digest(secret),
        col(row.provider) == provider.key,
        col(row.ends_at) > clock.now(),
    )
    return session.scalars(spent.returning(col(row.next_path))).first()


def enter(session: Session, provider: Provider, identity: Identity, origin: Origin) -> Step:
    """The next step of the sign-in of the user behind the identity, bound to it from the first time on.

    REFUSED for whoever is not a user of this type, has bound another account, or may not sign in. Audited.
    """
    bound = _bound(session, provider, identity)
    user = bound or _addressed(session, provider, identity)
    # Once more with the user's row locked: another tab may have bound it meanwhile.
    bound = bound or (_bound(session, provider, identity) if user else None)
    if user is None:
        steps.note(session, None, origin, f"Sign-in with {provider.label} refused", completed=False)
        return steps.REFUSED
    if bound is None and _has_another(session, provider, user):
        steps.note(session, user, origin, f"Sign-in with another {provider.label} account refused", completed=False)
        return steps.REFUSED
    step = steps.proceed(session, user.id or 0, origin, method=provider.method, second_factor_done=False)
    if bound is None and step.kind != StepKind.REFUSED:
        _bind(session, provider, identity, user)
    return step


def _bound(session: Session, provider: Provider, identity: Identity) -> User | None:
    """The user whom the subject belongs to, as long as user and type are still the same."""
    return session.scalars(
        select(User)
        .join(ExternalIdentity, col(ExternalIdentity.user_id) == col(User.id))
        .where(
            col(ExternalIdentity.issuer) == identity.issuer,
            col(ExternalIdentity.subject) == identity.subject,
            col(ExternalIdentity.email_key) == col(User.email_key),
            col(User.sign_in_type) == provider.sign_in_type,
        )
    ).first()


def _addressed(session: Session, provider: Provider, identity: Identity) -> User | None:
    """The user of this type with the verified address. The row stays locked, so that only one binds it."""
    if not identity.email or email_fault(identity.email):
        return None
    return session.scalars(
        select(User)
        .where(col(User.email_key) == normal_email(identity.email), col(User.sign_in_type) == provider.sign_in_type)
        .with_for_update()
    ).first()


def _has_another(session: Session, provider: Provider, user: User) -> bool:
    found = session.get(ExternalIdentity, (user.id, provider.key), populate_existing=True)
    return found is not None and found.email_key == user.email_key


def _bind(session: Session, provider: Provider, identity: Identity, user: User) -> None:
    row = ExternalIdentity
    # What is left of somebody who had another address: of this subject, or of this user.
    same_subject = and_(col(row.issuer) == identity.issuer, col(row.subject) == identity.subject)
    same_user = and_(col(row.user_id) == user.id, col(row.provider) == provider.key)
    session.execute(delete(row).where(or_(same_subject, same_user)))
    session.add(
        ExternalIdentity(
            user_id=user.id,
            provider=provider.key,
            issuer=identity.issuer,
            subject=identity.subject,
            email_key=user.email_key,
            bound_at=clock.now(),
        )
    )
