"""Who may not: without the permission, for another account, for oneself, beyond what one has."""

from collections.abc import Callable

import pytest

from portal_app import db
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import CUSTOMER_GRANTS, CUSTOMER_OPERATIONS, Permission, of_customer
from portal_app.customer_users import service
from portal_app.customer_users.query import CustomerUserQuery
from portal_app.customer_users.rows import UserForm
from portal_app.errors import NotFound, PortalError
from portal_app.models import User
from portal_app.users.rules import MORE_THAN_OWN, Refused
from tests import factories
from tests.cast import Cast
from tests.customer_users.people import MANAGES, RESTORES, added, colleague, grant
from tests.users.people import audit, row

Act = Callable[[Actor, int, User], object]
SAVED = UserForm(name="Other", permissions=())
OF_ONE: dict[str, Act] = {
    "change": lambda actor, account, user: service.change(actor, account, user.id or 0, user.version, SAVED),
    "disable": lambda actor, account, user: service.disable(actor, account, user.id or 0, user.version),
    "enable": lambda actor, account, user: service.enable(actor, account, user.id or 0, user.version),
    "remove": lambda actor, account, user: service.remove(actor, account, user.id or 0, user.version),
    "resend": lambda actor, account, user: service.resend(actor, account, user.id or 0),
}
ACTS: dict[str, Act] = OF_ONE | {
    "list": lambda actor, account, _: db.read(service.list_page, actor, CustomerUserQuery(account_id=account)),
    "add": lambda actor, account, _: service.add(actor, account, UserForm(name="N", email="n@new.example")),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("who", ["bob", "carol", "nina", "dave", "olga"])
def test_without_the_permission_nobody_sees_or_changes_any(cast: Cast, who: str, act: str) -> None:
    with pytest.raises(PortalError) as refused:
        ACTS[act](cast.actor(who), cast.accounts_a[0].id or 0, cast.dave)
    assert refused.value.sentence == Permission.CUSTOMER_USERS_MANAGE.refusal
    assert row(cast.dave.id) == cast.dave


@pytest.mark.parametrize("act", ACTS)
def test_another_account_is_as_if_there_were_none(cast: Cast, act: str) -> None:
    """For a stranger, for a customer's user of the next account, and for a colleague who sees others."""
    dora = db.write(colleague, cast.accounts_a[1].id)
    managers = (cast.mallory, grant(cast.dave, MANAGES), grant(cast.bob, MANAGES, *cast_rights(cast)))
    for user in managers:
        for account_id in (cast.accounts_a[1].id or 0, 99_999):
            with pytest.raises(NotFound, match=r"^There is no such account\.$"):
                ACTS[act](factories.actor(user), account_id, dora)
    assert row(dora.id) == dora


def cast_rights(cast: Cast) -> list[Permission]:
    return list(factories.actor(cast.bob).permissions)


@pytest.mark.parametrize("act", OF_ONE)
def test_somebody_elses_user_is_not_reached_through_ones_own_account(cast: Cast, act: str) -> None:
    own, foreign = cast.accounts_a[0].id or 0, db.write(colleague, cast.accounts_b[0].id)
    for target in (foreign, cast.irene, cast.olga, cast.dave.model_copy(update={"id": 1 << 40})):
        with pytest.raises(NotFound, match=r"^There is no such user\.$"):
            OF_ONE[act](cast.actor("alice"), own, target)
    assert row(foreign.id) == foreign


def test_nobody_grants_what_they_lack(cast: Cast) -> None:
    dave, account_id = factories.actor(grant(cast.dave, MANAGES)), cast.accounts_a[0].id or 0
    with pytest.raises(Refused, match=MORE_THAN_OWN):
        service.add(dave, account_id, UserForm(name="N", email="n@new.example", permissions=(RESTORES.value,)))
    nora = added(cast, RESTORES)
    with pytest.raises(Refused, match=MORE_THAN_OWN):
        service.change(dave, account_id, nora.id or 0, nora.version, _form(RESTORES, Permission.TASKS_DELETE))
    assert audit()[-1].description == f"Refused for {nora.email}: {MORE_THAN_OWN}"
    assert (audit()[-1].completed, audit()[-1].account_id) == (False, account_id)
    # What Dave lacks stays as it is, whatever the form says.
    service.change(dave, account_id, nora.id or 0, nora.version, _form(MANAGES))
    assert of_customer(row(nora.id).permissions) == CUSTOMER_OPERATIONS | {MANAGES, RESTORES}


def _form(*permissions: Permission) -> UserForm:
    return UserForm(name="Nora", permissions=tuple(p.value for p in permissions))


@pytest.mark.parametrize("permission", sorted(frozenset(Permission) - CUSTOMER_GRANTS - CUSTOMER_OPERATIONS))
def test_some_things_no_customer_is_ever_given(cast: Cast, permission: Permission) -> None:
    with pytest.raises(Refused, match=service.NOT_FOR_CUSTOMERS):
        added(cast, permission)
    # Nor does it count when it got into the row in another way.
    assert factories.actor(grant(cast.dave, permission)).permissions == CUSTOMER_OPERATIONS


@pytest.mark.parametrize("act", ["change", "disable", "remove"])
def test_nobody_changes_their_own_permissions(cast: Cast, act: str) -> None:
    dave = grant(cast.dave, MANAGES)
    with pytest.raises(Refused, match=service.OWN_PERMISSIONS):
        OF_ONE[act](factories.actor(dave), cast.accounts_a[0].id or 0, dave)
    assert row(dave.id) == dave


def test_one_may_put_ones_own_name_right(cast: Cast) -> None:
    dave, account_id = grant(cast.dave, MANAGES), cast.accounts_a[0].id or 0
    service.change(factories.actor(dave), account_id, dave.id or 0, dave.version, UserForm(name="David"))
    assert (row(dave.id).name, row(dave.id).permissions) == ("David", [MANAGES.value])


def test_who_lost_the_permission_since_the_page_was_read_is_refused(cast: Cast) -> None:
    before = factories.actor(grant(cast.dave, MANAGES))
    grant(cast.dave)
    with pytest.raises(PortalError, match="customer's users"):
        service.add(before, cast.accounts_a[0].id or 0, UserForm(name="N", email="n@new.example"))
