"""The outbox of all partners: who may, what is shown, that no link is, Send again and Drop."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.auth.actor import Actor
from portal_app.errors import Conflict, Denied, NotFound
from portal_app.mail import outbox
from portal_app.mail.letter import Letter
from portal_app.mail.links import absolute
from portal_app.mail.service import queue
from portal_app.models import AuditEvent, MailState, OutboxMail, Partner
from portal_app.operator import mail_list
from portal_app.operator.mail_list import HIDDEN
from portal_app.operator.mail_rows import MailPage, MailQuery
from portal_app.security import letters as security
from portal_app.users import letters as users
from tests.cast import Cast
from tests.plans import asked, learn, of_pages

TOKEN = "a-token-that-signs-in"
LETTER = Letter(
    subject="Hello",
    paragraphs=("Plain words.", f"Or go to {absolute(f'/reset?token={TOKEN}')} yourself."),
    action=("Sign in", absolute(f"/invitation?token={TOKEN}")),
    small=(f"Else: HTTPS://elsewhere.example/{TOKEN}",),
    items=(("One", absolute(f"/files/{TOKEN}"), f"see http://x.example/{TOKEN}"),),
)


def made(letter: Letter = LETTER, to: str = "ash@people.example", kind: str = "invitation", **given: Any) -> int:
    def make(session: Session) -> int:
        values = {name: given.pop(name) for name in ("partner_id", "once") if name in given}
        queue(session, to, letter, kind=kind, **values)
        mail = session.exec(select(OutboxMail).order_by(col(OutboxMail.id).desc())).first()
        assert mail is not None
        for name, value in given.items():
            setattr(mail, name, value)
        session.add(mail)
        session.flush()
        return mail.id or 0

    return db.write(make)


def failed(**given: Any) -> int:
    ended = {"state": MailState.FAILED, "fault": "The mail server refused this address (550).", "attempts": 3}
    return made(**ended, finished_at=clock.now(), next_at=clock.now() + outbox.KEEP_TEXT, **given)


def mail(number: int) -> OutboxMail:
    return db.read(lambda session: session.get_one(OutboxMail, number))


def seen(actor: Actor, **asked: str) -> MailPage:
    return db.read(mail_list.page, actor, MailQuery.from_address(asked))


def ids(found: MailPage) -> list[int]:
    return [row.id for row in found.rows]


def sides(told: str) -> list[int | None]:
    wanted = select(AuditEvent.partner_id).where(col(AuditEvent.description).contains(told))
    return sorted(db.read(lambda session: session.exec(wanted).all()), key=lambda one: one or 0)


# --- access ---------------------------------------------------------------------------------------


def test_nobody_else_sees_or_touches_a_mail(cast: Cast, stranger: Actor) -> None:
    number, waiting = failed(), made()
    for act in (
        lambda: db.read(mail_list.page, stranger, MailQuery()),
        lambda: db.read(mail_list.kinds, stranger),
        lambda: db.read(mail_list.one, stranger, number),
        lambda: db.write(mail_list.read, stranger, number),
        lambda: db.write(mail_list.send_again, stranger, number),
        lambda: db.write(mail_list.drop, stranger, waiting),
    ):
        with pytest.raises(Denied):
            act()
    assert (mail(number).state, mail(waiting).state) == (MailState.FAILED, MailState.WAITING)


# --- links ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "letter",
    [LETTER, security.reset(TOKEN), users.invitation("Ash", "Alpha", TOKEN, sets_password=True)],
    ids=["every place", "forgotten password", "invitation"],
)
def test_no_link_of_a_letter_is_told(cast: Cast, olga: Actor, letter: Letter) -> None:
    assert TOKEN in repr(letter)
    found = db.write(mail_list.read, olga, made(letter))
    shown = repr(found) + repr(seen(olga))
    assert TOKEN not in shown
    assert "?token=" not in shown
    assert not [line for line in found.lines if line.href]
    assert HIDDEN in shown
    assert letter.action is not None
    assert letter.action[0] in shown
    assert 'href="http' not in found.html.replace("mailto:", "")


def test_the_demos_own_mail_is_whole(cast: Cast, olga: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes to nobody, and /outbox shows it to everybody."""

    def of_demo(session: Session) -> None:
        partner = session.get_one(Partner, cast.partner_a.id)
        partner.is_demo = True
        session.add(partner)

    db.write(of_demo)
    ours, theirs = made(partner_id=cast.partner_a.id), made(partner_id=cast.partner_b.id)
    monkeypatch.setattr("portal_app.mail.reading.is_demo", lambda _session: True)
    assert TOKEN in db.write(mail_list.read, olga, ours).html
    assert TOKEN not in repr(db.write(mail_list.read, olga, theirs))


def test_reading_is_audited_on_both_sides(cast: Cast, olga: Actor) -> None:
    number = made(partner_id=cast.partner_a.id)
    db.write(mail_list.read, olga, number)
    assert sides(f"Mail {number} (invitation) to ash@people.example read") == [None, cast.partner_a.id]
    of_nobody = made()
    db.write(mail_list.read, olga, of_nobody)
    assert sides(f"Mail {of_nobody} ") == [None]


# --- the list -------------------------------------------------------------------------------------


def test_filters_orders_and_search(cast: Cast, olga: Actor) -> None:
    one = made(to="zoe@alpha.example", partner_id=cast.partner_a.id)
    two = failed(to="Adam@beta.example", kind="bill", partner_id=cast.partner_b.id)
    three = made(kind="usage report", state=MailState.SENT)
    assert ids(seen(olga)) == [three, two, one]
    assert ids(seen(olga, sort="recipient")) == [two, three, one]
    assert ids(seen(olga, sort="kind")) == [two, one, three]
    assert ids(seen(olga, state="failed")) == [two]
    assert ids(seen(olga, kind="usage report")) == [three]
    assert ids(seen(olga, partner=cast.partner_a.code)) == [one]
    assert ids(seen(olga, search="ADAM@")) == [two]
    assert ids(seen(olga, search="example", kind="bill")) == [two]
    assert ids(seen(olga, search="%")) == []
    assert db.read(mail_list.kinds, olga) == ["bill", "invitation", "usage report"]
    row = seen(olga, state="failed").rows[0]
    assert (row.partner, row.attempts, row.fault, row.may_send, row.may_drop) == (
        cast.partner_b.code,
        3,
        "The mail server refused this address (550).",
        True,
        False,
    )


# --- Send again, Drop -----------------------------------------------------------------------------


def test_a_mail_that_was_given_up_is_tried_anew(cast: Cast, olga: Actor) -> None:
    number = failed(partner_id=cast.partner_a.id, queued_at=clock.now() - outbox.GIVE_UP - timedelta(days=1))
    message = mail(number).message_id
    db.write(mail_list.send_again, olga, number)
    again = mail(number)
    assert (again.state, again.attempts, again.fault, again.finished_at) == (MailState.WAITING, 0, "", None)
    assert again.message_id == message
    # It isn't given up at once for its age.
    db.write(outbox.give_up, clock.now())
    taken = db.write(outbox.claim, clock.now())
    assert taken is not None
    assert taken.id == number
    assert sides(f"Mail {number} (invitation) to ash@people.example sent again") == [None, cast.partner_a.id]
    with pytest.raises(Conflict):
        db.write(mail_list.send_again, olga, number)


@pytest.mark.parametrize("given", [{"sealed": None, "next_at": None}, {"to": "no address"}, {"state": MailState.SENT}])
def test_what_is_not_sent_again(cast: Cast, olga: Actor, given: dict[str, Any]) -> None:
    number = made(**{"state": MailState.FAILED} | given)
    assert not db.read(mail_list.one, olga, number).may_send
    with pytest.raises(Conflict):
        db.write(mail_list.send_again, olga, number)
    with pytest.raises(NotFound):
        db.write(mail_list.send_again, olga, number + 1)


def test_a_waiting_mail_is_dropped_and_nobody_sends_it(cast: Cast, olga: Actor) -> None:
    number = made(partner_id=cast.partner_a.id)
    db.write(mail_list.drop, olga, number)
    assert (mail(number).state, mail(number).fault) == (MailState.FAILED, outbox.DROPPED)
    assert not db.read(outbox.is_due, clock.now())
    assert sides(f"Mail {number} (invitation) to ash@people.example dropped") == [None, cast.partner_a.id]
    with pytest.raises(Conflict, match="doesn't wait"):
        db.write(mail_list.drop, olga, number)
    db.write(mail_list.send_again, olga, number)
    assert mail(number).state == MailState.WAITING


def test_what_is_being_sent_is_not_dropped(cast: Cast, olga: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    number = made()
    taken = db.write(outbox.claim, clock.now())
    assert taken is not None
    with pytest.raises(Conflict, match="being sent"):
        db.write(mail_list.drop, olga, number)
    db.write(outbox.sent, taken)
    assert mail(number).state == MailState.SENT
    # Of a deliverer that died nothing is left after its lease.
    other = made()
    db.write(outbox.claim, clock.now())
    later = clock.now() + outbox.LEASE
    monkeypatch.setattr(clock, "now", lambda: later)
    db.write(mail_list.drop, olga, other)
    assert mail(other).state == MailState.FAILED


# --- speed ----------------------------------------------------------------------------------------


@pytest.fixture
def many(cast: Cast) -> Cast:
    """20,000 mails: enough for the planner, whose choice doesn't depend on more."""

    def fill(session: Session) -> None:
        now = clock.now()
        rows = [
            {
                "message_id": f"<{number}@x>",
                "kind": ("bill", "invitation", "security")[number % 3],
                "partner_id": (cast.partner_a.id, cast.partner_b.id, None)[number % 3],
                "recipient": f"person{number}@people.example",
                "subject": "Hello",
                "sealed": b"x" * 200,
                "state": (MailState.SENT, MailState.FAILED)[number % 10 == 0],
                "attempts": 1,
                "claim": "",
                "fault": "",
                "queued_at": now,
                "next_at": now,
            }
            for number in range(20_000)
        ]
        session.execute(OutboxMail.__table__.insert(), rows)  # type: ignore[attr-defined]

    db.write(fill)
    learn()
    return cast


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"page": "300"},
        {"state": "failed"},
        {"kind": "bill"},
        {"partner": "ALPHA001"},
        {"sort": "recipient"},
        {"sort": "-kind"},
        {"sort": "state"},
        {"search": "son777@"},
    ],
)
def test_every_page_is_found_by_an_index(many: Cast, given: dict[str, str]) -> None:
    with asked() as statements:
        assert seen(many.actor("olga"), **given).rows
    plans = of_pages(statements, "outbox_mail")
    assert plans
    slow = [one for one in plans if "outbox_mail" in one.scanned]
    # Without a question, the newest by the key itself: a scan that stops after one page. PostgreSQL has no index of
    # the words in a mail or job, SQLite walks one that holds them.
    whole = {"page"} if db.engine().dialect.name == "sqlite" else {"page", "search"}
    assert len(slow) <= (1 if not given.keys() - whole else 0), slow
    assert "search" in given or not [one for one in plans if one.sorted], plans
