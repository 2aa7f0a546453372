"""What is sent, and what happens when nobody takes it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from portal_app import clock, db
from portal_app.backups.service import record_run
from portal_app.jobs import cycle
from portal_app.models import AuditEvent, OutboxMail, Webhook, WebhookDelivery
from portal_app.webhooks import delivery, emitting, outbox, sending, service
from portal_app.webhooks.events import Event
from tests.backups.conftest import Cast, at_once, report
from tests.webhooks.conftest import change, deliver, deliveries, hooks, listen
from tests.webhooks.peers import Peer


@pytest.fixture
def secret(cast: Cast, peer: Peer) -> str:
    return listen(cast.alice, peer.url)


def emit(cast: Cast, **data: Any) -> None:
    db.write(emitting.emit, cast.partner_id, Event.BACKUP_FAILED, data, cast.account)


def due_now() -> None:
    change(WebhookDelivery, next_at=clock.now())


def test_a_run_is_told_signed_and_once(cast: Cast, peer: Peer, secret: str) -> None:
    run = report(cast, outcome="partial", message="3 of 7 were locked")
    for _ in range(2):
        db.write(record_run, cast.engine, run)
    deliver()
    deliver()
    assert len(peer.came) == 1
    message = peer.came[0]
    assert message.is_signed_with(secret)
    assert abs(int(message.headers["webhook-timestamp"]) - clock.now().timestamp()) < 60
    assert (message.told["type"], message.told["account_id"]) == ("backup.partial", cast.account)
    assert message.told["data"]["run"]["message"] == "3 of 7 were locked"
    assert message.headers["host"] in peer.url
    kept = deliveries()[0]
    assert (kept.state, kept.status, kept.fault, kept.attempts, kept.took_ms >= 0) == ("delivered", 200, "", 1, True)


def test_what_is_rolled_back_is_never_told(cast: Cast, peer: Peer, secret: str) -> None:
    def broken(session: Any) -> None:
        emitting.emit(session, cast.partner_id, Event.BACKUP_FAILED, {}, cast.account)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        db.write(broken)
    deliver()
    assert peer.came == []


def test_a_refusal_is_tried_again_with_the_same_bytes_and_id(cast: Cast, peer: Peer, secret: str) -> None:
    peer.answers += [500, 503]
    emit(cast)
    waits = []
    for _ in range(3):
        before = clock.now()
        deliver()
        waits.append(deliveries()[0].next_at and deliveries()[0].next_at - before)
        due_now()
    assert len({(message.id, message.body) for message in peer.came}) == 1
    assert len(peer.came) == 3
    assert all(message.is_signed_with(secret) for message in peer.came)
    assert timedelta(seconds=3) < waits[0] < timedelta(seconds=8) < waits[1] < timedelta(seconds=26)
    assert (deliveries()[0].state, waits[2], hooks()[0].failing_since) == ("delivered", None, None)


def test_delays_grow_to_hours_and_end(cast: Cast) -> None:
    waited = [outbox.delay_after(attempts) for attempts in range(1, 40)]
    assert max(waited) <= outbox.LONGEST_DELAY * 1.2
    assert sum(waited[:25], timedelta()) > outbox.GIVE_UP


@pytest.mark.parametrize(
    ("status", "told"),
    [(302, "It answered 302: redirects are not followed."), (404, "It answered 404."), (500, "It answered 500.")],
)
def test_the_log_says_what_was_answered(cast: Cast, peer: Peer, secret: str, status: int, told: str) -> None:
    peer.answers.append(status)
    emit(cast)
    deliver()
    kept = deliveries()[0]
    assert (kept.state, kept.status, kept.fault, len(peer.came)) == ("waiting", status, told, 1)
    row = db.read(service.log, cast.alice, 1).rows[0]
    assert (row.status, row.fault, row.attempts) == (status, told, 1)


def test_who_is_not_there_is_tried_again(cast: Cast, peer: Peer) -> None:
    listen(cast.alice, "http://127.0.0.1:9/hook")
    emit(cast)
    deliver()
    assert (deliveries()[0].fault, deliveries()[0].status) == ("It can't be reached.", None)


def test_who_hangs_is_left_and_holds_up_nobody(
    cast: Cast, peers: Callable[[], Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SECONDS", 5.0)
    slow, quick = peers(), peers()
    slow.hangs.set()
    listen(cast.alice, slow.url)
    for _ in range(20):
        emit(cast)
    listen(cast.alice, quick.url)

    async def run() -> None:
        done = asyncio.create_task(delivery.deliver())
        await asyncio.to_thread(slow.wait_for, delivery.OF_ONE)
        # Told while the other hangs already.
        await db.work(emitting.emit, cast.partner_id, Event.BACKUP_FAILED, {}, cast.account)
        await asyncio.to_thread(quick.wait_for, 1)
        assert len(slow.came) == delivery.OF_ONE
        slow.go.set()
        slow.hangs.clear()
        await done

    asyncio.run(asyncio.wait_for(run(), 20))
    assert [message.told["account_id"] for message in quick.came] == [cast.account]


def test_a_hanging_peer_costs_some_seconds(cast: Cast, peer: Peer, secret: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(sending, "SECONDS", 1.0)
    peer.hangs.set()
    emit(cast)
    deliver()
    kept = deliveries()[0]
    assert (kept.fault, kept.state) == ("There was no answer within 1 seconds.", "waiting")
    assert 1000 <= kept.took_ms < 5000


def test_what_a_killed_deliverer_held_comes_again_under_the_same_id(cast: Cast, peer: Peer, secret: str) -> None:
    emit(cast)
    first = db.write(outbox.claim, clock.now(), ())
    asyncio.run(sending.post(peer.url, {"webhook-id": first.event_id}, first.body.encode()))
    # Killed here. Until the lease ends nobody else takes it.
    deliver()
    assert len(peer.came) == 1
    due_now()
    deliver()
    assert [message.id for message in peer.came] == [first.event_id] * 2
    assert (deliveries()[0].state, deliveries()[0].attempts) == ("delivered", 2)
    # And whoever comes back too late changes nothing.
    db.write(outbox.settle, first, sending.Answer(500, "It answered 500.", 1))
    assert deliveries()[0].state == "delivered"


def test_several_deliverers_send_each_once(cast: Cast, peer: Peer, secret: str) -> None:
    for number in range(30):
        emit(cast, number=number)
    at_once(lambda _: deliver(), 4)
    assert sorted(message.told["data"]["number"] for message in peer.came) == list(range(30))
    assert {one.state for one in deliveries()} == {"delivered"}


def test_after_days_it_is_given_up_and_the_webhook_turned_off(cast: Cast, peer: Peer, secret: str) -> None:
    peer.answers += [500] * 3
    emit(cast)
    deliver()
    assert hooks()[0].failing_since is not None
    old = clock.now() - outbox.GIVE_UP
    change(WebhookDelivery, made_at=old, next_at=clock.now())
    change(Webhook, failing_since=old)
    deliver()
    assert (deliveries()[0].state, hooks()[0].active, hooks()[0].turned_off) == ("failed", False, "It answered 500.")

    def told(session: Any) -> Any:
        mails = [(mail.recipient, mail.subject) for mail in session.exec(select(OutboxMail))]
        return mails, [event.description for event in session.exec(select(AuditEvent)) if not event.completed]

    host = peer.url
    to = cast.alice.email
    assert db.read(told) == ([(to, "A webhook was turned off")], [f"Webhook to {host} turned off: It answered 500."])
    # Turned on again, what was missed can be sent.
    db.write(service.change, cast.alice, 1, peer.url, ["backup.failed"], active=True)
    peer.answers.clear()
    db.write(service.resend, cast.alice, 1)
    deliver()
    assert (deliveries()[0].state, hooks()[0].turned_off) == ("delivered", "")


def test_one_old_message_does_not_turn_off_who_answers_others(cast: Cast, peer: Peer, secret: str) -> None:
    peer.answers += [500]
    emit(cast)
    change(WebhookDelivery, made_at=clock.now() - outbox.GIVE_UP)
    deliver()
    assert (deliveries()[0].state, hooks()[0].active) == ("failed", True)


def test_who_is_gone_for_good_is_turned_off_at_once(cast: Cast, peer: Peer, secret: str) -> None:
    peer.answers += [410]
    emit(cast)
    deliver()
    assert (deliveries()[0].state, hooks()[0].active) == ("failed", False)


def test_a_test_and_a_resend_arrive(cast: Cast, peer: Peer, secret: str) -> None:
    db.write(service.send_test, cast.alice, 1)
    deliver()
    db.write(service.resend, cast.alice, 1)
    deliver()
    assert [message.told["type"] for message in peer.came] == ["test", "test"]
    assert peer.came[0].id == peer.came[1].id


def test_after_a_change_of_the_secret_both_sign_for_a_day(cast: Cast, peer: Peer, secret: str) -> None:
    new = db.write(service.rotate, cast.alice, 1)
    emit(cast)
    deliver()
    assert (peer.came[0].is_signed_with(secret), peer.came[0].is_signed_with(new)) == (True, True)
    change(Webhook, old_secret_until=clock.now())
    emit(cast)
    deliver()
    assert (peer.came[1].is_signed_with(secret), peer.came[1].is_signed_with(new)) == (False, True)


def test_a_webhook_that_is_deleted_takes_its_deliveries_along(cast: Cast, peer: Peer, secret: str) -> None:
    emit(cast)
    db.write(service.remove, cast.alice, 1)
    deliver()
    assert (deliveries(), hooks(), peer.came) == ([], [], [])


def test_the_log_is_kept_a_month(cast: Cast, peer: Peer, secret: str) -> None:
    emit(cast)
    deliver()
    emit(cast)
    db.write(cycle.prune, clock.now() + timedelta(days=29))
    assert len(deliveries()) == 2
    db.write(cycle.prune, clock.now() + timedelta(days=31))
    # What waits is no past.
    assert [one.state for one in deliveries()] == ["waiting"]


def test_a_defect_stops_neither_others_nor_the_message(
    cast: Cast, peer: Peer, secret: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    emit(cast)
    emit(cast)
    post, calls, detail = sending.post, [], "hunter" + str(2)

    async def once_broken(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 1:
            raise RuntimeError(detail)
        return await post(*given)

    monkeypatch.setattr(sending, "post", once_broken)
    deliver()
    assert sorted(one.state for one in deliveries()) == ["delivered", "waiting"]
    assert ("RuntimeError" in caplog.text, "hunter2" in caplog.text) == (True, False)
    due_now()
    deliver()
    assert {one.state for one in deliveries()} == {"delivered"}
