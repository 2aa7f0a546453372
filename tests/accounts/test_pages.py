"""Every page holds the same rows, whichever way they are found."""

from itertools import product
from random import Random

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from portal_app import db
from portal_app.accounts import repository
from portal_app.accounts.query import AccountQuery
from portal_app.auth.actor import Actor, system
from portal_app.models import Account
from tests import factories

STATUSES = ("trial_started", "trial_expired", "monthly", "annual")
BACKUPS, BILLINGS = ("none", "failed", "successful"), ("none", "current", "overdue")
WORDS = ("", "alpha", "be", "nothing")


@pytest.fixture
def actor(store: dict[str, str]) -> Actor:
    """A partner with 160 accounts whose statuses, names and sums repeat."""
    with db.writing() as session:
        partner, chooser = factories.partner(session), Random(11)
        place = factories.data_center(session).id
        for number in range(160):
            status = chooser.choice(STATUSES)
            factories.account(
                session,
                partner,
                name=f"{chooser.choice(('Alpha', 'Beta', 'Gamma'))} {number % 40:03}",
                data_center_id=place,
                status=status,
                backup_status=chooser.choice(BACKUPS),
                billing_status="none" if status.startswith("trial") else chooser.choice(BILLINGS),
                amount_minor=chooser.choice((0, 500, 900)),
                size_bytes=chooser.choice((0, 10, 20)),
            )
        return system(partner.id)


def all_ids(session: Session, actor: Actor, query: AccountQuery) -> list[int]:
    """The whole list, sorted by the database at once."""
    columns = [col(one) for one in repository._ORDER[query.sort]]
    order = [one.desc() if query.descending else one.asc() for one in columns]
    wanted = select(col(Account.id)).where(repository._where(session, actor, query)).order_by(*order)
    return list(session.scalars(wanted))


def test_pages_are_slices_of_the_whole_list(actor: Actor) -> None:
    with db.reading() as session:
        for status, backup, billing, words in product(
            ("", "monthly", "trial_expired"), ("", "failed"), ("", "overdue"), WORDS
        ):
            for sort, descending in product(AccountQuery.SORTS, (False, True)):
                query = AccountQuery(
                    search=words, status=status, backup=backup, billing=billing, sort=sort, descending=descending
                )
                expected = all_ids(session, actor, query)
                for number in range(1, len(expected) // 25 + 3):
                    found = repository.page(session, actor, AccountQuery(**_with_page(query, number)))
                    assert [row.id for row in found.rows] == expected[(number - 1) * 25 : number * 25], query
                    assert found.matching == len(expected)


def _with_page(query: AccountQuery, number: int) -> dict[str, object]:
    names = ("search", "status", "backup", "billing", "sort", "descending")
    return {name: getattr(query, name) for name in names} | {"page": number}
