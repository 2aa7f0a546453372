"""What was received of a bill in part is known of each account's share, too: what is owed adds up to the last cent."""

import sqlalchemy as sa

from alembic import op

revision = "20261126_shares_settled"
down_revision = "20261126_billing_changes"
branch_labels = None
depends_on = None

_PARTLY = "SELECT id, total_minor, settled_minor FROM bill WHERE state = 'open' AND settled_minor > 0"
_SHARES = "SELECT account_id, amount_minor FROM bill_share WHERE bill_id = :bill ORDER BY account_id"
_SETTLE = "UPDATE bill_share SET settled_minor = :part WHERE bill_id = :bill AND account_id = :account"


def upgrade() -> None:
    op.add_column("bill_share", sa.Column("settled_minor", sa.BigInteger(), server_default="0", nullable=False))
    connection = op.get_bind()
    for bill, total, settled in connection.execute(sa.text(_PARTLY)).all():
        seen = 0
        for account, amount in connection.execute(sa.text(_SHARES), {"bill": bill}).all():
            part = (seen + amount) * settled // total - seen * settled // total
            seen += amount
            connection.execute(sa.text(_SETTLE), {"part": part, "bill": bill, "account": account})


def downgrade() -> None:
    op.drop_column("bill_share", "settled_minor")
