"""Delivery to a real mail server: what it takes, what it refuses, and what it does to us."""

import asyncio
from datetime import timedelta
from email.utils import parseaddr

import pytest
from sqlalchemy import update
from sqlmodel import col

from portal_app import clock, db
from portal_app.jobs import cycle, loop
from portal_app.mail import outbox as box
from portal_app.mail import smtp
from portal_app.mail.letter import Letter
from portal_app.models import MailState, OutboxMail
from tests.mail.conftest import deliver, outbox, put
from tests.mail.servers import SECRET, USER, Mailbox, certificate, check, free_port, mute, serving

pytestmark = pytest.mark.usefixtures("database")


def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    now = clock.now() + by
    monkeypatch.setattr(clock, "now", lambda: now)


def test_a_mail_arrives_whole(mailbox: Mailbox) -> None:
    letter = Letter(
        "Größe & 東京 " + "lang " * 30,
        ("Guten Tag <i>Müller</i>,", "second paragraph"),
        action=("Open it", "https://portal.example/reset?token=abc&x=1"),
        small=("Small",),
        items=(("Acme & <Sons>", "https://portal.example/accounts/1", "ends today"),),
    )
    put("ann@people.example", letter=letter)
    deliver()
    ((to, message),) = mailbox.taken
    mail = outbox()["ann@people.example"]
    assert (to, message["To"], message["Message-ID"]) == (mail.recipient, mail.recipient, mail.message_id)
    assert message["Subject"] == mail.subject
    assert parseaddr(message["From"]) == ("Keelson Backup", "portal@acme.example")
    text, html = (part.get_content() for part in message.iter_parts())
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert "\nhttps://portal.example/reset?token=abc&x=1\n" in text.replace("\r\n", "\n")
    assert "* Acme & <Sons>" in text
    assert "&lt;i&gt;Müller&lt;/i&gt;" in html
    assert 'href="https://portal.example/reset?token=abc&amp;x=1"' in html
    assert "Acme &amp; &lt;Sons&gt;" in html
    assert (mail.state, mail.fault, mail.attempts) == (MailState.SENT, "", 1)


def test_nothing_is_sent_twice(mailbox: Mailbox) -> None:
    put("ann@people.example", "bea@people.example")
    deliver()
    deliver()
    assert mailbox.recipients == ["ann@people.example", "bea@people.example"]
    assert mailbox.connections == 1


def test_a_refused_recipient_fails_alone_and_for_good(mailbox: Mailbox, monkeypatch) -> None:
    mailbox.answers = {"gone@people.example": "550 5.1.1 <secret words of the server>"}
    mailbox.data_answers = {"spam@people.example": "554 no"}
    put("gone@people.example", "spam@people.example", "ann@people.example")
    deliver()
    mails = outbox()
    assert mailbox.recipients == ["ann@people.example"]
    assert mails["gone@people.example"].fault == "The mail server refused this address (550)."
    assert mails["spam@people.example"].fault == "The mail server refused this message (554)."
    assert mails["gone@people.example"].state == mails["spam@people.example"].state == MailState.FAILED
    mailbox.answers, mailbox.data_answers = {}, {}
    later(monkeypatch, timedelta(days=1))
    deliver()
    assert mailbox.recipients == ["ann@people.example"]


@pytest.mark.parametrize("where", ["answers", "data_answers", "drops"])
def test_what_is_not_taken_now_is_tried_again_as_the_same_message(mailbox: Mailbox, monkeypatch, where: str) -> None:
    busy = "busy@people.example"
    setattr(mailbox, where, {busy} if where == "drops" else {busy: "451 later"})
    put(busy, "ann@people.example")
    deliver()
    first = outbox()[busy]
    assert mailbox.recipients == ["ann@people.example"]
    assert (first.state, first.attempts, first.claim) == (MailState.WAITING, 1, "")
    assert first.fault
    deliver()
    assert outbox()[busy].attempts == 1  # not before its time
    setattr(mailbox, where, set() if where == "drops" else {})
    later(monkeypatch, timedelta(minutes=2))
    deliver()
    assert mailbox.recipients == ["ann@people.example", busy]
    assert mailbox.taken[1][1]["Message-ID"] == first.message_id
    assert (outbox()[busy].state, outbox()[busy].fault) == (MailState.SENT, "")


def test_the_delays_grow_to_hours_and_vary() -> None:
    delays = [box.delay_after(attempts) for attempts in range(1, 30)]
    assert timedelta(seconds=48) <= delays[0] <= timedelta(seconds=72)
    assert delays[0] < delays[1] < delays[2] < delays[3] < delays[4]
    assert timedelta(hours=4) < max(delays) <= timedelta(hours=7.2)
    assert len({box.delay_after(1) for _ in range(9)}) > 1


def test_after_days_it_is_given_up(mailbox: Mailbox, monkeypatch) -> None:
    put("ann@people.example")
    later(monkeypatch, timedelta(days=4, minutes=1))
    put("bea@people.example")
    deliver()
    assert mailbox.recipients == ["bea@people.example"]
    assert outbox()["ann@people.example"].state == MailState.FAILED
    assert outbox()["ann@people.example"].fault == "No mail server took it within 4 days."


def test_a_dead_server_costs_one_connection_and_no_mail_an_attempt(use) -> None:
    use(free_port())
    put("ann@people.example", "bea@people.example")
    with pytest.raises(smtp.Unreachable, match="can't be reached"):
        deliver()
    assert {(mail.state, mail.attempts) for mail in outbox().values()} == {(MailState.WAITING, 0)}
    with serving(mailbox := Mailbox()) as port:
        use(port)
        deliver()
    assert sorted(mailbox.recipients) == ["ann@people.example", "bea@people.example"]


@pytest.mark.parametrize(("greeting", "drip"), [(b"", b""), (b"220 hello\r\n", b""), (b"", b"2"), (b"", b"220-x\r\n")])
def test_a_server_that_hangs_or_drips_is_left(use, monkeypatch, greeting: bytes, drip: bytes) -> None:
    monkeypatch.setattr(smtp, "SECONDS", 0.5)
    put("ann@people.example")
    with mute(greeting, drip) as port:
        use(port)
        with pytest.raises(smtp.Unreachable, match="did not answer in time"):
            asyncio.run(asyncio.wait_for(loop.delivery.deliver(), 10))
    assert outbox()["ann@people.example"].state == MailState.WAITING


def test_a_server_that_hangs_at_a_message_delays_that_message(mailbox: Mailbox, monkeypatch) -> None:
    monkeypatch.setattr(smtp, "SECONDS", 1)
    real = mailbox.handle_DATA

    async def handle_data(server, session, envelope) -> str:
        if envelope.rcpt_tos == ["slow@people.example"]:
            await asyncio.sleep(30)
        return await real(server, session, envelope)

    monkeypatch.setattr(mailbox, "handle_DATA", handle_data)
    put("slow@people.example", "ann@people.example")
    deliver()
    assert mailbox.recipients == ["ann@people.example"]
    assert outbox()["slow@people.example"].fault == "The mail server did not answer in time."


def test_a_refused_sender_is_a_matter_of_the_settings(mailbox: Mailbox) -> None:
    mailbox.sender_answer = "553 not yours"
    put("ann@people.example")
    with pytest.raises(smtp.Unreachable, match=r"portal@acme\.example"):
        deliver()
    mailbox.sender_answer = ""
    deliver()
    assert mailbox.recipients == ["ann@people.example"]


def test_signing_in_over_starttls(use, tmp_path, monkeypatch) -> None:
    context, trusted = certificate(tmp_path)
    options = {"tls_context": context, "require_starttls": True, "authenticator": check, "auth_required": True}
    with serving(mailbox := Mailbox(), **options) as port:
        put("ann@people.example")
        use(port, security="starttls", username=USER, password=SECRET)
        with pytest.raises(smtp.Unreachable, match="certificate"):
            deliver()
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        use(port, security="starttls", username=USER, password="wrong")
        with pytest.raises(smtp.Unreachable, match=r"name or password \(535\)") as refused:
            deliver()
        assert "wrong" not in str(refused.value)
        use(port, security="starttls", username=USER, password=SECRET)
        deliver()
    assert mailbox.recipients == ["ann@people.example"]


def test_tls_from_the_first_byte(use, tmp_path, monkeypatch) -> None:
    context, trusted = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with serving(mailbox := Mailbox(), ssl_context=context) as port:
        use(port, security="tls")
        put("ann@people.example")
        deliver()
    assert mailbox.recipients == ["ann@people.example"]


def test_without_the_encryption_that_the_settings_ask_for_nothing_is_sent(mailbox: Mailbox, use, monkeypatch) -> None:
    use(smtp.settings().smtp_port, security="starttls")
    put("ann@people.example")
    with pytest.raises(smtp.Unreachable, match="does not offer"):
        deliver()
    assert mailbox.taken == []


def test_addresses_beyond_ascii(mailbox: Mailbox) -> None:
    put("info@bäckerei.example", "jürgen@people.example")
    deliver()
    assert mailbox.recipients == ["info@xn--bckerei-5wa.example"]
    assert "characters" in outbox()["jürgen@people.example"].fault


def test_addresses_beyond_ascii_where_the_server_takes_them(use) -> None:
    with serving(mailbox := Mailbox(), enable_SMTPUTF8=True) as port:
        use(port)
        put("jürgen@people.example")
        deliver()
    assert mailbox.recipients == ["jürgen@people.example"]
    assert mailbox.taken[0][1]["To"] == "jürgen@people.example"


def test_a_text_that_can_not_be_opened_fails_alone(mailbox: Mailbox) -> None:
    put("lost@people.example", "ann@people.example")
    db.write(lambda session: session.execute(update(OutboxMail).where(col(OutboxMail.id) == 1).values(sealed=b"\0")))
    deliver()
    assert mailbox.recipients == ["ann@people.example"]
    assert "encryption key" in outbox()["lost@people.example"].fault


def test_the_text_is_blanked_some_days_after_the_end(mailbox: Mailbox, monkeypatch) -> None:
    put("ann@people.example")
    deliver()
    db.write(cycle.prune, clock.now())
    assert outbox()["ann@people.example"].sealed
    later(monkeypatch, timedelta(days=7, minutes=1))
    put("bea@people.example")
    db.write(cycle.prune, clock.now())
    assert outbox()["ann@people.example"].sealed is None
    assert outbox()["bea@people.example"].sealed
    later(monkeypatch, timedelta(days=31))
    db.write(cycle.prune, clock.now())
    assert outbox()["bea@people.example"].state == MailState.FAILED


def test_the_server_process_sends_by_itself(mailbox: Mailbox, monkeypatch) -> None:
    async def live() -> None:
        task = asyncio.ensure_future(loop.mail_delivery())
        await asyncio.to_thread(put, "ann@people.example")
        assert await asyncio.to_thread(mailbox.arrived.wait, 20)
        task.cancel()
        await asyncio.wait([task], timeout=20)
        assert task.done()

    monkeypatch.setattr(loop, "MAIL_SECONDS", 0.05)
    asyncio.run(live())


def test_the_server_process_goes_on_after_faults_and_waits_longer(use, monkeypatch, caplog) -> None:
    pauses: list[float] = []
    words = "what only the database may know"

    async def deliver_badly(_attach) -> None:
        raise RuntimeError(words) if len(pauses) == 3 else smtp.Unreachable("It is dead.")

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) > 9:
            raise asyncio.CancelledError

    use(1)
    monkeypatch.setattr(loop.delivery, "deliver", deliver_badly)
    monkeypatch.setattr(loop.asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(loop.mail_delivery())
    assert pauses[:3] == [10, 20, 40]
    assert max(pauses) == 300
    assert "It is dead." in caplog.text
    assert words not in caplog.text


def test_without_a_mail_server_the_outbox_keeps_it() -> None:
    put("ann@people.example")
    asyncio.run(asyncio.wait_for(loop.mail_delivery(), 1))
    assert outbox()["ann@people.example"].state == MailState.WAITING
