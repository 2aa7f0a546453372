"""The second factor: time-based codes (RFC 6238) of an authenticator app, and recovery codes that stand in once."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

from pyotp import random_base32
from pyotp.totp import TOTP
from sqlalchemy import delete, func, select, update
from sqlmodel import Session, col

from portal_app import clock, crypto
from portal_app.auth.sessions import digest
from portal_app.errors import Conflict
from portal_app.models import RecoveryCode, User
from portal_app.settings import settings

RECOVERY_CODES = 10
_STEP_SECONDS = 30
# Without the signs that look like others; 24 of 32 make 120 bits, so that a plain hash of them can't be searched.
_SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_LONG = 24


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs: the secret in base32, and the address that its QR code holds."""

    secret: str
    uri: str


def has_one(session: Session, user: User) -> bool:
    """Whether the user has a second factor that a sign-in must ask for."""
    return user.totp_enabled_at is not None


def begin(session: Session, user: User) -> Enrolment:
    """A new secret, not asked for until `enable`. Raises Conflict while two-factor authentication is on."""
    secret = random_base32()
    off = col(User.id) == user.id, col(User.totp_enabled_at).is_(None)
    sealed = crypto.seal(secret.encode(), binding=_binding(user))
    if _changed(session, update(User).where(*off).values(totp_secret=sealed, totp_used_step=0)) == 0:
        raise Conflict("Two-factor authentication is on already.")
    uri = TOTP(secret).provisioning_uri(name=user.email, issuer_name=settings().brand_name)
    return Enrolment(secret, uri)


def enable(session: Session, user: User, code: str) -> list[str] | None:
    """Turn it on with a code of the secret that was begun: the recovery codes. None when the code is not right."""
    if not _is_code(session, user, code):
        return None
    off = col(User.id) == user.id, col(User.totp_enabled_at).is_(None)
    if _changed(session, update(User).where(*off).values(totp_enabled_at=clock.now())) == 0:
        raise Conflict("Two-factor authentication is on already.")
    session.refresh(user)
    return new_codes(session, user)


def disable(session: Session, user: User) -> None:
    """Forget the secret and the recovery codes."""
    user.totp_secret, user.totp_enabled_at = None, None
    session.add(user)
    session.execute(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user.id))


def is_right(session: Session, user: User, code: str) -> bool:
    """Whether it is the app's code of now or an unused recovery code. Either is spent by this."""
    return user.totp_enabled_at is not None and (_is_code(session, user, code) or _is_recovery(session, user, code))


def new_codes(session: Session, user: User) -> list[str]:
    """New recovery codes, to be shown once; the older ones are void."""
    session.execute(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user.id))
    codes = ["".join(secrets.choice(_SIGNS) for _ in range(_LONG)) for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(user_id=user.id or 0, code_hash=digest(code)) for code in codes)
    return ["-".join(code[i : i + 4] for i in range(0, _LONG, 4)) for code in codes]


def codes_left(session: Session, user_id: int) -> int:
    """How many recovery codes are unused."""
    mine = col(RecoveryCode.user_id) == user_id
    return session.scalar(select(func.count()).select_from(RecoveryCode).where(mine)) or 0


def _is_code(session: Session, user: User, code: str) -> bool:
    code = "".join(code.split())
    if user.totp_secret is None or not (code.isascii() and code.isdecimal() and len(code) == 6):
        return False
    made = TOTP(crypto.unseal(user.totp_secret, binding=_binding(user)).decode())
    now = _step()
    # A phone's clock may be off by a step.
    step = next((s for s in (now, now - 1, now + 1) if hmac.compare_digest(made.generate_otp(s), code)), None)
    return step is not None and _spend(session, user, step)


def _spend(session: Session, user: User, step: int) -> bool:
    """Take the step, once: of many at the same moment the database lets one through."""
    unused = col(User.id) == user.id, col(User.totp_used_step) < step, col(User.totp_secret) == user.totp_secret
    return _changed(session, update(User).where(*unused).values(totp_used_step=step)) == 1


def _is_recovery(session: Session, user: User, code: str) -> bool:
    plain = "".join(char for char in code.upper() if char.isalnum())[:64]
    mine = col(RecoveryCode.user_id) == user.id, col(RecoveryCode.code_hash) == digest(plain)
    return _changed(session, delete(RecoveryCode).where(*mine)) == 1


def _changed(session: Session, statement: object) -> int:
    session.flush()
    return session.execute(statement, execution_options={"synchronize_session": False}).rowcount


def _step() -> int:
    # Authenticator apps know nothing of a clock that was moved.
    real = clock.now() - timedelta(days=settings().clock_offset_days)
    return int(real.timestamp()) // _STEP_SECONDS


def _binding(user: User) -> str:
    return crypto.binding(user.partner_id or user.kind, "portal_user", user.id or 0, "totp_secret")
