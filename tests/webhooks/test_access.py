"""Who may have a webhook, and what it is told."""

from typing import Any

import pytest
from sqlmodel import Session

from portal_app import db
from portal_app.auth.actor import NOBODY, Actor
from portal_app.auth.permissions import Permission
from portal_app.backups.service import record_run
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.models import AuditEvent, Role, User, UserState, Webhook, WebhookDelivery
from portal_app.webhooks import emitting, service
from portal_app.webhooks.events import Event
from tests.backups.conftest import Cast, report, without
from tests.webhooks.conftest import change, deliver, deliveries, hooks, listen
from tests.webhooks.peers import Peer

URL = "https://receiver.example/hook"
BACKUPS = [Event.BACKUP_FAILED]


def acts(webhook_id: int, delivery_id: int) -> list[tuple[Any, ...]]:
    return [
        (service.log, webhook_id),
        (service.remove, webhook_id),
        (service.rotate, webhook_id),
        (service.send_test, webhook_id),
        (service.resend, delivery_id),
    ]


def emit(cast: Cast, event: Event = Event.BACKUP_FAILED, account: int | None = None) -> None:
    db.write(emitting.emit, cast.partner_id, event, {}, account or cast.account)


def test_only_who_manages_the_api(cast: Cast) -> None:
    listen(cast.alice, URL)
    emit(cast)
    for actor in (NOBODY, cast.customer, without(cast.alice, Permission.API_MANAGE)):
        for do, *given in [*acts(1, 1), (service.webhooks,), (service.add, URL, BACKUPS)]:
            with pytest.raises(Denied):
                db.write(do, actor, *given)
        with pytest.raises(Denied):
            db.write(service.change, actor, 1, URL, BACKUPS, active=False)
    assert len(hooks()) == len(deliveries()) == 1


def test_a_strangers_webhook_is_like_an_unknown_one(cast: Cast) -> None:
    listen(cast.alice, URL)
    emit(cast)
    for do, number in acts(1, 1):
        told = []
        for given in (number, 987):
            with pytest.raises(NotFound) as found:
                db.write(do, cast.charlie, given)
            told.append(found.value.sentence)
        assert told[0] == told[1]
    with pytest.raises(NotFound):
        db.write(service.change, cast.charlie, 1, URL, BACKUPS, active=False)
    assert db.read(service.webhooks, cast.charlie) == []
    assert hooks()[0].active


def test_nobody_lets_it_hear_more_than_they_may_know(cast: Cast) -> None:
    alice = without(cast.alice, Permission.BILLING_VIEW)
    assert Event.BILL_PAID not in service.known_to(alice)
    with pytest.raises(Denied):
        db.write(service.add, alice, URL, [Event.BILL_PAID])
    with pytest.raises(Denied):
        # Bob sees chosen accounts: of one that is gone nobody can say whose it was.
        db.write(service.add, cast.bob, URL, [Event.ACCOUNT_REMOVED])
    assert hooks() == []


@pytest.mark.parametrize("events", [[], ["no.such"], ["test"]])
def test_it_hears_something_of_the_list(cast: Cast, events: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        db.write(service.add, cast.alice, URL, events)
    assert list(refused.value.fields) == ["events"]


def test_nobody_listens_and_nothing_is_kept(cast: Cast) -> None:
    emit(cast)
    listen(cast.charlie, URL)
    listen(cast.alice, URL, Event.ACCOUNT_ADDED)
    emit(cast)
    assert deliveries() == []


def test_who_sees_chosen_accounts_hears_of_those(cast: Cast) -> None:
    listen(cast.bob, URL)
    for account in (cast.account, cast.other_account):
        db.write(record_run, cast.engine, report(cast, account=account, outcome="failed"))
    assert [one.event for one in deliveries()] == ["backup.failed"]
    assert f'"account_id":{cast.account},' in deliveries()[0].body


def test_bills_of_all_accounts_are_not_for_who_sees_some(cast: Cast) -> None:
    listen(cast.bob, URL)
    db.write(emitting.emit, cast.partner_id, Event.BILL_ISSUED, {})
    assert deliveries() == []


@pytest.mark.parametrize(
    "lost",
    [
        {"state": UserState.DISABLED},
        {"role": Role.CUSTOM, "permissions": [Permission.BILLING_VIEW]},
        {"all_accounts": False},
    ],
)
def test_who_lost_their_rights_hears_nothing(cast: Cast, peer: Peer, lost: dict[str, Any]) -> None:
    listen(cast.alice, peer.url)
    emit(cast)
    change(User, **lost)
    emit(cast)
    assert len(deliveries()) == 1
    deliver()
    assert peer.came == []
    assert (deliveries()[0].state, "no longer know" in deliveries()[0].fault) == ("failed", True)


def test_who_changes_a_webhook_gets_no_more_than_they_see(cast: Cast, peer: Peer) -> None:
    listen(cast.alice, URL)
    emit(cast, account=cast.other_account)
    # Bob turns it to himself: what waits ends, and sending it again by hand asks for his own rights.
    db.write(service.change, cast.bob, 1, peer.url, BACKUPS, active=True)
    assert (deliveries()[0].state, hooks()[0].created_by_id) == ("failed", cast.bob.user_id)
    db.write(service.resend, cast.bob, 1)
    deliver()
    assert peer.came == []
    emit(cast, account=cast.other_account)
    emit(cast, account=cast.account)
    deliver()
    assert [message.told["account_id"] for message in peer.came] == [cast.account]


def test_one_that_is_off_hears_nothing(cast: Cast, peer: Peer) -> None:
    listen(cast.alice, peer.url)
    emit(cast)
    db.write(service.change, cast.alice, 1, peer.url, BACKUPS, active=False)
    emit(cast)
    for do in (service.send_test, service.resend):
        with pytest.raises(Conflict):
            db.write(do, cast.alice, 1)
    deliver()
    assert (peer.came, [one.fault for one in deliveries()]) == ([], ["The webhook is off."])


def test_the_secret_is_kept_sealed_and_shown_once(cast: Cast) -> None:
    secret = listen(cast.alice, URL)
    other = db.write(service.rotate, cast.alice, 1)
    kept = db.read(lambda session: str([dict(row) for row in session.exec(_all(Webhook)).mappings()]))
    audit = db.read(lambda session: str([dict(row) for row in session.exec(_all(AuditEvent)).mappings()]))
    for one in (secret, other):
        assert one.startswith("whsec_")
        assert one not in kept + audit + str(db.read(service.webhooks, cast.alice))
    assert secret != other


def _all(model: Any) -> Any:
    return model.__table__.select()


def test_changes_are_audited_without_what_follows_the_question_mark(cast: Cast) -> None:
    listen(cast.alice, URL + "?key=hunter2")
    db.write(service.rotate, cast.alice, 1)
    db.write(service.remove, cast.alice, 1)

    def told(session: Session) -> list[str]:
        return [row.description for row in session.exec(_all(AuditEvent)).all() if row.activity == "API"]

    what = ["added", "got a new secret", "deleted"]
    assert db.read(told) == [f"Webhook to {URL} {one}" for one in what]
    assert deliveries() == db.read(lambda session: list(session.exec(_all(WebhookDelivery)))) == []


def test_a_partner_has_a_few(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST", 2)
    listen(cast.alice, URL)
    listen(cast.alice, URL)
    with pytest.raises(Invalid):
        listen(cast.alice, URL)
    listen(cast.charlie, URL)


def test_a_customers_user_has_none(cast: Cast) -> None:
    actor = Actor(kind=cast.customer.kind, account_id=cast.account, permissions=frozenset(Permission))
    with pytest.raises(NotFound):
        db.write(service.add, actor, URL, BACKUPS)
