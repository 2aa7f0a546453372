"""The lists are read by an index, in its order, however many tickets there are."""

from typing import Any

import pytest
from sqlalchemy import event

from portal_app import db
from portal_app.tickets import desk as provider
from portal_app.tickets import service
from portal_app.tickets.query import QueueQuery, TicketQuery
from tests.tickets.conftest import Desk


def plans(do: Any, *given: Any) -> list[str]:
    """The plans of the questions for rows of tickets that come in an order."""
    asked: list[tuple[str, Any]] = []

    def note(_connection, _cursor, statement: str, values: Any, *_rest: Any) -> None:
        if "FROM ticket" in statement and "ORDER BY" in statement and "LIMIT" in statement:
            asked.append((statement, values))

    event.listen(db.engine(), "before_cursor_execute", note)
    try:
        db.read(do, *given)
    finally:
        event.remove(db.engine(), "before_cursor_execute", note)
    assert asked
    with db.engine().connect() as connection:
        return [
            " / ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values))
            for sql, values in asked
        ]


@pytest.mark.parametrize(
    ("name", "index"),
    [("alice", "ix_ticket_partner_id_changed_at_id"), ("tess", "ix_ticket_opened_by_id_changed_at_id")],
)
def test_a_partners_list_is_read_in_the_order_of_an_index(desk: Desk, name: str, index: str) -> None:
    actor = desk.actor(name)
    for plan in plans(service.list_page, actor, TicketQuery()) + plans(service.latest, actor, 5):
        assert index in plan
        assert "TEMP B-TREE" not in plan
        assert "SCAN" not in plan


def test_the_queue_is_read_in_the_order_of_an_index(desk: Desk) -> None:
    olga = desk.actor("olga")
    for query in (QueueQuery(), QueueQuery(state="open"), QueueQuery(assigned="me")):
        (plan,) = plans(provider.queue, olga, query)
        assert "TEMP B-TREE" not in plan or query.assigned
        assert "ix_ticket_" in plan
