"""Adding, changing, disabling and deleting a customer's users, and what follows from it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlmodel import col, func, select

from portal_app import db
from portal_app.auth import sessions
from portal_app.auth.permissions import CUSTOMER_OPERATIONS, Permission
from portal_app.customer_users import service
from portal_app.customer_users.query import CustomerUserQuery
from portal_app.customer_users.rows import UserForm
from portal_app.errors import Conflict, Invalid, PortalError
from portal_app.models import LoginSession, User, UserKind, UserState
from portal_app.users import invitations
from tests import factories
from tests.cast import HERE, Cast, token_of
from tests.customer_users.people import MANAGES, RESTORES, added, colleague, grant
from tests.users.people import audit, by_email, link_of, mails, row

PASSWORD = "a rather odd phrase 7"


def test_a_user_is_invited_and_has_just_what_was_ticked(cast: Cast) -> None:
    nora = added(cast, RESTORES)
    assert (nora.kind, nora.account_id, nora.state) == (UserKind.CUSTOMER, cast.accounts_a[0].id, UserState.INVITED)
    assert "Alpha has given you access" in str(mails(nora.email)[-1][1]["paragraphs"])
    told = audit()[-1]
    assert (told.account_id, told.partner_id) == (cast.accounts_a[0].id, cast.partner_a.id)
    assert told.description == "Added Nora@Customers.example (Access accounts, Restore data) and sent an invitation."
    invitations.accept(link_of(nora.email), PASSWORD, PASSWORD, HERE)
    actor = db.read(sessions.identify, token_of(row(nora.id)), HERE)
    assert (actor.account_id, actor.permissions) == (cast.accounts_a[0].id, CUSTOMER_OPERATIONS | {RESTORES})


def test_a_user_with_the_permission_invites_another(cast: Cast) -> None:
    dave = factories.actor(grant(cast.dave, MANAGES, RESTORES))
    service.add(dave, dave.account_id or 0, UserForm(name="N", email="n@new.example", permissions=(RESTORES.value,)))
    told = audit()[-1]
    assert (told.performed_by, told.partner_id, told.account_id) == (dave.email, cast.partner_a.id, dave.account_id)
    assert by_email("n@new.example").permissions == [RESTORES.value]


def test_the_address_must_be_free_in_the_whole_portal_but_for_the_accounts_own(cast: Cast) -> None:
    for taken in (" ALICE@people.example", cast.accounts_b[0].email, cast.dave.email.upper()):
        with pytest.raises(Invalid) as refused:
            added(cast, email=taken)
        assert "belongs to another" in refused.value.fields["email"]
    assert added(cast, email=cast.accounts_a[0].email).account_id == cast.accounts_a[0].id


def test_faults_stand_by_their_fields(cast: Cast) -> None:
    with pytest.raises(Invalid) as refused:
        service.add(cast.actor("alice"), cast.accounts_a[0].id or 0, UserForm(name=" ", email="nobody"))
    assert set(refused.value.fields) == {"name", "email"}


def test_a_changed_permission_counts_at_the_next_event_and_is_mailed(cast: Cast) -> None:
    account_id, dave = cast.accounts_a[0].id or 0, cast.dave
    token = token_of(dave)
    change = UserForm(name=dave.name, permissions=(RESTORES.value,))
    service.change(cast.actor("alice"), account_id, dave.id or 0, dave.version, change)
    assert db.read(sessions.identify, token, HERE).permissions == CUSTOMER_OPERATIONS | {RESTORES}
    assert "now also: Restore data" in str(mails(dave.email)[-1][1]["paragraphs"])
    assert (audit()[-1].activity, audit()[-1].account_id) == ("Permissions changed", account_id)
    change = replace(change, permissions=())
    service.change(cast.actor("alice"), account_id, dave.id or 0, row(dave.id).version, change)
    assert db.read(sessions.identify, token, HERE).permissions == CUSTOMER_OPERATIONS


def test_who_saves_over_a_newer_version_is_told(cast: Cast) -> None:
    account_id, dave = cast.accounts_a[0].id or 0, cast.dave
    service.change(cast.actor("alice"), account_id, dave.id or 0, dave.version, UserForm(name="David"))
    with pytest.raises(Conflict, match="meanwhile"):
        service.change(cast.actor("alice"), account_id, dave.id or 0, dave.version, UserForm(name="Dai"))
    assert row(dave.id).name == "David"


def test_disabled_is_signed_out_and_enabled_may_come_back(cast: Cast) -> None:
    account_id, dave = cast.accounts_a[0].id or 0, cast.dave
    token_of(dave)
    service.disable(cast.actor("alice"), account_id, dave.id or 0, dave.version)
    assert row(dave.id).state == UserState.DISABLED
    of_dave = select(func.count()).where(LoginSession.user_id == dave.id)
    assert db.read(lambda session: session.scalar(of_dave)) == 0
    service.enable(cast.actor("alice"), account_id, dave.id or 0, row(dave.id).version)
    assert row(dave.id).state == UserState.ACTIVE
    assert [kind for kind, _ in mails(dave.email)] == ["user management"] * 2


def test_deleted_is_gone_but_for_the_audit(cast: Cast) -> None:
    service.remove(cast.actor("alice"), cast.accounts_a[0].id or 0, cast.dave.id or 0, cast.dave.version)
    assert row(cast.dave.id) is None
    assert audit()[-1].description == f"Deleted {cast.dave.email} (Access accounts)."


def test_a_new_invitation_voids_the_one_before(cast: Cast) -> None:
    nora = added(cast)
    first = link_of(nora.email)
    service.resend(cast.actor("alice"), cast.accounts_a[0].id or 0, nora.id or 0)
    assert link_of(nora.email) != first
    with pytest.raises(PortalError, match="used already"):
        db.read(invitations.look, first, HERE)


def test_the_list_holds_the_accounts_own_users_only(cast: Cast) -> None:
    db.write(colleague, cast.accounts_a[1].id)
    nora = added(cast)
    page = db.read(service.list_page, cast.actor("alice"), CustomerUserQuery(account_id=cast.accounts_a[0].id or 0))
    assert [one.email for one in page.rows] == [cast.dave.email, nora.email]
    query = CustomerUserQuery(account_id=cast.accounts_a[0].id or 0, search="nor", state="invited")
    found = db.read(service.list_page, cast.actor("alice"), query)
    assert ([one.id for one in found.rows], found.matching, found.total) == ([nora.id], 1, 2)


def test_two_who_take_each_others_permission_come_one_after_the_other(office: Cast) -> None:
    """Whoever is second manages nobody any more."""
    account_id = office.accounts_a[0].id or 0
    dora = db.write(colleague, account_id, permissions=[MANAGES.value])
    dave = grant(office.dave, MANAGES)

    def take(actor: User, target: User) -> str:
        try:
            wanted = UserForm(name=target.name, permissions=())
            service.change(factories.actor(actor), account_id, target.id or 0, target.version, wanted)
        except PortalError as refusal:
            return refusal.sentence
        return "done"

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(take, (dave, dora), (dora, dave)))
    assert sorted(answers) == sorted(["done", Permission.CUSTOMER_USERS_MANAGE.refusal])
    wanted = select(User).where(col(User.id).in_([dave.id, dora.id]))
    left = db.read(lambda session: [user for user in session.scalars(wanted) if user.permissions])
    assert len(left) == 1
