"""An account's part of what was settled of a bill: an invoice paid in part is owed in part."""

import sqlalchemy as sa

from alembic import op

revision = "20261125_settled_shares"
down_revision = "20261124_billing"
branch_labels = None
depends_on = None

_IN_PART = """
    SELECT share.bill_id, share.account_id, share.amount_minor, bill.total_minor, bill.settled_minor
    FROM bill_share AS share JOIN bill ON bill.id = share.bill_id
    WHERE bill.settled_minor <> 0 AND bill.settled_minor <> bill.total_minor
    ORDER BY share.bill_id, share.account_id
"""
_SETTLED = """
    UPDATE bill_share SET settled_minor = amount_minor
    WHERE bill_id IN (SELECT id FROM bill WHERE settled_minor = total_minor)
"""
_OWED = """
    UPDATE account SET amount_minor = (
        SELECT coalesce(sum(share.amount_minor - share.settled_minor), 0)
        FROM bill_share AS share JOIN bill ON bill.id = share.bill_id
        WHERE share.account_id = account.id AND bill.state = 'open'
    )
    WHERE status IN ('monthly', 'annual') AND id IN (
        SELECT share.account_id FROM bill_share AS share JOIN bill ON bill.id = share.bill_id
        WHERE bill.state = 'open' AND bill.settled_minor <> 0
    )
"""


def upgrade() -> None:
    op.add_column("bill_share", sa.Column("settled_minor", sa.BigInteger(), server_default="0", nullable=False))
    connection = op.get_bind()
    connection.execute(sa.text(_SETTLED))
    bills: dict[int, list[sa.Row]] = {}
    for row in connection.execute(sa.text(_IN_PART)):
        bills.setdefault(row.bill_id, []).append(row)
    for rows in bills.values():
        _share_out(connection, rows)
    connection.execute(sa.text(_OWED))


def _share_out(connection: sa.Connection, rows: list[sa.Row]) -> None:
    """By the largest remainders, so that the parts add up to what was settled."""
    parts = [divmod(row.settled_minor * row.amount_minor, row.total_minor) for row in rows]
    left = rows[0].settled_minor - sum(whole for whole, _ in parts)
    order = sorted(range(len(rows)), key=lambda n: (-parts[n][1], rows[n].account_id))
    lucky = set(order[:left])
    set_part = sa.text("UPDATE bill_share SET settled_minor = :part WHERE bill_id = :bill AND account_id = :account")
    for n, row in enumerate(rows):
        given = {"part": parts[n][0] + (n in lucky), "bill": row.bill_id, "account": row.account_id}
        connection.execute(set_part, given)


def downgrade() -> None:
    op.drop_column("bill_share", "settled_minor")
