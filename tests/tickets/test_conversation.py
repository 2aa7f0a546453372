"""What is written, whose turn it is, who is told of it by mail and in the audit; on both databases."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from portal_app import clock, crypto, db
from portal_app.errors import Conflict, Denied, Invalid
from portal_app.live import number_of
from portal_app.mail.letter import unpack
from portal_app.mail.service import place_of
from portal_app.models import (
    AuditEvent,
    OutboxMail,
    PartnerState,
    Ticket,
    TicketFile,
    TicketMessage,
    TicketUpload,
    UserState,
)
from portal_app.settings import settings
from portal_app.tickets import desk as provider
from portal_app.tickets import kinds, service, uploads
from portal_app.tickets.query import QueueQuery, TicketQuery
from tests.tickets.conftest import Desk

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
SECRET = "They never pay in time."


def rows(model: Any) -> list[Any]:
    return db.read(lambda session: list(session.exec(select(model).order_by(col(model.id)))))


def now(desk: Desk) -> Ticket:
    return db.read(lambda session: session.get(Ticket, desk.ticket.id))


def mails() -> list[tuple[str, int | None, str]]:
    """Of each mail: to whom, whose it is, and all that it says."""
    found = []
    for mail in rows(OutboxMail):
        letter = unpack(crypto.unseal(mail.sealed, binding=place_of(mail)))
        said = "\n".join([letter.subject, *letter.paragraphs, *letter.small, *(letter.action or ())])
        found.append((mail.recipient, mail.partner_id, said))
    return found


def told() -> list[tuple[int | None, str, str]]:
    return [(row.partner_id, row.performed_by, row.description) for row in rows(AuditEvent)]


def test_opening_answering_closing_and_reopening(each_desk: Desk) -> None:
    tess, olga, ours = each_desk.actor("tess"), each_desk.actor("olga"), each_desk.cast.partner_a.id
    number = each_desk.ticket.id
    assert (now(each_desk).state, now(each_desk).queue_place) == ("open", 1)
    db.write(provider.answer, olga, number, now(each_desk).version, "Renew the consent.")
    assert (now(each_desk).state, now(each_desk).assigned_to_id) == ("answered", olga.user_id)
    db.write(service.reply, tess, number, now(each_desk).version, "Done.\r\nThank you.")
    assert now(each_desk).state == "open"
    db.write(service.close, tess, number, now(each_desk).version)
    assert now(each_desk).state == "closed"
    assert now(each_desk).closed_at is not None
    db.write(service.reply, tess, number, now(each_desk).version, "No, it is back.")
    assert (now(each_desk).state, now(each_desk).closed_at) == ("open", None)
    shown = db.read(service.show, tess, number).messages
    assert [(one.author, one.from_provider, one.text) for one in shown] == [
        ("Tess", False, "Since Monday."),
        ("Olga", True, "Renew the consent."),
        ("Tess", False, "Done.\nThank you."),
        ("Tess", False, "No, it is back."),
    ]
    assert [(to, whose) for to, whose, _ in mails()] == [
        (settings().support_email, None),
        ("tess@people.example", ours),
        (settings().support_email, None),
        (settings().support_email, None),
    ]
    first, answer, *_ = (said for _, _, said in mails())
    for part in (
        "ALPHA001",
        "It stopped",
        "Since Monday.",
        each_desk.account.name,
        f"/operator/tickets/{number}",
        "Tess",
    ):
        assert part in first
    for part in ("It stopped", "Renew the consent.", f"/support/tickets/{number}"):
        assert part in answer
    assert told() == [
        (ours, "tess@people.example", f"Ticket {number} opened"),
        (None, "olga@people.example", f"Ticket {number} answered"),
        (ours, "olga@people.example", f"Ticket {number} answered"),
        (ours, "tess@people.example", f"Ticket {number} written in"),
        (ours, "tess@people.example", f"Ticket {number} closed"),
        (ours, "tess@people.example", f"Ticket {number} reopened"),
    ]
    assert {(row.activity, row.account_name) for row in rows(AuditEvent)} == {
        ("Support ticket", each_desk.account.name)
    }


def test_of_an_internal_note_the_partner_learns_nothing(each_desk: Desk) -> None:
    tess, olga, number = each_desk.actor("tess"), each_desk.actor("olga"), each_desk.ticket.id
    before = db.read(service.show, tess, number), db.read(service.list_page, tess, TicketQuery()), mails()
    db.write(uploads.put, olga, number, "secret.png", PNG)
    db.write(provider.note, olga, number, SECRET)
    db.write(provider.assign, olga, number, None, olga.user_id)
    assert (db.read(service.show, tess, number), db.read(service.list_page, tess, TicketQuery()), mails()) == before
    assert [row for row in told() if row[0] is not None] == told()[:1]
    db.write(service.reply, tess, number, each_desk.ticket.version, "Still so.")
    shown = db.read(provider.show, olga, number)
    assert [(one.internal, one.text) for one in shown.shown.messages][1] == (True, SECRET)
    db.write(provider.answer, olga, number, now(each_desk).version, "Soon.")
    assert SECRET not in str(mails()) + str(db.read(service.show, tess, number)) + str(told())


def test_closing_by_somebody_else_is_mailed_to_the_opener(desk: Desk) -> None:
    db.write(service.close, desk.actor("alice"), desk.ticket.id, now(desk).version)
    db.write(provider.set_state, desk.actor("olga"), desk.ticket.id, now(desk).version, "open")
    db.write(provider.set_state, desk.actor("olga"), desk.ticket.id, now(desk).version, "closed")
    to = [(to, said.splitlines()[0]) for to, _, said in mails()][1:]
    assert to == [("tess@people.example", f"Ticket {desk.ticket.id} was closed: It stopped")] * 2


@pytest.mark.parametrize("lost", ["disabled", "permission", "account", "suspended", "deleted", "support"])
def test_an_opener_who_may_not_read_it_any_more_gets_no_mail(desk: Desk, lost: str) -> None:
    def lose(session) -> None:
        user = session.merge(desk.tess)
        if lost == "disabled":
            user.state = UserState.DISABLED
        if lost == "permission":
            user.permissions = ["dashboard:view"]
        if lost == "account":
            user.all_accounts = False
        if lost == "suspended":
            session.merge(desk.cast.partner_a).state = PartnerState.SUSPENDED
        if lost == "deleted":
            session.delete(user)
        if lost == "support":
            # A mail to where the portal's own mail goes would come back as a mail, for ever.
            user.email = settings().support_email

    db.write(lose)
    db.write(provider.answer, desk.actor("olga"), desk.ticket.id, now(desk).version, "Here you are.")
    assert len(mails()) == 1


@pytest.mark.parametrize("act", ["reply", "close", "answer", "set_state"])
def test_who_has_not_read_the_last_word_is_told_and_nothing_happens(each_desk: Desk, act: str) -> None:
    tess, olga, number, seen = (
        each_desk.actor("tess"),
        each_desk.actor("olga"),
        each_desk.ticket.id,
        now(each_desk).version,
    )
    db.write(service.reply, each_desk.actor("alice"), number, seen, "I was first.")
    acts: dict[str, Callable[[], Any]] = {
        "reply": lambda: db.write(service.reply, tess, number, seen, "Me too."),
        "close": lambda: db.write(service.close, tess, number, seen),
        "answer": lambda: db.write(provider.answer, olga, number, seen, "Well."),
        "set_state": lambda: db.write(provider.set_state, olga, number, seen, "closed"),
    }
    before = now(each_desk), len(rows(TicketMessage)), mails(), told()
    with pytest.raises(Conflict, match="Read it above"):
        acts[act]()
    assert (now(each_desk), len(rows(TicketMessage)), mails(), told()) == before


def test_closed_in_another_tab_while_typing_is_said_and_the_second_sending_reopens(desk: Desk) -> None:
    tess, number, seen = desk.actor("tess"), desk.ticket.id, now(desk).version
    db.write(service.close, tess, number, seen)
    with pytest.raises(Conflict, match="closed meanwhile"):
        db.write(service.reply, tess, number, seen, "One more thing.")
    with pytest.raises(Conflict, match="closed already"):
        db.write(service.close, tess, number, now(desk).version)
    db.write(service.reply, tess, number, now(desk).version, "One more thing.")
    assert now(desk).state == "open"


def test_two_operators_who_take_it_at_once_are_told(desk: Desk) -> None:
    olga, number = desk.actor("olga"), desk.ticket.id
    db.write(provider.assign, olga, number, None, olga.user_id)
    with pytest.raises(Conflict):
        db.write(provider.assign, olga, number, None, None)
    with pytest.raises(Invalid):
        db.write(provider.assign, olga, number, olga.user_id, desk.tess.id)
    db.write(provider.assign, olga, number, olga.user_id, None)
    assert now(desk).assigned_to_id is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("topic", ""),
        ("topic", "money"),
        ("subject", "  "),
        ("subject", "x" * 161),
        ("subject", "Bell\x07"),
        ("subject", "two\nlines"),
        ("text", " \n "),
        ("text", "x" * 10_001),
        ("text", "Bell\x07"),
        ("urgency", "now"),
        ("account_id", 987_654),
    ],
)
def test_what_cannot_be_taken_is_said_beside_its_field(desk: Desk, field: str, value: Any) -> None:
    good = {"topic": "other", "subject": "Hello", "text": "A\ttab and\na line"}
    with pytest.raises(Invalid) as refusal:
        db.write(service.open_ticket, desk.actor("tess"), **good | {field: value})
    assert list(refusal.value.fields) == [field]
    assert len(rows(Ticket)) == 1
    db.write(service.open_ticket, desk.actor("tess"), **good)


def test_so_many_an_hour_and_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "TICKETS_AN_HOUR", 2)
    monkeypatch.setattr(service, "MESSAGES_AN_HOUR", 3)
    tess, new = desk.actor("tess"), {"topic": "other", "subject": "Hello", "text": "There"}
    db.write(service.open_ticket, tess, **new)
    with pytest.raises(Denied, match="many tickets"):
        db.write(service.open_ticket, tess, **new)
    db.write(service.reply, tess, desk.ticket.id, now(desk).version, "Third.")
    with pytest.raises(Denied, match="many messages"):
        db.write(service.reply, tess, desk.ticket.id, now(desk).version, "Fourth.")
    db.write(service.open_ticket, desk.actor("theo"), **new)
    later = clock.now() + timedelta(hours=1, seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    db.write(service.open_ticket, tess, **new)


def test_files_of_the_form_go_with_the_message_and_only_then(each_desk: Desk) -> None:
    tess, number = each_desk.actor("tess"), each_desk.ticket.id
    for name in ("a.png", "../b\\c.png", "log.txt"):
        db.write(uploads.put, tess, number, name, PNG if name.endswith("png") else b"\xff\xfea\0")
    (first, *_) = db.read(uploads.waiting, tess, number)
    db.write(uploads.remove, tess, number, first.id)
    db.write(uploads.put, tess, 0, "other-form.png", PNG)
    db.write(service.reply, tess, number, now(each_desk).version, "See there.")
    sent = db.read(service.show, tess, number).messages[-1].files
    assert [(one.name, one.size_bytes) for one in sent] == [("c.png", len(PNG)), ("log.txt", 4)]
    assert [row.name for row in rows(TicketUpload)] == ["other-form.png"]
    assert {(row.name, row.media_type, row.data) for row in rows(TicketFile)} == {
        ("c.png", "image/png", PNG),
        ("log.txt", "text/plain", b"\xff\xfea\0"),
    }
    assert "With 2 files." in mails()[-1][2]
    made = db.write(service.open_ticket, tess, topic="change", subject="Elsewhere", text="Please.")
    assert db.read(service.show, tess, made.id).messages[0].files == ()
    made = db.write(service.open_ticket, tess, topic="other", subject="Picture", text="There.", from_form=True)
    assert [one.name for one in db.read(service.show, tess, made.id).messages[0].files] == ["other-form.png"]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("run.exe", b"MZ", kinds.WRONG_KIND),
        ("page.html", b"<script>", kinds.WRONG_KIND),
        ("picture.svg", b"<svg>", kinds.WRONG_KIND),
        ("none", b"x", kinds.WRONG_KIND),
        ("fake.png", b"<script>alert(1)</script>", kinds.NOT_ITS_KIND),
        ("fake.pdf", b"PK\x03\x04", kinds.NOT_ITS_KIND),
        ("fake.txt", b"MZ\0\0", kinds.NOT_ITS_KIND),
        ("empty.txt", b"", kinds.EMPTY),
        ("large.txt", b"x" * (kinds.MOST_BYTES + 1), kinds.TOO_LARGE),
    ],
)
def test_a_file_of_another_kind_or_too_large_is_not_taken(desk: Desk, name: str, data: bytes, sentence: str) -> None:
    with pytest.raises(Invalid) as refusal:
        db.write(uploads.put, desk.actor("tess"), 0, name, data)
    assert refusal.value.fields == {"files": sentence}
    assert rows(TicketUpload) == []


def test_five_files_and_no_more_and_what_nobody_sent_ends_after_a_day(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tess = desk.actor("tess")
    for _ in range(5):
        db.write(uploads.put, tess, 0, "a.png", PNG)
    with pytest.raises(Invalid):
        db.write(uploads.put, tess, 0, "a.png", PNG)
    later = clock.now() + uploads.KEPT
    monkeypatch.setattr(clock, "now", lambda: later)
    db.write(uploads.prune)
    assert rows(TicketUpload) == []


def test_the_account_that_vanished_while_typing(desk: Desk) -> None:
    tess = desk.actor("tess")
    assert db.read(service.start, tess, desk.account.id).account
    db.write(lambda session: session.delete(session.merge(desk.account)))
    with pytest.raises(Invalid, match="marked fields") as refusal:
        about = {"topic": "other", "subject": "x", "text": "y", "account_id": desk.account.id}
        db.write(service.open_ticket, tess, **about)
    assert "not there any more" in refusal.value.fields["account_id"]


def test_the_queue_has_what_waits_first_by_urgency_and_age(each_desk: Desk) -> None:
    olga, tess, alice = each_desk.actor("olga"), each_desk.actor("tess"), each_desk.actor("alice")
    made = {"normal": each_desk.ticket.id}
    for urgency, by in (("low", tess), ("urgent", alice), ("urgent", each_desk.actor("mallory"))):
        new = {"topic": "other", "subject": f"{urgency} of {by.name}", "text": "x", "urgency": urgency}
        made[f"{urgency} {by.name}"] = db.write(service.open_ticket, by, **new).id
    asked = {name: db.write(service.open_ticket, tess, topic="users", subject=name, text="x").id for name in "ac"}
    version = db.read(lambda session: session.get(Ticket, asked["a"])).version
    db.write(provider.answer, olga, asked["a"], version, "So.")
    version = db.read(lambda session: session.get(Ticket, asked["c"])).version
    db.write(service.close, tess, asked["c"], version)
    found = db.read(provider.queue, olga, QueueQuery())
    order = ["urgent Alice", "urgent Mallory", "normal", "low Tess"]
    assert [row.id for row in found.rows] == [made[name] for name in order] + [asked["a"], asked["c"]]
    assert (found.matching, found.total) == (6, 6)

    def ids(**asked_for: Any) -> list[int]:
        return [row.id for row in db.read(provider.queue, olga, QueueQuery(**asked_for)).rows]

    assert ids(assigned="me") == [asked["a"]]
    assert ids(partner="BETA0001") == [made["urgent Mallory"]]
    assert ids(state="closed") == [asked["c"]]
    assert ids(topic="users", state="answered") == [asked["a"]]
    assert ids(search="TESS@people") == [made["normal"], made["low Tess"], asked["a"], asked["c"]]
    assert ids(search=f"#{asked['c']}") == [asked["c"]]
    assert ids(search="100%") == []
    assert len(ids(size=25, page=2)) == 0


def test_open_pages_of_the_partner_are_told(each_desk: Desk) -> None:
    ours, olga = each_desk.cast.partner_a.id, each_desk.actor("olga")
    before = db.read(number_of, ours)
    db.write(provider.answer, olga, each_desk.ticket.id, now(each_desk).version, "Here.")
    after = db.read(number_of, ours)
    assert after != before
    db.write(provider.note, olga, each_desk.ticket.id, "For the other operators' pages.")
    assert db.read(number_of, ours) != after
