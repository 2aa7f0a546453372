"""The page's rules: who may change what, what can't be taken, what is audited."""

from dataclasses import replace

import pytest
from sqlmodel import Session, select

from portal_app import db
from portal_app.audit.tags import Activity
from portal_app.auth.permissions import Permission
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.models import AuditEvent, NotificationRecipient, NotificationSettings
from portal_app.notifications import service
from portal_app.notifications.rows import GeneralForm, RecipientForm
from tests.cast import Cast
from tests.notifications.news import letters, mails, recipient

pytestmark = pytest.mark.usefixtures("database")
ANN = RecipientForm("ann@readers.example", "Ann", ("summary", "trials"))


def overview(cast: Cast, name: str = "alice") -> service.Overview:
    return db.read(service.overview, cast.actor(name))


def audit() -> list[tuple[str, str]]:
    return db.read(lambda session: [(e.activity, e.description) for e in session.exec(select(AuditEvent))])


def add(cast: Cast, name: str = "alice", form: RecipientForm = ANN) -> None:
    db.write(service.add, cast.actor(name), form)


# Access


def acts(cast: Cast) -> list[tuple]:
    return [
        (service.overview,),
        (service.add, ANN),
        (service.change, 1, ANN),
        (service.delete, 1),
        (service.save_general, GeneralForm()),
        (service.send_test,),
    ]


@pytest.mark.parametrize("name", ["bob", "carol", "nina", "dave", "olga"])
def test_without_the_permission_nothing_is_shown_or_done(cast: Cast, name: str) -> None:
    add(cast)
    for act, *given in acts(cast):
        with pytest.raises(Denied):
            db.write(act, cast.actor(name), *given)


def test_who_sees_some_accounts_may_not_have_mail_about_all(cast: Cast) -> None:
    actor = replace(cast.actor("bob"), permissions=frozenset({Permission.NOTIFICATIONS_MANAGE}))
    for act, *given in acts(cast):
        with pytest.raises(Denied, match="you see some of them"):
            db.write(act, actor, *given)


def test_a_strangers_recipient_is_as_unknown_as_one_that_never_was(cast: Cast) -> None:
    add(cast)
    (ours,) = overview(cast).recipients
    for number in (ours.id, 98_765):
        for act, *given in ((service.change, number, ANN), (service.delete, number)):
            with pytest.raises(NotFound, match="There is no such recipient"):
                db.write(act, cast.actor("mallory"), *given)
    assert overview(cast).recipients == [ours]
    assert overview(cast, "mallory").recipients == []


def test_only_operators_turn_backup_radar_on(cast: Cast) -> None:
    for name in ("alice", "bob", "mallory", "dave"):
        with pytest.raises(Denied):
            db.write(service.turn_radar, cast.actor(name), cast.partner_a.code, True)
    with pytest.raises(NotFound):
        db.write(service.turn_radar, cast.actor("olga"), "NOBODY01", True)


# Behaviour


def test_a_recipient_is_added_changed_and_deleted(cast: Cast) -> None:
    add(cast)
    (ann,) = overview(cast).recipients
    assert (ann.email, ann.name, ann.kinds) == ("ann@readers.example", "Ann", ("summary", "trials"))
    db.write(service.change, cast.actor("alice"), ann.id, RecipientForm("ANN@Readers.example", "Anna", ("recovery",)))
    (anna,) = overview(cast).recipients
    assert (anna.id, anna.email, anna.name, anna.kinds) == (ann.id, "ANN@Readers.example", "Anna", ("recovery",))
    db.write(service.delete, cast.actor("alice"), ann.id)
    assert overview(cast).recipients == []
    assert audit() == [
        (Activity.SETTINGS_CHANGED, "Updated notification preferences for ann@readers.example"),
        (Activity.SETTINGS_CHANGED, "Updated notification preferences for ANN@Readers.example"),
        (Activity.SETTINGS_CHANGED, "Deleted notification recipient ANN@Readers.example"),
    ]


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (replace(ANN, email="ann"), "email"),
        (replace(ANN, email="bea@readers.example\r\nBcc: all@readers.example"), "email"),
        (replace(ANN, email="Bea@READERS.example"), "email"),
        (replace(ANN, name=""), "name"),
        (replace(ANN, name="A\nB"), "name"),
        (replace(ANN, kinds=()), "kinds"),
        (replace(ANN, kinds=("everything",)), "kinds"),
    ],
)
def test_what_can_not_be_taken(cast: Cast, form: RecipientForm, field: str) -> None:
    add(cast, form=replace(ANN, email="bea@readers.example"))
    with pytest.raises(Invalid) as refused:
        add(cast, form=form)
    assert refused.value.fields.keys() == {field}
    assert len(overview(cast).recipients) == 1


def test_two_partners_may_have_the_same_recipient(cast: Cast) -> None:
    add(cast)
    add(cast, "mallory")
    assert len(overview(cast, "mallory").recipients) == 1


def test_there_is_an_end_to_the_list(cast: Cast) -> None:
    def fill(session: Session) -> None:
        for number in range(service.MOST_RECIPIENTS):
            recipient(session, cast.partner_a, email=f"r{number}@readers.example")

    db.write(fill)
    with pytest.raises(Invalid, match="50 recipients already"):
        add(cast)


def test_the_general_settings(cast: Cast) -> None:
    assert overview(cast).general == GeneralForm("daily", "full", "attachment", "", "csv")
    chosen = GeneralForm("weekly", "exceptions", "link", "radar@readers.example", "zip")
    assert db.write(service.save_general, cast.actor("alice"), chosen)
    # Backup Radar is not turned on: what the form says of it counts for nothing.
    assert overview(cast).general == replace(chosen, radar_address="", radar_form="csv")
    assert not db.write(service.save_general, cast.actor("alice"), chosen)
    db.write(service.turn_radar, cast.actor("olga"), cast.partner_a.code, True)
    assert overview(cast).radar_enabled
    assert db.write(service.save_general, cast.actor("alice"), chosen)
    assert overview(cast).general == chosen
    assert overview(cast, "mallory").general == GeneralForm()
    assert audit() == [
        (Activity.SETTINGS_CHANGED, "Updated notification settings: frequency, exceptions only, detail"),
        (Activity.SETTINGS_CHANGED, "Backup Radar turned on for ALPHA001"),
        (Activity.SETTINGS_CHANGED, "Backup Radar turned on for ALPHA001"),
        (Activity.SETTINGS_CHANGED, "Updated notification settings: radar address, radar form"),
    ]


@pytest.mark.parametrize("field", ["frequency", "content", "detail", "radar_address", "radar_form"])
def test_a_choice_that_is_none(cast: Cast, field: str) -> None:
    db.write(service.turn_radar, cast.actor("olga"), cast.partner_a.code, True)
    with pytest.raises(Invalid) as refused:
        db.write(service.save_general, cast.actor("alice"), replace(GeneralForm(), **{field: "hourly"}))
    assert refused.value.fields.keys() == {field}
    assert overview(cast).general == GeneralForm()


def test_a_test_goes_to_every_recipient_by_name_once_a_minute(cast: Cast) -> None:
    with pytest.raises(Conflict, match="Add a recipient first"):
        db.write(service.send_test, cast.actor("alice"))
    add(cast)
    add(cast, form=RecipientForm("bea@readers.example", "Bea", ("recovery",)))
    add(cast, "mallory")
    for _ in range(2):
        assert db.write(service.send_test, cast.actor("alice")) == 2
    assert [mail.recipient for mail in mails()] == ["ann@readers.example", "bea@readers.example"]
    ann, bea = letters()
    assert ann.paragraphs[0] == "Hello Ann,"
    assert "Summary report, Trial accounts report" in ann.paragraphs[2]
    assert "every day" in ann.paragraphs[3]
    assert bea.paragraphs[0] == "Hello Bea,"
    assert len(bea.paragraphs) == 3
    assert audit()[-1] == (Activity.NOTIFICATION, "Test notification sent to 2 recipients")


def test_a_first_reader_of_summaries_is_not_told_of_all_the_past(cast: Cast) -> None:
    add(cast)

    def kept(session: Session) -> NotificationSettings | None:
        return session.get(NotificationSettings, cast.partner_a.id)

    def begin(session: Session) -> None:
        from_before = NotificationSettings(partner_id=cast.partner_a.id, summarised_until=cast.alice.created_at)
        session.add(from_before)

    db.write(begin)
    add(cast, form=RecipientForm("bea@readers.example", "Bea", ("summary",)))
    assert db.read(kept).summarised_until is not None
    for one in overview(cast).recipients:
        db.write(service.delete, cast.actor("alice"), one.id)
    add(cast)
    assert db.read(kept).summarised_until is None


def test_recipients_go_with_their_partner_only(cast: Cast) -> None:
    add(cast)
    db.write(lambda session: session.delete(session.get(type(cast.alice), cast.alice.id)))
    assert len(db.read(lambda session: session.exec(select(NotificationRecipient)).all())) == 1
