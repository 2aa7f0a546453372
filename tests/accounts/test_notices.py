"""Who is told what of a trial: the administrators, once, several accounts of a run in one mail."""

from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlmodel import Session, select

from portal_app import clock, db
from portal_app.accounts import trials
from portal_app.accounts.notices import Notice
from portal_app.mail.letter import Letter
from portal_app.mail.outbox import letter_of
from portal_app.models import AccountStatus, OutboxMail, Partner, Role, UserState
from tests import factories
from tests.notifications.news import recipient

pytestmark = pytest.mark.usefixtures("database")
DAY = timedelta(days=1)


def mails() -> list[OutboxMail]:
    return db.read(lambda session: list(session.exec(select(OutboxMail).order_by(OutboxMail.id))))


def letters() -> list[Letter]:
    return [found for mail in mails() if (found := letter_of(mail))]


def company(session: Session, names: tuple[str, ...], administrators: tuple[str, ...], **given) -> None:
    partner = factories.partner(session, time_zone="Europe/Paris")
    for email in administrators:
        factories.user(session, partner, email=email)
    factories.user(session, partner, email=f"custom{partner.id}@people.example", role=Role.CUSTOM)
    factories.user(session, partner, email=f"off{partner.id}@people.example", state=UserState.DISABLED)
    for name in names:
        factories.account(session, partner, name=name, **given)


def advance(by: timedelta) -> trials.Counts:
    now = clock.now() + by
    return db.write(trials.advance, now, trials.BATCH, now)


def test_each_partners_administrators_are_told_of_their_own_accounts() -> None:
    db.write(company, ("Acme", "Bolt <b>"), ("ann@people.example", "bea@people.example"))
    db.write(company, ("Other",), ("cai@people.example",))
    advance(9 * DAY)
    assert [(mail.recipient, mail.subject) for mail in mails()] == [
        ("ann@people.example", "2 trials end soon"),
        ("bea@people.example", "2 trials end soon"),
        ("cai@people.example", "The trial of Other ends soon"),
    ]
    first = letters()[0]
    assert [name for name, _, _ in first.items] == ["Acme", "Bolt <b>"]
    assert first.items[0][1].startswith("http://localhost:3000/accounts/")
    assert first.items[0][2].startswith("Ends ")
    assert "Europe/Paris" in first.small[0]
    assert {mail.partner_id for mail in mails()[:2]} != {mails()[2].partner_id}


@pytest.mark.parametrize(
    ("days", "auto", "kind", "subject", "remark"),
    [
        (9, None, Notice.FIVE_DAYS, "The trial of Acme ends soon", "Ends "),
        (9, "annual", Notice.FIVE_DAYS, "The trial of Acme ends soon", "then subscribed annually"),
        (13, None, Notice.ONE_DAY, "The trial of Acme ends within a day", "Ends "),
        (14, None, Notice.ENDED, "The trial of Acme has ended", "can be subscribed until"),
        (14, "monthly", Notice.SUBSCRIBED, "Acme is now subscribed", "Subscribed monthly since"),
        (20, None, Notice.DELETION, "Acme will be deleted tomorrow", "will be deleted"),
    ],
)
def test_the_letters(days: int, auto: str | None, kind: Notice, subject: str, remark: str) -> None:
    db.write(company, ("Acme",), ("ann@people.example",), auto_subscribe=auto)
    advance(days * DAY)
    (mail,), (letter,) = mails(), letters()
    assert (mail.subject, mail.kind) == (subject, "trial")
    assert remark in letter.items[0][2]
    assert kind in {notice.kind for notice in db.read(lambda s: s.exec(select(trials.TrialNotice)).all())}


def test_nobody_is_told_twice_nor_of_what_a_user_did_before() -> None:
    db.write(company, ("Acme", "Bolt"), ("ann@people.example",))
    for _ in range(3):
        advance(9 * DAY)
    assert len(mails()) == 1


def test_a_change_that_is_undone_tells_nobody() -> None:
    db.write(company, ("Acme",), ("ann@people.example",))

    def undone(session: Session) -> None:
        assert trials.advance(session, clock.now() + 9 * DAY).notices == 1
        raise RuntimeError

    with pytest.raises(RuntimeError):
        db.write(undone)
    assert mails() == []
    advance(9 * DAY)
    assert len(mails()) == 1


_BEFORE = "CREATE TRIGGER refuse BEFORE UPDATE OF status ON account"
_STUCK = "WHEN (old.name = 'Stuck' AND new.status <> old.status)"
_REFUSE = {
    "sqlite": (f"{_BEFORE} {_STUCK} BEGIN SELECT RAISE(ABORT, 'no'); END",),
    "postgresql": (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE integrity_constraint_violation; END $$",
        f"{_BEFORE} FOR EACH ROW {_STUCK} EXECUTE FUNCTION refuse()",
    ),
}


def test_a_row_that_the_database_refuses_tells_nothing() -> None:
    db.write(company, ("Acme", "Stuck"), ("ann@people.example",))
    for statement in _REFUSE[db.engine().dialect.name]:
        db.write(lambda session, it=statement: session.connection().exec_driver_sql(it))
    assert advance(9 * DAY).refused == 1
    assert [mail.subject for mail in mails()] == ["The trial of Acme ends soon"]


def test_a_batch_costs_few_statements_however_many_accounts_and_administrators() -> None:
    names = tuple(f"Customer {number}" for number in range(150))
    db.write(company, names, tuple(f"admin{number}@people.example" for number in range(5)))
    statements: list[str] = []
    event.listen(db.engine(), "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert advance(9 * DAY).notices == 150
    assert len(mails()) == 5
    of_mail = [one for one in statements if "outbox_mail" in one and "INSERT" in one]
    assert len(of_mail) == 1
    assert len(statements) < 30


def test_a_partner_without_an_administrator_stops_nothing() -> None:
    db.write(company, ("Acme",), ())
    assert advance(9 * DAY).expiring == 1
    assert mails() == []
    assert db.read(lambda s: s.exec(select(trials.Account.status)).all()) == [AccountStatus.TRIAL_EXPIRING]


def test_where_there_are_recipients_they_are_told_instead_of_the_administrators() -> None:
    db.write(company, ("Acme",), ("ann@people.example",))
    db.write(company, ("Other",), ("cai@people.example",))

    def choose(session: Session) -> None:
        partner = session.exec(select(Partner).order_by(Partner.id)).first()
        assert partner
        recipient(session, partner, "trials", email="tom@readers.example", name="Tom")
        recipient(session, partner, "summary", email="sue@readers.example", name="Sue")

    db.write(choose)
    advance(9 * DAY)
    assert [mail.recipient for mail in mails()] == ["tom@readers.example", "cai@people.example"]
    tom, cai = letters()
    assert tom.paragraphs[0] == "Hello Tom,"
    assert tom.items[0][0] == "Acme"
    assert not cai.paragraphs[0].startswith("Hello")
