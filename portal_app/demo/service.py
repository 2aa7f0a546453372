"""Makes the demo data: once, whole or not at all."""

from datetime import datetime, timedelta
from random import Random

from sqlalchemy import text, update
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.accounts.data_centers import ensure_data_centers
from portal_app.audit import chain
from portal_app.auth import passwords
from portal_app.billing.default_prices import ensure_price_books
from portal_app.demo import accounts, built_in, learning, people, tickets
from portal_app.demo.audit import audit_rows
from portal_app.demo.bills import make_bills
from portal_app.demo.customers import Made, make_accounts
from portal_app.deployment import is_demo
from portal_app.errors import Conflict
from portal_app.models import (
    Account,
    BackupStatus,
    DataCenter,
    NotificationRecipient,
    Partner,
    User,
    UserAccount,
    UserKind,
    UserState,
)
from portal_app.settings import settings
from portal_app.text import normal_email

DEMO_EMAILS = frozenset(normal_email(person.email) for person in (*people.PEOPLE, people.BENCH_PERSON))


def ensure_demo() -> bool:
    """Make the demo data where it is wanted and missing. Returns whether it was made now.

    The demo's people can sign in only while the deployment is a demo: their password is published.
    Raises Conflict when a code or an address of the demo is in use already.
    """
    wanted, made, opened = db.read(_look)
    if made and wanted != opened:
        db.write(set_open, wanted)
    return db.write(_ensure) if wanted and not made else False


def is_wanted(session: Session) -> bool:
    """Whether demo data belongs here: PORTAL_DEMO, or unset and neither a real partner nor a real operator."""
    return is_demo(session) and (settings().demo is True or not _has_real_operator(session))


def is_open(session: Session) -> bool:
    """Whether any of the demo's people may sign in with the published password."""
    active = select(User.id).where(col(User.email_key).in_(DEMO_EMAILS), User.state == UserState.ACTIVE)
    return session.exec(active.limit(1)).first() is not None


def set_open(session: Session, opened: bool) -> None:
    """Let the demo's people sign in, or not."""
    state = UserState.ACTIVE if opened else UserState.DISABLED
    session.execute(update(User).where(col(User.email_key).in_(DEMO_EMAILS)).values(state=state))


def make_partner(session: Session, given: people.DemoPartner, now: datetime) -> Partner:
    """Add a demo partner, three years old."""
    place = session.exec(select(DataCenter.id).where(DataCenter.code == given.data_center)).first()
    partner = Partner(
        code=given.code,
        name=given.name,
        is_demo=True,
        currency=given.currency,
        time_zone=given.time_zone,
        default_subscription=given.subscription,
        default_data_center_id=place,
        created_at=now - timedelta(days=1100),
    )
    session.add(partner)
    session.flush()
    return partner


def make_person(
    session: Session, given: people.DemoPerson, password_hash: str, now: datetime, **behind: int | None
) -> User:
    """Add a demo person; `behind` is the partner_id or account_id that the kind asks for."""
    user = User(
        kind=given.kind,
        email=given.email,
        email_key=normal_email(given.email),
        name=given.name,
        password_hash=password_hash,
        role=given.role,
        permissions=[permission.value for permission in given.permissions],
        all_accounts=given.all_accounts,
        created_at=now - timedelta(days=1000),
        **behind,
    )
    session.add(user)
    session.flush()
    return user


def _exists(session: Session) -> bool:
    query = select(Partner.id).where(Partner.code == people.MAIN, col(Partner.is_demo))
    return session.exec(query).first() is not None


def _look(session: Session) -> tuple[bool, bool, bool]:
    return is_wanted(session), _exists(session), is_open(session)


def _has_real_operator(session: Session) -> bool:
    query = select(User.id).where(User.kind == UserKind.OPERATOR, col(User.email_key).notin_(DEMO_EMAILS))
    return session.exec(query.limit(1)).first() is not None


def _ensure(session: Session) -> bool:
    if session.get_bind().dialect.name == "postgresql":
        # Of two processes that start at once, the second waits here and then finds the demo made.
        session.execute(text("LOCK TABLE partner IN SHARE ROW EXCLUSIVE MODE"))
    if _exists(session):
        return False
    _refuse_taken(session)
    _make(session, clock.now().replace(microsecond=0))
    return True


def _refuse_taken(session: Session) -> None:
    codes = [partner.code for partner in people.PARTNERS]
    emails = [normal_email(email) for _, email in (*people.CUSTOMERS, *people.OTHER_CUSTOMERS)]
    taken = (
        session.exec(select(Partner.code).where(col(Partner.code).in_(codes))).first()
        or session.exec(select(User.email).where(col(User.email_key).in_(DEMO_EMAILS))).first()
        or session.exec(select(Account.email).where(col(Account.email_key).in_(emails))).first()
    )
    if taken:
        raise Conflict(f"The demo data can't be made: {taken} is in use already.")


def _make(session: Session, now: datetime) -> None:
    ensure_data_centers(session)
    ensure_price_books(session)
    places = session.exec(select(DataCenter).order_by(DataCenter.position)).all()
    partners = {given.code: make_partner(session, given, now) for given in people.PARTNERS}
    chooser = Random(42)  # noqa: S311
    made = {}
    for given, plans in zip(people.PARTNERS, (accounts.main_plans(), accounts.other_plans()), strict=True):
        made[given.code] = make_accounts(
            session, partners[given.code], plans, hour=given.hour, places=places, now=now, chooser=chooser
        )
        make_bills(session, partners[given.code], made[given.code], now, **given.billing)
    users = _make_people(session, partners, made[people.MAIN], now)
    _make_tickets(session, users, made, now)
    learning.add_progress(session, users, now)
    built_in.add_task(session, _shown(made[people.MAIN])[0], now)
    session.add_all(_recipient(partners[people.MAIN], *given, now) for given in people.RECIPIENTS)
    names = [one.account for one in made[people.MAIN]]
    chain.add(session, audit_rows(partners[people.MAIN].id, users, names, now, chooser))


def _make_tickets(session: Session, users: list[User], made: dict[str, list[Made]], now: datetime) -> None:
    by_email = {user.email: user for user in users}
    operator = next(user for user in users if user.kind == UserKind.OPERATOR)
    for email, code, few in (("admin@demo.example", people.MAIN, False), ("admin@other.example", people.OTHER, True)):
        theirs = [one.account for one in made[code]]
        tickets.make_tickets(session, by_email[email], operator, theirs, now, few=few)


def _recipient(partner: Partner, email: str, name: str, kinds: tuple[str, ...], now: datetime) -> NotificationRecipient:
    about = {"email": email, "email_key": normal_email(email), "name": name, "created_at": now - timedelta(days=200)}
    return NotificationRecipient(partner_id=partner.id, **about, **dict.fromkeys(kinds, True))


def _make_people(session: Session, partners: dict[str, Partner], made: list[Made], now: datetime) -> list[User]:
    password_hash = passwords.hash_password(people.PASSWORD)
    shown = _shown(made)
    users = []
    for person in people.PEOPLE:
        behind: dict[str, int | None] = {}
        if person.kind == UserKind.PARTNER:
            behind = {"partner_id": partners[person.partner].id}
        elif person.kind == UserKind.CUSTOMER:
            behind = {"account_id": shown[0].id}
        users.append(make_person(session, person, password_hash, now, **behind))
        if person.kind == UserKind.PARTNER and not person.all_accounts:
            session.add_all(UserAccount(user_id=users[-1].id, account_id=account.id) for account in shown)
    session.flush()
    return users


def _shown(made: list[Made]) -> list[Account]:
    """Three accounts in different states, for those who see only some; the first is the one with most to see."""
    richest = sorted(made, key=lambda one: (-len(one.runs), -one.plan.size_bytes))
    healthy = (one for one in richest if one.plan.state[1] == BackupStatus.SUCCESSFUL and not one.plan.is_trial)
    failing = (one for one in richest if one.plan.state[1] == BackupStatus.FAILED and not one.plan.is_trial)
    trying = (one for one in richest if one.plan.is_trial)
    return [next(found).account for found in (healthy, failing, trying)]
