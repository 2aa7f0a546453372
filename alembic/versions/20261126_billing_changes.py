"""What billing changes counts as a change of the partner, too: open pages and kept forecasts follow it.

Backup runs, the third thing a forecast is made of, change their account and are counted by that.
"""

from alembic import op

revision = "20261126_billing_changes"
down_revision = "20261124_billing"
branch_labels = None
depends_on = None

_CHANGED = """
INSERT INTO partner_change (partner_id, number) VALUES (NEW.partner_id, 1)
ON CONFLICT (partner_id) DO UPDATE SET number = partner_change.number + 1;
"""
_TABLES = ("subscription", "billing_profile", "bill", "payment_attempt")

# At the commit, and once for all rows: a transaction that held the partner's row from its first bill on would wait for
# those who hold an account and want that row next.
_POSTGRESQL = f"""
CREATE FUNCTION billing_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM partner_change
        WHERE partner_id = NEW.partner_id AND xmin::text = pg_current_xact_id()::xid::text
    ) THEN {_CHANGED} END IF;
    RETURN NULL;
END $$;
"""
_CONSTRAINT = """
CREATE CONSTRAINT TRIGGER {table}_told AFTER INSERT OR UPDATE ON {table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing_changed();
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_POSTGRESQL)
        for table in _TABLES:
            op.execute(_CONSTRAINT.format(table=table))
        return
    for table in _TABLES:
        for moment in ("insert", "update"):
            op.execute(f"CREATE TRIGGER {table}_told_{moment} AFTER {moment} ON {table} BEGIN {_CHANGED} END")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in _TABLES:
            op.execute(f"DROP TRIGGER {table}_told ON {table}")
        op.execute("DROP FUNCTION billing_changed()")
        return
    for table in _TABLES:
        for moment in ("insert", "update"):
            op.execute(f"DROP TRIGGER {table}_told_{moment}")
