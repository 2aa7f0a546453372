"""Passkeys: the questions that a browser's authenticator answers, and whether an answer is right.

The place of the portal (RP ID and origin) comes from PORTAL_PUBLIC_URL, never from a request. A question is good once.
"""

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import delete, select
from sqlmodel import Session, col

from portal_app import clock
from portal_app.auth.sessions import digest
from portal_app.later import Later
from portal_app.mail.links import absolute
from portal_app.models import Passkey, PasskeyChallenge, PasskeyUse, SignInType, User
from portal_app.settings import settings

if TYPE_CHECKING:
    import webauthn
    from webauthn import helpers
    from webauthn.helpers import structs
else:
    webauthn, helpers, structs = Later("webauthn"), Later("webauthn.helpers"), Later("webauthn.helpers.structs")

LIFE = timedelta(minutes=5)
# In characters: an answer with the largest attestation is far smaller.
LONGEST = 30_000
# What the library meets in an answer that somebody has made up.
_WRONG = (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError)


def of(session: Session, user_id: int) -> list[Passkey]:
    """The user's passkeys, in the order in which they came."""
    return list(session.scalars(select(Passkey).where(col(Passkey.user_id) == user_id).order_by(col(Passkey.id))))


def has_any(session: Session, user_id: int) -> bool:
    """Whether the user has a passkey."""
    return session.scalars(select(col(Passkey.id)).where(col(Passkey.user_id) == user_id).limit(1)).first() is not None


def ask_for_new(session: Session, user: User, bound: str) -> str:
    """What a browser needs to make a passkey of the user, as JSON."""
    known = of(session, user.id or 0)
    handle = webauthn.base64url_to_bytes(known[0].user_handle) if known else secrets.token_bytes(32)
    options = webauthn.generate_registration_options(
        rp_id=_place()[0],
        rp_name=settings().brand_name,
        user_id=handle,
        user_name=user.email,
        user_display_name=user.name,
        challenge=_question(session, PasskeyUse.ADD, bound, helpers.bytes_to_base64url(handle)),
        timeout=int(LIFE.total_seconds() * 1000),
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[_described(passkey) for passkey in known],
    )
    return webauthn.options_to_json(options)


def new(session: Session, user: User, bound: str, answer: str) -> Passkey | None:
    """The passkey in the answer, not saved and without a name. None when it is not right, or was here already.

    The question is spent either way.
    """
    try:
        given = helpers.parse_registration_credential_json(_short(answer))
        asked = helpers.parse_client_data_json(given.response.client_data_json).challenge
        handle = _spent(session, PasskeyUse.ADD, bound, asked)
        rp_id, origin = _place()
        made = webauthn.verify_registration_response(
            credential=given,
            expected_challenge=asked,
            expected_rp_id=rp_id,
            expected_origin=origin,
            require_user_verification=True,
        )
    except (webauthn.helpers.exceptions.WebAuthnException, *_WRONG):
        return None
    credential_id = helpers.bytes_to_base64url(made.credential_id)
    if session.scalars(select(Passkey).where(col(Passkey.credential_id) == credential_id)).first():
        return None
    return Passkey(
        user_id=user.id or 0,
        user_handle=handle,
        credential_id=credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        name="",
        created_at=clock.now(),
    )


def ask(session: Session, use: PasskeyUse, *, bound: str = "", user_id: int | None = None) -> str:
    """What a browser needs to answer with a passkey, as JSON: with one of the user's, or with any that it has."""
    known = of(session, user_id) if user_id is not None else []
    options = webauthn.generate_authentication_options(
        rp_id=_place()[0],
        challenge=_question(session, use, bound),
        timeout=int(LIFE.total_seconds() * 1000),
        allow_credentials=[_described(passkey) for passkey in known],
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def whose(
    session: Session, use: PasskeyUse, answer: str, *, bound: str = "", user_id: int | None = None
) -> User | None:
    """The user whose passkey gave the answer: `user_id`, or anybody when that is None. None when it is not right.

    The question is spent either way.
    """
    try:
        given = helpers.parse_authentication_credential_json(_short(answer))
        asked = helpers.parse_client_data_json(given.response.client_data_json).challenge
        _spent(session, use, bound, asked)
        found = _locked(session, helpers.bytes_to_base64url(given.raw_id), user_id)
        if found is None:
            return None
        handle = given.response.user_handle
        if helpers.bytes_to_base64url(handle) != found[0].user_handle if handle else user_id is None:
            return None
        rp_id, origin = _place()
        right = webauthn.verify_authentication_response(
            credential=given,
            expected_challenge=asked,
            expected_rp_id=rp_id,
            expected_origin=origin,
            credential_public_key=found[0].public_key,
            credential_current_sign_count=found[0].sign_count,
            require_user_verification=True,
        )
    except (webauthn.helpers.exceptions.WebAuthnException, *_WRONG):
        return None
    passkey, user = found
    passkey.sign_count, passkey.used_at = right.new_sign_count, clock.now()
    session.add(passkey)
    return user


def _locked(session: Session, credential_id: str, user_id: int | None) -> tuple[Passkey, User] | None:
    """The passkey and its user; only who signs in here at all has one. Locked, so that its counter grows by turns."""
    mine = [col(Passkey.user_id) == user_id] if user_id is not None else []
    query = (
        select(Passkey, User)
        .join(User, col(User.id) == col(Passkey.user_id))
        .where(col(Passkey.credential_id) == credential_id, col(User.sign_in_type) == SignInType.EMAIL, *mine)
        .with_for_update()
    )
    row = session.execute(query).first()
    return (row[0], row[1]) if row else None


def _question(session: Session, use: PasskeyUse, bound: str, user_handle: str = "") -> bytes:
    session.execute(delete(PasskeyChallenge).where(col(PasskeyChallenge.ends_at) <= clock.now()))
    challenge, ends_at = secrets.token_bytes(32), clock.now() + LIFE
    session.add(
        PasskeyChallenge(
            challenge_hash=_hash(challenge), use=use, bound=bound, user_handle=user_handle, ends_at=ends_at
        )
    )
    return challenge


def _spent(session: Session, use: PasskeyUse, bound: str, challenge: bytes) -> str:
    """Spend the question, once: the user handle it was asked with. Raises ValueError when there is no such one."""
    row = PasskeyChallenge
    spent = delete(row).where(
        col(row.challenge_hash) == _hash(challenge),
        col(row.use) == use,
        col(row.bound) == bound,
        col(row.ends_at) > clock.now(),
    )
    found = session.scalars(spent.returning(col(row.user_handle))).first()
    if found is None:
        raise ValueError("no such question")
    return found


def _hash(challenge: bytes) -> str:
    return digest(helpers.bytes_to_base64url(challenge))


def _place() -> tuple[str, str]:
    """RP ID and origin."""
    parts = urlsplit(absolute("/"))
    return parts.hostname or "localhost", f"{parts.scheme}://{parts.netloc}"


def _described(passkey: Passkey) -> "structs.PublicKeyCredentialDescriptor":
    return structs.PublicKeyCredentialDescriptor(id=webauthn.base64url_to_bytes(passkey.credential_id))


def _short(answer: str) -> str:
    if len(answer) > LONGEST:
        raise ValueError("too long")
    return answer
