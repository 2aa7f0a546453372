"""The audit's rows are chained by their hashes, can't be changed or deleted, and are found by an index."""

from collections import defaultdict

import sqlalchemy as sa

from alembic import op
from portal_app.audit.chain import NO_PARTNER, link
from portal_app.models.base import Instant

revision = "20261124_audit_chain"
down_revision = "20261124_users"
branch_labels = None
depends_on = None

_ROWS = sa.table(
    "audit_event",
    *(sa.column(n, sa.Integer) for n in ("id", "partner_id", "number", "account_id", "user_id")),
    *(
        sa.column(n, sa.String)
        for n in ("account_name", "performed_by", "activity", "description", "address", "browser")
    ),
    sa.column("completed", sa.Boolean),
    sa.column("made_at", Instant),
    sa.column("previous_hash", sa.String),
    sa.column("hash", sa.String),
)
_CHAINS = sa.table("audit_chain", sa.column("chain"), sa.column("number"), sa.column("hash"))
_AT_ONCE = 5_000
_INDEXES = {
    "ix_audit_event_partner_id_made_at_number": ["partner_id", "made_at", "number"],
    "ix_audit_event_partner_id_activity_made_at_number": ["partner_id", "activity", "made_at", "number"],
    "ix_audit_event_partner_id_account_id_made_at_number": ["partner_id", "account_id", "made_at", "number"],
    "ix_audit_event_partner_id_performed_by_made_at_number": ["partner_id", "performed_by", "made_at", "number"],
}

_WORDS = "the audit is only ever added to"
# REPLACE would delete a row without asking the trigger for deletions.
_SQLITE = {
    "audit_event_unchanged": f"BEFORE UPDATE ON audit_event BEGIN SELECT RAISE(ABORT, '{_WORDS}'); END",
    "audit_event_undeleted": f"BEFORE DELETE ON audit_event BEGIN SELECT RAISE(ABORT, '{_WORDS}'); END",
    "audit_event_unreplaced": "BEFORE INSERT ON audit_event WHEN EXISTS (SELECT 1 FROM audit_event WHERE id = NEW.id"
    " OR (partner_id = NEW.partner_id AND number = NEW.number))"
    f" BEGIN SELECT RAISE(ABORT, '{_WORDS}'); END",
    "audit_chain_grows": "BEFORE UPDATE ON audit_chain WHEN NEW.number <= OLD.number OR NEW.chain <> OLD.chain"
    f" BEGIN SELECT RAISE(ABORT, '{_WORDS}'); END",
    "audit_chain_undeleted": f"BEFORE DELETE ON audit_chain BEGIN SELECT RAISE(ABORT, '{_WORDS}'); END",
}
_POSTGRESQL = f"""
CREATE FUNCTION audit_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{_WORDS}' USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE TRIGGER audit_event_kept BEFORE UPDATE OR DELETE ON audit_event FOR EACH ROW EXECUTE FUNCTION audit_kept();
CREATE TRIGGER audit_event_whole BEFORE TRUNCATE ON audit_event EXECUTE FUNCTION audit_kept();
CREATE TRIGGER audit_chain_grows BEFORE UPDATE ON audit_chain FOR EACH ROW
    WHEN (NEW.number <= OLD.number OR NEW.chain <> OLD.chain) EXECUTE FUNCTION audit_kept();
CREATE TRIGGER audit_chain_kept BEFORE DELETE ON audit_chain FOR EACH ROW EXECUTE FUNCTION audit_kept();
CREATE TRIGGER audit_chain_whole BEFORE TRUNCATE ON audit_chain EXECUTE FUNCTION audit_kept();
"""


def upgrade() -> None:
    op.create_table(
        "audit_chain",
        sa.Column("chain", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_audit_chain")),
    )
    op.add_column("audit_event", sa.Column("number", sa.BigInteger(), nullable=False, server_default="0"))
    for name in ("previous_hash", "hash"):
        op.add_column("audit_event", sa.Column(name, sa.String(length=64), nullable=False, server_default=""))
    _chain_what_is_there()
    op.drop_index("ix_audit_event_partner_id_id", "audit_event")
    op.create_index(op.f("ix_audit_event_partner_id_number"), "audit_event", ["partner_id", "number"], unique=True)
    for name, columns in _INDEXES.items():
        op.create_index(name, "audit_event", columns)
    failed = sa.text("NOT completed")
    op.create_index(
        "ix_audit_event_failed",
        "audit_event",
        ["partner_id", "made_at", "number"],
        sqlite_where=failed,
        postgresql_where=failed,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_POSTGRESQL)
    else:
        for name, body in _SQLITE.items():
            op.execute(f"CREATE TRIGGER {name} {body}")


def _chain_what_is_there() -> None:
    connection, ends, last = op.get_bind(), {}, 0
    here = _ROWS.c.id == sa.bindparam("row_id")
    chained = sa.update(_ROWS).where(here).values({n: sa.bindparam(n) for n in ("number", "previous_hash", "hash")})
    while rows := _next_rows(connection, last):
        last, chains = rows[-1]["id"], defaultdict(list)
        for row in rows:
            chains[row["partner_id"] or NO_PARTNER].append(row)
        for chain, of_chain in chains.items():
            ends[chain] = link(ends.get(chain, (0, "")), of_chain)
        values = [{"row_id": r["id"], **{n: r[n] for n in ("number", "previous_hash", "hash")}} for r in rows]
        connection.execute(chained, values)
    if ends:
        connection.execute(sa.insert(_CHAINS), [{"chain": c, "number": n, "hash": h} for c, (n, h) in ends.items()])


def _next_rows(connection: sa.Connection, last: int) -> list[dict]:
    wanted = sa.select(_ROWS).where(_ROWS.c.id > last).order_by(_ROWS.c.id).limit(_AT_ONCE)
    return [dict(row) for row in connection.execute(wanted).mappings()]


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name in ("kept", "whole"):
            op.execute(f"DROP TRIGGER audit_event_{name} ON audit_event")
    else:
        for name in list(_SQLITE)[:3]:
            op.execute(f"DROP TRIGGER {name}")
    op.drop_table("audit_chain")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_kept()")
    for name in ("ix_audit_event_failed", *_INDEXES, "ix_audit_event_partner_id_number"):
        op.drop_index(name, "audit_event")
    op.create_index("ix_audit_event_partner_id_id", "audit_event", ["partner_id", "id"])
    for name in ("hash", "previous_hash", "number"):
        op.drop_column("audit_event", name)
