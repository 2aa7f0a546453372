"""The lists are read by an index, in its order, however many tickets there are."""

from typing import Any

import pytest

from portal_app import db
from portal_app.tickets import desk as provider
from portal_app.tickets import service
from portal_app.tickets.query import QueueQuery, TicketQuery
from tests.plans import Plan, asked, plan
from tests.tickets.conftest import Desk


def plans(do: Any, *given: Any) -> list[Plan]:
    """The plans of the questions for rows of tickets that come in an order."""
    with asked() as statements:
        db.read(do, *given)
    found = [one for one in statements if all(words in one[0] for words in ("FROM ticket", "ORDER BY", "LIMIT"))]
    assert found
    return [plan(one, few=True) for one in found]


@pytest.mark.parametrize(
    ("name", "index"),
    [("alice", "ix_ticket_partner_id_changed_at_id"), ("tess", "ix_ticket_opened_by_id_changed_at_id")],
)
def test_a_partners_list_is_read_in_the_order_of_an_index(desk: Desk, name: str, index: str) -> None:
    actor = desk.actor(name)
    for one in plans(service.list_page, actor, TicketQuery()) + plans(service.latest, actor, 5):
        assert index in one.indexes, one
        assert not one.sorted and "ticket" not in one.scanned, one


def test_the_queue_is_read_in_the_order_of_an_index(desk: Desk) -> None:
    olga = desk.actor("olga")
    for query in (QueueQuery(), QueueQuery(state="open"), QueueQuery(assigned="me")):
        (one,) = plans(provider.queue, olga, query)
        assert not one.sorted or query.assigned, one
        assert any(name.startswith("ix_ticket_") for name in one.indexes), one
